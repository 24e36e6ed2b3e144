import type { BrowserContext, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Company } from '../../support/company.ts';
import { complaintsOf, drawn } from '../../support/page-checks.ts';

/** Whoever has no mouse: Tab leads to everything, arrows choose, and Enter or Space is a press. Typing is none. */
export interface Hands {
  readonly page: Page;
  press(what: Locator): Promise<void>;
  type(what: Locator, text: string): Promise<void>;
  /** In a group of radio buttons. */
  choose(what: Locator): Promise<void>;
  /** A box to tick. */
  tick(what: Locator): Promise<void>;
  /** A list that opens, to one of its values. */
  turn(what: Locator, value: string): Promise<void>;
}

/** What an operator does in the console alone; `In` is the installation it is done in. */
export interface Task<In = Company> {
  readonly name: string;
  /** Presses from the overview, or from the address that `begin` answers. */
  readonly most: number;
  /** What must have happened before, by others. */
  readonly begin?: (at: In) => Promise<string | undefined>;
  walk(hands: Hands): Promise<unknown>;
}

export const link = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).first();
export const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true }).first();
export const said = (page: Page, words: string | RegExp) => page.getByText(words).first().waitFor();

export async function sitDown(context: BrowserContext) {
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  let count = 0;
  const hands: Hands = {
    page,
    async press(what) {
      await tabTo(page, what);
      count += 1;
      await page.keyboard.press('Enter');
    },
    async type(what, text) {
      await tabTo(page, what);
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.insertText(text);
    },
    async choose(what) {
      // Tab stops at the one that is chosen, or at the first where none is; arrows go on from there.
      await what.waitFor();
      const group = page.locator(`input[type=radio][name="${await what.getAttribute('name')}"]`);
      const chosen = group.and(page.locator(':checked'));
      await tabTo(page, (await chosen.count()) === 0 ? group.first() : chosen);
      count += 1;
      if ((await chosen.count()) === 0) await page.keyboard.press('Space');
      for (let n = 0; n < 8 && !(await what.isChecked()); n += 1) await page.keyboard.press('ArrowDown');
      expect(await what.isChecked()).toBe(true);
    },
    async tick(what) {
      await tabTo(page, what);
      count += 1;
      await page.keyboard.press('Space');
    },
    async turn(what, value) {
      await tabTo(page, what);
      for (let n = 0; n < 8 && (await what.inputValue()) !== value; n += 1) await page.keyboard.press('ArrowDown');
      expect(await what.inputValue()).toBe(value);
    },
  };
  return { hands, complaints, presses: () => count };
}

/** As often as it takes, and where it arrives it is seen. */
async function tabTo(page: Page, what: Locator): Promise<void> {
  await what.waitFor();
  await drawn(page);
  const isThere = () => what.evaluate((element) => element === element.ownerDocument.activeElement);
  for (let n = 0; n < 300 && !(await isThere()); n += 1) await page.keyboard.press('Tab');
  expect(await isThere(), `Tab never came to ${what}`).toBe(true);
  const outline = await page.evaluate(OUTLINE);
  expect(outline, `nobody sees that ${what} has the focus`).toBeGreaterThanOrEqual(2);
}

/** In the browser: how wide the outline of what has the focus is, or of the card or choice around it, px. */
const OUTLINE = `Math.max(...[document.activeElement, document.activeElement.closest('.choice, .card.link') ?? document.activeElement]
  .map((one) => getComputedStyle(one).outlineStyle === 'none' ? 0 : parseFloat(getComputedStyle(one).outlineWidth)))`;
