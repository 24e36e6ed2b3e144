import { describe, expect, it } from 'vitest';
import { declaredNamed, removeDeclared, saveDeclared } from '../../src/policy/declared.ts';
import { botNamed } from '../../src/policy/permit.ts';
import { savePolicy } from '../../src/policy/save.ts';
import { createWorld, type World, type WorldOptions } from '../support/world.ts';

const by = { principal: 'operator:ada', channel: 'cli' } as const;

async function declare(world: World, value: unknown, grant = true) {
  const bot = await botNamed(world.app.store, world.bot);
  const saved = await saveDeclared(world.app, bot, value, by);
  if (grant) await world.app.store.bots.grant(world.bot, saved.permission);
  return saved;
}

async function problemsOf(world: World, value: unknown): Promise<string> {
  try {
    await declare(world, value);
    return '';
  } catch (error) {
    return (error as { next: string }).next;
  }
}

const text = (description: string, more: object = {}) => ({
  type: 'text',
  maxLength: 80,
  required: true,
  description,
  ...more,
});

const dealStatus = {
  name: 'DealStatus',
  title: 'Deal status',
  description: 'Tells the stage of a deal by its reference.',
  operation: 'query',
  input: { reference: text('Like OPP-123', { maxLength: 20 }) },
  object: 'Opportunity',
  fields: ['Name', 'StageName', 'Account.Name'],
  where: [{ field: 'Reference__c', is: { input: 'reference' } }],
  limit: 5,
  returns: { rows: ['StageName', 'Account.Name'] },
};
const byName = {
  ...dealStatus,
  name: 'DealsByName',
  object: undefined,
  fields: undefined,
  where: undefined,
  limit: undefined,
  returns: undefined,
  input: { name: text('Exact name') },
  soql: 'SELECT Id, Name, StageName FROM Opportunity WHERE Name = :name LIMIT 3',
};
const nextStep = {
  name: 'SetNextStep',
  title: 'Set the next step',
  description: 'Sets the next step of a deal.',
  operation: 'update',
  input: { reference: text('Like OPP-123', { maxLength: 20 }), step: text('The step') },
  object: 'Opportunity',
  key: { field: 'Reference__c', is: { input: 'reference' } },
  set: { NextStep: { input: 'step' } },
};
const openCase = {
  name: 'OpenCase',
  title: 'Open a case',
  description: 'Opens a case for a person.',
  operation: 'create',
  input: { subject: text('What it is about') },
  object: 'Case',
  set: { Subject: { input: 'subject' }, Status: { value: 'New' }, Origin: { value: 'Web' } },
};
const orderStatus = {
  name: 'OrderStatus',
  title: 'Order status',
  description: 'Tells where an order stands.',
  operation: 'apex-rest',
  method: 'GET',
  path: '/orders/{orderNumber}',
  input: { orderNumber: text('Eight digits', { maxLength: 8 }) },
  returns: ['status', 'lines[].sku'],
};
const makeOrder = {
  ...orderStatus,
  name: 'MakeOrder',
  title: 'Make an order',
  method: 'POST',
  path: '/orders',
  body: { sku: { input: 'orderNumber' } },
  returns: ['number', 'status'],
};
const remind = {
  name: 'RemindOrder',
  title: 'Remind of an order',
  description: 'Starts the reminder of an order.',
  operation: 'flow',
  flow: 'Order_Reminder',
  input: { orderNumber: text('Eight digits') },
  inputs: { orderNumber: { input: 'orderNumber' } },
  returns: ['reminder'],
};
const tell = {
  name: 'TellOrder',
  title: 'Tell of an order',
  description: 'Publishes that an order changed.',
  operation: 'publish',
  object: 'Order_Event__e',
  input: { orderNumber: text('Eight digits') },
  set: { Order_Number__c: { input: 'orderNumber' }, Status__c: { value: 'New' } },
};

const auto =
  (name: string): NonNullable<WorldOptions['policy']> =>
  (policy) => ({
    ...policy,
    actions: {
      ...policy.actions,
      [name]: { decision: 'auto', assurance: 'client', rules: [], autoFields: [], expose: [] },
    },
  });
const calls = async (world: World, path: string) =>
  (await world.sim('GET', 'calls')).calls.filter((one: { path: string }) => one.path.includes(path)).length;
const waitingId = ({ proposal }: { proposal?: { id: string } | undefined }) => proposal?.id ?? '';

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

describe('code of the org', () => {
  it('is asked for every time, whatever the policy says, with all that is sent [A5 B6]', async () => {
    await using world = await createWorld({ policy: auto('OrderStatus') });
    const { warnings } = await declare(world, orderStatus);
    expect(warnings.join()).toMatch(/object policy of demo does not bound/);
    const asked = await world.call('OrderStatus', { orderNumber: '10000017' });
    expect(asked).toMatchObject({
      status: 'waiting',
      proposal: {
        changes: [
          { field: 'Method', after: 'GET' },
          { field: 'Path', after: '/services/apexrest/orders/10000017' },
        ],
      },
    });
    expect(await calls(world, 'apexrest')).toBe(0);
    expect(await world.approve(waitingId(asked))).toMatchObject({ status: 'done' });
    const told = await world.call('GetProposal', { id: waitingId(asked) });
    expect(told.result).toEqual({ ok: true, status: 200, answer: { status: 'Shipped', 'lines[].sku': ['PUMP-2'] } });
    const unknown = await world.call('OrderStatus', { orderNumber: '99999999' });
    await world.approve(waitingId(unknown));
    expect((await world.call('GetProposal', { id: waitingId(unknown) })).result).toEqual({
      ok: false,
      status: 404,
      answer: {},
    });
  });

  it('runs a flow and publishes an event, once each [A5 B6]', async () => {
    await using world = await createWorld();
    await declare(world, remind);
    await declare(world, tell);
    const flow = await world.call('RemindOrder', { orderNumber: '10000017' });
    expect(await world.approve(waitingId(flow))).toMatchObject({
      status: 'done',
      result: { ok: true, answer: { reminder: 'R-10000017' } },
    });
    const event = await world.call('TellOrder', { orderNumber: '10000017' });
    expect(await world.approve(waitingId(event))).toMatchObject({ status: 'done', result: { ok: true } });
    expect([await calls(world, 'actions/custom/flow/Order_Reminder'), await calls(world, 'Order_Event__e')]).toEqual([
      2, 1,
    ]);
    const failing = await world.call('RemindOrder', { orderNumber: '0' });
    await expect(world.approve(waitingId(failing))).rejects.toMatchObject({
      code: 'salesforce_error',
      salesforce: { code: 'FLOW_EXCEPTION' },
    });
  });

  it.each(['drop', 'drop_body', 'html', 'status'] as const)(
    'is told as unknown where its answer is lost (%s), and never sent again [A5 C6]',
    async (type) => {
      await using world = await createWorld();
      await declare(world, makeOrder);
      const asked = await world.call('MakeOrder', { orderNumber: 'PUMP' });
      await world.sim('POST', 'faults', { type, when: 'after', times: 1, status: 503, match: { path: 'apexrest' } });
      const told = await world.approve(waitingId(asked)).catch((error: unknown) => error);
      expect(told).toMatchObject({ status: 'unknown' });
      expect(await calls(world, 'apexrest')).toBe(1);
      await world.recoverAfter(3_600_000);
      await world.recoverAfter(3_600_000);
      await world.call('GetProposal', { id: waitingId(asked) });
      const again = await world.call('MakeOrder', { orderNumber: 'PUMP' });
      expect(again).toMatchObject({ status: 'unknown' });
      expect(await calls(world, 'apexrest')).toBe(1);
    },
  );

  it.each(['noted-sent', 'noted-done', 'ran', 'before-settled'])(
    'is not sent twice by whoever comes after a crash (%s) [A5 C6]',
    async (point) => {
      let isArmed = false;
      await using world = await createWorld({
        crash: (at) => {
          if (isArmed && at === point) throw new Error('killed');
        },
      });
      await declare(world, makeOrder);
      const asked = await world.call('MakeOrder', { orderNumber: 'PUMP' });
      isArmed = true;
      await world.approve(waitingId(asked)).catch(() => {});
      isArmed = false;
      const other = await world.again();
      await other.retention.recover();
      world.clock.advance(3_600_000);
      await other.retention.recover();
      expect(await calls(world, 'apexrest')).toBeLessThanOrEqual(1);
      const { status } = await world.call('GetProposal', { id: waitingId(asked) });
      expect(['done', 'unknown', 'expired']).toContain(status);
    },
  );

  it('fails in the words of the class, its first line alone, and opens no breaker [A5 B6]', async () => {
    await using world = await createWorld();
    await declare(world, orderStatus);
    for (const orderNumber of ['boom', 'boom', 'boom', 'boom', 'boom', 'boom']) {
      const asked = await world.call('OrderStatus', { orderNumber });
      const failed = await world.approve(waitingId(asked)).catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: 'salesforce_error', salesforce: { code: 'APEX_ERROR' } });
      expect(JSON.stringify(failed)).not.toContain('Class.OrderStatus');
    }
    expect((await world.app.connections.status(world.bot)).breaker).toMatchObject({ state: 'closed' });
    await declare(world, { ...orderStatus, path: '/nothing/{orderNumber}' });
    const asked = await world.call('OrderStatus', { orderNumber: '1' });
    await expect(world.approve(waitingId(asked))).rejects.toMatchObject({
      code: 'not_found',
      message: /No Apex class/,
    });
  });

  it('cannot be undone, and says so [A6]', async () => {
    await using world = await createWorld();
    await declare(world, makeOrder);
    await world.approve(waitingId(await world.call('MakeOrder', { orderNumber: 'PUMP' })));
    const [row] = (await world.app.store.audit.find({ action: 'MakeOrder', after: 0, limit: 20 })).filter(
      ({ event }) => event === 'done',
    );
    await expect(
      world.app.approvals.undo(row!.seq, { principal: 'operator:ada', channel: 'cli' } as never),
    ).rejects.toThrow(/cannot be undone/);
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
