import type { BulkPart, BulkRowStored, BulkStore } from '../../ports/bulk-store.ts';
import { fromRow, inChunks, type SyncDatabase, type SyncTables, toRow } from './tables.ts';

const ROW_JSON = ['fields', 'sent', 'pushed', 'problems'] as const;
const ROW_COLUMNS = 11;
const toPart = (row: SyncTables['bulkParts']): BulkPart => fromRow<BulkPart, 'columns'>(row, ['columns']);
const toBulkRow = (row: SyncTables['bulkRows']): BulkRowStored =>
  fromRow<BulkRowStored, (typeof ROW_JSON)[number]>(row, ROW_JSON);

export function createBulkStore({ db, dialect }: SyncDatabase): BulkStore {
  async function get(id: string): Promise<BulkPart | undefined> {
    const row = await db.selectFrom('bulkParts').selectAll().where('id', '=', id).executeTakeFirst();
    return row && toPart(row);
  }

  return {
    get,
    async open({ bot, orgId }) {
      const query = db.selectFrom('bulkParts').selectAll().where('bot', '=', bot).where('orgId', '=', orgId);
      return (await query.where('state', '<>', 'done').orderBy('id').execute()).map(toPart);
    },

    async add(part) {
      const added = await db
        .insertInto('bulkParts')
        .values(toRow(part, ['columns']))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return (added.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },

    async take(seen, owner, until) {
      const taken = await db
        .updateTable('bulkParts')
        .set({ leaseOwner: owner, leaseUntil: until, fence: seen.fence + 1 })
        .where('id', '=', seen.id)
        .where('fence', '=', seen.fence)
        .where('leaseUntil', '=', seen.leaseUntil)
        .where('state', '<>', 'done')
        .executeTakeFirst();
      return taken.numUpdatedRows > 0n ? get(seen.id) : undefined;
    },

    async patch({ id, fence }, patch) {
      const query = db.updateTable('bulkParts').set(patch).where('id', '=', id).where('fence', '=', fence);
      return (await query.executeTakeFirst()).numUpdatedRows > 0n;
    },

    async fill({ id, fence }, columns, rows, bytes) {
      const query = db.selectFrom('bulkParts').select('columns').where('id', '=', id).where('fence', '=', fence);
      const filling = query.where('state', '=', 'filling');
      const there = await (dialect === 'postgres' ? filling.forUpdate() : filling).executeTakeFirst();
      if (there === undefined) return false;
      // A list of names, written by this very function.
      const all = [...new Set([...(JSON.parse(there.columns) as string[]), ...columns])];
      await db
        .updateTable('bulkParts')
        .set(({ eb }) => ({
          columns: JSON.stringify(all),
          rows: eb('rows', '+', rows.length),
          bytes: eb('bytes', '+', bytes),
        }))
        .where('id', '=', id)
        .execute();
      for (const some of inChunks(rows, ROW_COLUMNS))
        await db
          .insertInto('bulkRows')
          .values(some.map((row) => toRow(row, ROW_JSON)))
          .execute();
      return true;
    },

    async page(part, after, limit) {
      let query = db.selectFrom('bulkRows').selectAll().where('part', '=', part);
      if (after)
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('parent', 'key'), '>', tuple(after.parent, after.key)),
        );
      return (await query.orderBy('parent').orderBy('key').limit(limit).execute()).map(toBulkRow);
    },

    async byKey(part, keys) {
      const found: BulkRowStored[] = [];
      for (const some of inChunks(keys)) {
        const query = db.selectFrom('bulkRows').selectAll().where('part', '=', part).where('key', 'in', some);
        found.push(...(await query.execute()).map(toBulkRow));
      }
      return found;
    },

    async drop(part, keys) {
      for (const some of inChunks(keys))
        await db.deleteFrom('bulkRows').where('part', '=', part).where('key', 'in', some).execute();
    },
  };
}
