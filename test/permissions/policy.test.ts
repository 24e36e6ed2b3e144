import { describe, expect, it } from 'vitest';
import {
  holds,
  isActionPermission,
  OPERATOR_PERMISSIONS,
  SALESFORCE_ACTIONS,
  shippedRole,
} from '../../permissions/catalog.ts';
import { decideCall, type Facts, policyFor } from '../../permissions/decide.ts';
import { type Policy, parsePolicy, shippedPolicy } from '../../permissions/policy.ts';
import { type Audience, grantWarnings, PROFILES } from '../../permissions/profiles.ts';

const NOTHING: Facts = {
  changes: [],
  sensitive: [],
  duplicates: 0,
  warnings: 0,
  runsThisHour: 0,
  environment: 'simulated',
};
const UPDATE = { name: 'UpdateOpportunity', risk: 'destructive' } as const;

function decide(
  policy: Policy,
  action: { name: string; risk: 'read' | 'write' | 'destructive' },
  audience: Audience,
  facts: Facts,
) {
  return decideCall({ action, actionPolicy: policyFor(policy, action.name) }, { policy, audience }, facts);
}

function withAction(name: string, own: unknown, more: object = {}): Policy {
  const parsed = parsePolicy({ actions: { [name]: own }, ...more });
  if (!('policy' in parsed)) throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

describe('the catalogue', () => {
  it('holds the six actions of bots apart from what only humans hold [P1]', () => {
    const six = ['CREATE_LEAD', 'READ_ACCOUNT', 'UPDATE_OPPORTUNITY', 'RUN_SOQL', 'SYNC_PARTY', 'SYNC_CASE'];
    expect(SALESFORCE_ACTIONS).toEqual(expect.arrayContaining(six));
    for (const permission of OPERATOR_PERMISSIONS) expect(isActionPermission(permission)).toBe(false);
    expect(OPERATOR_PERMISSIONS).toEqual(
      expect.arrayContaining(['CREATE_OAUTH', 'READ_INTEGRATIONS', 'DELETE_INTEGRATIONS']),
    );
  });

  it('gives approvers decisions but no connections, viewers neither [P4]', () => {
    const roleHolds = (name: string, permission: (typeof OPERATOR_PERMISSIONS)[number]) =>
      holds(shippedRole(name) ?? expect.fail('no such role'), permission);
    expect(roleHolds('approver', 'DECIDE_PROPOSALS')).toBe(true);
    expect(roleHolds('approver', 'CREATE_OAUTH')).toBe(false);
    expect(roleHolds('viewer', 'DECIDE_PROPOSALS')).toBe(false);
    for (const permission of OPERATOR_PERMISSIONS) expect(roleHolds('admin', permission)).toBe(true);
  });

  it('ships the public profile with two grants and warns of the wide ones [P3]', () => {
    expect(PROFILES.public.grants).toEqual(['CREATE_LEAD', 'READ_ACCOUNT']);
    expect(grantWarnings('public', 'RUN_SOQL')).toHaveLength(1);
    expect(grantWarnings('public', 'UPDATE_OPPORTUNITY')).toHaveLength(1);
    for (const permission of SALESFORCE_ACTIONS)
      expect(grantWarnings('public', permission), permission).toHaveLength(
        ['CREATE_LEAD', 'READ_ACCOUNT'].includes(permission) ? 0 : 1,
      );
    expect(grantWarnings('internal', 'RUN_SOQL')).toEqual([]);
  });
});

describe('a policy file', () => {
  it('names every unknown or mistyped key with its place [C1]', () => {
    const parsed = parsePolicy({
      mode: 'readonly',
      aktions: {},
      actions: {
        UpdateOpportunity: {
          decision: 'confrim',
          rules: [
            { if: { amountOver: 5 }, then: 'confirm' },
            { if: {}, then: 'deny' },
            { if: { amountAbove: '5' }, then: 'maybe' },
          ],
        },
      },
      objects: { 'Account;': { read: true }, Lead: { readable: true } },
    });
    expect('problems' in parsed && parsed.problems.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'mode',
        'aktions',
        'actions.UpdateOpportunity.decision',
        'actions.UpdateOpportunity.rules[0].if.amountOver',
        'actions.UpdateOpportunity.rules[1].if',
        'actions.UpdateOpportunity.rules[2].if.amountAbove',
        'actions.UpdateOpportunity.rules[2].then',
        'objects.Account;',
        'objects.Lead.readable',
      ]),
    );
  });

  const update = (more: object) => ({ actions: { UpdateOpportunity: { decision: 'confirm', ...more } } });
  const rule = (condition: unknown, more: object = {}) =>
    update({ rules: [{ if: condition, then: 'confirm', ...more }] });
  const IF = 'actions.UpdateOpportunity.rules[0].if';

  it.each<[string, unknown, string]>([
    ['no object', null, '(top)'],
    ['a list', [], '(top)'],
    ['a text', 'off', '(top)'],
    ['a key of another case', { Mode: 'off' }, 'Mode'],
    ['a mode that there is not', { mode: 'read_only' }, 'mode'],
    ['a switch that is no list', { off: 'CreateLead' }, 'off'],
    ['an empty switch', { off: [''] }, 'off[0]'],
    ['a switch for no action', { off: ['CreateLead', 'CreateLaed'] }, 'off[1]'],
    [
      'an action that there is not',
      { actions: { UpdateOpportunities: { decision: 'deny' } } },
      'actions.UpdateOpportunities',
    ],
    ['an action name of another case', { actions: { createLead: { decision: 'deny' } } }, 'actions.createLead'],
    ['an action without a decision', { actions: { CreateLead: {} } }, 'actions.CreateLead.decision'],
    ['a decision that there is not', { actions: { CreateLead: { decision: 'ask' } } }, 'actions.CreateLead.decision'],
    ['an action that is no object', { actions: { CreateLead: 'deny' } }, 'actions.CreateLead'],
    ['an assurance that there is not', update({ assurance: 'two-person' }), 'actions.UpdateOpportunity.assurance'],
    ['a rule without a condition', rule({}), IF],
    [
      'a rule without an end',
      update({ rules: [{ if: { amountAbove: 1 } }] }),
      'actions.UpdateOpportunity.rules[0].then',
    ],
    [
      'a rule that hides the action',
      rule({ amountAbove: 1 }, { then: 'never' }),
      'actions.UpdateOpportunity.rules[0].then',
    ],
    ['a rule with a third key', rule({ amountAbove: 1 }, { else: 'auto' }), 'actions.UpdateOpportunity.rules[0].else'],
    ['a condition that there is not', rule({ amountOver: 1 }), `${IF}.amountOver`],
    ['a limit as text', rule({ amountAbove: '1000' }), `${IF}.amountAbove`],
    ['a limit that is no number', rule({ amountAbove: Number.NaN }), `${IF}.amountAbove`],
    ['a limit without an end', rule({ amountAbove: Number.POSITIVE_INFINITY }), `${IF}.amountAbove`],
    ['a change below nothing', rule({ amountChangeAbove: -1 }), `${IF}.amountChangeAbove`],
    ['half a day', rule({ closeDateShiftDaysAbove: 0.5 }), `${IF}.closeDateShiftDaysAbove`],
    ['no stage', rule({ stageIn: [] }), `${IF}.stageIn`],
    ['a stage that is no list', rule({ stageIn: 'Closed Won' }), `${IF}.stageIn`],
    ['a label for an API name', rule({ fieldIn: ['Next Step'] }), `${IF}.fieldIn[0]`],
    ['a condition switched off', rule({ duplicates: false }), `${IF}.duplicates`],
    ['a class that there is not', rule({ queryClass: 'heavy' }), `${IF}.queryClass`],
    ['an environment that there is not', rule({ environment: 'prod' }), `${IF}.environment`],
    ['a path as an open field', update({ autoFields: ['Account.Name'] }), 'actions.UpdateOpportunity.autoFields[0]'],
    [
      'an input without a type',
      update({ expose: [{ field: 'Type', describe: 'x' }] }),
      'actions.UpdateOpportunity.expose[0].type',
    ],
    ['an object with a typo in its key', { objects: { Account: { raed: true } } }, 'objects.Account.raed'],
    ['a right as text', { objects: { Account: { read: 'true' } } }, 'objects.Account.read'],
    ['an object that is no name', { objects: { 'Account;': {} } }, 'objects.Account;'],
    ['no time to decide', { proposals: { expiresMinutes: 0 } }, 'proposals.expiresMinutes'],
    ['more than a month to decide', { proposals: { expiresMinutes: 43_201 } }, 'proposals.expiresMinutes'],
    ['no time for one action', update({ expiresMinutes: 0 }), 'actions.UpdateOpportunity.expiresMinutes'],
    ['more than a month for one', update({ expiresMinutes: 43_201 }), 'actions.UpdateOpportunity.expiresMinutes'],
    ['more rows than a page', { soql: { maxRows: 2001 } }, 'soql.maxRows'],
    ['a lookup by a path', { lookups: { accountKey: 'Parent.Key__c' } }, 'lookups.accountKey'],
    ['a hundred thousand switches', { off: Array.from({ length: 100_000 }, () => 'Nothing') }, 'off[0]'],
  ])('refuses %s, with its place [C1]', (_, value, place) => {
    const parsed = parsePolicy(value, ['CreateLead', 'UpdateOpportunity']);
    expect('problems' in parsed && parsed.problems.map(({ name }) => name)).toContain(place);
  });

  it('accepts what it ships, unchanged, for both audiences [C1]', () => {
    for (const audience of ['public', 'internal'] as const) {
      const shipped = shippedPolicy(audience);
      expect(parsePolicy(shipped)).toEqual({ policy: shipped });
    }
  });

  it('opens the ten objects and no other to a query [P5]', () => {
    expect(Object.keys(shippedPolicy('internal').objects).sort()).toEqual(
      [
        'Account',
        'Campaign',
        'Case',
        'Contact',
        'Event',
        'Lead',
        'Opportunity',
        'OpportunityContactRole',
        'Product2',
        'Task',
      ].sort(),
    );
  });
});

describe('a decision', () => {
  it('lets a shipped read run, asks for an update and for what no policy names [C1 U6]', () => {
    const policy = shippedPolicy('internal');
    expect(decide(policy, { name: 'GetAccount', risk: 'read' }, 'internal', NOTHING).decision).toBe('auto');
    expect(decide(policy, UPDATE, 'internal', NOTHING).decision).toBe('confirm');
    expect(decide(policy, { name: 'DropTable', risk: 'read' }, 'internal', NOTHING).decision).toBe('confirm');
    for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty'])
      expect(decide(policy, { name, risk: 'read' }, 'internal', NOTHING).decision).toBe('confirm');
  });

  it('asks about a lead over the rate and about look-alikes [C1]', () => {
    const policy = shippedPolicy('internal');
    const lead = { name: 'CreateLead', risk: 'write' } as const;
    expect(decide(policy, lead, 'internal', { ...NOTHING, runsThisHour: 19 }).decision).toBe('auto');
    expect(decide(policy, lead, 'internal', { ...NOTHING, runsThisHour: 20 })).toMatchObject({
      decision: 'confirm',
      reasons: ['It already ran 20 times in the past hour.'],
    });
    expect(decide(policy, lead, 'internal', { ...NOTHING, duplicates: 2 }).decision).toBe('confirm');
  });

  it('takes the strictest of the rules that hold, with its assurance and every reason [C1]', () => {
    const policy = withAction('UpdateOpportunity', {
      decision: 'auto',
      rules: [
        { if: { amountAbove: 1000 }, then: 'confirm' },
        { if: { stageIn: ['Closed Won'] }, then: 'confirm', assurance: 'session' },
        { if: { amountChangeAbove: 1_000_000 }, then: 'deny' },
        { if: { closeDateShiftDaysAbove: 30 }, then: 'confirm' },
      ],
    });
    const to = (field: string, before: unknown, after: unknown) => ({
      ...NOTHING,
      changes: [{ field, before, after }],
    });
    expect(decide(policy, UPDATE, 'internal', to('Amount', 500, 900)).decision).toBe('auto');
    expect(decide(policy, UPDATE, 'internal', to('Amount', 500, 1001))).toMatchObject({
      decision: 'confirm',
      assurance: 'client',
    });
    expect(decide(policy, UPDATE, 'internal', to('StageName', 'Open', 'closed won'))).toMatchObject({
      assurance: 'session',
    });
    expect(decide(policy, UPDATE, 'internal', to('Amount', null, 1_000_001)).decision).toBe('deny');
    expect(decide(policy, UPDATE, 'internal', to('CloseDate', '2026-01-01', '2026-01-31')).decision).toBe('auto');
    expect(decide(policy, UPDATE, 'internal', to('CloseDate', '2026-01-01', '2026-02-01')).decision).toBe('confirm');
    expect(decide(policy, UPDATE, 'internal', to('CloseDate', null, '2026-02-01')).decision).toBe('confirm');
  });

  it('says of a denial why, and nothing of a person who would be asked [K12 C1]', () => {
    const policy = withAction('UpdateOpportunity', {
      decision: 'confirm',
      rules: [
        { if: { amountAbove: 10 }, then: 'confirm' },
        { if: { amountAbove: 100 }, then: 'deny' },
        { if: { stageIn: ['Closed Lost'] }, then: 'deny' },
      ],
    });
    const met = decide(policy, UPDATE, 'internal', {
      ...NOTHING,
      changes: [{ field: 'Amount', before: 1, after: 1000 }],
    });
    expect(met).toMatchObject({ decision: 'deny', reasons: ['The amount is above 100.'] });
  });

  it.each<[string, object, string, unknown]>([
    ['fieldIn', { fieldIn: ['amount'] }, 'Amount', 5],
    ['fieldIn of a joined field', { fieldIn: ['LASTNAME'] }, 'FirstName+LastName', 'x'],
    ['stageIn', { stageIn: [' closed won'] }, 'StageName', 'Closed Won'],
    ['amountAbove of a field in another case', { amountAbove: 1 }, 'amount', 5],
    ['closeDateShiftDaysAbove', { closeDateShiftDaysAbove: 1 }, 'closedate', '2030-01-01'],
  ])('minds no case in %s [K11]', (_, condition, field, after) => {
    const policy = withAction('UpdateOpportunity', { decision: 'auto', rules: [{ if: condition, then: 'deny' }] });
    const facts = { ...NOTHING, changes: [{ field, before: '2026-01-01', after }] };
    expect(decide(policy, UPDATE, 'internal', facts).decision).toBe('deny');
    const low = withAction('UpdateOpportunity', {
      decision: 'confirm',
      autoFields: ['AMOUNT', 'firstname', 'lastname', 'stagename', 'closedate'],
    });
    expect(decide(low, UPDATE, 'internal', facts).decision).toBe('auto');
  });

  it.each([
    ['LastName', 'Name'],
    ['MailingCity', 'MailingAddress'],
    ['StageName', 'Probability'],
    ['StageName', 'iswon'],
    ['Amount', 'ExpectedRevenue'],
    ['CloseDate', 'FiscalYear'],
    ['FirstName+LastName', 'Name'],
    ['Account.Name', 'AccountId'],
  ])('a rule holds for whatever a change of %s changes: %s [K11]', (field, named) => {
    const policy = withAction('UpdateOpportunity', {
      decision: 'auto',
      rules: [{ if: { fieldIn: [named] }, then: 'deny' }],
    });
    const facts = { ...NOTHING, changes: [{ field, before: 'a', after: 'b' }] };
    expect(decide(policy, UPDATE, 'internal', facts).decision).toBe('deny');
    expect(
      decide(policy, UPDATE, 'internal', { ...NOTHING, changes: [{ ...facts.changes[0]!, field: 'Title' }] }).decision,
    ).toBe('auto');
  });

  it('knows the fields of sync in their joined and dotted forms [C1]', () => {
    const policy = withAction('SyncCase', {
      decision: 'auto',
      rules: [{ if: { fieldIn: ['Email', 'LastName'] }, then: 'confirm' }],
    });
    const sync = { name: 'SyncCase', risk: 'write' } as const;
    const change = (field: string) => ({ ...NOTHING, changes: [{ field, before: null, after: 'x' }] });
    expect(decide(policy, sync, 'internal', change('FirstName+LastName')).decision).toBe('confirm');
    expect(decide(policy, sync, 'internal', change('Contact.Email')).decision).toBe('confirm');
    expect(decide(policy, sync, 'internal', change('Contact.Phone')).decision).toBe('auto');
  });

  it('lets named low-risk fields through alone, and together with others not [C1]', () => {
    const policy = withAction('UpdateOpportunity', { decision: 'confirm', autoFields: ['NextStep'] });
    const change = (field: string) => ({ field, before: 'a', after: 'b' });
    expect(decide(policy, UPDATE, 'internal', { ...NOTHING, changes: [change('NextStep')] }).decision).toBe('auto');
    expect(
      decide(policy, UPDATE, 'internal', { ...NOTHING, changes: [change('NextStep'), change('StageName')] }).decision,
    ).toBe('confirm');
    expect(decide(policy, UPDATE, 'internal', NOTHING).decision).toBe('confirm');
  });

  it('asks for every write in the mode ask, and for none of the reads [P5]', () => {
    const policy = withAction('CreateLead', { decision: 'auto' }, { mode: 'ask' });
    expect(decide(policy, { name: 'CreateLead', risk: 'write' }, 'internal', NOTHING).decision).toBe('confirm');
    const reads = withAction('GetAccount', { decision: 'auto' }, { mode: 'ask' });
    expect(decide(reads, { name: 'GetAccount', risk: 'read' }, 'internal', NOTHING).decision).toBe('auto');
  });

  it('takes nothing less than a signed-in approver for a public bot [C4]', () => {
    const policy = withAction('CreateLead', { decision: 'confirm', assurance: 'client' });
    expect(decide(policy, { name: 'CreateLead', risk: 'write' }, 'public', NOTHING).assurance).toBe('session');
  });
});
