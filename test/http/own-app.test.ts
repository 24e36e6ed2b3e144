import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { shippedPolicy } from '../../permissions/policy.ts';
import { createApp } from '../../src/app/app.ts';
import { listen } from '../../src/http/server.ts';
import { readConfig } from '../../src/runtime/config.ts';
import { serveSim } from '../../src/sim/server.ts';
import { approve } from '../salesforce/org-world.ts';
import { checkAnswer } from '../support/answers.ts';
import { controlOf } from '../support/control.ts';
import { testFolder } from '../support/prepared.ts';

const ACME = { clientId: 'acme-key', clientSecret: 'acme-secret-of-its-own' };
const at = '/api/bots/desk/integration';

/** An installation with an app of its own, and an org with another one. */
async function openTwo() {
  const folder = await mkdtemp(path.join(testFolder(), 'gatehouse-test-'));
  const [ours, acme] = [await serveSim({ port: 0 }), await serveSim({ port: 0 })];
  await controlOf(acme)('POST', 'settings', { app: ACME });
  const host = acme.url;
  const app = await createApp(
    readConfig({
      ...{ GATEHOUSE_DATA: folder, GATEHOUSE_LOG: 'silent', SALESFORCE_LOGIN_URL: ours.url },
      ...{ SALESFORCE_CLIENT_ID: 'sim', SALESFORCE_CLIENT_SECRET: 'sim' },
      SALESFORCE_EXTRA_HOSTS: `${new URL(ours.url).host},${new URL(host).host}`,
    }),
  );
  const about = { audience: 'internal', profile: 'internal', createdAt: app.now(), grants: [] } as const;
  await app.store.bots.create({ ...about, name: 'desk', policy: shippedPolicy('internal') });
  await app.access.createOperator('ada', 'admin');
  const { cookie, session } = await app.access.redeem((await app.access.signInToken('ada')).token);
  const door = await listen({ ...app, checkAnswer }, { host: '127.0.0.1', port: 0 });
  const person = { cookie: `gatehouse=${cookie}`, 'x-csrf-token': session.csrf };
  const ask = async (method: string, address: string, json?: object, headers: Record<string, string> = person) => {
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const type = { 'content-type': 'application/json', accept: 'application/json' };
    const answer = await fetch(`${door.url}${address}`, {
      ...{ method, ...body, headers: { ...headers, ...type }, redirect: 'manual' },
    });
    const text = await answer.text();
    return { status: answer.status, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
  };
  return {
    ...{ app, host, ask, control: controlOf(acme) },
    /** Begun, agreed to at the org, and back. */
    async connect(json: object) {
      const begun = await ask('POST', `${at}/connect`, json);
      return begun.status === 200 ? ask('GET', `/oauth/callback?${await approve(begun.json.url)}`) : begun;
    },
    async [Symbol.asyncDispose]() {
      await door.close();
      await app.close();
      await Promise.all([ours.close(), acme.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

it('an app of its own is given at Connect, told by its id to people alone, and its secret to nobody [O1] [O4] [O8]', async () => {
  await using house = await openTwo();
  const { ask, app } = house;
  const met = [await house.connect({ ...ACME, loginUrl: house.host })];
  const shown = [await ask('GET', at), await ask('GET', '/api/bots/desk')];
  const own = { of: 'bot', clientId: ACME.clientId };
  expect(shown).toMatchObject([{ json: { state: 'connected', app: own } }, { json: { connection: { app: own } } }]);
  const authorization = `Bearer ${await app.access.issueKey('agent', 'desk')}`;
  const agents = await ask('GET', at, undefined, { authorization });
  expect(Object.keys(agents.json).sort()).toEqual(['environment', 'state']);
  met.push(...shown, await ask('GET', '/api/audit?limit=100'), await ask('GET', '/api/bots'));
  for (const { text } of met) expect(text).not.toContain(ACME.clientSecret);
  await ask('DELETE', at);
  expect((await ask('GET', at)).json).not.toHaveProperty('app');
  await house.connect({});
  expect((await ask('GET', at)).json.app).toEqual({ of: 'installation', clientId: 'sim' });
});

it.each([
  ['a secret without its id', { clientSecret: 'geheim' }, 'clientId'],
  ['an id with a blank in it', { clientId: 'a b' }, 'clientId'],
  ['a secret that is too long', { clientId: 'a', clientSecret: 'x'.repeat(513) }, 'clientSecret'],
  ['a secret of other letters', { clientId: 'a', clientSecret: 'geheim\u00e4' }, 'clientSecret'],
])('Connect refuses %s, and begins nothing [O8]', async (_, json, field) => {
  await using house = await openTwo();
  const refused = await house.connect(json);
  expect(refused).toMatchObject({ status: 400, json: { error: { fields: [{ name: field }] } } });
  expect(refused.text).not.toContain('geheim');
});

it('an app whose secret is wrong connects nothing and says so; what was connected goes on [O1] [O7]', async () => {
  await using house = await openTwo();
  await house.connect({ ...ACME, loginUrl: house.host });
  const wrong = await house.connect({ ...ACME, clientSecret: 'wrong-one', loginUrl: house.host });
  expect(wrong.status).toBeGreaterThanOrEqual(400);
  expect(wrong.text).toContain('next');
  expect(wrong.text).not.toContain('wrong-one');
  expect(await house.ask('POST', `${at}/test`)).toMatchObject({ status: 200 });
});
