import { GatehouseError } from '../../domain/errors.ts';
import type { CounterStore } from '../../ports/store.ts';

/** What a bot may still read within the hour. It is reserved before the request goes out, so that two callers at once never share it. */
export interface Allowance {
  /** Throws `rate_limited` where less than `by` is left; takes nothing. */
  check(by: number): Promise<void>;
  /** Reserves `by`, or throws. What is not released counts as used: a process that dies in between has used it all. */
  reserve(by: number): Promise<Reservation>;
}

export interface Reservation {
  /** How much of it was used so far; nothing, until it is said. */
  spend(amount: number): void;
  /** Gives back the rest. */
  release(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export function createAllowance(deps: {
  readonly what: 'rows' | 'counts';
  readonly bot: string;
  readonly most: number;
  readonly counters: CounterStore;
  readonly now: () => number;
}): Allowance {
  const { what, most, counters, now } = deps;
  const key = `soql-${what}:${deps.bot}`;

  const refuse = (used: number): never => {
    const left = Math.max(0, most - used);
    throw new GatehouseError(
      'rate_limited',
      left === 0
        ? `This bot has used its ${most} query ${what} of this hour.`
        : `This bot has ${left} of ${most} query ${what} of this hour left, and this query may take more.`,
      {
        next:
          left === 0
            ? 'Tell the user to try again later: the hour is counted back from each query.'
            : `Ask for less: end the query with LIMIT ${left} or fewer. Or tell the user to try again later.`,
        retryable: true,
        retryAfterMs: 10 * MINUTE_MS,
      },
    );
  };

  return {
    async check(by) {
      const used = by === 0 ? 0 : await counters.sum(key, now() - HOUR_MS);
      if (used + by > most) refuse(used);
    },
    async reserve(by) {
      let used = 0;
      const window = Math.floor(now() / MINUTE_MS) * MINUTE_MS;
      const reservation: Reservation = {
        spend(amount) {
          used = amount;
        },
        async release() {
          if (used < by) await counters.add(key, window, used - by);
        },
      };
      if (by === 0) return reservation;
      // Our own place in this minute, whoever takes at the same moment; with the other minutes, which two callers across
      // the turn of a minute both add to before they look, so that one of them sees the other.
      const place = await counters.add(key, window, by);
      const others = await counters.sum(key, now() - HOUR_MS, window);
      if (place + others > most) {
        await reservation.release();
        refuse(place + others - by);
      }
      return reservation;
    },
  };
}
