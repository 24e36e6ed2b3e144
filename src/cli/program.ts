import { realpathSync } from 'node:fs';

/** How another process starts this very program: node on the built file, the quickest way in. */
export function thisProgram(...args: readonly string[]): {
  readonly command: string;
  readonly args: readonly string[];
} {
  const [command = process.execPath, file = ''] = process.argv;
  return { command, args: [realpathSync(file), ...args] };
}
