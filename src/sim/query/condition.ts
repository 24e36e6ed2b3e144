/** Conditions as predicates over records, and, where an index can serve, the few records worth looking at. */
import type { HavingClause, Query, WhereClause } from '@jetstreamapp/soql-parser-js';
import { type Field, isFilterable } from '../schema/field.ts';
import { isIndexed } from '../schema/object.ts';
import type { Row, Table, Value } from '../table.ts';
import type { Expression, FunctionCall } from './expression.ts';
import { type Literal, type Pattern, patternOf, toLiteral } from './literal.ts';
import { type Logic, type Test, toLogic } from './parser.ts';
import { cannotBe, malformed } from './refusals.ts';
import type { Scope } from './scope.ts';

export interface Condition {
  readonly holds: (row: Row) => boolean;
  /** A superset of the rows that hold, found by index; undefined when only a look at every row will do. */
  readonly candidates: (table: Table) => Row[] | undefined;
}

/** How a condition finds the values it compares, and what a semi-join's inner query yields. */
export interface Sources {
  readonly call: (call: FunctionCall) => Expression;
  readonly field: (text: string) => Expression;
  readonly column: (scope: Scope, query: Query) => Set<Value>;
}

export function compileWhere(scope: Scope, clause: WhereClause | HavingClause, sources: Sources): Condition {
  return ofLogic(scope, toLogic(clause, scope.soql), sources);
}

function ofLogic(scope: Scope, logic: Logic, sources: Sources): Condition {
  if (logic.kind === 'test') return ofTest(scope, logic.test, sources);
  if (logic.kind === 'not') {
    const inner = ofLogic(scope, logic.part, sources);
    return { holds: (row) => !inner.holds(row), candidates: () => undefined };
  }
  const parts = logic.parts.map((part) => ofLogic(scope, part, sources));
  if (logic.kind === 'and') {
    return {
      holds: (row) => parts.every((part) => part.holds(row)),
      candidates: (table) => smallest(parts.map((part) => part.candidates(table))),
    };
  }
  return {
    holds: (row) => parts.some((part) => part.holds(row)),
    candidates: (table) => union(parts.map((part) => part.candidates(table))),
  };
}

function ofTest(scope: Scope, test: Test, sources: Sources): Condition {
  if (!('operator' in test)) throw malformed(scope.soql, '', "unexpected token: '<EOF>'");
  const expression = 'fn' in test ? sources.call(test.fn) : sources.field(test.field ?? '');
  // The parser passes `like` on as it was written.
  const operator = test.operator.toUpperCase();
  if (expression.field && !isFilterable(expression.field)) throw cannotBe('filtered', scope.soql, expression.name);
  if ('valueQuery' in test) {
    const values = sources.column(scope, test.valueQuery);
    return operator === 'IN' ? isIn(expression, [...values]) : negated(isIn(expression, [...values]));
  }
  const { value } = test;
  const kinds = test.literalType;
  const literals = (Array.isArray(value) ? value : [value]).map((text, at) =>
    toLiteral(scope, expression, text, Array.isArray(kinds) ? kinds[at] : kinds),
  );
  switch (operator) {
    case 'IN':
      return isIn(expression, literals);
    case 'NOT IN':
      return negated(isIn(expression, literals));
    case 'LIKE':
      return like(expression, patternOf(kinds === 'STRING' && typeof value === 'string' ? value : "''"));
    case 'INCLUDES':
      return includes(expression, literals);
    case 'EXCLUDES':
      return negated(includes(expression, literals));
    case '=':
      return isIn(expression, literals.slice(0, 1));
    case '!=':
    case '<>':
      return negated(isIn(expression, literals.slice(0, 1)));
    default:
      return ordered(expression, operator, literals[0] ?? null);
  }
}

const negated = ({ holds }: Condition): Condition => ({ holds: (row) => !holds(row), candidates: () => undefined });

function isIn(expression: Expression, literals: readonly Literal[]): Condition {
  const singles = literals.filter((literal): literal is Value => literal === null || typeof literal !== 'object');
  const spans = literals.filter((literal) => literal !== null && typeof literal === 'object');
  const fold = folding(expression);
  const wanted = new Set(singles.map(fold));
  const { ownField } = expression;
  return {
    holds: (row) => {
      const value = expression.get(row);
      if (wanted.has(fold(value))) return true;
      return spans.some(({ start, end }) => typeof value === 'string' && value >= start && value < end);
    },
    candidates: (table) => {
      if (!ownField || spans.length > 0 || singles.includes(null)) return undefined;
      if (ownField.type === 'id' || isIndexed(ownField))
        return union(singles.map((value) => table.where(ownField, value)));
      if (ownField.name === 'SystemModstamp')
        return union(singles.map((at) => table.stampedBetween(String(at), String(at))));
      return undefined;
    },
  };
}

function like(expression: Expression, pattern: Pattern): Condition {
  const wanted = pattern.map((part) => (typeof part === 'string' ? part.toLowerCase() : part));
  return {
    holds: (row) => fits(String(expression.get(row) ?? '').toLowerCase(), wanted),
    candidates: () => undefined,
  };
}

/** What `%` takes grows until the rest fits, and only the last one ever has to: never more looks than text times pattern. */
function fits(text: string, pattern: Pattern): boolean {
  let [at, next] = [0, 0];
  let retry: { at: number; next: number } | undefined;
  while (at < text.length) {
    const part = pattern[next];
    if (typeof part === 'object' && part.any === 'number') retry = { at, next: ++next };
    else if (part !== undefined && (typeof part === 'object' || part === text[at])) {
      at += 1;
      next += 1;
    } else if (retry === undefined) return false;
    else {
      retry.at += 1;
      ({ at, next } = retry);
    }
  }
  return pattern.slice(next).every((part) => typeof part === 'object' && part.any === 'number');
}

function includes(expression: Expression, literals: readonly Literal[]): Condition {
  const wanted = literals.map((literal) => String(literal).split(';'));
  return {
    holds: (row) => {
      const held = String(expression.get(row) ?? '').split(';');
      return wanted.some((all) => all.every((value) => held.includes(value)));
    },
    candidates: () => undefined,
  };
}

type Order = '<' | '<=' | '>' | '>=';
const latest = '9999';

function ordered(expression: Expression, operator: string, literal: Literal): Condition {
  // The parser knows no further operators.
  const order = operator as Order;
  const isSpan = literal !== null && typeof literal === 'object';
  const fold = folding(expression);
  // Against a span: before its start, after its end.
  const low = isSpan ? literal.start : fold(literal);
  const high = isSpan ? literal.end : low;
  const tests: Readonly<Record<Order, (value: Value) => boolean>> = {
    '<': (value) => below(value, low),
    '<=': (value) => (isSpan ? below(value, high) : !below(low, value)),
    '>': (value) => (isSpan ? !below(value, high) : below(low, value)),
    '>=': (value) => !below(value, low),
  };
  const test = tests[order];
  return {
    holds: (row) => {
      const value = fold(expression.get(row));
      return value !== null && low !== null && test(value);
    },
    candidates: (table) => {
      if (expression.ownField?.name !== 'SystemModstamp' || low === null) return undefined;
      return order.startsWith('>') ? table.stampedBetween(String(low), latest) : table.stampedBetween('', String(high));
    },
  };
}

/** `Value` lacks a common order of types, but both sides here are of the field's one type. */
function below(a: Value, b: Value): boolean {
  return a !== null && b !== null && a < b;
}

/** SOQL compares text without case, unless the field is case-sensitive or an id. */
function folding({ type, field }: Expression): (value: Value) => Value {
  const isExact = type === 'id' || type === 'reference' || isCaseSensitive(field);
  return isExact
    ? (value) => value
    : (value) => (typeof value === 'string' && type !== 'datetime' ? value.toLowerCase() : value);
}

const isCaseSensitive = (field: Field | undefined): boolean => field?.isCaseSensitive ?? false;

function smallest(lists: readonly (Row[] | undefined)[]): Row[] | undefined {
  let best: Row[] | undefined;
  for (const list of lists) if (list && (!best || list.length < best.length)) best = list;
  return best;
}

function union(lists: readonly (Row[] | undefined)[]): Row[] | undefined {
  const all = new Set<Row>();
  for (const list of lists) {
    if (!list) return undefined;
    for (const row of list) all.add(row);
  }
  return [...all];
}
