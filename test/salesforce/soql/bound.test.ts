import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameMeaning } from '../../../src/salesforce/soql/ast.ts';
import { createGuard } from '../../../src/salesforce/soql/guard.ts';
import { parseSoql } from '../../../src/salesforce/soql/parse.ts';
import { examplePolicy, pass, readRows, refusal, underPolicy } from './fixtures.ts';
import { mutated } from './mutations.ts';

describe('the text that is sent', () => {
  it.each([
    ['gets a LIMIT at its end', 'SELECT Id FROM Account', 'SELECT Id FROM Account LIMIT 200'],
    ['gets it before OFFSET', 'SELECT Id FROM Account OFFSET 5', 'SELECT Id FROM Account LIMIT 200 OFFSET 5'],
    [
      'gets it after ORDER BY',
      'SELECT Id FROM Account ORDER BY Name DESC',
      'SELECT Id FROM Account ORDER BY Name DESC LIMIT 200',
    ],
    ['gets it after WITH', 'SELECT Id FROM Account WITH USER_MODE', 'SELECT Id FROM Account WITH USER_MODE LIMIT 200'],
    ['gets it before trailing space', 'SELECT Id FROM Account \n', 'SELECT Id FROM Account LIMIT 200 \n'],
    [
      'has a high LIMIT lowered',
      'SELECT Id FROM Account limit 5000 OFFSET 5',
      'SELECT Id FROM Account limit 200 OFFSET 5',
    ],
    ['keeps a low LIMIT', 'SELECT Id FROM Account LIMIT 7', 'SELECT Id FROM Account LIMIT 7'],
    ['keeps LIMIT 0', 'SELECT Id FROM Account LIMIT 0', 'SELECT Id FROM Account LIMIT 0'],
    [
      'bounds each child query',
      'SELECT (SELECT Id FROM Contacts), (SELECT Id FROM Cases LIMIT 999) FROM Account',
      'SELECT (SELECT Id FROM Contacts LIMIT 50), (SELECT Id FROM Cases LIMIT 50) FROM Account LIMIT 200',
    ],
    [
      'bounds children of children',
      'SELECT (SELECT (SELECT Id FROM Tasks) FROM Contacts) FROM Account',
      'SELECT (SELECT (SELECT Id FROM Tasks LIMIT 50) FROM Contacts LIMIT 50) FROM Account LIMIT 200',
    ],
    [
      'leaves a semi-join alone',
      'SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)',
      'SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact) LIMIT 200',
    ],
    ['leaves COUNT() alone', 'SELECT COUNT() FROM Account', 'SELECT COUNT() FROM Account'],
    [
      'leaves COUNT() with a LIMIT alone',
      'SELECT COUNT() FROM Account LIMIT 9999',
      'SELECT COUNT() FROM Account LIMIT 9999',
    ],
    [
      'leaves an ungrouped aggregate alone',
      'SELECT MAX(Amount), FORMAT(MIN(CloseDate)) FROM Opportunity',
      'SELECT MAX(Amount), FORMAT(MIN(CloseDate)) FROM Opportunity',
    ],
    [
      'bounds a grouped aggregate',
      'SELECT COUNT(Id) FROM Account GROUP BY Type',
      'SELECT COUNT(Id) FROM Account GROUP BY Type LIMIT 200',
    ],
    [
      'is not fooled by LIMIT inside text',
      "SELECT Id FROM Account WHERE Name = 'x LIMIT 5'",
      "SELECT Id FROM Account WHERE Name = 'x LIMIT 5' LIMIT 200",
    ],
  ])('%s [Q3]', (_, q, send) => {
    expect(pass(underPolicy(q)).send).toBe(send);
  });

  it('has at most 200 rows beside FIELDS(ALL) whatever the policy allows [Q3]', () => {
    const { policy } = examplePolicy();
    const object = {
      name: 'Account',
      field: () => ({ name: 'Id' }),
      fields: () => ['Id'],
      parent: () => undefined,
      child: () => undefined,
    };
    const guard = createGuard({ policy: { ...policy, maxRows: 2_000 }, schema: { object: () => object } });
    expect(pass(guard('SELECT FIELDS(ALL) FROM Account')).send).toBe('SELECT FIELDS(ALL) FROM Account LIMIT 200');
    expect(pass(guard('SELECT FIELDS(STANDARD) FROM Account')).send).toBe(
      'SELECT FIELDS(STANDARD) FROM Account LIMIT 2000',
    );
  });

  it('says how many rows it can bring, and nothing where it counts [Q3]', () => {
    expect(pass(underPolicy('SELECT Id FROM Account LIMIT 7')).rowCap).toBe(7);
    expect(pass(underPolicy('SELECT Id FROM Account')).rowCap).toBe(200);
    expect(pass(underPolicy('SELECT COUNT() FROM Account')).rowCap).toBeNull();
  });

  it('is refused where its LIMIT makes it longer than the policy takes [Q3]', () => {
    const { policy, schema } = examplePolicy();
    const q = 'SELECT Id FROM Account';
    expect(refusal(createGuard({ policy: { ...policy, maxLength: q.length }, schema })(q)).code).toBe('too_long');
  });

  it('skips no further than the policy lets it, in children too [Q3]', () => {
    expect(underPolicy('SELECT Id FROM Account OFFSET 2000').ok).toBe(true);
    expect(refusal(underPolicy('SELECT Id FROM Account OFFSET 2001')).code).toBe('offset_too_large');
    expect(refusal(underPolicy('SELECT (SELECT Id FROM Contacts OFFSET 2001) FROM Account')).code).toBe(
      'offset_too_large',
    );
  });
});

describe('whatever passes', () => {
  const queries = [...readRows('valid'), ...readRows('benign')].map(({ q }) => q);
  const { policy } = examplePolicy();

  function check(q: string): void {
    const verdict = underPolicy(q);
    if (!verdict.ok) return;
    const [asked, sent] = [parseSoql(q).query, parseSoql(verdict.send).query];
    expect(sameMeaning(asked, sent)).toBe(true);
    if (verdict.rowCap !== null) expect(sent.limit?.value).toBeLessThanOrEqual(policy.maxRows);
    expect(verdict.rowCap === null).toBe(verdict.isAggregate && sent.groupBy === undefined);
    for (const item of sent.select)
      if (item.kind === 'query') expect(item.query.limit?.value).toBeLessThanOrEqual(policy.maxChildRows);
    // Sending is idempotent: what may be sent may be asked, and is sent as it is.
    const again = underPolicy(verdict.send);
    expect(again.ok && again.send).toBe(verdict.send);
    expect(again).toMatchObject({ objects: verdict.objects, fields: verdict.fields, rowCap: verdict.rowCap });
  }

  it('says the same as what was asked, bounded, and once bounded stays as it is [Q3]', () => {
    queries.forEach(check);
    expect(queries.filter((q) => underPolicy(q).ok).length).toBeGreaterThan(250);
  });

  it('does so for mutations of real queries too [Q3]', () => {
    fc.assert(fc.property(mutated(queries), check), { numRuns: 5_000, seed: 7 });
  });

  it('reports each object and field that its own words name [Q2]', () => {
    fc.assert(
      fc.property(mutated(queries), (q) => {
        const verdict = underPolicy(q);
        if (!verdict.ok) return;
        for (const denied of policy.denyFields)
          expect(verdict.fields.map((field) => field.toLowerCase())).not.toContain(denied.toLowerCase());
        const open = new Set(policy.allowObjects.map((name) => name.toLowerCase()));
        expect(verdict.objects.filter((name) => !open.has(name.toLowerCase()))).toEqual([]);
      }),
      { numRuns: 5_000, seed: 8 },
    );
  });

  it('is told apart from a query of another meaning [Q3]', () => {
    const meaning = (q: string) => parseSoql(q).query;
    expect(sameMeaning(meaning('SELECT Id FROM Account LIMIT 1'), meaning('SELECT Id FROM Account'))).toBe(true);
    for (const other of [
      "SELECT Id FROM Account WHERE Name = 'b'",
      'SELECT Id FROM Contact',
      'SELECT Id, Name FROM Account',
      'SELECT Id FROM Account OFFSET 2',
      'SELECT Id FROM Account ORDER BY Name',
    ]) {
      expect(sameMeaning(meaning("SELECT Id FROM Account WHERE Name = 'a'"), meaning(other)), other).toBe(false);
    }
  });
});
