import { GatehouseError } from '../../domain/errors.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  async run({ openApp, terminal }) {
    const { audit } = await openApp();
    const verdict = await audit.verify();
    // The finding is the result; the exit code says that it is a bad one.
    terminal.print(
      verdict,
      verdict.ok
        ? `All ${verdict.rows} rows are as they were written.`
        : `The first ${verdict.seq - 1} rows are as they were written; row ${verdict.seq} is not.`,
    );
    if (!verdict.ok)
      throw new GatehouseError('conflict', `The audit does not hold at row ${verdict.seq}: ${verdict.problem}.`, {
        next: 'Keep the data folder as it is, and compare it with a backup: somebody changed the database.',
      });
  },
});
