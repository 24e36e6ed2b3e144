import { mkdir, writeFile } from 'node:fs/promises';
import { it } from 'vitest';
import { addressesOfConsole } from '../support/addresses.ts';
import { noBrowser, openBrowser, signInBy } from '../support/browser.ts';
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
  await mkdir(FOLDER, { recursive: true });
  const context = await browser.context({ reducedMotion: 'reduce' });
  const page = await context.newPage();
  await signInBy(page, company.url, await company.world.app.access.signInToken('ada'));
  const tools = await context.newCDPSession(page);
  for (const { name, at } of PAGES) {
    const file = name === '/' ? 'overview' : name.slice(1).replaceAll(/\W+/g, '-');
    for (const { name: form, colorScheme, viewport } of FORMS) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.goto(`${company.url}${at(company.of)}`);
      await drawn(page);
      await page.evaluate('document.activeElement?.blur?.(); scrollTo(0, 0)');
      const { data } = await tools.send('Page.captureScreenshot', {
        format: 'webp',
        quality: isWhole ? 80 : QUALITY,
        captureBeyondViewport: isWhole,
      });
      await writeFile(new URL(`${file}.${form.replace(', ', '-')}.webp`, FOLDER), data, 'base64');
    }
  }
});
