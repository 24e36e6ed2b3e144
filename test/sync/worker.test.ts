import { expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

async function people(world: SyncWorld, count: number) {
  const inputs = Array.from({ length: count }, (_, n) => ({
    id: `p${String(n).padStart(4, '0')}`,
    fields: { email: `p${n}@example.com`, name: `Person Nr${n}` },
  }));
  await world.sync.hosts.put('demo', 'party', inputs);
}

describeStores((_name, openFresh) => {
  it('polls once an interval, however many processes there are, and tries a failed poll again [I4] [X3]', async () => {
    await using world = await createSyncWorld(openFresh);
    const workers = [world.worker, world.process().worker, world.process().worker];
    const turns = () => world.calls(() => Promise.all(workers.map((worker) => worker.turn('demo'))));
    await world.worker.turn('demo');
    expect(await turns()).toBe(0);
    world.clock.advance(300_000);
    expect(await turns()).toBe(1);
    expect(await turns()).toBe(0);
    world.clock.advance(300_000);
    await world.control('POST', 'faults', { type: 'status', status: 503, times: 3 });
    await expect(world.worker.turn('demo')).rejects.toThrow();
    expect(await turns()).toBe(1);
  });

  it('lets a change through between the windows of a batch, and while a batch is paused [S3]', async () => {
    await using world = await createSyncWorld(openFresh, { settings: { window: 200 } });
    await people(world, 600);
    await world.settle();
    world.clock.advance(3_600_000);
    const { orgId } = await world.org();
    const { id } = await world.sync.batches.start('demo', orgId, 'party');
    const left: number[] = [];
    const process = world.process({
      settings: { window: 200 },
      crash: async (at) => {
        if (at !== 'read') return;
        left.push(await world.store.links.countBatch(id));
        if (left.length === 2) await world.put('p0599', { phone: 'now' });
      },
    });
    await process.worker.turn('demo');
    expect(await world.sync.batches.status('demo', id)).toMatchObject({ state: 'done', done: 600, failed: 0 });
    // The poll's re-reads, a window of the batch, the record that changed, and the rest of the batch without it.
    expect(left.at(-1)).toBeLessThan(200);

    const second = await world.sync.batches.start('demo', orgId, 'party');
    await world.sync.batches.pause('demo', second.id);
    await world.put('p0007', { phone: 'while paused' });
    await world.worker.turn('demo');
    const phones = (await world.records()).flatMap((record) => record.Phone ?? []);
    expect(phones.sort()).toEqual(['now', 'while paused']);
    expect(await world.sync.batches.status('demo', second.id)).toMatchObject({ state: 'paused', done: 1, total: 600 });
  });

  it('answers a second start with the batch that runs, and refuses one beside a paused one [S3]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 3);
    const { orgId } = await world.org();
    const first = await world.sync.batches.start('demo', orgId, 'party');
    expect(await world.sync.batches.start('demo', orgId, 'party')).toEqual(first);
    await world.sync.batches.pause('demo', first.id);
    await expect(world.sync.batches.start('demo', orgId, 'party')).rejects.toMatchObject({ code: 'conflict' });
    await world.sync.batches.resume('demo', first.id);
    await world.sync.batches.work('demo', await world.org());
    expect(await world.records()).toHaveLength(3);
  });
});
