import { GatehouseError } from '../../domain/errors.ts';

/** What a statement may bind: the few kinds that both databases keep as they are. */
export type Storable = string | number | null | Buffer;

/**
 * Checks one bound parameter. SQLite binds bigint, undefined and NaN as NULL without a word and PostgreSQL refuses NUL in
 * text, so each would keep something else than the other: both refuse the same things here instead.
 */
export function toStorable(value: unknown): Storable {
  if (value === null || Buffer.isBuffer(value)) return value;
  if (typeof value === 'string') return wholeText(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  // Beyond 2^53 a number is already rounded: such values are text.
  if (typeof value === 'number' && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)))
    return value;
  throw new TypeError(`A value of type ${typeof value} cannot be stored: bind text, a safe number, a boolean or null.`);
}

/** NUL ends a text early or is refused, half a surrogate pair comes back as another character (A7). */
function wholeText(text: string): string {
  if (!/[\0\p{Surrogate}]/u.test(text)) return text;
  throw new GatehouseError('invalid_input', 'A text holds a NUL or a broken character, which cannot be stored.', {
    next: 'Remove control characters from the text and send it again.',
  });
}
