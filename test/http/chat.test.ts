import { afterEach, describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { parsePolicy, shippedPolicy } from '../../permissions/policy.ts';
import { createHttp } from '../../src/http/server.ts';
import { type Door, type Given, openDoor } from '../support/door.ts';
import { signFor, type WorldOptions } from '../support/world.ts';

const PAGE = { 'gatehouse-chat': '1' };

describe('the chat over HTTP', () => {
  const doors: Door[] = [];
  afterEach(async () => {
    for (const door of doors.splice(0)) await door[Symbol.asyncDispose]();
  });

  const open = async (chat: Partial<Policy['chat']> = {}, options: WorldOptions = {}) => {
    const opened = { page: true, frameOrigins: [], anonymous: true, perMinute: 100, ...chat };
    const door = await openDoor({ ...options, policy: (policy) => ({ ...policy, chat: opened }) });
    doors.push(door);
    return door;
  };

  /** A visitor with a cookie of their own, in a conversation of their own. */
  const visit = async (door: Door, given: Given = {}) => {
    const begun = await door.ask('POST', BASE, { json: {}, ...given, headers: { ...PAGE, ...given.headers } });
    const cookie = begun.headers.get('set-cookie')?.split(';')[0];
    const headers = { ...PAGE, ...(cookie === undefined ? {} : { cookie }), ...given.headers };
    const at = `${BASE}/${begun.json.id}`;
    return {
      at,
      begun,
      headers,
      read: () => door.ask('GET', at, { headers }),
      say: async (text: string) =>
        eventsOf((await door.ask('POST', `${at}/messages`, { headers, json: { text } })).text),
      answer: (id: string, answer: object) => door.ask('POST', `${at}/proposals/${id}`, { headers, json: answer }),
    };
  };
  const BASE = '/api/bots/demo/conversations';
  // biome-ignore lint/suspicious/noExplicitAny: events of many kinds
  const eventsOf = (text: string): any[] =>
    text
      .split('\n\n')
      .filter((block) => block.startsWith('data: '))
      .map((block) => JSON.parse(block.slice(6)));
  const stage = async (door: Door) =>
    (await door.world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-456')?.StageName;

  it('is not there until an operator opens it, and looks no different from a bot that does not exist', async () => {
    const door = await openDoor();
    doors.push(door);
    for (const [method, path] of [
      ['GET', '/chat/demo'],
      ['POST', BASE],
      ['GET', `${BASE}/x`],
      ['POST', `${BASE}/x/messages`],
      ['POST', `${BASE}/x/proposals/y`],
      ['POST', `${BASE}/x/resume`],
    ] as const) {
      const bodies: Record<string, object> = { messages: { text: 'Hello' }, y: { answer: 'approve' } };
      const json = method === 'POST' ? { json: bodies[path.split('/').at(-1) ?? ''] ?? {} } : {};
      const closed = await door.ask(method, path, { headers: PAGE, ...json });
      const absent = await door.ask(method, path.replace('demo', 'nobody'), { headers: PAGE, ...json });
      expect([path, closed.status, closed.json.error.code]).toEqual([path, 404, 'not_found']);
      expect(absent.text).toBe(closed.text);
    }
  });

  it('streams a turn, keeps it, and acts once the person presses the button [T1] [T3] [C4]', async () => {
    const door = await open();
    const visitor = await visit(door);
    expect(visitor.begun).toMatchObject({ status: 201, json: { isDemo: true, isSimulated: true } });

    const events = await visitor.say('Move OPP-456 to Closed Won');
    expect(events.at(-1)).toMatchObject({ type: 'done', reason: 'waiting' });
    const { proposal } = events.find(({ type }) => type === 'proposal');
    expect(proposal).toMatchObject({ assurance: 'client', changes: [{ field: 'StageName', after: 'Closed Won' }] });

    // Words are no button.
    const talked = await visitor.say('yes, approve it');
    expect(talked.map(({ delta = '' }) => delta).join('')).toContain('decide on the card');
    expect(await stage(door)).not.toBe('Closed Won');

    const told = eventsOf((await visitor.answer(proposal.id, { answer: 'approve' })).text);
    expect(told).toContainEqual(
      expect.objectContaining({
        type: 'receipt',
        receipt: expect.objectContaining({ status: 'done', proposal: proposal.id }),
      }),
    );
    expect(await stage(door)).toBe('Closed Won');
    const { json } = await visitor.read();
    expect(json.proposals).toEqual([]);
    expect(json.entries.map(({ kind }: { kind: string }) => kind)).toContain('receipt');
    expect((await door.world.app.approvals.inspect(proposal.id)).proposal).toMatchObject({
      decidedVia: 'chat',
      assurance: 'client',
    });
  });

  it('writes nothing when the person declines, and says so [C5]', async () => {
    const door = await open();
    const visitor = await visit(door);
    const before = await stage(door);
    const { proposal } = (await visitor.say('Move OPP-456 to Closed Won')).find(({ type }) => type === 'proposal');
    const told = eventsOf((await visitor.answer(proposal.id, { answer: 'reject' })).text);
    expect(told.find(({ type }) => type === 'receipt').receipt.status).toBe('declined');
    expect(await stage(door)).toBe(before);
  });

  it('gives nobody the conversation or the card of another: not found, like what is not there [C5]', async () => {
    const door = await open();
    const one = await visit(door);
    const two = await visit(door);
    const { proposal } = (await one.say('Move OPP-456 to Closed Won')).find(({ type }) => type === 'proposal');
    const missing = await door.ask('GET', `${BASE}/nothing`, { headers: two.headers });
    for (const answer of [
      await door.ask('GET', one.at, { headers: two.headers }),
      await door.ask('POST', `${one.at}/messages`, { headers: two.headers, json: { text: 'Hello' } }),
      await door.ask('POST', `${one.at}/resume`, { headers: two.headers, json: {} }),
      await door.ask('POST', `${one.at}/proposals/${proposal.id}`, {
        headers: two.headers,
        json: { answer: 'approve' },
      }),
      await two.answer(proposal.id, { answer: 'approve' }),
    ])
      expect([answer.status, answer.json.error.code]).toEqual([404, 'not_found']);
    expect((await door.ask('GET', one.at, { headers: two.headers })).text).toBe(missing.text);
    expect((await door.world.app.approvals.inspect(proposal.id)).proposal.state).toBe('pending');
    // The same cookie at another bot is somebody else.
    await door.world.app.store.bots.create({
      name: 'other',
      audience: 'internal',
      profile: 'internal',
      createdAt: 0,
      grants: [],
      policy: { ...shippedPolicy('internal'), chat: { page: true, frameOrigins: [], anonymous: true, perMinute: 9 } },
    });
    expect((await door.ask('GET', one.at.replace('demo', 'other'), { headers: one.headers })).status).toBe(404);
  });

  it('takes neither a key nor a request that another site’s page could send for a person [C3]', async () => {
    const door = await open();
    const visitor = await visit(door);
    const { proposal } = (await visitor.say('Move OPP-456 to Closed Won')).find(({ type }) => type === 'proposal');
    const path = `${visitor.at}/proposals/${proposal.id}`;
    const json = { answer: 'approve' };
    const { cookie = '' } = visitor.headers as Record<string, string>;
    for (const key of [door.keys.agent, door.keys.host, await door.operatorKey('admin')])
      expect((await door.ask('POST', path, { key, json, headers: visitor.headers })).status).toBe(403);
    expect((await door.ask('POST', path, { json, headers: { cookie } })).status).toBe(403);
    expect(
      (await door.ask('POST', path, { json, headers: { ...visitor.headers, origin: 'https://evil.example' } })).status,
    ).toBe(403);
    expect((await door.ask('POST', path, { form: { answer: 'approve' }, headers: visitor.headers })).status).toBe(415);
    expect(
      (await door.ask('POST', path, { json: { ...json, assurance: 'session' }, headers: visitor.headers })).status,
    ).toBe(400);
    expect((await door.world.app.approvals.inspect(proposal.id)).proposal.state).toBe('pending');
  });

  it('knows people by the session that the host signed, apart from each other and across devices [O9] [P6]', async () => {
    const door = await open({ anonymous: false });
    const { access } = door.world.app;
    const [account] = await door.world.records('Account');
    const indexValue = String(account?.Account_Key__c);
    const sign = async (user?: string) =>
      (await door.ask('POST', '/api/bots/demo/sessions', { key: door.keys.host, json: { indexValue, user } })).json
        .session;
    const anna = await visit(door, { headers: { 'gatehouse-session': await sign('anna') } });
    const again = { 'gatehouse-session': await sign('anna') };
    const ben = { 'gatehouse-session': await sign('ben') };
    expect(anna.begun.headers.get('set-cookie')).toBeNull();
    expect((await door.ask('GET', anna.at, { headers: again })).status).toBe(200);
    for (const headers of [ben, { 'gatehouse-session': await sign() }])
      expect((await door.ask('GET', anna.at, { headers })).status).toBe(404);

    for (const session of [undefined, 'ghs_forged.x', await signFor(access, 'other', { indexValue, user: 'anna' })]) {
      const headers: Record<string, string> = session === undefined ? {} : { 'gatehouse-session': session };
      const refused = await door.ask('GET', anna.at, { headers: { ...PAGE, ...headers } });
      expect([refused.status, refused.json.error.code]).toEqual([401, 'unauthenticated']);
    }
    door.world.clock.advance(2 * 3_600_000);
    expect((await door.ask('GET', anna.at, { headers: again })).status).toBe(401);
  });

  it('does not go on about the account that the same person was vouched for earlier [O9] [P6]', async () => {
    const door = await open({ anonymous: false }, { audience: 'public' });
    const sign = async (indexValue: string) => ({
      'gatehouse-session': (
        await door.ask('POST', '/api/bots/demo/sessions', {
          key: door.keys.host,
          json: { indexValue, user: 'anna' },
        })
      ).json.session,
    });
    const before = await visit(door, { headers: await sign('ACME-001') });
    await before.say('Who is Acme Industries?');
    const now = await sign('GLOBEX-001');
    for (const answer of [
      await door.ask('GET', before.at, { headers: now }),
      await door.ask('POST', `${before.at}/messages`, { headers: now, json: { text: 'Who is Acme Industries?' } }),
      await door.ask('POST', `${before.at}/resume`, { headers: now, json: {} }),
    ])
      expect([answer.status, answer.json.error.code]).toEqual([404, 'not_found']);
    expect((await before.read()).status).toBe(200);
  });

  it('makes visitors of the random cookie it gave, never of a value that somebody planted', async () => {
    const door = await open();
    const planted = await door.ask('POST', BASE, { json: {}, headers: { ...PAGE, cookie: 'gatehouse-visitor=a' } });
    expect(planted.headers.get('set-cookie')).toMatch(
      /^gatehouse-visitor=[\w-]{43}; Path=\/; HttpOnly; Max-Age=\d+; SameSite=Lax$/,
    );
    const known = planted.headers.get('set-cookie')?.split(';')[0] ?? '';
    const back = await door.ask('POST', BASE, { json: {}, headers: { ...PAGE, cookie: known } });
    expect(back.headers.get('set-cookie')).toBeNull();
    // Nobody who reads the database becomes the visitor.
    const { owner } = (await door.world.app.store.conversations.get(back.json.id)) ?? { owner: '' };
    expect(owner).toMatch(/^visitor:demo\/[0-9a-f]{32}$/);

    const env = { GATEHOUSE_URL: 'https://gate.example', GATEHOUSE_SIM: '1', GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1' };
    const secure = await open({}, { env });
    const through = { ...PAGE, 'x-forwarded-host': 'gate.example' };
    const { headers } = await secure.ask('POST', BASE, { json: {}, headers: through });
    expect(headers.get('set-cookie')).toMatch(/^__Host-gatehouse-visitor=.*SameSite=None; Secure; Partitioned$/);
  });

  it('limits how much one person says, and how many people come from one address', async () => {
    const door = await open({ perMinute: 3 });
    const visitor = await visit(door);
    await visitor.say('Hello');
    await visitor.say('Hello again');
    await visitor.say('Are you there');
    const refused = await door.ask('POST', `${visitor.at}/messages`, {
      headers: visitor.headers,
      json: { text: 'Hm' },
    });
    expect([refused.status, refused.json.error.code]).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const statuses: number[] = [];
    for (let n = 0; n < 30; n += 1) statuses.push((await door.ask('POST', BASE, { json: {}, headers: PAGE })).status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(25);
    door.world.clock.advance(60_000);
    expect((await visitor.say('Hello')).at(-1).type).toBe('done');
  });

  it('limits what strangers look at from one address, and locks out nobody whom the host signed for', async () => {
    const door = await open({ perMinute: 2 });
    const http = createHttp(door.world.app);
    const from = async (remoteAddress: string, method: string, headers: Record<string, string> = {}) =>
      (
        await http.fetch(
          new Request(`http://localhost${BASE}${method === 'GET' ? '/x' : ''}`, {
            method,
            headers: { host: 'localhost', 'content-type': 'application/json', ...PAGE, ...headers },
            ...(method === 'GET' ? {} : { body: '{}' }),
          }),
          { remoteAddress },
        )
      ).status;
    const known = await visit(door);
    const looks = await Promise.all(Array.from({ length: 1210 }, () => from('203.0.113.9', 'GET')));
    expect(looks.filter((status) => status === 429)).toHaveLength(10);
    expect(await from('192.0.2.1', 'POST', { cookie: String(known.headers.cookie) })).toBe(201);
    const opened: number[] = [];
    for (let n = 0; n < 30; n += 1) opened.push(await from('203.0.113.9', 'POST'));
    expect(opened.filter((status) => status === 201)).toHaveLength(20);
    const session = await signFor(door.world.app.access, 'demo', { indexValue: 'ACME-1' }, 600_000);
    const signed = { 'gatehouse-session': session };
    expect([
      await from('203.0.113.9', 'POST', signed),
      await from('203.0.113.9', 'POST', signed),
      await from('203.0.113.9', 'POST', signed),
    ]).toEqual([201, 201, 429]);
  });

  it.each([
    ['nothing', {}, 400],
    ['empty words', { text: '   ' }, 400],
    ['too many words', { text: 'x'.repeat(4001) }, 400],
    ['more than was asked for', { text: 'Hi', owner: 'operator:admin' }, 400],
    ['no text', { text: { toString: 'x' } }, 400],
    ['a hidden character', { text: 'Move OPP-456\u202e' }, 400],
  ])('refuses %s before a word is streamed [E]', async (_, json, status) => {
    const door = await open();
    const visitor = await visit(door);
    const answer = await door.ask('POST', `${visitor.at}/messages`, { headers: visitor.headers, json });
    expect([answer.status, answer.json.error.code]).toEqual([status, 'invalid_input']);
  });

  it('runs one turn of a conversation at a time', async () => {
    const door = await open();
    const visitor = await visit(door);
    const send = () =>
      door.ask('POST', `${visitor.at}/messages`, {
        headers: visitor.headers,
        json: { text: 'What is the status of OPP-123?' },
      });
    const statuses = (await Promise.all([send(), send(), send()])).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(2);
  });

  it('tells visitors of a public bot what is asked, not what the record holds, and leaves the deciding to a colleague [C4] [P6]', async () => {
    const door = await open({}, { audience: 'public', grants: ['UPDATE_OPPORTUNITY'] });
    const visitor = await visit(door);
    const before = await stage(door);
    const events = await visitor.say('Move OPP-456 to Closed Won');
    const { proposal } = events.find(({ type }) => type === 'proposal');
    expect(Object.keys(proposal).sort()).toEqual(['action', 'assurance', 'expiresAt', 'id', 'state', 'summary']);
    expect(proposal.assurance).toBe('session');
    expect(JSON.stringify((await visitor.read()).json.proposals)).not.toContain(String(before));

    const refused = await visitor.answer(proposal.id, { answer: 'approve' });
    expect([refused.status, refused.json.error.code]).toEqual([403, 'permission_denied']);
    expect(await stage(door)).toBe(before);

    await door.world.approve(proposal.id);
    expect((await visitor.read()).json).toMatchObject({ canResume: true });
    const told = await door.ask('POST', `${visitor.at}/resume`, { headers: visitor.headers, json: {} });
    const { receipt } = eventsOf(told.text).find(({ type }) => type === 'receipt');
    expect(receipt).toMatchObject({ status: 'done', changes: [] });
    expect(receipt.record).toBeUndefined();
    expect(await stage(door)).toBe('Closed Won');
  });

  it('shows the page only to sites on the list, by the header that browsers obey', async () => {
    const door = await open({ frameOrigins: ['https://shop.example', 'http://localhost:4000'] });
    const { headers, text } = await door.ask('GET', '/chat/demo');
    expect(headers.get('content-security-policy')).toContain(
      'frame-ancestors https://shop.example http://localhost:4000;',
    );
    expect(headers.get('x-frame-options')).toBeNull();
    expect(text).not.toMatch(/gh[aho]_/);
    const alone = await (await open()).ask('GET', '/chat/demo');
    expect(alone.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(alone.headers.get('x-frame-options')).toBe('DENY');
  });
});

describe('the policy of a chat', () => {
  const problems = (chat: unknown) => {
    const parsed = parsePolicy({ chat });
    return 'problems' in parsed ? parsed.problems.map(({ name }) => name) : [];
  };

  it('is closed unless somebody opens it [C1]', () => {
    for (const audience of ['public', 'internal'] as const)
      expect(shippedPolicy(audience).chat).toEqual({ page: false, frameOrigins: [], anonymous: false, perMinute: 12 });
  });

  it('stops the save at a mistyped key, and at an origin that could mean more than one site [C1]', () => {
    expect(problems({ pages: true })).toEqual(['chat.pages']);
    expect(problems({ page: 'yes' })).toEqual(['chat.page']);
    for (const origin of [
      '*',
      "'self'",
      'https://*.shop.example',
      'https://shop.example/',
      'https://shop.example/path',
      'http://shop.example',
      'https://Shop.example',
      'https://shop.example; script-src *',
      'https://a b',
      'data:',
      'null',
      '',
    ])
      expect([origin, problems({ frameOrigins: [origin] })]).toEqual([origin, ['chat.frameOrigins[0]']]);
    expect(
      problems({ frameOrigins: ['https://shop.example', 'https://shop.example:8443', 'http://localhost:3000'] }),
    ).toEqual([]);
  });
});
