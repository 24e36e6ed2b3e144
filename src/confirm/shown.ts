import type { Change, SObject } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import { cleanShown, quoted } from '../domain/safe-text.ts';
import type { ObjectValues } from './object-values.ts';

/** What a person said yes to, beside what a record holds. */

/** Every field that would be written was shown, and holds what was shown. */
export function mustLookAsShown(
  record: SObject,
  shown: readonly Change[],
  values: ObjectValues,
  wanted: readonly string[],
): void {
  // Shown values were cleaned, so the record's are too before they are compared.
  const different = wanted.filter((field) => {
    const change = shown.find((one) => one.field === field);
    return change === undefined || !values.isSame(field, cleanShown(record[field]), change.before);
  });
  const moved = shown.filter(
    ({ field, before }) => field in record && !values.isSame(field, cleanShown(record[field]), before),
  );
  const fields = [...new Set([...different, ...moved.map(({ field }) => field)])];
  if (fields.length === 0) return;
  const now = fields.map((field) => `${field} is now ${quoted(String(record[field] ?? 'empty'))}`).join(', ');
  throw new GatehouseError('conflict', `The record changed after it was shown: ${now}. Nothing was written.`, {
    next: 'Show the user the present values and ask anew.',
    fields: fields.map((name) => ({ name, problem: 'changed after it was shown' })),
  });
}

/** Of one record among several that were shown, under the plain names of its fields. */
export function shownOf(shown: readonly Change[], name: string): readonly Change[] {
  return shown.flatMap(({ record, ...change }) =>
    record === name ? [{ ...change, field: change.field.split('.').at(-1) ?? '' }] : [],
  );
}
