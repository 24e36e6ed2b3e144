import type { Candidate } from '../../domain/errors.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { isRecord, recordsIn } from '../../domain/is-record.ts';
import type { SyncOrg } from '../../ports/sync.ts';
import { findField } from '../mapping/compile.ts';
import type { Opened } from './policy-bounds.ts';
import { queryPath, quoteContaining } from './soql-read.ts';

const NAMES = ['Name', 'CaseNumber', 'Subject'] as const;
/** Beside the name: what tells two of one name apart. */
const HINTS = ['Email', 'Phone', 'AccountNumber', 'StageName', 'BillingCity'] as const;
const MOST_FOUND = 20;

/** Records of an object that a person may mean by these words, as far as the bot's policy opens them. */
export async function searchRecords(
  org: SyncOrg,
  opened: Opened,
  object: string,
  words: string,
): Promise<readonly Candidate[]> {
  const describe = await org.describe(object);
  const open = (names: readonly string[]) =>
    names.filter((name) => findField(describe, name) !== undefined && opened.isOpen(describe.name, name));
  const [name] = open(NAMES);
  if (name === undefined)
    throw new GatehouseError('permission_denied', `${object} is not open to this bot to be searched by name.`, {
      next: "Open it in the bot's policy, or give the record's Id.",
    });
  const hints = open(HINTS);
  const asked = [name, ...hints].filter((field) => findField(describe, field)?.filterable === true);
  const like = quoteContaining(words);
  const where = asked
    .filter((field) => ['string', 'email', 'phone'].includes(findField(describe, field)?.type ?? ''))
    .map((field) => `${field} LIKE ${like}`);
  const soql = `SELECT ${[...new Set(['Id', name, ...hints])].join(', ')} FROM ${describe.name} WHERE ${where.join(' OR ')} ORDER BY ${name} LIMIT ${MOST_FOUND}`;
  const [answer] = await org.composite([{ method: 'GET', path: queryPath(soql), id: 'search' }]);
  if (answer?.status !== 200 || !isRecord(answer.body)) {
    const { error } = org.refusal({ status: answer?.status ?? 500, body: answer?.body ?? [] });
    throw new GatehouseError(error.code, error.message, { ...error, next: error.next });
  }
  return recordsIn(answer.body.records).flatMap((record) => {
    if (typeof record.Id !== 'string') return [];
    const told = hints.flatMap((field) => (typeof record[field] === 'string' ? [record[field]] : []));
    const shown = typeof record[name] === 'string' ? record[name] : record.Id;
    return [{ id: record.Id, name: shown, ...(told.length > 0 ? { hint: told.join(' · ') } : {}) }];
  });
}
