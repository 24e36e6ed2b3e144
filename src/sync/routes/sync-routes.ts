import { batchRoutes } from './batches.ts';
import { crmRoutes } from './crm.ts';
import type { RouteDeps } from './deps.ts';
import { eventRoutes } from './events.ts';
import { hostLinkRoutes } from './host-links.ts';
import { linkRoutes } from './links.ts';
import { loadReportRoutes } from './load-report.ts';
import { logRoutes } from './logs.ts';
import { mappingRoutes } from './mappings.ts';
import { objectRoutes } from './objects.ts';
import { oneRoutes } from './one.ts';
import { quietRoutes } from './quiet.ts';
import { recordRoutes } from './records.ts';

/** An outbound message of 100 notifications with long texts stays below this; so does a list of 1,000 records. */
const MOST_BYTES = 5_000_000;

const PARTS = [
  recordRoutes,
  crmRoutes,
  hostLinkRoutes,
  logRoutes,
  linkRoutes,
  oneRoutes,
  batchRoutes,
  loadReportRoutes,
  quietRoutes,
  mappingRoutes,
  objectRoutes,
  eventRoutes,
] as const;

export type SyncRoute = ReturnType<(typeof PARTS)[number]>[number];

/** Every HTTP route of the sync. Nothing here knows a server. */
export function syncRoutes(deps: RouteDeps): readonly SyncRoute[] {
  const routes = PARTS.flatMap((part): readonly SyncRoute[] => part(deps));
  return routes.map((route) => ({ maxBytes: MOST_BYTES, ...route }));
}
