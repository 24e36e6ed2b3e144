import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser, openBrowser, type TestBrowser } from '../support/browser.ts';
import { createGatehouse, type Gatehouse, type Started } from '../support/cli.ts';
import { checkPage, complaintsOf } from '../support/page-checks.ts';

const why = noBrowser();

describe.skipIf(why)(`the console of the demo in Chromium${why ? ` (skipped: ${why})` : ''}`, () => {
  let browser: TestBrowser;
  let house: Gatehouse;
  let demo: Started;

  beforeAll(async () => {
    // A client id that would break the start if it were used; their own folder is at GATEHOUSE_DATA.
    house = await createGatehouse({ SALESFORCE_CLIENT_ID: 'theirs', GATEHOUSE_PRINT_SIGN_IN: '1' });
    demo = await house.start(['demo', '--console']);
    browser = await openBrowser();
  }, 180_000);
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await house?.[Symbol.asyncDispose]();
  });

  it('opens a company with a month behind it: no page of the console is empty, and none has a fault [W1] [W5] [W6] [W8]', async () => {
    const { url, signIn, simulated } = demo.document;
    expect(simulated).toBe(true);
    const context = await browser.context({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    const complaints = complaintsOf(page);
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
    await context.close();
  }, 180_000);

  it('leaves nothing behind, and touches none of their own data [X1]', async () => {
    const { dataDir } = demo.document;
    expect(existsSync(dataDir)).toBe(true);
    expect(dataDir).not.toContain(house.dataDir);
    expect((await demo.stop('SIGINT')).code).toBe(0);
    expect(existsSync(dataDir)).toBe(false);
    expect(existsSync(house.dataDir)).toBe(false);
  }, 60_000);
});
