import { createInterface } from 'node:readline';
import { GatehouseError } from '../../domain/errors.ts';
import { parseJson } from '../../domain/json-shape.ts';
import { defineCommand, UsageError } from '../command.ts';
import { readInput } from '../input.ts';

/** Needs no data folder and no org: queries in, verdicts out, line by line. */
export const command = defineCommand({
  options: {
    policy: { value: 'file', about: 'the policy to judge by' },
    noPolicy: { about: 'judge the syntax alone' },
  },

  async run({ options: { policy: file, noPolicy }, terminal }) {
    if ((file === undefined) !== noPolicy)
      throw new UsageError('Say what to judge by.', 'Add either --policy FILE or --no-policy.');
    const { checkLine, createGuard } = await import('../../salesforce/soql/guard.ts');
    const guard = createGuard({ ...(file === undefined ? {} : await readPolicy(file)), now: Date.now() });
    const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of lines) {
      if (line.trim() === '') continue;
      const verdict = checkLine(line, guard);
      const hasRoom = process.stdout.write(`${JSON.stringify(verdict)}\n`);
      if (!hasRoom) await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
    }
    if (terminal.canAsk) terminal.note('No more queries.');
  },
});

async function readPolicy(file: string) {
  const { parsePolicyFile } = await import('../soql-policy-file.ts');
  const text = await readInput(file);
  try {
    return parsePolicyFile(parseJson(text));
  } catch (error) {
    throw new GatehouseError('invalid_input', 'The policy file cannot be used.', {
      next: error instanceof Error ? error.message : 'Check the file.',
    });
  }
}
