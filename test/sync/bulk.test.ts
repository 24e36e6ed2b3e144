import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { CrashPoint } from '../../src/ports/sync.ts';
import { areScarce } from '../../src/sync/bulk/loads.ts';
import { TextCounts } from '../../src/sync/bulk/text-counts.ts';
import { describeStores, type OpenFresh } from '../support/databases.ts';
import { until } from '../support/servers.ts';
import { listener } from './listener.ts';
import { Crash, crashAt, createSyncWorld, type Process, pair, type SyncWorld, type WorldOptions } from './world.ts';

// Some load several worlds, one after the other.
vi.setConfig({ testTimeout: 180_000 });

const SMALL = { bulkFrom: 3 };

async function createLoad(openFresh: OpenFresh, options: WorldOptions = {}) {
  const world = await createSyncWorld(openFresh, { ...options, settings: { ...SMALL, ...options.settings } });
  await world.control('POST', 'settings', { bulkQueueMs: 0, bulkRowsPerSecond: 1e9 });
  return world;
}

const people = async (world: SyncWorld, count: number, from = 0) => {
  for (let n = from; n < from + count; n++)
    await world.put(`p${n}`, { email: `p${n}@example.com`, name: `Person ${n}`, phone: '1' });
};

async function load(world: SyncWorld, process: Process = world) {
  const org = await process.org();
  const { id } = await process.sync.batches.start('demo', org.orgId, 'party');
  await process.sync.batches.work('demo', org);
  return world.sync.batches.status('demo', id);
}

const jobsOf = async (world: SyncWorld) => (await world.control('GET', 'bulk')).jobs as { state: string }[];
const parts = async (world: SyncWorld) => world.store.bulk.open({ bot: 'demo', orgId: (await world.org()).orgId });
const requests = async (world: SyncWorld, method: string, path: RegExp) =>
  (await world.control('GET', 'calls')).calls.filter(
    (call: { method: string; path: string }) => call.method === method && path.test(call.path),
  ).length;

async function inStep(world: SyncWorld, id: string) {
  const link = await world.link(id);
  const record = (await world.records()).find((one) => one.Id === link.sfId);
  const { host, salesforce } = pair(await world.host(id), record);
  expect(host).toEqual(salesforce);
  expect(link).toMatchObject({
    state: 'active',
    leaseUntil: 0,
    leaseOwner: null,
    intents: {},
    batch: null,
    error: null,
  });
  return host;
}

async function oneEach(world: SyncWorld, count: number) {
  expect(await world.records()).toHaveLength(count);
  for (let n = 0; n < count; n++) await inStep(world, `p${n}`);
  const creates = (await world.log()).filter(({ operation, kind }) => operation === 'create' && kind === 'party');
  expect(creates.map((row) => row.localId).sort()).toEqual(Array.from({ length: count }, (_, n) => `p${n}`).sort());
  expect(await parts(world)).toEqual([]);
}

const STEPS: readonly CrashPoint[] = [
  'claimed',
  'read',
  'query-noted',
  'merged',
  'rows-staged',
  'part-sealed',
  'job-created',
  'job-noted',
  'job-uploaded',
  'upload-noted',
  'job-closed',
  'close-noted',
  'rows-acknowledged',
  'rows-told',
  'job-removed',
];

async function die(work: Promise<unknown>): Promise<void> {
  await work.then(
    () => {
      throw new Error('the process survived');
    },
    (error) => {
      if (!(error instanceof Crash)) throw error;
    },
  );
}

/** Every process of the living that comes after, until nothing is left. */
async function finish(world: SyncWorld): Promise<void> {
  const org = await world.org();
  for (let turn = 0; turn < 12; turn++) {
    await world.sync.batches.work('demo', org);
    await world.poll();
    await world.inbox();
    await world.sync.runner.runAllDue('demo', org);
    world.clock.advance(130_000);
    if (
      (await parts(world)).length === 0 &&
      (await world.sync.batches.list('demo')).every(({ state }) => state === 'done')
    )
      return;
  }
  throw new Error(`it does not come to rest: ${JSON.stringify(await parts(world))}`);
}

describeStores((_name, openFresh) => {
  describe('a first load by bulk', () => {
    it('is not told back: while more than 2,000 records are with Salesforce nobody listens to them, and afterwards from then on [I2] [S8]', async () => {
      await using world = await createLoad(openFresh, { settings: { bulkFrom: 2_000 } });
      await world.control('POST', 'settings', { changeDataCapture: ['Contact'], cometdHoldMs: 5_000 });
      const org = await world.org();
      const ids = Array.from({ length: 2_100 }, (_, n) => `p${n}`);
      await world.sync.hosts.put(
        'demo',
        'party',
        ids.map((id) => ({ id, fields: { name: `Person ${id}`, email: `${id}@example.com` } })),
      );
      await world.sync.batches.start('demo', org.orgId, 'party');
      for (let hasMore = true; hasMore; ) hasMore = await world.sync.batches.step('demo', org);
      expect(await parts(world)).toMatchObject([{ state: 'closed', rows: 2_100 }]);
      const stateOf = async () =>
        (await world.store.streams.list({ bot: 'demo', orgId: org.orgId })).find(({ objects }) =>
          objects.includes('Contact'),
        )?.state;
      await listener(world).ended;
      expect(await stateOf()).toBe('silent');
      await world.sync.batches.work('demo', org);
      expect(await world.records()).toHaveLength(2_100);
      const ears = listener(world);
      await until(async () => (await stateOf()) === 'live');
      await ears.stop();
      expect((await world.control('GET', 'events')).delivered).toBe(0);
    });

    it('is one job: each record once, logged once, and no file of it stays in Salesforce [B4] [S1]', async () => {
      await using world = await createLoad(openFresh);
      await people(world, 5);
      expect(await load(world)).toMatchObject({ state: 'done', total: 5, done: 5, failed: 0 });
      await oneEach(world, 5);
      expect(await jobsOf(world)).toEqual([]);
      expect(await requests(world, 'POST', /jobs\/ingest/)).toBe(1);
      expect(await requests(world, 'POST', /composite/)).toBe(0);
    });

    it('goes by calls below its number, where the mapping says never, and without our external id [B4]', async () => {
      for (const [options, bulk] of [
        [{ settings: { bulkFrom: 6 } }, 'auto'],
        [{}, 'never'],
        [{ withoutExternalId: true }, 'auto'],
      ] as const) {
        await using world = await createLoad(openFresh, options);
        if (bulk === 'never') await saveMapping(world, { bulk });
        await people(world, 5);
        expect(await load(world)).toMatchObject({ state: 'done', done: 5, failed: 0 });
        expect(await world.records()).toHaveLength(5);
        expect(await requests(world, 'POST', /jobs/)).toBe(0);
      }
    });

    it('asks what is left of the day where there are fewer, and goes by calls while that is enough [B4] [sync-P20]', async () => {
      await using world = await createLoad(openFresh, { settings: { bulkFrom: 20 } });
      await people(world, 5);
      await load(world);
      await oneEach(world, 5);
      expect(await requests(world, 'GET', /limits/)).toBe(1);
      expect(await requests(world, 'POST', /jobs/)).toBe(0);
      // A fifth of the day is for people.
      expect([21_000, 20_051, 20_049, 0].map((remaining) => areScarce({ max: 100_000, remaining }, 5_000))).toEqual([
        ...[false, false, true, true],
      ]);
    });

    it('asks about look-alikes and links who is there: nobody of them is doubled [S1] [B4]', async () => {
      await using world = await createLoad(openFresh);
      await people(world, 6);
      const there = await world.add({ LastName: 'Person 1', Email: 'P1@example.com', Title: 'Boss' });
      for (const LastName of ['One', 'Two']) await world.add({ LastName, Email: 'p2@example.com' });
      await load(world);
      expect(await world.link('p1')).toMatchObject({ sfId: there, state: 'active' });
      expect((await world.host('p1')).fields.jobTitle).toBe('Boss');
      expect(await world.link('p2')).toMatchObject({ state: 'ambiguous', sfId: null });
      expect(await world.records()).toHaveLength(3 + 4);
      expect(await requests(world, 'PUT', /batches/)).toBe(1);
    });

    it('tells one person of two host records with the same email, as calls do [S1] [sync-P2]', async () => {
      await using world = await createLoad(openFresh);
      await people(world, 4);
      await world.put('twin', { email: 'p1@example.com', name: 'Twin' });
      await load(world);
      expect(await world.records()).toHaveLength(4);
      const [one, other] = [await world.link('p1'), await world.link('twin')];
      expect([one.state, other.state].sort()).toEqual(['active', 'ambiguous']);
    });

    it('ends as calls do for whatever cannot be written, and for what CSV cannot carry [B4] [sync-P19]', async () => {
      const ends = [];
      for (const bulk of ['auto', 'never'] as const) {
        await using world = await createLoad(openFresh);
        await saveMapping(world, { bulk });
        await people(world, 9);
        await world.put('p6', { jobTitle: "=cmd|'/C calc'!A0" });
        await world.put('p7', { jobTitle: '"said", she\nwrote' });
        await world.put('p8', { jobTitle: '\ufeffmarked' });
        await world.put('p1', { phone: 'x'.repeat(41) });
        await world.put('p2', { jobTitle: '#N/A' });
        await world.put('p3', { jobTitle: 'two\r\nlines' });
        await world.put('p4', { jobTitle: 'half \ud83d' });
        await world.put('p5', { email: 'not an address' });
        await world.add({ LastName: 'Person 0', FirstName: 'Person', Phone: '1' });
        await load(world);
        await finish(world);
        const links = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => world.link(`p${n}`)));
        ends.push({
          links: links.map(({ state, error, base, intents, done, dirty }) => ({
            state,
            error,
            base,
            intents,
            done,
            dirty,
          })),
          records: (await world.records())
            .map(({ Name, Email, Phone, Title }) => ({ Name, Email, Phone, Title }))
            .sort(byEmail),
        });
        expect(await requests(world, 'PUT', /batches/)).toBe(bulk === 'auto' ? 1 : 0);
      }
      expect(ends[0]).toEqual(ends[1]);
    });

    it('says where its records are, and why a file cannot be read; other batches go on meanwhile [B4] [sync-P29]', async () => {
      await using world = await createLoad(openFresh);
      await people(world, 5);
      await world.put('c1', { title: 'A case', amount: 10 }, { kind: 'case' });
      const org = await world.org();
      const { id } = await world.sync.batches.start('demo', org.orgId, 'party');
      await world.sync.batches.step('demo', org);
      for (let n = 0; n < 3; n++) await world.sync.batches.step('demo', org);
      expect(await world.sync.batches.status('demo', id)).toMatchObject({
        ...{ state: 'running', done: 0, note: '5 records are with Salesforce, as one job.' },
      });
      const body = [{ errorCode: 'INSUFFICIENT_ACCESS', message: 'no' }];
      const match = { path: '/successfulResults' };
      await world.control('POST', 'faults', { type: 'status', status: 403, body, times: 1, match });
      const cases = await world.sync.batches.start('demo', org.orgId, 'case');
      world.clock.advance(3_000);
      for (let n = 0; n < 3; n++) await world.sync.batches.step('demo', org);
      expect(await world.sync.batches.status('demo', cases.id)).toMatchObject({ state: 'done', done: 1 });
      const waits = await world.sync.batches.status('demo', id);
      expect(waits).toMatchObject({
        state: 'running',
        done: 0,
        note: expect.stringMatching(/not allow|may not|right|permission/i),
      });
      await world.sync.batches.work('demo', org);
      expect(await world.sync.batches.status('demo', id)).toMatchObject({ state: 'done', done: 5, note: null });
      await oneEach(world, 5);
    });

    it('goes on without the rows that were locked, which follow by calls [B4] [sync-P19]', async () => {
      await using world = await createLoad(openFresh);
      await people(world, 5);
      await world.control('POST', 'bulk', { do: 'lock', rows: 2 });
      await load(world);
      await finish(world);
      await oneEach(world, 5);
    });

    it('whose file names a record of another object is not believed: the record is looked at again [B4] [R3]', async () => {
      let told = 0;
      const proxy = async (request: Request, answer: Response) => {
        if (!request.url.includes('/successfulResults') || told++ > 0) return answer;
        return new Response((await answer.text()).replace(/003(\w{15})/, '001$1'), answer);
      };
      await using world = await createLoad(openFresh, { proxy });
      await people(world, 5);
      await load(world);
      await finish(world);
      expect(told).toBeGreaterThan(0);
      await oneEach(world, 5);
    });

    it('that failed half way keeps what was done, and the rest goes by calls [B4] [sync-P19]', async () => {
      await using world = await createLoad(openFresh);
      await people(world, 6);
      await world.control('POST', 'bulk', {
        do: 'fail',
        after: 2,
        message: 'TooManyLockFailure : Too many lock failure',
      });
      await load(world);
      await finish(world);
      await oneEach(world, 6);
      expect(await jobsOf(world)).toEqual([]);
    });

    it('goes by calls where Salesforce takes no job, or has no batches left today [B4] [sync-P20]', async () => {
      await using world = await createLoad(openFresh);
      await people(world, 5);
      await world.control('POST', 'bulk', { do: 'allowance', batches: 15_000 });
      await load(world);
      await finish(world);
      await oneEach(world, 5);
    });

    it('that Salesforce forgot is asked record by record [B4]', async () => {
      await using world = await createLoad(openFresh);
      await people(world, 5);
      const dying = world.process({ settings: SMALL, crash: crashAt('close-noted') });
      await die(load(world, dying));
      // It works on it meanwhile, and forgets it.
      await jobsOf(world);
      await world.org().then((org) => org.describe('Contact'));
      await world.control('POST', 'bulk', { do: 'forget' });
      world.clock.advance(200_000);
      await finish(world);
      await oneEach(world, 5);
    });

    it('splits into parts of the size that one job takes, one after the other [B4]', async () => {
      await using world = await createLoad(openFresh, { settings: { bulkRows: 4, window: 2 } });
      await people(world, 10);
      await load(world);
      await oneEach(world, 10);
      expect(await requests(world, 'PUT', /batches/)).toBe(3);
      // One look at the whole object serves them all.
      expect(await requests(world, 'POST', /jobs\/query/)).toBe(1);
    });

    it('leaves a record alone that the host edits meanwhile: the edit follows after it [sync-P3] [B4]', async () => {
      await using world = await createLoad(openFresh);
      await people(world, 5);
      const other = world.process({ settings: SMALL });
      let isEdited = false;
      const slow = world.process({
        settings: SMALL,
        crash: async (point) => {
          if (point !== 'close-noted' || isEdited) return;
          isEdited = true;
          await world.put('p1', { phone: '2' });
          // Neither a person nor another worker writes it now.
          await expect(other.party('p1')).rejects.toMatchObject({ code: 'conflict' });
          await other.sync.runner.runAllDue('demo', await other.org());
          world.clock.advance(600_000);
          await other.sync.runner.runAllDue('demo', await other.org());
          expect(await requests(world, 'POST', /composite/)).toBe(0);
        },
      });
      await load(world, slow);
      await finish(world);
      await oneEach(world, 5);
      expect((await world.host('p1')).fields.phone).toBe('2');
      expect(isEdited).toBe(true);
    });

    it('that is paused before it is handed over sends nothing, and goes on when resumed [sync-P21] [B4]', async () => {
      await using world = await createLoad(openFresh);
      await people(world, 5);
      const org = await world.org();
      const { id } = await world.sync.batches.start('demo', org.orgId, 'party');
      let isPaused = false;
      const pausing = world.process({
        settings: SMALL,
        crash: async (point) => {
          if (point !== 'upload-noted' || isPaused) return;
          isPaused = true;
          await world.sync.batches.pause('demo', id);
        },
      });
      await pausing.sync.batches.work('demo', await pausing.org());
      expect(await world.records()).toEqual([]);
      expect(await world.link('p1')).toMatchObject({ leaseUntil: 0, batch: id, intents: {}, attemptedAt: null });
      expect(await parts(world)).toEqual([]);
      await world.sync.batches.resume('demo', id);
      await world.sync.batches.work('demo', org);
      await oneEach(world, 5);
    });

    it('that is cancelled while Salesforce works on it is aborted: done rows stay done, the others are let go [B4]', async () => {
      await using world = await createLoad(openFresh);
      await world.control('POST', 'settings', { bulkQueueMs: 0, bulkRowsPerSecond: 1 });
      await people(world, 5);
      const org = await world.org();
      const { id } = await world.sync.batches.start('demo', org.orgId, 'party');
      let isCancelled = false;
      const cancelling = world.process({
        settings: SMALL,
        crash: async (point) => {
          if (point !== 'close-noted' || isCancelled) return;
          isCancelled = true;
          world.clock.advance(2_000);
          await world.sync.batches.cancel('demo', id);
        },
      });
      await cancelling.sync.batches.work('demo', await cancelling.org());
      const made = (await world.records()).length;
      expect(made).toBeGreaterThan(0);
      expect(made).toBeLessThan(5);
      expect(await world.sync.batches.status('demo', id)).toMatchObject({ state: 'cancelled' });
      expect(await parts(world)).toEqual([]);
      await world.settle();
      await oneEach(world, 5);
    });

    it('is not sent under rules that were changed after its rows were planned [S6] [B4]', async () => {
      await using world = await createLoad(openFresh);
      await people(world, 5);
      let isChanged = false;
      const slow = world.process({
        settings: SMALL,
        crash: async (point) => {
          if (point !== 'upload-noted' || isChanged) return;
          isChanged = true;
          await saveMapping(world, { bulk: 'never' });
        },
      });
      await load(world, slow);
      await finish(world);
      await oneEach(world, 5);
      expect(await requests(world, 'POST', /composite/)).toBeGreaterThan(0);
      expect(await requests(world, 'PATCH', /jobs\/ingest/)).toBe(1);
    });

    it.each(['before', 'after'])(
      'survives a lost answer to each of its requests, %s it was done [B4]',
      async (when) => {
        for (const [method, path] of [
          ['POST', '/jobs/ingest'],
          ['PUT', '/jobs/ingest'],
          ['PATCH', '/jobs/ingest'],
          ['GET', '/successfulResults'],
          ['DELETE', '/jobs/ingest'],
        ]) {
          await using world = await createLoad(openFresh);
          await people(world, 5);
          await world.control('POST', 'faults', { type: 'drop', when, times: 1, match: { method, path } });
          await load(world).catch((error: unknown) => expect(error).toMatchObject({ code: 'salesforce_unavailable' }));
          world.clock.advance(61_000);
          await finish(world);
          await oneEach(world, 5);
        }
      },
    );
  });

  describe('a process of a bulk load dies', () => {
    it.each(STEPS)(
      'at "%s": nothing twice, nothing lost, and the newer edit wins [sync-P8] [sync-P21] [B4]',
      async (point) => {
        await using world = await createLoad(openFresh);
        await people(world, 5);
        const dying = world.process({ settings: SMALL, crash: crashAt(point) });
        await die(load(world, dying));
        await world.put('p1', { phone: '2' });
        world.clock.advance(200_000);
        await finish(world);
        await oneEach(world, 5);
        expect((await world.host('p1')).fields.phone).toBe('2');
        expect((await world.log()).flatMap((row) => row.changes).some((change) => change.winner)).toBe(false);
        expect(await jobsOf(world)).toEqual(
          // Only an open job that nobody knows of, which starts nothing and dies within a day.
          point === 'job-created' ? [expect.objectContaining({ state: 'Open' })] : [],
        );
      },
    );

    it.each(STEPS)('twice at "%s" [sync-P8] [B4]', async (point) => {
      await using world = await createLoad(openFresh, { settings: { bulkRows: 2, window: 2 } });
      await people(world, 5);
      for (let n = 0; n < 2; n++) {
        const dying = world.process({
          settings: { ...SMALL, bulkRows: 2, window: 2 },
          hasWatched: true,
          crash: crashAt(point),
        });
        const org = await dying.org();
        await die(
          dying.sync.batches.start('demo', org.orgId, 'party').then(() => dying.sync.batches.work('demo', org)),
        );
        world.clock.advance(200_000);
      }
      await finish(world);
      await oneEach(world, 5);
    });
  });

  it('lets no process that lost a part go on with it [sync-P8] [B4]', async () => {
    for (const at of [
      'rows-staged',
      'job-created',
      'job-noted',
      'job-uploaded',
      'upload-noted',
      'job-closed',
      'rows-acknowledged',
    ] as const) {
      await using world = await createLoad(openFresh);
      await people(world, 5);
      let isStalled = false;
      const slow = world.process({
        settings: SMALL,
        crash: async (point) => {
          if (point !== at || isStalled) return;
          isStalled = true;
          world.clock.advance(200_000);
          await world.put('p1', { phone: '2' });
          const healthy = world.process({ settings: SMALL, hasWatched: true });
          await healthy.sync.batches.work('demo', await healthy.org());
          await healthy.settle();
        },
      });
      await load(world, slow).catch(() => {});
      await finish(world);
      await oneEach(world, 5);
      expect((await world.host('p1')).fields.phone, at).toBe('2');
      expect(isStalled, at).toBe(true);
    }
  });
});

describe('counts of texts', () => {
  it('miss none, and tell one from several [B4]', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), fc.string({ unit: 'binary' }), (texts, other) => {
        const counts = new TextCounts();
        for (const text of texts) counts.add(text);
        const times = (text: string) => texts.filter((one) => one === text).length;
        for (const text of [...texts, other]) expect(counts.count(text)).toBe(Math.min(2, times(text)));
        expect(counts.distinct()).toBe(new Set(texts).size);
      }),
    );
  });

  it('take a hundred thousand names for a hundred thousand', () => {
    const counts = new TextCounts();
    for (let n = 0; n < 100_000; n++) counts.add(`value person${n}@example.com`);
    expect(counts.distinct()).toBe(100_000);
  });
});

const byEmail = (one: { Email?: unknown }, other: { Email?: unknown }) =>
  String(one.Email) < String(other.Email) ? -1 : 1;

async function saveMapping(world: SyncWorld, change: object): Promise<void> {
  const { defaultMapping } = await import('../../src/sync/mapping/defaults.ts');
  const { version = 0 } = (await world.store.mappings.get('demo', 'party')) ?? {};
  const mapping = { ...defaultMapping('party'), ...change };
  await world.store.mappings.add({
    bot: 'demo',
    kind: 'party',
    version: version + 1,
    mapping,
    by: 'ada',
    at: world.clock.now,
  });
}
