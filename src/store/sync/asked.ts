import { type ExpressionBuilder, sql } from 'kysely';
import type { AskedStore } from '../../ports/sync-store.ts';
import { inChunks, type SyncDatabase, type SyncTables } from './tables.ts';

/** What is not at its end. */
const OPEN = ['pending', 'approved', 'executing', 'unknown'];

export function createAskedStore({ db }: SyncDatabase): AskedStore {
  const due = ({ bot, orgId, kind, object }: Parameters<AskedStore['due']>[0], now: number) => {
    let query = db
      .selectFrom('links')
      .select('links.id')
      .where('links.bot', '=', bot)
      .where('links.orgId', '=', orgId)
      .whereRef('links.dirty', '>', 'links.done')
      .where('links.nextAt', '<=', now)
      .where('links.state', '!=', 'unlinked')
      .where(({ not, exists }) => not(exists(refusedAsItIs)));
    if (kind !== undefined) query = query.where('links.kind', '=', kind);
    if (object !== undefined) query = query.where('links.object', '=', object);
    return query;
  };

  return {
    due: async (among, now, limit) =>
      (await due(among, now).orderBy('links.nextAt').orderBy('links.localId').limit(limit).execute()).map(
        ({ id }) => id,
      ),

    async hasNew(among, now) {
      const query = due(among, now).where(({ not, exists }) => not(exists(onAnOpenList)));
      return (await query.limit(1).executeTakeFirst()) !== undefined;
    },

    async refused(bot, links) {
      const found = [];
      for (const some of inChunks(links)) {
        const query = db
          .selectFrom('asked')
          .innerJoin('bots', (join) =>
            join.on('bots.name', '=', bot).onRef('bots.policyRevision', '=', 'asked.policyRevision'),
          )
          .leftJoin('proposals', 'proposals.id', 'asked.proposal')
          .selectAll('asked')
          .where('asked.link', 'in', some)
          .where(({ or, eb }) => or([eb('asked.proposal', 'is', null), eb('proposals.state', '=', 'rejected')]));
        found.push(...(await query.execute()));
      }
      return found;
    },

    async put(bot, asked) {
      const row = await db.selectFrom('bots').select('policyRevision').where('name', '=', bot).executeTakeFirst();
      if (row === undefined) return;
      for (const some of inChunks(asked, 6))
        await db
          .insertInto('asked')
          .values(some.map((one) => ({ ...one, bot, policyRevision: row.policyRevision })))
          .onConflict((conflict) =>
            conflict.column('link').doUpdateSet(({ ref }) => ({
              dirty: ref('excluded.dirty'),
              digest: ref('excluded.digest'),
              proposal: ref('excluded.proposal'),
              policyRevision: ref('excluded.policyRevision'),
            })),
          )
          .execute();
    },
  };
}

type OfLinks = ExpressionBuilder<SyncTables, 'links'>;

/** Asked about in the state in which the link is. */
const askedNow = ({ selectFrom }: OfLinks) =>
  selectFrom('asked')
    .select(sql.lit(1).as('one'))
    .whereRef('asked.link', '=', 'links.id')
    .whereRef('asked.dirty', '=', 'links.dirty');

function refusedAsItIs(builder: OfLinks) {
  return askedNow(builder)
    .innerJoin('bots', (join) =>
      join.onRef('bots.name', '=', 'links.bot').onRef('bots.policyRevision', '=', 'asked.policyRevision'),
    )
    .leftJoin('proposals', 'proposals.id', 'asked.proposal')
    .where(({ or, eb }) => or([eb('asked.proposal', 'is', null), eb('proposals.state', '=', 'rejected')]));
}

function onAnOpenList(builder: OfLinks) {
  return askedNow(builder)
    .innerJoin('proposals', 'proposals.id', 'asked.proposal')
    .where('proposals.state', 'in', OPEN);
}
