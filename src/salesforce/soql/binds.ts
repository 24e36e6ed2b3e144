import { GatehouseError } from '../../domain/errors.ts';
import type { Literal } from './ast.ts';
import { lex } from './lexer.ts';
import { numberLiteral, textLiteral } from './literals.ts';
import { parseSoql } from './parse.ts';
import { SoqlRefusal } from './refusal.ts';

/**
 * A fixed query with values in the places of its `:names`. The tree of what is sent is compared with the tree of the query as it was
 * checked: whatever a value is made of, it may be another literal of the same type and nothing else.
 */

export interface Bound {
  readonly name: string;
  readonly type: 'text' | 'number' | 'boolean' | 'date' | 'datetime';
  readonly value: string | number | boolean;
}

export function bindSoql(template: string, values: readonly Bound[], dateLiterals?: ReadonlySet<string>): string {
  const places = placesIn(template);
  const valueAt = places.map(({ name, at }) => {
    const value = values.find((one) => one.name === name);
    if (value === undefined)
      throw new SoqlRefusal('bind', at, `:${name} is no input of this query.`, 'Declare an input of that name.');
    return value;
  });
  const checked = filled(
    template,
    places,
    valueAt.map(({ type }) => SAMPLES[type]),
  );
  const tree = parseSoql(checked.text, dateLiterals).query;
  const likes = new Set<number>();
  const found = literalsIn(tree, new Map(checked.starts.map((at, index) => [at, index])), likes);
  const stray = places.findIndex((_, index) => !found.has(index));
  if (stray !== -1)
    throw new SoqlRefusal(
      'bind_place',
      places[stray]?.at ?? 0,
      'A value may stand only where a condition compares with it: not for a field, an object, a direction or a count.',
      'Write it after a comparison, as in WHERE OrderNumber = :orderNumber.',
    );
  const meant = filled(
    template,
    places,
    valueAt.map((value, index) => literalOf(value, likes.has(index))),
  );
  const sent = parseSoql(meant.text, dateLiterals).query;
  if (!isSame(tree, sent, checked.starts, meant.starts)) throw changed();
  return meant.text;
}

interface Place {
  readonly name: string;
  readonly at: number;
  readonly end: number;
}

/** By the guard's own tokens: a colon inside quotes is text, here as there. */
function placesIn(template: string): readonly Place[] {
  const tokens = lex(template);
  return tokens.flatMap((token, index) => {
    const next = tokens[index + 1];
    if (token.key !== ':' || next?.kind !== 'word' || next.start !== token.end) return [];
    return [{ name: template.slice(next.start, next.end), at: token.start, end: next.end }];
  });
}

const SAMPLES: Readonly<Record<Bound['type'], string>> = {
  text: "'x'",
  number: '1',
  boolean: 'TRUE',
  date: '2000-01-01',
  datetime: '2000-01-01T00:00:00.000Z',
};

function filled(template: string, places: readonly Place[], literals: readonly string[]) {
  let text = '';
  let from = 0;
  const starts: number[] = [];
  for (const [index, { at, end }] of places.entries()) {
    text += template.slice(from, at);
    starts.push(text.length);
    text += literals[index] ?? '';
    from = end;
  }
  return { text: text + template.slice(from), starts };
}

function literalOf({ name, type, value }: Bound, isLike: boolean): string {
  switch (type) {
    case 'text': {
      const literal = textLiteral(String(value));
      return isLike ? literal.replace(/[%_]/g, '\\$&') : literal;
    }
    case 'number':
      if (typeof value === 'number' && Number.isFinite(value)) return numberLiteral(value);
      break;
    case 'boolean':
      if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
      break;
    case 'date':
      if (/^\d{4}-\d{2}-\d{2}$/.test(String(value))) return String(value);
      break;
    case 'datetime': {
      const ms = Date.parse(String(value));
      if (!Number.isNaN(ms)) return new Date(ms).toISOString();
    }
  }
  throw new GatehouseError('invalid_input', `The value of ${name} is no ${type}.`, {
    next: 'Ask the user for it once more.',
    fields: [{ name, problem: `is no ${type}` }],
  });
}

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;
const isLiteral = (value: unknown): value is Literal => isNode(value) && value.kind === 'literal';

/** Which of the places are literals that something is compared with; and of these, which LIKE compares. */
function literalsIn(
  node: unknown,
  starts: ReadonlyMap<number, number>,
  likes: Set<number>,
  found = new Set<number>(),
): ReadonlySet<number> {
  if (!isNode(node)) return found;
  const compared: readonly unknown[] =
    node.kind === 'compare' ? [node.right] : node.kind === 'list' && Array.isArray(node.values) ? node.values : [];
  for (const literal of compared) {
    const index = isLiteral(literal) ? starts.get(literal.at) : undefined;
    if (index === undefined) continue;
    found.add(index);
    if (node.operator === 'LIKE') likes.add(index);
  }
  for (const inner of Object.values(node)) literalsIn(inner, starts, likes, found);
  return found;
}

const PLACES: ReadonlySet<string> = new Set(['at', 'end', 'limitAt', 'whereAt', 'whereEnd']);

/** Unlike `sameMeaning`, which leaves LIMIT out, everything but where it stands must be the same, and each value in its own place. */
function isSame(a: unknown, b: unknown, inA: readonly number[], inB: readonly number[]): boolean {
  if (isLiteral(a) && isLiteral(b)) {
    const place = inA.indexOf(a.at);
    if (a.type !== b.type || place !== inB.indexOf(b.at)) return false;
    return place !== -1 || a.text === b.text;
  }
  if (!isNode(a) || !isNode(b)) return a === b;
  const keys = Object.keys(a).filter((key) => !PLACES.has(key));
  const others = Object.keys(b).filter((key) => !PLACES.has(key));
  return keys.length === others.length && keys.every((key) => isSame(a[key], b[key], inA, inB));
}

function changed(): SoqlRefusal {
  return new SoqlRefusal(
    'bind_changes_query',
    0,
    'With these values the query would ask something else; nothing was sent.',
    'Use plain values.',
  );
}
