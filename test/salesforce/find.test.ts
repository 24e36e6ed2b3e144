import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Condition, Find } from '../../src/domain/action.ts';
import { GatehouseError } from '../../src/domain/errors.ts';
import { toSoql } from '../../src/salesforce/records/find.ts';

const find = (more: Partial<Find>): string => toSoql('Account', { fields: ['Name'], where: [], limit: 5, ...more });
const where = (condition: Condition): string => find({ where: [condition] }).replace(/^.* WHERE (.*) LIMIT 5$/s, '$1');

describe('SOQL of the port', () => {
  it('always asks for the Id, once, and bounds the rows', () => {
    expect(find({ fields: ['Id', 'Name', 'Name', 'Owner.Name'] })).toBe(
      'SELECT Id, Name, Owner.Name FROM Account LIMIT 5',
    );
    expect(find({ limit: 1e9 })).toMatch(/LIMIT 50000$/);
    expect(find({ limit: 0 })).toMatch(/LIMIT 1$/);
    expect(find({ orderBy: { field: 'Name', descending: true } })).toBe(
      'SELECT Id, Name FROM Account ORDER BY Name DESC NULLS LAST LIMIT 5',
    );
  });

  it.each<[Condition, string]>([
    [{ field: 'Name', is: "O'Neil \\ Co\n" }, "Name = 'O\\'Neil \\\\ Co\\n'"],
    [{ field: 'Amount', is: 1e21 }, 'Amount = 1000000000000000000000'],
    [{ field: 'Amount', is: 0.0000001 }, 'Amount = 0.0000001'],
    [{ field: 'IsWon', is: false }, 'IsWon = false'],
    [{ field: 'Phone', is: null }, 'Phone = null'],
    [{ field: 'Email', in: ['a@b.c', null] }, "Email IN ('a@b.c', null)"],
    [{ field: 'Email', in: [] }, 'Id = null'],
    [
      { field: 'LastModifiedDate', since: '2026-05-01T07:25:37.000+0000' },
      'LastModifiedDate >= 2026-05-01T07:25:37.000Z',
    ],
  ])('writes %j', (condition, text) => {
    expect(where(condition)).toBe(text);
  });

  it.each([
    'Name FROM User--',
    'Na me',
    "Name'",
    'Account..Name',
    '1Name',
    '',
    `${'a.'.repeat(6)}b`,
    'N\u0430me',
    'x'.repeat(200),
  ])('refuses %j as the name of a field', (field) => {
    for (const made of [
      () => find({ fields: [field] }),
      () => where({ field, is: 1 }),
      () => find({ orderBy: { field } }),
    ]) {
      expect(made).toThrow(GatehouseError);
    }
    expect(() => toSoql(field, { fields: [], where: [], limit: 1 })).toThrow(GatehouseError);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses the number %s', (is) => {
    expect(() => where({ field: 'Amount', is })).toThrow(GatehouseError);
  });

  it('keeps every text inside its quotes, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (is) => {
        const body = /^Name = '(.*)'$/su.exec(where({ field: 'Name', is }))?.[1] ?? '';
        // Taking the escapes away leaves no quote, no backslash and no line end.
        expect(body.replace(/\\['"\\nrtbf]/g, '')).not.toMatch(/['\\\n\r]/);
      }),
    );
  });
});
