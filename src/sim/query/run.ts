/** Runs one query: finds the rows, puts them in order, and says how each is shown. */
import type { Query, QueryBase, Subquery } from '@jetstreamapp/soql-parser-js';
import type { Org } from '../org.ts';
import type { Shown } from '../records/reader.ts';
import { refuse } from '../refusal.ts';
import type { Field } from '../schema/field.ts';
import type { Schema } from '../schema/object.ts';
import { byStamp, type Row, type Value } from '../table.ts';
import { isAggregate, runAggregate } from './aggregate.ts';
import { type Condition, compileWhere, type Sources } from './condition.ts';
import { fieldExpression, functionExpression } from './expression.ts';
import { compareBy, orderKeys } from './order.ts';
import type { Parse } from './parser.ts';
import { malformed, noType } from './refusals.ts';
import type { Scope } from './scope.ts';
import { compileSelection, textOf } from './select.ts';

export interface Asking {
  readonly org: Org;
  readonly schema: Schema;
  readonly userId: string;
  readonly parse: Parse;
  readonly version: string;
}

export type Answer =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'groups'; readonly groups: readonly Record<string, unknown>[] }
  | {
      readonly kind: 'rows';
      readonly object: string;
      readonly rows: readonly Row[];
      readonly show: (row: Row) => Shown;
      readonly hasLongText: boolean;
    };

export function runQuery(asking: Asking, soql: string, includesDeleted: boolean): Answer {
  const query = asking.parse(soql);
  const scope = openScope(asking, soql, query, includesDeleted);
  checkBounds(query, soql);
  const sources = sourcesOf(scope);
  if (isCountOnly(query)) return { kind: 'count', count: sliced(find(scope, query, sources), query).length };
  if (isAggregate(query)) {
    const { limit: _, offset: __, ...whole } = query;
    return { kind: 'groups', groups: runAggregate(scope, query, find(scope, whole, sources), sources) };
  }
  const { show, hasLongText } = compileSelection(
    scope,
    asking.version,
    query.fields ?? [],
    childRunner(asking.version),
  );
  const rows = sliced(sorted(scope, query, find(scope, query, sources)), query);
  return { kind: 'rows', object: scope.object.name, rows, show, hasLongText };
}

/** Only how a query shows its records: for further pages, whose ids are known. */
export function showerOf(asking: Asking, soql: string): { object: string; show: (row: Row) => Shown } {
  const query = asking.parse(soql);
  const scope = openScope(asking, soql, query, false);
  const { show } = compileSelection(scope, asking.version, query.fields ?? [], childRunner(asking.version));
  return { object: scope.object.name, show };
}

export interface Plan {
  readonly object: string;
  /** Rows that an index leaves to look at; undefined means all. */
  readonly candidates: number | undefined;
  readonly tableSize: number;
}

export function planQuery(asking: Asking, soql: string): Plan {
  const query = asking.parse(soql);
  const scope = openScope(asking, soql, query, false);
  const table = asking.org.table(scope.object.name);
  const where = query.where && compileWhere(scope, query.where, sourcesOf(scope));
  return { object: scope.object.name, candidates: where?.candidates(table)?.length, tableSize: table.size };
}

function openScope(
  { org, schema, userId, parse }: Asking,
  soql: string,
  query: Query,
  includesDeleted: boolean,
): Scope {
  const object = schema.object(query.sObject ?? '');
  if (!object) throw noType(soql, query.sObject ?? '');
  return { org, schema, userId, parse, soql, object, alias: query.sObjectAlias, includesDeleted };
}

function checkBounds(query: Query, soql: string): void {
  if ((query.offset ?? 0) > 2000)
    throw refuse(400, 'NUMBER_OUTSIDE_VALID_RANGE', 'Maximum SOQL offset allowed is 2000');
  const isUnbounded = query.fields?.some(
    (field) =>
      field.type === 'FieldFunctionExpression' &&
      /^FIELDS$/i.test(field.functionName) &&
      !/^STANDARD$/i.test(String(field.parameters[0])),
  );
  if (isUnbounded && !(query.limit !== undefined && query.limit <= 200)) {
    throw malformed(soql, 'FIELDS', 'The SOQL FIELDS function must have a LIMIT of at most 200');
  }
}

function isCountOnly({ fields = [] }: Query): boolean {
  const [only] = fields;
  return (
    fields.length === 1 &&
    only?.type === 'FieldFunctionExpression' &&
    /^COUNT$/i.test(only.functionName) &&
    only.parameters.length === 0
  );
}

function sourcesOf(scope: Scope): Sources {
  return {
    call: (call) => functionExpression(scope, call),
    field: (text) => fieldExpression(scope, text),
    column: semiJoin,
  };
}

/** The values of a semi-join's one column. */
function semiJoin(outer: Scope, query: Query): Set<Value> {
  const object = outer.schema.object(query.sObject ?? '');
  if (!object) throw noType(outer.soql, query.sObject ?? '');
  const scope: Scope = { ...outer, object, alias: query.sObjectAlias };
  const [column] = query.fields ?? [];
  if (!column || query.fields?.length !== 1)
    throw malformed(outer.soql, 'SELECT', 'semi join sub-selects must select one field');
  const { get } = fieldExpression(scope, textOf(column));
  const values = new Set(find(scope, query, sourcesOf(scope)).map(get));
  values.delete(null);
  return values;
}

function find(scope: Scope, query: QueryBase, sources: Sources, among?: readonly Row[]): Row[] {
  const where: Condition | undefined = query.where && compileWhere(scope, query.where, sources);
  const table = scope.org.table(scope.object.name);
  const found = among ?? where?.candidates(table);
  const order = inherentOrder(query);
  const listed = found ?? (order === byStamp ? [...table.all()] : undefined);
  const candidates = (order && listed ? [...listed].sort(order) : listed) ?? table.all();
  const enough = order && query.limit !== undefined ? query.limit + (query.offset ?? 0) : Number.POSITIVE_INFINITY;
  const isMine = /^mine$/i.test(query.usingScope ?? '');
  const rows: Row[] = [];
  for (const row of candidates) {
    if (rows.length >= enough) break;
    scope.org.examined++;
    if (row.IsDeleted && !scope.includesDeleted) continue;
    if (isMine && row.OwnerId !== scope.userId) continue;
    if (!where || where.holds(row)) rows.push(row);
  }
  return rows;
}

function sorted(scope: Scope, query: QueryBase, rows: Row[]): Row[] {
  if (!query.orderBy || inherentOrder(query)) return rows;
  const keys = orderKeys<Row>(scope.soql, query.orderBy, (target) => {
    const expression = typeof target === 'string' ? fieldExpression(scope, target) : functionExpression(scope, target);
    return { expression, value: expression.get };
  });
  const compare = compareBy(keys);
  return rows.sort((a, b) => compare(a, b) || byId(a, b));
}

/**
 * The order in which rows are looked at, when it is the one asked for: then a LIMIT ends the search early. By Id where
 * nothing is asked, so that every process answers alike; by stamp and Id for those who poll.
 */
function inherentOrder({ orderBy }: QueryBase): ((a: Row, b: Row) => number) | undefined {
  if (!orderBy) return byId;
  const clauses = Array.isArray(orderBy) ? orderBy : [orderBy];
  const names = clauses.map((clause) =>
    'field' in clause && clause.order !== 'DESC' ? clause.field.toLowerCase() : '',
  );
  return ['systemmodstamp', 'systemmodstamp,id'].includes(names.join()) ? byStamp : undefined;
}

const byId = (a: Row, b: Row): number => (a.Id < b.Id ? -1 : a.Id > b.Id ? 1 : 0);

function sliced(rows: Row[], { limit, offset = 0 }: QueryBase): Row[] {
  return limit === undefined && offset === 0
    ? rows
    : rows.slice(offset, limit === undefined ? undefined : offset + limit);
}

function childRunner(version: string): (scope: Scope, subquery: Subquery, link: Field) => (parent: Row) => unknown {
  return (scope, subquery, link) => {
    const { show } = compileSelection(scope, version, subquery.fields ?? [], childRunner(version));
    const table = scope.org.table(scope.object.name);
    const sources = sourcesOf(scope);
    return (parent) => {
      const linked = table.where(link, parent.Id);
      const rows = sliced(sorted(scope, subquery, find(scope, subquery, sources, linked)), subquery);
      return rows.length === 0 ? null : { totalSize: rows.length, done: true, records: rows.map(show) };
    };
  };
}
