import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createSim } from '../../src/sim/sim.ts';
import { sharedOrg } from './open-org.ts';

describe('control of the simulated org', () => {
  const org = sharedOrg();

  const leads = async () => (await org.sim('GET', '/records/Lead')).body.records.length;
  const createLead = (headers = {}) => org.api('POST', '/sobjects/Lead', { LastName: 'F', Company: 'F' }, headers);

  it('is refused to a page of another site, which a browser on this machine may show [X5]', async () => {
    const reset = (origin: string) =>
      fetch(`${org.url}/_sim/reset`, { method: 'POST', body: '{}', headers: { origin, 'content-type': 'text/plain' } });
    await createLead();
    for (const origin of ['https://evil.example', 'null', 'http://localhost:1']) {
      expect((await reset(origin)).status).toBe(403);
      expect(await leads()).toBe(7);
    }
    expect((await reset(new URL(org.url).origin)).status).toBe(200);
    expect(await leads()).toBe(6);
  });

  it('refuses once with 503, then goes on [X5]', async () => {
    await org.sim('POST', '/faults', { type: 'status', times: 1 });
    const answer = await createLead();
    expect([answer.status, answer.body[0].errorCode]).toEqual([503, 'SERVER_UNAVAILABLE']);
    expect(await leads()).toBe(6);
    expect((await createLead()).status).toBe(201);
  });

  it('drops the reply after the write, or before it, or in mid-body [X5]', async () => {
    await org.sim('POST', '/faults', {
      type: 'drop',
      when: 'after',
      match: { method: 'POST', path: '/sobjects/Lead' },
      times: 1,
    });
    await expect(createLead()).rejects.toMatchObject({
      message: 'fetch failed',
      cause: { code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/) },
    });
    expect(await leads()).toBe(7);
    await org.sim('POST', '/faults', { type: 'drop', times: 1 });
    await expect(createLead()).rejects.toThrow('fetch failed');
    expect(await leads()).toBe(7);
    await org.sim('POST', '/faults', { type: 'drop_body', times: 1 });
    await expect(createLead()).rejects.toThrow('terminated');
    expect(await leads()).toBe(8);
  });

  it('expires the session, reaches the limit, meets a lock, sends a page, sends elsewhere [X5]', async () => {
    await org.sim('POST', '/faults', [{ type: 'limit', times: 1 }]);
    const limited = await createLead();
    expect([limited.status, limited.body]).toEqual([
      403,
      [{ message: 'TotalRequests Limit exceeded.', errorCode: 'REQUEST_LIMIT_EXCEEDED' }],
    ]);
    await org.sim('POST', '/faults', { type: 'html', times: 1 });
    expect((await createLead()).body).toContain('down for maintenance');
    await org.sim('POST', '/faults', { type: 'redirect', location: 'https://evil.example/', times: 1 });
    const moved = await createLead();
    expect([moved.status, moved.headers.get('location')]).toEqual([302, 'https://evil.example/']);
    await org.sim('POST', '/faults', { type: 'lock', times: 2 });
    expect((await createLead()).body).toEqual([
      {
        message: expect.stringContaining('unable to obtain exclusive access'),
        errorCode: 'UNABLE_TO_LOCK_ROW',
        fields: [],
      },
    ]);
    const many = await org.api('POST', '/composite/sobjects', {
      records: [{ attributes: { type: 'Lead' }, LastName: 'L', Company: 'L' }],
    });
    expect([many.status, many.body[0].errors[0].statusCode]).toEqual([200, 'UNABLE_TO_LOCK_ROW']);
    expect(await leads()).toBe(6);
    const session = await org.as('admin@sim.example');
    await org.sim('POST', '/faults', { type: 'expired_session', times: 1 });
    expect((await session.api('GET', '/limits')).status).toBe(401);
    expect((await session.api('GET', '/limits')).status).toBe(401);
    expect((await org.api('GET', '/limits')).status).toBe(200);
  });

  it('hangs until the caller gives up, and is slow on request [X5]', async () => {
    await org.sim('POST', '/faults', [
      { type: 'hang', match: { path: '/limits$' }, times: 1 },
      { type: 'latency', ms: 30, match: { path: '/query' } },
    ]);
    const hanging = fetch(`${org.url}/services/data/v66.0/limits`, { signal: AbortSignal.timeout(50) });
    await expect(hanging).rejects.toMatchObject({ name: 'TimeoutError' });
    const start = performance.now();
    await org.query('SELECT Id FROM Lead');
    expect(performance.now() - start).toBeGreaterThanOrEqual(29);
    await org.sim('POST', '/faults', { clear: true });
    expect((await org.sim('GET', '/faults')).body.faults).toEqual([]);
  });

  it('fails the token endpoint when the path says so [X5]', async () => {
    await org.sim('POST', '/faults', { type: 'status', status: 500, match: { path: '/oauth2/token' }, times: 1 });
    const answer = await fetch(`${org.url}/services/oauth2/token`, { method: 'POST' });
    expect(answer.status).toBe(500);
  });

  it('lists the calls of the API, and the sign-ins apart [X5]', async () => {
    await createLead({ 'Sforce-Call-Options': 'client=gatehouse' });
    await fetch(`${org.url}/services/data`);
    await org.as('admin@sim.example');
    const { body } = await org.sim('GET', '/calls');
    expect([body.count, body.oauthCount]).toEqual([1, 1]);
    expect(body.calls).toEqual([
      {
        method: 'POST',
        path: '/services/data/v66.0/sobjects/Lead',
        status: 201,
        at: expect.any(String),
        client: 'gatehouse',
        examined: 0,
      },
    ]);
  });

  it('counts every data call in the header, and refuses beyond the allowance until a day has passed [X5]', async () => {
    await org.sim('POST', '/settings', { apiMax: 2 });
    expect((await createLead()).headers.get('sforce-limit-info')).toBe('api-usage=1/2');
    expect((await createLead()).headers.get('sforce-limit-info')).toBe('api-usage=2/2');
    expect((await createLead()).body[0].errorCode).toBe('REQUEST_LIMIT_EXCEEDED');
    await org.sim('POST', '/clock', { advanceMs: 24 * 60 * 60 * 1000 });
    await org.sim('POST', '/settings', { sessionMs: 1e9 });
    const later = await org.as('admin@sim.example');
    expect((await later.api('GET', '/limits')).status).toBe(200);
  });

  it('moves the clock that stamps records and the Date header [X5]', async () => {
    await org.sim('POST', '/clock', { now: '2030-02-03T04:05:06Z' });
    const { body, headers } = await (await org.as('admin@sim.example')).api('POST', '/sobjects/Account', {
      Name: 'Later',
    });
    expect(headers.get('date')).toContain('03 Feb 2030');
    const records = (await org.sim('GET', '/records/Account')).body.records;
    expect(records.find((row: { Id: string }) => row.Id === body.id).CreatedDate).toMatch(/^2030-02-03T04:05:/);
  });

  it('changes records as a Salesforce user would, merges and undeletes [X5]', async () => {
    const made = await org.sim('POST', '/records/Contact', { LastName: 'One', at: '2026-01-02T03:04:05Z' });
    const other = await org.sim('POST', '/records/Contact', { LastName: 'Two' });
    expect(
      (await org.query(`SELECT SystemModstamp FROM Contact WHERE Id = '${made.body.id}'`)).body.records[0]
        .SystemModstamp,
    ).toBe('2026-01-02T03:04:05.000+0000');
    await org.sim('POST', '/records/Contact', { Id: made.body.id, FirstName: 'New' });
    expect((await org.api('GET', `/sobjects/Contact/${made.body.id}`)).body.Name).toBe('New One');
    await org.sim('POST', '/merge', { object: 'Contact', master: other.body.id, duplicate: made.body.id });
    const merged = await org.api(
      'GET',
      `/queryAll?q=${encodeURIComponent(`SELECT IsDeleted, MasterRecordId FROM Contact WHERE Id = '${made.body.id}'`)}`,
    );
    expect(merged.body.records[0]).toMatchObject({ IsDeleted: true, MasterRecordId: other.body.id });
    await org.sim('POST', '/undelete', { object: 'Contact', id: made.body.id });
    expect((await org.api('GET', `/sobjects/Contact/${made.body.id}`)).status).toBe(200);
  });

  it('resets to the shipped company, to another seed, or to an org without our fields [X5]', async () => {
    await org.sim('POST', '/reset', { withoutFields: ['Contact.Gatehouse_Id__c'] });
    const described = (await org.api('GET', '/sobjects/Contact/describe')).body;
    expect(described.fields.map((field: { name: string }) => field.name)).not.toContain('Gatehouse_Id__c');
    expect((await org.query('SELECT Gatehouse_Id__c FROM Contact')).body[0].errorCode).toBe('INVALID_FIELD');
    await org.sim('POST', '/reset', {
      seed: { records: { Account: [{ ref: 'a', Name: 'Only' }], Contact: [{ LastName: 'C', AccountId: '@a' }] } },
    });
    expect(
      (await org.query('SELECT Name, (SELECT LastName FROM Contacts) FROM Account')).body.records[0],
    ).toMatchObject({ Name: 'Only', Contacts: { totalSize: 1 } });
    const bad = await org.sim('POST', '/reset', { seed: { records: { Account: [{ Nope: 1 }] } } });
    expect([bad.status, bad.body.error]).toEqual([400, 'The seed names a field that Account does not have: Nope.']);
    expect((await org.query('SELECT COUNT() FROM Account')).body.totalSize).toBe(1);
  });

  const bad: [string, unknown][] = [
    ['/faults', { type: 'quake' }],
    ['/faults', { type: 'drop', wen: 'after' }],
    ['/faults', 'not json'],
    ['/faults', { type: 'status', match: { path: '(' } }],
    ['/clock', {}],
    ['/clock', { now: 'noon' }],
    ['/settings', { duplicates: 'maybe' }],
    ['/settings', { withoutFields: ['Contact.Email'] }],
    ['/records/Zork', {}],
    ['/records/Contact', { Nope: 1 }],
    ['/reset', { withoutFields: ['Contact.LastName'] }],
    ['/jwt-key', { pem: 'x' }],
    ['/nothing', {}],
    ['/outbound-messages', { object: 'Case', url: 'http://10.0.0.1/' }],
  ];
  it.each(bad)('refuses bad control of %s: %j, and says what is accepted [X5]', async (path, body) => {
    const answer = await org.sim('POST', path, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.length).toBeGreaterThan(10);
  });

  it('answers control only to this machine, and not to a page with another Host [X5]', async () => {
    const foreign = await new Promise<number | undefined>((resolve, reject) => {
      const { hostname, port } = new URL(org.url);
      httpRequest({ hostname, port, path: '/_sim/calls', headers: { Host: 'evil.example' } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(foreign).toBe(403);
    const sim = await createSim();
    expect((await sim.fetch(new Request('http://sim.invalid/_sim/calls'), { loopback: false })).status).toBe(403);
    expect((await sim.fetch(new Request('http://sim.invalid/_sim/calls'))).status).toBe(200);
    await sim.close();
  });

  it('works without a socket, faults and aborts included [X5]', async () => {
    const sim = await createSim({ origin: 'https://sim.invalid' });
    const fault = (body: object) =>
      sim.fetch(new Request('http://x/_sim/faults', { method: 'POST', body: JSON.stringify(body) }));
    await fault({ type: 'drop', times: 1 });
    await expect(sim.fetch(new Request('http://x/services/data'))).rejects.toMatchObject({
      name: 'TypeError',
      message: 'fetch failed',
      cause: { code: 'ECONNRESET' },
    });
    await fault({ type: 'drop_body', times: 1 });
    const cut = await sim.fetch(new Request('http://x/services/data'));
    expect(cut.status).toBe(200);
    await expect(cut.text()).rejects.toThrow('terminated');
    await fault({ type: 'hang', times: 1 });
    await expect(
      sim.fetch(new Request('http://x/services/data', { signal: AbortSignal.timeout(20) })),
    ).rejects.toMatchObject({ name: 'TimeoutError' });
    // biome-ignore lint/suspicious/noExplicitAny: asserted below.
    const versions: any = await (await sim.fetch(new Request('http://x/services/data'))).json();
    expect([versions[0].version, versions.at(-1)]).toEqual([
      '31.0',
      { label: "Spring '26", url: '/services/data/v66.0', version: '66.0' },
    ]);
    expect(await (await sim.fetch(new Request('http://x/'))).text()).toContain('not Salesforce');
    await sim.close();
  });
});
