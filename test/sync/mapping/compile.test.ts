import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldValue } from '../../../src/domain/action.ts';
import { type HostFields, type Mapping, mappingSchema } from '../../../src/domain/mapping.ts';
import { compileMapping } from '../../../src/sync/mapping/compile.ts';
import { defaultMapping } from '../../../src/sync/mapping/defaults.ts';
import { joinName, splitName } from '../../../src/sync/mapping/names.ts';
import { contact, field, opportunity } from './describes.ts';

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

describe('names that are there', () => {
  it.each([
    ['Gabriel José García Márquez', 'Gabriel', 'García Márquez', 'Gabriel José', 'García Márquez'],
    ['gabriel garcia marquez', 'Gabriel', 'García Márquez', 'gabriel', 'garcia marquez'],
    ['Gabriel García', 'Gabriel', 'García Márquez', 'Gabriel', 'García'],
    ['Mary Ann Smith Jones', 'Mary Ann', 'Smith', 'Mary Ann', 'Smith Jones'],
    ['Jean Claude Van Damme', 'Jean', 'Claude Van Damme', 'Jean', 'Claude Van Damme'],
    ['Ada King', 'Ada', 'Byron', 'Ada', 'King'],
    ['Someone Else Entirely', 'Gabriel', 'García Márquez', 'Someone Else', 'Entirely'],
    ['Márquez', null, 'Márquez', null, 'Márquez'],
  ])('%j over %j, %j is split into %j, %j: what stands there decides [G05]', (name, first, last, given, family) => {
    expect(splitName(name, { first, last })).toEqual([given, family]);
    const record = { FirstName: first, LastName: last };
    expect(ruleOf('FirstName+LastName').toRemote(name, host({}), { operation: 'update', record })).toEqual({
      FirstName: given,
      LastName: family,
    });
    const joined = one([{ use: 'join_name' }], 'Title', ['f', 'l']);
    expect(joined.toHost(name, host({ f: first, l: last }))).toEqual({ f: given, l: family });
  });
});

describe('the contact of a person account', () => {
  const persons = compileMapping(defaultMapping('party'), {
    ...contact,
    fields: [...contact.fields, field('IsPersonAccount', 'boolean', { createable: false, updateable: false })],
  });
  const company = ruleOf('Account.Name', persons);

  it('has no company to read or to write, and everybody else has [G25]', () => {
    expect(persons.select).toContain('IsPersonAccount');
    const person = { IsPersonAccount: true, Account: { Name: 'Ada Byron' } };
    expect(company.fromRemote(person)).toBeUndefined();
    expect(company.misfit('Acme', host({}), { operation: 'update', record: person })).toMatch(/person account/);
    const employee = { IsPersonAccount: false, Account: { Name: 'Acme' } };
    expect(company.fromRemote(employee)).toBe('Acme');
    expect(company.misfit('Acme', host({}), { operation: 'update', record: employee })).toBeUndefined();
    expect(party.select).not.toContain('IsPersonAccount');
  });
});

describe('dates as a host writes them', () => {
  it('are read in the order and unit that the rule names, and refused with the cure where it names none [G07] [G01]', () => {
    const german = one([{ use: 'date', order: 'dmy' }], 'Birthdate');
    expect(german.toRemote('31.12.2026', host({}))).toEqual({ Birthdate: '2026-12-31' });
    const epoch = one([{ use: 'date', unit: 'ns' }], 'Birthdate');
    expect(epoch.toRemote(1791888000000000000, host({}))).toEqual({ Birthdate: '2026-10-13' });
    const plain = one([{ use: 'date' }], 'Birthdate');
    for (const value of ['31.12.2026', 1791888000000000000, 'Level 5']) {
      expect(plain.toRemote(value, host({}))).toEqual({});
      expect(plain.misfit(value, host({}))).toMatch(/Birthdate was not sent/);
    }
    expect(plain.misfit('31.12.2026', host({}))).toContain('"order": "dmy"');
    const from = one([{ use: 'default', from: 'seen', plusDays: 1 }], 'Birthdate');
    for (const [seen, day] of [
      ['2026-01-01', '2026-01-02'],
      ['Level 5', '2026-05-02'],
      [1e18, '2026-05-02'],
    ] as const)
      expect(from.toRemote(null, host({ seen }))).toEqual({ Birthdate: day });
  });
});

describe('a value that the field cannot hold', () => {
  it('stops no rule, whatever JSON the host holds: it is sent, or named, or left out [G01]', () => {
    const rules = [
      ...party.rules,
      ...matter.rules,
      ...['Birthdate', 'EmailBouncedDate', 'Score__c', 'DoNotCall', 'Preferred_Channel__c', 'Title'].flatMap(
        (remote) => [
          one([], remote),
          one([{ use: 'date', form: 'datetime', unit: 'us' }], remote),
          one([{ use: 'date' }, { use: 'default', from: 'y', plusDays: 3 }], remote),
          one([{ use: 'values', pairs: [['a', '2026-01-01']] }], remote),
        ],
      ),
    ];
    const values = fc.oneof(fc.anything(), fc.double(), fc.string(), fc.constantFrom(1791888000000000000, 9e15, '12'));
    fc.assert(
      fc.property(fc.constantFrom(...rules), values, values, (rule, x, y) => {
        // The schema keeps lists and objects out; the store is older than the schema.
        const from = host({ x: x as FieldValue, y: y as FieldValue, email: x as FieldValue, name: y as FieldValue });
        const said = rule.fromHost(from) ?? null;
        for (const onto of [undefined, { operation: 'update', record: { LastName: y } }] as const) {
          const sent = rule.toRemote(said, from, onto);
          if (rule.misfit(said, from, onto) !== undefined) expect(sent).toEqual({});
        }
        rule.fold(rule.fromRemote({ Birthdate: x, LastName: x, StageName: y, Amount: x }) ?? null, from);
        rule.isCut(said, from);
        rule.toHost(said, from);
      }),
      { numRuns: 3000 },
    );
  });

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
      objects: ['Account'],
      skipped: [],
      isOfKinds: false,
      prefixes: {},
      write: 'find',
    });
  });

  it('leaves out rules whose field the org does not have', () => {
    const without = { ...contact, fields: contact.fields.filter(({ name }) => name !== 'TimeZone__c') };
    expect(compileMapping(defaultMapping('party'), without).rules.some(({ key }) => key === 'TimeZone__c')).toBe(false);
  });
});
