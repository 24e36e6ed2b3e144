import { describe, expect, it } from 'vitest';
import { proposeMove } from '../support/door.ts';
import {
  askAs,
  authorizeAt,
  callTool,
  consent,
  exchange,
  heard,
  openIdentityDoor,
  REDIRECT,
  refresh,
  register,
  signInto,
} from './person.ts';

/** The authorization server by its wire: what it refuses, and that nothing leaks, redirects or stays where it refuses. */

const MINUTE_MS = 60_000;
const OTHER_VERIFIER = 'x'.repeat(43);

describe('metadata', () => {
  it('is each address’s own, and readable from any site [X8]', async () => {
    await using door = await openIdentityDoor();
    for (const url of [door.url, door.url.replace('127.0.0.1', 'localhost')]) {
      const response = await fetch(`${url}/.well-known/oauth-authorization-server`, {
        headers: { origin: 'https://app.example' },
      });
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(await response.json()).toMatchObject({
        issuer: url,
        authorization_endpoint: `${url}/oauth/authorize`,
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none'],
        authorization_response_iss_parameter_supported: true,
      });
      const resource = await fetch(`${url}/.well-known/oauth-protected-resource/mcp/${door.world.bot}`);
      expect(await resource.json()).toMatchObject({
        resource: `${url}/mcp/${door.world.bot}`,
        authorization_servers: [url],
        scopes_supported: ['gatehouse:read', 'gatehouse:write'],
      });
    }
    const openid = await door.ask('GET', '/.well-known/openid-configuration');
    expect(openid.status).toBe(404);
    const asked = await fetch(`${door.url}/oauth/token`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    expect(asked.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('is not there over plain HTTP from another machine [X8]', async () => {
    await using door = await openIdentityDoor({ env: { GATEHOUSE_URL: 'http://gate.example', GATEHOUSE_SIM: '1' } });
    const at = (path: string) => askAs(door.url, path, 'gate.example');
    expect((await at('/.well-known/oauth-authorization-server')).status).toBe(404);
    expect((await at('/oauth/authorize')).status).toBe(403);
    const resource = await at('/.well-known/oauth-protected-resource/mcp');
    expect(JSON.parse(resource.text)).not.toHaveProperty('authorization_servers');
  });
});

describe('the challenge', () => {
  it('names the sign-in to whoever has none, and opens no browser for a machine’s dead key [X8]', async () => {
    await using door = await openIdentityDoor();
    const challenge = async (key?: string) => {
      const answer = await door.ask('POST', '/mcp', { json: {}, ...(key === undefined ? {} : { key }) });
      expect(answer.status).toBe(401);
      return answer.headers.get('www-authenticate') ?? '';
    };
    const none = await challenge();
    expect(none).toContain(`resource_metadata="${door.url}/.well-known/oauth-protected-resource/mcp"`);
    expect(none).toContain('scope="gatehouse:read gatehouse:write"');
    expect(none).not.toContain('error=');
    const person = await challenge('ghp_dead');
    expect(person).toContain('error="invalid_token"');
    expect(person).toContain('resource_metadata=');
    const machine = await challenge('gha_dead');
    expect(machine).toContain('error="invalid_token"');
    expect(machine).not.toContain('resource_metadata=');
  });
});

describe('registration', () => {
  it.each([
    ['claude.ai', ['https://claude.ai/api/mcp/auth_callback'], ['https://claude.ai/api/mcp/auth_callback']],
    [
      'Cursor',
      ['cursor://anysphere.cursor-mcp/oauth', 'http://localhost:8787/callback'],
      ['http://localhost:8787/callback'],
    ],
    [
      'VS Code',
      ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
      ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
    ],
  ])('takes %s as it asks, and keeps nothing [X8]', async (client_name, redirect_uris, kept) => {
    await using door = await openIdentityDoor();
    const grant_types = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'];
    const { status, json } = await door.ask('POST', '/oauth/register', {
      json: { client_name, redirect_uris, grant_types, scope: 'gatehouse:read offline_access' },
    });
    expect(status).toBe(201);
    expect(json).toMatchObject({ client_name, redirect_uris: kept, token_endpoint_auth_method: 'none' });
    expect(json).not.toHaveProperty('client_secret');
  });

  it.each([
    ['javascript:', 'javascript:alert(1)'],
    ['plain HTTP of another machine', 'http://evil.example/callback'],
    ['a user in it', 'https://claude.ai@evil.example/callback'],
    ['an empty user', 'https://@evil.example/callback'],
    ['a fragment', 'https://claude.ai/api/mcp/auth_callback#x'],
    ['a name that begins like this computer’s', 'http://localhost.evil.example/callback'],
    ['a hidden character', 'https://claude.ai/\u202ecallback'],
    ['a backslash', 'https:\\\\claude.ai\\callback'],
    ['no address', 'callback'],
  ])('refuses a redirect with %s [X8]', async (_, redirect) => {
    await using door = await openIdentityDoor();
    const { status, json } = await door.ask('POST', '/oauth/register', { json: { redirect_uris: [redirect] } });
    expect([status, json.error]).toEqual([400, 'invalid_redirect_uri']);
  });

  it.each([
    ['no list', { client_name: 'x' }],
    ['a list of numbers', { redirect_uris: [1] }],
    ['a list', []],
    [
      'more than an id can hold',
      { redirect_uris: Array.from({ length: 5 }, (_, n) => `https://claude.ai/${'x'.repeat(450)}${n}`) },
    ],
  ])('refuses %s in OAuth’s words [X8]', async (_, json) => {
    await using door = await openIdentityDoor();
    const answer = await door.ask('POST', '/oauth/register', { json });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatch(/^invalid_(client_metadata|redirect_uri)$/);
  });
});

describe('the question', () => {
  it('is asked of a person who is signed in, after the way in and back [X8]', async () => {
    await using door = await openIdentityDoor();
    const program = await register(door, [REDIRECT], 'Nice program');
    const ada = await door.signIn();
    const begun = await door.ask('GET', authorizeAt(door, program));
    const page = begun.headers.get('location') ?? '';
    expect(page).toMatch(/^\/oauth\/authorize\?request=[\w-]+$/);
    const stranger = await door.ask('GET', page);
    expect(stranger.headers.get('location')).toBe(`/sign-in?next=${encodeURIComponent(page)}`);
    const { text, headers } = await door.ask('GET', page, { as: ada });
    expect(text).toContain('a program on this computer');
    expect(text).toContain('Nice program');
    expect(text).toContain(ada.name);
    expect(headers.get('content-security-policy')).toContain("form-action 'self' http://localhost:7777;");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });

  it('goes nowhere for a program or a redirect that is not known [X8]', async () => {
    await using door = await openIdentityDoor();
    const ada = await door.signIn();
    const program = await register(door, ['https://claude.ai/api/mcp/auth_callback']);
    for (const more of [
      { client_id: 'ghc_bm9uZQ.forged' },
      { client_id: `${program.clientId}x` },
      { client_id: undefined },
      { redirect_uri: 'https://claude.ai.evil.example/api/mcp/auth_callback' },
      { redirect_uri: 'https://claude.ai/api/mcp/auth_callback/../other' },
      { redirect_uri: 'http://claude.ai/api/mcp/auth_callback' },
      { redirect_uri: 'https://claude.ai:8443/api/mcp/auth_callback' },
      { redirect_uri: 'javascript:alert(1)' },
    ]) {
      const answer = await door.ask('GET', authorizeAt(door, program, more), {
        as: ada,
        headers: { accept: 'text/html' },
      });
      expect([answer.status, answer.headers.get('location')], JSON.stringify(more)).toEqual([400, null]);
    }
    const twice = `${authorizeAt(door, program)}&redirect_uri=https%3A%2F%2Fevil.example`;
    expect((await door.ask('GET', twice, { as: ada })).status).toBe(400);
  });

  it.each([
    ['no PKCE', { code_challenge: undefined }, 'invalid_request'],
    ['PKCE that is plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['an implicit grant', { response_type: 'token' }, 'unsupported_response_type'],
    ['another way back', { response_mode: 'fragment' }, 'unsupported_response_type'],
    ['another resource', { resource: 'https://evil.example/mcp' }, 'invalid_target'],
    ['no person to look', { prompt: 'none' }, 'login_required'],
  ])('tells the program about %s, with its state and our name [X8]', async (_, more, error) => {
    await using door = await openIdentityDoor();
    const answer = await door.ask('GET', authorizeAt(door, await register(door), more), { as: await door.signIn() });
    expect(answer.headers.get('location')).toMatch(/^http:\/\/localhost:7777\/callback\?/);
    expect(Object.fromEntries(heard(answer))).toMatchObject({ error, state: 'kept by the program', iss: door.url });
  });

  it('takes a program on this computer at any port, and under no other name [X8]', async () => {
    await using door = await openIdentityDoor();
    const ada = await door.signIn();
    const program = await register(door, ['http://localhost/callback']);
    const port = await door.ask('GET', authorizeAt(door, program, { redirect_uri: 'http://localhost:5151/callback' }), {
      as: ada,
    });
    expect(port.status).toBe(302);
    for (const redirect_uri of [
      'http://127.0.0.1:5151/callback',
      'http://localhost:5151/other',
      'http://localhost:5151@evil.example/callback',
    ])
      expect(
        (await door.ask('GET', authorizeAt(door, program, { redirect_uri }), { as: ada })).status,
        redirect_uri,
      ).toBe(400);
  });

  it('is answered once, by the browser that looked at it, from our own page [X8]', async () => {
    await using door = await openIdentityDoor();
    const [ada, bo] = [await door.signIn(), await door.signIn()];
    const program = await register(door);
    const page = (await door.ask('GET', authorizeAt(door, program))).headers.get('location') ?? '';
    const request = new URLSearchParams(page.split('?')[1]).get('request') ?? '';
    const form = { csrf: ada.csrf, request, answer: 'allow', bot: door.world.bot };
    const say = (as = ada, more = {}) =>
      door.ask('POST', '/oauth/consent', { as, form: { ...form, csrf: as.csrf, ...more } });
    expect((await say()).status).toBe(409);
    await door.ask('GET', page, { as: ada });
    expect((await say(bo)).status).toBe(409);
    expect((await door.ask('POST', '/oauth/consent', { as: ada, form: { ...form, csrf: 'wrong' } })).status).toBe(403);
    const other = await door.ask('POST', '/oauth/consent', {
      as: ada,
      form,
      headers: { origin: 'https://evil.example' },
    });
    expect(other.status).toBe(403);
    await door.ask('GET', page, { as: ada });
    expect((await say(ada, { bot: 'no-such-bot' })).status).toBe(400);
    const both = await Promise.all([say(), say()]);
    expect(both.map(({ status }) => status).sort()).toEqual([303, 409]);
  });

  it('is told to the program where the person says no, and nothing is kept [X8]', async () => {
    await using door = await openIdentityDoor();
    const answer = await consent(door, await register(door), await door.signIn(), { answer: 'deny' });
    expect(Object.fromEntries(heard(answer))).toMatchObject({
      error: 'access_denied',
      state: 'kept by the program',
      iss: door.url,
    });
    expect(await door.world.app.identity.apps()).toEqual([]);
  });

  it('sends no code to a host that no admin let in [X8]', async () => {
    await using door = await openIdentityDoor();
    const program = await register(door, ['https://agents.example/callback']);
    const [ada, vic] = [await door.signIn('admin'), await door.signIn('viewer')];
    expect((await consent(door, program, ada)).status).toBe(403);
    expect((await consent(door, program, vic, { answer: 'allow-host' })).status).toBe(403);
    expect((await consent(door, program, ada, { answer: 'allow-host' })).status).toBe(303);
    expect(heard(await consent(door, program, vic)).has('code')).toBe(true);
    const rows = await door.world.app.store.audit.find({ event: 'client_allowed', limit: 10 });
    expect(rows.map(({ detail }) => JSON.parse(detail))).toEqual([{ host: 'agents.example' }]);
  });
});

describe('a code', () => {
  it.each([
    ['without its verifier', { code_verifier: '' }, 'invalid_grant'],
    ['with another verifier', { code_verifier: OTHER_VERIFIER }, 'invalid_grant'],
    ['with another redirect', { redirect_uri: 'http://localhost:7777/other' }, 'invalid_grant'],
    ['with another resource', { resource: 'https://evil.example/mcp' }, 'invalid_target'],
    ['by a program nobody registered', { client_id: 'ghc_none.none' }, 'invalid_client'],
    ['by another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
  ])('opens nothing %s [X8]', async (_, more, error) => {
    await using door = await openIdentityDoor();
    const program = await register(door);
    const code = heard(await consent(door, program, await door.signIn())).get('code') ?? '';
    const answer = await exchange(door, program, code, more);
    expect(answer.json.error).toBe(error);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await door.world.app.identity.apps()).toEqual([]);
  });

  it('opens nothing for another program, nor after a minute [X8]', async () => {
    await using door = await openIdentityDoor();
    const [program, other] = [await register(door), await register(door, [REDIRECT], 'Other')];
    const ada = await door.signIn();
    const stolen = heard(await consent(door, program, ada)).get('code') ?? '';
    expect((await exchange(door, { ...program, clientId: other.clientId }, stolen)).json.error).toBe('invalid_grant');
    const late = heard(await consent(door, program, ada)).get('code') ?? '';
    door.world.clock.advance(61_000);
    expect((await exchange(door, program, late)).json.error).toBe('invalid_grant');
  });

  it('ends what it opened when it is presented again [X8]', async () => {
    await using door = await openIdentityDoor();
    const program = await register(door);
    const code = heard(await consent(door, program, await door.signIn())).get('code') ?? '';
    const { json: first } = await exchange(door, program, code);
    expect((await callTool(door, first.access_token, 'GetAccount', {})).status).toBe(200);
    expect((await exchange(door, program, code)).json.error).toBe('invalid_grant');
    expect((await callTool(door, first.access_token, 'GetAccount', {})).status).toBe(401);
    expect(await door.world.app.store.audit.find({ event: 'token_reused', limit: 2 })).toHaveLength(1);
  });
});

describe('a refresh token', () => {
  it('rotates; presented twice at once both live, and later than a minute it ends the sign-in [X8]', async () => {
    await using door = await openIdentityDoor();
    const program = await register(door);
    const { refresh: first } = await signInto(door, program, await door.signIn());
    const pair = await Promise.all([refresh(door, program, first), refresh(door, program, first)]);
    for (const { status, json } of pair) {
      expect(status).toBe(200);
      expect((await callTool(door, json.access_token, 'GetAccount', {})).status).toBe(200);
    }
    door.world.clock.advance(MINUTE_MS + 1_000);
    expect((await refresh(door, program, first)).json.error).toBe('invalid_grant');
    for (const { json } of pair) {
      expect((await callTool(door, json.access_token, 'GetAccount', {})).status).toBe(401);
      expect((await refresh(door, program, json.refresh_token)).json.error).toBe('invalid_grant');
    }
  });

  it('is of one program and one resource, and never widens [X8]', async () => {
    await using door = await openIdentityDoor();
    const [program, other] = [await register(door), await register(door, [REDIRECT], 'Other')];
    const { refresh: token, access } = await signInto(door, program, await door.signIn(), { write: '' });
    expect((await refresh(door, other, token)).json.error).toBe('invalid_grant');
    expect((await refresh(door, program, access)).json.error).toBe('invalid_grant');
    expect((await refresh(door, program, token, { resource: 'https://evil.example/mcp' })).json.error).toBe(
      'invalid_target',
    );
    expect((await refresh(door, program, token, { scope: 'gatehouse:write' })).json.error).toBe('invalid_scope');
    expect((await refresh(door, program, token)).json.scope).toBe('gatehouse:read');
  });

  it('dies unused after 30 days, and with its operator at once [X8]', async () => {
    await using door = await openIdentityDoor();
    const program = await register(door);
    await door.signIn('admin');
    const bo = await door.signIn('approver');
    const first = await signInto(door, program, bo);
    const second = await signInto(door, program, bo);
    door.world.clock.advance(29 * 24 * 60 * MINUTE_MS);
    const { json } = await refresh(door, program, first.refresh);
    expect(json.access_token).toMatch(/^ghp_/);
    door.world.clock.advance(2 * 24 * 60 * MINUTE_MS);
    expect((await refresh(door, program, second.refresh)).json.error).toBe('invalid_grant');
    expect(await door.world.app.identity.apps()).toHaveLength(1);
    await door.world.app.store.operators.remove(bo.name, door.world.clock.now);
    expect((await refresh(door, program, json.refresh_token)).json.error).toBe('invalid_grant');
  });

  it('cannot bring back what is being revoked [X8]', async () => {
    await using door = await openIdentityDoor();
    const program = await register(door);
    const { refresh: token } = await signInto(door, program, await door.signIn());
    const [revoked, refreshed] = await Promise.all([
      door.ask('POST', '/oauth/revoke', { form: { token, client_id: program.clientId } }),
      refresh(door, program, token),
    ]);
    expect(revoked.status).toBe(200);
    if (refreshed.status === 200)
      expect((await callTool(door, refreshed.json.access_token, 'GetAccount', {})).status).toBe(401);
    expect(await door.world.app.identity.apps()).toEqual([]);
  });
});

describe('an access token', () => {
  it('opens the one address it was made for, and no other door [X8]', async () => {
    await using door = await openIdentityDoor();
    const program = await register(door);
    const ada = await door.signIn();
    const { access } = await signInto(door, program, ada);
    const named = await signInto(door, program, ada, {}, { resource: `${door.url}/mcp/${door.world.bot}` });
    expect((await callTool(door, access, 'GetAccount', {})).status).toBe(200);
    expect((await callTool(door, access, 'GetAccount', {}, { path: `/mcp/${door.world.bot}` })).status).toBe(401);
    expect((await callTool(door, named.access, 'GetAccount', {})).status).toBe(401);
    expect((await callTool(door, named.access, 'GetAccount', {}, { path: `/mcp/${door.world.bot}` })).status).toBe(200);
    const localhost = await fetch(`${door.url.replace('127.0.0.1', 'localhost')}/mcp`, {
      method: 'POST',
      headers: { authorization: `Bearer ${access}` },
    });
    expect(localhost.status).toBe(401);
    for (const [method, path] of [
      ['GET', '/api/bots'],
      ['GET', '/api/session'],
      ['GET', `/api/bots/${door.world.bot}/actions`],
    ] as const)
      expect((await door.ask(method, path, { key: access })).status, path).toBeOneOf([401, 403]);
    expect((await door.ask('POST', `/mcp?access_token=${access}`, { json: {} })).status).toBe(401);
    await door.ask('POST', '/oauth/revoke', { form: { token: door.keys.agent } });
    expect((await callTool(door, door.keys.agent, 'GetAccount', {})).status).toBe(200);
  });

  it('asks its person anew where it may read only, before anything is looked at [X8]', async () => {
    await using door = await openIdentityDoor();
    const program = await register(door);
    const ada = await door.signIn();
    const { access } = await signInto(door, program, ada, { write: '' });
    const answer = await callTool(door, access, 'CreateLead', { lastName: 'Ruiz', company: 'Acme' });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toMatch(
      /error="insufficient_scope", scope="gatehouse:read gatehouse:write", resource_metadata="/,
    );
    expect(await door.world.app.approvals.list({})).toEqual([]);
    const batch = await door.ask('POST', '/mcp', {
      key: access,
      json: [{ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'CreateLead', arguments: {} } }],
      headers: { accept: 'application/json, text/event-stream' },
    });
    expect(batch.status).toBe(403);
  });

  it('lets a program in a viewer’s name read only, whatever was ticked, and less once the role is less [X8]', async () => {
    await using door = await openIdentityDoor();
    const program = await register(door);
    await door.signIn('admin');
    const vic = await signInto(door, program, await door.signIn('viewer'));
    expect((await callTool(door, vic.access, 'CreateLead', { lastName: 'Ruiz' })).status).toBe(403);
    const bo = await door.signIn('approver');
    const { access } = await signInto(door, program, bo);
    expect((await callTool(door, access, 'CreateLead', { lastName: 'Ruiz', company: 'Acme' })).status).toBe(200);
    await door.world.app.store.operators.setRole(bo.name, 'viewer');
    expect((await callTool(door, access, 'CreateLead', { lastName: 'Ruiz', company: 'Acme' })).status).toBe(403);
  });

  it('acts for no bot that its person’s role is not for, from the moment that it is not [X8, P4]', async () => {
    await using door = await openIdentityDoor({}, { watchMs: 20 });
    const program = await register(door);
    const { store } = door.world.app;
    const role = { name: 'some', permissions: ['READ_INTEGRATIONS', 'DECIDE_PROPOSALS'] } as const;
    await store.roles.put({ ...role, bots: ['other'] }, 1);
    const ann = await door.signIn('some');
    const refused = await consent(door, program, ann);
    expect([refused.status, refused.text.includes('There is no bot here')]).toEqual([400, true]);
    await store.roles.put({ ...role, bots: [door.world.bot] }, 1);
    const { access } = await signInto(door, program, ann);
    expect((await callTool(door, access, 'GetAccount', {})).status).toBe(200);
    await store.roles.put({ ...role, bots: ['other'] }, 1);
    expect((await callTool(door, access, 'GetAccount', {})).status).toBe(401);
    expect(
      await store.identity.standing(
        (await store.identity.list()).map(({ id }) => id),
        1,
      ),
    ).toEqual([]);
  });

  it('shows its person no other person’s proposals, and leaves those of keys to keys [P9]', async () => {
    await using door = await openIdentityDoor();
    const program = await register(door);
    const [ada, bo] = [
      await signInto(door, program, await door.signIn()),
      await signInto(door, program, await door.signIn()),
    ];
    const open = (await door.world.records('Opportunity')).find(
      ({ IsClosed, StageName }) => IsClosed !== true && StageName !== 'Negotiation/Review',
    );
    const { json } = await callTool(door, ada.access, 'UpdateOpportunity', {
      id: open?.Id,
      stageName: 'Negotiation/Review',
    });
    const id = json.result.structuredContent.proposal.id;
    const look = async (token: string) =>
      (await callTool(door, token, 'GetProposal', { id })).json.result.isError ?? false;
    expect(await look(ada.access)).toBe(false);
    expect(await look(bo.access)).toBe(true);
    expect(await look(door.keys.agent)).toBe(true);
    const byKey = await proposeMove(door.world, { stageName: 'Closed Won' });
    expect((await callTool(door, bo.access, 'GetProposal', { id: byKey.id })).json.result.isError).toBe(true);
  });

  it('is nobody’s customer session [P6]', async () => {
    await using door = await openIdentityDoor();
    const { access } = await signInto(door, await register(door), await door.signIn());
    const { json } = await door.ask('POST', `/api/bots/${door.world.bot}/sessions`, {
      key: door.keys.host,
      json: { indexValue: 'A-1' },
    });
    const answer = await callTool(door, access, 'GetAccount', {}, { headers: { 'gatehouse-session': json.session } });
    expect(answer.status).toBe(403);
  });
});
