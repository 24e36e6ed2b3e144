import type { Route } from '../../ports/route.ts';
import { batchRoutes } from './batches.ts';
import { crmRoutes } from './crm.ts';
import type { RouteDeps } from './deps.ts';
import { eventRoutes } from './events.ts';
import { hostLinkRoutes } from './host-links.ts';
import { linkRoutes } from './links.ts';
import { logRoutes } from './logs.ts';
import { mappingRoutes } from './mappings.ts';
import { recordRoutes } from './records.ts';

/** An outbound message of 100 notifications with long texts stays below this; so does a list of 1,000 records. */
const MOST_BYTES = 5_000_000;

/** Every HTTP route of the sync. Nothing here knows a server. */
export function syncRoutes(deps: RouteDeps) {
  const routes = [
    ...recordRoutes(deps),
    ...crmRoutes(deps),
    ...hostLinkRoutes(deps),
    ...logRoutes(deps),
    ...linkRoutes(deps),
    ...batchRoutes(deps),
    ...mappingRoutes(deps),
    ...eventRoutes(deps),
  ];
  return withMost(routes);
}

function withMost<R extends Route>(routes: readonly R[]): readonly R[] {
  return routes.map((route) => ({ ...route, maxBytes: MOST_BYTES }));
}
