import { CompiledQuery, type Kysely } from 'kysely';
import type { All } from '../first-reads.ts';
import type { Tables } from '../tables/tables.ts';
import { toStorable } from './parameters.ts';
import type { TransactionScope } from './transaction-scope.ts';
import { markUnsynced } from './unsynced.ts';

/**
 * One open database, the same on SQLite and PostgreSQL. Rooms with tables of their own take it and say
 * `database.kysely.withTables<{ links: LinkTable }>()`; one transaction then covers their statements and the store's.
 */
export interface Database {
  /** Never begin a transaction on it: `transaction` does, and knows when it is nested. */
  readonly kysely: Kysely<Tables>;
  /**
   * The same for a write that its transaction need not wait for the disk with: on SQLite it is there with the next one of `kysely`, and
   * a process that dies before loses nothing of it. For what nobody is told before such a one: a power cut then takes both.
   */
  readonly unsynced: Kysely<Tables>;
  readonly dialect: 'sqlite' | 'postgres';
  readonly all: All;
  /**
   * Only the database that `work` is given may be used inside. Asked again inside, it is the same transaction. Not `isSynced`: as with
   * `unsynced`.
   */
  transaction<T>(work: (inside: Database) => Promise<T>, isSynced?: boolean): Promise<T>;
  /** False on what a transaction gives. The database itself throws inside its own transaction, like all else of it. */
  isOuter(): boolean;
  close(): Promise<void>;
}

export function createDatabase(
  kysely: Kysely<Tables>,
  dialect: Database['dialect'],
  scope: TransactionScope,
): Database {
  return {
    kysely,
    unsynced: dialect === 'sqlite' ? kysely.withPlugin(markUnsynced) : kysely,
    dialect,
    all: allOn(kysely),
    transaction: (work, isSynced) =>
      scope.run(
        () => kysely.transaction().execute((transaction) => work(createInside(transaction, dialect))),
        isSynced,
      ),
    isOuter() {
      scope.refuseInside();
      return true;
    },
    close: () => kysely.destroy(),
  };
}

function createInside(kysely: Kysely<Tables>, dialect: Database['dialect']): Database {
  const inside: Database = {
    kysely,
    unsynced: kysely,
    dialect,
    all: allOn(kysely),
    transaction: (work) => work(inside),
    isOuter: () => false,
    close: () => Promise.reject(new Error('A database is not closed inside its own transaction.')),
  };
  return inside;
}

function allOn(kysely: Kysely<Tables>): All {
  return async <R>(sql: string, bound: readonly unknown[]) =>
    (await kysely.executeQuery<R>(CompiledQuery.raw(sql, bound.map(toStorable)))).rows;
}
