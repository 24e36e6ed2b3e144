import type { FieldDescribe, Fields, FieldValue, ObjectDescribe } from '../action.ts';
import { type FieldProblem, GatehouseError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { toId18 } from './ids.ts';

/** Values against an object's describe, before they leave (A2): every bad field at once, labels turned into API values. Pure. */

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
      ? judge(describe, field, operation, value)
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
): Verdict {
  if (!(operation === 'create' ? field.createable : field.updateable)) {
    const parts = describe.fields
      .filter((part) => part.compoundFieldName === field.name && part.name !== field.name)
      .map(({ name }) => name);
    return {
      problem:
        parts.length > 0
          ? `cannot be written as a whole; use ${parts.slice(0, 6).join(', ')}`
          : `cannot be ${operation === 'create' ? 'set' : 'changed'} by the connected user`,
    };
  }
  // Salesforce stores an empty text as null.
  const value = given === '' ? null : given;
  if (value !== null) return judgeValue(field, value);
  return field.nillable || (operation === 'create' && field.defaultedOnCreate)
    ? { value: null }
    : { problem: `cannot be empty: ${field.label}` };
}

function judgeValue(field: FieldDescribe, value: string | number | boolean): Verdict {
  switch (field.type) {
    case 'boolean':
      return typeof value === 'boolean' ? { value } : { problem: 'must be true or false' };
    case 'int':
    case 'long':
      return typeof value === 'number' && Number.isSafeInteger(value)
        ? { value }
        : { problem: 'must be a whole number' };
    case 'double':
    case 'currency':
    case 'percent':
      return typeof value === 'number' && Number.isFinite(value) ? { value } : { problem: 'must be a number' };
    case 'date':
      return typeof value === 'string' && isDay(value)
        ? { value }
        : { problem: 'must be a day that exists, as YYYY-MM-DD' };
    case 'datetime':
      return typeof value === 'string' && isMoment(value)
        ? { value }
        : { problem: 'must be a date and time with zone, like 2026-05-01T08:00:00Z' };
    case 'id':
    case 'reference': {
      const verdict = typeof value === 'string' ? toId18(value) : { problem: 'must be a Salesforce Id' };
      return 'id' in verdict ? { value: verdict.id } : verdict;
    }
    case 'picklist':
      return judgePicklist(field, String(value));
    case 'multipicklist':
      return judgeMany(field, String(value));
    case 'address':
    case 'location':
      return { problem: 'cannot be written as a whole; use its parts' };
    default:
      return judgeText(field, value);
  }
}

function judgeText(field: FieldDescribe, value: string | number | boolean): Verdict {
  if (typeof value === 'boolean') return { problem: 'must be a text' };
  const text = String(value);
  // NUL and halves of characters do not survive the way there and back.
  if (/\0|\p{Cs}/u.test(text)) return { problem: 'holds characters that cannot be stored' };
  if (field.length > 0 && [...text].length > field.length) {
    return { problem: `is too long: ${[...text].length} characters where ${field.length} fit` };
  }
  return { value: text };
}

function judgePicklist(field: FieldDescribe, given: string): Verdict {
  const active = field.picklistValues.filter((one) => one.active);
  const wanted = given.trim().toLowerCase();
  const listed =
    active.find(({ value }) => value === given) ??
    active.find(({ value }) => value.toLowerCase() === wanted) ??
    active.find(({ label }) => label.toLowerCase() === wanted);
  if (listed) return { value: listed.value };
  const close = nearest(
    given,
    active.flatMap(({ value, label }) => (value === label ? [value] : [value, label])),
  );
  const offered = close.length > 0 ? close : active.slice(0, 10).map(({ value }) => value);
  const known =
    offered.length > 0 ? `${close.length > 0 ? 'nearest' : 'listed'}: ${offered.join(', ')}` : 'the list is empty';
  if (field.restrictedPicklist) return { problem: `is not in the list of ${field.label}; ${known}` };
  const text = judgeText(field, given);
  return 'problem' in text
    ? text
    : {
        ...text,
        warning: `${field.label}: this value is not in the org's list and would be stored all the same (${known}).`,
      };
}

function judgeMany(field: FieldDescribe, given: string): Verdict {
  const values: string[] = [];
  const warnings: string[] = [];
  for (const part of given
    .split(';')
    .map((one) => one.trim())
    .filter(Boolean)) {
    const verdict = judgePicklist(field, part);
    if ('problem' in verdict) return verdict;
    values.push(String(verdict.value));
    if (verdict.warning) warnings.push(verdict.warning);
  }
  const value = [...new Set(values)].join(';');
  return warnings.length > 0 ? { value, warning: warnings.join(' ') } : { value };
}

function noSuchField(describe: ObjectDescribe, name: string, mayName: (field: string) => boolean): string {
  const close = nearest(name, describe.fields.map((field) => field.name).filter(mayName));
  return `does not exist on ${describe.name}, or the connected user may not see it${close.length > 0 ? `; nearest: ${close.join(', ')}` : ''}`;
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

function isMoment(text: string): boolean {
  const match = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/.exec(text);
  return (
    match !== null && isDay(match[1] ?? '') && !Number.isNaN(Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')))
  );
}
