import { expect, it } from 'vitest';
import { describeInChromium } from '../support/browser.ts';
import { signedIn } from '../support/console.ts';
import { type Door, openDoor } from '../support/door.ts';
import { checkPage } from '../support/page-checks.ts';
import { createClock, type WorldOptions } from '../support/world.ts';

const DAY_MS = 86_400_000;

describeInChromium('what was never used', (browser) => {
  async function oldDoor(more: WorldOptions = {}): Promise<Door> {
    const clock = createClock(Date.now() - 40 * DAY_MS);
    const door = await openDoor({ clock, ...more }, async ({ app }) => ({ routes: (await app.sync()).routes }));
    clock.advance(40 * DAY_MS);
    await door.world.call('GetAccount', { name: 'Acme Industries' });
    return door;
  }

  it('prepares a narrower revision, saves nothing by itself, and takes grants back with it, with four presses [P8] [W2]', async () => {
    await using door = await oldDoor();
    await using person = await signedIn(browser, door);
    const { page, press } = person;
    await press(page.getByRole('link', { name: 'demo' }));
    await press(page.getByRole('link', { name: 'Never used' }));
    await page.getByText('The object Lead: never read nor written.').waitFor();
    await page.getByRole('checkbox', { name: /UPDATE_OPPORTUNITY/ }).uncheck();
    await page.getByRole('checkbox', { name: /The object Opportunity:/ }).uncheck();
    await press(page.getByRole('button', { name: 'Prepare the narrower revision' }));
    await page.getByText('The narrower revision is prepared. Nothing is saved yet.').waitFor();
    expect(await door.world.app.store.bots.get('demo')).toMatchObject({ policyRevision: 1 });
    // What was pressed is gone: the focus is at the top, not nowhere.
    expect(await page.evaluate('[document.activeElement.tagName, scrollY]')).toEqual(['H1', 0]);
    await page.getByRole('button', { name: 'Replay 30 days' }).click();
    await page
      .getByText(/No call of the last 30 days that can be judged|Cannot be judged/)
      .first()
      .waitFor();
    await checkPage(page);
    await press(page.getByRole('button', { name: 'Save as revision 2' }));
    await page.getByText('Saved as revision 2. Taken back: CREATE_LEAD, RUN_SOQL').waitFor();
    expect(person.presses()).toBe(4);
    const { grants, policy } = (await door.world.app.store.bots.get('demo'))!; // the world's own bot
    expect([...grants].sort()).toEqual(['READ_ACCOUNT', 'UPDATE_OPPORTUNITY']);
    expect(policy.objects).toMatchObject({
      Lead: { read: false, write: false },
      Account: { read: true, write: false },
      Opportunity: { read: true, write: true },
    });
    expect(await page.getByText('The narrower revision is prepared.').count()).toBe(0);
    expect(person.complaints).toEqual([]);
  });

  it('reads well in four forms, with a hostile name as text, and tells a viewer why they cannot [P8] [A7] [W10]', async () => {
    const hostile = '<img src=x onerror=alert(1)>\u202E';
    await using door = await oldDoor({
      policy: (policy) => ({
        ...policy,
        objects: { ...policy.objects, Account: { ...policy.objects.Account!, allowFields: ['Name', 'Fax'] } },
      }),
    });
    await using person = await signedIn(browser, door, 'viewer');
    const { page } = person;
    // As a database that somebody else wrote into would have it: no save takes such a name.
    await page.route('**/api/bots/demo/policy/unused', async (route) => {
      const answer = await route.fetch();
      const found = await answer.json();
      const open = [...found.open, { object: hostile, used: [hostile] }];
      await route.fulfill({
        response: answer,
        json: { ...found, open, unknown: { ...found.unknown, young: [hostile] } },
      });
    });
    await page.goto(`${door.url}/bots/demo/policy?view=unused`);
    await page.getByText('Fields of Account: Fax').waitFor();
    await page.getByText('Objects whose every field is open').click();
    await page.getByText('<img src=x onerror=alert(1)>[U+202E]').first().waitFor();
    expect(await page.getByRole('button', { name: 'Prepare the narrower revision' }).isDisabled()).toBe(true);
    await page
      .getByText(/Your role is viewer/)
      .first()
      .waitFor();
    await checkPage(page);
    expect(person.complaints).toEqual([]);
  });

  it('shows one bot at a time on a phone [W2] [W10]', async () => {
    await using door = await oldDoor();
    const { world } = door;
    const { createdAt, policy, grants } = (await world.app.store.bots.get('demo'))!; // the world's own bot
    await world.app.store.bots.create({
      name: 'shop',
      audience: 'internal',
      profile: 'internal',
      createdAt,
      policy,
      grants,
    });
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${door.url}/permissions`);
    const words = page.getByRole('button', { name: /GetAccount for/ });
    await words.first().waitFor();
    expect(await words.count()).toBe(1);
    await page.locator('label.one-bot select').selectOption('shop');
    await page.getByRole('button', { name: 'GetAccount for shop' }).waitFor();
    expect(await words.count()).toBe(1);
  });
});
