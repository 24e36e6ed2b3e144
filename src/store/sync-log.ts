import type { LogRow, LogStore, MappingRow, MappingStore } from '../sync/ports.ts';
import { fromRow, inChunks, type SyncDatabase, toRow } from './sync-tables.ts';

const JSON_COLUMNS = ['changes', 'error'] as const;

/** Rows are added and read; nothing here changes or removes one. */
export function createLogStore({ db }: SyncDatabase): LogStore {
  return {
    async add(rows) {
      for (const some of inChunks(rows, 16))
        await db
          .insertInto('syncLog')
          .values(some.map((row) => toRow(row, JSON_COLUMNS)))
          .execute();
    },

    async find(bot, { localId, kind, status, direction, batch, object, reason, before, from, limit }) {
      let query = db.selectFrom('syncLog').selectAll().where('bot', '=', bot);
      if (localId !== undefined) query = query.where('localId', '=', localId);
      if (kind !== undefined) query = query.where('kind', '=', kind);
      if (status !== undefined) query = query.where('status', '=', status);
      if (direction !== undefined) query = query.where('direction', '=', direction);
      if (batch !== undefined) query = query.where('batch', '=', batch);
      if (object !== undefined) query = query.where('object', '=', object);
      if (reason !== undefined) query = query.where('reason', '=', reason);
      if (from !== undefined) query = query.where('id', '>=', from);
      if (before !== undefined) query = query.where('id', '<', before);
      const rows = await query.orderBy('id', 'desc').limit(limit).execute();
      return rows.map((row) => fromRow<LogRow, (typeof JSON_COLUMNS)[number]>(row, JSON_COLUMNS));
    },

    async get(bot, id) {
      const row = await db
        .selectFrom('syncLog')
        .selectAll()
        .where('bot', '=', bot)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && fromRow<LogRow, (typeof JSON_COLUMNS)[number]>(row, JSON_COLUMNS);
    },
  };
}

/** Every saved version stays. */
export function createMappingStore({ db }: SyncDatabase): MappingStore {
  const read = (bot: string, kind: MappingRow['kind']) =>
    db.selectFrom('mappings').selectAll().where('bot', '=', bot).where('kind', '=', kind).orderBy('version', 'desc');
  return {
    async get(bot, kind) {
      const row = await read(bot, kind).limit(1).executeTakeFirst();
      return row && fromRow<MappingRow, 'mapping'>(row, ['mapping']);
    },
    async add(row) {
      const kept = await db
        .insertInto('mappings')
        .values(toRow(row, ['mapping']))
        .onConflict((conflict) => conflict.columns(['bot', 'kind', 'version']).doNothing())
        .returning('version')
        .execute();
      return kept.length > 0;
    },
    async history(bot, kind) {
      return (await read(bot, kind).execute()).map((row) => fromRow<MappingRow, 'mapping'>(row, ['mapping']));
    },
  };
}
