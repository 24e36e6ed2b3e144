import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '@keyv/redis';
import pg from 'pg';
import { Database } from 'sqlite3';
import { describe, expect, it } from 'vitest';
import { lazyTokens, openTokens, type TokenTarget } from '../../src/store/secrets/tokens.ts';
import { describeOnce, describePostgres, missing } from '../support/databases.ts';
import { race } from '../support/programs.ts';
import { createOwnRedis, createProxy, redisBinary } from '../support/servers.ts';

const SECRET = 'the secret of these tests';

/** A place for tokens, and its raw rows as somebody with the database in hand sees and changes them. */
interface RawTokens extends AsyncDisposable {
  readonly target: TokenTarget;
  rows(): Promise<{ readonly key: string; readonly value: string }[]>;
  write(key: string, value: string): Promise<void>;
}

const redisUrl = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';

describeOnce('tokens on SQLite', () => suite(onSqlite));
describePostgres((makeSchema) => suite(() => onPostgres(makeSchema)));
describe('tokens on Redis', async () => {
  if (await answers(redisUrl)) suite(onRedis);
  else missing('redis', `Redis does not answer at ${new URL(redisUrl).host} (set REDIS_URL).`);
});

function suite(open: () => Promise<RawTokens>): void {
  const tokens = {
    accessToken: '00D!AQ4.secret',
    refreshToken: '5Aep861.secret',
    instanceUrl: 'https://example.my.salesforce.com',
    issuedAt: 1_763_758_000_123,
    extra: { scope: 'api refresh_token' },
  };

  it('gives tokens back whole, also after a restart, until they are deleted [O4]', async () => {
    await using raw = await open();
    const vault = await openTokens(raw.target, SECRET);
    expect(await vault.get('demo')).toBeUndefined();
    await vault.set('demo', tokens);
    await vault.set('other_bot', { accessToken: 'other' });
    await vault.close();
    const again = await openTokens(raw.target, SECRET);
    expect(await again.get('demo')).toEqual(tokens);
    await again.set('demo', { ...tokens, accessToken: 'rotated' });
    expect((await again.get('demo'))?.accessToken).toBe('rotated');
    await again.delete('demo');
    await again.delete('demo');
    expect(await again.get('demo')).toBeUndefined();
    expect(await again.get('other_bot')).toEqual({ accessToken: 'other' });
    await again.close();
  });

  it('shows whose tokens are kept and nothing of them, and never the same text twice [O4]', async () => {
    await using raw = await open();
    const vault = await openTokens(raw.target, SECRET);
    await vault.set('demo', tokens);
    const [first] = await raw.rows();
    await vault.set('demo', tokens);
    const [second] = await raw.rows();
    await vault.close();
    expect(first?.key).toMatch(/tokens:+demo$/);
    expect(first?.value).toMatch(/^v1\.[\w-]+$/);
    expect(first?.value).not.toBe(second?.value);
    expect(Buffer.from(first?.value.slice(3) ?? '', 'base64url').toString('latin1')).not.toContain('secret');
  });

  it('says so when the secret is another one, and shows nothing of the value [O4]', async () => {
    await using raw = await open();
    const vault = await openTokens(raw.target, SECRET);
    await vault.set('demo', tokens);
    await vault.close();
    const other = await openTokens(raw.target, 'another secret altogether');
    const refused = await other.get('demo').catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('GATEHOUSE_SECRET is not the one these tokens were stored with'),
    });
    const [row] = await raw.rows();
    expect(JSON.stringify([refused, String(refused)])).not.toContain(row?.value.slice(3, 20));
    // A new connection stores new tokens over the old ones.
    await other.set('demo', { accessToken: 'new' });
    expect(await other.get('demo')).toEqual({ accessToken: 'new' });
    await other.close();
  });

  it('refuses tokens that were changed, cut, moved to another key, or never sealed [O4]', async () => {
    await using raw = await open();
    const vault = await openTokens(raw.target, SECRET);
    await vault.set('demo', tokens);
    await vault.set('rival', { accessToken: 'rival' });
    const rows = await raw.rows();
    const own = rows.find(({ key }) => key.endsWith('demo'));
    const rival = rows.find(({ key }) => key.endsWith('rival'));
    if (own === undefined || rival === undefined) throw new Error('Both were stored.');
    const middle = Math.floor(own.value.length / 2);
    const flipped = own.value[middle] === 'A' ? 'B' : 'A';
    for (const value of [
      own.value.slice(0, middle) + flipped + own.value.slice(middle + 1),
      own.value.slice(0, middle),
      'v1.',
      rival.value,
      '{"value":{"key":"demo","tokens":{"accessToken":"forged"}}}',
      'x',
    ]) {
      await raw.write(own.key, value);
      await expect(vault.get('demo')).rejects.toMatchObject({ code: 'config_invalid' });
    }
    await raw.write(own.key, own.value);
    expect(await vault.get('demo')).toEqual(tokens);
    await vault.close();
  });

  it('keeps the last of many sets made at once, whole', async () => {
    await using raw = await open();
    const vault = await openTokens(raw.target, SECRET);
    await Promise.all(
      Array.from({ length: 20 }, (_, version) => vault.set('demo', { ...tokens, accessToken: `${version}` })),
    );
    expect(Number((await vault.get('demo'))?.accessToken)).toBeLessThan(20);
    await vault.close();
  });

  it('opens only when somebody asks', async () => {
    await using raw = await open();
    const vault = lazyTokens(raw.target, SECRET);
    await lazyTokens(raw.target, SECRET).close();
    await Promise.all([vault.set('demo', tokens), vault.get('demo')]);
    expect(await vault.get('demo')).toEqual(tokens);
    await vault.delete('demo');
    await vault.close();
  });
}

describeOnce('the token file', () => {
  it('is for this account alone and written through to the disk', async () => {
    await using raw = await onSqlite();
    const vault = await openTokens(raw.target, SECRET);
    await vault.set('demo', { accessToken: 'a' });
    const { file } = raw.target;
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    // Bytes 18 and 19 of the header: 2 is write-ahead logging.
    expect([...(await readFile(file)).subarray(18, 20)]).toEqual([2, 2]);
    await vault.close();
  });

  it('is shared by eight processes that start at the same moment', async () => {
    await using raw = await onSqlite();
    expect(await race('store', Array(8).fill({ do: 'tokens', file: raw.target.file }))).toEqual(
      Array.from({ length: 8 }, () => true),
    );
    expect(await raw.rows()).toHaveLength(8);
  });

  it('keeps its locks while it is opened once more: one build of SQLite has it in one process, or the first to close drops all', async () => {
    await using raw = await onSqlite();
    const { file } = raw.target;
    await (await openTokens(raw.target, SECRET)).close();
    const holder = new Database(file);
    const hold = promisify<string, unknown>(holder.all.bind(holder));
    await hold('begin immediate');
    const vault = await openTokens(raw.target, SECRET);
    expect(await vault.get('demo')).toBeUndefined();
    await vault.close();
    const elsewhere = `const { Database } = require('sqlite3');
      new Database(process.argv[1]).run('begin immediate', (error) => console.log(error?.code ?? 'was let in'));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', elsewhere, file]);
    expect(stdout.trim()).toBe('SQLITE_BUSY');
    await hold('rollback');
    await promisify(holder.close.bind(holder))();
  });

  it('is refused when it is not a database, by each who asks', async () => {
    await using raw = await onSqlite();
    await writeFile(raw.target.file, 'A letter to my aunt. '.repeat(200));
    const vault = lazyTokens(raw.target, SECRET);
    await expect(vault.get('demo')).rejects.toMatchObject({ code: 'config_invalid' });
    await rm(raw.target.file);
    expect(await vault.get('demo')).toBeUndefined();
    await vault.close();
  });
});

describeOnce('a token server that is not there', () => {
  it.each(['postgres://ada:hunter2@127.0.0.1:9/test', 'redis://ada:hunter2@127.0.0.1:9'])(
    'is refused in words that hold no password: %s',
    async (url) => {
      const refused = await openTokens({ url }, SECRET).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'config_invalid' });
      expect(JSON.stringify(refused) + String(refused)).not.toContain('hunter2');
    },
  );
});

describe('a Redis of its own', () => {
  const binary = redisBinary();
  if (binary === undefined) {
    missing('redis-server', 'redis-server is not installed here.');
    return;
  }

  it('at the end of a dead line: each call ends in seconds, and the next one has a fresh line [K1]', async () => {
    await using server = await createOwnRedis(binary);
    const proxy = await createProxy();
    proxy.to(server.port);
    const vault = lazyTokens({ url: `redis://127.0.0.1:${proxy.port}` }, SECRET);
    try {
      await vault.set('demo', { accessToken: 'first' });
      proxy.deaden();
      const away = {
        code: 'store_unavailable',
        status: 503,
        message: expect.stringMatching(/^The token store .*does not answer/),
      };
      const asked = [
        vault.get('demo'),
        vault.set('demo', { accessToken: 'second' }),
        vault.delete('other'),
        vault.check(),
      ];
      for (const one of await Promise.allSettled(asked))
        expect(one).toMatchObject({ status: 'rejected', reason: away });
      expect(await vault.get('demo')).toEqual({ accessToken: 'first' });
      await vault.check();
      proxy.deaden();
    } finally {
      await vault.close().catch(() => {});
      await proxy.close();
    }
  }, 30_000);

  it.each([
    ['a full memory', ['CONFIG', 'SET', 'maxmemory', '1']],
    ['a replica', ['REPLICAOF', '127.0.0.1', '9']],
    ['too few replicas', ['CONFIG', 'SET', 'min-replicas-to-write', '1']],
  ])('is not ready when it takes no writes: %s [K1]', async (_, command) => {
    await using server = await createOwnRedis(binary);
    const vault = lazyTokens({ url: server.url }, SECRET);
    const client = createClient({ url: server.url });
    try {
      await vault.check();
      await client.connect();
      await client.sendCommand(command);
      await expect(vault.check()).rejects.toMatchObject({ message: expect.stringMatching(/takes no writes/) });
    } finally {
      await client.close();
      await vault.close();
    }
  });
});

async function onSqlite(): Promise<RawTokens & { readonly target: { readonly file: string } }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-tokens-'));
  const file = path.join(folder, 'tokens.db');
  const ask = (sql: string, ...values: string[]) =>
    new Promise<{ key: string; value: string }[]>((resolve, reject) => {
      const database = new Database(file, () => {
        database.all<{ key: string; value: string }>(sql, values, (error, rows) => {
          database.close();
          if (error === null) resolve(rows);
          else reject(error);
        });
      });
    });
  return {
    target: { file },
    rows: () => ask('select key, value from tokens order by key'),
    write: async (key, value) => void (await ask('update tokens set value = ? where key = ?', value, key)),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function onPostgres(makeSchema: Parameters<Parameters<typeof describePostgres>[0]>[0]): Promise<RawTokens> {
  const { target, remove } = await makeSchema();
  const client = new pg.Client({ connectionString: target.url, options: `-c search_path=${target.schema}` });
  await client.connect();
  await client.query(`create schema ${target.schema}`);
  return {
    target,
    rows: async () => (await client.query('select key, value from tokens order by key')).rows,
    write: async (key, value) => void (await client.query('update tokens set value = $1 where key = $2', [value, key])),
    async [Symbol.asyncDispose]() {
      await client.end();
      await remove();
    },
  };
}

async function onRedis(): Promise<RawTokens> {
  // A numbered database of its own, away from whatever else is kept there.
  const url = new URL(redisUrl);
  url.pathname = '/15';
  const client = createClient({ url: url.href });
  await client.connect();
  const clear = async () => {
    for (const key of await client.keys('*tokens:*')) await client.del(key);
  };
  await clear();
  return {
    target: { url: url.href },
    rows: async () => {
      const keys = (await client.keys('*tokens:*')).toSorted();
      return Promise.all(keys.map(async (key) => ({ key, value: (await client.get(key)) ?? '' })));
    },
    write: async (key, value) => void (await client.set(key, value)),
    async [Symbol.asyncDispose]() {
      await clear();
      await client.close();
    },
  };
}

function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port || 6379), timeout: 1000 });
    for (const event of ['connect', 'error', 'timeout'])
      socket.once(event, () => {
        socket.destroy();
        resolve(event === 'connect');
      });
  });
}
