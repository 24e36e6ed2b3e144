import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { GatehouseError } from '../domain/errors.ts';
import { UsageError } from './command.ts';

/** A file that the person named, or standard input. */
export async function readInput(file: string | undefined): Promise<string> {
  if (file === undefined || file === '-') return text(process.stdin);
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new GatehouseError('invalid_input', `${JSON.stringify(file)} cannot be read (${cause.code ?? 'unknown'}).`, {
      next: 'Check the path.',
      cause,
    });
  });
}

/** The arguments of an action, as one word of the command line. */
export function parseArguments(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new UsageError('The arguments are not JSON.', `Write them in single quotes: '{"name":"Acme Industries"}'.`);
  }
}
