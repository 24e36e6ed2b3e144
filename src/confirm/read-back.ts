import type { Condition, FieldValue, Find, Salesforce } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import { EXTERNAL_ID } from '../domain/external-id.ts';
import type { RecordedWrite } from '../domain/proposal.ts';
import { HIDES_MS } from '../domain/stored-value/times.ts';
import type { Org } from '../ports/salesforce.ts';
import { valuesOf } from './object-values.ts';
import { stillUnknown } from './refusals.ts';

/** What the org says of a write: of one whose answer is missing, and of what was written before. */

/** The record of a create whose answer was lost: by its mark, or the same values created since. Two such records: unknown. */
export async function findCreated(org: Org, effect: RecordedWrite): Promise<string | undefined> {
  if (effect.mark !== null) {
    const where = [{ field: EXTERNAL_ID, is: effect.mark }];
    return (await org.find(effect.object, { fields: ['Id'], where, limit: 1 }))[0]?.Id;
  }
  const { fields } = await org.describe(effect.object);
  // By the org's clock as the writer knew it: whoever looks may be another process, whose own clock says nothing of then.
  const since = (effect.orgAt ?? effect.at) - HIDES_MS;
  const where: Condition[] = [{ field: 'CreatedDate', since: new Date(since).toISOString() }];
  for (const [field, value] of Object.entries(effect.after)) {
    const described = fields.find(({ name }) => name === field);
    if (described?.filterable === true && described.type !== 'textarea') where.push({ field, is: value as FieldValue }); // only FieldValues are ever recorded
  }
  const find: Find = { fields: ['Id'], where, limit: 2 };
  const found = await org.find(effect.object, find);
  if (found.length > 1) throw stillUnknown(effect.object);
  return found[0]?.Id;
}

/** Undefined where nobody can say. */
export function isGone(org: Org, object: string, id: string): Promise<boolean | undefined> {
  return org.get(object, id, ['Id']).then(
    () => false,
    (error: unknown) => isNotFound(error) || undefined,
  );
}

/** Whether the org still holds what these effects wrote. One read per record. */
export async function stillHeld(
  org: Pick<Salesforce, 'get' | 'describe'>,
  effects: readonly RecordedWrite[],
): Promise<boolean> {
  for (const { kind, id, object, after, state } of effects) {
    // Asked twice within minutes, the code of the org has run once.
    if (kind === 'invoke' && state === 'done') continue;
    if (state !== 'done' || id === null || kind === 'remove') return false;
    const record = await org.get(object, id, Object.keys(after)).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (record === undefined || !(await valuesOf(org, object)).holds(record, after)) return false;
  }
  return true;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof GatehouseError && error.code === 'not_found';
}
