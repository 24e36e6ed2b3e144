import { expect, it } from 'vitest';
import { createWorld } from '../support/world.ts';

const JANE = { id: 'p-jane', fields: { email: 'jane@doe.example', name: 'Jane Doe', phone: '+31 10 555 0199' } };

it('brings a person into step through the gate, and says so when nothing was left to do [S1 A4]', async () => {
  await using world = await createWorld();
  const { room: sync } = await world.app.sync();
  await sync.hosts.put(world.bot, 'party', [JANE]);
  const first = await world.call('SyncParty', { partyId: 'p-jane' });
  expect(first).toMatchObject({
    status: 'done',
    result: { operation: 'create', direction: 'to_crm', id: expect.stringMatching(/^003/) },
  });
  const again = await world.call('SyncParty', { partyId: 'p-jane' });
  expect(again).toMatchObject({
    status: 'done',
    result: { operation: 'none', alreadyDone: true, id: first.result?.id },
  });
  const made = (await world.records('Contact')).filter(({ Email }) => Email === 'jane@doe.example');
  expect(made).toHaveLength(1);
  expect(made[0]).toMatchObject({ FirstName: 'Jane', LastName: 'Doe' });
});

it('brings a case into step with its people as contact roles, unknown ones created first [S3]', async () => {
  await using world = await createWorld();
  const { room: sync } = await world.app.sync();
  await sync.hosts.put(world.bot, 'party', [JANE]);
  await sync.hosts.put(world.bot, 'case', [
    {
      id: 'c-1',
      fields: { title: 'Refund for Doe', status: 'open', amount: 1200 },
      parties: [{ party: 'p-jane', role: 'complainant' }],
    },
  ]);
  const done = await world.call('SyncCase', { caseId: 'c-1' });
  expect(done).toMatchObject({ status: 'done', result: { operation: 'create', id: expect.stringMatching(/^006/) } });
  expect(done.result?.roles).toMatchObject([{ party: 'p-jane', contactId: expect.stringMatching(/^003/) }]);
});

it('answers 404 for a person nobody told us about', async () => {
  await using world = await createWorld();
  expect(await world.refusal('SyncParty', { partyId: 'nobody' })).toMatchObject({ code: 'not_found' });
});
