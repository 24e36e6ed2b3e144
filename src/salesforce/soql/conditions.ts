import type { Condition, ListOperator, Literal, Measured, Operator, Query } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { dateLiteral, isAggregate, looksLikeDateLiteral } from './functions.ts';
import { hintFor, refusal, unquoted } from './hints.ts';
import { rewriteOf } from './moments.ts';
import { readList, readMeasured } from './names.ts';
import { SoqlRefusal } from './refusal.ts';

/** WHERE and HAVING. The one that reads a query is given, so that this file and the parser do not import each other. */
interface ConditionRules {
  readonly clause: 'WHERE' | 'HAVING';
  readQuery(): Query;
}

const MAX_VALUES = 1_000;

export function readConditions(cursor: Cursor, rules: ConditionRules): Condition {
  const first = readCondition(cursor, rules);
  const joiner = cursor.token.key;
  if (joiner !== 'and' && joiner !== 'or') return first;
  const parts = [first];
  while (cursor.take(joiner)) parts.push(readCondition(cursor, rules));
  if (cursor.is('and') || cursor.is('or')) {
    throw new SoqlRefusal(
      'mixed_and_or',
      cursor.token.start,
      'AND and OR cannot stand side by side.',
      'Put parentheses around one of them: a AND (b OR c).',
    );
  }
  return { kind: joiner, parts, at: first.at };
}

function readCondition(cursor: Cursor, rules: ConditionRules): Condition {
  const at = cursor.token.start;
  if (cursor.take('not')) return { kind: 'not', part: cursor.nest(() => readCondition(cursor, rules)), at };
  if (!cursor.is('(')) return readComparison(cursor, rules);
  cursor.next();
  const inside = cursor.nest(() => readConditions(cursor, rules));
  cursor.expect(')');
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

function readComparison(cursor: Cursor, rules: ConditionRules): Condition {
  const left = readMeasured(cursor, 'a field');
  refuseAggregate(left, rules);
  const { key } = cursor.token;
  const operator = Object.hasOwn(operators, key) ? operators[key] : undefined;
  if (operator === undefined) return readListComparison(cursor, rules, left);
  const text = cursor.source.slice(left.at, cursor.previousEnd);
  cursor.next();
  const right = readValue(cursor, { text, operator });
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

function readListComparison(cursor: Cursor, rules: ConditionRules, left: Measured): Condition {
  const operator = readListOperator(cursor);
  const isSet = operator === 'IN' || operator === 'NOT IN';
  if (!cursor.is('(')) {
    if (cursor.is(':')) throw bind(cursor.token.start);
    throw cursor.unexpected("a list such as ('a', 'b')");
  }
  cursor.next();
  if (isSet && cursor.is('select')) {
    const query = cursor.nest(() => rules.readQuery());
    cursor.expect(')');
    return { kind: 'semijoin', left, operator, query, at: left.at };
  }
  const values = readList(cursor, MAX_VALUES, () => readValue(cursor));
  cursor.expect(')');
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

function readListOperator(cursor: Cursor): ListOperator {
  if (cursor.take('in')) return 'IN';
  if (cursor.take('includes')) return 'INCLUDES';
  if (cursor.take('excludes')) return 'EXCLUDES';
  if (!cursor.is('not')) throw cursor.unexpected('an operator such as =, !=, <, LIKE or IN');
  const after = cursor.peek(1);
  if (after.key === 'like') {
    throw new SoqlRefusal(
      'not_like',
      cursor.token.start,
      'SOQL has no NOT LIKE.',
      "Put NOT in front: (NOT Name LIKE 'Acme%').",
    );
  }
  cursor.next();
  cursor.expect('in');
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

function readValue(cursor: Cursor, compared?: Compared): Literal {
  const token = cursor.token;
  const at = token.start;
  if (token.kind === 'word') return readWordValue(cursor, compared);
  if (token.key === ':') throw bind(at);
  if (token.kind === 'symbol' || token.kind === 'end') throw cursor.unexpected('a value');
  cursor.next();
  return { kind: 'literal', type: plainKinds[token.kind], text: cursor.textOf(token), at };
}

function readWordValue(cursor: Cursor, compared: Compared | undefined): Literal {
  const token = cursor.next();
  const at = token.start;
  const text = cursor.textOf(token);
  if (token.key === 'null') return { kind: 'literal', type: 'null', text, at };
  if (token.key === 'true' || token.key === 'false') return { kind: 'literal', type: 'boolean', text, at };
  if (/^[a-z]{3}[0-9]+$/.test(token.key)) return { kind: 'literal', type: 'currency', text, at };
  const name = text.toUpperCase();
  const form = dateLiteral(name, cursor.dateLiterals);
  if (form === 'fixed') return { kind: 'literal', type: 'dateLiteral', text: name, at };
  if (form === 'counted')
    return { kind: 'literal', type: 'dateLiteral', text: `${name}:${readDays(cursor, name)}`, at };
  if (looksLikeDateLiteral(name)) throw unknownDateLiteral(cursor, at, name, compared);
  const hint = hintFor(token.key);
  throw refusal(at, hint?.[0] === 'no_case' || hint?.[0] === 'is_null' ? hint : unquoted);
}

function readDays(cursor: Cursor, name: string): string {
  const wanted = `a whole number, as in ${name}:30`;
  if (!cursor.take(':')) throw cursor.unexpected(`: and ${wanted}`);
  const text = cursor.textOf(cursor.token);
  if (!/^[0-9]{1,10}$/.test(text)) throw cursor.unexpected(wanted);
  cursor.next();
  return text;
}

function unknownDateLiteral(cursor: Cursor, at: number, name: string, compared: Compared | undefined): SoqlRefusal {
  const count = cursor.is(':') ? cursor.textOf(cursor.peek(1)) : undefined;
  const { now } = cursor;
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
