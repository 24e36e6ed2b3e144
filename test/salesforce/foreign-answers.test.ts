import { generateKeyPairSync } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type GatehouseError, toErrorBody } from '../../src/domain/errors.ts';
import type { Org } from '../../src/ports/salesforce.ts';
import { createOAuth } from '../../src/salesforce/auth/oauth.ts';
import { createTransport } from '../../src/salesforce/transport/http.ts';
import { isUnknownOutcome } from '../../src/salesforce/transport/upstream-error.ts';
import { createServedWorld, createSimWorld, refusal, serve } from './org-world.ts';

/** What became of a write is Salesforce's to say. An answer in other words, above all a page, proves neither a yes nor a no. */

const ID = '001D000000K0fXOIAZ';
const LEAD = { LastName: 'Ray', Company: 'Acme' };
const WRITES: Readonly<Record<string, (org: Org) => Promise<unknown>>> = {
  create: (org) => org.create('Lead', LEAD),
  patch: (org) => org.patch('Account', ID, { Name: 'B' }),
  upsert: (org) => org.upsert('Lead', { field: 'Key__c', value: 'k' }, LEAD),
  remove: (org) => org.remove('Account', ID),
  collections: (org) => org.collections.send([{ method: 'create', object: 'Lead', rows: [{ id: '', fields: LEAD }] }]),
};

function say(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': body.startsWith('<') ? 'text/html' : 'application/json' });
  response.end(body);
}

describe('a write that is answered in foreign words', () => {
  const DOUBTFUL: readonly (readonly [number, string])[] = [
    [200, '<html>Please sign in to the hotel network</html>'],
    [200, '{"hello":"world"}'],
    [200, '{"id":"x","success":true}'],
    [202, ''],
    [304, ''],
    [400, '<html>blocked</html>'],
    [401, '<html>sign in to the proxy</html>'],
    [403, '<html>the answer was blocked</html>'],
    [404, '<html>no such page</html>'],
    [408, ''],
    [409, '{}'],
    [499, ''],
  ];

  it.each(DOUBTFUL)('is unknown, never done and never refused: %i %s [R3] [C6]', async (status, body) => {
    await using world = await createServedWorld((_, response) => say(response, status, body));
    const org = await world.open();
    for (const [name, write] of Object.entries(WRITES))
      expect(isUnknownOutcome(await refusal(write(org))), name).toBe(true);
  });

  it('is unknown where the answer turns to another protocol, and keeps nobody waiting [R3]', async () => {
    const turn = (_: unknown, response: ServerResponse) => {
      response.socket?.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    };
    await using world = await createServedWorld(turn);
    const org = await world.open();
    for (const [name, write] of Object.entries(WRITES))
      expect(isUnknownOutcome(await refusal(write(org))), name).toBe(true);
    await using other = await createServedWorld(turn);
    const read = (await other.open()).query('SELECT Id FROM Account');
    expect(await refusal(read)).toMatchObject({ code: 'salesforce_unavailable' });
  });

  it.each([411, 413, 429])('surely did not happen where nobody passed it on: %i [R3]', async (status) => {
    await using world = await createServedWorld((_, response) => say(response, status, '<html>no</html>'));
    const org = await world.open();
    for (const [name, write] of Object.entries(WRITES))
      expect(isUnknownOutcome(await refusal(write(org))), name).toBe(false);
  });
});

it('a change that is answered for another record, or as made anew, is unknown [R3] [C6]', async () => {
  for (const body of [`{"id":"001D000000K0fXPIAZ","success":true}`, `{"id":"${ID}","success":true,"created":true}`]) {
    await using world = await createServedWorld((_, response) => say(response, 200, body));
    const org = await world.open();
    expect(isUnknownOutcome(await refusal(org.patch('Account', ID, { Name: 'B' })))).toBe(true);
    expect(isUnknownOutcome(await refusal(org.remove('Account', ID)))).toBe(true);
  }
});

it('a row of many is believed only for its own record: another Id, none, or one for two rows is unknown [R3] [C6]', async () => {
  const other = '001D000000K0fXPIAZ';
  const made = (...ids: (string | undefined)[]) => JSON.stringify(ids.map((id) => ({ id, success: true, errors: [] })));
  let body = '';
  await using world = await createServedWorld((_, response) =>
    say(response, 200, `{"compositeResponse":[{"httpStatusCode":200,"referenceId":"w0","body":${body}}]}`),
  );
  const org = await world.open();
  const send = (method: 'create' | 'update' | 'upsert' | 'delete', ...ids: string[]) => {
    const rows = ids.map((id) => ({ id, fields: { Name: 'B' } }));
    return org.collections.send([{ method, object: 'Account', keyField: 'Key__c', rows }]);
  };
  for (const method of ['update', 'delete'] as const) {
    body = made(other);
    expect(isUnknownOutcome(await refusal(send(method, ID))), method).toBe(true);
    for (body of [made(ID), made(ID.slice(0, 15)), made(undefined)])
      expect(await send(method, ID)).toMatchObject([[{ id: ID, failure: undefined }]]);
  }
  for (const method of ['create', 'upsert'] as const)
    for (body of [made(undefined, other), made('', other), made(ID, ID)])
      expect(isUnknownOutcome(await refusal(send(method, 'a', 'b'))), `${method} ${body}`).toBe(true);
  body = made(ID, other);
  expect(await send('upsert', 'a', 'b')).toMatchObject([[{ id: ID }, { id: other }]]);
});

it('the session that an answer echoes is told to nobody, whatever part of the answer holds it [K4] [K8]', async () => {
  let told = (session: string): string => session;
  let asked = '';
  await using world = await createServedWorld((request, response) => {
    asked = String(request.headers.authorization).replace('Bearer ', '');
    const body = told(asked);
    say(response, body.startsWith('{') ? 200 : 400, body);
  });
  const org = await world.open();
  const find = () => org.find('Account', { fields: ['Name'], where: [], limit: 1 });
  for (const session of [(own: string) => own, encodeURIComponent, () => '00D5i000000SimZ!AQ4_another.one'])
    for (const where of [
      (text: string) => `[{"errorCode":"MALFORMED_QUERY","message":"seen Bearer ${text} here"}]`,
      (text: string) => `[{"errorCode":"${text}","message":"no"}]`,
      (text: string) => `[{"errorCode":"INVALID_FIELD","message":"no","fields":["${text}"]}]`,
      (text: string) => `{"done":true,"totalSize":1,"records":[{"Id":"${ID}","Name":"${text}"}]}`,
    ]) {
      told = (own) => where(session(own));
      const answer = await find().catch((error: GatehouseError) => toErrorBody(error));
      expect(JSON.stringify(answer)).not.toContain(session(asked));
    }
  expect(asked.length).toBeGreaterThan(15);
});

it('what a sign-in sends is told to nobody where the answer echoes it, in whatever form and of whatever flow [K4] [K8]', async () => {
  let [status, error] = [400, 'invalid_grant'];
  let sent = '';
  await using server = await serve(({ body }, response) => {
    sent = body;
    const values = [...new URLSearchParams(body).values()].join(' ');
    say(response, status, JSON.stringify({ error, error_description: `seen ${values} and ${body}` }));
  });
  const config = { clientId: '3MVG9.app', clientSecret: 'a se"cret/of+ours' };
  const transport = createTransport({ timeoutMs: 5_000, extraHosts: [server.host] });
  const oauth = createOAuth({ transport, config, now: Date.now });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const flows = [
    () => oauth.refresh(server.url, '5Aep861.a-refresh=token'),
    () =>
      oauth.redeem(server.url, { code: 'aPrx.a=code', redirectUri: 'http://localhost/x', verifier: 'v'.repeat(43) }),
    () => oauth.password(server.url, { username: 'ada@x.example', password: 'pass word&more' }),
    () => oauth.clientCredentials(server.url),
    () => oauth.jwt(server.url, { username: 'ada@x.example', privateKey: pem }),
  ];
  for ([status, error] of [
    [400, 'invalid_grant'],
    [400, 'unheard_of'],
    [503, 'unknown_error'],
  ] as const)
    for (const flow of flows) {
      const told = JSON.stringify(toErrorBody(await refusal(flow())));
      const plain = new Set(['grant_type', 'client_id', 'redirect_uri', 'username']);
      for (const [name, value] of new URLSearchParams(sent))
        if (!plain.has(name))
          for (const form of [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)])
            expect(told, `${name} of ${flow}`).not.toContain(form);
      if (status === 400) expect(told).toContain('[secret]');
    }
});

it('an answer is read by what was asked: what else it holds goes no further, and too much of it is no answer [A7] [K4]', async () => {
  let more: Record<string, unknown> = { Secret__c: 'x', Account: { Name: 'Acme', Secret__c: 'y' } };
  await using world = await createServedWorld((_, response) =>
    say(response, 200, JSON.stringify({ done: true, totalSize: 1, records: [{ Id: ID, Name: 'B', ...more }] })),
  );
  const org = await world.open();
  const find = () => org.find('Account', { fields: ['name', 'Account.Name'], where: [], limit: 1 });
  expect(await find()).toEqual([{ Id: ID, Name: 'B', Account: { Name: 'Acme' } }]);
  more = Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`k${n}`, n]));
  expect(await refusal(find())).toMatchObject({ code: 'salesforce_error' });
});

it('a create that is answered with the Id of another object is not believed, and not sent again: it is read by its key [R3] [C6]', async () => {
  const seen: string[] = [];
  const own = '00QD000000K0fXOMAZ';
  await using world = await createServedWorld((request, response) => {
    seen.push(`${request.method} ${request.url?.replace(/.*v[0-9.]+/, '')}`);
    const made = `{"id":"${ID}","success":true,"errors":[]}`;
    if (request.url?.includes('/composite'))
      return say(response, 200, `{"compositeResponse":[{"httpStatusCode":200,"referenceId":"w0","body":[${made}]}]}`);
    return request.method === 'GET' ? say(response, 200, `{"Id":"${own}"}`) : say(response, 201, made);
  });
  const org = await world.open();
  for (const name of ['create', 'collections'])
    expect(isUnknownOutcome(await refusal(WRITES[name]!(org))), name).toBe(true);
  seen.length = 0;
  expect(await org.create('Lead', LEAD, { mark: { field: 'Key__c', value: 'k' } })).toEqual({ id: own, created: true });
  expect(seen).toEqual(['PATCH /sobjects/Lead/Key__c/k', 'GET /sobjects/Lead/Key__c/k?fields=Id']);
});

it.each([
  '{"totalSize":1,"done":true,"records":[null]}',
  '{"totalSize":1,"done":true,"records":["001D000000K0fXOIAZ"]}',
  '{"totalSize":1,"done":false,"records":[]}',
])('rows that cannot be read are never taken for no rows: %s [R3] [S1]', async (body) => {
  await using world = await createServedWorld((_, response) => say(response, 200, body));
  const error = await refusal(world.open().then((org) => org.find('Lead', { fields: ['Id'], where: [], limit: 1 })));
  expect(error.code).toBe('salesforce_error');
});

it('an answer without an end is cut off, and its end is not waited for [R3]', async () => {
  await using world = await createServedWorld((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = Buffer.alloc(1024 * 1024, '[');
    const more = () => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  const error = await refusal(world.open().then((org) => org.find('Account', { fields: ['Id'], where: [], limit: 1 })));
  expect(error).toMatchObject({ code: 'salesforce_error', message: expect.stringContaining('more than 32 MB') });
});

it('a packed answer is read, and one that unpacks to far more is cut off [R3]', async () => {
  const rows = '{"totalSize":1,"done":true,"records":[{"Id":"001D000000K0fXOIAZ"}]}';
  let body = gzipSync(rows);
  await using world = await createServedWorld((request, response) => {
    expect(request.headers['accept-encoding']).toBe('gzip');
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(body);
  });
  const find = async () => (await world.open()).find('Account', { fields: ['Id'], where: [], limit: 1 });
  expect(await find()).toEqual([{ Id: '001D000000K0fXOIAZ' }]);
  body = gzipSync(Buffer.alloc(40 * 1024 * 1024, ' '));
  expect(await refusal(find())).toMatchObject({ message: expect.stringContaining('more than 32 MB') });
  body = gzipSync(rows).subarray(0, 20);
  expect(await refusal(find())).toMatchObject({ code: 'salesforce_unavailable' });
});

it('an external id that the org no longer has is remembered no longer [A2] [G13]', async () => {
  await using world = await createSimWorld();
  const org = await world.open();
  const names = async () => (await org.describe('Lead')).fields.map(({ name }) => name);
  expect(await names()).toContain('Gatehouse_Id__c');
  await world.control('POST', 'settings', { withoutFields: ['Lead.Gatehouse_Id__c'] });
  await refusal(org.create('Lead', LEAD, { mark: { field: 'Gatehouse_Id__c', value: 'gh-1' } }));
  expect(await names()).not.toContain('Gatehouse_Id__c');
});

it('a limit of the moment is not told as the allowance of the day, on the next call either [G13]', async () => {
  await using world = await createServedWorld((_, response) =>
    say(response, 403, '[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"ConcurrentPerOrgLongTxn Limit exceeded."}]'),
  );
  for (let n = 0; n < 2; n++) {
    const error = await refusal(
      world.open().then((org) => org.find('Account', { fields: ['Id'], where: [], limit: 1 })),
    );
    expect(error).toMatchObject({ code: 'limit_reached', message: expect.not.stringContaining('allowance') });
  }
});

it.each([
  [3_600_000, 0],
  [-3_600_000, 0],
  [3_600_000, 1_400],
  [-3_600_000, 1_400],
])(
  'a clock that jumps by %i ms is known to every process with the answer that shows it, also one that takes %i ms [S2] [K6]',
  async (jump, takes) => {
    let offset = 0;
    await using world = await createServedWorld((_, response) => {
      response.setHeader('date', new Date(world.clock.now + offset).toUTCString());
      world.clock.advance(takes);
      say(response, 200, '{"totalSize":0,"done":true,"records":[]}');
    });
    const ask = async () =>
      (await world.open()).find('Account', { fields: ['Id'], where: [{ field: 'Name', is: 'A' }], limit: 1 });
    await ask();
    offset = jump;
    await ask();
    const stored = (await world.store.connections.get('demo'))?.clockOffsetMs ?? 0;
    expect(Math.abs(stored - jump)).toBeLessThan(2_000);
  },
);
