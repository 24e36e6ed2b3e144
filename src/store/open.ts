import { Kysely } from 'kysely';
import { GatehouseError } from '../errors.ts';
import { createAuditStore } from './audit.ts';
import { createBotStore } from './bots.ts';
import { createConnectionStore } from './connections.ts';
import { createConversationStore } from './conversations.ts';
import { createCounterStore } from './counters.ts';
import { createDatabase, type Database } from './database.ts';
import { createKeyStore } from './keys.ts';
import { createMcpSessionStore } from './mcp-sessions.ts';
import { migrate } from './migrate.ts';
import { createOperatorStore } from './operators.ts';
import { createProposalStore } from './proposals.ts';
import type { SealedText } from './sealed-text.ts';
import type { Store } from './store.ts';
import type { Tables } from './tables.ts';
import { TransactionScope } from './transaction-scope.ts';
import { createValueStore } from './values.ts';

/** Where the state lives: one SQLite file, or a PostgreSQL database (all of ours in `schema`, where given). */
export type DatabaseTarget = { readonly file: string } | { readonly url: string; readonly schema?: string };

/** Opens the database with its schema up to date. Any number of processes may do it at once. */
export async function openDatabase(target: DatabaseTarget): Promise<Database> {
  const database = await connect(target);
  try {
    await migrate(database, 'url' in target ? target.schema : undefined);
    return database;
  } catch (error) {
    await database.close();
    // At a start nothing goes on by itself: what the file lacks is the message.
    throw error instanceof GatehouseError && error.cause instanceof GatehouseError ? error.cause : error;
  }
}

export async function openStore(target: DatabaseTarget, secrets?: SealedText): Promise<Store> {
  return createStore(await openDatabase(target), secrets);
}

/** The store on an open database; also inside a transaction, with the database that the transaction gives. `secrets` seals what visitors sent. */
export function createStore(database: Database, secrets?: SealedText): Store {
  return {
    bots: createBotStore(database),
    keys: createKeyStore(database),
    operators: createOperatorStore(database),
    connections: createConnectionStore(database),
    proposals: createProposalStore(database, secrets),
    audit: createAuditStore(database),
    counters: createCounterStore(database),
    conversations: createConversationStore(database),
    mcpSessions: createMcpSessionStore(database),
    values: createValueStore(database),
    proveWritable: () => proveWritable(database),
    atomically: (work) => database.transaction((inside) => work(createStore(inside, secrets))),
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
  const scope = new TransactionScope();
  // Each loads its own driver: a process pays for one of them.
  if ('file' in target) {
    const [{ SqliteDialect }, { openSqliteFile }] = await Promise.all([
      import('./sqlite-dialect.ts'),
      import('./sqlite.ts'),
    ]);
    const dialect = new SqliteDialect(await openSqliteFile(target.file), scope);
    return createDatabase(new Kysely<Tables>({ dialect }), 'sqlite', scope);
  }
  const { openPostgres } = await import('./postgres.ts');
  const dialect = await openPostgres(target.url, target.schema, scope);
  return createDatabase(new Kysely<Tables>({ dialect }), 'postgres', scope);
}
