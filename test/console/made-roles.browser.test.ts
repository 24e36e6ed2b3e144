import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressesOfConsole } from '../support/addresses.ts';
import { noBrowser, openBrowser, type TestBrowser } from '../support/browser.ts';
import { openCompany } from '../support/company.ts';
import { signedIn } from '../support/console.ts';
import { openDoor } from '../support/door.ts';
import { checkPage, drawn } from '../support/page-checks.ts';

const why = noBrowser();

/** Roles that an installation makes itself: by the page, and what their holders meet. */
describe.skipIf(why)(`made roles in Chromium${why ? ` (skipped: ${why})` : ''}`, () => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await openBrowser();
  }, 60_000);
  afterAll(() => browser?.[Symbol.asyncDispose]());

  it('are made for some bots, changed, given and removed on one page [P4] [W10]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door);
    const { page, complaints } = person;
    await page.goto(`${door.url}/settings/operators`);
    const make = page.getByRole('region', { name: 'Make a role' });
    await make.getByRole('textbox', { name: 'What it is called' }).fill('connector');
    await make.getByRole('radio', { name: 'these alone' }).check();
    expect(await make.getByRole('checkbox', { name: /MANAGE_OPERATORS/ }).count()).toBe(0);
    await make.getByRole('checkbox', { name: 'demo' }).check();
    await make.getByRole('checkbox', { name: /CREATE_OAUTH/ }).check();
    await make.getByRole('button', { name: 'Make the role' }).click();
    await page.getByText('The role connector is saved.').waitFor();
    const roles = page.getByRole('region', { name: 'Roles', exact: true });
    await roles.getByText('connect a bot to its org; for demo alone').waitFor();
    await checkPage(page, 'operators and roles');

    await page.getByRole('button', { name: 'Change connector…' }).click();
    const change = page.getByRole('region', { name: 'Change connector' });
    await change.getByRole('checkbox', { name: /READ_INTEGRATIONS/ }).check();
    await change.getByRole('button', { name: 'Save the role' }).click();
    await roles.getByText('connect a bot to its org, look at bots and connections; for demo alone').waitFor();
    expect(await door.world.app.store.roles.get('connector')).toEqual({
      name: 'connector',
      permissions: ['CREATE_OAUTH', 'READ_INTEGRATIONS'],
      bots: ['demo'],
    });

    const operator = page.getByRole('region', { name: 'Make an operator' });
    await operator.getByRole('textbox', { name: 'Name' }).fill('kim');
    await operator.getByRole('combobox', { name: 'Role' }).selectOption('connector');
    await operator.getByRole('button', { name: 'Make, and show the key once' }).click();
    await page.getByText('kim is now connector.').waitFor();
    expect((await door.world.app.store.operators.get('kim'))?.bots).toEqual(['demo']);
    await roles.getByText('1 operator', { exact: true }).nth(1).waitFor();
    expect(await page.getByRole('button', { name: 'Remove connector…' }).count()).toBe(0);

    await door.world.app.store.operators.setRole('kim', 'viewer');
    await page.reload();
    await page.getByRole('button', { name: 'Remove connector…' }).click();
    await page.getByRole('button', { name: 'Remove it' }).click();
    await page.getByText('The role connector is removed.').waitFor();
    expect(await door.world.app.store.roles.list()).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it.each([
    {
      name: 'all that is of one bot',
      permissions: ['CREATE_OAUTH', 'READ_INTEGRATIONS', 'READ_LOGS', 'DECIDE_PROPOSALS', 'MANAGE_POLICY'],
    },
    { name: 'connecting', permissions: ['CREATE_OAUTH', 'READ_INTEGRATIONS'] },
    { name: 'connecting, and no sight', permissions: ['CREATE_OAUTH'] },
  ] as const)(
    'meet no refusal and no other bot on any page: $name [P4] [W10]',
    { timeout: 600_000 },
    async ({ permissions }) => {
      await using company = await openCompany();
      const { app } = company.world;
      await app.store.roles.put({ name: 'some', permissions, bots: ['demo'] }, 1);
      await app.access.createOperator('kim', 'some');
      const context = await browser.context();
      try {
        const page = await context.newPage();
        await page.goto(`${company.url}/sign-in#${(await app.access.signInToken('kim')).token}`);
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByRole('heading', { name: /^(Overview|Not yours to see)$/ }).waitFor();
        const refused: string[] = [];
        let where = '';
        page.on('response', (answer) => {
          if (answer.status() === 403) refused.push(`${where}: ${new URL(answer.url()).pathname}`);
        });
        for (const { name, at } of await addressesOfConsole()) {
          const address = at(company.of);
          // Another bot's page is linked from none of theirs; a proposal's own page is the server's.
          if (
            /^\/(nothing-here|sign-in)|shop/.test(name + address) ||
            (address.startsWith('/approvals/') && permissions.length < 5)
          )
            continue;
          where = name;
          await page.goto(`${company.url}${address}`);
          await drawn(page);
          const text = await page.locator('body').innerText();
          expect.soft(text, where).not.toMatch(/\bshop\b(?!\.example)/);
        }
        expect(refused).toEqual([]);
      } finally {
        await context.close();
      }
    },
  );
});
