import { mirrorsOf, PERSON_ACCOUNT, type Shown, sourceObjects, sourcesOf } from './mirrors.ts';
import type { Policy, Touches } from './policy.ts';

/**
 * Which objects and fields a policy names, in any case and under every name by which the same data can be read. The actions'
 * way to the org and the query guard both judge by this, so that neither opens what the other closes.
 */

/** Objects that the policy opens, in lower case. One that it names in two cases must be open in both. */
export function openObjects(objects: Policy['objects'], way: 'read' | 'write'): ReadonlySet<string> {
  // Refused when it is saved; whoever saved it before meant every object.
  if (way === 'read' && objects['*']?.read === false) return new Set();
  const named = Object.entries(objects).filter(([name]) => name !== '*');
  const closed = new Set(named.filter(([, rules]) => !rules[way]).map(([name]) => lower(name)));
  return new Set(named.map(([name]) => lower(name)).filter((name) => !closed.has(name)));
}

/** The key of the policy that decides: `objects.Opportunity.write`. */
export function whereClosed(objects: Policy['objects'], object: string, way: 'read' | 'write'): string {
  if (way === 'read' && objects['*']?.read === false) return 'objects.*.read';
  const spelled = Object.keys(objects).filter((name) => lower(name) === lower(object));
  const shut = spelled.find((name) => objects[name]?.[way] === false);
  return `objects.${shut ?? spelled[0] ?? object}.${way}`;
}

/** The first object that an action cannot do without and policy closes. */
export function closedTo(
  { creates = [], edits = [], deletes = [], mapped = false }: Touches,
  objects: Policy['objects'],
): string | undefined {
  const open = openObjects(objects, 'write');
  return mapped ? undefined : [...creates, ...edits, ...deletes].find((object) => !open.has(lower(object)));
}

/** The fields that a policy tags in one of these ways, as `Account.Phone` or `*.Secret__c`. */
export function taggedFields(
  objects: Policy['objects'],
  tag: 'denyFields' | 'maskFields' | 'sensitiveFields',
): readonly string[] {
  return Object.entries(objects).flatMap(([object, rules]) => rules[tag].map((field) => `${object}.${field}`));
}

/** The only open fields of the objects that list them. */
export function listedFields(objects: Policy['objects']): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(objects).flatMap(([object, { allowFields }]) =>
      allowFields === undefined ? [] : [[object, allowFields]],
    ),
  );
}

export interface FieldAccess {
  /** `isPerson`: the object is an Account of an org whose accounts may be people. */
  canRead(object: string, field: string, isPerson?: boolean): boolean;
  /** Whether some field of the object is closed. */
  hasClosedFields(object: string): boolean;
  /** Whether it matters if accounts may be people. */
  readonly asksForPersons: boolean;
}

/** Every list that holds for an object must have a field, and no denial may name it; a mirror must be open at its source too. */
export function fieldAccess(
  denyFields: readonly string[],
  allowFields: Readonly<Record<string, readonly string[]>>,
): FieldAccess {
  const denied = fieldSet(denyFields);
  const lists = Object.entries(allowFields).map(([name, fields]) => [lower(name), new Set(fields.map(lower))] as const);
  const listsOf = (object: string) => lists.filter(([name]) => name === '*' || name === lower(object));
  const isListed = (object: string, field: string) =>
    lower(field) === 'id' || listsOf(object).every(([, fields]) => fields.has(lower(field)));
  /** Named in its own list it is open by the operator's own word. */
  const isListedAtSource = (object: string, field: string) =>
    listsOf(object).length > 0 ||
    sourcesOf(lower(object), lower(field)).every(
      (source) => source.object === lower(object) || isListed(source.object, source.field),
    );
  return {
    canRead: (object, field, isPerson = false) =>
      !denied.has(object, field) &&
      !(isPerson && denied.has(PERSON_ACCOUNT, field)) &&
      isListed(object, field) &&
      isListedAtSource(object, field),
    hasClosedFields: (object) =>
      denied.touches(object) ||
      listsOf(object).length > 0 ||
      [...sourceObjects(lower(object))].some((source) => listsOf(source).length > 0),
    asksForPersons: denied.touches(PERSON_ACCOUNT),
  };
}

/**
 * Whether a bot may ask for records by a field: whoever asks by a field reads it, guess by guess, so one that is denied, masked or not
 * among the only open ones is no filter, no key and no look-alike either.
 */
export function filterAccess(objects: Policy['objects']): Pick<FieldAccess, 'canRead' | 'asksForPersons'> {
  const open = openObjects(objects, 'read');
  const closed = [...taggedFields(objects, 'denyFields'), ...taggedFields(objects, 'maskFields')];
  const { canRead, asksForPersons } = fieldAccess(closed, listedFields(objects));
  return {
    canRead: (object, field, isPerson) => open.has(lower(object)) && canRead(object, field, isPerson),
    asksForPersons,
  };
}

/** A field under every name, and wherever else its data is shown, in lower case: whoever changes it changes all of these. */
export function shownAs(object: string, field: string): readonly Shown[] {
  return sameData(lower(field)).flatMap((name) => [
    { object: lower(object), field: name },
    ...mirrorsOf(lower(object), name),
  ]);
}

export interface FieldSet {
  has(object: string, field: string): boolean;
  /** Whether any field of the object is among them. */
  touches(object: string): boolean;
}

/** Entries are `Account.Phone`, or `*.Secret__c` for every object. */
export function fieldSet(entries: readonly string[]): FieldSet {
  const sets = new Map<string, Set<string>>();
  const add = (object: string, field: string) => {
    const set = sets.get(object) ?? new Set<string>();
    sets.set(object, set.add(field));
  };
  const addAll = (object: string, field: string) => {
    for (const shown of shownAs(object, field)) add(shown.object, shown.field);
  };
  for (const entry of entries) {
    const dot = entry.indexOf('.');
    const object = lower(entry.slice(0, dot));
    const field = lower(entry.slice(dot + 1));
    addAll(object, field);
    for (const source of sourcesOf(object, field)) if (source.isOnly) addAll(source.object, source.field);
  }
  return {
    has: (object, field) => [lower(object), '*'].some((key) => sets.get(key)?.has(lower(field)) === true),
    touches: (object) => (sets.has('*') && object !== PERSON_ACCOUNT) || sets.has(lower(object)),
  };
}

const nameParts = ['firstname', 'lastname', 'middlename', 'salutation', 'suffix'];
const addressParts = [
  'street',
  'city',
  'state',
  'statecode',
  'postalcode',
  'country',
  'countrycode',
  'latitude',
  'longitude',
  'geocodeaccuracy',
];
const addressPart = new RegExp(`^(.*?)(${addressParts.join('|')})$`);
const customPart = new RegExp(`^(.+)__(?:${addressParts.join('|')})__s$`);

/**
 * The names under which one field's data can be read: a compound brings its parts and a part is seen in its compound,
 * so that a closed MailingCity is not read from MailingAddress, nor a closed LastName from Name; a closed lookup closes
 * the relationship that follows it.
 */
function sameData(field: string): string[] {
  const names = [field, ...lookup(field)];
  if (field === 'name') names.push(...nameParts);
  if (nameParts.includes(field)) names.push('name');
  if (field.endsWith('address')) names.push(...addressParts.map((part) => field.slice(0, -'address'.length) + part));
  const [, prefix, part] = addressPart.exec(field) ?? [];
  if (prefix !== undefined) names.push(`${prefix}address`);
  if (part === 'state' || part === 'country') names.push(`${field}code`);
  if (part === 'statecode' || part === 'countrycode') names.push(field.slice(0, -'code'.length));
  if (field.endsWith('__c')) names.push(...addressParts.map((each) => `${field.slice(0, -1)}${each}__s`));
  const [, base] = customPart.exec(field) ?? [];
  if (base !== undefined) names.push(`${base}__c`);
  return names;
}

/** AccountId and Account, Region__c and Region__r. */
function lookup(field: string): string[] {
  if (field.endsWith('__c')) return [`${field.slice(0, -1)}r`];
  if (field.endsWith('__r')) return [`${field.slice(0, -1)}c`];
  return field.endsWith('id') ? [field.slice(0, -2)] : [`${field}id`];
}

function lower(text: string): string {
  return text.toLowerCase();
}
