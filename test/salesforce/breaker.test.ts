import { describe, expect, it } from 'vitest';
import { abandoned, admit, type Breaker, CLOSED, failed, succeeded } from '../../src/salesforce/transport/breaker.ts';

const PROBE_MS = 25_000;

const ask = (breaker: Breaker, now: number) => admit(breaker, now, PROBE_MS, breaker.breakerUntil - now);

function afterFailures(count: number, now = 0): Breaker {
  let breaker = CLOSED;
  for (let i = 0; i < count; i++) breaker = failed(breaker, now, false);
  return breaker;
}

/** The breaker after winning a probe. */
function probing(breaker: Breaker, now: number): Breaker {
  const admission = ask(breaker, now);
  if (admission.kind !== 'probe') throw new Error(`expected a probe, got ${admission.kind}`);
  return admission.next;
}

describe('the circuit breaker', () => {
  it('opens at the fifth consecutive failure, not before [R1] [sync-P22]', () => {
    expect(afterFailures(4).breakerState).toBe('closed');
    expect(ask(afterFailures(4), 0)).toEqual({ kind: 'pass' });
    expect(afterFailures(5)).toMatchObject({ breakerState: 'open', breakerUntil: 60_000 });
  });

  it('starts counting anew after one success [R1]', () => {
    const breaker = failed(succeeded(afterFailures(4), false), 0, false);
    expect(breaker).toMatchObject({ breakerState: 'closed', breakerFailures: 1 });
  });

  it('refuses for 60 s, then lets one probe through [R1]', () => {
    const open = afterFailures(5, 1_000);
    expect(ask(open, 60_999)).toEqual({ kind: 'refused', nextTryAt: 61_000 });
    const half = probing(open, 61_000);
    expect(half.breakerState).toBe('half-open');
    expect(ask(half, 61_001)).toEqual({ kind: 'refused', nextTryAt: 61_000 + PROBE_MS });
  });

  it('closes after two successful probes [R1]', () => {
    const once = succeeded(probing(afterFailures(5), 60_000), true);
    expect(once).toMatchObject({ breakerState: 'half-open', breakerSuccesses: 1 });
    expect(succeeded(probing(once, 60_001), true)).toEqual(CLOSED);
  });

  it('opens again for 60 s when the probe fails, also the second one [R1]', () => {
    const once = succeeded(probing(afterFailures(5), 60_000), true);
    expect(failed(probing(once, 60_001), 60_002, true)).toMatchObject({
      breakerState: 'open',
      breakerUntil: 120_002,
      breakerSuccesses: 0,
    });
  });

  it('is not moved by answers to requests that were sent before it opened [R1]', () => {
    const open = afterFailures(5);
    expect(succeeded(open, false)).toBe(open);
    expect(failed(open, 30_000, false)).toBe(open);
    const half = probing(open, 60_000);
    expect(succeeded(half, false)).toBe(half);
    expect(failed(half, 60_001, false)).toBe(half);
  });

  it('lets another probe through when the prober died or gave up [R1]', () => {
    const half = probing(afterFailures(5), 60_000);
    expect(ask(half, 60_000 + PROBE_MS).kind).toBe('probe');
    expect(ask(abandoned(half), 60_001).kind).toBe('probe');
  });
});
