import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { GatehouseError } from '../../src/domain/errors.ts';
import { passing, signInFailure } from '../../src/salesforce/auth/sign-in-failures.ts';
import { createWebWorld, refusal } from './org-world.ts';

/** A hiccup is not a death: a renewal gives a connection up only for what is known to be final. */

type World = Awaited<ReturnType<typeof createWebWorld>>;

const ask = async (world: World, bot: string) =>
  (await world.open(bot)).find('Account', { fields: ['Name'], where: [], limit: 1 });

/** One bot per flow, each connected and with an expired session. */
async function createFlows(): Promise<World> {
  const world = await createWebWorld({}, { allowPassword: true });
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await world.control('POST', 'jwt-key', { pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() });
  const username = 'admin@sim.example';
  const { connections } = world;
  await connections.connect('jwt', {
    flow: 'jwt',
    username,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  });
  await connections.connect('client-credentials', { flow: 'client-credentials', loginUrl: world.url });
  await connections.connect('password', { flow: 'password', username, password: 'sim' });
  await world.control('POST', 'expire');
  return world;
}

const FLOWS = ['demo', 'jwt', 'client-credentials', 'password'];

const oauth = (error: string, error_description: string) => ({ status: 400, body: { error, error_description } });
const HICCUPS: readonly { readonly status: number; readonly body: unknown }[] = [
  oauth('unknown_error', 'retry your request'),
  oauth('invalid_grant', 'Token request is already being processed'),
  oauth('invalid_grant', 'something that was never seen before'),
  oauth('brand_new', ''),
  oauth('server_error', 'We cannot process your request right now'),
  oauth('temporarily_unavailable', 'try later'),
  oauth('inactive_org', 'organization is in maintenance'),
  oauth('invalid_grant', 'ip restricted'),
  { status: 401, body: '<html><body>Proxy authentication required</body></html>' },
  { status: 403, body: '<html><body>blocked by the firewall</body></html>' },
  { status: 404, body: {} },
  { status: 420, body: [{ message: 'gone', errorCode: 'INVALID_SESSION_ID' }] },
  { status: 400, body: [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }] },
  { status: 429, body: oauth('rate', '').body },
  { status: 500, body: oauth('invalid_grant', 'expired access/refresh token').body },
  { status: 503, body: '<html>maintenance</html>' },
  { status: 302, body: '<html>moved</html>' },
  { status: 200, body: '<html>Please sign in to the hotel network</html>' },
  { status: 200, body: { hello: 'world' } },
  // No header can carry these: kept as a session, nothing would ever renew them.
  { status: 200, body: { access_token: 'half\r\nX-Other: 1' } },
  { status: 200, body: { access_token: 'snow\u2603man' } },
  { status: 200, body: { access_token: 'a'.repeat(100_000) } },
  { status: 200, body: { access_token: 'fine', refresh_token: 'half \u0000' } },
];

describe('a renewal that meets a hiccup', () => {
  it('goes on within the same call, in every flow, and leaves the connection as it was [V1] [O5]', async () => {
    await using world = await createFlows();
    for (const bot of FLOWS) {
      await world.control('POST', 'faults', { type: 'token', ...HICCUPS[0], times: 1 });
      expect(await ask(world, bot), bot).toHaveLength(1);
      expect(await world.connections.status(bot)).toMatchObject({ state: 'connected', breaker: { state: 'closed' } });
    }
  });

  it('that stays ends as "unavailable", bounded, never as "reconnect", and heals by itself [V1] [O7]', async () => {
    await using world = await createFlows();
    for (const [n, hiccup] of HICCUPS.entries()) {
      const bot = FLOWS[n % FLOWS.length] ?? '';
      const what = `${bot}: ${JSON.stringify(hiccup)}`;
      await world.control('POST', 'expire');
      await world.control('POST', 'faults', { type: 'token', ...hiccup });
      const before = await world.tokenRequests();
      const error = await refusal(ask(world, bot));
      expect(error, what).toMatchObject({ retryable: true });
      expect(['salesforce_unavailable', 'rate_limited'], what).toContain(error.code);
      expect((await world.tokenRequests()) - before, what).toBeLessThanOrEqual(3);
      expect(await world.connections.status(bot), what).toMatchObject({ state: 'connected' });
      expect((await world.store.connections.get(bot))?.breakerFailures, what).toBe(1);
      await world.control('POST', 'faults', { clear: true });
      expect(await ask(world, bot), what).toHaveLength(1);
    }
  });

  it('opens the breaker when it goes on, and closes it again by itself [V1] [R1]', async () => {
    await using world = await createFlows();
    await world.control('POST', 'faults', { type: 'token', ...HICCUPS[0] });
    for (let n = 0; n < 5; n++) expect((await refusal(ask(world, 'demo'))).code).toBe('salesforce_unavailable');
    expect((await refusal(ask(world, 'demo'))).code).toBe('circuit_open');
    await world.control('POST', 'faults', { clear: true });
    world.clock.advance(61_000);
    expect(await ask(world, 'demo')).toHaveLength(1);
  });

  it('takes what another process renewed meanwhile [V1] [O5]', async () => {
    await using world = await createFlows();
    await world.control('POST', 'faults', { type: 'token', ...HICCUPS[1], times: 1 });
    let renewed = 0;
    const other = world.again({
      wait: async () => {
        // While we wait, somebody with another lease stored new tokens.
        renewed += 1;
        const row = await world.store.connections.get('demo');
        if (row === undefined || renewed > 1) return;
        const tokens = await world.vault.get(`${row.id}.${row.tokenVersion}`);
        await world.control('POST', 'faults', { clear: true });
        const login = await fetch(`${world.url}/services/oauth2/token`, {
          method: 'POST',
          body: new URLSearchParams({
            grant_type: 'refresh_token',
            refresh_token: tokens?.refreshToken ?? '',
            client_id: 'sim',
            client_secret: 'sim',
          }),
        });
        const { access_token: accessToken } = (await login.json()) as { access_token: string };
        await world.vault.set(`${row.id}.${row.fence + 5}`, { ...tokens, accessToken });
        await world.store.connections.patch('demo', { tokenVersion: row.fence + 5 });
      },
    });
    const before = await world.tokenRequests();
    const org = await other.open('demo', { signal: new AbortController().signal });
    expect(await org.find('Account', { fields: ['Name'], where: [], limit: 1 })).toHaveLength(1);
    expect((await world.tokenRequests()) - before).toBe(2);
  });
});

it.each(FLOWS)('a renewal by %s gives the connection up for what is final [V1] [O7]', async (bot) => {
  await using world = await createFlows();
  await world.control('POST', 'faults', { type: 'token', ...oauth('inactive_user', 'user is inactive') });
  const before = await world.tokenRequests();
  expect((await refusal(ask(world, bot))).code).toBe('reconnect_needed');
  expect((await world.tokenRequests()) - before).toBe(1);
  expect(await world.connections.status(bot)).toMatchObject({ state: 'needs_reauth' });
});

it.each(FLOWS)(
  'a renewal by %s that leads to another org sends it nothing, until it is disconnected [O8] [K2]',
  async (bot) => {
    await using world = await createFlows();
    const id = `${world.url}/id/00D000000000001EAA/0055i0000000001AAA`;
    const body = { access_token: 'of-another-org', instance_url: world.url, id, token_type: 'Bearer' };
    await world.control('POST', 'faults', { type: 'token', status: 200, body, times: 1 });
    const before = await world.tokenRequests();
    const error = await refusal(ask(world, bot));
    expect(error.code).toBe('reconnect_needed');
    expect(error.next).toMatch(/disconnect/);
    expect((await world.tokenRequests()) - before).toBe(1);
    expect(await world.connections.status(bot)).toMatchObject({ state: 'needs_reauth' });
    expect(await world.store.connections.get(bot)).toMatchObject({ instanceUrl: world.url });
  },
);

it('a renewal that signs in as another user is known as that one: what the user before read is not theirs [K8]', async () => {
  await using world = await createWebWorld({}, { allowPassword: true });
  const { orgId } = (await world.store.connections.get('demo'))!;
  await world.control('POST', 'expire');
  const id = `${world.url}/id/${orgId}/0055i00000ZZZZZAA2`;
  const body = { access_token: 'of-another', instance_url: world.url, id, token_type: 'Bearer' };
  await world.control('POST', 'faults', { type: 'token', status: 200, body, times: 1 });
  await ask(world, 'demo').catch(() => undefined);
  expect((await world.store.connections.get('demo'))?.userId).toMatch(/^0055i00000ZZZZZ/);
});

it('a renewal that does not say whose it is sends the call nowhere before the org has said it [O8] [K2]', async () => {
  await using world = await createWebWorld({}, { allowPassword: true });
  const odd = [undefined, null, 7, 'x', `${world.url}/id/00D000000000001EAAA/0055i0000000001AAA`];
  const other = '00D000000000001EAA';
  const own = (await world.store.connections.get('demo'))!.orgId;
  const state = async () => (await world.connections.status('demo')).state;
  for (const id of odd)
    for (const organization_id of [undefined, 'x', own]) {
      // The breaker opens after some of these, as it should.
      world.clock.advance(600_000);
      await world.control('POST', 'expire');
      await world.control('POST', 'faults', { clear: true });
      const body = { access_token: 'of-whom-nobody-knows', instance_url: world.url, id, token_type: 'Bearer' };
      await world.control('POST', 'faults', { type: 'token', status: 200, body, times: 1 });
      const said = { type: 'status', status: 200, body: { organization_id }, times: 1, match: { path: '/userinfo' } };
      await world.control('POST', 'faults', said);
      const asked = await ask(world, 'demo').catch((error: GatehouseError) => error.code);
      // The org does not know that token: where it is ours by its own word, it is used and refused.
      expect([id, organization_id, asked]).toEqual([
        ...[id, organization_id],
        organization_id === own ? 'reconnect_needed' : 'salesforce_unavailable',
      ]);
      expect(await state()).toBe('connected');
    }
  await world.control('POST', 'expire');
  await world.control('POST', 'faults', { clear: true });
  const body = { access_token: 'of-whom-nobody-knows', instance_url: world.url, token_type: 'Bearer' };
  await world.control('POST', 'faults', { type: 'token', status: 200, body, times: 1 });
  const said = { status: 200, body: { organization_id: other }, match: { path: '/userinfo' } };
  await world.control('POST', 'faults', { type: 'status', ...said, times: 1 });
  expect((await refusal(ask(world, 'demo'))).message).toContain(other);
  expect(await state()).toBe('needs_reauth');
});

it('knows of each text whether it is final [V1]', () => {
  const final = [
    ['invalid_grant', 'expired access/refresh token'],
    ['invalid_grant', 'inactive'],
    ['invalid_grant', ''],
    ['invalid_grant', 'token revoked'],
    ['invalid_grant', 'authentication failure'],
    ['invalid_grant', "user hasn't approved this consumer"],
    ['invalid_grant', 'invalid assertion'],
    ['invalid_client_id', 'client identifier invalid'],
    ['invalid_client', 'invalid client credentials'],
    ['inactive_user', 'user is inactive'],
    ['invalid_app_access', 'user is not admin approved to access this app'],
    ['OAUTH_APP_BLOCKED', 'this app is blocked by admin'],
    ['invalid_request', 'External client app is not installed in this org'],
  ] as const;
  const mayPass = [
    ['unknown_error', 'retry your request'],
    ['invalid_grant', 'Token request is already being processed'],
    ['invalid_grant', 'inactive organization'],
    ['invalid_grant', 'org locked'],
    ['inactive_org', 'org is locked'],
    ['invalid_grant', 'ip restricted'],
    ['invalid_grant', 'outside of login hours'],
    ['invalid_grant', 'user locked'],
    ['invalid_grant', 'expired assertion'],
    ['rate_limit_exceeded', 'login rate exceeded'],
    ['server_error', 'API is not enabled for this user'],
    ['invalid_request', 'whatever'],
  ] as const;
  for (const [error, text] of final) expect(passing(signInFailure(error, text)), `${error} ${text}`).toBeUndefined();
  for (const [error, text] of mayPass) {
    const failure = passing(signInFailure(error, text));
    expect(failure, `${error} ${text}`).toMatchObject({ infrastructure: true, outcome: 'not_sent' });
    expect(failure?.code).not.toBe('reconnect_needed');
    expect(failure?.salesforce?.quote).toBe(text);
  }
});
