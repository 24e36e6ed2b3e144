import { z } from 'zod';
import { holds } from '../../../permissions/catalog.ts';
import { assuranceAnswer, changeAnswer, momentAnswer } from '../../domain/answers.ts';
import { GatehouseError } from '../../domain/errors.ts';
import {
  declineOf,
  isDeclinedInClient,
  isOpen,
  isOver,
  MOST_REASON,
  type Proposal,
  summaryOf,
} from '../../domain/proposal.ts';
import type { HumanDecision } from '../../ports/gate.ts';
import { type Caller, defineRoute } from '../../ports/route.ts';
import { envelopeAnswer, previewAnswer, stateAnswer } from '../answers.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';
import { createRateLimit } from '../rate-limit.ts';
import { provenAnew, sessionOf } from '../session-of.ts';
import { looker } from './by-operator.ts';

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
  decidedAt: moment,
  choice: text,
  reason: text.describe('Of the person who declined it'),
  settledAt: moment,
});

/** What a list may be narrowed to, beside a single end. */
const LISTED = {
  waiting: { pending: true },
  all: {},
  decided: {
    states: ['done', 'failed', 'rejected', 'expired', 'conflict', 'superseded', 'unknown', 'executing', 'approved'],
    isForPeople: true,
  },
} as const;
const END = ['done', 'failed', 'rejected', 'expired', 'conflict', 'superseded', 'unknown'] as const;

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
export function proposalRoutes({ gate, approvals, access, store, now }: HttpDeps) {
  const limit = createRateLimit({ most: 60, windowMs: 60_000, now });

  const decide = (answer: HumanDecision['answer'], summary: string, body: typeof approvalInput | typeof declineInput) =>
    defineRoute({
      method: 'POST',
      path: `/api/proposals/{id}/${answer}`,
      summary,
      who: ['operator'],
      permission: 'DECIDE_PROPOSALS',
      isNarrowed: true,
      body,
      answer: envelopeAnswer,
      async handle({ params, caller, body }) {
        limit.consume(caller.principal);
        const envelope = await approvals.decide(params.id, { answer, ...toDecision(caller), ...body });
        // The yes is not the sight of what came of it.
        const isOpenTo = holds(caller.operator, 'READ_VALUES');
        return { json: isOpenTo ? envelope : (await approvals.look(params.id, looker(caller))).envelope };
      },
    });

  return [
    defineRoute({
      method: 'GET',
      path: '/api/proposals',
      summary: 'Proposals, newest first: those that wait for a person, or all, also what the policy let through',
      who: ['operator'],
      permission: 'READ_LOGS',
      isNarrowed: true,
      query: z.strictObject({
        bot: z.string().min(1).max(100).optional(),
        state: z
          .enum(['waiting', 'all', 'decided', ...END])
          .default('waiting')
          .describe('`decided`: by a person or by nobody, what policy let run left out'),
        action: z.string().min(1).max(100).optional(),
        before: z.string().min(1).max(100).optional().describe('`next` of the page before; not with `order=expiry`'),
        order: z.enum(['newest', 'expiry']).default('newest').describe('`expiry`: whose time is over first'),
        limit: z.coerce.number().int().min(1).max(200).default(50),
      }),
      answer: z.strictObject({ proposals: z.array(listedAnswer), next: text.describe('Give it as `before` for more') }),
      async handle({ caller, query: { state, order, limit, ...filter } }) {
        const chosen =
          state in LISTED ? LISTED[state as keyof typeof LISTED] : { states: [state as (typeof END)[number]] };
        const asked = { ...filter, ...chosen, isByExpiry: order === 'expiry', limit: limit + 1 };
        const found = await approvals.lookAll(asked, caller.operator);
        const page = found.slice(0, limit);
        const last = found.length > limit && order === 'newest' ? page.at(-1)?.id : undefined;
        // What a visitor was thanked for can still be decided after its time.
        const proposals = page.filter((proposal) => state !== 'decided' || !isOpen(proposal));
        return { json: { proposals: proposals.map((proposal) => toListed(proposal, now())), next: last ?? null } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/proposals/{id}',
      summary: 'Where one proposal stands; a bot sees only its own',
      who: ['agent', 'operator'],
      permission: 'READ_LOGS',
      isNarrowed: true,
      query: z.strictObject({ waitSeconds: z.coerce.number().min(0).max(25).default(0) }),
      answer: envelopeAnswer.extend({
        detail: listedAnswer
          .extend({ args: values, edited: z.array(z.string()).describe('Arguments that the approver changed') })
          .optional()
          .describe('For operators'),
      }),
      async handle({ params, caller, query, headers, signal }) {
        if (caller.kind === 'agent') {
          const { bot, principal } = caller;
          const prove = provenAnew(access, bot, headers);
          const viewer = {
            bot,
            principal,
            prove,
            channel: 'rest',
            ...(await sessionOf(access, bot, headers)),
          } as const;
          return { json: await gate.proposal(params.id, viewer, { waitMs: query.waitSeconds * 1000, signal }) };
        }
        const { proposal, envelope } = await approvals.look(params.id, looker(caller));
        const edited = [...(await correctedArgs(store, proposal.id))];
        return { json: { ...envelope, detail: { ...toListed(proposal, now()), args: proposal.args, edited } } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/proposals/{id}/records',
      summary: 'Of a list that sync waits for: every record on it, as it would be written',
      who: ['operator'],
      permission: 'READ_LOGS',
      isNarrowed: true,
      answer: z.strictObject({ proposal: z.string(), count: z.int(), records: z.array(heldAnswer) }),
      async handle({ params, caller }) {
        const { records } = await approvals.look(params.id, looker(caller));
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
      isNarrowed: true,
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
        return { json: await approvals.previewEdit(params.id, body.values, toDecision(caller)) };
      },
    }),
    decide('approve', 'Approve: runs the stored arguments, once', approvalInput),
    decide('reject', 'Decline; the reason is kept with the decision', declineInput),
  ];
}

const approvalInput = z.strictObject({
  choice: z.string().min(1).max(100).optional(),
  values: values.optional().describe('Only with `seen`'),
  seen: z.string().min(1).max(100).optional().describe('Of the answer that showed what these values would do'),
});
/** What an approval may hold is taken and means nothing, so that one client can send both alike. */
const declineInput = approvalInput.extend({ reason: z.string().max(MOST_REASON).optional() });

const correction = z.looseObject({ edited: z.array(z.string()).default([]) });

/** The proposal holds what was approved; that it differs from what was asked stands in the audit alone. */
export async function correctedArgs({ audit }: HttpDeps['store'], proposal: string): Promise<readonly string[]> {
  const [row] = await audit.find({ proposal, event: 'approved', limit: 1 });
  return row === undefined ? [] : correction.parse(JSON.parse(row.detail)).edited;
}

/** Whoever signed in, or holds an operator key, has proven to be that person. */
export function toDecision(
  caller: Extract<Caller, { kind: 'operator' }>,
): Pick<HumanDecision, 'by' | 'via' | 'assurance' | 'bots'> {
  return {
    by: caller.principal,
    bots: caller.operator.bots,
    via: caller.by === 'session' ? 'console' : 'cli',
    assurance: 'session',
  };
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
    decidedAt: proposal.decidedAt === null ? null : isoTime(proposal.decidedAt),
    choice,
    reason: declineOf(proposal)?.reason ?? null,
    settledAt: proposal.settledAt === null ? null : isoTime(proposal.settledAt),
  };
}
