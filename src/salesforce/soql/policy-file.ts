import { bareObject, type SoqlField, type SoqlObject, type SoqlPolicy, type SoqlSchema } from './schema.ts';

/**
 * The policy file of `gatehouse soql check`. Strict: a mistyped key or value is an error that names its place, since a
 * rule that is silently ignored is a hole.
 */
export function parsePolicyFile(json: unknown): { policy: SoqlPolicy; schema: SoqlSchema } {
  const file = record(json, 'the policy');
  onlyKeys(file, fileKeys, 'the policy');
  const optional = {
    ...(file.allowFields === undefined ? {} : { allowFields: fieldLists(file.allowFields, 'allowFields') }),
    ...(file.sensitiveFields === undefined ? {} : { sensitiveFields: fields(file.sensitiveFields, 'sensitiveFields') }),
    ...(file.allowOwnerFields === undefined
      ? {}
      : { allowOwnerFields: names(file.allowOwnerFields, 'allowOwnerFields') }),
    ...(file.dateLiterals === undefined ? {} : { dateLiterals: names(file.dateLiterals, 'dateLiterals') }),
    ...(file.apiVersion === undefined ? {} : { apiVersion: wholeNumber(file.apiVersion, 'apiVersion') }),
  };
  const policy: SoqlPolicy = {
    allowObjects: names(file.allowObjects, 'allowObjects'),
    denyFields: fields(file.denyFields, 'denyFields'),
    ...optional,
    maxRows: wholeNumber(file.maxRows, 'maxRows'),
    maxChildRows: wholeNumber(file.maxChildRows, 'maxChildRows'),
    maxOffset: wholeNumber(file.maxOffset, 'maxOffset'),
    maxLength: wholeNumber(file.maxLength, 'maxLength'),
  };
  return { policy, schema: parseSchema(file.schema ?? {}, policy.allowObjects) };
}

const fileKeys = [
  'about',
  'allowObjects',
  'denyFields',
  'allowFields',
  'sensitiveFields',
  'allowOwnerFields',
  'maxRows',
  'maxChildRows',
  'maxOffset',
  'maxLength',
  'dateLiterals',
  'apiVersion',
  'schema',
];

/** Every object that is allowed or described is known; of one that is not described only the name is. */
function parseSchema(json: unknown, allowObjects: readonly string[]): SoqlSchema {
  const objects = new Map(allowObjects.map((name) => [name.toLowerCase(), bareObject(name)]));
  for (const [name, entry] of Object.entries(record(json, 'schema'))) {
    checkName(name, `schema.${name}`);
    objects.set(name.toLowerCase(), parseObject(name, entry));
  }
  return { object: (name) => objects.get(name.toLowerCase()) };
}

function parseObject(name: string, json: unknown): SoqlObject {
  const place = `schema.${name}`;
  const entry = record(json, place);
  onlyKeys(entry, ['parents', 'children', 'fields'], place);
  const parents = byLowerName(entry.parents ?? {}, `${place}.parents`, (value, at) => ({
    targets: names(value, at),
  }));
  const children = byLowerName(entry.children ?? {}, `${place}.children`, (value, at) => ({
    object: checkName(value, at),
  }));
  const bare = bareObject(name);
  const known = {
    ...bare,
    parent: (key: string) => parents.get(key.toLowerCase()),
    child: (key: string) => children.get(key.toLowerCase()),
  };
  if (entry.fields === undefined) return known;
  const listed = list(entry.fields, `${place}.fields`).map((value, index) =>
    parseField(value, `${place}.fields[${index}]`),
  );
  const fieldsByName = new Map(listed.map((field) => [field.name.toLowerCase(), field]));
  return {
    ...known,
    field: (key) => fieldsByName.get(key.toLowerCase()),
    fields: () => listed.map((field) => field.name),
  };
}

/** `"Name"`, or `{"name": "Ref__c", "externalId": true, "unique": true, "type": "string", "filterable": true}`. */
function parseField(json: unknown, place: string): SoqlField {
  if (typeof json === 'string') return { name: checkName(json, place) };
  const entry = record(json, place);
  onlyKeys(entry, ['name', 'externalId', 'unique', 'type', 'filterable'], place);
  const flag = (key: 'externalId' | 'unique' | 'filterable') => {
    const value = entry[key];
    if (value === undefined) return {};
    if (typeof value !== 'boolean') throw bad(`${place}.${key}`, 'must be true or false');
    return { [key]: value };
  };
  const type = entry.type === undefined ? {} : { type: checkName(entry.type, `${place}.type`) };
  return {
    name: checkName(entry.name, `${place}.name`),
    ...type,
    ...flag('externalId'),
    ...flag('unique'),
    ...flag('filterable'),
  };
}

function byLowerName<T>(json: unknown, place: string, parse: (value: unknown, place: string) => T): Map<string, T> {
  return new Map(
    Object.entries(record(json, place)).map(([name, value]) => {
      checkName(name, `${place}.${name}`);
      return [name.toLowerCase(), parse(value, `${place}.${name}`)];
    }),
  );
}

function fieldLists(json: unknown, place: string): Record<string, readonly string[]> {
  const entries = Object.entries(record(json, place));
  return Object.fromEntries(
    entries.map(([name, value]) => [checkName(name, `${place}.${name}`), names(value, `${place}.${name}`)]),
  );
}

/** `Account.AnnualRevenue` or `*.Secret__c`. */
function fields(json: unknown, place: string): string[] {
  return list(json, place).map((value, index) => {
    const at = `${place}[${index}]`;
    if (typeof value !== 'string' || !/^(?:\*|[A-Za-z]\w*)\.[A-Za-z]\w*$/.test(value))
      throw bad(at, 'must be Object.Field or *.Field');
    return value;
  });
}

function names(json: unknown, place: string): string[] {
  return list(json, place).map((value, index) => checkName(value, `${place}[${index}]`));
}

function checkName(value: unknown, place: string): string {
  if (typeof value !== 'string' || !/^[A-Za-z]\w{0,79}$/.test(value)) throw bad(place, 'must be an API name');
  return value;
}

function wholeNumber(value: unknown, place: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw bad(place, 'must be a whole number');
  return value;
}

function list(json: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(json)) throw bad(place, 'must be a list');
  return json;
}

function record(json: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw bad(place, 'must be an object');
  return Object.fromEntries(Object.entries(json));
}

function onlyKeys(entry: Readonly<Record<string, unknown>>, known: readonly string[], place: string): void {
  const stray = Object.keys(entry).find((key) => !known.includes(key));
  if (stray !== undefined)
    throw bad(`${place}, key ${JSON.stringify(stray.slice(0, 80))}`, `is not known; known are ${known.join(', ')}`);
}

function bad(place: string, problem: string): Error {
  return new Error(`SOQL policy: ${place} ${problem}.`);
}
