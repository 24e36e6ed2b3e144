import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { createWorld, type World } from '../support/world.ts';

/** A yes counts for what was shown: what came since is asked about anew. */

const decide =
  (action: string, decision: 'auto' | 'confirm') =>
  (policy: Policy): Policy => ({
    ...policy,
    actions: { ...policy.actions, [action]: { ...policy.actions[action]!, decision } },
  });

async function waiting(world: World, action: string, args: unknown): Promise<string> {
  return (await world.call(action, args)).proposal?.id ?? expect.fail('it did not wait');
}

const PERSON = { name: 'Jane Doe', email: 'jane@doe.example', phone: '1' };

describe('a yes', () => {
  it('to the sync of a person does not reach what the host app sent since [C1 C5]', async () => {
    await using world = await createWorld();
    const { hosts } = await world.app.sync();
    const put = (fields: object) => hosts.put(world.bot, 'party', [{ id: 'p1', fields: { ...PERSON, ...fields } }]);
    const person = async () =>
      (await world.records('Contact')).find(({ Email }) => Email === PERSON.email) ?? expect.fail('nobody');
    await put({});
    await world.setPolicy(decide('SyncParty', 'auto'));
    await world.call('SyncParty', { partyId: 'p1' });
    await world.setPolicy(decide('SyncParty', 'confirm'));
    world.clock.advance(3_600_000);
    // First of a person in step, then of a change: what came since is shown, and asked about once more.
    const id = await waiting(world, 'SyncParty', { partyId: 'p1' });
    for (const phone of ['222', '333']) {
      await put({ phone });
      await expect(world.approve(id)).resolves.toMatchObject({ status: 'waiting' });
      expect((await person()).Phone).toBe('1');
    }
    expect(await world.approve(id)).toMatchObject({ status: 'done' });
    expect((await person()).Phone).toBe('333');
  });

  it('to the sync of a person does not reach what the host app sends while it runs [C1 C5]', async () => {
    await using world = await createWorld();
    const sync = await world.app.sync();
    const put = (phone: string) => sync.hosts.put(world.bot, 'party', [{ id: 'p1', fields: { ...PERSON, phone } }]);
    await put('1');
    const org = await world.app.connections.open(world.bot, { signal: AbortSignal.timeout(5_000) });
    const shown = await sync.forBot(world.bot, org, false).previewParty('p1');
    await put('66666');
    const once = sync.forBot(world.bot, org, true, shown).syncParty('p1');
    await expect(once).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('was shown') });
    expect((await world.records('Contact')).filter(({ Email }) => Email === PERSON.email)).toEqual([]);
    await put('1');
    expect(await sync.forBot(world.bot, org, true, shown).syncParty('p1')).toMatchObject({ operation: 'create' });
  });

  it('to the sync of a person does not reach a record that was linked since [C1 C5]', async () => {
    await using world = await createWorld();
    const sync = await world.app.sync();
    await sync.hosts.put(world.bot, 'party', [{ id: 'p1', fields: PERSON }]);
    await world.setPolicy(decide('SyncParty', 'confirm'));
    const id = await waiting(world, 'SyncParty', { partyId: 'p1' });
    const other = (await world.records('Contact'))[0] ?? expect.fail('nobody');
    const org = await world.app.connections.open(world.bot, { signal: AbortSignal.timeout(5_000) });
    await sync.manualLinks.link(world.bot, org, 'party', 'p1', String(other.Id));
    await expect(world.approve(id)).resolves.toMatchObject({ status: 'waiting' });
    expect((await world.records('Contact')).find(({ Id }) => Id === other.Id)).toMatchObject({ Phone: other.Phone });
  });

  const withRows =
    (maxRows: number) =>
    (policy: Policy): Policy => ({ ...policy, soql: { ...policy.soql, maxRows } });
  const withSensitive =
    (...sensitiveFields: string[]) =>
    (policy: Policy): Policy => ({
      ...policy,
      objects: { ...policy.objects, Contact: { ...policy.objects.Contact!, sensitiveFields } },
    });

  it.each([
    ['more rows', 'LIMIT 200', withRows(40), withRows(2_000)],
    ['a field that is sensitive by now', "WHERE Id = '0035i0000000002AAA'", withSensitive(), withSensitive('Title')],
  ])('to a query does not reach %s [C1 Q4]', async (_what, which, before, after) => {
    await using world = await createWorld();
    await world.setPolicy((policy) => before(decide('RunSOQL', 'confirm')(policy)));
    const id = await waiting(world, 'RunSOQL', { soql: `SELECT Name, Title FROM Contact ${which}` });
    await world.setPolicy(after);
    await expect(world.approve(id)).resolves.toMatchObject({ status: 'waiting' });
    expect(await world.approve(id)).toMatchObject({ status: 'done' });
  });

  it('of before is not told for an update that found nothing to do, once the record holds something else [A4]', async () => {
    await using world = await createWorld();
    const [deal] = await world.records('Opportunity');
    const set = (Amount: number) => world.sim('POST', 'records/Opportunity', { Id: deal?.Id, Amount });
    const wish = { id: deal?.Id, amount: 61_234 };
    const id = await waiting(world, 'UpdateOpportunity', wish);
    await set(61_234);
    expect(await world.approve(id)).toMatchObject({ status: 'done' });
    await set(100_000);
    expect((await world.call('UpdateOpportunity', wish)).status).not.toBe('done');
  });
});
