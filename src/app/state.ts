import type { Cipher } from '../ports/cipher.ts';
import type { Store } from '../ports/store.ts';
import { deferred, lazily } from '../runtime/lazy.ts';
import type { Database } from '../store/engines/database.ts';
import { toStorable } from '../store/engines/parameters.ts';
import type { SqliteFile } from '../store/engines/sqlite.ts';
import { createFirstReads } from '../store/first-reads.ts';
import type { DatabaseTarget } from '../store/open.ts';
import { SCHEMA_VERSION } from '../store/schema-version.ts';

/** The state as a start meets it: first reads go to the SQLite file itself, the first use of anything else loads Kysely and the tables (F1). */
export interface State {
  readonly store: Store;
  readonly database: () => Promise<Database>;
}

export async function openState(target: DatabaseTarget, secrets: Cipher): Promise<State> {
  // Only who asks for SQLite pays for its driver. PostgreSQL is far away: a start there waits for more than Kysely.
  const file =
    'file' in target ? await (await import('../store/engines/sqlite.ts')).openSqliteFile(target.file) : undefined;
  if (file !== undefined && (await isCurrent(file))) return openLate(file, secrets);
  const { createStore, openDatabase, openOn, upToDate } = await import('../store/open.ts');
  const database = await (file === undefined ? openDatabase(target) : upToDate(openOn(file)));
  return { store: createStore(database, secrets), database: async () => database };
}

/** The same on a database that is open already; whoever opened it closes it. */
export async function stateOn(database: Database, secrets: Cipher): Promise<State> {
  const { createStore } = await import('../store/open.ts');
  return { store: { ...createStore(database, secrets), close: async () => {} }, database: async () => database };
}

/** What is wrong with a file is told by whoever brings it up to date. */
async function isCurrent(file: SqliteFile): Promise<boolean> {
  const [found] = await file.all<{ user_version: number }>('pragma user_version').catch(() => []);
  return found?.user_version === SCHEMA_VERSION;
}

function openLate(file: SqliteFile, secrets: Cipher): State {
  let reading: Promise<unknown> = Promise.resolve();
  const whole = lazily(async () => {
    const { createStore, openOn } = await import('../store/open.ts');
    // All share one connection: a read still under way would see what a transaction has not committed.
    await reading;
    const database = openOn(file);
    return { database, store: createStore(database, secrets) };
  });
  const first = createFirstReads(async <R>(sql: string, bound: readonly unknown[]) => {
    if (whole.isMade()) return (await whole.get()).database.all<R>(sql, bound);
    const rows = file.all<R>(sql, bound.map(toStorable));
    reading = Promise.allSettled([reading, rows]);
    return rows;
  }, secrets);
  const room = async <K extends keyof Store>(name: K) => (await whole.get()).store[name];
  const store: Store = {
    bots: deferred<Store['bots'], 'get' | 'list'>(() => room('bots'), first.bots),
    keys: deferred<Store['keys'], 'byHash'>(() => room('keys'), first.keys),
    operators: deferred<Store['operators']>(() => room('operators')),
    connections: deferred<Store['connections'], 'get' | 'list'>(() => room('connections'), first.connections),
    proposals: deferred<Store['proposals']>(() => room('proposals')),
    audit: deferred<Store['audit']>(() => room('audit')),
    counters: deferred<Store['counters']>(() => room('counters')),
    conversations: deferred<Store['conversations']>(() => room('conversations')),
    mcpSessions: deferred<Store['mcpSessions']>(() => room('mcpSessions')),
    identity: deferred<Store['identity']>(() => room('identity')),
    deployments: deferred<Store['deployments']>(() => room('deployments')),
    roles: deferred<Store['roles']>(() => room('roles')),
    values: deferred<Store['values'], 'get'>(() => room('values'), first.values),
    proveWritable: async () => (await whole.get()).store.proveWritable(),
    clearPast: async (times) => (await whole.get()).store.clearPast(times),
    atomically: async (...asked) => (await whole.get()).store.atomically(...asked),
    close: async () => (whole.isMade() ? (await whole.get()).store.close() : file.close()),
  };
  return { store, database: async () => (await whole.get()).database };
}
