import type { ToldStore } from '../../ports/sync-store.ts';
import { inChunks, type SyncDatabase } from './tables.ts';

export function createToldStore({ db }: SyncDatabase): ToldStore {
  return {
    async news({ bot, orgId }, states, now) {
      const news: string[] = [];
      // In one order everywhere: two processes that tell of the same records wait and do not deadlock.
      const sorted = [...states].sort((a, b) => (a.sfId < b.sfId ? -1 : 1));
      for (const some of inChunks(sorted, 6)) {
        const rows = await db
          .insertInto('told')
          .values(some.map(({ sfId, stamp, key }) => ({ bot, orgId, sfId, stamp, key, at: now })))
          .onConflict((conflict) =>
            conflict
              .columns(['bot', 'orgId', 'sfId'])
              .doUpdateSet(({ ref }) => ({ stamp: ref('excluded.stamp'), key: ref('excluded.key'), at: now }))
              .whereRef('told.key', '!=', 'excluded.key')
              .whereRef('told.stamp', '<=', 'excluded.stamp'),
          )
          .returning('sfId')
          .execute();
        news.push(...rows.map(({ sfId }) => sfId));
      }
      return news;
    },
  };
}
