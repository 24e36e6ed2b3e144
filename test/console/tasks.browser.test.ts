import type { BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser, openBrowser, signInBy, type TestBrowser } from '../support/browser.ts';
import { type Company, openCompany } from '../support/company.ts';
import { complaintsOf, drawn } from '../support/page-checks.ts';

const why = noBrowser();

/** Whoever has no mouse: Tab leads to everything, arrows choose, and Enter or Space is a press. Typing is none. */
interface Hands {
  readonly page: Page;
  press(what: Locator): Promise<void>;
  type(what: Locator, text: string): Promise<void>;
  /** In a group of radio buttons. */
  choose(what: Locator): Promise<void>;
  /** A list that opens, to one of its values. */
  turn(what: Locator, value: string): Promise<void>;
}

interface Task {
  readonly name: string;
  /** Presses from the overview. */
  readonly most: number;
  walk(hands: Hands): Promise<unknown>;
}

const link = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).first();
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true }).first();
const said = (page: Page, words: string | RegExp) => page.getByText(words).first().waitFor();

/** In this order, on one company: what a later one needs, an earlier one leaves. */
const TASKS: readonly Task[] = [
  {
    name: 'make a bot',
    most: 2,
    async walk({ page, press, type }) {
      await press(link(page, 'New bot'));
      await type(page.getByLabel('Name'), 'desk');
      await press(button(page, 'Make the bot'));
      await said(page, 'desk is there');
    },
  },
  {
    name: 'disconnect an org',
    most: 3,
    async walk({ page, press }) {
      await press(link(page, 'desk'));
      await press(button(page, 'Disconnect…'));
      await press(page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }));
      await said(page, /^Disconnected/);
    },
  },
  {
    name: 'connect an org',
    most: 3,
    async walk({ page, press }) {
      await press(link(page, 'desk'));
      await press(link(page, 'Connect'));
      await press(button(page, 'Connect the simulated org'));
      await said(page, 'Connected.');
    },
  },
  {
    name: 'test a connection',
    most: 2,
    async walk({ page, press }) {
      await press(link(page, 'desk'));
      await press(button(page, 'Test'));
      await said(page, 'The connection works');
    },
  },
  {
    name: 'open the chat page of a bot',
    most: 2,
    async walk({ page, press }) {
      await press(link(page, 'desk'));
      await press(button(page, 'Open it'));
      await said(page, 'The chat page is open.');
    },
  },
  {
    name: 'delete a bot',
    most: 3,
    async walk({ page, press, type }) {
      await press(link(page, 'desk'));
      await press(button(page, 'Delete…'));
      await type(page.getByLabel('Type its name to go on'), 'desk');
      await press(button(page, 'Delete it'));
      await said(page, 'desk is deleted.');
    },
  },
  {
    name: 'find why a call was refused, and come to the cell that allows it',
    most: 4,
    async walk({ page, press }) {
      await press(page.getByRole('link', { name: 'Not granted, or denied by policy' }).first());
      await press(page.getByRole('table', { name: 'Log' }).getByRole('link', { name: 'CreateLead' }).first());
      await press(link(page, 'Permission of this action'));
      await page.waitForURL(/action=CreateLead/);
    },
  },
  {
    name: 'grant an action that asks above an amount',
    most: 5,
    async walk({ page, press, choose, type }) {
      await press(link(page, 'Permissions'));
      await press(page.getByRole('button', { name: 'UpdateOpportunity for demo' }));
      await choose(page.getByRole('radio', { name: /^Runs/ }));
      await press(button(page, 'Add a threshold'));
      await type(page.getByRole('spinbutton', { name: 'Amount changes by more than' }), '70000');
      await press(button(page, /^Save as revision/));
      await said(page, /UpdateOpportunity of demo: saved as revision/);
    },
  },
  {
    name: 'stop one action',
    most: 4,
    async walk({ page, press }) {
      await press(link(page, 'Permissions'));
      await press(page.getByRole('button', { name: 'GetAccount for demo' }));
      await press(button(page, 'Switch off now'));
      await said(page, 'GetAccount of demo is off from the next call on.');
      await button(page, 'Switch on again').click();
      await said(page, 'GetAccount of demo is on again.');
    },
  },
  {
    name: 'map a field from a suggestion',
    most: 5,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      await press(link(page, 'Mapping'));
      await press(button(page, 'Suggest'));
      await page.getByRole('region', { name: 'Suggestions' }).waitFor();
      await press(button(page, /^Save as version/));
      await said(page, /Saved as version/);
    },
  },
  {
    name: 'see why a record failed',
    most: 3,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      await press(link(page, 'Show'));
      await press(page.getByRole('link', { name: 'Person nameless-1' }).first());
      await said(page, 'LastName');
    },
  },
  {
    name: 'find the ones that failed, and try them again',
    most: 2,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      await press(button(page, 'Retry 3'));
      await said(page, '3 are tried again now.');
    },
  },
  {
    name: 'restore a value that lost a conflict',
    most: 5,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      await press(link(page, 'Conflicts'));
      await press(page.getByRole('link', { name: 'Open the entry of ana' }).first());
      await press(button(page, 'Restore…'));
      await press(button(page, 'Yes, put it back'));
      await said(page, 'Put back.');
    },
  },
  {
    name: 'undo a write',
    most: 4,
    async walk({ page, press }) {
      await press(link(page, 'Log'));
      const row = page.getByRole('table', { name: 'Log' }).getByRole('row');
      await press(
        row.filter({ hasText: 'UpdateOpportunity' }).filter({ hasText: 'Done' }).first().getByRole('link', {
          name: 'UpdateOpportunity',
        }),
      );
      await press(button(page, 'Undo…'));
      await press(button(page, 'Ask'));
      await said(page, 'Asked. It waits for an approver like any other write.');
    },
  },
  {
    name: 'try a request as a bot, nothing written',
    most: 3,
    async walk({ page, press }) {
      await press(link(page, 'Playground'));
      await press(button(page, 'Move OPP-456 to Closed Won'));
      await said(page, 'dry run');
    },
  },
  {
    name: 'start a batch of everything, hold it, let it go on, and end it',
    most: 8,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      await press(page.getByRole('table', { name: 'Sync by bot' }).getByRole('link', { name: 'demo' }).first());
      await press(button(page, 'Sync everything…'));
      await press(button(page, 'Start'));
      await press(button(page, 'Pause'));
      await press(button(page, 'Resume'));
      await press(button(page, 'Cancel…'));
      await press(page.getByRole('dialog').getByRole('button').first());
      await page.getByRole('region', { name: 'Batches' }).getByText('Cancelled', { exact: true }).first().waitFor();
    },
  },
  {
    name: 'make the token by which a Flow calls',
    most: 4,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      await press(page.getByRole('table', { name: 'Sync by bot' }).getByRole('link', { name: 'demo' }).first());
      await press(link(page, 'Events'));
      await press(button(page, 'Make a token'));
      await said(page, 'The new token, shown this once:');
    },
  },
  {
    name: 'make an operator',
    most: 4,
    async walk({ page, press, type }) {
      await press(page.locator('details.who > summary'));
      await press(link(page, 'Settings and operators'));
      await press(
        page
          .getByRole('main')
          .getByRole('link', { name: /perators/ })
          .first(),
      );
      await type(page.getByLabel('Name'), 'cy');
      await press(button(page, 'Make, and show the key once'));
      await said(page, 'cy is now approver.');
    },
  },
  {
    name: 'change the mode of a bot',
    most: 2,
    async walk({ page, press, turn }) {
      await press(link(page, 'demo'));
      await turn(page.getByLabel('Mode'), 'ask');
      await press(button(page, 'Set the mode'));
      await said(page, 'demo is in the mode ask');
    },
  },
  {
    name: 'stop a whole bot',
    most: 3,
    async walk({ page, press }) {
      await press(link(page, 'demo'));
      await press(button(page, 'Stop the bot'));
      await press(button(page, 'Stop it'));
      await said(page, 'This bot is stopped.');
    },
  },
];

describe.skipIf(why)(`the tasks of an operator by keyboard in Chromium${why ? ` (skipped: ${why})` : ''}`, () => {
  let browser: TestBrowser;
  let company: Company;
  let state: Extract<BrowserContextOptions['storageState'], object>;

  beforeAll(async () => {
    [browser, company] = await Promise.all([openBrowser(), openCompany()]);
    const context = await browser.context();
    await signInBy(await context.newPage(), company.url, await company.world.app.access.signInToken('ada'));
    state = await context.storageState();
    await context.close();
  }, 120_000);
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await company?.[Symbol.asyncDispose]();
  });

  it.each(TASKS)('$name, with at most $most presses [W10]', { timeout: 180_000 }, async ({ most, walk }) => {
    const context = await browser.context({ storageState: state, viewport: { width: 1280, height: 800 } });
    try {
      const { hands, complaints, presses } = await sitDown(context);
      await hands.page.goto(company.url);
      await drawn(hands.page);
      await walk(hands);
      expect(presses()).toBeLessThanOrEqual(most);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
    }
  });
});

async function sitDown(context: BrowserContext) {
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
      await page.keyboard.insertText(text);
    },
    async choose(what) {
      // Tab stops at the one that is chosen; arrows go on from there.
      const name = await what.getAttribute('name');
      await tabTo(page, page.locator(`input[type=radio][name="${name}"]:checked`));
      count += 1;
      for (let n = 0; n < 8 && !(await what.isChecked()); n += 1) await page.keyboard.press('ArrowDown');
      expect(await what.isChecked()).toBe(true);
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
