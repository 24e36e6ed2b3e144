import { type Expression, type ExpressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { LinkSet, LinkStore } from '../../domain/link.ts';
import { KINDS } from '../../domain/mapping.ts';
import type { SyncDatabase, SyncTables } from './tables.ts';

/** A condition on links. */
export type Among = (builder: ExpressionBuilder<SyncTables, 'links'>) => Expression<SqlBool>;

/** How the links of a bot stand. Each count is of an index alone, or of what has a problem, which is little. */
export function createLinkCounts({
  db,
}: SyncDatabase): Pick<
  LinkStore,
  'countByState' | 'standing' | 'countProblems' | 'backlog' | 'countHeld' | 'countBatch' | 'countNew'
> {
  async function count(among: Among): Promise<number> {
    const row = await db
      .selectFrom('links')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where(among)
      .executeTakeFirstOrThrow();
    return row.count;
  }

  return {
    countByState: ({ bot, orgId }) =>
      db
        .selectFrom('links')
        .select(({ fn }) => ['kind', 'state', fn.countAll<number>().as('count')])
        .where('bot', '=', bot)
        .where('orgId', '=', orgId)
        .groupBy(['kind', 'state'])
        .orderBy('kind')
        .orderBy('state')
        .execute(),

    async standing({ bot, orgId }) {
      const mine = db
        .selectFrom('links')
        .where('bot', '=', bot)
        .where('orgId', '=', orgId)
        .where('kind', 'in', KINDS)
        .where('state', '!=', 'unlinked');
      // Of an index alone.
      const { inStep, due } = await mine
        .select([number(IN_STEP).as('inStep'), number(IS_DUE).as('due')])
        .executeTakeFirstOrThrow();
      // What has a problem is little, and is looked at.
      const not = await mine
        .where('error', 'is not', null)
        .select([
          number(IN_STEP).as('inStep'),
          number(STOPS).as('stopped'),
          number(sql`${STOPS} and ${IS_DUE}`).as('stoppedDue'),
        ])
        .executeTakeFirstOrThrow();
      // Two looks: what a worker did in between must not show as less than nothing.
      return {
        inStep: Math.max(0, Number(inStep) - Number(not.inStep)),
        waits: Math.max(0, Number(due) - Number(not.stoppedDue)),
        needsYou: Number(not.stopped),
      };
    },

    countProblems: (among) =>
      count(both(isAmong(among), ({ eb, and }) => and([eb('error', 'is not', null), eb('state', '!=', 'unlinked')]))),

    async backlog(among) {
      return db
        .selectFrom('links')
        .select(({ fn, eb }) => [
          fn.countAll<number>().as('count'),
          fn
            .min<number | null>(
              eb.case().when('nextAt', '>', eb.ref('createdAt')).then(eb.ref('nextAt')).else(eb.ref('createdAt')).end(),
            )
            .as('since'),
        ])
        .where(isAmong(among))
        .whereRef('dirty', '>', 'done')
        .where('kind', '!=', 'parent')
        .where('state', '!=', 'unlinked')
        .executeTakeFirstOrThrow();
    },

    async countHeld(among, most) {
      const held = db
        .selectFrom('links')
        .select('id')
        .where(isAmong(among))
        .whereRef('dirty', '>', 'done')
        .where('leaseUntil', '>', 0)
        // A hint forgets when the record was seen: it is read, and hardly ever written.
        .where(({ eb, or }) => or([eb('sfId', 'is', null), eb('seenAt', '>', 0)]))
        .limit(most);
      const row = await db
        .selectFrom(held.as('held'))
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return row.count;
    },

    countBatch: (batch) => count(({ eb }) => eb('batch', '=', batch)),
    countNew: (batch) =>
      count(({ eb, and }) => and([eb('batch', '=', batch), eb('sfId', 'is', null), eb('attempts', '=', 0)])),
  };
}

const IS_DUE = sql`"dirty" > "done"`;
const IN_STEP = sql`"state" = 'active' and not (${IS_DUE})`;
/** Nothing that somebody wrote can look like this key: its quotes are escaped. */
const STOPS = sql`"error" not like '%"retryable":true%'`;
const number = (when: RawBuilder<unknown>) => sql<number>`coalesce(sum(case when ${when} then 1 else 0 end), 0)`;

export function isAmong({ bot, orgId, ...rest }: LinkSet): Among {
  return both(({ eb, and }) => and([eb('bot', '=', bot), eb('orgId', '=', orgId)]), isOf(rest));
}

export function isOf({ kind, object }: Pick<LinkSet, 'kind' | 'object'>): Among {
  return ({ eb, and }) =>
    and([
      ...(kind === undefined ? [] : [eb('kind', '=', kind)]),
      ...(object === undefined ? [] : [eb('object', '=', object)]),
    ]);
}

export const both =
  (one: Among, other: Among): Among =>
  (builder) =>
    builder.and([one(builder), other(builder)]);
