import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from './engines/database.ts';

/** Rows that one statement deletes: three hundred thousand at once outlast what a statement may take, and hold everybody up meanwhile. */
const SLICE = 2_000;

/**
 * Deletes the rows of a table that are so, a slice at a time, each a statement of its own: whoever is stopped in between goes on with
 * what is left. Not inside a transaction, which would hold all of them.
 */
export async function deleteInSlices<T>(
  { db, dialect }: { readonly db: Kysely<T>; readonly dialect: Database['dialect'] },
  table: string,
  when: RawBuilder<unknown>,
): Promise<void> {
  const place = sql.raw(dialect === 'postgres' ? 'ctid' : 'rowid');
  for (let count = SLICE; count >= SLICE; ) {
    const some = sql`select ${place} from ${sql.table(table)} where ${when} limit ${sql.lit(SLICE)}`;
    // PostgreSQL goes to places that are listed, and scans the table for such as it has to look up.
    const among = dialect === 'postgres' ? sql`${place} = any(array(${some}))` : sql`${place} in (${some})`;
    const gone = await sql`delete from ${sql.table(table)} where ${among} returning 1 as gone`.execute(db);
    count = gone.rows.length;
  }
}
