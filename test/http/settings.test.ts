import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Door, openDoor } from '../support/door.ts';

describe('grants over REST', () => {
  const path = '/api/bots/demo/permissions';
  let door: Door;
  beforeAll(async () => {
    door = await openDoor({ grants: ['READ_ACCOUNT'] });
  });
  afterAll(() => door[Symbol.asyncDispose]());

  it('grants and revokes, warns, and writes each down [P2] [P3] [C7]', async () => {
    await using door = await openDoor({ grants: ['READ_ACCOUNT'], audience: 'public' });
    const key = await door.operatorKey('admin');
    const saved = await door.ask('PUT', path, { key, json: { grant: ['RUN_SOQL'], revoke: ['READ_ACCOUNT'] } });
    expect(saved).toMatchObject({ status: 200, json: { granted: ['RUN_SOQL'] } });
    expect(saved.json.warnings).toEqual([expect.stringMatching(/public bot/), expect.stringMatching(/says "deny"/)]);
    const { json } = await door.ask('GET', '/api/audit?bot=demo&event=granted', { key });
    expect(json.rows).toMatchObject([{ action: 'RUN_SOQL', principal: expect.stringMatching(/^operator:admin/) }]);
    expect(json.rows[0]).not.toHaveProperty('sealed');
    const whole = await door.ask('PUT', path, { key, json: { permissions: ['CREATE_LEAD'] } });
    expect(whole.json.granted).toEqual(['CREATE_LEAD']);
  });

  it.each([
    ['a permission of people', { grant: ['CREATE_OAUTH'] }, 'CREATE_OAUTH'],
    ['a permission that does not exist', { grant: ['CREATE_LEADS'] }, 'CREATE_LEADS'],
    ['an unknown key', { grants: ['CREATE_LEAD'] }, 'grants'],
    ['both forms at once', { permissions: [], grant: [] }, '(body)'],
    ['grant and revoke of the same', { grant: ['RUN_SOQL'], revoke: ['RUN_SOQL'] }, 'RUN_SOQL'],
    ['a text', { grant: 'RUN_SOQL' }, 'grant'],
    ['nothing', {}, '(body)'],
    ['what is only read', { granted: ['RUN_SOQL'] }, '(body)'],
    ['the answer of another bot', { bot: 'other', permissions: [] }, 'bot'],
  ])('refuses %s, names it and saves nothing [P1]', async (_, json, field) => {
    const key = await door.operatorKey('admin');
    const refused = await door.ask('PUT', path, { key, json });
    expect(refused).toMatchObject({ status: 400, json: { error: { code: 'invalid_input' } } });
    expect(refused.json.error.fields).toContainEqual(expect.objectContaining({ name: field }));
    expect((await door.ask('GET', path, { key })).json.granted).toEqual(['READ_ACCOUNT']);
  });

  it('takes back what it answers', async () => {
    await using door = await openDoor({ grants: ['READ_ACCOUNT'] });
    const key = await door.operatorKey('admin');
    const { json } = await door.ask('GET', path, { key });
    expect(json.permissions).toEqual(['READ_ACCOUNT']);
    const sent = { ...json, permissions: [...json.permissions, 'RUN_SOQL'] };
    const saved = await door.ask('PUT', path, { key, json: sent });
    expect(saved).toMatchObject({ status: 200, json: { permissions: ['READ_ACCOUNT', 'RUN_SOQL'] } });
  });

  it('is for admins: not for approvers, not for bots, and only for bots that exist [P4]', async () => {
    const json = { grant: ['RUN_SOQL'] };
    expect((await door.ask('PUT', path, { key: await door.operatorKey('approver'), json })).status).toBe(403);
    expect((await door.ask('PUT', path, { key: door.keys.agent, json })).status).toBe(403);
    expect((await door.ask('GET', path, { key: door.keys.agent })).status).toBe(403);
    const key = await door.operatorKey('admin');
    const missing = await door.ask('PUT', '/api/bots/%3Cscript%3E/permissions', { key, json });
    expect(missing).toMatchObject({ status: 404, json: { error: { message: 'There is no bot named "<script>".' } } });
  });
});

describe('policy over REST', () => {
  const path = '/api/bots/demo/policy';
  let door: Door;
  beforeAll(async () => {
    door = await openDoor();
  });
  afterAll(() => door[Symbol.asyncDispose]());

  it('reads, saves a revision, and takes effect on the next call [C1]', async () => {
    await using door = await openDoor();
    const key = await door.operatorKey('admin');
    const read = await door.ask('GET', path, { key });
    expect(read.headers.get('etag')).toBe('"1"');
    const policy = { ...read.json.policy, off: ['CreateLead'] };
    const saved = await door.ask('PUT', path, { key, json: policy, headers: { 'if-match': '"1"' } });
    expect(saved).toMatchObject({ status: 200, json: { revision: 2 } });
    const call = await door.ask('POST', '/api/bots/demo/actions/CreateLead', {
      key: door.keys.agent,
      json: { lastName: 'A', company: 'B' },
    });
    expect(call).toMatchObject({ status: 403, json: { error: { code: 'off' } } });
  });

  it('takes back what it answers, over that revision alone', async () => {
    await using door = await openDoor();
    const key = await door.operatorKey('admin');
    const { json } = await door.ask('GET', path, { key });
    const put = (body: unknown) => door.ask('PUT', path, { key, json: body });
    expect(await put(json)).toMatchObject({ status: 200, json: { revision: 2 } });
    expect(await put(json)).toMatchObject({ status: 409, json: { error: { code: 'conflict' } } });
    expect(await put({ policy: json.policy })).toMatchObject({ status: 200, json: { revision: 3 } });
    expect(await put({ ...json, bot: 'other' })).toMatchObject({
      status: 400,
      json: { error: { fields: [{ name: 'bot' }] } },
    });
    expect((await put({ ...json, revision: 'latest' })).status).toBe(400);
    expect((await put({})).status).toBe(400);
  });

  it('does not overwrite what somebody else saved', async () => {
    await using door = await openDoor();
    const key = await door.operatorKey('admin');
    const { json } = await door.ask('GET', path, { key });
    const save = (etag: string) => door.ask('PUT', path, { key, json: json.policy, headers: { 'if-match': etag } });
    expect((await save('"1"')).status).toBe(200);
    expect(await save('"1"')).toMatchObject({ status: 409, json: { error: { code: 'conflict' } } });
    expect((await save('*')).status).toBe(400);
  });

  it.each([
    ['an unknown key', { modus: 'off' }, 'modus'],
    [
      'a mistyped limit',
      { actions: { CreateLead: { decision: 'auto', rules: [{ if: { amountAbov: 1 }, then: 'deny' }] } } },
      'actions.CreateLead.rules[0].if.amountAbov',
    ],
    [
      'an action that does not exist',
      { actions: { UpdateOpportunty: { decision: 'deny' } } },
      'actions.UpdateOpportunty',
    ],
    ['a kill switch for nothing', { off: ['CreateLeed'] }, 'off[0]'],
    ['a mode that does not exist', { mode: 'readonly' }, 'mode'],
    ['a list', [], '(top)'],
  ])('refuses %s with its place, and saves nothing [C1]', async (_, json, place) => {
    const key = await door.operatorKey('admin');
    const refused = await door.ask('PUT', path, { key, json });
    expect(refused.status).toBe(400);
    expect(refused.json.error.fields).toContainEqual(expect.objectContaining({ name: place }));
    expect((await door.ask('GET', path, { key })).json.revision).toBe(1);
  });

  it('is saved by admins only [P4]', async () => {
    for (const key of [
      await door.operatorKey('approver'),
      await door.operatorKey('viewer'),
      door.keys.agent,
      door.keys.host,
    ])
      expect((await door.ask('PUT', path, { key, json: {} })).status).toBe(403);
  });
});
