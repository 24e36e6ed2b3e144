/** ORDER BY: nulls first unless told otherwise, picklists in the order of their values, text without case. */
import type { OrderByClause } from '@jetstreamapp/soql-parser-js';
import { isFilterable } from '../schema/field.ts';
import type { Value } from '../table.ts';
import type { Expression, FunctionCall } from './expression.ts';
import { cannotBe } from './refusals.ts';

export interface Key<T> {
  readonly get: (item: T) => Value;
  readonly isDescending: boolean;
  readonly areNullsLast: boolean;
}

export function orderKeys<T>(
  soql: string,
  clauses: OrderByClause | readonly OrderByClause[] | undefined,
  get: (target: string | FunctionCall) => { expression: Expression; value: (item: T) => Value },
): Key<T>[] {
  const list = clauses === undefined ? [] : 'length' in clauses ? clauses : [clauses];
  return list.map((clause) => {
    const { expression, value } = get('fn' in clause ? clause.fn : clause.field);
    if (expression.field && !isFilterable(expression.field)) throw cannotBe('sorted', soql, expression.name);
    const rank = ranking(expression);
    return {
      get: rank ? (item) => rank(value(item)) : value,
      isDescending: clause.order === 'DESC',
      areNullsLast: clause.nulls === 'LAST',
    };
  });
}

export function compareBy<T>(keys: readonly Key<T>[]): (a: T, b: T) => number {
  return (a, b) => {
    for (const { get, isDescending, areNullsLast } of keys) {
      const [left, right] = [get(a), get(b)];
      if (left === right) continue;
      if (left === null) return areNullsLast ? 1 : -1;
      if (right === null) return areNullsLast ? -1 : 1;
      if (left < right) return isDescending ? 1 : -1;
      if (left > right) return isDescending ? -1 : 1;
    }
    return 0;
  };
}

function ranking({ type, field }: Expression): ((value: Value) => Value) | undefined {
  if (type === 'picklist' && field) {
    const ranks = new Map(field.picklist.map((entry, at) => [entry.value, at]));
    return (value) => (typeof value === 'string' ? (ranks.get(value) ?? ranks.size) : value);
  }
  if (type === 'id' || type === 'reference' || type === 'date' || type === 'datetime') return undefined;
  return (value) => (typeof value === 'string' ? value.toLowerCase() : value);
}
