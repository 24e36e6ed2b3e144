import type { BatchStore } from '../../ports/sync-store.ts';
import type { SyncDatabase } from './tables.ts';

export function createBatchStore({ db }: SyncDatabase): BatchStore {
  return {
    async add(run) {
      await db.insertInto('batchRuns').values(run).execute();
    },
    get: (bot, id) =>
      db.selectFrom('batchRuns').selectAll().where('bot', '=', bot).where('id', '=', id).executeTakeFirst(),
    list: (bot, limit) =>
      db
        .selectFrom('batchRuns')
        .selectAll()
        .where('bot', '=', bot)
        .orderBy('createdAt', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute(),
    runnable: ({ bot, orgId }, now) =>
      db
        .selectFrom('batchRuns')
        .selectAll()
        .where('bot', '=', bot)
        .where('orgId', '=', orgId)
        .where('state', 'in', ['scheduled', 'running'])
        .where('startAt', '<=', now)
        .orderBy('createdAt')
        .orderBy('id')
        .execute(),

    async move(id, from, patch) {
      const moved = await db
        .updateTable('batchRuns')
        .set(patch)
        .where('id', '=', id)
        .where('state', 'in', from)
        .executeTakeFirst();
      return moved.numUpdatedRows > 0n;
    },

    async progress(id, { failed = 0, calls = 0 }) {
      await db
        .updateTable('batchRuns')
        .set(({ eb }) => ({ failed: eb('failed', '+', failed), calls: eb('calls', '+', calls) }))
        .where('id', '=', id)
        .execute();
    },
  };
}
