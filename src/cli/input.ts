import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { GatehouseError } from '../domain/errors.ts';
import { parseJson } from '../domain/json-shape.ts';
import { botNamed } from '../policy/permit.ts';
import type { Call } from '../ports/gate.ts';
import { type CommandCall, UsageError } from './command.ts';

/** A file that the person named, or standard input. */
export async function readInput(file: string | undefined): Promise<string> {
  if (file === undefined || file === '-') return text(process.stdin);
  const content = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new GatehouseError('invalid_input', `${JSON.stringify(file)} cannot be read (${cause.code ?? 'unknown'}).`, {
      next: 'Check the path.',
      cause,
    });
  });
  return content.replace(/^\uFEFF/, ''); // editors on Windows begin a file with it, and show nothing
}

type CallWords = CommandCall<readonly ['<bot>', '<action>', '[json]']>;

/** The call that the words of the command line make: `call` sends it, `policy try` tries it. */
export async function openCall({ args: [name, action, json], config, openApp }: Omit<CallWords, 'options'>) {
  const args = parseArguments(json);
  const app = await openApp();
  const { name: bot } = await botNamed(app.store, name);
  const session = config.session === undefined ? undefined : await app.access.verifySession(bot, config.session);
  const call: Call = {
    bot,
    action,
    args,
    principal: 'local',
    channel: 'cli',
    session,
  };
  return { app, call };
}

function parseArguments(json = '{}'): unknown {
  try {
    return parseJson(json);
  } catch (error) {
    if (error instanceof GatehouseError) throw error;
    throw new UsageError('The arguments are not JSON.', `Write them in single quotes: '{"name":"Acme Industries"}'.`);
  }
}
