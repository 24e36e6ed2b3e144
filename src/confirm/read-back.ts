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
    if (described?.filterable !== true || IN_NO_CONDITION.has(described.type)) continue;
    const as = described.type === 'date' || described.type === 'datetime' ? described.type : undefined;
    where.push({ field, is: value as FieldValue, ...(as === undefined ? {} : { as }) }); // only FieldValues are ever recorded
  }
  const find: Find = { fields: ['Id'], where, limit: 2 };
  const found = await org.find(effect.object, find);
  if (found.length > 1) throw stillUnknown(effect.object);
  return found[0]?.Id;
}

/**
 * The effects of a graph as they stand in the org, with their Ids, where they stand; undefined where nothing of it was written. All or none:
 * a part of them alone is a sign that somebody has been there since, and nobody can tell.
 */
export async function findGraph(
  org: Org,
  group: readonly RecordedWrite[],
): Promise<readonly RecordedWrite[] | undefined> {
  let found = [...group];
  let isThere: boolean | undefined;
  for (const kind of ['create', 'update'] as const)
    for (const [at, one] of group.entries()) {
      if (one.kind !== kind || one.state === 'done') continue;
      found = [...linked(found)];
      const effect = found[at] ?? one;
      const id = kind === 'create' ? await findCreated(org, effect) : await holding(org, effect);
      if (isThere !== undefined && isThere !== (id !== undefined)) throw stillUnknown(one.object);
      isThere = id !== undefined;
      if (id === undefined) {
        // Without its parent's Id a child cannot be looked for: what was written is all or none.
        if (kind === 'create') return undefined;
        continue;
      }
      found[at] = { ...effect, id, state: 'done' };
    }
  return isThere === false ? undefined : linked(found).map((effect) => ({ ...effect, state: 'done' }));
}

/** The Ids of earlier effects in the places that refer to them. */
export function linked(group: readonly RecordedWrite[]): readonly RecordedWrite[] {
  const first = group[0]?.graph ?? 0;
  return group.map((effect) => ({
    ...effect,
    after: Object.fromEntries(
      Object.entries(effect.after).map(([field, value]) => [
        field,
        isReference(value) ? (group[value.from - first]?.id ?? value) : value,
      ]),
    ),
  }));
}

const isReference = (value: unknown): value is { readonly from: number } =>
  typeof value === 'object' && value !== null && typeof (value as { from?: unknown }).from === 'number';

async function holding(org: Org, { object, id, after }: RecordedWrite): Promise<string | undefined> {
  if (id === null) return undefined;
  const record = await org.get(object, id, Object.keys(after)).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  return record !== undefined && (await valuesOf(org, object)).holds(record, after) ? id : undefined;
}

/** Long text cannot be compared, and of a list of several values `=` asks for something else. */
const IN_NO_CONDITION: ReadonlySet<string> = new Set(['textarea', 'multipicklist', 'time']);

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
