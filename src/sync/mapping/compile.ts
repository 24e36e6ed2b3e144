import type { FieldDescribe, Fields, FieldValue, ObjectDescribe } from '../../domain/action.ts';
import { ownField } from '../../domain/host-fields.ts';
import { type Direction, type HostFields, type Mapping, type Rule, ruleKey } from '../../domain/mapping.ts';
import {
  CURRENCY_FIELD,
  closedFor,
  hasCurrencies,
  isSumOfProducts,
  PRODUCTS_FIELD,
  SUM_OF_PRODUCTS,
} from '../../domain/stored-value/answers.ts';
import { isRead, type Read, type Shape } from '../../domain/stored-value/read.ts';
import { toPlain } from '../../domain/stored-value/rich-text.ts';
import { isCut, toFolded, toStored } from '../../domain/stored-value/stored-value.ts';
import { joinName, type PresentName, splitName } from './names.ts';
import { fillTemplate, templateNames, toStep } from './transform.ts';

/** A Salesforce record as read, parents nested. */
export type RemoteRecord = Readonly<Record<string, unknown>>;

/**
 * One rule as functions over one value in the middle: the host's way of saying it. Both sides are compared there, in the
 * folded form, and that form is a fixed point: writing it, reading it back and folding it changes nothing (sync-P25 sync-P26).
 */
export interface CompiledRule {
  readonly key: string;
  readonly direction: Direction;
  readonly local: readonly string[];
  readonly remote: readonly string[];
  /** What a write is decided by or shown with besides: read with the record, never taken. */
  readonly also: readonly string[];
  /** What is sent depends on what the record holds: it is read first. */
  readonly looksAtRecord: boolean;
  /** Set when the rule reaches a parent record: `Account.Name` written as `AccountId`. */
  readonly parent: ParentRule | undefined;
  /** Undefined when the host says nothing about it, or the value map leaves it out. */
  fromHost(host: HostFields): FieldValue | undefined;
  /** Whether somebody wrote it at the host, as against a default that fills a gap. */
  isSaid(host: HostFields): boolean;
  /** With the host's present fields, a name is split where it was. */
  toHost(value: FieldValue, host?: HostFields): Fields;
  fromRemote(record: RemoteRecord): FieldValue | undefined;
  /** What to send, as Salesforce will hold it; empty when the value map leaves it out or the field does not take it. */
  toRemote(value: FieldValue, host: HostFields, onto?: Onto): Fields;
  /** Comparable form of a middle value. */
  fold(value: FieldValue, host: HostFields): FieldValue;
  isCut(value: FieldValue, host: HostFields): boolean;
  /** Why the value cannot be sent: the field cannot hold it, or takes none. Undefined where it can, or where a value map leaves it out. */
  misfit(value: FieldValue, host: HostFields, onto?: Onto): string | undefined;
}

/** What is written to: a new record, or one that is there and was read, if it was. */
export interface Onto {
  readonly operation: 'create' | 'update';
  readonly record?: RemoteRecord | undefined;
}

export interface ParentRule {
  /** `Account` */
  readonly relationship: string;
  /** `Name` */
  readonly field: string;
  /** `AccountId` */
  readonly idField: string;
  /** What it may be, as far as the rule, the org and the policy let it: an Owner is a User or a Group. Never empty. */
  readonly objects: readonly string[];
  /** Why others of its kinds are not looked at. */
  readonly skipped: readonly string[];
  /** Its reference leads to several objects: the Id tells which a record's is. */
  readonly isOfKinds: boolean;
  /** Key prefixes of the objects, as far as it was asked. */
  readonly prefixes: Readonly<Record<string, string>>;
  /** Undefined: only read. */
  readonly write: 'find' | 'find_or_create' | undefined;
}

export interface CompiledMapping {
  readonly mapping: Mapping;
  readonly rules: readonly CompiledRule[];
  /** Everything a read asks for, without the engine's own columns. */
  readonly select: readonly string[];
}

/** Rules whose fields the org does not have are left out; `checkMapping` tells about them when the mapping is saved. */
export function compileMapping(mapping: Mapping, describe: ObjectDescribe): CompiledMapping {
  const rules = mapping.rules.flatMap((rule) => compileRule(rule, describe) ?? []);
  return { mapping, rules, select: columnsOfRules(rules) };
}

export const columnsOfRules = (rules: readonly CompiledRule[]): readonly string[] => [
  ...new Set(rules.flatMap(({ remote, also }) => [...remote, ...also])),
];

/** The same rule for fewer kinds of parent. */
export function narrowParent(rule: CompiledRule, parent: ParentRule): CompiledRule {
  return { ...rule, parent, fromRemote: (record) => (isOther(parent, record) ? null : rule.fromRemote(record)) };
}

const PARENT_TEXT: Shape = { type: 'string', length: 255, picklistValues: [] };

/** The contact of a person account: its account is the person, no company. */
const PERSON_FIELD = 'IsPersonAccount';

function compileRule(rule: Rule, describe: ObjectDescribe): CompiledRule | undefined {
  const parent = parentOf(rule, describe);
  const written = rule.remote.map((name) => findField(describe, parent ? parent.idField : name));
  const shapes: Shape[] = [];
  for (const field of written) {
    if (!field) return undefined;
    shapes.push(parent ? PARENT_TEXT : field);
  }
  const direction = directionOf(rule, shapes);
  if (!direction) return undefined;
  const isPersons = parent?.objects[0] === 'Account' && findField(describe, PERSON_FIELD) !== undefined;
  const isAmount = describe.name === 'Opportunity' && rule.remote[0] === 'Amount';
  const decisive = [
    ...(isPersons ? [PERSON_FIELD] : []),
    ...(isAmount && findField(describe, PRODUCTS_FIELD) ? [PRODUCTS_FIELD] : []),
  ];
  const isInCurrency = hasCurrencies(describe) && written.some((field) => !parent && field?.type === 'currency');
  // The Id of a parent of several kinds tells which it is.
  const kinds = parent?.isOfKinds ? [parent.idField] : [];
  const also = [...decisive, ...kinds, ...(isInCurrency ? [CURRENCY_FIELD] : [])];
  const form = rule.transforms.find((transform) => transform.use === 'date');
  const steps = rule.transforms.flatMap((transform) => toStep(transform, { form, field: shapes[0] }) ?? []);
  const template = rule.transforms.find((transform) => transform.use === 'template');
  const reads = template ? templateNames(template.text) : rule.local;
  const isJoined = rule.local.length === 2 && !template;
  const isSplit = shapes.length === 2;

  function middle({ fields: values }: HostFields): FieldValue | undefined {
    if (template) return fillTemplate(template.text, values);
    if (isJoined) return joinName(ownField(values, rule.local[0] ?? ''), ownField(values, rule.local[1] ?? ''));
    if (rule.local.length === 0) return null;
    return ownField(values, rule.local[0] ?? '');
  }

  /** Undefined where a value map leaves it out. */
  function send(value: FieldValue, host: HostFields, onto?: Onto): Read<readonly FieldValue[]> | undefined {
    // A blank is nothing, so that a default fills it.
    let out: FieldValue = typeof value === 'string' && value.trim() === '' ? null : value;
    for (const step of steps) {
      const next = step.out(out, host);
      if (next === undefined || !isRead(next)) return next;
      out = next.value;
    }
    const parts: FieldValue[] = [];
    for (const [index, part] of (isSplit ? splitName(String(out ?? ''), presentName(onto)) : [out]).entries()) {
      const stored = toStored(shapes[index] ?? PARENT_TEXT, part, { mayCut: true });
      if (!isRead(stored)) return stored;
      parts.push(stored.value);
    }
    return { value: parts };
  }

  function presentName(onto: Onto | undefined): PresentName | undefined {
    const record = onto?.record;
    return record && { first: readPath(record, rule.remote[0] ?? ''), last: readPath(record, rule.remote[1] ?? '') };
  }

  function receive(parts: readonly FieldValue[]): FieldValue | undefined {
    const [first = null] = parts;
    let back: FieldValue | undefined = isSplit
      ? joinName(parts[0], parts[1])
      : shapes[0]?.isRichText && typeof first === 'string'
        ? toPlain(first)
        : first;
    for (const step of [...steps].reverse()) {
      if (back === undefined) return undefined;
      back = step.back(back);
    }
    return back;
  }

  /** Why the field takes no value at all now. */
  function closed({ operation, record = {} }: Onto): string | undefined {
    if (isPersons && record[PERSON_FIELD] === true) return 'is the person of a person account, which has no company';
    if (rule.remote.some((name) => isSumOfProducts(describe.name, name, record))) return SUM_OF_PRODUCTS;
    for (const field of written) {
      const why = field && closedFor(field, operation);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  return {
    key: ruleKey(rule),
    direction,
    local: rule.local,
    remote: rule.remote,
    also,
    looksAtRecord: isSplit || decisive.length > 0,
    parent,
    fromHost(host) {
      const value = middle(host);
      const hasDefault = rule.transforms.some((transform) => transform.use === 'default');
      return value === undefined && hasDefault ? null : value;
    },
    isSaid: ({ fields: values }) =>
      rule.local.length === 0 ? true : reads.some((name) => (ownField(values, name) ?? null) !== null),
    toHost(value, host) {
      const [one = '', two = ''] = rule.local;
      if (!isJoined) return rule.local.length === 1 ? { [one]: value } : {};
      const present = host && { first: ownField(host.fields, one), last: ownField(host.fields, two) };
      const [first, last] = splitName(String(value ?? ''), present);
      return { [one]: first, [two]: last };
    },
    fromRemote(record) {
      if (isPersons && record[PERSON_FIELD] === true) return undefined;
      return receive(rule.remote.map((path) => readPath(record, path)));
    },
    toRemote(value, host, onto) {
      const parts = onto && closed(onto) !== undefined ? undefined : send(value, host, onto);
      if (!parts || !isRead(parts)) return {};
      return Object.fromEntries(rule.remote.map((name, index) => [name, parts.value[index] ?? null]));
    },
    fold(value, host) {
      const parts = send(value, host);
      if (!parts || !isRead(parts)) return value;
      // Back in the host's words: two remote values that mean one host value are no difference.
      return receive(parts.value.map((part, index) => toFolded(shapes[index] ?? PARENT_TEXT, part))) ?? null;
    },
    isCut(value, host) {
      const sent = send(value, host);
      const parts = isSplit ? splitName(String(value ?? '')) : [value];
      return (
        sent !== undefined && isRead(sent) && parts.some((part, index) => isCut(shapes[index] ?? PARENT_TEXT, part))
      );
    },
    misfit(value, host, onto) {
      const name = parent ? `${rule.remote.join(' + ')} (${parent.idField})` : rule.remote.join(' + ');
      const why = onto && closed(onto);
      if (why !== undefined) return `${name} was not sent: it ${why}.`;
      const sent = send(value, host, onto);
      return sent === undefined || isRead(sent)
        ? undefined
        : `${name} was not sent: ${JSON.stringify(value).slice(0, 60)} ${sent.problem}.`;
    },
  };
}

/** What reads as a mask is written and never taken; undefined where nothing is left of the rule. */
function directionOf({ direction }: Rule, shapes: readonly Shape[]): Direction | undefined {
  if (!shapes.some(({ isMasked }) => isMasked)) return direction;
  return direction === 'from_crm' ? undefined : 'to_crm';
}

export function parentOf(rule: Rule, describe: ObjectDescribe): ParentRule | undefined {
  const [relationship, field] = rule.remote[0]?.split('.') ?? [];
  if (!relationship || !field) return undefined;
  const reference = describe.fields.find((one) => one.relationshipName?.toLowerCase() === relationship.toLowerCase());
  const named = rule.parentObject?.toLowerCase();
  const objects = (reference?.referenceTo ?? []).filter((one) => named === undefined || one.toLowerCase() === named);
  if (!reference || objects.length === 0) return undefined;
  const isOfKinds = reference.referenceTo.length > 1;
  return {
    relationship,
    field,
    idField: reference.name,
    objects,
    skipped: [],
    isOfKinds,
    prefixes: {},
    write: rule.parent,
  };
}

/** A parent of several kinds that is one which this rule does not speak of: for the rule there is none. */
function isOther(parent: ParentRule | undefined, record: RemoteRecord): boolean {
  if (!parent?.isOfKinds) return false;
  const id = readPath(record, parent.idField);
  return typeof id === 'string' && !parent.objects.some((object) => id.startsWith(parent.prefixes[object] ?? ' '));
}

export function findField({ fields }: ObjectDescribe, name: string): FieldDescribe | undefined {
  let known = byName.get(fields);
  if (known === undefined) {
    known = new Map(fields.toReversed().map((field) => [field.name.toLowerCase(), field]));
    byName.set(fields, known);
  }
  return known.get(name.toLowerCase());
}

/** Made once for the describe that lists them: a mapping names two hundred of three thousand. */
const byName = new WeakMap<ObjectDescribe['fields'], ReadonlyMap<string, FieldDescribe>>();

export function readPath(record: RemoteRecord, path: string): FieldValue {
  let at: unknown = record;
  // Records are JSON objects, so an index by name is either there or undefined.
  for (const name of path.split('.'))
    at = typeof at === 'object' && at !== null ? (at as RemoteRecord)[name] : undefined;
  return typeof at === 'string' || typeof at === 'number' || typeof at === 'boolean' ? at : null;
}
