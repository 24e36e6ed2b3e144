import { PostgresDialect, type PostgresPoolClient, PostgresQueryCompiler } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { GatehouseError } from '../../domain/errors.ts';
import { toStorable } from './parameters.ts';
import { statements } from './statements.ts';
import type { TransactionScope } from './transaction-scope.ts';
import { storeUnavailable } from './unavailable.ts';

const INT8 = 20;
const NUMERIC = 1700;
/** Longer than a statement of ours takes, waits for locks included; eight lines that died fill the pool no longer than this. */
const ANSWER_TIMEOUT_MS = 12_000;
/** A change of the schema takes as long as there are rows, and so does the wait for another process that makes it. */
const MIGRATION_TIMEOUT_MS = 600_000;
/** For a new line, and for a place in a full pool. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A statement that takes this long may be on a dead line, and so may be every connection that nobody has heard since. */
const QUIET_MS = 4_000;

/** Kysely over a small pool. */
export async function openPostgres(
  url: string,
  schema: string | undefined,
  scope: TransactionScope,
): Promise<PostgresDialect> {
  const pool = await openPool(url, { schema, max: 8 });
  const lend = lendOf(pool);
  return new CheckedDialect({
    pool: {
      connect: () => {
        scope.enter();
        return lend();
      },
      end: () => pool.end(),
    },
  });
}

/** A pool that has connected once. `schema` keeps everything in one schema; without it the role's search path decides. */
export async function openPool(
  url: string,
  { schema, max }: { readonly schema: string | undefined; readonly max: number },
): Promise<Pool> {
  if (schema !== undefined && !/^[a-z_][a-z0-9_]{0,62}$/.test(schema))
    throw new GatehouseError('config_invalid', 'The PostgreSQL schema has an unusable name.', {
      next: 'Use lower-case letters, digits and underscores.',
    });
  // Only who asks for PostgreSQL pays for its driver.
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'gatehouse',
    // A server that vanished without a word is noticed in seconds, not hours, and holds no call longer than this.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    query_timeout: ANSWER_TIMEOUT_MS,
    ...(schema === undefined ? {} : { options: `-c search_path=${schema}` }),
    types: {
      // Our bigints are times, counts and sequence numbers: safe as numbers, and SQLite answers numbers too.
      // `format` is passed on as it came: pg has one overload for each.
      getTypeParser: (oid, format) =>
        oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format as 'text'),
    },
  });
  // A connection that the server closes is replaced at the next use. Without a listener its 'error' would end the process:
  // the pool hears the idle ones, and nobody those that are lent out.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  try {
    (await pool.connect()).release();
    return pool;
  } catch (error) {
    await pool.end();
    throw unreachable(url, error);
  }
}

/** The lock of the schema: what follows on the same line is its change. */
const MIGRATES = /^select pg_advisory_xact_lock\(\$1\)/;

/** Connections of the pool. One that failed as a connection does not go back: the next user gets a fresh one. */
function lendOf(pool: Pool): () => Promise<PostgresPoolClient> {
  const heardAt = new WeakMap<PoolClient, number>();
  let quietSince = Number.NEGATIVE_INFINITY;

  const take = async (): Promise<PoolClient> => {
    for (;;) {
      const client = await pool.connect().catch((error: unknown) => {
        throw storeUnavailable('does not answer', error);
      });
      if ((heardAt.get(client) ?? Number.POSITIVE_INFINITY) >= quietSince) return client;
      client.release(true);
    }
  };

  return async () => {
    const client = await take();
    let lost: Error | undefined;
    let patience = ANSWER_TIMEOUT_MS;
    return {
      query: async (sql: unknown, parameters?: readonly unknown[]) => {
        statements.publish(sql);
        const sentAt = performance.now();
        const quiet = setTimeout(() => {
          quietSince = Math.max(quietSince, sentAt);
        }, QUIET_MS);
        try {
          if (MIGRATES.test(sql as string)) patience = MIGRATION_TIMEOUT_MS;
          const asked = { text: sql as string, values: [...(parameters ?? [])], query_timeout: patience };
          const answer = await client.query(asked);
          heardAt.set(client, performance.now());
          return answer;
        } catch (error) {
          const problem = problemOf(error);
          if (problem === undefined) throw error;
          lost = error instanceof Error ? error : new Error(String(error));
          throw storeUnavailable(problem, error);
        } finally {
          clearTimeout(quiet);
        }
      },
      release: () => client.release(lost),
      // Kysely's type has cursors too, for streams; nothing here streams.
    } as unknown as PostgresPoolClient;
  };
}

/** Read-only (it became a standby), and out of space or memory. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const TAKES_NO_WRITES = /^(25006|53[12]00|58030)$/;
/** Connection exceptions, shut down by an operator, crashed, starting up, too many connections. */
const DOES_NOT_ANSWER = /^(08...|57P0[1-5]|53300)$/;

/** What keeps every statement from working; undefined for a fault of this one. */
function problemOf(error: unknown): 'does not answer' | 'takes no writes' | undefined {
  if (error instanceof TypeError) return undefined;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (TAKES_NO_WRITES.test(code)) return 'takes no writes';
  // An error of the server has a SQLSTATE; a broken line has an errno (EPIPE), or nothing but words of the driver.
  return /^(?!E)[0-9A-Z]{5}$/.test(code) && !DOES_NOT_ANSWER.test(code) ? undefined : 'does not answer';
}

class CheckedDialect extends PostgresDialect {
  override createQueryCompiler(): PostgresQueryCompiler {
    return new CheckedCompiler();
  }
}

class CheckedCompiler extends PostgresQueryCompiler {
  protected override addParameter(parameter: unknown): void {
    super.addParameter(toStorable(parameter));
  }
}

/** Names host and database; user and password stay out. */
function unreachable(url: string, cause: unknown): GatehouseError {
  const { host, pathname } = URL.canParse(url) ? new URL(url) : { host: 'the given address', pathname: '' };
  return new GatehouseError('config_invalid', `PostgreSQL at ${host}${pathname} cannot be used.`, {
    next: 'Check that the server runs and that DATABASE_URL holds its address, database, user and password.',
    cause,
  });
}
