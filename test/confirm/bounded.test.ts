import { describe, expect, it } from 'vitest';
import { policySchema } from '../../permissions/policy.ts';
import { boundByPolicy } from '../../src/policy/bounded-org.ts';
import { createWorld } from '../support/world.ts';

type Rules = Readonly<Record<string, object>>;

/** The world's own org under rules of the test; nothing is open but what they open. */
async function bounded(rules: Rules) {
  const world = await createWorld();
  const org = await world.app.connections.open(world.bot, { signal: new AbortController().signal });
  const noWriting = () => Promise.reject(new Error('nothing is written here'));
  const port = { ...org, create: noWriting, update: noWriting, remove: noWriting, graph: noWriting, invoke: noWriting };
  const salesforce = boundByPolicy(port, policySchema.parse({ objects: rules }));
  return { world, org, salesforce, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

const open = { Account: {}, Opportunity: {}, Contact: {}, User: {}, Case: {} };
const refused = { code: 'permission_denied' };
const all = { where: [], limit: 3 };

describe('the org as policy lets a bot see it', () => {
  it('masks at every depth, and in get as in find [P5]', async () => {
    await using on = await bounded({ ...open, User: { maskFields: ['Name'] }, Account: { maskFields: ['phone'] } });
    const fields = ['Name', 'Account.Phone', 'account.Name', 'Account.Owner.Name'];
    const [found] = await on.salesforce.find('Opportunity', { ...all, fields });
    const masked = { Account: { Phone: '••••', Name: expect.not.stringContaining('•'), Owner: { Name: '••••' } } };
    expect(found).toMatchObject(masked);
    expect(await on.salesforce.get('Opportunity', found!.Id, fields)).toMatchObject(masked);
    const [[listed] = []] = await on.salesforce.findAll([{ object: 'Opportunity', find: { ...all, fields } }]);
    expect(listed).toMatchObject(masked);
  });

  it.each([
    ['an object on the way is closed', { ...open, Account: { read: false } }, 'Account.Owner.Name'],
    ['the object at its end is closed', { Opportunity: {}, Account: {} }, 'Account.Owner.Name'],
    ['the field at its end is closed', { ...open, User: { denyFields: ['name'] } }, 'Account.Owner.Name'],
    ['a lookup on the way is closed', { ...open, Account: { denyFields: ['ownerid'] } }, 'Account.Owner.Name'],
    ['a lookup is closed for every object', { ...open, '*': { denyFields: ['OwnerId'] } }, 'Account.Owner.Name'],
    [
      'the relationship was named for its lookup',
      { ...open, Account: { denyFields: ['Owner'] } },
      'Account.Owner.Name',
    ],
    ['one of several objects behind it is closed', { Case: {}, User: {} }, 'Owner.Name'],
    ['no relationship has that name', open, 'Nowhere.Name'],
    ['it goes on behind a plain field', open, 'Name.Name'],
    ['the lookup stands for the relationship', open, 'AccountId.Name'],
    ['only some fields are listed', { ...open, Opportunity: { allowFields: ['Name'] } }, 'Account.Name'],
  ])('leads nowhere when %s [P5]', async (_, rules: Rules, field) => {
    await using on = await bounded(rules);
    const object = field === 'Owner.Name' ? 'Case' : 'Opportunity';
    const before = await on.salesforce.find(object, { ...all, fields: ['Id'] });
    expect(before.length).toBeGreaterThan(0);
    // Asked for, it is left out like any closed field.
    const [record] = await on.salesforce.find(object, { ...all, fields: [field] });
    expect(Object.keys(record!)).toEqual(['Id']);
    expect(await on.salesforce.get(object, record!.Id, [field])).toEqual({ Id: record!.Id });
    // Where rows are chosen or put in order by it, there is nothing to leave out.
    const where = [{ field, is: 'x' }];
    await expect(on.salesforce.find(object, { ...all, fields: [], where })).rejects.toMatchObject(refused);
    const orderBy = { field };
    await expect(on.salesforce.find(object, { ...all, fields: [], orderBy })).rejects.toMatchObject(refused);
    const finds = [{ object, find: { ...all, fields: [], where } }];
    await expect(on.salesforce.findAll(finds)).rejects.toMatchObject(refused);
  });

  it('reads through a lookup to several objects where all of them are open [P5]', async () => {
    await using on = await bounded({ Case: {}, User: {}, Group: {} });
    const [record] = await on.salesforce.find('Case', { ...all, fields: ['Owner.Name'] });
    expect(record).toMatchObject({ Owner: { Name: expect.stringMatching(/\w/) } });
  });

  it('puts nothing in order by a closed or masked field, nor looks for a range of it [P5]', async () => {
    await using on = await bounded({ Opportunity: { denyFields: ['amount'], maskFields: ['closedate'] } });
    const find = { ...all, fields: ['Name'] };
    for (const field of ['Amount', 'CloseDate'])
      await expect(on.salesforce.find('Opportunity', { ...find, orderBy: { field } })).rejects.toMatchObject(refused);
    const where = [{ field: 'CloseDate', since: '2026-01-01T00:00:00Z' }];
    await expect(on.salesforce.find('Opportunity', { ...find, where })).rejects.toMatchObject(refused);
    await expect(on.salesforce.find('Opportunity', { ...find, orderBy: { field: 'Name' } })).resolves.toHaveLength(3);
  });

  it('keeps Id and the times of the record in use, whatever is listed, and the key of the host where it is listed [P5]', async () => {
    const where = [{ field: 'Account_Key__c', is: 'ACME-001' }];
    const fields = ['id', 'LastModifiedDate', 'CreatedDate', 'Account_Key__c', 'Phone'];
    const byParent = [{ field: 'account.account_key__c', is: 'ACME-001' }];
    await using on = await bounded({ account: { allowFields: ['Account_Key__c'] }, Opportunity: {} });
    const [record] = await on.salesforce.find('Account', { ...all, fields, where });
    expect(Object.keys(record!).sort()).toEqual(['Account_Key__c', 'CreatedDate', 'Id', 'LastModifiedDate']);
    expect(await on.salesforce.find('Opportunity', { ...all, fields: [], where: byParent })).not.toEqual([]);
    await using closed = await bounded({ account: { allowFields: ['Name'] }, Opportunity: {} });
    await expect(closed.salesforce.find('Account', { ...all, fields, where })).rejects.toMatchObject(refused);
    await expect(closed.salesforce.find('Opportunity', { ...all, fields: [], where: byParent })).rejects.toMatchObject(
      refused,
    );
  });

  it('takes one object named in two cases by its stricter rules [P5]', async () => {
    await using on = await bounded({ Account: { denyFields: ['Phone'] }, account: { maskFields: ['Website'] } });
    const [record] = await on.salesforce.find('ACCOUNT', { ...all, fields: ['Phone', 'Website'] });
    expect(record).toEqual({ Id: record!.Id, Website: '••••' });
    await using closed = await bounded({ Account: {}, account: { read: false } });
    await expect(closed.salesforce.find('Account', { ...all, fields: [] })).rejects.toMatchObject(refused);
  });

  it('lists the fields of every object under * [P5]', async () => {
    await using on = await bounded({ Account: {}, '*': { allowFields: ['name'] } });
    const [record] = await on.salesforce.find('Account', { ...all, fields: ['Name', 'Phone'] });
    expect(Object.keys(record!).sort()).toEqual(['Id', 'Name']);
  });
});
