/** What can stand where a value is asked for: a field path, or a function of one. */
import type { FieldFunctionExpression, FunctionExp } from '@jetstreamapp/soql-parser-js';
import { parseDatetime } from '../datetimes.ts';
import { masked } from '../records/shown-forms.ts';
import type { Field, FieldType } from '../schema/field.ts';
import type { Row, Value } from '../table.ts';
import { malformed } from './refusals.ts';
import { type Path, resolvePath, type Scope, valueAt } from './scope.ts';

export interface Expression {
  readonly type: FieldType;
  /** How errors and answers call it. */
  readonly name: string;
  readonly field: Field | undefined;
  /** Set when the value is the record's own field: then an index may serve. */
  readonly ownField: Field | undefined;
  readonly get: (row: Row) => Value;
}

export function fieldExpression(scope: Scope, text: string): Expression {
  return ofPath(scope, resolvePath(scope, text));
}

export function ofPath(scope: Scope, path: Path): Expression {
  const isOwn = path.parents.length === 0;
  return {
    type: path.field.type,
    name: path.field.name,
    field: path.field,
    ownField: isOwn ? path.field : undefined,
    get: (row) => masked(path.field, isOwn ? (row[path.field.name] ?? null) : valueAt(scope, path, row)),
  };
}

export type FunctionCall = FunctionExp | FieldFunctionExpression;

/** A function of one record's value; aggregates are the business of aggregate.ts. */
export function functionExpression(scope: Scope, call: FunctionCall): Expression {
  const name = (call.functionName ?? '').toUpperCase();
  const argument = call.parameters?.[0];
  if (argument === undefined) throw malformed(scope.soql, call.functionName ?? '', `unexpected token: '('`);
  const inner = typeof argument === 'string' ? fieldExpression(scope, argument) : functionExpression(scope, argument);
  const { field } = inner;
  const labelOf = (value: Value): Value => field?.picklist.find((entry) => entry.value === value)?.label ?? value;
  if (name === 'TOLABEL') return { ...inner, ownField: undefined, get: (row) => labelOf(inner.get(row)) };
  if (name === 'CONVERTTIMEZONE' || name === 'CONVERTCURRENCY') return { ...inner, ownField: undefined };
  if (name === 'FORMAT') {
    return { ...inner, type: 'string', ownField: undefined, get: (row) => formatted(inner.get(row)) };
  }
  const part = dateParts[name];
  if (!part) throw malformed(scope.soql, call.functionName ?? '', `Unknown function: ${call.functionName}`);
  return {
    type: name === 'DAY_ONLY' ? 'date' : 'int',
    name: field?.name ?? '',
    field: undefined,
    ownField: undefined,
    get: (row) => {
      const value = inner.get(row);
      if (typeof value !== 'string') return null;
      const ms = inner.type === 'date' ? Date.parse(value) : parseDatetime(value);
      return ms === undefined ? null : part(new Date(ms));
    },
  };
}

function formatted(value: Value): Value {
  return typeof value === 'number' ? value.toLocaleString('en-US') : value;
}

const dayOfYear = (day: Date): number =>
  (Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()) - Date.UTC(day.getUTCFullYear(), 0, 1)) /
    86_400_000 +
  1;

const dateParts: Readonly<Record<string, (day: Date) => Value>> = {
  CALENDAR_YEAR: (day) => day.getUTCFullYear(),
  CALENDAR_QUARTER: (day) => Math.floor(day.getUTCMonth() / 3) + 1,
  CALENDAR_MONTH: (day) => day.getUTCMonth() + 1,
  FISCAL_YEAR: (day) => day.getUTCFullYear(),
  FISCAL_QUARTER: (day) => Math.floor(day.getUTCMonth() / 3) + 1,
  FISCAL_MONTH: (day) => day.getUTCMonth() + 1,
  DAY_IN_MONTH: (day) => day.getUTCDate(),
  DAY_IN_WEEK: (day) => day.getUTCDay() + 1,
  DAY_IN_YEAR: dayOfYear,
  DAY_ONLY: (day) => day.toISOString().slice(0, 10),
  HOUR_IN_DAY: (day) => day.getUTCHours(),
  WEEK_IN_MONTH: (day) => Math.ceil(day.getUTCDate() / 7),
  WEEK_IN_YEAR: (day) => Math.ceil(dayOfYear(day) / 7),
};
