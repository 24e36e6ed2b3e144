import type { HttpDeps } from '../deps.ts';
import { defineRoute, type Route } from '../route.ts';

export function healthRoutes({ store, log }: HttpDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/healthz',
      summary: 'The process is alive',
      who: [],
      handle: async () => ({ json: { status: 'ok' } }),
    }),
    defineRoute({
      method: 'GET',
      path: '/readyz',
      summary: 'The process can serve: its store answers',
      who: [],
      async handle() {
        try {
          await store.audit.head();
          return { json: { status: 'ready' } };
        } catch (error) {
          log.error('the store does not answer', { cause: String(error) });
          return { status: 503, json: { status: 'not_ready', reason: 'the store does not answer' } };
        }
      },
    }),
  ];
}
