import fc from 'fast-check';
import { expect, it } from 'vitest';
import { healthRoutes } from '../../src/http/routes/health.ts';
import { serveRoutes } from '../../src/http/server.ts';
import type { EventSink, RawEvent } from '../../src/ports/events.ts';
import type { Stream } from '../../src/ports/streams.ts';
import type { SyncStore } from '../../src/ports/sync-store.ts';
import { readChangeEvent } from '../../src/sync/inbound/change-event.ts';
import { createEchoes } from '../../src/sync/inbound/own-echo.ts';
import { streamDemands } from '../../src/sync/inbound/stream-demands.ts';
import type { StreamDeps } from '../../src/sync/inbound/streams.ts';
import { describeStores } from '../support/databases.ts';
import { until } from '../support/servers.ts';
import { bodyOf, door } from './door.ts';
import { listener } from './listener.ts';
import { saying } from './words.ts';
import { Crash, createSyncWorld, type SyncWorld, type WorldOptions } from './world.ts';

const CHANNEL = '/data/ContactChangeEvent';
type OpenFresh = Parameters<typeof createSyncWorld>[0];

async function createHeard(openFresh: OpenFresh, objects = ['Contact'], options: WorldOptions = {}) {
  const world = await createSyncWorld(openFresh, options);
  await world.control('POST', 'settings', { changeDataCapture: objects, cometdHoldMs: 5_000 });
  return world;
}

const scopeOf = async (world: SyncWorld) => ({ bot: 'demo', orgId: (await world.org()).orgId });
const rows = async (world: SyncWorld) => world.store.streams.list(await scopeOf(world));
const rowOf = async (world: SyncWorld, channel = CHANNEL): Promise<Stream | undefined> =>
  (await rows(world)).find((row) => row.channel === channel);
const isLive = async (world: SyncWorld) => (await rowOf(world))?.state === 'live';
const act = (world: SyncWorld, verb: string, more: object = {}) =>
  world.control('POST', 'events', { do: verb, ...more });

/** Linked people, and their contacts. */
async function people(world: SyncWorld, count: number): Promise<readonly string[]> {
  for (let at = 0; at < count; at++)
    await world.put(`p${at}`, { email: `p${at}@example.com`, name: `Pat Nr${at}`, jobTitle: 'A' });
  await world.settle();
  return Promise.all(Array.from({ length: count }, async (_, at) => String((await world.link(`p${at}`)).sfId)));
}

/** Everything that was stored takes effect; nothing is polled. */
async function work(world: SyncWorld): Promise<void> {
  await world.inbox();
  await world.sync.runner.runAllDue('demo', await world.org());
}

const heardAllOf = (world: SyncWorld, channel: string) =>
  until(
    async () => (await rowOf(world, channel))?.replayId === String((await world.control('GET', 'events')).lastReplayId),
  );
const heardAll = (world: SyncWorld) =>
  until(async () => (await rowOf(world))?.replayId === String((await world.control('GET', 'events')).lastReplayId));

describeStores((_name, openFresh) => {
  it('brings a change to the host by events alone, and stores how far it heard [I2]', async () => {
    await using world = await createHeard(openFresh);
    const [id = ''] = await people(world, 1);
    const ears = listener(world);
    await until(() => isLive(world));
    await world.edit(id, { Title: 'told' });
    await heardAll(world);
    expect(await world.calls(() => work(world))).toBe(1);
    expect((await world.host('p0')).fields.jobTitle).toBe('told');
    expect(await rowOf(world)).toMatchObject({ objects: ['Contact'], error: null, delivered: 1 });
    await ears.stop();
  });

  it('killed at any step, loses no change and applies none twice [sync-P8] [sync-P9]', async () => {
    await using world = await createHeard(openFresh);
    const ids = await people(world, 3);
    // A place to go on from: from here on no poll is needed.
    const first = listener(world);
    await until(() => isLive(world));
    await world.edit(ids[0] ?? '', { Title: 'start' });
    await heardAll(world);
    await first.stop();
    await work(world);
    const scope = await scopeOf(world);
    let made = 0;
    const steps = ['before the transaction', 'inside of it', 'after it', 'before the next turn', 'none'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom(...steps)), { minLength: 1, maxLength: 4 }),
        async (deaths) => {
          const titles = new Map<number, string[]>();
          for (const [person, step] of deaths) {
            const title = `T${++made}`;
            world.clock.advance(2_000);
            await world.edit(ids[person] ?? '', { Title: title });
            titles.set(person, [...(titles.get(person) ?? []), title]);
            const doomed = listener(world, dyingAt(world, step));
            if (step === 'none' || step === 'before the next turn') {
              await heardAll(world);
              await doomed.stop();
            } else await expect(doomed.ended).rejects.toThrow(Crash);
            if (step === 'none') await work(world);
          }
          const last = listener(world, { watch: { hasStood: () => true } });
          await heardAll(world);
          await last.stop();
          await work(world);
          for (const [person, told] of titles) {
            expect((await world.host(`p${person}`)).fields.jobTitle).toBe(told.at(-1));
            const pulled = (await world.log(`p${person}`)).filter((row) => row.direction === 'from_crm');
            for (const title of told)
              expect(pulled.filter((row) => row.changes.some(({ after }) => after === title)).length).toBeLessThan(2);
          }
          expect(await world.store.inbox.pending(scope, 10)).toEqual([]);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('has one listener for a connection, and another one once the first is gone for a lease [I2]', async () => {
    await using world = await createHeard(openFresh);
    const first = listener(world);
    await until(() => isLive(world));
    expect(await listener(world, { owner: 'p2', watch: { hasStood: () => false } }).ended).toBe(20_000);
    expect((await world.control('GET', 'events')).clients).toHaveLength(1);
    // The first one stalled: it still holds its connect, and what it hears is stored by nobody but the second.
    const second = listener(world, { owner: 'p2', watch: { hasStood: () => true } });
    await until(async () => (await world.store.streams.lease(await scopeOf(world))).owner === 'p2');
    const clients = async () => (await world.control('GET', 'events')).clients as { channels: object }[];
    await until(async () => (await clients()).filter(({ channels }) => CHANNEL in channels).length === 2);
    await world.add({ LastName: 'Once' });
    expect(await first.ended).toBe(20_000);
    await heardAll(world);
    expect((await rowOf(world))?.delivered).toBe(1);
    await second.stop();
  });

  it('looks at what came before it listened: a first start, a refused id and a reset stream are followed by a poll', async () => {
    await using world = await createHeard(openFresh);
    const [id = ''] = await people(world, 1);
    await world.edit(id, { Title: 'before anybody listened' });
    const met = async () =>
      streamDemands({ store: world.store, now: () => world.clock.now }, await scopeOf(world), 300_000);
    const first = listener(world);
    await until(() => isLive(world));
    await until(async () => (await met()).polls.length === 1);
    expect((await met()).pollMs).toBe(0);
    await world.worker.turn('demo');
    expect((await world.host('p0')).fields.jobTitle).toBe('before anybody listened');
    expect((await met()).polls).toEqual([]);
    await world.edit(id, { Title: 'x' });
    await heardAll(world);
    await first.stop();
    for (const verb of ['trim', 'resetStream']) {
      await world.edit(id, { Title: `lost by ${verb}` });
      await act(world, verb);
      const again = listener(world);
      await until(async () => (await met()).polls.length === 1);
      expect(await rowOf(world)).toMatchObject({ state: 'live', lastGapAt: expect.any(Number) });
      world.clock.advance(1_000);
      await world.worker.turn('demo');
      expect((await world.host('p0')).fields.jobTitle).toBe(`lost by ${verb}`);
      await world.edit(id, { Title: `after ${verb}` });
      await heardAll(world);
      await again.stop();
    }
  });

  it('reads a record after a gap, polls after an overflow and what nobody can read, and reconciles after a conversion', async () => {
    await using world = await createHeard(openFresh);
    const [id = ''] = await people(world, 1);
    const ears = listener(world);
    await until(() => isLive(world));
    await world.worker.turn('demo');
    const scope = await scopeOf(world);
    await act(world, 'gap', { object: 'Contact', recordIds: [id] });
    await heardAll(world);
    expect(await world.store.inbox.pending(scope, 10)).toMatchObject([{ sfId: id, kind: 'event' }]);
    const demands = () => streamDemands({ store: world.store, now: () => world.clock.now }, scope, 300_000);
    for (const verb of ['overflow', 'gap']) {
      // The second one is a gap without an id: a poison event must not stop the stream.
      await act(world, verb, { object: 'Contact' });
      await until(async () => (await demands()).polls.length === 1);
      await heardAll(world);
      world.clock.advance(1_000);
      await world.worker.turn('demo');
      expect((await demands()).polls).toEqual([]);
    }
    await act(world, 'wildcard', { object: 'Contact' });
    await until(async () => (await demands()).reconciles.length === 1);
    await world.worker.turn('demo');
    expect((await demands()).reconciles).toEqual([]);
    expect(await world.store.batches.list('demo', 5)).toMatchObject([{ kind: 'party' }]);
    await ears.stop();
  });

  it('loses no change of events without a replay id, which cannot be told from each other: it polls [K3] [I2]', async () => {
    await using world = await createHeard(openFresh);
    const [id = ''] = await people(world, 1);
    const nameless = (events: readonly RawEvent[]) =>
      events.map(({ channel, data }) => ({ channel, data: { ...(data as object), event: {} } }));
    const ears = listener(world, {
      async events(bot) {
        const source = await world.connections.events(bot);
        return {
          run: (from, sink, signal) =>
            source.run(from, { ...sink, take: (events) => sink.take(nameless(events)) }, signal),
        };
      },
    });
    await until(() => isLive(world));
    await world.worker.turn('demo');
    for (const title of ['B', 'C']) {
      const before = (await rowOf(world))?.delivered ?? 0;
      await world.edit(id, { Title: title });
      await until(async () => ((await rowOf(world))?.delivered ?? 0) > before);
      world.clock.advance(5_000);
      await world.worker.turn('demo');
      expect((await world.host('p0')).fields.jobTitle).toBe(title);
    }
    await ears.stop();
  });

  it('reads every record after a conversion, which moves no stamp, also one that was seen a moment ago [I2]', async () => {
    await using world = await createHeard(openFresh);
    const ids = await people(world, 2);
    const stampOf = async (id: string) =>
      Date.parse(String((await world.records()).find(({ Id }) => Id === id)?.SystemModstamp));
    const ears = listener(world, {
      async events(bot) {
        const source = await world.connections.events(bot);
        const isAboutAll = ({ data }: RawEvent) => JSON.stringify(data).includes('003*');
        const take = (sink: EventSink) => (events: readonly RawEvent[]) => sink.take(events.filter(isAboutAll));
        return { run: (from, sink, signal) => source.run(from, { ...sink, take: take(sink) }, signal) };
      },
    });
    await until(() => isLive(world));
    world.clock.advance(10_000);
    await world.worker.turn('demo');
    for (const id of ids) await world.edit(id, { Title: 'converted' }, 'Contact', await stampOf(id));
    await act(world, 'wildcard', { object: 'Contact' });
    const demands = async () => (await streamDemands(world.delivery, await scopeOf(world), 300_000)).reconciles.length;
    await until(async () => (await demands()) === 1);
    await world.worker.turn('demo');
    for (const id of ['p0', 'p1']) expect((await world.host(id)).fields.jobTitle).toBe('converted');
    await ears.stop();
  });

  it('hears a custom channel in place of those of its objects; what it tells beside a change is no change [I2] [sync-P5]', async () => {
    const channel = '/data/Gatehouse__chn';
    await using world = await createHeard(openFresh, ['Contact']);
    const [id = ''] = await people(world, 1);
    await world.control('POST', 'settings', {
      changeChannel: { name: channel, objects: ['Contact', 'Opportunity', 'Lead'], enriched: ['Phone', 'Email'] },
    });
    const ask = door(world);
    for (const kind of ['party', 'case'] as const) {
      const { mapping, version } = await bodyOf(ask('GET', `/api/bots/demo/mappings/${kind}`));
      await ask('PUT', `/api/bots/demo/mappings/${kind}`, { mapping: { ...mapping, channel }, version });
    }
    const ears = listener(world);
    await until(async () => (await rowOf(world, channel))?.state === 'live');
    // One channel, and none beside it.
    expect((await rows(world)).map(({ objects }) => objects)).toEqual([['Contact', 'Opportunity']]);
    await world.worker.turn('demo');
    const pace = async () => (await streamDemands(world.delivery, await scopeOf(world), 300_000)).pollMs;
    expect(await pace()).toBe(1_800_000);
    world.clock.advance(60_000);
    await world.edit(id, { Title: 'told' });
    // Nobody here asked for leads.
    await world.add({ LastName: 'Foreign', Company: 'Acme' }, 'Lead');
    await heardAllOf(world, channel);
    const scope = await scopeOf(world);
    expect(await world.store.inbox.pending(scope, 10)).toMatchObject([{ object: 'Contact', sfId: id }]);
    const [times] = await world.store.fieldTimes.get(scope, [id]);
    expect(Object.keys(times?.fields ?? {})).toEqual(['Title']);
    await work(world);
    expect((await world.host('p0')).fields.jobTitle).toBe('told');
    // A gap of one of its objects is looked at, and an overflow polled.
    await act(world, 'overflow', { object: 'Contact' });
    await heardAllOf(world, channel);
    expect(await pace()).toBe(0);
    await ears.stop();
    // It is gone: said as a problem, since somebody named it.
    await world.control('POST', 'settings', { changeChannel: null });
    await listener(world).ended;
    const { problems = [] } = (await (await world.app.sync()).status('demo')) ?? {};
    expect(problems).toContainEqual(expect.objectContaining({ message: expect.stringContaining(channel) }));
  });

  it('says per channel why nothing comes, with a cure, and goes on with the others', async () => {
    await using world = await createHeard(openFresh, ['Contact']);
    const ears = listener(world);
    const states = async () => (await rows(world)).map(({ state }) => state).sort();
    await until(async () => (await states()).join() === 'live,refused');
    expect(await isLive(world)).toBe(true);
    expect(await rowOf(world, '/data/OpportunityChangeEvent')).toMatchObject({
      state: 'refused',
      error: { next: expect.stringContaining('Setup, Change Data Capture, move Opportunity') },
    });
    await ears.stop();
    // An hour later it is asked again.
    await world.control('POST', 'settings', { changeDataCapture: ['Contact', 'Opportunity'] });
    world.clock.advance(3_600_001);
    const again = listener(world);
    await until(async () => (await rows(world)).every(({ state }) => state === 'live'));
    await again.stop();
  });

  it('tells a probe that it works less well where a channel is not heard that should be, and stays ready [X4] [I2]', async () => {
    await using world = await createHeard(openFresh);
    await people(world, 1);
    const { degraded } = await world.app.sync();
    const http = serveRoutes(world.app, healthRoutes({ ...world.app, degraded }));
    const probe = async () => {
      const request = new Request('http://localhost/readyz', { headers: { host: 'localhost' } });
      const answer = await http.fetch(request, { remoteAddress: '127.0.0.1' });
      return { code: answer.status, ...((await answer.json()) as object) };
    };
    const pollMs = async () => (await (await world.app.sync()).status('demo'))?.pollMs;
    const ears = listener(world);
    await until(() => isLive(world));
    await until(async () => (await rows(world)).some(({ state }) => state === 'refused'));
    // Nobody selected opportunities: they are polled, and well.
    expect(await probe()).toEqual({ code: 200, status: 'ready' });
    await act(world, 'deliveryLimit');
    await world.add({ LastName: 'Not delivered' });
    await ears.ended;
    expect(await probe()).toEqual({ code: 200, status: 'ready', degraded: ['events'] });
    expect(await pollMs()).toBe(0);
    await world.worker.turn('demo');
    expect(await pollMs()).toBe(300_000);
  });

  it('rests half an hour at a limit of the org, then twice as long, and begins with a poll', async () => {
    await using world = await createHeard(openFresh);
    const [id = ''] = await people(world, 1);
    const ears = listener(world);
    await until(() => isLive(world));
    await act(world, 'deliveryLimit');
    await world.edit(id, { Title: 'not delivered' });
    expect(await ears.ended).toBe(1_800_000);
    expect(await rowOf(world)).toMatchObject({ state: 'paused', replayId: null, error: { code: 'limit_reached' } });
    world.clock.advance(1_800_001);
    await listener(world).ended;
    expect(await rowOf(world)).toMatchObject({ state: 'paused', retryAt: world.clock.now + 3_600_000 });
    await world.control('POST', 'settings', { deliveries: 1_000_000 });
    world.clock.advance(3_600_001);
    const last = listener(world);
    await until(() => isLive(world));
    await world.worker.turn('demo');
    expect((await world.host('p0')).fields.jobTitle).toBe('not delivered');
    await last.stop();
  });

  it('lets the poll rest for half an hour while every object is heard, and not a moment longer [I4]', async () => {
    await using world = await createHeard(openFresh, ['Contact', 'Opportunity']);
    const ears = listener(world);
    await until(
      async () => (await rows(world)).length === 2 && (await rows(world)).every(({ state }) => state === 'live'),
    );
    await world.worker.turn('demo');
    const pace = async () =>
      (await streamDemands({ store: world.store, now: () => world.clock.now }, await scopeOf(world), 300_000)).pollMs;
    expect(await pace()).toBe(1_800_000);
    world.clock.advance(300_001);
    // The listener died: nobody renewed its lease.
    expect(await pace()).toBe(300_000);
    await ears.stop();
    expect(await pace()).toBe(300_000);
  });

  it('knows its own echo by value: what a flow changed with it is looked at [sync-P6]', async () => {
    await using world = await createHeard(openFresh);
    const ids = await people(world, 1);
    const org = await world.org();
    const deps = { ...world.delivery };
    const event = (fields: Record<string, unknown>, changedFields = Object.keys(fields), client = org.clientName) =>
      readChangeEvent({
        payload: {
          ...fields,
          ChangeEventHeader: {
            entityName: 'Contact',
            recordIds: ids,
            changeType: 'UPDATE',
            changedFields,
            changeOrigin: `com/salesforce/api/rest/66.0;client=${client}`,
          },
        },
      });
    const isOurs = async (one: ReturnType<typeof event>) => (await createEchoes(deps, 'demo', org).of(one)).size === 1;
    expect(await isOurs(event({ Title: 'A', LastModifiedDate: 'now' }))).toBe(true);
    expect(await isOurs(event({ Title: 'A' }, ['Title'], 'gatehouse-other'))).toBe(false);
    expect(await isOurs(event({ Title: 'changed by a flow' }))).toBe(false);
    expect(await isOurs(event({ Title: 'A', Phone: '1' }))).toBe(false);
    expect(await isOurs(event({ Title: 'A', Level__c: 'not mapped' }))).toBe(true);
    // A cleared field comes as null, or not at all.
    expect(await isOurs(event({}, ['Title']))).toBe(false);
    await world.store.subscriptions.put({ bot: 'demo', object: 'Contact', fields: ['Title'] });
    expect(await isOurs(event({ Title: 'A' }))).toBe(false);
  });

  it('tells the host app which subscribed fields an event named [I2] [S7]', async () => {
    await using world = await createHeard(openFresh);
    const [id = ''] = await people(world, 1);
    await world.store.subscriptions.put({ bot: 'demo', object: 'Contact', fields: ['Title', 'Phone'] });
    const ears = listener(world);
    await until(() => isLive(world));
    await world.edit(id, { Title: 'told', Department: 'not asked for' });
    await heardAll(world);
    await world.inbox();
    const told = (await world.store.feed.after('demo', 0, 100)).filter(({ kind }) => kind === 'record');
    expect(told).toEqual([expect.objectContaining({ sfId: id, changed: ['Title'] })]);
    await ears.stop();
  });

  it('does not listen to a large run of our own, and finds what others changed meanwhile [I2]', async () => {
    await using world = await createHeard(openFresh);
    const [id = ''] = await people(world, 1);
    const first = listener(world);
    await until(() => isLive(world));
    await world.worker.turn('demo');
    world.clock.advance(400_000);
    const many = Array.from({ length: 2_500 }, (_, n) => ({ id: `m${n}`, fields: { name: `Many Nr${n}` } }));
    await world.sync.hosts.put('demo', 'party', many);
    // What waits and is not on its way is no run: a person may take a week to approve it.
    expect((await rowOf(world))?.state).toBe('live');
    const before = (await world.control('GET', 'events')).delivered;
    let isSeen = false;
    const writer = world.process({
      async crash(at) {
        if (at !== 'chunk-acknowledged' || isSeen) return;
        isSeen = true;
        expect(await first.ended).toBe(0);
        expect(await rowOf(world)).toMatchObject({ state: 'silent', replayId: null, error: null });
        await world.edit(id, { Title: 'by a colleague' });
        // In the middle of it nobody listens, and it is looked at again.
        expect(await listener(world).ended).toBe(20_000);
      },
    });
    await writer.sync.runner.runAllDue('demo', await writer.org());
    expect(await world.records()).toHaveLength(2_501);
    // Those of the answer in which it was noticed; Salesforce sends at most so many at once.
    expect((await world.control('GET', 'events')).delivered - before).toBeLessThanOrEqual(1_000);
    const again = listener(world);
    await until(() => isLive(world));
    await world.worker.turn('demo');
    expect((await world.host('p0')).fields.jobTitle).toBe('by a colleague');
    await again.stop();
    const { streams = [], problems = [] } = (await (await world.app.sync()).status('demo')) ?? {};
    expect([streams.find(({ object }) => object === 'Contact')?.state, problems]).toEqual(['live', []]);
    // What colleagues changed is only read: however much it is, it is no run of ours.
    const set = { ...(await scopeOf(world)), kind: 'party', object: 'Contact' } as const;
    const links = await world.store.links.list(set, { limit: 3_000 });
    const ids = links.map((link) => link.id);
    await world.store.links.touch(ids, 'event from Salesforce', true, world.clock.now);
    const counts: number[] = [];
    const reader = world.process({
      async crash(at) {
        if (at === 'claimed') counts.push(await world.store.links.countHeld(set, 5_000));
      },
    });
    await reader.sync.runner.runAllDue('demo', await reader.org());
    expect(counts).toEqual([0]);
  });

  it('stands whatever an event holds: a megabyte, depth, other types, other channels and objects; its place moves on, nothing of it is believed [K3] [I2]', async () => {
    await using world = await createHeard(openFresh);
    const [id = ''] = await people(world, 1);
    const ears = listener(world);
    await until(() => isLive(world));
    await ears.stop();
    let deep: unknown = 'bottom';
    for (let at = 0; at < 5_000; at++) deep = [deep];
    let replayId = 5_000;
    const event = (header: object, values: object = {}, channel = CHANNEL): RawEvent => {
      const good = { entityName: 'Contact', changeType: 'UPDATE', changedFields: ['Title'], recordIds: [id] };
      const payload = { ...values, ChangeEventHeader: { ...good, commitTimestamp: world.clock.now, ...header } };
      return { channel, data: { payload, event: { replayId: ++replayId } } };
    };
    const stranger = '0035i00000ZZZZZAAA';
    const odd: readonly RawEvent[] = [
      event({}, { Title: 'x'.repeat(1_000_000), LastModifiedDate: 'yesterday' }),
      event({}, { Title: deep, Name: deep, LastModifiedDate: { toString: 'no' } }),
      event({ changedFields: deep, commitTimestamp: 'now', changeOrigin: 7 }),
      event({ changedFields: [null, { a: 1 }], commitTimestamp: -1, changeType: { a: 1 } }),
      event({ recordIds: [stranger, "' OR Id != '", null, 7, deep, id] }),
      event({ recordIds: id }),
      event({ recordIds: {} }),
      event({ recordIds: Array.from({ length: 20_000 }, () => id) }),
      event({ entityName: 'Lead' }),
      event({ entityName: ['Contact'] }),
      event({ entityName: '__proto__', __proto__: { recordIds: [stranger] } }),
      event({}, {}, '/data/LeadChangeEvent'),
      event({}, {}, '/event/Order_Event__e'),
      event({}, {}, '__proto__'),
      { channel: CHANNEL, data: null },
      { channel: CHANNEL, data: { payload: 7, event: { replayId: ++replayId } } },
      { channel: CHANNEL, data: { payload: deep, event: { replayId: ++replayId } } },
      { channel: CHANNEL, data: { payload: {}, event: { replayId: { a: 1 } } } },
      event({}, { Title: 'claimed' }),
    ];
    await listener(world, { watch: { hasStood: () => true }, ...saying(...odd) }).ended;
    // What could not be read is a gap, and polled.
    expect(await rowOf(world)).toMatchObject({ replayId: String(replayId), lastGapAt: world.clock.now });
    expect((await rows(world)).map(({ channel }) => channel).sort()).toEqual([CHANNEL, '/data/OpportunityChangeEvent']);
    const pending = await world.store.inbox.pending(await scopeOf(world), 100);
    expect([...new Set(pending.map(({ object, sfId }) => `${object} ${sfId}`))]).toEqual([`Contact ${id}`]);
    await work(world);
    expect((await world.host('p0')).fields.jobTitle).toBe('A');
  });

  it('takes the last event again for a repeat, and one from before it for a stream that begins anew', async () => {
    await using world = await createHeard(openFresh);
    const [id = ''] = await people(world, 1);
    const header = { entityName: 'Contact', changeType: 'UPDATE', changedFields: ['Title'], recordIds: [id] };
    const event = (replayId: number): RawEvent => ({
      channel: CHANNEL,
      data: { payload: { ChangeEventHeader: header, Title: 'B' }, event: { replayId } },
    });
    const hear = (...list: RawEvent[]) =>
      listener(world, {
        events: async () => ({
          async run(_channels, sink) {
            await sink.take(list);
            return { why: 'stopped', quote: '' };
          },
        }),
      }).ended;
    await hear(event(7));
    await hear(event(7), event(8));
    expect(await rowOf(world)).toMatchObject({ replayId: '8', wanted: 0, lastGapAt: null });
    expect(await world.store.inbox.pending(await scopeOf(world), 10)).toHaveLength(2);
    await hear(event(5));
    expect(await rowOf(world)).toMatchObject({ replayId: '5', wanted: 1 });
  });

  it('does not read what we wrote ourselves', async () => {
    await using world = await createHeard(openFresh);
    await people(world, 1);
    const ears = listener(world);
    await until(() => isLive(world));
    await world.put('p0', { phone: '+1 555 0100' });
    await world.sync.runner.runAllDue('demo', await world.org());
    await heardAll(world);
    expect(await world.store.inbox.pending(await scopeOf(world), 10)).toEqual([]);
    expect(await world.calls(() => work(world))).toBe(0);
    await ears.stop();
  });
});

/** A process that is gone at this step: it stores nothing after it, and frees nothing. */
function dyingAt(world: SyncWorld, step: string): Partial<StreamDeps> {
  let isDead = false;
  const die = () => {
    isDead = true;
    throw new Crash(step);
  };
  const { store } = world;
  const mortal = (of: SyncStore, isInside: boolean): SyncStore => ({
    ...of,
    streams: {
      ...of.streams,
      async put(list) {
        await of.streams.put(list);
        if (isInside && step === 'inside of it' && list.some(({ lastEventAt }) => lastEventAt === world.clock.now))
          die();
      },
      async free(...given) {
        if (!isDead) await of.streams.free(...given);
      },
    },
    async atomically(run) {
      if (isDead) throw new Crash('a dead process reached for the store');
      return of.atomically((inside) => run(mortal(inside, true)));
    },
  });
  return {
    store: mortal(store, false),
    watch: { hasStood: () => true },
    ...(step === 'after it' ? { crash: (point) => (point === 'events-stored' ? die() : undefined) } : {}),
    events: async (bot) => {
      const source = await world.connections.events(bot);
      return {
        run: (channels, sink, signal) =>
          source.run(
            channels,
            {
              ...sink,
              async take(events: readonly RawEvent[]) {
                if (step === 'before the transaction') die();
                await sink.take(events);
              },
            },
            signal,
          ),
      };
    },
  };
}
