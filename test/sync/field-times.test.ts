import { expect, it } from 'vitest';
import { createStreams } from '../../src/sync/inbound/streams.ts';
import { describeStores } from '../support/databases.ts';
import { until } from '../support/servers.ts';
import { createSyncWorld, pair, type SyncWorld } from './world.ts';

type OpenFresh = Parameters<typeof createSyncWorld>[0];

/** One person in step on both sides, and an ear on the stream. */
async function createHeard(openFresh: OpenFresh) {
  const world = await createSyncWorld(openFresh);
  await world.control('POST', 'settings', { changeDataCapture: ['Contact'], cometdHoldMs: 5_000 });
  await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '1', jobTitle: 'A' });
  await world.settle();
  const id = String((await world.link('p1')).sfId);
  const stop = new AbortController();
  const events = (bot: string) => world.connections.events(bot);
  const deps = { ...world.delivery, owner: 'p1', events, onChange: () => {}, log: { warn: () => {} } };
  const ended = createStreams(deps).listen('demo', stop.signal);
  const { orgId } = await world.org();
  const heardTo = async () =>
    (await world.store.streams.list({ bot: 'demo', orgId })).find(({ objects }) => objects.includes('Contact'));
  await until(async () => (await heardTo())?.state === 'live');
  return {
    ...{ world, id },
    scope: { bot: 'demo', orgId },
    heard: () =>
      until(async () => (await heardTo())?.replayId === String((await world.control('GET', 'events')).lastReplayId)),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
      await world[Symbol.asyncDispose]();
    },
  };
}

/** Title in Salesforce, title at the host, then the phone in Salesforce, three seconds between them. */
async function threeEdits(world: SyncWorld, id: string, title = 'salesforce first', phone = '2'): Promise<void> {
  world.clock.advance(60_000);
  await world.edit(id, { Title: title });
  world.clock.advance(3_000);
  await world.put('p1', { jobTitle: 'host later' });
  world.clock.advance(3_000);
  await world.edit(id, { Phone: phone });
}

/** What both sides hold in the end. */
async function outcome(world: SyncWorld) {
  world.clock.advance(10_000);
  await world.inbox();
  await world.sync.runner.runAllDue('demo', await world.org());
  const { host, salesforce } = pair(await world.host('p1'), (await world.records())[0]);
  expect(host).toEqual(salesforce);
  return host;
}

describeStores((_name, openFresh) => {
  it('takes the time of each field from the events: a later edit of another field flips no winner [sync-P4] [sync-P5] [S2]', async () => {
    await using heard = await createHeard(openFresh);
    const { world, id } = heard;
    await threeEdits(world, id);
    await heard.heard();
    expect(await outcome(world)).toMatchObject({ jobTitle: 'host later', phone: '2' });
    // And the other way round: the host was first.
    world.clock.advance(60_000);
    await world.put('p1', { jobTitle: 'host first' });
    world.clock.advance(3_000);
    await world.edit(id, { Title: 'salesforce later' });
    world.clock.advance(3_000);
    await world.put('p1', { phone: '3' });
    await heard.heard();
    expect(await outcome(world)).toMatchObject({ jobTitle: 'salesforce later', phone: '3' });
  });

  it('believes no time where the stream is not certain: after a gap, and where the record changed unheard [sync-P4]', async () => {
    await using heard = await createHeard(openFresh);
    const { world, id, scope } = heard;
    await threeEdits(world, id);
    await world.control('POST', 'events', { do: 'gap', object: 'Contact', recordIds: [id] });
    await heard.heard();
    expect(await world.store.fieldTimes.get(scope, [id])).toEqual([]);
    // The record's own time counts, as without a stream.
    expect(await outcome(world)).toMatchObject({ jobTitle: 'salesforce first' });
    await threeEdits(world, id, 'salesforce again', '3');
    await heard.heard();
    await world.control('POST', 'settings', { changeDataCapture: [] });
    world.clock.advance(3_000);
    await world.edit(id, { Fax: 'unheard' });
    expect(await outcome(world)).toMatchObject({ jobTitle: 'salesforce again' });
  });

  it('keeps nothing of records that are not linked, of fields that are not mapped, and of a stream that begins anew', async () => {
    await using heard = await createHeard(openFresh);
    const { world, id, scope } = heard;
    const stranger = await world.add({ LastName: 'Stranger' });
    world.clock.advance(2_000);
    await world.edit(stranger, { Title: 'X' });
    await world.edit(id, { Title: 'told', Fax: '9' });
    await heard.heard();
    const [row, ...more] = await world.store.fieldTimes.get(scope, [id, stranger]);
    expect(more).toEqual([]);
    expect(Object.keys(row?.fields ?? {})).toEqual(['Title']);
    expect(row?.fields.Title).toEqual({ value: 'told', at: Math.floor(world.clock.now / 1000) * 1000 });
    await world.control('POST', 'events', { do: 'overflow', object: 'Contact' });
    await heard.heard();
    expect(await world.store.fieldTimes.get(scope, [id])).toEqual([]);
  });
});
