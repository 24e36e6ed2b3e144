import { access, chmod, constants, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Database as Handle } from 'sqlite3';
import { GatehouseError } from '../../domain/errors.ts';
import { storeUnavailable } from './unavailable.ts';

/** One connection to one SQLite file, as promises. Nothing here ever deletes or replaces a file. */
export interface SqliteFile {
  /** Rows of a statement. */
  all<R>(sql: string, parameters?: readonly unknown[]): Promise<R[]>;
  /** How many rows a statement without rows changed. */
  run(sql: string, parameters?: readonly unknown[]): Promise<number>;
  close(): Promise<void>;
}

/**
 * How long SQLite itself waits for a lock: shortly, because it keeps one of the few threads of the pool while it does, and
 * whoever holds the lock may need that thread to go on. Then we wait and ask again, for about 12 seconds.
 */
const BUSY_TIMEOUT_MS = 10;
const ATTEMPTS = 400;

/** Opens the file, makes it (and its folder, for this account alone) where it is missing, and sets it up for several processes. */
export async function openSqliteFile(file: string): Promise<SqliteFile> {
  const isNew = await prepare(file).catch((error: unknown) => {
    throw unusable(file, error) ?? error;
  });
  const connection = await connect(file);
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

async function prepare(file: string): Promise<boolean> {
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

async function connect(file: string): Promise<SqliteFile> {
  const handle = await new Promise<Handle>((resolve, reject) => {
    const opening = new Handle(file, (error) => (error === null ? resolve(opening) : reject(error)));
  }).catch((error: unknown) => {
    throw unusable(file, error) ?? error;
  });
  handle.configure('busyTimeout', BUSY_TIMEOUT_MS);

  const ask = async <T>(sql: string, send: (done: (error: Error | null, answer: T) => void) => void): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await new Promise<T>((resolve, reject) =>
          send((error, answer) => (error === null ? resolve(answer) : reject(error))),
        );
      } catch (error) {
        // A busy statement has done nothing. Chance decides who is next: SQLite's own waiting is not fair.
        if (codeOf(error) !== 'SQLITE_BUSY' || attempt === ATTEMPTS) throw refusedBy(file, sql, error);
        await sleep(Math.random() * 50);
      }
    }
  };
  return {
    all: (sql, parameters = []) => ask(sql, (done) => handle.all(sql, parameters, done)),
    run: (sql, parameters = []) =>
      ask(sql, (done) =>
        handle.run(sql, parameters, function (error) {
          done(error, this?.changes ?? 0);
        }),
      ),
    close: () => ask('close', (done) => handle.close((error) => done(error, undefined))),
  };
}

/** Full and read-only pass without a restart; a damaged file does not. */
function refusedBy(file: string, sql: string, error: unknown): Error {
  const why = unusable(file, error) ?? new SqliteError(sql, error);
  return /^SQLITE_(FULL|READONLY|IOERR|CANTOPEN|PERM)$/.test(codeOf(error))
    ? storeUnavailable('takes no writes', why)
    : why;
}

async function setUp(connection: SqliteFile): Promise<void> {
  // FULL is SQLite's default, said here because a rotated refresh token and an `executing` mark must survive power loss.
  await connection.all('pragma synchronous = full');
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

function unusable(file: string, error: unknown): GatehouseError | undefined {
  const known = UNUSABLE[codeOf(error)];
  if (known === undefined) return undefined;
  return new GatehouseError('config_invalid', `The database ${file} ${known.problem}.`, {
    next: known.next(file),
    cause: error,
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
