import { expect, it } from 'vitest';
import { serveSim } from '../../src/sim/server.ts';
import { approve, createEmbedded, createOrgWorld, type OrgWorld, refusal } from './org-world.ts';

/** What was granted under the settings of one start, as people see it after another start. */

const start = { sessionId: 's1', redirectUri: 'http://localhost:3000/oauth/callback' };

async function finish(connections: OrgWorld['connections'], url: string) {
  const from = await approve(url);
  const [state, code] = ['state', 'code'].map((name) => from.get(name) ?? undefined);
  return connections.finish({ sessionId: 's1', state, code, error: undefined, errorDescription: undefined });
}

it('a bot of the simulated org is not called connected once that org is not here, and moves on to a real one [O1] [O7] [X5]', async () => {
  const embedded = await createEmbedded();
  const org = await serveSim({ port: 0 });
  await using world = await createOrgWorld({
    env: { SALESFORCE_LOGIN_URL: org.url, SALESFORCE_EXTRA_HOSTS: new URL(org.url).host },
  });
  await world.again({ simulated: embedded.simulated }).connect('demo', { flow: 'simulated' });
  const before = await world.store.connections.get('demo');

  const { connections } = world;
  expect(await connections.status('demo')).toMatchObject({
    state: 'needs_reauth',
    environment: 'simulated',
    lastFailure: {
      message: expect.stringContaining('simulated org, which is not running here'),
      next: expect.stringContaining('Connect the bot to a real org'),
    },
  });
  expect((await refusal(world.open('demo'))).code).toBe('reconnect_needed');
  // Not written down: with that org again, it is connected as before.
  expect((await world.again({ simulated: embedded.simulated }).status('demo')).state).toBe('connected');

  expect(await connections.login('demo')).toBe(org.url);
  const moved = await finish(connections, (await connections.begin('demo', start)).url);
  expect(moved).toMatchObject({ state: 'connected', instanceUrl: org.url });
  expect(moved.environment).not.toBe('simulated');
  const after = await world.store.connections.get('demo');
  // Another org, another connection: what hangs on the id of the former one does not go along.
  expect(after?.id).not.toBe(before?.id);
  expect(after?.orgId).toBe((await world.open('demo')).orgId);
  await Promise.all([embedded.sim.close(), org.close()]);
});

it('a bot whose host is allowed no longer is not called connected, and logs in where the settings say [O2] [O7]', async () => {
  const org = await serveSim({ port: 0 });
  await using world = await createOrgWorld({
    env: { SALESFORCE_LOGIN_URL: org.url, SALESFORCE_EXTRA_HOSTS: new URL(org.url).host },
  });
  await finish(world.connections, (await world.connections.begin('demo', start)).url);
  const later = world.again({
    config: { ...world.config, loginUrl: 'https://login.salesforce.com', extraHosts: [] },
  });
  expect(await later.status('demo')).toMatchObject({ state: 'needs_reauth', instanceUrl: org.url });
  expect(await later.login('demo')).toBe('https://login.salesforce.com');
  await org.close();
});

it('the app that issued a sign-in is named by its own id after the installation has another [O4] [O7]', async () => {
  const org = await serveSim({ port: 0 });
  await using world = await createOrgWorld({
    env: { SALESFORCE_LOGIN_URL: org.url, SALESFORCE_EXTRA_HOSTS: new URL(org.url).host },
  });
  await finish(world.connections, (await world.connections.begin('demo', start)).url);
  expect(await world.connections.app('demo')).toEqual({ of: 'installation', clientId: 'sim' });
  const later = world.again({ config: { ...world.config, clientId: 'another' } });
  expect(await later.app('demo')).toEqual({ of: 'installation', clientId: 'sim', isFormer: true });
  await org.close();
});

it('a bot that is connected again logs in where it did, unless another host is named [O2]', async () => {
  const org = await serveSim({ port: 0 });
  await using world = await createOrgWorld({ env: { SALESFORCE_EXTRA_HOSTS: new URL(org.url).host } });
  const { connections } = world;
  const hostOf = async (more: object = {}) => {
    const { url } = await connections.begin('demo', { ...start, ...more });
    return new URL(url).origin;
  };
  expect(await hostOf()).toBe('https://login.salesforce.com');
  await finish(connections, (await connections.begin('demo', { ...start, loginUrl: org.url })).url);
  expect(await connections.login('demo')).toBe(org.url);
  expect(await hostOf()).toBe(org.url);
  expect(await hostOf({ sandbox: true })).toBe('https://test.salesforce.com');
  await connections.disconnect('demo');
  expect(await hostOf()).toBe('https://login.salesforce.com');
  await org.close();
});
