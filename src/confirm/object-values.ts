import type { Fields, FieldValue, Salesforce, SObject } from '../domain/action.ts';
import { mayDiffer } from '../domain/stored-value/answers.ts';
import { isRead } from '../domain/stored-value/read.ts';
import { isSame, toStored } from '../domain/stored-value/stored-value.ts';

/** Values as the fields of one object hold and answer them. */
export interface ObjectValues {
  isSame(field: string, held: unknown, wanted: unknown): boolean;
  holds(record: SObject, wanted: Readonly<Record<string, unknown>>): boolean;
  /** As they will be stored; what no field takes goes as it is, for Salesforce to refuse. */
  stored(fields: Fields): Record<string, FieldValue>;
  /** What the record holds of these; of a masked field, what was written. */
  held(record: SObject, wanted: Fields): Fields;
  isMasked(field: string): boolean;
  mayDiffer(field: string, record?: SObject): boolean;
}

export async function valuesOf(org: Pick<Salesforce, 'describe'>, object: string): Promise<ObjectValues> {
  const describe = await org.describe(object);
  const fields = new Map(describe.fields.map((field) => [field.name.toLowerCase(), field]));
  const shape = (field: string) => fields.get(field.toLowerCase());
  const same = (field: string, held: unknown, wanted: unknown) => isSame(shape(field), held, wanted);
  return {
    isSame: same,
    holds: (record, wanted) => Object.entries(wanted).every(([field, value]) => same(field, record[field], value)),
    stored: (given) =>
      Object.fromEntries(
        Object.entries(given).map(([field, value]) => {
          const known = shape(field);
          const stored = known && toStored(known, value);
          return [field, stored !== undefined && isRead(stored) ? stored.value : value];
        }),
      ),
    held: (record, wanted) =>
      Object.fromEntries(
        Object.entries(wanted).map(([field, value]) => [
          field,
          shape(field)?.isMasked ? value : ((record[field] ?? null) as FieldValue), // plain fields hold plain values
        ]),
      ),
    isMasked: (field) => shape(field)?.isMasked === true,
    mayDiffer: (field, record) => mayDiffer(describe, field, record),
  };
}
