import { z } from 'zod';
import {
  bareObject,
  type SoqlField,
  type SoqlObject,
  type SoqlPolicy,
  type SoqlSchema,
} from '../salesforce/soql/schema.ts';

/**
 * The policy file of `gatehouse soql check`. Strict: a mistyped key or value is an error that names its place, since a
 * rule that is silently ignored is a hole.
 */
export function parsePolicyFile(json: unknown): { policy: SoqlPolicy; schema: SoqlSchema } {
  const read = file.safeParse(json);
  if (!read.success) throw new Error(`SOQL policy: ${problemOf(read.error.issues[0]!)}.`);
  const { about: _, schema, ...policy } = read.data;
  // Every object that is allowed or described is known; of one that is not described only the name is.
  const objects = byLowerName(policy.allowObjects.map((name) => [name, bareObject(name)]));
  for (const [name, entry] of Object.entries(schema)) objects.set(name.toLowerCase(), toObject(name, entry));
  return { policy, schema: { object: (name) => objects.get(name.toLowerCase()) } };
}

const text = (form: RegExp, problem: string) => z.string(problem).regex(form, problem);
const name = text(/^[A-Za-z]\w{0,79}$/, 'must be an API name');
const field = text(/^(?:\*|[A-Za-z]\w*)\.[A-Za-z]\w*$/, 'must be Object.Field or *.Field');
const count = z.int('must be a whole number').min(0, 'must be a whole number');
const flag = z.boolean('must be true or false').optional();
const list = <T extends z.ZodType>(item: T) => z.array(item, 'must be a list');
const byName = <T extends z.ZodType>(item: T) =>
  z.record(name, item, { error: ({ code }) => (code === 'invalid_key' ? 'must be an API name' : 'must be an object') });
const object = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, {
    error: ({ code }) =>
      code === 'unrecognized_keys' ? `is not known; known are ${Object.keys(shape).join(', ')}` : 'must be an object',
  });

/** `"Name"`, or `{"name": "Ref__c", "externalId": true, "unique": true, "type": "string", "filterable": true}`. */
const describedField = z.preprocess(
  (value) => (typeof value === 'string' ? { name: value } : value),
  object({ name, type: name.optional(), externalId: flag, unique: flag, filterable: flag }),
);
const describedObject = object({
  parents: byName(list(name)).default({}),
  children: byName(name).default({}),
  fields: list(describedField).optional(),
});
const file = object({
  about: z.unknown().optional(),
  allowObjects: list(name),
  denyFields: list(field),
  allowFields: byName(list(name)).optional(),
  sensitiveFields: list(field).optional(),
  allowOwnerFields: list(name).optional(),
  maxRows: count,
  maxChildRows: count,
  maxOffset: count,
  maxLength: count,
  dateLiterals: list(name).optional(),
  apiVersion: count.optional(),
  schema: byName(describedObject).default({}),
});

function toObject(name: string, { parents, children, fields }: z.infer<typeof describedObject>): SoqlObject {
  const [parent, child] = [byLowerName(Object.entries(parents)), byLowerName(Object.entries(children))];
  const known = byLowerName((fields ?? []).map((one): [string, SoqlField] => [one.name, one]));
  const found = <T, R>(map: ReadonlyMap<string, T>, key: string, to: (value: T) => R) => {
    const value = map.get(key.toLowerCase());
    return value === undefined ? undefined : to(value);
  };
  return {
    ...bareObject(name),
    parent: (key) => found(parent, key, (targets) => ({ targets })),
    child: (key) => found(child, key, (object) => ({ object })),
    ...(fields && { field: (key) => known.get(key.toLowerCase()), fields: () => fields.map((one) => one.name) }),
  };
}

function byLowerName<T>(entries: readonly (readonly [string, T])[]): Map<string, T> {
  return new Map(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

function problemOf(issue: z.core.$ZodIssue): string {
  const place = issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  const key = issue.code === 'unrecognized_keys' ? `, key ${JSON.stringify(issue.keys[0]?.slice(0, 80))}` : '';
  return `${place === '' ? 'the policy' : place.slice(1)}${key} ${issue.message}`;
}
