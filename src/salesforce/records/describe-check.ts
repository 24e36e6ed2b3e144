import type { FieldDescribe, Fields, FieldValue, ObjectDescribe } from '../../domain/action.ts';
import { type FieldProblem, GatehouseError } from '../../domain/errors.ts';
import { nearest } from '../../domain/nearest.ts';
import { closedFor } from '../../domain/stored-value/answers.ts';
import { listedAs } from '../../domain/stored-value/choices.ts';
import { isRead } from '../../domain/stored-value/read.ts';
import { toStored } from '../../domain/stored-value/stored-value.ts';
import { readDay, readMoment } from '../../domain/stored-value/times.ts';

/** Values against an object's describe, before they leave (A2): every bad field at once, and what is left in the form in which it will be stored. Pure. */

export interface Checked {
  readonly fields: Fields;
  readonly warnings: readonly string[];
}

type Verdict = { readonly value: FieldValue; readonly warning?: string } | { readonly problem: string };

export function checkFields(
  describe: ObjectDescribe,
  operation: 'create' | 'update',
  fields: Fields,
  inputNames: Readonly<Record<string, string>> = {},
  /** Names of inputs, whose values must be listed where there is a list, also where the org would store others. */
  mustBeListed: readonly string[] = [],
  mayName: (field: string) => boolean = () => true,
): Checked {
  const byName = new Map(describe.fields.map((field) => [field.name.toLowerCase(), field]));
  const nameOf = (field: string) => (Object.hasOwn(inputNames, field) ? inputNames[field] : undefined) ?? field;
  const problems: FieldProblem[] = [];
  const warnings: string[] = [];
  // Names come from outside: without a prototype there is nothing to find that nobody gave.
  const checked: Record<string, FieldValue> = Object.create(null);
  for (const [name, value] of Object.entries(fields)) {
    const field = byName.get(name.toLowerCase());
    const verdict = field
      ? judge(describe, field, operation, value, mustBeListed.includes(nameOf(field.name)))
      : { problem: noSuchField(describe, name, mayName) };
    if ('problem' in verdict) problems.push({ name: nameOf(name), problem: verdict.problem });
    else {
      checked[field?.name ?? name] = verdict.value;
      if (verdict.warning) warnings.push(verdict.warning);
    }
  }
  if (operation === 'create')
    problems.push(
      ...missing(
        describe,
        checked,
        problems.map(({ name }) => name),
        nameOf,
      ),
    );
  if (problems.length === 0) return { fields: checked, warnings };
  throw new GatehouseError(
    'invalid_input',
    `${describe.label || describe.name} cannot be saved like this: ${problems.length === 1 ? 'one field is' : `${problems.length} fields are`} wrong.`,
    {
      next: 'Correct every field named and call again; ask the user where you do not know a value.',
      fields: problems,
    },
  );
}

function missing(
  describe: ObjectDescribe,
  checked: Fields,
  named: readonly string[],
  nameOf: (field: string) => string,
): FieldProblem[] {
  return describe.fields
    .filter((field) => field.createable && !field.nillable && !field.defaultedOnCreate && field.type !== 'boolean')
    .filter(({ name }) => (checked[name] ?? null) === null && !named.includes(nameOf(name)))
    .map(({ name, label }) => ({ name: nameOf(name), problem: `is required: ${label}` }));
}

function judge(
  describe: ObjectDescribe,
  field: FieldDescribe,
  operation: 'create' | 'update',
  given: FieldValue,
  isStrict: boolean,
): Verdict {
  const closed = closedFor(field, operation);
  if (closed !== undefined) {
    const parts = describe.fields
      .filter((part) => part.compoundFieldName === field.name && part.name !== field.name)
      .map(({ name }) => name);
    return { problem: parts.length > 0 ? `cannot be written as a whole; use ${parts.slice(0, 6).join(', ')}` : closed };
  }
  const wrongType = given === null ? undefined : typeProblem(field, given);
  if (wrongType !== undefined) return { problem: wrongType };
  const stored = toStored(field, given);
  if (!isRead(stored)) return { problem: withNearest(field, given, stored.problem) };
  if (stored.value === null && !field.nillable && !(operation === 'create' && field.defaultedOnCreate))
    return { problem: `cannot be empty: ${field.label}` };
  const unlisted = stored.value === null ? [] : unlistedIn(field, String(stored.value));
  if (unlisted.length === 0) return { value: stored.value };
  const known = knownTo(field, unlisted[0] ?? '');
  // What a person typed is checked like what a model gave, and a person meant a value that is there.
  if (isStrict) return { problem: `is not in the list of ${field.label}; ${known}` };
  return {
    value: stored.value,
    warning: `${field.label}: this value is not in the org's list and would be stored all the same (${known}).`,
  };
}

/** A caller sends typed values: "12" for an amount is a mistake of the model, not another spelling. */
function typeProblem(field: FieldDescribe, value: string | number | boolean): string | undefined {
  switch (field.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'int':
    case 'long':
      return typeof value === 'number' && Number.isSafeInteger(value) ? undefined : 'must be a whole number';
    case 'double':
    case 'currency':
    case 'percent':
      return typeof value === 'number' && Number.isFinite(value) ? undefined : 'must be a number';
    case 'date':
      return typeof value === 'string' && /^(\d{4}-\d\d-\d\d)?$/.test(value) && (value === '' || isRead(readDay(value)))
        ? undefined
        : 'must be a day that exists, as YYYY-MM-DD';
    case 'datetime':
      return typeof value === 'string' && (value === '' || (ZONED.test(value) && isRead(readMoment(value))))
        ? undefined
        : 'must be a date and time with zone, like 2026-05-01T08:00:00Z';
    case 'time':
    case 'id':
    case 'reference':
      return typeof value === 'string' ? undefined : `must be a ${field.type === 'time' ? 'time' : 'Salesforce Id'}`;
    default:
      return typeof value === 'boolean' ? 'must be a text' : undefined;
  }
}

const ZONED = /^\d{4}-\d\d-\d\dT\d\d:\d\d.*(Z|[+-]\d\d:?\d\d)$/;

/** Values that the org would store all the same, though its list does not know them. */
function unlistedIn(field: FieldDescribe, value: string): string[] {
  const given = field.type === 'multipicklist' ? value.split(';') : field.type === 'picklist' ? [value] : [];
  return given.filter((one) => listedAs(field, one) === undefined);
}

function withNearest(field: FieldDescribe, given: FieldValue, problem: string): string {
  if (!/picklist$/.test(field.type) || !problem.startsWith('is not in the list')) return problem;
  const unlisted = unlistedIn(field, String(given).replace(/;\s*/g, ';'));
  return `is not in the list of ${field.label}; ${knownTo(field, unlisted[0] ?? String(given))}`;
}

function knownTo(field: FieldDescribe, given: string): string {
  const active = field.picklistValues.filter((one) => one.active);
  const close = nearest(
    given,
    active.flatMap(({ value, label }) => (value === label ? [value] : [value, label])),
  );
  const offered = close.length > 0 ? close : active.slice(0, 10).map(({ value }) => value);
  return offered.length > 0 ? `${close.length > 0 ? 'nearest' : 'listed'}: ${offered.join(', ')}` : 'the list is empty';
}

function noSuchField(describe: ObjectDescribe, name: string, mayName: (field: string) => boolean): string {
  const close = nearest(name, describe.fields.map((field) => field.name).filter(mayName));
  return `does not exist on ${describe.name}, or the connected user may not see it${close.length > 0 ? `; nearest: ${close.join(', ')}` : ''}`;
}
