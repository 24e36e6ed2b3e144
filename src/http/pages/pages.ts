import type { Hono } from 'hono';
import { latestRecovery } from '../../access/operators.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { mountAssets } from '../assets.ts';
import { readForm } from '../body.ts';
import { requireCsrf } from '../caller.ts';
import { readCookie } from '../cookie.ts';
import type { HttpDeps } from '../deps.ts';
import { originOf } from '../guard.ts';
import { type Env, toPattern } from '../hono-env.ts';
import { mountConsent } from '../oauth/consent.ts';
import { approvalPages } from './approvals.ts';
import { mountChat } from './chat.ts';
import { callbackPage } from './connect.ts';
import { isForPerson, show, showShell } from './show.ts';
import { mountSignIn } from './sign-in.ts';
import { mountSimulatedOrg } from './simulated-org.ts';

/** The console: pages for signed-in operators, their assets, and the way in. */
export function mountPages(
  app: Hono<Env>,
  deps: HttpDeps,
  isSecure: boolean,
): readonly { method: string; path: string }[] {
  mountAssets(app);

  const pages = [callbackPage(deps), ...approvalPages(deps)];
  for (const page of pages)
    app.on(page.method, toPattern(page.path), async (c) => {
      c.set('route', page.path);
      const session = await deps.access.session(readCookie(c.req.raw.headers, isSecure));
      if (session === undefined) return c.redirect(wayIn(c.req.raw), 303);
      const form = page.method === 'POST' ? await readForm(c.req.raw) : new URLSearchParams();
      if (page.method === 'POST') requireCsrf(session, form.get('csrf'));
      if (page.permission !== undefined) deps.access.require(session, page.permission, session.bots?.[0]);
      const reply = await page.handle({
        session,
        params: c.req.param() as Record<string, string>, // the pattern's own names, decoded
        query: new URL(c.req.url).searchParams,
        form,
        signal: c.req.raw.signal,
        origin: originOf(c.get('host'), deps.config),
      });
      if ('goTo' in reply) return c.redirect(reply.goTo, 303);
      const waiting = (await deps.approvals.lookAll({ pending: true, limit: 100 }, session)).length;
      return show(reply, {
        isSimulated: deps.isSimulated,
        signedIn: { operator: session, csrf: session.csrf, waiting },
        recovered: await latestRecovery(deps),
        here: reply.here,
      });
    });

  for (const path of APP_PATHS)
    app.get(path, async (c) => {
      c.set('route', path.replace(/:(\w+)/g, '{$1}'));
      if ((await deps.access.session(readCookie(c.req.raw.headers, isSecure))) === undefined)
        return c.redirect(wayIn(c.req.raw, new URL(c.req.url).search), 303);
      return showShell();
    });

  mountSimulatedOrg(app, deps);
  return [...mountConsent(app, deps, isSecure), ...pages, ...mountSignIn(app, deps, isSecure), ...mountChat(app, deps)];
}

/** Pages that the browser's app draws: the server sends the same frame for each, and the app asks the REST API. */
const APP_PATHS = [
  '/',
  '/approvals',
  '/bots',
  '/bots/:bot',
  '/connect/:bot',
  '/settings/notices',
  '/log',
  '/log/:seq',
  '/charts',
  '/sync',
  '/bots/:bot/sync',
  '/bots/:bot/actions',
  '/bots/:bot/actions/:action',
  '/bots/:bot/org',
  '/bots/:bot/sync/links',
  '/bots/:bot/sync/links/:kind/:localId',
  '/bots/:bot/sync/log',
  '/bots/:bot/sync/log/:id',
  '/bots/:bot/sync/events',
  '/bots/:bot/mappings/:kind',
  '/bots/:bot/policy',
  '/permissions',
  '/playground',
  '/settings',
  '/settings/operators',
  '/settings/apps',
];

/** To the sign-in and back again: only where looking was asked for; with its query where that holds filters and no OAuth code. */
function wayIn(request: Request, filters?: string): string {
  if (request.method !== 'GET' || !isForPerson(request))
    throw new GatehouseError('unauthenticated', 'Nobody is signed in here, or the session is over.', {
      next: 'Sign in with a one-time link from the terminal: gatehouse operator sign-in NAME.',
    });
  const { pathname, search } = new URL(request.url);
  const next = search === '' ? pathname : filters === undefined ? undefined : pathname + filters;
  return next === undefined ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`;
}
