import type { Search } from './action.ts';
import type { FieldDescribe } from './record.ts';

/**
 * Fields by which a search may find a record. Salesforce does not say it field by field, so that rather more than less is counted: whoever
 * searches in a field reads it, guess by guess.
 */
export function searchedFields(scope: Search['scope'], fields: readonly FieldDescribe[]): readonly string[] {
  return fields.filter(({ name, type }) => IS_SEARCHED[scope](name, type)).map(({ name }) => name);
}

const NO_TEXT: ReadonlySet<string> = new Set([
  'boolean',
  'date',
  'datetime',
  'time',
  'id',
  'reference',
  'base64',
  'address',
  'location',
]);

const IS_SEARCHED: Readonly<Record<Search['scope'], (name: string, type: string) => boolean>> = {
  all: (_, type) => !NO_TEXT.has(type),
  name: (name, type) => /name|company|subject|title|number/i.test(name) && !NO_TEXT.has(type),
  email: (_, type) => type === 'email',
  phone: (_, type) => type === 'phone',
};
