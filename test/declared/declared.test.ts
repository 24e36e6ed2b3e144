import { describe, expect, it } from 'vitest';
import { declaredNamed, removeDeclared, saveDeclared } from '../../src/policy/declared.ts';
import { botNamed } from '../../src/policy/permit.ts';
import { savePolicy } from '../../src/policy/save.ts';
import { createWorld } from '../support/world.ts';
import {
  auto,
  by,
  byName,
  calls,
  dealStatus,
  declare,
  nextStep,
  openCase,
  problemsOf,
  remind,
  text,
  waitingId,
} from './definitions.ts';

describe('an action that an operator declared', () => {
  it('is called like any other: listed once granted, permitted, bounded, answered and audited [A5]', async () => {
    await using world = await createWorld({ policy: auto('DealStatus') });
    await declare(world, dealStatus, false);
    const names = async () => (await world.app.gate.actions(world.bot)).map(({ name }) => name);
    expect(await names()).not.toContain('DealStatus');
    expect(await world.refusal('DealStatus', { reference: 'OPP-123' })).toMatchObject({ code: 'permission_denied' });
    await world.app.store.bots.grant(world.bot, 'CUSTOM_DEAL_STATUS');
    expect(await names()).toContain('DealStatus');
    const { status, result } = await world.call('DealStatus', { reference: 'OPP-123' });
    expect(status).toBe('done');
    expect(result).toMatchObject({
      returned: 1,
      rows: [{ StageName: expect.any(String), 'Account.Name': 'Acme Industries' }],
    });
    expect(await world.refusal('DealStatus', { reference: 'OPP-123', soql: 'x' })).toMatchObject({
      code: 'invalid_input',
    });
    const rows = await world.app.store.audit.find({ action: 'DealStatus', after: 0, limit: 10 });
    expect(rows.map(({ event }) => event).sort()).toEqual(['action_declared', 'done', 'refused', 'refused']);
  });

  it('asks a person where the policy does not name it [A5]', async () => {
    await using world = await createWorld();
    await declare(world, dealStatus);
    expect(await world.call('DealStatus', { reference: 'OPP-123' })).toMatchObject({ status: 'waiting' });
  });

  it('binds values into a fixed query, which the guard of RunSOQL judges [A5]', async () => {
    await using world = await createWorld({ policy: auto('DealsByName') });
    await declare(world, byName);
    const [{ Name }] = (await world.records('Opportunity')) as [{ Name: string }];
    expect(await world.call('DealsByName', { name: Name })).toMatchObject({ status: 'done', result: { returned: 1 } });
    const before = await calls(world, '/query');
    expect(await world.call('DealsByName', { name: "x' OR Name != '" })).toMatchObject({ result: { returned: 0 } });
    expect(await calls(world, '/query')).toBe(before + 1);
    expect(await problemsOf(world, { ...byName, soql: 'SELECT Id FROM User WHERE Name = :name' })).toMatch(/soql/);
    expect(await problemsOf(world, { ...byName, soql: 'SELECT Id FROM Opportunity LIMIT :name' })).toMatch(/soql/);
  });

  it.each([
    ['CreatedDate', 'text', /soql: .*CreatedDate is of type datetime and is compared with a text.*datetime/],
    ['CreatedDate', 'date', /CreatedDate is of type datetime/],
    ['CreatedDate', 'datetime', undefined],
    ['CloseDate', 'datetime', /CloseDate is of type date/],
    ['CloseDate', 'date', undefined],
    ['Amount', 'text', /Amount is of type currency.*number/],
    ['Amount', 'integer', undefined],
    ['IsClosed', 'text', /IsClosed is of type boolean/],
    ['IsClosed', 'boolean', undefined],
    ['Name', 'number', /Name is of type string.*text/],
    ['StageName', 'boolean', /StageName is of type picklist/],
    ['Account.Name', 'integer', /Name is of type string/],
    ['Account.CreatedDate', 'text', /CreatedDate is of type datetime/],
  ] as const)(
    'a query that compares %s with an input of type %s is judged when it is saved, not when it runs [A5]',
    async (field, type, wanted) => {
      await using world = await createWorld();
      const value = type === 'text' ? text('Value') : { type, required: true, description: 'Value' };
      const condition = (one: string) => `SELECT Id FROM Opportunity WHERE ${one} LIMIT 3`;
      for (const soql of [`${field} = :value`, `Name != 'x' AND (NOT ${field} IN (:value))`].map(condition)) {
        const found = await problemsOf(world, { ...byName, input: { value }, soql });
        if (wanted === undefined) expect(found).toBe('');
        else expect(found).toMatch(wanted);
      }
    },
  );

  it('a constant, a time of now or a word of the session that its field cannot take is refused when it is saved [A5]', async () => {
    await using world = await createWorld();
    const by = (field: string, is: object) => problemsOf(world, { ...dealStatus, input: {}, where: [{ field, is }] });
    const sets = (field: string, is: object) =>
      problemsOf(world, { ...nextStep, input: { reference: text('R') }, set: { [field]: is } });
    expect(await by('Amount', { value: 'much' })).toMatch(/where.*must be integer or number for Amount/);
    expect(await by('CloseDate', { value: 'soon' })).toMatch(/must be date for CloseDate/);
    expect(await by('CreatedDate', { now: 'date' })).toMatch(/must be datetime for CreatedDate/);
    expect(await by('IsClosed', { value: 'true' })).toMatch(/must be boolean for IsClosed/);
    expect(await by('Name', { value: 7 })).toMatch(/must be text for Name/);
    expect(await by('Amount', { session: 'indexValue' })).toMatch(/must be integer or number for Amount/);
    expect(await sets('Amount', { value: true })).toMatch(/must be integer or number for Amount/);
    for (const [field, is] of [
      ['Amount', { value: 5 }],
      ['CloseDate', { value: '2026-12-31' }],
      ['CloseDate', { now: 'date' }],
      ['CreatedDate', { value: '2026-12-31T10:00:00Z' }],
      ['IsClosed', { value: true }],
      ['Name', { value: 'x' }],
      ['Name', { session: 'indexValue' }],
      ['Amount', { value: null }],
    ] as const)
      expect(await by(field, is), field).toBe('');
  });

  it('asks by a day and a moment as SOQL writes them [A5]', async () => {
    await using world = await createWorld({ policy: auto('DealsOfDay') });
    const [{ CloseDate }] = (await world.records('Opportunity')) as [{ CloseDate: string }];
    const ofDay = {
      ...dealStatus,
      name: 'DealsOfDay',
      input: { day: { type: 'date', required: true, description: 'The day' } },
      where: [{ field: 'CloseDate', is: { input: 'day' } }],
    };
    await declare(world, ofDay);
    const { result } = await world.call('DealsOfDay', { day: CloseDate });
    expect(result).toMatchObject({ rows: expect.arrayContaining([expect.objectContaining({})]) });
    const byText = { ...ofDay, where: [{ field: 'Reference__c', is: { input: 'day' } }] };
    expect(await problemsOf(world, byText)).toMatch(/must be text for Reference__c/);
  });

  it('writes by the road of every write: preview, a yes, one conditional update [A5 C2 C6]', async () => {
    await using world = await createWorld();
    await declare(world, nextStep);
    const asked = await world.call('SetNextStep', { reference: 'OPP-123', step: 'Call Rosa' });
    expect(asked).toMatchObject({
      status: 'waiting',
      proposal: { changes: [{ field: 'NextStep', after: 'Call Rosa' }], target: { object: 'Opportunity' } },
    });
    expect(await world.approve(waitingId(asked))).toMatchObject({ status: 'done' });
    const held = (await world.records('Opportunity')).filter(({ NextStep }) => NextStep === 'Call Rosa');
    expect(held).toHaveLength(1);
    await declare(world, openCase);
    const made = await world.call('OpenCase', { subject: 'Broken pump' });
    expect(await world.approve(waitingId(made))).toMatchObject({
      status: 'done',
      result: { id: expect.stringMatching(/^500/) },
    });
  });

  it.each<[string, object, RegExp]>([
    [
      'a field that the org lacks',
      { ...dealStatus, fields: ['Nmae'], returns: undefined },
      /Nmae is no field of Opportunity; nearest: Name/,
    ],
    ['an object that the org lacks', { ...dealStatus, object: 'Oder' }, /Oder is no object of this org/],
    [
      'an object that the policy closes',
      {
        ...dealStatus,
        object: 'User',
        fields: ['Name'],
        where: [{ field: 'Name', is: { input: 'reference' } }],
        returns: undefined,
      },
      /User is not open to this bot to read/,
    ],
    [
      'a key that is not unique',
      { ...nextStep, key: { field: 'NextStep', is: { input: 'reference' } } },
      /NextStep may hold one value in several records/,
    ],
    ['text into a list', { ...nextStep, set: { StageName: { input: 'step' } } }, /must be a choice/],
    [
      'a value that is not in the list',
      {
        ...nextStep,
        input: { ...nextStep.input, step: { type: 'choice', values: ['Won'], required: true, description: 'x' } },
        set: { StageName: { input: 'step' } },
      },
      /"Won" is no value of StageName/,
    ],
    [
      'text that is too long',
      { ...nextStep, input: { ...nextStep.input, step: text('x', { maxLength: 4_000 }) } },
      /NextStep holds 255/,
    ],
    ['text into a number', { ...nextStep, set: { Amount: { input: 'step' } } }, /must be integer or number for Amount/],
    [
      'a field that must be there left out',
      { ...openCase, object: 'Contact', set: { FirstName: { input: 'subject' } } },
      /leaves out LastName/,
    ],
    ['a flow that is not there', { ...remind, flow: 'No_Such_Flow' }, /No_Such_Flow is no active autolaunched flow/],
    [
      'an input that the flow lacks',
      { ...remind, inputs: { order: { input: 'orderNumber' } } },
      /inputs.order: is no input of Order_Reminder.*leaves out orderNumber/,
    ],
  ])('is not saved with %s [A5]', async (_, value, said) => {
    await using world = await createWorld();
    expect(await problemsOf(world, value)).toMatch(said);
    expect((await botNamed(world.app.store, world.bot)).declared).toEqual([]);
  });

  it('loses its grant when it would do something else, and keeps it when words change [A5 P2]', async () => {
    await using world = await createWorld();
    await declare(world, dealStatus);
    const holds = async () => (await botNamed(world.app.store, world.bot)).grants.includes('CUSTOM_DEAL_STATUS');
    const again = await declare(world, { ...dealStatus, description: 'Other words.', limit: 2 }, false);
    expect(again).toMatchObject({ revision: 2, isNew: false, dropsGrant: false });
    expect(await holds()).toBe(true);
    const other = await declare(
      world,
      { ...dealStatus, fields: ['Name', 'StageName', 'Account.Name', 'Amount'] },
      false,
    );
    expect(other).toMatchObject({ revision: 3, dropsGrant: true });
    expect(await holds()).toBe(false);
    const history = await world.app.store.bots.declaredHistory(world.bot, 'DealStatus');
    expect(history.map(({ revision, state, by: who }) => [revision, state, who])).toEqual([
      [1, 'live', 'operator:ada'],
      [2, 'live', 'operator:ada'],
      [3, 'live', 'operator:ada'],
    ]);
  });

  it('is gone with its grant and its line in the policy, and one of the same name begins with nothing [A5 P2]', async () => {
    await using world = await createWorld({ policy: auto('DealStatus') });
    await declare(world, dealStatus);
    await removeDeclared(world.app, await botNamed(world.app.store, world.bot), 'DealStatus', by);
    const bot = await botNamed(world.app.store, world.bot);
    expect([
      bot.declared,
      bot.grants.includes('CUSTOM_DEAL_STATUS'),
      Object.hasOwn(bot.policy.actions, 'DealStatus'),
    ]).toEqual([[], false, false]);
    expect(await world.refusal('DealStatus', { reference: 'OPP-123' })).toMatchObject({ code: 'not_found' });
    expect(() => declaredNamed(bot, 'DealStatus')).toThrow(/has no declared action/);
    await declare(world, dealStatus, false);
    expect(await world.refusal('DealStatus', { reference: 'OPP-123' })).toMatchObject({ code: 'permission_denied' });
    expect((await world.app.store.bots.declaredHistory(world.bot, 'DealStatus')).map(({ state }) => state)).toEqual([
      'live',
      'removed',
      'live',
    ]);
  });

  it('does not run what was asked under another revision [A5 C5]', async () => {
    await using world = await createWorld();
    await declare(world, nextStep);
    const asked = await world.call('SetNextStep', { reference: 'OPP-123', step: 'Call Rosa' });
    await declare(world, { ...nextStep, title: 'Set it' }, false);
    expect(await world.approve(waitingId(asked))).toMatchObject({ status: 'conflict' });
    expect((await world.records('Opportunity')).filter(({ NextStep }) => NextStep === 'Call Rosa')).toEqual([]);
  });

  it('is saved by one of two who save at the same moment [A5]', async () => {
    await using world = await createWorld();
    const bot = await botNamed(world.app.store, world.bot);
    const both = await Promise.allSettled([
      saveDeclared(world.app, bot, dealStatus, by),
      saveDeclared(world.app, bot, nextStep, by),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await botNamed(world.app.store, world.bot)).declared).toHaveLength(1);
  });

  it('answers visitors for the account of their session alone [A5 P6]', async () => {
    await using world = await createWorld({ audience: 'public', policy: auto('MyDeals') });
    const mine = {
      ...dealStatus,
      name: 'MyDeals',
      input: {},
      object: 'Account',
      fields: ['Name', 'Industry'],
      where: [{ field: 'Account_Key__c', is: { session: 'indexValue' } }],
      returns: undefined,
    };
    expect(await problemsOf(world, { ...dealStatus, name: 'AnyDeal' })).toMatch(/public bot/);
    await declare(world, mine);
    expect(await world.refusal('MyDeals', {})).toMatchObject({ code: 'permission_denied' });
    const [account] = (await world.records('Account')).filter(({ Account_Key__c }) => Account_Key__c);
    const session = { indexValue: String(account?.Account_Key__c) };
    expect(await world.call('MyDeals', {}, { session })).toMatchObject({ status: 'done', result: { returned: 1 } });
  });
});

it('a policy names declared actions like others [A5 C1]', async () => {
  await using world = await createWorld();
  await declare(world, dealStatus);
  const { checkedPolicyOf } = await import('../../src/policy/save.ts');
  const bot = await botNamed(world.app.store, world.bot);
  const given = { ...bot.policy, actions: { ...bot.policy.actions, DealStatus: { decision: 'auto' } } };
  const { policy, unchecked } = await checkedPolicyOf(world.app, world.bot, given);
  await savePolicy(world.app, world.bot, { policy, unchecked, from: bot.policyRevision, by });
  expect(await world.call('DealStatus', { reference: 'OPP-123' })).toMatchObject({ status: 'done' });
});
