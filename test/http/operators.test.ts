import { describe, expect, it } from 'vitest';
import { latestRecovery, recoverAccess } from '../../src/access/operators.ts';
import { openDoor, proposeMove } from '../support/door.ts';

describe('operators over REST and in the console', () => {
  it('lets the first admin, who came in by a link, make operators and keys: no installation is locked out [U2 C3]', async () => {
    await using door = await openDoor();
    const admin = await door.signIn('admin');
    const made = await door.ask('POST', '/api/operators', { as: admin, json: { name: 'ada', role: 'admin' } });
    expect((await door.ask('GET', '/api/operators', { key: made.json.key })).json.operators).toContainEqual(
      expect.objectContaining({ name: 'ada', role: 'admin', keys: 1 }),
    );
    const { json } = await door.ask('POST', '/api/operators/ada/sign-in-link', { as: admin, json: {} });
    const token = /sign-in#([\w-]+)$/.exec(json.link)?.[1] ?? '';
    expect((await door.ask('POST', '/sign-in', { form: { token } })).status).toBe(303);
    const botKey = await door.ask('POST', '/api/bots/demo/keys', { as: admin, json: { kind: 'host' } });
    expect(botKey.json.key).toMatch(/^ghh_/);
  });

  it('makes operators and keys for a browser session only, never for a key [U2 C3]', async () => {
    await using door = await openDoor();
    const key = await door.operatorKey('admin');
    const admin = await door.signIn('admin');
    const making: [string, string, unknown][] = [
      ['POST', '/api/operators', { name: 'eve', role: 'admin' }],
      ['POST', '/api/operators/admin-1/keys', {}],
      ['POST', '/api/operators/admin-1/sign-in-link', {}],
      ['PUT', '/api/operators/admin-2', { role: 'viewer' }],
      ['POST', '/api/bots/demo/keys', { kind: 'agent' }],
    ];
    for (const [method, path, json] of making)
      expect(await door.ask(method, path, { key, json })).toMatchObject({
        status: 403,
        json: { error: { code: 'permission_denied', next: expect.stringContaining('console') } },
      });
    for (const role of ['approver', 'viewer'] as const) {
      const as = await door.signIn(role);
      for (const [method, path, json] of making) expect((await door.ask(method, path, { as, json })).status).toBe(403);
      expect((await door.ask('GET', '/api/operators', { as })).status).toBe(403);
    }
    expect((await door.ask('POST', '/api/operators', { as: admin, json: { name: 'bo', role: 'viewer' } })).status).toBe(
      201,
    );
  });

  it('changes operators only for a sign-in of the last 15 minutes, and says what to do [U2 C3]', async () => {
    await using door = await openDoor();
    const as = await door.signIn('admin');
    const make = (by: typeof as) =>
      door.ask('POST', '/api/operators', { as: by, json: { name: 'ann', role: 'viewer' } });
    door.world.clock.advance(15 * 60_000 + 1);
    const late = [
      await make(as),
      await door.ask('PUT', `/api/operators/${as.name}`, { as, json: { role: 'viewer' } }),
      await door.ask('DELETE', `/api/operators/${as.name}`, { as }),
      await door.ask('POST', `/api/operators/${as.name}/keys`, { as, json: {} }),
      await door.ask('DELETE', `/api/operators/${as.name}/keys`, { as }),
      await door.ask('POST', `/api/operators/${as.name}/sign-in-link`, { as, json: {} }),
    ];
    expect(late.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 403]);
    expect(late[0]?.json.error).toMatchObject({
      fields: [{ name: 'session' }],
      next: expect.stringContaining(`gatehouse operator sign-in ${as.name}`),
    });
    expect((await door.ask('GET', '/api/operators', { as })).json.operators).toHaveLength(1);
    // All else goes on with the old one.
    expect((await door.ask('PUT', '/api/bots/demo/mode', { as, json: { mode: 'ask' } })).status).toBe(200);
    expect((await make(await door.signIn('admin'))).status).toBe(201);
  });

  it('makes no sign-in link for somebody who is not there, and writes no token into the audit [U2 C7]', async () => {
    await using door = await openDoor();
    const admin = await door.signIn('admin');
    const ask = (name: string) => door.ask('POST', `/api/operators/${name}/sign-in-link`, { as: admin, json: {} });
    expect((await ask('nobody')).status).toBe(404);
    const { json } = await ask(admin.name);
    const rows = await door.world.app.store.audit.find({ event: 'link_made', limit: 5 });
    expect(rows).toMatchObject([{ channel: 'console', detail: JSON.stringify({ operator: admin.name }) }]);
    expect(JSON.stringify(rows)).not.toContain(json.link.split('#')[1]);
  });

  it('ends the open pages of whoever is removed, before they hear even of that [U3]', async () => {
    await using door = await openDoor();
    const [admin, other] = [await door.signIn('admin'), await door.signIn('viewer')];
    const stream = await fetch(`${door.url}/api/events`, { headers: { cookie: other.cookie } });
    const heard = stream.text();
    await door.ask('DELETE', `/api/operators/${other.name}`, { as: admin });
    expect(await heard).not.toContain('"type"');
  });

  it('tells what the installation is made of, and nothing that opens it [U2]', async () => {
    await using door = await openDoor();
    const { json, text } = await door.ask('GET', '/api/install', { as: await door.signIn('viewer') });
    expect(json).toMatchObject({
      isSimulated: true,
      store: 'sqlite',
      secret: { from: 'file' },
      model: { isDemo: true },
    });
    expect(Date.parse(json.secret.since)).toBeLessThanOrEqual(Date.now() + 1_000);
    for (const hidden of [door.world.folder, door.world.app.secret]) expect(text).not.toContain(hidden);
  });

  it('opens and closes the chat page for who may set policy, each time as one revision [U3]', async () => {
    await using door = await openDoor();
    const admin = await door.signIn('admin');
    const put = (json: object, as = admin) => door.ask('PUT', '/api/bots/demo/chat', { as, json });
    const status = async () => (await door.ask('GET', '/chat/demo')).status;
    expect(await status()).toBe(404);
    expect((await put({ page: true }, await door.signIn('approver'))).status).toBe(403);
    expect((await put({ page: true })).json).toMatchObject({ page: true, anonymous: false, revision: 2 });
    expect((await put({ page: true })).json.revision).toBe(2);
    expect(await status()).toBe(200);
    expect((await put({ page: false, anonymous: true })).json).toMatchObject({
      page: false,
      anonymous: true,
      revision: 3,
    });
    expect(await status()).toBe(404);
  });

  it('demotes and removes people with their sessions, links and keys, but never the last admin [U3]', async () => {
    await using door = await openDoor();
    const [admin, other] = [await door.signIn('admin'), await door.signIn('admin')];
    const key = (await door.ask('POST', `/api/operators/${other.name}/keys`, { as: admin, json: {} })).json.key;
    const { token } = await door.world.app.access.signInToken(other.name);
    expect((await door.ask('GET', '/api/proposals', { key })).status).toBe(200);
    expect((await door.ask('DELETE', `/api/operators/${other.name}`, { as: admin })).json).toMatchObject({
      removed: true,
    });
    expect((await door.ask('GET', '/api/proposals', { key })).status).toBe(401);
    expect((await door.ask('GET', '/api/proposals', { as: other })).status).toBe(401);
    expect((await door.ask('POST', '/sign-in', { json: { token } })).status).toBe(401);
    for (const [method, path, json] of [
      ['DELETE', `/api/operators/${admin.name}`, undefined],
      ['PUT', `/api/operators/${admin.name}`, { role: 'approver' }],
    ] as const)
      expect(await door.ask(method, path, { as: admin, json })).toMatchObject({
        status: 409,
        json: { error: { message: expect.stringContaining('only admin') } },
      });
    expect((await door.ask('DELETE', '/api/operators/nobody', { as: admin })).status).toBe(404);
    const third = await door.signIn('viewer');
    expect((await door.ask('PUT', `/api/operators/${third.name}`, { as: admin, json: { role: 'admin' } })).status).toBe(
      200,
    );
    // Two admins who demote each other at the same moment: one of them stays.
    await Promise.all([
      door.ask('PUT', `/api/operators/${third.name}`, { as: admin, json: { role: 'viewer' } }),
      door.ask('PUT', `/api/operators/${admin.name}`, { as: third, json: { role: 'viewer' } }),
    ]);
    const left = await door.world.app.access.operators();
    expect(left.filter(({ role }) => role === 'admin')).toHaveLength(1);
  });

  it('writes sign-ins, sign-outs, role changes and keys into the audit [U3 C7]', async () => {
    await using door = await openDoor();
    const admin = await door.signIn('admin');
    const token = await door.signInToken('admin');
    const signedIn = await door.ask('POST', '/sign-in', { json: { token } });
    const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    await door.ask('POST', '/sign-out', { headers: { cookie }, form: { csrf: signedIn.json.csrf } });
    await door.ask('POST', '/api/operators/admin-2/keys', { as: admin, json: { replace: true } });
    await door.ask('DELETE', '/api/operators/admin-2/keys', { as: admin });
    await door.ask('DELETE', '/api/operators/admin-2', { as: admin });
    const rows = await door.world.app.store.audit.find({ limit: 50 });
    expect(
      rows
        .map(({ event }) => event)
        .filter((event) => !/connected/.test(event))
        .reverse(),
    ).toEqual(expect.arrayContaining(['signed_in', 'signed_out', 'key_issued', 'keys_revoked', 'operator_removed']));
    expect(rows.map(({ detail }) => detail).join()).not.toMatch(/gh[aho]_/);
  });

  it('shows a recovered access on every page of every operator for a week [U2]', async () => {
    await using door = await openDoor();
    const [admin, viewer] = [await door.signIn('admin'), await door.signIn('viewer')];
    await expect(recoverAccess(door.world.app, viewer.name)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await latestRecovery(door.world.app)).toBeUndefined();
    const { token } = await recoverAccess(door.world.app, admin.name);
    // The server's own pages say it, and so does the frame of the app's, which asks for its session.
    const { id } = await proposeMove(door.world);
    expect((await door.ask('GET', `/approvals/${id}`, { as: viewer })).text).toContain('Access was recovered');
    expect((await door.ask('GET', '/api/session', { as: viewer })).json.recovered.operator).toBe(admin.name);
    expect((await door.world.app.store.audit.find({ event: 'access_recovered', limit: 5 }))[0]).toMatchObject({
      principal: 'local',
      detail: JSON.stringify({ operator: admin.name }),
    });
    expect((await door.ask('POST', '/sign-in', { json: { token } })).status).toBe(200);
    door.world.clock.advance(7 * 24 * 3_600_000);
    expect(await latestRecovery(door.world.app)).toBeUndefined();
  });

  it('deletes a bot with all that is kept of it, once its name is said again; its audit stays [U3]', async () => {
    await using door = await openDoor();
    const admin = await door.signIn('admin');
    await door.world.call('UpdateOpportunity', { reference: 'OPP-123', nextStep: 'Call' });
    expect((await door.ask('DELETE', '/api/bots/demo?confirm=dmo', { as: admin })).status).toBe(400);
    expect((await door.ask('DELETE', '/api/bots/demo?confirm=demo', { as: admin })).json).toMatchObject({
      deleted: true,
    });
    const { store, access } = door.world.app;
    expect([await store.bots.get('demo'), await store.connections.get('demo')]).toEqual([undefined, undefined]);
    expect(await store.proposals.list({ bot: 'demo', limit: 5 })).toEqual([]);
    await expect(access.agent(door.keys.agent)).rejects.toMatchObject({ code: 'unauthenticated' });
    expect((await store.audit.find({ bot: 'demo', event: 'bot_deleted', limit: 1 }))[0]).toBeDefined();
    expect((await door.world.app.audit.verify()).ok).toBe(true);
  });
});
