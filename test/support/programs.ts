import { spawn } from 'node:child_process';
import { readdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Task as GateTask } from '../gate/fixtures/worker.ts';
import type { Task as SalesforceTask } from '../salesforce/fixtures/twenty-calls.ts';
import type { Task as SimTask } from '../sim/fixtures/writer-child.ts';
import type { Task as StoreTask } from '../store/fixtures/worker.ts';
import type { HouseOptions } from '../sync/fixtures/house.ts';
import { preparedFolder } from './prepared.ts';

/** Programs of tests as real processes; each takes one task and prints lines of JSON. */
interface Tasks {
  readonly gate: GateTask;
  readonly store: StoreTask;
  readonly salesforce: SalesforceTask;
  readonly sim: SimTask;
  readonly sync: HouseOptions;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAMS = {
  gate: 'test/gate/fixtures/worker',
  store: 'test/store/fixtures/worker',
  salesforce: 'test/salesforce/fixtures/twenty-calls',
  sync: 'test/sync/fixtures/worker-child',
  sim: 'test/sim/fixtures/writer-child',
} satisfies Record<keyof Tasks, string>;

export interface Running {
  /** The next line it prints, parsed; undefined where it was killed before. */
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of the line it says itself
  next(): Promise<any>;
  /** Lets one go that waits for a line. */
  go(): void;
  /** As `kill -9` does. */
  kill(): Promise<void>;
  /** The signal, or the exit code, that ended it. */
  readonly ended: Promise<string>;
  /** What it wrote to its standard error. */
  readonly said: readonly string[];
}

let bundles: Promise<string> | undefined;

export async function start<P extends keyof Tasks>(program: P, task: Tasks[P]): Promise<Running> {
  bundles ??= preparedFolder('programs', bundle);
  const file = path.join(await bundles, `${PROGRAMS[program]}.js`);
  const child = spawn(process.execPath, [file, JSON.stringify(task)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  // It may be dead by the time it is told to go.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => child.once('close', (code, signal) => resolve(signal ?? `${code}`)));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async next() {
      const { value, done } = await lines.next();
      if (done !== true) return JSON.parse(value);
      const end = await ended;
      if (end !== 'SIGKILL') throw new Error(`${program} ended with ${end} before it answered: ${said.join('')}`);
      return undefined;
    },
    go: () => void child.stdin.write('go\n'),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    ended,
    said,
  };
}

/** Starts one process per task, lets them go at the same moment once all are ready, and gives each one's answer. */
export async function race<P extends keyof Tasks>(program: P, tasks: readonly Tasks[P][]) {
  const processes = await Promise.all(tasks.map((task) => start(program, task)));
  // Each says first that it is ready.
  for (const one of processes) await one.next();
  for (const one of processes) one.go();
  return Promise.all(processes.map((one) => one.next()));
}

/** Once a run and all together, like the program itself: actions stay files beside it and share its modules. */
async function bundle(folder: string): Promise<void> {
  const found = await Promise.all(
    ['actions', 'prompts'].map(async (room) => (await readdir(path.join(ROOT, room))).map((name) => `${room}/${name}`)),
  );
  // Packages are found from there as from here.
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  await build({
    absWorkingDir: ROOT,
    // The library as an entry of its own, so that the app lies in a chunk where it finds its actions.
    entryPoints: [
      ...Object.values(PROGRAMS).map((name) => `${name}.ts`),
      'src/index.ts',
      ...found.flat().filter((name) => name.endsWith('.ts')),
    ],
    outbase: '.',
    outdir: folder,
    chunkNames: 'src/app/chunk-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
}
