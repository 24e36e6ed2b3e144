import type { Keyv, KeyvStoreAdapter } from 'keyv';
import { GatehouseError } from '../../domain/errors.ts';
import type { TokenSet, TokenVault } from '../../ports/tokens.ts';
import { storeUnavailable } from '../engines/unavailable.ts';
import { createCipher } from './cipher.ts';

/** One SQLite file, or a server by postgres(ql)://, redis:// or rediss:// (`schema` on PostgreSQL only). */
export type TokenTarget = { readonly file: string } | { readonly url: string; readonly schema?: string };

const BUSY_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Letters only: keyv clears a namespace by LIKE, where `_` would match anything. */
const NAMESPACE = 'tokens';

/**
 * keyv, AES-256-GCM over the whole envelope, keys readable. It keeps its own SQLite file: on the store's it would wait for our
 * own open transaction.
 */
export async function openTokens(target: TokenTarget, secret: string | Buffer): Promise<TokenVault> {
  const [{ Keyv }, store] = await Promise.all([import('keyv'), openAdapter(target)]);
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
      await keyv.get('no such key').catch(away);
    },
    close: () => keyv.disconnect(),
  };
}

/** The same vault, opened by the first who asks: a listing of tools needs no token. */
export function lazyTokens(target: TokenTarget, secret: string | Buffer): TokenVault {
  let opening: Promise<TokenVault> | undefined;
  const vault = () => {
    opening ??= openTokens(target, secret).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    get: async (key) => (await vault()).get(key),
    set: async (key, value) => (await vault()).set(key, value),
    delete: async (key) => (await vault()).delete(key),
    check: async () => (await opening)?.check(),
    close: async () => (await opening)?.close(),
  };
}

async function openAdapter(target: TokenTarget): Promise<KeyvStoreAdapter> {
  if ('file' in target) return openSqlite(target.file);
  if (/^rediss?:/.test(target.url)) return openRedis(target.url);
  return openPostgres(target.url, target.schema);
}

async function openSqlite(file: string): Promise<KeyvStoreAdapter> {
  const [{ KeyvSqlite }, { openSqliteFile }] = await Promise.all([
    import('@keyv/sqlite'),
    import('../engines/sqlite.ts'),
  ]);
  // Makes folder and file for this account alone, sets WAL, and says in words what is wrong with a file that cannot be used.
  await (await openSqliteFile(file)).close();
  const adapter = new KeyvSqlite({ uri: `sqlite://${file}`, table: NAMESPACE, busyTimeout: BUSY_TIMEOUT_MS });
  adapter.on('error', () => {});
  // It connects by itself, and nobody would hear it fail.
  await adapter.query('select 1');
  return adapter;
}

async function openPostgres(url: string, schema: string | undefined): Promise<KeyvStoreAdapter> {
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
  return adapter;
}

async function openRedis(url: string): Promise<KeyvStoreAdapter> {
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
  return adapter;
}

/** A secret that does not fit is told as that; whatever else failed is the server, the line to it or the disk. */
function away(error: unknown): never {
  throw error instanceof GatehouseError ? error : storeUnavailable('does not answer', error);
}

function notOurs(): GatehouseError {
  return new GatehouseError(
    'config_invalid',
    'GATEHOUSE_SECRET is not the one these tokens were stored with, or they were changed.',
    { next: 'Put the former secret back, or connect the bot again to store new tokens.' },
  );
}
