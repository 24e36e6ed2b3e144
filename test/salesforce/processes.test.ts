import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWebWorld } from './org-world.ts';

const root = path.resolve(import.meta.dirname, '../..');
// Inside the project, so that packages resolve.
const outfile = path.join(root, 'node_modules', '.cache', 'gatehouse', `twenty-calls-${process.pid}.mjs`);

beforeAll(() =>
  build({
    entryPoints: [path.join(import.meta.dirname, 'fixtures/twenty-calls.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  }),
);
afterAll(() => rm(outfile, { force: true }));

function start(folder: string, url: string) {
  const child = spawn(process.execPath, [outfile, folder, url], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => String((await lines.next()).value);
  return { child, nextLine };
}

it('8 processes with 20 calls each on an expired session make one token request, and no call fails [O5] [F3] [sync-P18]', async () => {
  await using world = await createWebWorld({ rotation: true });
  const children = Array.from({ length: 8 }, () => start(world.folder, world.url));
  for (const { nextLine } of children) expect(await nextLine()).toBe('ready');
  await world.control('POST', 'expire');
  const before = await world.tokenRequests();
  for (const { child } of children) child.stdin.write('go\n');
  const results = await Promise.all(children.map(async ({ nextLine }) => JSON.parse(await nextLine())));
  expect(results).toEqual(Array(8).fill({ ok: 20, failed: [] }));
  expect((await world.tokenRequests()) - before).toBe(1);
  await Promise.all(children.map(({ child }) => child.exitCode ?? once(child, 'exit')));
}, 60_000);
