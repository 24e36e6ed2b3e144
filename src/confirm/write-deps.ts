import type { Change } from '../domain/action.ts';
import type { RecordedWrite } from '../domain/proposal.ts';
import type { Org } from '../ports/salesforce.ts';

/** What writing needs, one record or several at once. */
export interface WriteOnceDeps {
  readonly org: Org;
  /** Names this proposal in the org. */
  readonly proposalId: string;
  /** What earlier runs of this proposal recorded. */
  readonly recorded: readonly RecordedWrite[];
  /** The changes that were judged and shown: a record that looks different now is a conflict. Null where none were shown. */
  readonly shown: readonly Change[] | null;
  /** Id of the record that was shown. Its name may lead to another record by the time it runs. */
  readonly target: string | undefined;
  /** Makes the record durable before the write leaves. Throws when this process lost the proposal. */
  readonly record: (effects: readonly RecordedWrite[]) => Promise<void>;
  readonly isUnknownOutcome: (error: unknown) => boolean;
  /** A refusal by which the write may have happened all the same. */
  readonly mayBeDone: (error: unknown) => boolean;
  readonly now: () => number;
  /** By Salesforce's clock: since when the records may have been read that this run goes by. */
  readonly readSince: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** False while the request of this effect may still be under way, also after the process that sent it is gone. */
  readonly hasSettled: (at: number, effect: RecordedWrite) => boolean;
  /** True once it is so long since it was written down that another process may have taken it over: it may not leave any more. */
  readonly isTooOld: (at: number, effect: RecordedWrite) => boolean;
  /** Why nothing new may leave any more, where that is so; what happened may be read back. */
  readonly whyLate: () => 'time' | 'clocks' | undefined;
}
