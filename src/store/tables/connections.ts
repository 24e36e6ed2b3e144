import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely';
import type { Cipher } from '../../ports/cipher.ts';
import type { ConnectionPatch, ConnectionStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';
import { createFirstReads } from '../first-reads.ts';
import { openKind, SEALED, sealedKind } from '../secrets/connection-seal.ts';
import type { Tables } from './tables.ts';

export function createConnectionStore({ kysely, unsynced, all }: Database, secrets?: Cipher): ConnectionStore {
  const reads = createFirstReads(all, secrets).connections;

  /** With the seal anew where the change touches what it covers. */
  const sealed = async (bot: string, patch: ConnectionPatch): Promise<ConnectionPatch> => {
    if (secrets === undefined || !SEALED.some((column) => column in patch)) return patch;
    const row = await reads.get(bot);
    return row === undefined ? patch : { ...patch, environment: sealedKind(secrets, { ...row, ...patch }) };
  };

  return {
    async put(given) {
      const row = secrets === undefined ? given : { ...given, environment: sealedKind(secrets, given) };
      await kysely
        .insertInto('connections')
        .values(row)
        .onConflict((conflict) => conflict.column('bot').doUpdateSet(row))
        .execute();
    },

    ...reads,

    async byId(id) {
      const row = await kysely.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined || secrets === undefined ? row : openKind(secrets, row);
    },

    async patch(bot, patch) {
      await kysely
        .updateTable('connections')
        .set({ bot, ...(await sealed(bot, patch)) })
        .where('bot', '=', bot)
        .execute();
    },

    async patchIf(bot, where, patch) {
      const moved = await kysely
        .updateTable('connections')
        // Naming the bot again keeps an empty patch a statement: it then only asks whether `where` holds.
        .set({ bot, ...(await sealed(bot, patch)) })
        .where('bot', '=', bot)
        .where(holds(where))
        .executeTakeFirst();
      return moved.numUpdatedRows === 1n;
    },

    async noteSuccess(bot, at, count) {
      await unsynced
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
