import { describe, expect, it } from 'vitest';
import type { Org } from '../../src/ports/salesforce.ts';
import { createServedWorld, refusal } from './org-world.ts';

/** Answers in the bytes of real orgs, old and new: key order, extra keys, missing keys and bare bodies must not matter. */
async function answered<T>(
  status: number,
  body: string,
  work: (org: Org) => Promise<T>,
  headers: Record<string, string> = {},
): Promise<T> {
  await using world = await createServedWorld((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json;charset=UTF-8', ...headers });
    response.end(body);
  });
  return await work(await world.open());
}

describe('answers as real orgs send them', () => {
  it('a record with nulls, compound parts and parents [B1]', async () => {
    const body =
      '{"attributes":{"type":"Account","url":"/services/data/v58.0/sobjects/Account/0015g00000XyZaBAAV"},"Id":"0015g00000XyZaBAAV","Name":"Acme","BillingAddress":{"city":null,"country":"DE","street":null},"Phone":null}';
    expect(
      await answered(200, body, (org) => org.get('Account', '0015g00000XyZaB', ['Name', 'Phone', 'BillingAddress'])),
    ).toEqual({
      Id: '0015g00000XyZaBAAV',
      Name: 'Acme',
      BillingAddress: { city: null, country: 'DE', street: null },
      Phone: null,
    });
  });

  it('pretty-printed, with keys in another order and keys nobody knows [B2]', async () => {
    const body =
      '{\n  "done" : true,\n  "records" : [ {\n    "Name" : "B",\n    "Id" : "0015g00000XyZaBAAV",\n    "attributes" : {\n      "type" : "Account"\n    },\n    "Contacts" : null,\n    "Owner" : { "attributes" : { "type" : "User" }, "Name" : "Ada" }\n  } ],\n  "totalSize" : 1,\n  "queryIdentifier" : "x"\n}';
    const rows = await answered(200, body, (org) =>
      org.find('Account', { fields: ['Name', 'Owner.Name'], where: [], limit: 1 }),
    );
    expect(rows).toEqual([{ Name: 'B', Id: '0015g00000XyZaBAAV', Owner: { Name: 'Ada' } }]);
  });

  it('a page with more behind it, and a count without rows [B2]', async () => {
    const page =
      '{"totalSize":2086,"done":false,"nextRecordsUrl":"/services/data/v66.0/query/0r8xx1abcDEF12345A-1000","records":[{"attributes":{"type":"AggregateResult"},"expr0":3}]}';
    expect(await answered(200, page, (org) => org.query('SELECT COUNT(Id) FROM Lead'))).toEqual({
      total: 2086,
      done: false,
      next: '/services/data/v66.0/query/0r8xx1abcDEF12345A-1000',
      records: [{ attributes: { type: 'AggregateResult' }, expr0: 3 }],
    });
    expect(
      await answered(200, '{"totalSize":17,"done":true,"records":[]}', (org) => org.query('SELECT COUNT() FROM Lead')),
    ).toMatchObject({ total: 17, next: undefined });
  });

  it('a create, and an upsert of new and old versions [B1]', async () => {
    const key = { field: 'Ext__c', value: 'a/b' };
    const made = '{"id":"0035g00000XyZaBAAV","success":true,"errors":[]}';
    expect(await answered(201, made, (org) => org.create('Contact', {}))).toEqual({
      id: '0035g00000XyZaBAAV',
      created: true,
    });
    expect(await answered(201, made, (org) => org.upsert('Contact', key, {}))).toMatchObject({ created: true });
    expect(
      await answered(200, '{"created":false,"errors":[],"success":true,"id":"0035g00000XyZaBAAV"}', (org) =>
        org.upsert('Contact', key, {}),
      ),
    ).toMatchObject({ created: false });
  });

  it('an upsert of 2015 that answers nothing: the id is then read [B1]', async () => {
    await using world = await createServedWorld((request, response) => {
      if (request.method === 'PATCH') response.writeHead(204).end();
      else response.end('{"attributes":{"type":"Contact"},"Id":"0035g00000XyZaBAAV"}');
    });
    const org = await world.open();
    expect(await org.upsert('Contact', { field: 'Ext__c', value: 'a/b?c' }, {})).toEqual({
      id: '0035g00000XyZaBAAV',
      created: false,
    });
    expect(world.server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'PATCH /services/data/v66.0/sobjects/Contact/Ext__c/a%2Fb%3Fc',
      'GET /services/data/v66.0/sobjects/Contact/Ext__c/a%2Fb%3Fc?fields=Id',
    ]);
  });

  it('a collection where some failed, without id and with statusCode [B3]', async () => {
    const rows =
      '[{"id":"0035g00000XyZaBAAV","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"DUPLICATES_DETECTED","message":"Use one of these records?","fields":[]}]}]';
    const body = `{"compositeResponse":[{"referenceId":"w0","httpStatusCode":200,"body":${rows}}]}`;
    const row = { id: '', fields: {} };
    const sent = await answered(200, body, (org) =>
      org.collections.send([{ method: 'create', object: 'Contact', rows: [row, row] }]),
    );
    expect(sent).toEqual([
      [
        { id: '0035g00000XyZaBAAV', isCreated: true, failure: undefined },
        { id: '', isCreated: false, failure: expect.objectContaining({ then: 'match', isOverload: false }) },
      ],
    ]);
  });

  it('a composite in another order [B3]', async () => {
    const body =
      '{"compositeResponse":[{"referenceId":"b","httpStatusCode":404,"httpHeaders":{},"body":[{"errorCode":"NOT_FOUND","message":"x"}]},{"body":{"Id":"1"},"httpHeaders":{},"httpStatusCode":200,"referenceId":"a"}]}';
    const answers = await answered(200, body, (org) =>
      org.composite([
        { id: 'a', method: 'GET', path: '/x' },
        { id: 'b', method: 'GET', path: '/y' },
      ]),
    );
    expect(answers.map(({ id, status }) => [id, status])).toEqual([
      ['a', 200],
      ['b', 404],
    ]);
  });

  it('a failed find within several throws its own error [B3] [R4]', async () => {
    const body =
      '{"compositeResponse":[{"body":{"totalSize":0,"done":true,"records":[]},"httpStatusCode":200,"referenceId":"r0"},{"body":[{"message":"No such column","errorCode":"INVALID_FIELD"}],"httpStatusCode":400,"referenceId":"r1"}]}';
    const find = { object: 'Lead', find: { fields: ['Nope'], where: [], limit: 1 } };
    expect(await refusal(answered(200, body, (org) => org.findAll([find, find])))).toMatchObject({
      code: 'invalid_input',
    });
  });

  it('limits that nest further objects, picklists of a record type, a query plan [B5] [B7]', async () => {
    const limits =
      '{"DailyApiRequests":{"Max":15000,"Remaining":14976},"PermissionSets":{"Max":1500,"Remaining":1499,"CreateCustom":{"Max":1000,"Remaining":999}},"Odd":{}}';
    expect(await answered(200, limits, (org) => org.limits())).toEqual({
      DailyApiRequests: { max: 15_000, remaining: 14_976 },
      PermissionSets: { max: 1500, remaining: 1499 },
    });
    const lists =
      '{"eTag":"x","picklistFieldValues":{"StageName":{"controllerValues":{},"defaultValue":null,"values":[{"attributes":null,"label":"Won","validFor":[],"value":"Closed Won"}]}}}';
    expect(await answered(200, lists, (org) => org.picklists('Opportunity', '012000000000000AAA'))).toEqual({
      StageName: ['Closed Won'],
    });
    const plan =
      '{"plans":[{"cardinality":2,"fields":[],"leadingOperationType":"TableScan","notes":[],"relativeCost":1.3,"sobjectCardinality":3,"sobjectType":"Account"}],"sourceQuery":"x"}';
    expect(await answered(200, plan, (org) => org.explain('SELECT Id FROM Account'))).toEqual([
      { cardinality: 2, leadingOperationType: 'TableScan', sobjectType: 'Account' },
    ]);
  });

  it.each([
    ['an HTML page with 200', '<html>hello</html>'],
    ['nothing', ''],
    ['a JSON text', '"hello"'],
    ['records that are none', '{"totalSize":1,"done":true}'],
    ['null', 'null'],
  ])('and what no org sends is an error, never a guess: %s [R4]', async (_, body) => {
    expect(
      (await refusal(answered(200, body, (org) => org.find('Account', { fields: [], where: [], limit: 1 })))).code,
    ).toBe('salesforce_error');
    expect((await refusal(answered(200, body, (org) => org.get('Account', '0015g00000XyZaB', [])))).code).toBe(
      'salesforce_error',
    );
  });
});
