import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { inject } from 'vitest';

/** The real browser of `chromium-setup.ts`; each test gets a context of its own: no cookie, no cache of another. */
export interface TestBrowser extends AsyncDisposable {
  context(options?: BrowserContextOptions): Promise<BrowserContext>;
}

/** Why browser tests cannot run here; undefined when they can. A machine that demands them gets a failure instead. */
export function noBrowser(): string | undefined {
  const given = inject('chromium');
  if (!('missing' in given)) return undefined;
  if ((process.env.GATEHOUSE_TEST_REQUIRE ?? '').split(',').includes('chromium'))
    throw new Error(`Chromium is required here and cannot start: ${given.missing}`);
  return given.missing;
}

export async function openBrowser(): Promise<TestBrowser> {
  const given = inject('chromium');
  if ('missing' in given) throw new Error(given.missing);
  const browser: Browser = await chromium.connect(given.endpoint);
  return {
    async context(options) {
      const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...options });
      // As long as a test may take: a busy machine is slow.
      context.setDefaultTimeout(55_000);
      return context;
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/** By the link of a person, to the overview. */
export async function signInBy(page: Page, url: string, { token }: { readonly token: string }): Promise<void> {
  await page.goto(`${url}/sign-in#${token}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}
