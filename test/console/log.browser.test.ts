import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium } from '../support/browser.ts';
import { signedIn } from '../support/console.ts';
import { type Door, openDoor, proposeMove } from '../support/door.ts';
import { FORMS, findingsOf, sideways } from '../support/page-checks.ts';

const HOSTILE = '<img src=x onerror="document.title=1">\u202Etxt.exe =cmd|A1';

describeInChromium('the log and the charts', (browser) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor();
    const { world } = door;
    for (let n = 0; n < 3; n += 1) await world.call('GetAccount', { name: 'Acme Industries' });
    await world.refusal('GetAccount', { name: 'Nobody Ltd' });
    const { id } = await proposeMove(world);
    world.clock.advance(90_000);
    await world.approve(id);
    await world.setPolicy((policy) => ({
      ...policy,
      actions: { ...policy.actions, CreateLead: { ...policy.actions.CreateLead!, decision: 'deny' } },
    }));
    await world.refusal('CreateLead', { lastName: 'Doe', company: 'Doe Ltd', email: 'jane@doe.example' });
    await world.app.audit.record({
      bot: world.bot,
      principal: HOSTILE,
      channel: 'cli',
      action: HOSTILE,
      event: 'noted',
    });
    await world.app.apiUse.note();
    // What happens in this very millisecond is not over.
    world.clock.advance(1_000);
  }, 60_000);
  afterAll(() => door?.[Symbol.asyncDispose]());

  const rows = (page: Page) => page.getByRole('table', { name: 'Log' }).getByRole('row');
  const row = (page: Page, ...words: readonly string[]) =>
    words.reduce((found, hasText) => found.filter({ hasText }), rows(page)).first();
  const newest = async () => (await door.world.app.store.audit.head())?.seq ?? 0;

  it('finds why a call was refused, and leads to the cell that allows it, in four presses [W6] [W8]', async () => {
    await using person = await signedIn(browser, door, 'admin');
    const { page, press } = person;
    await press(page.getByRole('link', { name: 'Not granted, or denied by policy' }));
    await page.getByRole('heading', { name: 'Log', exact: true }).waitFor();
    await row(page, 'CreateLead', 'Refused').waitFor();
    expect(await rows(page).count()).toBe(2);
    await press(row(page, 'CreateLead').getByRole('link', { name: 'CreateLead' }));
    await page.getByRole('heading', { name: 'Why' }).waitFor();
    await page.getByText('Policy denies CreateLead').first().waitFor();
    await press(page.getByRole('link', { name: 'Permission of this action' }));
    await page.waitForURL(`${door.url}/permissions?bot=${door.world.bot}&action=CreateLead`);
    expect(person.presses()).toBeLessThanOrEqual(4);
  });

  it('asks to undo a write in four presses, and the write waits for a person [W6] [A6]', async () => {
    await using person = await signedIn(browser, door, 'approver');
    const { page, press } = person;
    await press(page.getByRole('link', { name: 'Log', exact: true }));
    await press(row(page, 'UpdateOpportunity', 'Done').getByRole('link', { name: 'UpdateOpportunity' }));
    await press(page.getByRole('button', { name: 'Undo…' }));
    await press(page.getByRole('button', { name: 'Ask', exact: true }));
    await page.getByText('Asked. It waits for an approver like any other write.').waitFor();
    expect(person.presses()).toBe(4);
    const [waiting] = await door.world.app.approvals.list({ pending: true });
    expect(waiting).toMatchObject({ action: 'Undo', principal: expect.stringMatching(/^operator:approver/) });
    const href = await page.getByRole('link', { name: 'Look at the proposal' }).getAttribute('href');
    expect(href).toBe(`/approvals/${waiting?.id}`);
    expect(person.complaints).toEqual([]);
  });

  it('keeps its filter in the address, over a reload, an entry and its neighbours, and says when nothing fits [W6]', async () => {
    await using person = await signedIn(browser, door, 'viewer');
    const { page } = person;
    await page.goto(`${door.url}/log`);
    await page.getByLabel('Outcome').selectOption('Refused');
    await page.waitForURL(`${door.url}/log?outcome=refused`);
    await page.reload();
    await row(page, 'CreateLead').waitFor();
    expect(await page.getByLabel('Outcome').inputValue()).toBe('refused');
    await row(page, 'CreateLead').getByRole('link', { name: 'CreateLead' }).click();
    await page.getByRole('link', { name: 'Older' }).click();
    await page.getByRole('heading', { name: 'GetAccount' }).waitFor();
    await page.getByText('Nothing found.').waitFor();
    expect(page.url()).toContain('outcome=refused');
    await page.getByRole('link', { name: 'Older' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Newer' }).click();
    await page.getByRole('heading', { name: 'CreateLead' }).waitFor();
    await page.getByRole('link', { name: 'Log', exact: true }).first().click();
    await page.goto(`${door.url}/log?record=0065i00000NOBODYAAA`);
    await page.getByText('No entry fits this filter.').waitFor();
    await page.getByRole('button', { name: 'Clear the filter' }).last().click();
    await row(page, 'CreateLead').waitFor();
    expect(new URL(page.url()).search).toBe('');
    const csv = page.getByRole('link', { name: 'Export CSV' });
    expect(await csv.getAttribute('href')).toBe('/api/audit?format=csv');
    expect(person.complaints).toEqual([]);
  });

  it('lets new rows wait above, walks by j and k in the list, and shows older ones on a press [W6] [W10]', async () => {
    for (let n = 0; n < 60; n += 1)
      await door.world.app.audit.record({ principal: 'x', channel: 'cli', action: `Note ${n}`, event: 'noted' });
    await using person = await signedIn(browser, door, 'viewer');
    const { page } = person;
    await page.goto(`${door.url}/log?event=noted`);
    await row(page, 'Note 59').waitFor();
    const first = () => rows(page).nth(1).getByRole('link').first().textContent();
    await door.world.app.audit.record({ principal: 'x', channel: 'cli', action: 'Late', event: 'noted' });
    await page.getByRole('button', { name: '1 new' }).waitFor();
    expect(await first()).toBe('Note 59');
    await page.getByRole('button', { name: 'Older' }).click();
    await row(page, 'Note 0').waitFor();
    expect(await first()).toBe('Note 59');
    await page.getByRole('button', { name: '1 new' }).click();
    await row(page, 'Late').waitFor();
    expect(await first()).toBe('Late');
    await rows(page).nth(1).getByRole('link').first().focus();
    const focused = () => page.evaluate('document.activeElement.textContent');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    expect(await focused()).toBe('Note 58');
    await page.keyboard.press('k');
    expect(await focused()).toBe('Note 59');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Note 59' }).waitFor();
  });

  it('shows what a write changed to an admin who presses, with a row of the look, and verifies the chain [W6] [C7]', async () => {
    await using person = await signedIn(browser, door, 'admin');
    const { page } = person;
    await page.goto(`${door.url}/log?action=UpdateOpportunity&outcome=done`);
    await row(page, 'UpdateOpportunity').getByRole('link', { name: 'UpdateOpportunity' }).click();
    await page.getByText('Changed Opportunity:').waitFor();
    expect(await page.getByText('Negotiation/Review').count()).toBe(0);
    await page.getByRole('button', { name: 'Show values' }).click();
    await page.getByText('Negotiation/Review').waitFor();
    const [look] = await door.world.app.store.audit.find({ event: 'values_read', limit: 1 });
    expect(look).toMatchObject({ principal: expect.stringMatching(/^operator:admin/), channel: 'console' });
    await page.getByRole('button', { name: 'Verify the chain' }).click();
    await page.getByText('Verified to here').waitFor();
    await using viewer = await signedIn(browser, door, 'viewer');
    await viewer.page.goto(page.url());
    const button = viewer.page.getByRole('button', { name: 'Show values' });
    await button.waitFor();
    expect(await button.isDisabled()).toBe(true);
    await viewer.page.getByText('this needs READ_VALUES').waitFor();
    expect([...person.complaints, ...viewer.complaints]).toEqual([]);
  });

  it('opens the log of a bar, by the bar and by its row in the table, with as many rows as it counts [W8]', async () => {
    await using person = await signedIn(browser, door, 'viewer');
    const { page } = person;
    await page.goto(`${door.url}/charts?bot=${door.world.bot}`);
    const calls = page.getByRole('region', { name: 'Calls by outcome' });
    await calls.getByText('As a table').click();
    const link = calls.getByRole('link', { name: /^2 Refused/ });
    await link.waitFor();
    await calls.locator('svg a rect.bad').last().click();
    await page.getByRole('heading', { name: 'Log', exact: true }).waitFor();
    await row(page, 'CreateLead').waitFor();
    expect(await rows(page).count()).toBe(3);
    await page.goBack();
    await page.getByRole('heading', { name: 'Charts' }).waitFor();
    await calls.getByText('As a table').click();
    await calls.getByRole('link', { name: /^2 Refused/ }).click();
    await row(page, 'CreateLead').waitFor();
    expect(await rows(page).count()).toBe(3);
    expect(person.complaints).toEqual([]);
  });

  it.each(FORMS)(
    'has no finding, no sideways scroll and no complaint: $name [W10] [A7]',
    async ({ name: _, ...form }) => {
      await using person = await signedIn(browser, door, 'admin', form);
      const { page } = person;
      const seq = (await door.world.app.store.audit.find({ action: 'UpdateOpportunity', event: 'done', limit: 1 }))[0]
        ?.seq;
      const hostile = (await door.world.app.store.audit.find({ action: HOSTILE, limit: 1 }))[0]?.seq;
      for (const [path, seen] of [
        ['/', 'The last 24 hours'],
        ['/log', 'Outcome'],
        [`/log/${seq}`, 'From the question to the end'],
        [`/log/${hostile}`, '<img src=x onerror="document.title=1">[U+202E]txt.exe'],
        ['/charts?range=24h', 'Calls by outcome'],
        ['/charts?bot=nobody', 'Nothing was refused.'],
        ['/log?principal=nobody', 'No entry fits this filter.'],
      ] as const) {
        await page.goto(`${door.url}${path}`);
        await page.getByText(seen).first().waitFor();
        await page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true");
        expect([path, await findingsOf(page)]).toEqual([path, []]);
        expect([path, await sideways(page)]).toEqual([path, 0]);
        expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
      }
      expect(person.complaints).toEqual([]);
      expect(await newest()).toBeGreaterThan(0);
    },
  );
});
