import type { Locator, Page } from 'playwright-core';
import type { Role } from '../../permissions/catalog.ts';
import type { TestBrowser } from './browser.ts';
import type { Door } from './door.ts';
import { complaintsOf } from './page-checks.ts';

/** Somebody who sits at the console, in a browser of their own. */
export interface Person extends AsyncDisposable {
  readonly page: Page;
  readonly complaints: readonly string[];
  /** How often they pressed. */
  presses(): number;
  press(what: Locator): Promise<void>;
}

export async function signedIn(browser: TestBrowser, door: Door, role: Role = 'admin'): Promise<Person> {
  const context = await browser.context();
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(`${door.url}/sign-in#${await door.signInToken(role)}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  let count = 0;
  return {
    page,
    complaints,
    presses: () => count,
    async press(what) {
      count += 1;
      await what.click();
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}
