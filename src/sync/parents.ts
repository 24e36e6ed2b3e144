import type { FieldValue } from '../action.ts';
import { fromErrorBody, GatehouseError } from '../errors.ts';
import type { CompiledRule } from '../mapping/compile.ts';
import { findField } from '../mapping/compile.ts';
import type { Refusal } from '../salesforce/connections.ts';
import { claimLinks } from './claim.ts';
import { toParentIndex } from './findings.ts';
import type { Link } from './link.ts';
import { type ParentIndex, parentKey } from './plan.ts';
import type { HostRecord, SyncDeps } from './ports.ts';
import { EXTERNAL_ID, externalKey, type Target } from './target.ts';
import { sendParts, toParts } from './write.ts';

type Asked = ReadonlyMap<string, readonly { readonly rule: CompiledRule; readonly name: FieldValue }[]>;

/** Parents (a person's account) that changed at the host, less those that were chosen by hand or made before. */
export async function parentsToFind(
  { store }: SyncDeps,
  target: Target,
  links: readonly Link[],
  hosts: ReadonlyMap<string, HostRecord>,
): Promise<{ asked: Asked; chosen: ReadonlyMap<string, string> }> {
  const asked = new Map<string, Map<string, { rule: CompiledRule; name: FieldValue }>>();
  for (const rule of target.compiled.rules) {
    if (!rule.parent?.write) continue;
    const names = asked.get(rule.parent.object) ?? new Map<string, { rule: CompiledRule; name: FieldValue }>();
    asked.set(rule.parent.object, names);
    for (const link of links) {
      const host = hosts.get(link.localId);
      const said = host && rule.fromHost(host);
      if (!host || said === undefined || said === null) continue;
      const name = rule.fold(said, host);
      if (name !== null && name !== link.base[rule.key]) names.set(parentKey(rule.parent.object, name), { rule, name });
    }
  }
  const chosen = new Map<string, string>();
  for (const [object, names] of asked) {
    const localIds = [...names.values()].map(({ name }) => String(name).trim().toLowerCase());
    for (const link of await store.links.byLocal(target.scope, object, localIds)) {
      if (link.kind !== 'parent' || link.sfId === null) continue;
      chosen.set(parentKey(object, link.localId), link.sfId);
      names.delete(parentKey(object, link.localId));
    }
    if (names.size === 0) asked.delete(object);
  }
  return { asked: new Map([...asked].map(([object, names]) => [object, [...names.values()]])), chosen };
}

/** Makes the parents that nobody has, where the mapping allows it: one claim per name, so that two never make the same. */
export async function completeParents(
  deps: SyncDeps,
  target: Target,
  asked: Asked,
  found: ReadonlyMap<string, readonly string[]>,
  chosen: ReadonlyMap<string, string>,
  onCall: () => void,
): Promise<ParentIndex> {
  const made = new Map(chosen);
  for (const [object, names] of asked) {
    const missing = names.filter(
      ({ rule, name }) => rule.parent?.write === 'find_or_create' && found.get(parentKey(object, name))?.length === 0,
    );
    if (missing.length > 0) await create(deps, target, object, missing, made, onCall);
  }
  return toParentIndex(found, made);
}

const CLAIM_MS = 60_000;
const WAIT_MS = 200;
const MOST_WAITS = 50;

async function create(
  deps: SyncDeps,
  target: Target,
  object: string,
  missing: readonly { readonly rule: CompiledRule; readonly name: FieldValue }[],
  made: Map<string, string>,
  onCall: () => void,
): Promise<void> {
  const { store, now, newId, wait } = deps;
  const { scope, org } = target;
  const byLocal = new Map(missing.map((one) => [String(one.name).trim().toLowerCase(), one]));
  const at = now();
  await store.links.ensure(
    [...byLocal.keys()].map((localId) => ({
      id: newId(),
      ...scope,
      kind: 'parent' as const,
      object,
      localId,
      extKey: externalKey(scope.bot, object, localId),
      matchKey: null,
      createdAt: at,
      reason: 'parent',
    })),
  );
  const claims: Link[] = [];
  try {
    await claimAll();
    await send(claims.filter((claim) => claim.sfId === null));
  } finally {
    await store.links.release(claims);
  }

  /** Who makes one elsewhere needs a call's time; then its id is there. */
  async function claimAll(): Promise<void> {
    const missing = new Set(byLocal.keys());
    for (let tries = 0; missing.size > 0; tries++) {
      const rows = (await store.links.byLocal(scope, object, [...missing])).filter((row) => row.kind === 'parent');
      for (const { sfId, localId } of rows.filter((row) => row.sfId !== null)) {
        made.set(parentKey(object, localId), sfId ?? '');
        missing.delete(localId);
      }
      const ids = rows.filter((row) => missing.has(row.localId)).map((row) => row.id);
      if (ids.length === 0) return;
      const lease = { leaseMs: CLAIM_MS, limit: ids.length };
      for (const claim of await claimLinks(deps, scope, { due: 'ids', ids }, lease)) {
        claims.push(claim);
        if (claim.sfId !== null) made.set(parentKey(object, claim.localId), claim.sfId);
        missing.delete(claim.localId);
      }
      if (missing.size === 0) return;
      if (tries === MOST_WAITS)
        throw new GatehouseError('conflict', `A ${object} of these records is being made by somebody else.`, {
          next: 'Nothing to do: it is tried again in a moment.',
          retryable: true,
          retryAfterMs: 5_000,
        });
      await wait(WAIT_MS);
    }
  }

  async function send(open: readonly Link[]): Promise<void> {
    const mark = findField(await org.describe(object), EXTERNAL_ID);
    const keyField =
      mark?.externalId && mark.unique && !target.opened.isDenied(object, mark.name) ? mark.name : undefined;
    const parts = toParts(
      open.map((link) => ({
        item: link,
        object,
        id: link.extKey,
        keyField,
        method: keyField ? ('upsert' as const) : ('create' as const),
        fields: {
          [byLocal.get(link.localId)?.rule.parent?.field ?? 'Name']: byLocal.get(link.localId)?.name ?? link.localId,
        },
      })),
      200,
    );
    const finished: Link[] = [];
    let passing: Refusal | undefined;
    for (let first = 0; first < parts.length; first += 5) {
      onCall();
      for (const { item, id, failure } of await sendParts(org, parts.slice(first, first + 5))) {
        if (failure?.then === 'retry' || failure?.then === 'wait') passing = failure;
        finished.push({
          ...item,
          leaseOwner: null,
          leaseUntil: 0,
          ...(failure ? { error: failure.error } : { sfId: id, state: 'active', done: item.dirty }),
        });
      }
    }
    await store.links.save(finished);
    for (const link of finished) if (link.sfId !== null) made.set(parentKey(object, link.localId), link.sfId);
    // Without its account nothing would bring it later.
    if (passing) throw fromErrorBody({ error: passing.error });
  }
}
