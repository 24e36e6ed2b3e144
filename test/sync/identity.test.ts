import { describe, expect, it } from 'vitest';
import { type GatehouseError, toErrorBody } from '../../src/domain/errors.ts';
import type { Mapping } from '../../src/domain/mapping.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { describeStores } from '../support/databases.ts';
import { isStock } from '../support/stock-org.ts';
import { createSyncWorld } from './world.ts';

const ada = { email: 'ada@example.com', name: 'Ada Lovelace' };

// Those about our mark have nothing to look at in an org that lacks the field: left out there.
describeStores((_name, openFresh) => {
  describe.each([{ withoutExternalId: false }, { withoutExternalId: true }])('who is who, %o', (options) => {
    it('makes one contact of twelve calls at once in three processes [sync-P1]', async () => {
      await using world = await createSyncWorld(openFresh, options);
      await world.put('p1', ada);
      const processes = [world, world.process(), world.process()];
      const outcomes = await Promise.all(Array.from({ length: 12 }, (_, n) => (processes[n % 3] ?? world).party('p1')));
      expect(await world.records()).toHaveLength(1);
      expect(new Set(outcomes.map((outcome) => outcome.id)).size).toBe(1);
      expect(outcomes.filter((outcome) => outcome.operation === 'create')).toHaveLength(1);
    });

    it('gives one person one contact: the second party with the email is flagged, in every order [sync-P2]', async () => {
      for (const order of [
        ['p1', 'p2'],
        ['p2', 'p1'],
      ]) {
        await using world = await createSyncWorld(openFresh, options);
        await world.put('p1', ada);
        await world.put('p2', { ...ada, email: 'ADA@example.com', phone: '2' });
        for (const id of order)
          await world.party(id).catch((error) => expect(error).toMatchObject({ code: 'ambiguous' }));
        expect(await world.records()).toHaveLength(1);
        // The first that the host told us about comes first, whoever is synced first.
        expect(await world.link('p1')).toMatchObject({ state: 'active' });
        expect(await world.link('p2')).toMatchObject({ state: 'ambiguous', sfId: null, error: { code: 'ambiguous' } });
      }
    });

    it('makes one contact of two parties with one email in one batch, and of two processes racing [sync-P2] [sync-P23]', async () => {
      await using world = await createSyncWorld(openFresh, options);
      for (const id of ['p1', 'p2', 'p3']) await world.put(id, { ...ada, name: `Ada ${id}` });
      await Promise.all([
        world.sync.runner.runAllDue('demo', await world.org()),
        world.process().sync.runner.runAllDue('demo', await world.org()),
      ]);
      expect(await world.records()).toHaveLength(1);
    });

    it('writes nothing when several contacts could be meant, and goes on once a human chose [S1]', async () => {
      await using world = await createSyncWorld(openFresh, options);
      const ids = [
        await world.add({ LastName: 'One', Email: ada.email }),
        await world.add({ LastName: 'Two', Email: ada.email }),
      ];
      await world.put('p1', { ...ada, phone: '7' });
      await expect(world.party('p1')).rejects.toMatchObject({
        code: 'ambiguous',
        candidates: expect.arrayContaining(ids.map((id) => expect.objectContaining({ id }))),
      });
      expect((await world.records()).every((record) => record.Phone === undefined)).toBe(true);
      await world.sync.manualLinks.link('demo', await world.org(), 'party', 'p1', ids[1] ?? '');
      await world.settle();
      expect((await world.records()).find((record) => record.Id === ids[1])).toMatchObject({ Phone: '7' });
      expect(await world.records()).toHaveLength(2);
    });
  });

  it.skipIf(isStock)(
    'asks whose a record is that bears our mark and another email, and writes nothing: a bot of the name was there before [S1]',
    async () => {
      await using world = await createSyncWorld(openFresh);
      const theirs = { LastName: 'Byron', Email: 'byron@example.com', Gatehouse_Id__c: 'demo:party:p1' };
      const id = await world.add(theirs);
      const { previewParty } = world.sync.forBot('demo', await world.org(), false);
      await world.put('p1', ada);
      await world.put('p2', { name: 'Mary', email: 'mary@example.com' });
      const asked = { code: 'ambiguous', candidates: [expect.objectContaining({ id })] };
      await expect(previewParty('p1')).rejects.toMatchObject(asked);
      await expect(world.party('p1')).rejects.toMatchObject(asked);
      await world.settle();
      expect(await world.link('p1')).toMatchObject({ state: 'ambiguous', sfId: null, error: asked });
      expect(await world.link('p2')).toMatchObject({ state: 'active' });
      expect((await world.records()).find(({ Id }) => Id === id)).toMatchObject(theirs);
      expect(await world.records()).toHaveLength(2);
      // The person who was asked says that it is somebody else's.
      await world.edit(id, { Gatehouse_Id__c: null });
      expect(await world.party('p1')).toMatchObject({ operation: 'create' });
      expect((await world.records()).find(({ Id }) => Id === id)).toMatchObject({ LastName: 'Byron' });
    },
  );

  it.skipIf(isStock)(
    'takes a record that bears our mark for ours where the email is the same, or only one side has one [S1]',
    async () => {
      await using world = await createSyncWorld(openFresh);
      const mark = (id: string) => ({ LastName: id, Gatehouse_Id__c: `demo:party:${id}` });
      const ids = [await world.add({ ...mark('p1'), Email: ada.email }), await world.add(mark('p2'))];
      await world.put('p1', ada);
      await world.put('p2', { name: 'Mary', email: 'mary@example.com' });
      await world.settle();
      expect([(await world.link('p1')).sfId, (await world.link('p2')).sfId]).toEqual(ids);
      expect(await world.records()).toHaveLength(2);
    },
  );

  it('frees an email that its first holder gave up [sync-P2] [S1]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    await world.settle();
    await world.put('p1', { email: 'ada@new.example' });
    await world.settle();
    await world.put('p2', { email: 'ada@example.com', name: 'Another Ada' });
    await world.settle();
    expect(await world.link('p2')).toMatchObject({ state: 'active', error: null });
    expect((await world.records()).map((record) => [record.FirstName, record.Email])).toEqual([
      ['Ada', 'ada@new.example'],
      ['Another', 'ada@example.com'],
    ]);
    // Whoever comes third with one of them waits, as ever.
    await world.put('p3', { email: 'ada@example.com', name: 'Third Ada' });
    await world.settle();
    expect(await world.link('p3')).toMatchObject({ state: 'ambiguous' });
  });

  it('meets DUPLICATE_VALUE when another made the record first, reads it and goes on [sync-P1]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { name: 'Nobody Known' });
    // Same mark, made behind our back between the look and the write.
    const racer = world.process({
      crash: async (point) => {
        if (point === 'merged') await world.add({ LastName: 'Known', Gatehouse_Id__c: 'demo:party:p1' });
      },
    });
    expect(await racer.party('p1')).toMatchObject({ operation: 'update' });
    expect(await world.records()).toHaveLength(1);
  });

  it('gives each party a contact of its own where an admin allows duplicates, alone and together [S1] [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const mapping = { ...defaultMapping('party'), allowDuplicates: true };
    await world.store.mappings.add({ bot: 'demo', kind: 'party', version: 1, mapping, by: 'ada', at: 1 });
    await world.control('POST', 'settings', { duplicates: 'alert' });
    await world.put('p1', ada);
    await world.party('p1');
    for (const id of ['p2', 'p3', 'p4']) await world.put(id, { ...ada, jobTitle: id });
    const { previewParty } = world.sync.forBot('demo', await world.org(), false);
    expect((await previewParty('p2')).summary).toContain('Create a Contact');
    await world.settle();
    expect((await world.records()).map(({ Title }) => Title ?? 'p1').toSorted()).toEqual(['p1', 'p2', 'p3', 'p4']);
    for (const id of ['p2', 'p3', 'p4']) expect(await world.link(id)).toMatchObject({ state: 'active', error: null });
  });

  it('names the look-alikes of a duplicate rule also where several were sent together [S1] [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const mapping = { ...defaultMapping('party'), lookup: null };
    await world.store.mappings.add({ bot: 'demo', kind: 'party', version: 1, mapping, by: 'ada', at: 1 });
    await world.control('POST', 'settings', { duplicates: 'off' });
    const ids = [
      await world.add({ LastName: 'One', Email: ada.email }),
      await world.add({ LastName: 'Two', Email: ada.email }),
    ];
    await world.control('POST', 'settings', { duplicates: 'block' });
    await world.put('p1', ada);
    await world.put('p2', { name: 'Bob New', email: 'bob@example.com' });
    await world.settle();
    expect(await world.link('p2')).toMatchObject({ state: 'active' });
    expect(await world.link('p1')).toMatchObject({
      state: 'ambiguous',
      error: { code: 'duplicate', candidates: ids.map((id) => expect.objectContaining({ id })) },
    });
  });

  it('tells a bot nothing of look-alikes by a field that it may not read, and the host app no ids [K9 P5]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.control('POST', 'settings', { duplicates: 'off' });
    const ids = [
      await world.add({ LastName: 'One', Email: ada.email }),
      await world.add({ LastName: 'Two', Email: ada.email }),
    ];
    await world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Contact: { ...policy.objects.Contact!, denyFields: ['HomePhone'] } },
    }));
    const mapping: Mapping = {
      ...defaultMapping('party'),
      lookup: { local: 'homePhone', remote: 'HomePhone' },
    };
    await world.store.mappings.add({ bot: 'demo', kind: 'party', version: 1, mapping, by: 'ada', at: 1 });
    await world.control('POST', 'settings', { duplicates: 'block' });
    await world.put('p1', ada);
    const port = world.sync.forBot('demo', await world.org(), true);
    const told = await port.syncParty('p1').catch((error: GatehouseError) => toErrorBody(error));
    expect(told).toMatchObject({ error: { code: 'validation_rule' } });
    expect(JSON.stringify(told)).not.toMatch(/duplicate|alike|candidate|003/i);
    await world.put('p1', { ...ada, jobTitle: 'again' });
    const host = await world.sync
      .forHost('demo', await world.org())
      .syncParty('p1')
      .catch((error: GatehouseError) => error);
    expect(host).toMatchObject({ code: 'duplicate', candidates: [] });
    for (const id of ids) expect(JSON.stringify(toErrorBody(host as GatehouseError))).not.toContain(id);
  });

  it('links the one match that a duplicate rule names instead of a second contact [S1]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.control('POST', 'settings', { duplicates: 'block' });
    await world.put('p1', ada);
    const racer = world.process({
      crash: async (point) => {
        if (point === 'merged' && (await world.records()).length === 0)
          await world.add({ LastName: 'Lovelace', Email: ada.email });
      },
    });
    await racer.party('p1');
    expect(await world.records()).toHaveLength(1);
    expect(await world.link('p1')).toMatchObject({ state: 'active' });
  });

  it('finds an account by its name, asks when two have it, and creates one only where allowed [S1]', async () => {
    await using world = await createSyncWorld(openFresh);
    const acme = await world.add({ Name: 'Acme', Industry: 'Energy', Website: 'https://acme.example' }, 'Account');
    await world.add({ Name: 'Twins' }, 'Account');
    const twin = await world.add({ Name: 'Twins' }, 'Account');
    await world.put('p1', { ...ada, company: 'acme' });
    await world.party('p1');
    expect((await world.records())[0]).toMatchObject({ AccountId: acme });
    await world.settle();
    expect((await world.host('p1')).fields).toMatchObject({ industry: 'Energy', website: 'https://acme.example' });

    await world.put('p2', { name: 'Bob', email: 'bob@example.com', company: 'Twins' });
    await world.party('p2');
    expect((await world.records()).find((record) => record.LastName === 'Bob')?.AccountId).toBeUndefined();
    expect(await world.link('p2')).toMatchObject({
      error: null,
      waitsFor: [{ object: 'Account', name: 'Twins', message: expect.stringContaining(twin) }],
    });
    await world.sync.manualLinks.linkParent('demo', await world.org(), 'Account', 'Twins', { recordId: twin });
    await world.party('p2');
    expect((await world.records()).find((record) => record.LastName === 'Bob')).toMatchObject({ AccountId: twin });
    expect(await world.records('Account')).toHaveLength(3);
  });

  it("never touches another bot's records or connection [sync-P32]", async () => {
    await using world = await createSyncWorld(openFresh);
    await world.connect('other');
    await world.put('p1', ada);
    await world.party('p1');
    await expect(world.sync.forBot('other', await world.org('other'), true).syncParty('p1')).rejects.toMatchObject({
      code: 'not_found',
    });
    await world.put('p1', { ...ada, phone: 'theirs' }, { bot: 'other' });
    await world.party('p1', 'other');
    expect((await world.host('p1')).fields.phone).toBeUndefined();
    expect(await world.store.log.find('other', { limit: 10 })).toHaveLength(2);
    await expect(world.sync.batches.status('other', 'x')).rejects.toMatchObject({ code: 'not_found' });
  });
});
