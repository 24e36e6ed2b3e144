import { z } from 'zod';
import { GatehouseError } from '../../domain/errors.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';

export function healthRoutes({ ready, degraded, log }: HttpDeps) {
  return [
    defineRoute({
      method: 'GET',
      path: '/healthz',
      summary: 'The process is alive',
      who: [],
      answer: z.strictObject({ status: z.literal('ok') }),
      handle: async () => ({ json: { status: 'ok' } }),
    }),
    defineRoute({
      method: 'GET',
      path: '/readyz',
      summary: 'The process can serve: its state can be read and written',
      who: [],
      answer: z.strictObject({
        status: z.enum(['ready', 'not_ready']),
        reason: z.string().optional(),
        degraded: z
          .array(z.enum(['events']))
          .optional()
          .describe('Works less well: `events`, a channel of change events is not heard, and its object polled'),
      }),
      async handle() {
        try {
          await ready();
          // Changes come all the same, minutes later: no reason to send anybody elsewhere.
          const less = (await degraded?.()) ?? [];
          return { json: { status: 'ready', ...(less.length === 0 ? {} : { degraded: less }) } };
        } catch (error) {
          log.error('not ready', { cause: reasonOf(error) });
          // Addresses, paths and what the system said are for the log: anybody may ask.
          const reason = error instanceof GatehouseError ? error.message : 'The state cannot be read or written.';
          return { status: 503, json: { status: 'not_ready', reason } };
        }
      },
    }),
  ];
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${String(error.cause)})` : '';
  return `${String(error)}${cause}`;
}
