import { describe, expect, it } from 'vitest';
import { parsePolicyFile } from '../../../src/cli/soql-policy-file.ts';
import { createGuard } from '../../../src/salesforce/soql/guard.ts';
import { pass, underPolicy } from './fixtures.ts';

const id = "'001000000000001AAA'";

describe('a trivial query', () => {
  it.each([
    ['one record by Id', `SELECT Name, Phone FROM Account WHERE Id = ${id}`],
    ['a few records by Id', `SELECT Name FROM Account WHERE Id IN (${id}, '001000000000002AAA')`],
    ['a named record, few rows', "SELECT Id FROM Account WHERE Name = 'Acme' LIMIT 10"],
    ['by e-mail, with its parent', "SELECT Id, Account.Name FROM Contact WHERE Email = 'a@b.example' LIMIT 50"],
    ['by a lookup', `SELECT Id FROM Contact WHERE AccountId = ${id} AND Title != null LIMIT 20`],
    ['by one of two names', "SELECT Id FROM Account WHERE (Name = 'a' OR Name = 'b') AND Industry = 'x' LIMIT 5"],
    ['a count', 'SELECT COUNT() FROM Account'],
    ['a count with a condition', "SELECT COUNT() FROM Opportunity WHERE StageName = 'Closed Won'"],
    ['the own records', "SELECT Id FROM Account USING SCOPE mine WHERE Name = 'a' LIMIT 5"],
  ])('is %s [Q4] [C1]', (_, q) => {
    expect(pass(underPolicy(q))).toMatchObject({ class: 'trivial', reasons: [] });
  });
});

describe('a query is not trivial', () => {
  it.each([
    ['without WHERE', 'SELECT Id FROM Account LIMIT 5', 'no WHERE'],
    ['on a field that is not indexed', "SELECT Id FROM Account WHERE Industry = 'x' LIMIT 5", 'names no Id'],
    ['by negation alone', `SELECT Id FROM Account WHERE Id != ${id} LIMIT 5`, 'names no Id'],
    ['by NOT', `SELECT Id FROM Account WHERE NOT Id = ${id} LIMIT 5`, 'names no Id'],
    [
      'where one side of OR names nothing',
      `SELECT Id FROM Account WHERE Id = ${id} OR Industry = 'x' LIMIT 5`,
      'names no Id',
    ],
    ['by an empty value', 'SELECT Id FROM Account WHERE Name = null LIMIT 5', 'names no Id'],
    ['by an empty text, which finds the same', "SELECT Id FROM Contact WHERE Email = '' LIMIT 5", 'names no Id'],
    ['by a list with an empty text', "SELECT Id FROM Account WHERE Name IN ('a', '') LIMIT 5", 'names no Id'],
    [
      'by who made them, which one integration user did with all',
      `SELECT Id FROM Account WHERE CreatedById = ${id} LIMIT 5`,
      'names no Id',
    ],
    ['by their record type', `SELECT Id FROM Account WHERE RecordTypeId = ${id} LIMIT 5`, 'names no Id'],
    ['with more than 50 rows', "SELECT Id FROM Account WHERE Name = 'a' LIMIT 51", 'more than 50 rows'],
    ['with no LIMIT on a name that many may share', "SELECT Id FROM Account WHERE Name = 'a'", 'more than 50 rows'],
    ['by the Id of a parent, with no LIMIT', `SELECT Id FROM Contact WHERE Account.Id = ${id}`, 'more than 50 rows'],
    ['with a leading wildcard', `SELECT Id FROM Account WHERE Id = ${id} AND Name LIKE '%a'`, 'wildcard'],
    ['with a sub-query', `SELECT (SELECT Id FROM Contacts) FROM Account WHERE Id = ${id}`, 'sub-query'],
    [
      'with a semi-join',
      `SELECT Id FROM Account WHERE Id = ${id} AND Id IN (SELECT AccountId FROM Contact)`,
      'sub-query',
    ],
    ['when it groups', `SELECT Name FROM Account WHERE Id = ${id} GROUP BY Name`, 'groups'],
    ['when it aggregates', `SELECT MAX(CreatedDate) FROM Account WHERE Id = ${id}`, 'aggregates'],
    ['when it skips rows', `SELECT Id FROM Account WHERE Id = ${id} OFFSET 1`, 'skips'],
    [
      'over more than two objects',
      `SELECT Account.Name, ReportsTo.Name FROM Contact WHERE Account.Parent.Name = 'a' AND Id = ${id} AND Id IN (SELECT WhoId FROM Task)`,
      'more than 2 objects',
    ],
    ['with another scope', `SELECT Id FROM Account USING SCOPE team WHERE Id = ${id}`, 'scope'],
    [
      'with many columns',
      `SELECT ${Array.from({ length: 21 }, (_, index) => `F${index}__c`).join(', ')} FROM Account WHERE Id = ${id}`,
      'more than 20 columns',
    ],
    ['when it counts through a parent', "SELECT COUNT() FROM Contact WHERE Account.Name = 'a'", 'several objects'],
  ])('%s [Q4] [C1]', (_, q, reason) => {
    const { class: class_, reasons } = pass(underPolicy(q));
    expect(class_).toBe('non-trivial');
    expect(reasons.join('; ')).toContain(reason);
  });
});

describe('what the schema and policy say', () => {
  const guard = createGuard(
    parsePolicyFile({
      allowObjects: ['Account'],
      denyFields: [],
      sensitiveFields: ['Account.Rating', '*.BillingCity'],
      maxRows: 200,
      maxChildRows: 50,
      maxOffset: 2_000,
      maxLength: 20_000,
      schema: {
        Account: {
          fields: [
            'Id',
            'Name',
            'Rating',
            'BillingCity',
            'BillingAddress',
            'Paid',
            { name: 'Ref__c', unique: true, externalId: true, type: 'string' },
            { name: 'Key__c', externalId: true, type: 'string' },
            { name: 'BidId', type: 'string' },
          ],
        },
      },
    }),
  );
  const classOf = (q: string) => pass(guard(q)).class;

  it('makes a unique field name one record, and an external id a few [Q4]', () => {
    expect(classOf("SELECT Id FROM Account WHERE Ref__c = 'x'")).toBe('trivial');
    expect(classOf("SELECT Id FROM Account WHERE Key__c = 'x' LIMIT 9")).toBe('trivial');
    expect(classOf("SELECT Id FROM Account WHERE Key__c = 'x'")).toBe('non-trivial');
  });

  it('does not take a field for a lookup by its ending when its type says otherwise [Q4]', () => {
    expect(classOf("SELECT Id FROM Account WHERE BidId = 'x' LIMIT 9")).toBe('non-trivial');
    expect(classOf("SELECT Id FROM Account WHERE Paid = 'x' LIMIT 9")).toBe('non-trivial');
  });

  it('keeps a sensitive field from being trivial, in any clause and in a compound [Q4] [P5]', () => {
    for (const q of [
      'SELECT Rating FROM Account WHERE Id = null',
      "SELECT Id FROM Account WHERE Id = 'a' ORDER BY Rating",
      "SELECT COUNT() FROM Account WHERE Rating = 'Hot'",
      "SELECT BillingAddress FROM Account WHERE Id = 'a'",
    ]) {
      expect(pass(guard(q)).reasons, q).toContain('it touches a sensitive field');
    }
  });
});
