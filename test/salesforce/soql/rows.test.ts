import { describe, expect, it } from 'vitest';
import { shapeRows } from '../../../src/salesforce/soql/rows.ts';

const clean = (text: string) => text.replace(/\p{Cf}/gu, '').slice(0, 20);
const shape = (records: readonly unknown[], format: 'concise' | 'detailed' = 'concise', maxBytes = 10_000) =>
  shapeRows(records, { format, maxBytes, clean });
const attributes = { type: 'Contact', url: '/services/data/v60.0/sobjects/Contact/003000000000001AAA' };

describe('rows for a model', () => {
  it('are flat, without attributes and nulls [A7]', () => {
    const record = {
      attributes,
      Id: '003',
      Name: 'Ann',
      Email: null,
      Account: { attributes, Name: 'Acme', Owner: { attributes, Name: 'Bob' } },
      ReportsTo: null,
    };
    expect(shape([record])).toEqual({
      rows: [{ Id: '003', Name: 'Ann', 'Account.Name': 'Acme', 'Account.Owner.Name': 'Bob' }],
      returned: 1,
      cut: false,
    });
  });

  it('keep false, nought and the order of SELECT', () => {
    const { rows } = shape([{ attributes, B: 0, A: false, C: '' }]);
    expect(Object.entries(rows[0] ?? {})).toEqual([
      ['B', 0],
      ['A', false],
      ['C', ''],
    ]);
  });

  it('show compound values by their parts', () => {
    expect(shape([{ MailingAddress: { city: 'Paris', street: null, latitude: 48.8 } }]).rows).toEqual([
      { 'MailingAddress.city': 'Paris', 'MailingAddress.latitude': 48.8 },
    ]);
  });

  it('show aggregates as they are named', () => {
    expect(shape([{ attributes: { type: 'AggregateResult' }, StageName: 'Won', n: 3, expr0: 9.5 }]).rows).toEqual([
      { StageName: 'Won', n: 3, expr0: 9.5 },
    ]);
  });

  it('show a few children, say how many there are, and all of them in detail', () => {
    const children = Array.from({ length: 7 }, (_, index) => ({ attributes, Id: `00${index}` }));
    const record = { Name: 'Acme', Contacts: { totalSize: 7, done: true, records: children }, Cases: null };
    const concise = shape([record]);
    expect(concise.cut).toBe(true);
    expect(concise.rows[0]).toMatchObject({ 'Contacts.total': 7 });
    expect(concise.rows[0]?.Contacts).toHaveLength(5);
    const detailed = shape([record], 'detailed');
    expect(detailed.cut).toBe(false);
    expect(detailed.rows[0]?.Contacts).toHaveLength(7);
    expect(detailed.rows[0]).not.toHaveProperty('Cases');
  });

  it('say that children are missing when Salesforce itself sent only some', () => {
    const { cut, rows } = shape(
      [{ Contacts: { totalSize: 300, done: false, nextRecordsUrl: '/x', records: [{ Id: '1' }] } }],
      'detailed',
    );
    expect(cut).toBe(true);
    expect(rows).toEqual([{ Contacts: [{ Id: '1' }], 'Contacts.total': 300 }]);
  });

  it('stop before the cap, never after it, and say so', () => {
    const records = Array.from({ length: 100 }, (_, index) => ({ Id: String(index), Name: 'é'.repeat(20) }));
    const { rows, returned, cut } = shape(records, 'concise', 1_000);
    expect(cut).toBe(true);
    expect(returned).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(5);
    expect(Buffer.byteLength(JSON.stringify(rows))).toBeLessThanOrEqual(1_000);
    expect(shape(records, 'concise', 10)).toEqual({ rows: [], returned: 0, cut: true });
  });

  it('hold only cleaned text, in names too [A7]', () => {
    const { rows } = shape([{ Name: 'a\u202eb\u200bc', 'F\u200b__c': 'x'.repeat(99) }]);
    expect(rows).toEqual([{ Name: 'abc', F__c: 'x'.repeat(20) }]);
  });

  it('take a record that is hostile or no record at all [A7]', () => {
    const polluted: unknown = JSON.parse('{"__proto__": {"isAdmin": true}, "constructor": "x"}');
    const { rows } = shape([polluted, null, 'text', 5, []]);
    expect(Object.keys(rows[0] ?? {})).toEqual(['__proto__.isAdmin', 'constructor']);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    let deep: unknown = 'end';
    for (let level = 0; level < 5_000; level += 1) deep = { Parent: deep };
    expect(shape([deep])).toMatchObject({ returned: 1, cut: true });
  });
});
