import { sql } from 'kysely';
import { inTurns } from '../../domain/breath.ts';
import type { Link, Scope } from '../../domain/link.ts';
import type { Kind } from '../../domain/mapping.ts';
import type { HostRecord, HostStore } from '../../ports/sync-store.ts';
import { fromRow, inChunks, type SyncDatabase, type SyncTables, toRow } from './tables.ts';

const JSON_COLUMNS = ['fields', 'clocks', 'parties'] as const;

const toHost = (row: SyncTables['hostRecords']): HostRecord =>
  fromRow<HostRecord, (typeof JSON_COLUMNS)[number]>(row, JSON_COLUMNS);

/** A record may hold a hundred texts: so few are read or written at a time, as if each had so many columns. */
const LONG = 60;
const HOSTS_A_TURN = 20;

const PLACES = 64;

const placeOf = (id: string): number =>
  [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_536, 7) % PLACES;

export function createHostStore({ db, dialect }: SyncDatabase): HostStore {
  const all = (bot: string, kind: Kind) =>
    db.selectFrom('hostRecords').selectAll().where('bot', '=', bot).where('kind', '=', kind);

  /** Live records without a link to the object; a link in one of these states counts as none. */
  const linkless = ({ bot, orgId }: Scope, kind: Kind, object: string, asNone: readonly Link['state'][] = []) =>
    db
      .selectFrom('hostRecords as h')
      .where('h.bot', '=', bot)
      .where('h.kind', '=', kind)
      .where('h.deletedAt', 'is', null)
      .where(({ not, exists, selectFrom }) => {
        const links = selectFrom('links as l')
          .select('l.id')
          .where('l.bot', '=', bot)
          .where('l.orgId', '=', orgId)
          .where('l.object', '=', object)
          .whereRef('l.localId', '=', 'h.id');
        return not(exists(asNone.length === 0 ? links : links.where('l.state', 'not in', asNone)));
      });

  async function read(bot: string, kind: Kind, ids: readonly string[], isLocked: boolean): Promise<HostRecord[]> {
    const found: HostRecord[] = [];
    for (const some of inChunks(ids, LONG)) {
      const query = all(bot, kind).where('id', 'in', some);
      const rows = await (isLocked && dialect === 'postgres' ? query.orderBy('id').forUpdate() : query).execute();
      found.push(...(await inTurns(rows, HOSTS_A_TURN, toHost)));
    }
    return found;
  }

  /** Whom these cases name, to be found by the person; a case that is deleted names nobody. */
  async function nameParties(cases: readonly HostRecord[]): Promise<void> {
    for (const bot of new Set(cases.map((one) => one.bot))) {
      const own = cases.filter((one) => one.bot === bot);
      const ids = own.map(({ id }) => id);
      await db.deleteFrom('caseParties').where('bot', '=', bot).where('caseId', 'in', ids).execute();
      const named = own.flatMap(({ id, parties, deletedAt }) =>
        deletedAt === null ? parties.map(({ party }) => ({ bot, party, caseId: id })) : [],
      );
      for (const some of inChunks(named, 3))
        await db
          .insertInto('caseParties')
          .values(some)
          .onConflict((conflict) => conflict.doNothing())
          .execute();
    }
  }

  return {
    get: (bot, kind, ids) => read(bot, kind, ids, false),
    lock: (bot, kind, ids) => read(bot, kind, ids, true),

    async lockKeys(bot, kind, ids) {
      // SQLite has one writer at a time.
      if (dialect !== 'postgres' || ids.length === 0) return;
      // Few and in order: the server has room for some thousand such locks in all, and nobody waits in a circle.
      const places = [...new Set(ids.map(placeOf))].sort((a, b) => a - b).join();
      await sql`select pg_advisory_xact_lock(hashtext(${`${bot}/${kind}`}), place)
        from unnest(string_to_array(${places}, ',')::int[]) as place`.execute(db);
    },

    async put(records) {
      for (const some of inChunks(records, LONG)) {
        await db
          .insertInto('hostRecords')
          .values(some.map((record) => toRow(record, JSON_COLUMNS)))
          .onConflict((conflict) =>
            conflict.columns(['bot', 'kind', 'id']).doUpdateSet(({ ref }) => ({
              fields: ref('excluded.fields'),
              clocks: ref('excluded.clocks'),
              parties: ref('excluded.parties'),
              version: ref('excluded.version'),
              changedAt: ref('excluded.changedAt'),
              deletedAt: ref('excluded.deletedAt'),
            })),
          )
          .execute();
        await nameParties(some.filter(({ kind }) => kind === 'case'));
      }
    },

    async page(bot, kind, after, limit) {
      const rows = await all(bot, kind).where('id', '>', after).orderBy('id').limit(limit).execute();
      return inTurns(rows, HOSTS_A_TURN, toHost);
    },

    async newest(bot, kind, limit) {
      const rows = await all(bot, kind)
        .where('deletedAt', 'is', null)
        .orderBy('changedAt', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute();
      return inTurns(rows, HOSTS_A_TURN, toHost);
    },

    async search(bot, kind, words, limit) {
      const like = `%${JSON.stringify(words.toLowerCase())
        .slice(1, -1)
        .replace(/[\\%_]/g, '\\$&')}%`;
      const rows = await all(bot, kind)
        .where('deletedAt', 'is', null)
        .where(sql<boolean>`(lower("id") like ${like} escape '\\' or lower("fields") like ${like} escape '\\')`)
        .orderBy('changedAt', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute();
      return inTurns(rows, HOSTS_A_TURN, toHost);
    },

    async unsynced(scope, kind, object) {
      const row = await linkless(scope, kind, object, ['new'])
        .select(({ fn }) => [fn.countAll<number>().as('count'), fn.min<string | null>('h.id').as('first')])
        .executeTakeFirstOrThrow();
      return { count: Number(row.count), first: row.first };
    },

    async casesOf(bot, parties) {
      const found = new Set<string>();
      for (const some of inChunks(parties)) {
        const named = db.selectFrom('caseParties').select('caseId').distinct().where('bot', '=', bot);
        for (const { caseId } of await named.where('party', 'in', some).execute()) found.add(caseId);
      }
      return [...found];
    },

    async unlinked(scope, kind, object, after, limit) {
      const rows = await linkless(scope, kind, object)
        .selectAll('h')
        .where('h.id', '>', after)
        .orderBy('h.id')
        .limit(limit)
        .execute();
      return inTurns(rows, HOSTS_A_TURN, toHost);
    },
  };
}
