import { z } from 'zod';
import { momentInput, readSpan } from '../../domain/moment.ts';
import { defineRoute, type Route } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';

const word = z.string().min(1).max(100).optional();

/** What was decided, newest first. Before and after values stay sealed. */
export function auditRoutes({ store, now }: HttpDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/audit',
      summary: 'Audit rows, without their sealed values',
      who: ['operator'],
      permission: 'READ_LOGS',
      query: z.strictObject({
        bot: word,
        proposal: word,
        action: word,
        event: word,
        since: momentInput.optional(),
        until: momentInput.optional(),
        limit: z.coerce.number().int().min(1).max(500).default(100),
      }),
      async handle({ query: { limit, since, until, ...filter } }) {
        const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
        const rows = await store.audit.find({ ...given, ...readSpan({ since, until }, now()), limit });
        return {
          json: {
            rows: rows.map(({ sealed: _, detail, at, ...row }) => ({
              ...row,
              at: isoTime(at),
              detail: JSON.parse(detail),
            })),
          },
        };
      },
    }),
  ];
}
