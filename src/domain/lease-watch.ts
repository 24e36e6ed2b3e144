/**
 * When a lease is over. Holder and observer have clocks of their own, and these may differ by minutes: what a lease says of
 * time is only a mark that moves with each renewal. Somebody else's lease is over once this process has seen it unchanged
 * for a whole lease of its own steady time, whatever any clock says.
 */
export interface LeaseWatch {
  /** True once what is called `name` has shown the same `mark` for `ms`. Asking is looking: the first look begins the time. */
  hasStood(name: string, mark: string, ms: number): boolean;
}

const FORGET_MS = 24 * 3_600_000;
const SWEEP_EVERY = 1_000;

/** `ticks` must be steady (performance.now): a clock that is set, or stepped, ends no lease. */
export function createLeaseWatch(ticks: () => number): LeaseWatch {
  const seen = new Map<string, { readonly mark: string; readonly since: number; askedAt: number }>();
  let asked = 0;
  return {
    hasStood(name, mark, ms) {
      const at = ticks();
      asked += 1;
      if (asked % SWEEP_EVERY === 0)
        for (const [other, { askedAt }] of seen) if (at - askedAt > FORGET_MS) seen.delete(other);
      const before = seen.get(name);
      if (before?.mark !== mark) {
        seen.set(name, { mark, since: at, askedAt: at });
        return false;
      }
      before.askedAt = at;
      return at - before.since >= ms;
    },
  };
}

/**
 * How long a stored time still holds us, ms; 0 when it is over. Whoever wrote it has a clock of its own: it holds no longer than
 * the longest wait of its kind from now, nor after it has stood for that long before our own eyes.
 */
export function holdsFor(
  watch: LeaseWatch | undefined,
  name: string,
  { until, now, longestMs }: { readonly until: number; readonly now: number; readonly longestMs: number },
): number {
  const left = Math.min(until - now, longestMs);
  return left <= 0 || watch?.hasStood(name, `${until}`, longestMs) ? 0 : left;
}
