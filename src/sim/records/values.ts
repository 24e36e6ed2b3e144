/** From a JSON value to what the org stores, or the refusal Salesforce would give. */
import { parseDatetime, parseDay, parseTime, toDatetime } from '../datetimes.ts';
import { parseId } from '../ids.ts';
import { type Fault, type Refusal, refuse, refuseWrite } from '../refusal.ts';
import type { Field } from '../schema/field.ts';
import type { Value } from '../table.ts';
import { roundHalfUp, toChoices, toHtml } from './shown-forms.ts';

export function toStored(field: Field, raw: unknown): Value {
  if (raw === null || raw === '') return field.type === 'boolean' ? false : null;
  if (typeof raw === 'object' || raw === undefined) throw unreadable(field, raw);
  switch (field.type) {
    case 'boolean':
      return toBoolean(field, raw);
    case 'int':
    case 'double':
    case 'currency':
    case 'percent':
      return toNumber(field, raw);
    case 'date': {
      const day = typeof raw === 'string' ? parseDay(raw) : undefined;
      if (day === undefined) throw unreadable(field, raw);
      return day;
    }
    case 'datetime': {
      const ms = typeof raw === 'string' ? parseDatetime(raw) : undefined;
      if (ms === undefined) throw unreadable(field, raw);
      return toDatetime(ms);
    }
    case 'time': {
      const time = typeof raw === 'string' ? parseTime(raw) : undefined;
      if (time === undefined) throw unreadable(field, raw);
      return time;
    }
    case 'id':
    case 'reference':
      return toReference(field, raw);
    case 'email':
      return String(raw).trim().toLowerCase() || null;
    case 'multipicklist':
      return toChoices(field, String(raw)) || null;
    case 'textarea':
      return (field.isHtml ? toHtml(String(raw).trim()) : String(raw).trim()) || null;
    default:
      // Salesforce trims what it stores, and keeps nothing of a text that is only blanks.
      return String(raw).trim() || null;
  }
}

/** What is wrong with a value that could be read: all of it, so that one answer names every field. */
export function checkStored(field: Field, value: Value): Fault[] {
  if (typeof value !== 'string') return [];
  const fault = (errorCode: string, message: string): Fault[] => [
    { message: `${field.label}: ${message}`, errorCode, fields: [field.name] },
  ];
  const chosen = field.type === 'multipicklist' ? value.split(';') : [value];
  const unlisted = chosen.find((each) => !field.picklist.some((entry) => entry.value === each));
  if (field.isRestricted && unlisted !== undefined) {
    return fault('INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', `bad value for restricted picklist field: ${unlisted}`);
  }
  if (field.length > 0 && field.type !== 'reference' && value.length > field.length) {
    return fault('STRING_TOO_LONG', `data value too large: ${value} (max length=${field.length})`);
  }
  if (field.type === 'email' && !/^[^\s@<>()[\],;:"]+@[^\s@.<>()[\],;:"]+(\.[^\s@.<>()[\],;:"]+)+$/.test(value)) {
    return fault('INVALID_EMAIL_ADDRESS', `invalid email address: ${value}`);
  }
  return [];
}

function toBoolean(field: Field, raw: unknown): boolean {
  if (raw === true || raw === 'true' || raw === 1 || raw === '1') return true;
  if (raw === false || raw === 'false' || raw === 0 || raw === '0') return false;
  throw unreadable(field, raw);
}

function toNumber(field: Field, raw: unknown): number {
  const isWritten = typeof raw === 'string' && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(raw.trim());
  const given = typeof raw === 'number' || isWritten ? Number(raw) : Number.NaN;
  if (!Number.isFinite(given) || (field.type === 'int' && !Number.isInteger(given))) throw unreadable(field, raw);
  const value = roundHalfUp(given, field.scale);
  const digits = field.precision - field.scale;
  if (Math.abs(value) >= 10 ** (digits || 18)) {
    throw refuseWrite(
      'NUMBER_OUTSIDE_VALID_RANGE',
      `${field.label}: value outside of valid range on numeric field: ${raw}`,
      [field.name],
    );
  }
  return value;
}

function toReference(field: Field, raw: unknown): string {
  const id = typeof raw === 'string' ? parseId(raw) : undefined;
  if (!id) throw refuseWrite('MALFORMED_ID', `${field.label}: id value of incorrect type: ${raw}`, [field.name]);
  return id;
}

const xsd: Partial<Record<Field['type'], string>> = {
  int: 'int',
  double: 'double',
  currency: 'double',
  percent: 'double',
  boolean: 'boolean',
  date: 'date',
  datetime: 'datetime',
  time: 'time',
}; // prettier-ignore

function unreadable(field: Field, raw: unknown): Refusal {
  const kind =
    typeof raw === 'string'
      ? 'STRING'
      : typeof raw === 'object'
        ? 'OBJECT'
        : typeof raw === 'boolean'
          ? 'BOOLEAN'
          : 'NUMBER';
  const type = xsd[field.type] ?? 'string';
  const shown = typeof raw === 'object' ? '' : ` value ${String(raw)}`;
  return refuse(
    400,
    'JSON_PARSER_ERROR',
    `Cannot deserialize instance of ${type} from VALUE_${kind}${shown} or request may be missing a required field at [line:1, column:1]`,
  );
}
