import type { Log } from '../ports/log.ts';
import type { ValueStore } from '../ports/store.ts';

/**
 * Whether the processes on one store agree what time it is. No lease depends on it, but when a proposal expires, which edit
 * was later and what the log says do: so a difference is told.
 */
export interface Clocks {
  /** Leaves our time for the others, and compares what the last one left. Called now and then by every process that stays. */
  beat(): Promise<void>;
}

/** The largest difference found lately, ms. */
export interface ClockDifference {
  readonly ms: number;
}

const KIND = 'clock';
const LAST = 'last';
const DIFFERENCE = 'difference';
/** More than a slow database and a busy machine explain. */
const TOLERANCE_MS = 10_000;
/** Told this long after it was last seen. */
const TOLD_MS = 10 * 60_000;

export function createClocks(deps: {
  readonly values: ValueStore;
  readonly runner: string;
  readonly now: () => number;
  /** Steady time of this process. */
  readonly ticks: () => number;
  readonly log: Log;
}): Clocks {
  const { values, runner, now, ticks, log } = deps;
  let seen: { readonly text: string | undefined; readonly at: number } | undefined;

  /** What is written since we looked was written between then and now: outside of that, its clock is not ours. */
  function differenceIn(text: string): number {
    // Our own writing, so its shape is known.
    const left = JSON.parse(text) as { readonly runner: string; readonly at: number };
    if (left.runner === runner) return 0;
    const ahead = left.at - now();
    if (ahead > TOLERANCE_MS) return ahead;
    if (seen === undefined || seen.text === text) return 0;
    const behind = now() - (ticks() - seen.at) - left.at;
    return behind > TOLERANCE_MS ? -behind : 0;
  }

  return {
    async beat() {
      // Read whatever its expiry: that is a matter of clocks, too.
      const text = await values.get(KIND, LAST, 0);
      const ms = text === undefined ? 0 : differenceIn(text);
      if (ms !== 0) {
        log.warn('the clock of another process on this store differs from ours', { ms });
        await values.set(KIND, DIFFERENCE, JSON.stringify({ ms }), now() + TOLD_MS);
      }
      const own = JSON.stringify({ runner, at: now() });
      await values.set(KIND, LAST, own, null);
      seen = { text: own, at: ticks() };
    },
  };
}

export async function clockDifference(values: ValueStore, now: number): Promise<ClockDifference | undefined> {
  const text = await values.get(KIND, DIFFERENCE, now);
  return text === undefined ? undefined : (JSON.parse(text) as ClockDifference); // written above alone
}
