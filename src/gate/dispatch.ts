import { z } from 'zod';
import { type Facts, needsFacts, type Verdict } from '../../permissions/decide.ts';
import type { ActionPolicy } from '../../permissions/policy.ts';
import type { Action, Answered, Preview } from '../action.ts';
import type { Audit, AuditInput } from '../audit.ts';
import { type Confirm, createConfirm, queueFull } from '../confirm/confirm.ts';
import type { Effect, Envelope, Proposal } from '../confirm/proposal.ts';
import { toEnvelope } from '../confirm/view.ts';
import { digestOf } from '../digest.ts';
import { GatehouseError, toGatehouseError } from '../errors.ts';
import { cleanData, cleanShown } from '../hidden-text.ts';
import type { BotRow, Store } from '../store/store.ts';
import { type ContextDeps, contextFor } from './call-context.ts';
import { createEdits } from './edit.ts';
import { eraseSubject } from './erase.ts';
import type { Call, Gate, ListedAction } from './gate.ts';
import { getProposal } from './get-proposal.ts';
import { countRun, denied, hasRate, judge } from './judge.ts';
import { createLook } from './look.ts';
import { inputFor, type ParsedArgs, parseArgs } from './parse-args.ts';
import { botNamed, listed, type Permitted, permitted } from './permit.ts';
import { both, createReadLog, type ReadLog } from './read-log.ts';
import { createRepeats, dedupeKeyOf } from './repeat.ts';
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

const MINUTE_MS = 60_000;

export function createGate(deps: GateDeps): Gate {
  const { store, now } = deps;

  const undo = createUndo(store);
  const confirm: Confirm = createConfirm({ ...deps, leaseMs: deps.requestTimeoutMs * 3, ready });
  const look = createLook({ ...deps, confirm });
  const repeats = createRepeats({ ...deps, confirm });
  const edits = createEdits({ ...deps, confirm });

  /** For the run of a held proposal: everything is asked once more, as it is now. */
  async function ready(proposal: Proposal, note: (effects: readonly Effect[]) => Promise<void>, signal: AbortSignal) {
    const bot = await botNamed(store, proposal.bot);
    const { action, own } =
      proposal.action === undo.name
        ? { action: undo, own: BY_OPERATORS }
        : permitted(deps.actions, bot, proposal.action);
    const { extra } = parseArgs(action, own, proposal.args);
    const verdictIn = (environment: Facts['environment']) => judge(bot, action, proposal.preview, environment);
    const reads = createReadLog();
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
      reads,
      { proposal, note, answered: (environment) => answeredBy(proposal, verdictIn(environment)) },
    );
    // What policy let run by itself was counted when it was judged.
    if (proposal.decidedBy !== BY_POLICY || !hasRate(bot, action)) await countRun(deps, bot, action);
    const base = { action, context: run.context, read: reads.audited };
    if (proposal.policyRevision === bot.policyRevision || action === undo) return base;
    const verdict = verdictIn(run.environment);
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
    const reads = createReadLog();
    try {
      if (c.action === getProposal.name) return await look.getProposal(c);
      const { action, own } = permitted(deps.actions, bot, c.action);
      const parsed = parseArgs(action, own, c.args);
      const { args } = parsed;
      const signal = c.signal ?? new AbortController().signal;
      const digest = digestOf({ bot: bot.name, action: action.name, args });
      const isWrite = action.risk !== 'read';
      const dedupeKey = isWrite || mayAsk(own, bot) ? dedupeKeyOf(bot, c, digest) : null;

      const earlier = dedupeKey === null ? undefined : await repeats.earlier(bot, action, c, dedupeKey, digest, signal);
      if (earlier !== undefined) return earlier;

      if (unheard !== undefined) await mustHaveRoom(bot);
      const { run, preview, verdict } = await weigh(bot, { action, own }, c, parsed, signal, reads);
      if (verdict.decision === 'deny') throw denied(action, verdict);
      if ((!isWrite && verdict.decision === 'auto') || (!action.idempotent && changesNothing(preview))) {
        // No proposal stands behind this context: whatever runs in it can only read.
        const output = action.output.parse(await action.run(parsed.input, run.context));
        await deps.audit.record({ ...audited, event: 'done', decision: 'auto', digest, ...reads.audited() });
        return { status: 'done', result: cleanData({ ...output }) };
      }
      return await propose(bot, action, c, { args, digest, dedupeKey, preview, verdict, signal, reads }, unheard);
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

  /** What would happen and what policy says to it; reads only. */
  async function weigh(
    bot: BotRow,
    { action, own }: Permitted,
    c: Call,
    { input, extra }: ParsedArgs,
    signal: AbortSignal,
    reads: ReadLog,
  ) {
    const run = await contextFor(deps, bot, c, extra, signal, reads);
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
      readonly reads: ReadLog;
    },
    unheard?: (running: Promise<Envelope>) => void,
  ): Promise<Envelope> {
    const { verdict, preview, digest } = made;
    const isAsked = verdict.decision === 'confirm';
    const { expiresMinutes, maxPending } = bot.policy.proposals;
    if (isAsked) await confirm.supersede(await repeats.replacedBy(bot, action, c, preview));
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
        ...both(both(made.reads.audited(), querySent(preview)), { detail: { reasons: verdict.reasons } }),
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
    return repeats.sameMoment(held, action, made.signal);
  }

  /** A full queue refuses every visitor alike, before anything is looked up: it must not tell who is known (P6). */
  async function mustHaveRoom(bot: BotRow): Promise<void> {
    const { maxPending } = bot.policy.proposals;
    if ((await store.proposals.countPending(bot.name)) >= maxPending) throw queueFull(maxPending);
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
      const reads = createReadLog();
      const run = await contextFor(deps, bot, c, extra, new AbortController().signal, reads);
      const preview = cleanShown((await undo.preview?.(input, run.context)) ?? null);
      const digest = digestOf({ bot: bot.name, action: undo.name, args });
      const verdict = {
        decision: 'confirm',
        assurance: 'session',
        reasons: [`${by} asks to undo audit row ${audit}.`],
        asks: ['decision'],
      } as const;
      return propose(bot, undo, c, {
        args,
        digest,
        dedupeKey: digest,
        preview,
        verdict,
        signal: new AbortController().signal,
        reads,
      });
    },

    sessionContext: async (name, session, signal = new AbortController().signal) =>
      readSession(await botNamed(store, name), session, signal),

    erase: (subject, by) => eraseSubject({ ...deps, subject, by }),

    async dryRun(c) {
      const bot = await botNamed(store, c.bot);
      const found = permitted(deps.actions, bot, c.action);
      const parsed = parseArgs(found.action, found.own, c.args);
      const signal = c.signal ?? new AbortController().signal;
      const { preview, verdict } = await weigh(bot, found, c, parsed, signal, createReadLog());
      const { decision, assurance, reasons } = verdict;
      return { decision, assurance, reasons, preview };
    },

    proposal: look.proposal,
    proposals: look.proposals,
    inspect: look.inspect,
    decide: edits.decide,
    previewEdit: edits.previewEdit,

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

/** The text of a query may name people: it is sealed, its shape is not. */
function querySent(preview: Preview | null): Pick<AuditInput, 'detail' | 'sealed'> {
  const query = preview?.query;
  if (query === undefined) return {};
  return {
    detail: { class: query.class, objects: query.objects, fields: query.fields },
    sealed: { query: query.send },
  };
}

/** What the person who let this proposal run said yes to; undefined where policy did. */
function answeredBy(proposal: Proposal, { asks }: Verdict): Answered | undefined {
  if (proposal.decidedBy === null || proposal.decidedBy === BY_POLICY) return undefined;
  const isSignedIn = proposal.decidedVia === 'console' || proposal.decidedVia === 'cli';
  return { assurance: isSignedIn ? 'session' : proposal.assurance, asks };
}

/** A change that is none needs nobody's yes. */
function changesNothing(preview: Preview | null): boolean {
  return preview?.target !== undefined && preview.changes.length === 0 && preview.choices === undefined;
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}\n${cause.stack ?? ''}` : String(cause);
}
