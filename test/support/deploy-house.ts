import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { shippedPolicy } from '../../permissions/policy.ts';
import { type App, type AppOptions, createApp } from '../../src/app/app.ts';
import { listen } from '../../src/http/server.ts';
import { readConfig } from '../../src/runtime/config.ts';
import { serveSim } from '../../src/sim/server.ts';
import { openDatabase } from '../../src/store/open.ts';
import { approve } from '../salesforce/org-world.ts';
import { checkAnswer } from './answers.ts';
import { controlOf } from './control.ts';
import { describeOnce, describePostgres } from './databases.ts';
import { testFolder } from './prepared.ts';

/** An installation over real HTTP beside an org on a port, which has none of our fields, connected by the web flow. */
export async function openDeployHouse(env: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(path.join(testFolder(), 'gatehouse-test-'));
  const org = await serveSim({ port: 0, seed: 'stock' });
  const control = controlOf(org);
  const clock = { ahead: 0 };
  const settings = {
    ...{ GATEHOUSE_DATA: folder, GATEHOUSE_LOG: 'silent', SALESFORCE_LOGIN_URL: org.url },
    ...{ SALESFORCE_CLIENT_ID: 'sim', SALESFORCE_CLIENT_SECRET: 'sim', SALESFORCE_EXTRA_HOSTS: new URL(org.url).host },
    ...env,
  };
  const open = (more: AppOptions = {}): Promise<App> =>
    createApp(readConfig(settings), { now: () => Date.now() + clock.ahead, ...more });
  const app = await open();
  await app.store.bots.create({
    ...{ audience: 'internal', profile: 'internal', createdAt: app.now(), name: 'desk' },
    grants: ['CREATE_LEAD'],
    policy: shippedPolicy('internal', app.actions),
  });
  const others: App[] = [];
  const door = await listen({ ...app, checkAnswer }, { host: '127.0.0.1', port: 0 });
  const person = async (name: string) => {
    const key = await app.access.createOperator(name, 'admin');
    const { cookie, session } = await app.access.redeem((await app.access.signInToken(name)).token);
    const headers = { cookie: `gatehouse=${cookie}`, 'x-csrf-token': session.csrf };
    const ask = async (method: string, address: string, json?: object) => {
      const answer = await fetch(`${door.url}${address}`, {
        ...{ method, redirect: 'manual' },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
      });
      const text = await answer.text();
      return {
        ...{ status: answer.status, text, location: answer.headers.get('location') },
        json: text.startsWith('{') ? JSON.parse(text) : undefined,
      };
    };
    return { name, key, ask, cookie };
  };
  const ada = await person('ada');
  const begun = await ada.ask('POST', '/api/bots/desk/integration/connect', {});
  await ada.ask('GET', `/oauth/callback?${await approve(begun.json.url)}`);
  const at = '/api/bots/desk/org/deployments';

  return {
    ...{ app, ada, person, org, control, clock, door, at, settings, folder },
    /** Another process on the same state. */
    async again(more: AppOptions = {}): Promise<App> {
      const other = await open(more);
      others.push(other);
      return other;
    },
    /** Begun by her, and signed in for at the org. */
    async begin(as = ada, username = 'admin@sim.example') {
      const { json } = await as.ask('POST', at, {});
      const { json: way } = await as.ask('POST', `${at}/${json.id}/sign-in`);
      const back = await as.ask('GET', `/oauth/callback?${await approve(way.url, username)}`);
      return { id: json.id as string, digest: json.digest as string, back };
    },
    /** Deployments that the org was asked for: tried, and for good. */
    async asked() {
      const sent = (await control('GET', 'calls')).calls as { method: string; path: string; status: number }[];
      return sent.filter(({ method, path: to }) => method === 'POST' && to.endsWith('/metadata/deployRequest')).length;
    },
    async revoked() {
      const sent = (await control('GET', 'calls')).oauth as { path: string; status: number }[];
      return sent.filter(({ path: to, status }) => to.endsWith('/oauth2/revoke') && status === 200).length;
    },
    audit: async () => {
      const lines: { event: string; action: string }[] = [];
      for await (const line of app.audit.export()) lines.push(JSON.parse(line));
      return lines.filter(({ action }) => action === 'org-deploy').map(({ event }) => event);
    },
    async [Symbol.asyncDispose]() {
      await door.close();
      for (const other of others) await other.close();
      await app.close();
      await org.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type DeployHouse = Awaited<ReturnType<typeof openDeployHouse>>;

/** One suite on every database there is. */
export function describeDeployHouses(suite: (open: () => Promise<DeployHouse>) => void): void {
  describeOnce('on SQLite', () => suite(openDeployHouse));
  describePostgres((makeSchema) =>
    suite(async () => {
      const { target, remove } = await makeSchema();
      await (await openDatabase(target)).close();
      const house = await openDeployHouse({ DATABASE_URL: target.url });
      return {
        ...house,
        async [Symbol.asyncDispose]() {
          await house[Symbol.asyncDispose]();
          await remove();
        },
      };
    }),
  );
}
