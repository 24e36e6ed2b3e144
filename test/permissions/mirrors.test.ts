import { describe, expect, it } from 'vitest';
import { fieldAccess, fieldSet } from '../../permissions/field-access.ts';
import { policySchema } from '../../permissions/policy.ts';
import { parsePolicyFile } from '../../src/cli/soql-policy-file.ts';
import { boundByPolicy } from '../../src/policy/bounded-org.ts';
import { guardSoql } from '../../src/salesforce/soql/guard.ts';

/** Denied field, and where the same data stands as Salesforce's own schema shows it. */
const MIRRORS: readonly (readonly [denied: string, shown: string])[] = [
  ['Contact.Email', 'Case.ContactEmail'],
  ['Contact.Email', 'Case.SuppliedEmail'],
  ['Contact.Phone', 'Case.ContactPhone'],
  ['Contact.Phone', 'Case.SuppliedPhone'],
  ['Contact.MobilePhone', 'Case.ContactMobile'],
  ['Contact.Fax', 'Case.ContactFax'],
  ['Contact.Name', 'Case.SuppliedName'],
  ['Contact.LastName', 'Case.SuppliedName'],
  ['Contact.Email', 'CampaignMember.Email'],
  ['Contact.Phone', 'CampaignMember.Phone'],
  ['Contact.MobilePhone', 'CampaignMember.MobilePhone'],
  ['Contact.LastName', 'CampaignMember.Name'],
  ['Contact.MailingAddress', 'CampaignMember.Street'],
  ['Contact.MailingCity', 'CampaignMember.City'],
  ['Lead.Email', 'CampaignMember.Email'],
  ['Lead.Company', 'CampaignMember.CompanyOrAccount'],
  ['Lead.Address', 'CampaignMember.PostalCode'],
  ['Account.Name', 'CampaignMember.CompanyOrAccount'],
  ['Contact.Email', 'Task.Email'],
  ['Contact.Phone', 'Event.Phone'],
  ['Lead.Phone', 'Task.Phone'],
  ['Contact.LastName', 'Account.LastName'],
  ['Contact.FirstName', 'Account.FirstName'],
  ['Contact.Salutation', 'Account.Salutation'],
  ['Contact.Email', 'Account.PersonEmail'],
  ['Contact.MobilePhone', 'Account.PersonMobilePhone'],
  ['Contact.MailingCity', 'Account.PersonMailingAddress'],
  ['Contact.MailingAddress', 'Account.PersonMailingCity'],
  ['Contact.ReportsToId', 'Account.PersonReportsToId'],
  ['Contact.SSN__c', 'Account.SSN__pc'],
  ['Contact.Birthdate', 'Account.PersonBirthdate'],
  ['Contact.Birthdate', 'Individual.BirthDate'],
  ['Account.PersonEmail', 'Contact.Email'],
  ['Account.PersonEmail', 'Case.ContactEmail'],
  ['Account.SSN__pc', 'Contact.SSN__c'],
  ['Account.LastName', 'Contact.Name'],
  ['Case.ContactPhone', 'Contact.Phone'],
  ['Case.ContactPhone', 'Account.PersonPhone'],
  ['Account.Sic', 'Account.SicDesc'],
  ['Account.SicDesc', 'Account.Sic'],
  ['Contract.StartDate', 'Contract.EndDate'],
  ['Contract.ContractTerm', 'Contract.EndDate'],
  ['Contract.EndDate', 'Contract.ContractTerm'],
  ['User.Email', 'User.Username'],
  ['Case.CaseNumber', 'Case.Name'],
  ['Opportunity.StageName', 'Opportunity.IsClosed'],
  ['Case.Status', 'Case.IsClosed'],
  ['Contact.Name', 'Contact.LastName'],
  ['Contact.LastName', 'Contact.Name'],
  ['Contact.OtherStreet', 'Contact.OtherAddress'],
  ['Lead.Address', 'Lead.City'],
  ['Opportunity.Amount', 'Opportunity.ExpectedRevenue'],
  ['Opportunity.Amount', 'Campaign.AmountAllOpportunities'],
  ['Opportunity.Amount', 'Campaign.HierarchyAmountWonOpportunities'],
  ['Opportunity.Amount', 'OpportunityLineItem.UnitPrice'],
  ['Opportunity.Amount', 'Quote.GrandTotal'],
  ['Opportunity.Amount', 'OpportunitySplit.SplitAmount'],
  ['Contact.Email', 'ContactPointEmail.EmailAddress'],
  ['Contact.MobilePhone', 'ContactPointPhone.TelephoneNumber'],
  ['Lead.Email', 'LeadCleanInfo.Email'],
  ['Account.AnnualRevenue', 'AccountCleanInfo.AnnualRevenue'],
  ['Opportunity.StageName', 'Opportunity.ForecastCategoryName'],
  ['Opportunity.CloseDate', 'Opportunity.Fiscal'],
  ['Event.StartDateTime', 'Event.ActivityDate'],
  ['Campaign.ActualCost', 'Campaign.HierarchyActualCost'],
  ['Product2.ProductCode', 'PricebookEntry.ProductCode'],
  ['Product2.Family', 'Asset.ProductFamily'],
  ['Opportunity.Name', 'OpportunityLineItem.Name'],
  ['Opportunity.Amount', 'OpportunityLineItemSchedule.Revenue'],
  ['OpportunityLineItem.UnitPrice', 'OpportunityLineItem.TotalPrice'],
  ['OpportunityLineItem.TotalPrice', 'OpportunityLineItem.Subtotal'],
  ['Quote.TotalPrice', 'Quote.GrandTotal'],
  ['Order.TotalAmount', 'OrderItem.TotalPrice'],
  ['Case.ContactId', 'Case.ContactEmail'],
  ['Task.WhoId', 'Task.Email'],
  ['Event.WhoId', 'EventRelation.RelationId'],
  ['Event.EndDateTime', 'Event.DurationInMinutes'],
  ['Contact.AccountId', 'CampaignMember.CompanyOrAccount'],
  ['Opportunity.StageName', 'Opportunity.IsWon'],
  ['Task.Status', 'Task.IsClosed'],
  ['Task.Subject', 'OpenActivity.Subject'],
  ['Contact.LastName', 'RecentlyViewed.Name'],
  ['Lead.Email', 'RecentlyViewed.Email'],
  ['*.Email', 'Case.ContactEmail'],
  ['*.SSN__c', 'Account.SSN__pc'],
];

/** What must not be closed along with it: the data of somebody else. */
const NEIGHBOURS: readonly (readonly [denied: string, open: string])[] = [
  ['Contact.Email', 'Lead.Email'],
  ['Contact.LastName', 'Contact.FirstName'],
  ['Contact.LastName', 'Account.Name'],
  ['Contact.Phone', 'Account.Phone'],
  ['Contact.Email', 'Case.Subject'],
  ['Lead.Email', 'Contact.Email'],
  ['CampaignMember.Email', 'Contact.Email'],
  ['Account.Name', 'Contact.LastName'],
  ['Opportunity.ExpectedRevenue', 'Opportunity.Amount'],
  ['Campaign.AmountAllOpportunities', 'Opportunity.Amount'],
  ['Opportunity.Amount', 'Campaign.BudgetedCost'],
  ['Opportunity.Name', 'Account.Name'],
];

const split = (name: string) => name.split('.') as [string, string];

describe('a field that shows the data of a closed one', () => {
  it.each(MIRRORS)('%s closes %s, denied or masked, in any case [K9]', (denied, shown) => {
    const [object, field] = split(shown);
    expect(fieldAccess([denied], {}).canRead(object, field)).toBe(false);
    expect(fieldSet([denied.toUpperCase()]).has(object.toLowerCase(), field.toUpperCase())).toBe(true);
  });

  it.each(NEIGHBOURS)('%s leaves %s open [K9]', (denied, open) => {
    expect(fieldAccess([denied], {}).canRead(...split(open))).toBe(true);
  });

  it('is closed where a list leaves out its source, unless its own list names it [K9]', () => {
    const { canRead } = fieldAccess([], { Contact: ['LastName'], CampaignMember: ['Email'] });
    expect(canRead('Case', 'ContactEmail')).toBe(false);
    expect(canRead('Account', 'PersonEmail')).toBe(false);
    expect(canRead('Account', 'LastName')).toBe(true);
    expect(canRead('CampaignMember', 'Email')).toBe(true);
  });

  const clauses = [
    'SELECT ContactEmail FROM Case',
    'SELECT toLabel(ContactEmail) FROM Case',
    'SELECT FORMAT(ContactEmail) shown FROM Case',
    'SELECT c.ContactEmail FROM Case c',
    'SELECT MAX(ContactEmail) m FROM Case',
    "SELECT Id FROM Case WHERE ContactEmail LIKE 'a%'",
    'SELECT Id FROM Case ORDER BY ContactEmail',
    'SELECT COUNT(Id) FROM Case GROUP BY ContactEmail',
    "SELECT COUNT(Id) FROM Case GROUP BY Status HAVING MAX(ContactEmail) > 'a'",
    'SELECT FIELDS(STANDARD) FROM Case LIMIT 5',
    'SELECT Id, (SELECT ContactEmail FROM Cases) FROM Account',
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Case WHERE ContactEmail = 'a@b.c')",
    'SELECT Parent.ContactEmail FROM Case',
    'SELECT Contact.Email FROM Case',
    'SELECT TYPEOF Who WHEN Contact THEN Email END FROM Task',
    'SELECT Who.Email FROM Task',
    'SELECT Email FROM Task',
    'SELECT PersonEmail FROM Account',
  ];

  it.each(clauses)('is refused in every clause: %s [K9 Q2]', (q) => {
    const fields = ['Id', 'Status', 'AccountId', 'ContactEmail'];
    const file = {
      allowObjects: ['Account', 'Contact', 'Lead', 'Case', 'Task'],
      denyFields: ['Contact.Email'],
      maxRows: 10,
      maxChildRows: 10,
      maxOffset: 0,
      maxLength: 2000,
      schema: {
        Account: { children: { Cases: 'Case' } },
        Case: { fields, parents: { Parent: ['Case'], Contact: ['Contact'], Account: ['Account'] } },
        Task: { parents: { Who: ['Contact', 'Lead'] } },
      },
    };
    const verdict = guardSoql(q, parsePolicyFile(file));
    expect(verdict).toMatchObject({ ok: false, code: expect.stringMatching(/^(field_not_open|name_the_fields)$/) });
    expect(guardSoql(q, parsePolicyFile({ ...file, denyFields: [] })).ok, 'it is the denial that refuses it').toBe(
      true,
    );
  });
});

it('a closed number is not read as the name of a case behind a task either [K9]', () => {
  const file = {
    allowObjects: ['Account', 'Case', 'Task'],
    denyFields: ['Case.CaseNumber'],
    maxRows: 10,
    maxChildRows: 10,
    maxOffset: 0,
    maxLength: 2000,
    schema: { Task: { parents: { What: ['Account', 'Case'] } } },
  };
  for (const q of ['SELECT What.Name FROM Task', "SELECT Id FROM Task WHERE What.Name = '00001026'"]) {
    expect(guardSoql(q, parsePolicyFile(file)), q).toMatchObject({ ok: false, code: 'field_not_open' });
    expect(guardSoql(q, parsePolicyFile({ ...file, denyFields: [] })).ok).toBe(true);
  }
});

describe('an org whose accounts may be people', () => {
  const field = (name: string) => ({ name, type: 'string', relationshipName: null, referenceTo: [] });
  const names = ['Id', 'Name', 'Phone', 'Industry'];
  const orgWith = (fields: readonly string[]) => {
    const record = Object.fromEntries(fields.map((name) => [name, name === 'Id' ? '001000000000001AAA' : 'x']));
    // A record and a describe as such an org has them; the simulated org knows no person accounts.
    return { describe: async () => ({ fields: fields.map(field) }), find: async () => [record] } as never;
  };

  it.each([
    [
      'closes what is the person of the account',
      [...names, 'IsPersonAccount'],
      { Id: expect.anything(), Name: '••••' },
    ],
    ['leaves a company its telephone', names, { Phone: 'x', Name: 'x' }],
  ])('%s [K9]', async (_, fields, shown) => {
    const { objects, ...more } = policySchema.parse({
      objects: { Account: {}, Contact: { denyFields: ['Phone'], maskFields: ['LastName'] } },
    });
    const asked: string[] = [];
    const org = orgWith(fields);
    const find = async (_object: string, wanted: { fields: readonly string[] }) => {
      asked.push(...wanted.fields);
      return (org as { find(): Promise<object[]> }).find();
    };
    const salesforce = boundByPolicy({ ...(org as object), find } as never, { objects, ...more });
    const [found] = await salesforce.find('Account', { fields: ['Name', 'Phone', 'Industry'], where: [], limit: 1 });
    expect(found).toMatchObject(shown);
    expect(asked.includes('Phone')).toBe(!fields.includes('IsPersonAccount'));
  });
});
