import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FrameLocator, Page } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { listen } from '../../src/http/server.ts';
import { describeInChromium, type SharedBrowser, visit } from '../support/browser.ts';
import { type Door, openDoor } from '../support/door.ts';
import { createWorld, signFor, type World } from '../support/world.ts';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true };
/** Set to a folder to look at what the tests see. */
const SHOTS = process.env.GATEHOUSE_TEST_SHOTS;

describeInChromium('the chat page', (browser) => {
  const open: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
  });

  const opened =
    (chat: Partial<Policy['chat']> = {}) =>
    (policy: Policy) => ({
      ...policy,
      chat: { page: true, frameOrigins: [], anonymous: true, perMinute: 100, ...chat },
    });
  const openChat = async (policy: (policy: Policy) => Policy = opened()): Promise<Door> => {
    const door = await openDoor({ policy });
    open.push(door);
    return door;
  };
  /** Somebody with a browser of their own. Whatever a script or the policy of the page complains of is kept. */
  const visitor = async (options: Parameters<SharedBrowser['context']>[0] = {}) => {
    const one = await visit(browser, options);
    open.push(one);
    return one;
  };
  const say = async (page: Page, text: string) => {
    await page.getByLabel('Your message').fill(text);
    // While the bot still speaks nothing is sent, and the words stay where they are.
    await page.locator('[data-send]').waitFor();
    await page.keyboard.press('Enter');
  };
  /** Words in the talk itself; screen readers have a copy of their own. */
  const said = (page: Page | FrameLocator, words: string | RegExp) =>
    page.locator('[data-log]').getByText(words).first();
  const card = (page: Page) => page.getByRole('group', { name: /Update the opportunity/ });
  const shot = async (page: Page, name: string) => {
    if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/${name}.png` });
  };
  /** Another site, on a name that browsers count as another one. */
  const openSite = async () => {
    let page = '';
    const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(page));
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    open.push({ [Symbol.asyncDispose]: async () => void server.close().closeAllConnections() });
    const { port } = server.address() as AddressInfo; // a TCP server that listens has one
    return {
      origin: `http://localhost:${port}`,
      show: (html: string) => {
        page = html;
      },
    };
  };
  const stage = async (world: World) =>
    (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-456')?.StageName;
  const isFocused = (page: Page, words: string) =>
    page.evaluate(`document.activeElement.textContent.trim() === ${JSON.stringify(words)}`);

  it('makes a lead of a visitor on a phone, asking for what is missing [T1] [T3]', async () => {
    const door = await openChat();
    const { page, complaints } = await visitor(PHONE);
    await page.goto(`${door.url}/chat/demo`);
    await page.getByText('Demo model:').waitFor();
    await page.getByText('Simulated org:').waitFor();
    await shot(page, 'phone-1-hello');
    await page.getByRole('button', { name: 'enterprise plan' }).tap();
    await said(page, 'What is your name, your company and your work email').waitFor();
    await say(page, 'Jane Doe, Initrode, jane@initrode.example');
    await said(page, 'Create a lead').waitFor();
    await said(page, 'is created').waitFor();
    await shot(page, 'phone-2-lead');
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
    expect(await door.world.records('Lead')).toContainEqual(
      expect.objectContaining({ LastName: 'Doe', Company: 'Initrode', Email: 'jane@initrode.example' }),
    );
    expect(complaints).toEqual([]);
  });

  it('shows what would change, and approves by keyboard alone [C2] [C4] [T1]', async () => {
    const door = await openChat();
    const before = await stage(door.world);
    const { page, complaints } = await visitor();
    await page.goto(`${door.url}/chat/demo`);
    await page.keyboard.press('Tab');
    expect(await isFocused(page, 'Skip to the message field')).toBe(true);
    await page.keyboard.press('Enter');
    await page.keyboard.type('Move OPP-456 to Closed Won');
    await page.keyboard.press('Enter');
    await card(page).waitFor();
    expect(await card(page).locator('.was').textContent()).toBe(before);
    expect(await card(page).locator('.becomes').textContent()).toBe('Closed Won');
    // A key that was still on its way down decides nothing.
    await page.keyboard.press('Enter');
    expect(await stage(door.world)).toBe(before);
    expect(await page.locator('[data-aloud]').textContent()).toContain('Needs your yes');
    await shot(page, 'desk-1-card');

    await page.keyboard.press('Tab');
    expect(await isFocused(page, 'Approve')).toBe(true);
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    await page.keyboard.press('Enter');
    await page.locator('.receipt.good').waitFor();
    await said(page, 'is updated').waitFor();
    await shot(page, 'desk-2-done');
    expect(await card(page).count()).toBe(0);
    expect(await stage(door.world)).toBe('Closed Won');
    // Heard without looking: the receipt, and the last word.
    expect(await page.locator('[data-aloud]').textContent()).toContain('is updated');
    // What was said is there again after a reload, as it was.
    const talk = await page.locator('[data-log]').innerText();
    await page.reload();
    await page.locator('.receipt.good').waitFor();
    expect(await page.locator('[data-log]').innerText()).toBe(talk);
    expect(complaints).toEqual([]);
  });

  it('takes a typed yes for words, and a declined card for a no [C4] [C5]', async () => {
    const door = await openChat();
    const before = await stage(door.world);
    const { page } = await visitor({ ...PHONE, colorScheme: 'dark' });
    await page.goto(`${door.url}/chat/demo`);
    await say(page, 'Move OPP-456 to Closed Won');
    await card(page).waitFor();
    await shot(page, 'dark-1-card');
    await say(page, 'yes');
    await said(page, 'a message cannot either').waitFor();
    expect(await stage(door.world)).toBe(before);
    await page.getByRole('button', { name: 'Decline' }).tap();
    await said(page, 'Declined. Nothing was written.').waitFor();
    await shot(page, 'dark-2-declined');
    expect(await stage(door.world)).toBe(before);
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
  });

  it('offers look-alikes as buttons of their own', async () => {
    const door = await openChat();
    const [contact] = await door.world.records('Contact');
    const { page } = await visitor(PHONE);
    await page.goto(`${door.url}/chat/demo`);
    await say(page, 'I am interested in a quote');
    await said(page, 'your work email').waitFor();
    await say(page, `Jane Twin, Twin AG, ${contact?.Email}`);
    await page.getByRole('button', { name: /Use the contact/ }).waitFor();
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    await shot(page, 'phone-3-choices');
    await page.getByRole('button', { name: /Use the contact/ }).tap();
    await page.locator('.receipt.good').waitFor();
    expect((await door.world.records('Lead')).some(({ LastName }) => LastName === 'Twin')).toBe(false);
  });

  it('answers a card that was open while the server was restarted: one write, and the talk goes on [C6] [T1]', async () => {
    const world = await createWorld({ policy: opened() });
    open.push(world);
    const first = await listen(world.app, { host: '127.0.0.1', port: 0 });
    const { page } = await visitor();
    await page.goto(`http://127.0.0.1:${first.port}/chat/demo`);
    await say(page, 'Move OPP-456 to Closed Won');
    await card(page).waitFor();
    await first.close();
    await page.getByText('The connection was lost. Trying again').waitFor();
    await shot(page, 'desk-3-away');

    const second = await listen(await world.again(), { host: '127.0.0.1', port: first.port });
    open.push({ [Symbol.asyncDispose]: () => second.close() });
    await expect.poll(() => page.locator('[data-status]').textContent(), { timeout: 10_000 }).toBe('');
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.locator('.receipt.good').waitFor();
    await said(page, 'is updated').waitFor();
    await say(page, 'What is the status of OPP-456?');
    await said(page, 'is at "Closed Won"').waitFor();
    expect(await stage(world)).toBe('Closed Won');
    const done = await world.app.store.audit.find({ bot: 'demo', event: 'done', limit: 100 });
    expect(done.filter(({ action }) => action === 'UpdateOpportunity')).toHaveLength(1);
  });

  it('keeps one visitor’s talk from another, even with its address [C5]', async () => {
    const door = await openChat();
    const [anna, ben] = [await visitor(), await visitor()];
    await anna.page.goto(`${door.url}/chat/demo`);
    await say(anna.page, 'Move OPP-456 to Closed Won');
    await card(anna.page).waitFor();
    const id = await anna.page.evaluate('localStorage.getItem("gatehouse demo conversation")');
    await ben.page.goto(`${door.url}/chat/demo`);
    await ben.page.evaluate(`localStorage.setItem("gatehouse demo conversation", ${JSON.stringify(id)})`);
    await ben.page.reload();
    await ben.page.getByText('How can I help?').waitFor();
    expect(await card(ben.page).count()).toBe(0);
    await say(ben.page, 'What is the status of OPP-123?');
    await said(ben.page, 'closes').waitFor();
    expect(await ben.page.evaluate('localStorage.getItem("gatehouse demo conversation")')).not.toBe(id);
  });

  it('opens in a frame of a listed site, for the person that the site signed, and in no other [O9] [P4]', async () => {
    const [shop, stranger] = [await openSite(), await openSite()];
    const door = await openChat(opened({ frameOrigins: [shop.origin], anonymous: false }));
    const [account] = await door.world.records('Account');
    const claims = { indexValue: String(account?.Account_Key__c), user: 'anna' };
    const session = await signFor(door.world.app.access, 'demo', claims);
    const { page, complaints } = await visitor();
    for (const site of [shop, stranger])
      site.show(`<h1>Shop</h1><iframe title="Chat" width="390" height="600" src="${door.url}/chat/demo"></iframe><script>
        addEventListener('message', ({ origin, data, source }) => {
          if (origin === '${door.url}' && data.type === 'gatehouse:session-needed')
            source.postMessage({ type: 'gatehouse:session', session: '${session}' }, '${door.url}');
        });</script>`);
    await page.goto(shop.origin);
    const frame = page.frameLocator('iframe');
    await frame.getByLabel('Your message').fill('What is the status of OPP-123?');
    await frame.getByRole('button', { name: 'Send' }).click();
    await said(frame, 'closes').waitFor();
    await shot(page, 'frame');
    expect(complaints).toEqual([]);

    await page.goto(stranger.origin);
    await expect.poll(() => complaints.join()).toContain('frame-ancestors');
    expect(await page.frameLocator('iframe').getByLabel('Your message').count()).toBe(0);
  });

  it('takes the session from the fragment, out of the address at once, and asks for one where there is none', async () => {
    const door = await openChat(opened({ anonymous: false }));
    const session = await signFor(door.world.app.access, 'demo', { indexValue: 'none', user: 'anna' });
    const { page } = await visitor();
    await page.goto(`${door.url}/chat/demo`);
    await page.getByText('This chat opens from the site that it belongs to.').waitFor();
    await say(page, 'Hello');
    await said(page, 'This chat opens only from the site').waitFor();
    expect(await page.getByLabel('Your message').inputValue()).toBe('Hello');
    await page.goto('about:blank');
    await page.goto(`${door.url}/chat/demo#session=${session}`);
    expect(page.url()).toBe(`${door.url}/chat/demo`);
    await say(page, 'What is the status of OPP-123?');
    await said(page, 'closes').waitFor();
  });

  it('says that a colleague decides where policy wants one, and notices when they did [C4]', async () => {
    const door = await openChat((policy) => {
      const rule = policy.actions.UpdateOpportunity;
      if (rule === undefined) throw new Error('the shipped policy has no rule for it');
      return {
        ...opened()(policy),
        actions: { ...policy.actions, UpdateOpportunity: { ...rule, assurance: 'session' } },
      };
    });
    const { page } = await visitor(PHONE);
    await page.goto(`${door.url}/chat/demo`);
    await say(page, 'Move OPP-456 to Closed Won');
    await said(page, 'A colleague decides this.').waitFor();
    await shot(page, 'phone-4-colleague');
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    const [proposal] = await door.world.app.approvals.list({ pending: true });
    await door.world.approve(proposal?.id ?? '');
    await page.locator('.receipt.good').waitFor({ timeout: 10_000 });
    await said(page, 'is updated').waitFor();
    expect(await card(page).count()).toBe(0);
  });

  it('shows hostile text of records and people as text: nothing runs, nothing is hidden [A7]', async () => {
    const door = await openChat();
    const hostile = `</p><script>alert(1)</script><img src=x onerror=alert(2)><a href="javascript:alert(3)">Approve</a>`;
    const { proposal } = await door.world.call('UpdateOpportunity', { reference: 'OPP-456', nextStep: hostile });
    await door.world.approve(proposal?.id ?? '');
    const { page, complaints } = await visitor();
    const mustBeTame = async () => {
      expect(await page.locator('main script, main img').count()).toBe(0);
      // The one link is ours, to the record in the simulated org.
      const links = await page.locator('main a').evaluateAll((all) => all.map((one) => one.getAttribute('href')));
      expect(links).toEqual([expect.stringMatching(/^https?:\/\/[\w.:]+\/simulated-org\/\w+(\/\w+)?$/)]);
    };
    await page.goto(`${door.url}/chat/demo`);
    await say(page, `What is the status of OPP-456? ${hostile}`);
    await said(page, 'next step').waitFor();
    await say(page, 'Set the next step of OPP-456 to: call back');
    await card(page).waitFor();
    expect(await card(page).locator('.was').textContent()).toContain('<script>alert(1)</script>');
    await mustBeTame();
    await page.reload();
    await card(page).waitFor();
    await mustBeTame();
    expect(complaints).toEqual([]);
  });

  it('gives words back that were not taken, and says when to go on', async () => {
    const door = await openChat(opened({ perMinute: 1 }));
    const { page } = await visitor();
    await page.goto(`${door.url}/chat/demo`);
    await say(page, 'Hello');
    await said(page, 'I did not understand that').waitFor();
    await say(page, 'What is the status of OPP-123?');
    await said(page, 'Too many tries in a short time.').waitFor();
    expect(await page.getByLabel('Your message').inputValue()).toBe('What is the status of OPP-123?');
    await shot(page, 'desk-4-limit');
  });
});
