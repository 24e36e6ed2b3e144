import type { Fields, FieldValue } from '../../domain/action.ts';
import { digestOf } from '../../domain/canonical-json.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { SyncOrg } from '../../ports/sync.ts';
import type { FeedRow, RecordState } from '../../ports/sync-store.ts';
import { findField, readPath } from '../mapping/compile.ts';
import { lookUp } from '../remote/look-up.ts';
import type { Opened } from '../remote/policy-bounds.ts';
import { toIso } from '../remote/soql-read.ts';
import { describeOf } from '../remote/target.ts';

/** A record of a subscribed object as the org shows it, as far as the bot's policy opens it. */
export interface SubscribedRecord extends RecordState {
  readonly object: string;
  readonly fields: Fields;
  /** What the field of the subscription's transition holds; undefined where there is none, it is closed, or the record is deleted. */
  readonly shown: FieldValue | undefined;
}

export interface Asked {
  readonly object: string;
  readonly fields: readonly string[];
  readonly ids: readonly string[];
  /** The field of the subscription's transition. */
  readonly watched?: string | undefined;
}

/** Reads them together. What the org does not have, or has as another kind of record, is left out. */
export async function readRecords(
  org: SyncOrg,
  opened: Opened,
  asked: readonly Asked[],
): Promise<readonly SubscribedRecord[]> {
  try {
    return await read();
  } catch (error) {
    if (!isRefused(error)) throw error;
    // A field went away since we last looked, and must not hold back everything else of the bot for ever.
    return await read({ isFresh: true }).catch((again: unknown) => {
      if (isRefused(again)) return [];
      throw again;
    });
  }

  async function read(options?: { readonly isFresh: true }): Promise<readonly SubscribedRecord[]> {
    const looks = await Promise.all(
      asked.map(async ({ object, fields, ids, watched }) => {
        if (options) await org.describe(object, options).catch(() => {});
        const { describe, missing } = await describeOf(org, object);
        const isThere = (name: string) => findField(describe, name) !== undefined && opened.isOpen(object, name);
        const names = fields.filter(isThere);
        const extra = watched !== undefined && isThere(watched) ? [watched] : [];
        if (extra.length > 0 && findField(describe, 'IsDeleted')) extra.push('IsDeleted');
        // An Id of another kind of record is no record of this object, whatever the message says.
        const values = [...new Set(ids)].filter((id) => !describe.keyPrefix || id.startsWith(describe.keyPrefix));
        return { object, names, extra, values: missing ? [] : values };
      }),
    );
    const lookups = looks.map(({ object, names, extra, values }) => ({
      object,
      select: [...new Set(['Id', 'SystemModstamp', ...names, ...extra])],
      field: 'Id',
      values,
      all: true,
    }));
    const found = await lookUp(org, lookups, () => {});
    return looks.flatMap(({ object, names, extra: [watched] }, at) =>
      (found[at] ?? []).map((record) => {
        const sfId = String(record.Id);
        const fields = Object.fromEntries(names.map((name) => [name, readPath(record, name)]));
        // Stamps are whole seconds: two changes of one second differ in their values.
        const key = digestOf([record.SystemModstamp, fields]).slice(0, 32);
        const shown = watched === undefined || record.IsDeleted === true ? undefined : readPath(record, watched);
        return { object, sfId, fields, stamp: toIso(String(record.SystemModstamp)), key, shown };
      }),
    );
  }
}

/** Salesforce will not answer this query, however often it is asked. */
const isRefused = (error: unknown): boolean =>
  error instanceof GatehouseError && /^(INVALID|MALFORMED)_/.test(error.salesforce?.code ?? '');

/** A row as it may leave now: what policy closed after it was written is not told any more. Fields of the host's own are. */
export function boundedRow(row: FeedRow, opened: Opened): FeedRow {
  if (row.kind !== 'record' && row.kind !== 'event') return row;
  const isOpen = (name: string) => opened.isOpen(row.object, name);
  const changes = Object.fromEntries(Object.entries(row.changes).filter(([name]) => isOpen(name)));
  return { ...row, changes, ...(row.changed ? { changed: row.changed.filter(isOpen) } : {}) };
}
