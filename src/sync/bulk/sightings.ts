import type { Link } from '../../domain/link.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { lookupOf, lookupValue, marksOf, type Target } from '../remote/target.ts';
import { TextCounts } from './text-counts.ts';

/** What one look at a whole object showed: enough to say of a record that nothing there could be it. */
export interface Sightings {
  readonly at: number;
  /** True only where no record of the org has its look-up value or its mark. */
  isAlone(target: Target, link: Marked, host: HostRecord): boolean;
  /** Records of the org that could be it: none, one, or several. */
  alike(target: Target, link: Marked, host: HostRecord): 0 | 1 | 2;
  /** Records that were read. */
  readonly count: number;
}

type Marked = Pick<Link, 'extKey' | 'localId'>;

/** Salesforce's largest page of a query job's answer. */
const PAGE_ROWS = 250_000;

/**
 * Reads look-up values and marks of every record by one query job. Only hashes are kept, eight bytes each: where two texts share one,
 * a record is looked for by itself that need not be, and nothing else happens.
 */
export async function readSightings(
  target: Target,
  now: () => number,
  onCall: () => void,
  onJob?: (id: string) => Promise<void>,
): Promise<Sightings> {
  const { object, externalId, lookup, org, compiled } = target;
  const fields = [lookup.field, externalId].flatMap((field) => field ?? []);
  const at = now();
  const seen = new TextCounts();
  let count = 0;
  if (fields.length > 0) {
    const where = fields.map((field) => `${field} != null`).join(' OR ');
    const soql = `SELECT ${fields.join(', ')} FROM ${object} WHERE ${where}`;
    for await (const row of org.bulk.query(soql, { pageSize: PAGE_ROWS, onCall, ...(onJob ? { onJob } : {}) })) {
      count++;
      const mark = externalId === undefined ? '' : (row[externalId] ?? '');
      if (mark !== '') seen.add(`mark ${mark}`);
      const value = lookup.field === undefined ? '' : lookupOf(compiled.mapping, row);
      if (value !== '') seen.add(`value ${value}`);
    }
  }
  const namesOf = (now: Target, link: Marked, host: HostRecord) => {
    const value = lookupValue(now.compiled.mapping, host);
    return [...marksOf(now, link).map((mark) => `mark ${mark}`), ...(value === undefined ? [] : [`value ${value}`])];
  };
  return {
    at,
    count,
    isAlone: (...one) => namesOf(...one).every((name) => !seen.has(name)),
    // Mark and look-up value may be of one record.
    alike: (...one) => namesOf(...one).reduce<0 | 1 | 2>((most, name) => larger(most, seen.count(name)), 0),
  };
}

const larger = (one: 0 | 1 | 2, other: 0 | 1 | 2) => (one > other ? one : other);
