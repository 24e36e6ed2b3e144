import { setImmediate as nextTurn } from 'node:timers/promises';
import { sha256 } from '../../domain/canonical-json.ts';
import type { AuditEntry, AuditRow, AuditStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';
import { toStorable } from '../engines/parameters.ts';
import { createAuditFinds } from './audit-find.ts';

/** Parameters of one statement are limited (32,766 on SQLite). */
const CHUNK = 1000;
/** Rows that share a commit. */
const TOGETHER = 50;

type Head = Pick<AuditRow, 'seq' | 'hash'>;

/** Where the chain ended when this process last wrote to it: a guess, which the database holds against what it has. */
export interface ChainEnd {
  guess?: Head;
}

export function createAuditStore(database: Database, end: ChainEnd = {}): AuditStore {
  const { kysely } = database;
  const together = appendTogether(database, end);
  return {
    async append(entry, hashOf) {
      // Refused now, alone: nothing of what shares its commit.
      for (const value of Object.values(entry)) toStorable(value);
      if (database.isOuter()) return together({ entry, hashOf });
      // One entry in, one row out.
      return (await appendAll(database, end, [{ entry, hashOf }]))[0] as AuditRow;
    },

    get: (seq) => kysely.selectFrom('audit').selectAll().where('seq', '=', seq).executeTakeFirst(),

    async head() {
      const head = await kysely.selectFrom('auditHead').select(['seq', 'hash']).executeTakeFirstOrThrow();
      return head.seq === 0 ? undefined : head;
    },

    page(after, limit) {
      const rows = kysely.selectFrom('audit').selectAll().orderBy('seq').limit(limit);
      return (after === undefined ? rows : rows.where('seq', '>', after)).execute();
    },

    ...createAuditFinds(database),

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

interface Appended {
  readonly entry: AuditEntry;
  readonly hashOf: (row: Omit<AuditRow, 'hash'>) => string;
}

/** Rows that are ready in one turn of the event loop share a transaction, and so a write to the disk. */
function appendTogether(database: Database, end: ChainEnd): (row: Appended) => Promise<AuditRow> {
  type Waiting = Appended & { resolve(row: AuditRow): void; reject(error: unknown): void };
  const waiting: Waiting[] = [];
  let isUnderWay = false;

  const writeAll = async () => {
    await nextTurn();
    while (waiting.length > 0) {
      const batch = waiting.splice(0, TOGETHER);
      try {
        const rows =
          (await appendAtOnce(database, end, batch)) ??
          (await database.transaction((inside) => appendAll(inside, end, batch)));
        for (const [at, row] of rows.entries()) batch[at]?.resolve(row);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isUnderWay = false;
  };

  return (row) =>
    new Promise((resolve, reject) => {
      waiting.push({ ...row, resolve, reject });
      if (isUnderWay) return;
      isUnderWay = true;
      void writeAll();
    });
}

/** PostgreSQL is far away, and takes both steps as one statement without a transaction around it; undefined where the guess was wrong. */
async function appendAtOnce(
  database: Database,
  end: ChainEnd,
  batch: readonly Appended[],
): Promise<readonly AuditRow[] | undefined> {
  if (database.dialect !== 'postgres' || end.guess === undefined) return undefined;
  return extend(database, end, end.guess, batch);
}

/** Within a transaction. The head row is the lock: whoever moves it holds it until the commit, on both databases. */
async function appendAll(inside: Database, end: ChainEnd, batch: readonly Appended[]): Promise<readonly AuditRow[]> {
  const guessed = end.guess === undefined ? undefined : await extend(inside, end, end.guess, batch);
  if (guessed !== undefined) return guessed;
  // Another process wrote meanwhile, or a transaction of ours came to nothing.
  const rows = await extend(inside, end, await lockedHead(inside), batch);
  if (rows === undefined) throw new Error('The head of the audit moved under its lock.');
  return rows;
}

/** Nothing, where the chain does not end at `from`. */
async function extend(
  { all, dialect }: Database,
  end: ChainEnd,
  from: Head,
  batch: readonly Appended[],
): Promise<readonly AuditRow[] | undefined> {
  const rows = chained(from, batch);
  const { seq, hash } = rows.at(-1) ?? from;
  const head = [seq, hash, from.seq, from.hash];
  const cells = rows.flatMap((row) => COLUMNS.map(([name]) => row[name]));
  if (dialect === 'postgres') {
    if ((await all(movedAndAdded(rows.length), [...head, ...cells])).length === 0) return undefined;
  } else {
    if ((await all(MOVE, head)).length === 0) return undefined;
    await all(added(rows.length), cells);
  }
  end.guess = { seq, hash };
  return rows;
}

/** By its type every column is here; what is bound in a list of values has no kind by itself. */
const KINDS: Readonly<Record<keyof AuditRow, 'bigint' | 'text'>> = {
  seq: 'bigint',
  at: 'bigint',
  bot: 'text',
  principal: 'text',
  channel: 'text',
  action: 'text',
  event: 'text',
  decision: 'text',
  assurance: 'text',
  proposal: 'text',
  digest: 'text',
  policyRevision: 'bigint',
  object: 'text',
  recordId: 'text',
  detail: 'text',
  sealed: 'text',
  sealedHash: 'text',
  previous: 'text',
  hash: 'text',
};
const COLUMNS = Object.entries(KINDS) as readonly (readonly [keyof AuditRow, string])[];

// Each call sends them: their text is made once, not built anew.
const MOVE = `update "auditHead" set seq = $1, hash = $2 where seq = $3 and hash = $4 returning seq`;
const NAMES = COLUMNS.map(([name]) => `"${name}"`).join(', ');

const added = kept((rows) => {
  const row = `(${COLUMNS.map(() => '$1').join(', ')})`;
  return `insert into audit (${NAMES}) values ${Array.from({ length: rows }, () => row).join(', ')}`;
});

const movedAndAdded = kept((rows) => {
  let bound = 4;
  const row = () => `(${COLUMNS.map(([, kind]) => `cast($${++bound} as ${kind})`).join(', ')})`;
  return `with moved as (${MOVE}) insert into audit (${NAMES})
    select added.* from moved, (values ${Array.from({ length: rows }, row).join(', ')}) as added returning seq`;
});

function kept(textOf: (rows: number) => string): (rows: number) => string {
  const texts = new Map<number, string>();
  return (rows) => {
    const text = texts.get(rows) ?? textOf(rows);
    texts.set(rows, text);
    return text;
  };
}

/** SQLite holds the only write lock from its begin. */
function lockedHead({ kysely, dialect }: Database): Promise<Head> {
  return kysely
    .selectFrom('auditHead')
    .select(['seq', 'hash'])
    .$if(dialect === 'postgres', (query) => query.forUpdate())
    .executeTakeFirstOrThrow();
}

function chained(from: Head, batch: readonly Appended[]): readonly AuditRow[] {
  let { seq, hash: previous } = from;
  return batch.map(({ entry, hashOf }) => {
    seq += 1;
    const unsealed = { ...entry, seq, previous, sealedHash: entry.sealed === null ? null : sha256(entry.sealed) };
    const row = { ...unsealed, hash: hashOf(unsealed) };
    previous = row.hash;
    return row;
  });
}
