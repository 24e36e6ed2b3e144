import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { type Storable, toStorable } from './parameters.ts';
import type { SqliteFile } from './sqlite.ts';
import type { TransactionScope } from './transaction-scope.ts';
import { isUnsynced } from './unsynced.ts';

/**
 * Kysely over one SQLite connection. Transactions begin immediate: deferred ones lose read-modify-writes of two processes to
 * SQLITE_BUSY, whatever the busy timeout. Whoever asks while the connection is taken waits in line.
 */
export class SqliteDialect implements Dialect {
  readonly #file: SqliteFile;
  readonly #scope: TransactionScope;

  constructor(file: SqliteFile, scope: TransactionScope) {
    this.#file = file;
    this.#scope = scope;
  }

  createDriver(): Driver {
    return new SqliteDriver(this.#file, this.#scope);
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new CheckedCompiler();
  }

  createAdapter(): SqliteAdapter {
    return new TransactionalDdlAdapter();
  }

  createIntrospector(kysely: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(kysely);
  }
}

class SqliteDriver implements Driver {
  readonly #file: SqliteFile;
  readonly #scope: TransactionScope;
  readonly #connection: SqliteConnection;
  #line: Promise<void> = Promise.resolve();
  #next: () => void = () => {};

  constructor(file: SqliteFile, scope: TransactionScope) {
    this.#file = file;
    this.#scope = scope;
    this.#connection = new SqliteConnection(file);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    this.#scope.enter();
    const before = this.#line;
    let leave = () => {};
    this.#line = new Promise((resolve) => {
      leave = resolve;
    });
    await before;
    this.#next = leave;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#next();
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    if (!this.#scope.isOpen) throw new Error('Begin transactions with database.transaction(), never on Kysely itself.');
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback')).catch((error: unknown) => {
      // A full disk rolls back by itself; failing here would hide why.
      if (!String(error).includes('no transaction is active')) throw error;
    });
  }

  async destroy(): Promise<void> {
    await this.#line;
    await this.#file.close();
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #file: SqliteFile;

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  async executeQuery<R>(compiledQuery: CompiledQuery): Promise<QueryResult<R>> {
    const { query, sql, parameters: compiled } = compiledQuery;
    const way = { isSynced: !isUnsynced(compiledQuery) };
    // What the compiler below let pass, or `Database.all`.
    const parameters = compiled as readonly Storable[];
    const changes =
      (query.kind === 'InsertQueryNode' || query.kind === 'UpdateQueryNode' || query.kind === 'DeleteQueryNode') &&
      query.returning === undefined;
    if (changes) return { rows: [], numAffectedRows: BigInt(await this.#file.run(sql, parameters, way)) };
    return { rows: await this.#file.all<R>(sql, parameters, way) };
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for the method; one connection cannot be read and written at once
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error('Rows are read in pages, not streamed: a stream would hold the only connection.');
  }
}

class CheckedCompiler extends SqliteQueryCompiler {
  protected override addParameter(parameter: unknown): void {
    super.addParameter(toStorable(parameter));
  }
}

class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}
