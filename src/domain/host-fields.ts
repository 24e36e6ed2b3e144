import type { Fields, FieldValue } from './action.ts';

/** A field that the host app sends under a name we know; custom fields may hold anything. */
export interface HostField {
  readonly type: 'text' | 'email' | 'number' | 'date';
  /** Most characters of a text. */
  readonly most?: number;
}

const text = (most: number): HostField => ({ type: 'text', most });

/** What `PUT /api/parties/{id}` and `PUT /api/cases/{id}` take, beside custom fields and a case's parties. */
export const HOST_FIELDS = {
  party: {
    email: { type: 'email', most: 80 },
    name: text(255),
    phone: text(40),
    company: text(255),
    jobTitle: text(255),
    location: text(255),
    timezone: text(64),
    industry: text(255),
    website: text(255),
    notes: text(32_000),
  },
  case: {
    title: text(255),
    status: text(80),
    amount: { type: 'number' },
    type: text(80),
    openedDate: { type: 'date' },
    expectedDate: { type: 'date' },
    summary: text(32_000),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, HostField>>>>;

type HostKind = keyof typeof HOST_FIELDS;

/** What every object has of itself would be found where the host sent nothing. */
export const isUsableName = (name: string): boolean => !(name in Object.prototype);

/** A value that is the record's own. */
export const ownField = (fields: Fields, name: string): FieldValue | undefined =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

export function hostField(kind: HostKind, name: string): HostField | undefined {
  const fields: Readonly<Record<string, HostField>> = HOST_FIELDS[kind];
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** Beside those of the table: a hundred with a value, and so many names that cleared ones are no trap. */
export function areFewCustom(kind: HostKind, fields: Readonly<Record<string, FieldValue | undefined>>): boolean {
  const custom = Object.entries(fields).filter(([name]) => !hostField(kind, name));
  return custom.length <= 1_000 && custom.filter(([, value]) => value !== null).length <= 100;
}
