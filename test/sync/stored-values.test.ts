import { expect, it } from 'vitest';
import type { FieldValue } from '../../src/domain/action.ts';
import { type Kind, mappingSchema } from '../../src/domain/mapping.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { saveMapping } from '../../src/sync/mapping/save-mapping.ts';
import { describeStores } from '../support/databases.ts';
import { door } from './door.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

/** Saves the shipped mapping with these rules beside; what the save warns of comes back. */
async function withRules(world: SyncWorld, kind: Kind, ...rules: object[]): Promise<string> {
  const mapping = mappingSchema.parse({ ...defaultMapping(kind), rules: [...defaultMapping(kind).rules, ...rules] });
  const deps = { store: world.store, now: () => world.clock.now };
  const { warnings } = await saveMapping(deps, {
    ...{ bot: 'demo', org: await world.org(), kind, mapping, by: 'ada' },
    version: (await world.store.mappings.get('demo', kind))?.version ?? 0,
  });
  return warnings.map(({ name, problem }) => `${name}: ${problem}`).join('\n');
}

async function addFields(world: SyncWorld, ...fields: object[]): Promise<void> {
  await world.control('POST', 'fields', fields);
  await (await world.org()).describe('Contact', { isFresh: true });
}

const later = async (world: SyncWorld, work: () => Promise<unknown>) => {
  world.clock.advance(60_000);
  await work();
  await world.settle();
};

const contactOf = async (world: SyncWorld, id: string) => {
  const { sfId } = await world.link(id);
  return (await world.records()).find(({ Id }) => Id === sfId);
};

describeStores((_name, openFresh) => {
  it('leaves behind and names what a field cannot hold, and everything and everybody else goes on [G01] [G07] [G09] [G10] [G24]', async () => {
    await using world = await createSyncWorld(openFresh);
    await addFields(
      world,
      { object: 'Contact', name: 'Machines__c', type: 'multipicklist', values: ['Cranes', 'Hoists', 'Lifts'] },
      { object: 'Contact', name: 'Seen__c', type: 'datetime' },
      { object: 'Contact', name: 'Opens__c', type: 'time' },
      { object: 'Contact', name: 'Score__c', type: 'double', precision: 6, scale: 2 },
    );
    const custom = {
      birth: 'Birthdate',
      seen: 'Seen__c',
      opens: 'Opens__c',
      points: 'Score__c',
      machines: 'Machines__c',
    };
    await withRules(world, 'party', ...Object.entries(custom).map(([local, remote]) => ({ local, remote })), {
      local: 'channel',
      remote: 'Preferred_Channel__c',
    });
    const bad: Record<string, FieldValue>[] = [
      { birth: 1791888000000000000 },
      { birth: '03/04/2026' },
      { birth: 'Level 5' },
      { seen: 'Room 12' },
      { seen: '2026-02-30' },
      { opens: 'noon' },
      { points: 1e18 },
      { points: '1.234,56' },
      { channel: 'fax' },
      { machines: 'Lifts, Foo' },
    ];
    for (const [n, fields] of bad.entries())
      await world.put(`bad${n}`, { email: `bad${n}@t.example`, name: `Bad Nr${n}`, phone: '1', ...fields });
    await world.put('good', {
      ...{ email: 'good@t.example', name: 'Good One', birth: '31 May 1990', seen: '2026-05-01T09:00:00+02:00' },
      ...{ opens: '10:30', points: '1000.005', channel: 'Email', machines: 'Lifts, cranes' },
    });
    await world.settle();
    for (const [n, fields] of bad.entries()) {
      const [field = ''] = Object.keys(fields);
      const remote = { ...custom, channel: 'Preferred_Channel__c' }[field];
      expect(await contactOf(world, `bad${n}`)).toMatchObject({ Phone: '1' });
      expect((await world.link(`bad${n}`)).error?.message).toContain(`${remote} was not sent`);
    }
    expect(await contactOf(world, 'good')).toMatchObject({
      ...{ Birthdate: '1990-05-31', Seen__c: '2026-05-01T07:00:00.000+0000', Opens__c: '10:30:00.000Z' },
      ...{ Score__c: 1000.01, Preferred_Channel__c: 'email', Machines__c: 'Cranes;Lifts' },
    });
    expect((await world.link('good')).error).toBeNull();
    // The record is as it was sent: nothing travels back and forth.
    const log = (await world.log('good')).length;
    await later(world, async () => world.edit(String((await contactOf(world, 'good'))?.Id), { Title: 'edited there' }));
    expect((await world.host('good')).fields).toMatchObject({
      birth: '31 May 1990',
      points: '1000.005',
      jobTitle: 'edited there',
    });
    expect(await world.log('good')).toHaveLength(log + 1);
    // One field stays behind, the others follow.
    await later(world, () => world.put('good', { phone: '222', channel: 'fax' }));
    expect(await contactOf(world, 'good')).toMatchObject({ Phone: '222', Preferred_Channel__c: 'email' });
    expect((await world.link('good')).error?.message).toMatch(
      /Preferred_Channel__c was not sent: "fax" is not in the list/,
    );
  });

  it('writes an encrypted field and never takes its mask for a value [G02]', async () => {
    await using world = await createSyncWorld(openFresh);
    await addFields(world, { object: 'Contact', name: 'Tax__c', type: 'encryptedstring', length: 30 });
    expect(await withRules(world, 'party', { local: 'tax', remote: 'Tax__c' })).toContain('mask');
    await expect(
      withRules(world, 'party', { local: 'tax', remote: 'Tax__c', direction: 'from_crm' }),
    ).rejects.toMatchObject({ fields: [{ problem: expect.stringContaining('only be written') }] });
    await world.put('p1', { email: 'a@t.example', name: 'Ada B', tax: 'AB-1234-5678' });
    await world.settle();
    for (const phone of ['1', '2']) {
      await later(world, async () => world.edit(String((await contactOf(world, 'p1'))?.Id), { Phone: phone }));
      expect((await world.host('p1')).fields).toMatchObject({ tax: 'AB-1234-5678', phone });
    }
    await later(world, () => world.put('p1', { tax: 'CD-9999-0000' }));
    expect((await contactOf(world, 'p1'))?.Tax__c).toBe('CD-9999-0000');
    // One that nobody said at the host stays unsaid.
    await world.add({ LastName: 'New', Email: 'new@t.example', Tax__c: 'XY-0000-1111' });
    await world.put('p2', { email: 'new@t.example' });
    await world.settle();
    expect((await world.host('p2')).fields.tax ?? null).toBeNull();
  });

  it('keeps plain text plain on both sides of a rich text field [H1]', async () => {
    await using world = await createSyncWorld(openFresh);
    await addFields(world, { object: 'Contact', name: 'Story__c', type: 'html' });
    expect(await withRules(world, 'party', { local: 'story', remote: 'Story__c' })).toContain('HTML');
    const story = 'a < b & "c"\nit\'s <made up>';
    await world.put('p1', { email: 'a@t.example', name: 'Ada B', story });
    await world.settle();
    const id = String((await contactOf(world, 'p1'))?.Id);
    await later(world, () => world.edit(id, { Phone: '1' }));
    expect((await world.host('p1')).fields).toMatchObject({ story, phone: '1' });
    await later(world, () => world.edit(id, { Story__c: 'plain &amp; simple<br>two' }));
    expect((await world.host('p1')).fields.story).toBe('plain & simple\ntwo');
    await later(world, () => world.edit(id, { Story__c: '<b>bold</b> &amp; so' }));
    expect((await world.host('p1')).fields.story).toBe('<b>bold</b> &amp; so');
    expect((await world.log('p1')).filter(({ direction }) => direction === 'to_crm')).toHaveLength(1);
  });

  it('leaves an amount alone that is the sum of products, and says so; one that is none follows [G03]', async () => {
    await using world = await createSyncWorld(openFresh);
    for (const id of ['c1', 'c2'])
      await world.put(id, { title: `Case ${id}`, status: 'open', amount: 300 }, { kind: 'case' });
    await world.settle();
    const sfId = (await world.link('c1', 'case')).sfId ?? '';
    await world.edit(sfId, { HasOpportunityLineItem: true }, 'Opportunity');
    for (const id of ['c1', 'c2']) await later(world, () => world.put(id, { amount: 500 }, { kind: 'case' }));
    const amounts = (await world.records('Opportunity')).map(({ Name, Amount }) => [Name, Amount]).toSorted();
    expect(amounts).toEqual([
      ['Case c1', 300],
      ['Case c2', 500],
    ]);
    expect((await world.link('c1', 'case')).error?.message).toContain('sum of the products');
    await later(world, () => world.edit(sfId, { NextStep: 'x' }, 'Opportunity'));
    expect((await world.host('c1', 'case')).fields.amount).toBe(500);
  });

  it('reads the present name before it changes one, and keeps its parts [G05]', async () => {
    await using world = await createSyncWorld(openFresh);
    const cases = [
      ['Gabriel', 'García Márquez', 'Gabriel José García Márquez', 'Gabriel José', 'García Márquez'],
      ['Gabriel', 'García Márquez', 'Gabriel Garcia Marques', 'Gabriel', 'Garcia Marques'],
      ['Mary Ann', 'Smith', 'Mary Ann Smith Jones', 'Mary Ann', 'Smith Jones'],
      ['Ada', 'Byron', 'Ada King', 'Ada', 'King'],
      ['Li', 'Wei', 'Wei', null, 'Wei'],
    ] as const;
    for (const [n, [FirstName, LastName]] of cases.entries()) {
      await world.add({ FirstName, LastName, Email: `n${n}@t.example` });
      await world.put(`n${n}`, { email: `n${n}@t.example` });
    }
    await world.settle();
    world.clock.advance(60_000);
    for (const [n, [, , name]] of cases.entries()) await world.put(`n${n}`, { name });
    await world.settle();
    for (const [n, [, , , first, last]] of cases.entries()) {
      const { FirstName = null, LastName } = (await contactOf(world, `n${n}`)) ?? {};
      expect([FirstName, LastName]).toEqual([first, last]);
    }
  });

  it('names what it may only set once, and what the user may not write by now, and sends the rest', async () => {
    await using world = await createSyncWorld(openFresh);
    await addFields(world, { object: 'Contact', name: 'Origin__c', type: 'string', isUpdateable: false });
    expect(await withRules(world, 'party', { local: 'origin', remote: 'Origin__c' })).toContain('only be set when');
    await world.put('p1', { email: 'a@t.example', name: 'Ada B', origin: 'fair', jobTitle: 'A' });
    await world.settle();
    expect(await contactOf(world, 'p1')).toMatchObject({ Origin__c: 'fair', Title: 'A' });
    await later(world, () => world.put('p1', { origin: 'web', phone: '2' }));
    expect(await contactOf(world, 'p1')).toMatchObject({ Origin__c: 'fair', Phone: '2' });
    expect((await world.link('p1')).error?.message).toMatch(/Origin__c was not sent: it cannot be changed/);
    await world.control('POST', 'settings', { readOnlyFields: ['Contact.Title'] });
    await (await world.org()).describe('Contact', { isFresh: true });
    await later(world, () => world.put('p1', { jobTitle: 'B', phone: '3' }));
    expect(await contactOf(world, 'p1')).toMatchObject({ Title: 'A', Phone: '3' });
    expect((await world.link('p1')).error?.message).toMatch(/Title was not sent/);
  });

  it('takes every address that the CRM takes, and back what was read from there [G22]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const addresses = ['r&d@t.example', 'a/b@t.example', '#1fan@t.example', 'a!b%c@t.example', 'jürgen@müller.example'];
    for (const [n, email] of addresses.entries())
      await ask('PUT', `/api/parties/e${n}`, { email, name: `Erin Nr${n}`, jobTitle: `T${n}` });
    await world.settle();
    for (const [n, email] of addresses.entries()) {
      const contact = await contactOf(world, `e${n}`);
      expect(contact).toMatchObject({ Email: email });
      await later(world, () => world.edit(String(contact?.Id), { Email: `x2${email}` }));
      const { body } = await ask('GET', `/api/parties/e${n}`);
      expect(body).toMatchObject({ email: `x2${email}` });
      expect((await ask('PUT', `/api/parties/e${n}`, body)).status).toBe(200);
    }
    for (const email of ['nobody', 'a b@t.example', 'a@b', '<a@t.example>'])
      await expect(ask('PUT', '/api/parties/bad', { email })).rejects.toMatchObject({ code: 'invalid_input' });
    // An address in another case is no difference, and the host keeps its own.
    await later(world, () => world.put('e0', { email: 'X2R&D@T.example' }));
    expect((await world.host('e0')).fields.email).toBe('X2R&D@T.example');
    expect((await contactOf(world, 'e0'))?.Email).toBe('x2r&d@t.example');
  });

  it('previews what will be stored, and why a value would stay behind [H1] [G01]', async () => {
    await using world = await createSyncWorld(openFresh);
    await withRules(world, 'party', { local: 'birth', remote: 'Birthdate' });
    await world.put('p1', { email: 'Ada@T.Example', name: 'Ada B', birth: 1791888000000000000 });
    const { body } = await door(world)('POST', '/api/bots/demo/mappings/party/preview', { localId: 'p1' });
    const line = (rule: string) => (body as { lines: { rule: string }[] }).lines.find((one) => one.rule === rule);
    expect(line('Email')).toMatchObject({ sends: { Email: 'ada@t.example' } });
    expect(line('Birthdate')).toMatchObject({ sends: {}, note: expect.stringMatching(/would not be sent.*unit/) });
  });

  it('shows a person what would be stored, with its currency, and not the words of the host [H1] [G26] [G27]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.control('POST', 'settings', { multiCurrency: true });
    const org = await world.org();
    await org.describe('Opportunity', { isFresh: true });
    await world.put('c1', { title: 'One', status: 'open', amount: 5 }, { kind: 'case' });
    await world.settle();
    await world.edit((await world.link('c1', 'case')).sfId ?? '', { CurrencyIsoCode: 'JPY' }, 'Opportunity');
    world.clock.advance(60_000);
    await world.put('c1', { status: 'resolved', amount: 1000.005 }, { kind: 'case' });
    const { changes } = await world.sync.forBot('demo', org, true).previewCase('c1');
    expect(changes).toEqual([
      { field: 'StageName', label: 'Stage', before: 'Prospecting', after: 'Closed Won' },
      { field: 'Amount', label: 'Amount (JPY)', currency: 'JPY', before: 5, after: 1000.01 },
    ]);
  });

  it('takes no status that neither the rule nor the field knows, and takes back what it gave [U12]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('c1', { title: 'One', status: 'open', summary: 'a' }, { kind: 'case' });
    await world.settle();
    const stage = async () => (await world.records('Opportunity'))[0]?.StageName;
    await later(world, () => world.put('c1', { status: 'frobnicated', summary: 'b' }, { kind: 'case' }));
    expect((await world.records('Opportunity'))[0]).toMatchObject({ StageName: 'Prospecting', Description: 'b' });
    expect((await world.link('c1', 'case')).error?.message).toMatch(/StageName was not sent: "frobnicated" is none of/);
    await later(world, () => world.put('c1', { status: 'Negotiation/Review' }, { kind: 'case' }));
    expect(await stage()).toBe('Negotiation/Review');
    expect((await world.link('c1', 'case')).error).toBeNull();
  });
});
