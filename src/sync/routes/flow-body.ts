import { z } from 'zod';
import { toId18 } from '../../domain/salesforce-id.ts';
import { parseOrThrow } from '../../domain/validation.ts';
import type { FlowHint } from '../inbound/flow-hint.ts';

/** What a Flow's HTTP callout may send. Unknown names are left unread, `fields` and times among them. */

const MOST = 200;

const recordId = z.string().transform((text, context) => {
  const verdict = toId18(text);
  if ('id' in verdict) return verdict.id;
  context.addIssue({ code: 'custom', message: verdict.problem });
  return z.NEVER;
});

// Plain characters: these stand in a key, and PostgreSQL takes no NUL.
const plain = z.string().regex(/^[\x20-\x7e]{1,100}$/, 'takes 1 to 100 letters, digits and signs');

const shape = z.object({
  orgId: z
    .string()
    .regex(/^00D(?:[A-Za-z0-9]{12}|[A-Za-z0-9]{15})$/, 'is no Id of an org: {!$Organization.Id}')
    .describe('`{!$Organization.Id}`'),
  object: z
    .string()
    .regex(/^[A-Za-z]\w{0,79}$/, 'takes an API name such as Contact')
    .describe('API name, such as `Contact`'),
  recordId: recordId.describe('`{!$Record.Id}`'),
  // Flow sends null for what is not set.
  eventId: plain.nullish().describe('`{!$Flow.InterviewGuid}`: the same on every repeat'),
  at: plain.nullish().describe('Tells two changes apart where there is no eventId; never used as a time'),
});

const hint = shape.refine(({ eventId, at }) => (eventId ?? at ?? undefined) !== undefined, {
  path: ['eventId'],
  message: 'is missing: send {!$Flow.InterviewGuid}, or "at" in its place',
});

/** One hint, or `items` with many. */
export const flowBody = shape.partial().extend({ items: z.array(hint).min(1).max(MOST).optional() });

export function hintsIn(body: z.output<typeof flowBody>): readonly FlowHint[] {
  return body.items ?? [parseOrThrow(hint, body, { what: 'The request', whole: '(body)' })];
}
