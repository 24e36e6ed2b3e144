import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { type GatehouseError, isOurs, toGatehouseError } from '../domain/errors.ts';
import { errorResponse, HttpRefusal } from '../domain/http-refusal.ts';
import { parseInTurns, parseOrThrow } from '../domain/validation.ts';
import type { Caller, Route, StreamReply } from '../ports/route.ts';
import { readJson, readText } from './body.ts';
import { callerOf } from './caller.ts';
import type { HttpDeps, RequestInfo } from './deps.ts';
import { STREAM_HEADERS, type StreamOptions, toEventStream, toTextStream } from './event-stream.ts';
import { checkHost, checkOrigin, originOf } from './guard.ts';
import { API_CSP, mayBeFramed, securityHeaders } from './headers.ts';
import { type Env, toPattern } from './hono-env.ts';
import { networkOf } from './network.ts';
import { forAnyOrigin, isForAnyOrigin, mountOauthEndpoints, preflight } from './oauth/endpoints.ts';
import { mountPages } from './pages/pages.ts';
import { errorPage, isForPerson } from './pages/show.ts';
import { createPeers } from './peer.ts';
import { createPlaces, type Places } from './places.ts';
import { createRateLimit, type RateLimit } from './rate-limit.ts';
import { restRoutes } from './routes/rest.ts';
import { createStreams, type Place, type Streams } from './streams.ts';
import { fewUnanswered } from './unanswered.ts';

/**
 * The HTTP door: REST, the console's pages and the MCP mount behind one set of guards. Every answer has the security
 * headers and a request id, every failure the shape of section E, and no log line holds a query, a body or a token.
 */
export interface Http {
  fetch(request: Request, info: RequestInfo): Promise<Response>;
  /** Ends open streams: those that have no end of their own, or all. */
  endStreams(which: 'endless' | 'all'): void;
}

/** What the guards and the routes' callers need. */
export type RoutesDeps = Pick<HttpDeps, 'config' | 'log' | 'now' | 'access' | 'isSimulated' | 'mcp' | 'checkAnswer'> &
  Partial<Pick<HttpDeps, 'identity'>>;

/** The MCP address, also a bot's own, and those where its clients look for a sign-in. */
const MCP_PATHS = ['/mcp', '/mcp/:bot', '/.well-known/*', '/register'];

/** Probes ask by address, with whatever Host they have, and learn nothing. */
const PROBES = new Set(['/healthz', '/readyz']);

export function createHttp(deps: HttpDeps): Http {
  const routes = [...restRoutes(deps), ...(deps.routes ?? [])];
  return serveRoutes(deps, routes, (app, isSecure) => mountPages(app, deps, isSecure));
}

/** Routes, and pages where there are some, behind the guards. */
export function serveRoutes(
  deps: RoutesDeps,
  routes: readonly Route[],
  mountMore: (app: Hono<Env>, isSecure: boolean) => readonly { method: string; path: string }[] = () => [],
): Http {
  const isSecure = deps.config.url?.startsWith('https:') ?? false;
  const peerOf = createPeers(deps.config, deps.log);
  const app = new Hono<Env>();

  app.use(async (c, next) => {
    c.set('id', randomUUID());
    c.set('route', '(unmatched)');
    const startedAt = deps.now();
    await next();
    for (const [name, value] of Object.entries(securityHeaders(isSecure))) c.header(name, value);
    c.header('x-request-id', c.get('id'));
    if (!c.res.headers.has('content-security-policy')) c.header('content-security-policy', API_CSP);
    // The older header cannot name the sites that may frame a page, so it stays away where there are some.
    if (!mayBeFramed(c.res.headers)) c.header('x-frame-options', 'DENY');
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
    // The route's own pattern, never the path: paths hold webhook tokens and ids.
    deps.log.info('request', {
      id: c.get('id'),
      method: c.req.method,
      route: c.get('route'),
      status: c.res.status,
      ms: deps.now() - startedAt,
    });
  });

  app.use(async (c, next) => {
    if (PROBES.has(c.req.path)) return next();
    c.set('host', checkHost(c.env.peer, deps.config));
    if (isForAnyOrigin(c.req.path)) {
      if (c.req.method === 'OPTIONS') c.res = preflight();
      else await next();
      c.res = forAnyOrigin(c.res);
      return undefined;
    }
    checkOrigin(c.req.raw.headers, c.get('host'), deps.config, isForMcp(c.req.path) ? deps.config.allowedOrigins : []);
    return next();
  });

  const { mcp, identity } = deps;
  const oauth = identity === undefined ? [] : mountOauthEndpoints(app, { ...deps, identity });
  if (mcp !== undefined)
    for (const path of MCP_PATHS)
      app.all(path, async (c) => {
        c.set('route', path);
        return mcp.handle(c.req.raw, originOf(c.get('host'), deps.config));
      });

  const limits: Limits = {
    misses: createRateLimit({ most: 30, windowMs: 60_000, now: deps.now }),
    senders: createRateLimit({ most: 0, windowMs: 60_000, now: deps.now }),
    places: createPlaces(),
    streams: createStreams(),
  };
  for (const route of routes)
    app.on(route.method, toPattern(route.path), async (c) => {
      c.set('route', route.path);
      return answer(deps, limits, route, c, isSecure);
    });

  const known = [...oauth, ...routes, ...mountMore(app, isSecure)];
  for (const path of new Set(known.map((route) => route.path))) {
    const allowed = known.filter((route) => route.path === path).map(({ method }) => method);
    app.all(toPattern(path), (c) => {
      c.set('route', path);
      throw wrongMethod(allowed);
    });
  }
  app.notFound(() => {
    throw new HttpRefusal(404, 'not_found', 'There is nothing at this address.', {
      next: 'Open / for the console, or see /api/openapi.json for the routes.',
    });
  });

  app.onError((thrown, c) => {
    const error = toGatehouseError(thrown, () => c.get('id'));
    noteError(deps, error, c.get('id'));
    return isForPerson(c.req.raw) ? errorPage(error, deps.isSimulated) : errorResponse(error);
  });

  return {
    fetch: async (request, info) => app.fetch(request, { peer: peerOf(request.headers, info.remoteAddress) }),
    endStreams: limits.streams.end,
  };
}

/** What an unusable input is called. */
const REQUEST = { what: 'The request', whole: '(body)' };

interface Limits {
  /** Wrong secrets of a route's own, per address. */
  readonly misses: RateLimit;
  /** Calls with right ones, per sender. */
  readonly senders: RateLimit;
  readonly places: Places;
  readonly streams: Streams;
}

async function answer(
  deps: RoutesDeps,
  { misses, senders, places, streams }: Limits,
  route: Route,
  c: Context<Env>,
  isSecure: boolean,
): Promise<Response> {
  const { raw } = c.req;
  const params = c.req.param() as Record<string, string>; // the pattern's own names, decoded
  const caller = await callerOf(deps.access, raw, route.who, isSecure);
  authorize(deps, route, caller, params);
  const admission = (await route.admit?.({ params, headers: raw.headers })) ?? { as: '' };
  const refused = 'refused' in admission ? admission.refused : undefined;
  const sender = 'as' in admission ? admission.as : '';
  if (refused !== undefined) misses.consume(networkOf(c.env.peer.address));
  else if (route.mostPerMinute !== undefined) senders.consume(`${route.path} ${sender}`, route.mostPerMinute);
  const reply =
    refused ??
    (await places.within(route, sender, async () =>
      route.handle({
        params,
        caller,
        query: route.query === undefined ? {} : parseOrThrow(route.query, c.req.query(), REQUEST),
        body: await bodyFor(route, raw),
        headers: raw.headers,
        signal: raw.signal,
        requestId: c.get('id'),
        remote: c.env.peer.address,
        baseUrl: originOf(c.get('host'), deps.config),
      }),
    ));
  if (refused === undefined) deps.checkAnswer?.(route, reply);
  const status = reply.status ?? route.status ?? 200;
  const streaming: StreamOptions = {
    signal: raw.signal,
    newId: () => c.get('id'),
    note: (error) => noteError(deps, error, c.get('id')),
  };
  if ('stream' in reply) {
    const place = streams.take(reply.listener, reply.isEndless ?? false);
    const events = await toEventStream(placed(reply.stream, place), {
      ...streaming,
      signal: AbortSignal.any([raw.signal, place.signal]),
      ...(reply.isEndless ? { refusalMs: 0 } : {}),
    });
    return new Response(events, { status, headers: { ...STREAM_HEADERS, ...reply.headers } });
  }
  const [text, type] = 'json' in reply ? [JSON.stringify(reply.json), 'application/json'] : [reply.text, reply.type];
  const body = typeof text === 'string' ? text : toTextStream(text, streaming);
  return new Response(body, { status, headers: { 'content-type': type, ...reply.headers } });
}

/** Its place is free again when it is over, however it ends. */
const placed = (stream: StreamReply['stream'], place: Place) =>
  async function* (signal: AbortSignal): AsyncGenerator<object> {
    try {
      yield* stream(signal);
    } finally {
      place.leave();
    }
  };

/** Before the body is read: whoever may not call should not make us work. */
function authorize(deps: RoutesDeps, route: Route, caller: Caller, params: Readonly<Record<string, string>>): void {
  if (caller.kind === 'operator') {
    // Where the route narrows its answer by itself, any of the operator's bots will do here.
    const bot = params.bot ?? (route.isNarrowed ? caller.operator.bots?.[0] : undefined);
    if (route.permission !== undefined) deps.access.require(caller.operator, route.permission, bot);
    else if (!route.isNarrowed) deps.access.requireBot(caller.operator, bot ?? null);
  }
  if ((caller.kind === 'agent' || caller.kind === 'host') && params.bot !== undefined && params.bot !== caller.bot)
    throw new HttpRefusal(403, 'permission_denied', 'This key belongs to another bot.', {
      next: 'Use the key of the bot that the address names.',
    });
}

async function bodyFor(route: Route, request: Request): Promise<unknown> {
  if (route.body === undefined) return undefined;
  if (route.body === 'text') return readText(request, route.maxBytes);
  return parseInTurns(route.body, (await readJson(request, route)) ?? {}, REQUEST);
}

/** The cause stays here: outside there is only the id. */
export function noteError(deps: Pick<HttpDeps, 'log'>, error: GatehouseError, id: string): void {
  if (!isOurs(error)) return;
  const { cause } = error;
  deps.log.error('request failed', {
    id,
    cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
  });
}

function isForMcp(path: string): boolean {
  return MCP_PATHS.some((own) => (/[*:]/.test(own) ? path.startsWith(own.replace(/[*:].*/, '')) : path === own));
}

function wrongMethod(allowed: readonly string[]): HttpRefusal {
  return new HttpRefusal(
    405,
    'invalid_input',
    `This address takes ${allowed.join(', ')}.`,
    { next: 'See /api/openapi.json for the routes.' },
    { allow: allowed.join(', ') },
  );
}

export interface Listening {
  /** Where people and links reach it. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** How long open answers may take to end when we stop. */
const CLOSE_GRACE_MS = 2_000;
const SWEEP_MS = 20;

export async function listen(deps: HttpDeps, at: { host: string; port: number }): Promise<Listening> {
  const http = createHttp(deps);
  const answer = getRequestListener(
    (request, { incoming }) =>
      http.fetch(request, { remoteAddress: (incoming as IncomingMessage).socket.remoteAddress ?? 'unknown' }),
    // The rest of the house keeps the platform's own Request and Response.
    { overrideGlobalObjects: false },
  );
  // A sender that trickles its request holds a socket no longer than this.
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 15_000 }, fewUnanswered(answer));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, resolve);
  });
  // A connection that could not be accepted (no file handle is left): the next one may be.
  server.on('error', (error) => deps.log.error('a connection could not be accepted', { cause: String(error) }));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return {
    url: deps.config.url ?? `http://${urlHost(at.host)}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        http.endStreams('endless');
        const impatient = setTimeout(() => {
          http.endStreams('all');
          server.closeAllConnections();
        }, CLOSE_GRACE_MS);
        impatient.unref();
        // A browser keeps its connection when the answer on it ends.
        const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
        sweep.unref();
        server.close(() => {
          clearTimeout(impatient);
          clearInterval(sweep);
          resolve();
        });
      }),
  };
}

/** Printed names that a browser can open: cookies and OAuth returns want one host, and everyone types localhost. */
function urlHost(host: string): string {
  if (['127.0.0.1', '::1', '0.0.0.0', '::'].includes(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
