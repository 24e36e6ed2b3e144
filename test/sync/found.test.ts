import { expect, it } from 'vitest';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { describeStores, type OpenFresh } from '../support/databases.ts';
import { bodyOf, deedsOf, door } from './door.ts';
import { Crash, crashAt, createSyncWorld, type SyncWorld } from './world.ts';

const PATH = '/api/bots/demo/mappings/party';

/** A world whose host app wants to hear of people that colleagues make. */
async function createTelling(openFresh: OpenFresh, more: object = {}) {
  const world = await createSyncWorld(openFresh);
  const old = await world.add({ LastName: 'Before', Email: 'before@example.com' });
  world.clock.advance(3_600_000);
  await world.poll();
  await save(world, { onRemoteCreate: 'tell', ...more });
  world.clock.advance(60_000);
  return { world, old, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

async function save(world: SyncWorld, more: object, version = 0) {
  const mapping = { ...defaultMapping('party'), ...more };
  return door(world)('PUT', PATH, { mapping, version });
}

const ada = { FirstName: 'Ada', LastName: 'Moyo', Email: 'ada@example.com', Title: 'Dr', MailingCity: 'Harare' };

async function told(world: SyncWorld) {
  const rows = await world.store.feed.after('demo', 0, 1_000);
  return rows.filter(({ type }) => type === 'found').map(({ sfId }) => sfId);
}

async function look(world: SyncWorld): Promise<void> {
  await world.poll();
  await world.inbox();
  world.clock.advance(60_000);
}

const answer = (world: SyncWorld, id: string, recordId: string) =>
  door(world)('PUT', `/api/parties/${id}/salesforce`, { recordId, user: 'jo' });

describeStores((_name, openFresh) => {
  it('tells a person that a colleague made once, with its mapped values; the answer links it, and makes no second one [I2] [S7]', async () => {
    await using telling = await createTelling(openFresh);
    const { world, old } = telling;
    await world.edit(old, { Title: 'edited, and older than the setting' });
    const made = await world.add(ada);
    await look(world);
    await world.edit(made, { Title: 'Prof' });
    await look(world);
    const { changes } = await bodyOf(door(world)('GET', '/api/changes'));
    expect(changes).toEqual([
      {
        type: 'party.found',
        timestamp: expect.any(String),
        data: {
          ...{ seq: 1, kind: 'party', object: 'Contact', recordId: made },
          changes: {
            email: { before: null, after: 'ada@example.com' },
            name: { before: null, after: 'Ada Moyo' },
            jobTitle: { before: null, after: 'Dr' },
          },
        },
      },
    ]);
    expect((await answer(world, 'p9', made)).body).toMatchObject({ recordId: made, state: 'active' });
    await world.settle();
    expect((await world.host('p9')).fields).toMatchObject({ name: 'Ada Moyo', jobTitle: 'Prof' });
    expect(await world.records()).toHaveLength(2);
    expect((await world.records()).find(({ Id }) => Id === made)).toMatchObject({ Title: 'Prof' });
    expect(await deedsOf(world)).toMatchObject([{ event: 'linked', recordId: made, detail: { id: 'p9', user: 'jo' } }]);
    // The same answer again, and what the host knows better from now on.
    expect((await answer(world, 'p9', made)).body).toMatchObject({ recordId: made });
    await world.put('p9', { jobTitle: 'Dean' });
    await world.settle();
    expect((await world.records()).find(({ Id }) => Id === made)).toMatchObject({ Title: 'Dean' });
  });

  it('tells nothing of records that we make ourselves, that belong to somebody already, or where nobody asked [S7]', async () => {
    await using telling = await createTelling(openFresh);
    const { world } = telling;
    await world.put('p1', { email: 'p1@example.com', name: 'Pat One' });
    // Made, and the answer lost: the event comes before anybody knows the Id.
    const dying = world.process({ crash: crashAt('created-sent') });
    await expect(dying.party('p1')).rejects.toThrow(Crash);
    await look(world);
    // Known by its email, and not linked yet.
    await world.put('p2', { email: 'p2@example.com', name: 'Pat Two' });
    await world.add({ LastName: 'Two', Email: 'P2@example.com' });
    await look(world);
    await world.settle();
    expect(await told(world)).toEqual([]);
    await save(world, { onRemoteCreate: 'ignore' }, 1);
    await world.add({ LastName: 'Unasked' });
    await look(world);
    await save(world, { onRemoteCreate: 'tell' }, 2);
    world.clock.advance(60_000);
    await look(world);
    expect(await told(world)).toEqual([]);
  });

  it('lets one of two answers link, whoever comes first, and tells the other who has it [S4]', async () => {
    await using telling = await createTelling(openFresh);
    const { world } = telling;
    const made = await world.add(ada);
    await look(world);
    const answers = await Promise.allSettled([answer(world, 'p8', made), answer(world, 'p9', made)]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const [winner] = answers.flatMap(({ status }, at) => (status === 'fulfilled' ? [`p${8 + at}`] : []));
    const refused = answers.find((one) => one.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'conflict', message: expect.stringContaining(winner ?? '') });
    await world.settle();
    expect(await world.records()).toHaveLength(2);
    expect((await world.store.hosts.page('demo', 'party', '', 10)).map(({ id }) => id)).toEqual([winner]);
  });

  it('links nothing that was deleted or merged since, nor what was never told', async () => {
    await using telling = await createTelling(openFresh);
    const { world, old } = telling;
    const gone = await world.add(ada);
    const merged = await world.add({ LastName: 'Merged' });
    await look(world);
    await (await world.org()).remove('Contact', gone);
    await world.control('POST', 'merge', { object: 'Contact', master: old, duplicate: merged });
    await expect(answer(world, 'p1', gone)).rejects.toMatchObject({ code: 'not_found' });
    await expect(answer(world, 'p2', merged)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(old),
    });
    await expect(answer(world, 'p3', old)).rejects.toMatchObject({ code: 'not_found' });
    expect(await world.store.hosts.page('demo', 'party', '', 10)).toEqual([]);
    expect(await world.store.links.list({ bot: 'demo', orgId: (await world.org()).orgId }, { limit: 9 })).toEqual([]);
  });

  it('killed after the commit, tells it once [sync-P8]', async () => {
    await using telling = await createTelling(openFresh);
    const { world } = telling;
    const made = await world.add(ada);
    await world.poll();
    await expect(world.process({ crash: crashAt('inbox-finished') }).inbox()).rejects.toThrow(Crash);
    await Promise.all([look(world), world.process().inbox()]);
    await world.edit(made, { Title: 'again' });
    await look(world);
    expect(await told(world)).toEqual([made]);
  });

  it('tells only what the filter lets through, and nothing by a field that policy closes [P5]', async () => {
    const mine = '0055i000000AAAAAA2';
    await using telling = await createTelling(openFresh, { foundIf: { ownerIds: [mine] } });
    const { world } = telling;
    const other = await world.add({ LastName: 'Other' });
    const owner = String((await world.records()).find(({ Id }) => Id === other)?.OwnerId);
    await look(world);
    expect(await told(world)).toEqual([]);
    await save(world, { onRemoteCreate: 'tell', foundIf: { ownerIds: [owner.slice(0, 15)] } }, 1);
    const made = await world.add({ ...ada, Phone: '+1 555' });
    await world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Contact: { ...policy.objects.Contact!, denyFields: ['Title', 'Phone'] } },
    }));
    await look(world);
    // Both were made since it was set.
    expect(await told(world)).toEqual([other, made]);
    const row = (await world.store.feed.after('demo', 0, 9)).find(({ sfId }) => sfId === made);
    expect(Object.keys(row?.changes ?? {}).sort()).toEqual(['email', 'name']);
    await world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Contact: { ...policy.objects.Contact!, denyFields: ['OwnerId'] } },
    }));
    await world.add({ LastName: 'Hidden' });
    await look(world);
    expect(await told(world)).toEqual([other, made]);
  });

  it.each([
    [{ onRemoteCreate: 'create' }, /^mapping\.onRemoteCreate|onRemoteCreate/],
    [{ onRemoteCreate: 'tell', foundIf: { ownerIds: ['005'] } }, /foundIf/],
    [{ onRemoteCreate: 'tell', foundIf: { ownerIds: [] } }, /foundIf/],
    [{ onRemoteCreate: 'tell', foundIf: { recordTypeIds: ["012000000000000' OR Id != '"] } }, /foundIf/],
    [{ onRemoteCreate: 'tell', foundIf: { owner: ['005'] } }, /foundIf/],
  ])('refuses the setting %j and says which part', async (more, name) => {
    await using world = await createSyncWorld(openFresh);
    await expect(save(world, more)).rejects.toMatchObject({
      code: 'invalid_input',
      fields: [expect.objectContaining({ name: expect.stringMatching(name) })],
    });
  });

  it('refuses to tell where our mark is missing: what we make could not be told from what others make', async () => {
    await using world = await createSyncWorld(openFresh, { withoutExternalId: true });
    await expect(save(world, { onRemoteCreate: 'tell' })).rejects.toMatchObject({
      fields: [{ name: expect.stringContaining('onRemoteCreate') }],
    });
  });
});
