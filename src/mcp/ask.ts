import {
  type CallToolResult,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  SdkError,
  SdkErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { GatehouseError } from '../domain/errors.ts';
import type { Envelope, ProposalView } from '../domain/proposal.ts';
import type { McpCaller, McpDeps } from './deps.ts';
import { type Answer, type Form, readAnswer } from './form.ts';
import type { NotDecided } from './result.ts';

/** Asks the person at the client, in the way of its era. Whoever answers, the proposal's row decides what happens. */

export interface Asked {
  readonly envelope: Envelope;
  /** Where it still waits: why. */
  readonly why?: NotDecided;
}

/** Clients give a call up after 60 s; what is left is for the write itself. */
const FORM_MS = 45_000;
type Deciding = Pick<McpDeps, 'gate' | 'approvals'>;

/** The one question of a round. */
const QUESTION = 'approve';

/** 2025 era: the call stays open while the form is shown. An answer elsewhere ends it and takes the form away. */
export async function askAndWait(
  { formMs = FORM_MS, ...deps }: Deciding & Pick<McpDeps, 'formMs'>,
  caller: McpCaller,
  proposal: ProposalView,
  form: Form,
  ctx: ServerContext,
): Promise<Asked> {
  const over = new AbortController();
  const signal = AbortSignal.any([ctx.mcpReq.signal, over.signal]);
  // On the call's own stream: many clients, and gateways before them, hold no other one open. What comes back is judged
  // by `readAnswer`, not by the SDK, so that an error is always the client's own.
  const here = ctx.mcpReq
    .send({ method: 'elicitation/create', params: { mode: 'form', ...form } }, { timeout: formMs, signal })
    .then(
      (response) => ({ answer: readAnswer(proposal, response) }),
      (error: unknown): { answer: Answer } => ({
        answer: { kind: 'none', why: isTimeout(error) ? 'late' : 'no-form' },
      }),
    );
  const elsewhere = deps.gate
    .proposal(proposal.id, { ...caller, channel: 'mcp' }, { waitMs: formMs, signal })
    .then((envelope) => ({ envelope }));
  try {
    const first = await Promise.race([here, elsewhere]);
    if ('envelope' in first) return { ...first, why: 'late' };
    return await settle(deps, caller, proposal, first.answer, ctx.mcpReq.signal);
  } finally {
    over.abort();
  }
}

/**
 * 2026 era: the client asks and comes back with the answer, whenever that is. A client that does not know the round takes
 * what comes beside it for the result: the waiting envelope with its link.
 */
export function askByRound(told: CallToolResult, form: Form, requestState: string): InputRequiredResult {
  return {
    ...told,
    ...inputRequired({
      inputRequests: { [QUESTION]: inputRequired.elicit({ mode: 'form', ...form }) },
      requestState,
    }),
  };
}

/** The way back of a round. The row first: it may be approved, done or dead by now. */
export async function answerOfRound(deps: Deciding, caller: McpCaller, id: string, ctx: ServerContext): Promise<Asked> {
  const envelope = await deps.gate.proposal(id, { ...caller, channel: 'mcp' });
  const { proposal } = envelope;
  if (envelope.status !== 'waiting' || proposal?.state !== 'pending') return { envelope };
  const response = inputResponse(ctx.mcpReq.inputResponses, QUESTION);
  // Back without an answer: this client has no form to show.
  const answer: Answer = response.kind === 'elicit' ? readAnswer(proposal, response) : { kind: 'none', why: 'no-form' };
  return settle(deps, caller, proposal, answer, ctx.mcpReq.signal);
}

async function settle(
  { gate, approvals }: Deciding,
  caller: McpCaller,
  { id }: ProposalView,
  answer: Answer,
  signal: AbortSignal,
): Promise<Asked> {
  // A client that has given up must not find a write behind its back.
  if (answer.kind === 'none' || signal.aborted)
    return {
      envelope: await gate.proposal(id, { ...caller, channel: 'mcp' }),
      why: answer.kind === 'none' ? answer.why : 'closed',
    };
  try {
    const envelope = await approvals.decide(id, {
      answer: answer.kind === 'approve' ? 'approve' : 'reject',
      by: `mcp client of ${caller.bot}`,
      via: 'elicitation',
      assurance: 'client',
      bot: caller.bot,
      ...(answer.kind === 'approve' && answer.choice !== undefined ? { choice: answer.choice } : {}),
    });
    return { envelope };
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error;
    // Somebody else was quicker: their decision is the outcome, not an error of this call.
    const envelope = await gate.proposal(id, { ...caller, channel: 'mcp' });
    if (envelope.status === 'waiting' && envelope.proposal?.state === 'pending') throw error;
    return { envelope };
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout;
}
