import { beforeAll, describe, expect, it } from 'vitest';
import { sharedOrg } from './open-org.ts';

const objects = [
  'Account',
  'Contact',
  'Lead',
  'Opportunity',
  'OpportunityContactRole',
  'Case',
  'Task',
  'User',
  'Event',
  'Campaign',
  'Product2',
  'Organization',
];

describe('describes of the simulated org', () => {
  const org = sharedOrg({ isReset: false });
  // biome-ignore lint/suspicious/noExplicitAny: describes by name, asserted below.
  const described: Record<string, any> = {};
  beforeAll(async () => {
    for (const name of objects) described[name] = (await org.api('GET', `/sobjects/${name}/describe`)).body;
  });

  const field = (object: string, name: string) =>
    described[object].fields.find((one: { name: string }) => one.name === name);

  it.each(objects)('%s has the 45 keys in order, and each field its 57 [X5]', (name) => {
    const keys = Object.keys(described[name]);
    expect(keys).toHaveLength(45);
    expect(keys).toEqual([...keys].sort());
    for (const one of described[name].fields) expect(Object.keys(one), one.name).toHaveLength(57);
    expect(described[name].recordTypeInfos.at(-1)).toMatchObject({ master: true, recordTypeId: '012000000000000AAA' });
  });

  it('requires what a real org requires [X5]', () => {
    const required = (object: string) =>
      described[object].fields
        .filter((one: Record<string, boolean>) => one.createable && !one.nillable && !one.defaultedOnCreate)
        .map((one: { name: string }) => one.name)
        .sort();
    expect(required('Lead')).toEqual(['Company', 'LastName']);
    expect(required('Contact')).toEqual(['LastName']);
    expect(required('Account')).toEqual(['Name']);
    expect(required('Opportunity')).toEqual(['CloseDate', 'Name', 'StageName']);
    expect(required('Case')).toEqual([]);
  });

  it('restricts the picklists that a real org restricts, and no others [X5]', () => {
    for (const [object, name] of [
      ['Lead', 'Status'],
      ['Opportunity', 'StageName'],
      ['Account', 'Industry'],
      ['Contact', 'LeadSource'],
      ['Account', 'Rating'],
      ['Account', 'Type'],
      ['Case', 'Priority'],
      ['Case', 'Origin'],
    ] as const) {
      expect(field(object, name).restrictedPicklist, name).toBe(false);
    }
    expect(field('Account', 'CleanStatus').restrictedPicklist).toBe(true);
    expect(field('Opportunity', 'ForecastCategoryName').restrictedPicklist).toBe(true);
    expect(field('Contact', 'Preferred_Channel__c')).toMatchObject({ restrictedPicklist: true, custom: true });
    expect(field('Lead', 'Status').picklistValues[0]).toEqual({
      active: true,
      defaultValue: true,
      label: 'Open - Not Contacted',
      validFor: null,
      value: 'Open - Not Contacted',
    });
  });

  it('says which fields can find a record [X5]', () => {
    for (const [object, name] of [
      ['Contact', 'Email'],
      ['Lead', 'Email'],
      ['Case', 'CaseNumber'],
      ['Opportunity', 'Name'],
      ['Account', 'Id'],
    ] as const) {
      expect(field(object, name).idLookup, name).toBe(true);
    }
    expect(field('Contact', 'Gatehouse_Id__c')).toMatchObject({
      externalId: true,
      unique: true,
      caseSensitive: true,
      length: 64,
      byteLength: 192,
    });
    expect(field('Account', 'Id').byteLength).toBe(18);
  });

  it('lists children by their real names, and objects with their prefixes [X5]', async () => {
    const children = described.Account.childRelationships.map(
      (one: { relationshipName: string | null }) => one.relationshipName,
    );
    expect(children).toEqual(
      expect.arrayContaining(['Contacts', 'Opportunities', 'Cases', 'ChildAccounts', 'Tasks', null]),
    );
    const { body } = await org.api('GET', '/sobjects');
    expect(body).toMatchObject({ encoding: 'UTF-8', maxBatchSize: 200 });
    expect(body.sobjects.find((one: { name: string }) => one.name === 'OpportunityContactRole').keyPrefix).toBe('00K');
  });

  it('answers 304 to who has seen it, until the schema changes [X5]', async () => {
    const first = await org.api('GET', '/sobjects/Lead/describe');
    const since = { 'If-Modified-Since': first.headers.get('last-modified') ?? '' };
    const again = await org.api('GET', '/sobjects/Lead/describe', undefined, since);
    expect([again.status, again.body]).toEqual([304, '']);
    await org.sim('POST', '/reset', { withoutFields: ['Lead.Gatehouse_Id__c'] });
    expect((await org.api('GET', '/sobjects/Lead/describe', undefined, since)).status).toBe(200);
    await org.sim('POST', '/reset');
  });

  it('narrows picklists by record type [X5]', async () => {
    const complaint = described.Case.recordTypeInfos.find(
      (one: { developerName: string }) => one.developerName === 'Complaint',
    );
    const values = async (recordType: string, name: string) =>
      (await org.api('GET', `/ui-api/object-info/Case/picklist-values/${recordType}`)).body.picklistFieldValues[
        name
      ].values.map((one: { value: string }) => one.value);
    expect(await values(complaint.recordTypeId, 'Type')).toEqual(['Other']);
    expect((await values('012000000000000AAA', 'Type')).length).toBe(5);
    expect(
      (await org.api('GET', `/ui-api/object-info/Case/picklist-values/${complaint.recordTypeId}/Priority`)).body
        .defaultValue.value,
    ).toBe('Medium');
    expect((await org.api('GET', '/ui-api/object-info/Case/picklist-values/0125i000000000Z')).status).toBe(404);
  });

  it('lists versions without a token, and refuses those it does not speak [X5]', async () => {
    const versions = await fetch(`${org.url}/services/data`);
    expect([versions.status, versions.headers.get('sforce-limit-info')]).toEqual([200, null]);
    expect((await org.api('GET', '/services/data/v99.0/limits')).status).toBe(404);
    expect((await org.api('GET', '/services/data/v20.0/limits')).status).toBe(410);
    expect((await org.api('GET', '/')).body).toMatchObject({
      sobjects: '/services/data/v66.0/sobjects',
      identity: expect.stringContaining('/id/00D'),
    });
    expect((await org.api('GET', '/limits/recordCount?sObjects=Account,Zork')).body).toEqual({
      sObjects: [{ count: 8, name: 'Account' }],
    });
  });
});
