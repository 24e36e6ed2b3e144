import type { Verdict } from '../../permissions/decide.ts';
import type { Audit, AuditInput } from '../audit/audit.ts';
import { createSeenReads } from '../confirm/seen-reads.ts';
import type { Action, Preview } from '../domain/action.ts';
import { isOurs, toGatehouseError } from '../domain/errors.ts';
import { digestOfCall, type Envelope, type Proposal } from '../domain/proposal.ts';
import { cleanData } from '../domain/safe-text.ts';
import { denied, factsOf, hasRate, noteRun } from '../policy/judge.ts';
import { botNamed, reachable } from '../policy/permit.ts';
import type { Call, Gate, Judgement } from '../ports/gate.ts';
import type { Log } from '../ports/log.ts';
import type { Org, ReadConnection } from '../ports/salesforce.ts';
import type { BotRow, Store } from '../ports/store.ts';
import { createAccountContext } from './account-context.ts';
import type { ContextDeps } from './call-context.ts';
import { evaluate } from './evaluate.ts';
import { forVisitors } from './for-visitors.ts';
import { getProposal } from './get-proposal.ts';
import { mayAsk } from './listing.ts';
import { parseArgs } from './parse-args.ts';
import type { Propose } from './propose.ts';
import type { ProposalQueries } from './queries.ts';
import { both, createReadLog } from './read-log.ts';
import type { Receipts } from './receipts.ts';
import { dedupeKeyOf, type Repeats, wishOf } from './repeats.ts';

/** The one road of every call: find, permit, parse, decide, confirm, run, check the answer, audit. It knows no transport. */

export interface HandleDeps {
  readonly actions: readonly Action[];
  readonly store: Pick<Store, 'bots' | 'connections' | 'counters'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly context: RoadContext;
  readonly queries: Pick<ProposalQueries, 'proposal' | 'getProposal'>;
  readonly receipts: Pick<Receipts, 'receive'>;
  readonly repeats: Pick<Repeats, 'earlier'>;
  readonly propose: Propose;
  readonly newId: () => string;
  readonly now: () => number;
  readonly log: Log;
}

/** What a call has read of its connection is not read again to open its org. */
export interface RoadContext extends ContextDeps {
  readonly openOrg: (...call: [...Parameters<ContextDeps['openOrg']>, known?: ReadConnection]) => Promise<Org>;
}

export function createHandle(deps: HandleDeps): Omit<Gate, 'actions'> {
  const { actions, store, audit, queries, receipts, repeats, propose, newId, log } = deps;

  async function connectionOf(bot: string): Promise<ReadConnection | undefined> {
    const readAt = deps.now();
    const row = await store.connections.get(bot);
    return row && { row, readAt };
  }

  async function handle(bot: BotRow, c: Call): Promise<Envelope> {
    const audited = {
      bot: bot.name,
      principal: c.principal,
      channel: c.channel,
      action: c.action.slice(0, 80),
      policyRevision: bot.policyRevision,
    };
    const reads = createReadLog(deps.now, c.conversation);
    let decision: Judgement['decision'];
    let reasons: readonly string[] = [];
    const seen = createSeenReads(deps.now);
    let met: Pick<AuditInput, 'sealed'> = {};
    try {
      if (c.action === getProposal.name) return await queries.getProposal(c, bot.policy.ignoreKeys);
      // A public bot always gets the same answer, or it would tell who is in Salesforce already (P6).
      const hasReceipt = actions.some(({ name, receipt }) => name === c.action && receipt !== undefined);
      const isReceived = bot.audience === 'public' && hasReceipt;
      if (isReceived && c.isTrial !== true) return await receipts.receive(bot, c);
      const permit = reachable(actions, bot, c.action);
      const { action } = permit;
      const parsed = parseArgs(permit, bot.policy, c.args);
      const { args } = parsed;
      const signal = c.signal ?? new AbortController().signal;
      const digest = digestOfCall(bot.name, action, args);
      const asked = { bot: bot.name, args, digest };
      const isWrite = action.risk !== 'read';
      const isDeduped = c.isTrial !== true && (isWrite || mayAsk(permit, bot));
      const known = isDeduped ? await connectionOf(bot.name) : undefined;
      const dedupeKey = isDeduped ? dedupeKeyOf(bot, known?.row.orgId ?? null, c, wishOf(action, asked)) : null;

      const earlier = dedupeKey === null ? undefined : await repeats.earlier(bot, action, c, dedupeKey, asked, signal);
      if (earlier !== undefined) return earlier;

      const visitor = isReceived ? SOMEBODY : null;
      const road = { ...deps, context: openingBy(deps.context, known) };
      const { run, preview, verdict } = await evaluate(road, bot, permit, c, parsed, signal, visitor, reads, seen);
      ({ decision, reasons } = verdict);
      if (verdict.decision === 'deny') {
        met = metBy(preview);
        throw denied(action, verdict);
      }
      if ((!isWrite && verdict.decision === 'auto') || (!action.idempotent && !isReceived && changesNothing(preview))) {
        // Without a proposal the context only reads: a write in it is refused.
        const output = action.output.parse(await action.run(parsed.input, run.context));
        await audit.record({
          ...audited,
          event: 'done',
          decision: 'auto',
          digest,
          ...both(reads.audited(), why(reasons)),
        });
        return { status: 'done', result: cleanData({ ...output }) };
      }
      if (c.isTrial === true) {
        const entry = { ...audited, event: 'tried', decision: verdict.decision, digest };
        await audit.record({ ...entry, ...both(reads.audited(), why(reasons)) });
        return { status: 'done', result: cleanData(triedResult(action, verdict, preview, isReceived)) };
      }
      const { orgId, userId } = run;
      const judged = { args, digest, dedupeKey, preview, verdict, orgId, userId, signal, reads, seen };
      return await propose(bot, action, c, judged);
    } catch (thrown) {
      const error = toGatehouseError(thrown, newId);
      if (isOurs(error)) log.error(error.message, { action: c.action, cause: describeCause(error.cause) });
      await audit.record({
        ...audited,
        ...(error.code === 'cancelled'
          ? { event: 'cancelled', decision: null }
          : { event: 'refused', decision: 'refused' }),
        ...both(both(both(reads.audited(), why(reasons)), met), { detail: { code: error.code, status: error.status } }),
      });
      throw error;
    } finally {
      c.judged?.({ decision, reasons, policyRevision: bot.policyRevision, calls: reads.calls() });
    }
  }

  return {
    async call(c) {
      const bot = await botNamed(store, c.bot);
      return told(bot, await handle(bot, c));
    },
    async proposal(id, viewer, wait) {
      const bot = await botNamed(store, viewer.bot);
      return told(bot, await queries.proposal(id, viewer, wait));
    },
    accountContext: createAccountContext(deps),

    async dryRun(c, as = {}) {
      const stored = await botNamed(store, c.bot);
      // Revision 0 is nobody's: nothing that was read under a stored one is taken for it.
      const bot = { ...stored, ...as, ...(as.policy === undefined ? {} : { policyRevision: 0 }) };
      const permit = reachable(actions, bot, c.action);
      const parsed = parseArgs(permit, bot.policy, c.args);
      const signal = c.signal ?? new AbortController().signal;
      const { preview, verdict } = await evaluate(deps, bot, permit, c, parsed, signal);
      // It did not run: a rule by the hour does not see it.
      if (verdict.decision === 'auto' && hasRate(permit.actionPolicy)) await noteRun(deps, bot, permit.action, -1);
      const { decision, assurance, reasons, clientDecline } = verdict;
      return { decision, assurance, reasons, preview, clientDecline };
    },
  };
}

function openingBy(context: RoadContext, known: ReadConnection | undefined): ContextDeps {
  return { ...context, openOrg: (bot, signal, sent) => context.openOrg(bot, signal, sent, known) };
}

function told({ audience }: BotRow, envelope: Envelope): Envelope {
  return audience === 'public' ? forVisitors(envelope) : envelope;
}

/** The words of the rule that decided, as proposals keep them too. */
function why(reasons: readonly string[]): Pick<AuditInput, 'detail'> {
  return reasons.length === 0 ? {} : { detail: { reasons } };
}

/** A visitor who asks for the first time; who is somebody at the playground. */
const SOMEBODY: Proposal['visitor'] = { id: 'trial', requests: 0, ownRequests: 0 };

const toChange = ({ field, before, after }: Preview['changes'][number]) => ({ field, before, after });

/** What a model is told of a call that ended at its preview. Where visitors get a receipt, it learns no more than they do. */
function triedResult(action: Action, { decision, reasons }: Verdict, preview: Preview | null, isReceived: boolean) {
  const tried = {
    dryRun: true,
    note: 'Dry run: nothing was written and nothing waits. Say what would happen, and that nothing was done.',
  };
  if (isReceived) return { ...action.receipt, ...tried };
  return {
    ...tried,
    would: decision === 'auto' ? 'run by itself' : 'wait for a person',
    reasons,
    ...(preview === null ? {} : { summary: preview.summary, changes: preview.changes.map(toChange) }),
  };
}

/** What a refusal was decided from, so that another policy can be asked about it later: no proposal keeps it. */
function metBy(preview: Preview | null): Pick<AuditInput, 'sealed'> {
  return preview === null ? {} : { sealed: { facts: factsOf(preview) } };
}

/** An update that changes nothing needs no proposal. */
function changesNothing(preview: Preview | null): boolean {
  return preview?.target !== undefined && preview.changes.length === 0 && preview.choices === undefined;
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}\n${cause.stack ?? ''}` : String(cause);
}
