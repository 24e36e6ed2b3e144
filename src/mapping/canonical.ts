import type { FieldDescribe, FieldValue } from '../action.ts';

/**
 * Two forms of a value, by what describe says of its field. The written form is what Salesforce will hold after a write
 * (trimmed, cut to length, label turned into value), the folded form is what we compare: without it the same phone number
 * in two spellings would travel back and forth for ever.
 */
type Shape = Pick<FieldDescribe, 'type' | 'length' | 'scale' | 'picklistValues'>;

/** Undefined for a value that the field cannot hold: text in a number field, a day that no calendar has. */
export function writtenForm(field: Shape, value: FieldValue): FieldValue | undefined {
  if (value === null) return field.type === 'boolean' ? false : null;
  const isBlank = typeof value === 'string' && value.trim() === '';
  switch (field.type) {
    case 'boolean':
      return isBlank ? false : toBoolean(value);
    case 'int':
      return isBlank ? null : toNumber(value, 0);
    case 'double':
    case 'currency':
    case 'percent':
      // Salesforce rounds to the places of the field; a finer value of the host is no difference.
      return isBlank ? null : toNumber(value, field.scale ?? 2);
    case 'date':
      return isBlank ? null : (toDay(value) ?? undefined);
    case 'datetime':
      return isBlank ? null : (toInstant(value) ?? undefined);
    case 'picklist':
      return cut(field, toListed(field, String(value)));
    case 'multipicklist': {
      const chosen = String(value)
        .split(';')
        .map((one) => toListed(field, one))
        .filter(Boolean);
      return [...new Set(chosen)].sort().join(';') || null;
    }
    default:
      return cut(field, String(value));
  }
}

export function foldedForm(field: Shape, value: FieldValue): FieldValue {
  const written = writtenForm(field, value);
  if (written === undefined) return value;
  if (typeof written !== 'string') return written;
  if (field.type === 'email') return written.toLowerCase();
  if (field.type === 'phone') return foldPhone(written);
  return written.replace(/\r\n?/g, '\n').normalize('NFC');
}

/** Digits and a leading plus; letters that mean something (ext 12) stay. */
export function foldPhone(phone: string): string {
  const folded = phone
    .toLowerCase()
    .replace(/^\s*00/, '+')
    .replace(/[^\d+a-z]/g, '');
  return folded || phone;
}

export const isCut = (field: Shape, value: FieldValue): boolean =>
  field.length > 0 && TEXT.has(field.type) && typeof value === 'string' && value.trim().length > field.length;

const TEXT = new Set(['string', 'textarea', 'email', 'phone', 'url', 'picklist', 'encryptedstring', 'combobox']);

function cut(field: Shape, text: string): string | null {
  // NUL and lone surrogates survive neither PostgreSQL nor Salesforce.
  const clean = wellFormed(text.replaceAll('\0', '')).trim();
  const short = field.length > 0 && TEXT.has(field.type) ? wellFormed(clean.slice(0, field.length)).trim() : clean;
  return short || null;
}

const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '');

function toListed(field: Shape, text: string): string {
  const wanted = text.trim();
  if (field.picklistValues.some((entry) => entry.value === wanted)) return wanted;
  const same = (other: string) => other.toLowerCase() === wanted.toLowerCase();
  return (
    field.picklistValues.find((entry) => entry.active && (same(entry.label) || same(entry.value)))?.value ?? wanted
  );
}

function toBoolean(value: NonNullable<FieldValue>): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const word = String(value).trim().toLowerCase();
  if (['true', 'yes', '1', 'on'].includes(word)) return true;
  return ['false', 'no', '0', 'off'].includes(word) ? false : undefined;
}

function toNumber(value: NonNullable<FieldValue>, digits: number): number | undefined {
  const number =
    typeof value === 'string' ? Number(value.trim().replace(/[\s,_](?=\d{3}\b)/g, '') || Number.NaN) : Number(value);
  if (!Number.isFinite(number)) return undefined;
  const unit = 10 ** digits;
  return Math.round(number * unit) / unit;
}

/** The calendar day that was written down; an instant with an offset keeps its own day. */
export function toDay(value: FieldValue): string | null {
  const text = typeof value === 'number' ? new Date(value).toISOString() : String(value).trim();
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?$/.exec(text);
  if (match) return isDay(match[0].slice(0, 10)) ? match[0].slice(0, 10) : null;
  const parsed = Date.parse(`${text} UTC`);
  return Number.isNaN(parsed) ? null : new Date(parsed).toISOString().slice(0, 10);
}

/** One instant, whole seconds, as Salesforce keeps it. */
export function toInstant(value: FieldValue): string | null {
  const text = String(value).trim();
  // Salesforce writes +0000 without a colon; a time without a zone is UTC.
  const zoned = text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2');
  const hasZone = /([zZ]|[+-]\d{2}:\d{2})$/.test(zoned) || !/T|\d \d/.test(zoned);
  const parsed = typeof value === 'number' ? value : Date.parse(hasZone ? zoned : `${zoned.replace(' ', 'T')}Z`);
  if (Number.isNaN(parsed) || Math.abs(parsed) > 8.64e15) return null;
  return new Date(Math.floor(parsed / 1000) * 1000).toISOString();
}

function isDay(text: string): boolean {
  const parsed = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
}
