/** The SOQL parser, loaded at the first query only: it costs a third of a second. */
import type { Condition, HavingClause, Query, ValueQueryCondition, WhereClause } from '@jetstreamapp/soql-parser-js';
import { malformed } from './refusals.ts';

export type Parse = (soql: string) => Query;

export async function loadParser(): Promise<Parse> {
  const { parseQuery } = await import('@jetstreamapp/soql-parser-js');
  return (soql) => {
    if (soql.length > 100_000) throw malformed(soql, '', 'SOQL statements cannot be longer than 100000 characters.');
    try {
      return parseQuery(soql);
    } catch (error) {
      const found = /found(?::| -->) '([\s\S]*?)'(?: <--)?$/.exec(error instanceof Error ? error.message : '')?.[1];
      throw malformed(soql, found ?? '', `unexpected token: '${found || '<EOF>'}'`);
    }
  };
}

export type Test = (Condition & { field?: string }) | ValueQueryCondition;

/** A condition tree with AND and OR told apart by parentheses, as SOQL demands. */
export type Logic =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Logic[] }
  | { readonly kind: 'not'; readonly part: Logic }
  | { readonly kind: 'test'; readonly test: Test };

type Token = '(' | ')' | 'AND' | 'OR' | 'NOT' | { readonly test: Test };

export function toLogic(clause: WhereClause | HavingClause, soql: string): Logic {
  const tokens = flatten(clause);
  let at = 0;

  function group(): Logic {
    const first = unit();
    const joiner = tokens[at];
    if (joiner !== 'AND' && joiner !== 'OR') return first;
    const parts = [first];
    while (tokens[at] === joiner) {
      at++;
      parts.push(unit());
    }
    const next = tokens[at];
    if (next === 'AND' || next === 'OR') throw malformed(soql, next, `unexpected token: ${next}`);
    return { kind: joiner === 'AND' ? 'and' : 'or', parts };
  }

  function unit(): Logic {
    const token = tokens[at++];
    if (token === 'NOT') return { kind: 'not', part: unit() };
    if (token === '(') {
      const inner = group();
      if (tokens[at++] !== ')') throw malformed(soql, '', "expecting a right parentheses, found '<EOF>'");
      return inner;
    }
    if (typeof token === 'object') return { kind: 'test', test: token.test };
    throw malformed(soql, token ?? '', `unexpected token: '${token ?? '<EOF>'}'`);
  }

  const logic = group();
  if (at < tokens.length) throw malformed(soql, ')', "unexpected token: ')'");
  return logic;
}

/** The parser hands out a chain with parenthesis counts; this is the same as plain tokens. */
function flatten(clause: WhereClause | HavingClause): Token[] {
  const tokens: Token[] = [];
  for (let node: WhereClause | HavingClause | undefined = clause; node; ) {
    const { left } = node;
    const isNegation = 'operator' in node && node.operator === 'NOT';
    tokens.push(...parens('(', left && 'openParen' in left ? left.openParen : 0));
    if (isNegation) tokens.push('NOT');
    else if (left) {
      tokens.push({ test: left });
      tokens.push(...parens(')', 'closeParen' in left ? left.closeParen : 0));
      if ('operator' in node && (node.operator === 'AND' || node.operator === 'OR')) tokens.push(node.operator);
    }
    node = 'right' in node ? node.right : undefined;
  }
  return tokens;
}

function parens<P extends '(' | ')'>(paren: P, count = 0): P[] {
  return new Array<P>(count).fill(paren);
}
