import type { BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser, openBrowser, signInBy, type TestBrowser } from '../support/browser.ts';
import { type Company, openCompany } from '../support/company.ts';
import { type Elsewhere, openElsewhere } from '../support/elsewhere.ts';
import { drawn } from '../support/page-checks.ts';
import { BOTS } from './tasks/bots.ts';
import { CALLS } from './tasks/calls.ts';
import { ELSEWHERE } from './tasks/elsewhere.ts';
import { sitDown, type Task } from './tasks/hands.ts';
import { LAST, SYNC } from './tasks/sync.ts';

const why = noBrowser();
const TASKS = [...BOTS, ...CALLS, ...SYNC, ...LAST];

type State = Extract<BrowserContextOptions['storageState'], object>;

/** Signs `ada` in once for all tasks; each has a browser of its own. */
async function stateOf(browser: TestBrowser, url: string, token: { readonly token: string }): Promise<State> {
  const context = await browser.context();
  await signInBy(await context.newPage(), url, token);
  const state = await context.storageState();
  await context.close();
  return state;
}

async function walkIt<In extends { readonly url: string }>(
  { most, begin, walk }: Task<In>,
  { browser, storageState, at }: { readonly browser: TestBrowser; readonly storageState: State; readonly at: In },
): Promise<void> {
  const context = await browser.context({ storageState, viewport: { width: 1280, height: 800 } });
  try {
    const from = (await begin?.(at)) ?? '/';
    const { hands, complaints, presses } = await sitDown(context);
    await hands.page.goto(`${at.url}${from}`);
    await drawn(hands.page);
    await walk(hands);
    expect(presses()).toBeLessThanOrEqual(most);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}

describe.skipIf(why)(`the tasks of an operator by keyboard in Chromium${why ? ` (skipped: ${why})` : ''}`, () => {
  let browser: TestBrowser;
  let at: Company;
  let storageState: State;

  beforeAll(async () => {
    [browser, at] = await Promise.all([openBrowser(), openCompany()]);
    storageState = await stateOf(browser, at.url, await at.world.app.access.signInToken('ada'));
  }, 120_000);
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await at?.[Symbol.asyncDispose]();
  });

  it.each(TASKS)('$name, with at most $most presses [W10]', { timeout: 180_000 }, (task) =>
    walkIt(task, { browser, storageState, at }),
  );
});

describe.skipIf(why)(`an org elsewhere by keyboard in Chromium${why ? ` (skipped: ${why})` : ''}`, () => {
  let browser: TestBrowser;
  let at: Elsewhere;
  let storageState: State;

  beforeAll(async () => {
    [browser, at] = await Promise.all([openBrowser(), openElsewhere()]);
    storageState = await stateOf(browser, at.url, await at.app.access.signInToken('ada'));
  }, 120_000);
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await at?.[Symbol.asyncDispose]();
  });

  it.each(ELSEWHERE)('$name, with at most $most presses [O1] [W10]', { timeout: 180_000 }, (task) =>
    walkIt(task, { browser, storageState, at }),
  );
});

/** What an operator was promised to do in the console alone, with the tasks above that do it. */
const PROMISED: Readonly<Record<string, readonly string[]>> = {
  'connect the simulated org': ['connect the simulated org'],
  'connect a real one': ['connect a real org', 'connect a sandbox'],
  'test / disconnect / reconnect': [
    'test a connection',
    'disconnect an org',
    'sign a bot in again whose login is over',
    'cure "reconnect needed"',
  ],
  'make a bot': ['make a bot'],
  'delete a bot': ['delete a bot'],
  'list / change / remove operators and their keys': [
    'make an operator',
    'see who operates the installation, and by how many keys',
    'change the role of an operator',
    'give an operator a new key',
    'revoke the keys of an operator',
    'remove an operator',
  ],
  'grant and revoke': ['grant an action that asks above an amount', 'take a grant back'],
  'change a policy, mode and kill switch': [
    'change the policy of a bot',
    'change the mode of a bot',
    'stop one action',
    'stop a whole bot',
  ],
  'approve and decline': ['approve from the link of a notice', 'decline what waits, with a reason'],
  'edit then approve': ['correct a value, then approve'],
  'choose a look-alike': ['choose a look-alike'],
  'what happened yesterday': [
    'see what happened yesterday',
    'find why a call was refused, and come to the cell that allows it',
  ],
  'state of the sync': ['see how the sync stands'],
  'why a record failed': ['see why a record failed', 'find the ones that failed, and try them again'],
  'resolve an ambiguous person': ['say who an ambiguous person is'],
  'map a field': ['map a field from a suggestion'],
  'run a batch, pause / resume / cancel it': ['start a batch of everything, hold it, let it go on, and end it'],
  'undo a write': ['undo a write'],
  'restore what lost a conflict': ['restore a value that lost a conflict'],
  'set webhook / outbound address / subscriptions': [
    'set the webhook of the host app',
    'make a new address for outbound messages',
    'make the token by which a Flow calls',
    'tell the host app of a further object',
  ],
  'open the chat page to visitors': ['open the chat page of a bot'],
  'try before it is live': ['try a request as a bot, nothing written'],
};

it('every task that an operator was promised is walked above, and none without a promise [W10]', () => {
  const walked = [...TASKS, ...ELSEWHERE].map(({ name }) => name);
  expect(Object.values(PROMISED).flat().sort()).toEqual([...walked].sort());
});

/** Presses that the twelve tasks of the console were designed for. */
const DESIGNED: readonly (readonly [task: string, presses: number])[] = [
  ['connect a sandbox', 3],
  ['cure "reconnect needed"', 2],
  ['approve from the link of a notice', 1],
  ['correct a value, then approve', 4],
  ['grant an action that asks above an amount', 5],
  ['stop one action', 4],
  ['stop a whole bot', 3],
  ['find why a call was refused, and come to the cell that allows it', 4],
  ['map a field from a suggestion', 5],
  ['find the ones that failed, and try them again', 2],
  ['restore a value that lost a conflict', 5],
  ['undo a write', 4],
  ['try a request as a bot, nothing written', 3],
];

it.each(DESIGNED)('%s: no more than the %i presses that it was designed for [W10]', (name, presses) => {
  const task = [...TASKS, ...ELSEWHERE].find((one) => one.name === name);
  expect(task?.most).toBeLessThanOrEqual(presses);
});
