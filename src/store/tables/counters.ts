import { sql } from 'kysely';
import type { CounterStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';

/** No limit looks further back; older windows go when their key starts a new one, or the table would grow for ever. */
const KEPT_MS = 35 * 24 * 60 * 60 * 1000;

/** What counts a call is on the disk with that call's audit row. In plain SQL: built anew for each call, it would cost more than its run. */
export function createCounterStore({ kysely, unsynced }: Database): CounterStore {
  return {
    async add(key, window, by) {
      const added = sql<{
        count: number;
      }>`insert into counters (key, "window", "count") values (${key}, ${window}, ${by})
        on conflict (key, "window") do update set "count" = counters."count" + excluded."count" returning "count"`;
      const count = (await added.execute(unsynced)).rows[0]?.count;
      if (count === undefined) throw new TypeError('A count that was added to is there.');
      if (count === by)
        await unsynced
          .deleteFrom('counters')
          .where('key', '=', key)
          .where('window', '<', window - KEPT_MS)
          .execute();
      return count;
    },

    async sum(key, sinceWindow, exceptWindow) {
      const others = exceptWindow === undefined ? sql`` : sql`and "window" <> ${exceptWindow}`;
      const sum = sql<{ total: number }>`select coalesce(sum("count"), 0) as total from counters
        where key = ${key} and "window" >= ${sinceWindow} ${others}`;
      return (await sum.execute(kysely)).rows[0]?.total ?? 0;
    },
  };
}
