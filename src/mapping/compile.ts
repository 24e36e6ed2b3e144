import type { FieldDescribe, Fields, FieldValue, ObjectDescribe } from '../action.ts';
import { foldedForm, isCut, writtenForm } from './canonical.ts';
import { type Direction, type HostFields, type Mapping, type Rule, ruleKey } from './mapping.ts';
import { joinName, splitName } from './names.ts';
import { fillTemplate, templateNames, toStep } from './transform.ts';

/** A Salesforce record as read, parents nested. */
export type RemoteRecord = Readonly<Record<string, unknown>>;

/**
 * One rule as functions over one value in the middle: the host's way of saying it. Both sides are compared there, in the
 * folded form, and that form is a fixed point: writing it, reading it back and folding it changes nothing (sync-P25, P26).
 */
export interface CompiledRule {
  readonly key: string;
  readonly direction: Direction;
  readonly local: readonly string[];
  readonly remote: readonly string[];
  /** Set when the rule reaches a parent record: `Account.Name` written as `AccountId`. */
  readonly parent: ParentRule | undefined;
  /** Undefined when the host says nothing about it, or the value map leaves it out. */
  fromHost(host: HostFields): FieldValue | undefined;
  /** Whether somebody wrote it at the host, as against a default that fills a gap. */
  isSaid(host: HostFields): boolean;
  toHost(value: FieldValue): Fields;
  fromRemote(record: RemoteRecord): FieldValue | undefined;
  /** What to send; empty when the value map leaves it out. */
  toRemote(value: FieldValue, host: HostFields): Fields;
  /** Comparable form of a middle value. */
  fold(value: FieldValue, host: HostFields): FieldValue;
  isCut(value: FieldValue, host: HostFields): boolean;
  /** Why the value cannot be sent: the field cannot hold it. Undefined where it can, or where a value map leaves it out. */
  misfit(value: FieldValue, host: HostFields): string | undefined;
}

export interface ParentRule {
  /** `Account` */
  readonly relationship: string;
  /** `Name` */
  readonly field: string;
  /** `AccountId` */
  readonly idField: string;
  readonly object: string;
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
  const select = [...new Set(rules.flatMap((rule) => rule.remote))];
  return { mapping, rules, select };
}

const NOUNS: Readonly<Record<string, string>> = {
  int: 'whole number',
  double: 'number',
  currency: 'amount',
  percent: 'number',
  boolean: 'yes or no (true, false, yes, no, 1, 0)',
  date: 'date such as 2026-05-31',
  datetime: 'time such as 2026-05-31T10:00:00Z',
};

const PARENT_TEXT = { type: 'string', length: 255, picklistValues: [] } as const;

function compileRule(rule: Rule, describe: ObjectDescribe): CompiledRule | undefined {
  const parent = parentOf(rule, describe);
  const fields = rule.remote.map((name) => (parent ? PARENT_TEXT : findField(describe, name)));
  if (fields.some((field) => field === undefined)) return undefined;
  // Checked on the line above.
  const shapes = fields as readonly Pick<FieldDescribe, 'type' | 'length' | 'scale' | 'picklistValues'>[];
  const steps = rule.transforms.flatMap((transform) => toStep(transform) ?? []);
  const template = rule.transforms.find((transform) => transform.use === 'template');
  const reads = template ? templateNames(template.text) : rule.local;
  const isJoined = rule.local.length === 2 && !template;

  function middle({ fields: values }: HostFields): FieldValue | undefined {
    if (template) return fillTemplate(template.text, values);
    if (isJoined) return joinName(values[rule.local[0] ?? ''], values[rule.local[1] ?? '']);
    if (rule.local.length === 0) return null;
    return values[rule.local[0] ?? ''];
  }

  function send(value: FieldValue, host: HostFields): readonly FieldValue[] | undefined {
    // A blank is nothing, so that a default fills it.
    let out: FieldValue | undefined = typeof value === 'string' && value.trim() === '' ? null : value;
    for (const step of steps) {
      if (out === undefined) return undefined;
      out = step.out(out, host);
    }
    if (out === undefined) return undefined;
    const parts = (shapes.length === 2 ? splitName(String(out ?? '')) : [out]).map((part, index) =>
      writtenForm(shapes[index] ?? PARENT_TEXT, part),
    );
    return parts.every((part) => part !== undefined) ? parts : undefined;
  }

  function receive(parts: readonly FieldValue[]): FieldValue | undefined {
    let back: FieldValue | undefined = parts.length === 2 ? joinName(parts[0], parts[1]) : (parts[0] ?? null);
    for (const step of [...steps].reverse()) {
      if (back === undefined) return undefined;
      back = step.back(back);
    }
    return back;
  }

  return {
    key: ruleKey(rule),
    direction: rule.direction,
    local: rule.local,
    remote: rule.remote,
    parent,
    fromHost(host) {
      const value = middle(host);
      const hasDefault = rule.transforms.some((transform) => transform.use === 'default');
      return value === undefined && hasDefault ? null : value;
    },
    isSaid: ({ fields: values }) =>
      rule.local.length === 0 ? true : reads.some((name) => values[name] !== undefined && values[name] !== null),
    toHost(value) {
      if (!isJoined) return rule.local.length === 1 ? { [rule.local[0] ?? '']: value } : {};
      const [first, last] = splitName(String(value ?? ''));
      return { [rule.local[0] ?? '']: first, [rule.local[1] ?? '']: last };
    },
    fromRemote: (record) => receive(rule.remote.map((path) => readPath(record, path))),
    toRemote(value, host) {
      const parts = send(value, host);
      return parts ? Object.fromEntries(rule.remote.map((name, index) => [name, parts[index] ?? null])) : {};
    },
    fold(value, host) {
      const parts = send(value, host);
      if (!parts) return value;
      // Back in the host's words: two remote values that mean one host value are no difference.
      return receive(parts.map((part, index) => foldedForm(shapes[index] ?? PARENT_TEXT, part))) ?? null;
    },
    isCut(value, host) {
      const parts = shapes.length === 2 ? splitName(String(value ?? '')) : [value];
      return send(value, host) !== undefined && parts.some((part, index) => isCut(shapes[index] ?? PARENT_TEXT, part));
    },
    misfit(value, host) {
      if (send(value, host) !== undefined) return undefined;
      let [{ type = 'value' } = {}] = shapes;
      let out: FieldValue = value;
      for (const step of steps) {
        const next: FieldValue | undefined = step.out(out, host);
        if (next === undefined && step.use === 'values') return undefined;
        if (next === undefined && step.use === 'date') type = 'date';
        out = next ?? null;
      }
      return `${rule.remote.join(' + ')} was not sent: ${JSON.stringify(value).slice(0, 60)} is no ${NOUNS[type] ?? type}.`;
    },
  };
}

export function parentOf(rule: Rule, describe: ObjectDescribe): ParentRule | undefined {
  const [relationship, field] = rule.remote[0]?.split('.') ?? [];
  if (!relationship || !field) return undefined;
  const reference = describe.fields.find((one) => one.relationshipName?.toLowerCase() === relationship.toLowerCase());
  const object = reference?.referenceTo[0];
  if (!reference || !object) return undefined;
  return { relationship, field, idField: reference.name, object, write: rule.parent };
}

export function findField(describe: ObjectDescribe, name: string): FieldDescribe | undefined {
  return describe.fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
}

export function readPath(record: RemoteRecord, path: string): FieldValue {
  let at: unknown = record;
  // Records are JSON objects, so an index by name is either there or undefined.
  for (const name of path.split('.'))
    at = typeof at === 'object' && at !== null ? (at as RemoteRecord)[name] : undefined;
  return typeof at === 'string' || typeof at === 'number' || typeof at === 'boolean' ? at : null;
}
