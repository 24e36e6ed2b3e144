import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GatehouseError } from '../../src/domain/errors.ts';
import type { Database } from '../../src/store/engines/database.ts';
import { openSqliteFile } from '../../src/store/engines/sqlite.ts';
import { createStore, openDatabase, openStore } from '../../src/store/open.ts';
import { sentBy, syncsOf } from '../support/statements.ts';
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
    expect(await setting('busy_timeout')).toBe(2);
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
      code: 'store_unavailable',
      retryable: true,
      message: expect.stringContaining('takes no writes'),
    });
    const lost = store.atomically(async (inside) => {
      for (let n = 0; n < 50; n++) await inside.bots.create(aBot({ name: `bot-${n}` }));
    });
    await expect(lost).rejects.toMatchObject({ code: 'store_unavailable', retryable: true });
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

  it('lets everything else go on while another connection holds the lock, also who is to let it go', async () => {
    const file = path.join(folder, 'gatehouse.db');
    const [holder, waiter] = [await openSqliteFile(file), await openSqliteFile(file)];
    await holder.run('create table turns (n integer)');
    await holder.run('begin immediate');
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
      if (turns === 20) void holder.run('commit');
    }, 1);
    await waiter.run('insert into turns values (?)', [1]);
    clearInterval(ticking);
    expect(turns).toBeGreaterThanOrEqual(20);
    for (const one of [holder, waiter]) await one.close();
  });

  it('reads while another process holds the write lock, ends each write in 12 s in words, and goes on by itself [K12]', async () => {
    const file = path.join(folder, 'gatehouse.db');
    const [store, holder] = [await openStore({ file }), await openSqliteFile(file)];
    await store.values.set('k', 'a', 'before', null);
    await holder.run('begin immediate');
    const askedAt = performance.now();
    const took = () => performance.now() - askedAt;
    const written = async (key: string) => {
      const refused = await store.values.set('k', key, 'after', null).then(
        () => undefined,
        (error: unknown) => error,
      );
      return { key, refused, ms: took() };
    };
    const writes = ['a', 'b', 'c', 'd'].map(written);
    const together = store.atomically(async (inside) => inside.values.set('k', 'e', 'after', null));
    const inOne = expect(together).rejects.toMatchObject({ retryable: true });
    expect(await store.values.get('k', 'a', NOW)).toBe('before');
    expect(took()).toBeLessThan(1_000);
    for (const { refused, ms } of await Promise.all(writes)) {
      expect(refused).toMatchObject({ retryable: true, message: expect.stringContaining('does not answer') });
      expect(ms).toBeLessThan(15_000);
    }
    await inOne;
    const before = took();
    // Known to be held: nobody waits as long again.
    expect((await written('f')).ms - before).toBeLessThan(4_000);
    const late = written('g');
    await holder.run('rollback');
    expect((await late).refused).toBeUndefined();
    const kept = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((key) => store.values.get('k', key, NOW)));
    expect(kept).toEqual(['before', undefined, undefined, undefined, undefined, undefined, 'after']);
    await Promise.all([store.close(), holder.close()]);
  }, 60_000);

  it('lets timers and sockets have their turn while one statement follows another', async () => {
    const file = await openSqliteFile(path.join(folder, 'gatehouse.db'));
    let isPast = false;
    setTimeout(() => {
      isPast = true;
    }, 1);
    let statements = 0;
    while (!isPast && statements < 100_000) {
      await file.all('select 1');
      statements += 1;
    }
    expect(isPast).toBe(true);
    await file.close();
  });

  it('keeps whole numbers whole, also where a column has no kind, whichever Node it is', async () => {
    const file = await openSqliteFile(path.join(folder, 'gatehouse.db'));
    const kinds = 'select typeof(?) as a, typeof(?) as b, typeof(?) as c, cast(? as text) as d';
    expect({ ...(await file.all<object>(kinds, [5, NOW, 1.5, NOW]))[0] }).toEqual({
      a: 'integer',
      b: 'integer',
      c: 'real',
      d: `${NOW}`,
    });
    await file.close();
  });

  it('asks no table by a statement that was prepared before the table was changed', async () => {
    const file = await openSqliteFile(path.join(folder, 'gatehouse.db'));
    await file.run('create table t (a integer, b text)');
    await file.run(`insert into t values (1, 'x')`);
    const first = async () => ({ ...(await file.all<object>('select * from t'))[0] });
    expect(await first()).toEqual({ a: 1, b: 'x' });
    await file.run('alter table t add column c text');
    expect(await first()).toEqual({ a: 1, b: 'x', c: null });
    await file.run('alter table t drop column b');
    expect(await first()).toEqual({ a: 1, c: null });
    await file.close();
  });

  it('is opened without a word on stderr', async () => {
    const told: Error[] = [];
    const hear = (warning: Error) => told.push(warning);
    process.on('warning', hear);
    await (await openSqliteFile(path.join(folder, 'gatehouse.db'))).close();
    await new Promise(setImmediate);
    process.off('warning', hear);
    expect(told).toEqual([]);
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

  it('waits for the disk at every write but those that are said to be there with the next one [C7]', async () => {
    const file = path.join(folder, 'gatehouse.db');
    const database = await openDatabase({ file });
    const beside = await openDatabase({ file });
    const { counters, values } = createStore(database);
    const modes = async () => (await database.all<{ synchronous: number }>('pragma synchronous', []))[0]?.synchronous;
    expect(syncsOf(await sentBy(() => counters.add('key', NOW, 1)))).toBe(0);
    expect(await createStore(beside).counters.sum('key', 0)).toBe(1);
    expect(await modes()).toBe(2);
    expect(syncsOf(await sentBy(() => values.set('kind', 'key', 'x', null)))).toBe(1);
    await expect(database.unsynced.deleteFrom('nothing' as 'bots').execute()).rejects.toThrow('no such table');
    expect(await modes()).toBe(2);
    const inside = () => database.transaction((own) => createStore(own).counters.add('key', NOW, 1));
    expect(syncsOf(await sentBy(inside))).toBe(1);
    const later = () => database.transaction((own) => createStore(own).counters.add('key', NOW, 1), false);
    expect(syncsOf(await sentBy(later))).toBe(0);
    expect(await createStore(beside).counters.sum('key', 0)).toBe(3);
    expect(await modes()).toBe(2);
    const undone = database.transaction(() => Promise.reject(new Error('undone')), false);
    await expect(undone).rejects.toThrow('undone');
    expect(await modes()).toBe(2);
    for (const one of [database, beside]) await one.close();
  });

  it('waits for the disk while it waits for the lock to begin what need not [C7]', async () => {
    const file = path.join(folder, 'gatehouse.db');
    const [holder, waiter] = [await openSqliteFile(file), await openSqliteFile(file)];
    const mode = async () => (await waiter.all<{ synchronous: number }>('pragma synchronous'))[0]?.synchronous;
    await holder.begin();
    const begun = waiter.begin({ isSynced: false });
    expect(await mode()).toBe(2);
    await holder.end('rollback');
    await begun;
    expect(await mode()).toBe(1);
    await waiter.end('commit');
    expect(await mode()).toBe(2);
    for (const one of [holder, waiter]) await one.close();
  });

  it('reads in pages only: a stream would hold the one connection', async () => {
    const database = await openDatabase({ file: path.join(folder, 'gatehouse.db') });
    const rows = database.kysely.selectFrom('bots').selectAll().stream();
    await expect(rows.next()).rejects.toThrow('in pages');
    expect(await database.kysely.selectFrom('bots').selectAll().execute()).toEqual([]);
    await database.close();
  });
});
