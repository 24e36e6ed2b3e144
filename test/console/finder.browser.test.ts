import { expect, it } from 'vitest';
import { describeInChromium } from '../support/browser.ts';
import { signedIn } from '../support/console.ts';
import { type Door, openDoor, proposeMove } from '../support/door.ts';
import { checkPage, drawn } from '../support/page-checks.ts';

describeInChromium('the search', (browser) => {
  const open = () => openDoor({}, async ({ app }) => ({ routes: (await app.sync()).routes }));
  const person = (door: Door, id: string, json: object) =>
    door.ask('PUT', `/api/parties/${id}`, { key: door.keys.host, json });

  it('finds a record by keyboard alone and leaves what was typed on the page as it was [W10]', async () => {
    await using door = await open();
    const { recordId } = await proposeMove(door.world);
    await using reader = await signedIn(browser, door);
    const { page } = reader;
    page.setDefaultTimeout(15_000);
    await page.goto(`${door.url}/bots/demo/policy?view=json`);
    const box = page.getByLabel('The policy as JSON');
    await box.fill('half a pol/icy?');
    await page.getByRole('link', { name: 'JSON' }).focus();
    await page.keyboard.press('/');
    const field = page.getByRole('dialog').getByRole('textbox');
    await field.waitFor();
    expect(await page.evaluate('document.activeElement.name')).toBe('find');
    await page.keyboard.type('operators');
    await page.getByRole('link', { name: 'Operators and their keys' }).waitFor();
    await field.fill(recordId);
    await page.keyboard.press('Enter');
    await page.getByText('2 found.').waitFor();
    await page.keyboard.press('Escape');
    expect(await box.inputValue()).toBe('half a pol/icy?');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('JSON');
    await page.keyboard.press('/');
    await field.fill(recordId);
    await page.keyboard.press('Enter');
    await page.getByText('2 found.').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${door.url}/log?record=${recordId}`);
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(reader.complaints).toEqual([]);
  });

  it('says its keys, and lets them be switched off, so that a letter is a letter [W10]', async () => {
    await using door = await open();
    await using reader = await signedIn(browser, door, 'viewer');
    const { page } = reader;
    page.setDefaultTimeout(15_000);
    await drawn(page);
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    await checkPage(page);
    await page.getByRole('checkbox', { name: /Keys of one letter/ }).uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').count()).toBe(0);
    // There is another way, for who switched them off.
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByRole('button', { name: 'Keys' }).click();
    await page.getByRole('checkbox', { name: /Keys of one letter/ }).check();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('/');
    await page.getByRole('dialog').getByRole('textbox').waitFor();
  });

  it('shows a hostile record as text, in four forms, and to a viewer no value of it [W10] [A7]', async () => {
    const hostile = '<img src=x onerror=alert(1)>\u202E';
    await using door = await open();
    await person(door, 'crm-7', { email: 'ana@x.example', name: hostile });
    await using reader = await signedIn(browser, door);
    const { page, press } = reader;
    await press(page.getByRole('button', { name: 'Find' }));
    await page.getByRole('dialog').getByRole('textbox').fill('ana@x.example');
    await press(page.getByRole('dialog').getByRole('button', { name: 'Find', exact: true }));
    await page.getByText('<img src=x onerror=alert(1)>[U+202E]').waitFor();
    await checkPage(page);
    await press(page.getByRole('list', { name: 'Found' }).getByRole('link'));
    await page.waitForURL(`${door.url}/bots/demo/sync/links/party/crm-7`);
    expect(reader.presses()).toBe(3);
    await using viewer = await signedIn(browser, door, 'viewer');
    await viewer.page.keyboard.press('/');
    await viewer.page.getByRole('dialog').getByRole('textbox').fill('crm-7');
    await viewer.page.keyboard.press('Enter');
    await viewer.page.getByRole('link', { name: 'Person crm-7' }).waitFor();
    expect(await viewer.page.getByRole('dialog').innerText()).not.toContain('img src');
    expect([...reader.complaints, ...viewer.complaints]).toEqual([]);
  });
});
