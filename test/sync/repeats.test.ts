import { expect, it } from 'vitest';
import type { Repeat } from '../../src/domain/wall-clock.ts';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld, type SyncWorld, type WorldOptions } from './world.ts';

/** 12:00 in Berlin, the day before its clocks jump from 02:00 to 03:00. */
const START = Date.parse('2026-03-28T11:00:00.500Z');
const NIGHTLY: Repeat = { every: 'day', at: '02:30', zone: 'Europe/Berlin' };
const HOUR = 3_600_000;

async function people(world: SyncWorld, count: number, more: Record<string, string> = {}) {
  const inputs = Array.from({ length: count }, (_, n) => ({
    id: `p${n}`,
    fields: { email: `p${n}@example.com`, name: `Person Nr${n}`, ...more },
  }));
  await world.sync.hosts.put('demo', 'party', inputs);
}

const states = async (world: SyncWorld) =>
  (await world.sync.batches.list('demo')).map(({ state, startAt }) => [
    state,
    new Date(startAt).toISOString().slice(0, 16),
  ]);

const quiet = (world: SyncWorld, from: string, until: string) =>
  world.store.quiet.put({ bot: 'demo', from, until, zone: 'Europe/Berlin', by: 'ada', at: world.clock.now });

describeStores((_name, openFresh) => {
  const open = (options: WorldOptions = {}) => createSyncWorld(openFresh, { start: START, ...options });
  const nightly = async (world: SyncWorld, repeat = NIGHTLY) => {
    const { orgId } = await world.org();
    return world.sync.batches.start('demo', orgId, 'party', { repeat });
  };

  it('runs each occasion of a repeating batch once over all processes, also in the night that has no 02:30 [W5] [X3]', async () => {
    await using world = await open();
    await people(world, 3);
    const first = await nightly(world);
    expect(await nightly(world)).toEqual(first);
    const processes = [world, world.process(), world.process()];
    const turns = () => Promise.all(processes.map(({ worker }) => worker.turn('demo')));
    await turns();
    expect(await states(world)).toEqual([['scheduled', '2026-03-29T01:00']]);
    world.clock.advance(14 * HOUR);
    // All of them see at once that its time has come.
    const org = await world.org();
    await Promise.all(processes.map(({ sync }) => sync.batches.step('demo', org)));
    await turns();
    await turns();
    expect(await states(world)).toEqual([
      ['scheduled', '2026-03-30T00:30'],
      ['done', '2026-03-29T01:00'],
    ]);
    expect(await world.sync.batches.status('demo', first.id)).toMatchObject({ total: 3, done: 3, missed: 0 });
    // Whoever starts anew finds it in the store.
    world.clock.advance(24 * HOUR);
    await world.process().worker.turn('demo');
    expect(await states(world)).toEqual([
      ['scheduled', '2026-03-31T00:30'],
      ['done', '2026-03-30T00:30'],
      ['done', '2026-03-29T01:00'],
    ]);
  });

  it('runs once, late, for all occasions at which nobody was there, and says how many it missed [W5]', async () => {
    await using world = await open();
    await people(world, 2);
    const { id } = await nightly(world);
    world.clock.advance(4 * 24 * HOUR);
    await world.worker.turn('demo');
    expect(await world.sync.batches.status('demo', id)).toMatchObject({ state: 'done', missed: 3 });
    expect(await states(world)).toEqual([
      ['scheduled', '2026-04-02T00:30'],
      ['done', '2026-03-29T01:00'],
    ]);
  });

  it('leaves an occasion out while the batch before it is open, and says so [W5]', async () => {
    await using world = await open();
    await people(world, 2);
    await nightly(world);
    const { id } = await world.sync.batches.start('demo', (await world.org()).orgId, 'party');
    await world.sync.batches.pause('demo', id);
    world.clock.advance(15 * HOUR);
    await world.worker.turn('demo');
    const [, , left] = await world.sync.batches.list('demo');
    expect(left).toMatchObject({
      state: 'cancelled',
      note: `Left out: the batch before it (${id}) is paused.`,
      total: 0,
    });
    await world.sync.batches.resume('demo', id);
    world.clock.advance(24 * HOUR);
    await world.worker.turn('demo');
    expect((await states(world)).filter(([state]) => state === 'done')).toHaveLength(2);
  });

  it('pauses over an occasion, goes on at the next, and ends by a cancel [W5]', async () => {
    await using world = await open();
    await people(world, 1);
    const { id } = await nightly(world);
    await world.sync.batches.pause('demo', id);
    world.clock.advance(30 * HOUR);
    await world.worker.turn('demo');
    await world.sync.batches.resume('demo', id);
    await world.worker.turn('demo');
    expect(await states(world)).toEqual([['scheduled', '2026-03-30T00:30']]);
    await world.sync.batches.cancel('demo', id);
    world.clock.advance(48 * HOUR);
    await world.worker.turn('demo');
    expect(await states(world)).toEqual([['cancelled', '2026-03-30T00:30']]);
  });

  it('tries again at the next occasion where policy stopped one, and says why that one ended [W5] [P5]', async () => {
    await using world = await open();
    await people(world, 1);
    const { id } = await nightly(world);
    await world.setPolicy((policy) => ({ ...policy, off: ['SyncParty'] }));
    world.clock.advance(15 * HOUR);
    await world.worker.turn('demo');
    expect(await world.sync.batches.status('demo', id)).toMatchObject({
      state: 'cancelled',
      note: expect.stringContaining('switched off'),
    });
    await world.setPolicy((policy) => ({ ...policy, off: [] }));
    world.clock.advance(24 * HOUR);
    await world.worker.turn('demo');
    expect((await states(world)).map(([state]) => state)).toEqual(['scheduled', 'done', 'cancelled']);
  });

  it('does nothing by itself in quiet hours: no call leaves, and hints and changes are done later [W5]', async () => {
    await using world = await open();
    await people(world, 2);
    await world.settle();
    await quiet(world, '22:00', '06:00');
    await nightly(world);
    world.clock.advance(12 * HOUR);
    await people(world, 2, { phone: 'by night' });
    const record = (await world.records()).find(({ Email }) => Email === 'p0@example.com');
    await world.edit(String(record?.Id), { Title: 'by night' });
    await world.store.inbox.add([
      {
        bot: 'demo',
        orgId: (await world.org()).orgId,
        eventId: 'e1',
        object: 'Contact',
        sfId: String(record?.Id),
        kind: 'message',
        receivedAt: world.clock.now,
      },
    ]);
    const before = (await world.control('GET', 'calls')).count;
    for (let hour = 0; hour < 4; hour++) {
      await world.worker.turn('demo');
      world.clock.advance(HOUR);
    }
    expect((await world.control('GET', 'calls')).count).toBe(before);
    // 02:30 came and waits; the worker says that it is there.
    expect((await states(world))[0]).toEqual(['scheduled', '2026-03-29T01:00']);
    expect(await world.store.turns.get({ bot: 'demo', orgId: (await world.org()).orgId })).toMatchObject({
      problem: null,
    });
    world.clock.advance(3 * HOUR);
    await world.worker.turn('demo');
    expect((await world.records()).map(({ Phone }) => Phone)).toEqual(['by night', 'by night']);
    expect((await world.host('p0')).fields.jobTitle).toBe('by night');
    expect((await states(world))[1]?.[0]).toBe('done');
  });

  it('does in quiet hours what a person asked for, and only that [W5]', async () => {
    await using world = await open();
    await people(world, 1);
    await world.put('bad', { email: 'bad@example.com', name: '' });
    await world.settle();
    await quiet(world, '22:00', '06:00');
    await nightly(world, { ...NIGHTLY, at: '23:00' });
    world.clock.advance(12 * HOUR);
    await people(world, 1, { phone: 'by night' });
    await world.put('bad', { name: 'Now Named' });
    const { orgId } = await world.org();
    await world.worker.turn('demo');
    expect(await world.records()).toHaveLength(1);
    expect(await world.sync.manualLinks.retry('demo', orgId, 'party', ['bad'])).toBe(1);
    await world.worker.turn('demo');
    expect((await world.records()).map(({ Email, Phone }) => `${Email} ${Phone ?? 'none'}`).sort()).toEqual([
      'bad@example.com none',
      'p0@example.com none',
    ]);
    expect((await states(world)).map(([state]) => state)).toEqual(['scheduled']);
    const { id } = await world.sync.batches.start('demo', orgId, 'party');
    await world.worker.turn('demo');
    expect(await world.sync.batches.status('demo', id)).toMatchObject({ state: 'done', total: 2 });
    expect((await world.records()).map(({ Phone }) => Phone ?? null)).toContain('by night');
  });

  it('stops a repeating batch where quiet hours begin, after the chunk under way, and goes on after them [W5]', async () => {
    await using world = await open({ settings: { window: 200 } });
    await people(world, 600);
    await world.settle();
    const { id } = await nightly(world, { every: 'day', at: '21:59', zone: 'Europe/Berlin' });
    await quiet(world, '22:00', '06:00');
    // Half a minute after it is due, and half a minute before the hours begin.
    world.clock.advance(START + 10 * HOUR - 30_000 - world.clock.now);
    let reads = 0;
    const process = world.process({
      settings: { window: 200 },
      crash: (at) => {
        if (at === 'read' && ++reads === 2) world.clock.advance(60_000);
      },
    });
    await process.worker.turn('demo');
    const stopped = await world.sync.batches.status('demo', id);
    expect(stopped.state).toBe('running');
    expect(stopped.done).toBeLessThan(600);
    world.clock.advance(9 * HOUR);
    await process.worker.turn('demo');
    expect(await world.sync.batches.status('demo', id)).toMatchObject({ state: 'done', done: 600 });
    expect(await world.records()).toHaveLength(600);
  });
});
