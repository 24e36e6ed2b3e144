import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { testFolder } from './prepared.ts';
import { isStock, stockOrg, stockPolicy } from './stock-org.ts';

/** The built program in child processes, each on a data folder of the test's own. */

export const MAIN = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as the one JSON document that `--json` promises. */
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of the document it says itself
  readonly json: any;
  /** The error on standard error, with `--json`. */
  // biome-ignore lint/suspicious/noExplicitAny: the same
  readonly error: any;
}

export interface Gatehouse extends AsyncDisposable {
  readonly dataDir: string;
  readonly env: Record<string, string>;
  /** Runs one command to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Starts a command to be killed in the middle. */
  spawn(args: readonly string[], options?: RunOptions): { kill(): Promise<void> };
  /** Starts a command that stays, and resolves with its JSON document once it printed it. */
  start(args: readonly string[], options?: RunOptions): Promise<Started>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Runs under another account. */
  readonly as?: { readonly uid: number; readonly gid: number };
}

export interface Started extends AsyncDisposable {
  // biome-ignore lint/suspicious/noExplicitAny: as in Ran
  readonly document: any;
  readonly pid: number;
  stop(signal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<{ readonly code: number | null; readonly stderr: string }>;
}

export async function createGatehouse(env: Readonly<Record<string, string>> = {}): Promise<Gatehouse> {
  const dataDir = await mkdtemp(path.join(testFolder(), 'gatehouse-e2e-'));
  const own = {
    PATH: process.env.PATH ?? '',
    HOME: dataDir,
    GATEHOUSE_DATA: path.join(dataDir, 'data'),
    ...stockOrg,
    ...env,
  };
  const started = new Set<Started>();

  const launch = (args: readonly string[], { env: extra = {}, input, as }: RunOptions) => {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { ...own, ...extra }, ...as });
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        text[name] += chunk;
      });
    // A command that does not read its input may be gone before it is written.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { child, text, ended };
  };

  return {
    dataDir: own.GATEHOUSE_DATA,
    env: own,
    async run(args, options = {}) {
      const { text, ended } = launch(args, options);
      const code = await ended;
      return {
        code,
        ...text,
        get json() {
          return JSON.parse(text.stdout);
        },
        get error() {
          return JSON.parse(text.stderr).error;
        },
      };
    },
    spawn(args, options = {}) {
      const { child, ended } = launch(args, options);
      return {
        async kill() {
          child.kill('SIGKILL');
          await ended;
        },
      };
    },
    async start(args, options = {}) {
      const { child, text, ended } = launch([...args, '--json'], options);
      const document = await new Promise((resolve, reject) => {
        child.stdout.on('data', () => {
          try {
            resolve(JSON.parse(text.stdout));
          } catch {
            // Not all of it is there yet.
          }
        });
        void ended.then((code) => reject(new Error(`${args.join(' ')} ended with ${code}: ${text.stderr}`)));
      });
      const process_: Started = {
        document,
        pid: child.pid ?? 0,
        async stop(signal = 'SIGTERM') {
          child.kill(signal);
          const code = await ended;
          started.delete(process_);
          return { code, stderr: text.stderr };
        },
        async [Symbol.asyncDispose]() {
          await process_.stop('SIGKILL');
        },
      };
      started.add(process_);
      return process_;
    },
    async [Symbol.asyncDispose]() {
      for (const process_ of started) await process_.stop('SIGKILL');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** In a stock org: the operator's word where its numbers stand, without which no `OPP-123` is found. */
export async function prepareForStock(house: Gatehouse, bot: string): Promise<void> {
  if (!isStock) return;
  const policy = (await house.run(['policy', 'get', bot, '--json'])).json;
  const saved = await house.run(['policy', 'set', bot], { input: JSON.stringify({ ...policy, ...stockPolicy }) });
  if (saved.code !== 0) throw new Error(saved.stderr);
}
