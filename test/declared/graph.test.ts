import { describe, expect, it } from 'vitest';
import { createWorld, type World, type WorldOptions } from '../support/world.ts';
import { calls, declare, problemsOf, text, waitingId } from './definitions.ts';

const newCustomer = {
  name: 'NewCustomer',
  title: 'New customer',
  description: 'Makes a company, its first person and a deal, all of it or nothing.',
  operation: 'graph',
  input: {
    key: text('Customer number', { maxLength: 40 }),
    company: text('Company'),
    lastName: text('Family name'),
    amount: { type: 'number', required: true, description: 'Amount of the deal' },
  },
  steps: [
    {
      id: 'account',
      operation: 'upsert',
      object: 'Account',
      key: { field: 'Account_Key__c', is: { input: 'key' } },
      set: { Name: { input: 'company' } },
    },
    {
      id: 'person',
      operation: 'create',
      object: 'Contact',
      set: { LastName: { input: 'lastName' }, AccountId: { from: 'account.id' } },
    },
    {
      id: 'deal',
      operation: 'create',
      object: 'Opportunity',
      set: {
        Name: { input: 'company' },
        Amount: { input: 'amount' },
        StageName: { value: 'Prospecting' },
        CloseDate: { value: '2027-01-31' },
        AccountId: { from: 'account.id' },
      },
    },
  ],
};
const args = { key: 'K-700', company: 'Graph GmbH', lastName: 'Grafova', amount: 5000 };
const { lastName: _, ...withoutName } = newCustomer.input;
const { lastName: __, ...withoutPerson } = args;
const open: NonNullable<WorldOptions['policy']> = (policy) => ({
  ...policy,
  objects: {
    ...policy.objects,
    ...Object.fromEntries(
      ['Account', 'Contact', 'Opportunity'].map((object) => [
        object,
        { ...policy.objects[object]!, read: true, write: true },
      ]),
    ),
  },
});
const made = async (world: World) => {
  const of = async (object: string, key: string, value: string) =>
    (await world.records(object)).filter((one) => one[key] === value && !one.IsDeleted);
  const [accounts, people, deals] = [
    await of('Account', 'Account_Key__c', 'K-700'),
    await of('Contact', 'LastName', 'Grafova'),
    await of('Opportunity', 'Name', 'Graph GmbH'),
  ];
  return { accounts, people, deals, counts: [accounts.length, people.length, deals.length] };
};
const STOCK = { withoutFields: ['Account.Gatehouse_Id__c', 'Contact.Gatehouse_Id__c', 'Opportunity.Gatehouse_Id__c'] };

describe('a declared graph', () => {
  it('is one proposal that shows every record, and one request that makes them all [A5 B3 C2]', async () => {
    await using world = await createWorld({ policy: open });
    await declare(world, newCustomer);
    const asked = await world.call('NewCustomer', args);
    expect(asked).toMatchObject({ status: 'waiting' });
    expect(asked.proposal?.changes.map(({ field, after }) => [field, after])).toEqual([
      ['Account.Id', 'a new record'],
      ['Account.Account_Key__c', 'K-700'],
      ['Account.Name', 'Graph GmbH'],
      ['Contact.Id', 'a new record'],
      ['Contact.LastName', 'Grafova'],
      ['Contact.AccountId', 'the Id of account'],
      ['Opportunity.Id', 'a new record'],
      ['Opportunity.Name', 'Graph GmbH'],
      ['Opportunity.Amount', 5000],
      ['Opportunity.StageName', 'Prospecting'],
      ['Opportunity.CloseDate', '2027-01-31'],
      ['Opportunity.AccountId', 'the Id of account'],
    ]);
    expect(await world.approve(waitingId(asked))).toMatchObject({
      status: 'done',
      result: { records: [{ step: 'account', created: true }, { step: 'person' }, { step: 'deal' }] },
    });
    const { accounts, people, deals, counts } = await made(world);
    expect(counts).toEqual([1, 1, 1]);
    expect([people[0]?.AccountId, deals[0]?.AccountId]).toEqual([accounts[0]?.Id, accounts[0]?.Id]);
    expect(await calls(world, 'composite/graph')).toBe(1);
  });

  it('changes what its key finds, on sight of it, and links the rest to it [A5 B3]', async () => {
    await using world = await createWorld({ policy: open });
    const { id } = await world.sim('POST', 'records/Account', { Name: 'Graph old', Account_Key__c: 'K-700' });
    await declare(world, newCustomer);
    const asked = await world.call('NewCustomer', args);
    expect(asked.proposal?.changes.slice(0, 2)).toMatchObject([
      { field: 'Account.Id', before: id, after: id },
      { field: 'Account.Name', before: 'Graph old', after: 'Graph GmbH' },
    ]);
    expect(await world.approve(waitingId(asked))).toMatchObject({
      result: { records: [{ id, created: false }, {}, {}] },
    });
    const { accounts, people } = await made(world);
    expect([accounts[0]?.Name, people[0]?.AccountId]).toEqual(['Graph GmbH', id]);
  });

  it('writes nothing where one record is refused [A5 B3]', async () => {
    await using world = await createWorld({ policy: open });
    await world
      .sim('POST', 'rules', {
        validation: [{ object: 'Opportunity', when: { field: 'Amount', above: 1000 }, message: 'Too much.' }],
      })
      .catch(() => {});
    await declare(world, newCustomer);
    const asked = await world.call('NewCustomer', args);
    await world.sim('POST', 'faults', { type: 'lock', times: 1, match: { path: 'composite/graph' } });
    const told = await world.approve(waitingId(asked)).catch((error: unknown) => error);
    expect(JSON.stringify(told)).not.toMatch(/"status":"done"/);
    expect((await made(world)).counts).toEqual([0, 0, 0]);
  });

  it.each(['Account', 'Contact', 'Opportunity'])(
    'sends nothing where the policy closes %s, or a field of it [A5 P5]',
    async (object) => {
      await using world = await createWorld({ policy: open });
      await declare(world, newCustomer);
      const asked = await world.call('NewCustomer', args);
      const field = { Account: 'Name', Contact: 'LastName', Opportunity: 'Amount' }[object]!;
      await world.setPolicy((policy) => ({
        ...policy,
        objects: { ...policy.objects, [object]: { ...policy.objects[object]!, denyFields: [field] } },
      }));
      await expect(world.approve(waitingId(asked))).rejects.toMatchObject({ code: 'permission_denied' });
      await world.setPolicy((policy) => ({
        ...policy,
        objects: { ...policy.objects, [object]: { ...policy.objects[object]!, denyFields: [], write: false } },
      }));
      expect(await world.refusal('NewCustomer', args)).toMatchObject({ code: 'permission_denied' });
      expect(await calls(world, 'composite/graph')).toBe(0);
    },
  );

  it('is asked about where any of its records is what a rule of the policy names [A5 C1]', async () => {
    await using world = await createWorld({
      policy: (policy) => ({
        ...open(policy),
        actions: {
          ...policy.actions,
          NewCustomer: {
            decision: 'auto',
            assurance: 'client',
            rules: [{ if: { amountAbove: 4000 }, then: 'confirm' }],
            autoFields: [],
            expose: [],
          },
        },
      }),
    });
    const second = {
      ...newCustomer.steps[2]!,
      id: 'small',
      set: { ...newCustomer.steps[2]!.set, Amount: { value: 1 } },
    };
    await declare(world, {
      ...newCustomer,
      steps: [newCustomer.steps[0], second, newCustomer.steps[2]],
      input: withoutName,
    });
    expect(await world.call('NewCustomer', { ...withoutPerson, amount: 5000 })).toMatchObject({
      status: 'waiting',
    });
    expect(await world.call('NewCustomer', { ...withoutPerson, amount: 3000 })).toMatchObject({
      status: 'done',
    });
  });

  it('asks anew where its record came between question and yes [A5 C5]', async () => {
    await using world = await createWorld({ policy: open });
    await declare(world, newCustomer);
    const asked = await world.call('NewCustomer', args);
    await world.sim('POST', 'records/Account', { Name: 'Somebody else', Account_Key__c: 'K-700' });
    expect(await world.approve(waitingId(asked))).toMatchObject({ status: 'waiting' });
    expect((await made(world)).counts).toEqual([1, 0, 0]);
    expect(await world.approve(waitingId(asked))).toMatchObject({ status: 'done' });
    expect((await made(world)).counts).toEqual([1, 1, 1]);
  });

  describe.each([
    ['with our field', {}],
    ['without it', STOCK],
  ])('in an org %s', (_, reset) => {
    it.each(['noted-sent', 'noted-done', 'ran', 'before-settled'])(
      'makes each record once, killed at %s [A5 B3 C6]',
      async (point) => {
        let isArmed = false;
        await using world = await createWorld({
          policy: open,
          crash: (at) => {
            if (isArmed && at === point) throw new Error('killed');
          },
        });
        await world.sim('POST', 'reset', reset);
        await declare(world, newCustomer);
        const asked = await world.call('NewCustomer', args);
        isArmed = true;
        await world.approve(waitingId(asked)).catch(() => {});
        isArmed = false;
        for (let round = 0; round < 3; round += 1) await world.recoverAfter(11 * 60_000);
        const { status } = await world.call('GetProposal', { id: waitingId(asked) });
        const { counts } = await made(world);
        expect([status, counts]).toEqual(
          point === 'noted-sent' ? [status, status === 'done' ? [1, 1, 1] : [0, 0, 0]] : ['done', [1, 1, 1]],
        );
      },
    );

    it.each([
      ['drop', 'after'],
      ['drop_body', 'after'],
      ['html', 'after'],
      ['status', 'after'],
      ['drop', 'before'],
      ['status', 'before'],
    ])('makes each record once where the answer is lost (%s, %s) [A5 B3 C6]', async (type, when) => {
      await using world = await createWorld({ policy: open });
      await world.sim('POST', 'reset', reset);
      await declare(world, newCustomer);
      const asked = await world.call('NewCustomer', args);
      await world.sim('POST', 'faults', { type, when, times: 1, status: 503, match: { path: 'composite/graph' } });
      await world.approve(waitingId(asked)).catch(() => {});
      for (let round = 0; round < 3; round += 1) await world.recoverAfter(11 * 60_000);
      const { status } = await world.call('GetProposal', { id: waitingId(asked) });
      const { counts } = await made(world);
      expect(counts).toEqual(status === 'done' ? [1, 1, 1] : [0, 0, 0]);
      if (when === 'after') expect([status, type]).toEqual(['done', type]);
    });

    const off = [60, -60].flatMap((minutes) => ['lost', 'killed'].map((how) => [minutes, how] as const));
    it.each(off)(
      'makes each record once where the org’s clock is %i minutes off ours and the answer is %s [A5 B3 C6 X3]',
      async (minutes, how) => {
        let isArmed = false;
        await using world = await createWorld({
          policy: open,
          crash: (at) => {
            if (isArmed && at === 'noted-done') throw new Error('killed');
          },
        });
        await world.sim('POST', 'reset', reset);
        await world.sim('POST', 'clock', { advanceMs: minutes * 60_000 });
        const lost = { type: 'drop', when: 'after', times: 1, match: { path: 'composite/graph' } };
        await world.sim('POST', 'records/Contact', { LastName: 'Grafova', Title: 'namesake' });
        await declare(world, newCustomer);
        const asked = await world.call('NewCustomer', args);
        if (how === 'lost') await world.sim('POST', 'faults', lost);
        isArmed = how === 'killed';
        await world.approve(waitingId(asked)).catch(() => {});
        isArmed = false;
        for (let round = 0; round < 3; round += 1) await world.recoverAfter(11 * 60_000);
        expect((await world.call('GetProposal', { id: waitingId(asked) })).status).toBe('done');
        const { accounts, people, deals } = await made(world);
        const own = people.filter(({ Title }) => Title !== 'namesake');
        expect([accounts.length, own.length, deals.length]).toEqual([1, 1, 1]);
        expect(own[0]?.AccountId).toBe(accounts[0]?.Id);
      },
    );

    it.each([60, -60])(
      'sees that its record changed between question and yes where the org’s clock is %i minutes off [A5 C5 X3]',
      async (minutes) => {
        await using world = await createWorld({ policy: open });
        await world.sim('POST', 'reset', reset);
        await world.sim('POST', 'clock', { advanceMs: minutes * 60_000 });
        const Id = (await world.sim('POST', 'records/Account', { Name: 'Old name', Account_Key__c: 'K-700' })).id;
        world.clock.advance(60_000);
        await declare(world, newCustomer);
        const asked = await world.call('NewCustomer', args);
        world.clock.advance(60_000);
        await world.sim('POST', 'records/Account', { Id, Name: 'A colleague’s name' });
        world.clock.advance(60_000);
        expect((await world.approve(waitingId(asked)).catch((error: unknown) => error)) as object).not.toMatchObject({
          status: 'done',
        });
        const { accounts, people } = await made(world);
        expect([accounts.map(({ Name }) => Name), people]).toEqual([['A colleague’s name'], []]);
      },
    );
  });

  it('is taken back whole, children first [A6 A5]', async () => {
    await using world = await createWorld({ policy: open });
    const { id } = await world.sim('POST', 'records/Account', { Name: 'Graph old', Account_Key__c: 'K-700' });
    await declare(world, newCustomer);
    await world.approve(waitingId(await world.call('NewCustomer', args)));
    const rows = await world.app.store.audit.find({ action: 'NewCustomer', after: 0, limit: 20 });
    const done = rows.find(({ event }) => event === 'done');
    const undo = await world.app.approvals.undo(done!.seq, 'operator:ada');
    expect(undo.proposal?.changes).toContainEqual(
      expect.objectContaining({ field: 'Account.Name', before: 'Graph GmbH', after: 'Graph old', record: id }),
    );
    expect(await world.approve(waitingId(undo))).toMatchObject({ status: 'done' });
    const { accounts, people, deals } = await made(world);
    expect([accounts[0]?.Name, people.length, deals.length]).toEqual(['Graph old', 0, 0]);
  });

  it('is refused where a value would be read as a reference: nobody is asked, and nothing is sent [A5]', async () => {
    await using world = await createWorld({ policy: open });
    await declare(world, newCustomer);
    for (const [name, value] of Object.entries({ lastName: 'x @{account.id}', key: '@{account.id}' }))
      await expect(world.call('NewCustomer', { ...args, [name]: value })).rejects.toMatchObject({
        code: 'invalid_input',
        fields: [{ problem: 'holds "@{"' }],
      });
    expect(await world.app.approvals.list({ bot: world.bot, pending: true })).toEqual([]);
    expect((await made(world)).counts).toEqual([0, 0, 0]);
    expect(await calls(world, 'composite/graph')).toBe(0);
  });

  const [account, person] = newCustomer.steps as [object, { set: object }];
  it.each<[string, object, RegExp]>([
    [
      'a reference to a later step',
      { steps: [person, account, newCustomer.steps[2]] },
      /steps\[0\].set.AccountId: takes account.id, which is no earlier step/,
    ],
    [
      'a path in a reference',
      { steps: [account, { ...person, set: { ...person.set, AccountId: { from: 'account.OwnerId' } } }] },
      /must be one of|must be the id/,
    ],
    [
      'a step of another object in a look-up',
      {
        steps: [
          account,
          person,
          { ...newCustomer.steps[2], set: { ...newCustomer.steps[2]!.set, AccountId: { from: 'person.id' } } },
        ],
      },
      /steps\[2\].set.AccountId: AccountId cannot hold the Id of Contact/,
    ],
    [
      'one name twice',
      { steps: [account, { ...person, id: 'account' }, newCustomer.steps[2]] },
      /steps\[1\].id: is the name of an earlier step/,
    ],
    [
      'an upsert without a key',
      { steps: [{ ...account, key: undefined }, person, newCustomer.steps[2]] },
      /steps\[0\].key: is missing/,
    ],
    [
      'a create with a key',
      { steps: [{ ...account, operation: 'create' }, person, newCustomer.steps[2]] },
      /a create has none/,
    ],
    ['a delete', { steps: [{ ...account, operation: 'delete' }] }, /steps\[0\].operation/],
    ['six steps', { steps: [1, 2, 3, 4, 5, 6].map((n) => ({ ...account, id: `a${n}` })) }, /steps: .*5/],
    [
      'a reference in a constant',
      {
        steps: [
          account,
          { ...person, set: { ...person.set, Title: { value: '@{account.id}' } } },
          newCustomer.steps[2],
        ],
      },
      /Salesforce would read as a reference/,
    ],
    [
      'permission sets',
      { steps: [account, { ...person, object: 'PermissionSetAssignment' }, newCustomer.steps[2]] },
      /never written/,
    ],
    [
      'a field left out that must be there',
      {
        steps: [account, { ...person, set: { AccountId: { from: 'account.id' } } }, newCustomer.steps[2]],
        input: withoutName,
      },
      /steps\[1\].set: leaves out LastName/,
    ],
    ['a lowered risk', { risk: 'write' }, /at least destructive/],
  ])('is not saved with %s [A5]', async (_, more, said) => {
    await using world = await createWorld({ policy: open });
    expect(await problemsOf(world, { ...newCustomer, ...more })).toMatch(said);
  });

  it('that only creates is a write, and for strangers bound to their session [A5 P6]', async () => {
    await using world = await createWorld({ policy: open, audience: 'public' });
    expect(await problemsOf(world, newCustomer)).toMatch(/steps\[0\].key.is: a public bot changes only/);
  });
});
