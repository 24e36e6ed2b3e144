import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addressesOfConsole } from '../support/addresses.ts';
import { describeInChromium } from '../support/browser.ts';
import { type Company, openCompany } from '../support/company.ts';
import { seatsAt } from '../support/console.ts';
import { checkTold, drawn, OPEN_BUTTON } from '../support/page-checks.ts';

const PAGES = (await addressesOfConsole()).filter(({ name }) => !/^\/(nothing-here|sign-in)/.test(name));
/** What would lead away from what is looked at, or let a decision of the company go. */
const LEFT_ALONE = /^(Sign out|Approve|Decline)/;

/** Each page as it is for those who may less: what is open to them works, and what is not says who may. */
describeInChromium('every page by role', (browser) => {
  let company: Company;

  beforeAll(async () => {
    company = await openCompany();
  }, 120_000);
  afterAll(() => company?.[Symbol.asyncDispose]());
  const sit = seatsAt(browser, () => company);

  it.each([
    { name: 'vic', role: 'viewer' },
    { name: 'bo', role: 'approver' },
  ])('offers a $role nothing that would be refused, on any page [W10] [S1]', { timeout: 600_000 }, async ({ name }) => {
    await using one = await sit({}, name);
    const { page } = one;
    const refused: string[] = [];
    let where = '';
    page.on('response', (answer) => {
      if (answer.status() === 403)
        refused.push(`${where}: ${answer.request().method()} ${new URL(answer.url()).pathname}`);
    });
    for (const { name: address, at } of PAGES) {
      where = address;
      await page.goto(`${company.url}${at(company.of)}`);
      await drawn(page);
      await checkTold(page, where);
      await pressAll(page, (button) => {
        where = `${address}, ${button}`;
      });
    }
    expect(refused).toEqual([]);
  });
});

/** Every open button of the page, and of what it opens, pressed once; forms are sent as they stand. */
async function pressAll(page: Page, tell: (button: string) => void): Promise<void> {
  const at = page.url();
  const pressed = new Set<string>();
  for (;;) {
    await page.evaluate('for (const form of document.forms) form.noValidate = true');
    const within =
      (await page.locator('dialog[open]').count()) > 0 ? page.locator('dialog[open]') : page.locator('main');
    const buttons = within.locator(OPEN_BUTTON);
    const names = (await buttons.allInnerTexts()).map((text) => text.trim());
    const nth = names.findIndex((text) => !LEFT_ALONE.test(text) && !pressed.has(text));
    if (nth === -1) {
      if ((await page.locator('dialog[open]').count()) === 0) return;
      await page.keyboard.press('Escape');
      await page.locator('dialog[open]').waitFor({ state: 'detached' });
      continue;
    }
    pressed.add(names[nth] ?? '');
    tell(names[nth] ?? '');
    await buttons.nth(nth).click();
    await drawn(page);
    await checkTold(page, names[nth]);
    if (new URL(page.url()).pathname !== new URL(at).pathname) {
      await page.goto(at);
      await drawn(page);
    }
  }
}
