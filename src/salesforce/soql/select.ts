import type { Path, Query, Selected, When } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { readAlias, readColumn, readList, readName, readPath } from './names.ts';

export const MAX_COLUMNS = 500;

/** Everything between SELECT and FROM. `readChild` reads a sub-query in parentheses. */
export function readSelect(cursor: Cursor, readChild: () => Query): Selected[] {
  if (cursor.is('distinct') || cursor.is('top')) {
    const after = cursor.peek(1);
    const isField = after.key === 'from' || after.key === ',' || after.key === '.' || after.key === '(';
    if (!isField || (cursor.is('distinct') && after.key === '(')) throw cursor.unexpected('a field');
  }
  return readList(cursor, MAX_COLUMNS, () => readSelected(cursor, readChild));
}

function readSelected(cursor: Cursor, readChild: () => Query): Selected {
  const { start: at, key } = cursor.token;
  if (key === '(') {
    cursor.next();
    if (!cursor.is('select')) throw cursor.unexpected('SELECT');
    const query = cursor.nest(readChild);
    cursor.expect(')');
    return { kind: 'query', query, at };
  }
  const after = cursor.peek(1);
  if (key === 'typeof' && after.kind === 'word' && after.key !== 'from') return readTypeOf(cursor);
  if (key === 'fields' && after.key === '(') return readFieldSet(cursor);
  if (key === 'case' && after.key === 'when') throw cursor.unexpected('a field');
  const value = readColumn(cursor, 'a field');
  const alias = readAlias(cursor);
  return { kind: 'value', value, alias, at };
}

const fieldSets = { all: 'ALL', standard: 'STANDARD', custom: 'CUSTOM' } as const;

function readFieldSet(cursor: Cursor): Selected {
  const at = cursor.next().start;
  cursor.expect('(');
  const { key } = cursor.token;
  if (key !== 'all' && key !== 'standard' && key !== 'custom') throw cursor.unexpected('ALL, STANDARD or CUSTOM');
  cursor.next();
  cursor.expect(')');
  return { kind: 'fields', set: fieldSets[key], at };
}

function readTypeOf(cursor: Cursor): Selected {
  const at = cursor.next().start;
  const path = readPath(cursor, 'a relationship such as What');
  const readFields = () => readList(cursor, MAX_COLUMNS, () => readPath(cursor, 'a field'));
  const whens: When[] = [];
  while (cursor.take('when')) {
    const { start } = cursor.token;
    const object = readName(cursor, 'an object');
    cursor.expect('then');
    whens.push({ object, fields: readFields(), at: start });
  }
  if (whens.length === 0) throw cursor.unexpected('WHEN');
  const otherwise: Path[] = cursor.take('else') ? readFields() : [];
  cursor.expect('end');
  return { kind: 'typeof', path, whens, otherwise, at };
}
