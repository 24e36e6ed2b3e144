import { fieldAccess, fieldSet, listedFields, openObjects, taggedFields } from './field-access.ts';
import { PERSON_ACCOUNT } from './mirrors.ts';
import type { Policy } from './policy.ts';

const DOTS = '••••';

/**
 * What of one record a policy shows: closed fields left out, masked ones dotted, nothing at all of a closed object. For records
 * that were read under an earlier policy, and for the dates that every read brings along.
 */
export function shownRecord(
  { mode, objects }: Pick<Policy, 'mode' | 'objects'>,
  object: string,
  record: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | undefined {
  if (mode === 'off' || !openObjects(objects, 'read').has(object.toLowerCase())) return undefined;
  const { canRead } = fieldAccess(taggedFields(objects, 'denyFields'), listedFields(objects));
  const masked = fieldSet(taggedFields(objects, 'maskFields'));
  // An org whose accounts may be people has the field on every one of them.
  const isPerson = object.toLowerCase() === 'account' && Object.hasOwn(record, 'IsPersonAccount');
  const isMasked = (field: string) => masked.has(object, field) || (isPerson && masked.has(PERSON_ACCOUNT, field));
  return Object.fromEntries(
    Object.entries(record)
      .filter(([field]) => canRead(object, field, isPerson))
      .map(([field, value]) => [field, value !== null && isMasked(field) ? DOTS : value]),
  );
}
