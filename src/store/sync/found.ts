import type { FoundStore } from '../../ports/transitions.ts';
import { inChunks, type SyncDatabase } from './tables.ts';

export function createFoundStore({ db }: SyncDatabase): FoundStore {
  return {
    async known({ bot, orgId }, object, sfIds) {
      const known = new Set<string>();
      for (const some of inChunks(sfIds)) {
        const rows = await db
          .selectFrom('found')
          .select('sfId')
          .where('bot', '=', bot)
          .where('orgId', '=', orgId)
          .where('object', '=', object)
          .where('sfId', 'in', some)
          .execute();
        for (const { sfId } of rows) known.add(sfId);
      }
      return known;
    },

    async add({ bot, orgId }, object, sfIds, at) {
      const added: string[] = [];
      // In one order everywhere, so that two writers wait and do not deadlock.
      for (const some of inChunks([...sfIds].sort(), 5)) {
        const rows = await db
          .insertInto('found')
          .values(some.map((sfId) => ({ bot, orgId, object, sfId, at })))
          .onConflict((conflict) => conflict.doNothing())
          .returning('sfId')
          .execute();
        added.push(...rows.map(({ sfId }) => sfId));
      }
      return added;
    },
  };
}
