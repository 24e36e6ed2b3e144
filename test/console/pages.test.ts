import { describe, expect, it } from 'vitest';
import { type Given, openDoor, proposeMove } from '../support/door.ts';

const MARKUP = `"><script>alert(1)</script><img src=x onerror=alert(2)>'\`&lt;`;

describe('the approval page', () => {
  it('shows before and after per field with label and API name, reasons, and a link to the record [C2]', async () => {
    await using door = await openDoor();
    const { id, recordId } = await proposeMove(door.world, { amount: 123456, nextStep: 'Call back' });
    const { status, text } = await door.ask('GET', `/approvals/${id}`, { as: await door.signIn('approver') });
    expect(status).toBe(200);
    expect(text).toContain('<code>Amount</code>');
    expect(text).toContain('123,456');
    expect(text).toContain('<code>NextStep</code>');
    expect(text).toContain('Call back');
    expect(text).toContain('UpdateOpportunity is confirmed by a person.');
    expect(text).toContain(recordId);
    expect(text).toContain('data-until=');
    expect(text).toContain('Simulated org');
  });

  it('shows the exact query with its objects, fields and row cap [C2]', async () => {
    await using door = await openDoor();
    const soql = 'SELECT Name, Amount FROM Opportunity WHERE Amount > 10 ORDER BY Amount DESC';
    const { proposal } = await door.world.call('RunSOQL', { soql });
    const { text } = await door.ask('GET', `/approvals/${proposal?.id}`, { as: await door.signIn() });
    expect(text).toContain('WHERE Amount &gt; 10 ORDER BY Amount DESC LIMIT 200');
    expect(text).toContain('<dt>At most</dt><dd>200 rows</dd>');
    expect(text).toContain('non-trivial');
  });

  it('escapes whatever the model, the record or the address bar wrote [A7]', async () => {
    await using door = await openDoor();
    const { id } = await proposeMove(door.world, { nextStep: MARKUP });
    const as = await door.signIn();
    const pages = [
      `/approvals/${id}`,
      '/approvals',
      `/approvals/${encodeURIComponent(MARKUP)}`,
      `/bots/${encodeURIComponent(MARKUP)}`,
      `/sign-in?next=${encodeURIComponent(MARKUP)}`,
      `/bots/demo?salesforce=${encodeURIComponent(MARKUP)}`,
    ];
    for (const path of pages) {
      const { text } = await door.ask('GET', path, { as, headers: { accept: 'text/html' } });
      expect([path, text.includes('<script>alert'), text.includes('<img src=x')]).toEqual([path, false, false]);
      expect(text.match(/<script/g)).toHaveLength(1);
    }
  });

  it('approves, keeps the outcome on the page, and refuses the second press [C5]', async () => {
    await using door = await openDoor();
    const { id, recordId } = await proposeMove(door.world);
    const as = await door.signIn('approver');
    const press = (answer: string, csrf = as.csrf) =>
      door.ask('POST', `/approvals/${id}`, { as, form: { csrf, answer }, headers: { accept: 'text/html' } });
    expect((await press('approve', 'wrong')).status).toBe(403);
    expect((await press('maybe')).status).toBe(400);
    const done = await press('approve');
    expect([done.status, done.headers.get('location')]).toEqual([303, `/approvals/${id}`]);
    const { text } = await door.ask('GET', `/approvals/${id}`, { as });
    expect(text).toContain('It ran, and Salesforce took it.');
    expect(text).toContain(as.name);
    expect(text).not.toContain('value="approve"');
    const again = await press('approve');
    expect(again.status).toBe(409);
    expect(again.text).toContain('it can be decided only once');
    const record = (await door.world.records('Opportunity')).find(({ Id }) => Id === recordId);
    expect(record?.StageName).toBe('Negotiation/Review');
  });

  it('tells a conflict in words when the record changed meanwhile [C5]', async () => {
    await using door = await openDoor();
    const { id, recordId } = await proposeMove(door.world);
    const other = await door.world.call(
      'UpdateOpportunity',
      { id: recordId, stageName: 'Closed Lost' },
      { principal: 'agent:other' },
    );
    await door.world.approve(other.proposal?.id ?? '');
    const as = await door.signIn('approver');
    await door.ask('POST', `/approvals/${id}`, { as, form: { csrf: as.csrf, answer: 'approve' } });
    const { text } = await door.ask('GET', `/approvals/${id}`, { as });
    expect(text).toContain('The record changed since this was prepared, so nothing was written.');
  });

  it('sends only the values that the approver changed, in their own types [C5]', async () => {
    await using door = await openDoor();
    const { id, recordId } = await proposeMove(door.world, { amount: 5000, nextStep: 'Write' });
    const as = await door.signIn('approver');
    const form = {
      csrf: as.csrf,
      answer: 'approve',
      'value.amount': '4200.5',
      'value.nextStep': 'Write',
      'value.id': 'x',
    };
    const shown = await door.ask('POST', `/approvals/${id}`, { as, form });
    expect(shown).toMatchObject({ status: 200, text: expect.stringContaining('not approved yet') });
    const record = async () => (await door.world.records('Opportunity')).find(({ Id }) => Id === recordId);
    expect(await record()).not.toMatchObject({ Amount: 4200.5 });
    const seen = seenIn(shown.text);
    expect((await door.ask('POST', `/approvals/${id}`, { as, form: { ...form, seen } })).status).toBe(303);
    expect(await record()).toMatchObject({ Amount: 4200.5, NextStep: 'Write' });
    const ended = await door.ask('GET', `/approvals/${id}`, { as });
    expect(ended.text).toContain('The approver changed amount.');
    expect(ended.text).not.toContain('The arguments as the model sent them');
  });

  it('approves an edit only as it was shown: another value, or a record that moved on, is shown anew [C2 C5]', async () => {
    await using door = await openDoor();
    const { id, recordId } = await proposeMove(door.world, { amount: 5000 });
    const as = await door.signIn('approver');
    const post = (form: Record<string, string>) =>
      door.ask('POST', `/approvals/${id}`, { as, form: { csrf: as.csrf, answer: 'approve', ...form } });
    const seen = seenIn((await post({ 'value.amount': '6000' })).text);
    expect(await post({ 'value.amount': '900000', seen })).toMatchObject({
      status: 409,
      text: expect.stringContaining('900,000'),
    });
    await door.world.sim('POST', 'records/Opportunity', { Id: recordId, Amount: 1234 });
    const moved = await post({ 'value.amount': '6000', seen });
    expect(moved).toMatchObject({ status: 409, text: expect.stringContaining('1234') });
    expect((await door.world.app.approvals.inspect(id)).proposal.state).toBe('pending');
    expect((await post({ 'value.amount': '6000', seen: seenIn(moved.text) })).status).toBe(303);
    const record = (await door.world.records('Opportunity')).find(({ Id }) => Id === recordId);
    expect(record?.Amount).toBe(6000);
  });

  it('takes a reason with a no, says who will read it, and shows it to people [C5]', async () => {
    await using door = await openDoor();
    const { id } = await proposeMove(door.world);
    const as = await door.signIn('approver');
    const look = async (query = '') => (await door.ask('GET', `/approvals/${id}${query}`, { as })).text;
    expect(await look()).toContain('The bot does not read it.');
    const form = { csrf: as.csrf, answer: 'reject', reason: `Not ${MARKUP}` };
    expect((await door.ask('POST', `/approvals/${id}`, { as, form })).status).toBe(303);
    const text = await look();
    expect(text).toContain('<dt>Reason</dt>');
    expect(text).toContain('Not &quot;&gt;&lt;script&gt;');
    expect(text).not.toContain('while you looked');
    // Who decided needs not be told that somebody did.
    expect(await look('?watched')).not.toContain('while you looked');
    const other = await door.ask('GET', `/approvals/${id}?watched`, { as: await door.signIn('approver') });
    expect(other.text).toContain(`Decided by ${as.name} while you looked.`);
  });

  it('never leaves who asked in a dead end: where they are alone, the audited change is offered [C3 A6]', async () => {
    await using door = await openDoor();
    const { app, bot } = door.world;
    const asked = await door.world.call('UpdateOpportunity', { reference: 'OPP-123', amount: 7 });
    await door.world.approve(asked.proposal?.id ?? '');
    const [row] = await app.store.audit.find({ event: 'done', action: 'UpdateOpportunity', limit: 1 });
    await door.world.setPolicy((policy) => ({ ...policy, proposals: { ...policy.proposals, selfApproval: false } }));
    const as = await door.signIn();
    const { proposal } = await app.approvals.undo(row?.seq ?? 0, `operator:${as.name}`);
    const press = (answer: string) =>
      door.ask('POST', `/approvals/${proposal?.id}`, { as, form: { csrf: as.csrf, answer } });
    const look = async () => (await door.ask('GET', `/approvals/${proposal?.id}`, { as })).text;
    expect(await look()).toContain('value="allow-own"');
    expect(await look()).not.toContain('value="approve"');
    expect((await press('approve')).status).toBe(403);
    await app.access.createOperator('bo', 'approver');
    expect(await look()).toContain('Send the address of this page to another operator.');
    await app.store.operators.remove('bo', door.world.clock.now);
    expect((await press('allow-own')).status).toBe(303);
    expect(await app.store.audit.find({ bot, event: 'policy_saved', limit: 1 })).toMatchObject([
      { principal: `operator:${as.name}`, channel: 'console' },
    ]);
    expect((await press('approve')).status).toBe(303);
    expect((await app.approvals.inspect(proposal?.id ?? '')).proposal.state).toBe('done');
  });

  it('gives viewers the page without the buttons, and refuses their press [P4]', async () => {
    await using door = await openDoor();
    const { id } = await proposeMove(door.world);
    const as = await door.signIn('viewer');
    const { text } = await door.ask('GET', `/approvals/${id}`, { as });
    expect(text).toContain('You can look, but not decide.');
    expect(text).not.toContain('value="approve"');
    const form = { csrf: as.csrf, answer: 'approve' };
    expect((await door.ask('POST', `/approvals/${id}`, { as, form })).status).toBe(403);
  });
});

describe('connecting', () => {
  it('says first what will be read and written and what the user needs [O1]', async () => {
    await using door = await openDoor({ grants: ['CREATE_LEAD'] });
    const { json } = await door.ask('GET', '/api/bots/demo/integration/reach', { as: await door.signIn() });
    expect(json).toMatchObject({ writes: ['Lead'], callback: `${door.url}/oauth/callback`, isSimulated: true });
    expect(json.needs).toContain('Create on Lead.');
    expect(JSON.stringify(json)).not.toContain('Opportunity');
  });

  it('needs a signed-in admin and the token of the session [O8]', async () => {
    await using door = await openDoor();
    const asPerson = await door.ask('GET', '/connect/demo', { headers: { accept: 'text/html' } });
    expect([asPerson.status, asPerson.headers.get('location')]).toEqual([303, '/sign-in?next=%2Fconnect%2Fdemo']);
    expect((await door.ask('GET', '/connect/demo')).json).toMatchObject({ error: { code: 'unauthenticated' } });
    const connect = (given: Given, bot = 'demo') =>
      door.ask('POST', `/api/bots/${bot}/integration/connect`, { json: {}, ...given });
    expect((await connect({})).status).toBe(401);
    const approver = await door.signIn('approver');
    expect((await connect({ as: approver })).status).toBe(403);
    expect((await door.ask('GET', '/oauth/callback?code=a&state=b', { as: approver })).status).toBe(403);
    const as = await door.signIn();
    expect((await connect({ as, headers: { 'x-csrf-token': 'no' } })).status).toBe(403);
    expect((await connect({ as }, 'nobody')).status).toBe(404);
    // A key is not a person in front of a browser, and cannot come back from Salesforce.
    expect((await connect({ key: await door.operatorKey('admin') })).status).toBe(403);
    expect((await door.ask('GET', '/connect/demo', { key: await door.operatorKey('admin') })).status).toBe(401);
  });

  it('connects, tests and disconnects the simulated org [O1] [O6]', async () => {
    await using door = await openDoor();
    const as = await door.signIn();
    const integration = (method: string, path = '') =>
      door.ask(method, `/api/bots/demo/integration${path}`, { as, ...(method === 'POST' ? { json: {} } : {}) });
    expect((await integration('POST', '/connect')).json).toEqual({ url: '/bots/demo?salesforce=success' });
    const { json: bot } = await door.ask('GET', '/api/bots/demo', { as });
    expect(bot.connection).toMatchObject({ state: 'connected', environment: 'simulated' });
    expect((await integration('POST', '/test')).json).toMatchObject({ works: true });
    const audit = await door.ask('GET', '/api/audit?event=connected', { as });
    expect(audit.json.rows).toMatchObject([{ bot: 'demo', principal: `operator:${as.name}`, channel: 'console' }]);
    expect((await integration('DELETE')).json).toEqual({ revoked: true });
    const failed = await integration('POST', '/test');
    expect([failed.status, failed.json.error.code]).toEqual([403, 'not_connected']);
  });
});

describe('the shell', () => {
  it('is the same for every console address, holds nothing of anybody, and its files never change under their names', async () => {
    await using door = await openDoor();
    const as = await door.signIn('viewer');
    const pages = await Promise.all(['/', '/bots', '/bots/demo'].map((path) => door.ask('GET', path, { as })));
    expect(new Set(pages.map(({ text }) => text)).size).toBe(1);
    expect(pages[0]?.text).not.toContain(as.name);
    const headers = pages[0]?.headers;
    expect(headers?.get('cache-control')).toBe('no-store');
    expect(headers?.get('content-security-policy')).toContain("script-src 'self'");
    const files = [...(pages[0]?.text ?? '').matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(
      ([, file]) => file ?? '',
    );
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const asset = await door.ask('GET', file, { headers: { 'accept-encoding': 'br' } });
      expect([asset.status, asset.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
      expect(asset.headers.get('content-encoding')).toBe('br');
    }
    for (const name of ['..%2f..%2fpackage.json', 'manifest.json', 'console-AAAAAAAA.js'])
      expect((await door.ask('GET', `/assets/${name}`)).status).toBe(404);
  });

  it('tells who is signed in, to a browser alone', async () => {
    await using door = await openDoor();
    const as = await door.signIn('approver');
    const { json } = await door.ask('GET', '/api/session', { as });
    expect(json).toMatchObject({ operator: { name: as.name, role: 'approver' }, csrf: as.csrf, isSimulated: true });
    expect(json.permissions).toEqual(['READ_INTEGRATIONS', 'DECIDE_PROPOSALS', 'READ_LOGS']);
    expect((await door.ask('GET', '/api/session', { key: await door.operatorKey('admin') })).status).toBe(403);
  });

  it('makes bots for a signed-in admin, with their keys once, and no bot twice', async () => {
    await using door = await openDoor();
    const as = await door.signIn();
    const make = (json: object, given: Given = { as }) => door.ask('POST', '/api/bots', { json, ...given });
    const made = await make({ name: 'shop', profile: 'public' });
    expect(made).toMatchObject({ status: 201, json: { bot: 'shop', grants: ['CREATE_LEAD', 'READ_ACCOUNT'] } });
    expect(made.json.key).toMatch(/^gha_/);
    expect((await make({ name: 'shop' })).status).toBe(409);
    expect((await make({ name: 'No Such' })).status).toBe(400);
    expect((await make({ name: 'other' }, { as: await door.signIn('approver') })).status).toBe(403);
    expect((await make({ name: 'other' }, { key: await door.operatorKey('admin') })).status).toBe(403);
    const { json } = await door.ask('GET', '/api/bots', { as: await door.signIn('viewer') });
    expect(json.bots.map(({ name }: { name: string }) => name)).toEqual(['demo', 'shop']);
    expect(JSON.stringify(json)).not.toMatch(/gh[ah]_/);
  });
});

const seenIn = (text: string) => /name="seen" value="([^"]+)"/.exec(text)?.[1] ?? '';
