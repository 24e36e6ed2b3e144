/** Query errors quote the query, point with a caret and give row and column. */
import { type Refusal, refuse } from '../refusal.ts';

export function malformed(soql: string, token: string, text: string): Refusal {
  return pointAt('MALFORMED_QUERY', soql, token, text);
}

export function noColumn(soql: string, column: string, entity: string): Refusal {
  const text = `No such column '${column}' on entity '${entity}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`;
  return pointAt('INVALID_FIELD', soql, column, text);
}

export function noRelationship(soql: string, name: string): Refusal {
  const text = `Didn't understand relationship '${name}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.`;
  return pointAt('INVALID_FIELD', soql, name, text);
}

export function noChildRelationship(soql: string, name: string): Refusal {
  const text = `Didn't understand relationship '${name}' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.`;
  return pointAt('INVALID_TYPE', soql, name, text);
}

export function noType(soql: string, name: string): Refusal {
  const text = `sObject type '${name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.`;
  return pointAt('INVALID_TYPE', soql, name, text);
}

export function invalidId(soql: string, field: string, literal: string): Refusal {
  return pointAt('INVALID_QUERY_FILTER_OPERATOR', soql, field, `invalid ID field: ${literal}`, filterStart(soql));
}

export function wrongLiteral(soql: string, field: string, type: string): Refusal {
  const quoting = type === 'string' ? 'should be enclosed in quotes' : 'should not be enclosed in quotes';
  const text = `value of filter criterion for field '${field}' must be of type ${type} and ${quoting}`;
  return pointAt('INVALID_FIELD', soql, field, text, filterStart(soql));
}

export function cannotBe(what: 'filtered' | 'sorted' | 'grouped', soql: string, field: string): Refusal {
  const clause = { filtered: 'WHERE', sorted: 'ORDER BY', grouped: 'GROUP BY' }[what];
  const from = Math.max(0, soql.toUpperCase().lastIndexOf(clause));
  return pointAt('INVALID_FIELD', soql, field, `field '${field}' can not be ${what} in a query call`, from);
}

const filterStart = (soql: string): number => Math.max(0, soql.search(/\bWHERE\b/i));

function pointAt(errorCode: string, soql: string, token: string, text: string, from = 0): Refusal {
  const offset = token === '' ? soql.length : positionOf(soql, token, from);
  const before = soql.slice(0, offset).split('\n');
  const column = before.at(-1)?.length ?? 0;
  const line = soql.split('\n')[before.length - 1] ?? '';
  const start = Math.max(0, column - 40);
  const excerpt = line.slice(start, column + 40);
  const caret = `${' '.repeat(column - start)}^`;
  return refuse(400, errorCode, `\n${excerpt}\n${caret}\nERROR at Row:${before.length}:Column:${column + 1}\n${text}`);
}

function positionOf(soql: string, token: string, from: number): number {
  const escaped = token.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const asWord = /^\w/.test(token) ? new RegExp(`\\b${escaped}\\b`, 'i') : new RegExp(escaped);
  return from + Math.max(0, soql.slice(from).search(asWord));
}
