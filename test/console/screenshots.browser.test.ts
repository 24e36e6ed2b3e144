import { mkdir, writeFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { it } from 'vitest';
import { addressesOfConsole } from '../support/addresses.ts';
import { noBrowser, openBrowser, signInBy } from '../support/browser.ts';
import { createGatehouse } from '../support/cli.ts';
import { openCompany } from '../support/company.ts';
import { drawn, FORMS } from '../support/page-checks.ts';

/** `npm run screenshots`: every page in four forms, as docs/console shows them. No test of how they look: a person does that. */

const FOLDER = new URL(process.env.GATEHOUSE_SCREENSHOTS_TO ?? '../../docs/console/', import.meta.url);
const PAGES = (await addressesOfConsole()).filter(({ name }) => !/[?]|demo|shop|nothing/.test(name));
const isAsked = process.env.GATEHOUSE_SCREENSHOTS !== undefined;
const isWhole = process.env.GATEHOUSE_SCREENSHOTS === 'whole';
/** Small files: words stay sharp enough to be read. */
const QUALITY = 14;

it.skipIf(!isAsked || noBrowser())('takes pictures of every page in four forms', { timeout: 900_000 }, async () => {
  await using browser = await openBrowser();
  await using company = await openCompany();
  const context = await browser.context({ reducedMotion: 'reduce' });
  const page = await context.newPage();
  await signInBy(page, company.url, await company.world.app.access.signInToken('ada'));
  for (const { name, at } of PAGES) {
    const file = name === '/' ? 'overview' : name.slice(1).replaceAll(/\W+/g, '-');
    await inFourForms(page, file, async () => {
      await page.goto(`${company.url}${at(company.of)}`);
    });
  }
});

it.skipIf(!isAsked || noBrowser())(
  'takes pictures of the search, the offer of a demo, and forced colours',
  { timeout: 900_000 },
  async () => {
    await using browser = await openBrowser();
    await using company = await openCompany();
    const context = await browser.context({ reducedMotion: 'reduce' });
    const page = await context.newPage();
    await signInBy(page, company.url, await company.world.app.access.signInToken('ada'));
    await inFourForms(page, 'search', async () => {
      await page.goto(company.url);
      await drawn(page);
      await page.keyboard.press('/');
      await page.getByRole('dialog').getByRole('textbox').fill('ana');
      await page.keyboard.press('Enter');
      await page.getByText(/\d+ found\./).waitFor();
    });
    await page.goto(company.url);
    await page.emulateMedia({ colorScheme: 'light', forcedColors: 'active', reducedMotion: 'reduce' });
    await page.setViewportSize(FORMS[0].viewport);
    await picture(page, 'overview.forced-colors');

    await using house = await createGatehouse({ GATEHOUSE_PRINT_SIGN_IN: '1' });
    const { document } = await house.start(['serve', '--port', '0']);
    const fresh = await (await browser.context({ reducedMotion: 'reduce' })).newPage();
    await fresh.goto(document.signIn);
    await fresh.getByRole('button', { name: 'Sign in' }).click();
    await fresh.getByRole('heading', { name: 'Nothing was done here yet' }).waitFor();
    await inFourForms(fresh, 'demo', async () => void (await fresh.reload()));
  },
);

async function inFourForms(page: Page, file: string, show: () => Promise<void>): Promise<void> {
  for (const { name: form, colorScheme, viewport } of FORMS) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await show();
    await picture(page, `${file}.${form.replace(', ', '-')}`);
  }
}

async function picture(page: Page, file: string): Promise<void> {
  await drawn(page);
  await page.evaluate('document.querySelector("dialog[open]") ?? document.activeElement?.blur?.(); scrollTo(0, 0)');
  const tools = await page.context().newCDPSession(page);
  const { data } = await tools.send('Page.captureScreenshot', {
    format: 'webp',
    quality: isWhole ? 80 : QUALITY,
    captureBeyondViewport: isWhole,
  });
  await tools.detach();
  await mkdir(FOLDER, { recursive: true });
  await writeFile(new URL(`${file}.webp`, FOLDER), data, 'base64');
}
