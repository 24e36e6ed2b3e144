/**
 * A simulated Salesforce org: give it a request, get the answer Salesforce would give. It needs no socket (`fetch` is a
 * function), and several processes that open the same file are one org.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { apexRest } from './apex/orders.ts';
import { runJobs } from './bulk/run.ts';
import { clientOf, logCall } from './calls.ts';
import { begin, control } from './control/control.ts';
import { cometd, lookAgain } from './events/bayeux.ts';
import { noteChanges } from './events/changes.ts';
import { createNews } from './events/news.ts';
import type { FaultRule } from './facts.ts';
import { broken, connectionReset, cutShort, faultBefore, isAnswer, takeFaults } from './faults.ts';
import { createCallouts } from './flows/callouts.ts';
import { type Incoming, isForeign, json, type Outgoing } from './http.ts';
import { openJournal } from './journal.ts';
import { authorize } from './oauth/authorize.ts';
import { identity, openidConfiguration, userinfo } from './oauth/identity.ts';
import { introspect, revoke, token } from './oauth/token.ts';
import { Org } from './org.ts';
import { createDeliverer } from './outbound/deliver.ts';
import { isPage, pages } from './pages/pages.ts';
import { loadParser, type Parse } from './query/parser.ts';
import { dataApi, isQueryAhead, type Means, versionsList } from './rest/data-api.ts';
import type { SimSeed } from './seed-form.ts';
import { stock } from './stock.ts';

export type { SimSeed } from './seed-form.ts';

export interface SimOptions {
  /** SQLite file of shared, durable state; absent means memory only. */
  readonly file?: string;
  /** Default: a believable small company. `stock`: the same in an org without a field of ours. */
  readonly seed?: SimSeed | 'stock' | undefined;
  /** Newest API version offered. */
  readonly version?: string;
  /** What instance and identity URLs are built from; default: the request's own origin. */
  readonly origin?: string;
  /** The clock under the simulated one, in milliseconds. */
  readonly now?: () => number;
}

export interface Sim {
  fetch(request: Request, info?: { loopback?: boolean }): Promise<Response>;
  /** The org's own pages alone, as a house shows them under `base`. */
  page(request: Request, info: { loopback: boolean; base: string }): Promise<Response>;
  close(): Promise<void>;
}

export async function createSim(options: SimOptions = {}): Promise<Sim> {
  const { version = 'v66.0', now = Date.now } = options;
  if (!/^v\d\d\.0$/.test(version)) throw new Error(`The API version is written like v66.0, not ${version}.`);
  const seed = options.seed === 'stock' ? stock : options.seed;
  const org = new Org(now);
  const journal = await openJournal(org, options.file, () => begin(org, seed));
  let lastOrigin = options.origin ?? 'http://127.0.0.1';
  const deliverer = createDeliverer(org, journal, () => ({ origin: lastOrigin, version }));
  const callouts = createCallouts(org, journal);
  const wake = () => {
    deliverer.wake();
    callouts.wake();
  };
  wake();
  const news = createNews(org, options.file !== undefined);
  let parse: Parse = () => {
    throw new Error('The parser is loaded before a step that needs it.');
  };
  let isParserLoaded = false;

  function answer(incoming: Incoming, struck: readonly FaultRule[]): Outgoing {
    const early = faultBefore(org, incoming, struck);
    if (early) return early;
    const outgoing = route(org, incoming, {
      parse,
      newest: version,
      meetsLock: struck.some((rule) => rule.type === 'lock'),
    });
    const late = struck.find((rule) => rule.when === 'after' && isAnswer(rule));
    return late ? broken(late) : outgoing;
  }

  async function respond(request: Request, isLoopback: boolean): Promise<Response> {
    const incoming = await read(request, isLoopback);
    const { url, origin } = incoming;
    lastOrigin = origin;
    if (url.pathname.startsWith('/_sim/')) return toResponse(org, await underControl(incoming));

    if (isPage(url.pathname)) return showPage(incoming, '');

    if (!isParserLoaded && isQueryAhead(incoming)) {
      parse = await loadParser();
      isParserLoaded = true;
    }
    const path = url.pathname + url.search;
    const isFaultable = /^\/(services|id|cometd)\//.test(url.pathname);
    const first = await journal.step(() => {
      const struck = isFaultable ? takeFaults(org, incoming.method, path) : [];
      const isDelayed = struck.some((rule) => rule.type === 'latency' || rule.type === 'hang');
      return { struck, outgoing: isDelayed ? undefined : finish(incoming, struck) };
    });
    for (const rule of first.struck) {
      if (rule.type === 'latency') await wait(rule.ms ?? 1000, undefined, { signal: request.signal });
      if (rule.type === 'hang') await wait(rule.ms ?? 2 ** 31 - 1, undefined, { signal: request.signal, ref: false });
    }
    let outgoing = first.outgoing ?? (await journal.step(() => finish(incoming, first.struck)));
    wake();
    news.tell();
    if (outgoing.held) {
      const { held } = outgoing;
      outgoing = await news.wait(request.signal, (isOver) => journal.step(() => lookAgain(org, held, isOver)));
    }
    if (first.struck.some((rule) => rule.type === 'drop')) throw connectionReset();
    const response = toResponse(org, outgoing);
    return first.struck.some((rule) => rule.type === 'drop_body') ? cutShort(response, outgoing.text) : response;
  }

  async function read(request: Request, isLoopback: boolean): Promise<Incoming> {
    const { method, headers } = request;
    const url = new URL(request.url);
    const bytes = new Uint8Array(await request.arrayBuffer());
    // A byte order mark stays where it is: of uploaded rows it spoils the first name.
    const text = asItIs.decode(bytes);
    return { method, url, headers, text, bytes, isLoopback, origin: options.origin ?? url.origin };
  }

  async function showPage(incoming: Incoming, base: string): Promise<Response> {
    const shown = await journal.step(() => {
      const page = pages(org, incoming, base);
      noteChanges(org, '');
      return page;
    });
    wake();
    news.tell();
    return new Response(shown.text || null, shown);
  }

  /** Answers and writes the call down. */
  function finish(incoming: Incoming, struck: readonly FaultRule[]): Outgoing {
    runJobs(org, (origin) => noteChanges(org, origin));
    org.examined = 0;
    const isDroppedBefore = struck.some((rule) => rule.type === 'drop' && rule.when === 'before');
    const outgoing = isDroppedBefore ? { status: 0, headers: {}, text: '' } : answer(incoming, struck);
    noteChanges(org, originOf(incoming));
    logCall(org, incoming, struck.some((rule) => rule.type === 'drop') ? 0 : outgoing.status);
    return outgoing;
  }

  async function underControl(incoming: Incoming): Promise<Outgoing> {
    if (!incoming.isLoopback)
      return json(403, { error: 'The control of the simulated org answers on this machine only.' });
    if (isForeign(incoming)) return json(403, { error: 'Pages of another site may not control the simulated org.' });
    const isDelivery = incoming.method === 'POST' && incoming.url.pathname === '/_sim/outbound-messages/deliver';
    if (isDelivery) return json(200, await deliverer.deliverNow());
    const isRun = incoming.method === 'POST' && incoming.url.pathname === '/_sim/flows/run';
    if (isRun) return json(200, await callouts.runNow());
    const outgoing = await journal.step(() => {
      runJobs(org, (origin) => noteChanges(org, origin));
      const done = control(org, incoming, seed);
      // As a colleague on a page does it.
      noteChanges(org, '');
      return done;
    });
    wake();
    news.tell();
    return outgoing;
  }

  return {
    fetch(request, info) {
      return abortable(request.signal, respond(request, info?.loopback !== false));
    },
    async page(request, { loopback, base }) {
      return showPage(await read(request, loopback), base);
    },
    async close() {
      deliverer.close();
      callouts.close();
      news.close();
      await journal.close();
    },
  };
}

const asItIs = new TextDecoder('utf-8', { ignoreBOM: true });

function route(org: Org, incoming: Incoming, means: Means): Outgoing {
  const { pathname } = incoming.url;
  switch (pathname.replace(/\/$/, '')) {
    case '/services/oauth2/authorize':
      return authorize(org, incoming);
    case '/services/oauth2/token':
      return token(org, incoming);
    case '/services/oauth2/revoke':
      return revoke(org, incoming);
    case '/services/oauth2/introspect':
      return introspect(org, incoming);
    case '/services/oauth2/userinfo':
      return userinfo(org, incoming);
    case '/.well-known/openid-configuration':
      return openidConfiguration(incoming);
    case '/id/keys':
      return json(200, { keys: [] });
    case '/services/data':
      return json(200, versionsList(means.newest));
  }
  if (/^\/id\/\w{15,18}\/\w{15,18}$/.test(pathname)) return identity(org, incoming);
  if (pathname.startsWith('/services/data/')) return dataApi(org, incoming, means);
  if (pathname.startsWith('/services/apexrest/')) return apexRest(org, incoming);
  if (pathname.startsWith('/cometd/')) return cometd(org, incoming, means.newest);
  return {
    status: 404,
    headers: { 'Content-Type': 'text/html;charset=UTF-8' },
    text: '<html><body>URL No Longer Exists</body></html>',
  };
}

/** Which API a change came by, and what its client calls itself: as change events say it. */
function originOf({ url, headers }: Incoming): string {
  const version = /^\/services\/data\/v([\d.]+)\//.exec(url.pathname)?.[1];
  const client = clientOf(headers);
  return version === undefined ? '' : `com/salesforce/api/rest/${version}${client === null ? '' : `;client=${client}`}`;
}

function toResponse(org: Org, { status, headers, text, cookies = [] }: Outgoing): Response {
  const requestId = randomUUID();
  const all = new Headers({
    ...headers,
    // A client measures the org's clock by this header.
    Date: new Date(org.now()).toUTCString(),
    Server: 'sfdcedge',
    'X-SFDC-Request-Id': requestId,
    'X-Request-Id': requestId,
  });
  all.append('Set-Cookie', 'CookieConsentPolicy=0:1; path=/; Max-Age=31536000');
  for (const cookie of cookies) all.append('Set-Cookie', cookie);
  const isBodiless = status === 204 || status === 304;
  return new Response(isBodiless ? null : text, { status, headers: all });
}

/** As with a real socket, the caller's abort ends the wait at once, whatever the org is doing. */
async function abortable(signal: AbortSignal, response: Promise<Response>): Promise<Response> {
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([response, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
    response.catch(() => {});
  }
}
