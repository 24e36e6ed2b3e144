import type { Condition, FieldValue, Find } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { prefixesOf, toId18 } from '../../domain/salesforce-id.ts';
import { fromSalesforceTime } from '../../domain/stored-value/times.ts';
import { numberLiteral, textLiteral } from '../soql/literals.ts';

/** SOQL for the port's `find`: names pass a strict pattern, values are escaped, nothing else can get in. Pure. */

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,79}$/;
const PATH = /^[A-Za-z][A-Za-z0-9_]{0,79}(\.[A-Za-z][A-Za-z0-9_]{0,79}){0,5}$/;
/** More than one page of Salesforce's: the org follows them. */
const MOST_ROWS = 50_000;

export function objectName(name: string): string {
  if (NAME.test(name)) return name;
  throw badName('object', name);
}

export function fieldPath(path: string): string {
  if (PATH.test(path)) return path;
  throw badName('field', path);
}

export function toSoql(object: string, find: Find): string {
  const fields = [...new Set(['Id', ...find.fields.map(fieldPath)])];
  const where = find.where.map((condition) => toCondition(object, condition));
  const order = find.orderBy
    ? ` ORDER BY ${fieldPath(find.orderBy.field)}${find.orderBy.descending ? ' DESC' : ''} NULLS LAST`
    : '';
  const limit = Math.min(MOST_ROWS, Math.max(1, Math.floor(find.limit)));
  return `SELECT ${fields.join(', ')} FROM ${objectName(object)}${where.length > 0 ? ` WHERE ${where.join(' AND ')}` : ''}${order} LIMIT ${limit}`;
}

function toCondition(object: string, condition: Condition): string {
  const field = fieldPath(condition.field);
  if ('since' in condition) return `${field} >= ${datetime(condition.since)}`;
  if ('is' in condition) {
    const { is, as } = condition;
    if (as !== undefined && is !== null) return `${field} = ${as === 'date' ? day(String(is)) : datetime(String(is))}`;
    return `${field} = ${literal(field === 'Id' && typeof is === 'string' ? ownId(object, is) : is)}`;
  }
  // An empty list matches nothing, but SOQL cannot say it so.
  return condition.in.length === 0 ? 'Id = null' : `${field} IN (${condition.in.map(literal).join(', ')})`;
}

/** An Id of this very object, checked before it costs a request (A3). */
function ownId(object: string, text: string): string {
  const verdict = toId18(text, prefixesOf(object));
  if ('id' in verdict) return verdict.id;
  throw new GatehouseError('invalid_input', `This is not the Id of a record of ${object}.`, {
    next: `The id ${verdict.problem}. Ask the user, or look the record up by its name.`,
    fields: [{ name: 'id', problem: verdict.problem }],
  });
}

function literal(value: FieldValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return numberLiteral(value);
    throw new GatehouseError('invalid_input', 'A number in a condition is not finite.', {
      next: 'Use an ordinary number.',
    });
  }
  return textLiteral(value);
}

function day(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new GatehouseError('invalid_input', 'A day in a condition is not an ISO date.', {
    next: 'Write it like 2026-05-01.',
  });
}

function datetime(text: string): string {
  const ms = fromSalesforceTime(text);
  if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  throw new GatehouseError('invalid_input', 'A time in a condition is not an ISO date and time.', {
    next: 'Write it like 2026-05-01T08:00:00Z.',
  });
}

function badName(kind: string, name: string): GatehouseError {
  return new GatehouseError(
    'invalid_input',
    `This is not the API name of ${kind === 'object' ? 'an object' : 'a field'}.`,
    {
      next: 'API names have letters, digits and underscores, and custom ones end in __c.',
      fields: [
        { name: name.slice(0, 80), problem: `is not the API name of ${kind === 'object' ? 'an object' : 'a field'}` },
      ],
    },
  );
}
