import { describe, expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

/**
 * A write of ours that was done though its answer said otherwise, or never came. What stands in the record then is ours: it
 * must not pass for a colleague's edit and beat what the host says later.
 */

const FAULTS = [
  { type: 'drop' },
  { type: 'drop_body' },
  { type: 'html' },
  { type: 'redirect' },
  { type: 'status', status: 500 },
  { type: 'status', status: 503 },
  { type: 'lock' },
] as const;

/** People at rest. */
async function resting(world: SyncWorld, ids: readonly string[]) {
  for (const id of ids) await world.put(id, { email: `${id}@example.com`, name: 'Ada Lovelace', phone: '0' });
  await world.settle();
  world.clock.advance(60_000);
  await world.settle();
}

describeStores((_name, openFresh) => {
  describe('a change that Salesforce took and did not say so', () => {
    const ids = ['p1'];
    it.each(FAULTS)('is not taken for an edit of a colleague: %o [sync-P7] [S2]', async (fault) => {
      await using world = await createSyncWorld(openFresh);
      await resting(world, ids);
      for (const id of ids) await world.put(id, { phone: '1' });
      let isMerged = false;
      // After the merge the write comes next; whatever then looks at its effect meets an org that is away.
      const crash = async (point: string) => {
        if (point !== 'merged' || isMerged) return;
        isMerged = true;
        await world.control('POST', 'faults', { ...fault, when: 'after', times: 1, match: { method: 'PATCH' } });
        for (const method of ['GET', 'POST'])
          await world.control('POST', 'faults', { type: 'status', status: 503, match: { method } });
      };
      await world
        .process({ crash })
        .party('p1')
        .catch(() => {});
      await world.control('POST', 'faults', { clear: true });
      expect(await world.records()).toEqual(ids.map(() => expect.objectContaining({ Phone: '1' })));
      world.clock.advance(5_000);
      for (const id of ids) await world.put(id, { phone: '2' });
      world.clock.advance(5_000);
      for (const record of await world.records()) await world.edit(String(record.Id), { Title: 'Boss' });
      for (let turn = 0; turn < 4; turn++) {
        world.clock.advance(120_000);
        await world.settle().catch(() => {});
      }
      const found = (await world.records()).map(({ Phone, Title }) => ({ Phone, Title }));
      expect(found).toEqual(ids.map(() => ({ Phone: '2', Title: 'Boss' })));
      for (const id of ids) expect((await world.host(id)).fields).toMatchObject({ phone: '2', jobTitle: 'Boss' });
    });
  });
});
