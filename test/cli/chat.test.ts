import { expect, it } from 'vitest';
import { createGatehouse } from '../support/cli.ts';

it('talks through a pipe, shows where a card is decided, and takes no typed yes for one [T1 T3 C4]', async () => {
  await using gatehouse = await createGatehouse();
  const ran = await gatehouse.run(['chat', '--bot', 'demo'], {
    input: "I'm Jane Doe from Initrode, please contact me: jane@initrode.example\nMove OPP-456 to Closed Won\ny\nyes\n",
  });
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  expect(ran.stdout).toContain('a DEMO that follows rules');
  expect(ran.stdout).toContain('Org: SIMULATED');
  expect(ran.stdout).toContain('■ Create a lead "Jane Doe": Done.');
  expect(ran.stdout).toContain('Negotiation/Review → Closed Won');
  expect(ran.stdout).toMatch(/do it here: http:\/\/localhost:\d+\/approvals\//);
  expect(ran.stdout).not.toContain('is updated');

  const id = /--conversation (\S+)/.exec(ran.stdout)?.[1] ?? '';
  const proposal = /gatehouse approve (\S+)/.exec(ran.stdout)?.[1] ?? '';
  const operator = await gatehouse.run(['operator', 'create', 'ada', '--role', 'approver', '--json']);
  await gatehouse.run(['approve', proposal], { env: { GATEHOUSE_OPERATOR_KEY: operator.json.key } });
  const later = await gatehouse.run(['chat', '--bot', 'demo', '--conversation', id, '--json'], { input: '' });
  expect(later.json).toMatchObject({ conversation: id, isDemo: true, isSimulated: true, proposals: [] });
  expect(JSON.stringify(later.json.entries.slice(-2))).toContain('is updated');
});

it('refuses a bot and a conversation that are not there', async () => {
  await using gatehouse = await createGatehouse();
  expect((await gatehouse.run(['chat', '--bot', 'nobody', '--json'])).error).toMatchObject({ code: 'not_found' });
  expect((await gatehouse.run(['chat', '--bot', 'demo', '--conversation', 'nothing', '--json'])).error).toMatchObject({
    code: 'not_found',
  });
});
