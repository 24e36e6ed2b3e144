import { z } from 'zod';
import {
  candidateAnswer,
  fieldsAnswer,
  fieldValueAnswer,
  kindAnswer,
  momentAnswer,
  problemAnswer,
} from '../../domain/answers.ts';
import { HOST_FIELDS } from '../../domain/host-fields.ts';
import type { Kind } from '../../domain/mapping.ts';

/** Forms that several routes of the sync answer. */

export const deletedAnswer = z.strictObject({ deleted: z.literal(true) });

const linkKind = z.enum(['party', 'case', 'parent']);
export const linkStateAnswer = z.enum(['new', 'active', 'ambiguous', 'remote_deleted', 'merged', 'unlinked', 'failed']);

export const linkAnswer = z
  .strictObject({
    kind: linkKind,
    localId: z.string(),
    object: z.string(),
    recordId: z.string().nullable(),
    state: linkStateAnswer,
    problem: problemAnswer.nullable(),
    waitsFor: z
      .array(z.strictObject({ object: z.string(), name: z.string(), ids: z.array(z.string()), message: z.string() }))
      .optional()
      .describe('Companies that nobody could tell; the record itself is in step'),
    isWaiting: z.boolean(),
    attempts: z.int(),
    reason: z.string(),
    nextTryAt: momentAnswer.optional(),
  })
  .meta({ id: 'Link' });

export const hoursAnswer = z
  .strictObject({
    from: z.string(),
    until: z.string(),
    zone: z.string(),
    endsAt: momentAnswer.optional().describe('While they last'),
  })
  .meta({ id: 'QuietHours' });

export const statusAnswer = z
  .strictObject({
    links: z.array(z.strictObject({ kind: z.string(), state: linkStateAnswer, count: z.int() })),
    waiting: z.int(),
    waitingSince: momentAnswer.optional(),
    polled: z.array(z.strictObject({ object: z.string(), watermark: momentAnswer, at: momentAnswer })),
    streams: z
      .array(
        z.strictObject({
          channel: z.string(),
          object: z.string(),
          state: z.enum(['live', 'waiting', 'silent', 'paused', 'refused']),
          since: momentAnswer,
          lastEventAt: momentAnswer.optional(),
          lastReplayId: z.string().optional(),
          lastGapAt: momentAnswer.optional(),
          deliveredToday: z.int(),
          message: z.string().optional(),
          next: z.string().optional(),
          quote: z.string().optional(),
        }),
      )
      .describe('What Salesforce tells of its own accord; what is not live comes by polling'),
    lastSyncAt: momentAnswer.optional(),
    lastEventAt: momentAnswer.optional(),
    quietHours: hoursAnswer.optional(),
    problems: z.array(
      z.strictObject({
        code: z.string(),
        message: z.string(),
        next: z.string(),
        count: z.int(),
        kind: z.string().optional().describe('Lists and retries the records that have it'),
        company: z.strictObject({ object: z.string(), name: z.string() }).optional(),
        salesforce: z.string().optional(),
        quote: z.string().optional(),
        examples: z.array(
          z.strictObject({ kind: linkKind, localId: z.string(), candidates: z.array(candidateAnswer).optional() }),
        ),
      }),
    ),
    pollMs: z.int().describe('Between two polls, as the streams stand; 0: one is due at once'),
    remoteTime: z.string(),
  })
  .meta({ id: 'SyncStatus' });

export const logAnswer = z
  .strictObject({
    id: z.string(),
    kind: linkKind,
    localId: z.string(),
    object: z.string(),
    recordId: z.string().nullable(),
    operation: z.enum(['create', 'update', 'delete', 'none']),
    direction: z.enum(['to_crm', 'from_crm']),
    status: z.enum(['success', 'failed', 'pending', 'ambiguous']),
    changes: z.array(
      z.strictObject({
        field: z.string(),
        local: z.array(z.string()),
        before: fieldValueAnswer,
        after: fieldValueAnswer,
        crm: fieldsAnswer.optional(),
        winner: z.enum(['host', 'salesforce']).optional(),
        lost: fieldValueAnswer.optional(),
        note: z.string().optional(),
      }),
    ),
    reason: z.string(),
    calls: z.int(),
    error: problemAnswer.nullable(),
    batch: z.string().nullable(),
    at: momentAnswer,
  })
  .meta({ id: 'SyncLog' });

function recordOf<K extends Kind>(kind: K) {
  const fields = Object.fromEntries(
    Object.keys(HOST_FIELDS[kind]).map((name) => [name, fieldValueAnswer.optional()]),
  ) as { [Name in keyof (typeof HOST_FIELDS)[K]]: z.ZodOptional<typeof fieldValueAnswer> }; // the same keys
  return z.strictObject({
    externalId: z.string(),
    ...fields,
    custom: fieldsAnswer.optional(),
    version: z.int(),
    changedAt: momentAnswer,
  });
}

export const partyAnswer = recordOf('party').meta({ id: 'Party' });
export const caseAnswer = recordOf('case')
  .extend({ parties: z.array(z.strictObject({ externalId: z.string(), role: z.string() })) })
  .meta({ id: 'Case' });

/** A change for the host app, in its feed and at its webhook. */
export const messageAnswer = z
  .strictObject({
    type: z.string(),
    timestamp: momentAnswer,
    data: z.union([
      z.strictObject({
        seq: z.int(),
        kind: kindAnswer.optional(),
        id: z.string().optional(),
        object: z.string(),
        recordId: z.string().nullable(),
        changes: z.record(z.string(), z.strictObject({ before: fieldValueAnswer, after: fieldValueAnswer })),
        changed: z.array(z.string()).optional().describe('Subscribed fields that a change event named'),
      }),
      // Told to people: what waits for them, and who got in at the terminal.
      z.object({ seq: z.int(), id: z.string() }).catchall(fieldValueAnswer),
    ]),
  })
  .meta({ id: 'Message' });
