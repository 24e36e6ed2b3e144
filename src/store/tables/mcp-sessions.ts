import { sql } from 'kysely';
import type { McpSessionStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';

export function createMcpSessionStore(database: Database): McpSessionStore {
  const { kysely } = database;
  return {
    open: (row, { most, idleSince, now }) =>
      database.transaction(async ({ kysely: inside }) => {
        await inside.deleteFrom('mcpSessions').where('usedAt', '<', idleSince).where('busyUntil', '<=', now).execute();
        const own = await inside
          .selectFrom('mcpSessions')
          .select(['id', 'usedAt', 'busyUntil'])
          .where('bot', '=', row.bot)
          .orderBy('usedAt')
          .orderBy('id')
          .execute();
        const tooMany = own.length + 1 - most;
        const free = own.filter(({ busyUntil }) => busyUntil <= now).slice(0, Math.max(0, tooMany));
        if (free.length < tooMany) return undefined;
        if (free.length > 0)
          await inside
            .deleteFrom('mcpSessions')
            .where(
              'id',
              'in',
              free.map(({ id }) => id),
            )
            // A call may have begun since they were listed.
            .where('busyUntil', '<=', now)
            .execute();
        await inside
          .insertInto('mcpSessions')
          // In a crowd of one millisecond the order is still told.
          .values({ ...row, usedAt: Math.max(row.usedAt, (own.at(-1)?.usedAt ?? 0) + 1), calls: 0, busyUntil: 0 })
          .execute();
        return free.map(({ id }) => id);
      }),

    get: (id) => kysely.selectFrom('mcpSessions').selectAll().where('id', '=', id).executeTakeFirst(),

    async use(id, usedAt) {
      await kysely.updateTable('mcpSessions').set({ usedAt }).where('id', '=', id).execute();
    },

    async beginCall(id, now, busyUntil) {
      // Of calls that no process ended, a crash is the reason: they count no longer than their time.
      const calls = sql<number>`case when "busyUntil" > ${now} then "calls" + 1 else 1 end`;
      const later = sql<number>`case when "busyUntil" > ${busyUntil} then "busyUntil" else ${busyUntil} end`;
      await kysely
        .updateTable('mcpSessions')
        .set({ calls, busyUntil: later, usedAt: now })
        .where('id', '=', id)
        .execute();
    },

    async endCall(id) {
      await kysely
        .updateTable('mcpSessions')
        .set({
          calls: sql<number>`case when "calls" > 1 then "calls" - 1 else 0 end`,
          busyUntil: sql<number>`case when "calls" > 1 then "busyUntil" else 0 end`,
        })
        .where('id', '=', id)
        .execute();
    },

    async end(id) {
      await kysely.deleteFrom('mcpSessions').where('id', '=', id).execute();
    },
  };
}
