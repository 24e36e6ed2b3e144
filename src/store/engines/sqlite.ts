import { access, chmod, constants, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';
import { GatehouseError } from '../../domain/errors.ts';
import type { Storable } from './parameters.ts';
import { statements } from './statements.ts';
import { storeUnavailable } from './unavailable.ts';

/** One SQLite file, as promises. Nothing here ever deletes or replaces a file. */
export interface SqliteFile {
  /** Rows of a statement. */
  all<R>(sql: string, parameters?: readonly Storable[], way?: Way): Promise<R[]>;
  /** How many rows a statement without rows changed. */
  run(sql: string, parameters?: readonly Storable[], way?: Way): Promise<number>;
  /** The lock to write, and every statement until `end`; what `way` says counts for its commit. */
  begin(way?: Way): Promise<void>;
  end(how: 'commit' | 'rollback'): Promise<void>;
  /** Rows as they are committed, on a second connection: also while the first waits for the write lock, or has a transaction open. */
  read<R>(sql: string, parameters?: readonly Storable[], way?: Way): Promise<R[]>;
  close(): Promise<void>;
}

export interface Way {
  /** Whether a write, or the transaction that it begins, is on the disk when it is answered, as by default, or only with the next one that is. */
  readonly isSynced: boolean;
  /** When whoever waits for it asked, in steady time: what they waited in line counts. Left out: now. */
  readonly askedAt?: number;
}

const SYNCED: Way = { isSynced: true };

/**
 * How long SQLite itself waits for a lock: hardly, because the whole process stands still while it does. Then we let everything
 * else go on and ask again.
 */
const BUSY_TIMEOUT_MS = 2;
/** For a lock; as long as for an answer of PostgreSQL. */
const LOCK_TIMEOUT_MS = 12_000;
/** For one that somebody waited for in vain, until it was got again: else a call would wait anew at each of its statements. */
const STUCK_TIMEOUT_MS = 2_000;
/** Statements run in the turn of whoever asks. After this long in one turn the next waits for the following one. */
const TURN_MS = 10;
/** Kept prepared: every statement of ours has one text, but those with lists of ids. */
const PREPARED = 300;

/** Opens the file, makes it (and its folder, for this account alone) where it is missing, and sets it up for several processes. */
export async function openSqliteFile(file: string): Promise<SqliteFile> {
  const first = await openPrivately(file, connect);
  let second: Promise<Connection> | undefined;
  const reads = new Set<Promise<unknown>>();
  return {
    all: first.all,
    run: first.run,
    begin: first.begin,
    end: first.end,
    async read<R>(sql: string, parameters?: readonly Storable[], way?: Way) {
      second ??= connect(file).then(onlyReading);
      const read = second.then((connection) => connection.all<R>(sql, parameters, way));
      reads.add(read);
      return read.finally(() => reads.delete(read));
    },
    async close() {
      await Promise.allSettled(reads);
      await (await second)?.close();
      await first.close();
    },
  };
}

type Connection = Omit<SqliteFile, 'read'>;

async function onlyReading(connection: Connection): Promise<Connection> {
  await connection.all('pragma query_only = on');
  return connection;
}

/** The same with the build of whoever gives `open`. */
export async function openPrivately<T extends Pick<SqliteFile, 'all' | 'close'>>(
  file: string,
  open: (file: string) => Promise<T>,
): Promise<T> {
  const isNew = await isMissing(file).catch((error: unknown) => {
    throw unusable(file, error) ?? error;
  });
  const connection = await open(file);
  try {
    // Without it SQLite keeps the umask's rights; the WAL beside it copies those of the file.
    if (isNew) await chmod(file, 0o600);
    await setUp(connection);
  } catch (error) {
    await connection.close().catch(() => {});
    throw error;
  }
  return connection;
}

/** Whether the file is still to be made. Nothing here opens it: closing it again would drop the locks of this process. */
async function isMissing(file: string): Promise<boolean> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  // The WAL and its index are made beside the file.
  await access(path.dirname(file), constants.W_OK);
  try {
    await access(file, constants.R_OK | constants.W_OK);
    return false;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    throw error;
  }
}

async function connect(file: string): Promise<Connection> {
  const handle = openHandle(file);
  const prepared = new Map<string, StatementSyncInstance>();
  const pass = createTurns();

  const prepare = (sql: string): StatementSyncInstance => {
    const kept = prepared.get(sql);
    const statement = kept ?? handle.prepare(sql.replace(/\$\d+/g, '?'));
    // Last used, last out; and none outlives the tables that it was made for.
    prepared.delete(sql);
    if (/^(create|alter|drop)/i.test(sql)) prepared.clear();
    else prepared.set(sql, statement);
    const [oldest] = prepared.keys();
    if (oldest !== undefined && prepared.size > PREPARED) prepared.delete(oldest);
    return statement;
  };
  const set = (pragma: string) => {
    statements.publish(pragma);
    handle.exec(pragma);
  };
  const wait = createPatience(file);
  let isLater = false;
  /** Refused within a transaction, so it stands around the whole of one. */
  const syncLater = (isWanted: boolean) => {
    if (isWanted !== isLater) set(isWanted ? SYNC_LATER : SYNC);
    isLater = isWanted;
  };
  const ask = <T>(sql: string, askedAt: number | undefined, answer: () => T) =>
    wait(
      sql,
      async () => {
        await pass();
        return answer();
      },
      askedAt,
    );
  const tell = <T>(sql: string, run: (statement: StatementSyncInstance) => T): T => {
    statements.publish(sql);
    return run(prepare(sql));
  };
  /** One turn, so that no other statement of this connection comes between. */
  const write = <T>(sql: string, { isSynced, askedAt }: Way, run: (statement: StatementSyncInstance) => T) =>
    ask(sql, askedAt, () => {
      if (isSynced) return tell(sql, run);
      syncLater(true);
      try {
        return tell(sql, run);
      } finally {
        syncLater(false);
      }
    });
  return {
    all: <R>(sql: string, parameters: readonly Storable[] = [], way = SYNCED) =>
      // Rows have the columns that the statement names.
      write(sql, way, (statement) => statement.all(...parameters.map(toBound)) as R[]),
    run: (sql, parameters = [], way = SYNCED) =>
      write(sql, way, (statement) => Number(statement.run(...parameters.map(toBound)).changes)),
    begin: ({ isSynced, askedAt } = SYNCED) =>
      ask(BEGIN, askedAt, () => {
        syncLater(!isSynced);
        try {
          tell(BEGIN, (statement) => statement.run());
        } catch (error) {
          // Somebody else has the lock: whatever comes before the next try waits for the disk.
          syncLater(false);
          throw error;
        }
      }),
    end: (how) =>
      ask(how, undefined, () => {
        // A commit that failed leaves the transaction to the rollback.
        let isOver = how === 'rollback';
        try {
          tell(how, (statement) => statement.run());
          isOver = true;
        } finally {
          if (isOver) syncLater(false);
        }
      }),
    close: () =>
      ask('close', undefined, () => {
        try {
          // The package leaves a connection half open until its statements are collected: what was written is in the file now.
          if (ownBuild() === undefined) handle.exec('pragma wal_checkpoint');
        } finally {
          handle.close();
        }
      }),
  };
}

const BEGIN = 'begin immediate';
const NEEDS_NO_LOCK = /^\s*(select|pragma)\b/i;

/** Waits while another connection holds the lock. A busy statement has done nothing. */
export function createPatience(file: string) {
  let isStuck = false;
  return async <T>(sql: string, ask: () => Promise<T>, askedAt = performance.now()): Promise<T> => {
    // The line that moves is no lock that is held: who waited in it has the whole time still.
    const from = isStuck ? askedAt : performance.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await ask();
        if (!NEEDS_NO_LOCK.test(sql)) isStuck = false;
        return answer;
      } catch (error) {
        const isBusy = codeOf(error) === 'SQLITE_BUSY';
        const isLate = performance.now() - from >= (isStuck ? STUCK_TIMEOUT_MS : LOCK_TIMEOUT_MS);
        if (isBusy && isLate) isStuck = true;
        if (!isBusy || isLate) throw refusedBy(file, sql, error);
        // Chance decides who is next: SQLite's own waiting is not fair.
        await sleep(Math.random() * Math.min(50, 4 * attempt));
      }
    }
  };
}

function openHandle(file: string): DatabaseSyncInstance {
  const { DatabaseSync } = loadBuild();
  try {
    const handle = new DatabaseSync(file);
    handle.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return handle;
  } catch (error) {
    throw unusable(file, error) ?? error;
  }
}

type Build = Pick<typeof import('@photostructure/sqlite'), 'DatabaseSync'>;

/**
 * Node's own SQLite, or before 22.13 the same API from a package. A file is opened by one build alone in one process: when
 * either closes it, the locks of both fall (https://www.sqlite.org/howtocorrupt.html, 2.2.1). That of the tokens is keyv's.
 */
function loadBuild(): Build {
  // As CommonJS it loads in half the time (F1).
  return ownBuild() ?? (createRequire(import.meta.url)('@photostructure/sqlite') as Build);
}

/** Node tells on stderr that it is experimental; our tests on each Node hold what we use of it. */
function ownBuild(): Build | undefined {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:sqlite') as Build | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Whole numbers as such: one of the two builds binds them as fractions, which text and comparisons tell apart. */
function toBound(value: Storable): Storable | bigint {
  return Number.isInteger(value) ? BigInt(value as number) : value;
}

/** Lets timers, sockets and signals have their turn while one statement follows another. */
function createTurns(): () => Promise<void> | undefined {
  let since: number | undefined;
  return () => {
    if (since === undefined) {
      since = performance.now();
      setImmediate(() => {
        since = undefined;
      });
    }
    return performance.now() - since > TURN_MS ? nextTurn() : undefined;
  };
}

/** Full and read-only pass without a restart; a damaged file does not. */
function refusedBy(file: string, sql: string, error: unknown): Error {
  const why = unusable(file, error) ?? new SqliteError(sql, error);
  if (codeOf(error) === 'SQLITE_BUSY') return storeUnavailable('does not answer', why);
  return /^SQLITE_(FULL|READONLY|IOERR|CANTOPEN|PERM)$/.test(codeOf(error))
    ? storeUnavailable('takes no writes', why)
    : why;
}

/** The log is written to the disk by the next commit that is, and before the database itself is. https://www.sqlite.org/pragma.html#pragma_synchronous */
const SYNC_LATER = 'pragma synchronous = normal';
const SYNC = 'pragma synchronous = full';

async function setUp(connection: Pick<SqliteFile, 'all'>): Promise<void> {
  // FULL is SQLite's default, said here because a rotated refresh token and an `executing` mark must survive power loss.
  await connection.all(SYNC);
  await connection.all('pragma foreign_keys = on');
  const [before] = await connection.all<{ journal_mode: string }>('pragma journal_mode');
  // It stays in the file. On a fresh one it is busy at once, whatever the timeout, while another process does the same.
  if (before?.journal_mode !== 'wal') await connection.all('pragma journal_mode = wal');
}

/** A refused statement. Its values are bound, so the text holds none. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  readonly code: string;

  constructor(sql: string, cause: unknown) {
    super(`SQLite refused a statement: ${cause instanceof Error ? cause.message : String(cause)} (${sql})`, { cause });
    this.code = codeOf(cause);
  }
}

/** What is wrong with a file that cannot be used at all, by the code of SQLite or of the file system. */
const UNUSABLE: Readonly<Record<string, { problem: string; next: (file: string) => string }>> = {
  SQLITE_NOTADB: {
    problem: 'is not a SQLite database',
    next: (file) => `Move ${file} elsewhere, or set GATEHOUSE_DATA to another folder. Nothing was changed.`,
  },
  SQLITE_CORRUPT: {
    problem: 'is damaged',
    next: (file) => `Stop every Gatehouse process, keep a copy of ${file}, and put a backup in its place.`,
  },
  SQLITE_IOERR: {
    problem: 'cannot be read or written: its disk is full, or broken',
    next: (file) => `See that the disk of ${path.dirname(file)} has room and is well, then start again.`,
  },
  SQLITE_FULL: { problem: 'cannot grow: the disk is full', next: () => 'Free some space, then start again.' },
  ...Object.fromEntries(
    [
      ['SQLITE_CANTOPEN', 'cannot be opened'],
      ['SQLITE_READONLY', 'cannot be written'],
      ['SQLITE_PERM', 'cannot be opened'],
      ['EACCES', 'cannot be written'],
      ['EPERM', 'cannot be written'],
      ['EROFS', 'lies on a read-only disk'],
      ['ENOTDIR', 'lies under something that is not a folder'],
      ['EEXIST', 'lies under something that is not a folder'],
      ['ENOENT', 'lies in a folder that cannot be made'],
    ].map(([code, problem]) => [
      code,
      {
        problem,
        next: (file: string) =>
          `Let the account that runs Gatehouse write to ${path.dirname(file)}, or set GATEHOUSE_DATA to another folder.`,
      },
    ]),
  ),
};

/** Undefined for what is no fault of the file. */
export function unusable(file: string, error: unknown): GatehouseError | undefined {
  const known = UNUSABLE[codeOf(error)];
  if (known === undefined) return undefined;
  return new GatehouseError('config_invalid', `The database ${file} ${known.problem}.`, {
    next: known.next(file),
    cause: error,
  });
}

/** The low byte of a result code is its kind, and its words are always the same. https://www.sqlite.org/rescode.html */
const KINDS: readonly (readonly [kind: number, name: string, words: string])[] = [
  [3, 'SQLITE_PERM', 'access permission denied'],
  [5, 'SQLITE_BUSY', 'database is locked'],
  [8, 'SQLITE_READONLY', 'attempt to write a readonly database'],
  [10, 'SQLITE_IOERR', 'disk I/O error'],
  [11, 'SQLITE_CORRUPT', 'database disk image is malformed'],
  [13, 'SQLITE_FULL', 'database or disk is full'],
  [14, 'SQLITE_CANTOPEN', 'unable to open database file'],
  [19, 'SQLITE_CONSTRAINT', 'constraint failed'],
  [26, 'SQLITE_NOTADB', 'file is not a database'],
];

/** `SQLITE_...`, whichever build refused, or the code of the file system. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  if (error.code !== 'ERR_SQLITE_ERROR') return String(error.code);
  // The package tells no number where a statement that answers rows fails.
  const told = 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
  const known = KINDS.find(([kind, , words]) => (told === undefined ? error.message.includes(words) : told === kind));
  return known?.[1] ?? 'SQLITE_ERROR';
}
