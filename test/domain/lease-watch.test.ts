import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLeaseWatch, holdsFor } from '../../src/domain/lease-watch.ts';

const DAY = 86_400_000;

describe('a stored time', () => {
  it('of any clock holds no longer than the longest pause of its kind, and one of ours exactly as long as it says [K6]', () => {
    const clock = fc.integer({ min: -DAY, max: DAY });
    const pause = fc.integer({ min: 1, max: 900_000 });
    fc.assert(
      fc.property(clock, pause, pause, fc.array(pause, { maxLength: 20 }), (skewMs, one, other, looks) => {
        const [waitMs, longestMs] = [Math.min(one, other), Math.max(one, other)];
        let now = 1_800_000_000_000;
        const begun = now;
        const watch = createLeaseWatch(() => now);
        const until = now + skewMs + waitMs;
        const held = () => holdsFor(watch, 'breaker', { until, now, longestMs });
        expect(held()).toBe(Math.max(0, Math.min(until - begun, longestMs)));
        for (const ms of looks) {
          now += ms;
          if (skewMs === 0) expect(held()).toBe(Math.max(0, until - now));
          expect(held()).toBeLessThanOrEqual(longestMs);
        }
        now = Math.max(now, begun + longestMs);
        expect(held()).toBe(0);
      }),
    );
  });
});
