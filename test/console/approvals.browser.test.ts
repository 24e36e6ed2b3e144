import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { describeInChromium, signInBy } from '../support/browser.ts';
import { signedIn } from '../support/console.ts';
import { type Door, openDoor, proposeMove } from '../support/door.ts';
import { checkPage } from '../support/page-checks.ts';

describeInChromium('approvals and notices', (browser) => {
  const recordOf = async (door: Door, id: string) =>
    (await door.world.records('Opportunity')).find(({ Id }) => Id === id);

  it('approves from the link of a notice with one press, and with a corrected value with four from the overview [C5] [W3]', async () => {
    await using door = await openDoor();
    const one = await proposeMove(door.world, { nextStep: 'Call' });
    await using person = await signedIn(browser, door, 'approver');
    const { page, press, presses } = person;
    await page.goto(`${door.url}/approvals/${one.id}`);
    await press(page.getByRole('button', { name: 'Approve' }));
    await page.getByText('It ran, and Salesforce took it.').waitFor();
    expect(await page.getByText('while you looked').count()).toBe(0);
    expect(presses()).toBe(1);

    const two = await proposeMove(door.world, { nextStep: 'Write' });
    await page.goto(door.url);
    const before = presses();
    await press(page.getByRole('list', { name: 'Notices' }).getByRole('link', { name: 'Look' }));
    await press(page.getByText('Change a value before approving'));
    await page.getByLabel(/Next Step/).fill('Write on Friday');
    await press(page.getByRole('button', { name: 'Approve' }));
    await press(page.getByRole('button', { name: 'Approve with your values' }));
    await page.getByText('It ran, and Salesforce took it.').waitFor();
    expect(presses() - before).toBe(4);
    expect((await recordOf(door, two.recordId))?.NextStep).toBe('Write on Friday');
    expect(person.complaints).toEqual([]);
  });

  it('cures a lost login in two presses from the overview [O3] [W11]', async () => {
    await using door = await openDoor();
    await door.world.app.store.connections.patch(door.world.bot, { state: 'needs_reauth' });
    await using person = await signedIn(browser, door, 'admin');
    const { page, press, presses } = person;
    await page.getByText('must be reconnected').waitFor();
    await checkPage(page);
    await press(page.getByRole('list', { name: 'Notices' }).getByRole('link', { name: 'Reconnect' }));
    await press(page.getByRole('button', { name: /^(Continue|Connect)/ }));
    await page.waitForURL(/salesforce=success/);
    expect(presses()).toBe(2);
    expect((await door.world.app.connections.status(door.world.bot)).state).toBe('connected');
    await page.goto(door.url);
    await page.getByRole('table', { name: 'Bots' }).waitFor();
    expect(await page.getByText('must be reconnected').count()).toBe(0);
  });

  it('shows what begins to wait by itself, whose time is over first on top, and no yes in the list [W3]', async () => {
    await using door = await openDoor();
    await using person = await signedIn(browser, door, 'approver');
    const { page } = person;
    await page.goto(`${door.url}/approvals`);
    await page.getByRole('heading', { name: 'Nothing waits.' }).waitFor();
    await page.getByText('Nothing was decided yet.').waitFor();
    await checkPage(page, 'empty queue');
    const late = await proposeMove(door.world, { nextStep: '<img src=x onerror=alert(1)> evil' });
    const waiting = page.getByRole('list', { name: 'Waiting' });
    await waiting.getByRole('link').waitFor();
    await door.world.setPolicy((policy) => ({ ...policy, proposals: { ...policy.proposals, expiresMinutes: 5 } }));
    const soon = await door.world.call('RunSOQL', { soql: 'SELECT Name, Amount FROM Opportunity WHERE Amount > 9' });
    await waiting.getByRole('listitem').nth(1).waitFor();
    const links = await waiting.getByRole('link').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    expect(links).toEqual([`/approvals/${soon.proposal?.id}`, `/approvals/${late.id}`]);
    expect(await page.getByRole('button', { name: /approve/i }).count()).toBe(0);
    expect(await page.locator('main img').count()).toBe(0);
    const other = { answer: 'reject', by: 'operator:bo', via: 'console', assurance: 'session' } as const;
    await door.world.app.approvals.decide(late.id, { ...other, reason: '<script>alert(2)</script> Too early' });
    const decided = page.getByRole('list', { name: 'Decided lately' });
    await decided.getByText('<script>alert(2)</script> Too early').waitFor();
    await decided.getByText('bo', { exact: true }).waitFor();
    await checkPage(page, 'queue');
    await page.goto(`${door.url}/approvals/${soon.proposal?.id}`);
    await checkPage(page, 'one');
    await page.goto(`${door.url}/approvals/${late.id}`);
    await checkPage(page, 'one, declined');
    expect(person.complaints).toEqual([]);
    // Sixteen looks of axe on a machine that is shared.
  }, 180_000);

  it('keeps what was typed where somebody else decides meanwhile, and sends nothing of it [C5] [W3]', async () => {
    await using door = await openDoor();
    const { id } = await proposeMove(door.world, { nextStep: 'Ask' });
    await using person = await signedIn(browser, door, 'approver');
    const { page } = person;
    await page.goto(`${door.url}/approvals/${id}`);
    await page.getByText('Say why, if you decline').click();
    await page.getByLabel(/Reason for declining/).fill('The customer called this morning');
    await door.world.approve(id);
    await page.getByText('This was decided while you looked.').waitFor({ timeout: 15_000 });
    expect(await page.getByLabel(/Reason for declining/).inputValue()).toBe('The customer called this morning');
    expect(await page.getByRole('button', { name: 'Decline' }).isDisabled()).toBe(true);
    await page.getByRole('link', { name: 'See how it ended' }).click();
    await page.getByText('Decided by ada while you looked.').waitFor();
  });

  it('keeps what was typed where the session is over, the role was lowered or the server is away, and goes on after [C5] [W10]', async () => {
    await using door = await openDoor();
    const { id } = await proposeMove(door.world, { nextStep: 'Ask' });
    await using person = await signedIn(browser, door, 'approver');
    const { page } = person;
    await page.goto(`${door.url}/approvals/${id}`);
    const reason = page.getByLabel(/Reason for declining/);
    await page.getByText('Say why, if you decline').click();
    await reason.fill('The customer called this morning');
    const stays = async (words: string) => {
      await page.getByRole('button', { name: 'Decline' }).click();
      await page.getByRole('alert').getByText(words).waitFor();
      expect(await reason.inputValue()).toBe('The customer called this morning');
      expect((await door.world.app.approvals.inspect(id)).proposal.state).toBe('pending');
    };
    await page.route('**/api/session', (route) => route.abort());
    await stays('The server cannot be reached.');
    await page.unroute('**/api/session');
    await door.world.app.store.operators.setRole('approver-1', 'viewer');
    await stays('Your role is viewer now');
    await door.world.app.store.operators.setRole('approver-1', 'approver');
    await page.context().clearCookies();
    await stays('Your session is over.');
    // In another tab, by another link: a session of its own.
    const other = await page.context().newPage();
    await signInBy(other, door.url, await door.world.app.access.signInToken('approver-1'));
    await other.close();
    await page.getByRole('button', { name: 'Decline' }).click();
    await page.getByRole('heading', { name: 'How it ended' }).waitFor();
    await page.getByText('The customer called this morning').waitFor();
    expect((await door.world.app.approvals.inspect(id)).proposal.state).toBe('rejected');
  });

  it('sets, tests and removes the webhook by pressing; the address is never shown again [W11]', async () => {
    await using door = await openDoor();
    let status = 200;
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(status).end();
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await using person = await signedIn(browser, door, 'admin');
    const { page } = person;
    await page.goto(`${door.url}/settings/notices`);
    await page.getByLabel('Address').fill('https://10.0.0.1/hook');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('It leads into a private network.').first().waitFor();
    expect(await page.getByLabel('Address').inputValue()).toBe('https://10.0.0.1/hook');
    await page.getByLabel('Address').fill(`http://${host}/T0/s3cr3t`);
    await page.getByLabel('Form').selectOption('slack');
    await page.getByLabel('The sync has a problem').uncheck();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/^whsec_/).waitFor();
    await page.getByText(`${host}/…cr3t`).waitFor();
    await checkPage(page);
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('The test was taken.').waitFor();
    status = 404;
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('The receiver answered 404.').waitFor();
    await page.reload();
    await page.getByText(`${host}/…cr3t`).waitFor();
    expect(await page.content()).not.toContain('s3cr3t');
    expect(await page.getByLabel('The sync has a problem').isChecked()).toBe(false);
    await page.getByRole('button', { name: 'Remove…' }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByRole('heading', { name: 'Set a webhook' }).waitFor();
    server.close();
    await using viewer = await signedIn(browser, door, 'viewer');
    await viewer.page.goto(`${door.url}/settings/notices`);
    await viewer.page.getByText('You can look, but not change it.').waitFor();
    expect(person.complaints.filter((line) => !line.includes('400'))).toEqual([]);
  });
});
