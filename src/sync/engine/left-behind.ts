import type { Refusal } from '../../domain/refusal.ts';
import { findField } from '../mapping/compile.ts';
import type { Target } from '../remote/target.ts';
import type { PendingWrite } from './change-set.ts';

/** How often one write is sent again with less, in one pass. */
export const MOST_WITHOUT = 3;

/**
 * The same write without the fields that Salesforce refused, each told as a problem of its own: one value holds back itself,
 * not its record. Undefined where nothing is named, nothing is left, or the record cannot be made without it.
 */
export function withoutRefused(target: Target, write: PendingWrite, refusal: Refusal): PendingWrite | undefined {
  const { plan, kind } = write;
  // What may be done already is looked at first, and not sent once more.
  if (kind === 'delete' || refusal.mayBeDone === true) return undefined;
  const unmarked = withoutMark(target, write, refusal);
  if (unmarked) return unmarked;
  const refused = new Set(refusedFields(target, write, refusal).map((name) => name.toLowerCase()));
  if (refused.size === 0) return undefined;
  const rules = target.compiled.rules.filter(
    (rule) => rule.key in plan.sent && fieldsOf(rule).some((name) => refused.has(name.toLowerCase())),
  );
  const names = new Set(rules.flatMap(fieldsOf));
  const keys = new Set(rules.map(({ key }) => key));
  const send = without(plan.send, names);
  if (rules.length === 0 || Object.keys(send).length === 0) return undefined;
  if (kind === 'create' && [...names].some((name) => isRequired(target, name))) return undefined;
  const { error } = refusal;
  const problems = rules.map(({ key }) => ({
    code: error.code,
    message: `${key} was not sent: ${error.message}`,
    next: error.next,
    salesforce: error.salesforce,
  }));
  return {
    ...write,
    fields: without(write.fields, names),
    plan: {
      ...plan,
      send,
      sent: without(plan.sent, keys),
      pushed: plan.pushed.filter(({ field }) => !keys.has(field)),
      problems: [...plan.problems, ...problems],
    },
  };
}

/**
 * Who was linked to another record by hand left our mark on the one before: it stays there, and this one goes by its Id alone. Salesforce
 * names the field, or says `<unknown>` where the user may not see the other record.
 */
function withoutMark({ externalId = '' }: Target, write: PendingWrite, { then, error }: Refusal) {
  if (write.kind !== 'update' || then !== 'reread' || !(externalId in write.fields)) return undefined;
  const { fields = [], quote = '' } = error.salesforce ?? {};
  const said = [...fields, ...(quote.match(/\w+/g) ?? [])].map((name) => name.toLowerCase());
  const others = Object.keys(write.plan.send).some((name) => said.includes(name.toLowerCase()));
  if (others && !said.includes(externalId.toLowerCase())) return undefined;
  const rest = without(write.fields, new Set([externalId]));
  return Object.keys(rest).length === 0 ? undefined : { ...write, fields: rest };
}

type Sent = Target['compiled']['rules'][number];
const fieldsOf = ({ parent, remote }: Sent): readonly string[] => (parent ? [parent.idField] : remote);

/** Fields that a duplicate rule compares, where it does not say which: first the one people are known by, then the others. */
const IDENTITY = new Set(['email', 'phone']);

function refusedFields(
  target: Target,
  { plan, kind }: PendingWrite,
  { then, error, isFreeText }: Refusal,
): readonly string[] {
  const sent = Object.keys(plan.send);
  const { fields = [], quote = '' } = error.salesforce ?? {};
  if (then === 'match') {
    if (kind !== 'update') return [];
    const { lookup } = target.compiled.mapping;
    const first = sent.filter((name) => name === lookup?.remote);
    const others = sent.filter((name) => IDENTITY.has(findField(target.describe, name)?.type ?? '') || isName(name));
    return first.length > 0 ? first : others;
  }
  // Who is being made may be the very record that holds the value: that is looked at, and nothing is left behind.
  if (then === 'reread' && kind === 'create') return [];
  if (then !== 'field' && then !== 'reread') return [];
  if (fields.length > 0) {
    const named = new Set(fields.map((name) => name.toLowerCase()));
    return sent.filter((name) => {
      const compound = findField(target.describe, name)?.compoundFieldName?.toLowerCase();
      return named.has(name.toLowerCase()) || (compound !== undefined && named.has(compound));
    });
  }
  if (isFreeText) return [];
  const said = new Set(quote.match(/\w+/g) ?? []);
  return sent.filter((name) => said.has(name) || isIdIn(said, plan.send[name]));
}

const isName = (name: string): boolean => name === 'FirstName' || name === 'LastName';

function isIdIn(words: ReadonlySet<string>, value: unknown): boolean {
  return typeof value === 'string' && /^\w{18}$/.test(value) && (words.has(value) || words.has(value.slice(0, 15)));
}

function isRequired({ describe }: Target, name: string): boolean {
  const field = findField(describe, name);
  return field?.createable === true && !field.nillable && !field.defaultedOnCreate;
}

function without<T>(values: Readonly<Record<string, T>>, names: ReadonlySet<string>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.has(name)));
}
