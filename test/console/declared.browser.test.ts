import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { SAMPLES } from '../../src/console/app/pages/declared-samples.ts';
import { describeInChromium } from '../support/browser.ts';
import { signedIn } from '../support/console.ts';
import { type Door, openDoor } from '../support/door.ts';
import { checkPage } from '../support/page-checks.ts';

const DEALS = SAMPLES[0][1];
const path = '/api/bots/demo/declared-actions';
const address = '/bots/demo/actions/OpenDeals';

/** With the routes of the sync, which pages of a bot ask too. */
const open = () => openDoor({}, async ({ app }) => ({ routes: (await app.sync()).routes }));

async function declared(door: Door, definition: object = DEALS) {
  const key = await door.operatorKey('admin');
  const saved = await door.ask('PUT', `${path}/OpenDeals`, { key, json: definition });
  expect(saved.status).toBe(200);
  await door.ask('PUT', '/api/bots/demo/permissions', { key, json: { grant: ['CUSTOM_OPEN_DEALS'] } });
}

const botOf = async (door: Door) => (await door.world.app.store.bots.get('demo'))!; // the world's own bot

describeInChromium('actions without code', (browser) => {
  it('are declared from an example, checked while one types, tried, saved, granted, and called by the bot [A5] [W2]', async () => {
    await using door = await open();
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}/bots/demo`);
    await page.getByRole('link', { name: 'Actions without code' }).click();
    await page.getByRole('link', { name: 'Begin with an example' }).click();
    const box = page.getByLabel('The definition as JSON');
    const verdict = page.getByRole('status', { name: 'What a save would say' });
    await verdict.getByText('Nothing is wrong with it.').waitFor();
    const save = page.getByRole('button', { name: 'Save it' });

    await box.fill('{ "name": ');
    await verdict.getByText(/^This is no JSON/).waitFor();
    expect(await save.isDisabled()).toBe(true);
    const wrong = { ...DEALS, fields: ['Nmae'], limit: 20 };
    await box.fill(JSON.stringify(wrong));
    await verdict.getByText('fields[0]').waitFor();
    await verdict.getByText(/Nmae/).waitFor();
    expect(await save.isDisabled()).toBe(true);
    await checkPage(page);
    expect((await botOf(door)).declared).toEqual([]);

    await page.getByRole('button', { name: 'Drop the changes' }).click();
    await verdict.getByText('Nothing is wrong with it.').waitFor();
    await page.getByText('Try a call').click();
    await page.getByLabel('account').fill('Acme Industries');
    await page.getByRole('button', { name: 'Try', exact: true }).click();
    await page.getByText('It would ask a person.').waitFor();
    expect((await botOf(door)).declared).toEqual([]);
    await save.click();
    await page.getByRole('heading', { name: 'OpenDeals' }).waitFor();
    await page.getByText('not granted', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Grant it' }).click();
    await page.getByText('granted', { exact: true }).waitFor();
    expect((await botOf(door)).grants).toContain('CUSTOM_OPEN_DEALS');
    expect(await door.world.call('OpenDeals', { account: 'Acme Industries' })).toMatchObject({ status: 'waiting' });

    // What it meets is set where it is for every other action.
    await page.getByRole('link', { name: 'When it asks' }).click();
    await page.getByRole('radio', { name: /^Runs/ }).click();
    await page.getByRole('button', { name: /^Save as revision/ }).click();
    await page.getByText('OpenDeals of demo: saved').waitFor();
    await page.getByRole('link', { name: '1 without code of demo' }).waitFor();
    expect(await page.getByRole('row').first().getByRole('columnheader').count()).toBe(
      (await page.getByRole('row').nth(1).getByRole('cell').count()) + 1,
    );
    expect(await door.world.call('OpenDeals', { account: 'Acme Industries' })).toMatchObject({ status: 'done' });
    expect(person.complaints.filter((line) => !line.includes('400'))).toEqual([]);
  });

  it('say before the save that it takes the grant, and keep it where only words change [A5] [P2]', async () => {
    await using door = await open();
    await declared(door);
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}${address}`);
    const box = page.getByLabel('The definition as JSON');
    await box.fill(JSON.stringify({ ...DEALS, title: 'Deals that are open' }));
    await page.getByRole('button', { name: 'Save as revision 2', exact: true }).click();
    await page.getByText('Saved as revision 2.', { exact: true }).waitFor();
    expect((await botOf(door)).grants).toContain('CUSTOM_OPEN_DEALS');
    await box.fill(JSON.stringify({ ...DEALS, fields: ['Name', 'Amount'] }));
    await page.getByText('a save takes its grant away').waitFor();
    await page.getByText(/loses CUSTOM_OPEN_DEALS/).waitFor();
    await page.getByRole('button', { name: 'Save as revision 3, without its grant' }).click();
    await page.getByText('Its grant is taken back: grant it again.').waitFor();
    await page.getByText('not granted', { exact: true }).waitFor();
    expect((await botOf(door)).grants).not.toContain('CUSTOM_OPEN_DEALS');

    // And back, by way of the editor.
    await page.getByRole('link', { name: 'Revisions' }).click();
    await page.getByRole('link', { name: 'Revision 1', exact: true }).click();
    await page.getByRole('button', { name: 'Put it into the editor' }).click();
    await page.getByRole('button', { name: 'Save as revision 4' }).click();
    await page.getByText('Saved as revision 4.').waitFor();
    expect((await botOf(door)).declared[0]).toMatchObject({ revision: 4, declaration: { title: DEALS.title } });
  });

  it('keep what was typed when somebody else saved first, say who and what, and overwrite nothing unseen [A5] [W2]', async () => {
    await using door = await open();
    await declared(door);
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}${address}`);
    const mine = JSON.stringify({ ...DEALS, limit: 3 });
    await page.getByLabel('The definition as JSON').fill(mine);
    await page.getByText('Nothing is wrong with it.').waitFor();
    const key = await door.operatorKey('admin');
    await door.ask('PUT', `${path}/OpenDeals`, { key, json: { ...DEALS, limit: 8 } });
    await page.getByText(/^Saved by admin-\d since you read it\.$/).waitFor();
    expect(await page.getByLabel('The definition as JSON').inputValue()).toBe(mine);
    await page.getByRole('button', { name: 'Save as revision 2' }).click();
    await page.getByText('somebody saved it since you read it').waitFor();
    expect((await botOf(door)).declared[0]?.declaration).toMatchObject({ limit: 8 });
    await page.getByRole('button', { name: 'Put mine in its place' }).click();
    await page.getByRole('button', { name: 'Save as revision 3' }).click();
    await page.getByText('Saved as revision 3.').waitFor();
    expect((await botOf(door)).declared[0]?.declaration).toMatchObject({ limit: 3 });
  });

  it('are removed with their grant after a second look; who may not change them can read them [A5] [P4]', async () => {
    await using door = await open();
    await declared(door);
    await using viewer = await signedIn(browser, door, 'viewer');
    await viewer.page.goto(`${door.url}${address}`);
    await viewer.page.getByText('this needs MANAGE_POLICY').first().waitFor();
    for (const name of [/^Save as/, 'Take the grant back', 'Remove…'])
      expect(await viewer.page.getByRole('button', { name }).isDisabled()).toBe(true);
    expect(await viewer.page.getByLabel('The definition as JSON').inputValue()).toContain('"OpenDeals"');
    expect(viewer.complaints).toEqual([]);

    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}${address}`);
    await page.getByRole('button', { name: 'Remove…' }).click();
    await page.getByRole('button', { name: 'Remove it' }).click();
    await page.getByText('None is declared yet.').waitFor();
    expect(await botOf(door)).toMatchObject({
      declared: [],
      grants: expect.not.arrayContaining(['CUSTOM_OPEN_DEALS']),
    });
  });

  it('and the own words of a bot are set in the form of its policy, and stand on its chat page [A5] [W2]', async () => {
    await using door = await open();
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}/bots/demo/policy`);
    await page.getByLabel('Name on the chat page').fill('Rosa');
    await page.getByLabel('Greeting').fill('Hello from Rosa.');
    await page.getByLabel('Examples to begin with').fill('Where is my order?\n\nWho calls me back?');
    await page.getByLabel('Instructions for the model').fill('Say\u202e please.');
    await page.getByText('When to use each action').click();
    await page.getByLabel('GetAccount', { exact: true }).last().fill('First of all.');
    await page.getByLabel('open to visitors').check();
    await page.getByRole('button', { name: 'Save as revision 2' }).click();
    await page.getByText('contains the invisible character U+202E', { exact: true }).waitFor();
    expect(await page.evaluate('document.activeElement.name')).toBe('words.instructions');
    await page.getByLabel('Instructions for the model').fill('Say please.');
    await page.getByRole('button', { name: 'Save as revision 2' }).click();
    await page.getByText('Saved as revision 2.').first().waitFor();
    const { policy } = await botOf(door);
    expect(policy.words).toEqual({
      ...{ name: 'Rosa', greeting: 'Hello from Rosa.', instructions: 'Say please.' },
      starters: ['Where is my order?', 'Who calls me back?'],
    });
    expect(policy.actions.GetAccount).toMatchObject({ decision: 'auto', whenToUse: 'First of all.' });
    await page.goto(`${door.url}/chat/demo`);
    await page.getByText('Hello from Rosa.').waitFor();
    await page.getByRole('button', { name: 'Who calls me back?' }).waitFor();
  });
});

describeInChromium('the org of a bot', (browser) => {
  it('is looked at for too little and too much, and its package is the one that REST answers [B5]', async () => {
    await using door = await open();
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}/bots/demo`);
    await page.getByRole('link', { name: 'Its org' }).click();
    await page.getByText('may do all that demo needs.').waitFor();
    await page.getByText('ModifyAllData').waitFor();
    await door.world.sim('POST', 'settings', { readOnlyFields: ['Opportunity.Amount'] });
    await page.getByRole('button', { name: 'Look again' }).click();
    const little = page.getByRole('table', { name: 'Too little' });
    await little.getByText('edit of Amount').waitFor();
    await little.getByText('UpdateOpportunity').waitFor();
    await checkPage(page);
    await page.getByText('rights and fields beyond its needs').click();
    await page.getByRole('table', { name: 'Too much' }).getByText('Campaign', { exact: true }).waitFor();
    await checkPage(page);

    await page.getByRole('link', { name: 'What an admin sets up', exact: true }).click();
    await page.getByLabel('With change events').check();
    await page.getByText('Setup, Change Data Capture: move Contact').waitFor();
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download the zip' }).click(),
    ]);
    const key = await door.operatorKey('viewer');
    const { json } = await door.ask('GET', '/api/bots/demo/org/package?events=true', { key });
    expect(saved.suggestedFilename()).toBe(`${json.permissionSet}.zip`);
    const bytes = await buffer(await saved.createReadStream());
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(json.digest);
    await page.getByText(json.digest).waitFor();
    expect(person.complaints).toEqual([]);
  });

  it('that changed under it is told on the overview, and with the cure on its page [B5] [W11]', async () => {
    await using door = await open();
    const { world } = door;
    const sync = await world.app.sync();
    await sync.lookForDrift();
    world.clock.advance(61 * 60_000);
    await world.sim('POST', 'clock', { advanceMs: 2_000 });
    await world.sim('POST', 'settings', { readOnlyFields: ['Opportunity.Amount'] });
    await sync.lookForDrift();
    await using person = await signedIn(browser, door);
    const { page } = person;
    const told = page.getByRole('list', { name: 'Notices' }).getByRole('listitem');
    const one = told.filter({ hasText: 'The org has changed under demo: one thing does not fit any more.' });
    await one.getByRole('link', { name: 'Look' }).click();
    await page.getByText(/Opportunity\.Amount \(for .*UpdateOpportunity\) may not be written any more/).waitFor();
    await checkPage(page);
    await page.getByRole('link', { name: 'What its user may do' }).click();
    await page.getByRole('table', { name: 'Too little' }).getByText('edit of Amount').waitFor();
  });
});
