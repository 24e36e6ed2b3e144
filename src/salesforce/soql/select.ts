import type { Path, Query, Selected, When } from './ast.ts';
import { readAlias, readColumn, readList, readName, readPath } from './names.ts';
import type { TokenReader } from './token-reader.ts';

export const MAX_COLUMNS = 500;

/** Everything between SELECT and FROM. `readChild` reads a sub-query in parentheses. */
export function readSelect(reader: TokenReader, readChild: () => Query): Selected[] {
  if (reader.is('distinct') || reader.is('top')) {
    const after = reader.peek(1);
    const isField = after.key === 'from' || after.key === ',' || after.key === '.' || after.key === '(';
    if (!isField || (reader.is('distinct') && after.key === '(')) throw reader.unexpected('a field');
  }
  return readList(reader, MAX_COLUMNS, () => readSelected(reader, readChild));
}

function readSelected(reader: TokenReader, readChild: () => Query): Selected {
  const { start: at, key } = reader.token;
  if (key === '(') {
    reader.next();
    if (!reader.is('select')) throw reader.unexpected('SELECT');
    const query = reader.nest(readChild);
    reader.expect(')');
    return { kind: 'query', query, at };
  }
  const after = reader.peek(1);
  if (key === 'typeof' && after.kind === 'word' && after.key !== 'from') return readTypeOf(reader);
  if (key === 'fields' && after.key === '(') return readFieldSet(reader);
  if (key === 'case' && after.key === 'when') throw reader.unexpected('a field');
  const value = readColumn(reader, 'a field');
  const alias = readAlias(reader);
  return { kind: 'value', value, alias, at };
}

const fieldSets = { all: 'ALL', standard: 'STANDARD', custom: 'CUSTOM' } as const;

function readFieldSet(reader: TokenReader): Selected {
  const at = reader.next().start;
  reader.expect('(');
  const { key } = reader.token;
  if (key !== 'all' && key !== 'standard' && key !== 'custom') throw reader.unexpected('ALL, STANDARD or CUSTOM');
  reader.next();
  reader.expect(')');
  return { kind: 'fields', set: fieldSets[key], at };
}

function readTypeOf(reader: TokenReader): Selected {
  const at = reader.next().start;
  const path = readPath(reader, 'a relationship such as What');
  const readFields = () => readList(reader, MAX_COLUMNS, () => readPath(reader, 'a field'));
  const whens: When[] = [];
  while (reader.take('when')) {
    const { start } = reader.token;
    const object = readName(reader, 'an object');
    reader.expect('then');
    whens.push({ object, fields: readFields(), at: start });
  }
  if (whens.length === 0) throw reader.unexpected('WHEN');
  const otherwise: Path[] = reader.take('else') ? readFields() : [];
  reader.expect('end');
  return { kind: 'typeof', path, whens, otherwise, at };
}
