import { describe, expect, it } from 'vitest';
import { readRows, refusal, underPolicy, underSyntax } from './fixtures.ts';

describe('real queries', () => {
  const rows = readRows('valid').filter(({ tags }) => !tags?.includes('may-refuse'));

  it('reads every documented query of the public corpora [Q1]', () => {
    expect(rows.length).toBeGreaterThan(400);
    expect(rows.map(({ q }) => ({ q, verdict: underSyntax(q) })).filter(({ verdict }) => !verdict.ok)).toEqual([]);
  });

  it('sends such a query as it was written when no policy bounds it [Q5]', () => {
    for (const { q } of rows) expect(underSyntax(q)).toMatchObject({ ok: true, send: q });
  });

  it('reads it the same in any case and with any white space [Q1]', () => {
    for (const { q } of rows) {
      expect(underSyntax(outsideText(q, (part) => part.toLowerCase())).ok, q).toBe(true);
      expect(underSyntax(outsideText(q, (part) => part.toUpperCase())).ok, q).toBe(true);
      expect(underSyntax(outsideText(q, (part) => part.replaceAll(' ', '\r\n\t '))).ok, q).toBe(true);
    }
  });
});

describe('what is no query', () => {
  it.each(readRows('invalid').map(({ q }) => q))('is refused with a place and a next step: %s [Q1]', (q) => {
    const { code, position, rule, next } = refusal(underSyntax(q));
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(position).toBeGreaterThanOrEqual(0);
    expect(position).toBeLessThanOrEqual(q.length);
    expect(rule).toMatch(/^\S.*\.$/);
    expect(next).toMatch(/^\S.*[.?]$/);
  });

  it('never passes a query that was cut short anywhere before FROM has its object [Q1]', () => {
    for (const { q } of readRows('valid')) {
      const from = q.toLowerCase().lastIndexOf('from ');
      for (let end = 0; end <= from + 4; end += 3) {
        const cut = q.slice(0, end);
        if (!/\bfrom\s+\w/i.test(cut)) expect(underSyntax(cut).ok, cut).toBe(false);
      }
    }
  });
});

describe('hostile queries', () => {
  const rows = readRows('hostile');

  it('has no hole in any class [Q1] [Q2]', () => {
    expect(rows.length).toBeGreaterThan(400);
    expect(rows.filter(({ q }) => underPolicy(q).ok)).toEqual([]);
  });

  it('refuses what is no read query even where no policy is set [Q1]', () => {
    expect(rows.filter(({ q, expect: wanted }) => wanted === 'refuse' && underSyntax(q).ok)).toEqual([]);
  });

  it('refuses breaches of policy for the policy alone: without it they are plain SOQL [Q2] [P5]', () => {
    const breaches = rows.filter((row) => row.expect === 'policy');
    expect(breaches.length).toBeGreaterThan(170);
    expect(breaches.filter(({ q }) => !underSyntax(q).ok)).toEqual([]);
  });

  it('blames an object or field for each breach, and never names another rule [Q2]', () => {
    for (const { q, expect: wanted } of rows) {
      if (wanted !== 'policy') continue;
      const { rule } = refusal(underPolicy(q));
      for (const hidden of ['AnnualRevenue', 'SSN__c', 'Score__c', 'Birthdate', 'ExpectedRevenue', 'SicCode']) {
        if (!q.toLowerCase().includes(hidden.toLowerCase())) expect(rule).not.toContain(hidden);
      }
    }
  });
});

describe('benign queries', () => {
  it.each(readRows('benign').map(({ q }) => q))('passes the example policy: %s [Q2]', (q) => {
    expect(underPolicy(q)).toMatchObject({ ok: true });
  });
});

function outsideText(q: string, change: (part: string) => string): string {
  return q
    .split(/('(?:\\.|[^'\\])*')/s)
    .map((part) => (part.startsWith("'") ? part : change(part)))
    .join('');
}
