import { describe, expect, it } from 'vitest';
import { sharedOrg } from './open-org.ts';

describe('many records in one call', () => {
  const org = sharedOrg();

  const contact = (fields: object) => ({ attributes: { type: 'Contact' }, ...fields });

  it('creates in order and answers 200 even when items fail, with statusCode and no id [X5]', async () => {
    const answer = await org.api('POST', '/composite/sobjects', {
      allOrNone: false,
      records: [contact({ LastName: 'a' }), contact({}), contact({ LastName: 'c' })],
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual([
      { id: expect.any(String), success: true, errors: [] },
      {
        success: false,
        errors: [
          {
            statusCode: 'REQUIRED_FIELD_MISSING',
            message: 'Required fields are missing: [LastName]',
            fields: ['LastName'],
          },
        ],
      },
      { id: expect.any(String), success: true, errors: [] },
    ]);
  });

  it('takes all back with allOrNone [X5]', async () => {
    const answer = await org.api('POST', '/composite/sobjects', {
      allOrNone: true,
      records: [contact({ LastName: 'gone' }), contact({})],
    });
    expect(answer.body[0].errors[0]).toEqual({
      statusCode: 'ALL_OR_NONE_OPERATION_ROLLED_BACK',
      message: 'Record rolled back because not all records were valid and the request was using AllOrNone header',
      fields: [],
    });
    expect((await org.query("SELECT COUNT() FROM Contact WHERE LastName = 'gone'")).body.totalSize).toBe(0);
  });

  it('updates by id, upserts by external id with created on every item, and deletes by ids [X5]', async () => {
    const upserted = await org.api('PATCH', '/composite/sobjects/Contact/Gatehouse_Id__c', {
      records: [
        contact({ Gatehouse_Id__c: 'u1', LastName: 'One' }),
        contact({ Gatehouse_Id__c: 'u2' }),
        { Gatehouse_Id__c: 'u3', LastName: 'No type' },
      ],
    });
    expect(upserted.body).toMatchObject([
      { success: true, created: true },
      { success: false, created: false, errors: [{ statusCode: 'REQUIRED_FIELD_MISSING' }] },
      { success: false, created: false, errors: [{ statusCode: 'JSON_PARSER_ERROR' }] },
    ]);
    const { id } = upserted.body[0];
    const updated = await org.api('PATCH', '/composite/sobjects', {
      records: [contact({ id, LastName: 'Uno' }), contact({ LastName: 'Lost' })],
    });
    expect(updated.body).toEqual([
      { id, success: true, errors: [] },
      {
        success: false,
        errors: [{ statusCode: 'MISSING_ARGUMENT', message: 'Id not specified in an update call', fields: [] }],
      },
    ]);
    const deleted = await org.api('DELETE', `/composite/sobjects?ids=${id},0035i00000zzzzz&allOrNone=false`);
    expect(deleted.body).toMatchObject([
      { id, success: true },
      { success: false, errors: [{ statusCode: 'INVALID_CROSS_REFERENCE_KEY' }] },
    ]);
  });

  it('upserts by Id, and refuses one key twice in a call [X5]', async () => {
    const byId = await org.api('PATCH', '/composite/sobjects/Contact/Id', { records: [contact({ LastName: 'New' })] });
    expect(byId.body[0]).toMatchObject({ success: true, created: true });
    const again = await org.api('PATCH', '/composite/sobjects/Contact/Id', {
      records: [contact({ Id: byId.body[0].id, LastName: 'Same' })],
    });
    expect(again.body[0]).toEqual({ id: byId.body[0].id, success: true, errors: [], created: false });
    const twice = [
      contact({ Gatehouse_Id__c: 'two', LastName: 'a' }),
      contact({ Gatehouse_Id__c: 'two', LastName: 'b' }),
    ];
    const doubled = await org.api('PATCH', '/composite/sobjects/Contact/Gatehouse_Id__c', { records: twice });
    expect(doubled.body[1].errors[0]).toEqual({
      statusCode: 'DUPLICATE_VALUE',
      message: 'Duplicate external id specified: two',
      fields: ['Gatehouse_Id__c'],
    });
  });

  it('refuses none and more than 200 [X5]', async () => {
    const none = await org.api('POST', '/composite/sobjects', { records: [] });
    expect([none.status, none.body]).toEqual([
      400,
      [{ errorCode: 'REQUIRED_FIELD_MISSING', message: 'At least 1 record is required' }],
    ]);
    const records = Array.from({ length: 201 }, () => contact({ LastName: 'x' }));
    expect((await org.api('POST', '/composite/sobjects', { records })).status).toBe(400);
  });

  it('runs a composite as one call, whatever fails inside [X5]', async () => {
    const url = '/services/data/v66.0';
    const before = (await org.sim('GET', '/calls')).body.count;
    const answer = await org.api('POST', '/composite', {
      compositeRequest: [
        { method: 'POST', url: `${url}/sobjects/Account`, referenceId: 'ok', body: { Name: 'Made' } },
        { method: 'POST', url: `${url}/sobjects/Account`, referenceId: 'bad', body: {} },
        { method: 'PATCH', url: `${url}/sobjects/Account/@{bad.id}`, referenceId: 'leans', body: { Name: 'x' } },
        { method: 'PATCH', url: `${url}/sobjects/Account/@{ok.id}`, referenceId: 'fine', body: { Description: 'y' } },
      ],
    });
    expect(answer.status).toBe(200);
    const parts = answer.body.compositeResponse;
    expect(parts.map((part: { httpStatusCode: number }) => part.httpStatusCode)).toEqual([201, 400, 400, 204]);
    expect(parts[0].httpHeaders.Location).toBe(`${url}/sobjects/Account/${parts[0].body.id}`);
    expect(parts[1].body[0].errorCode).toBe('REQUIRED_FIELD_MISSING');
    expect(parts[3]).toMatchObject({ body: null, referenceId: 'fine' });
    expect((await org.sim('GET', '/calls')).body.count).toBe(before + 1);
  });

  it('halts a composite with allOrNone and keeps nothing [X5]', async () => {
    const url = '/services/data/v66.0/sobjects/Account';
    const answer = await org.api('POST', '/composite', {
      allOrNone: true,
      compositeRequest: [
        { method: 'POST', url, referenceId: 'a', body: { Name: 'Halted' } },
        { method: 'POST', url, referenceId: 'b', body: {} },
      ],
    });
    expect(answer.body.compositeResponse[0]).toMatchObject({
      httpStatusCode: 400,
      body: [{ errorCode: 'PROCESSING_HALTED' }],
    });
    expect((await org.query("SELECT COUNT() FROM Account WHERE Name = 'Halted'")).body.totalSize).toBe(0);
  });

  it('holds to 25 subrequests and 5 queries or collections [X5]', async () => {
    const part = (n: number, url: string) => ({
      method: 'GET',
      url: `/services/data/v66.0${url}`,
      referenceId: `r${n}`,
    });
    const many = (count: number, url: string) => ({
      compositeRequest: Array.from({ length: count }, (_, n) => part(n, url)),
    });
    expect((await org.api('POST', '/composite', many(25, '/limits'))).status).toBe(200);
    expect((await org.api('POST', '/composite', many(26, '/limits'))).status).toBe(400);
    expect((await org.api('POST', '/composite', many(5, '/query?q=SELECT+Id+FROM+Lead'))).status).toBe(200);
    expect((await org.api('POST', '/composite', many(6, '/query?q=SELECT+Id+FROM+Lead'))).status).toBe(400);
  });

  it('writes 1,000 records in one composite of collections [X5]', async () => {
    const compositeRequest = Array.from({ length: 5 }, (_, part) => ({
      method: 'PATCH',
      url: '/services/data/v66.0/composite/sobjects/Contact/Gatehouse_Id__c',
      referenceId: `p${part}`,
      body: {
        allOrNone: false,
        records: Array.from({ length: 200 }, (__, n) =>
          contact({ LastName: 'Bulk', Gatehouse_Id__c: `b${part}-${n}` }),
        ),
      },
    }));
    await org.api('POST', '/composite', { compositeRequest });
    expect((await org.query("SELECT COUNT() FROM Contact WHERE LastName = 'Bulk'")).body.totalSize).toBe(1000);
  });

  const graphOf = (graphId: string, nodes: readonly object[]) => ({ graphId, compositeRequest: nodes });
  const account = (referenceId: string, body: object = { Name: 'Graph' }) => ({
    method: 'POST',
    url: '/services/data/v66.0/sobjects/Account',
    referenceId,
    body,
  });
  const many = (count: number, to: (n: number) => object) => Array.from({ length: count }, (_, n) => to(n));

  it.each([
    ['no graph', [], 'REQUIRED_FIELD_MISSING'],
    ['76 graphs', many(76, (n) => graphOf(`g${n}`, [account('a')])), 'INVALID_INPUT'],
    [
      '501 nodes in two graphs',
      [
        graphOf(
          '1',
          many(300, (n) => account(`a${n}`)),
        ),
        graphOf(
          '2',
          many(201, (n) => account(`a${n}`)),
        ),
      ],
      'LIMIT_EXCEEDED',
    ],
    ['two graphs of one name', [graphOf('1', [account('a')]), graphOf('1', [account('a')])], 'INVALID_INPUT'],
    [
      'a chain of 16',
      [
        graphOf(
          '1',
          many(16, (n) => account(`a${n}`, n === 0 ? { Name: 'x' } : { Name: 'x', ParentId: `@{a${n - 1}.id}` })),
        ),
      ],
      'LIMIT_EXCEEDED',
    ],
  ])('refuses a graph request with %s [X5]', async (_, graphs, code) => {
    const answer = await org.api('POST', '/composite/graph', { graphs });
    expect([answer.status, answer.body[0].errorCode]).toEqual([400, code]);
  });

  it('takes single records alone in a graph, and stops after 14 failures [X5]', async () => {
    const query = { method: 'GET', url: '/services/data/v66.0/query?q=SELECT+Id+FROM+Account', referenceId: 'q' };
    const bad = await org.api('POST', '/composite/graph', { graphs: [graphOf('1', [account('a'), query])] });
    expect(bad.body.graphs[0].isSuccessful).toBe(false);
    const graphs = [
      ...many(14, (n) => graphOf(`g${n}`, [account('a', {})])),
      graphOf('last', [account('a', { Name: 'Never tried' })]),
    ];
    const answer = await org.api('POST', '/composite/graph', { graphs });
    expect(answer.body.graphs.map(({ isSuccessful }: { isSuccessful: boolean }) => isSuccessful)).toEqual(
      many(15, () => ({})).map(() => false),
    );
    expect((await org.query("SELECT COUNT() FROM Account WHERE Name = 'Never tried'")).body.totalSize).toBe(0);
  });

  it('runs a batch with bare urls, and stops it when told to [X5]', async () => {
    const batchRequests = [
      { method: 'GET', url: 'v66.0/limits' },
      { method: 'GET', url: 'v66.0/sobjects/Zork' },
      { method: 'GET', url: 'v66.0/limits' },
    ];
    const answer = await org.api('POST', '/composite/batch', { batchRequests, haltOnError: true });
    expect(answer.body.hasErrors).toBe(true);
    expect(answer.body.results.map((result: { statusCode: number }) => result.statusCode)).toEqual([200, 404, 412]);
    expect(answer.body.results[2].result[0].errorCode).toBe('BATCH_PROCESSING_HALTED');
  });
});
