import { expect, it } from 'vitest';
import { defaultMapping } from '../../src/mapping/defaults.ts';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld } from './world.ts';

describeStores((_name, openFresh) => {
  it('takes two words about one record in one list as one change, the later word first [S3]', async () => {
    await using world = await createSyncWorld(openFresh);
    const records = await world.sync.hosts.put('demo', 'party', [
      { id: 'p1', fields: { phone: '1', jobTitle: 'A' } },
      { id: 'p2', fields: { name: 'Bob' } },
      { id: 'p1', fields: { name: 'Ada Lovelace', jobTitle: 'B' } },
    ]);
    expect(records.map((record) => record.id)).toEqual(['p1', 'p2']);
    expect((await world.host('p1')).fields).toEqual({ phone: '1', jobTitle: 'B', name: 'Ada Lovelace' });
    expect((await world.host('p1')).version).toBe(1);
  });

  it('syncs a record that was deleted and is put again, with the contact it had [S1] [S3]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '1' });
    await world.settle();
    const before = await world.link('p1');
    await world.sync.hosts.remove('demo', 'party', 'p1');
    await world.settle();
    expect(await world.link('p1')).toMatchObject({ state: 'unlinked', sfId: null });
    world.clock.advance(60_000);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '2' });
    await world.settle();
    expect(await world.link('p1')).toMatchObject({ state: 'active', sfId: before.sfId, error: null });
    expect((await world.records()).map((record) => record.Phone)).toEqual(['2']);
  });

  it('makes a new contact for a record that went with its contact and is put again [sync-P15]', async () => {
    await using world = await createSyncWorld(openFresh);
    const mapping = { ...defaultMapping('party'), onRemoteDelete: 'delete' as const };
    await world.store.mappings.add({ bot: 'demo', kind: 'party', version: 1, mapping, by: 'ada', at: 1 });
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    await world.settle();
    await world.control('POST', 'records/Contact', { Id: (await world.link('p1')).sfId, IsDeleted: true });
    world.clock.advance(60_000);
    await world.settle();
    expect((await world.host('p1')).deletedAt).not.toBeNull();
    expect(await world.records()).toEqual([]);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    await world.settle();
    expect(await world.link('p1')).toMatchObject({ state: 'active', error: null });
    expect(await world.records()).toHaveLength(1);
  });

  it('keeps a record unlinked that an operator unlinked, whatever the host changes [S1]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    await world.settle();
    await world.sync.desk.unlink('demo', (await world.org()).orgId, 'party', 'p1');
    await world.put('p1', { phone: '2' });
    await world.settle();
    expect(await world.link('p1')).toMatchObject({ state: 'unlinked' });
    expect((await world.records())[0]).not.toHaveProperty('Phone');
  });
});
