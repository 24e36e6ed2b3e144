import { expect, it } from 'vitest';
import { createGatehouse } from '../support/cli.ts';

it('lets an operator with a role for one bot do that at the terminal, and nothing elsewhere [P4]', async () => {
  await using house = await createGatehouse();
  const json = async (...args: string[]) => {
    const ran = await house.run([...args, '--json']);
    expect([ran.code, ran.stderr], args.join(' ')).toEqual([0, '']);
    return ran.json;
  };
  for (const bot of ['acme', 'shop']) await json('bot', 'create', bot, '--profile', 'internal');
  await json('operator', 'create', 'ada', '--role', 'admin');
  const may = ['MANAGE_POLICY', 'DECIDE_PROPOSALS', 'CREATE_OAUTH'];
  expect(await json('role', 'set', 'desk', ...may, '--bots', 'acme')).toEqual({
    role: 'desk',
    permissions: ['CREATE_OAUTH', 'MANAGE_POLICY', 'DECIDE_PROPOSALS'],
    bots: ['acme'],
  });
  const { key } = await json('operator', 'create', 'kim', '--role', 'desk');
  const { roles } = await json('role', 'list');
  expect(roles.at(-1)).toMatchObject({ name: 'desk', isShipped: false, operators: 1 });
  const asKim = (...args: string[]) =>
    house.run([...args, '--json'], { env: { GATEHOUSE_OPERATOR_KEY: key as string } });

  expect((await asKim('policy', 'off', 'acme', 'CreateLead')).code).toBe(0);
  for (const args of [
    ['policy', 'off', 'shop', 'CreateLead'],
    ['grant', 'acme', 'RUN_SOQL'],
    ['connect', 'shop', '--flow', 'simulated'],
    ['bot', 'create', 'third', '--profile', 'internal'],
    ['role', 'set', 'desk', 'READ_LOGS'],
    ['operator', 'create', 'eve', '--role', 'admin'],
  ])
    expect((await asKim(...args)).error, args.join(' ')).toMatchObject({ code: 'permission_denied' });

  const waiting = await house.run([
    'call',
    'shop',
    'UpdateOpportunity',
    '{"reference":"OPP-123","stageName":"Closed Won"}',
    '--json',
  ]);
  const id = waiting.json.proposal.id as string;
  expect((await asKim('approve', id)).error).toMatchObject({ code: 'permission_denied' });
  expect((await house.run(['role', 'remove', 'desk', '--json'])).error).toMatchObject({ code: 'conflict' });
  await json('operator', 'role', 'kim', 'viewer');
  await json('role', 'remove', 'desk');
  expect((await asKim('policy', 'on', 'acme', 'CreateLead')).error).toMatchObject({ code: 'permission_denied' });
});
