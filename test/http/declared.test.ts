import { expect, it } from 'vitest';
import { openDoor } from '../support/door.ts';

const definition = {
  name: 'DealStatus',
  title: 'Deal status',
  description: 'Tells the stage of a deal by its reference.',
  operation: 'query',
  input: { reference: { type: 'text', maxLength: 20, required: true, description: 'Like OPP-123' } },
  object: 'Opportunity',
  fields: ['Name', 'StageName'],
  where: [{ field: 'Reference__c', is: { input: 'reference' } }],
  limit: 5,
};
const path = '/api/bots/demo/declared-actions';

it('is declared, granted, called, described and removed over REST, each with its audit row [A5 W9 C7]', async () => {
  await using door = await openDoor();
  const key = await door.operatorKey('admin');
  const checked = await door.ask('POST', `${path}/DealStatus/check`, { key, json: definition });
  expect(checked).toMatchObject({ status: 200, json: { permission: 'CUSTOM_DEAL_STATUS', dropsGrant: false } });
  expect((await door.ask('GET', path, { key })).json.actions).toEqual([]);
  const saved = await door.ask('PUT', `${path}/DealStatus`, { key, json: definition });
  expect(saved).toMatchObject({ status: 200, json: { revision: 1, risk: 'read', granted: false } });
  const granted = await door.ask('PUT', '/api/bots/demo/permissions', { key, json: { grant: ['CUSTOM_DEAL_STATUS'] } });
  expect(granted.json.available).toContain('CUSTOM_DEAL_STATUS');
  const { agent } = door.keys;
  const listed = await door.ask('GET', '/api/bots/demo/actions', { key: agent });
  expect(listed.json.actions).toContainEqual(expect.objectContaining({ name: 'DealStatus', mayAsk: true }));
  const called = await door.ask('POST', '/api/bots/demo/actions/DealStatus', {
    key: agent,
    json: { reference: 'OPP-123' },
  });
  expect(called).toMatchObject({ status: 202, json: { status: 'waiting' } });
  const openApi = await door.ask('GET', '/api/bots/demo/openapi.json', { key: agent });
  expect(Object.keys(openApi.json.paths)).toContain('/api/bots/{bot}/actions/DealStatus');
  expect((await door.ask('GET', '/api/openapi.json')).text).not.toContain('DealStatus');
  const shown = await door.ask('GET', `${path}/DealStatus`, { key });
  expect(shown.json).toMatchObject({ definition, history: [{ revision: 1, state: 'live' }] });
  const removed = await door.ask('DELETE', `${path}/DealStatus`, { key });
  expect(removed).toMatchObject({ status: 200, json: { revision: 2 } });
  const { rows } = (await door.ask('GET', '/api/audit?bot=demo&limit=50', { key })).json;
  const events = rows.map(({ event }: { event: string }) => event);
  expect(events).toEqual(
    expect.arrayContaining(['action_declared', 'granted', 'proposed', 'action_removed', 'revoked']),
  );
});

it('is for admins alone: no agent, host, approver or viewer saves or removes one [A5 C3 P4]', async () => {
  await using door = await openDoor();
  const { agent, host } = door.keys;
  const keys = [agent, host, await door.operatorKey('approver'), await door.operatorKey('viewer')];
  for (const key of keys) {
    expect((await door.ask('PUT', `${path}/DealStatus`, { key, json: definition })).status).toBeGreaterThanOrEqual(401);
    expect((await door.ask('DELETE', `${path}/DealStatus`, { key })).status).toBeGreaterThanOrEqual(401);
  }
  expect((await door.world.app.store.bots.get('demo'))?.declared).toEqual([]);
});

it('says every mistake with its place, and refuses a permission that nothing of this bot needs [A5 P1]', async () => {
  await using door = await openDoor();
  const key = await door.operatorKey('admin');
  const wrong = { ...definition, fields: ['Nmae'], limit: 1_000 };
  const refused = await door.ask('PUT', `${path}/DealStatus`, { key, json: wrong });
  expect(refused).toMatchObject({
    status: 400,
    json: { error: { code: 'invalid_input', fields: [{ name: 'limit' }] } },
  });
  const other = await door.ask('PUT', `${path}/Other`, { key, json: definition });
  expect(other.json.error.fields).toEqual([{ name: 'name', problem: 'is not Other' }]);
  const grant = await door.ask('PUT', '/api/bots/demo/permissions', { key, json: { grant: ['CUSTOM_DEAL_STATUS'] } });
  expect(grant).toMatchObject({ status: 400 });
});

it('is saved and removed over the revision that was read alone, and tells what each revision changed [A5 W9]', async () => {
  await using door = await openDoor();
  const key = await door.operatorKey('admin');
  const put = (json: object, headers: Record<string, string>) =>
    door.ask('PUT', `${path}/DealStatus`, { key, json, headers });
  const first = await put(definition, { 'if-none-match': '*' });
  expect([first.status, first.headers.get('etag')]).toEqual([200, '"1"']);
  // Somebody else made it meanwhile.
  expect(await put(definition, { 'if-none-match': '*' })).toMatchObject({
    status: 409,
    json: { error: { message: 'DealStatus of demo is at revision 1 by now: somebody saved it since you read it.' } },
  });
  expect((await put({ ...definition, limit: 9 }, { 'if-match': '"1"' })).status).toBe(200);
  expect((await put({ ...definition, limit: 7 }, { 'if-match': '"1"' })).status).toBe(409);
  expect((await put(definition, { 'if-match': 'latest' })).status).toBe(400);
  const shown = await door.ask('GET', `${path}/DealStatus`, { key });
  expect(shown.headers.get('etag')).toBe('"2"');
  expect(shown.json.history).toMatchObject([
    { revision: 1, definition, changes: expect.arrayContaining([{ name: 'limit', after: 5 }]) },
    { revision: 2, definition: { ...definition, limit: 9 }, changes: [{ name: 'limit', before: 5, after: 9 }] },
  ]);
  const removed = (etag: string) => door.ask('DELETE', `${path}/DealStatus`, { key, headers: { 'if-match': etag } });
  expect((await removed('"1"')).status).toBe(409);
  expect((await removed('"2"')).status).toBe(200);
  expect((await removed('"2"')).status).toBe(404);
});

it('is known with its inputs, and tried before it is saved: nothing is saved, granted or run [A5 W2]', async () => {
  await using door = await openDoor();
  const key = await door.operatorKey('admin');
  const { json: checked } = await door.ask('POST', `${path}/DealStatus/check`, { key, json: definition });
  expect(checked.input).toMatchObject({ properties: { reference: { description: 'Like OPP-123' } } });
  const attempt = (json: object) => door.ask('POST', '/api/bots/demo/policy/try', { key, json });
  const call = { action: 'DealStatus', args: { reference: 'OPP-123' } };
  expect(await attempt(call)).toMatchObject({ json: { decision: 'refused' } });
  expect(await attempt({ ...call, declaration: definition, granted: true })).toMatchObject({
    json: { decision: 'confirm' },
  });
  expect(await attempt({ ...call, declaration: definition })).toMatchObject({ json: { decision: 'refused' } });
  const wrong = await attempt({ ...call, declaration: { ...definition, fields: ['Nmae'] }, granted: true });
  expect(wrong).toMatchObject({ status: 400, json: { error: { fields: [{ name: 'fields[0]' }] } } });
  const named = await attempt({ ...call, action: 'GetAccount', declaration: definition, granted: true });
  expect(named).toMatchObject({ status: 400, json: { error: { fields: [{ name: 'name' }] } } });
  expect((await door.world.app.store.bots.get('demo'))?.declared).toEqual([]);

  const known = async (query: string) => (await door.ask('GET', `/api/actions${query}`, { key })).json.actions;
  const names = async (query: string) => (await known(query)).map(({ name }: { name: string }) => name);
  await door.ask('PUT', `${path}/DealStatus`, { key, json: definition });
  expect(await names('')).not.toContain('DealStatus');
  expect(await names('?bot=demo')).toEqual([...(await names('')), 'DealStatus']);
  expect((await known('?bot=demo')).at(-1)).toMatchObject({ permission: 'CUSTOM_DEAL_STATUS', risk: 'read' });
});
