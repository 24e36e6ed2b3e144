import type { Hono } from 'hono';
import { signInView } from '../../console/sign-in.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { httpFacts } from '../../domain/http-refusal.ts';
import { readForm, readJson } from '../body.ts';
import { requireCsrf } from '../caller.ts';
import { clearedCookie, readCookie, sessionCookie } from '../cookie.ts';
import type { HttpDeps } from '../deps.ts';
import type { Env } from '../hono-env.ts';
import { networkOf } from '../network.ts';
import { createRateLimit } from '../rate-limit.ts';
import { show } from './show.ts';

/** A link and where to go afterwards: whoever may not come in yet makes us read no more. */
const MOST_BYTES = 16 * 1024;

/** The way in. Opening a link changes nothing; only the POST redeems its token, so previews and scanners cannot use it up. */
export function mountSignIn(
  app: Hono<Env>,
  { access, audit, isSimulated, now }: HttpDeps,
  isSecure: boolean,
): readonly { method: string; path: string }[] {
  const misses = createRateLimit({ most: 10, windowMs: 60_000, now });
  /** Only what is wrong counts: behind a proxy all come from one address, and a stranger's tries must shut nobody out. */
  const redeem = async (token: string, remote: string) => {
    try {
      return await access.redeem(token);
    } catch (error) {
      if (error instanceof GatehouseError && error.code === 'unauthenticated') misses.consume(networkOf(remote));
      throw error;
    }
  };

  app.get('/sign-in', (c) => {
    c.set('route', '/sign-in');
    return show({ title: 'Sign in', body: signInView(localPath(c.req.query('next'))) }, { isSimulated });
  });

  app.post('/sign-in', async (c) => {
    c.set('route', '/sign-in');
    const isJson = c.req.header('content-type')?.startsWith('application/json') ?? false;
    const given = isJson ? await jsonToken(c.req.raw) : await readForm(c.req.raw, MOST_BYTES);
    const next = localPath(given.get('next') ?? undefined);
    try {
      const { cookie, session } = await redeem(tokenIn(given.get('token') ?? ''), c.env.peer.address);
      await audit.record({ ...by(session.name), event: 'signed_in', detail: { from: c.env.peer.address } });
      c.header('set-cookie', sessionCookie(cookie, isSecure));
      if (!isJson) return c.redirect(next, 303);
      const { name, role, csrf, expiresAt } = session;
      return c.json({ operator: { name, role }, csrf, expiresAt: new Date(expiresAt).toISOString() });
    } catch (error) {
      if (isJson || !(error instanceof GatehouseError)) throw error;
      const { status } = httpFacts(error);
      return show({ title: 'Sign in', body: signInView(next, error), status }, { isSimulated });
    }
  });

  app.post('/sign-out', async (c) => {
    c.set('route', '/sign-out');
    const cookie = readCookie(c.req.raw.headers, isSecure);
    const session = await access.session(cookie);
    if (cookie !== undefined && session !== undefined) {
      requireCsrf(session, (await readForm(c.req.raw)).get('csrf'));
      await access.signOut(cookie);
      await audit.record({ ...by(session.name), event: 'signed_out' });
    }
    c.header('set-cookie', clearedCookie(isSecure));
    return c.redirect('/sign-in', 303);
  });

  return [
    { method: 'GET', path: '/sign-in' },
    { method: 'POST', path: '/sign-in' },
    { method: 'POST', path: '/sign-out' },
  ];
}

const by = (operator: string) => ({ principal: `operator:${operator}`, channel: 'console', action: 'sign-in' });

async function jsonToken(request: Request): Promise<URLSearchParams> {
  const body = await readJson(request, { maxBytes: MOST_BYTES });
  const token = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined;
  return new URLSearchParams(typeof token === 'string' ? { token } : {});
}

/** People paste the whole link. */
function tokenIn(given: string): string {
  return given.trim().replace(/^.*#(token=)?/, '');
}

/** Only a path of ours: `//other.example` and `/\other.example` lead away. */
function localPath(given: string | undefined): string {
  return given !== undefined &&
    /^\/(?![/\\])[\w\-./%~]*(\?[\w\-./%~=&+:]*)?$/.test(given) &&
    !given.startsWith('/sign-')
    ? given
    : '/';
}
