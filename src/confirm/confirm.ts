import type { Audit, AuditInput } from '../audit/audit.ts';
import { toErrorBody } from '../domain/errors.ts';
import type { LeaseWatch } from '../domain/lease-watch.ts';
import { BLANK, type Envelope, isFromFuture, isOver, type Proposal, type ProposalState } from '../domain/proposal.ts';
import type { HumanDecision } from '../ports/gate.ts';
import type { Store } from '../ports/store.ts';
import { CANCEL, changedKeys, chosen, declined, isOf } from './answer.ts';
import { checkQueue } from './queue.ts';
import {
  alreadyDecided,
  changedOutside,
  clocksDiffer,
  disconnected,
  formFull,
  needsSession,
  unknownProposal,
} from './refusals.ts';
import { type RunDeps, runProposal, type WithinCall } from './run-proposal.ts';
import { CHANGED_OUTSIDE, hasEnded, isIntact, LIVE, sealed } from './sign.ts';
import { toEnvelope } from './view.ts';
import { endForVisitor, UNDECIDED_BY_ANYBODY, unjudged } from './visitors.ts';
import { hasStood } from './write-once.ts';

/**
 * Holds a write until it may run, runs it once, and remembers how it went. Writes that policy lets run by themselves take
 * the same way, decided by `policy`: one state machine gives one effect per proposal in every case.
 */
export interface Confirm {
  /** Stores the proposal; the live one of the same dedupe key is answered instead. */
  create(
    proposal: Proposal,
    audit: ProposalEvent,
    limits: { readonly maxPending: number; readonly maxHeld: number },
  ): Promise<{ readonly isNew: boolean; readonly proposal: Proposal; readonly permit?: WithinCall['permit'] }>;
  decide(id: string, decision: HumanDecision, edit?: ProposalEdit): Promise<Envelope>;
  /** Ends waiting proposals that a newer one of the same caller for the same record replaces, so that nobody approves the old one. */
  supersede(older: readonly Proposal[]): Promise<void>;
  /** Runs an approved proposal, if nobody else does, and answers how it ended. `within`: the call that previewed it just now. */
  execute(id: string, within?: WithinCall): Promise<Envelope>;
  /** The row as it stands now: expires it when its time is over, finishes what a crash left. */
  refresh(id: string): Promise<Proposal | undefined>;
  settled(id: string, waitMs: number, signal?: AbortSignal): Promise<Proposal | undefined>;
  recover(): Promise<number>;
  /** One step of a visitor's request and its audit row; false when it moved meanwhile. */
  step(proposal: Proposal, to: ProposalState, patch: Partial<Proposal>, audit: Partial<AuditInput>): Promise<boolean>;
  /** Ends the waiting proposals of a bot that was disconnected; requests of visitors wait on. Answers how many ended. */
  leave(bot: string): Promise<number>;
}

/** What an audit row says beside its proposal. */
export type ProposalEvent = Partial<AuditInput> & Pick<AuditInput, 'event'>;

/** New arguments from the approver, already parsed and previewed. */
export type ProposalEdit = Pick<
  Proposal,
  'args' | 'digest' | 'preview' | 'reasons' | 'assurance' | 'policyRevision' | 'orgId' | 'userId'
>;

export interface ConfirmDeps extends RunDeps {
  readonly store: Store;
  readonly audit: Audit;
  readonly link: (id: string) => string;
  /** True while the process that this runner names may still be alive. */
  readonly isRunnerAlive: (runner: string) => boolean;
  /** How long a runner may hold a proposal before another process reads back what it did, ms. */
  readonly leaseMs: number;
  readonly watch: LeaseWatch;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Tells people of a proposal that begins to wait for one, or that nobody decided in time. Never throws. */
  readonly tell: (proposal: Proposal, what: 'waiting' | 'undecided') => Promise<void>;
}

const UNDECIDED: readonly ProposalState[] = ['pending', 'approved', 'executing'];

export function createConfirm(deps: ConfirmDeps): Confirm {
  const { store, now } = deps;
  const crash = deps.crash ?? (() => {});
  /** Proposals that this process runs now. One that the store says we run, and that is not here, lost its run: the database was away. */
  const running = new Set<string>();

  const about = (proposal: Proposal, event: string, more: Partial<AuditInput> = {}): AuditInput => ({
    bot: proposal.bot,
    principal: proposal.principal,
    channel: proposal.decidedVia ?? 'gate',
    action: proposal.action,
    event,
    proposal: proposal.id,
    digest: proposal.digest,
    policyRevision: proposal.policyRevision,
    assurance: proposal.assurance,
    object: proposal.preview?.target?.object ?? null,
    recordId: proposal.preview?.target?.id ?? null,
    ...more,
  });

  /** One compare-and-set and its audit row, in one transaction: never one without the other. */
  const move = async (
    proposal: Proposal,
    from: readonly ProposalState[],
    to: ProposalState,
    patch: Partial<Proposal>,
    audit: AuditInput | undefined,
    runner?: string,
  ): Promise<boolean> => {
    const row = await store.atomically(async (inside) => {
      // The decision is about the proposal as it was read: one that was asked anew meanwhile is another question.
      const present = await inside.proposals.get(proposal.id);
      if (present?.seal !== proposal.seal || !isIntact(deps.sign, present)) return undefined;
      const { seal, effectsSeal } = sealed(deps.sign, { ...present, ...patch, state: to });
      const marks = { seal, ...(patch.effects === undefined ? {} : { effectsSeal }) };
      if (!(await inside.proposals.move(proposal.id, from, to, { ...patch, ...marks }, runner))) return undefined;
      return audit === undefined ? 'moved' : deps.audit.append(audit, inside);
    });
    if (row === undefined) return false;
    if (row !== 'moved') await deps.audit.keep(row);
    const moved = { ...proposal, ...patch, state: to };
    if (to === 'pending' && !from.includes('pending')) await deps.tell(moved, 'waiting');
    if (to === 'expired' && proposal.visitor !== null) await deps.tell(moved, 'undecided');
    return true;
  };

  const expire = (proposal: Proposal, from: readonly ProposalState[] = [proposal.state]) => {
    if (proposal.visitor === null && isFromFuture(proposal, now())) {
      const end = { error: toErrorBody(clocksDiffer()), settledAt: now(), dedupeKey: null };
      return move(proposal, from, 'conflict', end, about(proposal, 'conflict', { detail: { code: 'clocks_differ' } }));
    }
    // A visitor's request is not over: somebody may still write or decline it.
    const settledAt = proposal.visitor === null ? now() : null;
    return move(proposal, from, 'expired', { settledAt, dedupeKey: null }, about(proposal, 'expired'));
  };

  const refresh: Confirm['refresh'] = async (id) => {
    const proposal = await store.proposals.get(id);
    if (proposal === undefined) return undefined;
    if (LIVE.includes(proposal.state) && !isIntact(deps.sign, proposal)) return refuseChanged(proposal);
    if ((proposal.state === 'pending' || proposal.state === 'received') && isOver(proposal, now())) {
      await expire(proposal);
      return store.proposals.get(id);
    }
    if (isAbandoned(proposal)) {
      await resume(proposal);
      return store.proposals.get(id);
    }
    return proposal;
  };

  /** Somebody else wrote into the row: nobody was asked what it says now, so it ends as a conflict. */
  const refuseChanged = async (proposal: Proposal): Promise<Proposal | undefined> => {
    const error = toErrorBody(changedOutside());
    const end = { error, settledAt: now(), dedupeKey: null, runner: null };
    const row = await store.atomically(async (inside) =>
      (await inside.proposals.move(proposal.id, [proposal.state], 'conflict', end))
        ? deps.audit.append(about(proposal, 'conflict', { detail: { code: CHANGED_OUTSIDE } }), inside)
        : undefined,
    );
    if (row !== undefined) await deps.audit.keep(row);
    deps.log.error('a proposal was changed in the database by somebody else; it does not run', {
      proposal: proposal.id,
      action: proposal.action,
    });
    return store.proposals.get(proposal.id);
  };

  const isAbandoned = (proposal: Proposal): boolean => {
    // Two processes may both think so; the compare-and-set lets one of them have it.
    if (proposal.state === 'approved')
      return Math.abs(now() - (proposal.decidedAt ?? 0)) > ABANDONED_APPROVAL_MS && !running.has(proposal.id);
    if (proposal.state !== 'executing' && proposal.state !== 'unknown') return false;
    if (proposal.state === 'unknown' && now() > proposal.expiresAt + GIVE_UP_MS) return false;
    const { id, runner, leaseUntil, effects } = proposal;
    if (runner === deps.runner) return !running.has(id);
    // Its recorded writes are watched from now on too: when the lease is over, so are the requests that may be under way.
    for (const [ordinal, effect] of effects.entries()) hasStood(deps.watch, id, ordinal, effect, deps.leaseMs);
    const isOverdue = deps.watch.hasStood(`proposal ${id}`, `${runner} ${leaseUntil}`, deps.leaseMs);
    return runner === null || isOverdue || !deps.isRunnerAlive(runner);
  };

  const resume = async (proposal: Proposal): Promise<void> => {
    // Only from the runner that was seen dead or overdue: a process that took it meanwhile keeps it.
    if (proposal.state !== 'approved') {
      const taken = await store.proposals.move(
        proposal.id,
        [proposal.state],
        'approved',
        { runner: null, leaseUntil: null, decidedAt: now() },
        proposal.runner ?? undefined,
      );
      if (!taken) return;
      deps.log.warn('a write that a crash interrupted is read back', {
        proposal: proposal.id,
        action: proposal.action,
      });
    }
    if (proposal.effects.length === 0 && isOver(proposal, now())) {
      await expire(proposal, ['approved']);
      return;
    }
    await execute(proposal.id).catch((error: unknown) => {
      deps.log.warn('an interrupted write ended with an error', { proposal: proposal.id, error: String(error) });
    });
  };

  const execute: Confirm['execute'] = async (id, within = { signal: new AbortController().signal }) => {
    running.add(id);
    try {
      return await claimAndRun(id, within);
    } finally {
      running.delete(id);
    }
  };

  const ofAnother = async (id: string, signal: AbortSignal): Promise<Envelope> => {
    const proposal = await store.proposals.get(id);
    if (proposal === undefined) throw unknownProposal();
    const other = UNDECIDED.includes(proposal.state) ? await settled(id, deps.leaseMs, signal) : proposal;
    return toEnvelope(other ?? proposal, deps.link(id));
  };

  const claimAndRun = async (id: string, within: WithinCall): Promise<Envelope> => {
    // The row that permits it may have been written when its head could not be kept: it stays approved until that can.
    if (within.permit === undefined) await deps.audit.prove();
    const proposal = await store.proposals.claim(id, { runner: deps.runner, leaseUntil: now() + deps.leaseMs });
    if (proposal === undefined) return ofAnother(id, within.signal);
    await crash('executing');
    if (!isIntact(deps.sign, proposal) || (await hasEnded(store.audit, proposal))) {
      return toEnvelope((await refuseChanged(proposal)) ?? proposal, deps.link(id));
    }
    const end = endForVisitor(proposal, await runProposal(deps, proposal, within));
    await crash('before-settled');
    const entry = about(proposal, end.event, end.audit);
    const isOurs = await move(proposal, ['executing'], end.state, { ...end.patch, runner: null }, entry, deps.runner);
    await crash('settled');
    const ended = { ...proposal, ...end.patch, state: end.state };
    if (isOurs) return toEnvelope(ended, deps.link(id));
    deps.log.warn('a proposal was taken over while it ran', { proposal: id });
    const after = await store.proposals.get(id);
    if (after !== undefined) return toEnvelope(after, deps.link(id));
    // Its bot was deleted while it ran: the audit stays, so how it ended stands there.
    if (end.state === 'pending') throw unknownProposal();
    await deps.audit.record(entry);
    return toEnvelope(ended, deps.link(id));
  };

  /** Some clients decline by themselves: where policy says `waits`, their no leaves the proposal to a signed-in person. */
  const leaveToSession = async (proposal: Proposal, { by, via }: HumanDecision): Promise<Envelope> => {
    const asked = about(proposal, 'declined_in_client', { principal: by, channel: via, assurance: 'client' });
    const left = { clientDecline: 'declined', assurance: 'session' } as const;
    if (!(await move(proposal, ['pending'], 'pending', left, asked)))
      throw alreadyDecided((await store.proposals.get(proposal.id)) ?? proposal);
    return toEnvelope({ ...proposal, ...left }, deps.link(proposal.id));
  };

  const settled: Confirm['settled'] = async (id, waitMs, signal) => {
    // Counted in looks of 150 ms, not by the clock: a clock that jumps back must not hold a caller for hours.
    for (let looks = Math.ceil(waitMs / LOOK_EVERY_MS); ; looks -= 1) {
      const proposal = await refresh(id);
      if (proposal === undefined || !UNDECIDED.includes(proposal.state)) return proposal;
      if (looks <= 0 || signal?.aborted) return proposal;
      await deps.sleep(LOOK_EVERY_MS, signal);
    }
  };

  return {
    refresh,
    settled,
    execute,

    async create(proposal, audit, { maxPending, maxHeld }) {
      // What runs at once tells nobody anything before its first write is recorded on the disk: one wait for the disk serves both.
      const isLater = proposal.state === 'approved' && (await deps.audit.isKeepable());
      const kept = await store.atomically(async (inside) => {
        const { inserted, proposal: held } = await inside.proposals.insert(sealed(deps.sign, proposal));
        // Counted after the insert and in its transaction: of 100 calls at once, no more pass than there is room for.
        if (inserted && proposal.state === 'pending') await checkQueue(inside, proposal, maxPending);
        if (
          inserted &&
          proposal.visitor !== null &&
          (await inside.proposals.countPlaces(proposal.bot, now() - PLACE_MS)) > maxHeld
        )
          throw formFull();
        const entry = () => about(proposal, audit.event, audit);
        return inserted ? { held, row: await deps.audit.append(entry(), inside) } : { held };
      }, !isLater);
      const { held, row } = kept;
      if (row !== undefined && !isLater) await deps.audit.keep(row);
      if (row !== undefined && proposal.state === 'pending') await deps.tell(proposal, 'waiting');
      return { isNew: row !== undefined, proposal: held, permit: isLater ? { unkept: row } : {} };
    },

    async supersede(older) {
      for (const proposal of older)
        await move(
          proposal,
          ['pending'],
          'superseded',
          { settledAt: now(), dedupeKey: null },
          about(proposal, 'superseded'),
        );
    },

    async decide(id, decision, edit) {
      const proposal = await refresh(id);
      if (proposal === undefined || !isOf(decision, proposal)) throw unknownProposal();
      const isVisitors = proposal.visitor !== null && UNDECIDED_BY_ANYBODY.includes(proposal.state);
      // An answer that comes too late gets the outcome `expired`, no error.
      if (proposal.state === 'expired' && !isVisitors) return toEnvelope(proposal, deps.link(id));
      if (proposal.state === 'conflict' && proposal.decidedBy === null) {
        if ((await store.connections.get(proposal.bot))?.state === 'disconnected') throw disconnected();
        return toEnvelope(proposal, deps.link(id));
      }
      if (proposal.state !== 'pending' && !(isVisitors && decision.answer === 'reject')) throw alreadyDecided(proposal);
      const needed = [proposal.assurance, edit?.assurance];
      if (decision.answer === 'approve' && needed.includes('session') && decision.assurance !== 'session')
        throw needsSession();
      const answer = decision.choice === CANCEL ? 'reject' : decision.answer;
      if (answer === 'reject' && decision.via === 'elicitation' && proposal.clientDecline !== 'ends')
        return leaveToSession(proposal, decision);
      const choice = answer === 'approve' ? chosen((edit ?? proposal).preview, decision.choice) : null;
      const why = answer === 'reject' ? declined(decision.reason, (await store.bots.get(proposal.bot))?.policy) : null;
      const decided = {
        decidedBy: decision.by,
        decidedVia: decision.via,
        decidedAt: now(),
        choice,
        ...edit,
        ...(answer === 'reject' ? { settledAt: now(), dedupeKey: null } : {}),
        ...(isVisitors && answer === 'reject' ? BLANK : {}),
        ...(why === null ? {} : { result: { ...why } }),
        // The request of a visitor may be approved after its time: it gets an hour to be written.
        ...(isVisitors && answer === 'approve' ? { expiresAt: Math.max(proposal.expiresAt, now() + LATE_MS) } : {}),
      };
      const moved = await move(
        proposal,
        [proposal.state],
        answer === 'approve' ? 'approved' : 'rejected',
        decided,
        about(proposal, answer === 'approve' ? 'approved' : 'rejected', {
          principal: decision.by,
          channel: decision.via,
          assurance: decision.assurance,
          decision: answer,
          detail: {
            ...(choice === null ? {} : { choice }),
            ...(edit === undefined
              ? {}
              : { editedFrom: proposal.digest, editedTo: edit.digest, edited: changedKeys(proposal.args, edit.args) }),
          },
          ...(edit === undefined ? {} : { sealed: { from: proposal.args, to: edit.args } }),
          ...(why === null ? {} : { sealed: { reason: why.reason } }),
        }),
      );
      if (!moved) throw alreadyDecided((await store.proposals.get(id)) ?? proposal);
      await crash('decided');
      if (answer === 'reject') return toEnvelope({ ...proposal, ...decided, state: 'rejected' }, deps.link(id));
      return execute(id);
    },

    step: (proposal, to, patch, { event = to, ...more }) =>
      move(proposal, [proposal.state], to, patch, about({ ...proposal, ...patch }, event, more)),

    async leave(bot) {
      const error = toErrorBody(disconnected());
      let ended = 0;
      for (const proposal of await store.proposals.list({ bot, states: ['pending'], limit: Number.MAX_SAFE_INTEGER })) {
        if (proposal.visitor !== null) {
          await move(proposal, ['pending'], 'received', unjudged(proposal), about(proposal, 'held_again'));
          continue;
        }
        const end = { error, settledAt: now(), dedupeKey: null };
        const detail = { code: 'disconnected' };
        if (await move(proposal, ['pending'], 'conflict', end, about(proposal, 'conflict', { detail }))) ended += 1;
      }
      return ended;
    },

    async recover() {
      let handled = 0;
      for (;;) {
        const page = await store.proposals.due(now(), PAGE);
        const due = page.filter(
          (proposal) => proposal.state === 'pending' || proposal.state === 'received' || isAbandoned(proposal),
        );
        for (const { id } of due) await refresh(id);
        handled += due.length;
        // The rest is run by other processes, or failed just now: the next round is in 30 seconds.
        if (page.length < PAGE || due.length === 0) return handled;
      }
    },
  };
}

/** An approval is executed by the process that took it, at once; one that lies longer was orphaned by a crash. */
const ABANDONED_APPROVAL_MS = 1_000;
const LOOK_EVERY_MS = 150;
const LATE_MS = 3_600_000;
/** How long a request that ran by itself still takes a place of the form. */
export const PLACE_MS = 24 * 3_600_000;
const PAGE = 500;
/** An `unknown` this long past its time is no longer read back: a person must look. */
const GIVE_UP_MS = 24 * 3_600_000;
