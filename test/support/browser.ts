import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, inject } from 'vitest';
import { complaintsOf } from './page-checks.ts';

/** The real browser of `chromium-setup.ts`; each test gets a context of its own: no cookie, no cache of another. */
export interface TestBrowser extends AsyncDisposable {
  context(options?: BrowserContextOptions): Promise<BrowserContext>;
}

/** The same where somebody else closes it. */
export type SharedBrowser = Pick<TestBrowser, 'context'>;

/** Somebody with a browser of their own, who looks at one page. */
export interface Visitor extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complains of at this page. */
  readonly complaints: readonly string[];
}

/** Tests that share one connection to the browser; where none can start they are skipped, and say why. */
export function describeInChromium(name: string, tests: (browser: SharedBrowser) => void): void {
  const why = noBrowser();
  describe.skipIf(why)(`${name} in Chromium${why ? ` (skipped: ${why})` : ''}`, () => {
    let opened: TestBrowser | undefined;
    beforeAll(async () => {
      opened = await openBrowser();
    }, 60_000);
    afterAll(() => opened?.[Symbol.asyncDispose]());
    tests({
      async context(options) {
        if (opened === undefined)
          throw new Error('the browser opens before the first test, not while tests are listed');
        return opened.context(options);
      },
    });
  });
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

export async function visit(browser: SharedBrowser, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.context(options);
  const page = await context.newPage();
  return { context, page, complaints: complaintsOf(page), [Symbol.asyncDispose]: () => context.close() };
}

/** By the link of a person, to the overview. */
export async function signInBy(page: Page, url: string, { token }: { readonly token: string }): Promise<void> {
  await page.goto(`${url}/sign-in#${token}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}
