import { realpathSync } from 'node:fs';
import path from 'node:path';

/** How another process starts this very program: node on the built file, the quickest way in. */
export function thisProgram(...args: readonly string[]): {
  readonly command: string;
  readonly args: readonly string[];
} {
  const [command = process.execPath, file = ''] = process.argv;
  return { command, args: [realpathSync(file), ...args] };
}

/** Commands as whoever started this one can paste them: `gatehouse` is on the path of few. Sentences about Gatehouse stay. */
export function pasteable(
  commands: readonly { readonly name: string }[],
  started = howStarted(process.argv[1] ?? '', process.env, process.cwd()),
): (text: string) => string {
  const words = [...new Set(commands.map(({ name }) => name.split(' ')[0]))].join('|');
  const command = new RegExp(`(?<![\\w/."'-])gatehouse (?=(?:${words})\\b)`, 'g');
  return (text) => text.replace(command, `${started} `);
}

export function howStarted(file: string, env: Readonly<Record<string, string | undefined>>, folder: string): string {
  if (env.npm_lifecycle_event === 'npx') return 'npx gatehouse';
  if (env.npm_lifecycle_event !== undefined && env.npm_package_name === 'gatehouse') return 'npm run -s gatehouse --';
  if (path.basename(file) === 'gatehouse') return 'gatehouse';
  const near = path.relative(folder, file);
  return `node ${near.startsWith('..') ? file : near}`;
}
