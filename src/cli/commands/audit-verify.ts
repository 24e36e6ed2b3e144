import { GatehouseError } from '../../domain/errors.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  async run({ openApp, terminal }) {
    const { audit, approvals } = await openApp();
    const verdict = await audit.verify();
    const changed = await approvals.changedOutside();
    const open = changed.filter(({ state }) => state !== 'conflict');
    // The finding is the result; the exit code says that it is a bad one.
    terminal.print(
      { ...verdict, ok: verdict.ok && open.length === 0, changed },
      [
        verdict.ok
          ? `All ${verdict.rows} rows are as they were written.`
          : `The first ${verdict.seq - 1} rows are as they were written; row ${verdict.seq} is not.`,
        ...changed.map(
          ({ id, bot, action, state }) =>
            `Somebody changed proposal ${id} (${action} of bot ${bot}) in the database. ${state === 'conflict' ? 'It ended as a conflict and did not run.' : 'It will not run.'}`,
        ),
      ].join('\n'),
    );
    if (!verdict.ok)
      throw new GatehouseError('conflict', `The audit does not hold at row ${verdict.seq}: ${verdict.problem}.`, {
        next: 'Keep the data folder as it is, and compare it with a backup: somebody changed the database.',
      });
    if (open.length > 0)
      throw new GatehouseError('conflict', `${open.length} waiting proposals were changed in the database.`, {
        next: 'Decline them, find out who can write to the database, and compare it with a backup.',
      });
  },
});
