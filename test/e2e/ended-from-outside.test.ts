import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { toEventStream } from '../../src/http/event-stream.ts';
import { createGatehouse, MAIN } from '../support/cli.ts';
import { until } from '../support/servers.ts';

/** What nobody listened to ends a process: nothing that comes from outside may. */

interface Served {
  readonly url: string;
  readonly isAlive: () => boolean;
  stop(): void;
}

/** The program behind a shell line, e.g. with few file handles or a log that cannot be written. */
async function serve(env: Record<string, string>, before: string, after: string): Promise<Served> {
  const line = `${before} exec ${process.execPath} ${MAIN} serve --port 0 --json ${after}`;
  const child = spawn('bash', ['-c', line], {
    env: { ...env, GATEHOUSE_LOG: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let isAlive = true;
  let text = '';
  child.once('close', () => {
    isAlive = false;
  });
  child.stderr.on('error', () => {});
  const url = await new Promise<string>((resolve, reject) => {
    child.once('close', () => reject(new Error(`it ended: ${text}`)));
    createInterface(child.stdout).on('line', (one) => {
      text += one;
      const found = /"url": "(http[^"]+)"/.exec(one)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  return {
    url,
    isAlive: () => isAlive,
    stop: () => {
      child.kill('SIGKILL');
    },
  };
}

const status = (url: string) =>
  fetch(`${url}/healthz`).then(
    ({ status }) => status,
    () => 0,
  );

it('a server that ran out of file handles refuses callers and stands [K1]', async () => {
  await using house = await createGatehouse();
  // The state is made first: opening it needs handles.
  await house.run(['bot', 'list', '--json']);
  const server = await serve(house.env, 'ulimit -n 60;', '2>/dev/null');
  const open: Socket[] = [];
  try {
    const { hostname, port } = new URL(server.url);
    for (let n = 0; n < 200; n++) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      open.push(socket);
    }
    await until(() => open.filter(({ connecting }) => connecting).length === 0);
    expect(server.isAlive()).toBe(true);
    for (const socket of open) socket.destroy();
    await until(async () => (await status(server.url)) === 200);
  } finally {
    for (const socket of open) socket.destroy();
    server.stop();
  }
});

it.skipIf(!existsSync('/dev/full')).each([
  ['on a full disk', '', '2>/dev/full'],
  ['whose reader has left', '', '2> >(exec head -c 1 >/dev/null)'],
])('a log %s ends nothing [K1] [K12]', async (_, before, after) => {
  await using house = await createGatehouse();
  const server = await serve(house.env, before, after);
  try {
    for (let n = 0; n < 20; n++) expect(await status(server.url)).toBe(200);
    expect(server.isAlive()).toBe(true);
  } finally {
    server.stop();
  }
});

it('a stream that failed on its way leaves no timer that throws [K1]', async () => {
  const thrown: unknown[] = [];
  const note = (error: unknown) => void thrown.push(error);
  process.on('uncaughtException', note);
  try {
    const stream = await toEventStream(
      async function* () {
        yield { n: 1 };
        throw new Error('lost');
      },
      {
        signal: new AbortController().signal,
        newId: () => 'id',
        // What notes the failure fails itself, as a log on a full disk may.
        note: () => {
          throw new Error('no log');
        },
        heartbeatMs: 5,
      },
    );
    const reader = stream.getReader();
    await expect(
      (async () => {
        while (!(await reader.read()).done);
      })(),
    ).rejects.toThrow();
    // Long enough for several beats of the heart: only time shows that a timer is gone.
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(thrown).toEqual([]);
  } finally {
    process.off('uncaughtException', note);
  }
});
