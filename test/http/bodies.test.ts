import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Door, openDoor } from '../support/door.ts';

const MOST_BYTES = 5_000_000;

describe('bodies from outside', () => {
  let door: Door;
  let held: Promise<void> | undefined;
  beforeAll(async () => {
    door = await openDoor({}, () => ({
      routes: [
        {
          method: 'POST',
          path: '/api/webhooks/salesforce/{token}',
          summary: 'Outbound message',
          who: [],
          body: 'text',
          answer: 'text/plain',
          maxBytes: MOST_BYTES,
          mostAtOnce: 2,
          admit: async ({ params }) =>
            /^right/.test(params.token ?? '')
              ? { as: params.token ?? '' }
              : { refused: { status: 404, text: 'No such address.', type: 'text/plain' } },
          async handle({ body }) {
            await held;
            return { text: String(String(body).length), type: 'text/plain' };
          },
        },
        {
          method: 'PUT',
          path: '/api/anything',
          summary: 'Takes JSON',
          who: [],
          answer: z.unknown(),
          body: z.strictObject({
            list: z
              .array(z.strictObject({ a: z.number().optional() }))
              .max(10)
              .optional(),
            custom: z.record(z.string(), z.unknown()).optional(),
          }),
          maxBytes: MOST_BYTES,
          handle: async ({ body }) => ({ json: body }),
        },
      ],
    }));
  });
  afterAll(() => door[Symbol.asyncDispose]());

  /** Sends the head and a part of the body, and never the rest. */
  const begin = (token: string) =>
    new Promise<number>((resolve, reject) => {
      const { port } = new URL(door.url);
      const path = `/api/webhooks/salesforce/${token}`;
      const headers = { host: `localhost:${port}`, 'content-length': '4900000' };
      const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
        resolve(response.statusCode ?? 0);
        sent.destroy();
      });
      sent.on('error', reject);
      sent.write('x'.repeat(1_000));
    });

  it('are not read of whoever does not know the address, who is counted and told to wait [K12]', async () => {
    const statuses = await Promise.all(Array.from({ length: 20 }, () => begin('wrong')));
    expect(statuses).toEqual(Array.from({ length: 20 }, () => 404));
    const more = await Promise.all(Array.from({ length: 20 }, () => begin('wrong')));
    expect([...new Set(more)].sort()).toEqual([404, 429]);
    // Whoever knows it is heard all the same.
    expect(
      await fetch(`${door.url}/api/webhooks/salesforce/right`, { method: 'POST', body: 'hello' }).then((r) => r.text()),
    ).toBe('5');
  });

  it('are held a few at a time: who comes beside them is told to come again [K12]', async () => {
    let release = () => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    const post = () => fetch(`${door.url}/api/webhooks/salesforce/right`, { method: 'POST', body: 'hello' });
    let answers: Promise<Response>[] = [];
    let refused = 0;
    const busy = new Promise<Response>((resolve) => {
      const note = (answer: Response) => {
        if (answer.status === 503 && ++refused === 4) resolve(answer);
      };
      answers = Array.from({ length: 6 }, async () => {
        const answer = await post();
        note(answer);
        return answer;
      });
    });
    expect((await busy).headers.get('retry-after')).toBe('5');
    release();
    held = undefined;
    expect((await Promise.all(answers)).map(({ status }) => status).sort()).toEqual([200, 200, 503, 503, 503, 503]);
    expect((await post()).status).toBe(200);
  });

  it('are held a few at a time of each address, so that one with slow senders leaves the others theirs', async () => {
    const { port } = new URL(door.url);
    const headers = { host: `localhost:${port}`, 'content-length': '4900000' };
    const slow = Array.from({ length: 4 }, () => {
      const path = '/api/webhooks/salesforce/right';
      const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers });
      sent.on('error', () => undefined);
      sent.write('x');
      return sent;
    });
    const post = (token: string) =>
      fetch(`${door.url}/api/webhooks/salesforce/${token}`, { method: 'POST', body: 'hello' }).then((r) => r.status);
    await expect.poll(() => post('right')).toBe(503);
    expect(await post('right-too')).toBe(200);
    for (const sent of slow) sent.destroy();
    await expect.poll(() => post('right')).toBe(200);
  });

  it('that break off half-way are no failure of ours in the log, which anybody could fill', async () => {
    const errors: unknown[] = [];
    const note = () => undefined;
    const log = { debug: note, info: note, warn: note, error: (...line: unknown[]) => void errors.push(line) };
    const seen: number[] = [];
    const answered = {
      ...log,
      info: (_: string, fields?: object) => void seen.push((fields as { status: number }).status),
    };
    await using own = await openDoor({}, () => ({ log: answered }));
    const { port } = new URL(own.url);
    const headers = { host: `localhost:${port}`, 'content-length': '9999' };
    const json = { ...headers, 'content-type': 'application/json' };
    for (const [path, more] of [
      ['/sign-in', json],
      ['/api/bots/demo/actions/CreateLead', { ...json, authorization: `Bearer ${own.keys.agent}` }],
      ['/sign-in', { ...headers, 'content-type': 'application/x-www-form-urlencoded' }],
    ] as const) {
      const before = seen.length;
      const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers: more });
      sent.on('error', () => undefined);
      sent.write('x');
      await expect.poll(() => own.ask('GET', '/healthz').then(({ status }) => status)).toBe(200);
      sent.destroy();
      await expect.poll(() => seen.slice(before).filter((status) => status !== 200)).toEqual([400]);
    }
    expect(errors).toEqual([]);
  });

  const put = (body: string) =>
    fetch(`${door.url}/api/anything`, { method: 'PUT', body, headers: { 'content-type': 'application/json' } });

  it.each<[string, string, RegExp]>([
    ['a huge list', `{"list":[${'{},'.repeat(400_000)}{}]}`, /more than 10000 entries/],
    [
      'an object of many names',
      `{${Array.from({ length: 300_000 }, (_, n) => `"a${n}":1`).join()}}`,
      /more than 10000/,
    ],
    ['many lists', `{"custom":{"a":[${`[${'[],'.repeat(49)}[]],`.repeat(9_000)}1]}}`, /more than 400000 values/],
    ['deep lists', `{"custom":{"a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}}`, /deep/],
    ['deep objects', `{"custom":${'{"a":'.repeat(300_000)}1${'}'.repeat(300_000)}}`, /deep/],
    ['nothing but brackets', '['.repeat(4_900_000), /deep/],
    ['brackets behind a text', `{"a":"${'\\\\"['.repeat(1_000)}]","b":${'['.repeat(4_000_000)}`, /deep/],
    ['__proto__', '{"custom":{"__proto__":"x"}}', /__proto__/],
    ['__proto__ at the top', '{"__proto__":{"list":[]}}', /__proto__/],
    ['__proto__ in a list', '{"list":[{"__proto__":1}]}', /__proto__/],
  ])('are refused in words before any schema looks at them: %s [K4] [K12]', async (_, body, words) => {
    const { user, system } = process.cpuUsage();
    const answer = await put(body);
    const spent = process.cpuUsage({ user, system });
    expect(answer.status).toBe(400);
    const { error } = JSON.parse(await answer.text());
    expect(error.message).toMatch(words);
    expect(error.next).toBeTruthy();
    // Of processor time, ms, client and server together; a schema would take many seconds.
    expect((spent.user + spent.system) / 1_000).toBeLessThan(4_000);
  });

  it('are read as they are where brackets, commas and quotes stand inside a text', async () => {
    const custom = { a: '[['.repeat(50), b: ','.repeat(20_000), c: '\\"', d: '"[{', e: ['\\', '"'], '': '\\\\' };
    const answer = await put(JSON.stringify({ custom }));
    expect(await answer.json()).toEqual({ custom });
  });
});
