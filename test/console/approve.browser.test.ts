import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium } from '../support/browser.ts';
import { signedIn } from '../support/console.ts';
import { type Door, openDoor, proposeMove } from '../support/door.ts';

describeInChromium('the console', (browser) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor();
  }, 60_000);
  afterAll(() => door?.[Symbol.asyncDispose]());

  const record = async (id: string) => (await door.world.records('Opportunity')).find(({ Id }) => Id === id);
  const widthBeyondScreen = (page: Page) =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  it('signs in by the link, whose token leaves the address at once and works only once [C3]', async () => {
    await using context = await browser.context();
    const page = await context.newPage();
    const link = `${door.url}/sign-in#${await door.signInToken()}`;
    await page.goto(link);
    expect(page.url()).toBe(`${door.url}/sign-in`);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ name: 'gatehouse', httpOnly: true, sameSite: 'Lax' });
    await page.getByRole('group').getByText('admin', { exact: true }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goto(`${link}`);
    await page.reload();
    await page.goto(link.replace('#', '#token='));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('used already');
  });

  it('approves by keyboard alone, and shows how it ended [C2] [C5] [W10]', async () => {
    const { id, recordId } = await proposeMove(door.world, { stageName: 'Negotiation/Review', amount: 77_000 });
    await using person = await signedIn(browser, door, 'approver');
    const { page } = person;
    await page.goto(`${door.url}/approvals/${id}`);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    await page.keyboard.press('Enter');
    for (let n = 0; n < 30; n += 1) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate('document.activeElement.value')) === 'approve') break;
    }
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    expect(outline).toBe('solid');
    await page.keyboard.press('Enter');
    await page.getByText('It ran, and Salesforce took it.').waitFor();
    expect(await record(recordId)).toMatchObject({ StageName: 'Negotiation/Review', Amount: 77_000 });
    expect(person.complaints).toEqual([]);
  });

  it('does not approve by Enter in a value, and sends the value that the approver wrote [C5]', async () => {
    const { id, recordId } = await proposeMove(door.world, { nextStep: 'Send the offer' });
    await using person = await signedIn(browser, door, 'approver');
    const { page } = person;
    await page.goto(`${door.url}/approvals/${id}`);
    await page.getByText('Change a value before approving').click();
    await page.getByLabel(/Next Step/).fill('Send the offer on Friday');
    await page.keyboard.press('Enter');
    expect((await door.world.app.approvals.inspect(id)).proposal.state).toBe('pending');
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'What you changed' }).waitFor();
    expect((await record(recordId))?.NextStep).not.toBe('Send the offer on Friday');
    expect(await page.locator('td.after').textContent()).toBe('Send the offer on Friday');
    await page.getByRole('button', { name: 'Approve with your values' }).click();
    await page.getByText('It ran, and Salesforce took it.').waitFor();
    expect((await record(recordId))?.NextStep).toBe('Send the offer on Friday');
  });

  it('declines from the queue on a phone, without scrolling sideways anywhere [C5] [W10]', async () => {
    const { id, recordId } = await proposeMove(door.world, { nextStep: 'x'.repeat(250) });
    const before = (await record(recordId))?.NextStep;
    await using person = await signedIn(browser, door, 'approver', {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
    });
    const { page } = person;
    for (const path of ['/', '/bots/demo', '/approvals', `/approvals/${id}`, '/nothing']) {
      await page.goto(`${door.url}${path}`);
      expect([path, await widthBeyondScreen(page)]).toEqual([path, 0]);
    }
    await page.goto(`${door.url}/approvals`);
    await page.getByRole('list', { name: 'Waiting' }).getByRole('link').first().tap();
    await page.getByRole('button', { name: 'Decline' }).tap();
    await page.getByText('It was declined. Nothing was written.').waitFor();
    expect((await record(recordId))?.NextStep).toBe(before);
  });

  it('lets a look-alike’s choice be made by a person, and nothing be chosen for them [C2]', async () => {
    const [contact] = await door.world.records('Contact');
    const { proposal } = await door.world.call('CreateLead', {
      lastName: 'Twin',
      company: 'Twin AG',
      email: String(contact?.Email),
    });
    await using person = await signedIn(browser, door, 'approver');
    const { page } = person;
    await page.goto(`${door.url}/approvals/${proposal?.id}`);
    expect(await page.locator('input[name="choice"]:checked').count()).toBe(0);
    await page.getByRole('button', { name: 'Approve' }).click();
    expect((await door.world.app.approvals.inspect(proposal?.id ?? '')).proposal.state).toBe('pending');
    await page.locator('input[name="choice"]').first().check();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('It ran, and Salesforce took it.').waitFor();
    expect((await door.world.records('Lead')).some(({ LastName }) => LastName === 'Twin')).toBe(false);
  });

  it('shows hostile text as text: nothing runs, nothing is hidden, nothing leads away [A7]', async () => {
    const hostile = [
      `</td></table><script>alert('one')</script><img src=x onerror="alert('two')">`,
      `"><svg onload=alert('three')><a href="javascript:alert('four')">Approved already</a>`,
      '<style>.primary{display:none}</style><meta http-equiv=refresh content="0;url=https://evil.example">',
    ].join(' ');
    const { id } = await proposeMove(door.world, { nextStep: hostile.slice(0, 255) });
    await using person = await signedIn(browser, door, 'approver');
    const { page, complaints } = person;
    for (const path of ['/approvals', `/approvals/${id}`, `/bots/${encodeURIComponent(hostile)}`]) {
      await page.goto(`${door.url}${path}`);
      expect(await page.locator('main script, main img, main style, main meta, main svg').count()).toBe(0);
      expect(await page.locator('a[href^="javascript:"]').count()).toBe(0);
    }
    await page.goto(`${door.url}/approvals/${id}`);
    expect(await page.getByRole('button', { name: 'Approve' }).isVisible()).toBe(true);
    expect(complaints.filter((line) => !line.includes('404'))).toEqual([]);
  });

  it('notices when somebody else decides while the page is open [C5]', async () => {
    const { id } = await proposeMove(door.world, { nextStep: 'Ask again' });
    await using person = await signedIn(browser, door, 'approver');
    const { page } = person;
    await page.goto(`${door.url}/approvals/${id}`);
    await page.getByRole('button', { name: 'Approve' }).waitFor();
    await door.world.approve(id);
    await page.getByText('It ran, and Salesforce took it.').waitFor({ timeout: 10_000 });
  });

  it('refuses a form of another site although the browser brings the cookie of a neighbour port [C3]', async () => {
    const { id } = await proposeMove(door.world, { nextStep: 'Forged' });
    await using person = await signedIn(browser, door, 'admin');
    const { page } = person;
    await using other = await openDoor();
    // Same host, other port: for cookies one site, so only Origin and the token stand between.
    await page.route(`${other.url}/**`, (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form method="post" action="${door.url}/approvals/${id}"><input name="answer" value="approve"><button>Win</button></form>`,
      }),
    );
    await page.goto(`${other.url}/prize`);
    await page.getByRole('button', { name: 'Win' }).click();
    await page.getByText('Pages of another site may not call Gatehouse.').waitFor();
    expect((await door.world.app.approvals.inspect(id)).proposal.state).toBe('pending');
  });
});
