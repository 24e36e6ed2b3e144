/** What became of a call, by the event of its audit row: the words of the log and of the charts. */
export const OUTCOMES = {
  done: ['done'],
  asked: ['proposed', 'received', 'asked_again', 'held_again'],
  refused: ['refused'],
  failed: ['failed', 'conflict', 'unknown'],
  approved: ['approved'],
  declined: ['rejected'],
  expired: ['expired'],
  /** The caller left: neither refused nor failed. */
  cancelled: ['cancelled'],
} as const satisfies Record<string, readonly string[]>;

export type Outcome = keyof typeof OUTCOMES;
export const OUTCOME_NAMES = Object.keys(OUTCOMES) as [Outcome, ...Outcome[]]; // its own keys

/** Every event that is one of them. */
export const OUTCOME_EVENTS: readonly string[] = Object.values(OUTCOMES).flat();

const BY_EVENT: ReadonlyMap<string, Outcome> = new Map(
  OUTCOME_NAMES.flatMap((name) => OUTCOMES[name].map((event) => [event, name] as const)),
);

/** Null where nothing ended or began to wait: settings, looks, steps in between. */
export function outcomeOf(event: string): Outcome | null {
  return BY_EVENT.get(event) ?? null;
}
