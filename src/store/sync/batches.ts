import { sql } from 'kysely';
import type { BatchRun, BatchStore, QuietStore } from '../../ports/sync-store.ts';
import { fromRow, type SyncDatabase, type SyncTables, toRow } from './tables.ts';

const JSON_COLUMNS = ['repeat'] as const;
const toRun = (row: SyncTables['batchRuns']): BatchRun => fromRow<BatchRun, 'repeat'>(row, JSON_COLUMNS);

export function createBatchStore({ db }: SyncDatabase): BatchStore {
  return {
    async add(run) {
      await db.insertInto('batchRuns').values(toRow(run, JSON_COLUMNS)).execute();
    },
    async get(bot, id) {
      const row = await db
        .selectFrom('batchRuns')
        .selectAll()
        .where('bot', '=', bot)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && toRun(row);
    },
    async list(bot, limit) {
      const rows = await db
        .selectFrom('batchRuns')
        .selectAll()
        .where('bot', '=', bot)
        .orderBy(sql`case when "state" in ('done', 'cancelled') then 1 else 0 end`)
        .orderBy('createdAt', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(toRun);
    },
    async runnable({ bot, orgId }, now) {
      const rows = await db
        .selectFrom('batchRuns')
        .selectAll()
        .where('bot', '=', bot)
        .where('orgId', '=', orgId)
        .where('state', 'in', ['scheduled', 'running'])
        .where('startAt', '<=', now)
        .orderBy('createdAt')
        .orderBy('id')
        .execute();
      return rows.map(toRun);
    },

    async move(id, from, patch) {
      const moved = await db
        .updateTable('batchRuns')
        .set(patch)
        .where('id', '=', id)
        .where('state', 'in', from)
        .executeTakeFirst();
      return moved.numUpdatedRows > 0n;
    },

    async progress(id, { failed = 0, calls = 0, done = 0 }) {
      await db
        .updateTable('batchRuns')
        .set(({ eb }) => ({
          failed: eb('failed', '+', failed),
          calls: eb('calls', '+', calls),
          done: eb.case().when('done', '<', done).then(done).else(eb.ref('done')).end(),
        }))
        .where('id', '=', id)
        .execute();
    },
  };
}

export function createQuietStore({ db }: SyncDatabase): QuietStore {
  return {
    get: (bot) => db.selectFrom('quietHours').selectAll().where('bot', '=', bot).executeTakeFirst(),
    async put(hours) {
      await db
        .insertInto('quietHours')
        .values(hours)
        .onConflict((conflict) => conflict.column('bot').doUpdateSet(hours))
        .execute();
    },
    async remove(bot) {
      await db.deleteFrom('quietHours').where('bot', '=', bot).execute();
    },
  };
}
