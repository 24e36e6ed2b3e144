import { describe, expect, it } from 'vitest';
import type { RawEvent } from '../../src/ports/events.ts';
import { describeStores } from '../support/databases.ts';
import { until } from '../support/servers.ts';
import { listener } from './listener.ts';
import { openEars, saying, WORDS } from './words.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

async function linked(world: SyncWorld, id = 'p1') {
  await world.put(id, { email: `${id}@example.com`, name: 'Ada Lovelace', phone: '1', jobTitle: 'A' });
  const outcome = await world.party(id);
  world.clock.advance(60_000);
  return outcome.id;
}

const titleOf = async (world: SyncWorld, id = 'p1') => (await world.host(id)).fields.jobTitle;

describeStores((_name, openFresh) => {
  // By events nobody polls: what is true of one is true of the other.
  describe.each(WORDS)('by %s', (word) => {
    it('comes to rest: told again and again, nothing is written on either side [sync-P6] [S6]', async () => {
      await using world = await createSyncWorld(openFresh);
      const id = await linked(world);
      await using ears = await openEars(world, word);
      await world.edit(id, { Title: 'B' });
      await world.put('p1', { phone: '2' });
      await ears.rest();
      expect(await titleOf(world)).toBe('B');
      const { version } = await world.host('p1');
      const before = await world.records();
      expect(before).toMatchObject([{ Phone: '2' }]);
      for (let n = 0; n < 5; n++) {
        world.clock.advance(31_000);
        await ears.again();
        await world.sync.runner.runAllDue('demo', await world.org());
      }
      expect(await world.records()).toEqual(before);
      expect((await world.host('p1')).version).toBe(version);
    });

    it('has one effect however often it is told, also to two at once [sync-P9] [I1] [I2]', async () => {
      await using world = await createSyncWorld(openFresh);
      const id = await linked(world);
      await using ears = await openEars(world, word);
      await world.edit(id, { Title: 'B' });
      await ears.hear();
      await Promise.all([ears.again(), world.process().inbox(), world.process().poll()]);
      await ears.rest();
      await ears.again();
      await ears.rest();
      expect(await titleOf(world)).toBe('B');
      expect((await world.log('p1')).filter((row) => row.direction === 'from_crm')).toHaveLength(1);
      expect((await world.store.feed.after('demo', 0, 10)).filter((row) => row.type === 'updated')).toHaveLength(1);
    });

    it('picks up a record that becomes visible ten minutes late, once [sync-P13] [I4]', async () => {
      await using world = await createSyncWorld(openFresh);
      const id = await linked(world);
      await using ears = await openEars(world, word);
      await ears.rest();
      world.clock.advance(3_600_000);
      await ears.hear();
      await world.edit(id, { Title: 'late' }, 'Contact', world.clock.now - 595_000);
      expect(await ears.hear()).toBe(1);
      await world.sync.runner.runAllDue('demo', await world.org());
      expect(await titleOf(world)).toBe('late');
      expect(await ears.hear()).toBe(0);
    });

    it('sees an edit of the very second in which it read the record, and looks no third time [sync-P14] [S2]', async () => {
      await using world = await createSyncWorld(openFresh);
      const id = await linked(world);
      await using ears = await openEars(world, word);
      world.clock.advance(3_600_000);
      await world.edit(id, { Title: 'first' });
      expect(await ears.hear()).toBe(1);
      await world.sync.runner.runAllDue('demo', await world.org());
      await world.edit(id, { Title: 'second' });
      world.clock.advance(60_000);
      expect(await ears.hear()).toBe(1);
      await ears.rest();
      expect(await titleOf(world)).toBe('second');
      world.clock.advance(60_000);
      expect(await ears.hear()).toBe(0);
    });

    it('sees 2,500 records of one stamp although it dies after the first page [sync-P14] [I4]', async () => {
      const stamp = Date.parse('2026-05-04T10:05:00Z');
      await using world = await createSyncWorld(openFresh);
      await world.poll();
      const ids = Array.from({ length: 2_500 }, (_, n) => `p${n}`);
      await world.sync.hosts.put(
        'demo',
        'party',
        ids.map((id) => ({ id, fields: { email: `${id}@example.com`, name: `Person ${id}` } })),
      );
      await world.sync.runner.runAllDue('demo', await world.org());
      await using ears = await openEars(world, word);
      await ears.unheard(async () => {
        for (const record of await world.records())
          await world.edit(String(record.Id), { Title: 'tied' }, 'Contact', stamp);
        world.clock.now = stamp + 60_000;
      });
      await ears.dieHearing();
      await ears.rest();
      const hosts = await world.store.hosts.get('demo', 'party', ids);
      expect(hosts.filter((host) => host.fields.jobTitle === 'tied')).toHaveLength(2_500);
    }, 120_000);

    it('follows a delete without resurrection, and an undelete back [sync-P15]', async () => {
      await using world = await createSyncWorld(openFresh);
      const id = await linked(world);
      await using ears = await openEars(world, word);
      await world.control('POST', 'records/Contact', { Id: id, IsDeleted: true });
      await ears.rest();
      expect(await world.link('p1')).toMatchObject({
        state: 'remote_deleted',
        error: { code: 'not_found', next: expect.stringContaining('Undelete') },
      });
      await world.put('p1', { phone: 'while deleted' });
      await ears.rest();
      expect(await world.records()).toHaveLength(0);
      expect((await world.store.feed.after('demo', 0, 50)).map((row) => row.type)).toContain('deleted');
      world.clock.advance(30_000);
      await world.control('POST', 'undelete', { object: 'Contact', id });
      await ears.rest();
      expect(await world.link('p1')).toMatchObject({ state: 'active', error: null });
      expect((await world.records())[0]).toMatchObject({ Phone: 'while deleted' });
      expect((await world.log('p1')).filter((row) => row.operation === 'delete')).toHaveLength(1);
    });

    it('follows a merge to the record that lives on; two parties of one record are both flagged [sync-P16]', async () => {
      await using world = await createSyncWorld(openFresh);
      const first = await linked(world, 'p1');
      await using ears = await openEars(world, word);
      const person = { FirstName: 'Ada', LastName: 'Lovelace', Email: 'other@example.com', Title: 'from the other' };
      const other = await world.add(person);
      await world.control('POST', 'merge', { object: 'Contact', master: other, duplicate: first });
      await ears.rest();
      expect(await world.link('p1')).toMatchObject({ state: 'active', sfId: other });
      const second = await linked(world, 'p2');
      await world.control('POST', 'merge', { object: 'Contact', master: second, duplicate: other });
      await ears.rest();
      expect(await world.link('p1')).toMatchObject({ state: 'merged', error: { code: 'ambiguous' } });
      expect(await world.link('p2')).toMatchObject({ sfId: second });
      expect((await world.log('p2')).some((row) => row.status === 'ambiguous')).toBe(true);
      expect((await world.host('p1')).fields.name).toBe('Ada Lovelace');
    });
  });

  it('of changes that are told in any order, and some twice, only what the record holds takes effect [sync-P9] [sync-P11]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    await using ears = await openEars(world, 'events');
    const told: RawEvent[] = [];
    await ears.unheard(async () => {
      for (const Title of ['old', 'older than new', 'new']) {
        await world.edit(id, { Title });
        world.clock.advance(2_000);
      }
      const source = await world.connections.events('demo');
      const overhears = listener(world, {
        watch: { hasStood: () => true },
        events: async () => ({
          run: (channels, sink, signal) =>
            source.run(
              channels,
              {
                ...sink,
                async take(events) {
                  told.push(...events);
                  await sink.take(events);
                },
              },
              signal,
            ),
        }),
      });
      await until(() => told.length === 3);
      await overhears.stop();
    });
    await ears.rest();
    expect(await titleOf(world)).toBe('new');
    // The host is later than all of it, and stays so.
    await world.put('p1', { jobTitle: 'host is latest' });
    await ears.rest();
    const [one, two, three] = told as [RawEvent, RawEvent, RawEvent];
    for (const events of [[one], [three, one], [two, two, one], [one, three, two, one]]) {
      await ears.unheard(async () => {
        world.clock.advance(2_000);
        await listener(world, { watch: { hasStood: () => true }, ...saying(...events) }).ended;
      });
      await world.inbox();
      await world.sync.runner.runAllDue('demo', await world.org());
      expect(await titleOf(world)).toBe('host is latest');
      expect(await world.records()).toMatchObject([{ Title: 'host is latest' }]);
    }
    const pulled = (await world.log('p1')).filter((row) => row.direction === 'from_crm');
    expect(pulled.flatMap((row) => row.changes.map(({ after }) => after))).toEqual(['new']);
  });
});
