import { isRead, type Read, type Shape } from './read.ts';

/** Numbers as people and hosts write them, and as a field keeps them: rounded half up, away from zero, as Salesforce rounds. */

const PLAIN = /^[+-]?\d+(\.\d+)?$/;
/** Groups that cannot be decimals: two commas, a comma before a point, or spaces. */
const GROUPED = /^[+-]?\d{1,3}((,\d{3})+\.\d+|(,\d{3}){2,}|([ \u00a0\u202f]\d{3})+(\.\d+)?)$/;

const NOUNS: Readonly<Record<string, string>> = { currency: 'amount', int: 'whole number', long: 'whole number' };
/** The most digits of any number in Salesforce. */
const MOST_DIGITS = 18;
const MOST_PLACES = 17;
const MOST_INT = 2_147_483_647;

export function readNumber(field: Shape, value: unknown): Read<number> {
  const decimal = toDecimal(field, value);
  if (!isRead(decimal)) return decimal;
  const isWhole = field.type === 'int' || field.type === 'long';
  const scale = isWhole ? 0 : Math.min(Math.max(field.scale ?? 2, 0), MOST_PLACES);
  // Salesforce rounds a fraction to the places of a field, but does not take one for a whole number.
  if (isWhole && round(decimal.value, MOST_PLACES).includes('.'))
    return { problem: 'is no whole number: write it without decimal places' };
  const rounded = round(decimal.value, scale);
  const number = Number(rounded);
  const most = mostOf(field, scale);
  if (Math.abs(number) >= most.limit) return { problem: `is too large: ${most.words}` };
  // A number has 15 to 17 digits here: one with more would silently become its neighbour.
  if (round(String(number), scale) !== rounded)
    return { problem: 'has more digits than can be kept exactly: write it shorter' };
  return { value: number === 0 ? 0 : number };
}

function toDecimal({ type }: Shape, value: unknown): Read<string> {
  const noun = NOUNS[type] ?? 'number';
  if (typeof value === 'number')
    return Number.isFinite(value) ? { value: String(value) } : { problem: `is no ${noun}` };
  const text = typeof value === 'string' ? value.trim() : '';
  if (PLAIN.test(text)) return { value: text };
  if (GROUPED.test(text)) return { value: text.replace(/[, \u00a0\u202f]/g, '') };
  if (!/\d/.test(text)) return { problem: `is no ${noun}` };
  return { problem: `is no ${noun} that can be read one way only: write 1234.56 or 1,234.56` };
}

function mostOf({ type, precision, digits }: Shape, scale: number): { readonly limit: number; readonly words: string } {
  if (type === 'int' && !digits) return { limit: MOST_INT + 1, words: `the field takes at most ${MOST_INT}` };
  const before = type === 'int' || type === 'long' ? digits || MOST_DIGITS : (precision || MOST_DIGITS) - scale;
  return { limit: 10 ** Math.max(before, 0), words: `the field takes ${before} digits before the point` };
}

/** Half up, away from zero, on the written digits: 1000.005 is 1000.01, which binary fractions would make 1000. */
export function round(decimal: string, places: number): string {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(decimal);
  if (!match) return decimal;
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  const point = whole.length + Number(power);
  const digits = point > 0 ? whole + fraction : '0'.repeat(1 - point) + whole + fraction;
  const at = Math.max(point, 1);
  const padded = digits.padEnd(at + places + 1, '0');
  const kept = BigInt(padded.slice(0, at + places)) + (padded.charAt(at + places) >= '5' ? 1n : 0n);
  const text = kept.toString().padStart(places + 1, '0');
  const [before, after] = [text.slice(0, text.length - places), text.slice(text.length - places).replace(/0+$/, '')];
  const unsigned = after === '' ? before : `${before}.${after}`;
  return sign === '-' && kept !== 0n ? `-${unsigned}` : unsigned;
}
