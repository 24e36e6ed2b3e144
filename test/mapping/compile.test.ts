import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldValue } from '../../src/action.ts';
import { compileMapping } from '../../src/mapping/compile.ts';
import { defaultMapping } from '../../src/mapping/defaults.ts';
import { type HostFields, type Mapping, mappingSchema } from '../../src/mapping/mapping.ts';
import { joinName, splitName } from '../../src/mapping/names.ts';
import { contact, opportunity } from './describes.ts';

const host = (fields: Record<string, FieldValue>): HostFields => ({
  fields,
  createdAt: Date.parse('2026-05-01T10:00:00Z'),
});
const party = compileMapping(defaultMapping('party'), contact);
const matter = compileMapping(defaultMapping('case'), opportunity);

function ruleOf(key: string, from = party) {
  const rule = from.rules.find((one) => one.key === key);
  if (!rule) throw new Error(`no rule ${key}`);
  return rule;
}

function one(transforms: unknown[], remote: string | string[], local: string | string[] = 'x') {
  const mapping: Mapping = mappingSchema.parse({
    kind: 'party',
    object: 'Contact',
    rules: [{ local, remote, transforms }],
  });
  return ruleOf(Array.isArray(remote) ? remote.join('+') : remote, compileMapping(mapping, contact));
}

describe('names', () => {
  it.each([
    ['Jean Claude Van Damme', 'Jean Claude', 'Van Damme'],
    ['Ludwig van Beethoven', 'Ludwig', 'van Beethoven'],
    ['Ana de la Cruz', 'Ana', 'de la Cruz'],
    ['Cher', null, 'Cher'],
    ['  Ada   Lovelace ', 'Ada', 'Lovelace'],
    ['Van Morrison', 'Van', 'Morrison'],
    ['', null, null],
  ])('splits %j into %j and %j, and joins it again [sync-P25]', (name, first, last) => {
    expect(splitName(name)).toEqual([first, last]);
    expect(joinName(first, last)).toBe(name.trim().replace(/\s+/g, ' ') || null);
  });

  it('reads the same person however a colleague split the name in Salesforce [sync-P25]', () => {
    const rule = ruleOf('FirstName+LastName');
    const said = rule.fold('Jean Claude Van Damme', host({}));
    for (const [FirstName, LastName] of [
      ['Jean', 'Claude Van Damme'],
      ['Jean Claude', 'Van Damme'],
      ['Jean Claude Van', 'Damme'],
    ]) {
      expect(rule.fold(rule.fromRemote({ FirstName, LastName }) ?? null, host({}))).toBe(said);
    }
  });
});

describe('a value that the field cannot hold', () => {
  it.each([
    ['Amount', 'about 500', /is no amount/],
    ['Amount', '1,5,0', /is no amount/],
    ['CloseDate', '2026-02-31', /is no date/],
    ['CloseDate', 'next tuesday', /is no date/],
  ])('%s: %j is named and not sent', (key, value, why) => {
    const rule = ruleOf(key, matter);
    expect(rule.misfit(value, host({}))).toMatch(why);
    expect(rule.toRemote(value, host({}))).toEqual({});
  });

  it.each([
    ['Amount', ' 1,500.5 ', { Amount: 1500.5 }],
    ['Amount', '', { Amount: null }],
    ['Amount', null, { Amount: null }],
    ['CloseDate', '31 May 2026', { CloseDate: '2026-05-31' }],
  ])('%s: %j is sent', (key, value, sent) => {
    const rule = ruleOf(key, matter);
    expect(rule.misfit(value, host({}))).toBeUndefined();
    expect(rule.toRemote(value, host({}))).toEqual(sent);
  });

  it.each([
    ['Score__c', 1.23456, 1.2346],
    ['Share__c', 12.5, 13],
  ])(
    '%s: %j goes out as %j, as its decimal places say, and is no difference when read back [sync-P26]',
    (key, value, sent) => {
      const rule = one([], key);
      expect(rule.toRemote(value, host({}))).toEqual({ [key]: sent });
      expect(rule.fold(sent, host({}))).toBe(rule.fold(value, host({})));
    },
  );

  it('calls a bad date a date, also where a text field would take it', () => {
    const rule = one([{ use: 'date', form: 'date' }], 'Title');
    expect(rule.misfit('next tuesday', host({}))).toMatch(/Title was not sent: "next tuesday" is no date/);
  });

  it('is no matter of a value map that leaves it out on purpose', () => {
    const rule = one([{ use: 'values', pairs: [['a', 'b']], otherwise: 'skip' }], 'Title');
    expect(rule.misfit('c', host({}))).toBeUndefined();
    expect(rule.toRemote('c', host({}))).toEqual({});
  });
});

describe('the folded form', () => {
  it('is a fixed point of writing and reading back, for any text in any field [sync-P25] [sync-P26]', () => {
    const rules = [...party.rules, ...matter.rules];
    fc.assert(
      fc.property(
        fc.constantFrom(...rules),
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'binary' }),
          fc.string({ minLength: 100, maxLength: 300 }),
          fc.lorem({ maxCount: 30 }),
        ),
        (rule, text) => {
          const from = host({});
          const folded = rule.fold(text, from);
          expect(rule.fold(folded, from)).toStrictEqual(folded);
          const sent = rule.toRemote(text, from);
          // What the field cannot hold is not sent, rather than cleared.
          if (rule.misfit(text, from) !== undefined) {
            expect(sent).toEqual({});
            return;
          }
          const record = Object.fromEntries(
            Object.entries(sent).map(([key, value]) => [key, typeof value === 'string' ? value.trim() || null : value]),
          );
          if (!rule.parent) expect(rule.fold(rule.fromRemote(record) ?? null, from)).toStrictEqual(folded);
        },
      ),
      { numRuns: 2000, seed: 7 },
    );
  });

  it.each([
    ['Phone', '(415) 555-0100', '415.555.0100'],
    ['Phone', '+1 415 555 0100', '+14155550100'],
    ['Email', ' Ada@Example.com', 'ada@example.com'],
    ['Title', 'Engineer  ', 'Engineer'],
    ['Description', 'one\r\ntwo', 'one\ntwo'],
  ])('sees no difference in %s between %j and %j [sync-P26]', (key, a, b) => {
    expect(ruleOf(key).fold(a, host({}))).toBe(ruleOf(key).fold(b, host({})));
  });

  it('cuts a text at the length of the field, and says so [sync-P26]', () => {
    const title = 'x'.repeat(200);
    expect(ruleOf('Title').toRemote(title, host({}))).toEqual({ Title: 'x'.repeat(128) });
    expect(ruleOf('Title').fold(title, host({}))).toBe('x'.repeat(128));
    expect(ruleOf('Title').isCut(title, host({}))).toBe(true);
  });

  it('takes a picklist label for its value [sync-P26]', () => {
    const rule = one([], 'Preferred_Channel__c');
    expect(rule.toRemote('Email', host({}))).toEqual({ Preferred_Channel__c: 'email' });
    expect(rule.fold('Email', host({}))).toBe('email');
  });

  it('compares instants, not spellings of a time zone [sync-P26]', () => {
    const rule = one([{ use: 'date', form: 'datetime' }], 'EmailBouncedDate');
    expect(rule.fold('2026-05-01T09:25:37+02:00', host({}))).toBe('2026-05-01T07:25:37.000Z');
    expect(rule.fold(rule.fromRemote({ EmailBouncedDate: '2026-05-01T07:25:37.000+0000' }) ?? null, host({}))).toBe(
      '2026-05-01T07:25:37.000Z',
    );
  });
});

describe('transforms', () => {
  it('maps a status both ways; two stages that mean one status are no difference', () => {
    const rule = ruleOf('StageName', matter);
    expect(rule.toRemote('in_progress', host({}))).toEqual({ StageName: 'Qualification' });
    expect(rule.fromRemote({ StageName: 'Needs Analysis' })).toBe('in_progress');
    expect(rule.fold('in_progress', host({}))).toBe('in_progress');
    expect(rule.fromRemote({ StageName: 'Our Own Stage' })).toBe('Our Own Stage');
  });

  it('leaves an unlisted value out when told so', () => {
    const rule = one([{ use: 'values', pairs: [['a', 'A']], otherwise: 'skip' }], 'Title');
    expect(rule.toRemote('b', host({}))).toEqual({});
    expect(rule.fromRemote({ Title: 'B' })).toBeUndefined();
  });

  it('fills a missing close date from the day the case was made', () => {
    const rule = ruleOf('CloseDate', matter);
    const made = host({});
    expect(rule.toRemote(rule.fromHost(made) ?? null, made)).toEqual({ CloseDate: '2026-07-30' });
    expect(rule.isSaid(made)).toBe(false);
  });

  it('joins two host fields into one Salesforce field and splits them again', () => {
    const rule = one([{ use: 'join_name' }], 'Title', ['first', 'last']);
    expect(rule.fromHost(host({ first: 'Ada', last: 'Lovelace' }))).toBe('Ada Lovelace');
    expect(rule.toHost('Ada Lovelace')).toEqual({ first: 'Ada', last: 'Lovelace' });
  });

  it('fills a template and leaves no empty brackets', () => {
    const mapping = mappingSchema.parse({
      kind: 'party',
      object: 'Contact',
      rules: [{ remote: 'Title', direction: 'to_crm', transforms: [{ use: 'template', text: '{jobTitle} ({team})' }] }],
    });
    const [rule] = compileMapping(mapping, contact).rules;
    expect(rule?.fromHost(host({ jobTitle: 'Lead', team: 'North' }))).toBe('Lead (North)');
    expect(rule?.fromHost(host({ jobTitle: 'Lead' }))).toBe('Lead');
  });

  it('reads a parent field and names the reference that writes it', () => {
    const rule = ruleOf('Account.Name');
    expect(rule.fromRemote({ Account: { Name: 'Acme' } })).toBe('Acme');
    expect(rule.fromRemote({ Account: null })).toBeNull();
    expect(rule.parent).toEqual({
      relationship: 'Account',
      field: 'Name',
      idField: 'AccountId',
      object: 'Account',
      write: 'find',
    });
  });

  it('leaves out rules whose field the org does not have', () => {
    const without = { ...contact, fields: contact.fields.filter(({ name }) => name !== 'TimeZone__c') };
    expect(compileMapping(defaultMapping('party'), without).rules.some(({ key }) => key === 'TimeZone__c')).toBe(false);
  });
});
