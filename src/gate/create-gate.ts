import type { Audit } from '../audit/audit.ts';
import { CANCEL, isOf } from '../confirm/answer.ts';
import { createConfirm } from '../confirm/confirm.ts';
import { unknownProposal } from '../confirm/refusals.ts';
import { CHANGED_OUTSIDE, hasEnded, isIntact, LIVE, type Sign } from '../confirm/sign.ts';
import type { Action } from '../domain/action.ts';
import type { GatehouseError } from '../domain/errors.ts';
import type { Proposal } from '../domain/proposal.ts';
import { requireAnother } from '../policy/self-approval.ts';
import type { Approvals, Gate, HumanDecision, Retention } from '../ports/gate.ts';
import type { Store } from '../ports/store.ts';
import { createDeliver, createStoredNow } from './deliver.ts';
import { createEdits } from './edits.ts';
import { eraseSubject } from './erase.ts';
import { createHandle, type RoadContext } from './handle.ts';
import { createLooks } from './look.ts';
import { createNotices, type Notice } from './notices.ts';
import { createPrepareRun } from './prepare-run.ts';
import { createPropose } from './propose.ts';
import { createProposalQueries } from './queries.ts';
import { createReceipts } from './receipts.ts';
import { createRepeats } from './repeats.ts';
import { createHeldSync, createSyncHeldAction, listOf, SYNC_HELD } from './sync-held.ts';
import { createUndo, createUndoAction } from './undo.ts';

/** Puts the gate together: calls for the doors, approvals for people, retention for housekeeping. */

export interface GateDeps {
  readonly actions: readonly Action[];
  readonly store: Store;
  readonly audit: Audit;
  readonly context: RoadContext;
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
  readonly crash?: ((point: string) => void | Promise<void>) | undefined;
}

/** The newest ones: who wrote into the database once may have written often. */
const MOST_ENDED = 100;

/** The listing stands by itself (`listing.ts`). */
export interface WholeGate {
  readonly gate: Omit<Gate, 'actions'>;
  readonly approvals: Approvals;
  readonly retention: Retention;
}

export function createGate(deps: GateDeps): WholeGate {
  const { actions, store, audit, context, link, newId, sign, sleep } = deps;
  const { now, log, openOrg, requestTimeoutMs } = context;

  const undoAction = createUndoAction(store, audit);
  const syncHeldAction = createSyncHeldAction({ actions, store });
  const operatorActions = [undoAction, syncHeldAction];
  const { tell, catchUp } = createNotices({ store, notify: deps.notify, link, newId, now, watch: context.watch, log });
  const confirm = createConfirm({
    ...{ store, audit, sign, link, newId, now, log, sleep, tell },
    prepareRun: createPrepareRun({ actions, operatorActions, store, context, now }),
    runner: deps.runner,
    isRunnerAlive: deps.isRunnerAlive,
    leaseMs: requestTimeoutMs * 3,
    watch: context.watch,
    isUnknownOutcome: context.isUnknownOutcome,
    mayOverride: deps.mayOverride,
    crash: deps.crash,
  });
  const storedNow = createStoredNow({ actions, store, context });
  const deliver = createDeliver({ actions, storedNow, audit, link });
  const queries = createProposalQueries({ store, confirm, deliver, link, now });
  const repeats = createRepeats({ store, confirm, audit, deliver, openOrg, requestTimeoutMs, now });
  const edits = createEdits({ actions, store, confirm, context });
  const propose = createPropose({ confirm, repeats, link, newId, now });
  const receipts = createReceipts({ actions, store, confirm, context, newId, now, log, sign, sleep, tell });

  /** Before anything is looked up for it: another bot's proposal is none that is known. */
  const mustBeOf = async (id: string, whose: Pick<HumanDecision, 'bot' | 'bots'>): Promise<void> => {
    const proposal = await store.proposals.get(id);
    if (proposal !== undefined && !isOf(whose, proposal)) throw unknownProposal();
  };

  return {
    gate: createHandle({ actions, store, audit, context, queries, receipts, repeats, propose, newId, now, log }),

    approvals: {
      list: queries.list,
      inspect: queries.inspect,
      ...createLooks({ actions: [...actions, ...operatorActions], queries, storedNow, audit, link }),
      undo: createUndo({ action: undoAction, store, context, propose }),
      heldSync: createHeldSync({
        ...{ action: syncHeldAction, actions, store, confirm, context, link, newId, now, propose },
      }),
      heldRecords: async (id) => listOf((await queries.inspect(id)).proposal),
      heldRequests: receipts.held,
      async changedOutside() {
        const open: Proposal[] = [];
        for (const proposal of await store.proposals.list({ states: LIVE, limit: Number.MAX_SAFE_INTEGER }))
          if (!isIntact(sign, proposal) || (await hasEnded(store.audit, proposal))) open.push(proposal);
        const ended = await store.audit.find({ event: 'conflict', code: CHANGED_OUTSIDE, limit: MOST_ENDED });
        return [
          ...open.map(({ id, bot, action, state }) => ({ id, bot, action, state })),
          ...ended.map(({ proposal, bot, action }) => ({
            ...{ id: proposal ?? '', bot: bot ?? '', action },
            state: 'conflict' as const,
          })),
        ];
      },
      async decide(id, decision) {
        await mustBeOf(id, decision);
        // Whoever speaks for one bot alone is no operator.
        if (decision.bot !== undefined && (await store.proposals.get(id))?.action === SYNC_HELD)
          throw unknownProposal();
        if (decision.answer === 'approve') {
          if (decision.choice !== CANCEL) await requireAnother(store, id, decision.by);
          await receipts.prepare(id);
        }
        return edits.decide(id, decision);
      },
      async previewEdit(id, values, of = {}) {
        await mustBeOf(id, of);
        await receipts.prepare(id);
        return edits.previewEdit(id, values, of);
      },
    },

    retention: {
      async recover() {
        // A process may have died after a disconnect and before the bot's waiting proposals were ended.
        for (const { bot, state } of await store.connections.list())
          if (state === 'disconnected') await confirm.leave(bot);
        const done = (await confirm.recover()) + (await receipts.catchUp());
        await catchUp();
        return done;
      },
      leave: confirm.leave,
      async tidy(before) {
        return { rows: await audit.forget(before), proposals: await store.proposals.blankSettledBefore(before) };
      },
      erase: (subject, by) => {
        const withdraw = (id: string) => confirm.decide(id, { answer: 'reject', by, via: 'cli', assurance: 'session' });
        return eraseSubject({ store, audit, withdraw, subject, by });
      },
    },
  };
}
