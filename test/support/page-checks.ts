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

/** What the browser complains of: errors of scripts, what the Content-Security-Policy stopped, and dialogs that a script opened. */
export function complaintsOf(page: Page): readonly string[] {
  const said: string[] = [];
  page.on('dialog', (dialog) => {
    said.push(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  page.on('console', (message) => message.type() === 'error' && said.push(message.text()));
  page.on('pageerror', (error) => said.push(String(error)));
  return said;
}

/** Until the page has drawn all that it asked for; what it listens to for good is no answer it waits for. */
export async function drawn(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await expect.poll(() => page.evaluate(DRAWN), { timeout: 40_000, interval: 60 }).toBe(true);
}

/** In the browser: no part of the page waits, and nothing was asked or changed for a moment. */
const DRAWN = `(() => {
  const state = (window.gatehouseDrawn ??= { seen: '', at: 0 });
  const asked = performance.getEntriesByType('resource').length;
  const seen = [location.href, asked, document.querySelectorAll('.waiting, [aria-busy="true"]').length, document.body.innerHTML.length].join();
  if (seen !== state.seen) Object.assign(state, { seen, at: performance.now() });
  return document.querySelector('.waiting, [aria-busy="true"]') === null && performance.now() - state.at > 250;
})()`;

/** One heading, a title of its own, nothing that axe finds, no sideways scroll: light and dark, desktop and phone. */
export async function checkPage(page: Page, name = page.url()): Promise<void> {
  const wide = page.viewportSize();
  for (const { name: form, colorScheme, viewport } of FORMS) {
    // Colours on their way from one scheme to the other are nobody's.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(viewport);
    const where = `${name} ${form}`;
    expect.soft(await findingsOf(page), where).toEqual([]);
    expect.soft(await page.locator('h1').count(), where).toBe(1);
    expect.soft(await page.title(), where).toMatch(/\S · Gatehouse$/);
    expect.soft(await sideways(page), where).toBeLessThanOrEqual(0);
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

/** No sideways scroll where WCAG 1.4.10 and 1.4.4 look: at 320 px, and with the browser set to text twice as large. */
export async function checkReflow(page: Page, name = page.url()): Promise<void> {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 800 });
  expect.soft(await sideways(page), `${name} at 320 px`).toBeLessThanOrEqual(0);
  await page.setViewportSize({ width: 1280, height: 800 });
  const session = await page.context().newCDPSession(page);
  await session.send('Page.setFontSizes', { fontSizes: { standard: 32, fixed: 26 } });
  expect.soft(await sideways(page), `${name} with text of 200 %`).toBeLessThanOrEqual(0);
  await session.send('Page.setFontSizes', { fontSizes: { standard: 16, fixed: 13 } });
  await session.detach();
  if (before !== null) await page.setViewportSize(before);
}

/** By Tab alone through the whole page: everything that can be used is reached once, in the order it is read, and is seen. */
export async function checkKeyboard(page: Page, name = page.url()): Promise<void> {
  await page.evaluate('document.activeElement?.blur?.(); scrollTo(0, 0)');
  const wanted = (await page.evaluate(`(${USABLE})()`)) as readonly string[];
  const met: string[] = [];
  const unseen: string[] = [];
  // A date is some stops in one field.
  for (let presses = 0; presses < 2 * wanted.length + 20; presses += 1) {
    await page.keyboard.press('Tab');
    const [at, isSeen] = (await page.evaluate(`(${FOCUSED})()`)) as [string | null, boolean];
    if (at === met.at(-1)) continue;
    if (at === null || met.includes(at)) break;
    met.push(at);
    if (!isSeen) unseen.push(at);
  }
  expect.soft(met, `${name}: Tab`).toEqual(wanted);
  expect.soft(unseen, `${name}: focus that nobody sees`).toEqual([]);
}

/** What Tab should reach, in the order of the document; one of a group of radio buttons stands for all. */
const USABLE = `() => {
  const within = document.querySelector('dialog[open]') ?? document;
  const all = [...within.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')].filter((e) =>
    !e.disabled && e.tabIndex >= 0 && e.type !== 'hidden' && e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden' &&
    (e.closest('details:not([open])') === null || e.matches('details:not([open]) > summary')) && e.closest('dialog:not([open])') === null);
  const radios = new Map();
  for (const e of all) if (e.type === 'radio') {
    const key = (e.form?.id ?? '') + e.name;
    if (!radios.has(key) || e.checked) radios.set(key, e);
  }
  const kept = all.filter((e) => e.type !== 'radio' || radios.get((e.form?.id ?? '') + e.name) === e);
  const name = (e) => (e.getAttribute('aria-label') ?? e.innerText ?? e.name ?? '').trim().slice(0, 40);
  window.gatehouseNamed = new Map(kept.map((e, n) => [e, [n, e.tagName.toLowerCase(), name(e)].join(' ')]));
  return [...window.gatehouseNamed.values()];
}`;

/** Which of them has the focus, and whether it or what stands around it is outlined. */
const FOCUSED = `() => {
  const e = document.activeElement;
  if (e === null || e === document.body || e === document.documentElement) return [null, true];
  const isOutlined = (of) => { const { outlineStyle, outlineWidth } = getComputedStyle(of); return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2; };
  const around = e.closest('.card.link, .choice');
  return [window.gatehouseNamed.get(e) ?? 'not expected: ' + e.outerHTML.slice(0, 120), isOutlined(e) || (around !== null && isOutlined(around))];
}`;

/** A button that does something when it is pressed. */
export const OPEN_BUTTON = 'button:enabled:not([aria-disabled="true"]):visible';

/**
 * Whoever cannot press or change something is told why by words that are seen: a button and a closed form by what describes it, a field
 * by its own words or a note of the page. A title is none: phones and keyboards have no pointer that rests.
 */
export async function checkTold(page: Page, name = page.url()): Promise<void> {
  expect.soft(await page.evaluate(UNTOLD), `${name}: off without a word why`).toEqual([]);
}

/** In the browser: what is off, and nobody says why. */
const UNTOLD = `(() => {
  const isSeen = (e) => e !== null && e.getClientRects().length > 0 && e.textContent.trim() !== '' && e.closest('.hidden') === null;
  const isTold = (e) => {
    // One of a form that is closed as a whole is told by that.
    const told = e.closest('fieldset:disabled[aria-describedby]') ?? e;
    const words = document.getElementById(told.getAttribute('aria-describedby') ?? '');
    if (words !== null || e.matches('button')) return words !== null && isSeen(words);
    return isSeen(e.closest('label')?.querySelector('small') ?? null) ||
      [...document.querySelectorAll('main .note')].some((one) => isSeen(one) && /which an? [a-z ]+ has/.test(one.textContent));
  };
  return [...document.querySelectorAll('main :is(button, input, select, textarea):is(:disabled, [aria-disabled="true"])')]
    .filter((e) => e.getClientRects().length > 0 && (e.title !== '' || !isTold(e))).map((e) => e.outerHTML.slice(0, 200));
})()`;

/** Each dialog that a page can open: nothing that axe finds, Escape closes it alone, and the focus is where it was. */
export async function checkDialogs(page: Page, name = page.url()): Promise<void> {
  // What asks first says so by its three dots.
  const buttons = page.locator(`main ${OPEN_BUTTON}`).filter({ hasText: /…$/ });
  for (let n = 0; n < (await buttons.count()); n += 1) {
    const button = buttons.nth(n);
    const where = `${name}, ${await button.innerText()}`;
    await button.focus();
    await page.keyboard.press('Enter');
    const dialog = page.locator('dialog[open]');
    await dialog.waitFor();
    expect
      .soft(await page.evaluate('document.querySelector("dialog[open]").contains(document.activeElement)'), where)
      .toBe(true);
    expect.soft(await findingsOf(page), where).toEqual([]);
    await checkTold(page, where);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect.soft(await button.evaluate((element) => element === element.ownerDocument.activeElement), where).toBe(true);
  }
}

/** Landmarks and headings as a screen reader hears them; ids, times and counts are left out. */
export async function outlineOf(page: Page): Promise<string> {
  const tree = await page.locator('body').ariaSnapshot();
  const lines = tree
    .split('\n')
    .filter((line) =>
      /^\s*- \/?(banner|navigation|main|region|contentinfo|complementary|search|form|heading|table|dialog|alert)\b/.test(
        line,
      ),
    );
  return lines.map((line) => line.replace(/:\s*$/, '').replaceAll(/(?<!=)\b\d[\d,]*/g, '#')).join('\n');
}
