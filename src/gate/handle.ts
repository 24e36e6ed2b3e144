import type { Audit } from '../audit/audit.ts';
import { type Confirm, createConfirm } from '../confirm/confirm.ts';
import { unknownProposal } from '../confirm/refusals.ts';
import type { Sign } from '../confirm/sign.ts';
import type { Action, Preview } from '../domain/action.ts';
import { digestOf } from '../domain/canonical-json.ts';
import { GatehouseError, toGatehouseError } from '../domain/errors.ts';
import { digestOfCall, type Envelope } from '../domain/proposal.ts';
import { cleanData, cleanShown } from '../domain/safe-text.ts';
import { anotherOrg, denied } from '../policy/judge.ts';
import { botNamed, reachable } from '../policy/permit.ts';
import type { Call, Gate } from '../ports/gate.ts';
import type { BotRow, Store } from '../ports/store.ts';
import { readSessionContext } from './account-context.ts';
import { type ContextDeps, contextFor } from './call-context.ts';
import { createEdits } from './edits.ts';
import { eraseSubject } from './erase.ts';
import { evaluate } from './evaluate.ts';
import { getProposal } from './get-proposal.ts';
import { mayAsk } from './listing.ts';
import { createNotices, type Notice } from './notices.ts';
import { parseArgs } from './parse-args.ts';
import { byOperators, createPrepareRun } from './prepare-run.ts';
import { createPropose } from './propose.ts';
import { createProposalQueries } from './queries.ts';
import { both, createReadLog } from './read-log.ts';
import { createReceipts } from './receipts.ts';
import { createRepeats, dedupeKeyOf } from './repeats.ts';
import { createHeldSync, createSyncHeldAction, listOf, SYNC_HELD } from './sync-held.ts';
import { createUndo, orgOfWrite } from './undo.ts';

/** The one road of every call: find, permit, parse, decide, confirm, run, check the answer, audit. It knows no transport. */

export interface GateDeps extends ContextDeps {
  readonly actions: readonly Action[];
  readonly store: Store;
  readonly audit: Audit;
  readonly mayOverride: (error: GatehouseError) => boolean;
  readonly isRunnerAlive: (runner: string) => boolean;
  /** Names this process, unique per start. */
  readonly runner: string;
  /** Where a human decides a proposal. */
  readonly link: (id: string) => string;
  readonly newId: () => string;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Signs with a key of this installation. */
  readonly sign: Sign;
  /** Where notices go. */
  readonly notify: (notice: Notice) => Promise<void>;
  readonly crash?: (point: string) => void | Promise<void>;
}

export function createGate(deps: GateDeps): Omit<Gate, 'actions'> {
  const { store } = deps;

  const undo = createUndo(store, deps.audit);
  const notices = createNotices(deps);
  const syncHeld = createSyncHeldAction(deps);
  const prepareRun = createPrepareRun({ ...deps, operatorActions: [undo, syncHeld] });
  const leaseMs = deps.requestTimeoutMs * 3;
  const confirm: Confirm = createConfirm({ ...deps, leaseMs, prepareRun, tell: notices.tell });
  const queries = createProposalQueries({ ...deps, confirm });
  const repeats = createRepeats({ ...deps, confirm });
  const edits = createEdits({ ...deps, confirm });
  const propose = createPropose({ ...deps, confirm, repeats });
  const heldSync = createHeldSync({ ...deps, action: syncHeld, confirm, propose });
  const receipts = createReceipts({ ...deps, confirm, orgOf, tell: notices.tell });

  async function call(c: Call): Promise<Envelope> {
    const bot = await botNamed(store, c.bot);
    const audited = {
      bot: bot.name,
      principal: c.principal,
      channel: c.channel,
      action: c.action.slice(0, 80),
      policyRevision: bot.policyRevision,
    };
    const reads = createReadLog();
    try {
      if (c.action === getProposal.name) return await queries.getProposal(c, bot.policy.ignoreKeys);
      // A visitor gets one receipt, whatever becomes of the request: its fate would tell who is known already (P6).
      const hasReceipt = deps.actions.some(({ name, receipt }) => name === c.action && receipt !== undefined);
      if (bot.audience === 'public' && hasReceipt) return await receipts.receive(bot, c);
      const permit = reachable(deps.actions, bot, c.action);
      const { action } = permit;
      const parsed = parseArgs(permit, bot.policy, c.args);
      const { args } = parsed;
      const signal = c.signal ?? new AbortController().signal;
      const digest = digestOfCall(bot.name, action.name, args);
      const isWrite = action.risk !== 'read';
      const dedupeKey = isWrite || mayAsk(permit, bot) ? dedupeKeyOf(bot, await orgOf(bot.name), c, digest) : null;

      const earlier = dedupeKey === null ? undefined : await repeats.earlier(bot, action, c, dedupeKey, digest, signal);
      if (earlier !== undefined) return earlier;

      const { run, preview, verdict } = await evaluate(deps, bot, permit, c, parsed, signal, null, reads);
      if (verdict.decision === 'deny') throw denied(action, verdict);
      if ((!isWrite && verdict.decision === 'auto') || (!action.idempotent && changesNothing(preview))) {
        // No proposal stands behind this context: whatever runs in it can only read.
        const output = action.output.parse(await action.run(parsed.input, run.context));
        await deps.audit.record({ ...audited, event: 'done', decision: 'auto', digest, ...reads.audited() });
        return { status: 'done', result: cleanData({ ...output }) };
      }
      const { orgId } = run;
      return await propose(bot, action, c, { args, digest, dedupeKey, preview, verdict, orgId, signal, reads });
    } catch (thrown) {
      const error = toGatehouseError(thrown, deps.newId);
      if (error.code === 'internal')
        deps.log.error(error.message, { action: c.action, cause: describeCause(error.cause) });
      await deps.audit.record({
        ...audited,
        event: 'refused',
        decision: 'refused',
        ...both(reads.audited(), { detail: { code: error.code, status: error.status } }),
      });
      throw error;
    }
  }

  /** The org that the bot's connection leads to, whatever state it is in. */
  async function orgOf(bot: string): Promise<string | null> {
    return (await store.connections.get(bot))?.orgId ?? null;
  }

  /** Rows that the host asks for are written down like a bot's. */
  async function readSession(bot: BotRow, session: { readonly indexValue: string }, signal: AbortSignal) {
    const reads = createReadLog();
    const read = await readSessionContext(deps, bot, session, signal, reads);
    await deps.audit.record({
      bot: bot.name,
      principal: 'host',
      channel: 'chat',
      action: 'session_context',
      event: 'done',
      decision: 'auto',
      policyRevision: bot.policyRevision,
      ...reads.audited(),
    });
    return read;
  }

  return {
    call,
    async recover() {
      // A process may have died between the end of a connection and the end of what waited for it.
      for (const { bot, state } of await store.connections.list())
        if (state === 'disconnected') await confirm.leave(bot);
      const done = (await confirm.recover()) + (await receipts.catchUp());
      await notices.catchUp();
      return done;
    },
    leave: (bot) => confirm.leave(bot),

    async undo(audit, by) {
      const row = await store.audit.get(audit);
      if (row?.bot == null)
        throw new GatehouseError('not_found', `There is no audit row ${audit} of a bot.`, {
          next: 'List the rows with: gatehouse audit export.',
          fields: [{ name: 'audit', problem: 'unknown' }],
        });
      const bot = await botNamed(store, row.bot);
      const { input, args, extra } = parseArgs(byOperators(undo), bot.policy, { audit });
      const c: Call = { bot: bot.name, principal: by, channel: 'cli', action: undo.name, args };
      const reads = createReadLog();
      const run = await contextFor(deps, bot, c, extra, new AbortController().signal, reads);
      if ((await orgOfWrite(row, store)) !== run.orgId) throw anotherOrg();
      const preview = cleanShown((await undo.preview?.(input, run.context)) ?? null);
      const digest = digestOfCall(bot.name, undo.name, args);
      const verdict = {
        decision: 'confirm',
        assurance: 'session',
        reasons: [`${by} asks to undo audit row ${audit}.`],
        asks: ['decision'],
      } as const;
      return propose(bot, undo, c, {
        args,
        digest,
        dedupeKey: digestOf([digest, run.orgId]),
        preview,
        verdict,
        orgId: run.orgId,
        signal: new AbortController().signal,
        reads,
      });
    },

    heldSync,
    heldRecords: async (id) => listOf((await queries.inspect(id)).proposal),

    sessionContext: async (name, session, signal = new AbortController().signal) =>
      readSession(await botNamed(store, name), session, signal),

    erase: (subject, by) => {
      const withdraw = (id: string) => confirm.decide(id, { answer: 'reject', by, via: 'cli', assurance: 'session' });
      return eraseSubject({ ...deps, withdraw, subject, by });
    },

    async dryRun(c) {
      const bot = await botNamed(store, c.bot);
      const permit = reachable(deps.actions, bot, c.action);
      const parsed = parseArgs(permit, bot.policy, c.args);
      const signal = c.signal ?? new AbortController().signal;
      const { preview, verdict } = await evaluate(deps, bot, permit, c, parsed, signal);
      const { decision, assurance, reasons, clientDecline } = verdict;
      return { decision, assurance, reasons, preview, ...(clientDecline === undefined ? {} : { clientDecline }) };
    },

    proposal: queries.proposal,
    proposals: queries.proposals,
    inspect: queries.inspect,
    heldRequests: receipts.held,
    async decide(id, decision) {
      // Whoever speaks for one bot alone is no operator.
      if (decision.bot !== undefined && (await store.proposals.get(id))?.action === SYNC_HELD) throw unknownProposal();
      if (decision.answer === 'approve') await receipts.prepare(id);
      return edits.decide(id, decision);
    },
    async previewEdit(id, values) {
      await receipts.prepare(id);
      return edits.previewEdit(id, values);
    },

    async tidy(before) {
      return { rows: await deps.audit.forget(before), proposals: await store.proposals.blankSettledBefore(before) };
    },
  };
}

/** A change that is none needs nobody's yes. */
function changesNothing(preview: Preview | null): boolean {
  return preview?.target !== undefined && preview.changes.length === 0 && preview.choices === undefined;
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}\n${cause.stack ?? ''}` : String(cause);
}
