import { z } from 'zod';
import { assuranceAnswer, changeAnswer, momentAnswer } from '../../domain/answers.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { isDeclinedInClient, isOver, type Proposal, summaryOf } from '../../domain/proposal.ts';
import type { HumanDecision } from '../../ports/gate.ts';
import { type Caller, defineRoute } from '../../ports/route.ts';
import { envelopeAnswer, previewAnswer, stateAnswer } from '../answers.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';
import { createRateLimit } from '../rate-limit.ts';
import { sessionOf } from '../session-of.ts';

const values = z.record(z.string().max(80), z.unknown());
const moment = momentAnswer.nullable();
const text = z.string().nullable();

const listedAnswer = z.strictObject({
  id: z.string(),
  bot: z.string(),
  principal: z.string(),
  conversation: text,
  action: z.string(),
  state: stateAnswer,
  summary: z.string(),
  reasons: z.array(z.string()),
  assurance: assuranceAnswer,
  declinedInClient: z.literal(true).optional(),
  createdAt: momentAnswer,
  expiresAt: momentAnswer,
  decidedBy: text,
  decidedVia: text,
  choice: text,
  settledAt: moment,
});

const heldAnswer = z.strictObject({
  id: z.string(),
  link: z.string(),
  dirty: z.int(),
  digest: z.string(),
  operation: z.enum(['create', 'update', 'delete']),
  object: z.string(),
  recordId: text,
  changes: z.array(changeAnswer),
  warnings: z.array(z.string()).optional(),
});

/**
 * Proposals: agents may look at their own, people decide. An agent or host key on the deciding routes is refused before
 * anything else is looked at (C3).
 */
export function proposalRoutes({ gate, approvals, access, now }: HttpDeps) {
  const limit = createRateLimit({ most: 60, windowMs: 60_000, now });

  const decide = (answer: HumanDecision['answer'], summary: string) =>
    defineRoute({
      method: 'POST',
      path: `/api/proposals/{id}/${answer}`,
      summary,
      who: ['operator'],
      permission: 'DECIDE_PROPOSALS',
      body: decisionSchema,
      answer: envelopeAnswer,
      async handle({ params, caller, body }) {
        limit.consume(caller.principal);
        return { json: await approvals.decide(params.id, { answer, ...toDecision(caller), ...given(body) }) };
      },
    });

  return [
    defineRoute({
      method: 'GET',
      path: '/api/proposals',
      summary: 'Proposals, newest first: those that wait for a person, or all, also what the policy let through',
      who: ['operator'],
      permission: 'READ_LOGS',
      query: z.strictObject({
        bot: z.string().min(1).max(100).optional(),
        state: z.enum(['waiting', 'all']).default('waiting'),
        limit: z.coerce.number().int().min(1).max(200).default(50),
      }),
      answer: z.strictObject({ proposals: z.array(listedAnswer) }),
      async handle({ query }) {
        const proposals = await approvals.list({
          limit: query.limit,
          bot: query.bot,
          pending: query.state === 'waiting',
        });
        return { json: { proposals: proposals.map((proposal) => toListed(proposal, now())) } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/proposals/{id}',
      summary: 'Where one proposal stands; a bot sees only its own',
      who: ['agent', 'operator'],
      permission: 'READ_LOGS',
      query: z.strictObject({ waitSeconds: z.coerce.number().min(0).max(25).default(0) }),
      answer: envelopeAnswer.extend({
        detail: listedAnswer.extend({ args: values }).optional().describe('For operators'),
      }),
      async handle({ params, caller, query, headers, signal }) {
        if (caller.kind === 'agent') {
          const { bot, principal } = caller;
          const viewer = { bot, principal, channel: 'rest', ...sessionOf(access, bot, headers) } as const;
          return { json: await gate.proposal(params.id, viewer, { waitMs: query.waitSeconds * 1000, signal }) };
        }
        const { proposal, envelope } = await approvals.inspect(params.id);
        return { json: { ...envelope, detail: { ...toListed(proposal, now()), args: proposal.args } } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/proposals/{id}/records',
      summary: 'Of a list that sync waits for: every record on it, as it would be written',
      who: ['operator'],
      permission: 'READ_LOGS',
      answer: z.strictObject({ proposal: z.string(), count: z.int(), records: z.array(heldAnswer) }),
      async handle({ params }) {
        const records = await approvals.heldRecords(params.id);
        if (records === undefined)
          throw new GatehouseError('not_found', 'This proposal lists no records.', {
            next: `Look at the proposal itself: GET /api/proposals/${params.id}.`,
          });
        return { json: { proposal: params.id, count: records.length, records } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/proposals/{id}/edit',
      summary: 'What other values would do; send its `seen` with the approval of exactly that',
      who: ['operator'],
      permission: 'DECIDE_PROPOSALS',
      body: z.strictObject({ values }),
      answer: z.strictObject({
        values,
        preview: previewAnswer.nullable(),
        reasons: z.array(z.string()),
        assurance: assuranceAnswer,
        seen: z.string(),
      }),
      async handle({ params, caller, body }) {
        limit.consume(caller.principal);
        return { json: await approvals.previewEdit(params.id, body.values) };
      },
    }),
    decide('approve', 'Approve: runs the stored arguments, once'),
    decide('reject', 'Decline'),
  ];
}

const decisionSchema = z.strictObject({
  choice: z.string().min(1).max(100).optional(),
  values: values.optional(),
  seen: z.string().min(1).max(100).optional(),
});

function given({ choice, values, seen }: z.output<typeof decisionSchema>): Partial<HumanDecision> {
  return {
    choice,
    values,
    seen,
  };
}

/** Whoever signed in, or holds an operator key, has proven to be that person. */
export function toDecision(
  caller: Extract<Caller, { kind: 'operator' }>,
): Pick<HumanDecision, 'by' | 'via' | 'assurance'> {
  return { by: caller.principal, via: caller.by === 'session' ? 'console' : 'cli', assurance: 'session' };
}

function toListed(proposal: Proposal, now: number): z.output<typeof listedAnswer> {
  const { id, bot, principal, conversation, action, state, reasons, assurance, decidedBy, decidedVia, choice } =
    proposal;
  return {
    id,
    bot,
    principal,
    conversation,
    action,
    // Its time may be over before anybody wrote that down.
    state: state === 'pending' && isOver(proposal, now) ? 'expired' : state,
    summary: summaryOf(proposal),
    reasons: [...reasons],
    assurance,
    ...(isDeclinedInClient(proposal) ? { declinedInClient: true as const } : {}),
    createdAt: isoTime(proposal.createdAt),
    expiresAt: isoTime(proposal.expiresAt),
    decidedBy,
    decidedVia,
    choice,
    settledAt: proposal.settledAt === null ? null : isoTime(proposal.settledAt),
  };
}
