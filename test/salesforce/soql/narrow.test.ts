import { describe, expect, it } from 'vitest';
import { parsePolicyFile } from '../../../src/cli/soql-policy-file.ts';
import { createGuard, guardSoql, type SoqlVerdict } from '../../../src/salesforce/soql/guard.ts';
import { createWorld } from '../../support/world.ts';

/** Event.WhatId of a real org leads to eighty objects, of which a bot may see a few. */
const targets = ['Account', 'Opportunity', 'Case', ...Array.from({ length: 77 }, (_, n) => `Other${n}__c`)];
const file = {
  allowObjects: ['Account', 'Opportunity', 'Event', 'Task', 'Contact', 'Lead'],
  denyFields: ['Opportunity.Amount'],
  maxRows: 200,
  maxChildRows: 50,
  maxOffset: 0,
  maxLength: 4000,
  schema: {
    Event: { parents: { What: targets, Who: ['Contact', 'Lead'], Owner: ['Calendar', 'User'] } },
    Account: { children: { Events: 'Event' }, parents: { Owner: ['User'] } },
    Lead: { parents: { Owner: ['Group', 'User'] } },
  },
};
const guard = createGuard(parsePolicyFile(file));
const sent = (verdict: SoqlVerdict) => (verdict.ok ? verdict.send : `${verdict.code}: ${verdict.rule}`);
const ONLY = "(WhatId = null OR What.Type IN ('Account', 'Opportunity'))";

describe('the name of a parent of many kinds', () => {
  it.each([
    ['SELECT Subject, What.Name FROM Event', `SELECT Subject, What.Name FROM Event WHERE ${ONLY} LIMIT 200`],
    [
      "SELECT What.Name FROM Event WHERE WhoId = '003000000000001' OR IsAllDayEvent = true ORDER BY What.Name LIMIT 5",
      `SELECT What.Name FROM Event WHERE (WhoId = '003000000000001' OR IsAllDayEvent = true) AND ${ONLY} ORDER BY What.Name LIMIT 5`,
    ],
    [
      "SELECT Id FROM Event WHERE What.Name LIKE 'A%'",
      `SELECT Id FROM Event WHERE (What.Name LIKE 'A%') AND ${ONLY} LIMIT 200`,
    ],
    [
      'SELECT What.Type, COUNT(Id) FROM Event GROUP BY What.Type',
      `SELECT What.Type, COUNT(Id) FROM Event WHERE ${ONLY} GROUP BY What.Type LIMIT 200`,
    ],
    [
      'SELECT e.What.Id FROM Event e',
      "SELECT e.What.Id FROM Event e WHERE (e.WhatId = null OR e.What.Type IN ('Account', 'Opportunity')) LIMIT 200",
    ],
    [
      'SELECT Id, (SELECT What.Name FROM Events) FROM Account',
      `SELECT Id, (SELECT What.Name FROM Events WHERE ${ONLY} LIMIT 50) FROM Account LIMIT 200`,
    ],
    [
      "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Event WHERE What.Name = 'x')",
      `SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Event WHERE (What.Name = 'x') AND ${ONLY}) LIMIT 200`,
    ],
    // The model's own condition is known as one.
    [
      "SELECT What.Name FROM Event WHERE What.Type = 'Account'",
      "SELECT What.Name FROM Event WHERE What.Type = 'Account' LIMIT 200",
    ],
    [`SELECT What.Name FROM Event WHERE ${ONLY}`, `SELECT What.Name FROM Event WHERE ${ONLY} LIMIT 200`],
    ['SELECT Who.Name FROM Event', 'SELECT Who.Name FROM Event LIMIT 200'],
  ])('%s is asked of open kinds alone [H4]', (q, send) => {
    const verdict = guard(q);
    expect(sent(verdict)).toBe(send);
    expect(sent(guard(send)), 'what is sent passes again, as it is').toBe(send);
    if (verdict.ok) expect(verdict.note === undefined).toBe(q.split('Type IN').length === send.split('Type IN').length);
  });

  it.each([
    ["SELECT What.Name FROM Event WHERE What.Type IN ('Account', 'Case')", 'object_not_open'],
    ["SELECT What.Name FROM Event WHERE What.Type = 'Other3__c'", 'object_not_open'],
    ['SELECT What.Amount FROM Event', 'field_not_open'],
    ["SELECT What.Amount FROM Event WHERE What.Type = 'Opportunity'", 'field_not_open'],
    ['SELECT What.Owner.Name FROM Event', 'object_not_open'],
    ['SELECT Owner.Name FROM Event', 'object_not_open'],
    ['SELECT TYPEOF What WHEN Case THEN Subject END FROM Event', 'object_not_open'],
  ])('%s stays closed [H4]', (q, code) => {
    expect(guard(q)).toMatchObject({ ok: false, code });
  });

  it.each([
    // None of these says that every row is of an open kind.
    "SELECT What.Name FROM Event WHERE What.Type != 'Case'",
    "SELECT What.Name FROM Event WHERE What.Type = 'Account' OR Subject = 'x'",
    "SELECT What.Name FROM Event WHERE NOT What.Type = 'Account'",
    "SELECT What.Name FROM Event WHERE (WhoId = null OR What.Type IN ('Account'))",
    "SELECT What.Name FROM Event WHERE What.Type NOT IN ('Account')",
  ])('is narrowed by the guard where the query does not do it: %s [H4]', (q) => {
    expect(sent(guard(q))).toContain(`AND ${ONLY}`);
  });

  it('counts as one object, and an owner’s name is shown where the policy says so [H4]', () => {
    const one = guard("SELECT Subject, What.Name FROM Event WHERE Id = '00U000000000001'");
    expect(one).toMatchObject({
      ok: true,
      class: 'trivial',
      note: expect.stringContaining('What is Account, Opportunity or empty'),
    });
    const open = createGuard(parsePolicyFile({ ...file, allowOwnerFields: ['name'] }));
    for (const q of [
      'SELECT Owner.Name FROM Event',
      'SELECT Owner.Name FROM Lead',
      'SELECT Account.Owner.Name FROM Account',
    ])
      expect(sent(open(q))).toBe(`${q} LIMIT 200`);
    expect(open('SELECT Owner.Email FROM Event')).toMatchObject({ ok: false, code: 'field_not_open' });
  });

  it('works on the live road, with owners by policy and date literals of the org [H4 V10]', async () => {
    await using world = await createWorld({
      policy: (policy) => ({
        ...policy,
        actions: { ...policy.actions, RunSOQL: { ...policy.actions.RunSOQL!, rules: [] } },
        objects: { Account: policy.objects.Account!, Task: policy.objects.Task! },
        soql: { ...policy.soql, allowOwnerFields: ['Name'], dateLiterals: ['LAST_N_HOURS'] },
      }),
    });
    const [account] = await world.records('Account');
    await world.sim('POST', 'records/Task', { Subject: 'Call', Status: 'Not Started', WhatId: account?.Id });
    const seen = await world.call('RunSOQL', { soql: "SELECT Subject, What.Name FROM Task WHERE Subject = 'Call'" });
    expect(seen).toMatchObject({
      status: 'done',
      result: { rows: [{ 'What.Name': account?.Name }], note: expect.stringContaining('What is Account or empty') },
    });
    const owners = await world.call('RunSOQL', { soql: 'SELECT Name, Owner.Name FROM Account LIMIT 1' });
    expect(owners).toMatchObject({ status: 'done', result: { rows: [{ 'Owner.Name': expect.any(String) }] } });
    const refused = await world.refusal('RunSOQL', { soql: 'SELECT Id FROM Task WHERE CreatedDate = LAST_N_HOURS:5' });
    expect(refused.message, 'the guard lets it through; this org itself does not know it').not.toContain(
      'not a date literal',
    );
  });
});

describe('a date that SOQL has no literal for', () => {
  const now = Date.parse('2026-11-28T14:20:00.500Z');
  const next = (condition: string) => {
    const verdict = guardSoql(`SELECT Id FROM Account WHERE ${condition}`, { now });
    return verdict.ok ? 'passes' : verdict.next;
  };

  it.each([
    ['CreatedDate = LAST_N_HOURS:5', 'Write CreatedDate >= 2026-11-28T09:20:00Z'],
    ['CreatedDate >= LAST_N_HOURS:5', 'Write CreatedDate >= 2026-11-28T09:20:00Z'],
    ['Account.CreatedDate > N_HOURS_AGO:2', 'Write Account.CreatedDate > 2026-11-28T12:20:00Z'],
    ['CreatedDate < LAST_N_MINUTES:90', 'Write CreatedDate < 2026-11-28T12:50:00Z'],
    ['CreatedDate = LAST_24_HOURS', 'Write CreatedDate >= 2026-11-27T14:20:00Z'],
    ['CreatedDate = LAST_HOUR', 'Write CreatedDate >= 2026-11-28T13:20:00Z'],
    ['CreatedDate <= NOW', 'Write CreatedDate <= 2026-11-28T14:20:00Z'],
    [
      'NextStepAt__c = NEXT_N_HOURS:1',
      'Write NextStepAt__c >= 2026-11-28T14:20:00Z AND NextStepAt__c <= 2026-11-28T15:20:00Z',
    ],
    ['CloseDate = LAST_7_DAYS', 'Write CloseDate = LAST_N_DAYS:7'],
    ['CloseDate = CURRENT_DATE', 'Write CloseDate = TODAY'],
  ])('%s comes back as a condition that works [V10]', (condition, said) => {
    expect(next(condition)).toBe(said);
    expect(next(said.replace('Write ', ''))).toBe('passes');
  });

  it('is told from the clock of the connection [V10]', async () => {
    await using world = await createWorld();
    const refusal = await world.refusal('RunSOQL', { soql: 'SELECT Id FROM Task WHERE CreatedDate = LAST_N_HOURS:5' });
    const written = Date.parse(/>= (\S+Z)/.exec(refusal.next)?.[1] ?? '');
    expect(Math.abs(world.clock.now - 5 * 3_600_000 - written)).toBeLessThan(5_000);
  });
});
