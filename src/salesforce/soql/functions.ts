// The functions a query may call, by what they take. A function that is not here is refused: FORMULA('...') hides
// field names inside a string, and what Salesforce adds next year may too.

type Takes = 'field' | 'nothing or field' | 'points' | 'numbers';

const aggregates = ['AVG', 'COUNT_DISTINCT', 'MIN', 'MAX', 'SUM'];
const dates = [
  'CALENDAR_MONTH',
  'CALENDAR_QUARTER',
  'CALENDAR_YEAR',
  'DAY_IN_MONTH',
  'DAY_IN_WEEK',
  'DAY_IN_YEAR',
  'DAY_ONLY',
  'FISCAL_MONTH',
  'FISCAL_QUARTER',
  'FISCAL_YEAR',
  'HOUR_IN_DAY',
  'WEEK_IN_MONTH',
  'WEEK_IN_YEAR',
];
const others = ['CONVERTCURRENCY', 'CONVERTTIMEZONE', 'FORMAT', 'GROUPING', 'TOLABEL'];

const takes = new Map<string, Takes>([
  ...[...aggregates, ...dates, ...others].map((name): [string, Takes] => [name, 'field']),
  ['COUNT', 'nothing or field'],
  ['DISTANCE', 'points'],
  ['GEOLOCATION', 'numbers'],
]);

const aggregateNames = new Set([...aggregates, 'COUNT', 'GROUPING']);

/** What the function of this upper-case name takes; `undefined` when a query may not call it. */
export function takenBy(name: string): Takes | undefined {
  return takes.get(name);
}

export function isAggregate(name: string): boolean {
  return aggregateNames.has(name);
}

const ranges = ['WEEK', 'MONTH', 'QUARTER', 'YEAR', 'FISCAL_QUARTER', 'FISCAL_YEAR'];
const units = ['DAYS', 'WEEKS', 'MONTHS', 'QUARTERS', 'YEARS', 'FISCAL_QUARTERS', 'FISCAL_YEARS'];

const fixedLiterals = new Set([
  ...['YESTERDAY', 'TODAY', 'TOMORROW', 'LAST_90_DAYS', 'NEXT_90_DAYS'],
  ...ranges.flatMap((range) => [`LAST_${range}`, `THIS_${range}`, `NEXT_${range}`]),
]);
const countedLiterals = new Set(units.flatMap((unit) => [`LAST_N_${unit}`, `NEXT_N_${unit}`, `N_${unit}_AGO`]));

/** Whether a word is a date literal, and whether it wants a count as LAST_N_DAYS:30 does; `further` are the org's own. */
export function dateLiteral(name: string, further: ReadonlySet<string>): 'fixed' | 'counted' | undefined {
  if (fixedLiterals.has(name)) return 'fixed';
  if (countedLiterals.has(name)) return 'counted';
  if (!further.has(name)) return undefined;
  return /(?:^|_)N_/.test(name) ? 'counted' : 'fixed';
}

/** A word shaped like a date literal that is none: worth a hint of its own. */
export function looksLikeDateLiteral(name: string): boolean {
  return /^(?:LAST|PAST|NEXT|THIS)_|_AGO$|^NOW$|^SYSDATE$|^CURRENT_(?:DATE|DAY|TIME|TIMESTAMP|DATETIME)$/.test(name);
}
