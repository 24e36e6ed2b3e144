import { expect, it } from 'vitest';
import type { Route } from '../../src/ports/route.ts';
import { openDoor } from '../support/door.ts';

async function open(text: () => AsyncIterable<string>) {
  const route: Route = {
    method: 'GET',
    path: '/api/long',
    summary: '',
    who: [],
    answer: 'application/jsonl',
    handle: async () => ({ text: text(), type: 'application/jsonl' }),
  };
  return openDoor({}, () => ({ routes: [route] }));
}

it('sends a long text part by part, whole', async () => {
  const parts = Array.from({ length: 300 }, (_, n) => `${JSON.stringify({ n, text: 'grüße '.repeat(100) })}\n`);
  await using door = await open(async function* () {
    yield* parts;
  });
  const response = await fetch(`${door.url}/api/long`);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/jsonl']);
  expect(await response.text()).toBe(parts.join(''));
});

it('breaks a text off when a part fails, so that nobody takes it for whole', async () => {
  await using door = await open(async function* () {
    yield 'one\n';
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw new Error('the table is gone');
  });
  const response = await fetch(`${door.url}/api/long`);
  await expect(response.text()).rejects.toThrow();
});

it('makes no more parts when the reader goes away', async () => {
  let end: (made: number) => void = () => {};
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  await using door = await open(async function* () {
    let made = 0;
    try {
      for (; made < 10_000; made++) yield 'x'.repeat(10_000);
    } finally {
      end(made);
    }
  });
  const gone = new AbortController();
  const response = await fetch(`${door.url}/api/long`, { signal: gone.signal });
  expect(response.status).toBe(200);
  gone.abort();
  expect(await ended).toBeLessThan(10_000);
});
