import { GatehouseError } from '../domain/errors.ts';

/** So many tries per window and key, in this process. Keys are forgotten with their window, so it cannot grow for ever. */
export interface RateLimit {
  /** Throws `rate_limited` when the window is used up; `most` where a key has a limit of its own. */
  consume(key: string, most?: number): void;
}

const MOST_KEYS = 10_000;

export function createRateLimit({
  most,
  windowMs,
  now,
}: {
  most: number;
  windowMs: number;
  now: () => number;
}): RateLimit {
  const used = new Map<string, number>();
  let window = 0;
  return {
    consume(key, mostOfKey = most) {
      const current = Math.floor(now() / windowMs);
      if (current !== window) {
        used.clear();
        window = current;
      }
      // A flood of keys shares one counter rather than filling the memory.
      const slot = used.size < MOST_KEYS || used.has(key) ? key : '(many)';
      const count = (used.get(slot) ?? 0) + 1;
      used.set(slot, count);
      if (count <= mostOfKey) return;
      throw new GatehouseError('rate_limited', 'Too many tries in a short time.', {
        next: 'Wait a little, then try again.',
        retryable: true,
        retryAfterMs: (current + 1) * windowMs - now(),
      });
    },
  };
}
