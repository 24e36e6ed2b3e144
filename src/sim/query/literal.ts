/** From the literals of a condition to values that compare with stored ones. */
import { parseDatetime, parseDay, toDatetime, toDay } from '../datetimes.ts';
import { parseId } from '../ids.ts';
import type { Value } from '../table.ts';
import { type Days, daysOf } from './date-literals.ts';
import type { Expression } from './expression.ts';
import { invalidId, malformed, wrongLiteral } from './refusals.ts';
import type { Scope } from './scope.ts';

/** A single value, or a span of days written as a date literal: from `start`, before `end`. */
export type Literal = Value | { readonly start: string; readonly end: string };

export function toLiteral(scope: Scope, expression: Expression, text: string, kind: string | undefined): Literal {
  if (kind === 'NULL') return null;
  if (kind === 'APEX_BIND_VARIABLE') throw malformed(scope.soql, ':', `unexpected token: ':'`);
  switch (expression.type) {
    case 'id':
    case 'reference':
      return idLiteral(scope, expression, text, kind);
    case 'int':
    case 'double':
    case 'currency':
    case 'percent':
      return numberLiteral(scope, expression, text, kind);
    case 'boolean':
      if (kind !== 'BOOLEAN') throw wrongLiteral(scope.soql, expression.name, 'boolean');
      return text.toUpperCase() === 'TRUE';
    case 'date':
    case 'datetime':
      return dayLiteral(scope, expression, text, kind);
    default:
      if (kind !== 'STRING') throw wrongLiteral(scope.soql, expression.name, 'string');
      return unquote(text);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

export function unquote(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/gs, (_, char: string) => ESCAPES[char] ?? char);
}

/** Of a quoted text after LIKE: its characters, and where any one or any number of them may stand. */
export type Pattern = readonly (string | { readonly any: 'one' | 'number' })[];

export function patternOf(text: string): Pattern {
  const parts = text.slice(1, -1).match(/\\.|./gs) ?? [];
  return parts.map((part) => {
    if (part === '%' || part === '_') return { any: part === '%' ? 'number' : 'one' };
    return part.length === 2 ? (ESCAPES[part.slice(1)] ?? part.slice(1)) : part;
  });
}

function idLiteral(scope: Scope, { name }: Expression, text: string, kind: string | undefined): string | null {
  if (kind !== 'STRING') throw wrongLiteral(scope.soql, name, 'string');
  const raw = unquote(text);
  // An empty text compares as null; anything else must be an id.
  if (raw === '') return null;
  const id = parseId(raw);
  if (!id) throw invalidId(scope.soql, name, raw);
  return id;
}

function numberLiteral(scope: Scope, { name, type }: Expression, text: string, kind = ''): number {
  const isNumber = kind.startsWith('INTEGER') || kind.startsWith('DECIMAL');
  if (!isNumber) throw wrongLiteral(scope.soql, name, type === 'int' ? 'int' : 'double');
  return Number(text.replace(/^[A-Za-z]{3}/, ''));
}

function dayLiteral(scope: Scope, { name, type }: Expression, text: string, kind: string | undefined): Literal {
  const isDate = type === 'date';
  if (kind === 'DATE_LITERAL' || kind === 'DATE_N_LITERAL') {
    const days = daysOf(text, scope.org.now());
    if (!days) throw malformed(scope.soql, text, `unexpected token: '${text}'`);
    return bounds(days, isDate);
  }
  const wrong = () => wrongLiteral(scope.soql, name, isDate ? 'date' : 'dateTime');
  if (kind === 'DATE' && isDate) {
    const day = parseDay(text);
    if (!day) throw wrong();
    return day;
  }
  const ms = kind === 'DATETIME' && !isDate ? parseDatetime(text) : undefined;
  if (ms === undefined) throw wrong();
  return toDatetime(ms);
}

function bounds({ start, end }: Days, isDate: boolean): { start: string; end: string } {
  const write = isDate ? toDay : toDatetime;
  return { start: write(start.getTime()), end: write(end.getTime()) };
}
