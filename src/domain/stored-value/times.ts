import { isRead, type Read } from './read.ts';

/** Days, moments and times of day. Only what can be read one way is read: no `Date.parse`, which takes "Level 5" for 1 May 2001. */

/** What a rule may say of a host's own way to write dates. */
export interface DateForm {
  /** Order of 31.12.2026 or 12/31/2026. */
  readonly order?: 'dmy' | 'mdy' | 'ymd' | undefined;
  /** What a bare number counts, from 1970 on. */
  readonly unit?: 's' | 'ms' | 'us' | 'ns' | undefined;
}

interface Moment {
  readonly day: string;
  /** Milliseconds since midnight; undefined where a day alone was written. */
  readonly time: number | undefined;
  /** Minutes east of UTC; undefined where none was written. */
  readonly zone: number | undefined;
}

const TIME = String.raw`(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?`;
const ZONE = String.raw`\s?([zZ]|[+-]\d{2}(?::?\d{2})?)`;
const REST = `(?:[T ]${TIME}(?:${ZONE})?)?$`;
const YEAR_FIRST = new RegExp(String.raw`^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})${REST}`);
const YEAR_LAST = new RegExp(String.raw`^(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4})${REST}`);
const DAY_MONTH = new RegExp(String.raw`^(\d{1,2})(?:st|nd|rd|th|\.)?[ -]([A-Za-z]{3,9})\.?,?[ -](\d{4})${REST}`);
const MONTH_DAY = new RegExp(String.raw`^([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})${REST}`);
const MONTHS = 'january february march april may june july august september october november december'.split(' ');

const DAY_MS = 86_400_000;
const PER_MS = { s: 0.001, ms: 1, us: 1_000, ns: 1_000_000 } as const;

/** The calendar day that was written down; a moment with an offset keeps its own day. */
export function readDay(value: unknown, form: DateForm = {}): Read<string> {
  if (isCount(value, form)) {
    const ms = fromCount(value, form);
    return isRead(ms) ? { value: new Date(ms.value).toISOString().slice(0, 10) } : ms;
  }
  const moment = typeof value === 'string' ? parse(value.trim(), form) : undefined;
  return moment ? { value: moment.day } : { problem: noDate(value, 'date such as 2026-05-31 (YYYY-MM-DD)') };
}

/** One moment, in milliseconds. Without a zone it is UTC, as is the midnight of a day alone. */
export function readMoment(value: unknown, form: DateForm = {}): Read<number> {
  if (isCount(value, form)) return fromCount(value, form);
  const moment = typeof value === 'string' ? parse(value.trim(), form) : undefined;
  if (!moment) return { problem: noDate(value, 'time such as 2026-05-31T10:00:00Z') };
  return { value: dayMs(moment.day) + (moment.time ?? 0) - (moment.zone ?? 0) * 60_000 };
}

/** A time of day, `10:30:00.000Z`: it has no zone of its own, Salesforce writes a Z all the same. */
export function readTimeOfDay(value: unknown): Read<string> {
  const match = new RegExp(`^${TIME}Z?$`).exec(typeof value === 'string' ? value.trim() : '');
  const ms = match && toTime(match[1], match[2], match[3], match[4]);
  return ms === null || ms === undefined
    ? { problem: 'is no time of day such as 10:30 or 10:30:00' }
    : { value: new Date(ms).toISOString().slice(11) };
}

/** A day moved by whole days. */
export const addDays = (day: string, days: number): string =>
  new Date(dayMs(day) + days * DAY_MS).toISOString().slice(0, 10);

/** A time of Salesforce's, whose offset has no colon; NaN where it is none. */
export const fromSalesforceTime = (text: string): number => Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
/** Whole seconds, in the form of Salesforce's answers. */
export const toSalesforceTime = (ms: number): string => `${toHostTime(ms).slice(0, -1)}+0000`;
/**
 * How long a record, as it was read then, hides a later change from a conditional write: that compares whole seconds, by a clock known to two.
 */
export const hidesFor = (changedAt: number, readAt: number): number => Math.max(0, HIDES_MS - (readAt - changedAt));
export const HIDES_MS = 3_000;
export const toHostTime = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString();

const dayMs = (day: string): number => Date.parse(`${day}T00:00:00Z`);

function parse(text: string, { order }: DateForm): Moment | undefined {
  const iso = YEAR_FIRST.exec(text);
  if (iso) return toMoment(iso[1], iso[3], iso[4], iso.slice(5));
  const named = DAY_MONTH.exec(text);
  if (named) return toMoment(named[3], monthOf(named[2]), named[1], named.slice(4));
  const english = MONTH_DAY.exec(text);
  if (english) return toMoment(english[3], monthOf(english[1]), english[2], english.slice(4));
  const last = order === 'dmy' || order === 'mdy' ? YEAR_LAST.exec(text) : null;
  if (!last) return undefined;
  const [, first, , second, year] = last;
  const [day, month] = order === 'dmy' ? [first, second] : [second, first];
  return toMoment(year, month, day, last.slice(5));
}

function toMoment(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  [hours, minutes, seconds, fraction, zone]: readonly (string | undefined)[],
): Moment | undefined {
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  // Salesforce keeps no other years.
  if (!(y >= 1700 && y <= 4000 && m >= 1 && m <= 12 && d >= 1)) return undefined;
  if (d > new Date(Date.UTC(y, m, 0)).getUTCDate()) return undefined;
  const time = hours === undefined ? undefined : toTime(hours, minutes, seconds, fraction);
  const offset = zone === undefined ? undefined : toOffset(zone);
  if (time === null || offset === null) return undefined;
  return { day: `${year}-${String(m).padStart(2, '0')}-${String(d).padStart(2, '0')}`, time, zone: offset };
}

function toTime(hours = '', minutes = '', seconds = '0', fraction = '0'): number | null {
  const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)];
  if (h > 23 || m > 59 || s > 59) return null;
  return ((h * 60 + m) * 60 + s) * 1000 + Math.floor(Number(`0.${fraction}`) * 1000);
}

function toOffset(zone: string): number | null {
  if (/^z$/i.test(zone)) return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', '') || '0')];
  if (hours > 14 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

function monthOf(word = ''): string | undefined {
  const wanted = word.toLowerCase();
  const at = MONTHS.findIndex((month) => month === wanted || (wanted.length === 3 && month.startsWith(wanted)));
  return at < 0 ? undefined : String(at + 1);
}

/** Digits as text count only where the rule says what they count. */
const isCount = (value: unknown, { unit }: DateForm): value is number | string =>
  typeof value === 'number' ||
  (unit !== undefined && typeof value === 'string' && /^[+-]?\d{1,20}$/.test(value.trim()));

const [EARLIEST, LATEST] = [dayMs('1700-01-01'), dayMs('4000-12-31') + DAY_MS];

function fromCount(value: number | string, { unit }: DateForm): Read<number> {
  const count = Number(value);
  // Below this, seconds of our time would pass for milliseconds of 1970; above, microseconds for milliseconds of 2286.
  const isSurelyMs = Math.abs(count) >= 1e10 && Math.abs(count) < 1e13;
  if (unit === undefined && !isSurelyMs)
    return {
      problem:
        'is no date: of a bare number the rule must say what it counts ("date" with "unit": "s", "ms", "us" or "ns")',
    };
  const ms = count / PER_MS[unit ?? 'ms'];
  return ms >= EARLIEST && ms < LATEST
    ? { value: Math.floor(ms) }
    : { problem: 'is no date: Salesforce keeps the years 1700 to 4000' };
}

function noDate(value: unknown, kind: string): string {
  const isYearLast = typeof value === 'string' && YEAR_LAST.test(value.trim());
  return isYearLast
    ? `is no ${kind.split(' ')[0]} that can be read one way only: write ${kind.split('as ')[1]}, or name its order in the rule ("date" with "order": "dmy" or "mdy")`
    : `is no ${kind}`;
}
