import type { Role } from '../../permissions/catalog.ts';
import { createAccess } from '../../src/access/create-access.ts';
import { serveRoutes } from '../../src/http/server.ts';
import { botNamed } from '../../src/policy/permit.ts';
import { readConfig } from '../../src/runtime/config.ts';
import { createCipher } from '../../src/store/secrets/cipher.ts';
import type { HostDeed, RouteDeps } from '../../src/sync/routes/deps.ts';
import { syncRoutes } from '../../src/sync/routes/sync-routes.ts';
import { checkAnswer } from '../support/answers.ts';
import type { SyncWorld } from './world.ts';

/** What routes put into the audit. */
export const deeds: HostDeed[] = [];

export function depsOf(world: SyncWorld): RouteDeps {
  return {
    sync: world.sync,
    store: world.store,
    now: () => world.clock.now,
    newId: () => crypto.randomUUID(),
    owner: 'door',
    wait: async () => {},
    policyOf: async (bot) => (await world.fresh.store.bots.get(bot))?.policy,
    connectionOf: (bot) => world.fresh.store.connections.get(bot),
    connectorOf: async (bot) => (await world.fresh.store.connections.get(bot))?.id,
    connectionStatus: (bot) => world.connections.status(bot),
    noteEvent: (bot, at) => world.fresh.store.connections.patch(bot, { lastEventAt: at }),
    openOrg: (bot) => world.org(bot),
    onChange() {},
    audit: async (entry) => void deeds.push(entry),
    requireBot: async (name) => (await botNamed(world.fresh.store, name)).name,
    publicUrl: 'https://gate.example',
    cipher: createCipher('a secret of this test', 'webhooks'),
    hooks: world.delivery.hooks,
  };
}

interface Answered {
  readonly status: number;
  readonly type: string;
  /** Its JSON, or the text itself. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies of answers
  readonly body: any;
}

/** Rejects with the error that was answered. */
export type Ask = (method: string, path: string, body?: unknown) => Promise<Answered>;

/** The real HTTP door with the routes of the sync, asked with keys of the bot's host app and of an operator. */
export function door(world: SyncWorld, role: Role = 'admin'): Ask {
  const { clock, fresh } = world;
  const now = () => clock.now;
  const access = createAccess({ store: fresh.store, secret: 'a secret of this test', now });
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const deps = { config: readConfig({}), log, now, access, isSimulated: true, checkAnswer };
  const http = serveRoutes(deps, syncRoutes(depsOf(world)));
  const keys = Promise.all([
    access.issueKey('host', 'demo'),
    access.createOperator(`${role}-${crypto.randomUUID()}`, role),
  ]);
  return async (method, path, body) => {
    const [hostKey, operatorKey] = await keys;
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: {
        host: 'localhost',
        authorization: `Bearer ${path.startsWith('/api/bots/') ? operatorKey : hostKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await http.fetch(request, { remoteAddress: '127.0.0.1' });
    const type = answer.headers.get('content-type') ?? '';
    const text = await answer.text();
    const read = type === 'application/json' ? JSON.parse(text) : text;
    if (!answer.ok) throw Object.assign(new Error(read.error.message), read.error);
    return { status: answer.status, type, body: read };
  };
}

// biome-ignore lint/suspicious/noExplicitAny: bodies of answers
export const bodyOf = async (answer: Promise<Answered>): Promise<any> => (await answer).body;
