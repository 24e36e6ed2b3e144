import type { SObject } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import { fromSalesforceTime, HIDES_MS, hidesFor } from '../domain/stored-value/times.ts';
import type { ObjectValues } from './object-values.ts';
import { changedMeanwhile, changesNow } from './refusals.ts';
import type { WriteOnceDeps } from './write-deps.ts';

/** The time to write on condition of: one whose second is over. Whoever changed the record since the look gets a conflict. */
export function createSettledTime({ org, readSince, sleep }: Pick<WriteOnceDeps, 'org' | 'readSince' | 'sleep'>) {
  return async function settledTime(object: string, record: SObject, values: ObjectValues): Promise<string> {
    let since = lastModified(record);
    let readAt = readSince();
    for (let looks = 0; ; looks += 1) {
      const hides = hidesFor(fromSalesforceTime(since), readAt);
      if (hides === 0) return since;
      // Twice the guard: Salesforce's clock went back, and the record's time lies in its future.
      if (looks === MOST_LOOKS || hides > 2 * HIDES_MS) throw changesNow(object);
      await sleep(hides);
      readAt = org.clock();
      const read = Object.keys(record).filter((field) => field !== 'Id' && !isNested(record[field]));
      const fresh = await org.get(object, record.Id, read);
      const others = read.filter(
        (field) => !STAMPS.includes(field) && !values.isSame(field, fresh[field], record[field]),
      );
      if (others.length > 0) throw changedMeanwhile(object, others);
      if (lastModified(fresh) === since) return since;
      since = lastModified(fresh);
    }
  };
}

const MOST_LOOKS = 3;
/** Move with every save. */
const STAMPS: readonly string[] = ['LastModifiedDate', 'SystemModstamp'];

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function lastModified(record: SObject): string {
  const value = record.LastModifiedDate;
  if (typeof value !== 'string')
    throw new GatehouseError('internal', 'An update was tried on a record that was not read with LastModifiedDate.', {
      next: 'Read LastModifiedDate together with the fields that the action changes.',
    });
  return value;
}
