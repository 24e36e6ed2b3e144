import { afterAll, beforeAll, expect, it } from 'vitest';
import { shippedPolicy } from '../../permissions/policy.ts';
import type { App } from '../../src/app/app.ts';
import { serveSim } from '../../src/sim/server.ts';
import { describeInChromium } from '../support/browser.ts';
import { signedInBy } from '../support/console.ts';
import { controlOf } from '../support/control.ts';
import { type Elsewhere, openElsewhere } from '../support/elsewhere.ts';

const OWN = { clientId: 'acme-key', clientSecret: 'acme-secret-of-its-own' };

/** The org is a server of its own here, reached over real HTTP like Salesforce, with a login page in between. */
describeInChromium('connecting', (browser) => {
  let org: { readonly url: string };
  /** Another org, with another app. */
  let acme: Awaited<ReturnType<typeof serveSim>>;
  let app: App;
  let door: Elsewhere;

  beforeAll(async () => {
    acme = await serveSim({ port: 0 });
    await controlOf(acme)('POST', 'settings', { app: OWN });
    door = await openElsewhere((url) => ({
      SALESFORCE_LOGIN_URL: url,
      SALESFORCE_EXTRA_HOSTS: `${new URL(url).host},${new URL(acme.url).host}`,
    }));
    app = door.app;
    org = { url: door.org };
  }, 60_000);
  afterAll(async () => {
    await door?.[Symbol.asyncDispose]();
    await acme?.close();
  });

  const signedIn = async () => signedInBy(browser, door.url, await app.access.signInToken('ada'));

  it('shows the page first, logs in at the org, and comes back connected [O1] [O2] [W1]', async () => {
    await using person = await signedIn();
    const { page } = person;
    await page.getByRole('link', { name: 'desk', exact: true }).click();
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

  it('by an app of its own: the card names it, its secret is never shown, and a wrong one breaks its bot alone [O1] [O4] [O7]', async () => {
    await app.store.bots.create({
      ...{ name: 'acme', audience: 'internal', profile: 'internal', createdAt: app.now() },
      ...{ grants: ['READ_ACCOUNT'], policy: shippedPolicy('internal') },
    });
    await using person = await signedIn();
    const { page } = person;
    const met: string[] = [];
    page.on('response', async (response) => {
      if (response.url().startsWith(`${door.url}/api/`)) met.push(await response.text().catch(() => ''));
    });
    const connect = async (bot: string, secret?: string) => {
      await page.goto(`${door.url}/connect/${bot}`);
      if (secret !== undefined) {
        await page.getByLabel('My Domain').fill(acme.url);
        await page.getByText('An app of its own').click();
        await page.getByLabel('Client id').fill(OWN.clientId);
        await page.getByLabel('Client secret').fill(secret);
      }
      await page.getByRole('button', { name: 'Continue to Salesforce' }).click();
      await page.getByRole('radio').first().check();
      await page.getByRole('button', { name: 'Log in and allow' }).click();
    };
    const card = page.getByRole('region', { name: 'Salesforce connection' });
    await connect('desk');
    await card.getByText('the installation’s, sim').waitFor();
    await connect('acme', 'not-its-secret');
    await page.getByText('What to do now').waitFor();
    expect(await page.content()).not.toContain('not-its-secret');
    expect((await app.connections.status('acme')).state).toBe('never_connected');
    // The bot beside it goes on.
    await page.goto(`${door.url}/bots/desk`);
    await page.getByRole('button', { name: 'Test' }).click();
    await page.getByText('The connection works').waitFor();

    await connect('acme', OWN.clientSecret);
    await page.waitForURL(`${door.url}/bots/acme?salesforce=success`);
    await card.getByText('its own, acme-key').waitFor();
    await page.goto(`${door.url}/connect/acme`);
    await page.getByText('An app of its own').click();
    expect(await page.getByLabel('Client secret').inputValue()).toBe('');
    expect(met.length).toBeGreaterThan(0);
    expect(met.join()).not.toContain(OWN.clientSecret);
  });
});
