import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** What holds for every page of the console, looked at in four forms. */

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const FORMS = [
  { colorScheme: 'light', size: { width: 1280, height: 800 } },
  { colorScheme: 'dark', size: { width: 1280, height: 800 } },
  { colorScheme: 'light', size: { width: 390, height: 844 } },
  { colorScheme: 'dark', size: { width: 390, height: 844 } },
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
  for (const { colorScheme, size } of FORMS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(size);
    const where = `${name} ${colorScheme} ${size.width}`;
    expect(await findingsOf(page), where).toEqual([]);
    expect(await page.locator('h1').count(), where).toBe(1);
    expect(await page.title(), where).toMatch(/\S · Gatehouse$/);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), where).toBeLessThanOrEqual(0);
  }
  if (wide !== null) await page.setViewportSize(wide);
}

/** By the debugger, so that the page's own Content-Security-Policy stays as it is. */
async function findingsOf(page: Page): Promise<unknown> {
  const session = await page.context().newCDPSession(page);
  try {
    await session.send('Runtime.evaluate', { expression: axe.source });
    const { result } = await session.send('Runtime.evaluate', {
      expression: `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) =>
        JSON.stringify(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => [html.slice(0, 200), failureSummary]) }))))`,
      awaitPromise: true,
      returnByValue: true,
    });
    return JSON.parse(String(result.value));
  } finally {
    await session.detach();
  }
}
