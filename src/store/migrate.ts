import { sql } from 'kysely';
import { GatehouseError } from '../domain/errors.ts';
import type { Database } from './engines/database.ts';
import { MIGRATIONS } from './migrations.ts';
import { SCHEMA_VERSION } from './schema-version.ts';

/** Any number will do, as long as every process takes the same. */
const LOCK = 7_302_411;

/** Brings the schema up to date: one cheap look when it is, one locked transaction when it is not, however many processes start. */
export async function migrate(database: Database, schema?: string): Promise<void> {
  if ((await readVersion(database)) === SCHEMA_VERSION) return;
  await database.transaction(async (inside) => {
    // SQLite holds the only write lock from its begin; PostgreSQL is told to.
    if (inside.dialect === 'postgres') {
      await sql`select pg_advisory_xact_lock(${LOCK})`.execute(inside.kysely);
      if (schema !== undefined) await sql`create schema if not exists ${sql.id(schema)}`.execute(inside.kysely);
    }
    for (const statements of MIGRATIONS.slice(await readVersion(inside))) {
      for (const statement of statements)
        await sql.raw(typeof statement === 'string' ? statement : statement[inside.dialect]).execute(inside.kysely);
    }
    await writeVersion(inside, SCHEMA_VERSION);
  });
}

async function readVersion({ kysely, dialect }: Database): Promise<number> {
  const version = dialect === 'sqlite' ? await readPragma() : await readTable();
  if (version <= SCHEMA_VERSION) return version;
  throw new GatehouseError(
    'config_invalid',
    `The database has schema ${version}; this Gatehouse knows ${SCHEMA_VERSION}. A newer one has used it.`,
    { next: 'Start the newer Gatehouse, or point this one to another data folder or database.' },
  );

  async function readPragma(): Promise<number> {
    const { rows } = await sql<{ user_version: number }>`pragma user_version`.execute(kysely);
    return rows[0]?.user_version ?? 0;
  }

  async function readTable(): Promise<number> {
    const table = await sql<{ name: string | null }>`select to_regclass('gatehouse_schema') as name`.execute(kysely);
    if (table.rows[0]?.name == null) return 0;
    const { rows } = await sql<{ version: number }>`select version from gatehouse_schema`.execute(kysely);
    return rows[0]?.version ?? 0;
  }
}

async function writeVersion({ kysely, dialect }: Database, version: number): Promise<void> {
  if (dialect === 'sqlite') {
    await sql`pragma user_version = ${sql.lit(version)}`.execute(kysely);
    return;
  }
  await sql`create table if not exists gatehouse_schema (version bigint not null)`.execute(kysely);
  await sql`delete from gatehouse_schema`.execute(kysely);
  await sql`insert into gatehouse_schema (version) values (${version})`.execute(kysely);
}
