import type { Read, Shape } from './read.ts';

/** Text as it is kept: trimmed, one kind of line end, nothing that does not survive the way there and back. */

const TEXT = new Set(['string', 'textarea', 'email', 'phone', 'url', 'picklist', 'encryptedstring', 'combobox']);

export function readText(field: Shape, value: unknown): Read<string> {
  if (typeof value === 'object' || value === undefined) return { problem: 'is no text' };
  const text = String(value);
  // NUL and halves of characters survive neither PostgreSQL nor Salesforce.
  if (/\0|\p{Surrogate}/u.test(text)) return { problem: 'holds characters that cannot be stored' };
  const clean = text.trim();
  return { value: field.type === 'textarea' ? clean.replace(/\r\n?/g, '\n') : clean };
}

/** A name as people read it: one space between words, of whatever kind it was, and one way to write an accent. */
export const plainName = (name: string): string => name.trim().replace(/\s+/g, ' ').normalize('NFC');

/** One for all spellings that people take for the same name. */
export const foldedName = (name: unknown): string => plainName(String(name)).toLowerCase();

/** How many characters fit; undefined where the field has no such limit. */
export const mostCharacters = ({ type, length }: Shape): number | undefined =>
  length > 0 && TEXT.has(type) ? length : undefined;

/** Never in the middle of a character. */
export function cut(text: string, most: number): string {
  return text
    .slice(0, most)
    .replace(/\p{Surrogate}$/u, '')
    .trim();
}

/** Digits and a leading plus; letters that mean something (ext 12) stay. */
export function foldPhone(phone: string): string {
  const folded = phone
    .toLowerCase()
    .replace(/[^\d+a-z]/g, '')
    .replace(/^00/, '+');
  return folded || phone;
}
