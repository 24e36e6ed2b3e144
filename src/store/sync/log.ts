import type { ExpressionBuilder } from 'kysely';
import type { Follow, LogRow, LogStore, MappingRow, MappingStore } from '../../ports/sync-store.ts';
import { fromRow, inChunks, type SyncDatabase, type SyncTables, toRow } from './tables.ts';

const EQUAL = ['localId', 'kind', 'status', 'operation', 'direction', 'batch', 'object', 'reason'] as const;
const JSON_COLUMNS = ['changes', 'error'] as const;
const FOLLOW_JSON = ['keys', 'batches', 'after'] as const;

/** Rows are added and read; nothing here changes one. */
export function createLogStore({ db }: SyncDatabase): LogStore {
  return {
    async add(rows) {
      for (const some of inChunks(rows, 16))
        await db
          .insertInto('syncLog')
          .values(some.map((row) => toRow(row, JSON_COLUMNS)))
          .execute();
    },

    async find(bot, { limit, hasConflict, before, from, ...equal }) {
      let query = db.selectFrom('syncLog').selectAll().where('bot', '=', bot);
      for (const column of EQUAL) if (equal[column] !== undefined) query = query.where(column, '=', equal[column]);
      // Only a change has this key, and no value can look like one: its quotes are escaped.
      if (hasConflict) query = query.where('changes', 'like', '%"winner":%');
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

    async tally(bot, batch, from) {
      const rows = await db
        .selectFrom('syncLog')
        .select(({ fn }) => ['operation', 'direction', 'status', fn.count<number>('localId').distinct().as('count')])
        .where('bot', '=', bot)
        .where('id', '>=', from)
        .where('batch', '=', batch)
        .groupBy(['operation', 'direction', 'status'])
        .execute();
      return rows.map((row) => ({ ...row, count: Number(row.count) }));
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
    async revision(bot, kind) {
      const [policy, mapping] = await Promise.all([
        db.selectFrom('bots').select(['createdAt', 'policyRevision']).where('name', '=', bot).executeTakeFirst(),
        db
          .selectFrom('mappings')
          .select(({ fn }) => fn.max<number | null>('version').as('version'))
          .where('bot', '=', bot)
          .where('kind', '=', kind)
          .executeTakeFirst(),
      ]);
      return JSON.stringify([policy, mapping]);
    },
    async add(row, follow) {
      const kept = await db
        .insertInto('mappings')
        .values(toRow(row, ['mapping']))
        .onConflict((conflict) => conflict.columns(['bot', 'kind', 'version']).doNothing())
        .returning('version')
        .execute();
      if (kept.length > 0 && follow) await db.insertInto('follows').values(toRow(follow, FOLLOW_JSON)).execute();
      return kept.length > 0;
    },
    async follows({ bot, orgId }) {
      const rows = await db
        .selectFrom('follows')
        .selectAll()
        .where('bot', '=', bot)
        .where('orgId', '=', orgId)
        .orderBy('version')
        .execute();
      return rows.map((row) => fromRow<Follow, (typeof FOLLOW_JSON)[number]>(row, FOLLOW_JSON));
    },
    async followed({ bot, kind, version }, after) {
      const isThis = ({ and, eb }: ExpressionBuilder<SyncTables, 'follows'>) =>
        and([eb('bot', '=', bot), eb('kind', '=', kind), eb('version', '=', version)]);
      if (after === undefined) await db.deleteFrom('follows').where(isThis).execute();
      else
        await db
          .updateTable('follows')
          .set({ after: after && JSON.stringify(after) })
          .where(isThis)
          .execute();
    },
    async history(bot, kind) {
      return (await read(bot, kind).execute()).map((row) => fromRow<MappingRow, 'mapping'>(row, ['mapping']));
    },
  };
}
