import { GatehouseError } from '../errors.ts';
import { findField, type RemoteRecord } from '../mapping/compile.ts';
import type { CompositeAnswer } from '../salesforce/connections.ts';
import type { SyncOrg } from './ports.ts';
import type { Target } from './target.ts';

/** One record as read, with the columns the engine lives on. */
export interface RemoteRow {
  readonly id: string;
  readonly name: string;
  readonly modified: string;
  readonly modifiedAt: number;
  readonly stamp: string;
  readonly isDeleted: boolean;
  readonly masterId: string | undefined;
  readonly externalKey: string | undefined;
  readonly record: RemoteRecord;
}

const MOST_VALUES = 2_000;
const MOST_TEXT = 90_000;
const QUERIES_PER_CALL = 5;

/** One look-up by many values of one field. */
export interface Lookup {
  readonly object: string;
  readonly select: readonly string[];
  readonly field: string;
  readonly values: readonly string[];
  /** Sees deleted rows too. */
  readonly all?: boolean;
  readonly and?: string;
}

/** Answers every look-up in as few calls as the limits allow: five queries a call, 2,000 values or 90,000 characters each. */
export async function lookUp(
  org: SyncOrg,
  lookups: readonly Lookup[],
  onCall: () => void,
): Promise<readonly (readonly RemoteRecord[])[]> {
  const found: RemoteRecord[][] = lookups.map(() => []);
  let paths = lookups.flatMap((lookup, index) =>
    toQueries(lookup).map((soql) => ({ index, path: queryPath(soql, lookup.all) })),
  );
  while (paths.length > 0) {
    const now = paths.slice(0, QUERIES_PER_CALL);
    const rest = paths.slice(QUERIES_PER_CALL);
    onCall();
    const answers = await org.composite(now.map(({ path }, at) => ({ method: 'GET', path, id: `q${at}` })));
    const next: typeof paths = [];
    answers.forEach((answer, at) => {
      const index = now[at]?.index ?? 0;
      const page = toPage(answer);
      for (const record of page.records) found[index]?.push(record);
      if (page.next) next.push({ index, path: page.next });
    });
    paths = [...next, ...rest];
  }
  return found;
}

export function columnsOf({ compiled, describe, externalId, hasRoles, nameField }: Target): readonly string[] {
  const engine = ['Id', nameField, 'LastModifiedDate', 'SystemModstamp'];
  for (const name of ['IsDeleted', 'MasterRecordId']) if (findField(describe, name)) engine.push(name);
  if (externalId) engine.push(externalId);
  const roles = hasRoles
    ? ['(SELECT Id, ContactId, Role, IsPrimary FROM OpportunityContactRoles WHERE IsDeleted = false)']
    : [];
  return [...new Set([...engine, ...compiled.select]), ...roles];
}

export function toRow({ nameField, externalId }: Target, record: RemoteRecord): RemoteRow {
  const text = (name: string) => (typeof record[name] === 'string' ? String(record[name]) : undefined);
  const modified = text('LastModifiedDate') ?? text('SystemModstamp') ?? '';
  return {
    id: text('Id') ?? '',
    name: text(nameField) ?? text('Id') ?? '',
    modified,
    modifiedAt: toMs(modified),
    stamp: toIso(text('SystemModstamp') ?? modified),
    isDeleted: record.IsDeleted === true,
    masterId: text('MasterRecordId'),
    externalKey: externalId ? text(externalId) : undefined,
    record,
  };
}

/** Salesforce writes an offset without a colon. */
export const toMs = (stamp: string): number => Date.parse(stamp.replace(/([+-]\d{2})(\d{2})$/, '$1:$2')) || 0;
export const toIso = (stamp: string): string => new Date(toMs(stamp)).toISOString();

export function quote(value: string): string {
  return `'${value
    .replace(/[\\'"]/g, '\\$&')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t')}'`;
}

export function queryPath(soql: string, all = false): string {
  return `/${all ? 'queryAll' : 'query'}?q=${encodeURIComponent(soql)}`;
}

export interface Page {
  readonly records: readonly RemoteRecord[];
  readonly next: string | undefined;
}

export function toPage({ status, body }: CompositeAnswer): Page {
  if (status !== 200 || !isObject(body) || !Array.isArray(body.records)) throw queryFailed(body);
  const next = body.done === false && typeof body.nextRecordsUrl === 'string' ? body.nextRecordsUrl : undefined;
  // A path below the version, as composite parts are named.
  return { records: body.records.filter(isObject), next: next?.replace(/^\/services\/data\/v[\d.]+/, '') };
}

function toQueries({ object, select, field, values, and }: Lookup): string[] {
  const head = `SELECT ${select.join(', ')} FROM ${object} WHERE ${field} IN (`;
  const tail = `)${and ? ` AND ${and}` : ''}`;
  const queries: string[] = [];
  let some: string[] = [];
  let length = 0;
  for (const value of new Set(values)) {
    const literal = quote(value);
    if (some.length === MOST_VALUES || (some.length > 0 && head.length + length + literal.length > MOST_TEXT)) {
      queries.push(head + some.join(',') + tail);
      some = [];
      length = 0;
    }
    some.push(literal);
    length += literal.length + 1;
  }
  if (some.length > 0) queries.push(head + some.join(',') + tail);
  return queries;
}

function queryFailed(body: unknown): GatehouseError {
  const first: unknown = Array.isArray(body) ? body[0] : undefined;
  const code = isObject(first) ? String(first.errorCode ?? '') : '';
  const said = isObject(first) ? String(first.message ?? '').slice(0, 300) : '';
  const isField = code === 'INVALID_FIELD' || code === 'INVALID_TYPE';
  return new GatehouseError(
    'salesforce_error',
    isField
      ? 'The org does not know a field or object of the mapping.'
      : 'Salesforce did not answer the read of the sync.',
    {
      next: isField
        ? 'Save the mapping again: the check names the field. Or grant the connected user access to it.'
        : 'It is tried again by itself; if it stays, look at what Salesforce says.',
      retryable: !isField,
      salesforce: { code, fields: [], quote: said },
    },
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
