import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import type { BrowserContextOptions, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app/app.ts';
import { listen } from '../../src/http/server.ts';
import { readConfig } from '../../src/runtime/config.ts';
import { addressesOfConsole } from '../support/addresses.ts';
import { describeInChromium, signInBy, visit } from '../support/browser.ts';
import { type Company, openCompany } from '../support/company.ts';
import { seatsAt, signedInBy } from '../support/console.ts';
import { proposeMove } from '../support/door.ts';
import { checkPage, drawn } from '../support/page-checks.ts';
import { testFolder } from '../support/prepared.ts';
import { createProxy } from '../support/servers.ts';

const PAGES = (await addressesOfConsole()).filter(({ isApp }) => isApp);
const DAY_MS = 86_400_000;

/** What each page of the console is while it waits, when it fails, and when the world moves under it. */
describeInChromium('the states of the console', (browser) => {
  let company: Company;

  beforeAll(async () => {
    company = await openCompany();
  }, 120_000);
  afterAll(() => company?.[Symbol.asyncDispose]());
  const sit = seatsAt(browser, () => company);

  /** Somebody of this test's own. */
  const signedIn = async (role: string, options: BrowserContextOptions = {}) => {
    const name = `${role}-${crypto.randomUUID().slice(0, 8)}`;
    await company.world.app.access.createOperator(name, role);
    const link = await company.world.app.access.signInToken(name);
    const person = await signedInBy(browser, company.url, link, { viewport: { width: 1280, height: 800 }, ...options });
    return { ...person, name };
  };

  describe.each(PAGES)('$name', ({ name, at }) => {
    it('stands at once, waits in its place, and fails in words with a way on [W10] [X6]', async () => {
      await using one = await sit();
      const { page } = one;
      await page.addInitScript(SHIFTS);
      const asked = new Set<string>();
      const held = gate();
      await page.route(isData, async (route) => {
        asked.add(new URL(route.request().url()).pathname);
        await held.opened;
        await route.continue();
      });
      await page.goto(`${company.url}${at(company.of)}`, { waitUntil: 'commit' });
      await page.getByRole('navigation', { name: 'Main' }).waitFor();
      await page.locator('h1').first().waitFor();
      expect(await page.locator('h1').first().innerText()).not.toBe('');
      held.open();
      await drawn(page);
      // biome-ignore lint/suspicious/noExplicitAny: what the init script keeps
      expect.soft(await page.evaluate('window.shifted' as any), 'layout shift').toBeLessThanOrEqual(0.1);

      await page.unroute(isData);
      await page.route(isData, (route) => route.fulfill({ status: 500, json: { error: BROKEN } }));
      await page.reload();
      await page.locator('h1').first().waitFor();
      await drawn(page);
      if ([...asked].every((path) => path === '/api/proposals') && name !== '/approvals') return;
      const alert = page.locator('main').getByRole('alert').first();
      await alert.waitFor();
      for (const words of [BROKEN.message, BROKEN.next, BROKEN.id]) expect(await alert.innerText()).toContain(words);
      await page.unroute(isData);
      const again = page.locator('main').getByRole('alert').getByRole('button', { name: 'Try again' });
      const pressed = async () => {
        if ((await again.count()) > 0)
          await again
            .first()
            .click({ timeout: 2_000 })
            .catch(() => {});
        return page.locator('main').getByRole('alert').allInnerTexts();
      };
      await expect.poll(pressed, { timeout: 30_000, interval: 500 }).toEqual([]);
    });
  });

  it('keeps what it showed and says how old that is, while the server fails [W10] [X6]', async () => {
    await using one = await sit();
    const { page } = one;
    await page.goto(`${company.url}/bots`);
    await page.getByRole('link', { name: 'demo' }).waitFor();
    await page.route(isData, (route) => route.fulfill({ status: 500, json: { error: BROKEN } }));
    await expect.poll(() => lookAway(page), { timeout: 20_000, interval: 1_000 }).toContain('This is from just now');
    await page.getByRole('link', { name: 'demo' }).waitFor();
    await page.unroute(isData);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('This is from').waitFor({ state: 'detached' });
  });

  it('without a line has one banner, keeps what is read, and does later nothing that was pressed [W10] [X6]', async () => {
    await using person = await signedIn('admin');
    const { page, context } = person;
    await page.goto(`${company.url}/bots/new`);
    await page.getByLabel('Name').fill('later');
    await context.setOffline(true);
    await page.getByText('No connection.').waitFor();
    await page.getByRole('button', { name: 'Make the bot' }).click();
    await page.getByText('The server cannot be reached.').waitFor();
    expect(await page.getByText('No connection.').count()).toBe(1);
    await context.setOffline(false);
    await page.getByText('No connection.').waitFor({ state: 'detached' });
    await page.waitForTimeout(1_500);
    expect(await company.world.app.store.bots.get('later')).toBeUndefined();
    expect(await page.getByLabel('Name').inputValue()).toBe('later');
    await page.getByRole('button', { name: 'Make the bot' }).click();
    await page.getByText('later').first().waitFor();
  });

  it('a session that is over keeps what was typed, and goes on once somebody is there again [C3] [W10]', async () => {
    await using person = await signedIn('admin');
    const { page, context, name } = person;
    await page.goto(`${company.url}/bots/new`);
    await page.getByLabel('Name').fill('kept');
    await context.clearCookies();
    await page.getByRole('button', { name: 'Make the bot' }).click();
    await page.getByText('Your session is over.').waitFor();
    expect(await page.getByLabel('Name').inputValue()).toBe('kept');
    const other = await context.newPage();
    await signInBy(other, company.url, await company.world.app.access.signInToken(name));
    await other.close();
    await lookAway(page);
    await page.getByText('Your session is over.').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Make the bot' }).click();
    await expect.poll(() => company.world.app.store.bots.get('kept')).toBeDefined();
  });

  it('a session that is over leads from a page that is only read to the sign-in, and back to the same filter [C3] [W10]', async () => {
    await using person = await signedIn('viewer');
    const { page, context, name } = person;
    await page.goto(`${company.url}/log?outcome=refused`);
    await drawn(page);
    await context.clearCookies();
    await page.getByRole('link', { name: 'CreateLead' }).first().click();
    await page.waitForURL(/\/sign-in\?next=%2Flog%2F\d+%3Foutcome%3Drefused$/);
    await page.getByLabel(/Sign-in link/).fill((await company.world.app.access.signInToken(name)).token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(/\/log\/\d+\?outcome=refused$/);
    // Asked for anew without a session, the address itself is the way back.
    await context.clearCookies();
    await page.goto(`${company.url}/log?outcome=refused`);
    expect(page.url()).toContain('next=%2Flog%3Foutcome%3Drefused');
  });

  it('a role that was lowered refuses in words, keeps what was typed, and says from then on who may [P4] [W10]', async () => {
    await using person = await signedIn('admin');
    const { page, name } = person;
    await page.goto(`${company.url}/bots/new`);
    await page.getByLabel('Name').fill('lowered');
    await company.world.app.store.operators.setRole(name, 'viewer');
    await page.getByRole('button', { name: 'Make the bot' }).click();
    await page.getByRole('alert').getByText('MANAGE_BOTS').first().waitFor();
    expect(await page.getByLabel('Name').inputValue()).toBe('lowered');
    await expect.poll(() => page.getByRole('button', { name: 'Make the bot' }).isDisabled()).toBe(true);
    expect(await company.world.app.store.bots.get('lowered')).toBeUndefined();
  });

  it('says on the page of a bot what of its policy was saved although the org could not be asked [W10] [P5]', async () => {
    const { values } = company.world.app.store;
    await values.set('policy.unchecked', 'demo', '["objects.Visit: not asked."]', null);
    await using one = await sit();
    await one.page.goto(`${company.url}/bots/demo`);
    await one.page.getByText('objects.Visit: not asked.').waitFor();
    await values.set('policy.unchecked', 'demo', '[]', null);
  });

  it.each([
    '/bots/gone',
    '/bots/gone/policy',
    '/bots/gone/sync',
    '/bots/gone/sync/links',
    '/bots/gone/sync/log',
    '/bots/gone/sync/events',
    '/bots/gone/mappings/party',
    '/connect/gone',
    '/bots/demo/sync/links/party/gone',
    '/bots/demo/sync/log/01900000-0000-7000-8000-000000000000',
    '/log/999999',
  ])('says of what is gone that it is, and where to go: %s [W10]', async (at) => {
    await using one = await sit();
    const { page } = one;
    await page.goto(`${company.url}${at}`);
    await drawn(page);
    const words = await page.locator('main').innerText();
    expect(words).toMatch(/no bot|not there|is gone|There is no|not found|has not sent|does not exist/i);
    expect(words).not.toContain('undefined');
    expect(await page.locator('h1').count()).toBe(1);
    expect(await page.locator('main').getByRole('alert').or(page.locator('main .empty')).count()).toBeGreaterThan(0);
  });

  it('goes on when the server is started anew under an open page, with what was typed, and does nothing twice [W10] [X6]', async () => {
    const proxy = await createProxy();
    const { app } = company.world;
    const first = await listen({ ...app }, { host: '127.0.0.1', port: 0 });
    proxy.to(first.port);
    await using one = await visit(browser);
    const { page } = one;
    await signInBy(page, `http://127.0.0.1:${proxy.port}`, await app.access.signInToken('ada'));
    await page.goto(`http://127.0.0.1:${proxy.port}/bots/new`);
    await page.getByLabel('Name').fill('restarted');
    await first.close();
    await page.getByRole('button', { name: 'Make the bot' }).click();
    await page.getByText('The server cannot be reached.').waitFor();
    const second = await listen({ ...app }, { host: '127.0.0.1', port: 0 });
    proxy.to(second.port);
    expect(await page.getByLabel('Name').inputValue()).toBe('restarted');
    await page.getByRole('button', { name: 'Make the bot' }).click();
    await expect.poll(() => app.store.bots.get('restarted')).toBeDefined();
    await page.goto(`http://127.0.0.1:${proxy.port}/approvals`);
    await drawn(page);
    // The hints come again by themselves.
    const { id } = await proposeMove(company.world, { nextStep: 'After the restart' });
    await page.locator(`a[href="/approvals/${id}"]`).waitFor();
    await second.close();
    await proxy.close();
  });

  it.each([-DAY_MS, DAY_MS])('tells time by the server where the browser is wrong by %i ms [W10]', async (wrong) => {
    await using one = await sit();
    const { page, complaints } = one;
    await page.addInitScript(`{
      const real = Date;
      globalThis.Date = class extends real {
        constructor(...given) { super(...(given.length === 0 ? [real.now() + ${wrong}] : given)); }
        static now() { return real.now() + ${wrong}; }
      };
    }`);
    await page.goto(company.url);
    await drawn(page);
    const left = await page.getByRole('list', { name: 'Notices' }).innerText();
    expect(left).toMatch(/\d+ min \d\d s left/);
    await page.goto(`${company.url}/approvals/${company.of.asked}`);
    expect(await page.locator('[data-until]').first().innerText()).toMatch(/\d+ min \d\d s left/);
    await page.goto(`${company.url}/log`);
    await drawn(page);
    expect(await page.locator('tbody time').first().innerText()).toMatch(/just now|minutes? ago/);
    expect(complaints).toEqual([]);
  });

  it('without JavaScript signs in and decides one approval; what cannot work says what it needs [C5] [W10]', async () => {
    const { id } = await proposeMove(company.world, { nextStep: 'By plain forms' });
    const { token } = await company.world.app.access.signInToken('bo');
    await using one = await visit(browser, { javaScriptEnabled: false });
    const { page } = one;
    await page.goto(`${company.url}/approvals/${id}`);
    await page.getByLabel(/Sign-in link/).fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/approvals/${id}`);
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('It ran, and Salesforce took it.').waitFor();
    await page.goto(`${company.url}/log`);
    // Chromium draws no <noscript> where its own tools have switched scripts off.
    expect(await page.content()).toContain('The console needs JavaScript.');
  });

  it('goes on by itself once the host app has sent its first person [S1] [W5]', async () => {
    const json = { name: 'fresh', profile: 'internal' };
    const made = await company.ask('POST', '/api/bots', { as: await company.signIn('admin'), json });
    expect(made.status).toBe(201);
    await company.world.app.connections.connect('fresh', { flow: 'simulated' });
    await using one = await sit();
    const { page } = one;
    await page.goto(`${company.url}/bots/fresh/sync`);
    await drawn(page);
    await page.getByRole('button', { name: 'Try with a person…' }).waitFor();
    const url = `${company.url}/api/parties/p-1`;
    const body = JSON.stringify({ name: 'Pia First', email: 'pia@example.com' });
    const headers = { authorization: `Bearer ${made.json.hostKey}`, 'content-type': 'application/json' };
    expect((await fetch(url, { method: 'PUT', headers, body })).status).toBe(200);
    await page.getByText('1 person is ready').waitFor();
    expect(await page.getByRole('button', { name: 'Try with a person…' }).count()).toBe(0);
  });

  it('on a slow line does a double press once, and a press whose answer was lost no second time [A4] [W10]', async () => {
    await using person = await signedIn('admin');
    const { page, context } = person;
    const slow = await context.newCDPSession(page);
    await slow.send('Network.enable');
    // A 3G line, as the browser's own tools have it.
    const line = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 };
    await slow.send('Network.emulateNetworkConditions', line);
    const sent: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && sent.push(request.url()));
    await page.goto(`${company.url}/bots/new`);
    await page.getByLabel('Name').fill('slow');
    await page.getByRole('button', { name: 'Make the bot' }).dblclick();
    await page.getByText('slow').first().waitFor();
    expect(sent.filter((url) => url.endsWith('/api/bots'))).toHaveLength(1);

    // The server did it, and nobody heard.
    const lost = async (route: Route) => {
      if (route.request().method() !== 'POST') return route.continue();
      await route.fetch();
      return route.abort();
    };
    await page.goto(`${company.url}/bots/new`);
    await page.getByLabel('Name').fill('unheard');
    await page.route('**/api/bots', lost);
    await page.getByRole('button', { name: 'Make the bot' }).click();
    await page.getByText('The server cannot be reached.').waitFor();
    await page.unroute('**/api/bots');
    await page.getByRole('button', { name: 'Make the bot' }).click();
    await page.getByRole('alert').getByText('unheard').first().waitFor();
    expect(await page.getByLabel('Name').inputValue()).toBe('unheard');

    const { id } = await proposeMove(company.world, { nextStep: 'Once' });
    await page.goto(`${company.url}/approvals/${id}`);
    await page.getByRole('button', { name: 'Approve' }).dblclick();
    await page.getByText('It ran, and Salesforce took it.').waitFor();
    const done = await company.world.app.store.audit.find({ proposal: id, event: 'done', limit: 5 });
    expect(done).toHaveLength(1);
  });
});

describeInChromium('an installation that is empty', (browser) => {
  const EMPTY = PAGES.filter(({ name }) => !/[:?]|demo|shop/.test(name));

  it('leads on from every page: nothing is a bare table or a failure [W10]', { timeout: 240_000 }, async () => {
    const folder = await mkdtemp(path.join(testFolder(), 'gatehouse-test-'));
    const app = await createApp(readConfig({ GATEHOUSE_DATA: folder, GATEHOUSE_LOG: 'silent' }));
    const { routes, mark: syncHead } = await app.sync();
    const door = await listen({ ...app, routes, syncHead }, { host: '127.0.0.1', port: 0 });
    try {
      await app.access.createOperator('ada', 'admin');
      await using person = await signedInBy(browser, door.url, await app.access.signInToken('ada'));
      const { page, complaints } = person;
      for (const { name } of EMPTY) {
        await page.goto(`${door.url}${name}`);
        await drawn(page);
        await checkPage(page, name);
        expect(await page.locator('main').getByRole('alert').count(), name).toBe(0);
        const rows = await page.locator('main tbody').evaluateAll((all) => all.map((one) => one.childElementCount));
        expect(rows, name).not.toContain(0);
      }
      expect(complaints).toEqual([]);
    } finally {
      await door.close();
      await app.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

const BROKEN = { code: 'internal', message: 'It broke.', next: 'Do this next.', id: 'err-4711', retryable: true };

/** What a page asks for: not who looks, and not the stream of hints. */
const isData = (url: URL) => url.pathname.startsWith('/api/') && !/^\/api\/(session|events)$/.test(url.pathname);

/** Adds up what moves without anybody's doing. */
const SHIFTS = `window.shifted = 0; new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
}).observe({ type: 'layout-shift', buffered: true });`;

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** To another tab and back, as a page notices it; what it says then. */
async function lookAway(page: Page): Promise<string> {
  await page.evaluate(
    "document.dispatchEvent(new Event('visibilitychange', { bubbles: true })); dispatchEvent(new Event('focus'))",
  );
  return page.locator('main').innerText();
}
