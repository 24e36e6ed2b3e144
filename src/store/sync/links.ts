import { type Expression, type ExpressionBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { FEW_TRIES, LONGEST_WAIT_MS, LONGEST_WAIT_OF_FEW_MS } from '../../domain/backoff.ts';
import {
  BY_HAND,
  type Due,
  type Link,
  type LinkSet,
  type LinkStore,
  PART_HOLDER,
  type Scope,
} from '../../domain/link.ts';
import { freshLink } from '../../domain/link-transitions.ts';
import { type Among, both, createLinkCounts, isAmong, isOf } from './link-counts.ts';
import { fromRow, inChunks, MOST_BOUND, type SyncDatabase, type SyncTables, toRow } from './tables.ts';

const JSON_COLUMNS = ['base', 'intents', 'error', 'waitsFor'] as const;
const COLUMNS = 28;
/** Links that one statement takes, moves or reads: with ten thousand it held the loop for a third of a second (K4). */
const PIECE = 1_000;
const inPieces = <T>(items: readonly T[]) => inChunks(items, MOST_BOUND / PIECE);
const toLink = (row: SyncTables['links']): Link => fromRow<Link, (typeof JSON_COLUMNS)[number]>(row, JSON_COLUMNS);

type Builder = ExpressionBuilder<SyncTables, 'links'>;
type Row = SyncTables['links'];
type Values = { readonly [Column in keyof Row]?: Row[Column] | Expression<Row[Column]> };
type LinkUpdate = Values | ((builder: Builder) => Values);

export function createLinkStore({ db, dialect }: SyncDatabase): LinkStore {
  const all = () => db.selectFrom('links').selectAll();

  async function collect(
    values: readonly string[],
    read: (some: readonly string[]) => Promise<SyncTables['links'][]>,
  ): Promise<Link[]> {
    const found: Link[] = [];
    for (const some of inChunks([...new Set(values)])) for (const row of await read(some)) found.push(toLink(row));
    return found;
  }

  /** For updates of many, in the order of their ids: two writers of the same links wait for one another, never each for the other. */
  function inOrder(among: Among) {
    const ids = db.selectFrom('links').select('id').where(among).orderBy('id');
    return dialect === 'postgres' ? ids.forUpdate() : ids;
  }

  async function update(among: Among, set: LinkUpdate): Promise<void> {
    await db.updateTable('links').set(set).where('id', 'in', inOrder(among)).execute();
  }

  async function updateIds(ids: readonly string[], set: LinkUpdate): Promise<void> {
    for (const some of inChunks(ids)) await update(({ eb }) => eb('id', 'in', some), set);
  }

  /** What nobody else is writing: who takes no place in a queue holds nobody up. */
  const unlocked = (ids: SelectQueryBuilder<SyncTables, 'links', { id: string }>) =>
    dialect === 'postgres' ? ids.forUpdate().skipLocked() : ids;

  /** Those that are so, until none is: `set` ends that. A piece at a time, so that nobody waits for the whole. */
  async function updateWhile(among: Among, set: LinkUpdate): Promise<void> {
    for (let count = PIECE; count >= PIECE; ) {
      const some = unlocked(db.selectFrom('links').select('id').where(among).limit(PIECE));
      const updated = await db.updateTable('links').set(set).where('id', 'in', some).executeTakeFirst();
      count = Number(updated.numUpdatedRows);
    }
    // Those that were being written.
    await update(among, set);
  }

  /** Makes due what waits longer than anything of ours does: a clock that was ahead wrote when. True where there was any. */
  async function recall(among: LinkSet, what: Due, now: number): Promise<boolean> {
    const late = both(isOpen(among, what), ({ eb, and, or }) =>
      and([
        eb('leaseUntil', '=', 0),
        eb('nextAt', '>', now + LONGEST_WAIT_OF_FEW_MS),
        or([eb('attempts', '<=', FEW_TRIES), eb('nextAt', '>', now + LONGEST_WAIT_MS)]),
      ]),
    );
    // Hardly ever any: a look needs no lock.
    const some = await db.selectFrom('links').select('id').where(late).limit(PIECE).execute();
    const ids = some.map(({ id }) => id);
    if (ids.length > 0)
      await update(
        both(({ eb }) => eb('id', 'in', ids), late),
        { nextAt: now },
      );
    return ids.length > 0;
  }

  /** Only claims that still stand. */
  async function updateClaims(claims: readonly Pick<Link, 'id' | 'fence'>[], set: LinkUpdate) {
    for (const some of inPieces(claims)) {
      const ids = some.map(({ id }) => id);
      const tuples = ({ tuple }: Builder) => some.map(({ id, fence }) => tuple(id, fence));
      // By their ids first: no index knows the pair.
      await update(
        (builder) =>
          builder.and([
            builder.eb('id', 'in', ids),
            builder.eb(builder.refTuple('id', 'fence'), 'in', tuples(builder)),
          ]),
        set,
      );
    }
  }

  const localQuery = ({ bot, orgId }: Scope, object: string, some: readonly string[]) =>
    all().where('bot', '=', bot).where('orgId', '=', orgId).where('object', '=', object).where('localId', 'in', some);

  return {
    async ensure(links) {
      // Twice: a look-up value that is taken keeps the first insert out, and the second comes without it.
      for (const isKeyed of [true, false]) {
        for (const some of inChunks(links, COLUMNS)) {
          const rows = some.map((link) =>
            toRow(isKeyed ? freshLink(link) : { ...freshLink(link), matchKey: null }, JSON_COLUMNS),
          );
          await db
            .insertInto('links')
            .values(rows)
            .onConflict((conflict) => conflict.doNothing())
            .execute();
        }
      }
    },

    async claim(among, what, { owner, now, until, limit }) {
      const claimed: Link[] = [];
      const claim = async (due: typeof ids) => {
        const rows = await db
          .updateTable('links')
          .set(({ eb }) => ({ leaseOwner: owner, leaseUntil: until, fence: eb('fence', '+', 1) }))
          .where('id', 'in', unlocked(due))
          .returningAll()
          .execute();
        claimed.push(...rows.map(toLink));
        return rows.length;
      };
      const ids = db
        .selectFrom('links')
        .select('id')
        .where(isDue(among, what, now))
        .where('leaseUntil', '=', 0);
      if (what.due === 'ids') for (const some of inPieces(what.ids)) await claim(ids.where('id', 'in', some));
      // In the order of the index, so that the first are found without a look at the rest.
      const next = ids.orderBy(what.due === 'batch' ? 'localId' : 'nextAt');
      for (let isMore = what.due !== 'ids'; isMore && claimed.length < limit; ) {
        const size = Math.min(PIECE, limit - claimed.length);
        isMore = (await claim(next.limit(size))) === size || (claimed.length === 0 && (await recall(among, what, now)));
      }
      return claimed.sort((a, b) => (a.localId < b.localId ? -1 : 1));
    },

    async isAsked(among, now) {
      const due = db
        .selectFrom('links')
        .select('id')
        .where(isDue(among, { due: 'dirty', byHand: true }, now));
      return (await due.limit(1).executeTakeFirst()) !== undefined;
    },

    async leases({ bot, orgId }) {
      const held = sql`from links where "bot" = ${bot} and "orgId" = ${orgId} and "leaseUntil" > 0`;
      // From owner to owner: a part may hold hundreds of thousands of links, and none of them is looked at.
      const query = sql<{ owner: string; until: number }>`with recursive owners(owner) as (
          select min("leaseOwner") ${held}
          union all select (select min("leaseOwner") ${held} and "leaseOwner" > owner) from owners where owner is not null
        )
        select distinct owner, "leaseUntil" as until from owners join links on "leaseOwner" = owner
        where owner not like ${`${PART_HOLDER}%`} and "bot" = ${bot} and "orgId" = ${orgId} and "leaseUntil" > 0`;
      return (await query.execute(db)).rows;
    },

    endLease: ({ bot, orgId }, { owner, until }) =>
      updateWhile(
        both(isAmong({ bot, orgId }), ({ eb, and }) =>
          and([eb('leaseUntil', '>', 0), eb('leaseOwner', '=', owner), eb('leaseUntil', '=', until)]),
        ),
        ({ eb }) => ({ leaseOwner: null, leaseUntil: 0, fence: eb('fence', '+', 1) }),
      ),

    async lock(claims) {
      const fences = new Map(claims.map(({ id, fence }) => [id, fence]));
      const rows = await collect([...fences.keys()], (some) => {
        const query = all().where('id', 'in', some).orderBy('id');
        return (dialect === 'postgres' ? query.forUpdate() : query).execute();
      });
      return rows.filter((row) => fences.get(row.id) === row.fence);
    },

    async save(links) {
      for (const some of inChunks(links, COLUMNS)) {
        await db
          .insertInto('links')
          .values(some.map((link) => toRow(link, JSON_COLUMNS)))
          .onConflict((conflict) =>
            conflict.column('id').doUpdateSet(({ ref }) => ({
              sfId: ref('excluded.sfId'),
              matchKey: ref('excluded.matchKey'),
              state: ref('excluded.state'),
              base: ref('excluded.base'),
              baseMod: ref('excluded.baseMod'),
              seenAt: ref('excluded.seenAt'),
              seenStamp: ref('excluded.seenStamp'),
              intents: ref('excluded.intents'),
              attemptedAt: ref('excluded.attemptedAt'),
              done: ref('excluded.done'),
              batch: ref('excluded.batch'),
              leaseOwner: ref('excluded.leaseOwner'),
              leaseUntil: ref('excluded.leaseUntil'),
              attempts: ref('excluded.attempts'),
              nextAt: ref('excluded.nextAt'),
              error: ref('excluded.error'),
              waitsFor: ref('excluded.waitsFor'),
            })),
          )
          .execute();
      }
    },

    async hand(claims, holder) {
      const handed: string[] = [];
      for (const some of inPieces(claims)) {
        const tuples = ({ tuple }: Builder) => some.map(({ id, fence }) => tuple(id, fence));
        const among: Among = (builder) =>
          builder.and([
            builder.eb(
              'id',
              'in',
              some.map(({ id }) => id),
            ),
            builder.eb(builder.refTuple('id', 'fence'), 'in', tuples(builder)),
            builder.eb('leaseUntil', '>', 0),
          ]);
        const rows = await db
          .updateTable('links')
          .set(({ eb }) => ({ leaseOwner: holder, leaseUntil: 1, fence: eb('fence', '+', 1) }))
          .where('id', 'in', inOrder(among))
          .returning('id')
          .execute();
        handed.push(...rows.map(({ id }) => id));
      }
      return handed;
    },

    renew: (claims, until) => updateClaims(claims, { leaseUntil: until }),
    release: (claims) => updateClaims(claims, { leaseUntil: 0, leaseOwner: null }),

    byLocal: (scope, object, localIds) => collect(localIds, (some) => localQuery(scope, object, some).execute()),

    lockLocal: (scope, object, localIds) =>
      collect(localIds, (some) => {
        const query = localQuery(scope, object, some).orderBy('id');
        return (dialect === 'postgres' ? query.forUpdate() : query).execute();
      }),

    bySf: ({ bot, orgId }, sfIds) =>
      collect(sfIds, (some) =>
        all().where('bot', '=', bot).where('orgId', '=', orgId).where('sfId', 'in', some).execute(),
      ),

    byMatchKey: ({ bot, orgId }, object, keys) =>
      collect(keys, (some) =>
        all()
          .where('bot', '=', bot)
          .where('orgId', '=', orgId)
          .where('object', '=', object)
          .where('matchKey', 'in', some)
          .execute(),
      ),

    touch: (ids, reason, isStale, now) =>
      updateIds(ids, ({ eb }) => ({
        dirty: eb('dirty', '+', 1),
        reason,
        nextAt: now,
        batch: null,
        ...(isStale ? { seenAt: 0, baseMod: null } : {}),
      })),

    forget: (among) =>
      updateWhile(
        both(isAmong(among), ({ eb }) => eb('seenAt', '>', 0)),
        ({ eb }) => ({ dirty: eb('dirty', '+', 1), seenAt: 0, baseMod: null }),
      ),

    disown: (ids) => updateIds(ids, { matchKey: null }),

    async rebase(id, base) {
      await db
        .updateTable('links')
        .set({ base: JSON.stringify(base) })
        .where('id', '=', id)
        .execute();
    },

    async flag(id, error) {
      await db
        .updateTable('links')
        .set({ error: JSON.stringify(error) })
        .where('id', '=', id)
        .execute();
    },

    async list(among, { state, localId, hasProblem, isWaiting, after, limit }) {
      let query = all().where(isAmong(among));
      if (state) query = query.where('state', '=', state);
      if (localId !== undefined) query = query.where('localId', '=', localId);
      if (hasProblem) query = query.where('error', 'is not', null);
      if (isWaiting) query = query.where('waitsFor', 'is not', null);
      if (after)
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('localId', 'id'), '>', tuple(after.localId, after.id)),
        );
      return (await query.orderBy('localId').orderBy('id').limit(limit).execute()).map(toLink);
    },

    ...createLinkCounts({ db, dialect }),

    async enlist(among, batch, only, after) {
      const next = db.selectFrom('links').select(['id', 'localId']).where(isAmong(among)).where('localId', '>', after);
      const piece = await next.orderBy('localId').limit(PIECE).execute();
      if (piece.length === 0) return undefined;
      const open: Among = ({ eb, and }) =>
        and([
          eb(
            'id',
            'in',
            piece.map(({ id }) => id),
          ),
          eb('batch', 'is', null),
          eb('state', '!=', 'unlinked'),
          ...(only === 'failed' ? [eb('error', 'is not', null)] : []),
        ]);
      const ids = (await inOrder(open).execute()).map(({ id }) => id);
      // Asked once the links are ours: a batch that is cancelled meanwhile gets no more of them.
      const run = db.selectFrom('batchRuns').select('id').where('id', '=', batch).where('state', '=', 'scheduled');
      if ((await (dialect === 'postgres' ? run.forShare() : run).executeTakeFirst()) === undefined) return undefined;
      if (ids.length > 0)
        await db.updateTable('links').set({ batch, nextAt: 0, reason: 'batch' }).where('id', 'in', ids).execute();
      return piece.at(-1)?.localId;
    },

    delist: (batch) => updateWhile(({ eb }) => eb('batch', '=', batch), { batch: null }),
  };
}

const isByHand: Among = ({ eb, or }) => or(Object.values(BY_HAND).map((begin) => eb('reason', 'like', `${begin}%`)));

function isDue(among: LinkSet, what: Due, now: number): Among {
  const open = isOpen(among, what);
  return what.due === 'ids' ? open : both(open, ({ eb }) => eb('nextAt', '<=', now));
}

/** Due, now or later. */
function isOpen(among: LinkSet, what: Due): Among {
  return (builder) => {
    const { eb, and } = builder;
    // It is of one bot and org. To name them too had SQLite go through all links of the object.
    if (what.due === 'batch') return and([isOf(among)(builder), eb('batch', '=', what.batch)]);
    const due = [isAmong(among)(builder)];
    if (what.due === 'ids') return and(due);
    due.push(eb('dirty', '>', eb.ref('done')), eb('batch', 'is', null));
    due.push(eb('kind', '!=', 'parent'), eb('state', '!=', 'unlinked'));
    return and(what.byHand ? [...due, isByHand(builder)] : due);
  };
}
