import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** What holds for every page of the console, looked at in four forms. */

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
export const FORMS = [
  { name: 'desktop, light', colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  { name: 'desktop, dark', colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  { name: 'phone, light', colorScheme: 'light', viewport: { width: 390, height: 844 } },
  { name: 'phone, dark', colorScheme: 'dark', viewport: { width: 390, height: 844 } },
] as const;

/** What the browser complains of: errors of scripts, and what the Content-Security-Policy stopped. */
export function complaintsOf(page: Page): readonly string[] {
  const said: string[] = [];
  page.on('console', (message) => message.type() === 'error' && said.push(message.text()));
  page.on('pageerror', (error) => said.push(String(error)));
  return said;
}

/** One heading, a title of its own, nothing that axe finds, no sideways scroll: light and dark, desktop and phone. */
export async function checkPage(page: Page, name = page.url()): Promise<void> {
  const wide = page.viewportSize();
  for (const { name: form, colorScheme, viewport } of FORMS) {
    // Colours on their way from one scheme to the other are nobody's.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(viewport);
    const where = `${name} ${form}`;
    expect(await findingsOf(page), where).toEqual([]);
    expect(await page.locator('h1').count(), where).toBe(1);
    expect(await page.title(), where).toMatch(/\S · Gatehouse$/);
    expect(await sideways(page), where).toBeLessThanOrEqual(0);
  }
  if (wide !== null) await page.setViewportSize(wide);
}

/** How far the page could be scrolled sideways, px. */
export const sideways = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** What axe finds, a line each. By the debugger, so that the page's own Content-Security-Policy stays as it is. */
export async function findingsOf(page: Page): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page);
  try {
    await session.send('Runtime.evaluate', { expression: axe.source });
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression: `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) => JSON.stringify(
        violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => [id, html.slice(0, 200), failureSummary].join(': ')))))`,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? 'axe failed');
    return JSON.parse(String(result.value));
  } finally {
    await session.detach();
  }
}
