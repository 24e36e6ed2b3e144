import type { BrowserContextOptions, Locator } from 'playwright-core';
import { type SharedBrowser, signInBy, type Visitor, visit } from './browser.ts';
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
  browser: SharedBrowser,
  door: Pick<Door, 'url' | 'signInToken'>,
  role: string = 'admin',
  options: BrowserContextOptions = {},
): Promise<Person> {
  return signedInBy(browser, door.url, { token: await door.signInToken(role) }, options);
}

export async function signedInBy(
  browser: SharedBrowser,
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

const DESK: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };

/**
 * Browsers at one company in which somebody of it has signed in already. Once each: a sign-in is a row of the log, of which open
 * pages hear.
 */
export function seatsAt(browser: SharedBrowser, company: () => Company) {
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
