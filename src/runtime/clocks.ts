import type { Log } from '../ports/log.ts';
import type { ValueStore } from '../ports/store.ts';

/**
 * Whether the processes on one store agree what time it is. No lease depends on it, but when a proposal expires, which edit
 * was later and what the log says do: so a difference is told.
 */
export interface Clocks {
  /** Leaves our time for the others, and compares what the last one left. Called now and then by every process that stays. */
  beat(): Promise<void>;
  /** Our time, by which what is old may be destroyed; undefined while it is in doubt, or before the first beat. */
  trusted(): number | undefined;
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
/** A time nobody saw pass: the machine was off, or its clock was set. Which of the two, nobody can tell. */
const UNSEEN_MS = 24 * 3_600_000;
/** What is destroyed for its age is gone for good: after a doubt it waits for a day that somebody saw pass. */
const DOUBT_MS = 24 * 3_600_000;

/** What the last one left, of whatever process. */
interface Left {
  readonly runner: string;
  readonly at: number;
  /** How much of a doubt is left: a process that starts anew does not end it. */
  readonly doubtMs?: number;
}

export function createClocks(deps: {
  readonly values: ValueStore;
  readonly runner: string;
  readonly now: () => number;
  /** Steady time of this process. */
  readonly ticks: () => number;
  readonly log: Log;
}): Clocks {
  const { values, runner, now, ticks, log } = deps;
  let seen: { readonly text: string | undefined; readonly at: number; readonly wall: number } | undefined;
  let doubtMs: number | undefined;

  /** What is written since we looked was written between then and now: outside of that, its clock is not ours. */
  function differenceIn(text: string, left: Left): number {
    if (left.runner === runner) return 0;
    const ahead = left.at - now();
    if (ahead > TOLERANCE_MS) return ahead;
    if (seen === undefined || seen.text === text) return 0;
    const behind = now() - (ticks() - seen.at) - left.at;
    return behind > TOLERANCE_MS ? -behind : 0;
  }

  /** By steady time, at most what lies between the two beats: each process takes only its own part of the day away. */
  function doubtAfter(left: Left, difference: number): number {
    const ours = seen === undefined ? 0 : ticks() - seen.at;
    const stepped = seen === undefined ? 0 : now() - seen.wall - ours;
    if ([difference, stepped, now() - left.at].some((ms) => Math.abs(ms) > UNSEEN_MS)) return DOUBT_MS;
    return Math.max(0, (left.doubtMs ?? 0) - Math.min(ours, Math.max(0, now() - left.at)));
  }

  return {
    trusted: () => (doubtMs === 0 ? now() : undefined),
    async beat() {
      // Read whatever its expiry: that is a matter of clocks, too.
      const text = await values.get(KIND, LAST, 0);
      // Our own writing, so its shape is known.
      const left = text === undefined ? undefined : (JSON.parse(text) as Left);
      const ms = text === undefined || left === undefined ? 0 : differenceIn(text, left);
      if (ms !== 0) {
        log.warn('the clock of another process on this store differs from ours', { ms });
        await values.set(KIND, DIFFERENCE, JSON.stringify({ ms }), now() + TOLD_MS);
      }
      const before = doubtMs;
      doubtMs = left === undefined ? 0 : doubtAfter(left, ms);
      if (doubtMs > 0 && !before) log.warn('the clock may be wrong: nothing is destroyed for its age for a day');
      const own = JSON.stringify({ runner, at: now(), ...(doubtMs > 0 ? { doubtMs } : {}) } satisfies Left);
      await values.set(KIND, LAST, own, null);
      seen = { text: own, at: ticks(), wall: now() };
    },
  };
}

export async function clockDifference(values: ValueStore, now: number): Promise<ClockDifference | undefined> {
  const text = await values.get(KIND, DIFFERENCE, now);
  return text === undefined ? undefined : (JSON.parse(text) as ClockDifference); // written above alone
}
