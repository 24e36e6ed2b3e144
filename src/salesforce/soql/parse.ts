import type { CategoryFilter, Count, From, GroupBy, Order, Query, With } from './ast.ts';
import { bind, readConditions } from './conditions.ts';
import { hintForOpening, refusal } from './hints.ts';
import { isBareCount, readList, readMeasured, readName, readObjectAlias, readPath } from './names.ts';
import { SoqlRefusal } from './refusal.ts';
import { MAX_COLUMNS, readSelect } from './select.ts';
import { TokenReader } from './token-reader.ts';

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
  const reader = new TokenReader(source, dateLiterals, now);
  const query = readQuery(reader, 'top');
  reader.expectEnd();
  return { query, steps: reader.steps };
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

function readQuery(reader: TokenReader, role: Role): Query {
  const at = reader.expect('select').start;
  if (role !== 'top') countSubQuery(reader, at);
  const select = readSelect(reader, () => readQuery(reader, 'child'));
  reader.expect('from');
  const from = readFrom(reader);
  const scope = readScope(reader);
  const readInner = () => readQuery(reader, 'semijoin');
  const hasWhere = reader.take('where');
  const whereAt = hasWhere ? reader.token.start : reader.previousEnd;
  const where = hasWhere ? readConditions(reader, { clause: 'WHERE', readQuery: readInner }) : undefined;
  const whereEnd = reader.previousEnd;
  const withs: With[] = [];
  while (reader.take('with')) withs.push(readWith(reader));
  const groupBy = readGroupBy(reader);
  const having = readHaving(reader, groupBy, readInner);
  const orderBy = readOrderBy(reader);
  const limit = readCount(reader, 'limit');
  const limitAt = reader.previousEnd;
  const offset = readCount(reader, 'offset');
  refuseEffects(reader);
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

function countSubQuery(reader: TokenReader, at: number): void {
  reader.subQueries += 1;
  if (reader.subQueries > MAX_SUB_QUERIES) {
    throw new SoqlRefusal(
      'too_many_sub_queries',
      at,
      `A query may hold ${MAX_SUB_QUERIES} sub-queries.`,
      'Ask in several queries.',
    );
  }
}

function readFrom(reader: TokenReader): From {
  const path = readPath(reader, 'an object');
  const alias = readObjectAlias(reader);
  const joins = [];
  while (reader.take(',')) {
    const parent = readPath(reader, 'a parent such as c.Account');
    const name = readObjectAlias(reader);
    if (parent.parts.length < 2 || name === undefined) {
      throw new SoqlRefusal(
        'one_object',
        parent.at,
        'A query reads one object.',
        'Read parents by path (Account.Name) and children by a sub-query.',
      );
    }
    joins.push({ path: parent, alias: name });
    if (joins.length > MAX_SUB_QUERIES) throw reader.unexpected('fewer aliases');
  }
  return { path, alias, joins };
}

const scopes = new Set(
  'allprivate delegated everything mine mine_and_my_groups my_territory my_team_territory mru scopingrule team'.split(
    ' ',
  ),
);

function readScope(reader: TokenReader): string | undefined {
  if (!reader.take('using')) return undefined;
  reader.expect('scope');
  if (!scopes.has(reader.token.key)) {
    throw new SoqlRefusal(
      'unknown_scope',
      reader.token.start,
      'This is not a scope that is known here.',
      'Use mine, team or everything, or leave USING SCOPE out.',
    );
  }
  return reader.next().key;
}

function readWith(reader: TokenReader): With {
  if (reader.take('security_enforced')) return { kind: 'mode', mode: 'SECURITY_ENFORCED' };
  if (reader.take('user_mode')) return { kind: 'mode', mode: 'USER_MODE' };
  if (!reader.take('data')) {
    const at = reader.token.start;
    if (reader.token.kind === 'end') throw reader.unexpected('DATA CATEGORY');
    throw new SoqlRefusal(
      'with_not_allowed',
      at,
      'Of WITH only DATA CATEGORY, SECURITY_ENFORCED and USER_MODE are read.',
      'Remove this WITH clause.',
    );
  }
  reader.expect('category');
  const filters = [readCategory(reader)];
  while (reader.take('and')) filters.push(readCategory(reader));
  return { kind: 'category', filters };
}

const selectors = new Set(['at', 'above', 'below', 'above_or_below']);

function readCategory(reader: TokenReader): CategoryFilter {
  const group = readName(reader, 'a category group');
  if (!selectors.has(reader.token.key)) throw reader.unexpected('AT, ABOVE, BELOW or ABOVE_OR_BELOW');
  const selector = reader.next().key;
  if (!reader.take('(')) return { group, selector, categories: [readName(reader, 'a category')] };
  const categories = readList(reader, MAX_SUB_QUERIES, () => readName(reader, 'a category'));
  reader.expect(')');
  return { group, selector, categories };
}

function readGroupBy(reader: TokenReader): GroupBy | undefined {
  if (!reader.take('group')) return undefined;
  reader.expect('by');
  const form = reader.peek(1).key === '(' ? formOf(reader.token.key) : 'plain';
  const readItems = () => readList(reader, MAX_COLUMNS, () => readMeasured(reader, 'a field'));
  if (form === 'plain') return { form, items: readItems() };
  reader.next();
  reader.expect('(');
  const items = readItems();
  reader.expect(')');
  return { form, items };
}

function formOf(key: string): GroupBy['form'] {
  return key === 'rollup' ? 'ROLLUP' : key === 'cube' ? 'CUBE' : 'plain';
}

function readHaving(reader: TokenReader, groupBy: GroupBy | undefined, readInner: () => Query) {
  const at = reader.token.start;
  if (!reader.take('having')) return undefined;
  if (groupBy === undefined)
    throw new SoqlRefusal('having_without_group', at, 'HAVING needs GROUP BY.', 'Add GROUP BY, or use WHERE.');
  return readConditions(reader, { clause: 'HAVING', readQuery: readInner });
}

function readOrderBy(reader: TokenReader): Order[] {
  if (!reader.take('order')) return [];
  reader.expect('by');
  return readList(reader, MAX_COLUMNS, () => {
    const value = readMeasured(reader, 'a field');
    const descending = reader.take('desc');
    if (!descending) reader.take('asc');
    return { value, descending, nulls: readNulls(reader) };
  });
}

function readNulls(reader: TokenReader): Order['nulls'] {
  if (!reader.take('nulls')) return undefined;
  if (reader.take('first')) return 'FIRST';
  reader.expect('last');
  return 'LAST';
}

function readCount(reader: TokenReader, clause: 'limit' | 'offset'): Count | undefined {
  if (!reader.take(clause)) return undefined;
  const token = reader.token;
  if (token.key === ':') throw bind(token.start);
  const text = reader.textOf(token);
  if (!/^[0-9]{1,10}$/.test(text)) {
    const name = clause.toUpperCase();
    throw new SoqlRefusal(
      'bad_count',
      token.start,
      `${name} takes a whole number of at most ten digits.`,
      `Write ${name} 50.`,
    );
  }
  reader.next();
  return { value: Number(text), at: token.start, end: token.end };
}

/** FOR VIEW and FOR REFERENCE write when a record was last viewed, UPDATE writes statistics, FOR UPDATE locks. */
function refuseEffects(reader: TokenReader): void {
  const { key, start } = reader.token;
  if (key !== 'for' && key !== 'update' && !(key === 'all' && reader.peek(1).key === 'rows')) return;
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
