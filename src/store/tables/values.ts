import { type ExpressionBuilder, sql } from 'kysely';
import type { ValueStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';
import { createFirstReads } from '../first-reads.ts';
import type { Tables } from './tables.ts';

export function createValueStore({ kysely, dialect, all }: Database): ValueStore {
  /** Dead values are already invisible; a few go with every write that knows the time. */
  const sweep = (now: number) =>
    kysely
      .deleteFrom('keptValues')
      .where(({ eb, refTuple, selectFrom }) => {
        const dead = selectFrom('keptValues').select(['kind', 'key']).where('expiresAt', '<=', now).limit(100);
        // Two sweeps at once must not wait for each other, least of all inside transactions.
        return eb(
          refTuple('kind', 'key'),
          'in',
          (dialect === 'postgres' ? dead.forUpdate().skipLocked() : dead).$asTuple('kind', 'key'),
        );
      })
      .execute();

  return {
    ...createFirstReads(all).values,

    async set(kind, key, value, expiresAt) {
      await kysely
        .insertInto('keptValues')
        .values({ kind, key, value, expiresAt })
        .onConflict((conflict) => conflict.columns(['kind', 'key']).doUpdateSet({ value, expiresAt }))
        .execute();
    },

    async setIfAbsent(kind, key, value, expiresAt, now) {
      await sweep(now);
      // One statement: it replaces what is dead, keeps what is live, and answers what stands.
      const dead = sql<boolean>`"keptValues"."expiresAt" <= ${now}`;
      const row = await kysely
        .insertInto('keptValues')
        .values({ kind, key, value, expiresAt })
        .onConflict((conflict) =>
          conflict.columns(['kind', 'key']).doUpdateSet(({ ref }) => ({
            value: sql`case when ${dead} then excluded.value else ${ref('keptValues.value')} end`,
            expiresAt: sql`case when ${dead} then excluded."expiresAt" else ${ref('keptValues.expiresAt')} end`,
          })),
        )
        .returning('value')
        .executeTakeFirstOrThrow();
      return row.value;
    },

    async consume(kind, key, now) {
      await sweep(now);
      const row = await kysely
        .deleteFrom('keptValues')
        .where('kind', '=', kind)
        .where('key', '=', key)
        .where(isLive(now))
        .returning('value')
        .executeTakeFirst();
      return row?.value;
    },

    async remove(kind, key) {
      await kysely.deleteFrom('keptValues').where('kind', '=', kind).where('key', '=', key).execute();
    },

    async removeAll(kind, prefix) {
      await kysely
        .deleteFrom('keptValues')
        .where('kind', '=', kind)
        // Not LIKE: a prefix may hold its wildcards, and the databases disagree about case.
        .where(sql<boolean>`substr(key, 1, length(cast(${prefix} as text))) = ${prefix}`)
        .execute();
    },
  };
}

function isLive(now: number) {
  return ({ or, eb }: ExpressionBuilder<Tables, 'keptValues'>) =>
    or([eb('expiresAt', 'is', null), eb('expiresAt', '>', now)]);
}
