import { afterAll, beforeAll, expect, it } from 'vitest';
import { addressesOfConsole } from '../support/addresses.ts';
import { describeInChromium } from '../support/browser.ts';
import { type Company, openCompany } from '../support/company.ts';
import { seatsAt } from '../support/console.ts';
import {
  checkDialogs,
  checkKeyboard,
  checkPage,
  checkReflow,
  checkTold,
  drawn,
  outlineOf,
} from '../support/page-checks.ts';

/** In lower case a command; by its link alone somebody signs in (C3). */
const COMMAND_OR_ROUTE = /\bgatehouse (?!operator sign-in)[a-z]+ |\b(GET|POST|PUT|PATCH|DELETE) \/api\//;
const PAGES = await addressesOfConsole();

/** What holds for each page of the console, whatever it shows: in a company where strangers wrote all that they may. */
describeInChromium('every page', (browser) => {
  let company: Company;

  beforeAll(async () => {
    company = await openCompany({ isHostile: true });
  }, 120_000);
  afterAll(() => company?.[Symbol.asyncDispose]());
  const sit = seatsAt(browser, () => company);

  it.each(PAGES)('$name [W10] [A7]', { timeout: 180_000 }, async ({ name, at }) => {
    await using one = await sit();
    const { page, complaints } = one;
    const foreign: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(company.url) && !request.url().startsWith('data:')) foreign.push(request.url());
    });
    await page.goto(`${company.url}${at(company.of)}`);
    await drawn(page);
    await expect(await outlineOf(page)).toMatchFileSnapshot(`./outlines/${name.replaceAll(/\W+/g, '-')}.txt`);
    await checkPage(page, name);
    await checkReflow(page, name);
    await checkTold(page, name);
    await checkKeyboard(page, name);
    await checkDialogs(page, name);
    expect(await page.locator('img[src="x"], a[href^="javascript:" i]').count()).toBe(0);
    expect(await page.title()).not.toContain('ran');
    // Who sits here has no terminal: see test/contract/console-words.test.ts.
    expect(await page.locator('main').innerText()).not.toMatch(COMMAND_OR_ROUTE);
    expect(await page.locator('body').innerText()).not.toMatch(/[\u202A-\u202E\u2066-\u2069\u200B]/);
    // A page that is not there is answered so.
    const wrong = complaints.filter((line) => name !== '/nothing-here' || !line.includes('404'));
    expect([wrong, foreign]).toEqual([[], []]);
  });
});
