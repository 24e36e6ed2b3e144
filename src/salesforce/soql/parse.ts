import type { CategoryFilter, Count, From, GroupBy, Order, Query, With } from './ast.ts';
import { bind, readConditions } from './conditions.ts';
import { Cursor } from './cursor.ts';
import { hintForOpening, refusal } from './hints.ts';
import { isBareCount, readList, readMeasured, readName, readObjectAlias, readPath } from './names.ts';
import { SoqlRefusal } from './refusal.ts';
import { MAX_COLUMNS, readSelect } from './select.ts';

/**
 * Reads one read-only SOQL query, from its first character to its last, or refuses. What Salesforce would take but
 * writes something (FOR VIEW, UPDATE TRACKING), reaches past sharing (SYSTEM_MODE) or past deletion (ALL ROWS) is no
 * part of the language here.
 */
export function parseSoql(
  source: string,
  dateLiterals: ReadonlySet<string> = noLiterals,
  now?: number,
): { readonly query: Query; readonly steps: number } {
  checkOpening(source);
  const cursor = new Cursor(source, dateLiterals, now);
  const query = readQuery(cursor, 'top');
  cursor.expectEnd();
  return { query, steps: cursor.steps };
}

/** Before the rest is looked at, so that a model that sends SOSL or DELETE hears about that and not about a brace in it. */
function checkOpening(source: string): void {
  if (opening.test(source)) return;
  const [, gap = '', word = ''] = /^([ \t\r\n]*)([A-Za-z]*)/.exec(source) ?? [];
  // Something that is no word: the lexer knows better what to say of it.
  if (word === '' && gap.length < source.length) return;
  throw refusal(gap.length, hintForOpening(word.toLowerCase()));
}

const opening = /^[ \t\r\n]*select(?![a-z])/i;

type Role = 'top' | 'child' | 'semijoin';

const MAX_SUB_QUERIES = 20;
const noLiterals: ReadonlySet<string> = new Set();

function readQuery(cursor: Cursor, role: Role): Query {
  const at = cursor.expect('select').start;
  if (role !== 'top') countSubQuery(cursor, at);
  const select = readSelect(cursor, () => readQuery(cursor, 'child'));
  cursor.expect('from');
  const from = readFrom(cursor);
  const scope = readScope(cursor);
  const readInner = () => readQuery(cursor, 'semijoin');
  const hasWhere = cursor.take('where');
  const whereAt = hasWhere ? cursor.token.start : cursor.previousEnd;
  const where = hasWhere ? readConditions(cursor, { clause: 'WHERE', readQuery: readInner }) : undefined;
  const whereEnd = cursor.previousEnd;
  const withs: With[] = [];
  while (cursor.take('with')) withs.push(readWith(cursor));
  const groupBy = readGroupBy(cursor);
  const having = readHaving(cursor, groupBy, readInner);
  const orderBy = readOrderBy(cursor);
  const limit = readCount(cursor, 'limit');
  const limitAt = cursor.previousEnd;
  const offset = readCount(cursor, 'offset');
  refuseEffects(cursor);
  const query: Query = {
    select,
    from,
    scope,
    where,
    whereAt,
    whereEnd,
    with: withs,
    groupBy,
    having,
    orderBy,
    limit,
    offset,
    limitAt,
    at,
  };
  checkSelect(query, role);
  return query;
}

function countSubQuery(cursor: Cursor, at: number): void {
  cursor.subQueries += 1;
  if (cursor.subQueries > MAX_SUB_QUERIES) {
    throw new SoqlRefusal(
      'too_many_sub_queries',
      at,
      `A query may hold ${MAX_SUB_QUERIES} sub-queries.`,
      'Ask in several queries.',
    );
  }
}

function readFrom(cursor: Cursor): From {
  const path = readPath(cursor, 'an object');
  const alias = readObjectAlias(cursor);
  const joins = [];
  while (cursor.take(',')) {
    const parent = readPath(cursor, 'a parent such as c.Account');
    const name = readObjectAlias(cursor);
    if (parent.parts.length < 2 || name === undefined) {
      throw new SoqlRefusal(
        'one_object',
        parent.at,
        'A query reads one object.',
        'Read parents by path (Account.Name) and children by a sub-query.',
      );
    }
    joins.push({ path: parent, alias: name });
    if (joins.length > MAX_SUB_QUERIES) throw cursor.unexpected('fewer aliases');
  }
  return { path, alias, joins };
}

const scopes = new Set(
  'allprivate delegated everything mine mine_and_my_groups my_territory my_team_territory mru scopingrule team'.split(
    ' ',
  ),
);

function readScope(cursor: Cursor): string | undefined {
  if (!cursor.take('using')) return undefined;
  cursor.expect('scope');
  if (!scopes.has(cursor.token.key)) {
    throw new SoqlRefusal(
      'unknown_scope',
      cursor.token.start,
      'This is not a scope that is known here.',
      'Use mine, team or everything, or leave USING SCOPE out.',
    );
  }
  return cursor.next().key;
}

function readWith(cursor: Cursor): With {
  if (cursor.take('security_enforced')) return { kind: 'mode', mode: 'SECURITY_ENFORCED' };
  if (cursor.take('user_mode')) return { kind: 'mode', mode: 'USER_MODE' };
  if (!cursor.take('data')) {
    const at = cursor.token.start;
    if (cursor.token.kind === 'end') throw cursor.unexpected('DATA CATEGORY');
    throw new SoqlRefusal(
      'with_not_allowed',
      at,
      'Of WITH only DATA CATEGORY, SECURITY_ENFORCED and USER_MODE are read.',
      'Remove this WITH clause.',
    );
  }
  cursor.expect('category');
  const filters = [readCategory(cursor)];
  while (cursor.take('and')) filters.push(readCategory(cursor));
  return { kind: 'category', filters };
}

const selectors = new Set(['at', 'above', 'below', 'above_or_below']);

function readCategory(cursor: Cursor): CategoryFilter {
  const group = readName(cursor, 'a category group');
  if (!selectors.has(cursor.token.key)) throw cursor.unexpected('AT, ABOVE, BELOW or ABOVE_OR_BELOW');
  const selector = cursor.next().key;
  if (!cursor.take('(')) return { group, selector, categories: [readName(cursor, 'a category')] };
  const categories = readList(cursor, MAX_SUB_QUERIES, () => readName(cursor, 'a category'));
  cursor.expect(')');
  return { group, selector, categories };
}

function readGroupBy(cursor: Cursor): GroupBy | undefined {
  if (!cursor.take('group')) return undefined;
  cursor.expect('by');
  const form = cursor.peek(1).key === '(' ? formOf(cursor.token.key) : 'plain';
  const readItems = () => readList(cursor, MAX_COLUMNS, () => readMeasured(cursor, 'a field'));
  if (form === 'plain') return { form, items: readItems() };
  cursor.next();
  cursor.expect('(');
  const items = readItems();
  cursor.expect(')');
  return { form, items };
}

function formOf(key: string): GroupBy['form'] {
  return key === 'rollup' ? 'ROLLUP' : key === 'cube' ? 'CUBE' : 'plain';
}

function readHaving(cursor: Cursor, groupBy: GroupBy | undefined, readInner: () => Query) {
  const at = cursor.token.start;
  if (!cursor.take('having')) return undefined;
  if (groupBy === undefined)
    throw new SoqlRefusal('having_without_group', at, 'HAVING needs GROUP BY.', 'Add GROUP BY, or use WHERE.');
  return readConditions(cursor, { clause: 'HAVING', readQuery: readInner });
}

function readOrderBy(cursor: Cursor): Order[] {
  if (!cursor.take('order')) return [];
  cursor.expect('by');
  return readList(cursor, MAX_COLUMNS, () => {
    const value = readMeasured(cursor, 'a field');
    const descending = cursor.take('desc');
    if (!descending) cursor.take('asc');
    return { value, descending, nulls: readNulls(cursor) };
  });
}

function readNulls(cursor: Cursor): Order['nulls'] {
  if (!cursor.take('nulls')) return undefined;
  if (cursor.take('first')) return 'FIRST';
  cursor.expect('last');
  return 'LAST';
}

function readCount(cursor: Cursor, clause: 'limit' | 'offset'): Count | undefined {
  if (!cursor.take(clause)) return undefined;
  const token = cursor.token;
  if (token.key === ':') throw bind(token.start);
  const text = cursor.textOf(token);
  if (!/^[0-9]{1,10}$/.test(text)) {
    const name = clause.toUpperCase();
    throw new SoqlRefusal(
      'bad_count',
      token.start,
      `${name} takes a whole number of at most ten digits.`,
      `Write ${name} 50.`,
    );
  }
  cursor.next();
  return { value: Number(text), at: token.start, end: token.end };
}

/** FOR VIEW and FOR REFERENCE write when a record was last viewed, UPDATE writes statistics, FOR UPDATE locks. */
function refuseEffects(cursor: Cursor): void {
  const { key, start } = cursor.token;
  if (key !== 'for' && key !== 'update' && !(key === 'all' && cursor.peek(1).key === 'rows')) return;
  throw key === 'all'
    ? new SoqlRefusal('all_rows', start, 'Deleted and archived rows are not read.', 'Remove ALL ROWS.')
    : new SoqlRefusal(
        'query_that_writes',
        start,
        'FOR VIEW, FOR REFERENCE, FOR UPDATE and UPDATE write or lock, and a query only reads.',
        'Remove this clause.',
      );
}

function checkSelect({ select }: Query, role: Role): void {
  const count = select.find((item) => item.kind === 'value' && isBareCount(item.value));
  if (count?.kind === 'value' && (select.length > 1 || role !== 'top' || count.alias !== undefined)) {
    throw new SoqlRefusal(
      'count_needs_field',
      count.at,
      'COUNT() stands alone in the outer SELECT, without an alias.',
      'Write COUNT(Id), or only COUNT().',
    );
  }
  if (role !== 'semijoin') return;
  const [only] = select;
  if (select.length !== 1 || only?.kind !== 'value' || only.value.kind !== 'path' || only.alias !== undefined) {
    throw new SoqlRefusal(
      'semi_join_one_field',
      only?.at ?? 0,
      'A query after IN selects one field.',
      'Write IN (SELECT AccountId FROM Contact).',
    );
  }
}
