import { randomUUID } from 'node:crypto';
import {
  type CallToolRequest,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  type InputRequiredResult,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { hmacSha256 } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { Envelope, ProposalView } from '../domain/proposal.ts';
import { sessionParts } from '../domain/session.ts';
import { answerOfRound, askAndWait, askByRound } from './ask.ts';
import { askedBy } from './asked-by.ts';
import type { McpCaller, McpDeps } from './deps.ts';
import { toForm } from './form.ts';
import { type NotDecided, toErrorResult, toOurs, toResult } from './result.ts';

/** tools/call: the gate's answer in MCP's words, and between the two the person at the client. */

export type Era = 'legacy' | 'modern';

/** What a round leaves with the client: signed, readable, and worth nothing but for this caller and method. */
export interface Round {
  readonly proposal: string;
  readonly action: string;
}

export function createRounds(deps: McpDeps, caller: McpCaller): RequestStateCodec<Round> {
  return createRequestStateCodec<Round>({
    key: hmacSha256(deps.secret, 'mcp.requestState'),
    // The proposal's own expiry decides; a codec that expires first would answer a protocol error instead of an outcome.
    ttlSeconds: 31 * 86_400,
    bind: (ctx) => JSON.stringify([ctx.mcpReq.method, caller.bot, caller.principal, ...sessionParts(caller.session)]),
  });
}

export async function callTool(
  deps: McpDeps,
  opener: McpCaller,
  { era, rounds, declared }: { era: Era; rounds: RequestStateCodec<Round>; declared: ClientCapabilities | undefined },
  { name, arguments: args = {} }: CallToolRequest['params'],
  ctx: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  try {
    const { gate } = deps;
    const caller = await askedBy(opener, ctx);
    const round = ctx.mcpReq.requestState<Round>();
    if (round !== undefined) {
      if (round.action !== name) throw foreignRound(round.action);
      const { envelope, why } = await answerOfRound(deps, caller, round.proposal, ctx);
      // Whoever answers can be asked again; of whom nothing comes back gets the link from now on.
      if (why !== 'no-form') await deps.store.values.remove(ASKED, round.proposal);
      return await tell(deps, caller, envelope, why);
    }

    const envelope = await gate.call({
      bot: caller.bot,
      principal: caller.principal,
      channel: 'mcp',
      action: name,
      args,
      session: caller.session,
      prove: caller.prove,
      ...fromMeta(ctx.mcpReq._meta),
      signal: ctx.mcpReq.signal,
    });
    const { proposal } = envelope;
    // A look at another call's proposal never asks: the model could make a storm of forms with it.
    const form =
      proposal?.state === 'pending' &&
      proposal.action === name &&
      canShowForm(era === 'modern' ? capabilitiesOf(ctx) : declared)
        ? toForm(proposal, caller.bot, deps.now())
        : undefined;
    if (proposal === undefined || form === undefined) return await tell(deps, caller, envelope);
    if (era === 'modern') {
      const told = await tell(deps, caller, envelope);
      if (!(await noteAsked(deps, proposal))) return told;
      return askByRound(told, form, await rounds.mint({ proposal: proposal.id, action: name }, ctx));
    }
    await tellProgress(ctx, name);
    const asked = await askAndWait(deps, caller, proposal, form, ctx);
    return await tell(deps, caller, asked.envelope, asked.why);
  } catch (thrown) {
    return toErrorResult(toOurs(thrown, deps.log));
  }
}

/** A link is told once there is something behind it; where that cannot be, the words say what to start. */
async function tell(
  { gate, openPage }: McpDeps,
  caller: McpCaller,
  envelope: Envelope,
  why?: NotDecided,
): Promise<CallToolResult> {
  const { proposal } = envelope;
  if (openPage === undefined || proposal?.state !== 'pending') return toResult(envelope, why);
  const isOpen = await openPage();
  return toResult(isOpen ? await gate.proposal(proposal.id, { ...caller, channel: 'mcp' }) : envelope, why, isOpen);
}

const ASKED = 'mcp.asked';

/** False when a round with this question went out before and never came back: some clients declare forms and drop them. */
async function noteAsked({ store, now }: McpDeps, { id, expiresAt }: ProposalView): Promise<boolean> {
  const mine = randomUUID();
  return (await store.values.setIfAbsent(ASKED, id, mine, Date.parse(expiresAt), now())) === mine;
}

/** Declared, never guessed from a client's name. `{}` is the older way to say form. */
function canShowForm(capabilities: ClientCapabilities | undefined): boolean {
  const elicitation = capabilities?.elicitation;
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

function capabilitiesOf(ctx: ServerContext): ClientCapabilities | undefined {
  const envelope: Readonly<Record<string, unknown>> = ctx.mcpReq.envelope ?? {};
  // The SDK has checked the envelope against its schema before the handler runs.
  return envelope[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined;
}

async function tellProgress(ctx: ServerContext, name: string): Promise<void> {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await ctx.mcpReq.notify({
    method: 'notifications/progress',
    params: { progressToken, progress: 0, message: `${name} waits for a person.` },
  });
}

const META = { key: 'gatehouse/idempotencyKey', conversation: 'gatehouse/conversation' } as const;
const MOST_META = 200;

/** A key that is not usable is refused: whoever sends one relies on it. */
function fromMeta(meta: Readonly<Record<string, unknown>> = {}): { key?: string; conversation?: string } {
  const given = Object.entries(META).filter(([, name]) => meta[name] !== undefined);
  const bad = given.filter(([, name]) => {
    const value = meta[name];
    return typeof value !== 'string' || value === '' || value.length > MOST_META;
  });
  if (bad.length > 0)
    throw new GatehouseError(
      'invalid_input',
      `${bad.map(([, name]) => `_meta.${name}`).join(' and ')} cannot be used.`,
      {
        next: `Send a text of 1 to ${MOST_META} characters, or leave it out.`,
        fields: bad.map(([, name]) => ({
          name: `_meta.${name}`,
          problem: `must be a text of 1 to ${MOST_META} characters`,
        })),
      },
    );
  return Object.fromEntries(given.map(([as, name]) => [as, meta[name]]));
}

function foreignRound(action: string): GatehouseError {
  return new GatehouseError('invalid_input', `This requestState belongs to a call of ${action}.`, {
    next: 'Repeat the call it came from, or start a new one without requestState.',
  });
}
