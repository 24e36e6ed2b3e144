import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Task } from './fixtures/worker.ts';

/** Real processes before the gate, bundled like the program: actions stay files beside it and share its modules. */

const root = fileURLToPath(new URL('../../', import.meta.url));
// Where the packages are found, and git does not look.
const folder = path.join(root, `node_modules/.cache/gatehouse-gate-${randomUUID()}`);
const worker = 'test/gate/fixtures/worker';
let built: Promise<unknown> | undefined;

// biome-ignore lint/suspicious/noExplicitAny: what a test expects of the answer it says itself
export type WorkerAnswer = any;

export interface Process {
  go(): void;
  /** Its answer; undefined when it died before it gave one. */
  readonly answer: Promise<WorkerAnswer>;
}

export async function start(task: Task): Promise<Process> {
  built ??= bundle();
  await built;
  const child = spawn(process.execPath, [path.join(folder, `${worker}.js`), JSON.stringify(task)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  // It may be dead by the time it is told to go.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('close', (_, signal) => resolve(signal)));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ready = await lines.next();
  if (ready.done === true) throw new Error(`The process ended before it was ready: ${errors.join('')}`);
  const answer = (async () => {
    const { value, done } = await lines.next();
    const signal = await ended;
    if (done !== true) return JSON.parse(value);
    if (signal !== 'SIGKILL') throw new Error(`The process ended without an answer: ${errors.join('')}`);
    return undefined;
  })();
  return { go: () => child.stdin.write('go\n'), answer };
}

/** Starts one process per task, lets them go at the same moment, and gives each one's answer. */
export async function race(tasks: readonly Task[]): Promise<WorkerAnswer[]> {
  const processes = await Promise.all(tasks.map(start));
  for (const one of processes) one.go();
  return Promise.all(processes.map(({ answer }) => answer));
}

export async function removeBundle(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

async function bundle(): Promise<void> {
  const found = await Promise.all(
    ['actions', 'prompts'].map(async (room) => (await readdir(path.join(root, room))).map((name) => `${room}/${name}`)),
  );
  await build({
    absWorkingDir: root,
    // The library as an entry of its own, so that the app lies in a chunk where it finds its actions.
    entryPoints: [`${worker}.ts`, 'src/index.ts', ...found.flat().filter((name) => name.endsWith('.ts'))],
    outbase: '.',
    outdir: folder,
    chunkNames: 'src/app/chunk-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
}
