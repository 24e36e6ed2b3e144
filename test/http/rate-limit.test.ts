import { describe, expect, it } from 'vitest';
import { createRateLimit } from '../../src/http/rate-limit.ts';

describe('the rate limit', () => {
  const open = () => {
    const clock = { now: 0 };
    return { clock, limit: createRateLimit({ most: 3, windowMs: 60_000, now: () => clock.now }) };
  };
  const refusal = expect.objectContaining({ code: 'rate_limited', retryable: true, retryAfterMs: 60_000 });

  it('refuses the next try of a key until the window ends', () => {
    const { clock, limit } = open();
    for (let n = 0; n < 3; n += 1) limit.consume('one');
    expect(() => limit.consume('one')).toThrow(refusal);
    limit.consume('another');
    limit.consume('one', 10);
    clock.now += 60_000;
    limit.consume('one');
  });

  it('still limits when more keys come than it keeps count of, and still counts those it knows apart', () => {
    const { clock, limit } = open();
    limit.consume('known');
    for (let n = 1; n < 10_000; n += 1) limit.consume(`key ${n}`);
    for (let n = 0; n < 3; n += 1) limit.consume('late');
    expect(() => limit.consume('late')).toThrow(refusal);
    expect(() => limit.consume('later')).toThrow(refusal);
    limit.consume('known');
    clock.now += 60_000;
    limit.consume('late');
  });
});
