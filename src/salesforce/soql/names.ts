import type { Call, Measured, Operand, Path } from './ast.ts';
import { takenBy } from './functions.ts';
import { SoqlRefusal } from './refusal.ts';
import type { TokenReader } from './token-reader.ts';

/** Names: fields and their paths, functions, aliases. */

/** Five relationships, the field, and an alias or the object's own name in front. */
const MAX_PARTS = 7;

// Words that are never a field or object. `Group` and `Order` are objects and may.
const reserved = new Set(
  `and as asc by cube desc else excludes false first for from having in includes last like limit not null nulls offset or rollup select true
  using where with`.split(/\s+/),
);
const reservedAliases = new Set([...reserved, ...'all end group on order scope then typeof update when'.split(' ')]);

/** One plain name. */
export function readName(reader: TokenReader, expected: string): string {
  if (reader.token.kind !== 'word' || reserved.has(reader.token.key)) throw reader.unexpected(expected);
  return reader.textOf(reader.next());
}

export function readPath(reader: TokenReader, expected: string): Path {
  const first = reader.token;
  const parts = [readName(reader, expected)];
  while (reader.is('.')) {
    const dot = reader.next();
    const part = reader.token;
    if (part.kind !== 'word' || part.start !== dot.end) throw reader.unexpected('a name right after the dot');
    parts.push(reader.textOf(reader.next()));
  }
  if (parts.length > MAX_PARTS) {
    throw new SoqlRefusal(
      'path_too_long',
      first.start,
      'A path may follow five relationships.',
      'Begin at an object that is nearer.',
    );
  }
  return { kind: 'path', parts, at: first.start };
}

/** A field, or a function of one. */
export function readMeasured(reader: TokenReader, expected: string): Measured {
  const value = readColumn(reader, expected);
  if (!isBareCount(value)) return value;
  throw new SoqlRefusal('count_needs_field', value.at, 'COUNT() stands alone in SELECT.', 'Write COUNT(Id) here.');
}

export function isBareCount(value: Measured): boolean {
  return value.kind === 'call' && value.name === 'COUNT' && value.args.length === 0;
}

/** What SELECT takes: also COUNT(). */
export function readColumn(reader: TokenReader, expected: string): Measured {
  return reader.peek(1).key === '(' && reader.token.kind === 'word'
    ? reader.nest(() => readCall(reader))
    : readPath(reader, expected);
}

function readCall(reader: TokenReader): Call {
  const at = reader.token.start;
  const written = reader.textOf(reader.token);
  const name = written.toUpperCase();
  const takes = takenBy(name);
  if (takes === undefined || takes === 'numbers') {
    if (reserved.has(reader.token.key) || sqlFunctions.has(reader.token.key)) throw reader.unexpected('a field');
    throw new SoqlRefusal(
      'unknown_function',
      at,
      `${written.slice(0, 40)} is not a function that may be used here.`,
      'Use a SOQL aggregate or date function, or the plain field.',
    );
  }
  reader.next();
  reader.expect('(');
  const args = takes === 'points' ? readDistance(reader) : readFieldArgument(reader, takes === 'nothing or field');
  reader.expect(')');
  return { kind: 'call', name, args, at };
}

/** Words of SQL that look like a call and have a hint of their own. */
const sqlFunctions = new Set(['exists', 'distinct', 'case', 'contains']);

function readFieldArgument(reader: TokenReader, mayBeEmpty: boolean): Operand[] {
  if (mayBeEmpty && reader.is(')')) return [];
  return [readMeasured(reader, 'a field')];
}

/** DISTANCE(Location__c, GEOLOCATION(37.7, -122.4), 'mi') */
function readDistance(reader: TokenReader): Operand[] {
  const from = readPoint(reader);
  reader.expect(',');
  const to = readPoint(reader);
  reader.expect(',');
  const unit = reader.token;
  const text = reader.textOf(unit);
  if (unit.kind !== 'string' || !/^'(?:mi|km)'$/i.test(text)) throw reader.unexpected("the unit 'mi' or 'km'");
  reader.next();
  return [from, to, { kind: 'literal', type: 'string', text, at: unit.start }];
}

function readPoint(reader: TokenReader): Operand {
  if (!reader.is('geolocation') || reader.peek(1).key !== '(')
    return readPath(reader, 'a location field or GEOLOCATION(latitude, longitude)');
  const at = reader.next().start;
  reader.expect('(');
  const latitude = readNumber(reader);
  reader.expect(',');
  const longitude = readNumber(reader);
  reader.expect(')');
  return { kind: 'call', name: 'GEOLOCATION', args: [latitude, longitude], at };
}

function readNumber(reader: TokenReader): Operand {
  if (reader.token.kind !== 'number') throw reader.unexpected('a number');
  const token = reader.next();
  return { kind: 'literal', type: 'number', text: reader.textOf(token), at: token.start };
}

/** The alias that may follow an object or column. */
export function readAlias(reader: TokenReader): string | undefined {
  const token = reader.token;
  if (token.kind !== 'word' || reservedAliases.has(token.key)) return undefined;
  return reader.textOf(reader.next());
}

export function readObjectAlias(reader: TokenReader): string | undefined {
  if (!reader.take('as')) return readAlias(reader);
  const alias = readAlias(reader);
  if (alias === undefined) throw reader.unexpected('an alias');
  return alias;
}

/** `item, item, ...`, at most `most` of them. */
export function readList<T>(reader: TokenReader, most: number, item: () => T): T[] {
  const items = [item()];
  while (reader.take(',')) {
    items.push(item());
    if (items.length > most) {
      throw new SoqlRefusal(
        'too_many_items',
        reader.token.start,
        `A list may hold ${most} items.`,
        'Ask in several queries.',
      );
    }
  }
  return items;
}
