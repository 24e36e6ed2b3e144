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

describe('permissions of every bot over REST', () => {
  it('says in one word what the next call of each action meets, by the road itself [W2] [C1]', async () => {
    await using door = await openDoor({ grants: ['CREATE_LEAD', 'UPDATE_OPPORTUNITY', 'RUN_SOQL', 'SYNC_PARTY'] });
    const { world } = door;
    const key = await door.operatorKey('viewer');
    await world.setPolicy((policy) => ({
      ...policy,
      off: ['RunSOQL'],
      actions: { ...policy.actions, SyncParty: { ...policy.actions.SyncParty!, decision: 'deny' } },
    }));
    const words = async () => {
      const { json } = await door.ask('GET', '/api/permissions', { key });
      expect(json.bots).toMatchObject([{ name: 'demo', audience: 'internal', connection: 'connected' }]);
      return Object.fromEntries(
        json.bots[0].cells.map(({ action, word }: { action: string; word: string }) => [action, word]),
      );
    };
    expect(await words()).toMatchObject({
      GetAccount: 'not_granted',
      CreateLead: 'runs',
      UpdateOpportunity: 'asks',
      RunSOQL: 'off',
      SyncParty: 'denied',
    });
    await world.setPolicy((policy) => ({ ...policy, mode: 'ask' }));
    expect(await words()).toMatchObject({ CreateLead: 'asks' });
    await world.setPolicy((policy) => ({ ...policy, mode: 'read-only' }));
    expect(await words()).toMatchObject({ CreateLead: 'off', UpdateOpportunity: 'off' });
    await world.setPolicy((policy) => ({
      ...policy,
      mode: 'automatic',
      objects: { ...policy.objects, Lead: { ...policy.objects.Lead!, write: false } },
    }));
    expect(await words()).toMatchObject({ CreateLead: 'denied' });
    expect(await world.refusal('CreateLead', { lastName: 'Lee', company: 'Lee' })).toMatchObject({
      code: 'permission_denied',
    });
  });

  it('lists every action with what rules can look at, and warns before a grant [W2] [P3]', async () => {
    await using door = await openDoor({ grants: [], audience: 'public' });
    const key = await door.operatorKey('viewer');
    const { json } = await door.ask('GET', '/api/actions', { key });
    const of = (name: string) => json.actions.find((action: { name: string }) => action.name === name);
    expect(of('UpdateOpportunity')).toMatchObject({ permission: 'UPDATE_OPPORTUNITY' });
    expect(of('UpdateOpportunity').conditions).toContain('amountChangeAbove');
    expect(of('GetAccount').conditions).not.toContain('amountChangeAbove');
    expect(of('GetAccount').input).toMatchObject({ type: 'object' });
    const permissions = await door.ask('GET', '/api/bots/demo/permissions', { key });
    expect(permissions.json.warnings.RUN_SOQL[0]).toContain('public bot');
    expect(permissions.json.warnings.CREATE_LEAD).toEqual([]);
  });
});

describe('a policy before it is saved', () => {
  let door: Door;
  let key: string;
  beforeAll(async () => {
    door = await openDoor();
    key = await door.operatorKey('admin');
  });
  afterAll(() => door[Symbol.asyncDispose]());
  const stored = async () => (await door.ask('GET', '/api/bots/demo/policy', { key })).json;

  it('is checked whole: every mistake with its place, what it would change, and nothing is saved [C1] [W2]', async () => {
    const { policy, revision } = await stored();
    const wrong = { ...policy, modus: 'off', actions: { ...policy.actions, Nope: { decision: 'auto' } } };
    const refused = await door.ask('POST', '/api/bots/demo/policy/check', { key, json: wrong });
    expect(refused).toMatchObject({ status: 400, json: { error: { fields: [{ name: 'modus' }] } } });
    const right = await door.ask('POST', '/api/bots/demo/policy/check', { key, json: { ...policy, mode: 'ask' } });
    expect(right).toMatchObject({
      status: 200,
      json: { revision, changes: [{ name: 'mode', before: 'automatic', after: 'ask' }], warnings: [] },
    });
    expect((await stored()).revision).toBe(revision);
  });

  it('tries a call under what is stored and under what is not, and nothing runs, counts or stays [C1] [W2]', async () => {
    const { policy } = await stored();
    const ask = (json: object, as = key) => door.ask('POST', '/api/bots/demo/policy/try', { key: as, json });
    const call = { action: 'UpdateOpportunity', args: { reference: 'OPP-123', amount: 9_000_000 } };
    const now = await ask(call);
    expect(now).toMatchObject({
      status: 200,
      json: { decision: 'confirm', preview: { changes: [{ field: 'Amount' }] } },
    });
    const rules = [{ if: { amountAbove: 1_000_000 }, then: 'deny' }];
    const other = { ...policy, actions: { ...policy.actions, UpdateOpportunity: { decision: 'auto', rules } } };
    expect(await ask({ ...call, policy: other })).toMatchObject({
      json: { decision: 'deny', reasons: ['The amount is above 1000000.'] },
    });
    expect(await ask({ ...call, args: {} })).toMatchObject({ status: 200, json: { decision: 'refused' } });
    expect(await ask({ ...call, policy: { mode: 'x' } })).toMatchObject({ status: 400 });
    expect((await ask(call, await door.operatorKey('approver'))).status).toBe(403);
    const { proposals } = (await door.ask('GET', '/api/proposals', { key })).json;
    expect(proposals).toEqual([]);
    const { rows } = (await door.ask('GET', '/api/audit?event=tried', { key })).json;
    expect(rows).toHaveLength(3);
    expect(JSON.stringify(rows)).not.toContain('9000000');
  });

  it('does not count a try towards a rule by the hour [C1]', async () => {
    const json = { action: 'CreateLead', args: { lastName: 'Tryer', company: 'Tryers' } };
    const limited = await stored();
    const rules = [{ if: { runsThisHourAtLeast: 1 }, then: 'confirm' }];
    const policy = {
      ...limited.policy,
      actions: { ...limited.policy.actions, CreateLead: { decision: 'auto', rules } },
    };
    await door.ask('PUT', '/api/bots/demo/policy', { key, json: policy });
    for (let tries = 0; tries < 3; tries += 1)
      expect(await door.ask('POST', '/api/bots/demo/policy/try', { key, json })).toMatchObject({
        json: { decision: 'auto' },
      });
    expect(await door.world.call('CreateLead', json.args)).toMatchObject({ status: 'done' });
  });

  it('tries what is not granted as if it were, only where that is asked for [W2]', async () => {
    await using bare = await openDoor({ grants: [] });
    const admin = await bare.operatorKey('admin');
    const ask = (json: object) => bare.ask('POST', '/api/bots/demo/policy/try', { key: admin, json });
    const call = { action: 'GetAccount', args: { name: 'Acme' } };
    expect(await ask(call)).toMatchObject({ json: { decision: 'refused', next: expect.any(String) } });
    const granted = await ask({ ...call, granted: true });
    expect(granted.json.decision).not.toBe('refused');
    expect((await bare.world.refusal('GetAccount', call.args)).code).toBe('permission_denied');
  });
});

describe('revisions and switches over REST', () => {
  it('keeps who saved what, shows the difference, and goes back by a further revision [C1] [C7] [W2]', async () => {
    await using door = await openDoor();
    const key = await door.operatorKey('admin');
    const path = '/api/bots/demo/policy';
    const { policy } = (await door.ask('GET', path, { key })).json;
    await door.ask('PUT', path, { key, json: { policy: { ...policy, mode: 'ask' }, revision: 1 } });
    const { json: list } = await door.ask('GET', `${path}/revisions`, { key });
    expect(list).toMatchObject({
      more: false,
      revisions: [
        { revision: 2, by: expect.stringMatching(/^operator:admin/), changed: 1 },
        { revision: 1, changed: 0 },
      ],
    });
    const { json: second } = await door.ask('GET', `${path}/revisions/2`, { key });
    expect(second).toMatchObject({ against: 1, changes: [{ name: 'mode', before: 'automatic', after: 'ask' }] });
    const { json: first } = await door.ask('GET', `${path}/revisions/1?against=2`, { key });
    expect(first.changes).toEqual([{ name: 'mode', before: 'ask', after: 'automatic' }]);
    const back = await door.ask('PUT', path, { key, json: { policy: first.policy, revision: 2 } });
    expect(back.json.revision).toBe(3);
    for (const none of ['4', '0', 'x'])
      expect((await door.ask('GET', `${path}/revisions/${none}`, { key })).status).toBe(404);
  });

  it('stops a bot and an action at the next call, once however often it is pressed [C1] [P4]', async () => {
    await using door = await openDoor();
    const key = await door.operatorKey('admin');
    const args = { name: 'Acme' };
    for (const _ of [1, 2])
      expect(await door.ask('PUT', '/api/bots/demo/off/GetAccount', { key })).toMatchObject({
        status: 200,
        json: { off: ['GetAccount'], revision: 2 },
      });
    expect((await door.world.refusal('GetAccount', args)).code).toBe('off');
    expect(await door.ask('DELETE', '/api/bots/demo/off/GetAccount', { key })).toMatchObject({
      json: { off: [], revision: 3 },
    });
    expect((await door.ask('PUT', '/api/bots/demo/off/Nope', { key })).status).toBe(404);
    expect(await door.ask('PUT', '/api/bots/demo/mode', { key, json: { mode: 'off' } })).toMatchObject({
      json: { mode: 'off', revision: 4 },
    });
    expect((await door.world.refusal('GetAccount', args)).code).toBe('off');
    const approver = await door.operatorKey('approver');
    expect((await door.ask('PUT', '/api/bots/demo/mode', { key: approver, json: { mode: 'ask' } })).status).toBe(403);
    expect((await door.ask('PUT', '/api/bots/demo/off/GetAccount', { key: approver })).status).toBe(403);
  });
});
