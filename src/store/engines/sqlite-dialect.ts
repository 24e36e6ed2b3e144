import {
  type CompiledQuery,
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
 * SQLITE_BUSY, whatever the busy timeout. Whoever writes while the connection is taken waits in line; whoever reads goes past it.
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
  readonly #line = new Line();

  constructor(file: SqliteFile, scope: TransactionScope) {
    this.#file = file;
    this.#scope = scope;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    this.#scope.enter();
    return new SqliteConnection(this.#file, this.#line);
  }

  async releaseConnection(connection: SqliteConnection): Promise<void> {
    connection.release();
  }

  async beginTransaction(connection: SqliteConnection): Promise<void> {
    if (!this.#scope.isOpen) throw new Error('Begin transactions with database.transaction(), never on Kysely itself.');
    await connection.begin(this.#scope.isSynced);
  }

  async commitTransaction(): Promise<void> {
    await this.#file.end('commit');
  }

  async rollbackTransaction(): Promise<void> {
    await this.#file.end('rollback').catch((error: unknown) => {
      // A full disk rolls back by itself; failing here would hide why.
      if (!String(error).includes('no transaction is active')) throw error;
    });
  }

  async destroy(): Promise<void> {
    await this.#line.enter();
    await this.#file.close();
  }
}

/** One at a time, first come, first served. */
class Line {
  #last: Promise<void> = Promise.resolve();
  #length = 0;

  get isFree(): boolean {
    return this.#length === 0;
  }

  /** Resolves when it is the caller's turn, with what ends it. */
  async enter(): Promise<() => void> {
    const before = this.#last;
    let next = () => {};
    this.#last = new Promise((resolve) => {
      next = resolve;
    });
    this.#length += 1;
    await before;
    return () => {
      this.#length -= 1;
      next();
    };
  }
}

/** A place at the one connection: for one statement, or from the begin of a transaction until it is released. */
class SqliteConnection implements DatabaseConnection {
  readonly #file: SqliteFile;
  readonly #line: Line;
  #leave: (() => void) | undefined;

  constructor(file: SqliteFile, line: Line) {
    this.#file = file;
    this.#line = line;
  }

  async begin(isSynced: boolean): Promise<void> {
    const askedAt = performance.now();
    this.#leave = await this.#line.enter();
    await this.#file.begin({ isSynced, askedAt });
  }

  release(): void {
    this.#leave?.();
    this.#leave = undefined;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const askedAt = performance.now();
    if (this.#leave !== undefined) return this.#execute(query, askedAt);
    // Its own connection would be set up for nothing while nobody is before it.
    if (!this.#line.isFree && isRead(query))
      return { rows: await this.#file.read<R>(query.sql, boundIn(query), { isSynced: true, askedAt }) };
    const leave = await this.#line.enter();
    try {
      return await this.#execute(query, askedAt);
    } finally {
      leave();
    }
  }

  async #execute<R>(compiled: CompiledQuery, askedAt: number): Promise<QueryResult<R>> {
    const { query, sql } = compiled;
    const way = { isSynced: !isUnsynced(compiled), askedAt };
    const changes =
      (query.kind === 'InsertQueryNode' || query.kind === 'UpdateQueryNode' || query.kind === 'DeleteQueryNode') &&
      query.returning === undefined;
    if (changes) return { rows: [], numAffectedRows: BigInt(await this.#file.run(sql, boundIn(compiled), way)) };
    return { rows: await this.#file.all<R>(sql, boundIn(compiled), way) };
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for the method; one connection cannot be read and written at once
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error('Rows are read in pages, not streamed: a stream would hold the only connection.');
  }
}

const isRead = ({ query, sql }: CompiledQuery): boolean =>
  query.kind === 'SelectQueryNode' || /^\s*select\b/i.test(sql);

/** What the compiler below let pass, or `Database.all`. */
const boundIn = ({ parameters }: CompiledQuery) => parameters as readonly Storable[];

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
