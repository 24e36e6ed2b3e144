import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { createHints } from '../hints.ts';
import { browserOf } from './by-operator.ts';

/** What pages that are open listen to. It ends with the session of the browser, also where somebody else ended that. */
export function eventRoute(deps: HttpDeps) {
  const hints = createHints(deps);

  return defineRoute({
    method: 'GET',
    path: '/api/events',
    summary: 'Hints that something changed (server-sent events), for a browser that is signed in',
    who: ['operator'],
    permission: 'READ_INTEGRATIONS',
    isNarrowed: true,
    answer: 'text/event-stream',
    async handle({ caller }) {
      const session = browserOf(caller);
      return { stream: (signal) => hints.listen(session, signal), listener: session.id, isEndless: true };
    },
  });
}
