import { describe, expect, it } from 'vitest';
import { parsePolicyFile } from '../../../src/cli/soql-policy-file.ts';
import { createGuard, neededObjects } from '../../../src/salesforce/soql/guard.ts';
import type { SoqlSchema } from '../../../src/salesforce/soql/schema.ts';
import { examplePolicy, pass, refusal, underPolicy, underSyntax } from './fixtures.ts';

const limits = { maxRows: 200, maxChildRows: 50, maxOffset: 2_000, maxLength: 20_000 };
const guardOf = (file: object) => createGuard(parsePolicyFile({ ...limits, denyFields: [], ...file }));

describe('what a query touches', () => {
  it('is named by object and field, whichever clause names it [Q2]', () => {
    const { objects, fields } = pass(
      underPolicy(
        "SELECT Id, c.Account.Name, (SELECT Subject FROM Tasks) FROM Contact c WHERE ReportsTo.Email = 'a' AND AccountId IN (SELECT AccountId FROM Opportunity WHERE Amount > 5) ORDER BY Title",
      ),
    );
    expect(objects.sort()).toEqual(['Account', 'Contact', 'Opportunity', 'Task']);
    expect(fields.sort()).toEqual(
      [
        'Account.Name',
        'Contact.AccountId',
        'Contact.Email',
        'Contact.Id',
        'Contact.Title',
        'Opportunity.AccountId',
        'Opportunity.Amount',
        'Task.Subject',
      ].sort(),
    );
  });

  it('is named for every target of a polymorphic path [Q2]', () => {
    expect(pass(underPolicy('SELECT Who.Name FROM Task')).fields.sort()).toEqual(['Contact.Name', 'Lead.Name']);
  });

  it('is named as written where no policy judges [Q5]', () => {
    expect(pass(underSyntax('SELECT Name, Owner.Email FROM Account'))).toMatchObject({
      objects: ['Account', 'Owner'],
      fields: ['Account.Name', 'Owner.Email'],
    });
  });
});

describe('names that hide', () => {
  it.each([
    ['an alias for a parent', 'SELECT a.AnnualRevenue FROM Contact c, c.Account a'],
    ['an alias used before it is defined', 'SELECT p.AnnualRevenue FROM Contact c, a.Parent p, c.Account a'],
    ['an alias in another case', 'SELECT A.AnnualRevenue FROM Contact C, c.Account a'],
    ['the name of the object itself', 'SELECT Account.AnnualRevenue FROM Account'],
    ['a parent within a child query', 'SELECT (SELECT Account.AnnualRevenue FROM Contacts) FROM Account'],
  ])('do not open a closed field: %s [Q2]', (_, q) => {
    expect(refusal(underPolicy(q)).code).toBe('field_not_open');
  });

  it('are refused where two readers could differ [Q2]', () => {
    expect(refusal(underPolicy('SELECT Owner.Name FROM Account Owner')).code).toBe('ambiguous_alias');
    expect(refusal(underPolicy('SELECT Id FROM Contact c, c.Account c')).code).toBe('ambiguous_alias');
    expect(underPolicy('SELECT account.Name FROM Contact c, c.Account account').ok).toBe(true);
  });

  it('that lead in a circle, or nowhere, are refused [Q2]', () => {
    expect(refusal(underPolicy('SELECT Id FROM Contact c, b.Account a, a.Parent b')).code).toBe('unknown_alias');
    expect(refusal(underPolicy('SELECT x.Name FROM Contact c')).code).toBe('unknown_relationship');
  });

  it('do not reach a semi-join from outside [Q2]', () => {
    expect(
      underPolicy("SELECT Id FROM Account a WHERE Id IN (SELECT AccountId FROM Contact WHERE a.Name = 'x')").ok,
    ).toBe(false);
  });
});

describe('a closed field', () => {
  const guard = guardOf({
    allowObjects: ['Account', 'Contact', 'Lead', 'Task'],
    denyFields: [
      'Contact.MailingCity',
      'Contact.FirstName',
      'Contact.Place__Latitude__s',
      'Account.ParentId',
      'Account.BillingAddress',
      'Contact.SSN__c',
      'Contact.Region__c',
      'Lead.Name',
    ],
    schema: {
      Account: { parents: { Parent: ['Account'] }, children: { Contacts: 'Contact' } },
      Contact: { parents: { Account: ['Account'], Region__r: ['Account'] } },
      Task: { parents: { Who: ['Contact', 'Lead'] } },
    },
  });

  it.each([
    ['in the compound that holds it', 'SELECT MailingAddress FROM Contact'],
    ['in the name that holds it', 'SELECT Name FROM Contact'],
    ['in a custom place that holds it', 'SELECT Place__c FROM Contact'],
    ['in the parts of a closed compound', 'SELECT BillingStreet FROM Account'],
    ['in the latitude of a closed address', 'SELECT Id FROM Account WHERE BillingLatitude > 1'],
    ['in the parts of a closed name', 'SELECT LastName FROM Lead'],
    ['by the relationship of a closed lookup', 'SELECT Parent.Id FROM Account'],
    ['by the relationship of a closed custom lookup', 'SELECT Region__r.Name FROM Contact'],
    ['as the field of a person account', 'SELECT SSN__pc FROM Account'],
    ['as the standard field of a person account', 'SELECT PersonMailingCity FROM Account'],
    ['through a polymorphic path of which one target closes it', 'SELECT Who.Name FROM Task'],
  ])('is closed too %s [Q2] [P5]', (_, q) => {
    expect(refusal(guard(q)).code).toBe('field_not_open');
  });

  it('leaves its neighbours open [P5]', () => {
    expect(guard('SELECT LastName, MailingStreet, AccountId, Account.Name FROM Contact').ok).toBe(true);
  });
});

describe('an allow list of fields', () => {
  const guard = guardOf({
    allowObjects: ['Account', 'Contact'],
    allowFields: { Contact: ['LastName', 'AccountId'], account: ['Name'] },
    schema: { Contact: { parents: { Account: ['Account'], ReportsTo: ['Contact'] } } },
  });

  it('opens what it lists, and Id, and no more [P5]', () => {
    expect(guard('SELECT Id, lastname, Account.Name FROM Contact').ok).toBe(true);
    expect(refusal(guard('SELECT Email FROM Contact')).code).toBe('field_not_open');
    expect(refusal(guard('SELECT Id FROM Contact ORDER BY Email')).code).toBe('field_not_open');
    expect(refusal(guard('SELECT ReportsTo.LastName FROM Contact')).code).toBe('field_not_open');
    expect(refusal(guard('SELECT FIELDS(ALL) FROM Contact')).code).toBe('name_the_fields');
  });
});

describe('people', () => {
  const file = {
    allowObjects: ['Account', 'Case'],
    schema: {
      Account: { parents: { Owner: ['User'] } },
      Case: { parents: { Owner: ['Group', 'User'] } },
      User: { parents: { Profile: ['Profile'] } },
    },
  };

  it('are closed unless the operator opens them [P5]', () => {
    expect(refusal(guardOf(file)('SELECT Owner.Name FROM Account')).code).toBe('object_not_open');
    expect(
      guardOf({ ...file, allowObjects: ['Account', 'User'] })('SELECT Owner.Name, Owner.Email FROM Account').ok,
    ).toBe(true);
  });

  it('show the fields of allowOwnerFields through a path, and nothing beyond [P5]', () => {
    const guard = guardOf({ ...file, allowOwnerFields: ['Name'] });
    expect(pass(guard("SELECT Owner.Name FROM Account WHERE Owner.Name = 'x'"))).toMatchObject({
      objects: ['Account', 'User'],
      fields: ['User.Name'],
    });
    expect(guard('SELECT Owner.Name FROM Case').ok).toBe(true);
    for (const q of [
      'SELECT Owner.Email FROM Account',
      'SELECT Owner.Profile.Name FROM Account',
      'SELECT Name FROM User',
      'SELECT Id FROM Account WHERE OwnerId IN (SELECT Id FROM User)',
    ]) {
      expect(guard(q).ok, q).toBe(false);
    }
  });

  it('keep a denied field closed on that way too [P5]', () => {
    const guard = guardOf({ ...file, allowOwnerFields: ['Name', 'Email'], denyFields: ['*.Email'] });
    expect(refusal(guard('SELECT Owner.Email FROM Account')).code).toBe('field_not_open');
  });
});

describe('objects that no policy opens', () => {
  const names = [
    'LoginHistory',
    'OauthToken',
    'NamedCredential',
    'AccountShare',
    'Foo__Share',
    'Foo__History',
    'Foo__ChangeEvent',
    'Setting__mdt',
    'ContentVersion',
    'ApexClass',
  ];

  it.each(names)('%s stays closed although it is listed [Q2] [P5]', (name) => {
    const guard = guardOf({ allowObjects: [name, name.toUpperCase()] });
    expect(refusal(guard(`SELECT Id FROM ${name}`)).code).toBe('object_never_open');
    expect(refusal(guard(`SELECT Id FROM ${name.toLowerCase()}`)).code).toBe('object_never_open');
  });

  it('do not include custom objects that only sound like them [P5]', () => {
    expect(guardOf({ allowObjects: ['Work_History__c', 'Market_Share__c'] })('SELECT Id FROM Work_History__c').ok).toBe(
      true,
    );
  });
});

describe('fields that the schema lists', () => {
  const guard = guardOf({
    allowObjects: ['Account', 'Task', 'Contact', 'Lead'],
    denyFields: ['Account.Secret__c'],
    schema: {
      Account: { fields: ['Id', 'Name', 'Industry', 'Score__c', 'Secret__c'], children: {} },
      Contact: { fields: ['Id', 'Name', 'Email'] },
      Lead: { fields: ['Id', 'Name', 'Email', 'Rating'] },
      Task: { fields: ['Id', 'Subject'], parents: { Who: ['Contact', 'Lead'] } },
    },
  });

  it('are named in the case of the org [Q2]', () => {
    expect(pass(guard('SELECT NAME, industry FROM ACCOUNT'))).toMatchObject({
      objects: ['Account'],
      fields: ['Account.Name', 'Account.Industry'],
    });
  });

  it('are the only ones: another is refused, with the nearest open one [Q2]', () => {
    expect(refusal(guard('SELECT Industri FROM Account')).next).toBe('Did you mean Industry?');
    expect(refusal(guard('SELECT Colour FROM Account')).next).toBe(
      'Use fields that the object has; custom fields end in __c.',
    );
    expect(refusal(guard('SELECT Score FROM Account')).next).toBe('Did you mean Score__c?');
    expect(refusal(guard('SELECT Secret FROM Account')).next).not.toContain('Secret__c');
  });

  it('expand FIELDS() unless a closed one would come along [Q2]', () => {
    expect(pass(guard('SELECT FIELDS(STANDARD) FROM Account')).fields).toEqual([
      'Account.Id',
      'Account.Name',
      'Account.Industry',
    ]);
    expect(refusal(guard('SELECT FIELDS(CUSTOM) FROM Account LIMIT 5')).code).toBe('name_the_fields');
    expect(refusal(guard('SELECT FIELDS(ALL) FROM Account LIMIT 5')).code).toBe('name_the_fields');
    expect(pass(guard('SELECT FIELDS(ALL) FROM Task LIMIT 5')).fields).toEqual(['Task.Id', 'Task.Subject']);
  });

  it('are asked of each target of a polymorphic path [Q2]', () => {
    expect(guard('SELECT Who.Name, Who.Type, Who.Email FROM Task').ok).toBe(true);
    expect(refusal(guard('SELECT Who.Nothing FROM Task')).code).toBe('unknown_field');
  });
});

describe('a field that the schema knows by a longer name', () => {
  it('is closed under that name too [Q2]', () => {
    const { policy } = examplePolicy();
    const field = () => ({ name: 'ns__Pay__c' });
    const object = {
      name: 'Account',
      field,
      fields: () => ['ns__Pay__c'],
      parent: () => undefined,
      child: () => undefined,
    };
    const guard = createGuard({
      policy: { ...policy, denyFields: ['Account.ns__Pay__c'] },
      schema: { object: () => object },
    });
    expect(refusal(guard('SELECT Pay__c FROM Account')).code).toBe('field_not_open');
  });
});

describe('nothing known', () => {
  it('means nothing passes [Q2]', () => {
    const { policy } = examplePolicy();
    expect(refusal(createGuard({ policy })('SELECT Id FROM Account')).code).toBe('unknown_object');
  });

  it('is asked for object by object, and only for objects that are open [Q2]', () => {
    const { policy, schema } = examplePolicy();
    const q =
      'SELECT Account.Parent.Name, Owner.Name, (SELECT Id FROM Tasks) FROM Contact WHERE Id IN (SELECT ContactId FROM OpportunityContactRole)';
    const fetched = new Set<string>();
    const soFar: SoqlSchema = { object: (name) => (fetched.has(name.toLowerCase()) ? schema.object(name) : undefined) };
    const rounds: string[][] = [];
    for (let missing = neededObjects(q, soFar, policy); missing.length > 0; missing = neededObjects(q, soFar, policy)) {
      rounds.push(missing);
      for (const name of missing) fetched.add(name.toLowerCase());
    }
    expect(rounds.flat()).not.toContain('User');
    expect(rounds[0]).toEqual(['Contact']);
    expect(fetched.has('account')).toBe(true);
    expect(neededObjects('SELECT Id FROM User', { object: () => undefined }, policy)).toEqual([]);
    expect(neededObjects('nonsense', { object: () => undefined }, policy)).toEqual([]);
  });
});
