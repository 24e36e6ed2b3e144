import { type SelectQueryBuilder, sql } from 'kysely';
import type { AuditFilter, AuditStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';
import type { Tables } from './tables.ts';

/** Rows of the audit looked up and counted, for the log and the charts. */

/** Waits of confirmations that one chart looks at. */
const MOST_WAITS = 10_000;
const FIRST_STEP = 500;
/** Rows follow each other in time but for what the clocks of machines differ. */
const CLOCKS_DIFFER_MS = 3_600_000;
/** What a conversation of the playground does is no traffic. */
const TRIED = 'playground';

export function createAuditFinds({
  kysely,
  dialect,
}: Database): Pick<AuditStore, 'find' | 'startOf' | 'tally' | 'refusals' | 'waits'> {
  const all = () => kysely.selectFrom('audit');
  const codeOf =
    dialect === 'postgres' ? sql<string>`detail::json ->> 'code'` : sql<string>`json_extract(detail, '$.code')`;

  const matching = <O>(
    query: SelectQueryBuilder<Tables, 'audit', O>,
    { code, events, bots, since, until, before, after, ...same }: AuditFilter,
  ) => {
    let found = query;
    for (const column of [
      'bot',
      'proposal',
      'action',
      'event',
      'principal',
      'channel',
      'decision',
      'recordId',
    ] as const) {
      const value = same[column];
      if (value !== undefined) found = found.where(column, '=', value);
    }
    // An empty list is nobody's.
    if (bots !== undefined) found = found.where('bot', 'in', bots.length === 0 ? [''] : bots);
    if (events !== undefined) found = found.where('event', 'in', events);
    if (code !== undefined) found = found.where(codeOf, '=', code);
    if (since !== undefined) found = found.where('at', '>=', since);
    if (until !== undefined) found = found.where('at', '<', until);
    if (before !== undefined) found = found.where('seq', '<', before);
    return after === undefined ? found : found.where('seq', '>', after);
  };
  /** Calls of bots within a time. */
  const counted = <O>(query: SelectQueryBuilder<Tables, 'audit', O>, { bot, bots, ...filter }: AuditFilter) => {
    const calls = matching(query, filter).where('bot', 'is not', null).where('channel', '!=', TRIED);
    // By itself SQLite would go by the bot, and read every row of it; the index by event holds all that is counted.
    const of = bot === undefined ? bots : bots === undefined || bots.includes(bot) ? [bot] : [];
    if (of === undefined) return calls;
    return calls.where(sql<boolean>`bot || '' in (${sql.join(of.length === 0 ? [''] : of)})`);
  };

  return {
    async find({ limit, ...filter }) {
      const isUpwards = filter.after !== undefined;
      const rows = await matching(all().selectAll(), filter)
        .orderBy('seq', isUpwards ? 'asc' : 'desc')
        .limit(limit)
        .execute();
      return isUpwards ? rows.reverse() : rows;
    },

    async startOf(since) {
      const { seq: head } = await kysely.selectFrom('auditHead').select('seq').executeTakeFirstOrThrow();
      for (let back = FIRST_STEP; back < head; back *= 2) {
        const row = await all()
          .select(['seq', 'at'])
          .where('seq', '<=', head - back)
          .orderBy('seq', 'desc')
          .limit(1)
          .executeTakeFirst();
        if (row === undefined || row.at < since - CLOCKS_DIFFER_MS) return row?.seq ?? 0;
      }
      return 0;
    },

    tally({ bucketMs, since, ...filter }) {
      const bucket = sql<number>`(at - cast(${since} as bigint)) / cast(${bucketMs} as bigint)`;
      return counted(all(), { ...filter, since })
        .select(({ fn }) => [bucket.as('bucket'), 'event', fn.countAll<number>().as('count')])
        .groupBy([sql`1`, 'event'])
        .execute();
    },

    refusals(filter) {
      return counted(all(), { ...filter, event: 'refused' })
        .select(({ fn }) => [codeOf.as('code'), fn.countAll<number>().as('count')])
        .groupBy(sql`1`)
        .orderBy(sql`2`, 'desc')
        .execute();
    },

    async waits(filter) {
      const decided = await counted(all(), { ...filter, events: ['approved', 'rejected'] })
        .select(({ ref, selectFrom }) => [
          sql<number>`at - ${selectFrom('audit as asked')
            .select(({ fn }) => fn.min('asked.at').as('at'))
            .where('asked.proposal', '=', ref('audit.proposal'))
            .where('asked.event', 'in', ['proposed', 'received'])}`.as('ms'),
        ])
        .orderBy('seq', 'desc')
        .limit(MOST_WAITS)
        .execute();
      return decided.flatMap(({ ms }) => (ms === null ? [] : [Math.max(0, ms)]));
    },
  };
}
