import { GatehouseError } from '../domain/errors.ts';
import { parseJson } from '../domain/json-shape.ts';
import { UsageError } from './command.ts';
import { readInput } from './input.ts';
import type { Terminal } from './terminal.ts';

/** The definition of an action, from a file or standard input. */
export async function readDefinition(file: string | undefined, { canAsk }: Pick<Terminal, 'canAsk'>): Promise<unknown> {
  if (file === undefined && canAsk)
    throw new UsageError('No definition was given.', 'Name a file, or send the definition on standard input.');
  try {
    return parseJson(await readInput(file));
  } catch (cause) {
    if (cause instanceof GatehouseError) throw cause;
    throw new GatehouseError('invalid_input', 'The definition is not JSON.', {
      next: cause instanceof SyntaxError ? `Correct it: ${cause.message}.` : 'Correct it.',
    });
  }
}
