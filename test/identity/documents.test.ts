import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { createReader } from '../../src/outbound/reader.ts';
import type { Door } from '../support/door.ts';
import {
  authorizeAt,
  callTool,
  consent,
  exchange,
  heard,
  openIdentityDoor,
  type Program,
  REDIRECT,
  refresh,
  register,
  signInto,
} from './person.ts';

/** Programs that are known by a document of their own: which are pinned, which are read, and what is not believed. */

const APP = 'https://app.example/oauth/client.json';
const BACK = 'https://app.example/callback';

interface Page {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Pages of the internet by their https address, on a server of this machine; `asked` is what left for them. */
async function internet(pages: Readonly<Record<string, Page | 'down'>>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const address = `https:/${request.url}`;
    asked.push(address);
    const page = pages[address];
    if (page === 'down') return void response.destroy();
    const { status = 200, headers = {}, body } = page ?? { status: 404, body: 'not here' };
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const reader = createReader({ reach: 'loopback', timeoutMs: 5_000, maxBytes: 64 * 1024 });
  const door = await openIdentityDoor({
    seams: { readDocument: (url, how) => reader(new URL(`${at}/${url.host}${url.pathname}`), how) },
  });
  return {
    asked,
    door,
    async [Symbol.asyncDispose]() {
      await door[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

const documentOf = (more: object = {}) => ({
  client_id: APP,
  client_name: 'Example app',
  redirect_uris: [BACK],
  token_endpoint_auth_method: 'none',
  ...more,
});

async function programOf(door: Door, clientId: string, redirect: string): Promise<Program> {
  return { ...(await register(door)), clientId, redirect };
}

/** Where a browser ends that such a program sends here: its status, and what the person reads. */
async function begun(door: Door, clientId: string, redirect = BACK) {
  const as = await door.signIn();
  const program = await programOf(door, clientId, redirect);
  const answer = await door.ask('GET', authorizeAt(door, program), { as, headers: { accept: 'text/html' } });
  const location = answer.headers.get('location');
  if (answer.status !== 302 || location === null || !location.startsWith('/oauth/authorize?'))
    return { status: answer.status, location, text: answer.text };
  return { status: 200, location, text: (await door.ask('GET', location, { as })).text };
}

describe('a pinned program', () => {
  it.each([
    ['https://claude.ai/oauth/mcp-oauth-client-metadata', 'https://claude.ai/api/mcp/auth_callback', 'It is “'],
    ['https://claude.ai/oauth/claude-code-client-metadata', 'http://localhost:51234/callback', 'It calls itself “'],
    ['https://chatgpt.com/oauth/client.json', 'https://chatgpt.com/connector_platform_oauth_redirect', 'It is “'],
    ['https://chatgpt.com/oauth/codex/client.json', 'http://127.0.0.1:1455/callback', 'It calls itself “'],
    ['https://vscode.dev/oauth/client-metadata.json', 'http://127.0.0.1:33418/', 'It calls itself “'],
  ])('%s signs in without a request of ours [X8]', async (clientId, redirect, says) => {
    await using world = await internet({});
    const { door } = world;
    expect((await begun(door, clientId, redirect)).text).toContain(says);
    const program = await programOf(door, clientId, redirect);
    const tokens = await signInto(door, program, await door.signIn());
    expect((await callTool(door, tokens.access, 'GetAccount', {})).status).toBe(200);
    expect((await refresh(door, program, tokens.refresh)).status).toBe(200);
    expect(world.asked).toEqual([]);
  });

  it.each([
    ['another path of its host', 'https://claude.ai/oauth/other', 'https://claude.ai/api/mcp/auth_callback'],
    ['another redirect', 'https://claude.ai/oauth/mcp-oauth-client-metadata', 'https://claude.ai/other'],
    [
      'a host that only begins like it',
      'https://claude.ai.evil.example/oauth/mcp-oauth-client-metadata',
      'https://claude.ai/api/mcp/auth_callback',
    ],
  ])('is not believed by %s [X8]', async (_, clientId, redirect) => {
    await using world = await internet({});
    expect(await begun(world.door, clientId, redirect)).toMatchObject({ status: 400, location: null });
  });
});

describe('a program’s own document', () => {
  it('is advertised, read once for all who come at once, and lets it in after an admin allowed its host [X8]', async () => {
    await using world = await internet({ [APP]: { body: documentOf() } });
    const { door } = world;
    const { json } = await door.ask('GET', '/.well-known/oauth-authorization-server');
    expect(json.client_id_metadata_document_supported).toBe(true);
    const all = await Promise.all(Array.from({ length: 5 }, () => begun(door, APP)));
    for (const { text } of all) expect(text).toMatch(/It is “.*Example app.*app\.example/s);
    expect(world.asked).toEqual([APP]);
    const program = await programOf(door, APP, BACK);
    const [ada, bo] = [await door.signIn('admin'), await door.signIn('approver')];
    expect((await consent(door, program, bo)).status).toBe(403);
    expect((await consent(door, program, ada, { answer: 'allow-host' })).status).toBe(303);
    const tokens = await signInto(door, program, bo);
    expect((await callTool(door, tokens.access, 'GetAccount', {})).status).toBe(200);
    // Its document may be away: what was let in goes on.
    door.world.clock.advance(30 * 60_000);
    expect((await refresh(door, program, tokens.refresh)).status).toBe(200);
    expect(world.asked).toEqual([APP]);
  });

  it('is kept as long as it says, within five minutes and a day [X8]', async () => {
    const age = (seconds: string) => ({ body: documentOf(), headers: { 'cache-control': seconds } });
    for (const [said, keptMs] of [
      ['max-age=1', 5 * 60_000],
      ['no-store', 5 * 60_000],
      ['public, max-age=3600', 3_600_000],
      ['max-age=99999999', 24 * 3_600_000],
    ] as const) {
      await using world = await internet({ [APP]: age(said) });
      const { door } = world;
      await begun(door, APP);
      door.world.clock.advance(keptMs - 1_000);
      await begun(door, APP);
      expect(world.asked, said).toHaveLength(1);
      door.world.clock.advance(2_000);
      await begun(door, APP);
      expect(world.asked, said).toHaveLength(2);
    }
  });

  it('may want a key of its own, if it can do without [X8]', async () => {
    const key = { token_endpoint_auth_method: 'private_key_jwt' };
    const both = { ...key, token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'] };
    const grant_types = ['authorization_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer'];
    await using world = await internet({ [APP]: { body: documentOf({ ...both, grant_types }) } });
    expect((await begun(world.door, APP)).status).toBe(200);
    await using strict = await internet({ [APP]: { body: documentOf(key) } });
    expect(await begun(strict.door, APP)).toMatchObject({
      status: 400,
      text: expect.stringContaining('cannot do without'),
    });
  });

  it.each<[string, Page | 'down', string]>([
    ['is another’s', { body: documentOf({ client_id: 'https://claude.ai/oauth/other' }) }, 'another than its address'],
    ['redirects', { status: 302, headers: { location: 'https://evil.example/' }, body: documentOf() }, 'answered 302'],
    ['is not there', { status: 404, body: documentOf() }, 'answered 404'],
    ['asks whether we are human', { headers: { 'content-type': 'text/html' }, body: documentOf() }, 'no JSON'],
    ['is no JSON', { body: '{"client_id":' }, 'no JSON object'],
    ['is a list', { body: [documentOf()] }, 'no JSON object'],
    [
      'names something twice',
      { body: `{"client_id":"${APP}",${JSON.stringify(documentOf()).slice(1)}` },
      'no JSON object',
    ],
    ['is as deep as a well', { body: `{"a":${'['.repeat(500)}${']'.repeat(500)}}` }, 'no JSON object'],
    ['is too long', { body: documentOf({ client_name: 'x'.repeat(70_000) }) }, 'could not be read'],
    ['does not answer', 'down', 'could not be read'],
    ['holds a secret', { body: documentOf({ client_secret: 'for-all-to-read' }) }, 'holds a secret'],
    [
      'wants a secret',
      { body: documentOf({ token_endpoint_auth_method: 'client_secret_basic' }) },
      'cannot do without',
    ],
    ['has no redirect', { body: documentOf({ redirect_uris: ['javascript:alert(1)', 'app://x'] }) }, 'can be used'],
    [
      'has a thousand redirects',
      { body: documentOf({ redirect_uris: Array.from({ length: 1_000 }, (_, n) => `${BACK}${n}`) }) },
      'can be used',
    ],
  ])('is refused on our own page when it %s, and asked for no more for a minute [X8]', async (_, page, why) => {
    await using world = await internet({ [APP]: page });
    const { door } = world;
    const first = await begun(door, APP);
    expect(first).toMatchObject({ status: 400, location: null, text: expect.stringContaining(why) });
    expect(first.text).not.toContain('evil.example');
    await begun(door, APP);
    expect(world.asked).toEqual([APP]);
    door.world.clock.advance(61_000);
    await begun(door, APP);
    expect(world.asked).toHaveLength(2);
  });

  it('gets a code sent to no redirect but its own [X8]', async () => {
    await using world = await internet({ [APP]: { body: documentOf() } });
    for (const redirect of ['https://evil.example/callback', `${BACK}/more`, `${BACK}?x=1`, REDIRECT])
      expect(await begun(world.door, APP, redirect), redirect).toMatchObject({ status: 400, location: null });
  });

  it('says of nobody on this computer who they are, and of no other host that it is theirs [X8]', async () => {
    const redirect_uris = ['http://127.0.0.1/cb', 'https://other.example/cb', BACK];
    await using world = await internet({ [APP]: { body: documentOf({ redirect_uris, client_name: '\u202eedualC' }) } });
    for (const redirect of ['http://127.0.0.1:5151/cb', 'https://other.example/cb']) {
      const { text } = await begun(world.door, APP, redirect);
      expect(text).toContain('Gatehouse cannot check that');
      expect(text).toContain('for any program to name');
      expect(text).not.toContain('\u202e');
    }
  });

  it('binds its code to itself [X8]', async () => {
    await using world = await internet({ [APP]: { body: documentOf({ redirect_uris: [REDIRECT] }) } });
    const { door } = world;
    const program = await programOf(door, APP, REDIRECT);
    const code = heard(await consent(door, program, await door.signIn())).get('code') ?? '';
    const other = await exchange(door, { ...program, clientId: 'https://evil.example/client.json' }, code);
    expect(other.json.error).toBe('invalid_grant');
  });
});

describe('an address of a document', () => {
  it.each([
    ['is plain HTTP', 'http://app.example/client.json'],
    ['has a port', 'https://app.example:8443/client.json'],
    ['has no path', 'https://app.example/'],
    ['has no path at all', 'https://app.example'],
    ['has a query', `${APP}?x=1`],
    ['has an empty query', `${APP}?`],
    ['has a fragment', `${APP}#x`],
    ['has a user', 'https://claude.ai@app.example/client.json'],
    ['has an empty user', 'https://@app.example/client.json'],
    ['goes up', 'https://app.example/oauth/../client.json'],
    ['goes up in another spelling', 'https://app.example/oauth/%2e%2e/client.json'],
    ['shouts', 'https://APP.example/client.json'],
    ['has a backslash', 'https://app.example\\client.json'],
    ['has a blank before', ' https://app.example/client.json'],
    ['has a line break', 'https://app.exa\nmple/client.json'],
    ['is a number', 'https://127.0.0.1/client.json'],
    ['is a short number', 'https://127.1/client.json'],
    ['is one number', 'https://2130706433/client.json'],
    ['is a number in hex', 'https://0x7f.1/client.json'],
    ['is a number in octal', 'https://0177.0.0.1/client.json'],
    ['is a number of IPv6', 'https://[::1]/client.json'],
    ['is a mapped number', 'https://[::ffff:7f00:1]/client.json'],
    ['is the cloud’s own', 'https://169.254.169.254/latest/meta-data'],
    ['is this machine', 'https://localhost/client.json'],
    ['is a bare name', 'https://intranet/client.json'],
    ['ends in a dot', 'https://app.example./client.json'],
    ['is far too long', `https://app.example/${'x'.repeat(600)}`],
    ['is an empty host', 'https:///client.json'],
    ['has letters that only look like others', 'https://аpp.example/client.json'],
  ])('is never asked when it %s [X8]', async (_, clientId) => {
    await using world = await internet({});
    const { door } = world;
    expect(await begun(door, clientId)).toMatchObject({ status: 400, location: null });
    expect(world.asked).toEqual([]);
  });

  it('makes us ask thirty times a minute at most, whoever names a thousand; a pinned program is still let in [X8]', async () => {
    await using world = await internet({});
    const { door } = world;
    const { identity } = door.world.app;
    const ask = (clientId: string) =>
      identity.begin(new URLSearchParams({ client_id: clientId }), door.url).catch((error: Error) => error.message);
    const said = await Promise.all(Array.from({ length: 1_000 }, (_, n) => ask(`https://a${n}.example/client.json`)));
    expect(world.asked).toHaveLength(30);
    expect(said.filter((one) => one.includes('too many documents'))).toHaveLength(970);
    const claude = 'https://claude.ai/oauth/mcp-oauth-client-metadata';
    expect((await begun(door, claude, 'https://claude.ai/api/mcp/auth_callback')).status).toBe(200);
    door.world.clock.advance(60_000);
    await ask('https://later.example/client.json');
    expect(world.asked).toHaveLength(31);
  });
});

it('is what a genuine client brings, without registering [X8]', async () => {
  await using world = await internet({ [APP]: { body: documentOf({ redirect_uris: ['http://127.0.0.1/cb'] }) } });
  const { door } = world;
  const kept: { client?: { client_id: string }; sentTo?: URL; tokens?: object; verifier?: string } = {};
  const redirectUrl = 'http://127.0.0.1:5151/cb';
  const authProvider = {
    redirectUrl,
    clientMetadataUrl: APP,
    clientMetadata: { redirect_uris: [redirectUrl], client_name: 'Genuine' },
    clientInformation: () => kept.client as never,
    saveClientInformation: (client: object) => {
      kept.client = client as { client_id: string };
    },
    tokens: () => kept.tokens as never,
    saveTokens: (tokens: object) => {
      kept.tokens = tokens;
    },
    redirectToAuthorization: (url: URL) => {
      kept.sentTo = url;
    },
    saveCodeVerifier: (verifier: string) => {
      kept.verifier = verifier;
    },
    codeVerifier: () => kept.verifier ?? '',
  };
  const url = new URL(`${door.url}/mcp`);
  const transport = new ModernHttp(url, { authProvider });
  await expect(new ModernClient({ name: 'test', version: '1' }).connect(transport)).rejects.toThrow(/unauthorized/i);
  expect(kept.sentTo?.searchParams.get('client_id')).toBe(APP);
  const ada = await door.signIn();
  const sent = kept.sentTo ?? expect.fail('nobody was asked');
  const page = (await door.ask('GET', `${sent.pathname}${sent.search}`, { as: ada })).headers.get('location') ?? '';
  await door.ask('GET', page, { as: ada });
  const request = new URLSearchParams(page.split('?')[1]).get('request') ?? '';
  const form = { csrf: ada.csrf, request, answer: 'allow', bot: door.world.bot, write: 'yes' };
  const back = new URL((await door.ask('POST', '/oauth/consent', { as: ada, form })).headers.get('location') ?? '');
  await transport.finishAuth(back.searchParams);
  const client = new ModernClient({ name: 'test', version: '1' });
  await client.connect(new ModernHttp(url, { authProvider }));
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('GetAccount');
  await client.close();
});
