import { expect, it } from 'vitest';
import type { RawEvent } from '../../src/ports/events.ts';
import type { StreamDeps } from '../../src/sync/inbound/streams.ts';
import { describeStores, type OpenFresh } from '../support/databases.ts';
import { until } from '../support/servers.ts';
import { bodyOf, door } from './door.ts';
import { listener as alone } from './listener.ts';
import { Crash, createSyncWorld, type SyncWorld } from './world.ts';

const EVENT = 'Order_Event__e';
const CHANNEL = `/event/${EVENT}`;
const PATH = `/api/bots/demo/sync/subscriptions/${EVENT}`;

async function createHeard(openFresh: OpenFresh, more: object = {}) {
  const world = await createSyncWorld(openFresh);
  await world.control('POST', 'settings', { cometdHoldMs: 5_000 });
  await open(world);
  await door(world)('PUT', PATH, { fields: ['Order_Number__c', 'Status__c'], ...more });
  return world;
}

const open = (world: SyncWorld, rules: object = {}) =>
  world.setPolicy((policy) => ({
    ...policy,
    objects: { ...policy.objects, [EVENT]: { ...policy.objects.Contact!, read: true, write: false, ...rules } },
  }));

const listener = (world: SyncWorld, more: Partial<StreamDeps> = {}) =>
  alone(world, { watch: { hasStood: () => true }, ...more });

/** A stream that says these things, and then nothing. */
const saying = (...events: unknown[]): Partial<StreamDeps> => ({
  events: async () => ({
    async run(_channels, sink) {
      await sink.take(events as RawEvent[]);
      return { why: 'stopped', quote: '' };
    },
  }),
});

const publish = (world: SyncWorld, number: string, more: object = {}) =>
  world.control('POST', 'events', { do: 'publish', event: EVENT, fields: { Order_Number__c: number, ...more } });
const act = (world: SyncWorld, verb: string) => world.control('POST', 'events', { do: verb });
const rowOf = async (world: SyncWorld, channel = CHANNEL) =>
  (await world.store.streams.list({ bot: 'demo', orgId: (await world.org()).orgId })).find(
    (row) => row.channel === channel,
  );
const isLive = async (world: SyncWorld, channel = CHANNEL) => (await rowOf(world, channel))?.state === 'live';
const told = async (world: SyncWorld) =>
  (await world.store.feed.after('demo', 0, 100)).map(({ changes }) => changes.Order_Number__c?.after);

describeStores((_name, openFresh) => {
  it('tells the host app what was published, once for each event however often it comes, and nothing it did not ask for [I2] [S7]', async () => {
    await using world = await createHeard(openFresh);
    const ears = listener(world);
    await until(() => isLive(world));
    await publish(world, '1001', { Status__c: 'shipped', Message__c: 'not asked for' });
    await act(world, 'duplicate');
    await publish(world, '1002');
    await until(async () => (await told(world)).length === 2);
    await ears.stop();
    const { changes } = await bodyOf(door(world)('GET', '/api/changes'));
    expect(changes[0]).toEqual({
      type: 'event.received',
      timestamp: expect.any(String),
      data: {
        ...{ seq: 1, id: expect.stringMatching(/^[\w-]{36}$/), object: EVENT, recordId: null },
        changes: { Order_Number__c: { before: null, after: '1001' }, Status__c: { before: null, after: 'shipped' } },
      },
    });
    expect(await told(world)).toEqual(['1001', '1002']);
    expect(await rowOf(world)).toMatchObject({ delivered: 3, error: null });
    // It has no records: no poll asks for any.
    expect((await world.poll()).calls).toBe(1);
  });

  it('goes on after a stop with what was published meanwhile, and takes all that is kept where its place is too old [I2]', async () => {
    await using world = await createHeard(openFresh);
    const first = listener(world);
    await until(() => isLive(world));
    await publish(world, '1');
    await until(async () => (await told(world)).length === 1);
    await first.stop();
    await publish(world, '2');
    const second = listener(world);
    await until(async () => (await told(world)).length === 2);
    await second.stop();
    await act(world, 'resetStream');
    await publish(world, '3');
    const third = listener(world);
    await until(async () => (await told(world)).length === 3);
    await third.stop();
    expect(await told(world)).toEqual(['1', '2', '3']);
    expect((await rowOf(world))?.lastGapAt).not.toBeNull();
  });

  it('killed before or after what it heard is stored, tells each event exactly once [sync-P8]', async () => {
    await using world = await createHeard(openFresh);
    const first = listener(world);
    await until(() => isLive(world));
    await publish(world, '0');
    await until(async () => (await told(world)).length === 1);
    await first.stop();
    for (const point of ['before', 'after'] as const) {
      await publish(world, point);
      const { store } = world.delivery;
      const die = () => {
        throw new Crash(point);
      };
      const dying = listener(
        world,
        point === 'after'
          ? { crash: (at) => (at === 'events-stored' ? die() : undefined) }
          : {
              store: {
                ...store,
                atomically: (work) =>
                  store.atomically((inside) =>
                    work({
                      ...inside,
                      feed: {
                        ...inside.feed,
                        add: async (bot, rows) => (rows.length > 0 ? die() : inside.feed.add(bot, rows)),
                      },
                    }),
                  ),
              },
            },
      );
      await expect(dying.ended).rejects.toThrow(Crash);
      const next = listener(world);
      await until(async () => (await told(world)).at(-1) === point);
      await next.stop();
    }
    expect(await told(world)).toEqual(['0', 'before', 'after']);
  });

  it('looks at the record that an event names, once, and at none that it may not name [I2]', async () => {
    await using world = await createHeard(openFresh, { recordIdField: 'Record_Id__c' });
    await world.put('p1', { email: 'p1@example.com', name: 'Pat One', jobTitle: 'A' });
    await world.settle();
    const id = String((await world.link('p1')).sfId);
    const ears = listener(world);
    await until(() => isLive(world));
    await world.edit(id, { Title: 'told of by an event' });
    const { orgId } = await world.org();
    const pending = () => world.store.inbox.pending({ bot: 'demo', orgId }, 10);
    // Fifteen characters, as formulas give them; then what is no id, an id with a letter amiss, and one of an object that nobody looks at.
    await publish(world, '1', { Record_Id__c: id.slice(0, 15) });
    await act(world, 'duplicate');
    for (const wrong of ["' OR Id != '", `${id.slice(0, 17)}${id.endsWith('A') ? 'B' : 'A'}`, '00Q5i000001abcD'])
      await publish(world, '2', { Record_Id__c: wrong });
    await until(async () => (await told(world)).length === 4);
    await ears.stop();
    expect(await pending()).toMatchObject([{ object: 'Contact', sfId: id, kind: 'event' }]);
    await world.inbox();
    await world.sync.runner.runAllDue('demo', await world.org());
    expect((await world.host('p1')).fields.jobTitle).toBe('told of by an event');
    // A field that policy closes names nothing.
    await open(world, { denyFields: ['Record_Id__c'] });
    const event = { payload: { Record_Id__c: id }, event: { replayId: 9_999, EventUuid: 'u1', EventApiName: EVENT } };
    await listener(world, saying({ channel: CHANNEL, data: event })).ended;
    expect(await pending()).toEqual([]);
  });

  it('hears a custom channel, and tells of it the events that were asked for', async () => {
    const channel = '/event/Orders__chn';
    await using world = await createHeard(openFresh, { channel });
    const ears = listener(world);
    await until(() => isLive(world, channel));
    await publish(world, '1');
    await until(async () => (await told(world)).length === 1);
    await ears.stop();
    expect(await rowOf(world)).toBeUndefined();
  });

  it('leaves out what policy closes, when it comes and in rows that wait [P5]', async () => {
    await using world = await createHeard(openFresh);
    const event = (n: number) => ({
      channel: CHANNEL,
      data: { payload: { Order_Number__c: `n${n}`, Status__c: 'secret' }, event: { replayId: n, EventUuid: `u${n}` } },
    });
    await listener(world, saying(event(1))).ended;
    await open(world, { denyFields: ['Status__c'] });
    await listener(world, saying(event(2))).ended;
    expect((await world.store.feed.after('demo', 1, 9))[0]?.changes).not.toHaveProperty('Status__c');
    const { changes } = await bodyOf(door(world)('GET', '/api/changes'));
    expect(changes).toHaveLength(2);
    expect(JSON.stringify(changes)).not.toMatch(/secret|Status__c/);
    await open(world, { read: false });
    await expect(door(world)('PUT', PATH, { fields: ['Status__c'] })).rejects.toMatchObject({
      code: 'permission_denied',
    });
  });

  it('stands whatever an event holds: too large, too deep, of another form, of another channel; and its place moves on', async () => {
    await using world = await createHeard(openFresh);
    let deep: unknown = 'bottom';
    for (let at = 0; at < 5_000; at++) deep = [deep];
    let replayId = 0;
    const event = (payload: unknown, more: object = {}, channel = CHANNEL) => ({
      channel,
      data: { payload, event: { replayId: ++replayId, EventUuid: `u${replayId}`, EventApiName: EVENT, ...more } },
    });
    const odd = [
      event({ Order_Number__c: 'x'.repeat(1_000_000), Status__c: 'short' }),
      event({ Order_Number__c: deep, Status__c: { toString: 'no' } }),
      event({ Order_Number__c: 1e308, Status__c: true, __proto__: { Status__c: 'inherited' } }),
      event({ Order_Number__c: 'nul\u0000 lone \ud800', Status__c: null }),
      event(['a list']),
      event('a text'),
      event(null),
      event({ Order_Number__c: 'foreign' }, { EventApiName: 'Other__e' }),
      event({ Order_Number__c: 'foreign' }, {}, '/event/Other__e'),
      event({ Order_Number__c: 'odd id' }, { EventUuid: { a: 1 } }),
      event({ Order_Number__c: 'no place' }, { replayId: 'first' }),
      { channel: CHANNEL, data: null },
      { channel: CHANNEL, data: 7 },
      event({ Order_Number__c: 'last', CreatedDate: 'yesterday' }),
    ];
    await listener(world, saying(...odd)).ended;
    expect((await rowOf(world))?.replayId).toBe(String(replayId));
    const values = (await world.store.feed.after('demo', 0, 100)).map(({ changes }) =>
      Object.fromEntries(Object.entries(changes).map(([name, { after }]) => [name.slice(0, 5), after])),
    );
    expect(values).toEqual([
      { Statu: 'short' },
      {},
      { Order: 1e308, Statu: true },
      { Order: expect.stringContaining('nul'), Statu: null },
      { Order: 'odd id' },
      { Order: 'no place' },
      { Order: 'last' },
    ]);
    expect((await bodyOf(door(world)('GET', '/api/changes'))).changes).toHaveLength(7);
  });

  it('says which event is not there, and what to do about it', async () => {
    await using world = await createHeard(openFresh);
    await world.store.subscriptions.put({ bot: 'demo', object: 'Gone__e', fields: ['A__c'] });
    const ears = listener(world);
    await until(async () => (await rowOf(world, '/event/Gone__e'))?.state === 'refused');
    await until(() => isLive(world));
    await ears.stop();
    const { problems = [] } = (await (await world.app.sync()).status('demo')) ?? {};
    expect(problems).toContainEqual(
      expect.objectContaining({
        message: expect.stringContaining('Gone__e'),
        next: expect.stringContaining('Platform Events'),
      }),
    );
  });

  it.each([
    { fields: ['Nothing__c'] },
    { fields: ['Status__c'], when: { field: 'Status__c', becomes: ['x'] } },
    { fields: ['Status__c'], channel: '/data/Orders__chn' },
    { fields: ['Status__c'], channel: '/event/Orders__chn/../x' },
    { fields: ['Status__c'], channel: '/event/Other__e' },
    { fields: ['Status__c'], recordIdField: 'Nothing__c' },
  ])('refuses the subscription %j', async (wish) => {
    await using world = await createSyncWorld(openFresh);
    await open(world);
    await expect(door(world)('PUT', PATH, wish)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await world.store.subscriptions.list('demo')).toEqual([]);
  });
});
