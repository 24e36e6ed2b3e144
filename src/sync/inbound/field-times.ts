import { GatehouseError } from '../../domain/errors.ts';
import type { Scope } from '../../domain/link.ts';
import { KINDS } from '../../domain/mapping.ts';
import type { FieldTimes } from '../../ports/streams.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { SyncStore } from '../../ports/sync-store.ts';
import { toMs } from '../remote/soql-read.ts';
import { mappingOf, openTarget } from '../remote/target.ts';
import type { ChangeEvent } from './change-event.ts';

/** Names of the mapped fields whose times may decide a conflict, of those objects. Policy has closed its own already. */
export async function timedFields(
  deps: Pick<SyncDeps, 'store' | 'policyOf'>,
  bot: string,
  org: SyncOrg,
  objects: ReadonlySet<string>,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const fields = new Map<string, Set<string>>();
  for (const kind of KINDS) {
    if (!objects.has((await mappingOf(deps.store, bot, kind)).object)) continue;
    const target = await openTarget(deps, bot, org, kind).catch(unknownNow);
    if (target === undefined) continue;
    const { object, compiled, refusal } = target;
    const both = refusal ? [] : compiled.rules.filter((rule) => rule.direction === 'both' && !rule.parent);
    const known = fields.get(object) ?? new Set<string>();
    fields.set(object, new Set([...known, ...both.flatMap(({ remote }) => remote)]));
  }
  return fields;
}

/** An object that cannot be looked at holds no other back: its records have no times, and what was known of them is forgotten. */
function unknownNow(error: unknown): undefined {
  if (error instanceof GatehouseError) return undefined;
  throw error;
}

/**
 * Keeps when fields changed, as the events of one channel told it in their order. Anything that is not a plain change of named fields
 * leaves a hole, and what was known before a hole decides nothing any more.
 */
export async function keepFieldTimes(
  inside: SyncStore,
  scope: Scope,
  events: readonly ChangeEvent[],
  timed: ReadonlyMap<string, ReadonlySet<string>>,
  now: number,
): Promise<void> {
  const plain = events.filter(({ kind, object }) => kind === 'change' && timed.has(object));
  const linked = await inside.links.bySf(
    scope,
    plain.flatMap(({ recordIds }) => recordIds),
  );
  const isLinked = new Set(linked.map(({ sfId }) => sfId));
  const known = new Map(
    (
      await inside.fieldTimes.get(
        scope,
        [...isLinked].flatMap((id) => id ?? []),
      )
    ).map((row) => [row.sfId, row]),
  );
  const gone = new Set<string>();
  for (const event of events) {
    for (const sfId of event.recordIds) {
      const after = isLinked.has(sfId) ? told(scope, sfId, event, timed, known.get(sfId), now) : undefined;
      if (after) known.set(sfId, after);
      else known.delete(sfId);
      if (after) gone.delete(sfId);
      else gone.add(sfId);
    }
  }
  await inside.fieldTimes.forget(scope, [...gone]);
  await inside.fieldTimes.put([...known.values()]);
}

function told(
  scope: Scope,
  sfId: string,
  { kind, object, changed, values, committedAt }: ChangeEvent,
  timed: ReadonlyMap<string, ReadonlySet<string>>,
  before: FieldTimes | undefined,
  now: number,
): FieldTimes | undefined {
  const modifiedAt = typeof values.LastModifiedDate === 'string' ? toMs(values.LastModifiedDate) : before?.modifiedAt;
  if (kind !== 'change' || !changed || committedAt === undefined || !modifiedAt) return undefined;
  const names = changed.filter((name) => timed.get(object)?.has(name));
  // Not named among the values: it was cleared.
  const fields = names.map((name) => [name, { value: values[name] ?? null, at: committedAt }] as const);
  return {
    ...scope,
    object,
    sfId,
    modifiedAt,
    fields: { ...before?.fields, ...Object.fromEntries(fields) },
    heardAt: now,
  };
}
