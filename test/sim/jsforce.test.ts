import jsforce from 'jsforce';
import { beforeEach, describe, expect, it } from 'vitest';
import { sharedOrg } from './open-org.ts';

describe('jsforce, an independent client, on the simulated org', () => {
  const org = sharedOrg();
  let conn: InstanceType<typeof jsforce.Connection>;
  beforeEach(async () => {
    conn = new jsforce.Connection({ instanceUrl: org.url, accessToken: org.token, version: '66.0' });
  });

  it('signs in by the web-server flow with a verifier of 171 characters, and refreshes [X5]', async () => {
    const oauth2 = new jsforce.OAuth2({
      loginUrl: org.url,
      clientId: 'sim',
      clientSecret: 'sim',
      redirectUri: 'http://127.0.0.1:9/callback',
      useVerifier: true,
    });
    const address = new URL(oauth2.getAuthorizationUrl({ scope: 'api refresh_token', state: 's1' }));
    const back = await fetch(address.origin + address.pathname, {
      method: 'POST',
      body: new URLSearchParams({ ...Object.fromEntries(address.searchParams), username: 'admin@sim.example' }),
      redirect: 'manual',
    });
    const callback = new URL(back.headers.get('location') ?? '');
    expect(callback.searchParams.get('state')).toBe('s1');
    const signedIn = new jsforce.Connection({ oauth2, version: '66.0' });
    const user = await signedIn.authorize(callback.searchParams.get('code') ?? '');
    expect(user.id).toMatch(/^005/);
    expect((await signedIn.identity()).username).toBe('admin@sim.example');
    const refreshed = await oauth2.refreshToken(signedIn.refreshToken ?? '');
    expect(refreshed.access_token).toMatch(/^00D\w{12}!/);
    expect(refreshed.refresh_token).toBeUndefined();
  });

  it('refreshes by itself when the session has expired [X5]', async () => {
    let refreshes = 0;
    const expiring = new jsforce.Connection({
      instanceUrl: org.url,
      accessToken: 'stale',
      version: '66.0',
      refreshFn: (_conn, done) => {
        refreshes++;
        done(null, org.token);
      },
    });
    const found = await expiring.query('SELECT Id FROM Account');
    expect([found.totalSize, refreshes]).toEqual([8, 1]);
  });

  it('creates, reads, updates and deletes [X5]', async () => {
    const made = await conn.sobject('Lead').create({ LastName: 'Nova', Company: 'Nova BV', Email: 'n@nova.example' });
    expect(made).toMatchObject({ success: true, errors: [] });
    const id = made.id ?? '';
    const read = await conn.sobject('Lead').retrieve(id);
    expect(read).toMatchObject({
      Id: id,
      Name: 'Nova',
      Status: 'Open - Not Contacted',
      IsConverted: false,
      Phone: null,
    });
    expect(await conn.sobject('Lead').update({ Id: id, FirstName: 'Ana' })).toMatchObject({ id, success: true });
    expect((await conn.sobject('Lead').retrieve(id)).Name).toBe('Ana Nova');
    expect(await conn.sobject('Lead').destroy(id)).toMatchObject({ id, success: true });
    await expect(conn.sobject('Lead').retrieve(id)).rejects.toMatchObject({ errorCode: 'NOT_FOUND' });
  });

  it('upserts by an external id: created, then updated [X5]', async () => {
    const first = await conn.sobject('Contact').upsert({ LastName: 'Once', Gatehouse_Id__c: 'g-1' }, 'Gatehouse_Id__c');
    expect(first).toMatchObject({ success: true, created: true });
    const second = await conn
      .sobject('Contact')
      .upsert({ LastName: 'Twice', Gatehouse_Id__c: 'g-1' }, 'Gatehouse_Id__c');
    expect(second).toMatchObject({ success: true, created: false, id: first.id });
  });

  it('pages through many records by nextRecordsUrl [X5]', async () => {
    const people = Array.from({ length: 430 }, (_, n) => ({ LastName: `Many ${n}`, Department: 'many' }));
    const saved = await conn.sobject('Contact').create(people, { allowRecursive: true });
    expect(saved.every((result) => result.success)).toBe(true);
    const names: string[] = [];
    let pages = 1;
    let page = await conn.query<{ LastName: string }>(
      "SELECT LastName FROM Contact WHERE Department = 'many' ORDER BY Id",
      { headers: { 'Sforce-Query-Options': 'batchSize=200' } },
    );
    names.push(...page.records.map((row) => row.LastName));
    while (!page.done) {
      expect(page.totalSize).toBe(430);
      expect(page.nextRecordsUrl).toMatch(/\/services\/data\/v66\.0\/query\/0r8\w{15}-\d+$/);
      page = await conn.queryMore(page.nextRecordsUrl ?? '');
      names.push(...page.records.map((row) => row.LastName));
      pages++;
    }
    expect(pages).toBe(3);
    expect(names).toEqual(people.map((person) => person.LastName));
  });

  it('describes, lists and counts the limits [X5]', async () => {
    const described = await conn.sobject('Opportunity').describe();
    expect(described.fields.find((field) => field.name === 'StageName')?.picklistValues?.length).toBe(10);
    expect((await conn.describeGlobal()).sobjects.map((object) => object.name)).toContain('OpportunityContactRole');
    expect((await conn.limits()).DailyApiRequests?.Max).toBe(100_000);
    expect(conn.limitInfo.apiUsage?.limit).toBe(100_000);
    expect(conn.limitInfo.apiUsage?.used).toBeGreaterThan(0);
  });

  it('sends Composite and Composite Graph [X5]', async () => {
    const answer = await conn.requestPost<{ compositeResponse: { httpStatusCode: number; body: unknown }[] }>(
      '/composite',
      {
        compositeRequest: [
          { method: 'POST', url: '/services/data/v66.0/sobjects/Account', referenceId: 'a', body: { Name: 'Ref' } },
          {
            method: 'POST',
            url: '/services/data/v66.0/sobjects/Contact',
            referenceId: 'c',
            body: { LastName: 'R', AccountId: '@{a.id}' },
          },
          {
            method: 'GET',
            url: "/services/data/v66.0/query?q=SELECT+Account.Name+FROM+Contact+WHERE+Id='@{c.id}'",
            referenceId: 'q',
          },
        ],
      },
    );
    expect(answer.compositeResponse.map((part) => part.httpStatusCode)).toEqual([201, 201, 200]);
    expect(answer.compositeResponse[2]?.body).toMatchObject({ records: [{ Account: { Name: 'Ref' } }] });
    const graphs = await conn.requestPost<{ graphs: { isSuccessful: boolean }[] }>('/composite/graph', {
      graphs: [
        {
          graphId: '1',
          compositeRequest: [
            { method: 'POST', url: '/services/data/v66.0/sobjects/Account', referenceId: 'x', body: { Name: 'G' } },
          ],
        },
        {
          graphId: '2',
          compositeRequest: [
            { method: 'POST', url: '/services/data/v66.0/sobjects/Account', referenceId: 'x', body: {} },
          ],
        },
      ],
    });
    expect(graphs.graphs.map((graph) => graph.isSuccessful)).toEqual([true, false]);
  });

  it('takes back a graph of which one node is refused, and says which [X5]', async () => {
    const node = (referenceId: string, object: string, body: object) => ({
      method: 'POST',
      url: `/services/data/v66.0/sobjects/${object}`,
      referenceId,
      body,
    });
    type Node = { referenceId: string; httpStatusCode: number; body: { errorCode: string }[] };
    const { graphs } = await conn.requestPost<{ graphs: { graphResponse: { compositeResponse: Node[] } }[] }>(
      '/composite/graph',
      {
        graphs: [
          {
            graphId: '1',
            compositeRequest: [
              node('a', 'Account', { Name: 'Taken back' }),
              node('c', 'Contact', { AccountId: '@{a.id}' }),
            ],
          },
        ],
      },
    );
    expect(
      graphs[0]?.graphResponse.compositeResponse.map((one) => [
        one.referenceId,
        one.httpStatusCode,
        one.body[0]?.errorCode,
      ]),
    ).toEqual([
      ['a', 400, 'PROCESSING_HALTED'],
      ['c', 400, 'REQUIRED_FIELD_MISSING'],
    ]);
    expect(await conn.sobject('Account').count({ Name: 'Taken back' })).toBe(0);
  });

  it('searches [X5]', async () => {
    const { searchRecords } = await conn.search(
      'FIND {"rosa" AND gonz*} IN NAME FIELDS RETURNING Contact(Id, Email), Account',
    );
    expect(searchRecords).toMatchObject([{ attributes: { type: 'Contact' }, Email: 'rosa.gonzalez@acme.example' }]);
  });
});
