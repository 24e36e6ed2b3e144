import type { Condition, ListOperator, Literal, Measured, Operator, Query } from './ast.ts';
import { dateLiteral, isAggregate, looksLikeDateLiteral } from './functions.ts';
import { hintFor, refusal, unquoted } from './hints.ts';
import { rewriteOf } from './moments.ts';
import { readList, readMeasured } from './names.ts';
import { SoqlRefusal } from './refusal.ts';
import type { TokenReader } from './token-reader.ts';

/** WHERE and HAVING. The one that reads a query is given, so that this file and the parser do not import each other. */
interface ConditionRules {
  readonly clause: 'WHERE' | 'HAVING';
  readQuery(): Query;
}

const MAX_VALUES = 1_000;

export function readConditions(reader: TokenReader, rules: ConditionRules): Condition {
  const first = readCondition(reader, rules);
  const joiner = reader.token.key;
  if (joiner !== 'and' && joiner !== 'or') return first;
  const parts = [first];
  while (reader.take(joiner)) parts.push(readCondition(reader, rules));
  if (reader.is('and') || reader.is('or')) {
    throw new SoqlRefusal(
      'mixed_and_or',
      reader.token.start,
      'AND and OR cannot stand side by side.',
      'Put parentheses around one of them: a AND (b OR c).',
    );
  }
  return { kind: joiner, parts, at: first.at };
}

function readCondition(reader: TokenReader, rules: ConditionRules): Condition {
  const at = reader.token.start;
  if (reader.take('not')) return { kind: 'not', part: reader.nest(() => readCondition(reader, rules)), at };
  if (!reader.is('(')) return readComparison(reader, rules);
  reader.next();
  const inside = reader.nest(() => readConditions(reader, rules));
  reader.expect(')');
  return inside;
}

const operators: Readonly<Record<string, Operator>> = {
  '=': '=',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  like: 'LIKE',
};

function readComparison(reader: TokenReader, rules: ConditionRules): Condition {
  const left = readMeasured(reader, 'a field');
  refuseAggregate(left, rules);
  const { key } = reader.token;
  const operator = Object.hasOwn(operators, key) ? operators[key] : undefined;
  if (operator === undefined) return readListComparison(reader, rules, left);
  const text = reader.source.slice(left.at, reader.previousEnd);
  reader.next();
  const right = readValue(reader, { text, operator });
  if (operator === 'LIKE' && right.type !== 'string') {
    throw new SoqlRefusal(
      'like_wants_text',
      right.at,
      'LIKE compares with text.',
      "Write LIKE 'Acme%', or = for other values.",
    );
  }
  return { kind: 'compare', left, operator, right, at: left.at };
}

function refuseAggregate(left: Measured, { clause }: ConditionRules): void {
  if (clause === 'WHERE' && left.kind === 'call' && isAggregate(left.name)) {
    throw new SoqlRefusal(
      'aggregate_in_where',
      left.at,
      'WHERE cannot hold an aggregate.',
      'Move it to HAVING, after GROUP BY.',
    );
  }
}

function readListComparison(reader: TokenReader, rules: ConditionRules, left: Measured): Condition {
  const operator = readListOperator(reader);
  const isSet = operator === 'IN' || operator === 'NOT IN';
  if (!reader.is('(')) {
    if (reader.is(':')) throw bind(reader.token.start);
    throw reader.unexpected("a list such as ('a', 'b')");
  }
  reader.next();
  if (isSet && reader.is('select')) {
    const query = reader.nest(() => rules.readQuery());
    reader.expect(')');
    return { kind: 'semijoin', left, operator, query, at: left.at };
  }
  const values = readList(reader, MAX_VALUES, () => readValue(reader));
  reader.expect(')');
  const stray = isSet ? undefined : values.find((value) => value.type !== 'string' && value.type !== 'null');
  if (stray !== undefined)
    throw new SoqlRefusal(
      'includes_wants_text',
      stray.at,
      `${operator} compares with text.`,
      `Write ${operator} ('a;b', 'c').`,
    );
  return { kind: 'list', left, operator, values, at: left.at };
}

function readListOperator(reader: TokenReader): ListOperator {
  if (reader.take('in')) return 'IN';
  if (reader.take('includes')) return 'INCLUDES';
  if (reader.take('excludes')) return 'EXCLUDES';
  if (!reader.is('not')) throw reader.unexpected('an operator such as =, !=, <, LIKE or IN');
  const after = reader.peek(1);
  if (after.key === 'like') {
    throw new SoqlRefusal(
      'not_like',
      reader.token.start,
      'SOQL has no NOT LIKE.',
      "Put NOT in front: (NOT Name LIKE 'Acme%').",
    );
  }
  reader.next();
  reader.expect('in');
  return 'NOT IN';
}

const plainKinds = {
  string: 'string',
  number: 'number',
  date: 'date',
  datetime: 'datetime',
  time: 'time',
  currency: 'currency',
} as const;

/** What the value is compared with, as written. */
interface Compared {
  readonly text: string;
  readonly operator: Operator;
}

function readValue(reader: TokenReader, compared?: Compared): Literal {
  const token = reader.token;
  const at = token.start;
  if (token.kind === 'word') return readWordValue(reader, compared);
  if (token.key === ':') throw bind(at);
  if (token.kind === 'symbol' || token.kind === 'end') throw reader.unexpected('a value');
  reader.next();
  return { kind: 'literal', type: plainKinds[token.kind], text: reader.textOf(token), at };
}

function readWordValue(reader: TokenReader, compared: Compared | undefined): Literal {
  const token = reader.next();
  const at = token.start;
  const text = reader.textOf(token);
  if (token.key === 'null') return { kind: 'literal', type: 'null', text, at };
  if (token.key === 'true' || token.key === 'false') return { kind: 'literal', type: 'boolean', text, at };
  if (/^[a-z]{3}[0-9]+$/.test(token.key)) return { kind: 'literal', type: 'currency', text, at };
  const name = text.toUpperCase();
  const form = dateLiteral(name, reader.dateLiterals);
  if (form === 'fixed') return { kind: 'literal', type: 'dateLiteral', text: name, at };
  if (form === 'counted')
    return { kind: 'literal', type: 'dateLiteral', text: `${name}:${readDays(reader, name)}`, at };
  if (looksLikeDateLiteral(name)) throw unknownDateLiteral(reader, at, name, compared);
  const hint = hintFor(token.key);
  throw refusal(at, hint?.[0] === 'no_case' || hint?.[0] === 'is_null' ? hint : unquoted);
}

function readDays(reader: TokenReader, name: string): string {
  const wanted = `a whole number, as in ${name}:30`;
  if (!reader.take(':')) throw reader.unexpected(`: and ${wanted}`);
  const text = reader.textOf(reader.token);
  if (!/^[0-9]{1,10}$/.test(text)) throw reader.unexpected(wanted);
  reader.next();
  return text;
}

function unknownDateLiteral(
  reader: TokenReader,
  at: number,
  name: string,
  compared: Compared | undefined,
): SoqlRefusal {
  const count = reader.is(':') ? reader.textOf(reader.peek(1)) : undefined;
  const { now } = reader;
  const rewrite =
    compared === undefined || now === undefined || compared.operator === 'LIKE'
      ? undefined
      : rewriteOf(name, count, compared.text, compared.operator, now);
  return new SoqlRefusal(
    'unknown_date_literal',
    at,
    `${name.slice(0, 40)} is not a date literal that is known here.`,
    rewrite === undefined
      ? 'Use TODAY, THIS_MONTH, LAST_N_DAYS:30 and their like, or a datetime such as 2026-01-31T09:00:00Z.'
      : `Write ${rewrite}`,
  );
}

export function bind(at: number): SoqlRefusal {
  return new SoqlRefusal('bind_variable', at, 'A query holds no variables.', 'Write the value itself.');
}
