import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { GatehouseError } from '../../domain/errors.ts';
import { thisProgram } from '../self-command.ts';

export interface DemoBeside {
  /** A new one, in place of the one before; its link signs in once. */
  open(): Promise<{ readonly signIn: string }>;
  close(): Promise<void>;
}

/** The console of the demo as a process beside a server: its rows never meet ours. */
export function createDemoBeside(): DemoBeside {
  let running: ChildProcess | undefined;

  async function close(): Promise<void> {
    const child = running;
    running = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  return {
    close,
    async open() {
      await close();
      const { command, args } = thisProgram('demo', '--console', '--json');
      const { PATH, HOME, TMPDIR, TEMP, SystemRoot } = process.env;
      const child = spawn(command, args, {
        env: { PATH, HOME, TMPDIR, TEMP, SystemRoot, GATEHOUSE_PRINT_SIGN_IN: '1' },
        stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
      });
      running = child;
      return { signIn: await signInOf(child) };
    },
  };
}

/** From the document that it prints once it is open. */
function signInOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const [, found] = /"signIn": "([^"]+)"/.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once('error', reject);
    child.once('exit', () =>
      reject(
        new GatehouseError('internal', 'The demo company did not open.', {
          next: 'Start it in a terminal, where it says why: gatehouse demo --console.',
        }),
      ),
    );
  });
}
