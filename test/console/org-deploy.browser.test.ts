import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium } from '../support/browser.ts';
import { openDeployHouse } from '../support/deploy-house.ts';

/** The org is a server of its own, with a login page in between, as Salesforce is. */
describeInChromium('deploying a package', (browser) => {
  let house: Awaited<ReturnType<typeof openDeployHouse>>;
  beforeAll(async () => {
    house = await openDeployHouse();
  }, 60_000);
  afterAll(() => house?.[Symbol.asyncDispose]());

  const signedIn = async (name: string) => {
    const page = await (await browser.context()).newPage();
    await page.goto(`${house.door.url}/sign-in#${(await house.app.access.signInToken(name)).token}`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    return page;
  };

  it('an admin signs in to Salesforce, sees what it would change, and says yes; the sign-in is over then [B5] [W1]', async () => {
    const page = await signedIn('ada');
    await page.goto(`${house.door.url}/bots/desk/org?view=package`);
    const card = page.getByRole('region', { name: 'From here' });
    await card.getByRole('button', { name: 'Deploy it from here' }).click();
    await card.getByRole('button', { name: 'Sign in to Salesforce' }).click();
    await page.getByRole('heading', { name: 'Simulated org' }).waitFor();
    expect(new URL(page.url()).origin).toBe(house.org.url);
    await page.getByRole('radio').first().check();
    await page.getByRole('button', { name: 'Log in and allow' }).click();
    await page.waitForURL(/view=package&deployment=/);
    await card.getByText('Tried: waits for a yes').waitFor();
    await card.getByText('admin@sim.example').waitFor();
    await card
      .getByRole('table', { name: 'What it would change' })
      .getByText(/PermissionSet Gatehouse_desk/)
      .waitFor();
    expect(await house.asked()).toBe(1);

    const viewer = await house.person('bob');
    const other = await signedIn(viewer.name);
    await other.goto(page.url());
    const theirs = other.getByRole('region', { name: 'From here' }).getByRole('button', { name: 'Deploy and assign…' });
    await theirs.waitFor();
    expect(await theirs.isDisabled()).toBe(true);

    await card.getByRole('button', { name: 'Deploy and assign…' }).click();
    const asked = page.getByRole('dialog');
    await asked.getByText(/00D\w{15}/).waitFor();
    await asked.getByRole('button', { name: 'Not now' }).click();
    expect(await house.asked()).toBe(1);
    await card.getByRole('button', { name: 'Deploy and assign…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Deploy', exact: true }).click();
    await card.getByText('Deployed', { exact: true }).waitFor();
    await card.getByText('assigned', { exact: true }).waitFor();
    expect([await house.asked(), await house.revoked()]).toEqual([2, 1]);
  });

  it('says in words that somebody signed in who may not deploy, and lets one begin again [B5] [W1]', async () => {
    const page = await signedIn('ada');
    await page.goto(`${house.door.url}/bots/desk/org?view=package`);
    const card = page.getByRole('region', { name: 'From here' });
    await card.getByRole('button', { name: 'Begin again' }).click();
    await card.getByRole('button', { name: 'Sign in to Salesforce' }).click();
    await page.getByRole('radio').last().check();
    await page.getByRole('button', { name: 'Log in and allow' }).click();
    await page.waitForURL(/view=package&deployment=/);
    await card.getByText(/limited@sim.example may not do this in the org/).waitFor();
    await card.getByText(/sign in as an administrator/).waitFor();
    await card.getByRole('button', { name: 'Begin again' }).waitFor();
  });
});
