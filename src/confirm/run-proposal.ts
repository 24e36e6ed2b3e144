import type { Audit, AuditInput } from '../audit/audit.ts';
import type { Action, ActionContext } from '../domain/action.ts';
import {
  GatehouseError,
  isOurs,
  StillUnderWay,
  tellsOfOthers,
  toErrorBody,
  toGatehouseError,
} from '../domain/errors.ts';
import type { Proposal, RecordedWrite } from '../domain/proposal.ts';
import { cleanData } from '../domain/safe-text.ts';
import type { Log } from '../ports/log.ts';
import type { AuditRow, Store } from '../ports/store.ts';
import { asksFirst, botDeleted, NotTaken, partlyWritten, takenOver } from './refusals.ts';
import type { SeenReads } from './seen-reads.ts';
import { effectsSealOf, type Sign } from './sign.ts';

/** One run of a claimed proposal: everything is asked once more, the stored arguments run, and the end is named. */

/** The call that a run is part of: whether its caller still waits, and what its preview has read. */
export interface WithinCall {
  readonly signal: AbortSignal;
  readonly seen?: SeenReads | undefined;
  /** The row of the audit that lets it run was written within this call; `unkept` where its head waits for the first write to leave. */
  readonly permit?: { readonly unkept?: AuditRow | undefined } | undefined;
}

export interface RunDeps {
  readonly store: Pick<Store, 'proposals'>;
  readonly audit: Pick<Audit, 'keep'>;
  /**
   * Permission, mode, policy and connection once more, as they are now, and the context to run in. `stricter` says that
   * policy would ask (again) today: the proposal goes back to a human.
   */
  readonly prepareRun: (
    proposal: Proposal,
    record: (effects: readonly RecordedWrite[]) => Promise<void>,
    within: WithinCall,
  ) => Promise<{
    readonly action: Action;
    /** The arguments as they were held, without the exposed fields: those are in the context. */
    readonly input: Readonly<Record<string, unknown>>;
    readonly context: ActionContext;
    /** The Salesforce user whom it runs as. */
    readonly userId: string;
    /** What the run read, for its audit row. */
    readonly read: () => Pick<AuditInput, 'detail' | 'sealed'>;
    /** Reads back the writes whose answer is missing; an error where somebody overtook one. */
    readonly lookUp: () => Promise<GatehouseError | undefined>;
    /** Why nothing more may be written today; what was sent is looked up all the same. */
    readonly refused?: GatehouseError;
    readonly stricter?: Partial<Pick<Proposal, 'assurance' | 'reasons' | 'preview' | 'userId'>>;
  }>;
  /** A write whose reply was lost. */
  readonly isUnknownOutcome: (error: unknown) => boolean;
  /** A duplicate that the org only warns about: a human may let it be saved all the same. */
  readonly mayOverride: (error: GatehouseError) => boolean;
  readonly sign: Sign;
  /** Names this process. */
  readonly runner: string;
  readonly leaseMs: number;
  readonly now: () => number;
  readonly newId: () => string;
  readonly log: Log;
  /** Crash points by name, for tests that kill the process there. */
  readonly crash?: ((point: string) => void | Promise<void>) | undefined;
}

export interface End {
  readonly state: 'done' | 'failed' | 'conflict' | 'unknown' | 'pending' | 'received';
  readonly event: string;
  readonly patch: Partial<Proposal>;
  readonly audit: Partial<AuditInput>;
}

export async function runProposal(deps: RunDeps, proposal: Proposal, within: WithinCall): Promise<End> {
  const { now, crash = () => {} } = deps;
  let effects: readonly RecordedWrite[] = proposal.effects;
  let read = (): Pick<AuditInput, 'detail' | 'sealed'> => ({});
  let lookUp = async (): Promise<GatehouseError | undefined> => undefined;
  let ran: Action | undefined;
  /** Rows are the reader's of now; a write keeps the one whom its preview was read as. */
  let reader: Pick<Proposal, 'userId'> | undefined;
  /** By policy, before the action ran. */
  let isHeldBack = false;
  let { unkept } = within.permit ?? {};
  const record = async (next: readonly RecordedWrite[]) => {
    const before = effects;
    effects = [...next];
    const leaves = next.some((effect, at) => effect !== before[at] && effect.state === 'sent');
    if (
      !(await deps.store.proposals.patch(
        proposal.id,
        'executing',
        {
          effects: next,
          effectsSeal: effectsSealOf(deps.sign, { id: proposal.id, effects: next }),
          leaseUntil: now() + deps.leaseMs,
        },
        deps.runner,
        // A power cut may take how an update ended: its record is read back. A request that leaves, and the id of what was made, must stay.
        leaves || next.some((effect, at) => effect !== before[at] && effect.kind === 'create'),
      ))
    ) {
      if ((await deps.store.proposals.get(proposal.id)) !== undefined) throw takenOver();
      // Its bot was deleted: nothing more leaves, and what was sent is seen to its end, for the audit.
      if (leaves) {
        effects = before;
        throw botDeleted();
      }
    }
    // The record took the permit to the disk; its head follows it there, and nothing leaves before.
    if (leaves && unkept !== undefined)
      await deps.audit.keep(unkept).catch((error: unknown) => {
        effects = before;
        throw error;
      });
    if (leaves) unkept = undefined;
    await crash(`noted-${next.at(-1)?.state ?? 'none'}`);
  };
  try {
    const { action, input, context, refused, stricter, ...prepared } = await deps.prepareRun(proposal, record, within);
    ({ read, lookUp } = prepared);
    ran = action;
    if (action.risk === 'read') reader = { userId: prepared.userId };
    isHeldBack = refused !== undefined || stricter !== undefined;
    if (stricter !== undefined) {
      const overtaken = await lookUp();
      if (overtaken !== undefined) throw overtaken;
      if (effects.every(({ state }) => state === 'failed')) return askAgain(stricter);
      throw asksFirst();
    }
    if (refused !== undefined) throw refused;
    const output = await action.run(input, context);
    await crash('ran');
    // The write is done. An answer off its schema is logged, and must not make the write look failed.
    const checked = action.output.safeParse(output);
    if (!checked.success)
      deps.log.error('an action answered off its schema', { action: action.name, problem: checked.error.message });
    return {
      state: 'done',
      event: 'done',
      patch: {
        ...reader,
        result: cleanData(checked.success ? checked.data : { ...output }),
        effects,
        settledAt: now(),
      },
      audit: { ...whatHappened(effects, read(), { org: proposal.orgId }), decision: proposal.decidedBy },
    };
  } catch (cause) {
    const isLost = (error: unknown) => deps.isUnknownOutcome(error) || error instanceof StillUnderWay;
    const hasSent = effects.some(({ state }) => state === 'sent');
    const isStopped = isHeldBack && effects.length > 0;
    // The action met something else than the record as it left it: what it wrote is read back all the same.
    // Only what is shown to be all of it is called done.
    const overtaken = hasSent && !isLost(cause) ? await lookUp().catch(() => undefined) : undefined;
    const isWhole = effects.length > 0 && effects.every(({ state }) => state === 'done');
    if (overtaken === undefined && isWhole && isAllOf(ran, proposal, effects))
      return {
        state: 'done',
        event: 'done',
        patch: { effects, settledAt: now() },
        audit: { ...whatHappened(effects, read(), { org: proposal.orgId }), decision: proposal.decidedBy },
      };
    const stopped = overtaken ?? cause;
    const met = toGatehouseError(stopped, deps.newId);
    if (isOurs(met)) deps.log.error(met.message, { cause: String(met.cause), proposal: proposal.id });
    const isPart =
      (hasSent || isStopped) &&
      !(stopped instanceof NotTaken) &&
      !effects.some(({ state }) => state === 'sent') &&
      effects.some(({ state }) => state === 'done');
    const error = isPart ? partlyWritten(effects, met) : met;
    if (
      // Look-alikes that this bot may not see are no choice; that they may be passed over is one.
      ((error.code === 'duplicate' && error.candidates !== undefined && error.candidates.length > 0) ||
        deps.mayOverride(error)) &&
      proposal.choice === null &&
      madeNothing(effects)
    )
      return askAgain(withLookAlikes(proposal, error, deps.mayOverride(error)), ruleBehind(error));
    // A write that went out, or is done already, must not be taken for one that never happened.
    const isUnknown =
      !(stopped instanceof NotTaken) &&
      !isPart &&
      overtaken === undefined &&
      (isLost(stopped) || effects.some(({ state }) => state !== 'failed'));
    const state = isUnknown ? 'unknown' : error.code === 'conflict' && !error.retryable ? 'conflict' : 'failed';
    return {
      state,
      event: state === 'failed' && error.code === 'cancelled' ? 'cancelled' : state,
      patch: {
        ...reader,
        error: toErrorBody(error),
        effects,
        ...(state === 'unknown' ? { leaseUntil: now() + deps.leaseMs } : { settledAt: now(), dedupeKey: null }),
      },
      audit: whatHappened(effects, read(), { org: proposal.orgId, code: error.code, ...ruleBehind(error) }),
    };
  }
}

/** One record of one object is all that the action writes, and every change that was shown is in it. */
function isAllOf(action: Action | undefined, { preview }: Proposal, effects: readonly RecordedWrite[]): boolean {
  const { creates = [], edits = [] } = action?.touches ?? {};
  const written = new Set(effects.flatMap(({ after }) => Object.keys(after)));
  const shown = preview?.changes ?? [];
  const [first] = effects;
  // All or none of these, and nothing beside them; nothing of a record that is gone is written.
  if (effects.every(({ graph }) => graph === 0) || (effects.length === 1 && first?.kind === 'remove')) return true;
  const isOne = effects.length === 1 && new Set([...creates, ...edits]).size <= 1;
  return isOne && shown.every(({ field }) => written.has(field));
}

/** Nothing was written, and a person must see something new: the proposal waits again. */
function askAgain(
  anew: Partial<Pick<Proposal, 'assurance' | 'reasons' | 'preview' | 'userId'>>,
  more: Record<string, unknown> = {},
): End {
  return {
    state: 'pending',
    event: 'asked_again',
    patch: { ...anew, decidedBy: null, decidedAt: null, decidedVia: null, leaseUntil: null, effects: [] },
    audit: { detail: { reasons: anew.reasons ?? [], ...more } },
  };
}

/** A create that was refused, and nothing else: only then is there another record to choose, and nothing to forget. */
function madeNothing(effects: readonly RecordedWrite[]): boolean {
  return effects.at(-1)?.kind === 'create' && effects.every(({ state }) => state === 'failed');
}

/** What the org's own duplicate rule found, as choices for the human. */
function withLookAlikes(
  proposal: Proposal,
  error: GatehouseError,
  mayOverride: boolean,
): Pick<Proposal, 'preview' | 'reasons'> {
  const preview = proposal.preview ?? { summary: proposal.action, changes: [] };
  const use = (error.candidates ?? []).map(({ id, name }) => ({ id: `use:${id}`, label: `Use ${name}` }));
  const isTold = tellsOfOthers(error);
  const label = isTold ? 'Create a new one anyway' : 'Create it all the same';
  const create = mayOverride ? [{ id: 'create', label }] : [];
  return {
    preview: { ...preview, choices: [...use, ...create] },
    reasons: [
      ...proposal.reasons,
      isTold ? "The org's duplicate rule found look-alikes." : 'A rule of the org has a person asked first.',
    ],
  };
}

/** Which rule said no, where whoever called may not know it. */
const ruleBehind = ({ cause }: GatehouseError) =>
  cause instanceof GatehouseError ? { rule: cause.salesforce?.code ?? cause.code } : {};

/** What was read and what was written. Values are sealed, the shape is open. */
function whatHappened(
  effects: readonly RecordedWrite[],
  read: Pick<AuditInput, 'detail' | 'sealed'>,
  more: Record<string, unknown> = {},
): Partial<AuditInput> {
  const [first] = effects;
  if (first === undefined) return { ...read, detail: { ...read.detail, ...more } };
  return {
    object: first.object,
    recordId: first.id,
    detail: {
      ...read.detail,
      ...more,
      writes: effects.map(({ kind, object, id, state, after }) => ({
        kind,
        object,
        id,
        state,
        fields: Object.keys(after),
      })),
    },
    sealed: { ...read.sealed, effects },
  };
}
