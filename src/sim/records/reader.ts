/** A stored record as the REST API shows it. */
import type { Field } from '../schema/field.ts';
import type { ObjectType } from '../schema/object.ts';
import type { Row, Value } from '../table.ts';
import { masked } from './shown-forms.ts';

export interface Shown {
  readonly attributes: { readonly type: string; readonly url: string };
  readonly [field: string]: unknown;
}

export function recordUrl(version: string, object: string, id: string): string {
  return `/services/data/${version}/sobjects/${object}/${id}`;
}

/** `attributes` first, then the fields in the order asked for, nulls included. */
export function showRecord(
  version: string,
  object: ObjectType,
  row: Row,
  fields: readonly Field[] = object.fields,
): Shown {
  const shown: Record<string, unknown> = {};
  for (const field of fields) shown[field.name] = showField(row, field);
  return { attributes: { type: object.name, url: recordUrl(version, object.name, row.Id) }, ...shown };
}

const addressParts = [
  'city',
  'country',
  'countryCode',
  'geocodeAccuracy',
  'latitude',
  'longitude',
  'postalCode',
  'state',
  'stateCode',
  'street',
] as const;

export function showField(row: Row, field: Field): Value | Readonly<Record<string, Value>> {
  if (field.type !== 'address') return masked(field, row[field.name] ?? null);
  const prefix = field.name.slice(0, -'Address'.length);
  const parts: Record<string, Value> = {};
  for (const part of addressParts) {
    const value = row[prefix + part.charAt(0).toUpperCase() + part.slice(1)];
    // The codes are there only where the org has the picklists.
    if (value !== undefined || !part.endsWith('Code') || part === 'postalCode') parts[part] = value ?? null;
  }
  return Object.values(parts).every((part) => part === null) ? null : parts;
}
