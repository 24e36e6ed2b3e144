import { describe, expect, it } from 'vitest';
import { shippedPolicy } from '../../permissions/policy.ts';
import { createHttp } from '../../src/http/server.ts';
import { messageIn } from '../../src/mcp/request.ts';
import { signFor } from '../support/world.ts';
import { type Door, KINDS, openDoor, type Reply } from './door.ts';

const HOUR_MS = 3_600_000;
const MOVE = { reference: 'OPP-123', nextStep: 'Send the contract' };
const yes = (): Reply => ({ action: 'accept', content: { decision: 'approve' } });

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

/** One request as it comes off the wire, straight to the door, past the guards of Host and Origin. */
function knock(door: Door, headers: Record<string, string> = {}, body: unknown = INITIALIZE) {
  const own = {
    host: 'localhost:3000',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${door.key}`,
  };
  return door.mcp.handle(
    new Request('http://localhost:3000/mcp', {
      method: 'POST',
      headers: { ...own, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
    'http://localhost:3000',
  );
}

/** Through the guards of the HTTP server, with a Host that fetch would not let us choose. */
function ask(
  door: Door,
  headers: Record<string, string>,
  { path = '/mcp', ...more }: RequestInit & { path?: string } = {},
) {
  const http = createHttp({ ...door.world.app, mcp: door.mcp });
  const own = {
    host: 'localhost:3000',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${door.key}`,
  };
  const body = (more.method ?? 'POST') === 'POST' ? JSON.stringify(INITIALIZE) : null;
  return http.fetch(
    new Request(`http://localhost:3000${path}`, { method: 'POST', body, ...more, headers: { ...own, ...headers } }),
    { remoteAddress: '127.0.0.1' },
  );
}

// biome-ignore lint/suspicious/noExplicitAny: what an answer holds is for each test to say
const json = (answer: Response): Promise<any> => answer.json();

async function anotherBot(door: Door): Promise<string> {
  const { store, access } = door.world.app;
  await store.bots.create({
    name: 'other',
    audience: 'internal',
    profile: 'internal',
    createdAt: door.world.clock.now,
    grants: ['UPDATE_OPPORTUNITY'],
    policy: shippedPolicy('internal'),
  });
  return access.issueKey('agent', 'other');
}

describe('who may knock', () => {
  it.each([
    ['another site in Origin', { origin: 'https://evil.example' }],
    ['an origin that is none', { origin: 'null' }],
    ['a rebound name in Host', { host: 'evil.example' }],
    ['a name that only begins like ours', { host: 'localhost.evil.example:3000' }],
  ])('refuses %s', async (_, headers) => {
    await using door = await openDoor();
    expect((await ask(door, headers)).status).toBe(403);
  });

  it('takes the address an operator has set, and pages that it serves itself', async () => {
    await using door = await openDoor({ env: { GATEHOUSE_URL: 'https://gate.example', GATEHOUSE_SIM: '1' } });
    expect((await ask(door, { host: 'gate.example', origin: 'https://gate.example' })).status).toBe(200);
    // What a proxy calls us by default is nobody's way in.
    expect((await ask(door, { host: 'localhost:3000' })).status).toBe(403);
  });

  it('asks for an agent key in words and in the header that clients look for [P4] [X2]', async () => {
    await using door = await openDoor();
    for (const authorization of ['', 'Bearer', 'Bearer gha_unknown', `Basic ${door.key}`]) {
      const answer = await knock(door, { authorization });
      expect(answer.status, authorization).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
      expect((await json(answer)).error).toMatchObject({ code: 'unauthenticated', next: expect.stringMatching(/\w/) });
    }
  });

  it('refuses host and operator keys, and agent keys once they are revoked [P4]', async () => {
    await using door = await openDoor();
    const { access } = door.world.app;
    const hostKey = await access.issueKey('host', door.world.bot);
    const operatorKey = await access.createOperator('ann', 'admin');
    for (const key of [hostKey, operatorKey]) {
      const answer = await knock(door, { authorization: `Bearer ${key}` });
      expect(answer.status).toBe(403);
      expect(await answer.text()).not.toContain(key);
    }
    await access.revokeKeys('agent', door.world.bot);
    expect((await knock(door)).status).toBe(401);
  });

  it('answers at the address of a bot too, to a key of that bot alone [X2] [P4]', async () => {
    await using door = await openDoor();
    const own = { path: `/mcp/${door.world.bot}` };
    expect((await ask(door, {}, own)).status).toBe(200);
    for (const path of ['/mcp/other', `/mcp/${door.world.bot.toUpperCase()}`, '/mcp/__proto__']) {
      const answer = await ask(door, {}, { path });
      expect(answer.status, path).toBe(403);
      expect((await json(answer)).error, path).toMatchObject({ code: 'permission_denied' });
    }
    const none = await ask(door, { authorization: '' }, own);
    expect(none.status).toBe(401);
    const [, address = ''] = /resource_metadata="([^"]+)"/.exec(none.headers.get('www-authenticate') ?? '') ?? [];
    const about = await ask(door, { authorization: '' }, { path: new URL(address).pathname, method: 'GET' });
    expect(await about.json()).toMatchObject({ resource: `http://localhost:3000/mcp/${door.world.bot}` });
  });

  it('takes a message that breaks off half-way for no failure of ours', async () => {
    const body = new ReadableStream({ start: (stream) => stream.error(new Error('aborted')) });
    const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' };
    await expect(messageIn(new Request('http://localhost/mcp', init), 1_000)).rejects.toMatchObject({
      code: 'invalid_input',
      httpStatus: 400,
    });
  });

  it('cuts off a body over one megabyte, and refuses one that is no JSON', async () => {
    await using door = await openDoor();
    expect((await knock(door, {}, { ...INITIALIZE, padding: 'x'.repeat(1024 * 1024) })).status).toBe(413);
    expect((await knock(door, {}, '{"jsonrpc":')).status).toBe(400);
    expect((await knock(door, {}, '')).status).toBe(400);
  });
});

describe('the way to the MCP address', () => {
  it.each([
    ['https://gate.example', 'gate.example:443', 'https://gate.example'],
    ['https://gate.example:443', 'gate.example', 'https://gate.example'],
    ['https://gate.example', 'GATE.example', 'https://gate.example'],
    ['http://gate.example', 'gate.example:80', 'http://gate.example'],
    ['http://gate.example:8080', 'gate.example:8080', 'http://gate.example:8080'],
    [undefined, 'localhost:80', 'http://localhost'],
    [undefined, '[::1]:80', 'http://[::1]'],
  ])(
    'is the same with and without a default port: %s, asked as %s by a page of %s [M14]',
    async (url, host, origin) => {
      await using door = await openDoor({ env: url === undefined ? {} : { GATEHOUSE_URL: url, GATEHOUSE_SIM: '1' } });
      expect((await ask(door, { host })).status).toBe(200);
      expect((await ask(door, { host, origin })).status).toBe(200);
      expect((await ask(door, { host, origin: 'https://evil.example' })).status).toBe(403);
    },
  );

  it('is not the same with a port of the other scheme, or any other one [M14]', async () => {
    await using door = await openDoor({ env: { GATEHOUSE_URL: 'https://gate.example', GATEHOUSE_SIM: '1' } });
    for (const host of ['gate.example:80', 'gate.example:8443', 'gate.example:4430', 'gate.example.evil:443'])
      expect((await ask(door, { host })).status, host).toBe(403);
  });

  it('is open to pages and extensions that an operator named, exactly, and to no other address of ours [M15]', async () => {
    const named = ['https://inspector.example', 'chrome-extension://abcdefghijklmnop'];
    await using door = await openDoor({ env: { GATEHOUSE_ALLOWED_ORIGINS: named.join(', ') } });
    for (const origin of named) {
      const preflight = await ask(
        door,
        {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'mcp-param-region, bad name',
        },
        { method: 'OPTIONS' },
      );
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-headers')).toMatch(
        /authorization.*mcp-session-id.*mcp-param-region$/,
      );
      const answer = await ask(door, { origin });
      expect(answer.status).toBe(200);
      for (const { headers } of [preflight, answer, await ask(door, { origin, authorization: 'Bearer gha_no' })]) {
        expect(headers.get('access-control-allow-origin')).toBe(origin);
        expect(headers.get('access-control-allow-credentials')).toBeNull();
        expect(headers.get('access-control-expose-headers')).toMatch(/mcp-session-id/);
        expect(headers.get('vary')).toMatch(/origin/i);
      }
      expect((await ask(door, { origin }, { path: '/api/bots', method: 'GET' })).status).toBe(403);
    }
    for (const origin of [
      'https://inspector.example.evil',
      'http://inspector.example',
      'https://inspector.example:8443',
      'null',
    ]) {
      const refused = await ask(door, { origin });
      expect(refused.status, origin).toBe(403);
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    }
    expect((await ask(door, {}, { method: 'OPTIONS' })).headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([
    ['Accept that names neither form', { accept: '*/*' }, {}, 406, /Accept: application\/json, text\/event-stream/],
    ['Accept that names one form', { accept: 'application/json' }, {}, 406, /Accept: /],
    ['a stream that is not accepted', { accept: 'text/html' }, { method: 'GET' }, 406, /Accept: text\/event-stream/],
    [
      'a body that is no JSON by its type',
      { 'content-type': 'text/plain' },
      {},
      415,
      /Content-Type: application\/json/,
    ],
    ['a method of another protocol', {}, { method: 'PUT' }, 405, /POST/],
    ['a stream without a session', { accept: 'text/event-stream' }, { method: 'GET' }, 405, /initialize/],
  ])('answers %s in our words, with the next step [M17]', async (_, headers, how, status, next) => {
    await using door = await openDoor();
    const answer = await ask(door, headers, how);
    expect(answer.status).toBe(status);
    expect((await json(answer)).error).toMatchObject({ code: 'invalid_input', next: expect.stringMatching(next) });
  });

  it('tells a client with a wrong key which header to send, where clients look for it [M18]', async () => {
    await using door = await openDoor();
    const wrong = await ask(door, { authorization: 'Bearer gha_wrong' });
    const challenge = wrong.headers.get('www-authenticate') ?? '';
    expect(wrong.status).toBe(401);
    expect(challenge).toMatch(
      /^Bearer realm="gatehouse", error="invalid_token", error_description="[^"]*gatehouse bot key/,
    );
    expect(challenge).not.toContain('resource_metadata');
    const none = (await ask(door, { authorization: '' })).headers.get('www-authenticate') ?? '';
    expect(none).toMatch(/^Bearer realm="gatehouse", resource_metadata="/);

    const [, address = ''] = /resource_metadata="([^"]+)"/.exec(none) ?? [];
    expect(address).toBe('http://localhost:3000/.well-known/oauth-protected-resource/mcp');
    const about = await ask(door, { authorization: '' }, { path: new URL(address).pathname, method: 'GET' });
    expect(about.status).toBe(200);
    expect(await about.json()).toMatchObject({
      resource: 'http://localhost:3000/mcp',
      bearer_methods_supported: ['header'],
      gatehouse_header: 'Authorization: Bearer AGENT_KEY',
    });

    // A genuine client that has nothing but a key shows its person what was answered.
    const failed = await door.connect('classic', { key: 'gha_wrong' }).catch(String);
    expect(failed).toContain('gatehouse bot key NAME');
  });
});

describe('a chat session signed by the host', () => {
  it('reaches the gate, so a public bot answers for that customer alone [P6]', async () => {
    await using door = await openDoor({ audience: 'public' });
    const [account] = await door.world.records('Account');
    const token = await signFor(
      door.world.app.access,
      door.world.bot,
      { indexValue: String(account?.Account_Key__c) },
      HOUR_MS,
    );
    for (const kind of KINDS) {
      const client = await door.connect(kind, { headers: { 'gatehouse-session': token } });
      const { structuredContent } = await client.call('GetAccount', { key: account?.Account_Key__c });
      expect(structuredContent.status).toBe('done');
      expect(JSON.stringify(structuredContent.result)).toContain(String(account?.Name));
    }
  });

  it('is refused when it is forged, over or of another bot [P6]', async () => {
    await using door = await openDoor();
    const { access } = door.world.app;
    const good = await signFor(access, door.world.bot, { indexValue: 'acme' }, HOUR_MS);
    const foreign = await signFor(access, 'other', { indexValue: 'acme' }, HOUR_MS);
    for (const token of [`${good}x`, foreign, ''])
      expect((await knock(door, { 'gatehouse-session': token })).status, token).toBe(401);
    expect((await knock(door, { 'gatehouse-session': good })).status).toBe(200);
    door.world.clock.advance(2 * HOUR_MS);
    expect((await knock(door, { 'gatehouse-session': good })).status).toBe(401);
  });
});

describe('an MCP session of a 2025-era client', () => {
  const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list' };

  it('is of use to nobody but the caller who opened it [P4]', async () => {
    await using door = await openDoor();
    const client = await door.connect('classic');
    const session = { 'mcp-session-id': client.sessionId() ?? '' };
    const otherKeyOfBot = await door.world.app.access.issueKey('agent', door.world.bot);
    const otherBot = await anotherBot(door);

    expect((await knock(door, session, LIST)).status).toBe(200);
    for (const key of [otherKeyOfBot, otherBot]) {
      const answer = await knock(door, { ...session, authorization: `Bearer ${key}` }, LIST);
      expect(answer.status).toBe(403);
    }
    expect((await knock(door, { ...session, authorization: '' }, LIST)).status).toBe(401);
  });

  it('speaks for one person, and for no other of the same account [P4 C5]', async () => {
    await using door = await openDoor();
    const sign = async (user: string) => ({
      'gatehouse-session': await signFor(
        door.world.app.access,
        door.world.bot,
        { indexValue: 'ACME-001', user },
        HOUR_MS,
      ),
    });
    const client = await door.connect('classic', { headers: await sign('anna') });
    const session = { 'mcp-session-id': client.sessionId() ?? '' };
    expect((await knock(door, { ...session, ...(await sign('anna')) }, LIST)).status).toBe(200);
    expect((await knock(door, { ...session, ...(await sign('amy')) }, LIST)).status).toBe(403);
  });
});

describe('what a 2026-era client carries between its rounds', () => {
  /** The client's own second round, taken off the wire. */
  async function secondRound(door: Door) {
    const rounds: { headers: Headers; body: Body }[] = [];
    const tap: typeof fetch = (input, init) => {
      const body = JSON.parse(String(init?.body ?? '{}')) as Body;
      if (body.method === 'tools/call') rounds.push({ headers: new Headers(init?.headers), body });
      return fetch(input, init);
    };
    const client = await door.connect('modern', { person: yes, fetch: tap });
    const { structuredContent } = await client.call('UpdateOpportunity', MOVE);
    expect(structuredContent.status).toBe('done');
    return rounds[1] ?? expect.fail('the client came back once');
  }

  interface Body {
    method: string;
    params: { name: string; requestState: string; [key: string]: unknown };
  }

  const replay = async (door: Door, { headers, body }: Awaited<ReturnType<typeof secondRound>>) =>
    json(await fetch(door.url, { method: 'POST', headers, body: JSON.stringify(body) }));
  const stamp = async (door: Door) =>
    (await door.world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-123')?.SystemModstamp;

  it('runs nothing twice when it is sent twice [C5] [C6]', async () => {
    await using door = await openDoor();
    const round = await secondRound(door);
    const before = await stamp(door);
    door.world.clock.advance(60_000);

    const { result } = await replay(door, round);

    expect(result.structuredContent.status).toBe('done');
    expect(await stamp(door)).toBe(before);
  });

  it('is worth nothing changed, from another caller or for another tool [C5]', async () => {
    await using door = await openDoor();
    const round = await secondRound(door);
    const { params } = round.body;
    // Not its last character: some of that one's bits mean nothing in base64url.
    const flipped = params.requestState.replace(/.(?=.{8}$)/, (one) => (one === 'A' ? 'B' : 'A'));
    const other = new Headers(round.headers);
    other.set('authorization', `Bearer ${await anotherBot(door)}`);

    const changed = await replay(door, {
      ...round,
      body: { ...round.body, params: { ...params, requestState: flipped } },
    });
    const foreign = await replay(door, { ...round, headers: other });

    const { app, bot } = door.world;
    const person = new Headers(round.headers);
    person.set('gatehouse-session', await signFor(app.access, bot, { indexValue: 'ACME-001', user: 'amy' }, HOUR_MS));

    expect(changed.error.code).toBe(-32602);
    expect((await replay(door, { ...round, headers: person })).error.code).toBe(-32602);
    expect(foreign.error.code).toBe(-32602);

    const renamed = new Headers(round.headers);
    renamed.set('mcp-name', 'CreateLead');
    const { result } = await replay(door, {
      headers: renamed,
      body: { ...round.body, params: { ...params, name: 'CreateLead' } },
    });
    expect(JSON.parse(result.content[0].text).error.code).toBe('invalid_input');
  });
});
