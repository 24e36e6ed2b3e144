/** COUNT, SUM, AVG ... with GROUP BY, ROLLUP, CUBE and HAVING. */
import type { GroupByClause, Query, FieldType as Selected } from '@jetstreamapp/soql-parser-js';
import { isFilterable } from '../schema/field.ts';
import type { Row, Value } from '../table.ts';
import { compileWhere, type Sources } from './condition.ts';
import { type Expression, type FunctionCall, fieldExpression, functionExpression } from './expression.ts';
import { compareBy, orderKeys } from './order.ts';
import { cannotBe, malformed } from './refusals.ts';
import type { Scope } from './scope.ts';
import { textOf } from './select.ts';

export function isAggregate(query: Query): boolean {
  const calls = (query.fields ?? []).some(
    (field) => field.type === 'FieldFunctionExpression' && isAggregateCall(field),
  );
  return calls || query.groupBy !== undefined;
}

/** A group of rows; `blank` are the grouped names that a subtotal leaves out. */
interface Group {
  readonly rows: readonly Row[];
  readonly blank: ReadonlySet<string>;
}

interface Column {
  readonly expression: Expression;
  readonly value: (group: Group) => Value;
}

export function runAggregate(
  scope: Scope,
  query: Query,
  rows: readonly Row[],
  sources: Sources,
): Record<string, unknown>[] {
  const grouping = toGrouping(scope, query.groupBy);
  const grouped = new Map(grouping.keys.map((key) => [key.id, key]));
  const aliases = new Map<string, FunctionCall | string>();

  function columnOf(target: string | FunctionCall): Column {
    const named = typeof target === 'string' ? aliases.get(target.toLowerCase()) : undefined;
    if (named !== undefined) return columnOf(named);
    if (typeof target !== 'string' && isAggregateCall(target)) {
      return { expression: counted(scope, target), value: aggregateOf(scope, target) };
    }
    if (typeof target !== 'string' && target.functionName?.toUpperCase() === 'GROUPING') {
      const key = identity(scope, String(target.parameters?.[0]));
      return { expression: numberNamed('grouping'), value: ({ blank }) => (blank.has(key) ? 1 : 0) };
    }
    const id = identity(scope, target);
    const key = grouped.get(id);
    if (!key) {
      const name = typeof target === 'string' ? target : (target.rawValue ?? '');
      throw malformed(scope.soql, name, `Field must be grouped or aggregated: ${name}`);
    }
    return {
      expression: key.expression,
      value: ({ rows: [first], blank }) => (first && !blank.has(id) ? key.expression.get(first) : null),
    };
  }

  for (const field of query.fields ?? []) {
    if (
      'alias' in field &&
      field.alias &&
      !('objectPrefix' in field && field.type === 'Field' && field.alias === field.objectPrefix)
    ) {
      aliases.set(field.alias.toLowerCase(), field.type === 'FieldFunctionExpression' ? field : textOf(field));
    }
  }
  let unnamed = 0;
  const columns = (query.fields ?? []).map((field) => {
    const isCall = field.type === 'FieldFunctionExpression';
    if (!isCall && field.type !== 'Field' && field.type !== 'FieldRelationship') {
      throw malformed(scope.soql, '', 'Grouped queries cannot use child relationships in the SELECT list');
    }
    const { expression, value } = columnOf(isCall ? field : textOf(field));
    const name = aliasOf(field) ?? (isCall ? `expr${unnamed++}` : expression.name);
    return { name, value };
  });

  let groups = grouping.split(rows);
  if (query.having) {
    // A group is tested through a stand-in row: the expressions of HAVING look their values up by group.
    const byRow = new Map<Row, Group>();
    const standIns = groups.map((group) => {
      const row: Row = { Id: '', IsDeleted: false, SystemModstamp: '' };
      byRow.set(row, group);
      return { row, group };
    });
    const onGroup = ({ expression, value }: Column): Expression => ({
      ...expression,
      ownField: undefined,
      get: (row) => {
        const group = byRow.get(row);
        return group ? value(group) : null;
      },
    });
    const having = compileWhere(scope, query.having, {
      ...sources,
      call: (call) => onGroup(columnOf(call)),
      field: (text) => onGroup(columnOf(text)),
    });
    groups = standIns.filter(({ row }) => having.holds(row)).map(({ group }) => group);
  }
  groups.sort(compareBy(orderKeys<Group>(scope.soql, query.orderBy, columnOf)));
  const from = query.offset ?? 0;
  return groups.slice(from, query.limit === undefined ? undefined : from + query.limit).map((group) => {
    const shown: Record<string, unknown> = { attributes: { type: 'AggregateResult' } };
    for (const { name, value } of columns) shown[name] = value(group);
    return shown;
  });
}

function isAggregateCall(call: FunctionCall): boolean {
  return /^(COUNT|COUNT_DISTINCT|SUM|AVG|MIN|MAX)$/i.test(call.functionName ?? '');
}

function aliasOf(field: Selected): string | undefined {
  if (!('alias' in field)) return undefined;
  return 'objectPrefix' in field && field.alias === field.objectPrefix ? undefined : field.alias;
}

function counted(scope: Scope, call: FunctionCall): Expression {
  const argument = call.parameters?.[0];
  const name = call.functionName?.toUpperCase();
  if ((name === 'MIN' || name === 'MAX') && typeof argument === 'string') return fieldExpression(scope, argument);
  return numberNamed(call.rawValue ?? '');
}

const numberNamed = (name: string): Expression => ({
  type: 'double',
  name,
  field: undefined,
  ownField: undefined,
  get: () => null,
});

function aggregateOf(scope: Scope, call: FunctionCall): (group: Group) => Value {
  const name = (call.functionName ?? '').toUpperCase();
  const argument = call.parameters?.[0];
  if (argument === undefined) return ({ rows }) => rows.length;
  const expression =
    typeof argument === 'string' ? fieldExpression(scope, argument) : functionExpression(scope, argument);
  if ((name === 'SUM' || name === 'AVG') && !/^(int|double|currency|percent)$/.test(expression.type)) {
    throw malformed(
      scope.soql,
      expression.name,
      `field ${expression.name} does not support aggregate operator ${name}`,
    );
  }
  const held = ({ rows }: Group) => rows.map(expression.get).filter((value) => value !== null);
  const sum = (values: readonly Value[]) => values.reduce<number>((total, value) => total + Number(value), 0);
  switch (name) {
    case 'COUNT':
      return (group) => held(group).length;
    case 'COUNT_DISTINCT':
      return (group) => new Set(held(group).map((value) => String(value).toLowerCase())).size;
    case 'SUM':
      return (group) => orNull(held(group), sum);
    case 'AVG':
      return (group) => orNull(held(group), (values) => sum(values) / values.length);
    case 'MIN':
      return (group) => orNull(held(group), (values) => values.reduce((a, b) => (b < a ? b : a)));
    default:
      return (group) => orNull(held(group), (values) => values.reduce((a, b) => (b > a ? b : a)));
  }
}

type Held = Exclude<Value, null>;
const orNull = (values: Held[], fold: (values: Held[]) => Value): Value => (values.length === 0 ? null : fold(values));

interface Grouping {
  readonly keys: readonly { readonly id: string; readonly expression: Expression }[];
  readonly split: (rows: readonly Row[]) => Group[];
}

function toGrouping(scope: Scope, clauses: GroupByClause | GroupByClause[] | undefined): Grouping {
  const list = clauses === undefined ? [] : Array.isArray(clauses) ? clauses : [clauses];
  const targets: (string | FunctionCall)[] = [];
  let totals = '';
  for (const clause of list) {
    const call = 'fn' in clause ? clause.fn : undefined;
    const name = call?.functionName?.toUpperCase() ?? '';
    if (name === 'ROLLUP' || name === 'CUBE') {
      totals = name;
      targets.push(...(call?.parameters ?? []));
    } else targets.push(call ?? ('field' in clause ? clause.field : ''));
  }
  const keys = targets.map((target) => ({
    id: identity(scope, target),
    expression: typeof target === 'string' ? fieldExpression(scope, target) : functionExpression(scope, target),
  }));
  for (const { expression } of keys)
    if (expression.field && !isFilterable(expression.field)) throw cannotBe('grouped', scope.soql, expression.name);
  const ids = keys.map((key) => key.id);
  return {
    keys,
    split: (rows) => blanks(ids, totals).flatMap((blank) => splitBy(rows, keys, blank, ids.length === 0)),
  };
}

/** Which keys each set of groups leaves out: none; with ROLLUP from the right; with CUBE in every combination. */
function blanks(ids: readonly string[], totals: string): ReadonlySet<string>[] {
  if (totals === 'ROLLUP') return [...ids, ''].map((_, kept) => new Set(ids.slice(ids.length - kept)));
  if (totals === 'CUBE') {
    return Array.from({ length: 2 ** ids.length }, (_, mask) => new Set(ids.filter((__, bit) => mask & (1 << bit))));
  }
  return [new Set()];
}

function splitBy(rows: readonly Row[], keys: Grouping['keys'], blank: ReadonlySet<string>, isWhole: boolean): Group[] {
  if (isWhole) return [{ rows, blank }];
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const values = keys.map(({ id, expression }) => (blank.has(id) ? null : expression.get(row)));
    const key = JSON.stringify(values).toLowerCase();
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()].map((group) => ({ rows: group, blank }));
}

/** The same field under any spelling has the same identity. */
function identity(scope: Scope, target: string | FunctionCall): string {
  if (typeof target === 'string') {
    const text = target.toLowerCase();
    const prefixes = [scope.alias?.toLowerCase(), scope.object.name.toLowerCase()];
    const [first = '', ...rest] = text.split('.');
    return rest.length > 0 && prefixes.includes(first) ? rest.join('.') : text;
  }
  return `${target.functionName}(${(target.parameters ?? []).map((inner) => identity(scope, inner)).join(',')})`.toLowerCase();
}
