import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Task } from './fixtures/worker.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
// Where the packages are found, and git does not look.
const bundle = path.join(here, `../../node_modules/.cache/gatehouse-store-worker-${randomUUID()}.mjs`);
let built: Promise<unknown> | undefined;

export interface Process {
  /** The next line it prints, parsed; an error when it ends without one. */
  next(): Promise<unknown>;
  go(): void;
  kill(): Promise<void>;
}

/** Starts one real process and waits until it is ready to go. */
export async function start(task: Task): Promise<Process> {
  built ??= build({
    entryPoints: [path.join(here, 'fixtures/worker.ts')],
    outfile: bundle,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  await built;
  const child = spawn(process.execPath, [bundle, JSON.stringify(task)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const errors: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`The process ended without an answer: ${errors.join('')}`);
    return JSON.parse(value);
  };
  await next();
  return { next, go: () => child.stdin.write('go\n'), kill: () => kill(child) };
}

/** Starts several, lets them go at the same moment, and gives each one's answer. */
export async function race(count: number, task: Task): Promise<unknown[]> {
  const processes = await Promise.all(Array.from({ length: count }, () => start(task)));
  for (const one of processes) one.go();
  return Promise.all(processes.map((one) => one.next()));
}

export async function removeBundle(): Promise<void> {
  await rm(bundle, { force: true });
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
