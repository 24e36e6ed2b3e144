import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createGatehouse } from '../support/cli.ts';

/** The host app, an operator and the org, each over its own HTTP; the built program between them. */

// biome-ignore lint/suspicious/noExplicitAny: answers of three servers, asserted where they are used
type Json = any;

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 200; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(100);
  }
  throw new Error('It did not come about in twenty seconds.');
}

async function listen(handle: (body: string, headers: Record<string, unknown>) => number) {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => response.writeHead(handle(body, request.headers)).end());
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

it('keeps a host app and an org in step: a human says who is who, messages bring what changed there, a webhook tells it [S1] [S3] [S5] [S7] [I1]', async () => {
  await using house = await createGatehouse();
  await using salesforce = await house.start(['sim', '--port', '0']);
  const org = salesforce.document.url;
  const real = {
    SALESFORCE_CLIENT_ID: 'sim',
    SALESFORCE_CLIENT_SECRET: 'sim',
    SALESFORCE_LOGIN_URL: org,
    SALESFORCE_EXTRA_HOSTS: new URL(org).host,
    // The host app of this test lives on this machine.
    GATEHOUSE_ALLOW_PRIVATE_HOOKS: '1',
  };
  const run = async (args: readonly string[], env: Record<string, string> = {}) =>
    house.run([...args, '--json'], { env: { ...real, ...env } });
  const sim = async (route: string, body: unknown): Promise<Json> =>
    (await fetch(`${org}/_sim/${route}`, { method: 'POST', body: JSON.stringify(body) })).json();

  const { key } = (await run(['operator', 'create', 'ada', '--role', 'admin'])).json;
  const ada = { GATEHOUSE_OPERATOR_KEY: key };
  const { hostKey } = (await run(['bot', 'create', 'acme', '--profile', 'internal'])).json;
  expect((await run(['connect', 'acme', '--flow', 'client-credentials'], ada)).code).toBe(0);
  await using door = await house.start(['serve', '--port', '0'], { env: real });
  const ask = async (as: string, method: string, path: string, body?: unknown): Promise<Json> => {
    const answer = await fetch(door.document.url + path, {
      method,
      headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answer.json();
  };

  // Two contacts could be meant: nothing is written, and the status says what to do.
  const person = { LastName: 'Lovelace', FirstName: 'Ada', Email: 'ada@example.com' };
  const first = await sim('records/Contact', person);
  await sim('records/Contact', person);
  await ask(hostKey, 'PUT', '/api/parties/p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '+1 1' });
  const status = await until(async () => {
    const { sync } = (await run(['status', 'acme'])).json;
    return sync.problems.length > 0 ? sync : undefined;
  });
  expect(status.problems).toEqual([
    expect.objectContaining({ code: 'ambiguous', next: expect.stringContaining('(link)'), count: 1 }),
  ]);
  expect(await ask(key, 'GET', '/api/bots/acme/sync/status')).toMatchObject({ problems: status.problems });
  expect((await run(['link', 'acme', 'party', 'p1', first.id])).error).toMatchObject({ code: 'unauthenticated' });
  expect((await run(['link', 'acme', 'party', 'p1', `${first.id.slice(0, 17)}x`], ada)).error).toMatchObject({
    code: 'invalid_input',
  });
  expect((await run(['link', 'acme', 'party', 'p1', first.id], ada)).json).toMatchObject({
    object: 'Contact',
    recordId: first.id,
  });
  await until(async () => {
    const { logs } = await ask(hostKey, 'GET', '/api/crm/sync-logs?customerId=p1&platform=salesforce');
    return logs.find((row: Json) => row.changes.Phone === '+1 1' && row.crmRecordId === first.id);
  });
  expect((await run(['status', 'acme'])).json.sync).toMatchObject({ waiting: 0, problems: [] });

  // A colleague edits; the org's own message brings it, long before the next poll, and the host's webhook tells it.
  const told: { type: string; changes: Json; isSigned: boolean }[] = [];
  let secret = '';
  let failures = 1;
  const hook = await listen((body, headers) => {
    if (failures-- > 0) return 503;
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const mac = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
      .update(signed)
      .digest('base64');
    const { type, data } = JSON.parse(body);
    told.push({ type, changes: data.changes, isSigned: headers['webhook-signature'] === `v1,${mac}` });
    return 204;
  });
  try {
    secret = (await ask(key, 'PUT', '/api/bots/acme/sync/webhook', { url: hook.url })).secret;
    const { url } = await ask(key, 'POST', '/api/bots/acme/sync/inbound-token', {});
    await sim('outbound-messages', { object: 'Contact', url, fields: ['Title', 'LastModifiedDate'] });
    await sim('records/Contact', { Id: first.id, Title: 'Countess' });
    await until(async () => told[0]);
    expect(told).toEqual([
      { type: 'party.updated', changes: { jobTitle: { before: null, after: 'Countess' } }, isSigned: true },
    ]);
    expect(await ask(hostKey, 'GET', '/api/parties/p1')).toMatchObject({ jobTitle: 'Countess' });
    expect((await run(['status', 'acme'])).json.connection.lastEventAt).toBeDefined();
    const headers = { authorization: `Bearer ${key}` };
    const exported = await fetch(`${door.document.url}/api/bots/acme/sync/logs?format=jsonl`, { headers });
    const rows = (await exported.text()).trim().split('\n');
    expect(JSON.parse(rows[0] ?? '')).toMatchObject({ localId: 'p1', direction: 'from_crm', operation: 'update' });

    const when = ['--when', 'IsWon', '--becomes', 'true'];
    expect(
      (await run(['subscription', 'set', 'acme', 'Opportunity', '--fields', 'Name', ...when], ada)).json,
    ).toMatchObject({
      object: 'Opportunity',
      when: { field: 'IsWon', becomes: [true] },
    });
    expect((await run(['subscription', 'list', 'acme'])).json.subscriptions).toHaveLength(1);
    expect((await run(['subscription', 'remove', 'acme', 'Opportunity'], ada)).json).toMatchObject({ deleted: true });
    expect((await run(['unlink', 'acme', 'party', 'p1'], ada)).json).toMatchObject({ linked: false });
    expect((await run(['status', 'acme'])).json.sync.links).toEqual([{ kind: 'party', state: 'unlinked', count: 1 }]);
  } finally {
    hook.server.close();
  }
}, 120_000);
