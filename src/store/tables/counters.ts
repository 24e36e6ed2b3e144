import { sql } from 'kysely';
import type { CounterStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';

/** No limit looks further back; older windows go when their key starts a new one, or the table would grow for ever. */
const KEPT_MS = 35 * 24 * 60 * 60 * 1000;

/** What counts a call is on the disk with that call's audit row. */
export function createCounterStore({ kysely, unsynced }: Database): CounterStore {
  return {
    async add(key, window, by) {
      const { count } = await unsynced
        .insertInto('counters')
        .values({ key, window, count: by })
        .onConflict((conflict) =>
          conflict.columns(['key', 'window']).doUpdateSet({ count: sql`counters.count + excluded.count` }),
        )
        .returning('count')
        .executeTakeFirstOrThrow();
      if (count === by)
        await unsynced
          .deleteFrom('counters')
          .where('key', '=', key)
          .where('window', '<', window - KEPT_MS)
          .execute();
      return count;
    },

    async sum(key, sinceWindow, exceptWindow) {
      const since = kysely
        .selectFrom('counters')
        .select(({ fn }) => fn.coalesce(fn.sum<number>('count'), sql.lit(0)).as('total'))
        .where('key', '=', key)
        .where('window', '>=', sinceWindow);
      const asked = exceptWindow === undefined ? since : since.where('window', '<>', exceptWindow);
      const { total } = await asked.executeTakeFirstOrThrow();
      return total;
    },
  };
}
