import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Policy, parsePolicy, shippedPolicy } from '../../permissions/policy.ts';
import type { FieldDescribe, ObjectDescribe } from '../../src/domain/action.ts';
import { GatehouseError } from '../../src/domain/errors.ts';
import { checkNames } from '../../src/policy/names.ts';
import { checkedPolicyOf, savePolicy, setMode, uncheckedOf } from '../../src/policy/save.ts';
import { slowness } from '../support/holds.ts';
import { createWorld, type World } from '../support/world.ts';

/** Names that an operator writes into a policy, against the org that it is for. */

const shipped = shippedPolicy('internal');
const update = (more: object) => ({
  ...shipped,
  actions: { ...shipped.actions, UpdateOpportunity: { decision: 'confirm', ...more } },
});
const account = (more: object) => ({ ...shipped, objects: { ...shipped.objects, Account: { read: true, ...more } } });

describe('the names of a policy', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it('stop the save that would close the Id, by which every answer names its record [K11 P5]', async () => {
    const objects = { '*': { denyFields: ['Email', 'id'] }, Account: { read: true, maskFields: ['Id'] } };
    const saved = checkedPolicyOf(world.app, world.bot, { ...shipped, objects: { ...shipped.objects, ...objects } });
    await expect(saved).rejects.toMatchObject({
      fields: ['objects.Account.maskFields[0]', 'objects.*.denyFields[1]'].map((name) =>
        expect.objectContaining({ name, problem: expect.stringContaining('cannot be closed') }),
      ),
    });
  });

  it.each<[string, object, string, RegExp]>([
    [
      'a condition',
      update({ rules: [{ if: { fieldIn: ['Amuont'] }, then: 'deny' }] }),
      'actions.UpdateOpportunity.rules[0].if.fieldIn[0]',
      /nearest: Amount/,
    ],
    [
      'a condition that means another object',
      update({ rules: [{ if: { fieldIn: ['Email'] }, then: 'deny' }] }),
      'actions.UpdateOpportunity.rules[0].if.fieldIn[0]',
      /no field of Opportunity/,
    ],
    [
      'a stage',
      update({ rules: [{ if: { stageIn: ['Closed Wonn'] }, then: 'deny' }] }),
      'actions.UpdateOpportunity.rules[0].if.stageIn[0]',
      /nearest: Closed Won/,
    ],
    [
      'an open field',
      update({ autoFields: ['NextSteps'] }),
      'actions.UpdateOpportunity.autoFields[0]',
      /nearest: NextStep/,
    ],
    [
      'an input',
      update({ expose: [{ field: 'Descripton', type: 'string', describe: 'x' }] }),
      'actions.UpdateOpportunity.expose[0].field',
      /nearest: Description/,
    ],
    [
      'an input of an action that takes none',
      {
        ...shipped,
        actions: {
          ...shipped.actions,
          GetAccount: { decision: 'auto', expose: [{ field: 'Name', type: 'string', describe: 'x' }] },
        },
      },
      'actions.GetAccount.expose[0]',
      /takes no further fields/,
    ],
    ['an object', { ...shipped, objects: { ...shipped.objects, Acount: {} } }, 'objects.Acount', /nearest: Account/],
    [
      'a denied field',
      account({ denyFields: ['AnualRevenue'] }),
      'objects.Account.denyFields[0]',
      /nearest: AnnualRevenue/,
    ],
    ['a masked field', account({ maskFields: ['Phonne'] }), 'objects.Account.maskFields[0]', /nearest: Phone/],
    [
      'a listed field',
      account({ allowFields: ['Name', 'Wesbite'] }),
      'objects.Account.allowFields[1]',
      /nearest: Website/,
    ],
    [
      'a sensitive field',
      account({ sensitiveFields: ['Industri'] }),
      'objects.Account.sensitiveFields[0]',
      /nearest: Industry/,
    ],
    [
      'a field on any object',
      { ...shipped, objects: { ...shipped.objects, '*': { denyFields: ['Nothing__c'] } } },
      'objects.*.denyFields[0]',
      /any object/,
    ],
    [
      'a lookup',
      { ...shipped, lookups: { opportunityReference: 'Referenz__c' } },
      'lookups.opportunityReference',
      /nearest: Reference__c/,
    ],
  ])('stop the save where the org does not know %s, with the nearest [K11]', async (_, policy, place, words) => {
    const refused = await checkedPolicyOf(world.app, world.bot, policy).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'invalid_input',
      fields: [{ name: place, problem: expect.stringMatching(words) }],
    });
  });

  it('may be written in any case, and pass as shipped [K11]', async () => {
    const policy = {
      ...update({
        autoFields: ['nextstep'],
        rules: [{ if: { fieldIn: ['amount'], stageIn: ['closed won'] }, then: 'deny' }],
      }),
      objects: { ...shipped.objects, account: { denyFields: ['annualrevenue'] } },
      lookups: { accountKey: 'account_key__c' },
    };
    expect((await checkedPolicyOf(world.app, world.bot, policy)).warnings).toEqual([]);
    for (const audience of ['internal', 'public'] as const)
      expect((await checkedPolicyOf(world.app, world.bot, shippedPolicy(audience))).warnings).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    [
      '8,000 fields',
      account({ denyFields: Array.from({ length: 8_000 }, (_, at) => `Nothing${at}__c`) }),
      /^holds 8\d{3} names and settings, at most/,
    ],
    [
      '8,000 objects',
      { ...shipped, objects: Object.fromEntries(Array.from({ length: 8_000 }, (_, at) => [`Nothing${at}__c`, {}])) },
      /^names 8000 objects, at most/,
    ],
    [
      '8,000 fields of a rule',
      update({ rules: [{ if: { fieldIn: Array.from({ length: 8_000 }, (_, at) => `No${at}`) }, then: 'deny' }] }),
      /^holds 8\d{3} names/,
    ],
  ])('are bounded before the org is asked anything: %s [K11]', async (_, policy, problem) => {
    const before = await world.calls();
    await expect(checkedPolicyOf(world.app, world.bot, policy)).rejects.toMatchObject({
      code: 'invalid_input',
      fields: [{ problem: expect.stringMatching(problem) }],
    });
    expect(await world.calls()).toBe(before);
  });

  it('cost time in line with their number, also where none is known [K11]', async () => {
    const names = (many: number) => Array.from({ length: many }, (_, at) => `Unknown_name_number_${at}__c`);
    const cost = async (many: number) => {
      const policy = parsePolicy({ ...shipped, objects: { ...shipped.objects, '*': { denyFields: names(many) } } });
      if (!('policy' in policy)) throw new Error('no policy');
      const org = await world.app.connections.open(world.bot, { signal: new AbortController().signal });
      const check = () => checkNames(policy.policy, world.app.actions, (object) => org.describe(object));
      await check();
      const began = process.cpuUsage();
      expect((await check()).problems).toHaveLength(many);
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 1_000;
    };
    expect(await cost(4_500)).toBeLessThan(500 * Math.max(1, slowness()));
  });

  it.each(['Account', 'Opportunity'])(
    'that could not be looked up are told with the save and in the status: %s [K11]',
    async (away) => {
      const { bot, app } = world;
      await world.sim('POST', 'faults', { type: 'status', status: 403, match: { path: `/sobjects/${away}/describe` } });
      const { [away]: _, ...objects } = shipped.objects;
      const rules = [{ if: { fieldIn: ['Amuont'], stageIn: ['Closed Wonn'] }, then: 'deny' }];
      const given = { ...update({ rules }), objects: { ...objects, '*': { denyFields: ['Fax'] } } };
      await app.connections.disconnect(bot);
      await app.connections.connect(bot, { flow: 'simulated' });
      const saved =
        away === 'Account'
          ? await checkedPolicyOf(app, bot, { ...given, actions: shipped.actions })
          : await checkedPolicyOf(app, bot, given);
      expect(saved.warnings.join('\n')).toContain(`objects.${away}: was not checked`);
      if (away === 'Opportunity') expect(saved.warnings.join('\n')).toContain('Amuont was not checked');
      const save = async (checked: typeof saved) =>
        savePolicy({ ...app, now: () => world.clock.now }, bot, {
          ...checked,
          from: (await app.store.bots.get(bot))!.policyRevision,
          by: { principal: 'operator:ada', channel: 'cli' },
        });
      const told = () => uncheckedOf({ store: app.store, now: () => world.clock.now }, bot);
      await save(saved);
      expect(await told()).toEqual(saved.unchecked);
      await setMode({ ...app, now: () => world.clock.now }, bot, 'ask', { principal: 'operator:ada', channel: 'cli' });
      expect(await told()).toEqual(saved.unchecked);
      await world.sim('POST', 'faults', { clear: true });
      await save(await checkedPolicyOf(app, bot, shipped));
      expect(await told()).toEqual([]);
    },
  );

  it('save with a warning where no org can be asked [K11]', async () => {
    await world.app.store.bots.create({ ...(await world.app.store.bots.get(world.bot))!, name: 'lone' });
    const policy = update({ rules: [{ if: { fieldIn: ['Amuont'] }, then: 'deny' }] });
    const { warnings } = await checkedPolicyOf(world.app, 'lone', policy);
    expect(warnings).toEqual([expect.stringMatching(/^lone is not connected, so the names/)]);
  });
});

describe('a rule that can never hold', () => {
  const rule = (action: string, condition: object, then = 'deny') => ({
    ...shipped,
    actions: { ...shipped.actions, [action]: { decision: 'auto', rules: [{ if: condition, then }] } },
  });
  /** Of every action, the conditions that it has nothing for. */
  const NEVER: Readonly<Record<string, readonly string[]>> = {
    CreateLead: ['amountAbove', 'amountChangeAbove', 'stageIn', 'closeDateShiftDaysAbove', 'queryClass'],
    UpdateOpportunity: ['queryClass', 'duplicates', 'visitorRunsThisHourAtLeast'],
    GetAccount: ['amountAbove', 'stageIn', 'fieldIn', 'queryClass', 'duplicates', 'warnings'],
    RunSOQL: ['amountChangeAbove', 'closeDateShiftDaysAbove', 'fieldIn', 'duplicates', 'warnings'],
    SyncParty: ['queryClass', 'duplicates', 'visitorRunsThisHourAtLeast'],
    SyncCase: ['queryClass', 'duplicates'],
  };
  const VALUES = {
    amountAbove: 5,
    amountChangeAbove: 5,
    stageIn: ['Closed Won'],
    closeDateShiftDaysAbove: 3,
    fieldIn: ['Name'],
    queryClass: 'non-trivial',
    duplicates: true,
    warnings: true,
    visitorRunsThisHourAtLeast: 3,
  };
  const each = Object.entries(NEVER).flatMap(([action, keys]) => keys.map((key) => [action, key] as const));

  it.each(each)('is refused with its place: %s %s [K11]', async (action, key) => {
    await using world = await createWorld();
    const value = VALUES[key as keyof typeof VALUES];
    const saved = checkedPolicyOf(world.app, world.bot, rule(action, { environment: 'simulated', [key]: value }));
    await expect(saved).rejects.toMatchObject({
      code: 'invalid_input',
      fields: [{ name: `actions.${action}.rules[0].if.${key}`, problem: expect.stringContaining('never holds') }],
    });
  });

  it('is refused where no call sets the field, and holds where one shows in what is set [K11]', async () => {
    await using world = await createWorld();
    const check = (action: string, field: string) =>
      checkedPolicyOf(world.app, world.bot, rule(action, { fieldIn: [field] }));
    for (const [action, field] of [
      ['UpdateOpportunity', 'LastModifiedDate'],
      ['UpdateOpportunity', 'Description'],
      ['CreateLead', 'IsConverted'],
    ] as const)
      await expect(check(action, field)).rejects.toMatchObject({
        fields: [{ name: `actions.${action}.rules[0].if.fieldIn[0]`, problem: expect.stringContaining('never holds') }],
      });
    for (const field of ['IsClosed', 'iswon', 'Probability', 'ExpectedRevenue', 'FiscalYear', 'NextStep']) {
      const { policy } = await check('UpdateOpportunity', field);
      await world.setPolicy(() => policy);
      const change =
        field === 'NextStep' ? { nextStep: 'x' } : { stageName: 'Closed Lost', amount: 1, closeDate: '2031-01-01' };
      expect(await world.refusal('UpdateOpportunity', { reference: 'OPP-123', ...change })).toMatchObject({
        code: 'permission_denied',
      });
    }
  });

  it('asks a person where it was saved before [K11]', async () => {
    await using world = await createWorld();
    const { policy } = parsePolicy(rule('GetAccount', { duplicates: true })) as { policy: Policy };
    await world.setPolicy(() => policy);
    expect(await world.call('GetAccount', { name: 'Acme Industries' })).toMatchObject({
      status: 'waiting',
      proposal: { reasons: [expect.stringContaining('duplicates, which GetAccount does not have')] },
    });
  });

  it.each<[object, string[]]>([
    [{ read: false }, ['objects.*.read']],
    [{ write: false }, ['objects.*.write']],
    [{ read: true, write: true }, ['objects.*.write']],
    [{ read: true, write: false }, []],
    [{ denyFields: ['Fax'] }, []],
  ])('over every object is refused where it would open or close one: %j [K11]', async (all, places) => {
    await using world = await createWorld();
    const policy = { ...shipped, objects: { ...shipped.objects, '*': all } };
    const saved = await checkedPolicyOf(world.app, world.bot, policy).then(
      () => [],
      (error: GatehouseError) => error.fields?.map(({ name }) => name),
    );
    expect(saved).toEqual(places);
    const stored = parsePolicy(policy);
    if (!('policy' in stored) || !('read' in all) || all.read) return;
    await world.setPolicy(() => stored.policy);
    expect(await world.refusal('GetAccount', { name: 'Acme Industries' })).toMatchObject({
      fields: [{ name: 'objects.*.read' }],
    });
    expect((await world.refusal('RunSOQL', { soql: 'SELECT Name FROM Account LIMIT 1' })).code).toBe('query_refused');
  });
});

describe('a formula over a closed field', () => {
  const field = (name: string, more: Partial<FieldDescribe> = {}) =>
    ({
      name,
      label: name,
      type: 'string',
      relationshipName: null,
      referenceTo: [],
      picklistValues: [],
      ...more,
    }) as FieldDescribe; // what the check reads
  const describes: Record<string, ObjectDescribe> = {
    account: {
      name: 'Account',
      fields: [
        field('Name'),
        field('AnnualRevenue'),
        field('Copy__c', { formula: '/* x */ annualrevenue * 2' }),
        field('Plain__c', { formula: 'IF(Name = "AnnualRevenue", 1, 2)' }),
      ],
    },
    contact: {
      name: 'Contact',
      fields: [
        field('Email'),
        field('AccountId', { relationshipName: 'Account', referenceTo: ['Account'] }),
        field('Worth__c', { formula: 'TEXT( Account . AnnualRevenue )' }),
        field('Mail__c', { formula: 'LOWER(Email)' }),
      ],
    },
  } as never; // the parts of a describe that the check reads
  const describeOf = async (object: string) => {
    const found = Object.hasOwn(describes, object.toLowerCase()) ? describes[object.toLowerCase()] : undefined;
    if (found === undefined) throw new GatehouseError('not_found', 'There is none.', { next: '' });
    return { ...found, label: '', keyPrefix: null, childRelationships: [] };
  };

  it('is named when the policy is saved, on its own object and through a path [K9]', async () => {
    const parsed = parsePolicy({
      objects: { Account: { denyFields: ['AnnualRevenue'] }, Contact: { maskFields: ['Email'] } },
    });
    const { warnings, problems } = await checkNames('policy' in parsed ? parsed.policy : shipped, [], describeOf);
    expect(problems).toEqual([]);
    expect(warnings.map(({ problem }) => problem.split(',')[0]).filter((text) => text?.includes('formula'))).toEqual([
      'Account.Copy__c is a formula over Account.AnnualRevenue',
      'Contact.Worth__c is a formula over Account.AnnualRevenue',
      'Contact.Mail__c is a formula over Contact.Email',
    ]);
  });

  it('is not named once it is denied itself, and a default lookup that is missing is a warning [K9 H3]', async () => {
    const parsed = parsePolicy({ objects: { Account: { denyFields: ['AnnualRevenue', 'Copy__c'] } } });
    const { warnings, problems } = await checkNames('policy' in parsed ? parsed.policy : shipped, [], describeOf);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      { name: 'lookups.accountKey', problem: expect.stringContaining('Account_Key__c is no field of Account') },
    ]);
  });
});
