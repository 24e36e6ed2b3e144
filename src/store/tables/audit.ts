import { sql } from 'kysely';
import { sha256 } from '../../domain/canonical-json.ts';
import type { AuditStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';

/** Parameters of one statement are limited (32,766 on SQLite). */
const CHUNK = 1000;

export function createAuditStore(database: Database): AuditStore {
  const { kysely } = database;
  return {
    append: (entry, hashOf) =>
      database.transaction(async (inside) => {
        // The head row is the lock: whoever moves it holds it until the commit, on both databases.
        const { seq, hash: previous } = await inside.kysely
          .updateTable('auditHead')
          .set({ seq: sql`seq + 1` })
          .returning(['seq', 'hash'])
          .executeTakeFirstOrThrow();
        const unsealed = { ...entry, seq, previous, sealedHash: entry.sealed === null ? null : sha256(entry.sealed) };
        const row = { ...unsealed, hash: hashOf(unsealed) };
        await inside.kysely.insertInto('audit').values(row).execute();
        await inside.kysely.updateTable('auditHead').set({ hash: row.hash }).execute();
        return row;
      }),

    get: (seq) => kysely.selectFrom('audit').selectAll().where('seq', '=', seq).executeTakeFirst(),

    async head() {
      const head = await kysely.selectFrom('auditHead').select(['seq', 'hash']).executeTakeFirstOrThrow();
      return head.seq === 0 ? undefined : head;
    },

    page(after, limit) {
      const rows = kysely.selectFrom('audit').selectAll().orderBy('seq').limit(limit);
      return (after === undefined ? rows : rows.where('seq', '>', after)).execute();
    },

    find({ limit, ...filter }) {
      let query = kysely.selectFrom('audit').selectAll().orderBy('seq', 'desc').limit(limit);
      for (const column of ['bot', 'proposal', 'action', 'event'] as const) {
        const value = filter[column];
        if (value !== undefined) query = query.where(column, '=', value);
      }
      if (filter.since !== undefined) query = query.where('at', '>=', filter.since);
      if (filter.until !== undefined) query = query.where('at', '<', filter.until);
      return query.execute();
    },

    async unseal(seqs) {
      for (let from = 0; from < seqs.length; from += CHUNK)
        await kysely
          .updateTable('audit')
          .set({ sealed: null })
          .where('seq', 'in', seqs.slice(from, from + CHUNK))
          .execute();
    },

    async sealedBefore(at, limit) {
      const rows = await kysely
        .selectFrom('audit')
        .select('seq')
        .where('sealed', 'is not', null)
        .where('at', '<', at)
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map(({ seq }) => seq);
    },
  };
}
