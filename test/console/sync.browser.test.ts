import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { shippedPolicy } from '../../permissions/policy.ts';
import { type App, createApp } from '../../src/app/app.ts';
import { type Listening, listen } from '../../src/http/server.ts';
import { readConfig } from '../../src/runtime/config.ts';
import { describeInChromium } from '../support/browser.ts';
import { signedInBy } from '../support/console.ts';
import { checkPage } from '../support/page-checks.ts';
import { ORG, soapMessage } from '../sync/soap.ts';

const HOSTILE = '<img src=x onerror=alert(1)>\u202e javascript:alert(1)';

/** What a screen reader says of a button after its name. */
const wordsOf = (button: Locator) =>
  button.evaluate((one) => one.ownerDocument.getElementById(one.getAttribute('aria-describedby') ?? '')?.textContent);

describeInChromium("the sync's pages", (browser) => {
  let app: App;
  let sync: Awaited<ReturnType<App['sync']>>;
  let door: Listening;
  let folder: string;
  let key: string;

  const org = () => app.connections.open('desk', { signal: AbortSignal.timeout(50_000) });
  const settle = async () => sync.runner.runAllDue('desk', await org());
  const party = (id: string, fields: Readonly<Record<string, string | null>>) =>
    sync.hosts.put('desk', 'party', [{ id, fields }]);
  const ask = async (method: string, at: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const answer = await fetch(`${door.url}${at}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    // biome-ignore lint/suspicious/noExplicitAny: bodies of answers
    return (await answer.json()) as any;
  };
  const contactOf = async (email: string) => {
    const { records } = await (await org()).query(`SELECT Id, Phone, Department FROM Contact WHERE Email = '${email}'`);
    return records[0] ?? {};
  };

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-test-'));
    app = await createApp(readConfig({ GATEHOUSE_DATA: folder, GATEHOUSE_LOG: 'silent' }));
    await app.store.bots.create({
      name: 'desk',
      audience: 'internal',
      profile: 'internal',
      createdAt: app.now(),
      grants: ['READ_ACCOUNT', 'SYNC_PARTY', 'SYNC_CASE'],
      policy: shippedPolicy('internal'),
    });
    await app.connections.connect('desk', { flow: 'simulated' });
    await app.access.createOperator('ada', 'admin');
    key = await app.access.createOperator('bo', 'admin');
    await app.access.createOperator('vic', 'viewer');
    sync = await app.sync();
    await party('ana', { email: 'ana@example.com', name: 'Ana Lim', phone: '555-0100', jobTitle: HOSTILE });
    await settle();
    // Both sides change the same field between two passes.
    const { Id } = await contactOf('ana@example.com');
    await (await org()).patch('Contact', String(Id), { Phone: '555-0111' });
    await party('ana', { phone: '555-0122' });
    // Read anew, as after any hint: a pass trusts for minutes what it has just written itself.
    await sync.manualLinks.retry('desk', (await org()).orgId, 'party', ['ana']);
    for (let n = 1; n <= 6; n++) await party(`nameless-${n}`, { email: `n${n}@example.com` });
    for (const name of ['One', 'Two'])
      await (await org()).create(
        'Contact',
        { LastName: `Twin ${name}`, Email: 'twin@example.com' },
        { allowDuplicates: true },
      );
    await party('twin', { email: 'twin@example.com', name: 'Twin Who' });
    await party('cleo', { email: 'cleo@example.com', name: 'Cleo Ruiz', company: 'Nowhere Ltd', department: 'Legal' });
    await sync.hosts.put('desk', 'case', [{ id: 'c1', fields: { title: HOSTILE, status: 'resolved' } }]);
    await settle();
    const { routes, mark: syncHead } = sync;
    door = await listen({ ...app, routes, syncHead }, { host: '127.0.0.1', port: 0 });
  }, 90_000);
  afterAll(async () => {
    await door?.close();
    await app?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const signedIn = async (name = 'ada') => {
    const link = await app.access.signInToken(name);
    return signedInBy(browser, door.url, link, { viewport: { width: 1280, height: 800 } });
  };

  it('retries the six that failed in two presses: each kind of problem has its cure and its count [W5] [S5]', async () => {
    await using person = await signedIn();
    const { page, press } = person;
    await press(page.getByRole('link', { name: 'Sync', exact: true }));
    await page.getByText('Nowhere Ltd').first().waitFor();
    await press(page.getByRole('button', { name: 'Retry 6' }));
    await page.getByText('6 are tried again now.').waitFor();
    expect(person.presses()).toBe(2);
    await page.getByRole('link', { name: 'Show' }).first().click();
    await page.getByRole('link', { name: 'Person nameless-6' }).waitFor();
    expect(await page.getByRole('link', { name: /^Person / }).count()).toBe(6);
  });

  it('restores a value that lost a conflict in five presses [W5] [S4]', async () => {
    await using person = await signedIn();
    const { page, press } = person;
    await press(page.getByRole('link', { name: 'Sync', exact: true }));
    await press(page.getByRole('link', { name: 'Conflicts only' }));
    await press(page.getByRole('link', { name: 'Open the entry of ana' }).first());
    await press(page.getByRole('button', { name: 'Restore…' }));
    const lost = (await page.getByRole('dialog').textContent())?.match(/555-01\d\d/)?.[0];
    await press(page.getByRole('button', { name: 'Yes, put it back' }));
    await page.getByText('Put back.').waitFor();
    expect(person.presses()).toBe(5);
    await settle();
    expect((await contactOf('ana@example.com')).Phone).toBe(lost);
  });

  it('maps a field from a suggestion with a preview, in five presses, and tells who saved meanwhile [S2] [W4]', async () => {
    await using person = await signedIn();
    const { page, press } = person;
    await press(page.getByRole('link', { name: 'Sync', exact: true }));
    await press(page.getByRole('link', { name: 'Mapping of people' }));
    await page.getByText('Would send:').first().waitFor();
    await press(page.getByRole('button', { name: 'Suggest' }));
    const offered = page.getByRole('region', { name: 'Suggestions' });
    expect(await offered.getByRole('checkbox', { name: /department/ }).isChecked()).toBe(true);
    await checkPage(page, 'suggestions');
    await press(page.getByRole('button', { name: 'Save as version 1' }));
    await page.getByText('Saved as version 1').waitFor();
    expect(person.presses()).toBeLessThanOrEqual(5);
    await settle();
    expect((await contactOf('cleo@example.com')).Department).toBe('Legal');
    // A field by its label, with the keys of a list of suggestions alone.
    const field = page.getByRole('combobox', { name: 'Salesforce field of jobTitle' });
    await field.fill('assistant');
    await page
      .getByRole('option', { name: /Assistant/ })
      .first()
      .waitFor();
    await field.press('ArrowDown');
    await field.press('Enter');
    expect(await field.inputValue()).toMatch(/^Assistant/);
    // Somebody else saves the mapping of now again.
    const { mapping, version } = await ask('GET', '/api/bots/desk/mappings/party');
    expect(await ask('PUT', '/api/bots/desk/mappings/party', { mapping, version })).toMatchObject({ version: 2 });
    await page.getByRole('button', { name: 'Save as version 2' }).click();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('saved version 2 while you edited').waitFor();
    expect(await field.inputValue()).toMatch(/^Assistant/);
  });

  it('runs everything as a batch that shows how far it is, and cancels a scheduled one [W5] [S3]', async () => {
    await using person = await signedIn();
    const { page } = person;
    await page.goto(`${door.url}/bots/desk/sync`);
    await page.getByRole('button', { name: 'Sync everything…' }).click();
    await checkPage(page, 'start dialog');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('Started: 9 people.').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('Running', { exact: true }).waitFor();
    await sync.batches.work('desk', await org());
    await page.getByRole('region', { name: 'Batches' }).getByText('Done', { exact: true }).waitFor();
    await page.getByText('9 of 9').waitFor();
    await page.getByRole('button', { name: 'Sync everything…' }).click();
    await page.getByLabel('At a time').check();
    await page.getByLabel('Day and time').fill('2099-01-01T02:00');
    await page.getByRole('button', { name: 'Schedule it' }).click();
    await page.getByText('Scheduled', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Cancel…' }).click();
    await page.getByRole('button', { name: 'Cancel the batch' }).click();
    await page.getByText('Cancelled', { exact: true }).waitFor();
  });

  it('repeats a batch by the clocks of a zone in five presses, says when the next one is here and there, and ends it [W5]', async () => {
    await using person = await signedIn();
    const { page, press } = person;
    await press(page.getByRole('link', { name: 'Sync', exact: true }));
    await press(page.getByRole('button', { name: 'Sync everything…' }));
    await press(page.getByLabel('Again and again'));
    await page.getByRole('combobox', { name: /^Every/ }).selectOption('Monday');
    await page.locator('input[name="at"]').fill('02:30');
    await page.getByLabel('Time zone').fill('Mars/Base');
    await checkPage(page, 'repeat dialog');
    await press(page.getByRole('button', { name: 'Repeat it' }));
    await page.getByRole('alert').getByText('a time zone by its name', { exact: false }).first().waitFor();
    await page.getByLabel('Time zone').fill('Asia/Tokyo');
    await press(page.getByRole('button', { name: 'Repeat it' }));
    const batches = page.getByRole('region', { name: 'Batches' });
    await batches.getByText('Every Monday at 02:30, Asia/Tokyo').waitFor();
    // 02:30 on a Monday in Tokyo is 17:30 on Sunday for a reader in UTC.
    await batches.getByText(/Mon.*02:30 in Asia\/Tokyo \(Sun.*17:30 for you\)/).waitFor();
    expect(person.presses()).toBe(5);
    await batches.getByRole('button', { name: 'Pause' }).click();
    await batches.getByText('Paused', { exact: true }).waitFor();
    await batches.getByRole('button', { name: 'Resume' }).click();
    await batches.getByText('Scheduled', { exact: true }).waitFor();
    await batches.getByRole('button', { name: 'Cancel…' }).click();
    await checkPage(page, 'end repeating dialog');
    await page.getByRole('button', { name: 'End it' }).click();
    await page.getByText('Cancelled. What was done stays.').waitFor();
    expect(
      (await ask('GET', '/api/bots/desk/sync/batches')).batches.map(({ state }: { state: string }) => state),
    ).not.toContain('scheduled');
  });

  it('sets quiet hours in three presses, says while they last what still goes, and ends them [W5]', async () => {
    await using person = await signedIn();
    const { page, press } = person;
    await press(page.getByRole('link', { name: 'Sync', exact: true }));
    await press(page.getByRole('button', { name: 'Set quiet hours…' }));
    await page.getByLabel('From').fill('00:00');
    await page.getByLabel('Until').fill('23:59');
    await page.getByLabel('Time zone').fill('Etc/UTC');
    await checkPage(page, 'quiet hours dialog');
    await press(page.getByRole('button', { name: 'Save' }));
    await page.getByText('00:00 to 23:59, Etc/UTC').waitFor();
    expect(person.presses()).toBe(3);
    await page.getByText('Quiet hours until').waitFor();
    await page.getByText('What you press here goes at once.').waitFor();
    await checkPage(page, 'in quiet hours');
    await page.getByRole('button', { name: 'Change quiet hours…' }).click();
    await page.getByRole('button', { name: 'No quiet hours' }).click();
    await page.getByText('none: the sync works at any time').waitFor();
    expect(await ask('GET', '/api/bots/desk/sync')).not.toHaveProperty('quietHours');
  });

  it('lets a person say who is meant, and which company [W5] [sync-P2]', async () => {
    await using person = await signedIn();
    const { page } = person;
    await page.goto(`${door.url}/bots/desk/sync/links`);
    await page.getByLabel('Find a person or case').fill('twin@');
    await page.getByRole('link', { name: 'Person twin' }).first().click();
    await page.getByText('Several could be meant').first().waitFor();
    await page.getByRole('button', { name: 'Link…' }).click();
    await page.getByRole('dialog').getByText('Twin Two').waitFor();
    await checkPage(page, 'choose dialog');
    await page.getByRole('searchbox', { name: /Look for a Contact/ }).fill('Twin T');
    const two = page.getByRole('dialog').getByRole('listitem').filter({ hasText: 'Twin Two' });
    await two.getByRole('button', { name: 'Link' }).click();
    await page.getByText('Linked. Both sides are compared').waitFor();
    await page.getByRole('button', { name: 'Unlink…' }).waitFor();
    // A second one who means the same record: it is taken over, or left out.
    await party('rival', { email: 'ana@example.com', name: 'Ana Rival' });
    await settle();
    await page.goto(`${door.url}/bots/desk/sync/links/party/rival`);
    await page.getByRole('button', { name: 'Leave out…' }).waitFor();
    await page.getByRole('button', { name: 'Link…' }).click();
    await checkPage(page, 'take-over dialog');
    await page.getByRole('dialog').getByRole('button', { name: 'Take it from ana' }).click();
    await page.getByText('Linked; ana has no record now.').waitFor();
    await page.getByRole('button', { name: 'Unlink…' }).waitFor();
    // On the page of one who waits for a company, as among the problems.
    await page.goto(`${door.url}/bots/desk/sync/links/party/cleo`);
    await page.getByText('It is in step without it.').waitFor();
    await checkPage(page, 'who waits for a company');
    await page.getByRole('button', { name: 'Choose…' }).click();
    await page.getByRole('searchbox', { name: /Look for an Account/ }).fill('acme');
    await page.getByRole('dialog').getByRole('button', { name: 'Choose' }).first().click();
    await page.getByText('Chosen. Who waited for it follows.').waitFor();
  });

  it('makes the address for outbound messages, and turns green when one arrives [S1] [W5]', async () => {
    await using person = await signedIn();
    const { page } = person;
    await page.goto(`${door.url}/bots/desk/sync/events`);
    await page.getByRole('button', { name: 'Make an address' }).click();
    const url = await page.getByText('/api/webhooks/salesforce/').textContent();
    await page.getByText('Waiting for a test message…').waitFor();
    await checkPage(page, 'waiting for a message');
    const { Id } = await contactOf('ana@example.com');
    const sent = await fetch(new URL(new URL(String(url)).pathname, door.url), {
      method: 'POST',
      headers: { 'content-type': 'text/xml' },
      body: soapMessage([String(Id)], '', (await org()).orgId ?? ORG),
    });
    expect(sent.status).toBe(200);
    await page.getByText('Messages arrive.').waitFor();
    await page.getByRole('textbox', { name: /^Object/ }).fill('Account');
    await page.getByRole('textbox', { name: /^Fields/ }).fill('Name, Nonsense');
    await page.getByRole('button', { name: 'Subscribe' }).click();
    await page.getByRole('alert').getByText('Nonsense').first().waitFor();
    await page.getByRole('textbox', { name: /^Fields/ }).fill('Name');
    await page.getByRole('button', { name: 'Subscribe' }).click();
    await page.getByText('told of every change of Account').waitFor();
  });

  it('makes the token for Flow callouts, and turns green when one arrives, the other door staying as it is [I3] [W5]', async () => {
    await using person = await signedIn();
    const { page, press } = person;
    await page.goto(`${door.url}/bots/desk/sync/events`);
    await page.getByRole('button', { name: 'Make a token' }).click();
    const card = page.getByRole('region', { name: 'A Flow calls us' });
    const token = await card.getByRole('status').locator('code').textContent();
    await card.getByText('Waiting for a test callout…').waitFor();
    await press(card.locator('summary'));
    await checkPage(page, 'waiting for a callout');
    const { Id } = await contactOf('ana@example.com');
    const sent = await fetch(`${door.url}/api/webhooks/salesforce`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ eventId: 'e', orgId: (await org()).orgId, object: 'Contact', recordId: Id }),
    });
    expect(sent.status).toBe(200);
    await card.getByText('Callouts arrive.').waitFor();
    await page.reload();
    await card.getByText('Callouts arrive.').waitFor();
    expect(await card.textContent()).not.toContain(String(token));
    await card.getByRole('button', { name: 'New token…' }).waitFor();
  });

  it('says on the bot’s own page what is ready, shows one of it, and brings it into step [W1] [W5]', async () => {
    await using person = await signedIn();
    const { page } = person;
    await party('fresh', { email: 'fresh@example.com', name: 'Fresh Start' });
    await page.goto(`${door.url}/bots/desk`);
    await page.getByText('1 person is ready: preview one, then start.').waitFor();
    await checkPage(page, 'the bot, with records that wait');
    await page.getByRole('link', { name: 'Preview one' }).click();
    await page.getByText('no Contact holds it yet').waitFor();
    await page.getByText('Fresh Start').first().waitFor();
    await page.getByRole('button', { name: 'Sync now' }).click();
    await page.getByText('In step: Contact created.').waitFor();
    await page.getByText('created in Salesforce').waitFor();
  });

  it('edits the transforms of a rule with its preview beside them, and says why one is refused [S2] [W4]', async () => {
    await using person = await signedIn();
    const { page, press } = person;
    await party('tara', { email: 'tara@example.com', name: 'Tara Nell', location: ' ROMA ' });
    await page.goto(`${door.url}/bots/desk/mappings/party?sample=tara`);
    const rule = page.locator('.rule').filter({ hasText: 'Transforms of location' });
    await rule.getByText('Would send:').waitFor();
    await press(rule.locator('summary'));
    await rule.getByLabel('Add a transform').selectOption('Leave out spaces at both ends');
    await rule.getByLabel('Add another').selectOption('Take one value for another');
    await rule.getByText('is none of the values that the rule knows').waitFor();
    await rule.getByLabel('Host value 1', { exact: true }).fill('roma');
    await rule.getByLabel('Salesforce value 1', { exact: true }).fill('Rome');
    await rule.getByText('Would send: MailingCity Rome').waitFor();
    await checkPage(page, 'transforms');
    // A name in two parts would write FirstName, which another rule writes already.
    await rule.getByLabel('Add another').selectOption('Part a name in first and last');
    await rule.getByRole('status').filter({ hasText: 'FirstName' }).waitFor();
    await checkPage(page, 'a refused transform');
    await press(rule.getByRole('button', { name: 'Take out step 3 of location' }));
    await rule.getByRole('status').filter({ hasText: 'FirstName' }).waitFor({ state: 'detached' });
    await press(rule.getByRole('button', { name: 'Move up step 2 of location' }));
    // The list is asked before the spaces are gone, and forgives them.
    await rule.getByText('Would send: MailingCity Rome').waitFor();
    await press(page.getByRole('button', { name: /Save as version/ }));
    await page.getByText(/Saved as version/).waitFor();
    expect(person.presses()).toBe(4);
    await settle();
    const { records } = await (await org()).query("SELECT MailingCity FROM Contact WHERE Email = 'tara@example.com'");
    expect(records[0]?.MailingCity).toBe('Rome');
  });

  it('shows a viewer fields without values, and says why a button is off [W5] [P4]', async () => {
    await using person = await signedIn('vic');
    const { page, complaints } = person;
    await page.goto(`${door.url}/bots/desk/sync/links/party/ana`);
    await page.getByText('Values are masked').first().waitFor();
    await page.getByText('•••').first().waitFor();
    expect(await page.locator('main').textContent()).not.toMatch(/555-01|Lim/);
    const retry = page.getByRole('button', { name: 'Sync now' });
    expect(await retry.isDisabled()).toBe(true);
    expect(await wordsOf(retry)).toContain('MANAGE_MAPPINGS');
    await checkPage(page, 'a viewer');
    await page.goto(`${door.url}/bots/desk/mappings/party`);
    await page.getByText('this needs MANAGE_MAPPINGS').first().waitFor();
    expect(complaints).toEqual([]);
  });

  it('sends one person by hand where the host app has sent none: nobody needs a terminal to try it [P8] [W5]', async () => {
    await app.store.bots.create({
      name: 'fresh',
      audience: 'internal',
      profile: 'internal',
      createdAt: app.now(),
      grants: ['SYNC_PARTY'],
      policy: shippedPolicy('internal'),
    });
    await app.connections.connect('fresh', { flow: 'simulated' });
    await using viewer = await signedIn('vic');
    await viewer.page.goto(`${door.url}/bots/fresh/sync`);
    const closed = viewer.page.getByRole('button', { name: 'Try with a person…' });
    expect(await closed.isDisabled()).toBe(true);
    expect(await wordsOf(closed)).toContain('which an admin has');
    await using person = await signedIn();
    const { page } = person;
    await page.goto(`${door.url}/bots/fresh/sync`);
    await page.getByRole('button', { name: 'Try with a person…' }).click();
    await page.getByLabel('Name').fill('Tia Try');
    await page.getByLabel('Email').fill('tia@example.com');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: /try-1/ }).waitFor();
    await checkPage(page);
    await page.getByRole('button', { name: 'Sync now' }).click();
    await expect.poll(async () => (await contactOf('tia@example.com')).Id, { timeout: 30_000 }).toBeTypeOf('string');
    // What is there is the host app's: it is not overwritten from here.
    const again = await ask('POST', '/api/bots/fresh/records/party', { externalId: 'try-1', name: 'Somebody Else' });
    expect(again.error).toMatchObject({ code: 'duplicate', fields: [{ name: 'externalId' }] });
    expect(person.complaints).toEqual([]);
  });
});
