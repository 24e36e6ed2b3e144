import { randomUUID } from 'node:crypto';
import packageJson from '../../package.json' with { type: 'json' };
import type { App } from '../app/app.ts';
import { GatehouseError, isOurs, toErrorBody, toGatehouseError } from '../domain/errors.ts';
import type { Config } from '../ports/config.ts';
import { readConfig } from '../runtime/config.ts';
import { UsageError } from './command.ts';
import { COMMANDS } from './commands.ts';
import { parseCommandLine } from './parse.ts';
import { pasteable } from './self-command.ts';
import { createTerminal, type Terminal } from './terminal.ts';

/** Runs one command line; answers the exit code: 0, 1 (refused or failed) or 2 (the command line itself is wrong). */
export async function runCli(argv: readonly string[]): Promise<number> {
  // The reader of a pipe may leave early (`| head`): nothing is left to say then.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  // What is said there is for people on the way; whoever stays works on without a listener.
  process.stderr.on('error', () => {});
  const terminal = createTerminal(argv.includes('--json'), pasteable(COMMANDS));
  const opened: App[] = [];
  let failed: unknown;
  try {
    const parsed = await parseCommandLine(argv, packageJson.version);
    if (!('command' in parsed)) {
      terminal.print(parsed, 'version' in parsed ? parsed.version : parsed.help.trimEnd());
      return 0;
    }
    const config = readConfig();
    await parsed.command.run({
      args: parsed.args,
      options: parsed.options,
      config,
      terminal,
      untilStopped,
      async openApp(own: Config = { ...config, logLevel: quieter(config.logLevel) }) {
        const { createApp } = await import('../app/app.ts');
        const app = await createApp(own);
        opened.push(app);
        return app;
      },
    });
    return 0;
  } catch (thrown) {
    failed = thrown;
    return fail(thrown, terminal);
  } finally {
    // What was asked for is done, or was told why not: a database that cannot be closed in order keeps its rows beside it.
    for (const app of opened)
      await app.close().catch((thrown: unknown) => {
        const { message, next } = forOperator(toGatehouseError(thrown, randomUUID));
        if (failed instanceof GatehouseError && forOperator(failed).message === message) return; // told already
        terminal.note(`What was done is kept, but the data could not be closed in order: ${message} ${next}`);
      });
  }
}

function fail(thrown: unknown, terminal: Terminal): number {
  if (thrown instanceof UsageError) {
    terminal.fail(toErrorBody(new GatehouseError('invalid_input', thrown.message, { next: thrown.next })));
    return 2;
  }
  const error = forOperator(toGatehouseError(thrown, randomUUID));
  terminal.fail(toErrorBody(error));
  // What happened is the log line that the id names.
  if (error.code === 'internal' && !error.retryable)
    terminal.note(error.cause instanceof Error ? `${error.cause.stack}` : `${error.cause}`);
  return 1;
}

/** The person at this terminal is the operator, whom a caller elsewhere would be sent to: told what stands behind it, and its cure. */
function forOperator(error: GatehouseError): GatehouseError {
  const { cause, retryable } = error;
  if (!isOurs(error) || !retryable || !(cause instanceof Error)) return error;
  const next = cause instanceof GatehouseError ? cause.next : 'See to it, then try again.';
  return new GatehouseError(error.code, `${error.message} ${cause.message}`, { next, retryable });
}

/** Commands that answer once leave standard error to their errors; who asked for `debug` gets it. */
function quieter(level: Config['logLevel']): Config['logLevel'] {
  return level === 'debug' ? level : 'silent';
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
