import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { openDoor } from '../support/door.ts';

describe('requests of one connection that nobody has answered yet', () => {
  const written = (url: string, count: number) => {
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined); // the other side may hang up
    socket.write(`GET /api/openapi.json HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`.repeat(count));
    return socket;
  };

  it('does no work for a flood that is written at once, without a key, and never read [X4]', async () => {
    const asked: unknown[] = [];
    const note = (message: string) => void (message === 'request' && asked.push(message));
    const log = { debug: note, info: note, warn: note, error: note };
    await using door = await openDoor({}, () => ({ log }));
    const flood = written(door.url, 1_000);
    flood.pause();
    await new Promise((resolve) => flood.once('close', resolve).resume());
    expect((await door.ask('GET', '/healthz')).status).toBe(200);
    expect(asked.length).toBeLessThan(20);
  });

  it('still answers a few that come together, in their order', async () => {
    await using door = await openDoor();
    const few = written(door.url, 4);
    few.write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    const answers = (await text(few)).match(/HTTP\/1\.1 200 OK|\{"status":"ok"\}$/g);
    expect(answers).toHaveLength(6);
  });
});
