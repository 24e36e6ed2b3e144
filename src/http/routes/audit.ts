import { z } from 'zod';
import { momentAnswer } from '../../domain/answers.ts';
import { momentInput, readSpan } from '../../domain/moment.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';

const word = z.string().min(1).max(100).optional();

const text = z.string().nullable();
const rowAnswer = z
  .strictObject({
    seq: z.int(),
    at: momentAnswer,
    bot: text,
    principal: z.string(),
    channel: z.string(),
    action: z.string(),
    event: z.string(),
    decision: text,
    assurance: text,
    proposal: text,
    digest: text,
    policyRevision: z.int().nullable(),
    object: text,
    recordId: text,
    detail: z.record(z.string(), z.unknown()).describe('Masked; no values of records'),
    sealedHash: text,
    previous: z.string(),
    hash: z.string(),
  })
  .meta({ id: 'AuditRow' });

/** What was decided, newest first. Before and after values stay sealed. */
export function auditRoutes({ store, now }: HttpDeps) {
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
      answer: z.strictObject({ rows: z.array(rowAnswer) }),
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
