import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { HeadlessFlow } from '../../src/ports/salesforce.ts';
import { serveSim } from '../../src/sim/server.ts';
import { controlOf } from '../support/control.ts';
import { approve, createOrgWorld, type OrgWorld, refusal } from './org-world.ts';

const redirectUri = 'http://localhost:3000/oauth/callback';
const start = { sessionId: 's1', redirectUri };
const ACME = { clientId: 'acme-key', clientSecret: 'acme-secret-of-its-own' };

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function openOrg(app?: typeof ACME) {
  const server = await serveSim({ port: 0 });
  opened.push(server);
  const control = controlOf(server);
  if (app) await control('POST', 'settings', { app });
  return { url: server.url, host: new URL(server.url).host, control };
}

/** The installation's org and app, and beside them another org with another app. */
async function twoOrgs(env: Record<string, string> = {}) {
  const [first, acme] = [await openOrg(), await openOrg(ACME)];
  const world = await createOrgWorld({
    allowPassword: true,
    env: { SALESFORCE_LOGIN_URL: first.url, SALESFORCE_EXTRA_HOSTS: `${first.host},${acme.host}`, ...env },
  });
  const identity = async (bot: string) => (await world.open(bot)).identity();
  return { ...world, first, acme, identity };
}

async function signIn({ connections }: OrgWorld, bot: string, more: object = {}) {
  const { url } = await connections.begin(bot, { ...start, ...more });
  const from = await approve(url);
  const [state, code] = ['state', 'code'].map((name) => from.get(name) ?? undefined);
  await connections.finish({ sessionId: 's1', state, code, error: undefined, errorDescription: undefined });
  return new URL(url);
}

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = (key: KeyObject, type: 'spki' | 'pkcs8') => key.export({ type, format: 'pem' }).toString();

const FLOWS: readonly (readonly [string, (loginUrl: string) => HeadlessFlow | undefined])[] = [
  ['web', () => undefined],
  ['client-credentials', (loginUrl) => ({ flow: 'client-credentials', loginUrl })],
  [
    'jwt',
    (loginUrl) => ({ flow: 'jwt', username: 'admin@sim.example', privateKey: pem(privateKey, 'pkcs8'), loginUrl }),
  ],
  ['password', (loginUrl) => ({ flow: 'password', username: 'admin@sim.example', password: 'sim', loginUrl })],
];

describe('two orgs with an app each', () => {
  it.each(FLOWS)('serve two bots by the flow %s, and each is renewed by its own [O1] [O5]', async (_, flowOf) => {
    await using world = await twoOrgs();
    const { first, acme, connections } = world;
    for (const org of [first, acme]) await org.control('POST', 'jwt-key', { pem: pem(publicKey, 'spki') });
    const connect = async (bot: string, loginUrl: string, app?: typeof ACME) => {
      const given = app === undefined ? {} : { app };
      const flow = flowOf(loginUrl);
      if (flow) await connections.connect(bot, { ...flow, ...given });
      else await signIn(world, bot, { loginUrl, ...given });
    };
    await connect('ours', first.url);
    await connect('acme', acme.url, ACME);
    // The installation's app is not known there, and the other way round.
    await expect(connect('lost', acme.url)).rejects.toThrow();
    for (const org of [first, acme]) await org.control('POST', 'expire');
    // Also in a process that has just begun.
    const again = world.again();
    for (const bot of ['ours', 'acme']) {
      await again.open(bot, { signal: new AbortController().signal }).then((org) => org.identity());
      expect((await world.connections.status(bot)).state).toBe('connected');
    }
    expect((await connections.status('acme')).instanceUrl).toBe(acme.url);
    const { revoked } = await connections.disconnect('acme');
    expect(revoked).toBe(true);
    await world.identity('ours');
    expect(world.logged.join('\n')).not.toContain(ACME.clientSecret);
    expect(JSON.stringify(await world.store.connections.list())).not.toContain(ACME.clientSecret);
  });

  it('keep apart: an app whose secret is wrong breaks its own bot alone, at Connect and at the renewal', async () => {
    await using world = await twoOrgs();
    const { first, acme, connections } = world;
    await signIn(world, 'ours');
    await signIn(world, 'acme', { loginUrl: acme.url, app: ACME });
    const wrong = refusal(signIn(world, 'other', { loginUrl: acme.url, app: { ...ACME, clientSecret: 'wrong' } }));
    expect((await wrong).next).toBeTruthy();
    expect((await connections.status('other')).state).toBe('never_connected');
    // The secret was renewed in the org.
    await acme.control('POST', 'settings', { app: { ...ACME, clientSecret: 'rolled' } });
    for (const org of [first, acme]) await org.control('POST', 'expire');
    expect((await refusal(world.identity('acme'))).code).toBe('reconnect_needed');
    await world.identity('ours');
    expect((await connections.status('ours')).state).toBe('connected');
    await signIn(world, 'acme', { loginUrl: acme.url, app: { ...ACME, clientSecret: 'rolled' } });
    await world.identity('acme');
    await acme.control('POST', 'expire');
    await world.identity('acme');
  });

  it('stay with their app when the bot is connected again without a word about it, until it was disconnected', async () => {
    await using world = await twoOrgs();
    const { first, acme, connections } = world;
    await signIn(world, 'acme', { loginUrl: acme.url, app: ACME });
    const again = await signIn(world, 'acme');
    expect([again.origin, again.searchParams.get('client_id')]).toEqual([acme.url, ACME.clientId]);
    await connections.disconnect('acme');
    const fresh = await signIn(world, 'acme');
    expect([fresh.origin, fresh.searchParams.get('client_id')]).toEqual([first.url, 'sim']);
  });

  it('never lend a secret: an app without one is asked for without one', async () => {
    await using world = await twoOrgs();
    const { acme, connections } = world;
    const app = { clientId: ACME.clientId };
    await signIn(world, 'acme', { loginUrl: acme.url, app });
    await acme.control('POST', 'expire');
    await world.identity('acme');
    expect(
      await refusal(connections.connect('cc', { flow: 'client-credentials', loginUrl: acme.url, app })),
    ).toMatchObject({ code: 'config_invalid' });
  });
});

it('asks for a new sign-in where the installation has another app than the one that issued the grant', async () => {
  await using world = await twoOrgs();
  await signIn(world, 'ours');
  await world.first.control('POST', 'expire');
  const config = { ...world.config, clientId: 'another', clientSecret: 'secret' };
  const later = world.again({ config });
  const org = await later.open('ours', { signal: new AbortController().signal });
  const error = await refusal(org.identity());
  expect(error).toMatchObject({ code: 'reconnect_needed', next: expect.stringContaining('SALESFORCE_CLIENT_ID') });
  expect((await later.status('ours')).state).toBe('needs_reauth');
  // Nothing of it went to Salesforce: no token of one app by the hand of another.
  const { oauth } = await world.first.control('GET', 'calls');
  expect(oauth.filter(({ path }: { path: string }) => path.includes('/token'))).toHaveLength(1);
});

it('keeps the secret of a sign-in under way in the vault alone, and drops it with the next one, its end, or Disconnect', async () => {
  await using world = await twoOrgs();
  const { acme, connections, store, vault } = world;
  const kept: string[] = [];
  const { set } = vault;
  Object.assign(vault, {
    set: async (key: string, tokens: never) => {
      if (key.startsWith('connecting ')) kept.push(key);
      await set(key, tokens);
    },
  });
  const begin = () => connections.begin('acme', { ...start, loginUrl: acme.url, app: ACME });
  await begin();
  await begin();
  expect(await vault.get(kept[0] ?? '')).toBeUndefined();
  expect((await vault.get(kept[1] ?? ''))?.app).toMatchObject(ACME);
  const latest = await store.values.get('oauth_latest', 'acme', world.clock.now);
  expect(await store.values.get('oauth_state', latest ?? '', world.clock.now)).not.toContain(ACME.clientSecret);
  await connections.disconnect('acme');
  expect(await vault.get(kept[1] ?? '')).toBeUndefined();
  await signIn(world, 'acme', { loginUrl: acme.url, app: ACME });
  expect(await vault.get(kept[2] ?? '')).toBeUndefined();
});
