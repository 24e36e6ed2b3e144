import { afterEach, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app/app.ts';
import { GatehouseError } from '../../src/domain/errors.ts';
import { toEventStream } from '../../src/http/event-stream.ts';
import { MOST_OF_ONE } from '../../src/http/streams.ts';
import type { Model } from '../../src/ports/model.ts';
import type { Route } from '../../src/ports/route.ts';
import { openDoor } from '../support/door.ts';

describe('server-sent events', () => {
  const doors: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const door of doors.splice(0).reverse()) await door[Symbol.asyncDispose]();
  });

  const open = async (stream: (signal: AbortSignal) => AsyncIterable<object>) => {
    const answer = 'text/event-stream';
    const route: Route = {
      ...{ method: 'GET', path: '/api/test-events', summary: '', who: [], answer },
      handle: async () => ({ stream, listener: 'somebody' }),
    };
    const door = await openDoor({}, () => ({ routes: [route] }));
    doors.push(door);
    return door;
  };

  it('sends one event per item, whatever characters it holds, and ends [T1]', async () => {
    const words = ['a\nb', 'data: c\n\n', '\u2028</script>', 'grüße'];
    const door = await open(async function* () {
      for (const delta of words) yield { type: 'text', delta };
    });
    const { status, text, headers } = await door.ask('GET', '/api/test-events');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(headers.get('cache-control')).toContain('no-transform');
    const sent = text.split('\n\n').filter((block) => block.startsWith('data: '));
    expect(sent.map((block) => JSON.parse(block.slice(6)).delta)).toEqual(words);
  });

  it('gives what is refused at once a status of its own, and what fails later an event without its cause', async () => {
    // biome-ignore lint/correctness/useYield: refuses before its first word
    const refused = await open(async function* () {
      throw new GatehouseError('conflict', 'A turn is running.', { next: 'Wait for its end.' });
    });
    expect(await refused.ask('GET', '/api/test-events')).toMatchObject({
      status: 409,
      json: { error: { code: 'conflict' } },
    });

    const failing = await open(async function* () {
      yield { type: 'text', delta: 'Hel' };
      throw new Error('table messages is gone');
    });
    const { status, text } = await failing.ask('GET', '/api/test-events');
    expect(status).toBe(200);
    expect(text).toContain('"type":"error"');
    expect(text).toContain('"code":"internal"');
    expect(text).not.toContain('table messages');
  });

  it('stops the work when the listener goes away, and lets it store what it has', async () => {
    let ended: (how: string) => void = () => {};
    const end = new Promise<string>((resolve) => {
      ended = resolve;
    });
    const door = await open(async function* (signal) {
      try {
        yield { type: 'text', delta: 'one' };
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        yield { type: 'text', delta: 'two' };
        ended(signal.aborted ? 'stored' : 'went on');
      } catch {
        ended('cut off');
      }
    });
    const gone = new AbortController();
    const answer = await fetch(`${door.url}/api/test-events`, { signal: gone.signal });
    await answer.body?.getReader().read();
    gone.abort();
    expect(await end).toBe('stored');
  });

  it('is open so many times to one listener, is refused in words beyond it, and has its place again when one leaves [K4]', async () => {
    const door = await open(async function* (signal) {
      yield { type: 'text', delta: 'one' };
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const gone = new AbortController();
    const first = await fetch(`${door.url}/api/test-events`, { signal: gone.signal });
    for (let n = 1; n < MOST_OF_ONE; n += 1) expect((await fetch(`${door.url}/api/test-events`)).status).toBe(200);
    const refused = await door.ask('GET', '/api/test-events');
    expect(refused).toMatchObject({
      status: 429,
      json: { error: { code: 'rate_limited', next: expect.stringContaining('Close a page'), retryable: true } },
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    gone.abort();
    await first.text().catch(() => {});
    await expect.poll(async () => (await fetch(`${door.url}/api/test-events`)).status).toBe(200);
  });

  it('is given up where nobody reads it, instead of growing for ever [K4]', async () => {
    let isLeft = false;
    const stream = await toEventStream(
      async function* (signal) {
        yield { type: 'text', delta: 'one' };
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        isLeft = true;
      },
      { signal: new AbortController().signal, newId: () => 'x', note: () => {}, heartbeatMs: 5 },
    );
    const reader = stream.getReader();
    for (let n = 0; n < 20; n += 1) await reader.read(); // whoever reads stays
    expect(isLeft).toBe(false);
    await expect.poll(() => isLeft).toBe(true);
    await expect(reader.read()).rejects.toThrow('Nobody reads');
  });

  it('is open at once where nothing is said for long: a page is not blind in its first second', async () => {
    await using door = await openDoor();
    const { cookie } = await door.signIn('viewer');
    const leaving = new AbortController();
    const opened = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const from = performance.now();
        const stream = await fetch(`${door.url}/api/events`, { headers: { cookie }, signal: leaving.signal });
        return [stream.status, performance.now() - from] as const;
      }),
    );
    leaving.abort();
    expect(opened.map(([status]) => status)).toEqual([200, 200, 200, 200, 200]);
    // The first look is a second after the first listener.
    expect(Math.min(...opened.map(([, ms]) => ms))).toBeLessThan(700);
  });

  it('ends at once when the server stops, where it has no end of its own [K4]', async () => {
    const door = await openDoor();
    const signedIn = await door.signIn('viewer');
    const stream = await fetch(`${door.url}/api/events`, { headers: { cookie: signedIn.cookie } });
    const heard = stream.text();
    const from = performance.now();
    await door[Symbol.asyncDispose]();
    // A cut line would be an error.
    expect(await heard).toContain(': open');
    expect(performance.now() - from).toBeLessThan(1_500);
  });

  it('keeps what was said when the listener goes away in a turn, and takes the next message [T1]', async () => {
    let isSlow = true;
    const model: Model = {
      name: 'scripted',
      isDemo: false,
      async *complete({ signal }) {
        yield { text: 'Half a sentence' };
        if (isSlow) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        else yield { text: ' and the rest.', finish: 'stop' };
      },
    };
    const door = await openDoor(
      { policy: (policy) => ({ ...policy, chat: { ...policy.chat, page: true, anonymous: true } }) },
      // A second house on the same folder, whose model the test holds.
      ({ app }) => {
        const other = createApp(app.config, { model });
        doors.push({ [Symbol.asyncDispose]: async () => (await other).close() });
        return { openChat: async () => (await other).openChat() };
      },
    );
    doors.push(door);
    const begun = await door.ask('POST', '/api/bots/demo/conversations', {
      json: {},
      headers: { 'gatehouse-chat': '1' },
    });
    const headers = { 'gatehouse-chat': '1', cookie: begun.headers.get('set-cookie')?.split(';')[0] ?? '' };
    const at = `/api/bots/demo/conversations/${begun.json.id}`;
    const gone = new AbortController();
    const turn = await fetch(`${door.url}${at}/messages`, {
      method: 'POST',
      body: '{"text":"Hello"}',
      headers: { ...headers, 'content-type': 'application/json' },
      signal: gone.signal,
    });
    const reader = turn.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; !text.includes('Half a sentence'); ) text += (await reader?.read())?.value ?? '';
    expect((await door.ask('GET', at, { headers })).json.isBusy).toBe(true);
    gone.abort();
    await expect.poll(async () => (await door.ask('GET', at, { headers })).json.isBusy).toBe(false);
    const { entries } = (await door.ask('GET', at, { headers })).json;
    expect(entries).toMatchObject([{ kind: 'person' }, { kind: 'bot', text: 'Half a sentence' }]);

    isSlow = false;
    const next = await door.ask('POST', `${at}/messages`, { headers, json: { text: 'Go on' } });
    expect(next.text).toContain('and the rest.');
  });

  it('says that it lives while nothing is said', async () => {
    const beats = await toEventStream(
      async function* (signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        yield {};
      },
      { signal: new AbortController().signal, newId: () => 'id', note: () => {}, heartbeatMs: 5 },
    );
    const reader = beats.getReader();
    const read = async () => new TextDecoder().decode((await reader.read()).value);
    expect([await read(), await read()]).toEqual([': open\n\n', ': still here\n\n']);
    await reader.cancel();
  });
});
