import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Door, openDoor } from '../support/door.ts';

describe('actions over REST', () => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor();
  });
  afterAll(() => door[Symbol.asyncDispose]());

  const call = (action: string, json: unknown, headers: Record<string, string> = {}, key = door.keys.agent) =>
    door.ask('POST', `/api/bots/demo/actions/${action}`, { key, json, headers });

  it('lists what the bot may call, each with its schemas [A1]', async () => {
    const { status, json } = await door.ask('GET', '/api/bots/demo/actions', { key: door.keys.agent });
    expect(status).toBe(200);
    const names = json.actions.map((action: { name: string }) => action.name);
    expect(names).toContain('CreateLead');
    const lead = json.actions.find((action: { name: string }) => action.name === 'CreateLead');
    expect(lead.input).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['lastName', 'company'],
    });
    expect(lead.risk).toBe('write');
  });

  it('lists the same to an operator, by key and by a browser, and lets neither call one [A1] [C3]', async () => {
    await using door = await openDoor();
    const path = '/api/bots/demo/actions';
    const { json } = await door.ask('GET', path, { key: door.keys.agent });
    expect((await door.ask('GET', path, { key: await door.operatorKey('viewer') })).json).toEqual(json);
    const as = await door.signIn('viewer');
    expect((await door.ask('GET', path, { as })).json).toEqual(json);
    expect((await door.ask('GET', '/api/bots/nobody/actions', { as })).status).toBe(404);
    expect((await door.ask('POST', `${path}/GetAccount`, { as, json: {} })).status).toBe(401);
  });

  it('creates a lead, and the same call again has one effect [A4]', async () => {
    const lead = { lastName: 'Vandersloot', company: 'Harbour Freight AG', email: 'ada.vandersloot@harbour.example' };
    const first = await call('CreateLead', lead);
    expect(first).toMatchObject({
      status: 200,
      json: { status: 'done', result: { id: expect.stringMatching(/^00Q/) } },
    });
    const again = await call('CreateLead', lead);
    expect(again.json.result).toMatchObject({ id: first.json.result.id, alreadyDone: true });
    const leads = await door.world.records('Lead');
    expect(leads.filter(({ LastName }) => LastName === 'Vandersloot')).toHaveLength(1);
  });

  it('takes the caller’s own idempotency key, and refuses it for other arguments [A4]', async () => {
    const headers = { 'idempotency-key': 'order-77' };
    const first = await call('CreateLead', { lastName: 'Lindqvist', company: 'Nord AB' }, headers);
    const again = await call('CreateLead', { lastName: 'Lindqvist', company: 'Nord AB' }, headers);
    expect(again.json.result.id).toBe(first.json.result.id);
    const other = await call('CreateLead', { lastName: 'Someone', company: 'Else' }, headers);
    expect(other).toMatchObject({ status: 409, json: { error: { code: 'conflict' } } });
    const odd = await call('CreateLead', { lastName: 'A', company: 'B' }, { 'idempotency-key': 'a b' });
    expect(odd).toMatchObject({ status: 400, json: { error: { fields: [{ name: 'idempotency-key' }] } } });
  });

  it('answers 202 with the envelope while a call waits for a person [E] [C4]', async () => {
    const [open] = (await door.world.records('Opportunity')).filter(({ IsClosed }) => IsClosed !== true);
    const { status, json } = await call('UpdateOpportunity', { id: open?.Id, nextStep: 'Call on Monday' });
    expect(status).toBe(202);
    expect(json).toMatchObject({ status: 'waiting', proposal: { state: 'pending' } });
    expect(json.proposal.link).toMatch(/\/approvals\/[0-9a-f]{32}$/);
    const look = await door.ask('GET', `/api/proposals/${json.proposal.id}`, { key: door.keys.agent });
    expect(look).toMatchObject({ status: 200, json: { status: 'waiting' } });
    expect(look.json).not.toHaveProperty('detail');
  });

  it('names every bad field at once, in the shape of section E [E]', async () => {
    const { status, json } = await call('CreateLead', { company: 7, colour: 'red' });
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ code: 'invalid_input', retryable: false, next: expect.any(String) });
    expect(json.error.fields.map(({ name }: { name: string }) => name).sort()).toEqual([
      'colour',
      'company',
      'lastName',
    ]);
    expect(json.error.fields).toContainEqual({ name: 'lastName', problem: 'is missing' });
    expect(json.error.fields).toContainEqual({ name: 'company', problem: 'must be a text' });
  });

  it('names twenty bad fields of a body, and how many more there are [E]', async () => {
    const key = await door.operatorKey('admin');
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`field${n}`, 1]));
    const answer = await door.ask('POST', '/api/bots/demo/sessions', { key: door.keys.host, json: wide });
    expect(answer.status).toBe(400);
    expect(answer.json.error.fields).toHaveLength(21);
    expect(answer.text.length).toBeLessThan(4000);
    expect((await door.ask('PUT', '/api/bots/demo/policy', { key, json: wide })).text.length).toBeLessThan(4000);
  });

  it.each([
    ['a wrong type', [1, 2]],
    ['null', null],
    ['a text', 'CreateLead'],
  ])('refuses %s for arguments, except nothing for nothing', async (_, body) => {
    expect((await call('CreateLead', body)).status).toBe(400);
  });

  it('refuses an action that is not granted with 403, and one that does not exist with 404 [P2] [E]', async () => {
    await door.world.app.store.bots.revoke('demo', 'RUN_SOQL');
    expect(await call('RunSOQL', { soql: 'SELECT Id FROM Account' })).toMatchObject({
      status: 403,
      json: { error: { code: 'permission_denied' } },
    });
    expect((await call('DropTables', {})).json.error.code).toBe('not_found');
    expect((await call('..%2f..%2fpermissions', {})).json.error.code).toBe('not_found');
  });

  it('looks at the grant before it reads the arguments, and writes the refusal down [P2] [C7]', async () => {
    await using door = await openDoor({ grants: ['READ_ACCOUNT'] });
    const post = (action: string) =>
      door.ask('POST', `/api/bots/demo/actions/${action}`, {
        key: door.keys.agent,
        text: '{"lastName":',
        headers: { 'content-type': 'application/json' },
      });
    expect(await post('CreateLead')).toMatchObject({ status: 403, json: { error: { code: 'permission_denied' } } });
    expect(await post('DropTables')).toMatchObject({ status: 404 });
    expect(await post('GetAccount')).toMatchObject({ status: 400, json: { error: { code: 'invalid_input' } } });
    const key = await door.operatorKey('viewer');
    const { json } = await door.ask('GET', '/api/audit?bot=demo&event=refused&action=CreateLead', { key });
    expect(json.rows).toMatchObject([{ detail: { code: 'permission_denied' } }]);
  });

  it('refuses no key, an unknown key, and every other kind of key [P4]', async () => {
    const nobody = await door.ask('POST', '/api/bots/demo/actions/GetAccount', { json: {} });
    expect(nobody).toMatchObject({ status: 401, json: { error: { code: 'unauthenticated' } } });
    expect(nobody.headers.get('www-authenticate')).toContain('Bearer');
    expect(await call('GetAccount', {}, {}, 'gha_unknown')).toMatchObject({ status: 401 });
    expect(await call('GetAccount', {}, {}, door.keys.host)).toMatchObject({ status: 403 });
    expect(await call('GetAccount', {}, {}, await door.operatorKey('admin'))).toMatchObject({ status: 403 });
  });

  it('refuses the key of another bot, before the body is looked at', async () => {
    const other = await door.world.app.access.issueKey('agent', 'other');
    const refused = await call('CreateLead', { nonsense: true }, {}, other);
    expect(refused).toMatchObject({ status: 403, json: { error: { message: 'This key belongs to another bot.' } } });
  });

  it('takes a chat session that the host signed, and no other [O9]', async () => {
    const made = await door.ask('POST', '/api/bots/demo/sessions', {
      key: door.keys.host,
      json: { indexValue: 'C-1' },
    });
    expect(made).toMatchObject({ status: 201, json: { session: expect.stringMatching(/^ghs_/) } });
    const read = { name: 'No Such Company' };
    const good = await call('GetAccount', read, { 'gatehouse-session': made.json.session });
    expect(good.json.error.code).toBe('not_found');
    const forged = await call('GetAccount', read, { 'gatehouse-session': `${made.json.session}x` });
    expect(forged).toMatchObject({ status: 401, json: { error: { code: 'unauthenticated' } } });
    const byAgent = await door.ask('POST', '/api/bots/demo/sessions', {
      key: door.keys.agent,
      json: { indexValue: 'C-1' },
    });
    expect(byAgent.status).toBe(403);
  });

  it('tells keys of a bot that it is connected and to what kind of org, and only operators to whose [P1]', async () => {
    for (const key of [door.keys.agent, door.keys.host])
      expect((await door.ask('GET', '/api/bots/demo/integration', { key })).json).toEqual({
        state: 'connected',
        environment: 'simulated',
      });
    const key = await door.operatorKey('viewer');
    expect((await door.ask('GET', '/api/bots/demo/integration', { key })).json).toMatchObject({
      bot: 'demo',
      state: 'connected',
      environment: 'simulated',
      simulated: true,
      orgId: expect.stringMatching(/^00D/),
      username: expect.any(String),
      instanceUrl: expect.any(String),
    });
  });

  it('answers 403 not_connected once the bot is disconnected [O6]', async () => {
    const key = await door.operatorKey('admin');
    const status = await door.ask('GET', '/api/bots/demo/integration', { key: door.keys.host });
    expect(status.json).toEqual({ state: 'connected', environment: 'simulated' });
    expect((await door.ask('DELETE', '/api/bots/demo/integration', { key: door.keys.agent })).status).toBe(403);
    expect(await door.ask('DELETE', '/api/bots/demo/integration', { key })).toMatchObject({ status: 200 });
    expect(await call('GetAccount', { name: 'Acme' })).toMatchObject({
      status: 403,
      json: { error: { code: 'not_connected' } },
    });
  });
});
