import { describe, expect, it } from 'vitest';
import { parseId } from '../../src/sim/ids.ts';
import { sharedOrg } from './open-org.ts';

describe('records of the simulated org', () => {
  const org = sharedOrg();

  const create = async (type: string, body: unknown): Promise<string> =>
    (await org.api('POST', `/sobjects/${type}`, body)).body.id;
  const idOf = async (soql: string): Promise<string> => (await org.query(soql)).body.records[0].Id;

  it('answers a create with 201, Location and an id of 18 true characters [X5]', async () => {
    const made = await org.api('POST', '/sobjects/Contact', { LastName: 'Vos' });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({ id: expect.stringMatching(/^003\w{15}$/), success: true, errors: [] });
    expect(parseId(made.body.id)).toBe(made.body.id);
    expect(made.headers.get('location')).toBe(`/services/data/v66.0/sobjects/Contact/${made.body.id}`);
    expect(made.headers.get('content-type')).toBe('application/json;charset=UTF-8');
  });

  it('shows attributes first, then every field, nulls and whole-second stamps included [X5]', async () => {
    const id = await create('Account', { Name: 'Whole', BillingCity: 'Delft' });
    const { body } = await org.api('GET', `/sobjects/Account/${id.slice(0, 15)}`);
    expect(Object.keys(body)[0]).toBe('attributes');
    expect(body.attributes).toEqual({ type: 'Account', url: `/services/data/v66.0/sobjects/Account/${id}` });
    expect(body).toMatchObject({ Id: id, Phone: null, ShippingAddress: null, IsDeleted: false });
    expect(body.BillingAddress).toMatchObject({ city: 'Delft', street: null, geocodeAccuracy: null });
    expect(body.CreatedDate).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000$/);
    const few = await org.api('GET', `/sobjects/Account/${id}?fields=Name,Id`);
    expect(Object.keys(few.body)).toEqual(['attributes', 'Name', 'Id']);
  });

  it('answers update and delete with 204 and nothing, limits in the header even so [X5]', async () => {
    const id = await create('Account', { Name: 'Short' });
    for (const [method, body] of [
      ['PATCH', { Name: 'Shorter' }],
      ['DELETE', undefined],
    ] as const) {
      const answer = await org.api(method, `/sobjects/Account/${id}`, body);
      expect([answer.status, answer.body]).toEqual([204, '']);
      expect(answer.headers.get('sforce-limit-info')).toMatch(/^api-usage=\d+\/100000$/);
    }
    const gone = await org.api('DELETE', `/sobjects/Account/${id}`);
    expect([gone.status, gone.body]).toEqual([
      404,
      [{ message: 'entity is deleted', errorCode: 'ENTITY_IS_DELETED', fields: [] }],
    ]);
    const kept = await org.api(
      'GET',
      `/queryAll?q=${encodeURIComponent(`SELECT IsDeleted FROM Account WHERE Id = '${id}'`)}`,
    );
    expect(kept.body.records[0].IsDeleted).toBe(true);
  });

  it('upserts: 201, 200, 204 before version 46, 300 without a write, 404 with updateOnly [X5]', async () => {
    const path = '/sobjects/Contact/Gatehouse_Id__c/a%2Fb%20c';
    const made = await org.api('PATCH', path, { LastName: 'One' });
    expect([made.status, made.body.created]).toEqual([201, true]);
    const again = await org.api('PATCH', path, { LastName: 'Two' });
    expect([again.status, again.body]).toEqual([200, { id: made.body.id, success: true, errors: [], created: false }]);
    expect((await org.api('PATCH', `/services/data/v45.0${path}`, { LastName: 'Old' })).status).toBe(204);
    expect(
      (await org.api('PATCH', '/sobjects/Contact/Gatehouse_Id__c/none?updateOnly=true', { LastName: 'No' })).status,
    ).toBe(404);
    await org.sim('POST', '/rules', { duplicates: 'off' });
    const twins = [
      await create('Contact', { LastName: 'T', Email: 'twin@x.example' }),
      await create('Contact', { LastName: 'T', Email: 'twin@x.example' }),
    ];
    const several = await org.api('PATCH', '/sobjects/Contact/Email/twin%40x.example', { LastName: 'Changed' });
    expect(several.status).toBe(300);
    expect(several.body).toEqual(twins.map((id) => `/services/data/v66.0/sobjects/Contact/${id}`));
    const field = await org.api('PATCH', '/sobjects/Contact/Phone/1', { LastName: 'x' });
    expect([field.status, field.body[0].message]).toEqual([
      404,
      'Provided external ID field does not exist or is not accessible: Phone',
    ]);
  });

  it('lets a parent be named by its external id, and moves the stage with its meaning [X5]', async () => {
    const id = await create('Opportunity', {
      Name: 'New',
      StageName: 'Prospecting',
      CloseDate: '2026-12-01',
      Account: { Account_Key__c: 'ACME-001' },
    });
    const before = (await org.api('GET', `/sobjects/Opportunity/${id}`)).body;
    expect(before).toMatchObject({
      Probability: 10,
      IsClosed: false,
      ForecastCategoryName: 'Pipeline',
      FiscalYear: 2026,
      FiscalQuarter: 4,
    });
    expect(before.AccountId).toBe(await idOf("SELECT Id FROM Account WHERE Account_Key__c = 'ACME-001'"));
    await org.api('PATCH', `/sobjects/Opportunity/${id}`, { StageName: 'Closed Won', Amount: 10 });
    expect((await org.api('GET', `/sobjects/Opportunity/${id}`)).body).toMatchObject({
      Probability: 100,
      IsClosed: true,
      IsWon: true,
      ForecastCategory: 'Closed',
      ExpectedRevenue: 10,
    });
  });

  it('keeps a record for whoever comes late: 412 on If-Unmodified-Since, 304 on If-Modified-Since [X5]', async () => {
    const id = await create('Account', { Name: 'Locked' });
    const { LastModifiedDate } = (await org.api('GET', `/sobjects/Account/${id}`)).body;
    const path = `/sobjects/Account/${id}`;
    const stamp = new Date(Date.parse(LastModifiedDate.replace('+0000', 'Z')));
    expect((await org.api('GET', path, undefined, { 'If-Modified-Since': stamp.toUTCString() })).status).toBe(304);
    expect(
      (await org.api('PATCH', path, { Name: 'Mine' }, { 'If-Unmodified-Since': stamp.toUTCString() })).status,
    ).toBe(204);
    await org.sim('POST', '/clock', { advanceMs: 5000 });
    await org.sim('POST', '/records/Account', { Id: id, Name: 'Theirs' });
    expect(
      (await org.api('PATCH', path, { Name: 'Late' }, { 'If-Unmodified-Since': stamp.toUTCString() })).status,
    ).toBe(412);
    expect((await org.api('GET', path)).body.Name).toBe('Theirs');
  });

  const refusals: [string, string, string, unknown, number, unknown][] = [
    [
      'a missing required field',
      'POST',
      '/sobjects/Lead',
      { FirstName: 'x' },
      400,
      [
        {
          message: 'Required fields are missing: [LastName, Company]',
          errorCode: 'REQUIRED_FIELD_MISSING',
          fields: ['LastName', 'Company'],
        },
      ],
    ],
    [
      'an unknown field',
      'POST',
      '/sobjects/Lead',
      { Nope: 1 },
      400,
      [{ message: "No such column 'Nope' on sobject of type Lead", errorCode: 'INVALID_FIELD' }],
    ],
    [
      'a text too long',
      'POST',
      '/sobjects/Contact',
      { LastName: 'x'.repeat(81) },
      400,
      [
        {
          message: `Last Name: data value too large: ${'x'.repeat(81)} (max length=80)`,
          errorCode: 'STRING_TOO_LONG',
          fields: ['LastName'],
        },
      ],
    ],
    [
      'a wrong email',
      'POST',
      '/sobjects/Contact',
      { LastName: 'x', Email: 'no' },
      400,
      [{ message: 'Email: invalid email address: no', errorCode: 'INVALID_EMAIL_ADDRESS', fields: ['Email'] }],
    ],
    [
      'a value outside a restricted picklist',
      'POST',
      '/sobjects/Contact',
      { LastName: 'x', Preferred_Channel__c: 'fax' },
      400,
      [
        {
          message: 'Preferred Channel: bad value for restricted picklist field: fax',
          errorCode: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
          fields: ['Preferred_Channel__c'],
        },
      ],
    ],
    [
      'an id of another object',
      'POST',
      '/sobjects/Contact',
      { LastName: 'x', AccountId: '0035i0000000001AAA' },
      400,
      [
        {
          message: 'Account ID: id value of incorrect type: 0035i0000000001AAA',
          errorCode: 'MALFORMED_ID',
          fields: ['AccountId'],
        },
      ],
    ],
    [
      'a parent that is not there',
      'POST',
      '/sobjects/Contact',
      { LastName: 'x', AccountId: '0015i00000zzzzz' },
      400,
      [
        {
          message: 'insufficient access rights on cross-reference id: 0015i00000zzzzz',
          errorCode: 'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
          fields: [],
        },
      ],
    ],
    [
      'a field nobody may write',
      'POST',
      '/sobjects/Contact',
      { LastName: 'x', CreatedDate: '2020-01-01T00:00:00Z' },
      400,
      [
        {
          message: expect.stringMatching(
            /^Unable to create\/update fields: CreatedDate\. Please check the security settings/,
          ),
          errorCode: 'INVALID_FIELD_FOR_INSERT_UPDATE',
          fields: ['CreatedDate'],
        },
      ],
    ],
    [
      'a number that is a word',
      'POST',
      '/sobjects/Account',
      { Name: 'x', NumberOfEmployees: 'ten' },
      400,
      [
        {
          message: expect.stringContaining('Cannot deserialize instance of int from VALUE_STRING value ten'),
          errorCode: 'JSON_PARSER_ERROR',
        },
      ],
    ],
    [
      'a day that does not exist',
      'POST',
      '/sobjects/Opportunity',
      { Name: 'x', StageName: 'x', CloseDate: '2026-02-30' },
      400,
      [{ message: expect.stringContaining('Cannot deserialize instance of date'), errorCode: 'JSON_PARSER_ERROR' }],
    ],
    [
      'broken JSON',
      'POST',
      '/sobjects/Account',
      '{"Name":',
      400,
      [{ message: expect.any(String), errorCode: 'JSON_PARSER_ERROR' }],
    ],
    [
      'the rule of the administrator',
      'POST',
      '/sobjects/Opportunity',
      { Name: 'x', StageName: 'Closed Won', CloseDate: '2026-01-01' },
      400,
      [
        {
          message: 'A won opportunity needs an amount.',
          errorCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION',
          fields: ['Amount'],
        },
      ],
    ],
    [
      'an update of an id that is not there',
      'PATCH',
      '/sobjects/Account/0015i00000zzzzz',
      { Name: 'x' },
      400,
      [{ message: 'invalid cross reference id', errorCode: 'INVALID_CROSS_REFERENCE_KEY', fields: [] }],
    ],
    [
      'an update without an id',
      'PATCH',
      '/sobjects/Account',
      { Name: 'x' },
      405,
      [{ errorCode: 'METHOD_NOT_ALLOWED', message: "HTTP Method 'PATCH' not allowed. Allowed are HEAD,GET,POST" }],
    ],
    [
      'an unknown object',
      'GET',
      '/sobjects/Zork',
      undefined,
      404,
      [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }],
    ],
    [
      'an unknown id',
      'GET',
      '/sobjects/Account/0015i00000zzzzz',
      undefined,
      404,
      [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }],
    ],
    [
      'an id with a wrong check part',
      'GET',
      '/sobjects/Account/0015i0000000001ZZZ',
      undefined,
      404,
      [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }],
    ],
  ];
  it.each(refusals)('refuses %s as Salesforce does [X5]', async (_, method, path, body, status, expected) => {
    const answer = await org.api(method, path, body);
    expect([answer.status, answer.body]).toEqual([status, expected]);
  });

  it('keeps unique fields unique and says who has the value [X5]', async () => {
    const id = await create('Account', { Name: 'First', Gatehouse_Id__c: 'K' });
    const twin = await org.api('POST', '/sobjects/Account', { Name: 'Second', Gatehouse_Id__c: 'K' });
    expect([twin.status, twin.body]).toEqual([
      400,
      [
        {
          message: `duplicate value found: Gatehouse_Id__c duplicates value on record with id: ${id.slice(0, 15)}`,
          errorCode: 'DUPLICATE_VALUE',
          fields: ['Gatehouse_Id__c'],
        },
      ],
    ]);
    expect((await org.api('POST', '/sobjects/Account', { Name: 'Third', Gatehouse_Id__c: 'k' })).status).toBe(201);
  });

  it('alerts to a duplicate with the misspelled key, and saves when told to [X5]', async () => {
    const id = await create('Contact', { LastName: 'A', Email: 'same@x.example' });
    const twin = { LastName: 'B', Email: 'SAME@x.example' };
    const alert = await org.api('POST', '/sobjects/Contact', twin);
    expect(alert.status).toBe(400);
    expect(alert.body[0]).toMatchObject({ errorCode: 'DUPLICATES_DETECTED', message: 'Use one of these records?' });
    expect(alert.body[0].duplicateResut).toMatchObject({
      allowSave: true,
      matchResults: [{ size: 1, matchRecords: [{ record: { Id: id } }] }],
    });
    expect(
      (await org.api('POST', '/sobjects/Contact', twin, { 'Sforce-Duplicate-Rule-Header': 'allowSave=true' })).status,
    ).toBe(201);
    await org.sim('POST', '/rules', { duplicates: 'block' });
    const blocked = await org.api('POST', '/sobjects/Contact', twin, {
      'Sforce-Duplicate-Rule-Header': 'allowSave=true',
    });
    expect(blocked.body[0].duplicateResut.allowSave).toBe(false);
  });

  it('stores unlisted values of open picklists without complaint, and empty texts as null [X5]', async () => {
    const id = await create('Lead', { LastName: 'x', Company: 'y', Industry: 'Alchemy', Phone: '' });
    expect((await org.api('GET', `/sobjects/Lead/${id}`)).body).toMatchObject({ Industry: 'Alchemy', Phone: null });
  });

  it('shows the limited user less, and lets him do less [X5]', async () => {
    const limited = await org.as('limited@sim.example');
    expect((await limited.query('SELECT AnnualRevenue FROM Account')).body[0].errorCode).toBe('INVALID_FIELD');
    expect((await limited.query('SELECT Id FROM Case')).body[0].errorCode).toBe('INVALID_TYPE');
    const account = await idOf("SELECT Id FROM Account WHERE Name = 'Acme Industries'");
    expect((await limited.api('GET', `/sobjects/Account/${account}`)).body).not.toHaveProperty('AnnualRevenue');
    const refused = await limited.api('DELETE', `/sobjects/Account/${account}`);
    expect([refused.status, refused.body[0].errorCode]).toEqual([403, 'INSUFFICIENT_ACCESS_OR_READONLY']);
    const opportunity = await idOf("SELECT Id FROM Opportunity WHERE Reference__c = 'OPP-123'");
    const amount = await limited.api('PATCH', `/sobjects/Opportunity/${opportunity}`, { Amount: 1 });
    expect(amount.body[0]).toMatchObject({ errorCode: 'INVALID_FIELD_FOR_INSERT_UPDATE', fields: ['Amount'] });
  });

  it('refuses to touch a converted lead [X5]', async () => {
    const made = await org.sim('POST', '/records/Lead', { LastName: 'x', Company: 'y', IsConverted: true });
    const answer = await org.api('PATCH', `/sobjects/Lead/${made.body.id}`, { Title: 'z' });
    expect(answer.body).toEqual([
      { message: 'cannot reference converted lead', errorCode: 'CANNOT_UPDATE_CONVERTED_LEAD', fields: [] },
    ]);
  });
});
