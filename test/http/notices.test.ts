import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { verifyDaily } from '../../src/audit/verdict.ts';
import { bodyOf } from '../../src/notices/messages.ts';
import { type Door, openDoor, proposeMove } from '../support/door.ts';

const MINUTE = 60_000;
const SECRET_PATH = '/services/T0/B0/s3cr3t-of-the-hook';

/** Takes what is sent; `status` is what it answers. */
async function receiver() {
  const got: { id: string; signature: string; timestamp: string; raw: string; body: Record<string, never> }[] = [];
  const state = { status: 200 };
  const server = createServer(async (request, response) => {
    const raw = await text(request);
    const header = (name: string) => String(request.headers[name]);
    got.push({
      ...{ id: header('webhook-id'), signature: header('webhook-signature'), timestamp: header('webhook-timestamp') },
      ...{ raw, body: JSON.parse(raw) },
    });
    response.writeHead(state.status).end('a body that nobody reads');
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  return {
    got,
    state,
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}${SECRET_PATH}`,
    [Symbol.asyncDispose]: () => new Promise<void>((closed) => server.close(() => closed())),
  };
}

const setHook = async (door: Door, json: object) => {
  const as = await door.signIn();
  return { as, ...(await door.ask('PUT', '/api/notices/webhook', { as, json })) };
};
const patch = (door: Door, change: object) => door.world.app.store.connections.patch(door.world.bot, change);

/** Another one that waits, and replaces none. */
const ask = (door: Door, amount: number) =>
  door.world.call('RunSOQL', { soql: `SELECT Name, Amount FROM Opportunity WHERE Amount > ${amount}` });

describe('what stands', () => {
  it('is told with its cure, the worst first, and nothing of it when all is well [W11]', async () => {
    await using door = await openDoor();
    const { app, bot, clock } = door.world;
    const key = await door.operatorKey('viewer');
    const list = async () => (await door.ask('GET', '/api/notices', { key })).json.notices;
    expect(await list()).toEqual([]);
    const { id } = await proposeMove(door.world, { nextStep: 'Hostile <b>words</b> of a visitor' });
    // What the calls noted of the connection is written, and does not come over what follows.
    await app.connections.close();
    await patch(door, {
      ...{ breakerState: 'open', breakerUntil: clock.now + MINUTE },
      ...{ apiUsed: 82, apiMax: 100, apiAt: clock.now },
    });
    const standing = await list();
    expect(standing).toMatchObject([
      { kind: 'breaker_open', bot, level: 'warn', cure: { path: `/bots/${bot}` } },
      { kind: 'budget_near', bot, level: 'warn', text: expect.stringMatching(/82 %.*background work is paused/) },
      {
        ...{ kind: 'approval_waits', bot, count: 1, text: `UpdateOpportunity of ${bot} waits for a person.` },
        ...{ until: expect.any(String), cure: { path: `/approvals/${id}` } },
      },
    ]);
    expect(JSON.stringify(standing)).not.toContain('Hostile');
    await patch(door, { apiUsed: 96, breakerState: 'closed' });
    expect(await list()).toMatchObject([{ kind: 'budget_near', level: 'bad' }, { kind: 'approval_waits' }]);
    await patch(door, { state: 'needs_reauth' });
    expect(await list()).toMatchObject([
      { kind: 'reconnect_needed', level: 'bad', cure: { label: 'Reconnect', path: `/connect/${bot}` } },
      { kind: 'approval_waits' },
    ]);
    await patch(door, { state: 'connected', apiUsed: 1 });
    await ask(door, 1);
    expect(await list()).toMatchObject([{ count: 2, cure: { path: `/approvals?bot=${bot}` } }]);
    // Past their time nothing waits any more, and use of yesterday says nothing of today.
    await patch(door, { apiUsed: 96, apiAt: clock.now });
    clock.advance(25 * 60 * MINUTE);
    expect(await list()).toEqual([]);
    expect((await door.ask('GET', '/api/notices', { key: door.keys.agent })).status).toBe(403);
  });

  it('says that the audit is broken, once a day by itself, and no longer when it holds [W11] [C7]', async () => {
    await using door = await openDoor();
    const { app, clock } = door.world;
    const key = await door.operatorKey('viewer');
    const list = async () => (await door.ask('GET', '/api/notices', { key })).json.notices;
    await proposeMove(door.world);
    let tries = 0;
    const daily = (verify = app.audit.verify) => {
      tries += 1;
      return verifyDaily(app.store.values, { verify }, { now: () => clock.now, newId: () => `process ${tries}` });
    };
    expect(await daily()).toMatchObject({ ok: true });
    expect(await daily()).toBeUndefined();
    expect(await list()).toMatchObject([{ kind: 'approval_waits' }]);
    const [row] = await app.store.audit.find({ limit: 1 });
    const other = await door.world.again();
    const broken = { ...other.store.audit, page: async () => (row ? [{ ...row, seq: 1, hash: 'x' }] : []) };
    expect(row).toBeDefined();
    clock.advance(25 * 60 * MINUTE);
    const { createAudit } = await import('../../src/audit/audit.ts');
    const { keepVerdict } = await import('../../src/audit/verdict.ts');
    // The same chain with a row that somebody edited.
    const edited = createAudit({
      ...{ store: { audit: broken }, secret: 'another', now: () => clock.now, log: app.log },
      heads: { where: 'nowhere', keep: async () => {}, all: async () => [], dropOlder: async () => {} },
      onVerdict: keepVerdict(app.store.values, () => clock.now),
    });
    expect(await daily(edited.verify)).toMatchObject({ ok: false, seq: 1 });
    expect(await list()).toMatchObject([{ kind: 'audit_broken', level: 'bad', bot: null, cure: { path: '/log' } }]);
    expect(await app.audit.verify()).toMatchObject({ ok: true });
    expect(await list()).toEqual([]);
  });
});

describe('the webhook of notices', () => {
  it('is set by admins, shown as host and last four, and its address stands nowhere in the clear [W11] [O4]', async () => {
    await using door = await openDoor();
    await using hook = await receiver();
    const { app } = door.world;
    const { status, json, as } = await setHook(door, { url: hook.url });
    expect(status).toBe(200);
    expect(json.secret).toMatch(/^whsec_/);
    const shown = await door.ask('GET', '/api/notices/webhook', { key: await door.operatorKey('viewer') });
    expect(shown.json).toMatchObject({
      state: 'on',
      host: hook.host,
      lastFour: 'hook',
      shape: 'gatehouse',
      problem: null,
    });
    const kept = await app.store.values.get('notice_webhook', 'webhook', door.world.clock.now);
    const audit = JSON.stringify(await app.store.audit.find({ limit: 100 }));
    for (const place of [shown.text, kept, audit]) {
      expect(place).toContain(hook.host);
      expect(place).not.toContain('s3cr3t');
      expect(place).not.toContain(json.secret);
    }
    // Kinds and form change without it, and no new secret is made.
    const changed = await door.ask('PUT', '/api/notices/webhook', {
      as,
      json: { shape: 'slack', kinds: ['breaker_open'] },
    });
    expect(changed.json).toEqual({});
    expect((await door.ask('GET', '/api/notices/webhook', { as })).json).toMatchObject({
      shape: 'slack',
      host: hook.host,
    });
    for (const refused of [await door.operatorKey('approver'), door.keys.agent, door.keys.host])
      for (const [method, path, body] of [
        ['PUT', '', { url: hook.url }],
        ['DELETE', '', undefined],
        ['POST', '/test', {}],
      ] as const)
        expect((await door.ask(method, `/api/notices/webhook${path}`, { key: refused, json: body })).status).toBe(403);
    expect((await door.ask('DELETE', '/api/notices/webhook', { as })).json).toEqual({ deleted: true });
    expect((await door.ask('GET', '/api/notices/webhook', { as })).json).toEqual({ state: 'none' });
    expect((await door.ask('POST', '/api/notices/webhook/test', { as, json: {} })).status).toBe(404);
    expect((await door.ask('PUT', '/api/notices/webhook', { as, json: {} })).status).toBe(400);
  });

  it.each([
    'http://hooks.example/x',
    'https://10.0.0.1/x',
    'https://169.254.169.254/latest',
    'https://[fd00:ec2::254]/x',
    'https://user:hunter2@hooks.example/x',
    'ftp://hooks.example/x',
  ])('does not go to %s [W11] [K12]', async (url) => {
    await using door = await openDoor();
    const { status, json, text: all } = await setHook(door, { url });
    expect([status, json.error.code]).toEqual([400, 'invalid_input']);
    expect(all).not.toContain('hunter2');
  });

  it('tells what begins and what ends, signed, once each, folded by kind [W11]', async () => {
    await using door = await openDoor();
    await using hook = await receiver();
    const { app, bot, clock } = door.world;
    const { json } = await setHook(door, { url: hook.url });
    expect(await app.notices.tell()).toBe(0);
    await proposeMove(door.world, { nextStep: 'Jane Doe, +1 234' });
    expect(await app.notices.tell()).toBe(1);
    expect(await app.notices.tell()).toBe(0);
    const [first] = hook.got;
    expect(first?.body).toMatchObject({
      type: 'notice.began',
      data: { kind: 'approval_waits', notices: [{ bot, count: 1, link: expect.stringContaining('/approvals/') }] },
    });
    expect(first?.raw).not.toContain('Jane');
    const key = Buffer.from(json.secret.replace('whsec_', ''), 'base64');
    const signed = createHmac('sha256', key).update(`${first?.id}.${first?.timestamp}.${first?.raw}`).digest('base64');
    expect(first?.signature).toBe(`v1,${signed}`);
    // A crowd within five minutes is one more message, not a flood.
    for (const amount of [1, 2]) {
      clock.advance(1_000);
      await ask(door, amount);
    }
    expect(await app.notices.tell()).toBe(0);
    await patch(door, { breakerState: 'open', breakerUntil: clock.now + 20 * MINUTE });
    expect(await app.notices.tell()).toBe(1);
    clock.advance(6 * MINUTE);
    expect(await app.notices.tell()).toBe(1);
    expect(hook.got[2]?.body).toMatchObject({ type: 'notice.changed', data: { notices: [{ count: 3 }] } });
    for (const { id } of await app.approvals.list({ pending: true }))
      await app.approvals.decide(id, { answer: 'reject', by: 'operator:bo', via: 'console', assurance: 'session' });
    await patch(door, { breakerState: 'closed' });
    clock.advance(6 * MINUTE);
    expect(await app.notices.tell()).toBe(2);
    const over = hook.got.slice(3).map(({ raw }) => JSON.parse(raw));
    expect(over.map(({ type }) => type)).toEqual(['notice.recovered', 'notice.recovered']);
    expect(over.map(({ data }) => data.text)).toEqual([
      `Salesforce answers again: ${bot}.`,
      `Nothing waits any more: ${bot}.`,
    ]);
    expect(new Set(hook.got.map(({ id }) => id)).size).toBe(hook.got.length);
  });

  it('is told by one of several processes, and sends a lost message again under its own id [W11]', async () => {
    await using door = await openDoor();
    await using hook = await receiver();
    const { app, clock } = door.world;
    await setHook(door, { url: hook.url });
    await proposeMove(door.world);
    hook.state.status = 500;
    const other = await door.world.again();
    const both = await Promise.all([app.notices.tell(), other.notices.tell()]);
    expect(both).toEqual([0, 0]);
    expect(hook.got).toHaveLength(1);
    // Not before its time.
    expect(await app.notices.tell()).toBe(0);
    expect(hook.got).toHaveLength(1);
    hook.state.status = 200;
    clock.advance(10_000);
    expect(await other.notices.tell()).toBe(1);
    expect(hook.got[1]?.id).toBe(hook.got[0]?.id);
  });

  it('is held by a clock that was ahead for no longer than its own longest pause [W11] [K6]', async () => {
    await using door = await openDoor();
    await using hook = await receiver();
    const { app, clock } = door.world;
    await setHook(door, { url: hook.url });
    await proposeMove(door.world);
    hook.state.status = 500;
    const ahead = await door.world.again(undefined, { now: () => clock.now + 20 * MINUTE });
    expect(await ahead.notices.tell()).toBe(0);
    expect(hook.got).toHaveLength(1);
    hook.state.status = 200;
    // The pause after one failure is five seconds.
    expect(await app.notices.tell()).toBe(0);
    expect(hook.got).toHaveLength(1);
    clock.advance(5_001);
    expect(await app.notices.tell()).toBe(1);
    expect(hook.got).toHaveLength(2);
  });

  it('is switched off after a day of failures, which the console says, and on again by a save [W11]', async () => {
    await using door = await openDoor();
    await using hook = await receiver();
    const { app, clock } = door.world;
    await setHook(door, { url: hook.url });
    const key = await door.operatorKey('admin');
    const first = (await app.notices.list()).map(({ kind }) => kind);
    expect(first).toEqual([]);
    await patch(door, { state: 'needs_reauth' });
    hook.state.status = 503;
    await app.notices.tell();
    const shown = async () => (await door.ask('GET', '/api/notices', { key })).json.notices[0];
    const ofHook = async () =>
      (await app.notices.list()).find(({ kind, bot }) => kind === 'webhook_failing' && bot === null);
    expect(await ofHook()).toMatchObject({ level: 'warn', text: expect.stringContaining('503') });
    for (let hour = 0; hour < 25; hour += 1) {
      clock.advance(61 * MINUTE);
      await app.notices.tell();
    }
    expect(await ofHook()).toMatchObject({ level: 'bad', text: expect.stringContaining('switched off') });
    expect((await shown()).cure.path).toMatch(/^\/(connect|settings)\//);
    const sent = hook.got.length;
    clock.advance(2 * 60 * MINUTE);
    await app.notices.tell();
    expect(hook.got).toHaveLength(sent);
    hook.state.status = 200;
    await door.ask('PUT', '/api/notices/webhook', { key, json: {} });
    expect(await ofHook()).toBeUndefined();
    expect(await app.notices.tell()).toBe(1);
  });

  it.each([1, -1])(
    'is not switched off by a clock that jumps by a year (%i) between two failures, and still is after a day of them [W11] [X3]',
    async (way) => {
      await using door = await openDoor();
      await using hook = await receiver();
      const { app, clock } = door.world;
      await setHook(door, { url: hook.url });
      await patch(door, { state: 'needs_reauth' });
      hook.state.status = 503;
      await app.notices.tell();
      clock.now += way * 365 * 24 * 60 * MINUTE;
      const state = async () => (await app.notices.webhook())?.state;
      for (let tries = 1; tries < 24; tries++) {
        clock.advance(61 * MINUTE);
        await app.notices.tell();
        expect(await state(), `after ${tries} more`).toBe('on');
      }
      for (let tries = 0; tries < 5; tries++) {
        clock.advance(61 * MINUTE);
        await app.notices.tell();
      }
      expect(await state()).toBe('off');
    },
  );

  it('a turn that somebody died with is over a minute later, whatever that one’s clock said [W11] [X3]', async () => {
    await using door = await openDoor();
    await using hook = await receiver();
    const { app, clock } = door.world;
    await setHook(door, { url: hook.url });
    await patch(door, { state: 'needs_reauth' });
    // Its clock was a year ahead.
    const year = 365 * 24 * 60 * MINUTE;
    await app.store.values.set('notice_turn', 'webhook', 'somebody who died', clock.now + year);
    expect(await app.notices.tell()).toBe(0);
    clock.advance(61_000);
    await app.notices.tell();
    expect(await app.notices.tell()).toBe(1);
    expect(hook.got).toHaveLength(1);
  });

  it('is off at once where the receiver wants no more, and a test says what it answered [W11]', async () => {
    await using door = await openDoor();
    await using hook = await receiver();
    const { as } = await setHook(door, { url: hook.url });
    const test = async () => (await door.ask('POST', '/api/notices/webhook/test', { as, json: {} })).json;
    expect(await test()).toEqual({ delivered: true, problem: null });
    expect(hook.got[0]?.body).toMatchObject({ type: 'notice.test' });
    hook.state.status = 404;
    expect(await test()).toEqual({ delivered: false, problem: 'The receiver answered 404.' });
    hook.state.status = 410;
    await proposeMove(door.world);
    await door.world.app.notices.tell();
    expect((await door.ask('GET', '/api/notices/webhook', { as })).json.state).toBe('off');
  });

  it('speaks as Slack and Teams take it, with their own signs escaped [W11] [A7]', () => {
    const given = { text: 'a <!channel> & *b* [c](d)', link: 'https://gate.example/log', data: {}, type: 'x', at: 0 };
    expect(JSON.parse(bodyOf('slack', given))).toEqual({
      text: 'a &lt;!channel&gt; &amp; *b* [c](d) <https://gate.example/log|Open Gatehouse>',
    });
    const card = JSON.parse(bodyOf('teams', given)).attachments[0].content;
    expect(card.body[0].text).toBe('a <!channel> & \\*b\\* \\[c\\](d)');
    expect(card.actions).toEqual([
      { type: 'Action.OpenUrl', title: 'Open Gatehouse', url: 'https://gate.example/log' },
    ]);
  });
});
