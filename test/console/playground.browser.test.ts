import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInChromium, visit } from '../support/browser.ts';
import { signedIn } from '../support/console.ts';
import { openDoor } from '../support/door.ts';
import { checkPage } from '../support/page-checks.ts';

const MARKUP = '<img src=x onerror="document.title=1">';
const HOSTILE = `${MARKUP}\u202Egpj`;

describeInChromium('playground and settings', (browser) => {
  const talk = (page: Page) => page.getByRole('list', { name: 'Messages' });
  const trace = (page: Page) => page.getByRole('region', { name: 'Trace' });

  it('tries a request as a bot with nothing written, in three presses at most [W7]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door);
    const { page, press, presses, complaints } = person;
    await press(page.getByRole('link', { name: 'Playground' }));
    await page.getByRole('combobox', { name: /^Bot/ }).selectOption('demo');
    await press(page.getByRole('button', { name: 'Move OPP-456 to Closed Won' }));
    await talk(page).getByText('It would wait for a person').waitFor();
    expect(presses() + 1).toBeLessThanOrEqual(3);
    await trace(page).getByText('dry run', { exact: true }).waitFor();
    await trace(page).getByText('UpdateOpportunity is confirmed by a person.', { exact: true }).waitFor();
    await trace(page)
      .getByText(/Policy: asks, revision 1 · .* Salesforce call/)
      .waitFor();
    await page.getByText('demo model').first().waitFor();
    await checkPage(page, 'the playground');
    expect(await door.world.app.store.proposals.list({ limit: 5 })).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('shows what a record or a person wrote as text, also what would reorder it [A7] [W7]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door);
    const { page, complaints } = person;
    await page.goto(`${door.url}/playground?bot=demo`);
    await page.getByLabel('Your message').fill(MARKUP);
    await page.getByRole('button', { name: 'Send' }).click();
    await talk(page).getByText('<img src=x').first().waitFor();
    expect(await talk(page).locator('img').count()).toBe(0);
    await page.getByText('Run one action by hand').click();
    await page.getByRole('combobox', { name: /^Action/ }).selectOption('GetAccount');
    await page.getByRole('textbox', { name: /^name/ }).fill(HOSTILE);
    await page.getByRole('button', { name: 'Run it' }).click();
    await trace(page).getByText('refused', { exact: true }).waitFor();
    expect(await trace(page).textContent()).toContain('[U+202E]');
    expect(await trace(page).locator('img').count()).toBe(0);
    await checkPage(page, 'the playground with a form');
    expect(complaints).toEqual([]);
  });

  it('says live where it is live, and sends what asks to the approvals [W7]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}/playground?bot=demo&mode=live`);
    await page.getByText('Live: what policy lets run is written.').waitFor();
    await page.getByRole('button', { name: 'Move OPP-456 to Closed Won' }).click();
    await page.getByRole('link', { name: 'Decide it' }).waitFor();
    const [proposal] = await door.world.app.store.proposals.list({ limit: 1 });
    expect(await page.getByRole('link', { name: 'Decide it' }).getAttribute('href')).toBe(`/approvals/${proposal?.id}`);
  });

  it('makes an operator, shows the key once, changes the role and removes them, whose open page ends [U3] [W1]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door);
    const { page, complaints } = person;
    await page.getByText('admin-1').first().click();
    await page.getByRole('link', { name: 'Settings and operators' }).click();
    await page.getByText('SQLite files in the data folder').first().waitFor();
    await checkPage(page, 'settings');
    await page.getByRole('link', { name: 'Operators and their keys' }).click();
    await page.getByLabel('Name').fill('bo');
    await page.getByRole('button', { name: 'Make, and show the key once' }).click();
    await page.getByText(/^gho_/).waitFor();
    await checkPage(page, 'operators');
    const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'bo' }) });
    await card.getByRole('button', { name: 'Sign-in link' }).click();
    const link = await page.getByText(/sign-in#/).textContent();
    await using bo = await visit(browser);
    const other = bo.page;
    await other.goto(`${door.url}${link?.slice(link.indexOf('/sign-in'))}`);
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.getByRole('heading', { name: 'Overview' }).waitFor();
    await card.getByRole('button', { name: 'Make viewer…' }).click();
    await page.getByRole('button', { name: 'Make viewer', exact: true }).click();
    await page.getByText('bo is now viewer.').first().waitFor();
    await card.getByRole('button', { name: 'Remove…' }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('bo is removed').waitFor();
    await other.goto(`${door.url}/bots`);
    expect(new URL(other.url()).pathname).toBe('/sign-in');
    await other.context().close();
    expect(complaints).toEqual([]);
  });

  it('asks an admin whose sign-in is old to sign in once more, on the page, and then does what was typed [C3] [W10]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}/settings/operators`);
    await page.getByRole('textbox', { name: 'Name' }).fill('ann');
    door.world.clock.advance(16 * 60_000);
    await page.getByRole('button', { name: 'Make, and show the key once' }).click();
    await page.getByText('Sign in once more to change operators.').waitFor();
    await checkPage(page);
    const { access } = door.world.app;
    await page.getByRole('textbox', { name: 'Sign-in link or token' }).fill('nothing');
    await page.getByRole('button', { name: 'Sign in and go on' }).click();
    await page.getByText('This sign-in link was used already').waitFor();
    const { token } = await access.signInToken('admin-1');
    await page.getByRole('textbox', { name: 'Sign-in link or token' }).fill(`${door.url}/sign-in#${token}`);
    await page.keyboard.press('Enter');
    await page.getByText('ann is now approver. The key, shown this once:').waitFor();
    expect((await door.world.app.store.operators.get('ann'))?.role).toBe('approver');
    await page.goto(`${door.url}/settings`);
    await page.getByRole('link', { name: 'Notices and their webhook' }).click();
    await page.getByRole('heading', { level: 1, name: 'Notices' }).waitFor();
  });

  it('tells a viewer why they cannot, instead of hiding it [W8]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door, 'viewer');
    const { page } = person;
    for (const [path, needs] of [
      ['/playground', 'USE_PLAYGROUND'],
      ['/settings/operators', 'MANAGE_OPERATORS'],
    ]) {
      await page.goto(`${door.url}${path}`);
      await page.getByText(`Your role is viewer: this needs ${needs}`).waitFor();
    }
  });

  it('opens the chat page from the page of the bot, and leads there [W2]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}/bots/demo`);
    const card = page.getByRole('region', { name: 'Chat page' });
    await card.getByRole('button', { name: 'Open it' }).click();
    await card.getByRole('link', { name: '/chat/demo' }).waitFor();
    await checkPage(page, 'the bot');
    await card.getByRole('link', { name: '/chat/demo' }).click();
    await page.getByRole('heading', { name: 'Chat with demo' }).waitFor();
  });
});
