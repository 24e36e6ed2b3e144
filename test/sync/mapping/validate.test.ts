import { describe, expect, it } from 'vitest';
import { mappingSchema } from '../../../src/domain/mapping.ts';
import { compileMapping } from '../../../src/sync/mapping/compile.ts';
import { defaultMapping } from '../../../src/sync/mapping/defaults.ts';
import { previewMapping } from '../../../src/sync/mapping/preview.ts';
import { checkSamples } from '../../../src/sync/mapping/samples.ts';
import { suggestRules } from '../../../src/sync/mapping/suggest.ts';
import { checkMapping } from '../../../src/sync/mapping/validate.ts';
import { contact, field, opportunity } from './describes.ts';

const check = (...rules: unknown[]) =>
  checkMapping(mappingSchema.parse({ kind: 'party', object: 'Contact', rules }), contact);
const told = async (...rules: unknown[]) =>
  (await check(...rules)).problems.map(({ name, problem }) => `${name}: ${problem}`).join('\n');

describe('a mapping is checked when it is saved [S4]', () => {
  it('accepts the defaults', async () => {
    expect((await checkMapping(defaultMapping('party'), contact)).problems).toEqual([]);
    expect(await checkMapping(defaultMapping('case'), opportunity)).toEqual({ problems: [], warnings: [] });
  });

  it('names a field that is not there, with the nearest one', async () => {
    expect(await told({ local: 'x', remote: 'JobTitle' })).toContain('Contact has no field JobTitle');
    expect(await told({ local: 'x', remote: 'TimeZone' })).toContain('did you mean TimeZone__c?');
  });

  it('lets a shipped rule wait for its field, whatever the org lacks, and no rule of anybody else [H2]', async () => {
    const bare = (...lost: string[]) => ({
      ...contact,
      fields: contact.fields.filter(({ name }) => !lost.includes(name)),
    });
    for (const lost of ['TimeZone__c', 'Title', 'FirstName']) {
      const { problems, warnings } = await checkMapping(defaultMapping('party'), bare(lost));
      expect(problems).toEqual([]);
      expect(warnings.map(({ problem }) => problem)).toContainEqual(
        expect.stringMatching(`^Contact has no field ${lost}.*: the rule is left out until it has$`),
      );
    }
    expect((await checkMapping(defaultMapping('party'), bare('AccountId'))).problems).toEqual([]);
    const own = { local: ['x'], remote: ['Level__c'], direction: 'both' as const, transforms: [] };
    const mixed = { ...defaultMapping('party'), rules: [...defaultMapping('party').rules, own] };
    expect((await checkMapping(mixed, bare('TimeZone__c'))).problems).toEqual([
      { name: 'rules.10.remote', problem: 'Contact has no field Level__c' },
    ]);
  });

  it('refuses what the user cannot write', async () => {
    expect(await told({ local: 'x', remote: 'CreatedDate' })).toContain('not writable');
    expect(await told({ local: 'x', remote: 'MailingAddress' })).toContain('not writable');
    expect(await told({ local: 'x', remote: 'CreatedDate', direction: 'from_crm' })).toBe('');
  });

  it('refuses a compound address in any direction, and names its parts [G21]', async () => {
    for (const direction of ['both', 'to_crm', 'from_crm'])
      expect(await told({ local: 'address', remote: 'MailingAddress', direction })).toMatch(/map its parts instead/);
    expect(await told({ local: 'address', remote: 'Account.BillingAddress', direction: 'from_crm' })).toMatch(
      /Account.BillingAddress is a compound address: map its parts instead, such as Account.BillingCity/,
    );
    const withParts = {
      ...contact,
      fields: contact.fields.map((one) =>
        one.name === 'MailingCity' ? { ...one, compoundFieldName: 'MailingAddress' } : one,
      ),
    };
    const rules = [{ local: 'address', remote: 'MailingAddress', direction: 'from_crm' }];
    const mapping = mappingSchema.parse({ kind: 'party', object: 'Contact', rules });
    expect((await checkMapping(mapping, withParts)).problems).toEqual([
      { name: 'rules.0.remote', problem: expect.stringContaining('(MailingCity)') },
    ]);
  });

  it('tells of fields whose answer is not what was written [G02]', async () => {
    const extra = {
      ...contact,
      fields: [
        ...contact.fields,
        field('Tax__c', 'encryptedstring', { isMasked: true }),
        field('Story__c', 'textarea', { isRichText: true }),
        field('Sum__c', 'double', { isCalculated: true, createable: false, updateable: false }),
        field('Once__c', 'string', { updateable: false }),
      ],
    };
    const of = async (remote: string, direction: string) => {
      const rules = [{ local: 'x', remote, direction }];
      const { problems, warnings } = await checkMapping(
        mappingSchema.parse({ kind: 'party', object: 'Contact', rules }),
        extra,
      );
      return [...problems.map(({ problem }) => `! ${problem}`), ...warnings.map(({ problem }) => problem)].join('; ');
    };
    expect(await of('Tax__c', 'from_crm')).toMatch(/! Tax__c is encrypted.*can only be written/);
    expect(await of('Tax__c', 'both')).toMatch(/^Tax__c is encrypted.*never taken over/);
    expect(await of('Tax__c', 'to_crm')).not.toMatch(/Tax__c/);
    expect(await of('Story__c', 'both')).toMatch(/^Story__c is rich text/);
    expect(await of('Sum__c', 'both')).toMatch(/! Sum__c is calculated by Salesforce: make it "from_crm"/);
    expect(await of('Sum__c', 'from_crm')).not.toMatch(/Sum__c/);
    expect(await of('Once__c', 'both')).toMatch(
      /^Once__c cannot be changed: it can only be set when the record is created/,
    );
  });

  it('refuses a wrong type, a value too long, an unlisted value of a restricted picklist', async () => {
    expect(await told({ local: ['a', 'b'], remote: 'Score__c', transforms: [{ use: 'join_name' }] })).toContain(
      'does not fit',
    );
    const long = [{ use: 'values', pairs: [['a', 'x'.repeat(60)]] }];
    expect(await told({ local: 'x', remote: 'FirstName', transforms: long })).toContain(
      'longer than FirstName allows (40)',
    );
    const fax = [{ use: 'values', pairs: [['fax', 'fax']] }];
    expect(await told({ local: 'x', remote: 'Preferred_Channel__c', transforms: fax })).toContain(
      '"fax" is not in the list; the field takes email, phone',
    );
  });

  it('refuses a host field whose type the Salesforce field cannot hold, and says where it is longer', async () => {
    expect(await told({ local: 'email', remote: 'Score__c' })).toContain(
      'Score__c holds a double, and email is an email',
    );
    const matter = (local: string, remote: string) =>
      checkMapping(
        mappingSchema.parse({ kind: 'case', object: 'Opportunity', rules: [{ local, remote }] }),
        opportunity,
      );
    expect((await matter('summary', 'Amount')).problems).toHaveLength(1);
    expect((await matter('amount', 'CloseDate')).problems).toHaveLength(1);
    expect((await matter('expectedDate', 'Amount')).problems).toHaveLength(1);
    expect((await matter('amount', 'Name')).problems).toEqual([]);
    expect((await matter('summary', 'Name')).warnings.map(({ problem }) => problem)).toContainEqual(
      expect.stringMatching(/summary may hold 32000 characters and Name takes 120/),
    );
    // What the host calls its own may hold anything: records tell.
    expect(await told({ local: 'x', remote: 'Score__c' })).toBe('');
  });

  it('tells which records of the host it could not carry whole', () => {
    const compiled = compileMapping(
      mappingSchema.parse({
        kind: 'party',
        object: 'Contact',
        rules: [
          { local: 'score', remote: 'Score__c' },
          { local: 'nick', remote: 'Title' },
        ],
      }),
      contact,
    );
    const sample = (id: string, fields: Record<string, string | number>) => ({ id, fields, createdAt: 0 });
    expect(
      checkSamples(compiled, [
        sample('p1', { score: 5, nick: 'short' }),
        sample('p2', { score: 'high', nick: 'x'.repeat(200) }),
        sample('p3', { score: 'low' }),
      ]),
    ).toEqual([
      {
        name: 'rules.0.local',
        problem: 'p2: Score__c would not be sent: "high" is no number (2 of 3 records)',
      },
      { name: 'rules.1.local', problem: expect.stringMatching(/^p2 holds more than Title takes/) },
    ]);
  });

  it('refuses two rules on one Salesforce field, and two that fill one host field', async () => {
    expect(await told({ local: 'a', remote: 'Title' }, { local: 'b', remote: 'title' })).toContain(
      'rules.1.remote: title is already mapped by rules.0;',
    );
    expect(await told({ local: 'a', remote: 'Title' }, { local: 'a', remote: 'Phone' })).toContain(
      'rules.1.local: a is already filled by rules.0;',
    );
  });

  it('refuses shapes that cannot be read back', async () => {
    expect(await told({ remote: 'Title', transforms: [{ use: 'template', text: '{a}' }] })).toContain('"to_crm"');
    expect(await told({ local: 'name', remote: ['FirstName', 'LastName'] })).toContain('split_name');
    expect(await told({ local: 'c', remote: 'Account.Name' })).toContain('"parent"');
    expect(await told({ local: 'c', remote: 'Owner.Name', direction: 'from_crm' })).toContain('no parent called Owner');
  });

  it('warns when a required field is written by nobody', async () => {
    expect((await check({ local: 'a', remote: 'Title' })).warnings).toContainEqual(
      expect.objectContaining({ problem: expect.stringContaining('without LastName') }),
    );
  });

  it.each([
    { kind: 'party', object: 'Contact', rules: [] },
    { kind: 'person', object: 'Contact', rules: [{ local: 'a', remote: 'B' }] },
    { kind: 'party', object: 'Contact; DROP', rules: [{ local: 'a', remote: 'B' }] },
    { kind: 'party', object: 'Contact', rules: [{ local: 'a', remote: 'B', evil: 1 }] },
    { kind: 'party', object: 'Contact', rules: [{ local: '__proto__', remote: 'B' }] },
  ])('refuses a malformed mapping %#', (input) => {
    expect(mappingSchema.safeParse(input).success).toBe(false);
  });
});

describe('preview and suggestions [S4]', () => {
  it('shows what a sample would send and receive', () => {
    const lines = previewMapping(
      compileMapping(defaultMapping('party'), contact),
      { fields: { name: 'Ada Lovelace', jobTitle: 'x'.repeat(200) }, createdAt: 0 },
      { FirstName: 'Ada', LastName: 'King', Account: { Name: 'Acme' } },
    );
    expect(lines.find(({ rule }) => rule === 'FirstName+LastName')).toMatchObject({
      sends: { FirstName: 'Ada', LastName: 'Lovelace' },
      receives: { name: 'Ada King' },
    });
    expect(lines.find(({ rule }) => rule === 'Title')?.note).toContain('cut off');
    expect(lines.find(({ rule }) => rule === 'Account.Name')?.receives).toEqual({ company: 'Acme' });
  });

  it('suggests with a confidence and a reason, best first, and nothing for what does not fit', async () => {
    const samples = {
      email: 'a@b.example',
      birthday: '1990-01-31',
      preferredChannel: 'email',
      doNotCall: true,
      favouriteColour: 'red',
    };
    const suggestions = await suggestRules('party', samples, contact, { local: new Set(), remote: new Set() });
    expect(suggestions.map(({ rule }) => [rule.local[0], rule.remote[0]])).toEqual(
      expect.arrayContaining([
        ['email', 'Email'],
        ['birthday', 'Birthdate'],
        ['preferredChannel', 'Preferred_Channel__c'],
        ['doNotCall', 'DoNotCall'],
      ]),
    );
    expect(suggestions.some(({ rule }) => rule.local[0] === 'favouriteColour')).toBe(false);
    expect(suggestions.every(({ confidence, reason }) => confidence > 0 && confidence <= 1 && reason.length > 5)).toBe(
      true,
    );
    expect(suggestions.map((one) => one.confidence)).toEqual(
      suggestions.map((one) => one.confidence).toSorted((a, b) => b - a),
    );
  });
});
