/** Bulk API 2.0 of the simulated org: by jsforce, and by plain requests written from the documentation and from recorded jobs. */
import jsforce from 'jsforce';
import { beforeEach, describe, expect, it } from 'vitest';
import { sharedOrg } from './open-org.ts';

describe('bulk jobs of the simulated org', () => {
  const org = sharedOrg();
  beforeEach(async () => {
    await org.sim('POST', '/settings', { bulkQueueMs: 0, bulkRowsPerSecond: 1e9 });
  });

  const jobs = '/jobs/ingest';
  const csv = { 'Content-Type': 'text/csv' };
  const upsert = { object: 'Contact', operation: 'upsert', externalIdFieldName: 'Gatehouse_Id__c' };
  const open = async (job: object = upsert): Promise<string> => (await org.api('POST', jobs, job)).body.id;
  const put = (id: string, rows: string) => org.api('PUT', `${jobs}/${id}/batches`, rows, csv);
  const close = (id: string) => org.api('PATCH', `${jobs}/${id}`, { state: 'UploadComplete' });
  const status = async (id: string) => (await org.api('GET', `${jobs}/${id}`)).body;
  const file = async (id: string, which: string) => (await org.api('GET', `${jobs}/${id}/${which}`)).body as string;
  async function load(rows: string, job: object = upsert): Promise<string> {
    const id = await open(job);
    await put(id, rows);
    await close(id);
    return id;
  }

  it('opens, uploads, closes and tells a job in the recorded forms [B4] [X5]', async () => {
    const made = await org.api('POST', jobs, { ...upsert, contentType: 'CSV', lineEnding: 'LF' });
    expect(made).toMatchObject({ status: 200, body: { state: 'Open', apiVersion: 66, concurrencyMode: 'Parallel' } });
    const { id, contentUrl } = made.body;
    expect(id).toMatch(/^750/);
    expect(contentUrl).toBe(`services/data/v66.0/jobs/ingest/${id}/batches`);
    const uploaded = await put(id, 'Gatehouse_Id__c,LastName\nk1,Moyo\n');
    expect([uploaded.status, uploaded.body]).toEqual([201, '']);
    const closed = await close(id);
    expect(Object.keys(closed.body)).not.toContain('contentUrl');
    expect(closed.body).toMatchObject({ state: 'UploadComplete', externalIdFieldName: 'Gatehouse_Id__c' });
    expect(await status(id)).toMatchObject({
      state: 'JobComplete',
      jobType: 'V2Ingest',
      numberRecordsProcessed: 1,
      numberRecordsFailed: 0,
    });
    expect(await file(id, 'successfulResults')).toMatch(
      /^"sf__Id","sf__Created",Gatehouse_Id__c,LastName\n"003\w{15}","true","k1","Moyo"\n$/,
    );
    expect(await file(id, 'unprocessedrecords')).toBe('Gatehouse_Id__c,LastName\n');
  });

  it('is complete with failed rows, which say CODE:message:FIELDS [B4] [X5]', async () => {
    const id = await load('Gatehouse_Id__c,LastName,Birthdate\nk1,Moyo,\nk2,,\nk1,Sato,\nk3,Sato,tomorrow\n');
    expect(await status(id)).toMatchObject({ state: 'JobComplete', numberRecordsProcessed: 4, numberRecordsFailed: 3 });
    const failed = await file(id, 'failedResults');
    expect(failed).toContain('"","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --","k2"');
    expect(failed).toContain('"DUPLICATE_VALUE:Duplicate external id specified: k1:Gatehouse_Id__c --"');
    expect(failed).toMatch(/INVALID_FIELD:Failed to deserialize field at col \d\. Due to, 'tomorrow' is not a valid/);
  });

  it('takes an empty cell for untouched, #N/A for null, and quotes for what they are [B4] [X5]', async () => {
    await load('Gatehouse_Id__c,LastName,Title,Phone\nk1,Moyo,Head,1\n');
    await load('Gatehouse_Id__c,LastName,Title,Phone\nk1,"Mo""yo, the\nelder",,#N/A\n');
    const { body } = await org.query("SELECT LastName, Title, Phone FROM Contact WHERE Gatehouse_Id__c = 'k1'");
    expect(body.records).toMatchObject([{ LastName: 'Mo"yo, the\nelder', Title: 'Head', Phone: null }]);
  });

  it('fails as a whole on the wrong line ending, a byte order mark and an unknown column [B4] [X5]', async () => {
    const errorOf = async (rows: string) => {
      const { state, errorMessage, numberRecordsProcessed } = await status(await load(rows));
      expect([state, numberRecordsProcessed]).toEqual(['Failed', 0]);
      return errorMessage;
    };
    expect(await errorOf('Gatehouse_Id__c,LastName\r\nk1,Moyo\r\n')).toBe(
      'ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF',
    );
    expect(await errorOf('\uFEFFGatehouse_Id__c,LastName\nk1,Moyo\n')).toMatch(
      /^InvalidBatch : Field name not found : /,
    );
    expect(await errorOf('Gatehouse_Id__c,Nope\nk1,Moyo\n')).toBe('InvalidBatch : Field name not found : Nope');
  });

  it('works by the clock, keeps what is done when it fails, and names the rows never tried [B4] [X5]', async () => {
    await org.sim('POST', '/settings', { bulkQueueMs: 1000, bulkRowsPerSecond: 1 });
    await org.sim('POST', '/bulk', { do: 'fail', after: 2, message: 'TooManyLockFailure : Too many lock failure' });
    const id = await load('Gatehouse_Id__c,LastName\nk1,A\nk2,B\nk3,C\n');
    expect(await status(id)).toMatchObject({ state: 'UploadComplete' });
    await org.sim('POST', '/clock', { advanceMs: 2500 });
    expect(await status(id)).toMatchObject({ state: 'InProgress', numberRecordsProcessed: 1 });
    await org.sim('POST', '/clock', { advanceMs: 60_000 });
    expect(await status(id)).toMatchObject({ state: 'Failed', errorMessage: expect.stringMatching(/^TooManyLock/) });
    expect((await file(id, 'successfulResults')).split('\n')).toHaveLength(4);
    expect(await file(id, 'unprocessedrecords')).toBe('Gatehouse_Id__c,LastName\n"k3","C"\n');
  });

  it('takes one upload a job, is aborted and deleted, and is gone then [B4] [X5]', async () => {
    const id = await open();
    await put(id, 'Gatehouse_Id__c,LastName\nk1,A\n');
    expect((await put(id, 'Gatehouse_Id__c,LastName\nk2,A\n')).status).toBe(400);
    expect((await org.api('DELETE', `${jobs}/${id}`)).status).toBe(400);
    expect((await org.api('PATCH', `${jobs}/${id}`, { state: 'Aborted' })).body.state).toBe('Aborted');
    expect(await file(id, 'unprocessedrecords')).toContain('"k1","A"');
    expect((await org.api('DELETE', `${jobs}/${id}`)).status).toBe(204);
    expect(await org.api('GET', `${jobs}/${id}`)).toMatchObject({ status: 404, body: [{ errorCode: 'NOT_FOUND' }] });
    expect((await org.query("SELECT Id FROM Contact WHERE Gatehouse_Id__c = 'k1'")).body.totalSize).toBe(0);
  });

  it('takes a small job in one request of two parts [B4] [X5]', async () => {
    const body = [
      '--B',
      'Content-Disposition: form-data; name="job"',
      'Content-Type: application/json',
      '',
      JSON.stringify({ ...upsert, contentType: 'CSV' }),
      '--B',
      'Content-Disposition: form-data; name="content"; filename="content"',
      'Content-Type: text/csv',
      '',
      'Gatehouse_Id__c,LastName\nk9,Moyo\n',
      '--B--',
      '',
    ].join('\r\n');
    const made = await org.api('POST', jobs, body, { 'Content-Type': 'multipart/form-data; boundary=B' });
    expect(made.body.state).toBe('UploadComplete');
    expect(await status(made.body.id)).toMatchObject({ state: 'JobComplete', numberRecordsProcessed: 1 });
  });

  it('does not tell results in the order of the upload [B4] [X5]', async () => {
    const keys = Array.from({ length: 40 }, (_, at) => `k${at}`);
    const id = await load(`Gatehouse_Id__c,LastName\n${keys.map((key) => `${key},A`).join('\n')}\n`);
    const told = [...(await file(id, 'successfulResults')).matchAll(/"(k\d+)"/g)].map(([, key]) => key);
    expect(told).not.toEqual(keys);
    expect(told.toSorted()).toEqual(keys.toSorted());
  });

  it('is driven by jsforce: load, results by row, query [B4] [X5]', async () => {
    const conn = new jsforce.Connection({ instanceUrl: org.url, accessToken: org.token, version: '66.0' });
    conn.bulk2.pollInterval = 10;
    const done = await conn.bulk2.loadAndWaitForResults({
      object: 'Contact',
      operation: 'insert',
      input: [
        { FirstName: 'Rosa', LastName: 'Moyo, "the" elder' },
        { FirstName: 'Nobody', LastName: '' },
      ],
    });
    expect(done.successfulResults).toMatchObject([{ sf__Created: 'true', LastName: 'Moyo, "the" elder' }]);
    expect(done.failedResults).toMatchObject([{ FirstName: 'Nobody' }]);
    const found = await (
      await conn.bulk2.query("SELECT Id, LastName, Account.Name FROM Contact WHERE LastName LIKE 'Moyo%'")
    ).toArray();
    expect(found).toMatchObject([{ LastName: 'Moyo, "the" elder', 'Account.Name': '' }]);
  });

  it('answers a query job in pages, whose last locator is the text null [B4] [X5]', async () => {
    const made = await org.api('POST', '/jobs/query', { operation: 'query', query: 'SELECT Id, Name FROM Account' });
    expect(made.body).toMatchObject({ state: 'UploadComplete', object: 'Account', operation: 'query' });
    const path = `/jobs/query/${made.body.id}`;
    expect((await org.api('GET', path)).body).toMatchObject({ state: 'JobComplete', numberRecordsProcessed: 8 });
    const first = await org.api('GET', `${path}/results?maxRecords=5`);
    expect(first.headers.get('sforce-numberofrecords')).toBe('5');
    const locator = first.headers.get('sforce-locator') ?? '';
    const last = await org.api('GET', `${path}/results?maxRecords=5&locator=${locator}`);
    expect(last.headers.get('sforce-locator')).toBe('null');
    expect(last.body.split('\n')).toHaveLength(5);
    expect((await org.api('GET', `${path}/resultPages?maxRecords=5`)).body.resultPages).toHaveLength(2);
    expect((await org.api('GET', `/services/data/v60.0${path}/results`)).status).toBe(409);
    const refused = await org.api('POST', '/jobs/query', { operation: 'query', query: 'SELECT COUNT() FROM Account' });
    expect(refused.status).toBe(400);
  });

  it('says in change events that a bulk job made the change, and who [B4] [X5]', async () => {
    await org.sim('POST', '/settings', { changeDataCapture: ['Contact'] });
    const client = { 'Sforce-Call-Options': 'client=gatehouse-1a2b3c4d' };
    const { body } = await org.api('POST', jobs, upsert, client);
    await put(body.id, 'Gatehouse_Id__c,LastName\nk1,Moyo\n');
    await close(body.id);
    await status(body.id);
    const { events } = (await org.sim('GET', '/events')).body;
    expect(events.at(-1).header.changeOrigin).toBe('com/salesforce/api/bulkapi/66.0;client=gatehouse-1a2b3c4d');
  });
});
