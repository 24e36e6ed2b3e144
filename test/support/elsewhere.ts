import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { shippedPolicy } from '../../permissions/policy.ts';
import { type App, createApp } from '../../src/app/app.ts';
import { listen } from '../../src/http/server.ts';
import { readConfig } from '../../src/runtime/config.ts';
import { serveSim } from '../../src/sim/server.ts';
import { testFolder } from './prepared.ts';

/** An installation whose org is a server of its own, reached over real HTTP like Salesforce, with a login page in between. */
export interface Elsewhere extends AsyncDisposable {
  readonly app: App;
  readonly url: string;
  /** Where the org answers. */
  readonly org: string;
}

/** Its one bot, `desk`, is not connected yet; `ada` is an admin. */
export async function openElsewhere(
  env: (org: string) => Readonly<Record<string, string>> = () => ({}),
): Promise<Elsewhere> {
  const folder = await mkdtemp(path.join(testFolder(), 'gatehouse-test-'));
  const org = await serveSim({ port: 0 });
  const app = await createApp(
    readConfig({
      GATEHOUSE_DATA: folder,
      GATEHOUSE_LOG: 'silent',
      SALESFORCE_CLIENT_ID: 'sim',
      SALESFORCE_CLIENT_SECRET: 'sim',
      SALESFORCE_EXTRA_HOSTS: new URL(org.url).host,
      ...env(org.url),
    }),
  );
  await app.store.bots.create({
    name: 'desk',
    audience: 'internal',
    profile: 'internal',
    createdAt: app.now(),
    grants: ['READ_ACCOUNT', 'UPDATE_OPPORTUNITY'],
    policy: shippedPolicy('internal'),
  });
  await app.access.createOperator('ada', 'admin');
  const { routes, mark: syncHead } = await app.sync();
  const door = await listen({ ...app, routes, syncHead }, { host: '127.0.0.1', port: 0 });
  return {
    app,
    url: `http://127.0.0.1:${door.port}`,
    org: org.url,
    async [Symbol.asyncDispose]() {
      await door.close();
      await app.close();
      await org.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
