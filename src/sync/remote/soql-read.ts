import { isRecord, recordsIn } from '../../domain/is-record.ts';
import { fromSalesforceTime, hidesFor } from '../../domain/stored-value/times.ts';
import type { CompositeAnswer } from '../../ports/salesforce.ts';
import { findField, type RemoteRecord } from '../mapping/compile.ts';
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
  /** A lead that has become a contact, with its Id where it is shown. */
  readonly converted: { readonly contactId: string | undefined } | undefined;
  readonly record: RemoteRecord;
}

/** What tells that a lead has become somebody else. */
const CONVERTED = ['IsConverted', 'ConvertedContactId'] as const;

export function columnsOf({ compiled, describe, externalId, hasRoles, nameField }: Target): readonly string[] {
  const engine = ['Id', nameField];
  for (const name of ['LastModifiedDate', 'SystemModstamp', 'IsDeleted', 'MasterRecordId', ...CONVERTED])
    if (findField(describe, name)) engine.push(name);
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
    converted: record.IsConverted === true ? { contactId: text('ConvertedContactId') } : undefined,
    record,
  };
}

/** The stamp up to which a row is known: a change of the stamp's own second, after the read, bears the same one. */
export function seenStamp({ stamp }: Pick<RemoteRow, 'stamp'>, readSince: number): string {
  const at = Date.parse(stamp);
  return hidesFor(at, readSince) === 0 ? stamp : new Date(at - 1).toISOString();
}

export const toMs = (stamp: string): number => fromSalesforceTime(stamp) || 0;
export const toIso = (stamp: string): string => new Date(toMs(stamp)).toISOString();

export function quote(value: string): string {
  return `'${value
    // Half a character is no text: nothing could be sent with it.
    .replace(/\p{Cs}/gu, '\ufffd')
    .replace(/[\\'"]/g, '\\$&')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t')}'`;
}

/** What holds these words, as a pattern of LIKE: escaped as SOQL wants it, after the text is quoted and not before. */
export const quoteContaining = (words: string): string => `'%${quote(words).slice(1, -1).replace(/[%_]/g, '\\$&')}%'`;

export function queryPath(soql: string, all = false): string {
  return `/${all ? 'queryAll' : 'query'}?q=${encodeURIComponent(soql)}`;
}

export interface Page {
  readonly records: readonly RemoteRecord[];
  readonly next: string | undefined;
}

export function toPage({ body }: Pick<CompositeAnswer, 'body'>): Page {
  const { records, done, nextRecordsUrl } = isRecord(body) ? body : {};
  const next = done === false && typeof nextRecordsUrl === 'string' ? nextRecordsUrl : undefined;
  return {
    records: recordsIn(records),
    // A path below the version, as composite parts are named.
    next: next?.replace(/^\/services\/data\/v[\d.]+/, ''),
  };
}
