import { toErrorBody, toGatehouseError } from '../domain/errors.ts';
import type { Call, Gate, Judgement } from '../ports/gate.ts';

/**
 * The gate as an operator tries a bot through it: the bot's own grants, policy and masks, in the operator's name, on a channel of
 * its own. In a dry run every call ends at its preview; which of the two it is, whoever makes this says, never the call.
 */

export interface PlaygroundBy {
  /** `operator:NAME`. */
  readonly principal: string;
  readonly isLive: boolean;
  /** Before each call; throws where they may no longer. */
  readonly admit: () => Promise<void>;
  readonly traced: (step: TraceStep) => void;
}

/** One call, as the page shows it beside the talk. */
export interface TraceStep extends Omit<Judgement, 'policyRevision'> {
  readonly action: string;
  readonly args: unknown;
  readonly at: number;
  readonly ms: number;
  readonly policyRevision?: number | undefined;
  readonly outcome: 'done' | 'dry run' | 'waiting' | 'refused' | 'other';
  /** What the bot's model reads of it. */
  readonly answer: unknown;
}

export function playgroundGate(gate: Gate, by: PlaygroundBy, now: () => number): Gate {
  const { principal, isLive, admit, traced } = by;
  return {
    actions: (bot) => gate.actions(bot),
    dryRun: (...asked) => gate.dryRun(...asked),
    accountContext: (...asked) => gate.accountContext(...asked),
    proposal: (id, viewer, wait) => gate.proposal(id, { ...viewer, principal, channel: 'playground' }, wait),

    async call({ action, args, ...c }: Call) {
      const at = now();
      let judgement: Judgement = { reasons: [], policyRevision: 0, calls: 0 };
      const step = (outcome: TraceStep['outcome'], answer: unknown): void => {
        const { policyRevision, ...judged } = judgement;
        traced({
          ...{ action, args, at, outcome, answer, ...judged, ms: now() - at },
          ...(policyRevision === 0 ? {} : { policyRevision }),
        });
      };
      try {
        await admit();
        const envelope = await gate.call({
          ...{ ...c, action, args, principal, channel: 'playground', isTrial: !isLive },
          judged: (given) => {
            judgement = given;
          },
        });
        const isTried = envelope.result?.dryRun === true;
        const { status } = envelope;
        step(isTried ? 'dry run' : status === 'done' || status === 'waiting' ? status : 'other', envelope);
        return envelope;
      } catch (thrown) {
        step('refused', toErrorBody(toGatehouseError(thrown, () => 'playground')));
        throw thrown;
      }
    },
  };
}
