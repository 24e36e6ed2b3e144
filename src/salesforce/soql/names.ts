import type { Call, Measured, Operand, Path } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { takenBy } from './functions.ts';
import { SoqlRefusal } from './refusal.ts';

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
export function readName(cursor: Cursor, expected: string): string {
  if (cursor.token.kind !== 'word' || reserved.has(cursor.token.key)) throw cursor.unexpected(expected);
  return cursor.textOf(cursor.next());
}

export function readPath(cursor: Cursor, expected: string): Path {
  const first = cursor.token;
  const parts = [readName(cursor, expected)];
  while (cursor.is('.')) {
    const dot = cursor.next();
    const part = cursor.token;
    if (part.kind !== 'word' || part.start !== dot.end) throw cursor.unexpected('a name right after the dot');
    parts.push(cursor.textOf(cursor.next()));
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
export function readMeasured(cursor: Cursor, expected: string): Measured {
  const value = readColumn(cursor, expected);
  if (!isBareCount(value)) return value;
  throw new SoqlRefusal('count_needs_field', value.at, 'COUNT() stands alone in SELECT.', 'Write COUNT(Id) here.');
}

export function isBareCount(value: Measured): boolean {
  return value.kind === 'call' && value.name === 'COUNT' && value.args.length === 0;
}

/** What SELECT takes: also COUNT(). */
export function readColumn(cursor: Cursor, expected: string): Measured {
  return cursor.peek(1).key === '(' && cursor.token.kind === 'word'
    ? cursor.nest(() => readCall(cursor))
    : readPath(cursor, expected);
}

function readCall(cursor: Cursor): Call {
  const at = cursor.token.start;
  const written = cursor.textOf(cursor.token);
  const name = written.toUpperCase();
  const takes = takenBy(name);
  if (takes === undefined || takes === 'numbers') {
    if (reserved.has(cursor.token.key) || sqlFunctions.has(cursor.token.key)) throw cursor.unexpected('a field');
    throw new SoqlRefusal(
      'unknown_function',
      at,
      `${written.slice(0, 40)} is not a function that may be used here.`,
      'Use a SOQL aggregate or date function, or the plain field.',
    );
  }
  cursor.next();
  cursor.expect('(');
  const args = takes === 'points' ? readDistance(cursor) : readFieldArgument(cursor, takes === 'nothing or field');
  cursor.expect(')');
  return { kind: 'call', name, args, at };
}

/** Words of SQL that look like a call and have a hint of their own. */
const sqlFunctions = new Set(['exists', 'distinct', 'case', 'contains']);

function readFieldArgument(cursor: Cursor, mayBeEmpty: boolean): Operand[] {
  if (mayBeEmpty && cursor.is(')')) return [];
  return [readMeasured(cursor, 'a field')];
}

/** DISTANCE(Location__c, GEOLOCATION(37.7, -122.4), 'mi') */
function readDistance(cursor: Cursor): Operand[] {
  const from = readPoint(cursor);
  cursor.expect(',');
  const to = readPoint(cursor);
  cursor.expect(',');
  const unit = cursor.token;
  const text = cursor.textOf(unit);
  if (unit.kind !== 'string' || !/^'(?:mi|km)'$/i.test(text)) throw cursor.unexpected("the unit 'mi' or 'km'");
  cursor.next();
  return [from, to, { kind: 'literal', type: 'string', text, at: unit.start }];
}

function readPoint(cursor: Cursor): Operand {
  if (!cursor.is('geolocation') || cursor.peek(1).key !== '(')
    return readPath(cursor, 'a location field or GEOLOCATION(latitude, longitude)');
  const at = cursor.next().start;
  cursor.expect('(');
  const latitude = readNumber(cursor);
  cursor.expect(',');
  const longitude = readNumber(cursor);
  cursor.expect(')');
  return { kind: 'call', name: 'GEOLOCATION', args: [latitude, longitude], at };
}

function readNumber(cursor: Cursor): Operand {
  if (cursor.token.kind !== 'number') throw cursor.unexpected('a number');
  const token = cursor.next();
  return { kind: 'literal', type: 'number', text: cursor.textOf(token), at: token.start };
}

/** The alias that may follow an object or column. */
export function readAlias(cursor: Cursor): string | undefined {
  const token = cursor.token;
  if (token.kind !== 'word' || reservedAliases.has(token.key)) return undefined;
  return cursor.textOf(cursor.next());
}

export function readObjectAlias(cursor: Cursor): string | undefined {
  if (!cursor.take('as')) return readAlias(cursor);
  const alias = readAlias(cursor);
  if (alias === undefined) throw cursor.unexpected('an alias');
  return alias;
}

/** `item, item, ...`, at most `most` of them. */
export function readList<T>(cursor: Cursor, most: number, item: () => T): T[] {
  const items = [item()];
  while (cursor.take(',')) {
    items.push(item());
    if (items.length > most) {
      throw new SoqlRefusal(
        'too_many_items',
        cursor.token.start,
        `A list may hold ${most} items.`,
        'Ask in several queries.',
      );
    }
  }
  return items;
}
