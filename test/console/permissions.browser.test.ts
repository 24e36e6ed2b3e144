import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInChromium } from '../support/browser.ts';
import { signedIn } from '../support/console.ts';
import { openDoor } from '../support/door.ts';
import { checkPage } from '../support/page-checks.ts';

describeInChromium('permissions', (browser) => {
  const cell = (page: Page, action: string) => page.getByRole('button', { name: `${action} for demo` });
  const nav = (page: Page, name: string) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name });

  it('grants an action that asks above an amount, with five presses [W2] [C1]', async () => {
    await using door = await openDoor({ grants: ['READ_ACCOUNT'] });
    await using person = await signedIn(browser, door);
    const { page, press } = person;
    await press(nav(page, 'Permissions'));
    await press(cell(page, 'UpdateOpportunity'));
    await press(page.getByRole('radio', { name: /^Runs/ }));
    await press(page.getByRole('button', { name: 'Add a threshold' }));
    await page.getByRole('spinbutton', { name: 'Amount changes by more than' }).fill('70000');
    await press(page.getByRole('button', { name: 'Save as revision 2' }));
    await page.getByText('UpdateOpportunity of demo: saved as revision 2.').waitFor();
    expect(person.presses()).toBe(5);
    await cell(page, 'UpdateOpportunity').getByText('asks >70,000').waitFor();
    const bot = await door.world.app.store.bots.get('demo');
    expect(bot?.grants).toContain('UPDATE_OPPORTUNITY');
    expect(bot?.policy.actions.UpdateOpportunity).toMatchObject({
      decision: 'auto',
      rules: [{ if: { amountChangeAbove: 70_000 }, then: 'confirm' }],
    });
    expect(await door.world.call('UpdateOpportunity', { reference: 'OPP-123', amount: 5_000_000 })).toMatchObject({
      status: 'waiting',
    });
    expect(person.complaints).toEqual([]);
  });

  it('stops an action with at most four presses, and a whole bot with three [W2] [C1]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door);
    const { page, press } = person;
    await press(nav(page, 'Permissions'));
    await press(cell(page, 'GetAccount'));
    await press(page.getByRole('button', { name: 'Switch off now' }));
    await page.getByText('GetAccount of demo is off from the next call on.').waitFor();
    expect(person.presses()).toBeLessThanOrEqual(4);
    expect((await door.world.refusal('GetAccount', { name: 'Acme' })).code).toBe('off');
    await page.getByRole('button', { name: 'Switch on again' }).click();
    await page.getByText('GetAccount of demo is on again.').waitFor();
    await page.keyboard.press('Escape');

    await nav(page, 'Overview').click();
    const before = person.presses();
    await press(page.getByRole('link', { name: 'demo' }));
    await press(page.getByRole('button', { name: 'Stop the bot' }));
    await press(page.getByRole('button', { name: 'Stop it' }));
    await page.getByText('This bot is stopped.').waitFor();
    expect(person.presses() - before).toBe(3);
    expect((await door.world.refusal('GetAccount', { name: 'Acme' })).code).toBe('off');
    await page.getByLabel('Mode').selectOption('automatic');
    await page.getByRole('button', { name: 'Set the mode' }).click();
    await page.getByText('demo is in the mode automatic').waitFor();
  });

  it('tries a call under what is on the page, says why, and writes nothing [W2] [C1]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}/permissions?bot=demo&action=UpdateOpportunity`);
    await page.getByText('Try a call').click();
    await page.getByRole('textbox', { name: /^reference/ }).fill('OPP-123');
    await page.getByRole('spinbutton', { name: /^amount/ }).fill('90000');
    await page.getByRole('button', { name: 'Try', exact: true }).click();
    await page.getByText('It would ask a person.').waitFor();
    await page.getByRole('radio', { name: /^Denied/ }).click();
    await page.getByRole('button', { name: 'Try', exact: true }).click();
    await page.getByText('It would be denied.').waitFor();
    expect((await door.world.app.store.bots.get('demo'))?.policyRevision).toBe(1);
    expect(await door.world.app.approvals.list({ bot: 'demo' })).toEqual([]);
  });

  it('keeps a change when somebody else saved first, says who, and puts it on top [W2]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}/permissions?bot=demo&action=RunSOQL`);
    await page.getByRole('radio', { name: /^Denied/ }).click();
    const bo = await door.operatorKey('admin');
    const { json } = await door.ask('GET', '/api/bots/demo/policy', { key: bo });
    await door.ask('PUT', '/api/bots/demo/policy', {
      key: bo,
      json: { ...json, policy: { ...json.policy, mode: 'ask' } },
    });
    await page.getByText(/^Saved by admin-\d since you read it\.$/).waitFor();
    expect(await page.getByRole('radio', { name: /^Denied/ }).isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Save as revision 2' }).click();
    await page.getByText('Somebody saved this policy since you read it.').waitFor();
    await page.getByRole('button', { name: 'Put my change on top' }).click();
    await page.getByRole('button', { name: 'Save as revision 3' }).click();
    await page.getByText('saved as revision 3').waitFor();
    const { policy } = (await door.world.app.store.bots.get('demo'))!; // the world's own bot
    expect(policy).toMatchObject({ mode: 'ask', actions: { RunSOQL: { decision: 'deny' } } });
  });

  it('shows a mistake of the JSON at its place and keeps the text; the form saves, and a revision goes back [W2] [C1]', async () => {
    await using door = await openDoor();
    await door.world.call('CreateLead', { lastName: 'Ito', company: 'Ito & Sons' });
    await using person = await signedIn(browser, door);
    const { page } = person;
    await page.goto(`${door.url}/bots/demo/policy?view=json`);
    const box = page.getByLabel('The policy as JSON');
    const text = await box.inputValue();
    const wrong = text.replace('"mode"', '"modus"');
    await box.fill(wrong);
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByRole('alert').getByText('modus', { exact: true }).waitFor();
    expect(await box.inputValue()).toBe(wrong);
    await page.getByRole('button', { name: 'Drop the changes' }).click();

    await page.getByRole('link', { name: 'Form' }).click();
    await page.getByRole('combobox', { name: 'Mode' }).selectOption('ask');
    await page.locator('summary', { hasText: /^Lead/ }).click();
    await page.getByRole('checkbox', { name: 'write Lead' }).uncheck();
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText('Nothing is wrong with it.').waitFor();
    await page.getByRole('button', { name: 'Replay 30 days' }).click();
    await page.getByText('1 that ran would be denied.').waitFor();
    await checkPage(page);
    await page.getByRole('button', { name: 'Save as revision 2' }).click();
    await page.getByText('Saved as revision 2.').waitFor();
    await page.getByRole('link', { name: 'Revisions', exact: true }).click();
    await page.getByRole('link', { name: 'Revision 1', exact: true }).click();
    await page.getByRole('button', { name: 'Go back to this…' }).click();
    await page.getByRole('button', { name: 'Save it as revision 3' }).click();
    await page.getByText('Saved as revision 3.').waitFor();
    const bot = (await door.world.app.store.bots.get('demo'))!; // the world's own bot
    expect(bot.policy).toMatchObject({ mode: 'automatic', objects: { Lead: { write: true } } });
    expect(bot.policyRevision).toBe(3);
  });

  it('shows a viewer everything, and why they may not change it [W2] [P4]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door, 'viewer');
    const { page } = person;
    await page.goto(`${door.url}/permissions?bot=demo&action=GetAccount`);
    await page.getByText('this needs MANAGE_POLICY, which an admin has').waitFor();
    for (const name of ['Save', 'Switch off now'])
      expect(await page.getByRole('button', { name, exact: true }).isDisabled()).toBe(true);
    await page.goto(`${door.url}/bots/demo/policy`);
    await page.getByText('this needs MANAGE_POLICY, which an admin has').waitFor();
    expect(await page.getByRole('combobox', { name: 'Mode' }).isDisabled()).toBe(true);
    await page.goto(`${door.url}/bots/demo`);
    expect(await page.getByRole('button', { name: 'Stop the bot' }).isDisabled()).toBe(true);
  });

  it('puts a shipped profile onto a bot in four presses, after its difference was shown, as one revision [P3] [W2]', async () => {
    await using door = await openDoor({
      policy: (policy) => ({
        ...policy,
        actions: { ...policy.actions, GetAccount: { ...policy.actions.GetAccount!, decision: 'deny' } },
        objects: { ...policy.objects, Account: { ...policy.objects.Account!, maskFields: ['Phone'] } },
      }),
    });
    await using person = await signedIn(browser, door);
    const { page, press } = person;
    await press(nav(page, 'Permissions'));
    await press(page.getByRole('link', { name: 'Profile of demo' }));
    await press(page.getByRole('radio', { name: /^read-only/ }));
    await page.getByText(/^Taken back: CREATE_LEAD/).waitFor();
    await page.getByText('actions.GetAccount.decision').waitFor();
    expect((await door.world.app.store.bots.get('demo'))?.policyRevision).toBe(1);
    await checkPage(page);
    await press(page.getByRole('button', { name: 'Save as revision 2' }));
    await page.getByText('demo has the profile read-only now, saved as revision 2.').waitFor();
    expect(person.presses()).toBe(4);
    const { grants, policy, policyRevision } = (await door.world.app.store.bots.get('demo'))!; // the world's own bot
    expect([grants, policyRevision]).toEqual([['READ_ACCOUNT'], 2]);
    expect(policy.actions.GetAccount?.decision).toBe('auto');
    expect(policy.objects.Account?.maskFields).toEqual(['Phone']);
    await page.getByRole('link', { name: 'Profile of demo' }).click();
    await page.getByRole('radio', { name: /^read-only/ }).click();
    await page.getByText('The bot is like this already.').waitFor();
    expect(person.complaints).toEqual([]);
  });

  it('applies no profile over what somebody else saved meanwhile [P3] [W2]', async () => {
    await using door = await openDoor();
    const key = await door.operatorKey('admin');
    const put = (json: object, as = key) => door.ask('PUT', '/api/bots/demo/profile', { key: as, json });
    await door.ask('PUT', '/api/bots/demo/mode', { key, json: { mode: 'ask' } });
    expect(await put({ profile: 'sync', revision: 1 })).toMatchObject({
      status: 409,
      json: { error: { code: 'conflict' } },
    });
    expect((await door.world.app.store.bots.get('demo'))?.grants).toContain('RUN_SOQL');
    expect((await put({ profile: 'sync', revision: 2 }, await door.operatorKey('approver'))).status).toBe(403);
    expect(await put({ profile: 'sync', revision: 2 })).toMatchObject({
      status: 200,
      json: { permissions: ['SYNC_CASE', 'SYNC_PARTY'], revision: 3 },
    });
    expect((await door.world.app.store.bots.get('demo'))?.policy.mode).toBe('ask');
  });

  it('reads well in light, dark and on a phone, and shows a hostile policy as text [A7] [W2]', async () => {
    const hostile = '<img src=x onerror=alert(1)>\u202E';
    await using door = await openDoor(
      {
        policy: (policy) => ({
          ...policy,
          actions: {
            ...policy.actions,
            UpdateOpportunity: {
              ...policy.actions.UpdateOpportunity!,
              rules: [{ if: { stageIn: [hostile] }, then: 'confirm' }],
            },
          },
        }),
      },
      async ({ app }) => ({ routes: (await app.sync()).routes }),
    );
    await using person = await signedIn(browser, door);
    const { page, complaints } = person;
    await page.goto(`${door.url}/permissions`);
    await page.getByText('<img src=x onerror=alert(1)>[U+202E]').first().waitFor();
    await checkPage(page);
    await cell(page, 'UpdateOpportunity').click();
    await page.getByText('Try a call').click();
    await page.getByText('Only a signed-in person may say yes').waitFor();
    await checkPage(page);
    await page.goto(`${door.url}/bots/demo/policy`);
    await page.getByText('<img src=x').first().waitFor();
    await page.locator('summary', { hasText: /^Lead/ }).click();
    await checkPage(page);
    for (const view of ['json', 'revisions&revision=1']) {
      await page.goto(`${door.url}/bots/demo/policy?view=${view}`);
      await page.getByText(view === 'json' ? 'The policy as JSON' : 'What revision 1 changed').waitFor();
      await checkPage(page);
    }
    await page.goto(`${door.url}/bots/demo`);
    await page.getByRole('button', { name: 'Stop the bot' }).click();
    await checkPage(page);
    expect(complaints).toEqual([]);
  }, 120_000);
});
