/** What people write for a moment where SOQL has no literal, with the condition to write instead. Pure: the clock is given. */

/** `LAST_N_HOURS`, `N_MINUTES_AGO`, `LAST_24_HOURS`: the count may stand in the name. */
const SPAN = /^(?:(LAST|PAST|NEXT)_(?:(N|\d{1,6})_)?|(N|\d{1,6})_)(SECOND|MINUTE|HOUR|DAY)S?(_AGO)?$/;
const MS = { SECOND: 1_000, MINUTE: 60_000, HOUR: 3_600_000 } as const;

/** The condition to write; undefined where none can be made. `count` is what stood after a colon. */
export function rewriteOf(
  name: string,
  count: string | undefined,
  left: string,
  operator: string,
  now: number,
): string | undefined {
  if (/^(?:NOW|CURRENT_TIME|CURRENT_TIMESTAMP|CURRENT_DATETIME|SYSDATE)$/.test(name))
    return `${left} ${operator === '=' ? '>=' : operator} ${moment(now)}`;
  if (/^CURRENT_(?:DATE|DAY)$/.test(name)) return `${left} ${operator} TODAY`;
  const [, way, inside, before, unit] = SPAN.exec(name) ?? [];
  const written = [inside, before].find((one) => one !== undefined);
  const amount = Number(written === undefined ? 1 : written === 'N' ? count : written);
  if (unit === undefined || !Number.isSafeInteger(amount) || amount < 0 || amount > 1e8) return undefined;
  if (unit === 'DAY') {
    if (way === undefined) return `${left} ${operator} N_DAYS_AGO:${amount}`;
    return `${left} ${operator} ${way === 'NEXT' ? 'NEXT' : 'LAST'}_N_DAYS:${amount}`;
  }
  const ms = amount * MS[unit as keyof typeof MS]; // the pattern names these and DAY
  if (way === 'NEXT') {
    if (operator === '>' || operator === '>=') return `${left} ${operator} ${moment(now + ms)}`;
    return operator === '='
      ? `${left} >= ${moment(now)} AND ${left} <= ${moment(now + ms)}`
      : `${left} <= ${moment(now + ms)}`;
  }
  return `${left} ${operator === '=' || operator === '!=' ? '>=' : operator} ${moment(now - ms)}`;
}

function moment(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
