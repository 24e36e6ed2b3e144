import { describe, expect, it } from 'vitest';
import { createWorld, type World } from '../support/world.ts';
import { auto, calls, declare, problemsOf, text, waitingId } from './definitions.ts';

const findPeople = {
  name: 'FindPeople',
  title: 'Find people',
  description: 'Finds people and companies by name.',
  operation: 'search',
  input: { words: text('Name, or part of it') },
  term: { input: 'words' },
  in: 'name',
  objects: [
    { object: 'Contact', fields: ['Name', 'Email'] },
    { object: 'Account', fields: ['Name'] },
  ],
  limit: 5,
};
const keepAccount = {
  name: 'KeepAccount',
  title: 'Keep a customer',
  description: 'Makes the account of a customer, or changes it.',
  operation: 'upsert',
  input: {
    key: text('Customer number', { maxLength: 40 }),
    name: text('Company'),
    site: text('Web site', { required: false }),
  },
  object: 'Account',
  key: { field: 'Account_Key__c', is: { input: 'key' } },
  set: { Name: { input: 'name' }, Website: { input: 'site' } },
};
const dropDeal = {
  name: 'DropDeal',
  title: 'Drop a deal',
  description: 'Deletes a deal that was made by mistake.',
  operation: 'delete',
  input: { reference: text('Like OPP-123', { maxLength: 20 }) },
  object: 'Opportunity',
  key: { field: 'Reference__c', is: { input: 'reference' } },
  fields: ['StageName', 'Amount'],
};
const writable =
  (...objects: string[]): Parameters<World['setPolicy']>[0] =>
  (policy) => ({
    ...policy,
    objects: {
      ...policy.objects,
      ...Object.fromEntries(objects.map((object) => [object, { ...policy.objects[object]!, read: true, write: true }])),
    },
  });
const held = async (world: World, object: string, key: string, value: string) =>
  (await world.records(object)).filter((one) => one[key] === value);

describe('a declared search', () => {
  it('finds by whole words in the objects and fields that were declared [B6 A5]', async () => {
    await using world = await createWorld({ policy: auto('FindPeople') });
    await declare(world, findPeople);
    const { status, result } = await world.call('FindPeople', { words: 'rosa gonzalez' });
    expect(status).toBe('done');
    expect(result).toMatchObject({
      returned: 1,
      rows: [{ object: 'Contact', Name: 'Rosa Gonzalez', Email: 'rosa.gonzalez@acme.example' }],
    });
    expect(await calls(world, '/search')).toBe(1);
  });

  it.each([
    'rosa OR acme',
    '*',
    'gonz*',
    'rosa} RETURNING User(Id)',
    '"',
    'a',
    'rosa\u0000x',
    'x" OR "acme',
    'rosa @{x.id}',
  ])('takes %j for words and nothing else [B6]', async (words) => {
    await using world = await createWorld({ policy: auto('FindPeople') });
    await declare(world, findPeople);
    const before = await calls(world, '/search');
    const answer = await world.call('FindPeople', { words }).catch((error: unknown) => error);
    expect(answer).toSatisfy(
      (one: { code?: string; result?: { returned: number } }) =>
        one.code === 'invalid_input' || one.result?.returned === 0,
    );
    expect(await calls(world, '/search')).toBeLessThanOrEqual(before + 1);
  });

  it('looks through no field that the policy closes, and shows none [B6 P5]', async () => {
    await using world = await createWorld({ policy: auto('FindPeople') });
    await declare(world, findPeople);
    await world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Contact: { ...policy.objects.Contact!, denyFields: ['Email'] } },
    }));
    const { result } = await world.call('FindPeople', { words: 'gonzalez' });
    expect(result).toMatchObject({ rows: [{ Name: 'Rosa Gonzalez' }] });
    expect(JSON.stringify(result)).not.toContain('acme.example');
    expect(
      await problemsOf(world, { ...findPeople, objects: [{ object: 'Contact', fields: ['Name'] }], in: 'all' }),
    ).toMatch(/in: all would look through Contact.Email/);
    expect(
      await problemsOf(world, { ...findPeople, objects: [{ object: 'Contact', fields: ['Name'] }], in: 'email' }),
    ).toMatch(/Contact.Email/);
    await world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Contact: { ...policy.objects.Contact!, denyFields: ['LastName'] } },
    }));
    const before = await calls(world, '/search');
    expect(await world.refusal('FindPeople', { words: 'gonzalez' })).toMatchObject({ code: 'permission_denied' });
    expect(await calls(world, '/search')).toBe(before);
  });

  it.each<[string, object, RegExp]>([
    ['a closed object', { objects: [{ object: 'User', fields: ['Name'] }] }, /objects\[0\].object: User is not open/],
    [
      'a field that is not there',
      { objects: [{ object: 'Contact', fields: ['Nmae'] }] },
      /Nmae is no field of Contact/,
    ],
    ['a parent', { objects: [{ object: 'Contact', fields: ['Account.Name'] }] }, /reads no parents/],
    [
      'one object twice',
      {
        objects: [
          { object: 'Contact', fields: ['Name'] },
          { object: 'contact', fields: ['Name'] },
        ],
      },
      /names one object twice/,
    ],
    ['long words', { input: { words: text('x', { maxLength: 201 }) } }, /at most 200 for a search/],
    ['SOSL in a name', { objects: [{ object: 'Contact(Id), User', fields: ['Name'] }] }, /must be an API name/],
  ])('is not saved with %s [B6 A5]', async (_, more, said) => {
    await using world = await createWorld();
    expect(await problemsOf(world, { ...findPeople, ...more })).toMatch(said);
  });

  it('is refused for a public bot [B6 P6]', async () => {
    await using world = await createWorld({ audience: 'public' });
    expect(await problemsOf(world, { ...findPeople, input: {}, term: { session: 'indexValue' } })).toMatch(
      /not for a public bot/,
    );
  });
});

describe('a declared upsert', () => {
  it('makes the record where its key finds none, and changes it where it finds one [A5 B1]', async () => {
    await using world = await createWorld({ policy: writable('Account') });
    await declare(world, keepAccount);
    const first = await world.call('KeepAccount', { key: 'K-900', name: 'Nova GmbH' });
    expect(first.proposal).toMatchObject({
      changes: expect.arrayContaining([
        expect.objectContaining({ field: 'Account_Key__c', before: null, after: 'K-900' }),
      ]),
    });
    expect(await world.approve(waitingId(first))).toMatchObject({ status: 'done', result: { created: true } });
    const again = await world.call('KeepAccount', { key: 'K-900', name: 'Nova AG' });
    expect(again.proposal).toMatchObject({
      target: { object: 'Account' },
      changes: [{ field: 'Name', before: 'Nova GmbH', after: 'Nova AG' }],
    });
    expect(await world.approve(waitingId(again))).toMatchObject({ status: 'done', result: { created: false } });
    expect(await held(world, 'Account', 'Account_Key__c', 'K-900')).toMatchObject([{ Name: 'Nova AG' }]);
  });

  it('asks anew where the record came, or went, between question and yes [A5 C5]', async () => {
    await using world = await createWorld({ policy: writable('Account') });
    await declare(world, keepAccount);
    const asked = await world.call('KeepAccount', { key: 'K-901', name: 'Nova GmbH' });
    const { id } = await world.sim('POST', 'records/Account', { Name: 'Somebody else', Account_Key__c: 'K-901' });
    expect(await world.approve(waitingId(asked))).toMatchObject({ status: 'waiting', proposal: { target: { id } } });
    expect(await held(world, 'Account', 'Account_Key__c', 'K-901')).toMatchObject([{ Name: 'Somebody else' }]);
    await world.sim('POST', 'records/Account', { Id: id, Account_Key__c: 'K-902' });
    expect(await world.approve(waitingId(asked))).toMatchObject({ status: 'waiting' });
    expect(await held(world, 'Account', 'Account_Key__c', 'K-901')).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    [
      'a key that many may have',
      { key: { field: 'Phone', is: { input: 'key' } } },
      /key.field: Phone must be a unique/,
    ],
    ['its key set besides', { set: { ...keepAccount.set, account_key__c: { input: 'key' } } }, /is the key already/],
    ['a lowered risk', { risk: 'write' }, /at least destructive/],
    ['a user', { object: 'User' }, /never written/],
  ])('is not saved with %s [A5]', async (_, more, said) => {
    await using world = await createWorld({ policy: writable('Account') });
    expect(await problemsOf(world, { ...keepAccount, ...more })).toMatch(said);
  });
});

describe('a declared delete', () => {
  it('asks a person whatever the policy says, shows what goes, and deletes that record once [A5 C2]', async () => {
    await using world = await createWorld({ policy: auto('DropDeal') });
    await declare(world, dropDeal);
    const [deal] = await held(world, 'Opportunity', 'Reference__c', 'OPP-123');
    const asked = await world.call('DropDeal', { reference: 'OPP-123' });
    expect(asked).toMatchObject({
      status: 'waiting',
      proposal: {
        target: { object: 'Opportunity', id: deal?.Id },
        changes: [
          { field: 'StageName', before: deal?.StageName, after: null },
          { field: 'Amount', after: null },
        ],
      },
    });
    expect(await world.approve(waitingId(asked))).toMatchObject({
      status: 'done',
      result: { id: deal?.Id, deleted: true },
    });
    expect((await held(world, 'Opportunity', 'Reference__c', 'OPP-123')).filter(({ IsDeleted }) => !IsDeleted)).toEqual(
      [],
    );
    const [row] = await world.app.store.audit
      .find({ action: 'DropDeal', after: 0, limit: 20 })
      .then((all) => all.filter(({ event }) => event === 'done'));
    await expect(
      world.app.approvals.undo(row!.seq, { principal: 'operator:ada', channel: 'cli' } as never),
    ).rejects.toThrow(/cannot be undone/);
  });

  it.each([
    ['changed', (id: string) => ({ Id: id, StageName: 'Closed Won' })],
    ['another one of that key', (id: string) => ({ Id: id, Reference__c: 'OPP-OLD' })],
  ])('deletes nothing that was %s since it was shown [A5 C5]', async (_, change) => {
    await using world = await createWorld();
    await declare(world, dropDeal);
    const [deal] = await held(world, 'Opportunity', 'Reference__c', 'OPP-123');
    const asked = await world.call('DropDeal', { reference: 'OPP-123' });
    await world.sim('POST', 'records/Opportunity', change(String(deal?.Id)));
    await world.sim('POST', 'records/Opportunity', {
      Name: 'Other',
      Reference__c: 'OPP-123',
      StageName: 'Prospecting',
      CloseDate: '2026-12-31',
    });
    const told = await world.approve(waitingId(asked)).catch((error: unknown) => error);
    expect(JSON.stringify(told)).toMatch(/conflict|ambiguous/);
    expect((await world.records('Opportunity')).filter(({ IsDeleted }) => IsDeleted)).toEqual([]);
  });

  it.each(['noted-sent', 'noted-done', 'ran', 'before-settled'])(
    'is seen to its end after a crash (%s) [A5 C6]',
    async (point) => {
      let isArmed = false;
      await using world = await createWorld({
        crash: (at) => {
          if (isArmed && at === point) throw new Error('killed');
        },
      });
      await declare(world, dropDeal);
      const asked = await world.call('DropDeal', { reference: 'OPP-123' });
      isArmed = true;
      await world.approve(waitingId(asked)).catch(() => {});
      isArmed = false;
      await world.recoverAfter(3_600_000);
      expect((await world.call('GetProposal', { id: waitingId(asked) })).status).toMatch(/done|expired/);
      const deletes = (await world.sim('GET', 'calls')).calls.filter(
        ({ method }: { method: string }) => method === 'DELETE',
      );
      expect(deletes.length).toBeLessThanOrEqual(1);
    },
  );
});
