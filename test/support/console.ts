import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { Role } from '../../permissions/catalog.ts';
import { type TestBrowser, type Visitor, visit } from './browser.ts';
import type { Company } from './company.ts';
import type { Door } from './door.ts';

/** Somebody who sits at the console. */
export interface Person extends Visitor {
  /** How often they pressed. */
  presses(): number;
  press(what: Locator): Promise<void>;
}

/** As somebody new of this role. */
export async function signedIn(
  browser: TestBrowser,
  door: Pick<Door, 'url' | 'signInToken'>,
  role: Role = 'admin',
  options: BrowserContextOptions = {},
): Promise<Person> {
  return signedInBy(browser, door.url, { token: await door.signInToken(role) }, options);
}

export async function signedInBy(
  browser: TestBrowser,
  url: string,
  link: { readonly token: string },
  options: BrowserContextOptions = {},
): Promise<Person> {
  const visitor = await visit(browser, options);
  await signInBy(visitor.page, url, link);
  let count = 0;
  return {
    ...visitor,
    presses: () => count,
    async press(what) {
      count += 1;
      await what.click();
    },
  };
}

/** By the link of a person, to the overview. */
export async function signInBy(page: Page, url: string, { token }: { readonly token: string }): Promise<void> {
  await page.goto(`${url}/sign-in#${token}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}

const DESK: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };

/**
 * Browsers at one company in which somebody of it has signed in already. Once each: a sign-in is a row of the log, of which open
 * pages hear.
 */
export function seatsAt(browser: TestBrowser, company: () => Company) {
  const sessions = new Map<string, Promise<NonNullable<BrowserContextOptions['storageState']>>>();
  async function signInOnce(name: string) {
    await using visitor = await visit(browser);
    await signInBy(visitor.page, company().url, await company().world.app.access.signInToken(name));
    return await visitor.context.storageState();
  }
  return async (options: BrowserContextOptions = {}, name = 'ada'): Promise<Visitor> => {
    const session = sessions.get(name) ?? signInOnce(name);
    sessions.set(name, session);
    return visit(browser, { ...DESK, storageState: await session, ...options });
  };
}
