import { Kysely } from 'kysely';
import { GatehouseError } from '../domain/errors.ts';
import type { Cipher } from '../ports/cipher.ts';
import type { Store } from '../ports/store.ts';
import { createDatabase, type Database } from './engines/database.ts';
import type { SqliteFile } from './engines/sqlite.ts';
import { SqliteDialect } from './engines/sqlite-dialect.ts';
import { TransactionScope } from './engines/transaction-scope.ts';
import { migrate } from './migrate.ts';
import { type ChainEnd, createAuditStore } from './tables/audit.ts';
import { createBotStore } from './tables/bots.ts';
import { createConnectionStore } from './tables/connections.ts';
import { createConversationStore } from './tables/conversations.ts';
import { createCounterStore } from './tables/counters.ts';
import { createIdentityStore } from './tables/identity.ts';
import { createKeyStore } from './tables/keys.ts';
import { createMcpSessionStore } from './tables/mcp-sessions.ts';
import { createOperatorStore } from './tables/operators.ts';
import { createDeploymentStore } from './tables/org-deployments.ts';
import { createProposalStore } from './tables/proposals.ts';
import { createRoleStore } from './tables/roles.ts';
import type { Tables } from './tables/tables.ts';
import { createValueStore } from './tables/values.ts';

/** Where the state lives: one SQLite file, or a PostgreSQL database (all of ours in `schema`, where given). */
export type DatabaseTarget = { readonly file: string } | { readonly url: string; readonly schema?: string };

/** Opens the database with its schema up to date. Any number of processes may do it at once. */
export async function openDatabase(target: DatabaseTarget): Promise<Database> {
  return upToDate(await connect(target), 'url' in target ? target.schema : undefined);
}

/** The same database with its schema up to date; closed where that cannot be. */
export async function upToDate(database: Database, schema?: string): Promise<Database> {
  try {
    await migrate(database, schema);
    return database;
  } catch (error) {
    await database.close();
    // At a start nothing goes on by itself: what the file lacks is the message.
    throw error instanceof GatehouseError && error.cause instanceof GatehouseError ? error.cause : error;
  }
}

export async function openStore(target: DatabaseTarget, secrets?: Cipher): Promise<Store> {
  return createStore(await openDatabase(target), secrets);
}

/** The store on an open database; also inside a transaction, with the database that the transaction gives. `secrets` seals what visitors sent, and what kind of org a connection leads to. */
export function createStore(database: Database, secrets?: Cipher, chainEnd: ChainEnd = {}): Store {
  return {
    bots: createBotStore(database),
    keys: createKeyStore(database),
    operators: createOperatorStore(database),
    connections: createConnectionStore(database, secrets),
    proposals: createProposalStore(database, secrets),
    audit: createAuditStore(database, chainEnd),
    counters: createCounterStore(database),
    conversations: createConversationStore(database),
    mcpSessions: createMcpSessionStore(database),
    identity: createIdentityStore(database),
    deployments: createDeploymentStore(database),
    roles: createRoleStore(database),
    values: createValueStore(database),
    proveWritable: () => proveWritable(database),
    // Off the way of a start.
    clearPast: async (times) => (await import('./kept.ts')).clearPast(database, times),
    atomically: (work, isSynced) =>
      database.transaction((inside) => work(createStore(inside, secrets, chainEnd)), isSynced),
    close: () => database.close(),
  };
}

/** More than the free rest of a page or two: a disk that is full must not pass. */
const PROOF = 'x'.repeat(16_384);

async function proveWritable({ kysely }: Database): Promise<void> {
  const proof = { kind: 'proof', key: '' };
  const row = { ...proof, value: PROOF, expiresAt: 0 };
  await kysely
    .insertInto('keptValues')
    .values(row)
    .onConflict((conflict) => conflict.columns(['kind', 'key']).doUpdateSet(row))
    .execute();
  await kysely.deleteFrom('keptValues').where('kind', '=', proof.kind).where('key', '=', proof.key).execute();
}

async function connect(target: DatabaseTarget): Promise<Database> {
  // Each loads its own driver: a process pays for one of them.
  if ('file' in target) {
    const { openSqliteFile } = await import('./engines/sqlite.ts');
    return openOn(await openSqliteFile(target.file));
  }
  const scope = new TransactionScope();
  const { openPostgres } = await import('./engines/postgres.ts');
  const dialect = await openPostgres(target.url, target.schema, scope);
  return createDatabase(new Kysely<Tables>({ dialect }), 'postgres', scope);
}

export function openOn(file: SqliteFile): Database {
  const scope = new TransactionScope();
  return createDatabase(new Kysely<Tables>({ dialect: new SqliteDialect(file, scope) }), 'sqlite', scope);
}
