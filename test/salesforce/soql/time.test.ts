import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guardSoql, readingOf } from '../../../src/salesforce/soql/guard.ts';
import { parseSoql } from '../../../src/salesforce/soql/parse.ts';
import { SoqlRefusal } from '../../../src/salesforce/soql/refusal.ts';
import { examplePolicy, readRows, refusal, underPolicy } from './fixtures.ts';
import { hostileTexts } from './hostile-texts.ts';
import { mutated } from './mutations.ts';

// Steps, not milliseconds: a slow machine must not fail these, and a quadratic reader must.

describe('reading time', () => {
  const queries = readRows('valid').map(({ q }) => q);

  it('takes at most three steps for each character of a real query [Q4]', () => {
    for (const q of queries) expect(stepsOf(q) / (q.length + 16), q).toBeLessThan(3);
  });

  it('takes at most three steps for each character of a mutated one [Q4]', () => {
    fc.assert(
      fc.property(mutated(queries), (q) => {
        expect(stepsOf(q)).toBeLessThan(3 * (q.length + 16));
      }),
      { numRuns: 5_000, seed: 9 },
    );
  });

  it('is spent once on a text under one policy, and not for ever [F2]', () => {
    const { policy } = examplePolicy();
    const q = 'SELECT Id FROM Account';
    const first = readingOf(q, policy);
    for (let n = 0; n < 10; n += 1) readingOf(`${q} LIMIT ${n}`, policy);
    expect(readingOf(q, policy)).toBe(first);
    expect(readingOf(q, { ...policy })).not.toBe(first);
    for (let n = 0; n < 100; n += 1) readingOf(`${q} LIMIT ${n}`, policy);
    expect(readingOf(q, policy)).not.toBe(first);
  });

  it('is spent anew on what is refused: its ready rewrite is of the hour of now', () => {
    const { policy } = examplePolicy();
    const q = 'SELECT Id FROM Account WHERE CreatedDate >= LAST_N_HOURS:2';
    const next = (now: number) => refusal(guardSoql(q, { policy, now })).next;
    expect(next(Date.UTC(2026, 0, 5, 8))).toContain('2026-01-05T06');
    expect(next(Date.UTC(2026, 0, 5, 9))).toContain('2026-01-05T07');
  });

  it('doubles when the query doubles, and no more [Q4]', () => {
    const forms: readonly ((times: number) => string)[] = [
      (times) => `SELECT ${'Name, '.repeat(times)}Id FROM Account`,
      (times) => `SELECT Id FROM Account WHERE ${"Name = 'a' AND ".repeat(times)}Id = null`,
      (times) => `SELECT Id FROM Account WHERE Name IN (${"'a', ".repeat(times)}'b')`,
      (times) => `SELECT Id FROM Account ORDER BY ${'Name DESC NULLS LAST, '.repeat(times)}Id`,
      (times) => `SELECT Id FROM Account WHERE Name = '${"\\'".repeat(times)}'`,
    ];
    for (const form of forms) {
      const [small, large] = [stepsOf(form(100)), stepsOf(form(400))];
      expect(large).toBeLessThanOrEqual(4.2 * small);
    }
  });

  it('refuses a text of a megabyte before it reads it [Q4]', () => {
    for (const text of hostileTexts(1_000_000)) expect(refusal(underPolicy(text)).code).toBe('too_long');
  });

  it('answers each hostile text of 20 KB, and none by running out of stack [Q4 F8]', () => {
    for (const text of hostileTexts(20_000)) {
      const verdict = underPolicy(text);
      if (!verdict.ok) expect(verdict.code).not.toMatch(/^(internal_guard|too_complex|too_long)$/);
    }
  });

  it('answers any text at all with a verdict [Q4]', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(refusal(underPolicy(text)).code).not.toBe('internal_guard');
      }),
      { numRuns: 2_000, seed: 10 },
    );
  });
});

function stepsOf(q: string): number {
  try {
    return parseSoql(q).steps;
  } catch (error) {
    if (error instanceof SoqlRefusal && error.code !== 'too_complex') return 0;
    throw error;
  }
}
