import { expect, it } from 'vitest';
import type { Mapping } from '../../src/domain/mapping.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { saveMapping } from '../../src/sync/mapping/save-mapping.ts';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

const PEOPLE_AS_LEADS: Mapping = {
  ...defaultMapping('party'),
  object: 'Lead',
  onRemoteDelete: 'delete',
  rules: [
    ...defaultMapping('party').rules.slice(0, 3),
    {
      local: ['company'],
      remote: ['Company'],
      direction: 'both',
      transforms: [{ use: 'default', value: '[not provided]' }],
    },
  ],
};

async function save(world: SyncWorld, mapping: Mapping, version: number) {
  const deps = { store: world.store, now: () => world.clock.now };
  await saveMapping(deps, {
    bot: 'demo',
    org: await world.org(),
    kind: mapping.kind,
    mapping,
    version,
    by: 'operator:ada',
  });
}

async function runBatch(world: SyncWorld) {
  const { id } = await world.sync.batches.start('demo', (await world.org()).orgId, 'party');
  await world.sync.batches.work('demo', await world.org());
  return world.sync.batches.status('demo', id);
}

describeStores((_name, openFresh) => {
  it('writes nothing in the modes off and read-only, whoever asks for it, and loses nothing [P5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const { orgId } = await world.org();
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    for (const mode of ['off', 'read-only'] as const) {
      await world.setMode(mode);
      const refused = { code: 'off', status: 403, next: expect.stringContaining('gatehouse policy mode demo') };
      await expect(world.party('p1')).rejects.toMatchObject(refused);
      await expect(world.sync.runner.runAllDue('demo', await world.org())).rejects.toMatchObject(refused);
      await expect(world.sync.batches.start('demo', orgId, 'party')).rejects.toMatchObject(refused);
      expect(await world.records()).toEqual([]);
    }
    await world.setMode('automatic');
    await world.settle();
    expect(await world.records()).toMatchObject([{ Email: 'ada@example.com' }]);
  });

  it('stops a batch that is under way when the bot is switched off [P5]', async () => {
    await using world = await createSyncWorld(openFresh);
    for (let n = 0; n < 450; n++) await world.put(`p${n}`, { email: `p${n}@example.com`, name: `P ${n}` });
    const { id } = await world.sync.batches.start('demo', (await world.org()).orgId, 'party');
    const switched = world.process({ crash: (point) => (point === 'merged' ? world.setMode('off') : undefined) });
    await expect(switched.sync.batches.work('demo', await switched.org())).rejects.toMatchObject({ code: 'off' });
    expect(await world.records()).toEqual([]);
    const status = () => world.sync.batches.status('demo', id);
    expect(await status()).toMatchObject({ state: 'running', done: 0, note: expect.stringContaining('mode off') });
    await world.setMode('automatic');
    await world.sync.batches.work('demo', await world.org());
    expect(await status()).toMatchObject({ state: 'done', done: 450, failed: 0 });
    expect(await world.records()).toHaveLength(450);
  });

  it('takes people as people and cases as cases, whatever else waits [S1] [S3]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('x1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    await world.put('x1', { title: 'A case of the same id' }, { kind: 'case' });
    const org = await world.org();
    expect(await world.sync.runner.runClaims('demo', org, 'party', { due: 'dirty' })).toMatchObject({ claimed: 1 });
    expect(await world.link('x1', 'case')).toMatchObject({ state: 'new', leaseUntil: 0 });
    expect(await world.sync.runner.runClaims('demo', org, 'case', { due: 'dirty' })).toMatchObject({ claimed: 1 });
    expect(await world.link('x1', 'case')).toMatchObject({ state: 'active', error: null });
    expect(await world.records('Opportunity')).toHaveLength(1);
  });

  it('leaves the links to the object of an earlier mapping alone, and goes on with them when it is back [S1] [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    await world.settle();
    const org = await world.org();
    const among = { bot: 'demo', orgId: org.orgId };
    const [contact] = await world.store.links.list({ ...among, object: 'Contact' }, { limit: 10 });

    await save(world, PEOPLE_AS_LEADS, 0);
    expect(await runBatch(world)).toMatchObject({ state: 'done', total: 1, failed: 0 });
    expect(await world.records('Lead')).toHaveLength(1);
    await world.put('p1', { phone: '1' });
    await world.edit(contact?.sfId ?? '', { Phone: 'seen later' });
    world.clock.advance(60_000);
    await world.settle();
    const links = await world.store.links.list(among, { limit: 10 });
    expect(links.map((link) => [link.object, link.state, link.error])).toEqual(
      expect.arrayContaining([
        ['Contact', 'active', null],
        ['Lead', 'active', null],
      ]),
    );
    expect(await world.host('p1')).toMatchObject({ deletedAt: null, fields: { phone: '1' } });

    await save(world, defaultMapping('party'), 1);
    world.clock.advance(60_000);
    await world.put('p1', { phone: '2' });
    await world.settle();
    expect(await world.link('p1')).toBeDefined();
    expect((await world.records())[0]).toMatchObject({ Id: contact?.sfId, Phone: '2' });
    expect(await world.records()).toHaveLength(1);
  });

  it('lets an object that the org lacks close its own kind alone, and a subscription to one nothing at all [sync-P29] [I4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const mapping = { ...defaultMapping('party'), object: 'Gone__c' };
    await world.store.mappings.add({ bot: 'demo', kind: 'party', version: 1, mapping, by: 'ada', at: 1 });
    await world.store.subscriptions.put({ bot: 'demo', object: 'Never__c', fields: ['Name'] });
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    await world.put('c1', { title: 'A case' }, { kind: 'case' });
    await world.worker.turn('demo');
    expect(await world.records('Opportunity')).toHaveLength(1);
    await expect(world.party('p1')).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('Gone__c'),
    });
    await save(world, defaultMapping('party'), 1);
    await world.put('p1', { phone: '1' });
    await world.worker.turn('demo');
    expect(await world.records()).toHaveLength(1);
  });

  it('goes on without a field that the org lost, and keeps the other kind going meanwhile [S4] [R4]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', timezone: 'Europe/Lisbon' });
    await world.put('c1', { title: 'A case' }, { kind: 'case' });
    await world.settle();
    await world.control('POST', 'settings', { withoutFields: ['Contact.TimeZone__c'] });
    world.clock.advance(600_000);
    await world.put('p1', { phone: '1', timezone: 'Europe/Paris' });
    await world.put('c1', { summary: 'Goes on' }, { kind: 'case' });
    await world.worker.turn('demo');
    expect((await world.records('Opportunity'))[0]).toMatchObject({ Description: 'Goes on' });
    expect((await world.link('p1')).error).toMatchObject({
      code: 'salesforce_error',
      salesforce: { code: 'INVALID_FIELD' },
    });
    // The refusal made us forget what we remembered of the org's fields.
    world.clock.advance(10_000);
    await world.worker.turn('demo');
    expect((await world.records())[0]).toMatchObject({ Phone: '1' });
  });

  it('lists links page by page, also where several have one local id [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    for (const id of ['a', 'b', 'c'])
      for (const kind of ['party', 'case'] as const)
        await world.put(id, kind === 'party' ? { name: id } : { title: id }, { kind });
    const among = { bot: 'demo', orgId: (await world.org()).orgId };
    const seen: string[] = [];
    for (let page = await world.store.links.list(among, { limit: 1 }); page[0]; ) {
      seen.push(`${page[0].localId} ${page[0].kind}`);
      page = await world.store.links.list(among, { limit: 1, after: page[0] });
    }
    expect(seen).toHaveLength(6);
    expect(new Set(seen).size).toBe(6);
  });
});
