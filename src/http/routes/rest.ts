import type { HttpDeps } from '../deps.ts';
import { botOpenApiRoute, openApiRoute } from '../openapi.ts';
import { actionRoutes } from './actions.ts';
import { appRoutes } from './apps.ts';
import { auditRoutes } from './audit.ts';
import { botRoutes } from './bots.ts';
import { chartsRoute } from './charts.ts';
import { chatRoutes } from './chat.ts';
import { declaredRoutes } from './declared.ts';
import { demoRoute } from './demo.ts';
import { eventRoute } from './events.ts';
import { healthRoutes } from './health.ts';
import { installRoute } from './install.ts';
import { integrationRoutes } from './integration.ts';
import { noticeRoutes } from './notices.ts';
import { operatorRoutes } from './operators.ts';
import { orgRoutes } from './org.ts';
import { permissionRoutes } from './permissions.ts';
import { playgroundRoutes } from './playground.ts';
import { policyRoutes } from './policy.ts';
import { proposalRoutes } from './proposals.ts';
import { roleRoutes } from './roles.ts';
import { searchRoute } from './search.ts';
import { sessionRoute } from './session.ts';
import { sessionRoutes } from './sessions.ts';

/** Every REST route of this door, in the order of the OpenAPI document. */
export function restRoutes(deps: HttpDeps) {
  const routes = [
    sessionRoute(deps),
    eventRoute(deps),
    searchRoute(deps),
    ...botRoutes(deps),
    demoRoute(deps),
    ...actionRoutes(deps),
    ...declaredRoutes(deps),
    ...proposalRoutes(deps),
    ...noticeRoutes(deps),
    ...integrationRoutes(deps),
    ...orgRoutes(deps),
    ...permissionRoutes(deps),
    ...policyRoutes(deps),
    ...operatorRoutes(deps),
    ...roleRoutes(deps),
    ...appRoutes(deps),
    installRoute(deps),
    ...auditRoutes(deps),
    chartsRoute(deps),
    ...sessionRoutes(deps),
    ...chatRoutes(deps),
    ...playgroundRoutes(deps),
    ...healthRoutes(deps),
  ];
  const all = [...routes, ...(deps.routes ?? [])];
  return [...routes, openApiRoute(deps, all), botOpenApiRoute(deps, all)];
}
