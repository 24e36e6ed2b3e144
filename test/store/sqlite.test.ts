import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GatehouseError } from '../../src/domain/errors.ts';
import type { Database } from '../../src/store/engines/database.ts';
import { createStore, openDatabase, openStore } from '../../src/store/open.ts';
import { aBot, NOW } from './rows.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-sqlite-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const refusal = async (file: string): Promise<GatehouseError> => {
  const refused = await openStore({ file }).catch((error: unknown) => error);
  if (!(refused instanceof GatehouseError)) throw new Error(`Not refused: ${String(refused)}`);
  return refused;
};

describe('a SQLite file', () => {
  it('is made for this account alone, with the folders that lead to it', async () => {
    const file = path.join(folder, 'a/b/gatehouse.db');
    const store = await openStore({ file });
    await store.values.set('k', 'a', '1', null);
    const rights = async (name: string) => (await stat(name)).mode & 0o777;
    expect(await rights(path.join(folder, 'a/b'))).toBe(0o700);
    expect(await rights(file)).toBe(0o600);
    expect(await rights(`${file}-wal`)).toBe(0o600);
    await store.close();
    expect(await rights(file)).toBe(0o600);
  });

  it('keeps the rights that an operator gave it', async () => {
    const file = path.join(folder, 'gatehouse.db');
    await (await openStore({ file })).close();
    await chmod(file, 0o660);
    await (await openStore({ file })).close();
    expect((await stat(file)).mode & 0o777).toBe(0o660);
  });

  it('survives power loss by its settings and lets readers and a writer pass each other', async () => {
    const database = await openDatabase({ file: path.join(folder, 'gatehouse.db') });
    const setting = async (name: string) => {
      const { rows } = await sql<Record<string, unknown>>`${sql.raw(`pragma ${name}`)}`.execute(database.kysely);
      return Object.values(rows[0] ?? {})[0];
    };
    expect(await setting('journal_mode')).toBe('wal');
    expect(await setting('synchronous')).toBe(2);
    expect(await setting('foreign_keys')).toBe(1);
    expect(await setting('busy_timeout')).toBe(10);
    await database.close();
  });

  it('that cannot grow says so in words, keeps what it has, and goes on when it can [K12]', async () => {
    const database = await openDatabase({ file: path.join(folder, 'gatehouse.db') });
    const store = createStore(database);
    await store.bots.create(aBot());
    const limit = async (pages: number) => sql.raw(`pragma max_page_count = ${pages}`).execute(database.kysely);
    await limit(1);
    const full = await store.proveWritable().catch((error: unknown) => error);
    expect(full).toMatchObject({
      code: 'internal',
      retryable: true,
      message: expect.stringContaining('takes no writes'),
    });
    const lost = store.atomically(async (inside) => {
      for (let n = 0; n < 50; n++) await inside.bots.create(aBot({ name: `bot-${n}` }));
    });
    await expect(lost).rejects.toMatchObject({ code: 'internal', retryable: true });
    expect(await store.bots.list()).toHaveLength(1);
    await limit(1_000_000);
    await store.proveWritable();
    await store.bots.create(aBot({ name: 'later' }));
    expect(await store.bots.list()).toHaveLength(2);
    await store.close();
  });

  it('is refused when it is not a database, and left as it is', async () => {
    const file = path.join(folder, 'gatehouse.db');
    await writeFile(file, 'A letter to my aunt. '.repeat(200));
    const refused = await refusal(file);
    expect(refused.code).toBe('config_invalid');
    expect(refused.message).toBe(`The database ${file} is not a SQLite database.`);
    expect(refused.next).toContain('GATEHOUSE_DATA');
    expect(await readFile(file, 'utf8')).toContain('my aunt');
  });

  it('is refused when it is damaged, and left as it is', async () => {
    const file = path.join(folder, 'gatehouse.db');
    const store = await openStore({ file });
    for (let index = 0; index < 10; index += 1) await store.bots.create(aBot({ name: `bot-${index}` }));
    await store.close();
    const bytes = await readFile(file);
    // The header stays, so that it still looks like a database; every page behind it is noise.
    bytes.fill(0xa5, 100);
    await writeFile(file, bytes);
    const refused = await refusal(file);
    expect(refused).toMatchObject({ code: 'config_invalid', message: `The database ${file} is damaged.` });
    expect(bytes.equals(await readFile(file))).toBe(true);
  });

  it.each([
    ['its folder cannot be made', async () => writeFile(path.join(folder, 'file'), ''), 'file/deeper/gatehouse.db'],
    ['it is a folder', async () => mkdir(path.join(folder, 'gatehouse.db')), 'gatehouse.db'],
  ])('is refused with path and next step when %s', async (_, prepare, name) => {
    await prepare();
    const refused = await refusal(path.join(folder, name));
    expect(refused.code).toBe('config_invalid');
    expect(refused.message).toContain(path.join(folder, name));
    expect(refused.next).toContain('GATEHOUSE_DATA');
  });

  it.skipIf(process.getuid?.() === 0)('is refused when it or its folder may not be written', async () => {
    const file = path.join(folder, 'gatehouse.db');
    await (await openStore({ file })).close();
    await chmod(file, 0o400);
    expect((await refusal(file)).message).toContain('cannot be written');
    await chmod(file, 0o600);
    await chmod(folder, 0o500);
    expect((await refusal(file)).message).toContain('cannot be written');
    await chmod(folder, 0o700);
  });

  it('opens in a blink when it is up to date, without writing to it', async () => {
    const file = path.join(folder, 'gatehouse.db');
    await (await openStore({ file })).close();
    const before = await stat(file);
    const times: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const begun = performance.now();
      const store = await openStore({ file });
      times.push(performance.now() - begun);
      await store.close();
    }
    // The best of nine: the machine is busy, the promise is about the work.
    expect(Math.min(...times)).toBeLessThan(15);
    expect((await stat(file)).mtimeMs).toBe(before.mtimeMs);
  });

  it('is set up once when many open it new at the same moment', async () => {
    for (let round = 0; round < 4; round += 1) {
      const file = path.join(folder, `${round}.db`);
      const stores = await Promise.all(Array.from({ length: 8 }, () => openStore({ file })));
      expect(await stores[7]?.bots.create(aBot())).toBe(true);
      expect(await stores[0]?.bots.list()).toHaveLength(1);
      for (const store of stores) await store.close();
    }
  });

  it('loses no read-modify-write of two connections: a transaction holds the write lock from its begin', async () => {
    const file = path.join(folder, 'gatehouse.db');
    const databases = [await openDatabase({ file }), await openDatabase({ file })] as const;
    const countUp = (database: Database) =>
      database.transaction(async (inside) => {
        const { values } = createStore(inside);
        const count = Number(await values.get('count', 'up', NOW));
        await values.set('count', 'up', `${count + 1}`, null);
      });
    await createStore(databases[0]).values.set('count', 'up', '0', null);
    await Promise.all(Array.from({ length: 60 }, (_, index) => countUp(databases[index % 2 === 0 ? 0 : 1])));
    expect(await createStore(databases[0]).values.get('count', 'up', NOW)).toBe('60');
    for (const database of databases) await database.close();
  });

  it('names the statement that was refused, without the values', async () => {
    const database = await openDatabase({ file: path.join(folder, 'gatehouse.db') });
    const insert = () =>
      database.kysely.insertInto('operators').values({ name: 'ada-secret', role: 'admin', createdAt: NOW }).execute();
    await insert();
    const refused = await insert().catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'SqliteError', code: 'SQLITE_CONSTRAINT' });
    expect(String(refused)).toContain('UNIQUE constraint failed: operators.name');
    expect(String(refused)).toContain('insert into "operators"');
    expect(String(refused)).not.toContain('ada-secret');
    await database.close();
  });

  it('refuses a transaction that is begun behind the back of the database', async () => {
    const database = await openDatabase({ file: path.join(folder, 'gatehouse.db') });
    await expect(database.kysely.transaction().execute(async () => 1)).rejects.toThrow('database.transaction()');
    expect(await database.transaction(async () => 1)).toBe(1);
    await database.close();
  });

  it('reads in pages only: a stream would hold the one connection', async () => {
    const database = await openDatabase({ file: path.join(folder, 'gatehouse.db') });
    const rows = database.kysely.selectFrom('bots').selectAll().stream();
    await expect(rows.next()).rejects.toThrow('in pages');
    expect(await database.kysely.selectFrom('bots').selectAll().execute()).toEqual([]);
    await database.close();
  });
});
