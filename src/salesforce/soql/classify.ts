import type { Condition, Literal, Measured, Query } from './ast.ts';
import { isAggregated, isCount } from './bound.ts';
import type { QueryAccess } from './query-access.ts';
import type { ResolvedField } from './reach.ts';
import type { Resolution } from './resolve.ts';

/**
 * Whether a query may run by itself. Trivial: it fetches a few records that its WHERE already names, or counts one
 * object. Everything else is non-trivial, with the reasons an approver is shown.
 */
interface Classification {
  readonly class: 'trivial' | 'non-trivial';
  readonly reasons: string[];
}

const MAX_TRIVIAL_ROWS = 50;
const MAX_TRIVIAL_COLUMNS = 20;
const MAX_TRIVIAL_OBJECTS = 2;

export function classify(
  query: Query,
  resolution: Resolution,
  access: QueryAccess,
  rowCap: number | null,
): Classification {
  const reasons = isCount(query)
    ? countReasons(query, resolution, access)
    : rowReasons(query, resolution, access, rowCap);
  return { class: reasons.length === 0 ? 'trivial' : 'non-trivial', reasons };
}

function countReasons(query: Query, { objects, fields, alternatives }: Resolution, access: QueryAccess): string[] {
  return [
    ...(objects.size - alternatives > 1 ? ['it counts across several objects'] : []),
    ...(touchesSensitive(fields, access) ? ['it touches a sensitive field'] : []),
    ...(hasSubQuery(query) ? ['it holds a sub-query'] : []),
    ...scopeReasons(query),
  ];
}

function rowReasons(
  query: Query,
  { objects, fields, fieldsOf, alternatives }: Resolution,
  access: QueryAccess,
  rowCap: number | null,
): string[] {
  const { where } = query;
  const rows = where === undefined ? Infinity : rowsNamed(where, fieldsOf);
  const reasons: string[] = [];
  if (where === undefined) reasons.push('it has no WHERE');
  else if (rows === Infinity) reasons.push('its WHERE names no Id, external id or indexed value');
  if (Math.min(rows === SOME ? Infinity : rows, rowCap ?? 1) > MAX_TRIVIAL_ROWS)
    reasons.push(`it may bring more than ${MAX_TRIVIAL_ROWS} rows`);
  if (touchesSensitive(fields, access)) reasons.push('it touches a sensitive field');
  if (objects.size - alternatives > MAX_TRIVIAL_OBJECTS)
    reasons.push(`it touches more than ${MAX_TRIVIAL_OBJECTS} objects`);
  if (query.select.length > MAX_TRIVIAL_COLUMNS) reasons.push(`it selects more than ${MAX_TRIVIAL_COLUMNS} columns`);
  if (query.select.some(({ kind }) => kind === 'fields')) reasons.push('it selects whole sets of fields');
  if (isAggregated(query)) reasons.push('it groups or aggregates');
  if (hasSubQuery(query)) reasons.push('it holds a sub-query');
  if (where !== undefined && some(where, leadingWildcard)) reasons.push('its LIKE begins with a wildcard');
  if ((query.offset?.value ?? 0) > 0) reasons.push('it skips rows');
  return [...reasons, ...scopeReasons(query)];
}

function scopeReasons({ scope }: Query): string[] {
  return scope === undefined || scope === 'mine' ? [] : ['its scope goes beyond the own records'];
}

function touchesSensitive(fields: ReadonlySet<string>, access: QueryAccess): boolean {
  for (const field of fields) {
    const dot = field.indexOf('.');
    if (access.isSensitive(field.slice(0, dot), field.slice(dot + 1))) return true;
  }
  return false;
}

function hasSubQuery(query: Query): boolean {
  return (
    query.select.some(({ kind }) => kind === 'query') ||
    (query.where !== undefined && some(query.where, ({ kind }) => kind === 'semijoin'))
  );
}

function some(condition: Condition, test: (condition: Condition) => boolean): boolean {
  if (test(condition)) return true;
  if (condition.kind === 'not') return some(condition.part, test);
  return (condition.kind === 'and' || condition.kind === 'or') && condition.parts.some((part) => some(part, test));
}

function leadingWildcard(condition: Condition): boolean {
  return condition.kind === 'compare' && condition.operator === 'LIKE' && /^'[%_]/.test(condition.right.text);
}

/** More than one and not known how many: a name or an e-mail may be shared. */
const SOME = -1;

/** How many rows the condition can name: a number where it names them by Id, SOME by an indexed value, else Infinity. */
function rowsNamed(condition: Condition, fieldsOf: Resolution['fieldsOf']): number {
  switch (condition.kind) {
    case 'and': {
      const named = condition.parts.map((part) => rowsNamed(part, fieldsOf));
      const exact = named.filter((rows) => rows !== SOME);
      const least = Math.min(...exact);
      return least === Infinity && named.includes(SOME) ? SOME : least;
    }
    case 'or': {
      const named = condition.parts.map((part) => rowsNamed(part, fieldsOf));
      if (named.includes(Infinity)) return Infinity;
      return named.includes(SOME) ? SOME : named.reduce((sum, rows) => sum + rows, 0);
    }
    case 'compare':
      return condition.operator === '=' ? rowsOf(condition.left, [condition.right], fieldsOf) : Infinity;
    case 'list':
      return condition.operator === 'IN' ? rowsOf(condition.left, condition.values, fieldsOf) : Infinity;
    default:
      return Infinity;
  }
}

function rowsOf(left: Measured, values: readonly Literal[], fieldsOf: Resolution['fieldsOf']): number {
  if (left.kind !== 'path' || values.length > MAX_TRIVIAL_ROWS || values.some(isEmpty)) return Infinity;
  const fields = fieldsOf.get(left) ?? [];
  if (fields.length === 0) return Infinity;
  // Account.Id = '...' names one account and any number of its contacts.
  if (left.parts.length === 1 && fields.every(isUnique)) return values.length;
  return fields.every(isIndexed) ? SOME : Infinity;
}

/** Salesforce finds the records without a value by `null` and by an empty text alike: that names nobody. */
function isEmpty({ type, text }: Literal): boolean {
  return type === 'null' || (type === 'string' && /^'\s*'$/.test(text));
}

function isUnique({ name, known }: ResolvedField): boolean {
  return name.toLowerCase() === 'id' || known?.type === 'id' || (known?.unique ?? false);
}

const indexedNames = new Set(
  'name email casenumber accountnumber contractnumber ordernumber productcode username'.split(' '),
);
const indexedTypes = new Set(['id', 'reference', 'email']);
/** One of these is shared by as many records as the org has. */
const sharedByMost = new Set(['recordtypeid', 'createdbyid', 'lastmodifiedbyid']);

/** What Salesforce indexes: Id, Name, lookups, e-mail, external and unique fields; by name where the type is not known. */
function isIndexed(field: ResolvedField): boolean {
  const { name, known } = field;
  if (sharedByMost.has(name.toLowerCase())) return false;
  if (isUnique(field) || (known?.externalId ?? false) || indexedNames.has(name.toLowerCase())) return true;
  return known?.type === undefined ? /[a-z0-9]Id$/.test(name) : indexedTypes.has(known.type);
}
