import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { post, sharedOrg } from './open-org.ts';

const verifier = 'v'.repeat(64);
const challenge = createHash('sha256').update(verifier).digest('base64url');
const callback = 'http://127.0.0.1:9/oauth/callback';
const client = { client_id: 'sim', client_secret: 'sim' };

describe('signing in to the simulated org', () => {
  const org = sharedOrg({ isReset: false });
  let tokenUrl: string;
  beforeAll(async () => {
    tokenUrl = `${org.url}/services/oauth2/token`;
  });

  const asked = {
    response_type: 'code',
    client_id: 'sim',
    redirect_uri: callback,
    state: 'st',
    scope: 'api refresh_token',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
  const authorize = async (change: Record<string, string> = {}): Promise<URL> => {
    const answer = await post(`${org.url}/services/oauth2/authorize`, {
      ...asked,
      username: 'admin@sim.example',
      decision: 'allow',
      ...change,
    });
    expect(answer.status).toBe(302);
    return new URL(answer.headers.get('location') ?? '');
  };
  const exchange = (code: string, change: Record<string, string> = {}) =>
    post(tokenUrl, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: callback,
      code_verifier: verifier,
      ...client,
      ...change,
    });
  const grant = async () => (await exchange((await authorize()).searchParams.get('code') ?? '')).body;
  const refresh = (token: string) => post(tokenUrl, { grant_type: 'refresh_token', refresh_token: token, ...client });
  const dataWith = async (token: string) =>
    (await org.api('GET', '/limits', undefined, { Authorization: `Bearer ${token}` })).status;

  it('shows a page a person can use, with both users and a way to say no [X5]', async () => {
    const page = await fetch(
      `${org.url}/services/oauth2/authorize?${new URLSearchParams({ ...asked, state: '"><script>' })}`,
    );
    const html = await page.text();
    expect(page.status).toBe(200);
    expect(html).toContain('admin@sim.example');
    expect(html).toContain('value="deny"');
    expect(html).toContain('not Salesforce');
    expect(html).not.toContain('<script>');
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });

  it('goes from code to tokens with everything Salesforce sends, and nothing it does not [X5]', async () => {
    const back = await authorize();
    expect(back.searchParams.get('state')).toBe('st');
    const answer = await exchange(back.searchParams.get('code') ?? '');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-cache,must-revalidate,max-age=0,no-store,private');
    expect(answer.headers.get('sforce-limit-info')).toBeNull();
    expect(Object.keys(answer.body).sort()).toEqual([
      'access_token',
      'id',
      'instance_url',
      'issued_at',
      'refresh_token',
      'scope',
      'signature',
      'token_type',
    ]);
    expect(answer.body).toMatchObject({
      access_token: expect.stringMatching(/^00D\w{12}!/),
      instance_url: org.url,
      token_type: 'Bearer',
      issued_at: expect.stringMatching(/^\d{13}$/),
    });
    expect(await dataWith(answer.body.access_token)).toBe(200);
    expect((await exchange(back.searchParams.get('code') ?? '')).body).toEqual({
      error: 'invalid_grant',
      error_description: 'expired authorization code',
    });
  });

  it('sends refusals back to the callback: no challenge, declined, unknown scope [X5]', async () => {
    const noPkce = await authorize({ code_challenge: '' });
    expect(Object.fromEntries(noPkce.searchParams)).toEqual({
      error: 'invalid_request',
      error_description: 'missing required code challenge',
      state: 'st',
    });
    expect((await authorize({ decision: 'deny' })).searchParams.get('error')).toBe('access_denied');
    expect((await authorize({ scope: 'everything' })).searchParams.get('error')).toBe('invalid_scope');
    const unknown = await post(`${org.url}/services/oauth2/authorize`, { ...asked, client_id: 'other' });
    expect([unknown.status, unknown.headers.get('location')]).toEqual([400, null]);
  });

  it('refuses a wrong verifier, a missing one, another callback, a wrong secret [X5]', async () => {
    const code = async () => (await authorize()).searchParams.get('code') ?? '';
    expect((await exchange(await code(), { code_verifier: 'x'.repeat(64) })).body.error).toBe('invalid_request');
    expect((await exchange(await code(), { code_verifier: '' })).body.error).toBe('invalid_grant');
    expect((await exchange(await code(), { redirect_uri: 'http://127.0.0.1:9/other' })).body.error).toBe(
      'redirect_uri_mismatch',
    );
    expect((await exchange(await code(), { client_secret: 'no' })).body).toEqual({
      error: 'invalid_client',
      error_description: 'invalid client credentials',
    });
    expect((await exchange(await code(), { client_id: 'no' })).body.error).toBe('invalid_client_id');
    expect((await post(tokenUrl, { grant_type: 'magic', ...client })).body).toEqual({
      error: 'unsupported_grant_type',
      error_description: 'grant type not supported',
    });
  });

  it('answers the password flow with exactly the recorded fields, and refuses a wrong password [X5]', async () => {
    const form = { grant_type: 'password', username: 'limited@sim.example', password: 'sim', ...client };
    expect(Object.keys((await post(tokenUrl, form)).body).sort()).toEqual([
      'access_token',
      'id',
      'instance_url',
      'issued_at',
      'signature',
      'token_type',
    ]);
    expect((await post(tokenUrl, { ...form, password: 'guess' })).body).toEqual({
      error: 'invalid_grant',
      error_description: 'authentication failure',
    });
  });

  it('refreshes without a new refresh token, or with one when rotation is on and the old one dead [X5]', async () => {
    const { refresh_token: first } = await grant();
    const plain = await refresh(first);
    expect([plain.status, 'refresh_token' in plain.body]).toEqual([200, false]);
    await org.sim('POST', '/oauth', { rotation: true });
    const rotated = await refresh(first);
    expect(rotated.body.refresh_token).not.toBe(first);
    expect((await refresh(first)).body).toEqual({
      error: 'invalid_grant',
      error_description: 'expired access/refresh token',
    });
    expect((await refresh(rotated.body.refresh_token)).status).toBe(200);
    await org.sim('POST', '/oauth', { rotation: false });
  });

  it('keeps five grants per user and drops the oldest [X5]', async () => {
    const grants = [];
    for (let n = 0; n < 6; n++) grants.push(await grant());
    expect((await refresh(grants[0].refresh_token)).status).toBe(400);
    expect((await refresh(grants[1].refresh_token)).status).toBe(200);
    expect(await dataWith(grants[0].access_token)).toBe(401);
  });

  it('revokes: a refresh token takes its sessions along, an access token only itself [X5]', async () => {
    const revoke = (token: string) => post(`${org.url}/services/oauth2/revoke`, { token });
    const one = await grant();
    expect((await revoke(one.access_token)).status).toBe(200);
    expect(await dataWith(one.access_token)).toBe(401);
    const again = (await refresh(one.refresh_token)).body;
    expect((await revoke(one.refresh_token)).status).toBe(200);
    expect(await dataWith(again.access_token)).toBe(401);
    expect((await refresh(one.refresh_token)).status).toBe(400);
    expect((await revoke('nonsense')).body.error).toBe('invalid_token');
  });

  it('gives client credentials a session on the org’s own host, never on the login host [X5]', async () => {
    const form = { grant_type: 'client_credentials', ...client };
    expect((await post(tokenUrl, form)).status).toBe(200);
    await org.sim('POST', '/oauth', { isLoginHost: true });
    expect((await post(tokenUrl, form)).body).toEqual({
      error: 'invalid_grant',
      error_description: 'request not supported on this domain',
    });
    await org.sim('POST', '/oauth', { isLoginHost: false });
  });

  it('takes a signed assertion once its key is registered [X5]', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const assertion = (change: object = {}) => {
      const claim = {
        iss: 'sim',
        sub: 'admin@sim.example',
        aud: org.url,
        exp: Math.floor(Date.now() / 1000) + 180,
        ...change,
      };
      const unsigned = `${part({ alg: 'RS256' })}.${part(claim)}`;
      return `${unsigned}.${sign('RSA-SHA256', Buffer.from(unsigned), privateKey).toString('base64url')}`;
    };
    const present = (text: string) =>
      post(tokenUrl, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: text });
    expect((await present(assertion())).body.error_description).toBe("user hasn't approved this consumer");
    await org.sim('POST', '/jwt-key', { pem: publicKey.export({ type: 'spki', format: 'pem' }) });
    const answer = await present(assertion());
    expect(Object.keys(answer.body).sort()).toEqual(['access_token', 'id', 'instance_url', 'scope', 'token_type']);
    expect((await present(assertion({ aud: 'https://evil.example' }))).body.error_description).toBe(
      'Audience validation failed',
    );
    expect((await present(assertion({ exp: 1 }))).status).toBe(400);
    expect((await present(`${assertion().slice(0, -8)}AAAAAAAA`)).body.error).toBe('invalid_grant');
    expect((await present('a.b.c')).body.error).toBe('invalid_grant');
  });

  it('expires sessions by its clock and refuses garbage with the recorded body [X5]', async () => {
    const expired = [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }];
    const { access_token: token } = await grant();
    await org.sim('POST', '/clock', { advanceMs: 2 * 60 * 60 * 1000 + 1 });
    const answer = await org.api('GET', '/limits', undefined, { Authorization: `Bearer ${token}` });
    expect([answer.status, answer.body]).toEqual([401, expired]);
    await org.sim('POST', '/clock', { now: null });
    expect((await org.api('GET', '/limits', undefined, { Authorization: 'Bearer nope' })).body).toEqual(expired);
    expect((await org.api('GET', '/limits', undefined, { Authorization: 'Basic abc' })).body).toEqual([
      { message: 'INVALID_HEADER_TYPE', errorCode: 'INVALID_AUTH_HEADER' },
    ]);
    expect((await fetch(`${org.url}/services/data/v66.0/limits`)).status).toBe(401);
  });

  it('says who the user is, in both shapes, and refuses a bad token with 403 [X5]', async () => {
    const { access_token: token, id } = await grant();
    const bearer = { Authorization: `Bearer ${token}` };
    // biome-ignore lint/suspicious/noExplicitAny: asserted below.
    const identity: any = await (await fetch(id, { headers: bearer })).json();
    expect(identity).toMatchObject({
      id,
      username: 'admin@sim.example',
      organization_id: '00D5i000000SimZEAS',
      active: true,
    });
    expect(identity.urls.rest).toBe(`${org.url}/services/data/v{version}/`);
    const info = await (await fetch(`${org.url}/services/oauth2/userinfo`, { headers: bearer })).json();
    expect(info).toMatchObject({
      sub: id,
      preferred_username: 'admin@sim.example',
      updated_at: expect.stringMatching(/Z$/),
    });
    const bad = await fetch(id, { headers: { Authorization: 'Bearer no' } });
    expect([bad.status, await bad.text()]).toEqual([403, 'Bad_OAuth_Token']);
    const seen = await post(`${org.url}/services/oauth2/introspect`, { token, ...client });
    expect(seen.body).toMatchObject({ active: true, client_id: 'sim', username: 'admin@sim.example' });
  });
});
