import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shippedPolicy } from '../../permissions/policy.ts';
import { type App, createApp } from '../../src/app/app.ts';
import { type Listening, listen } from '../../src/http/server.ts';
import { readConfig } from '../../src/runtime/config.ts';
import { serveSim } from '../../src/sim/server.ts';
import { noBrowser, openBrowser, type TestBrowser } from '../support/browser.ts';

const why = noBrowser();

/** The org is a server of its own here, reached over real HTTP like Salesforce, with a login page in between. */
describe.skipIf(why)(`connecting in Chromium${why ? ` (skipped: ${why})` : ''}`, () => {
  let browser: TestBrowser;
  let org: Awaited<ReturnType<typeof serveSim>>;
  let app: App;
  let door: Listening;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-test-'));
    org = await serveSim({ port: 0 });
    app = await createApp(
      readConfig({
        GATEHOUSE_DATA: folder,
        GATEHOUSE_LOG: 'silent',
        SALESFORCE_CLIENT_ID: 'sim',
        SALESFORCE_CLIENT_SECRET: 'sim',
        SALESFORCE_LOGIN_URL: org.url,
        SALESFORCE_EXTRA_HOSTS: new URL(org.url).host,
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
    door = await listen(app, { host: '127.0.0.1', port: 0 });
    browser = await openBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await door?.close();
    await app?.close();
    await org?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const signedIn = async () => {
    const context = await browser.context();
    const page = await context.newPage();
    await page.goto(`${door.url}/sign-in#${(await app.access.signInToken('ada')).token}`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    return { page, [Symbol.asyncDispose]: () => context.close() };
  };

  it('shows the page first, logs in at the org, and comes back connected [O1] [O2] [W1]', async () => {
    await using person = await signedIn();
    const { page } = person;
    await page.getByRole('link', { name: 'desk' }).click();
    await page.getByRole('link', { name: 'Connect', exact: true }).click();
    await page.getByText('What the Salesforce user needs').waitFor();
    // The login page is configured: there is no other one to choose.
    expect(await page.getByRole('checkbox', { name: /sandbox/ }).count()).toBe(0);
    await page.getByText(`Leave empty to log in at ${new URL(org.url).host}.`).waitFor();
    await page.getByRole('button', { name: 'Continue to Salesforce' }).click();
    await page.getByRole('heading', { name: 'Simulated org' }).waitFor();
    expect(new URL(page.url()).origin).toBe(org.url);
    await page.getByRole('radio').first().check();
    await page.getByRole('button', { name: 'Log in and allow' }).click();
    await page.waitForURL(`${door.url}/bots/desk?salesforce=success`);
    const card = page.getByRole('region', { name: 'Salesforce connection' });
    await card.getByText('Connected', { exact: true }).first().waitFor();
    for (const shown of ['admin@sim.example', new URL(org.url).host, /^00D\w{15}$/])
      await card.getByText(shown).waitFor();
    await page.getByRole('button', { name: 'Test' }).click();
    await page.getByText('The connection works').waitFor();
    await page.getByRole('button', { name: 'Disconnect…' }).click();
    await page.getByRole('button', { name: 'Disconnect', exact: true }).click();
    await page.getByText('The access was revoked at Salesforce').waitFor();
    expect((await app.connections.status('desk')).state).toBe('disconnected');
  });

  it('tells in words that access was denied at the org, and connects nothing [O1] [O8]', async () => {
    await using person = await signedIn();
    const { page } = person;
    await page.goto(`${door.url}/connect/desk`);
    await page.getByRole('button', { name: 'Continue to Salesforce' }).click();
    await page.getByRole('radio').first().check();
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByText('What to do now').waitFor();
    expect((await app.connections.status('desk')).state).not.toBe('connected');
    // The state was used up: the same return cannot be tried again.
    const response = await page.reload();
    expect(response?.status()).toBe(400);
  });

  it('finishes only in the browser that began [O8]', async () => {
    await using attacker = await signedIn();
    await attacker.page.goto(`${door.url}/connect/desk`);
    await attacker.page.getByRole('button', { name: 'Continue to Salesforce' }).click();
    await attacker.page.getByRole('heading', { name: 'Simulated org' }).waitFor();
    // The attacker logs in, and keeps the way back for somebody else.
    const form = new URLSearchParams(new URL(attacker.page.url()).searchParams);
    form.set('username', 'admin@sim.example');
    form.set('decision', 'allow');
    const login = await fetch(`${org.url}/services/oauth2/authorize`, {
      method: 'POST',
      body: form,
      redirect: 'manual',
    });
    const back = login.headers.get('location') ?? '';
    expect(back).toContain('code=');
    await using victim = await signedIn();
    const response = await victim.page.goto(back);
    expect(response?.status()).toBe(403);
    await victim.page.getByText('begun in another browser session').waitFor();
    expect((await app.connections.status('desk')).state).not.toBe('connected');
  });

  it('refuses a login host that is not Salesforce’s, on the same page and with the form kept [O2] [O8]', async () => {
    await using person = await signedIn();
    const { page } = person;
    await page.goto(`${door.url}/connect/desk`);
    await page.getByLabel('My Domain').fill('login.salesforce.com.evil.example');
    await page.getByRole('button', { name: 'Continue to Salesforce' }).click();
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('not a Salesforce host');
    expect(await page.getByLabel('My Domain').inputValue()).toBe('login.salesforce.com.evil.example');
  });
});
