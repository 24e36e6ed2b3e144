/** The circuit breaker as a pure state machine (R1): 5 consecutive infrastructure failures, 60 s, one probe, 2 successes. */

const FAILURES_TO_OPEN = 5;
export const PAUSE_MS = 60_000;
const SUCCESSES_TO_CLOSE = 2;

/** As it lies in the connection's row, so that all processes share it. */
export interface Breaker {
  readonly breakerState: 'closed' | 'open' | 'half-open';
  readonly breakerFailures: number;
  readonly breakerSuccesses: number;
  /** Open: no request before. Half-open: a probe is under way until then. */
  readonly breakerUntil: number;
}

export const CLOSED: Breaker = { breakerState: 'closed', breakerFailures: 0, breakerSuccesses: 0, breakerUntil: 0 };

export type Admission =
  | { readonly kind: 'pass' }
  /** Allowed if this caller wins the move to `next`. The probe holds its place for `probeMs`, so a dead prober blocks nobody for ever. */
  | { readonly kind: 'probe'; readonly next: Breaker }
  | { readonly kind: 'refused'; readonly nextTryAt: number };

/** `heldMs`: for how long its `breakerUntil`, which another clock may have written, is still to come. */
export function admit(breaker: Breaker, now: number, probeMs: number, heldMs: number): Admission {
  if (breaker.breakerState === 'closed') return { kind: 'pass' };
  if (heldMs > 0) return { kind: 'refused', nextTryAt: now + heldMs };
  const breakerSuccesses = breaker.breakerState === 'half-open' ? breaker.breakerSuccesses : 0;
  return {
    kind: 'probe',
    next: { ...breaker, breakerState: 'half-open', breakerSuccesses, breakerUntil: now + probeMs },
  };
}

/** Salesforce answered, be it with a refusal. Answers to requests sent before the breaker opened change nothing. */
export function succeeded(breaker: Breaker, isProbe: boolean): Breaker {
  if (breaker.breakerState === 'closed') return breaker.breakerFailures === 0 ? breaker : CLOSED;
  if (breaker.breakerState === 'open' || !isProbe) return breaker;
  const breakerSuccesses = breaker.breakerSuccesses + 1;
  return breakerSuccesses >= SUCCESSES_TO_CLOSE ? CLOSED : { ...breaker, breakerSuccesses, breakerUntil: 0 };
}

export function failed(breaker: Breaker, now: number, isProbe: boolean): Breaker {
  const opened: Breaker = {
    breakerState: 'open',
    breakerFailures: FAILURES_TO_OPEN,
    breakerSuccesses: 0,
    breakerUntil: now + PAUSE_MS,
  };
  if (breaker.breakerState === 'half-open') return isProbe ? opened : breaker;
  if (breaker.breakerState === 'open') return breaker;
  const breakerFailures = breaker.breakerFailures + 1;
  return breakerFailures >= FAILURES_TO_OPEN ? opened : { ...breaker, breakerFailures };
}

/** The probe was cancelled by its caller: the place is free again. */
export function abandoned(breaker: Breaker): Breaker {
  return breaker.breakerState === 'half-open' ? { ...breaker, breakerUntil: 0 } : breaker;
}
