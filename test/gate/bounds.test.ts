import { describe, expect, it } from 'vitest';
import type { ObjectPolicy, Policy } from '../../permissions/policy.ts';
import { type GatehouseError, toErrorBody } from '../../src/domain/errors.ts';
import { createWorld, type World } from '../support/world.ts';

/** The same policy, with other rules for some objects; `undefined` takes an object out. */
const withObjects =
  (changes: Readonly<Record<string, Partial<ObjectPolicy> | undefined>>) =>
  (policy: Policy): Policy => {
    const objects = { ...policy.objects };
    const none = { read: true, write: false, denyFields: [], sensitiveFields: [], maskFields: [] };
    for (const [object, rules] of Object.entries(changes)) {
      if (rules === undefined) delete objects[object];
      else objects[object] = { ...(objects[object] ?? none), ...rules };
    }
    return { ...policy, objects };
  };

const worldWith = (changes: Parameters<typeof withObjects>[0]) => createWorld({ policy: withObjects(changes) });

const accountOf = async (world: World, args: Readonly<Record<string, unknown>>) =>
  (await world.call('GetAccount', args)).result?.account;

describe('what policy closes, also through a parent', () => {
  it('dots out a masked field of an account that comes with its opportunity [P5]', async () => {
    await using world = await worldWith({ Account: { maskFields: ['Phone', 'Website'] } });
    const account = await accountOf(world, { opportunity: 'OPP-123' });
    expect(account).toMatchObject({ Name: expect.stringMatching(/\w/), Phone: '••••', Website: '••••' });
  });

  it.each([
    ['unlisted', undefined],
    ['listed but not to read', { read: false }],
  ])('brings nothing of an account that is %s with its opportunity [P5]', async (_, rules) => {
    await using world = await worldWith({ Account: rules });
    expect(await world.refusal('GetAccount', { name: 'Acme Industries' })).toMatchObject({ code: 'permission_denied' });
    const account = await accountOf(world, { opportunity: 'OPP-123' });
    expect(Object.keys(account as object).sort()).toEqual(['id', 'url']);
  });

  it.each([{ denyFields: ['AccountId'] }, { maskFields: ['AccountId'] }, { allowFields: ['Name', 'IsClosed'] }])(
    'does not follow a lookup closed by %j, neither by id nor by name [P5]',
    async (rules) => {
      await using world = await worldWith({ Opportunity: rules });
      const include = ['opportunities'];
      const refused = { code: 'permission_denied' };
      expect(await world.refusal('GetAccount', { name: 'Acme Industries', include })).toMatchObject(refused);
      expect(await world.refusal('GetAccount', { key: 'ACME-001', include })).toMatchObject(refused);
      const byId = { id: ((await accountOf(world, { key: 'ACME-001' })) as { id: string }).id, include };
      expect(await world.refusal('GetAccount', byId)).toMatchObject(refused);
    },
  );

  it('takes names of objects and fields in any case [P5]', async () => {
    await using world = await worldWith({
      Account: undefined,
      ACCOUNT: { denyFields: ['phone'], maskFields: ['wEBSITE'] },
    });
    for (const args of [{ name: 'Acme Industries' }, { opportunity: 'OPP-123' }]) {
      const account = await accountOf(world, args);
      expect(account).toMatchObject({ Name: expect.stringMatching(/\w/), Website: '••••' });
      expect(account).not.toHaveProperty('Phone');
    }
  });

  it('closes the parts of a compound with it [P5]', async () => {
    await using world = await worldWith({
      Account: { denyFields: ['BillingAddress'] },
      Contact: { denyFields: ['LastName'] },
    });
    for (const args of [{ name: 'Acme Industries', include: ['contacts'] }, { opportunity: 'OPP-123' }]) {
      const { result } = await world.call('GetAccount', args);
      expect(result?.account).not.toHaveProperty('BillingCity');
      expect(result?.account).not.toHaveProperty('BillingCountry');
      for (const contact of (result?.contacts ?? []) as object[]) expect(contact).not.toHaveProperty('Name');
    }
  });

  it('writes no part of a closed compound [P5]', async () => {
    await using world = await worldWith({ Lead: { denyFields: ['Name'] } });
    const call = world.call('CreateLead', { lastName: 'Doe', company: 'Acme' });
    await expect(call).rejects.toMatchObject({ code: 'permission_denied' });
    expect((await world.records('Lead')).filter(({ LastName }) => LastName === 'Doe')).toEqual([]);
  });

  it('reads through a parent with one request once the describes are known [F2]', async () => {
    await using world = await worldWith({ Account: { maskFields: ['Phone'] } });
    const include = ['opportunities', 'contacts', 'cases'];
    for (const args of [{ name: 'Acme Industries', include }, { opportunity: 'OPP-123' }]) {
      await world.call('GetAccount', args);
      const before = await world.calls();
      await world.call('GetAccount', args);
      expect(await world.calls()).toBe(before + 1);
    }
  });

  it('asks for no describe where no path is followed [F2]', async () => {
    await using world = await worldWith({ Account: { maskFields: ['Phone'] } });
    const before = await world.calls();
    await world.call('GetAccount', { name: 'Acme Industries' });
    expect(await world.calls()).toBe(before + 1);
  });
});

describe('a field that may not be read', () => {
  it.each([{ denyFields: ['account_key__c'] }, { maskFields: ['account_key__c'] }, { allowFields: ['Name', 'Phone'] }])(
    'is no key of an account either, right or wrong: %j [K9]',
    async (rules) => {
      await using world = await worldWith({ Account: rules });
      const asked = ['ACME-001', 'NOBODY'].map((value) => world.refusal('GetAccount', { key: value }));
      const [right, wrong] = await Promise.all(asked);
      expect(right).toMatchObject({ code: 'permission_denied', fields: [{ name: 'lookups.accountKey' }] });
      expect(wrong).toEqual(right);
      // What the host signed is nobody's guess: the customer's own account is found, and no other.
      const session = { indexValue: 'ACME-001' };
      expect(await world.app.gate.accountContext(world.bot, session)).toMatchObject({ Name: 'Acme Industries' });
      expect(await world.call('GetAccount', { key: 'ACME-001' }, { session })).toMatchObject({ status: 'done' });
      expect((await world.refusal('GetAccount', { key: 'BETA-001' }, { session })).code).toBe('permission_denied');
    },
  );

  it.each([
    { denyFields: ['Reference__c'] },
    { maskFields: ['Reference__c'] },
    { allowFields: ['Name', 'StageName', 'Amount', 'CloseDate', 'NextStep', 'IsClosed', 'AccountId'] },
  ])('is no reference of an opportunity; its exact name and Id stay: %j [K9]', async (rules) => {
    await using world = await worldWith({ Opportunity: rules });
    const opportunity = (await world.records('Opportunity')).find((one) => one.Reference__c === 'OPP-123')!;
    const closed = { code: 'permission_denied', fields: [{ name: 'lookups.opportunityReference' }] };
    for (const reference of ['OPP-123', 'OPP-999']) {
      expect(await world.refusal('UpdateOpportunity', { reference, amount: 5 })).toMatchObject(closed);
      expect(await world.refusal('GetAccount', { opportunity: reference })).toMatchObject(closed);
    }
    for (const value of [String(opportunity.Id), String(opportunity.Name)])
      expect(await world.call('GetAccount', { opportunity: value })).toMatchObject({ status: 'done' });
  });

  it('finds no look-alike where Leads may not be read, ours or of the duplicate rule of the org [K9]', async () => {
    await using world = await worldWith({ Lead: { read: false, write: true } });
    // That nothing was looked up is a warning, and warnings ask a person.
    await world.setPolicy(({ actions: { CreateLead, ...actions }, ...policy }) => ({
      ...policy,
      actions: { ...actions, CreateLead: { ...CreateLead!, rules: [] } },
    }));
    const [lead] = await world.records('Lead');
    const person = { lastName: String(lead!.LastName), company: String(lead!.Company), email: String(lead!.Email) };
    const said = await world.call('CreateLead', person);
    expect(said.proposal?.choices?.map(({ id }) => id)).toEqual(['create']);
    expect(JSON.stringify([said, await world.app.approvals.list({})])).not.toContain(String(lead!.Id));
    await world.sim('POST', 'rules', { duplicates: 'block' });
    const refused = await world.refusal('CreateLead', { ...person, title: 'Head' });
    expect(JSON.stringify(toErrorBody(refused))).not.toContain(String(lead!.Id));
  });

  it.each(['alert', 'block'])(
    'tells nobody by the duplicate rule of the org (%s) that there is a Lead, where Leads may not be read [K9 P5]',
    async (duplicates) => {
      await using world = await worldWith({ Lead: { read: false, write: true } });
      await world.setPolicy(({ actions: { CreateLead, ...actions }, ...policy }) => ({
        ...policy,
        actions: { ...actions, CreateLead: { ...CreateLead!, rules: [] } },
      }));
      const [lead] = await world.records('Lead');
      await world.sim('POST', 'rules', { duplicates });
      const person = { lastName: String(lead!.LastName), company: String(lead!.Company), email: String(lead!.Email) };
      const requests: number[] = [];
      for (const lastName of ['First', 'Nobody']) {
        const before = await world.calls();
        await world.call('CreateLead', { lastName, company: `${lastName} Ltd`, email: `${lastName}@b.example` });
        requests.push((await world.calls()) - before);
      }
      const before = await world.calls();
      const said = await world.call('CreateLead', person).catch((error: GatehouseError) => toErrorBody(error));
      // As many requests as one that is like nobody's: its time tells nothing beyond its words.
      expect((await world.calls()) - before).toBe(requests.at(-1));
      if (duplicates === 'alert') expect(said).toMatchObject({ proposal: { choices: [{ id: 'create' }] } });
      else expect(said).toMatchObject({ error: { code: 'validation_rule' } });
      expect(JSON.stringify(said)).not.toMatch(/duplicate|alike|another|already|candidate|"salesforce"/i);
      const [proposal] = await world.app.approvals.list({ limit: 1 });
      expect(JSON.stringify(proposal)).not.toMatch(/duplicate|alike/i);
      // Who keeps the books learns which rule it was.
      expect(JSON.stringify(await world.app.store.audit.find({ limit: 50 }))).toContain('DUPLICATES_DETECTED');
      if (proposal?.state !== 'pending') return;
      expect(await world.approve(proposal.id, { choice: 'create' })).toMatchObject({ status: 'done' });
    },
  );

  it.each([{ read: false }, { denyFields: ['Email'] }, { maskFields: ['Email'] }, { allowFields: ['Name'] }])(
    'finds no contact that is like a lead by what is closed of it: %j [K9]',
    async (rules) => {
      await using world = await worldWith({ Contact: rules });
      const contact = (await world.records('Contact')).find(({ Email }) => Email)!;
      const person = { lastName: String(contact.LastName), company: 'Doe Ltd', email: String(contact.Email) };
      const said = await world.call('CreateLead', person).catch((error: unknown) => error);
      expect(JSON.stringify(said)).not.toContain(String(contact.Id));
      const waiting = await world.app.approvals.list({});
      expect(JSON.stringify(waiting)).not.toContain(String(contact.Id));
      // Nobody takes a question that was not asked for an answer.
      expect(waiting[0]?.preview?.warnings).toContainEqual(
        expect.stringMatching(/Contact .* was not looked up: .*not open/),
      );
    },
  );
});
