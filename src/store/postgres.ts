import { PostgresDialect, PostgresQueryCompiler } from 'kysely';
import type { Pool } from 'pg';
import { GatehouseError } from '../errors.ts';
import { toStorable } from './parameters.ts';
import type { TransactionScope } from './transaction-scope.ts';

const INT8 = 20;
const NUMERIC = 1700;

/** Kysely over a small pool. */
export async function openPostgres(
  url: string,
  schema: string | undefined,
  scope: TransactionScope,
): Promise<PostgresDialect> {
  const pool = await openPool(url, { schema, max: 8 });
  return new CheckedDialect({
    pool: {
      connect: () => {
        scope.enter();
        return pool.connect();
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
    connectionTimeoutMillis: 10_000,
    application_name: 'gatehouse',
    keepAlive: true,
    ...(schema === undefined ? {} : { options: `-c search_path=${schema}` }),
    types: {
      // Our bigints are times, counts and sequence numbers: safe as numbers, and SQLite answers numbers too.
      // `format` is passed on as it came: pg has one overload for each.
      getTypeParser: (oid, format) =>
        oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format as 'text'),
    },
  });
  // An idle connection that the server closes is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => {});
  try {
    (await pool.connect()).release();
    return pool;
  } catch (error) {
    await pool.end();
    throw unreachable(url, error);
  }
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
