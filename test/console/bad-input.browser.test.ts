import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium } from '../support/browser.ts';
import { signedIn } from '../support/console.ts';
import { type Door, openDoor } from '../support/door.ts';

/** What comes in wrong from outside of a page: it is told in words, nothing that was typed is lost, nothing is done twice. */
describeInChromium('bad input to the console', (browser) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor();
  }, 60_000);
  afterAll(() => door?.[Symbol.asyncDispose]());

  it('a policy of two megabytes is refused in words, stays in the editor, and changes nothing [W2] [W10]', async () => {
    await using person = await signedIn(browser, door);
    const { page } = person;
    const before = await door.world.app.store.bots.get('demo');
    await page.goto(`${door.url}/bots/demo/policy?view=json`);
    const text = page.getByRole('textbox', { name: /policy/i });
    await text.waitFor();
    const policy = JSON.parse(await text.inputValue());
    const huge = JSON.stringify({
      ...policy,
      objects: { ...policy.objects, Account: { denyFields: ['x'.repeat(2_000_000)] } },
    });
    await text.fill(huge);
    await page.getByRole('button', { name: 'Check', exact: true }).click();
    const told = page.getByRole('alert').first();
    await told.waitFor();
    expect(await told.innerText()).toMatch(/large|long|big|size|MB|kB|characters/i);
    expect((await text.inputValue()).length).toBe(huge.length);
    expect((await door.world.app.store.bots.get('demo'))?.policy).toEqual(before?.policy);
  });

  it('a bot that somebody else deletes under an open page is told as gone at the next press [W10]', {
    timeout: 180_000,
  }, async () => {
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}/bots/new`);
    await page.getByLabel('Name').fill('brief');
    await page.getByRole('button', { name: 'Make the bot' }).click();
    await page.getByText('brief is there').first().waitFor();
    await page.goto(`${door.url}/bots/brief`);
    await page.getByRole('heading', { name: 'What it may do' }).waitFor();
    await using other = await signedIn(browser, door);
    await other.page.goto(`${door.url}/bots/brief`);
    await other.page.getByRole('button', { name: 'Delete…' }).click();
    await other.page.getByLabel('Type its name to go on').fill('brief');
    await other.page.getByRole('button', { name: 'Delete it' }).click();
    await other.page.getByText('brief is deleted.').waitFor();
    await page.getByRole('button', { name: 'New agent key' }).click();
    await page.getByRole('alert').getByText('brief').first().waitFor();
  });
});
