import type { Keyv, KeyvStoreAdapter } from 'keyv';
import { GatehouseError } from '../../domain/errors.ts';
import type { TokenSet, TokenVault } from '../../ports/tokens.ts';
import { storeUnavailable } from '../engines/unavailable.ts';
import { createCipher } from './cipher.ts';

/** One SQLite file, or a server by postgres(ql)://, redis:// or rediss:// (`schema` on PostgreSQL only). */
export type TokenTarget = { readonly file: string } | { readonly url: string; readonly schema?: string };

const BUSY_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A server that says nothing for this long is at the end of a dead line: the call ends, and the next one opens a fresh one. */
const ANSWER_MS = 5_000;
/** No bot's: a name of theirs has no blanks. */
const PROOF = 'no such key';
/** Letters only: keyv clears a namespace by LIKE, where `_` would match anything. */
const NAMESPACE = 'tokens';

/**
 * keyv, AES-256-GCM over the whole envelope, keys readable. It keeps its own SQLite file: on the store's it would wait for our
 * own open transaction.
 */
export async function openTokens(target: TokenTarget, secret: string | Buffer): Promise<OpenVault> {
  const [{ Keyv }, { store, drop }] = await Promise.all([import('keyv'), openAdapter(target)]);
  const cipher = createCipher(secret, 'tokens');
  const open = (text: string) => {
    try {
      return cipher.decrypt(text);
    } catch {
      throw notOurs();
    }
  };
  const keyv: Keyv<{ readonly key: string; readonly tokens: TokenSet }> = new Keyv({
    store,
    namespace: NAMESPACE,
    throwOnErrors: true,
    serialize: async (envelope) => cipher.encrypt(JSON.stringify(envelope)),
    deserialize: async (text) => JSON.parse(open(text)),
  });
  // They are thrown to whoever asked; a listener keeps them from being thrown a second time.
  keyv.on('error', () => {});

  return {
    async get(key) {
      const kept = await keyv.get(key).catch(away);
      // The key is encrypted with them, so that one bot's tokens cannot be moved to another in the database.
      if (kept !== undefined && kept.key !== key) throw notOurs();
      return kept?.tokens;
    },
    async set(key, tokens) {
      await keyv.set(key, { key, tokens }).catch(away);
    },
    async delete(key) {
      await keyv.delete(key).catch(away);
    },
    async check() {
      await keyv.set(PROOF, { key: PROOF, tokens: { accessToken: '' } }, PROOF_MS).catch(away);
      await keyv.delete(PROOF).catch(away);
    },
    close: () => keyv.disconnect(),
    drop,
  };
}

/** Of what a check writes, where it dies before it has deleted it. */
const PROOF_MS = 60_000;

interface OpenVault extends TokenVault {
  /** Closes what does not answer, waiting for nothing. */
  drop(): Promise<void>;
}

/** The same vault, opened by the first who asks: a listing of tools needs no token. */
export function lazyTokens(target: TokenTarget, secret: string | Buffer): TokenVault {
  let opening: Promise<OpenVault> | undefined;
  let wasOpen = false;
  const vault = () => {
    opening ??= openTokens(target, secret).then(
      (open) => {
        wasOpen = true;
        return open;
      },
      (error: unknown) => {
        opening = undefined;
        // An address that was right before is right still: the server is away.
        throw wasOpen ? tokensUnavailable('does not answer', error) : error;
      },
    );
    return opening;
  };
  const ask = async <T>(work: (open: OpenVault) => Promise<T>): Promise<T> => {
    const asked = vault();
    const open = await asked;
    // A file has no line that could be dead, and its own end of waiting.
    if ('file' in target) return work(open);
    return inTime(work(open), () => {
      if (opening === asked) opening = undefined;
      void open.drop().catch(() => {});
    });
  };
  return {
    get: (key) => ask((open) => open.get(key)),
    set: (key, value) => ask((open) => open.set(key, value)),
    delete: (key) => ask((open) => open.delete(key)),
    check: () => ask((open) => open.check()),
    async close() {
      if (opening !== undefined) await ask((open) => open.close());
    },
  };
}

/** Ends the wait after five seconds, and what is waited for by `onLate`. */
function inTime<T>(work: Promise<T>, onLate: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      reject(tokensUnavailable('does not answer', new Error(`no answer of the token store within ${ANSWER_MS} ms`)));
      onLate();
    }, ANSWER_MS);
    work.finally(() => clearTimeout(late)).then(resolve, reject);
  });
}

interface Adapter {
  readonly store: KeyvStoreAdapter;
  readonly drop: () => Promise<void>;
}

async function openAdapter(target: TokenTarget): Promise<Adapter> {
  if ('file' in target) return openSqlite(target.file);
  if (/^rediss?:/.test(target.url)) return openRedis(target.url);
  return openPostgres(target.url, target.schema);
}

/** By keyv's SQLite alone: were it opened by ours too, the first to close it would drop the locks of the other. */
async function openSqlite(file: string): Promise<Adapter> {
  const [{ KeyvSqlite }, { createPatience, openPrivately }] = await Promise.all([
    import('@keyv/sqlite'),
    import('../engines/sqlite.ts'),
  ]);
  const { adapter } = await openPrivately(file, async () => {
    const made = new KeyvSqlite({ uri: `sqlite://${file}`, table: NAMESPACE, busyTimeout: BUSY_TIMEOUT_MS });
    made.on('error', () => {});
    const wait = createPatience(file);
    const all = <R>(sql: string) => wait(sql, async (): Promise<R[]> => made.query(sql));
    // It connects by itself, and nobody would hear it fail.
    await all('select 1');
    return { adapter: made, all, close: async () => made.close() };
  });
  return { store: adapter, drop: () => adapter.disconnect() };
}

async function openPostgres(url: string, schema: string | undefined): Promise<Adapter> {
  const [{ KeyvPostgres }, { openPool }] = await Promise.all([
    import('@keyv/postgres'),
    import('../engines/postgres.ts'),
  ]);
  const pool = await openPool(url, { schema, max: 2 });
  /** With a pool of its own: the adapter's is one per process, and an idle connection that ends would end the process. */
  class KeyvPool extends KeyvPostgres {
    override async connect() {
      return async (sql: string, values?: unknown[]) => (await pool.query(sql, values)).rows;
    }
    override disconnect() {
      return pool.end();
    }
  }
  const { rows } = await pool.query<{ name: string }>('select current_schema() as name');
  const adapter = new KeyvPool({ uri: url, table: NAMESPACE, schema: rows[0]?.name ?? 'public' });
  adapter.on('error', () => {});
  await adapter.query('select 1');
  return { store: adapter, drop: () => pool.end() };
}

async function openRedis(url: string): Promise<Adapter> {
  const { default: KeyvRedis } = await import('@keyv/redis');
  let isUp = false;
  const adapter = new KeyvRedis(
    {
      url,
      // A call made while Redis is away fails at once instead of waiting in a queue.
      disableOfflineQueue: true,
      socket: {
        connectTimeout: CONNECT_TIMEOUT_MS,
        // Come back to a server that was there, with patience; one that never was is a wrong address.
        reconnectStrategy: (attempts: number) => isUp && Math.min(2 ** attempts * 50, 2000),
      },
    },
    { throwOnErrors: true, throwOnConnectError: true, connectionTimeout: CONNECT_TIMEOUT_MS },
  );
  adapter.on('error', () => {});
  try {
    await adapter.getClient();
    isUp = true;
  } catch (cause) {
    throw new GatehouseError('config_invalid', 'The token store on Redis cannot be reached.', {
      next: 'Check that the server runs and that REDIS_URL holds its address, user and password.',
      cause,
    });
  }
  return { store: adapter, drop: () => adapter.disconnect(true) };
}

/** A replica, no memory, no disk. https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const REDIS_TAKES_NO_WRITES = /\b(READONLY|OOM|MISCONF|NOREPLICAS)\b/;

/** A secret that does not fit is told as that; whatever else failed is the server, the line to it or the disk. */
function away(error: unknown): never {
  if (error instanceof GatehouseError) throw error;
  throw tokensUnavailable(REDIS_TAKES_NO_WRITES.test(String(error)) ? 'takes no writes' : 'does not answer', error);
}

/** It is a server or a file of its own: whoever looks at the database finds it well. */
const tokensUnavailable = (problem: Parameters<typeof storeUnavailable>[0], cause: unknown) =>
  storeUnavailable(problem, cause, 'token store');

function notOurs(): GatehouseError {
  return new GatehouseError(
    'config_invalid',
    'GATEHOUSE_SECRET is not the one these tokens were stored with, or they were changed.',
    { next: 'Put the former secret back, or connect the bot again to store new tokens.' },
  );
}
