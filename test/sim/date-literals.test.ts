import { describe, expect, it } from 'vitest';
import { daysOf } from '../../src/sim/query/date-literals.ts';

/** A Thursday in the second quarter. */
const now = Date.parse('2026-05-14T15:30:00Z');

describe('date literals', () => {
  const literals: [string, string, string][] = [
    ['YESTERDAY', '2026-05-13', '2026-05-14'],
    ['TODAY', '2026-05-14', '2026-05-15'],
    ['TOMORROW', '2026-05-15', '2026-05-16'],
    ['LAST_WEEK', '2026-05-03', '2026-05-10'],
    ['THIS_WEEK', '2026-05-10', '2026-05-17'],
    ['NEXT_WEEK', '2026-05-17', '2026-05-24'],
    ['LAST_MONTH', '2026-04-01', '2026-05-01'],
    ['THIS_MONTH', '2026-05-01', '2026-06-01'],
    ['NEXT_MONTH', '2026-06-01', '2026-07-01'],
    ['LAST_QUARTER', '2026-01-01', '2026-04-01'],
    ['THIS_FISCAL_QUARTER', '2026-04-01', '2026-07-01'],
    ['NEXT_QUARTER', '2026-07-01', '2026-10-01'],
    ['LAST_YEAR', '2025-01-01', '2026-01-01'],
    ['THIS_FISCAL_YEAR', '2026-01-01', '2027-01-01'],
    ['LAST_90_DAYS', '2026-02-13', '2026-05-15'],
    ['NEXT_90_DAYS', '2026-05-15', '2026-08-13'],
    ['LAST_N_DAYS:1', '2026-05-13', '2026-05-15'],
    ['NEXT_N_DAYS:1', '2026-05-15', '2026-05-16'],
    ['LAST_N_WEEKS:2', '2026-04-26', '2026-05-10'],
    ['NEXT_N_MONTHS:2', '2026-06-01', '2026-08-01'],
    ['LAST_N_QUARTERS:3', '2025-07-01', '2026-04-01'],
    ['NEXT_N_FISCAL_YEARS:2', '2027-01-01', '2029-01-01'],
    ['N_DAYS_AGO:3', '2026-05-11', '2026-05-12'],
    ['N_WEEKS_AGO:1', '2026-05-03', '2026-05-10'],
    ['N_FISCAL_QUARTERS_AGO:1', '2026-01-01', '2026-04-01'],
    ['last_n_years:1', '2025-01-01', '2026-01-01'],
  ];
  it.each(literals)('%s is from %s, before %s [X5]', (literal, start, end) => {
    const days = daysOf(literal, now);
    expect([days?.start.toISOString().slice(0, 10), days?.end.toISOString().slice(0, 10)]).toEqual([start, end]);
  });

  it('spans 91 days with LAST_90_DAYS, and knows no others [X5]', () => {
    const days = daysOf('LAST_90_DAYS', now);
    expect((Number(days?.end) - Number(days?.start)) / 86_400_000).toBe(91);
    for (const name of ['LAST_N_DAYS', 'TODAY:1', 'LAST_N_HOURS:3', 'THIS_CENTURY'])
      expect(daysOf(name, now)).toBeUndefined();
  });
});
