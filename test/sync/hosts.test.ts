import { expect, it } from 'vitest';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld, type Process } from './world.ts';

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

  it('keeps every field when many words about one new record come at once [S3] [X3]', async () => {
    await using world = await createSyncWorld(openFresh);
    const names = Array.from({ length: 12 }, (_, n) => `field${n}`);
    await Promise.all(
      names.map((name) => world.process().sync.hosts.put('demo', 'party', [{ id: 'p1', fields: { [name]: 1 } }])),
    );
    expect(Object.keys((await world.host('p1')).fields).sort()).toEqual([...names].sort());
    expect((await world.host('p1')).version).toBe(names.length);
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
    await world.sync.manualLinks.unlink('demo', (await world.org()).orgId, 'party', 'p1');
    await world.put('p1', { phone: '2' });
    await world.settle();
    expect(await world.link('p1')).toMatchObject({ state: 'unlinked' });
    expect((await world.records())[0]).not.toHaveProperty('Phone');
  });

  it('lets lists in any order, workers and hints meet on the same records, and none of them dies of another [X3] [S8]', async () => {
    await using world = await createSyncWorld(openFresh, { settings: { freshMs: 3_600_000 } });
    const ids = Array.from({ length: 200 }, (_, n) => `p${n}`);
    const put = (fields: Record<string, string>, order = ids) =>
      world.sync.hosts.put(
        'demo',
        'party',
        order.map((id) => ({ id, fields })),
      );
    await put({ name: 'Somebody' });
    await world.settle();
    const { orgId } = await world.org();
    const links = (await world.store.links.list({ bot: 'demo', orgId }, { limit: 1_000 })).map((link) => link.id);
    const troubles: string[] = [];
    let isGoing = true;
    const loop = async (work: (n: number) => Promise<unknown>) => {
      for (let n = 0; isGoing; n++) await work(n).catch((error) => troubles.push(String(error?.cause ?? error)));
    };
    const drain = async (process: Process) => process.sync.runner.runAllDue('demo', await process.org());
    const loops = [
      loop(() => drain(world)),
      loop(() => drain(world.process())),
      loop((n) => put({ phone: `${n}` }, ids.toReversed())),
      loop((n) => put({ notes: `${n}` }, [...ids.slice(100), ...ids.slice(0, 100)])),
      loop(() => world.store.links.touch(links.toReversed(), 'hint', false, world.clock.now)),
    ];
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    isGoing = false;
    await Promise.all(loops);
    expect(troubles).toEqual([]);
    world.clock.advance(200_000);
    await world.settle();
    for (const { Phone, Description } of await world.records()) expect([Phone, Description]).not.toContain(undefined);
  });
});
