import type { FieldDescribe, FieldValue } from '../record.ts';

/** What describe tells of a field, as far as it decides what the field will hold. */
export type Shape = Pick<FieldDescribe, 'type' | 'length' | 'picklistValues'> &
  Partial<Pick<FieldDescribe, 'scale' | 'precision' | 'digits' | 'restrictedPicklist' | 'isMasked' | 'isRichText'>>;

/** A value that was understood, or why not: said after the value, with the cure. Nothing in this room guesses or throws. */
export type Read<T = FieldValue> = { readonly value: T } | { readonly problem: string };

export const isRead = <T>(read: Read<T>): read is { readonly value: T } => 'value' in read;
