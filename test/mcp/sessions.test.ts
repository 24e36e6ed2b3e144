import { expect, it } from 'vitest';
import { listen } from '../../src/http/server.ts';
import { createMcpHttp } from '../../src/mcp/http.ts';
import { openDatabase } from '../../src/store/open.ts';
import { describeOnce, describePostgres } from '../support/databases.ts';
import { type Door, type How, type Knocker, openDoor, type Reply } from './door.ts';

/** Sessions of 2025-era clients on both databases, in two processes' worth of houses behind one balancer. */

const HOUR_MS = 3_600_000;
const MOVE = { reference: 'OPP-123', nextStep: 'Send the contract' };
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: { elicitation: {} },
    clientInfo: { name: 'test', version: '1' },
  },
};
const yes = (): Reply => ({ action: 'accept', content: { decision: 'approve' } });

interface Two extends AsyncDisposable {
  readonly door: Door;
  readonly urls: readonly [string, string];
}

type OpenTwo = () => Promise<Two>;

describeOnce('on SQLite', () => suite(() => openTwo({}, async () => {})));
describePostgres((makeSchema) =>
  suite(async () => {
    const { target, remove } = await makeSchema();
    await (await openDatabase(target)).close();
    const url = new URL(target.url);
    url.searchParams.set('options', `-c search_path=${target.schema}`);
    return openTwo({ DATABASE_URL: url.href }, remove);
  }),
);

async function openTwo(env: Record<string, string>, remove: () => Promise<void>): Promise<Two> {
  const door = await openDoor({ env });
  const other = await door.world.again();
  const mcp = createMcpHttp(other);
  const server = await listen({ ...other, mcp }, { host: '127.0.0.1', port: 0 });
  return {
    door,
    urls: [door.url, `${server.url}/mcp`],
    async [Symbol.asyncDispose]() {
      await mcp.close();
      await server.close();
      await door[Symbol.asyncDispose]();
      await remove();
    },
  };
}

/** As a balancer without sticky sessions would: `choose` says for every POST which house gets it. */
function balanced({ door, urls }: Two, how: How, choose: (body: string) => 0 | 1): Promise<Knocker> {
  return door.connect('classic', {
    ...how,
    // A gateway that holds no stream of its own open, as many do.
    fetch: async (_, init) =>
      init?.method === 'POST'
        ? fetch(urls[choose(String(init.body))], init)
        : new Response(null, { status: init?.method === 'GET' ? 405 : 200 }),
  });
}

async function post({ door }: Two, url: string, body: unknown, id?: string, key = door.key): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${key}`,
      ...(id === undefined ? {} : { 'mcp-session-id': id }),
    },
    body: JSON.stringify(body),
  });
}

async function opened(two: Two, url: string): Promise<string> {
  const answer = await post(two, url, INITIALIZE);
  await answer.text();
  expect(answer.status).toBe(200);
  return answer.headers.get('mcp-session-id') ?? expect.fail('no session was opened');
}

const status = async (answer: Promise<Response>) => {
  const response = await answer;
  await response.body?.cancel();
  return response.status;
};

function suite(open: OpenTwo): void {
  it('are alive in every process and after a restart, and their clients are still asked [M10]', async () => {
    await using two = await open();
    let posts = 0;
    const client = await balanced(two, { person: yes }, () => (posts++ % 2 === 0 ? 0 : 1));
    expect(await client.tools()).not.toEqual([]);
    expect(await client.tools()).not.toEqual([]);
    expect((await client.call('UpdateOpportunity', MOVE)).structuredContent.status).toBe('done');

    await two.door.restart();

    const more = { ...MOVE, nextStep: 'Call back' };
    expect((await client.call('UpdateOpportunity', more)).structuredContent.status).toBe('done');
    expect(client.questions).toHaveLength(2);
  });

  it('bring the answer to a form to the process that asked, wherever it arrives, and no other form [M10]', async () => {
    await using two = await open();
    const isAnswer = (body: string) => !('method' in JSON.parse(body));
    // Two forms are open at once, one in each process; every answer goes to the wrong one.
    const asking = { 'Send the contract': 0, 'Call back': 1 } as const;
    const forms = new Map<string, 0 | 1>();
    let shown: (() => void) | undefined;
    const both = new Promise<void>((resolve) => {
      shown = resolve;
    });
    const client = await balanced(
      two,
      {
        person: async ({ message }) => {
          const step = message.includes('Send the contract') ? 'Send the contract' : 'Call back';
          forms.set(step, asking[step]);
          if (forms.size === 2) shown?.();
          await both;
          return step === 'Call back' ? { action: 'decline' } : yes();
        },
      },
      (body) => {
        if (isAnswer(body)) return body.includes('decline') ? 0 : 1;
        return body.includes('Call back') ? 1 : 0;
      },
    );

    const [moved, declined] = await Promise.all([
      client.call('UpdateOpportunity', MOVE),
      client.call('UpdateOpportunity', { reference: 'OPP-124', nextStep: 'Call back' }),
    ]);

    expect(moved.structuredContent).toMatchObject({ status: 'done', result: { changes: [{ after: MOVE.nextStep }] } });
    expect(declined.structuredContent.status).toBe('declined');
  });

  it('carry a cancelled call to the process that runs it: its form counts no more [M10] [C5]', async () => {
    await using two = await open();
    const given = new AbortController();
    let answer: ((reply: Reply) => void) | undefined;
    let shown: (() => void) | undefined;
    const isShown = new Promise<void>((resolve) => {
      shown = resolve;
    });
    const client = await balanced(
      two,
      {
        person: () =>
          new Promise((resolve) => {
            answer = resolve;
            shown?.();
          }),
      },
      (body) => (body.includes('notifications/cancelled') ? 1 : 0),
    );
    const called = client.call('UpdateOpportunity', MOVE, { signal: given.signal });
    await isShown;
    given.abort();
    await expect(called).rejects.toThrow();
    const { app } = two.door.world;
    const id = client.sessionId() ?? '';
    // The call is over where it ran.
    await expect.poll(async () => (await app.store.mcpSessions.get(id))?.calls).toBe(0);
    answer?.(yes());
    expect(await client.tools()).not.toEqual([]);
    expect(await app.approvals.list({ bot: two.door.world.bot, pending: true })).toHaveLength(1);
  });

  it('refuse a request id that is still to be answered, and the one that has it keeps its answer: nobody waits for ever [M9]', async () => {
    await using two = await open();
    const [url] = two.urls;
    const id = await opened(two, url);
    const call = { name: 'UpdateOpportunity', arguments: MOVE };
    // It waits at a form, which is the first thing on its stream.
    const waiting = await post(two, url, { jsonrpc: '2.0', id: 7, method: 'tools/call', params: call }, id);
    const stream = waiting.body?.getReader() ?? expect.fail('no stream');
    const read = async (until: string) => {
      let text = '';
      while (!text.includes(until)) {
        const { value, done } = await stream.read();
        if (done) break;
        text += new TextDecoder().decode(value);
      }
      return JSON.parse(text.split('data: ').at(-1) ?? '');
    };
    const form = await read('elicitation/create');

    for (const again of [
      { ...LIST, id: 7 },
      [
        { ...LIST, id: 8 },
        { ...LIST, id: 7 },
      ],
      [LIST, LIST],
    ]) {
      const refused = await post(two, url, again, id);
      expect(refused.status).toBe(409);
      expect(await refused.json()).toMatchObject({
        error: { code: 'conflict', next: expect.stringContaining('another') },
      });
    }
    // What was refused beside it took no id; a text is another id than its number; what was answered is free again.
    for (const free of [8, '7', 2, 2])
      expect(await (await post(two, url, { ...LIST, id: free }, id)).text()).toContain('tools');

    expect(await status(post(two, url, { jsonrpc: '2.0', id: form.id, result: yes() }, id))).toBe(202);
    expect((await read('"id":7')).result.structuredContent.status).toBe('done');
    expect(await status(post(two, url, { ...LIST, id: 7 }, id))).toBe(200);
  });

  it('answer a call that waits at a form before their process stops, with the link [M9]', async () => {
    await using two = await open();
    let shown: (() => void) | undefined;
    const isShown = new Promise<void>((resolve) => {
      shown = resolve;
    });
    const client = await balanced(two, { person: () => new Promise(() => shown?.()) }, () => 0);
    const called = client.call('UpdateOpportunity', MOVE);
    await isShown;

    await two.door.restart();

    const { structuredContent } = await called;
    expect(structuredContent).toMatchObject({ status: 'waiting', proposal: { link: expect.stringMatching(/^http/) } });
  });

  it('are 404 where they were never issued, were ended or lay idle, in words that say what to do [M10]', async () => {
    await using two = await open();
    const [here, there] = two.urls;
    const ended = await opened(two, here);
    const idle = await opened(two, here);
    // Both processes hold it.
    expect(await status(post(two, there, LIST, ended))).toBe(200);
    const headers = { authorization: `Bearer ${two.door.key}`, 'mcp-session-id': ended };
    expect(await status(fetch(there, { method: 'DELETE', headers }))).toBe(200);
    two.door.world.clock.advance(5 * HOUR_MS);

    for (const url of two.urls)
      for (const id of ['made-up', ended, idle]) {
        const answer = await post(two, url, LIST, id);
        expect(answer.status, id).toBe(404);
        expect(await answer.json()).toMatchObject({
          error: { code: 'not_found', next: expect.stringContaining('initialize') },
        });
        expect(
          await status(fetch(url, { headers: { ...headers, 'mcp-session-id': id, accept: 'text/event-stream' } })),
        ).toBe(404);
        expect(await status(fetch(url, { method: 'DELETE', headers: { ...headers, 'mcp-session-id': id } }))).toBe(404);
      }
    // Who names no session is served without one.
    expect(await status(post(two, there, LIST))).toBe(200);
  });

  it('are nobody else’s in any process, also of the same bot [M10] [P4]', async () => {
    await using two = await open();
    const id = await opened(two, two.urls[0]);
    const other = await two.door.world.app.access.issueKey('agent', two.door.world.bot);
    for (const url of two.urls) expect(await status(post(two, url, LIST, id, other))).toBe(403);
  });

  it('make room for new ones, but never by ending one with a call under way [M9]', async () => {
    await using two = await open();
    let answer: ((reply: Reply) => void) | undefined;
    let shown: (() => void) | undefined;
    const isShown = new Promise<void>((resolve) => {
      shown = resolve;
    });
    const client = await balanced(
      two,
      {
        person: () =>
          new Promise((resolve) => {
            answer = resolve;
            shown?.();
          }),
      },
      () => 0,
    );
    const called = client.call('UpdateOpportunity', MOVE);
    await isShown;
    const unused = await opened(two, two.urls[0]);

    for (let opening = 0; opening < 101; opening += 1) await opened(two, two.urls[opening % 2 === 0 ? 0 : 1]);

    expect(await status(post(two, two.urls[1], LIST, unused))).toBe(404);
    answer?.(yes());
    expect((await called).structuredContent.status).toBe('done');
    expect(await client.tools()).not.toEqual([]);
  });

  it('are refused with 429 and words when every one of them has a call under way [M9]', async () => {
    await using two = await open();
    const { mcpSessions } = two.door.world.app.store;
    const { now } = two.door.world.clock;
    const ids = [];
    for (let opening = 0; opening < 100; opening += 1) ids.push(await opened(two, two.urls[0]));
    for (const id of ids) await mcpSessions.beginCall(id, now, now + HOUR_MS / 60);

    const refused = await post(two, two.urls[1], INITIALIZE);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await refused.json()).toMatchObject({ error: { code: 'rate_limited', next: expect.stringMatching(/\w/) } });

    await mcpSessions.endCall(ids[7] ?? '');
    await opened(two, two.urls[1]);
    expect(await status(post(two, two.urls[0], LIST, ids[7]))).toBe(404);
    expect(await status(post(two, two.urls[0], LIST, ids[8]))).toBe(200);
    // A process that died in the middle of its calls does not hold the places for ever.
    two.door.world.clock.advance(HOUR_MS);
    await opened(two, two.urls[1]);
  });
}
