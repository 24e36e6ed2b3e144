/** TODAY, LAST_N_WEEKS:3, THIS_FISCAL_QUARTER ...: the days from `start` up to, not including, `end`. Times are UTC. */

export interface Days {
  readonly start: Date;
  readonly end: Date;
}

type Unit = 'DAY' | 'WEEK' | 'MONTH' | 'QUARTER' | 'YEAR';

/** Undefined for a name that is not a date literal. */
export function daysOf(literal: string, now: number): Days | undefined {
  const [name = '', count] = literal.toUpperCase().split(':');
  const n = Number(count);
  const fixed: Record<string, Days> = {
    YESTERDAY: span(now, 'DAY', -1, 1),
    TODAY: span(now, 'DAY', 0, 1),
    TOMORROW: span(now, 'DAY', 1, 1),
    LAST_90_DAYS: span(now, 'DAY', -90, 91),
    NEXT_90_DAYS: span(now, 'DAY', 1, 90),
  };
  if (count === undefined && fixed[name]) return fixed[name];

  const simple = /^(LAST|THIS|NEXT)_(?:FISCAL_(?=QUARTER|YEAR))?(WEEK|MONTH|QUARTER|YEAR)$/.exec(name);
  if (simple && count === undefined) {
    const step = { LAST: -1, THIS: 0, NEXT: 1 }[simple[1] ?? ''] ?? 0;
    return span(now, toUnit(simple[2]), step, 1);
  }
  const counted = /^(LAST|NEXT)_N_(?:FISCAL_(?=QUARTER|YEAR))?(DAY|WEEK|MONTH|QUARTER|YEAR)S$/.exec(name);
  if (counted && Number.isInteger(n)) {
    const unit = toUnit(counted[2]);
    if (counted[1] === 'NEXT') return span(now, unit, 1, n);
    // Days include today; longer units end with the one before the present.
    return span(now, unit, -n, unit === 'DAY' ? n + 1 : n);
  }
  const ago = /^N_(?:FISCAL_(?=QUARTER|YEAR))?(DAY|WEEK|MONTH|QUARTER|YEAR)S_AGO$/.exec(name);
  if (ago && Number.isInteger(n)) return span(now, toUnit(ago[1]), -n, 1);
  return undefined;
}

function toUnit(text: string | undefined): Unit {
  // The patterns above let only these words through.
  return text as Unit;
}

function span(now: number, unit: Unit, from: number, length: number): Days {
  return { start: startOf(now, unit, from), end: startOf(now, unit, from + length) };
}

/** The first day of the unit that lies `steps` units from the present one. */
function startOf(now: number, unit: Unit, steps: number): Date {
  const today = new Date(now);
  const [year, month, day] = [today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate()];
  switch (unit) {
    case 'DAY':
      return new Date(Date.UTC(year, month, day + steps));
    case 'WEEK': // Weeks begin on Sunday in the org's locale, en_US.
      return new Date(Date.UTC(year, month, day - today.getUTCDay() + 7 * steps));
    case 'MONTH':
      return new Date(Date.UTC(year, month + steps, 1));
    case 'QUARTER':
      return new Date(Date.UTC(year, Math.floor(month / 3) * 3 + 3 * steps, 1));
    case 'YEAR':
      return new Date(Date.UTC(year + steps, 0, 1));
  }
}
