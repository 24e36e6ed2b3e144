/** What real orgs were seen to answer, and a simulated one had forgotten. */
import { describe, expect, it } from 'vitest';
import { sharedOrg } from './open-org.ts';

describe('the simulated org as real ones were recorded', () => {
  const org = sharedOrg();

  const create = async (object: string, fields: object): Promise<string> =>
    (await org.api('POST', `/sobjects/${object}`, fields)).body.id;
  const read = async (object: string, id: string) => (await org.api('GET', `/sobjects/${object}/${id}`)).body;
  const one = async (soql: string) => (await org.query(soql)).body.records[0];
  const neverKept = 'no-cache,must-revalidate,max-age=0,no-store,private';

  it('keeps emails in lower case and datetimes at whole seconds, and a new lead is unread [X5]', async () => {
    const lead = await read(
      'Lead',
      await create('Lead', { LastName: 'C', Company: 'C', Email: 'Twice.C@Example.com' }),
    );
    expect([lead.Email, lead.IsUnreadByOwner]).toEqual(['twice.c@example.com', true]);
    const at = { EmailBouncedDate: '2026-05-01T09:25:37.456+02:00' };
    const contact = await read('Contact', await create('Contact', { LastName: 'C', ...at }));
    expect(contact.EmailBouncedDate).toBe('2026-05-01T07:25:37.000+0000');
  });

  it('lets an event be about 80 kinds of things, and queues own cases and leads [X5]', async () => {
    const targets = async (object: string, name: string) => {
      const { body } = await org.api('GET', `/sobjects/${object}/describe`);
      return body.fields.find((field: { name: string }) => field.name === name).referenceTo;
    };
    expect(await targets('Event', 'WhatId')).toHaveLength(80);
    expect(await targets('Event', 'OwnerId')).toEqual(['Calendar', 'User']);
    expect(await targets('Case', 'OwnerId')).toEqual(['Group', 'User']);
    const queue = await one(`SELECT Id FROM Group WHERE Type = 'Queue' AND Name = 'First line'`);
    const id = await create('Case', { Subject: 'S', OwnerId: queue.Id });
    expect(await one(`SELECT Owner.Name, Owner.Type FROM Case WHERE Id = '${id}'`)).toMatchObject({
      Owner: { attributes: { type: 'Group' }, Name: 'First line', Type: 'Group' },
    });
    expect(await one('SELECT What.Name FROM Event')).toMatchObject({ What: { Name: 'Stark Energy Cooperative' } });
  });

  it('knows the opportunities of a contact by the primary role [X5]', async () => {
    const rosa = await one(`SELECT Id, (SELECT Name FROM Opportunities) FROM Contact WHERE LastName = 'Gonzalez'`);
    expect(rosa.Opportunities.records).toMatchObject([{ Name: 'Acme sensor rollout' }]);
    const fields = { Name: 'N', StageName: 'Prospecting', CloseDate: '2027-01-01', ContactId: rosa.Id };
    const id = await create('Opportunity', fields);
    const role = await one(`SELECT ContactId, IsPrimary FROM OpportunityContactRole WHERE OpportunityId = '${id}'`);
    expect(role).toMatchObject({ ContactId: rosa.Id, IsPrimary: true });
  });

  it('refuses the record type of another object [X5]', async () => {
    const type = await one(`SELECT Id FROM RecordType WHERE SobjectType = 'Case'`);
    expect((await read('Case', await create('Case', { RecordTypeId: type.Id }))).RecordTypeId).toBe(type.Id);
    await org.sim('POST', '/fields', {
      object: 'Contact',
      name: 'Kind__c',
      type: 'reference',
      referenceTo: ['RecordType'],
    });
    const { status, body } = await org.api('POST', '/sobjects/Contact', { LastName: 'C', Kind__c: type.Id });
    expect([status, body[0].errorCode, body[0].fields]).toEqual([400, 'INVALID_CROSS_REFERENCE_KEY', ['Kind__c']]);
  });

  it.each([
    ["SELECT Id FROM Account WHERE BillingAddress = 'x'", 'filtered'],
    ['SELECT Id FROM Account ORDER BY BillingAddress', 'sorted'],
    ['SELECT BillingAddress, COUNT(Id) FROM Account GROUP BY BillingAddress', 'grouped'],
  ])('refuses a compound address: %s [X5]', async (soql, what) => {
    const { status, body } = await org.query(soql);
    expect([status, body[0].errorCode]).toEqual([400, 'INVALID_FIELD']);
    expect(body[0].message).toContain(`can not be ${what}`);
  });

  it('says how long an answer may be kept, and when one record was changed [X5]', async () => {
    const { Id } = await one('SELECT Id FROM Account LIMIT 1');
    const path = `/sobjects/Account/${Id}`;
    const first = await org.api('GET', path);
    const stamp = Date.parse(first.body.LastModifiedDate.replace('+0000', 'Z'));
    expect(first.headers.get('cache-control')).toBe(neverKept);
    expect(first.headers.get('last-modified')).toBe(new Date(stamp).toUTCString());
    const tag = first.headers.get('etag') ?? '';
    expect(tag).toMatch(/^"[\w+/=]+--gzip"$/);
    expect((await org.api('GET', path, undefined, { 'If-None-Match': tag })).status).toBe(304);
    const written = await org.api('PATCH', path, { Phone: '1' });
    expect([written.status, written.headers.get('content-type'), written.headers.get('cache-control')]).toEqual([
      204,
      null,
      neverKept,
    ]);
    expect((await org.api('GET', path, undefined, { 'If-None-Match': tag })).status).toBe(200);
  });

  it('lists 71 limits, counts what is none, and describes with the links of a real org [X5]', async () => {
    const limits = Object.keys((await org.api('GET', '/limits')).body);
    expect(limits).toHaveLength(71);
    expect(limits).toEqual([...limits].sort());
    await org.sim('POST', '/reset', { seed: { records: {} } });
    expect((await org.api('GET', '/limits/recordCount?sObjects=Lead,Zork')).body).toEqual({
      sObjects: [{ count: 0, name: 'Lead' }],
    });
    const { body } = await org.api('GET', '/sobjects/Account/describe');
    expect(Object.keys(body.urls)).toHaveLength(11);
    expect(body.urls.uiDetailTemplate).toBe(`${org.url}/{ID}`);
    expect([body.feedEnabled, body.searchable, body.layoutable]).toEqual([true, true, true]);
    const { body: all } = await org.api('GET', '/sobjects');
    const role = all.sobjects.find(({ name }: { name: string }) => name === 'OpportunityContactRole');
    expect([role.layoutable, role.feedEnabled, Object.keys(role.urls)]).toEqual([
      false,
      false,
      ['rowTemplate', 'describe', 'sobject'],
    ]);
  });

  it('converts a lead as a colleague does; nobody writes the lead any more [X5]', async () => {
    const id = await create('Lead', {
      LastName: 'C',
      FirstName: 'B',
      Company: 'Acme Industries',
      Email: 'b@c.example',
    });
    const made = (await org.sim('POST', '/convert', { lead: id, opportunity: 'Acme starter' })).body;
    expect(await read('Contact', made.contact)).toMatchObject({ Name: 'B C', Email: 'b@c.example' });
    expect(await read('Account', made.account)).toMatchObject({ Name: 'Acme Industries' });
    expect(await read('Lead', id)).toMatchObject({ IsConverted: true, ConvertedContactId: made.contact });
    const { status, body } = await org.api('PATCH', `/sobjects/Lead/${id}`, { Phone: '222' });
    expect([status, body]).toEqual([
      400,
      [{ message: 'cannot reference converted lead', errorCode: 'CANNOT_UPDATE_CONVERTED_LEAD', fields: [] }],
    ]);
    expect((await org.sim('POST', '/convert', { lead: id })).status).toBe(400);
  });

  it('begins a new range of ids with a reset: an old link points at nobody, a login goes on [X5]', async () => {
    const before = (await org.query('SELECT Id FROM Contact')).body.records.map(({ Id }: { Id: string }) => Id);
    await org.sim('POST', '/reset');
    const after = (await org.query('SELECT Id FROM Contact')).body.records.map(({ Id }: { Id: string }) => Id);
    expect(after).toHaveLength(before.length);
    expect(after.filter((id: string) => before.includes(id))).toEqual([]);
    expect((await org.api('GET', `/sobjects/Contact/${before[0]}`)).status).toBe(404);
  });
});
