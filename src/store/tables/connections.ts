import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely';
import type { ConnectionPatch, ConnectionStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';
import { createFirstReads } from '../first-reads.ts';
import type { Tables } from './tables.ts';

export function createConnectionStore({ kysely, all }: Database): ConnectionStore {
  return {
    async put(row) {
      await kysely
        .insertInto('connections')
        .values(row)
        .onConflict((conflict) => conflict.column('bot').doUpdateSet(row))
        .execute();
    },

    ...createFirstReads(all).connections,

    byId: (id) => kysely.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirst(),

    async patch(bot, patch) {
      await kysely
        .updateTable('connections')
        .set({ bot, ...patch })
        .where('bot', '=', bot)
        .execute();
    },

    async patchIf(bot, where, patch) {
      const moved = await kysely
        .updateTable('connections')
        // Naming the bot again keeps an empty patch a statement: it then only asks whether `where` holds.
        .set({ bot, ...patch })
        .where('bot', '=', bot)
        .where(holds(where))
        .executeTakeFirst();
      return moved.numUpdatedRows === 1n;
    },

    async noteSuccess(bot, at, count) {
      await kysely
        .updateTable('connections')
        .set({ successes: sql`successes + ${count}`, lastSuccessAt: at })
        .where('bot', '=', bot)
        .execute();
    },

    async noteFailure(bot, at, code, message, next) {
      await kysely
        .updateTable('connections')
        .set({
          failures: sql`failures + 1`,
          lastFailureAt: at,
          lastFailureCode: code,
          lastFailureMessage: message,
          lastFailureNext: next ?? null,
        })
        .where('bot', '=', bot)
        .execute();
    },

    async lease(bot, owner, now, untilMs, fence) {
      const leased = await kysely
        .updateTable('connections')
        .set({ leaseOwner: owner, leaseUntil: untilMs, fence: sql`fence + 1` })
        .where('bot', '=', bot)
        .where(({ or, eb }) => or([eb('leaseOwner', 'is', null), eb('leaseUntil', '<=', now)]))
        .$if(fence !== undefined, (query) => query.where('fence', '=', fence ?? 0))
        .returning('fence')
        .executeTakeFirst();
      return leased?.fence;
    },

    async remove(bot) {
      await kysely.deleteFrom('connections').where('bot', '=', bot).execute();
    },
  };
}

type Where = ExpressionWrapper<Tables, 'connections', SqlBool>;

function holds(where: ConnectionPatch): (eb: ExpressionBuilder<Tables, 'connections'>) => Where {
  return (eb) =>
    eb.and(
      Object.entries(where).map(([column, value]) =>
        // The keys of a ConnectionPatch are columns of the table by their types.
        value === null
          ? eb(column as keyof ConnectionPatch, 'is', null)
          : eb(column as keyof ConnectionPatch, '=', value),
      ),
    );
}
