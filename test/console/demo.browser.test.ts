import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium, visit } from '../support/browser.ts';
import { createGatehouse, type Gatehouse, type Started } from '../support/cli.ts';
import { checkPage } from '../support/page-checks.ts';

describeInChromium('the console of the demo', (browser) => {
  let house: Gatehouse;
  let demo: Started;

  beforeAll(async () => {
    // A client id that would break the start if it were used; their own folder is at GATEHOUSE_DATA.
    house = await createGatehouse({ SALESFORCE_CLIENT_ID: 'theirs', GATEHOUSE_PRINT_SIGN_IN: '1' });
    demo = await house.start(['demo', '--console']);
  }, 180_000);
  afterAll(async () => {
    // Killed, it would leave its folder behind.
    await demo?.stop('SIGINT');
    await house?.[Symbol.asyncDispose]();
  });

  it('opens a company with a month behind it: no page of the console is empty, and none has a fault [W1] [W5] [W6] [W8]', async () => {
    const { url, signIn, simulated } = demo.document;
    expect(simulated).toBe(true);
    await using person = await visit(browser, { viewport: { width: 1280, height: 800 } });
    const { page, complaints } = person;
    await page.goto(signIn);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const read = async (path: string) => (await page.request.get(`${url}${path}`)).json();
    const { proposals } = await read('/api/proposals?limit=1');
    const { rows } = await read('/api/audit?outcome=done&action=UpdateOpportunity&limit=1');
    const { logs } = await read('/api/bots/demo/sync/logs?conflict=true');
    const pages = [
      '/',
      '/approvals',
      `/approvals/${proposals[0].id}`,
      '/bots',
      '/bots/demo',
      '/bots/demo/policy',
      '/bots/shop',
      '/permissions',
      '/sync',
      '/bots/demo/sync',
      '/bots/demo/sync/links',
      '/bots/demo/sync/links/party/party-7',
      '/bots/demo/sync/links/case/case-1',
      '/bots/demo/sync/log',
      '/bots/demo/sync/log?conflict=true',
      `/bots/demo/sync/log/${logs[0].id}`,
      '/bots/demo/sync/events',
      '/bots/demo/mappings/party',
      '/bots/demo/mappings/case',
      '/log',
      `/log/${rows[0].seq}`,
      '/charts?range=30d',
      '/playground?bot=demo',
      '/settings',
      '/settings/operators',
      '/settings/apps',
      '/settings/notices',
    ];
    const found: string[] = [];
    for (const at of pages) {
      await page.goto(`${url}${at}`);
      await page.waitForLoadState('networkidle').catch(() => {});
      await page.locator('main h1').waitFor();
      // A talk that nobody has begun has no trace.
      if (at.startsWith('/playground')) continue;
      for (const text of await page.locator('main p.empty').allTextContents()) found.push(`${at}: ${text}`);
      for (const text of await page.locator('main [role="alert"]').allTextContents()) found.push(`${at}: ${text}`);
    }
    expect(found).toEqual([]);
    expect(complaints).toEqual([]);
    await checkPage(page);
    await person.context.close();
  }, 180_000);

  it('leaves nothing behind, and touches none of their own data [X1]', async () => {
    const { dataDir } = demo.document;
    expect(existsSync(dataDir)).toBe(true);
    expect(dataDir).not.toContain(house.dataDir);
    expect((await demo.stop('SIGINT')).code).toBe(0);
    expect(existsSync(dataDir)).toBe(false);
    expect(existsSync(house.dataDir)).toBe(false);
  }, 60_000);

  it('opens from the overview of an install in which nothing was done, in two presses, and ends with its server [W1] [X1]', async () => {
    const served = await house.start(['serve', '--port', '0']);
    await using person = await visit(browser, { viewport: { width: 1280, height: 800 } });
    const { context, page } = person;
    context.setDefaultTimeout(120_000);
    await page.goto(served.document.signIn);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Nothing was done here yet' }).waitFor();
    await checkPage(page, 'an empty install');
    await page.getByRole('button', { name: 'Open the demo company' }).click();
    const link = page.getByRole('link', { name: 'Go to the demo company' });
    await link.waitFor();
    const [shown] = await Promise.all([context.waitForEvent('page'), link.click()]);
    await shown.getByRole('button', { name: 'Sign in' }).click();
    await shown.getByText('3 actions of demo wait for a person.').waitFor();
    // Of another name than this server: nobody is signed out here by signing in there.
    await page.reload();
    await page.getByRole('heading', { name: 'Nothing was done here yet' }).waitFor();
    const { origin } = new URL(shown.url());
    await context.close();
    expect((await served.stop('SIGINT')).code).toBe(0);
    await expect(fetch(origin)).rejects.toThrow();
  }, 240_000);
});
