import { describe, expect, it } from 'vitest';
import { parsePolicyFile } from '../../src/cli/soql-policy-file.ts';
import { checkLine, createGuard } from '../../src/salesforce/soql/guard.ts';
import { examplePolicy, pass, refusal, underPolicy, underSyntax } from '../salesforce/soql/fixtures.ts';

const least = {
  allowObjects: ['Account'],
  denyFields: [],
  maxRows: 200,
  maxChildRows: 50,
  maxOffset: 2_000,
  maxLength: 20_000,
};

describe('a policy file', () => {
  it('of the documented form is taken [Q5]', () => {
    expect(examplePolicy().policy).toMatchObject({ maxRows: 200, maxChildRows: 50 });
    expect(parsePolicyFile(least).policy).toEqual(least);
  });

  it.each([
    ['is no object', [], 'the policy must be an object'],
    ['has a mistyped key', { ...least, denyField: [] }, 'key "denyField" is not known'],
    ['lacks a limit', { ...least, maxRows: undefined }, 'maxRows must be a whole number'],
    ['has a limit in words', { ...least, maxRows: '200' }, 'maxRows must be a whole number'],
    ['has a negative limit', { ...least, maxOffset: -1 }, 'maxOffset must be a whole number'],
    ['lacks the objects', { ...least, allowObjects: undefined }, 'allowObjects must be a list'],
    ['lacks the denied fields', { ...least, denyFields: undefined }, 'denyFields must be a list'],
    ['has a wildcard object', { ...least, allowObjects: ['*'] }, 'allowObjects[0] must be an API name'],
    ['has a field without its object', { ...least, denyFields: ['Secret__c'] }, 'denyFields[0] must be Object.Field'],
    ['has a wildcard field', { ...least, denyFields: ['Account.*'] }, 'denyFields[0] must be Object.Field'],
    [
      'has a path for a field',
      { ...least, sensitiveFields: ['Contact.Account.Name'] },
      'sensitiveFields[0] must be Object.Field',
    ],
    [
      'names an owner field by path',
      { ...least, allowOwnerFields: ['Owner.Name'] },
      'allowOwnerFields[0] must be an API name',
    ],
    [
      'has a mistyped key in the schema',
      { ...least, schema: { Account: { parent: {} } } },
      'schema.Account, key "parent" is not known',
    ],
    [
      'has a parent that is no list',
      { ...least, schema: { Account: { parents: { Owner: 'User' } } } },
      'schema.Account.parents.Owner must be a list',
    ],
    [
      'has a child that is no name',
      { ...least, schema: { Account: { children: { Contacts: ['Contact'] } } } },
      'schema.Account.children.Contacts must be an API name',
    ],
    [
      'has a field with a mistyped key',
      { ...least, schema: { Account: { fields: [{ name: 'Id', uniqe: true }] } } },
      'schema.Account.fields[0], key "uniqe" is not known',
    ],
    [
      'has a field list that is no list',
      { ...least, allowFields: { Account: 'Name' } },
      'allowFields.Account must be a list',
    ],
  ])('that %s is refused with the place [Q5] [P5]', (_, file, message) => {
    expect(() => parsePolicyFile(file)).toThrow(message);
  });

  it('takes date literals that the org has beyond the common ones [Q4]', () => {
    const q = 'SELECT Id FROM Account WHERE CreatedDate > LAST_N_HOURS:4';
    expect(refusal(underPolicy(q)).code).toBe('unknown_date_literal');
    const guard = createGuard(parsePolicyFile({ ...least, dateLiterals: ['Last_N_Hours'] }));
    expect(pass(guard(q)).send).toBe(`${q} LIMIT 200`);
    expect(guard('SELECT Id FROM Account WHERE CreatedDate > LAST_N_HOURS').ok).toBe(false);
  });
});

describe('a line of soql check', () => {
  it('is answered with what is sent, or with code, position and rule [Q5]', () => {
    expect(checkLine('{"q":"SELECT Id FROM Account"}', underPolicy)).toEqual({
      ok: true,
      send: 'SELECT Id FROM Account LIMIT 200',
      objects: ['Account'],
      fields: ['Account.Id'],
      class: 'non-trivial',
    });
    expect(checkLine('{"q":"SELECT Id FROM User"}', underPolicy)).toMatchObject({
      ok: false,
      code: 'object_not_open',
      position: 15,
      rule: 'Object User is not open to this bot.',
    });
    expect(checkLine('{"q":"SELECT Id FROM User","source":"x"}', underSyntax)).toMatchObject({
      ok: true,
      send: 'SELECT Id FROM User',
    });
  });

  it.each(['', 'SELECT Id FROM Account', '{"q":5}', '[]', 'null', '{"query":"x"}'])(
    'that holds no query is answered too: %s [Q5]',
    (line) => {
      expect(checkLine(line, underPolicy)).toMatchObject({ ok: false, code: 'bad_line', position: 0 });
    },
  );
});
