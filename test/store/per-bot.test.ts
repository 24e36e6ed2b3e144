import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { openDatabase } from '../../src/store/open.ts';
import { PER_BOT } from '../../src/store/tables/bots.ts';

it('deletes a bot from every table that has rows of one bot, also from those that come later [U3]', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-test-'));
  const database = await openDatabase({ file: path.join(folder, 'state.db') });
  const { rows } = await sql<{ name: string }>`
    select m.name from sqlite_master m join pragma_table_info(m.name) c on c.name = 'bot' where m.type = 'table'
  `.execute(database.kysely);
  await database.close();
  await rm(folder, { recursive: true });
  expect(rows.map(({ name }) => name).sort()).toEqual([...PER_BOT, 'audit', 'feedHeads'].sort());
});
