import type { FieldValue } from '../../domain/action.ts';
import { fromErrorBody, GatehouseError } from '../../domain/errors.ts';
import type { Scope } from '../../domain/link.ts';
import type { Transition } from '../../domain/subscription.ts';
import type { SyncOrg } from '../../ports/sync.ts';
import type { SyncStore } from '../../ports/sync-store.ts';
import { queryPath, quote, toPage } from '../remote/soql-read.ts';
import type { SubscribedRecord } from './subscribed-records.ts';

/** Somebody decided after these records were looked at: what was read may be older than what they know. */
export class Overtaken extends Error {}

/** What is decided about an object, and the number of the last decision before its records were read. */
export interface Look {
  readonly object: string;
  readonly when: Transition;
  readonly looks: number;
}

const PAGE = 2_000;
/** 50 calls. */
const MOST_HOLDERS = 100_000;

const toText = (value: FieldValue): string => String(value).toLowerCase();

/** Which records hold one of the values now: for them nothing becomes so any more. Deleted ones, too: they may come back. */
export async function readHolders(
  org: Pick<SyncOrg, 'composite' | 'refusal'>,
  object: string,
  { field, becomes }: Transition,
): Promise<ReadonlyMap<string, string>> {
  const values = becomes.map((value) => (typeof value === 'string' ? quote(value) : String(value)));
  const holds = becomes.length === 1 ? `${field} = ${values[0]}` : `${field} IN (${values.join(', ')})`;
  const holders = new Map<string, string>();
  for (let last = ''; ; ) {
    const after = last === '' ? '' : ` AND Id > '${last}'`;
    const soql = `SELECT Id, ${field} FROM ${object} WHERE ${holds}${after} ORDER BY Id LIMIT ${PAGE}`;
    const [answer] = await org.composite([{ method: 'GET', id: 'held', path: queryPath(soql, true) }]);
    if (!answer || answer.status >= 300)
      throw fromErrorBody({ error: org.refusal(answer ?? { status: 500, body: [] }).error });
    const { records, next } = toPage(answer);
    for (const record of records) holders.set(String(record.Id), toText(record[field] as FieldValue));
    last = String(records.at(-1)?.Id ?? '');
    if (records.length === 0 || (records.length < PAGE && next === undefined)) return holders;
    if (holders.size >= MOST_HOLDERS)
      throw new GatehouseError(
        'limit_reached',
        `More than ${MOST_HOLDERS.toLocaleString('en')} records of ${object} hold such a value already, and each is to be known.`,
        { next: 'Name values or a field that fewer records hold, such as a checkbox of your own; nothing was saved.' },
      );
  }
}

/** Of these records, which became what the subscription waits for since they were last looked at. In the transaction that tells it. */
export async function decideTransitions(
  inside: SyncStore,
  scope: Scope,
  { object, when, looks }: Look,
  records: readonly SubscribedRecord[],
): Promise<readonly SubscribedRecord[]> {
  // What policy closes is not read, and what is deleted is not told: neither changes what is known.
  const seen = records.flatMap((record) => (record.shown === undefined ? [] : [{ record, value: record.shown }]));
  if (seen.length === 0) return [];
  if (!(await inside.transitions.next(scope, object, when, looks))) throw new Overtaken();
  const wanted = new Set(when.becomes.map(toText));
  const before = await inside.transitions.holders(
    scope,
    object,
    seen.map(({ record }) => record.sfId),
  );
  const after = new Map(
    seen.map(({ record, value }) => [record.sfId, wanted.has(toText(value)) ? toText(value) : null] as const),
  );
  await inside.transitions.put(scope, object, after);
  return seen.flatMap(({ record, value }) => {
    const now = after.get(record.sfId) ?? null;
    if (now === null || now === before.get(record.sfId)) return [];
    return [{ ...record, fields: { ...record.fields, [when.field]: value } }];
  });
}
