/**
 * What makes several processes one org: every step runs inside one immediate SQLite transaction that first reads what the
 * others wrote, then does its work in memory, then writes the entries that changed. Without a file it is a plain queue.
 */
import { open } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Database } from 'sqlite3';
import type { Org } from './org.ts';

export interface Journal {
  /** Runs one step; a thrown error takes back all it did. Steps of one process run one after another. */
  step<T>(work: () => T): Promise<T>;
  close(): Promise<void>;
}

export async function openJournal(org: Org, file: string | undefined, begin: () => void): Promise<Journal> {
  const journal = file === undefined ? memoryJournal(org) : await fileJournal(org, file);
  await journal.step(() => {
    if (org.fact('counter', 'epoch') === undefined) begin();
  });
  return journal;
}

function memoryJournal(org: Org): Journal {
  return {
    async step(work) {
      const result = attempt(org, work);
      org.takeChanges();
      return result;
    },
    async close() {},
  };
}

async function fileJournal(org: Org, file: string): Promise<Journal> {
  const db = await openDatabase(file);
  let seen = 0;
  let last: Promise<unknown> = Promise.resolve();

  async function catchUp(): Promise<void> {
    const rows = await all(db, 'select seq, kind, id, json from entry where seq > ? order by seq', [seen]);
    // A new epoch deleted every entry before it: start afresh.
    if (rows.some((row) => row.kind === 'counter' && row.id === 'epoch')) {
      org.clear();
      org.takeChanges();
    }
    for (const { seq, kind, id, json } of rows) {
      seen = Number(seq);
      org.apply({ kind: String(kind), id: String(id), value: json === null ? undefined : JSON.parse(String(json)) });
    }
  }

  async function save(): Promise<void> {
    const { isCleared, entries } = org.takeChanges();
    if (isCleared) await run(db, 'delete from entry');
    // One bound value for many rows.
    for (let at = 0; at < entries.length; at += rowsPerStatement) {
      const lines = entries
        .slice(at, at + rowsPerStatement)
        .map(({ kind, id, value }) => [++seen, kind, id, value === undefined ? null : JSON.stringify(value)]);
      await run(db, SAVE, [JSON.stringify(lines)]);
    }
  }

  async function step<T>(work: () => T): Promise<T> {
    await run(db, 'begin immediate');
    let isAhead = false;
    try {
      await catchUp();
      const result = attempt(org, work);
      isAhead = true;
      await save();
      await run(db, 'commit');
      return result;
    } catch (error) {
      await run(db, 'rollback').catch(() => {});
      // Memory holds what the file refused: read all of it again before the next step.
      if (isAhead) {
        seen = 0;
        org.clear();
        org.takeChanges();
      }
      throw error;
    }
  }

  return {
    step(work) {
      const next = last.then(() => step(work));
      last = next.catch(() => {});
      return next;
    },
    async close() {
      await last;
      await new Promise<void>((done) => db.close(() => done()));
    },
  };
}

function attempt<T>(org: Org, work: () => T): T {
  const mark = org.mark();
  try {
    return work();
  } catch (error) {
    org.rollback(mark);
    throw error;
  }
}

const SCHEMA = `create table if not exists entry (
  kind text not null, id text not null, seq integer not null unique, json text, primary key (kind, id)) without rowid`;

const rowsPerStatement = 5000;

const SAVE = `insert into entry (seq, kind, id, json)
  select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?) where true
  on conflict (kind, id) do update set seq = excluded.seq, json = excluded.json`;

async function openDatabase(file: string): Promise<Database> {
  const sqlite3 = await import('sqlite3');
  // Made here for this account alone: SQLite would give it the umask's rights; the WAL beside it copies those of the file.
  // One that is there is not opened: closing it again would drop the locks of another org of this process.
  await open(file, 'ax', 0o600)
    .then((made) => made.close())
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  const db = await new Promise<Database>((resolve, reject) => {
    const opened = new sqlite3.Database(file, (error) => (error ? reject(error) : resolve(opened)));
  });
  db.configure('busyTimeout', 10_000);
  await patiently(async () => {
    const [mode] = await all(db, 'pragma journal_mode');
    if (mode?.journal_mode !== 'wal') await run(db, 'pragma journal_mode = wal');
  });
  // A killed process loses nothing in this mode; only a power cut may lose the last moments of a toy company.
  await run(db, 'pragma synchronous = normal');
  await patiently(() => run(db, SCHEMA));
  return db;
}

/** The switch to WAL on a fresh file answers BUSY at once when processes race, whatever the busy timeout. */
async function patiently(action: () => Promise<unknown>): Promise<void> {
  for (let attempts = 0; ; attempts++) {
    try {
      await action();
      return;
    } catch (error) {
      if (attempts === 50 || !(error instanceof Error) || !error.message.includes('SQLITE_BUSY')) throw error;
      await wait(5 + Math.random() * 20);
    }
  }
}

function run(db: Database, sql: string, parameters: readonly (string | number)[] = []): Promise<void> {
  return new Promise((resolve, reject) => {
    db.run(sql, parameters, (error) => (error ? reject(new Error(error.message, { cause: error })) : resolve()));
  });
}

type Cells = Record<string, string | number | null>;

function all(db: Database, sql: string, parameters: readonly (string | number)[] = []): Promise<Cells[]> {
  return new Promise((resolve, reject) => {
    db.all<Cells>(sql, parameters, (error, rows) =>
      error ? reject(new Error(error.message, { cause: error })) : resolve(rows),
    );
  });
}
