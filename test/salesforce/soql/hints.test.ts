import { describe, expect, it } from 'vitest';
import { pass, refusal, underPolicy } from './fixtures.ts';

// What a model writes, the code it hears, a word of the cure, and the repaired query it should then write.
const mistakes: readonly (readonly [q: string, code: string, cure: string, repaired: string])[] = [
  [
    'SELECT Id FROM Account WHERE Name = "Acme"',
    'double_quotes',
    'single quotes',
    "SELECT Id FROM Account WHERE Name = 'Acme'",
  ],
  ['SELECT * FROM Account', 'select_star', 'Name the fields', 'SELECT Id, Name FROM Account'],
  ['SELECT COUNT(*) FROM Account', 'count_star', 'COUNT()', 'SELECT COUNT() FROM Account'],
  ['SELECT Id FROM Contact WHERE Email IS NULL', 'is_null', '= null', 'SELECT Id FROM Contact WHERE Email = null'],
  [
    'SELECT Id FROM Contact WHERE Email IS NOT NULL',
    'is_null',
    '!= null',
    'SELECT Id FROM Contact WHERE Email != null',
  ],
  ['SELECT Id FROM Contact WHERE Email NOT NULL', 'is_null', '!= null', 'SELECT Id FROM Contact WHERE Email != null'],
  [
    'SELECT Id FROM Contact WHERE Email !== null',
    'not_operator',
    '!= null',
    'SELECT Id FROM Contact WHERE Email <> null',
  ],
  [
    "SELECT Id FROM Account WHERE CreatedDate > '2026-01-31'",
    'quoted_date',
    '2026-01-31 without quotes',
    'SELECT Id FROM Account WHERE CreatedDate > 2026-01-31',
  ],
  [
    "SELECT Id FROM Account WHERE CreatedDate IN ('2026-01-31')",
    'quoted_date',
    'without quotes',
    'SELECT Id FROM Account WHERE CreatedDate IN (2026-01-31)',
  ],
  [
    'SELECT Id FROM Account WHERE CreatedDate > 2026-1-31',
    'bad_date',
    '2026-01-31',
    'SELECT Id FROM Account WHERE CreatedDate > 2026-01-31',
  ],
  [
    'SELECT Id FROM Account WHERE CreatedDate > 31/01/2026',
    'bad_date',
    '2026-01-31',
    'SELECT Id FROM Account WHERE CreatedDate > 2026-01-31',
  ],
  [
    'SELECT Id FROM Account WHERE CreatedDate > 2026-01-31T09:00',
    'bad_date',
    'T09:00:00Z',
    'SELECT Id FROM Account WHERE CreatedDate > 2026-01-31T09:00:00Z',
  ],
  [
    'SELECT a.Id FROM Account a JOIN Contact c ON c.AccountId = a.Id',
    'no_join',
    'sub-query',
    'SELECT Id, (SELECT Id FROM Contacts) FROM Account',
  ],
  [
    'SELECT a.Id FROM Account a LEFT JOIN Contact c ON c.AccountId = a.Id',
    'no_join',
    'path',
    'SELECT Id, Account.Name FROM Contact',
  ],
  ['SELECT a.Id FROM Account a ON x', 'no_join', 'path', 'SELECT Id FROM Account a'],
  [
    'SELECT a.Id FROM Account a, Contact c',
    'one_object',
    'sub-query',
    'SELECT Id, (SELECT Id FROM Contacts) FROM Account',
  ],
  ['SELECT `Id` FROM `Account`', 'back_ticks', 'back-ticks', 'SELECT Id FROM Account'],
  ['SELECT [Id] FROM [Account]', 'brackets', 'Remove', 'SELECT Id FROM Account'],
  [
    "SELECT Id FROM Account WHERE Name ILIKE '%acme%'",
    'use_like',
    'LIKE',
    "SELECT Id FROM Account WHERE Name LIKE '%acme%'",
  ],
  ["SELECT Id FROM Account WHERE Name == 'Acme'", 'double_equals', '=', "SELECT Id FROM Account WHERE Name = 'Acme'"],
  ['SELECT Id FROM Account;', 'semicolon', 'Remove the semicolon', 'SELECT Id FROM Account'],
  [
    'SELECT Id FROM Account WHERE Industry = Technology',
    'unquoted_value',
    'single quotes',
    "SELECT Id FROM Account WHERE Industry = 'Technology'",
  ],
  ['SELECT TOP 5 Id FROM Account', 'no_top', 'LIMIT', 'SELECT Id FROM Account LIMIT 5'],
  [
    'SELECT DISTINCT Industry FROM Account',
    'no_distinct',
    'GROUP BY',
    'SELECT Industry FROM Account GROUP BY Industry',
  ],
  [
    'SELECT COUNT(DISTINCT Industry) FROM Account',
    'no_distinct',
    'COUNT_DISTINCT',
    'SELECT COUNT_DISTINCT(Industry) FROM Account',
  ],
  [
    'SELECT Id FROM Opportunity WHERE Amount BETWEEN 1 AND 5',
    'no_between',
    '>= low AND',
    'SELECT Id FROM Opportunity WHERE Amount >= 1 AND Amount <= 5',
  ],
  [
    "SELECT CASE WHEN Amount > 1 THEN 'a' END FROM Opportunity",
    'no_case',
    'Select the fields',
    'SELECT Amount FROM Opportunity',
  ],
  [
    "SELECT Id FROM Account WHERE Name NOT LIKE 'Acme%'",
    'not_like',
    '(NOT Name',
    "SELECT Id FROM Account WHERE (NOT Name LIKE 'Acme%')",
  ],
  [
    "SELECT Id FROM Contact WHERE LastName = 'O''Brien'",
    'doubled_quote',
    "\\'",
    "SELECT Id FROM Contact WHERE LastName = 'O\\'Brien'",
  ],
  [
    'SELECT Id FROM Account WHERE Name = \u2018Acme\u2019',
    'curly_quotes',
    "'Acme'",
    "SELECT Id FROM Account WHERE Name = 'Acme'",
  ],
  ['SELECT COUNT(Id) AS total FROM Account', 'no_as', 'COUNT(Id) total', 'SELECT COUNT(Id) total FROM Account'],
  [
    "SELECT Id FROM Account WHERE Name = 'a' AND Type = 'b' OR Type = 'c'",
    'mixed_and_or',
    'parentheses',
    "SELECT Id FROM Account WHERE Name = 'a' AND (Type = 'b' OR Type = 'c')",
  ],
  [
    'SELECT Id FROM Account WHERE CreatedDate > LAST_7_DAYS',
    'unknown_date_literal',
    'LAST_N_DAYS:30',
    'SELECT Id FROM Account WHERE CreatedDate > LAST_N_DAYS:7',
  ],
  [
    'SELECT Id FROM Account WHERE CreatedDate > LAST_N_HOURS:4',
    'unknown_date_literal',
    'datetime',
    'SELECT Id FROM Account WHERE CreatedDate > 2026-01-31T09:00:00Z',
  ],
  [
    'SELECT Id FROM Account WHERE Name = :name',
    'bind_variable',
    'the value',
    "SELECT Id FROM Account WHERE Name = 'Acme'",
  ],
  [
    "SELECT Id FROM Account LIMIT 5 WHERE Name = 'a'",
    'clause_order',
    'Keep the order',
    "SELECT Id FROM Account WHERE Name = 'a' LIMIT 5",
  ],
  ['SELECT Id FROM Account -- newest', 'comment', 'Remove the comment', 'SELECT Id FROM Account'],
  ['FIND {Acme} IN ALL FIELDS', 'not_select', 'LIKE', "SELECT Id FROM Account WHERE Name LIKE '%Acme%'"],
  ['SELECT Owner FROM Account', 'relationship_not_field', 'OwnerId', 'SELECT OwnerId FROM Account'],
  [
    'SELECT Id, (SELECT Id FROM Contact) FROM Account',
    'unknown_relationship',
    'plural',
    'SELECT Id, (SELECT Id FROM Contacts) FROM Account',
  ],
  [
    'SELECT Id FROM Account WHERE EXISTS (SELECT Id FROM Contact)',
    'no_exists',
    'IN (SELECT',
    'SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)',
  ],
  [
    'SELECT FIELDS(ALL) FROM Account LIMIT 5',
    'name_the_fields',
    'Name the fields',
    'SELECT Id, Name FROM Account LIMIT 5',
  ],
  [
    'SELECT Name FROM Account HAVING COUNT(Id) > 1',
    'having_without_group',
    'GROUP BY',
    'SELECT Name FROM Account GROUP BY Name HAVING COUNT(Id) > 1',
  ],
  [
    'SELECT Name FROM Account WHERE COUNT(Id) > 1',
    'aggregate_in_where',
    'HAVING',
    'SELECT Name FROM Account GROUP BY Name HAVING COUNT(Id) > 1',
  ],
  [
    'SELECT Id FROM Opportunity WHERE Amount > 1e6',
    'bad_number',
    'plain digits',
    'SELECT Id FROM Opportunity WHERE Amount > 1000000',
  ],
];

describe('common mistakes of a model', () => {
  it.each(mistakes)('%s is answered with %s [Q1]', (q, code, cure, repaired) => {
    const refused = refusal(underPolicy(q));
    expect(refused.code).toBe(code);
    expect(refused.next).toContain(cure);
    expect(pass(underPolicy(repaired)).send).toContain('SELECT');
  });

  it('points at the place of the mistake [Q1]', () => {
    expect(refusal(underPolicy('SELECT Id FROM Account WHERE Name = "Acme"')).position).toBe(36);
    expect(refusal(underPolicy("SELECT Id, Owner.Name FROM Account WHERE Name = 'a'")).position).toBe(11);
    expect(refusal(underPolicy('SELECT Id FROM Account WHERE')).position).toBe(28);
  });
});
