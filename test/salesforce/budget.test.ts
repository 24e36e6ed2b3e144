import { describe, expect, it } from 'vitest';
import { judgeSpending, limitPauseMs, REMEASURE_MS, readLimitInfo } from '../../src/salesforce/transport/budget.ts';

describe('the API allowance', () => {
  it.each([
    ['api-usage=18/15000', { used: 18, max: 15_000, at: 7 }],
    ['api-usage=18/15000, per-app-api-usage=17/250(appName=x)', { used: 18, max: 15_000, at: 7 }],
    ['per-app-api-usage=17/250(appName=x), api-usage=18/15000', { used: 18, max: 15_000, at: 7 }],
    ['per-app-api-usage=17/250(appName=x)', undefined],
    ['api-usage=18/0', undefined],
    ['api-usage=x/y', undefined],
    ['', undefined],
    [null, undefined],
  ])('reads %j [R2]', (header, usage) => {
    expect(readLimitInfo(header, 7)).toEqual(usage);
  });

  it('stops at the share, says how much is used and when to ask again [R2]', () => {
    const usage = { used: 80, max: 100, at: 1_000 };
    expect(judgeSpending({ ...usage, used: 79 }, 0.8, 1_000)).toEqual({ kind: 'fine' });
    expect(judgeSpending(usage, 0.95, 1_000)).toEqual({ kind: 'fine' });
    expect(judgeSpending(usage, 0.8, 2_000)).toEqual({
      kind: 'spent',
      percent: 80,
      retryAfterMs: REMEASURE_MS - 1_000,
    });
    expect(judgeSpending(undefined, 0.8, 0)).toEqual({ kind: 'fine' });
  });

  it('measures anew when the figures are old, for the allowance is a rolling day [R2]', () => {
    expect(judgeSpending({ used: 99, max: 100, at: 0 }, 0.8, REMEASURE_MS)).toEqual({ kind: 'remeasure' });
  });

  it('waits long for the daily limit and shortly for the concurrent one [R2]', () => {
    expect(limitPauseMs('TotalRequests Limit exceeded.')).toBe(REMEASURE_MS);
    expect(limitPauseMs('ConcurrentPerOrgLongTxn Limit exceeded.')).toBe(15_000);
  });
});
