import { expect, it } from 'vitest';
import type { SyncTables } from '../../src/store/sync/tables.ts';
import { mappingOf } from '../../src/sync/remote/target.ts';
import { describeStores } from '../support/databases.ts';
import { bodyOf, door } from './door.ts';
import { crashAt, createSyncWorld, type SyncWorld } from './world.ts';

const ids = (count: number) => Array.from({ length: count }, (_, n) => `p${String(n).padStart(5, '0')}`);

async function people(world: SyncWorld, count: number, more: (n: number) => Record<string, string> = () => ({})) {
  await world.sync.hosts.put(
    'demo',
    'party',
    ids(count).map((id, n) => ({ id, fields: { email: `${id}@example.com`, name: `Person Nr${n}`, ...more(n) } })),
  );
}

async function runBatch(world: SyncWorld) {
  const { orgId } = await world.org();
  const { id } = await world.sync.batches.start('demo', orgId, 'party');
  await world.sync.batches.work('demo', await world.org());
  return world.sync.batches.status('demo', id);
}

describeStores((name, openFresh) => {
  it('costs the calls of the table: 100 people first 2, then 1 for fresh changes, and writes nothing when nothing changed [sync-P30] [S6] [F6]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 100);
    const drain = async () => world.sync.runner.runAllDue('demo', await world.org());
    expect(await world.calls(drain)).toBe(2);
    await people(world, 100, () => ({ phone: '2' }));
    expect(await world.calls(drain)).toBe(1);
    world.clock.advance(3_600_000);
    const before = await world.records();
    expect(await world.calls(() => runBatch(world))).toBe(1);
    expect(await world.records()).toEqual(before);
    await people(world, 100, () => ({ phone: '3' }));
    world.clock.advance(3_600_000);
    expect(await world.calls(drain)).toBe(2);
    // One person: one conditional write while the state is known, a read before it when not.
    await world.put('p00000', { phone: '4' });
    world.clock.advance(3_600_000);
    expect(await world.calls(drain)).toBe(2);
  });

  it.skipIf(name === 'PostgreSQL')(
    'costs 12 calls for the first 10,000 people and 10 for fresh changes of all [sync-P30] [F6]',
    async () => {
      await using world = await createSyncWorld(openFresh);
      for (let from = 0; from < 10_000; from += 1_000) {
        await world.sync.hosts.put(
          'demo',
          'party',
          ids(10_000)
            .slice(from, from + 1_000)
            .map((id) => ({ id, fields: { email: `${id}@example.com`, name: `Person ${id}` } })),
        );
      }
      const drain = async () => world.sync.runner.runAllDue('demo', await world.org());
      expect(await world.calls(drain)).toBe(12);
      for (let from = 0; from < 10_000; from += 1_000) {
        await world.sync.hosts.put(
          'demo',
          'party',
          ids(10_000)
            .slice(from, from + 1_000)
            .map((id) => ({ id, fields: { phone: '2' } })),
        );
      }
      expect(await world.calls(drain)).toBe(10);
      world.clock.advance(3_600_000);
      // Reading 10,000 records with a long text comes in pages of 1,000: a second call for the second halves.
      expect(await world.calls(() => runBatch(world))).toBeLessThanOrEqual(2);
    },
    180_000,
  );

  it('commits 197 of 200 and gives each of the three bad rows its own error, without trying them again [sync-P19] [sync-P29]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 200, (n) => (n % 80 === 5 ? { name: '' } : {}));
    await world.sync.runner.runAllDue('demo', await world.org());
    expect(await world.records()).toHaveLength(197);
    const { orgId } = await world.org();
    const failed = await world.store.links.list({ bot: 'demo', orgId }, { state: 'failed', limit: 10 });
    expect(failed.map((link) => link.error?.salesforce?.code)).toEqual([
      'REQUIRED_FIELD_MISSING',
      'REQUIRED_FIELD_MISSING',
      'REQUIRED_FIELD_MISSING',
    ]);
    expect(failed.every((link) => link.error?.salesforce?.fields.includes('LastName'))).toBe(true);
    const again = await world.calls(async () => {
      for (let n = 0; n < 5; n++) {
        world.clock.advance(3_600_000);
        await world.sync.runner.runAllDue('demo', await world.org());
      }
    });
    expect(again).toBe(0);
    await world.put(failed[0]?.localId ?? '', { name: 'Mended Name' });
    await world.sync.runner.runAllDue('demo', await world.org());
    expect(await world.records()).toHaveLength(198);
  });

  it('tries a locked row again, later and later, and loses nothing [sync-P19]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 10);
    await world.control('POST', 'faults', { type: 'lock', times: 2, match: { path: '/composite' } });
    const times: number[] = [];
    for (let n = 0; n < 40 && (await world.records()).length < 10; n++) {
      const calls = await world.calls(async () => world.sync.runner.runAllDue('demo', await world.org()));
      if (calls > 0) times.push(world.clock.now);
      world.clock.advance(5_000);
    }
    expect(await world.records()).toHaveLength(10);
    expect(times.length).toBeGreaterThanOrEqual(2);
    expect(times.length).toBeLessThanOrEqual(8);
  });

  it('stops at the limit, keeps its place, and sends no record twice after it [sync-P20]', async () => {
    await using world = await createSyncWorld(openFresh, { settings: { window: 1_000 } });
    await people(world, 3_000);
    const { orgId } = await world.org();
    const { id } = await world.sync.batches.start('demo', orgId, 'party');
    await world.control('POST', 'faults', { type: 'limit', match: { path: '/composite' } });
    // The window before the limit went through; then every call meets it.
    await expect(world.sync.batches.work('demo', await world.org())).rejects.toMatchObject({ code: 'limit_reached' });
    const stopped = await world.sync.batches.status('demo', id);
    expect(stopped).toMatchObject({ state: 'running', note: expect.stringContaining('.') });
    await world.control('POST', 'faults', { clear: true });
    world.clock.advance(25 * 3_600_000);
    await world.sync.batches.work('demo', await world.org());
    expect(await world.sync.batches.status('demo', id)).toMatchObject({ state: 'done', done: 3_000, failed: 0 });
    expect(await world.records()).toHaveLength(3_000);
    expect(
      (await world.store.log.find('demo', { limit: 10_000 })).filter((row) => row.operation === 'create'),
    ).toHaveLength(3_000);
  }, 60_000);

  it('goes on where it was killed; progress never goes back [sync-P21] [S3]', async () => {
    await using world = await createSyncWorld(openFresh, { settings: { window: 500 } });
    await people(world, 2_000);
    const { orgId } = await world.org();
    const { id } = await world.sync.batches.start('demo', orgId, 'party');
    const progress: number[] = [];
    for (let n = 0; n < 12; n++) {
      const point = (['merged', 'chunk-sent', 'chunk-acknowledged'] as const)[n % 3] ?? 'merged';
      let seen = 0;
      const dying = world.process({
        hasWatched: true,
        settings: { window: 500 },
        crash: (at) => {
          if (at === point && ++seen === 2) crashAt(point)(at);
        },
      });
      const org = await dying.org();
      await dying.sync.batches.work('demo', org).catch(() => {});
      progress.push((await world.sync.batches.status('demo', id)).done);
      world.clock.advance(130_000);
    }
    // Without our field a create that nobody answered for is sent again only when it cannot come any more.
    world.clock.advance(600_000);
    const last = world.process({ hasWatched: true, settings: { window: 500 } });
    await last.sync.batches.work('demo', await last.org());
    const status = await world.sync.batches.status('demo', id);
    expect(status).toMatchObject({ state: 'done', done: 2_000, total: 2_000, batches: 20, batchesDone: 20 });
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(await world.records()).toHaveLength(2_000);
  }, 60_000);

  it('counts each record that ended with a problem once, whatever the problem is and whoever dies [S3]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 100, (n) => (n % 25 === 5 ? { name: '' } : {}));
    // Two records that fit one person, and a value that its field cannot hold.
    for (const title of ['A', 'B']) await world.add({ LastName: 'Twin', Email: 'p00000@example.com', Title: title });
    const mapping = await mappingOf(world.store, 'demo', 'party');
    const rules = [
      ...mapping.rules,
      { local: ['born'], remote: ['Birthdate'], direction: 'both' as const, transforms: [] },
    ];
    await world.store.mappings.add({
      bot: 'demo',
      kind: 'party',
      version: 1,
      mapping: { ...mapping, rules },
      by: 'x',
      at: 0,
    });
    await world.put('p00001', { born: 'in spring' });
    const { orgId } = await world.org();
    const { id } = await world.sync.batches.start('demo', orgId, 'party');
    const seen: number[] = [];
    for (const point of ['merged', 'chunk-sent', 'chunk-acknowledged'] as const) {
      const dying = world.process({ hasWatched: true, crash: crashAt(point) });
      await dying.sync.batches.work('demo', await dying.org()).catch(() => {});
      seen.push((await world.sync.batches.status('demo', id)).failed);
      world.clock.advance(130_000);
    }
    world.clock.advance(600_000);
    const last = world.process({ hasWatched: true });
    await last.sync.batches.work('demo', await last.org());
    expect(await world.sync.batches.status('demo', id)).toMatchObject({ state: 'done', done: 100, failed: 6 });
    expect([...seen, 6]).toEqual([...seen, 6].toSorted((a, b) => a - b));

    await world.put('p00005', { name: 'Mended Person' });
    const again = await world.sync.batches.start('demo', orgId, 'party', { only: 'failed' });
    await world.sync.batches.work('demo', await world.org());
    expect(await world.sync.batches.status('demo', again.id)).toMatchObject({ state: 'done', total: 6, failed: 5 });
  });

  it('never takes more than one window at a time, however many there are [F7]', async () => {
    await using world = await createSyncWorld(openFresh, { settings: { window: 500 } });
    await people(world, 2_000);
    const links = world.fresh.database.kysely.withTables<SyncTables>();
    const taken: number[] = [];
    const counting = world.process({
      settings: { window: 500 },
      crash: async (at) => {
        if (at !== 'read') return;
        const { count } = await links
          .selectFrom('links')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where('leaseUntil', '>', world.clock.now)
          .executeTakeFirstOrThrow();
        taken.push(count);
      },
    });
    await counting.sync.runner.runAllDue('demo', await counting.org());
    expect(taken).toEqual([500, 500, 500, 500]);
    expect(await world.records()).toHaveLength(2_000);
  }, 60_000);

  it('of another org never runs here, and says so with its cure, where a bot was connected anew [S3] [K2]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 2);
    const { orgId } = await world.org();
    const elsewhere = '00D000000000001EAA';
    const repeat = { every: 'day', at: '02:00', zone: 'Europe/Berlin' } as const;
    const nightly = await world.sync.batches.start('demo', elsewhere, 'party', { repeat });
    const begun = await world.sync.batches.start('demo', elsewhere, 'case');
    world.clock.advance(3 * 86_400_000);
    await world.sync.batches.work('demo', await world.org());
    await world.worker.turn('demo');
    expect(await world.sync.batches.status('demo', nightly.id)).toMatchObject({ state: 'scheduled', begunAt: null });
    const ask = door(world);
    const { batches } = await bodyOf(ask('GET', '/api/bots/demo/sync/batches'));
    for (const { note } of batches) expect(note).toMatch(/of the org 00D000000000001EAA.*Cancel it/);
    const { problems } = await bodyOf(ask('GET', '/api/bots/demo/sync/status'));
    expect(problems).toContainEqual(
      expect.objectContaining({
        code: 'conflict',
        count: 2,
        message: expect.stringContaining(nightly.id),
        next: expect.stringMatching(/cancel.*anew/),
      }),
    );
    for (const { id } of [nightly, begun]) await ask('POST', `/api/bots/demo/sync/batches/${id}/cancel`);
    expect(JSON.stringify((await bodyOf(ask('GET', '/api/bots/demo/sync/status'))).problems)).not.toContain('00D000');
    expect(await world.store.links.list({ bot: 'demo', orgId }, { limit: 10 })).toHaveLength(2);
  });

  it('pauses, resumes and cancels, and begins when its time has come [S3]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 1_400);
    const { orgId } = await world.org();
    const later = await world.sync.batches.start('demo', orgId, 'party', { startAt: world.clock.now + 3_600_000 });
    await world.sync.batches.work('demo', await world.org());
    expect(await world.sync.batches.status('demo', later.id)).toMatchObject({ state: 'scheduled', done: 0 });
    world.clock.advance(3_600_001);
    // Five chunks of 200 go out together; the sixth waits for more when the pause comes.
    let chunks = 0;
    const pausing = world.process({
      crash: async (at) => {
        if (at === 'merged' && ++chunks === 6) await world.sync.batches.pause('demo', later.id);
      },
    });
    await pausing.sync.batches.work('demo', await pausing.org());
    expect(await world.sync.batches.status('demo', later.id)).toMatchObject({
      state: 'paused',
      done: 1_000,
      total: 1_400,
    });
    expect(await world.records()).toHaveLength(1_000);
    await world.sync.batches.resume('demo', later.id);
    await world.sync.batches.work('demo', await world.org());
    expect(await world.sync.batches.status('demo', later.id)).toMatchObject({ state: 'done', done: 1_400 });
    const second = await world.sync.batches.start('demo', orgId, 'party');
    expect(await world.sync.batches.cancel('demo', second.id)).toMatchObject({ state: 'cancelled' });
    await expect(world.sync.batches.resume('demo', second.id)).rejects.toMatchObject({
      code: 'conflict',
      message: 'The batch is cancelled already.',
      next: expect.stringContaining('Start a new one'),
    });
    expect(await world.calls(async () => world.sync.batches.work('demo', await world.org()))).toBe(0);
  });

  it('takes its records a piece at a time: who dies meanwhile loses none, a second click begins no second one, a cancel frees all [S3] [K4]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 1_200);
    const { orgId } = await world.org();
    const { batches } = world.sync;
    const among = { bot: 'demo', orgId, kind: 'party', object: 'Contact' } as const;
    const begunBySomebodyDead = async () => {
      const { id } = await batches.start('demo', orgId, 'party', { startAt: world.clock.now + 1_000 });
      world.clock.advance(2_000);
      const next = await world.store.atomically(({ links }) => links.enlist(among, id, 'all', ''));
      expect(await world.store.links.countBatch(id)).toBe(1_000);
      return { id, next };
    };
    const cancelled = await begunBySomebodyDead();
    expect((await batches.start('demo', orgId, 'party')).id).toBe(cancelled.id);
    expect(await batches.cancel('demo', cancelled.id)).toMatchObject({ state: 'cancelled', total: 0, done: 0 });
    const late = world.store.atomically(({ links }) => links.enlist(among, cancelled.id, 'all', cancelled.next ?? ''));
    expect(await late).toBeUndefined();
    expect(await world.store.links.countBatch(cancelled.id)).toBe(0);
    const { id } = await begunBySomebodyDead();
    await world.process().sync.batches.work('demo', await world.org());
    expect(await batches.status('demo', id)).toMatchObject({ state: 'done', total: 1_200, done: 1_200 });
  });

  it('meets an expired session in the middle with one refresh, and every chunk is applied once [sync-P17]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 1_500);
    await world.org();
    const before = (await world.control('GET', 'calls')).oauthCount;
    await world.control('POST', 'faults', { type: 'expired_session', times: 1, match: { path: '/composite' } });
    await Promise.all([
      world.sync.runner.runAllDue('demo', await world.org()),
      world.process().sync.runner.runAllDue('demo', await world.org()),
    ]);
    await world.settle();
    expect((await world.control('GET', 'calls')).oauthCount - before).toBe(1);
    expect(await world.records()).toHaveLength(1_500);
    expect(
      (await world.store.log.find('demo', { limit: 5_000 })).filter((row) => row.operation === 'create'),
    ).toHaveLength(1_500);
  }, 60_000);

  it('refreshes once for six processes whose session ends at the same time [sync-P18]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 6);
    const processes = Array.from({ length: 6 }, () => world.process());
    const before = (await world.control('GET', 'calls')).oauthCount;
    await world.control('POST', 'expire');
    await Promise.all(processes.map((process, n) => process.party(ids(6)[n] ?? '')));
    expect((await world.control('GET', 'calls')).oauthCount - before).toBe(1);
    expect(await world.records()).toHaveLength(6);
  });

  it('opens the breaker after five failures, for every process, and never for refused rows [sync-P22]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 20, (n) => ({ email: `bad ${n}` }));
    for (const id of ids(10)) await world.party(id).catch((error) => expect(error.code).not.toBe('circuit_open'));
    await world.control('POST', 'faults', { type: 'status', status: 503 });
    for (const id of ids(12)) await world.party(id).catch(() => {});
    const calls = await world.calls(async () => {
      await expect(world.process().party('p00015')).rejects.toMatchObject({ code: 'circuit_open' });
    });
    expect(calls).toBe(0);
    expect(
      (await world.control('GET', 'calls')).calls.filter((call: { status: number }) => call.status === 503),
    ).toHaveLength(5);
  });

  it('makes no call after a disconnect: what was queued stays queued [sync-P28]', async () => {
    await using world = await createSyncWorld(openFresh);
    await people(world, 600);
    let chunks = 0;
    const working = world.process({
      settings: { window: 200 },
      crash: async (at) => {
        if (at === 'chunk-acknowledged' && ++chunks === 1) await world.connections.disconnect('demo');
      },
    });
    const org = await working.org();
    const calls = await world.calls(async () => {
      await working.sync.runner.runClaims('demo', org, 'party', { due: 'dirty' }).catch(() => {});
      const after = (await world.control('GET', 'calls')).count;
      await expect(working.sync.runner.runAllDue('demo', org)).rejects.toMatchObject({
        code: expect.stringMatching(/not_connected|reconnect_needed/),
      });
      expect((await world.control('GET', 'calls')).count).toBe(after);
    });
    expect(calls).toBe(2);
    expect(await world.records()).toHaveLength(200);
  });
});
