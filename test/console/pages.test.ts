import { describe, expect, it } from 'vitest';
import { openDoor, proposeMove } from '../support/door.ts';

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
    const { text } = await door.ask('GET', '/connect/demo', { as: await door.signIn() });
    expect(text).toContain('<dt>Writes</dt><dd><ul class="chips"><li>Lead</li></ul></dd>');
    expect(text).toContain('<strong>Create</strong> on Lead.');
    expect(text).not.toContain('Opportunity');
  });

  it('needs a signed-in admin and the token of the session [O8]', async () => {
    await using door = await openDoor();
    const asPerson = await door.ask('GET', '/connect/demo', { headers: { accept: 'text/html' } });
    expect([asPerson.status, asPerson.headers.get('location')]).toEqual([303, '/sign-in?next=%2Fconnect%2Fdemo']);
    for (const method of ['GET', 'POST'])
      expect(await door.ask(method, '/connect/demo', method === 'POST' ? { form: {} } : {})).toMatchObject({
        status: 401,
        json: { error: { code: 'unauthenticated' } },
      });
    for (const path of ['/connect/demo', '/oauth/callback?code=a&state=b'])
      expect((await door.ask('GET', path, { as: await door.signIn('approver') })).status).toBe(403);
    const as = await door.signIn();
    expect((await door.ask('POST', '/connect/demo', { as, form: { csrf: 'no' } })).status).toBe(403);
    expect((await door.ask('GET', '/connect/nobody', { as })).status).toBe(404);
    // A key is not a person in front of a browser, and cannot come back from Salesforce.
    expect((await door.ask('GET', '/connect/demo', { key: await door.operatorKey('admin') })).status).toBe(401);
  });

  it('connects, tests and disconnects the simulated org [O1] [O6]', async () => {
    await using door = await openDoor();
    const as = await door.signIn();
    const form = { csrf: as.csrf };
    const connected = await door.ask('POST', '/connect/demo', { as, form });
    expect([connected.status, connected.headers.get('location')]).toEqual([303, '/bots/demo?salesforce=success']);
    const card = await door.ask('GET', '/bots/demo?salesforce=success', { as });
    expect(card.text).toContain('<span class="badge good">Connected</span>');
    expect(card.text).toContain('Simulated');
    expect((await door.ask('POST', '/bots/demo/test', { as, form })).headers.get('location')).toBe(
      '/bots/demo?test=ok',
    );
    const audit = await door.ask('GET', '/api/audit?event=connected', { as });
    expect(audit.json.rows).toMatchObject([{ bot: 'demo', principal: `operator:${as.name}`, channel: 'console' }]);
    const ended = await door.ask('POST', '/bots/demo/disconnect', { as, form });
    expect(ended.headers.get('location')).toBe('/bots/demo?salesforce=disconnected');
    const failed = await door.ask('POST', '/bots/demo/test', { as, form });
    expect(failed.status).toBe(403);
    expect(failed.text).toContain('role="alert"');
  });
});

const seenIn = (text: string) => /name="seen" value="([^"]+)"/.exec(text)?.[1] ?? '';
