import { z } from 'zod';
import { needsFacts, type Verdict } from '../../permissions/decide.ts';
import type { ActionPolicy } from '../../permissions/policy.ts';
import type { Action, Preview } from '../action.ts';
import type { Audit, AuditInput } from '../audit.ts';
import {
  alreadyDecided,
  type Confirm,
  createConfirm,
  type ProposalEdit,
  queueFull,
  unknownProposal,
} from '../confirm/confirm.ts';
import { stillHeld } from '../confirm/effects.ts';
import { type Effect, type Envelope, isOver, type Proposal } from '../confirm/proposal.ts';
import { toEnvelope } from '../confirm/view.ts';
import { digestOf } from '../digest.ts';
import { GatehouseError, toGatehouseError } from '../errors.ts';
import { cleanData, cleanShown } from '../hidden-text.ts';
import type { BotRow, Store } from '../store/store.ts';
import { type ContextDeps, contextFor } from './call-context.ts';
import { eraseSubject } from './erase.ts';
import type { Call, Gate, ListedAction } from './gate.ts';
import { getProposal, getProposalInput } from './get-proposal.ts';
import { countRun, hasRate, judge } from './judge.ts';
import { inputFor, type ParsedArgs, parseArgs } from './parse-args.ts';
import { botNamed, listed, type Permitted, permitted } from './permit.ts';
import { readSessionContext } from './session-context.ts';
import { createUndo } from './undo.ts';

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
  readonly crash?: (point: string) => void | Promise<void>;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Identical arguments within this time are one wish (A4). */
const WINDOW_MS = 10 * MINUTE_MS;
/** A caller's own key holds this long. */
const KEY_WINDOW_MS = 24 * HOUR_MS;

export function createGate(deps: GateDeps): Gate {
  const { store, now } = deps;

  const undo = createUndo(store);
  const confirm: Confirm = createConfirm({ ...deps, leaseMs: deps.requestTimeoutMs * 3, ready });

  /** For the run of a held proposal: everything is asked once more, as it is now. */
  async function ready(proposal: Proposal, note: (effects: readonly Effect[]) => Promise<void>, signal: AbortSignal) {
    const bot = await botNamed(store, proposal.bot);
    const { action, own } =
      proposal.action === undo.name
        ? { action: undo, own: BY_OPERATORS }
        : permitted(deps.actions, bot, proposal.action);
    const { extra } = parseArgs(action, own, proposal.args);
    const run = await contextFor(
      deps,
      bot,
      {
        principal: proposal.principal,
        ...(proposal.conversation === null ? {} : { conversation: proposal.conversation }),
        ...(proposal.session === null ? {} : { session: proposal.session }),
      },
      extra,
      signal,
      { proposal, note },
    );
    // What policy let run by itself was counted when it was judged.
    if (proposal.decidedBy !== BY_POLICY || !hasRate(bot, action)) await countRun(deps, bot, action);
    const base = { action, context: run.context };
    if (proposal.policyRevision === bot.policyRevision || action === undo) return base;
    const verdict = judge(bot, action, proposal.preview, run.environment);
    if (verdict.decision === 'deny') throw denied(action, verdict);
    const isStricter =
      (proposal.decidedBy === BY_POLICY && verdict.decision === 'confirm') ||
      (proposal.assurance === 'client' && verdict.assurance === 'session');
    return isStricter ? { ...base, stricter: { assurance: verdict.assurance, reasons: verdict.reasons } } : base;
  }

  /** Visitors of a public bot get one receipt, whatever became of their request: its fate would tell who is known already (P6). */
  async function call(c: Call): Promise<Envelope> {
    const bot = await botNamed(store, c.bot);
    const receipt = bot.audience === 'public' ? deps.actions.find(({ name }) => name === c.action)?.receipt : undefined;
    if (receipt === undefined) return travel(bot, c);
    const done = { status: 'done', result: receipt as Record<string, unknown> } as const; // an object schema
    // Held durably, then run unheard: neither the end nor the time it takes is told.
    await travel(bot, c, (running) => {
      running.catch((error: unknown) =>
        deps.log.warn('a request of a visitor failed', { action: c.action, error: String(error) }),
      );
    });
    return done;
  }

  async function travel(bot: BotRow, c: Call, unheard?: (running: Promise<Envelope>) => void): Promise<Envelope> {
    const audited = {
      bot: bot.name,
      principal: c.principal,
      channel: c.channel,
      action: c.action.slice(0, 80),
      policyRevision: bot.policyRevision,
    };
    try {
      if (c.action === getProposal.name) return await answerGetProposal(bot, c);
      const { action, own } = permitted(deps.actions, bot, c.action);
      const parsed = parseArgs(action, own, c.args);
      const { args } = parsed;
      const signal = c.signal ?? new AbortController().signal;
      const digest = digestOf({ bot: bot.name, action: action.name, args });
      const isWrite = action.risk !== 'read';
      const dedupeKey = isWrite || mayAsk(own, bot) ? dedupeKeyOf(bot, c, digest) : null;

      const earlier = dedupeKey === null ? undefined : await repeated(bot, action, c, dedupeKey, digest, signal);
      if (earlier !== undefined) return earlier;

      if (unheard !== undefined) await mustHaveRoom(bot);
      const { run, preview, verdict } = await weigh(bot, { action, own }, c, parsed, signal);
      if (verdict.decision === 'deny') throw denied(action, verdict);
      if ((!isWrite && verdict.decision === 'auto') || (!action.idempotent && changesNothing(preview))) {
        // No proposal stands behind this context: whatever runs in it can only read.
        const output = action.output.parse(await action.run(parsed.input, run.context));
        await deps.audit.record({ ...audited, event: 'done', decision: 'auto', digest, ...querySent(preview) });
        return { status: 'done', result: cleanData({ ...output }) };
      }
      return await propose(bot, action, c, { args, digest, dedupeKey, preview, verdict, signal }, unheard);
    } catch (thrown) {
      const error = toGatehouseError(thrown, deps.newId);
      if (error.code === 'internal')
        deps.log.error(error.message, { action: c.action, cause: describeCause(error.cause) });
      await deps.audit.record({
        ...audited,
        event: 'refused',
        decision: 'refused',
        detail: { code: error.code, status: error.status },
      });
      throw error;
    }
  }

  /** What would happen and what policy says to it; reads only. */
  async function weigh(
    bot: BotRow,
    { action, own }: Permitted,
    c: Call,
    { input, extra }: ParsedArgs,
    signal: AbortSignal,
  ) {
    const run = await contextFor(deps, bot, c, extra, signal);
    const isShown = needsFacts(own, bot.policy) || (action.risk !== 'read' && !action.idempotent);
    const preview =
      isShown && action.preview !== undefined ? cleanShown(await action.preview(input, run.context)) : null;
    // Counted before it is judged, so that a crowd of calls cannot all be the last that is allowed.
    const isCounted = hasRate(bot, action);
    const before = isCounted ? await countRun(deps, bot, action) : 0;
    const verdict = judge(bot, action, preview, run.environment, before);
    if (isCounted && verdict.decision !== 'auto') await countRun(deps, bot, action, -1);
    return { run, preview, verdict };
  }

  async function propose(
    bot: BotRow,
    action: Action,
    c: Call,
    made: {
      readonly args: Proposal['args'];
      readonly digest: string;
      readonly dedupeKey: string | null;
      readonly preview: Preview | null;
      readonly verdict: Verdict;
      readonly signal: AbortSignal;
    },
    unheard?: (running: Promise<Envelope>) => void,
  ): Promise<Envelope> {
    const { verdict, preview, digest } = made;
    const isAsked = verdict.decision === 'confirm';
    const { expiresMinutes, maxPending } = bot.policy.proposals;
    if (isAsked) await confirm.supersede(await replacedBy(bot, action, c, preview));
    const at = now();
    const proposal: Proposal = {
      id: deps.newId(),
      bot: bot.name,
      principal: c.principal,
      conversation: c.conversation ?? null,
      action: action.name,
      args: made.args,
      digest,
      dedupeKey: made.dedupeKey,
      preview,
      reasons: verdict.reasons,
      assurance: verdict.assurance,
      policyRevision: bot.policyRevision,
      session: c.session ?? null,
      state: isAsked ? 'pending' : 'approved',
      createdAt: at,
      expiresAt: at + expiresMinutes * MINUTE_MS,
      decidedBy: isAsked ? null : BY_POLICY,
      decidedVia: isAsked ? null : c.channel,
      decidedAt: isAsked ? null : at,
      choice: isAsked ? null : (preview?.choices?.[0]?.id ?? null),
      runner: null,
      leaseUntil: null,
      effects: [],
      result: null,
      error: null,
      settledAt: null,
    };
    const { isNew, proposal: held } = await confirm.hold(
      proposal,
      {
        bot: bot.name,
        principal: c.principal,
        channel: c.channel,
        action: action.name,
        event: isAsked ? 'proposed' : 'permitted',
        decision: verdict.decision,
        assurance: verdict.assurance,
        proposal: proposal.id,
        digest,
        policyRevision: bot.policyRevision,
        object: preview?.target?.object ?? null,
        recordId: preview?.target?.id ?? null,
        ...withReasons(verdict, querySent(preview)),
      },
      maxPending,
    );
    if (isNew && !isAsked) {
      const running = confirm.execute(held.id, unheard === undefined ? made.signal : undefined);
      if (unheard === undefined) return running;
      unheard(running);
      return toEnvelope(held, deps.link(held.id));
    }
    if (held.state === 'pending') return toEnvelope(held, deps.link(held.id));
    // Somebody made the identical call at the same moment: its end is ours too.
    const end = (await confirm.settled(held.id, deps.requestTimeoutMs * 3, made.signal)) ?? held;
    const envelope = toEnvelope(end, deps.link(end.id));
    return end.state === 'done' && action.risk !== 'read'
      ? { ...envelope, result: { ...envelope.result, alreadyDone: true } }
      : envelope;
  }

  /** A full queue refuses every visitor alike, before anything is looked up: it must not tell who is known (P6). */
  async function mustHaveRoom(bot: BotRow): Promise<void> {
    const { maxPending } = bot.policy.proposals;
    if ((await store.proposals.countPending(bot.name)) >= maxPending) throw queueFull(maxPending);
  }

  /** Earlier wishes of the same caller for the same record. */
  async function replacedBy(bot: BotRow, action: Action, c: Call, preview: Preview | null): Promise<Proposal[]> {
    const target = preview?.target?.id;
    if (target === undefined) return [];
    const { principal, conversation = null } = c;
    const older = await store.proposals.waitingFor({
      bot: bot.name,
      action: action.name,
      principal,
      conversation,
      target,
    });
    return older.filter(({ session }) => session?.indexValue === c.session?.indexValue);
  }

  /** The answer to a call that was made before, or undefined when it is a new wish. */
  async function repeated(
    bot: BotRow,
    action: Action,
    c: Call,
    dedupeKey: string,
    digest: string,
    signal: AbortSignal,
  ): Promise<Envelope | undefined> {
    const known = await store.proposals.byDedupeKey(dedupeKey);
    const earlier = known === undefined ? undefined : await confirm.look(known.id);
    if (earlier === undefined || earlier.dedupeKey !== dedupeKey) return undefined;
    if (earlier.digest !== digest)
      throw new GatehouseError('conflict', 'This idempotency key was used for other arguments.', {
        next: 'Use a new key for a new call; the same key only to repeat the same call.',
        fields: [{ name: 'key', problem: 'used for other arguments' }],
      });
    if (earlier.state === 'pending' || earlier.state === 'unknown') return toEnvelope(earlier, deps.link(earlier.id));
    const end =
      earlier.state === 'done' ? earlier : await confirm.settled(earlier.id, deps.requestTimeoutMs * 3, signal);
    if (end === undefined || end.state !== 'done')
      return end === undefined ? undefined : toEnvelope(end, deps.link(end.id));
    const isInWindow = now() < (end.settledAt ?? 0) + (c.key === undefined ? WINDOW_MS : KEY_WINDOW_MS);
    const isRead = action.risk === 'read';
    // What was read for an approved query minutes ago is still its answer; asking a person again would only wear them out.
    if (isInWindow && isRead) return toEnvelope(end, deps.link(end.id));
    if (isInWindow && !action.idempotent && (await stillHeld(await deps.openOrg(bot, signal), end.effects)))
      return { status: 'done', result: { ...end.result, alreadyDone: true } };
    await store.proposals.release(end.id);
    return undefined;
  }

  async function answerGetProposal(bot: BotRow, c: Call): Promise<Envelope> {
    const parsed = getProposalInput.safeParse(c.args ?? {});
    if (!parsed.success)
      throw new GatehouseError('invalid_input', 'GetProposal takes the id of a proposal.', {
        next: 'Give id, and waitSeconds from 0 to 25 if you want to wait.',
        fields: parsed.error.issues.map((issue) => ({
          name: issue.path.join('.') || '(arguments)',
          problem: issue.message,
        })),
      });
    const { id, waitSeconds = 0 } = parsed.data;
    // One key may speak for many customers: what one of them waits for is nobody else's to know.
    const asked = await store.proposals.get(id);
    if (asked?.session?.indexValue !== c.session?.indexValue) throw unknownProposal();
    return proposalOf(id, bot.name, waitSeconds * 1000, c.signal);
  }

  async function proposalOf(id: string, bot: string, waitMs: number, signal?: AbortSignal): Promise<Envelope> {
    const first = await confirm.look(id);
    if (first === undefined || first.bot !== bot) throw unknownProposal();
    const proposal = waitMs > 0 ? await confirm.settled(id, waitMs, signal) : first;
    return toEnvelope(proposal ?? first, deps.link(id));
  }

  /** The approver's values instead of the bot's: parsed, previewed and judged like any call, for the same record. */
  async function edited(id: string, values: Readonly<Record<string, unknown>>, ofBot?: string): Promise<ProposalEdit> {
    const proposal = await confirm.look(id);
    if (proposal === undefined || (ofBot !== undefined && ofBot !== proposal.bot)) throw unknownProposal();
    if (proposal.state !== 'pending') throw alreadyDecided(proposal);
    const bot = await botNamed(store, proposal.bot);
    const { action, own } = permitted(deps.actions, bot, proposal.action);
    const foreign = Object.keys(values).filter((key) => !(key in proposal.args));
    if (foreign.length > 0)
      throw new GatehouseError(
        'invalid_input',
        `Only values that the proposal sets can be edited: not ${foreign.join(', ')}.`,
        {
          next: `Edit some of: ${Object.keys(proposal.args).join(', ')}.`,
          fields: foreign.map((name) => ({ name, problem: 'is not set by this proposal' })),
        },
      );
    const { args, input, extra } = parseArgs(action, own, { ...proposal.args, ...values });
    const session = proposal.session === null ? {} : { session: proposal.session };
    const run = await contextFor(
      deps,
      bot,
      { principal: proposal.principal, ...session },
      extra,
      new AbortController().signal,
    );
    const preview = cleanShown((await action.preview?.(input, run.context)) ?? null);
    if (preview?.target?.id !== proposal.preview?.target?.id)
      throw new GatehouseError('invalid_input', 'An edit may change values, never which record is meant.', {
        next: 'Decline this one and let the bot propose the other record.',
      });
    const { decision, assurance, reasons } = judge(bot, action, preview, run.environment);
    if (decision === 'deny') throw denied(action, { decision, assurance, reasons });
    const digest = digestOf({ bot: bot.name, action: action.name, args });
    return { args, digest, preview, reasons, assurance, policyRevision: bot.policyRevision };
  }

  const mayAsk = (own: ActionPolicy, bot: BotRow) =>
    own.decision === 'confirm' || own.rules.some((rule) => rule.then === 'confirm') || bot.policy.mode === 'ask';

  return {
    call,
    recover: () => confirm.recover(),

    async actions(name) {
      const bot = await botNamed(store, name);
      const all = listed(deps.actions, bot).map(
        ({ action, own }): ListedAction => ({
          name: action.name,
          title: action.title,
          description: action.description,
          risk: action.risk,
          idempotent: action.idempotent ?? action.risk === 'read',
          mayAsk: mayAsk(own, bot),
          input: inputFor(action, own),
          output: envelopeOf(action),
        }),
      );
      return all.some((action) => action.mayAsk) ? [...all, { ...getProposal, output: anyEnvelope }] : all;
    },

    async undo(audit, by) {
      const row = await store.audit.get(audit);
      if (row?.bot == null)
        throw new GatehouseError('not_found', `There is no audit row ${audit} of a bot.`, {
          next: 'List the rows with: gatehouse audit export.',
          fields: [{ name: 'audit', problem: 'unknown' }],
        });
      const bot = await botNamed(store, row.bot);
      const { input, args, extra } = parseArgs(undo, BY_OPERATORS, { audit });
      const c: Call = { bot: bot.name, principal: by, channel: 'cli', action: undo.name, args };
      const run = await contextFor(deps, bot, c, extra, new AbortController().signal);
      const preview = cleanShown((await undo.preview?.(input, run.context)) ?? null);
      const digest = digestOf({ bot: bot.name, action: undo.name, args });
      const verdict = {
        decision: 'confirm',
        assurance: 'session',
        reasons: [`${by} asks to undo audit row ${audit}.`],
      } as const;
      return propose(bot, undo, c, {
        args,
        digest,
        dedupeKey: digest,
        preview,
        verdict,
        signal: new AbortController().signal,
      });
    },

    sessionContext: async (name, session, signal = new AbortController().signal) =>
      readSessionContext(deps, await botNamed(store, name), session, signal),

    erase: (subject, by) => eraseSubject({ ...deps, subject, by }),

    async dryRun(c) {
      const bot = await botNamed(store, c.bot);
      const found = permitted(deps.actions, bot, c.action);
      const parsed = parseArgs(found.action, found.own, c.args);
      const { preview, verdict } = await weigh(bot, found, c, parsed, c.signal ?? new AbortController().signal);
      return { ...verdict, preview };
    },

    proposal: (id, viewer, wait) => proposalOf(id, viewer.bot, wait?.waitMs ?? 0, wait?.signal),

    async proposals({ bot, pending, limit = 100 }) {
      const rows = await store.proposals.list({
        ...(bot === undefined ? {} : { bot }),
        ...(pending ? { states: ['pending'] } : {}),
        limit,
      });
      if (!pending) return rows;
      const over = rows.filter((proposal) => isOver(proposal, now()));
      // Written down as over, or a clock that goes back would show them once more.
      for (const { id } of over) await confirm.look(id);
      return rows.filter((proposal) => !over.includes(proposal));
    },

    async inspect(id) {
      const proposal = await confirm.look(id);
      if (proposal === undefined) throw unknownProposal();
      const shown = proposal.state === 'failed' ? ({ ...proposal, state: 'conflict' } as const) : proposal;
      return { proposal, envelope: toEnvelope(shown, deps.link(id)) };
    },

    async decide(id, decision) {
      if (decision.values === undefined || Object.keys(decision.values).length === 0)
        return confirm.decide(id, decision);
      const edit = await edited(id, decision.values, decision.bot);
      if (decision.seen !== undefined && decision.seen !== seenOf(edit))
        throw new GatehouseError('conflict', 'What this edit would change is not what you were shown any more.', {
          next: 'Look at the new change, and approve that one.',
        });
      return confirm.decide(id, decision, edit);
    },

    async previewEdit(id, values) {
      const edit = await edited(id, values);
      const { preview, reasons, assurance } = edit;
      return { values, preview, reasons, assurance, seen: seenOf(edit) };
    },

    async tidy(before) {
      return { rows: await deps.audit.forget(before), proposals: await store.proposals.blankSettledBefore(before) };
    },
  };
}

const BY_POLICY = 'policy';

/** Undo is no bot's action: operators alone ask for it, and a signed-in one always decides. */
const BY_OPERATORS: ActionPolicy = { decision: 'confirm', assurance: 'session', rules: [], autoFields: [], expose: [] };

const STATUSES = ['done', 'waiting', 'declined', 'expired', 'conflict', 'unknown'] as const;
const anyEnvelope = z.looseObject({ status: z.enum(STATUSES) });

function envelopeOf(action: Action): z.ZodObject {
  return z.looseObject({ status: z.enum(STATUSES), result: action.output.partial().optional() });
}

function dedupeKeyOf(bot: BotRow, c: Call, digest: string): string {
  // Another customer's session is another caller, whoever carries both.
  const caller = [bot.name, c.principal, c.session?.indexValue ?? null];
  return c.key === undefined
    ? digestOf(['call', ...caller, c.conversation ?? null, digest])
    : digestOf(['key', ...caller, c.key]);
}

function seenOf({ digest, preview }: ProposalEdit): string {
  return digestOf([digest, preview]);
}

function denied(action: Action, verdict: Verdict): GatehouseError {
  return new GatehouseError('permission_denied', verdict.reasons[0] ?? `Policy denies ${action.name}.`, {
    next: `Tell the user that the policy of this bot does not allow it${verdict.reasons.length > 1 ? `: ${verdict.reasons.slice(1).join(' ')}` : '.'}`,
  });
}

/** The text of a query may name people: it is sealed, its shape is not. */
function querySent(preview: Preview | null): Pick<AuditInput, 'detail' | 'sealed'> {
  const query = preview?.query;
  if (query === undefined) return {};
  return {
    detail: { class: query.class, objects: query.objects, fields: query.fields },
    sealed: { query: query.send },
  };
}

function withReasons(
  { reasons }: Verdict,
  sent: Pick<AuditInput, 'detail' | 'sealed'>,
): Pick<AuditInput, 'detail' | 'sealed'> {
  return { ...sent, detail: { ...sent.detail, reasons } };
}

/** A change that is none needs nobody's yes. */
function changesNothing(preview: Preview | null): boolean {
  return preview?.target !== undefined && preview.changes.length === 0 && preview.choices === undefined;
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}\n${cause.stack ?? ''}` : String(cause);
}
