import { syncStatus } from '../../src/sync/jobs/status.ts';
import type { SyncWorld } from './world.ts';

/** How the sync of the world's bot stands, as its page and its command tell it. */
export async function status(world: SyncWorld) {
  const { bots, connections } = world.fresh.store;
  const deps = {
    store: world.store,
    now: () => world.clock.now,
    policyOf: async (bot: string) => (await bots.get(bot))?.policy,
    connectionStatus: (bot: string) => world.connections.status(bot),
    openOrg: (bot: string) => world.org(bot),
  };
  return syncStatus(deps, { bot: 'demo', orgId: (await connections.get('demo'))?.orgId ?? '' });
}
