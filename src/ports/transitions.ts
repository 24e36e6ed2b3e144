import type { Scope } from '../domain/link.ts';
import type { Transition } from '../domain/subscription.ts';

/** Which records hold one of the values of a subscription's transition, as far as they were read. */
export interface TransitionStore {
  /**
   * Number of the last decision, to be read before the records are; undefined where nobody looked which records of this org hold
   * the values of this very transition.
   */
  looks(scope: Scope, object: string, when: Transition): Promise<number | undefined>;
  /** Begins anew: these hold one already, by Id. */
  begin(scope: Scope, object: string, when: Transition, holders: ReadonlyMap<string, string>): Promise<void>;
  /** Takes the next number, and holds others off until commit; false where somebody decided after `seen`. */
  next(scope: Scope, object: string, when: Transition, seen: number): Promise<boolean>;
  holders(scope: Scope, object: string, sfIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** By Id; null: it holds none of them now. */
  put(scope: Scope, object: string, values: ReadonlyMap<string, string | null>): Promise<void>;
  /** Of every org. */
  forget(bot: string, object: string): Promise<void>;
}

/** Records made in Salesforce that the host app was told of. */
export interface FoundStore {
  known(scope: Scope, object: string, sfIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Answers those that were not known before. */
  add(scope: Scope, object: string, sfIds: readonly string[], at: number): Promise<readonly string[]>;
}
