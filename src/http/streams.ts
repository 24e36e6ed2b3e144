import { GatehouseError } from '../domain/errors.ts';

/** Streams that are open at this process: so many of one listener, so many in all, and none outlives the server. */
export interface Streams {
  /** Throws `rate_limited` where there is no place. */
  take(listener: string, isEndless: boolean): Place;
  /** Those that have no end of their own, or all. */
  end(which: 'endless' | 'all'): void;
}

export interface Place {
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
  leave(): void;
}

/** A person with a tab for each bot and turns under way in some of them. */
export const MOST_OF_ONE = 12;
/** Each costs a socket and some kilobytes. */
export const MOST_OF_ALL = 1_000;
const AGAIN_MS = 30_000;

export function createStreams(): Streams {
  const open = new Set<{ readonly listener: string; readonly isEndless: boolean; readonly over: AbortController }>();

  const full = (problem: string, next: string) =>
    new GatehouseError('rate_limited', problem, { next, retryable: true, retryAfterMs: AGAIN_MS });

  return {
    take(listener, isEndless) {
      if (open.size >= MOST_OF_ALL)
        throw full('This server has as many open streams as it can serve.', 'Try again in half a minute.');
      if ([...open].filter((one) => one.listener === listener).length >= MOST_OF_ONE)
        throw full(
          `You have ${MOST_OF_ONE} open streams already.`,
          'Close a page that you do not need, then try again.',
        );
      const own = { listener, isEndless, over: new AbortController() };
      open.add(own);
      return { signal: own.over.signal, leave: () => void open.delete(own) };
    },
    end(which) {
      for (const { isEndless, over } of open) if (isEndless || which === 'all') over.abort();
    },
  };
}
