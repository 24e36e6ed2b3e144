import type { Hono } from 'hono';
import { readText } from '../body.ts';
import type { HttpDeps } from '../deps.ts';
import type { Env } from '../hono-env.ts';

/** Where the embedded org's own pages stand; links to its records lead here. */
const BASE = '/simulated-org';

/** Without a sign-in, so for whoever sits at this machine alone: not for a name that leads here, nor through a proxy. */
export function mountSimulatedOrg(app: Hono<Env>, { simulatedOrg }: HttpDeps): void {
  if (simulatedOrg === undefined) return;
  for (const path of [BASE, `${BASE}/*`])
    app.on(['GET', 'POST'], path, async (c) => {
      c.set('route', BASE);
      const { method, headers, url } = c.req.raw;
      const { pathname, search } = new URL(url);
      const at = new URL(`${pathname.slice(BASE.length) || '/'}${search}`, 'http://sim.localhost');
      const body = method === 'POST' ? await readText(c.req.raw) : undefined;
      const request = new Request(at, { method, headers, ...(body === undefined ? {} : { body }) });
      return (await simulatedOrg()).page(request, { loopback: c.env.peer.isHere, base: BASE });
    });
}
