import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
import { setWebhook } from '../../src/sync/webhooks/deliver.ts';
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

  it('rests no longer than the connection stands that it met trouble with: who signs in again in another process waits for nothing [I4] [X3]', async () => {
    // For years, so that no time which passes here ends it.
    await using world = await createSyncWorld(openFresh, { pauseMs: () => 1e12 });
    await people(world, 1);
    await world.settle();
    world.worker.start();
    try {
      await world.put('p0000', { phone: 'before' });
      await world.control('POST', 'faults', { type: 'status', status: 503 });
      world.worker.nudge('demo');
      const scope = { bot: 'demo', orgId: (await world.org()).orgId };
      await vi.waitFor(async () => expect((await world.store.turns.get(scope))?.problem).toBeTruthy(), 10_000);
      await world.control('POST', 'faults', { clear: true });
      world.clock.advance(1);
      await world.connections.disconnect('demo');
      await world.connections.connect('demo', { flow: 'simulated' });
      await vi.waitFor(async () => expect((await world.records())[0]?.Phone).toBe('before'), 10_000);
    } finally {
      await world.worker.stop();
    }
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

  it('syncs on while a host app does not answer its webhooks, and tells it all in order once it does [S7]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 150);
    await world.settle();
    const open: (() => void)[] = [];
    const got: number[] = [];
    let isSlow = true;
    const receiver = createServer((request, response) => {
      got.push(Number(String(request.headers['webhook-id']).replace('demo_', '')));
      if (isSlow) open.push(() => response.writeHead(204).end());
      else response.writeHead(204).end();
    });
    await new Promise<void>((ready) => receiver.listen(0, '127.0.0.1', ready));
    const { port } = receiver.address() as AddressInfo;
    await setWebhook(world.delivery, 'demo', `http://127.0.0.1:${port}/`);
    world.clock.advance(600_000);
    for (const record of await world.records()) await world.edit(String(record.Id), { Title: 'pulled' });
    world.clock.advance(60_000);
    try {
      world.worker.start();
      world.worker.nudge('demo');
      await vi.waitFor(() => expect(open).toHaveLength(1), 10_000);
      await world.put('p0000', { phone: 'while it hangs' });
      world.worker.nudge('demo');
      await vi.waitFor(
        async () => expect((await world.records()).map((record) => record.Phone)).toContain('while it hangs'),
        10_000,
      );
      expect(got).toHaveLength(1);
      isSlow = false;
      open[0]?.();
      await vi.waitFor(() => expect(got).toHaveLength(150), 20_000);
      expect(got).toEqual(got.toSorted((a, b) => a - b));
    } finally {
      await world.worker.stop();
      receiver.closeAllConnections();
      receiver.close();
    }
  });

  it('still takes only the records with a problem when such a batch was paused before it began [S3]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 3);
    await world.put('bad', { email: 'no email', name: 'Bad' });
    await world.settle();
    const { orgId } = await world.org();
    const startAt = world.clock.now + 3_600_000;
    const { id } = await world.sync.batches.start('demo', orgId, 'party', { startAt, only: 'failed' });
    await world.sync.batches.pause('demo', id);
    await world.sync.batches.resume('demo', id);
    world.clock.advance(3_600_001);
    await world.worker.turn('demo');
    expect(await world.sync.batches.status('demo', id)).toMatchObject({ state: 'done', total: 1 });
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
