import type { FieldValue } from '../record.ts';
import { toId18 } from '../salesforce-id.ts';
import { readChoice, readChoices } from './choices.ts';
import { isEmail } from './email.ts';
import { readNumber } from './numbers.ts';
import { isRead, type Read, type Shape } from './read.ts';
import { toHtml } from './rich-text.ts';
import { cut, foldPhone, mostCharacters, readText } from './text.ts';
import { fromSalesforceTime, readDay, readMoment, readTimeOfDay, toHostTime, toSalesforceTime } from './times.ts';

/**
 * One idea of a stored value, for the gate and for sync: how a value is read (strictly: what can mean two things is refused, in
 * words and with the cure), what Salesforce will hold of it, and when two values are the same. Pure, and it never throws,
 * whatever it is given: one value of one record must not stop the others.
 */

/** What Salesforce will hold, in the form in which it answers. `mayCut`: what is too long is cut, as sync does, not refused. */
export function toStored(field: Shape, value: unknown, { mayCut = false } = {}): Read {
  if (value === null || value === undefined) return { value: field.type === 'boolean' ? false : null };
  if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol')
    return {
      problem: Array.isArray(value)
        ? 'is a list: write several choices as one text, "Red;Green"'
        : 'is no single value',
    };
  // Salesforce keeps an empty text as nothing.
  if (typeof value === 'string' && value.trim() === '') return { value: field.type === 'boolean' ? false : null };
  switch (field.type) {
    case 'boolean':
      return readBoolean(value);
    case 'int':
    case 'long':
    case 'double':
    case 'currency':
    case 'percent':
      return readNumber(field, value);
    case 'date':
      return readDay(value);
    case 'datetime':
      return map(readMoment(value), toSalesforceTime);
    case 'time':
      return readTimeOfDay(value);
    case 'id':
    case 'reference':
      return readId(value);
    case 'multipicklist':
      return map(readChoices(field, String(value)), (text) => text || null);
    case 'address':
    case 'location':
      return { problem: 'cannot be written as a whole: use its parts' };
    case 'picklist': {
      const text = readText(field, value);
      const choice = isRead(text) ? readChoice(field, text.value) : text;
      return isRead(choice) ? fitted(field, choice.value, mayCut) : choice;
    }
    case 'email': {
      const text = readText(field, value);
      if (!isRead(text)) return text;
      return isEmail(text.value) ? fitted(field, text.value.toLowerCase(), false) : { problem: 'is no email address' };
    }
    default: {
      const text = readText(field, value);
      if (!isRead(text)) return text;
      // A tag cut in two would show as text.
      return field.isRichText ? fitted(field, toHtml(text.value), false) : fitted(field, text.value, mayCut);
    }
  }
}

/** The form in which two sides of a sync are compared: without it the same phone in two spellings would travel for ever. */
export function toFolded(field: Shape, value: FieldValue): FieldValue {
  const stored = toStored(field, value, { mayCut: true });
  if (!isRead(stored)) return value;
  if (typeof stored.value !== 'string') return stored.value;
  switch (field.type) {
    case 'phone':
      return foldPhone(stored.value);
    case 'datetime':
      return toHostTime(fromSalesforceTime(stored.value));
    case 'multipicklist':
      return stored.value.split(';').sort().join(';');
    default:
      return stored.value.replace(/\r\n?/g, '\n').normalize('NFC');
  }
}

/** Whether the org holds what was written, whatever form it answers in. Without a describe, texts are compared as texts. */
export function isSame(field: Shape | undefined, held: unknown, wanted: unknown): boolean {
  const shape = field ?? PLAIN;
  if (comparable(shape, held) === comparable(shape, wanted)) return true;
  if (field?.isMasked !== true) return false;
  const stored = toStored(field, wanted);
  return isRead(stored) && stored.value !== null && isMaskOf(held, String(stored.value));
}

/** A mask keeps some characters in their places and hides the others behind one sign. */
export function isMaskOf(held: unknown, value: unknown): boolean {
  if (typeof held !== 'string' || typeof value !== 'string') return false;
  const [mask, text] = [held.trim(), value.trim()];
  if (mask.length !== text.length || !/[*X]/.test(mask)) return false;
  return [...mask].every((sign, at) => sign === text.charAt(at) || sign === '*' || sign === 'X');
}

export const isCut = (field: Shape, value: FieldValue): boolean => {
  const most = field.isRichText ? undefined : mostCharacters(field);
  return most !== undefined && typeof value === 'string' && value.trim().length > most;
};

const PLAIN: Shape = { type: 'textarea', length: 0, picklistValues: [] };

function comparable(field: Shape, value: unknown): unknown {
  if (field === PLAIN && typeof value !== 'string') return value ?? null;
  const stored = toStored({ ...field, length: 0, restrictedPicklist: false }, value);
  if (!isRead(stored)) return typeof value === 'string' ? value.trim() : value;
  return typeof stored.value === 'string' ? stored.value.replace(/\r\n?/g, '\n').normalize('NFC') : stored.value;
}

function fitted(field: Shape, text: string, mayCut: boolean): Read {
  const most = mostCharacters(field);
  if (most === undefined) return { value: text || null };
  if (mayCut) return { value: cut(text, most) || null };
  const count = [...text].length;
  return count > most ? { problem: `is too long: ${count} characters where ${most} fit` } : { value: text || null };
}

function readBoolean(value: unknown): Read<boolean> {
  if (typeof value === 'boolean') return { value };
  const word = String(value).trim().toLowerCase();
  if (['true', 'yes', '1', 'on'].includes(word)) return { value: true };
  if (['false', 'no', '0', 'off'].includes(word)) return { value: false };
  return { problem: 'is no yes or no (true, false, yes, no, 1, 0)' };
}

function readId(value: unknown): Read<string> {
  const verdict = typeof value === 'string' ? toId18(value) : { problem: 'is no Salesforce Id' };
  return 'id' in verdict ? { value: verdict.id } : verdict;
}

const map = <A extends FieldValue>(read: Read<A>, to: (value: A) => FieldValue): Read =>
  isRead(read) ? { value: to(read.value) } : read;
