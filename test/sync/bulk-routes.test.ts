import { expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';
import { bodyOf, door } from './door.ts';
import { createSyncWorld } from './world.ts';

const BATCHES = '/api/bots/demo/sync/batches';

describeStores((_name, openFresh) => {
  it('tells before a load what it would do, does that, and tells afterwards what it did [B4] [S1]', async () => {
    await using world = await createSyncWorld(openFresh, { settings: { bulkFrom: 3 } });
    await world.control('POST', 'settings', { bulkQueueMs: 0, bulkRowsPerSecond: 1e9 });
    for (let n = 0; n < 5; n++) await world.put(`p${n}`, { email: `p${n}@example.com`, name: `Person ${n}` });
    await world.put('twin', { email: 'P1@example.com', name: 'Twin' });
    await world.put('=cmd', { email: 'formula@example.com', name: 'Formula' });
    await world.put('gone', { email: 'gone@example.com', name: 'Gone' });
    await world.add({ LastName: 'There', Email: 'p2@example.com' });
    for (const LastName of ['One', 'Two']) await world.add({ LastName, Email: 'formula@example.com' });
    await world.sync.hosts.remove('demo', 'party', 'gone');
    const ask = door(world);

    const preview = await bodyOf(ask('POST', `${BATCHES}/preview`, { kind: 'party' }));
    expect(preview).toMatchObject({ way: 'bulk', create: 4, link: 1, ask: 2, update: 0, skip: 1, deliveries: 0 });
    expect(await world.records()).toHaveLength(3);
    expect((await world.log()).length).toBe(0);

    const { id } = await bodyOf(ask('POST', BATCHES, { kind: 'party' }));
    await world.sync.batches.work('demo', await world.org());
    const report = await bodyOf(ask('GET', `${BATCHES}/${id}/report`));
    expect(report).toMatchObject({ state: 'done', created: 4, asked: 2, failed: 2 });
    expect(await world.records()).toHaveLength(3 + 4);
    expect(Math.abs(report.calls - preview.calls)).toBeLessThan(6);

    const created: string[] = (await bodyOf(ask('GET', `${BATCHES}/${id}/report?list=created`))).trim().split('\r\n');
    expect(created[0]).toBe('hostId,object,recordId,at');
    const ids = created.slice(1).map((line) => line.split(',')[2]);
    const theirs = new Set((await world.records()).map((record) => record.Id));
    expect(ids).toHaveLength(4);
    expect(ids.every((one) => theirs.has(one ?? ''))).toBe(true);
    const failures: string = await bodyOf(ask('GET', `${BATCHES}/${id}/report?list=failures`));
    expect(failures.split('\r\n').filter(Boolean)).toHaveLength(1 + 2);
    // A spreadsheet does not run it.
    expect(failures).toContain("'=cmd,Contact,,ambiguous,ambiguous,");
    expect(failures).not.toContain('\n=cmd');
  });

  it('leaves out of the failures what was cured since, and values where a viewer asks [B4]', async () => {
    await using world = await createSyncWorld(openFresh, { settings: { bulkFrom: 3 } });
    await world.control('POST', 'settings', { bulkQueueMs: 0, bulkRowsPerSecond: 1e9 });
    for (let n = 0; n < 5; n++) await world.put(`p${n}`, { email: `p${n}@example.com`, name: `Person ${n}` });
    for (const LastName of ['One', 'Two']) await world.add({ LastName, Email: 'p2@example.com' });
    const { id } = await bodyOf(door(world)('POST', BATCHES, { kind: 'party' }));
    await world.sync.batches.work('demo', await world.org());
    const failures = () => bodyOf(door(world, 'viewer')('GET', `${BATCHES}/${id}/report?list=failures`));
    expect(await failures()).toContain('p2,Contact');
    await world.put('p2', { email: 'other@example.com' });
    await world.settle();
    expect(await failures()).not.toContain('p2');
  });
});
