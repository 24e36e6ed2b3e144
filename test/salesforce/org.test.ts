import { describe, expect, it } from 'vitest';
import type { CollectionPart } from '../../src/ports/salesforce.ts';
import { createSimWorld, refusal } from './org-world.ts';

describe('the org port against the simulated org', () => {
  it('creates, reads, finds, changes and removes a record in one request each [B1] [B2]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const before = (await world.control('GET', 'calls')).count;
    const { id, created } = await org.create('Contact', { LastName: "O'Neil", Email: 'oneil@example.com' });
    expect(created).toBe(true);
    expect(id).toMatch(/^003\w{15}$/);
    const read = await org.get('Contact', id, ['LastName', 'LastModifiedDate', 'Phone']);
    expect(read).toMatchObject({ Id: id, LastName: "O'Neil", Phone: null });
    expect(read).not.toHaveProperty('attributes');
    await org.patch('Contact', id, { Phone: '+1 555 0100' }, String(read.LastModifiedDate));
    const found = await org.find('Contact', {
      fields: ['Phone', 'Account.Name'],
      where: [{ field: 'LastName', is: "O'Neil" }],
      limit: 5,
    });
    expect(found).toEqual([{ Id: id, Phone: '+1 555 0100', Account: null }]);
    await org.remove('Contact', id);
    expect((await world.control('GET', 'calls')).count - before).toBe(5);
    expect((await refusal(org.get('Contact', id, ['Name']))).code).toBe('not_found');
  });

  it('answers several finds from one request, in order [B3] [F2]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const before = (await world.control('GET', 'calls')).count;
    const [accounts, leads] = await org.findAll([
      { object: 'Account', find: { fields: ['Name'], where: [], limit: 2 } },
      { object: 'Lead', find: { fields: ['Company'], where: [], orderBy: { field: 'Company' }, limit: 1 } },
    ]);
    expect(accounts).toHaveLength(2);
    expect(leads?.[0]).toHaveProperty('Company');
    expect((await world.control('GET', 'calls')).count - before).toBe(1);
  });

  it('refuses to change a record that somebody changed since it was read', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const { id } = await org.create('Lead', { LastName: 'Ray', Company: 'Acme' });
    const { LastModifiedDate } = await org.get('Lead', id, ['LastModifiedDate']);
    await world.control('POST', 'clock', { advanceMs: 5_000 });
    await org.patch('Lead', id, { Title: 'CTO' });
    const error = await refusal(org.patch('Lead', id, { Title: 'CEO' }, String(LastModifiedDate)));
    expect(error).toMatchObject({ code: 'conflict', retryable: false });
    expect((await org.get('Lead', id, ['Title'])).Title).toBe('CTO');
  });

  it('reads long result lists page by page, and long queries in a body [B2]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const rows = Array.from({ length: 200 }, (_, i) => ({ id: '', fields: { LastName: `Page-${i}` } }));
    const part = { method: 'create', object: 'Contact', rows } as const;
    const sent = await org.collections.send([part, part, part]);
    expect(sent.flat()).toHaveLength(600);
    expect(sent.flat().every((row) => 'id' in row && row.failure === undefined)).toBe(true);
    const first = await org.query("SELECT Id FROM Contact WHERE LastName LIKE 'Page-%'", { pageSize: 200 });
    expect(first).toMatchObject({ total: 600, done: false });
    let count = first.records.length;
    for (let page = first; page.next !== undefined; count += page.records.length) page = await org.queryNext(page.next);
    expect(count).toBe(600);
    const names = Array.from({ length: 300 }, (_, i) => `'Page-${i}'`).join(', ');
    expect((await org.query(`SELECT Id FROM Contact WHERE LastName IN (${names})`)).total).toBe(600);
    expect((await refusal(org.queryNext('/services/data/v66.0/limits'))).code).toBe('invalid_input');
  });

  it('saves many at once and tells each row how it went [B3]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const send = async (method: CollectionPart['method'], ...rows: CollectionPart['rows']) => {
      const [answer = []] = await org.collections.send([{ method, object: 'Contact', rows }]);
      return 'then' in answer ? [] : answer;
    };
    const [good, bad] = await send(
      'create',
      { id: '', fields: { LastName: 'Good' } },
      { id: '', fields: { FirstName: 'No last name' } },
    );
    expect(good).toMatchObject({ isCreated: true, failure: undefined });
    expect(bad?.isCreated).toBe(false);
    expect(bad?.failure?.error.salesforce).toMatchObject({ code: 'REQUIRED_FIELD_MISSING', fields: ['LastName'] });
    const id = good?.id ?? '';
    const done = { id, isCreated: false, failure: undefined };
    expect(await send('update', { id, fields: { Title: 'Dr' } })).toEqual([done]);
    expect((await org.get('Contact', id, ['Title'])).Title).toBe('Dr');
    expect(await send('delete', { id, fields: {} })).toEqual([done]);
    const gone = await send('update', { id, fields: { Title: 'Dr' } });
    expect(gone[0]?.failure?.error.code).toBe('not_found');
    // A part that the org refuses as a whole stops no other part.
    const rows = [{ id: '', fields: { LastName: 'Beside' } }];
    const [refused, beside] = await org.collections.send([
      { method: 'upsert', object: 'Contact', keyField: 'Nowhere__c', rows },
      { method: 'create', object: 'Contact', rows },
    ]);
    expect(refused).toMatchObject({ then: 'stop' });
    expect(beside).toMatchObject([{ isCreated: true }]);
  });

  it('puts up to 25 requests in one composite [B3]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const answers = await org.composite([
      { id: 'made', method: 'POST', path: '/sobjects/Account', body: { Name: 'Acme North' } },
      { id: 'read', method: 'GET', path: '/sobjects/Account/@{made.id}?fields=Name' },
      { id: 'wrong', method: 'POST', path: '/sobjects/Account', body: {} },
    ]);
    expect(answers.map(({ id, status }) => [id, status])).toEqual([
      ['made', 201],
      ['read', 200],
      ['wrong', 400],
    ]);
  });

  it('upserts by a lookup field, and names the candidates when several match [B1]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const key = { field: 'Email', value: 'a+b@example.com' };
    const first = await org.upsert('Contact', key, { LastName: 'Ab' });
    expect(first.created).toBe(true);
    expect(await org.upsert('Contact', key, { LastName: 'Abc' })).toEqual({ id: first.id, created: false });
    await world.control('POST', 'settings', { duplicates: 'off' });
    const twin = await org.create('Contact', { LastName: 'Twin', Email: key.value });
    const error = await refusal(org.upsert('Contact', key, { LastName: 'Never' }));
    expect(error.code).toBe('ambiguous');
    expect(error.candidates?.map(({ id }) => id).sort()).toEqual([first.id, twin.id].sort());
  });

  it('offers what a duplicate rule found instead of a second record, and saves it when told to [R4]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const { id } = await org.create('Contact', { LastName: 'Doe', FirstName: 'Jane', Email: 'jane@doe.example' });
    const again = { LastName: 'Doe', FirstName: 'Jane', Email: 'jane@doe.example' };
    const error = await refusal(org.create('Contact', again));
    expect(error).toMatchObject({ code: 'duplicate', allowSave: true });
    expect(error.candidates?.map((candidate) => candidate.id)).toContain(id);
    expect((await org.create('Contact', again, { allowDuplicates: true })).created).toBe(true);
  });

  it('keeps hostile values inside their path segment and their literal', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    for (const id of ['a?x=1#', '001/../../limits', '../../limits', '001000000000000AAB', '']) {
      expect((await refusal(org.get('Account', id, ['Name']))).code).toBe('invalid_input');
    }
    expect((await refusal(org.get('Account/../x', '001000000000001AAA', ['Name']))).code).toBe('invalid_input');
    expect((await refusal(org.upsert('Contact', { field: 'Email', value: '..' }, {}))).code).toBe('invalid_input');
    const where = [{ field: 'Name', is: "x' OR Name != '\\" }];
    expect(await org.find('Account', { fields: ['Name'], where, limit: 5 })).toEqual([]);
    const field = { fields: ['Name FROM User--'], where: [], limit: 1 };
    expect((await refusal(org.find('Account', field))).code).toBe('invalid_input');
  });

  it('refuses an Id of another kind of record before anything is sent [A3]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const { id } = await org.create('Contact', { LastName: 'Kind' });
    const before = (await world.control('GET', 'calls')).count;
    const error = await refusal(org.get('Account', id, ['Name']));
    expect(error.message).toContain('another kind of record');
    expect((await world.control('GET', 'calls')).count).toBe(before);
  });

  it('tells limits, identity and links [B7]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const limits = await org.limits();
    expect(limits.DailyApiRequests?.max).toBeGreaterThan(0);
    expect(await org.identity()).toMatchObject({ username: 'admin@sim.example' });
    expect(org.recordUrl('001000000000001AAA')).toBe('http://sim.localhost/001000000000001AAA');
  });

  it('checks values against the describe of the org, every bad field at once [A2]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const error = await refusal(
      org.check(
        'Opportunity',
        'create',
        { Name: 'Deal', CloseDate: '2026-02-30', Amount: 'many' },
        { CloseDate: 'closeDate', Amount: 'amount', StageName: 'stageName' },
      ),
    );
    expect(error.code).toBe('invalid_input');
    expect(error.fields?.map(({ name }) => name).sort()).toEqual(['amount', 'closeDate', 'stageName']);
    const { fields, warnings } = await org.check('Opportunity', 'update', { StageName: 'closed won' });
    expect(fields.StageName).toBe('Closed Won');
    expect(warnings).toEqual([]);
    expect((await org.check('Opportunity', 'update', { StageName: 'Closd Won' })).warnings[0]).toContain('Closed Won');
  });

  it('lets jsforce ride on the same line for breadth [B1] [B2] [B3] [B5]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const connection = await org.jsforce();
    const { records } = await connection.query<{ Name: string }>('SELECT Name FROM Account LIMIT 1');
    expect(records[0]?.Name).toEqual(expect.any(String));
    expect((await connection.sobject('Account').describe()).name).toBe('Account');
    const made = await connection.sobject('Contact').create({ LastName: 'Rider' });
    const id = made.id ?? '';
    await connection.sobject('Contact').update({ Id: id, Title: 'Dr' });
    expect(await org.get('Contact', id, ['Title'])).toEqual({ Id: id, Title: 'Dr' });
    const upserted = await connection
      .sobject('Contact')
      .upsert({ Email: 'rider@example.com', LastName: 'Two' }, 'Email');
    expect(upserted).toMatchObject({ success: true });
    await connection.sobject('Contact').destroy(id);
    expect((await refusal(org.get('Contact', id, ['Title']))).code).toBe('not_found');
    const graph = await connection.requestPost<{ graphs: { isSuccessful: boolean }[] }>('/composite/graph', {
      graphs: [
        {
          graphId: 'g1',
          compositeRequest: [
            { method: 'POST', url: '/services/data/v66.0/sobjects/Account', referenceId: 'a', body: { Name: 'Graph' } },
          ],
        },
      ],
    });
    expect(graph.graphs.map(({ isSuccessful }) => isSuccessful)).toEqual([true]);
  });

  it('gives jsforce our session, limits and errors, and no token of its own [O5] [R4]', async () => {
    await using world = await createSimWorld();
    const connection = await (await world.open()).jsforce();
    expect(connection.accessToken).toBe('held-by-gatehouse');
    await world.control('POST', 'expire');
    expect((await connection.query('SELECT Id FROM Account LIMIT 1')).records).toHaveLength(1);
    await expect(connection.query('SELECT Nope FROM Account')).rejects.toMatchObject({
      name: 'GatehouseError',
      code: 'invalid_input',
    });
    await expect(connection.request('https://evil.example/services/data')).rejects.toThrow('another host');
  });

  it('lists the picklist values of a record type [B5]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    expect((await org.picklists('Opportunity', '012000000000000AAA')).StageName).toContain('Closed Won');
  });
});
