import { createSealedText } from '../../src/store/secrets/sealed-text.ts';
import { syncRoutes } from '../../src/sync/routes/mount.ts';
import type { HostDeed, RouteAnswer, RouteDeps, RouteRequest } from '../../src/sync/routes/route.ts';
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
    hasBot: async (bot) => (await world.fresh.store.bots.get(bot)) !== undefined,
    publicUrl: 'https://gate.example',
    seal: createSealedText('a secret of this test', 'webhooks'),
    hooks: world.delivery.hooks,
  };
}

export type Ask = (method: string, path: string, body?: unknown, more?: Partial<RouteRequest>) => Promise<RouteAnswer>;

export function door(world: SyncWorld): Ask {
  const routes = syncRoutes(depsOf(world));
  return async (method, target, body, more = {}) => {
    const url = new URL(target, 'http://door');
    for (const route of routes) {
      const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
      const match = new RegExp(`^${route.path.replace(/\{\w+\}/g, '([^/]+)')}$`).exec(url.pathname);
      if (!match || route.method !== method) continue;
      const params = Object.fromEntries(names.map((name, n) => [name, decodeURIComponent(match[n + 1] ?? '')]));
      return route.handle({
        bot: route.key === 'host' ? 'demo' : '',
        params,
        query: Object.fromEntries(url.searchParams),
        body,
        text: '',
        principal: 'test',
        signal: new AbortController().signal,
        ...more,
      });
    }
    throw new Error(`no route ${method} ${target}`);
  };
}

// biome-ignore lint/suspicious/noExplicitAny: bodies of answers
export const bodyOf = async (answer: Promise<RouteAnswer>): Promise<any> => (await answer).body;
