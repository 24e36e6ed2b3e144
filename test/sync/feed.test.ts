import { expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';
import { bodyOf, door } from './door.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

/** A host app keeps a number and asks for what came after it: no number may come to mean something else. */

const tell = (world: SyncWorld, ...ids: string[]) =>
  world.store.feed.add(
    'demo',
    ids.map((localId) => ({
      type: 'deleted' as const,
      kind: 'party' as const,
      localId,
      object: 'Contact',
      sfId: null,
      changes: {},
      at: world.clock.now,
    })),
  );

describeStores((_name, openFresh) => {
  it('numbers on where a bot was deleted and made anew: its host app has read no change twice and misses none [S7]', async () => {
    await using world = await createSyncWorld(openFresh);
    await tell(world, 'p1', 'p2');
    const bot = await world.app.store.bots.get('demo');
    if (bot === undefined) throw new Error('the bot of this world is missing');
    await world.app.store.bots.remove('demo');
    await world.app.store.bots.create(bot);
    await tell(world, 'p3');
    const { changes, next } = await bodyOf(door(world)('GET', '/api/changes?after=2'));
    expect(changes.map(({ data }: { data: { seq: number; id: string } }) => [data.seq, data.id])).toEqual([[3, 'p3']]);
    expect(next).toBe(3);
    expect((await bodyOf(door(world)('GET', '/api/changes?after=0'))).changes).toHaveLength(1);
  });

  it('says so where it has not reached a number that the host app was given, instead of "nothing new" [S7]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await tell(world, 'p1', 'p2');
    expect(await bodyOf(ask('GET', '/api/changes?after=2'))).toEqual({ changes: [], next: 2 });
    await expect(ask('GET', '/api/changes?after=3')).rejects.toMatchObject({
      code: 'conflict',
      next: expect.stringContaining('after=0'),
    });
  });

  it('says so where what comes after a number is no longer kept, and how to go on; who begins anew begins with what is there [S7] [X7]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await tell(world, 'p1', 'p2', 'p3');
    world.clock.advance(100 * 86_400_000);
    const past = { now: world.clock.now, historyBefore: world.clock.now - 90 * 86_400_000 };
    await world.app.store.clearPast(past);
    const gone = { code: 'conflict', next: expect.stringContaining('after=3') };
    await expect(ask('GET', '/api/changes?after=1')).rejects.toMatchObject(gone);
    expect(await bodyOf(ask('GET', '/api/changes?after=3'))).toEqual({ changes: [], next: 3 });
    await tell(world, 'p4');
    await expect(ask('GET', '/api/changes?after=2')).rejects.toMatchObject(gone);
    for (const after of [0, 3])
      expect((await bodyOf(ask('GET', `/api/changes?after=${after}`))).changes, `after ${after}`).toHaveLength(1);
  });
});
