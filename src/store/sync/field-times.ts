import type { FieldTimeStore, FieldTimes } from '../../ports/streams.ts';
import { fromRow, inChunks, type SyncDatabase, toRow } from './tables.ts';

export function createFieldTimeStore({ db }: SyncDatabase): FieldTimeStore {
  return {
    async get({ bot, orgId }, sfIds) {
      const found: FieldTimes[] = [];
      for (const some of inChunks(sfIds)) {
        const query = db.selectFrom('fieldTimes').selectAll().where('bot', '=', bot).where('orgId', '=', orgId);
        const rows = await query.where('sfId', 'in', some).execute();
        found.push(...rows.map((row) => fromRow<FieldTimes, 'fields'>(row, ['fields'])));
      }
      return found;
    },

    async put(rows) {
      for (const some of inChunks(rows, 7)) {
        await db
          .insertInto('fieldTimes')
          .values(some.map((row) => toRow(row, ['fields'])))
          .onConflict((conflict) =>
            conflict.columns(['bot', 'orgId', 'sfId']).doUpdateSet(({ ref }) => ({
              object: ref('excluded.object'),
              modifiedAt: ref('excluded.modifiedAt'),
              fields: ref('excluded.fields'),
              heardAt: ref('excluded.heardAt'),
            })),
          )
          .execute();
      }
    },

    async forget({ bot, orgId }, sfIds) {
      for (const some of inChunks(sfIds)) {
        const gone = db.deleteFrom('fieldTimes').where('bot', '=', bot).where('orgId', '=', orgId);
        await gone.where('sfId', 'in', some).execute();
      }
    },

    async forgetObject({ bot, orgId }, object) {
      const gone = db.deleteFrom('fieldTimes').where('bot', '=', bot).where('orgId', '=', orgId);
      await gone.where('object', '=', object).execute();
    },
  };
}
