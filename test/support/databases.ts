import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { describe, it } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import type { Database } from '../../src/store/engines/database.ts';
import { openSqliteFile } from '../../src/store/engines/sqlite.ts';
import { createStore, type DatabaseTarget, openDatabase } from '../../src/store/open.ts';
import { copyOfPrepared, testFolder } from './prepared.ts';
import { isStock } from './stock-org.ts';

/** A database that nobody has used: a file in a new folder, or a schema of its own. It goes away with the test. */
export interface FreshDatabase extends AsyncDisposable {
  readonly database: Database;
  readonly store: Store;
  readonly target: DatabaseTarget;
}

export type OpenFresh = () => Promise<FreshDatabase>;

/** Where this project of vitest runs its suites: on one of the two, or on both. */
const on = process.env.GATEHOUSE_TEST_ON;

/** One suite on every database there is. PostgreSQL: DATABASE_URL, or the usual local one with a database `test`. */
export function describeStores(suite: (name: 'SQLite' | 'PostgreSQL', openFresh: OpenFresh) => void): void {
  describeOnce('on SQLite', () => suite('SQLite', async () => fresh(await migratedFile())));
  // What an org lacks has nothing to do with where we keep our rows.
  if (!isStock) describePostgres((makeSchema) => suite('PostgreSQL', async () => fresh(await makeSchema())));
}

/** What is beside such suites in their file, and says nothing about PostgreSQL. */
export function describeOnce(name: string, suite: () => void): void {
  if (on !== 'PostgreSQL') describe(name, suite);
}

/** A place for a database that is not opened yet, and how to be rid of it. */
export interface Place<T extends DatabaseTarget = DatabaseTarget> {
  readonly target: T;
  remove(): Promise<void>;
}

export async function freshFile(): Promise<Place<{ readonly file: string }>> {
  const folder = await mkdtemp(path.join(testFolder(), 'gatehouse-store-'));
  return {
    target: { file: path.join(folder, 'gatehouse.db') },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The same with its schema up to date. */
export async function migratedFile(): ReturnType<typeof freshFile> {
  const place = await freshFile();
  await copyOfPrepared('store', path.dirname(place.target.file), migrated);
  return place;
}

export type PostgresPlace = Place<{ readonly url: string; readonly schema: string }>;

export function describePostgres(suite: (makeSchema: () => Promise<PostgresPlace>) => void): void {
  if (on === 'SQLite') return;
  describe('on PostgreSQL', () => {
    if (typeof postgres === 'string') suite(() => freshSchema(postgres));
    else missing('postgres', postgres.reason);
  });
}

/** A skip that says why; a failure where the run must have it (GATEHOUSE_TEST_REQUIRE=postgres,redis). */
export function missing(
  what: 'postgres' | 'redis' | 'initdb' | 'redis-server' | 'other-user' | 'small-disk',
  reason: string,
): void {
  it(`finds ${what}`, ({ skip }) => {
    if ((process.env.GATEHOUSE_TEST_REQUIRE ?? '').split(',').includes(what)) throw new Error(reason);
    skip(reason);
  });
}

const postgres = await findPostgres();

async function findPostgres(): Promise<string | { readonly reason: string }> {
  const urls =
    process.env.DATABASE_URL === undefined
      ? ['postgres', 'root'].map((user) => `postgres://${user}@127.0.0.1:5432/test`)
      : [process.env.DATABASE_URL];
  let reason = '';
  for (const url of urls) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return url;
    } catch (error) {
      reason = `PostgreSQL does not answer (set DATABASE_URL): ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      await client.end().catch(() => {});
    }
  }
  return { reason };
}

async function freshSchema(url: string): Promise<PostgresPlace> {
  const schema = `gatehouse_test_${randomBytes(6).toString('hex')}`;
  const own = new URL(url);
  // No test cuts the power of this server: none waits for its disk.
  own.searchParams.set('options', `-c search_path=${schema} -c synchronous_commit=off`);
  return {
    target: { url: own.href, schema },
    async remove() {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      // Notices about what goes with it would only be noise.
      await client.query(`set client_min_messages = error; drop schema if exists ${schema} cascade`);
      await client.end();
    },
  };
}

/**
 * As somebody with the database file, and without our secret, would do it. By our own build of SQLite: this process has the
 * file open, and another build would drop its locks.
 */
export async function tamper({ folder }: { readonly folder: string }, statements: string): Promise<void> {
  const file = await openSqliteFile(path.join(folder, 'gatehouse.db'));
  for (const statement of statements.split(';')) if (statement.trim() !== '') await file.run(statement);
  await file.close();
}

const migrated = async (folder: string) => (await openDatabase({ file: path.join(folder, 'gatehouse.db') })).close();

async function fresh({ target, remove }: Place): Promise<FreshDatabase> {
  const database = await openDatabase(target);
  return {
    database,
    store: createStore(database),
    target,
    async [Symbol.asyncDispose]() {
      await database.close();
      await remove();
    },
  };
}
