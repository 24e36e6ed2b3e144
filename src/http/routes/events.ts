import { defineRoute } from '../../ports/route.ts';
import { readCookie } from '../cookie.ts';
import type { HttpDeps } from '../deps.ts';
import { createHints, type Hint } from '../hints.ts';
import { browserOf } from './by-operator.ts';

const ASK_EVERY_MS = 10_000;

/** What pages that are open listen to. It ends with the session of the browser, also where somebody else ended that. */
export function eventRoute(deps: HttpDeps) {
  const hints = createHints(deps);
  const isSecure = deps.config.url?.startsWith('https:') ?? false;

  const sessionOf = (headers: Headers) => deps.access.session(readCookie(headers, isSecure)).catch(() => undefined);

  async function* whileSignedIn(headers: Headers, signal: AbortSignal): AsyncGenerator<Hint> {
    const over = new AbortController();
    const timer = setInterval(async () => {
      if ((await sessionOf(headers)) === undefined) over.abort();
    }, ASK_EVERY_MS);
    timer.unref();
    try {
      // Whoever is removed is so by an audit row, which is a hint: not even that one reaches them.
      for await (const hint of hints.listen(AbortSignal.any([signal, over.signal]))) {
        if ((await sessionOf(headers)) === undefined) return;
        yield hint;
      }
    } finally {
      clearInterval(timer);
    }
  }

  return defineRoute({
    method: 'GET',
    path: '/api/events',
    summary: 'Hints that something changed (server-sent events), for a browser that is signed in',
    who: ['operator'],
    permission: 'READ_INTEGRATIONS',
    answer: 'text/event-stream',
    async handle({ caller, headers }) {
      browserOf(caller);
      return { stream: (signal) => whileSignedIn(headers, signal) };
    },
  });
}
