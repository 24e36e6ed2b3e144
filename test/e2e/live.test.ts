import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serveSim } from '../../src/sim/server.ts';
import { controlOf } from '../support/control.ts';

/** `npm run live` as a person runs it, against a simulated org on a port. */

const RUN = fileURLToPath(new URL('../live/run.mjs', import.meta.url));
const SECRET = 'a-secret-that-nobody-may-read';

let org: Awaited<ReturnType<typeof serveSim>>;
beforeAll(async () => {
  org = await serveSim({ port: 0, seed: 'stock' });
  const app = { clientId: 'live-app', clientSecret: SECRET };
  await controlOf(org)('POST', 'settings', { app, compositeConditional: true, cometdHoldMs: 20 });
});
afterAll(() => org.close());

function started(more: Record<string, string> = {}) {
  const child = spawn(process.execPath, [RUN], {
    env: {
      ...{
        PATH: process.env.PATH ?? '',
        LIVE_LOGIN_URL: org.url,
        LIVE_CLIENT_ID: 'live-app',
        LIVE_CLIENT_SECRET: SECRET,
      },
      ...{ LIVE_PAUSE_MS: '50', LIVE_CALLBACK: 'http://127.0.0.1/callback', ...more },
    },
  });
  let text = '';
  for (const from of [child.stdout, child.stderr])
    from.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    child,
    ended,
    text: () => text,
    told: (words: string) =>
      new Promise<void>((resolve, reject) => {
        const look = () => text.includes(words) && resolve();
        child.stdout.on('data', look);
        void ended.then((code) => reject(new Error(`ended with ${code}: ${text}`)));
      }),
  };
}

async function left(): Promise<number> {
  const control = controlOf(org);
  const objects = ['Lead', 'Contact', 'Opportunity', 'PermissionSet'];
  const lists = await Promise.all(objects.map((object) => control('GET', `records/${object}`)));
  return lists
    .flatMap(({ records }) => records as readonly Record<string, unknown>[])
    .filter((row) => row.IsDeleted !== true && /GHLive/.test(`${row.Name} ${row.LastName}`)).length;
}

it('plays the flows, asks the facts, leaves nothing behind and tells no secret [X5]', async () => {
  const run = started();
  expect([await run.ended, run.text()]).toEqual([0, expect.stringContaining('as assumed')]);
  expect(run.text()).not.toMatch(/FAILED|otherwise/);
  expect(run.text()).toContain('made there, changed there, and brought back');
  expect(run.text()).not.toContain(SECRET);
  expect(run.text()).not.toMatch(/00D\w{12}!/);
  expect(await left()).toBe(0);
  const { sessions } = { sessions: (await controlOf(org)('GET', 'calls')).oauth as { path: string; status: number }[] };
  expect(sessions.at(-1)).toMatchObject({ path: '/services/oauth2/revoke', status: 200 });
});

it('that is stopped deletes what it made, and one that was killed is cleaned up after by the next [X5]', async () => {
  const stopped = started();
  await stopped.told('a lead, approved');
  expect(await left()).toBeGreaterThan(0);
  stopped.child.kill('SIGINT');
  expect([await stopped.ended, stopped.text()]).toEqual([1, expect.stringContaining('Stopped before the end')]);
  expect(await left()).toBe(0);

  const killed = started();
  await killed.told('a lead, approved');
  killed.child.kill('SIGKILL');
  await killed.ended;
  expect(await left()).toBeGreaterThan(0);
  const next = started();
  await next.told('An earlier run had left');
  next.child.kill('SIGINT');
  await next.ended;
  expect(await left()).toBe(0);
});

it('begins nothing in CI, and says what it lacks [X5]', async () => {
  const inCi = started({ CI: 'true' });
  expect([await inCi.ended, inCi.text()]).toEqual([2, expect.stringContaining('never runs in CI')]);
  const without = started({ LIVE_CLIENT_SECRET: '', LIVE_CLIENT_ID: '' });
  expect([await without.ended, without.text()]).toEqual([2, expect.stringContaining('docs/live.md')]);
});
