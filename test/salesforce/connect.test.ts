import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { WebReturn } from '../../src/ports/salesforce.ts';
import {
  approve,
  createOrgWorld,
  createServedWorld,
  createSimWorld,
  createWebWorld,
  refusal,
  serve,
  signIn,
} from './org-world.ts';

const redirectUri = 'http://localhost:3000/oauth/callback';
const start = { sessionId: 's1', redirectUri };

function back(from: URLSearchParams, more: Partial<WebReturn> = {}): WebReturn {
  return {
    sessionId: 's1',
    state: from.get('state') ?? undefined,
    code: from.get('code') ?? undefined,
    error: from.get('error') ?? undefined,
    errorDescription: from.get('error_description') ?? undefined,
    ...more,
  };
}

describe('Connect', () => {
  it('sends the browser to Salesforce with PKCE and the two scopes, and keeps every secret here [O1] [O8]', async () => {
    await using world = await createOrgWorld({
      env: { SALESFORCE_CLIENT_ID: 'consumer-key', SALESFORCE_CLIENT_SECRET: 'client-secret' },
    });
    const url = new URL((await world.connections.begin('demo', start)).url);
    expect(url.origin + url.pathname).toBe('https://login.salesforce.com/services/oauth2/authorize');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: 'consumer-key',
      redirect_uri: redirectUri,
      scope: 'api refresh_token',
      state: expect.stringMatching(/^[\w-]{22}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    expect(url.href).not.toContain('client-secret');
  });

  it('goes to the sandbox host with the box ticked, and to a My Domain when given [O2]', async () => {
    await using world = await createOrgWorld();
    const host = async (more: object) =>
      new URL((await world.connections.begin('demo', { ...start, ...more })).url).host;
    expect(await host({ sandbox: true })).toBe('test.salesforce.com');
    expect(await host({ loginUrl: 'acme.my.salesforce.com' })).toBe('acme.my.salesforce.com');
    const error = await refusal(
      world.connections.begin('demo', { ...start, loginUrl: 'https://login.salesforce.com.evil.example' }),
    );
    expect(error).toMatchObject({ code: 'invalid_input', fields: [{ name: 'loginUrl' }] });
  });

  it('comes back connected, with org, user, address and environment known [O1] [O2]', async () => {
    await using world = await createWebWorld({ sandbox: true });
    expect(await world.connections.status('demo')).toMatchObject({
      state: 'connected',
      flow: 'web',
      orgId: expect.stringMatching(/^00D\w{15}$/),
      username: 'admin@sim.example',
      instanceUrl: world.url,
      environment: 'sandbox',
      scopes: expect.stringContaining('api'),
    });
    expect(await world.connections.hadReal()).toBe(true);
  });

  it.each([
    ['asks again when the first look fails', 2, 'sandbox', undefined],
    ['tells that the org did not say what it is, and guesses nothing', 9, 'production', 'environment_unknown'],
  ])('%s [U15]', async (_, times, environment, code) => {
    await using world = await createWebWorld({ sandbox: true });
    const from = await approve((await world.connections.begin('other', start)).url);
    await world.control('POST', 'faults', { type: 'status', status: 503, times, match: { path: '/query' } });
    await world.connections.finish(back(from));
    const { lastFailure, ...status } = await world.connections.status('other');
    expect(status).toMatchObject({ state: 'connected', username: 'admin@sim.example', environment });
    expect(lastFailure?.code).toBe(code);
    if (code) expect(lastFailure?.next).toContain('Reconnect');
  });

  it('says what a missing client id means [E]', async () => {
    await using world = await createOrgWorld({ env: { SALESFORCE_CLIENT_ID: '' } });
    expect(await refusal(world.connections.begin('demo', start))).toMatchObject({
      code: 'config_invalid',
      next: expect.stringContaining('docs/connect.md'),
    });
  });
});

describe('the return from Salesforce', () => {
  it('is good once [O8]', async () => {
    await using world = await createWebWorld();
    const from = await approve((await world.connections.begin('demo', start)).url);
    const both = await Promise.allSettled([world.connections.finish(back(from)), world.connections.finish(back(from))]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await refusal(world.connections.finish(back(from)))).code).toBe('invalid_input');
  });

  it('is refused in another browser session, and the state is then spent [O8]', async () => {
    await using world = await createWebWorld();
    const from = await approve((await world.connections.begin('demo', start)).url);
    expect((await refusal(world.connections.finish(back(from, { sessionId: 's2' })))).code).toBe('permission_denied');
    expect((await refusal(world.connections.finish(back(from)))).code).toBe('invalid_input');
  });

  it('is void once a newer Connect of the bot began, but not one of another bot [O8]', async () => {
    await using world = await createWebWorld();
    const first = await approve((await world.connections.begin('demo', start)).url);
    const other = await approve((await world.connections.begin('other', start)).url);
    const second = await approve((await world.connections.begin('demo', start)).url);
    expect((await refusal(world.connections.finish(back(first)))).code).toBe('invalid_input');
    expect(await world.connections.finish(back(second))).toMatchObject({ bot: 'demo', state: 'connected' });
    expect(await world.connections.finish(back(other))).toMatchObject({ bot: 'other', state: 'connected' });
  });

  it('is void after ten minutes [O8]', async () => {
    await using world = await createWebWorld();
    const from = await approve((await world.connections.begin('demo', start)).url);
    world.clock.advance(10 * 60_000 + 1);
    expect((await refusal(world.connections.finish(back(from)))).message).toContain('ten minutes');
  });

  it.each([
    ['no state', { state: undefined }],
    ['an empty state', { state: '' }],
    ['a made-up state', { state: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['a huge state', { state: 'x'.repeat(100_000) }],
    ['no code', { code: undefined }],
  ])('is refused with %s [O8]', async (_, more) => {
    await using world = await createWebWorld();
    const from = await approve((await world.connections.begin('demo', start)).url);
    const error = await refusal(world.connections.finish(back(from, more)));
    expect(error).toMatchObject({ code: 'invalid_input', next: 'Press Connect again from the start.' });
  });

  it('by somebody whose role is for this bot no more is refused before Salesforce is asked [P4]', async () => {
    await using world = await createWebWorld();
    const before = await world.tokenRequests();
    const from = await approve((await world.connections.begin('demo', start)).url);
    const error = await refusal(world.connections.finish({ ...back(from), bots: ['shop'] }));
    expect(error).toMatchObject({ code: 'permission_denied' });
    expect(await world.tokenRequests()).toBe(before);
  });

  it('with a refusal of the person says so in words, and asks Salesforce nothing [O1]', async () => {
    await using world = await createWebWorld();
    const before = await world.tokenRequests();
    const { url } = await world.connections.begin('demo', start);
    const state = new URL(url).searchParams.get('state') ?? '';
    const error = await refusal(
      world.connections.finish({
        sessionId: 's1',
        state,
        code: undefined,
        error: 'access_denied',
        errorDescription: 'end-user denied authorization\u202e',
      }),
    );
    expect(error.message).toContain('refused on the Salesforce page');
    expect(error.salesforce?.quote).toBe('end-user denied authorization');
    expect(await world.tokenRequests()).toBe(before);
  });

  it('to another org than before is refused until Disconnect, and its grant is given back [O8]', async () => {
    await using world = await createWebWorld();
    const row = await world.store.connections.get('demo');
    await world.store.connections.patch('demo', { orgId: '00D000000000001EAA' });
    expect(await refusal(signIn(world))).toMatchObject({
      code: 'conflict',
      next: expect.stringContaining('Disconnect'),
    });
    expect(
      (await world.control('GET', 'calls')).oauth.filter((call: { path: string }) => call.path.includes('/revoke')),
    ).toHaveLength(1);
    await world.connections.disconnect('demo');
    expect(await signIn(world)).toMatchObject({ orgId: row?.orgId });
  });
});

describe('flows without a browser', () => {
  it('sign in by a signed request, and again when the session ends [O3]', async () => {
    await using world = await createWebWorld();
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await world.control('POST', 'jwt-key', { pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() });
    const how = { flow: 'jwt', username: 'admin@sim.example', privateKey: key } as const;
    expect(await world.connections.connect('robot', how)).toMatchObject({ flow: 'jwt', state: 'connected' });
    await world.control('POST', 'expire');
    expect(await (await world.open('robot')).find('Account', { fields: [], where: [], limit: 1 })).toHaveLength(1);
    const error = await refusal(world.connections.connect('robot', { ...how, privateKey: 'no key at all' }));
    expect(error.message).toContain('private key');
    expect(JSON.stringify([error, error.message, error.next, error.cause])).not.toContain('no key at all');
  });

  it.each([4, -4])(
    'sign in by a signed request with a clock that is %i minutes off, and again when the session ends [O3] [K6]',
    async (minutes) => {
      await using world = await createWebWorld();
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      await world.control('POST', 'jwt-key', { pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() });
      await world.control('POST', 'clock', { advanceMs: minutes * 60_000 });
      const how = {
        flow: 'jwt',
        username: 'admin@sim.example',
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      } as const;
      expect(await world.connections.connect('robot', how)).toMatchObject({ state: 'connected' });
      await world.control('POST', 'expire');
      expect(await (await world.open('robot')).find('Account', { fields: [], where: [], limit: 1 })).toHaveLength(1);
    },
  );

  it('sign in by client credentials on the My Domain, and say why the login host cannot [O3]', async () => {
    await using world = await createWebWorld();
    expect(await world.connections.connect('robot', { flow: 'client-credentials', loginUrl: world.url })).toMatchObject(
      { state: 'connected' },
    );
    await world.control('POST', 'expire');
    expect(await (await world.open('robot')).find('Account', { fields: [], where: [], limit: 1 })).toHaveLength(1);
    const error = await refusal(
      world.connections.connect('robot', { flow: 'client-credentials', loginUrl: 'https://login.salesforce.com' }),
    );
    expect(error).toMatchObject({
      message: expect.stringContaining('My Domain'),
      next: expect.stringContaining('--login-url'),
    });
  });

  it('refuse a password unless the operator switched that on [O3]', async () => {
    await using world = await createWebWorld();
    const how = { flow: 'password', username: 'admin@sim.example', password: 'sim' } as const;
    expect((await refusal(world.connections.connect('robot', how))).code).toBe('off');
    const open = world.again({ allowPassword: true });
    expect(await open.connect('robot', how)).toMatchObject({ state: 'connected', username: 'admin@sim.example' });
    await world.control('POST', 'expire');
    const org = await open.open('robot', { signal: new AbortController().signal });
    expect(await org.find('Account', { fields: [], where: [], limit: 1 })).toHaveLength(1);
    expect(await refusal(open.connect('robot', { ...how, password: 'wrong' }))).toMatchObject({
      message: expect.stringContaining('user name and password'),
    });
  });

  it('take the embedded simulated org under a name that every process knows [X5]', async () => {
    await using world = await createSimWorld();
    expect(await world.connections.status('demo')).toMatchObject({
      environment: 'simulated',
      instanceUrl: 'sim:',
      flow: 'simulated',
    });
    expect(await world.connections.hadReal()).toBe(false);
    const without = world.again({ simulated: undefined });
    const error = await refusal(
      without
        .open('demo', { signal: new AbortController().signal })
        .then((org) => org.find('Account', { fields: [], where: [], limit: 1 })),
    );
    expect(error.message).toContain('simulated org');
  });
});

describe('Disconnect', () => {
  it('revokes at Salesforce, deletes the tokens, and later calls are not connected [O6]', async () => {
    await using world = await createWebWorld();
    const row = await world.store.connections.get('demo');
    const key = `${row?.id}.${row?.tokenVersion}`;
    const tokens = await world.vault.get(key);
    expect(await world.connections.disconnect('demo')).toEqual({ revoked: true });
    expect(await world.vault.get(key)).toBeUndefined();
    expect(await refusal(world.open())).toMatchObject({ code: 'not_connected', status: 403 });
    const answer = await fetch(`${world.url}/services/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens?.refreshToken ?? '',
        client_id: 'sim',
      }),
    });
    expect(answer.status).toBe(400);
    expect(await world.connections.disconnect('demo')).toEqual({ revoked: false });
    expect(await world.connections.disconnect('nobody')).toEqual({ revoked: false });
    expect(await world.connections.hadReal()).toBe(true);
  });

  it('holds here even when Salesforce cannot be told [O6]', async () => {
    await using world = await createServedWorld(() => {});
    await world.server[Symbol.asyncDispose]();
    expect(await world.connections.disconnect('demo')).toEqual({ revoked: false });
    expect((await refusal(world.open())).code).toBe('not_connected');
  });
});

describe('secrets', () => {
  it('are in no error, no log line and no row, whatever goes wrong [O4]', async () => {
    await using server = await serve((request, response) => {
      response.setHeader('content-type', 'application/json');
      if (request.url === '/services/oauth2/token') {
        response.end(
          `{"access_token":"00D5g000004rAbC!tok-secret","refresh_token":"rt-secret","instance_url":"http://${request.headers.host}","id":"https://x/id/00D5g000004rAbCEAU/0055g00000AbCdEAAV"}`,
        );
      } else {
        response.statusCode = 401;
        response.end('[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]');
      }
    });
    await using world = await createOrgWorld({
      allowPassword: true,
      env: {
        SALESFORCE_LOGIN_URL: server.url,
        SALESFORCE_EXTRA_HOSTS: server.host,
        SALESFORCE_CLIENT_SECRET: 'client-secret',
      },
    });
    await world.connections.connect('demo', { flow: 'password', username: 'u@x.example', password: 'pw-secret' });
    const error = await refusal(world.open().then((org) => org.find('Account', { fields: [], where: [], limit: 1 })));
    const everything = JSON.stringify([
      error,
      String(error),
      error.stack,
      error.cause,
      world.logged,
      await world.store.connections.list(),
      await world.connections.status('demo'),
    ]);
    expect(everything).not.toMatch(/tok-secret|rt-secret|pw-secret|client-secret/);
    expect(server.seen.every(({ url }) => !/secret/.test(url))).toBe(true);
  });

  it('of a half-finished sign-in are stored under a hash of the state only [O8]', async () => {
    await using world = await createWebWorld();
    const state = new URL((await world.connections.begin('demo', start)).url).searchParams.get('state') ?? '';
    expect(await world.store.values.get('oauth_state', state, world.clock.now)).toBeUndefined();
    const key = createHash('sha256').update(state).digest('hex');
    expect(await world.store.values.get('oauth_state', key, world.clock.now)).toBeDefined();
  });
});
