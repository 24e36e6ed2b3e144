import type { FieldValue } from '../../domain/action.ts';
import { type ErrorBody, fromErrorBody, GatehouseError, toErrorBody } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import { freed, linkedTo } from '../../domain/link-transitions.ts';
import { foldedName, plainName } from '../../domain/stored-value/text.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import type { CompiledRule } from '../mapping/compile.ts';
import {
  type AskedParent,
  type AskedParents,
  type ChosenParents,
  type FoundParent,
  toParentIndex,
} from '../merge/found-parents.ts';
import { type ParentIndex, parentKey } from '../merge/plan.ts';
import { sendParts, toParts } from '../remote/collection-write.ts';
import { externalKey, keyFieldOf, type Target } from '../remote/target.ts';
import { claimLinks } from './claims.ts';
import type { Pass } from './pass.ts';

/** Parents (a person's account) that changed at the host, less those that were chosen by hand or made before. */
export async function parentsToFind(
  { store }: SyncDeps,
  target: Target,
  links: readonly Link[],
  hosts: ReadonlyMap<string, HostRecord>,
): Promise<{ asked: AskedParents; chosen: ChosenParents }> {
  const asked = new Map<string, AskedParent>();
  for (const rule of target.compiled.rules) {
    const { parent } = rule;
    if (!parent?.write) continue;
    for (const link of links) {
      const name = nameAt(rule, link, hosts.get(link.localId));
      if (name !== undefined) asked.set(parentKey(parent, name), { parent, name });
    }
  }
  const chosen = new Map<string, string | null>();
  const objects = new Set([...asked.values()].flatMap(({ parent }) => parent.objects));
  for (const object of objects) {
    const mine = [...asked].filter(([, { parent }]) => parent.objects.includes(object));
    // Of earlier versions, links stand under the name with the spaces it had; what was chosen since comes last.
    const localIds = mine.flatMap(([, { name }]) => [foldedName(name), String(name).trim().toLowerCase()]);
    const links = await store.links.byLocal(target.scope, object, [...new Set(localIds)]);
    const isOfNow = ({ localId }: Link) => Number(foldedName(localId) === localId);
    for (const link of links.toSorted((one, other) => isOfNow(one) - isOfNow(other))) {
      if (link.kind !== 'parent' || (link.sfId === null && link.state !== 'unlinked')) continue;
      for (const [key, { name }] of mine) {
        if (foldedName(name) !== foldedName(link.localId)) continue;
        chosen.set(key, link.sfId);
        asked.delete(key);
      }
    }
  }
  return { asked, chosen };
}

/** The name of a parent that changed at the host. A value that cannot be read is left to the plan, which reports it. */
function nameAt(rule: CompiledRule, link: Link, host: HostRecord | undefined): FieldValue | undefined {
  try {
    const said = host && rule.fromHost(host);
    if (!host || said === undefined || said === null) return undefined;
    const name = rule.fold(said, host);
    return name === null || name === link.base[rule.key] ? undefined : name;
  } catch {
    return undefined;
  }
}

/** Makes the parents that nobody has, where the mapping allows it: one claim per name, so that two never make the same. */
export async function completeParents(
  pass: Pass,
  found: ReadonlyMap<string, FoundParent>,
  chosen: ChosenParents,
): Promise<ParentIndex> {
  const made = new Map(chosen);
  const later = new Map<string, { readonly later: ErrorBody['error'] }>();
  const byObject = new Map<string, [string, AskedParent][]>();
  for (const [key, one] of found) {
    const [object] = one.parent.objects;
    if (object === undefined || one.parent.write !== 'find_or_create' || one.ids.length > 0 || one.refused) continue;
    byObject.set(object, [...(byObject.get(object) ?? []), [key, one]]);
  }
  for (const [object, missing] of byObject) {
    const { ids, passing } = await create(pass, object, missing);
    for (const [key, { name }] of missing) {
      const id = ids.get(foldedName(name));
      if (id !== undefined) made.set(key, id);
      // Written without its account now, a record would never get it: so it waits.
      else if (passing) later.set(key, { later: passing });
    }
  }
  return new Map([...toParentIndex(found, made), ...later]);
}

const CLAIM_MS = 60_000;
const WAIT_MS = 200;
const MOST_WAITS = 50;

async function create(
  pass: Pass,
  object: string,
  missing: readonly (readonly [string, AskedParent])[],
): Promise<{ readonly ids: ReadonlyMap<string, string>; readonly passing: ErrorBody['error'] | undefined }> {
  const { deps, target } = pass;
  const { store, now, newId, wait } = deps;
  const { scope, org } = target;
  const made = new Map<string, string>();
  const byLocal = new Map(missing.map(([, one]) => [foldedName(one.name), one]));
  let passing: ErrorBody['error'] | undefined;
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
  return { ids: made, passing };

  /** Waits up to ten seconds for a parent that another process is creating. */
  async function claimAll(): Promise<void> {
    const missing = new Set(byLocal.keys());
    for (let tries = 0; missing.size > 0; tries++) {
      const rows = (await store.links.byLocal(scope, object, [...missing])).filter((row) => row.kind === 'parent');
      for (const { sfId, localId } of rows.filter((row) => row.sfId !== null)) {
        made.set(localId, sfId ?? '');
        missing.delete(localId);
      }
      const ids = rows.filter((row) => missing.has(row.localId)).map((row) => row.id);
      if (ids.length === 0) return;
      const lease = { leaseMs: CLAIM_MS, limit: ids.length };
      for (const claim of await claimLinks(deps, scope, { due: 'ids', ids }, lease)) {
        claims.push(claim);
        if (claim.sfId !== null) made.set(claim.localId, claim.sfId);
        missing.delete(claim.localId);
      }
      if (missing.size === 0) return;
      if (tries === MOST_WAITS) {
        const busy = new GatehouseError('conflict', `A ${object} of this record is being made by somebody else.`, {
          next: 'Nothing to do: it is tried again in a moment.',
          retryable: true,
        });
        passing = toErrorBody(busy).error;
        return;
      }
      await wait(WAIT_MS);
    }
  }

  async function send(open: readonly Link[]): Promise<void> {
    const keyField = keyFieldOf(await org.describe(object), target.opened);
    const parts = toParts(
      open.map((link) => ({
        item: link,
        object,
        id: link.extKey,
        keyField,
        method: keyField ? ('upsert' as const) : ('create' as const),
        fields: {
          [byLocal.get(link.localId)?.parent.field ?? 'Name']: plainName(
            String(byLocal.get(link.localId)?.name ?? link.localId),
          ),
        },
      })),
      200,
    );
    const finished: Link[] = [];
    let trouble: unknown;
    for (let first = 0; first < parts.length && trouble === undefined; first += 5) {
      const sent = await sendParts(org, parts.slice(first, first + 5), pass);
      trouble = sent.trouble;
      for (const { item, id, failure } of sent.outcomes) {
        if (failure?.then === 'wait') trouble ??= fromErrorBody({ error: failure.error });
        if (failure?.then === 'retry') passing = failure.error;
        const link = freed(item);
        finished.push(failure ? { ...link, error: failure.error } : { ...linkedTo(link, id), done: item.dirty });
      }
    }
    // What was made is written down before anything that ends the pass.
    await store.links.save(finished.filter(({ sfId }) => trouble === undefined || sfId !== null));
    if (trouble !== undefined) throw trouble;
    for (const link of finished) if (link.sfId !== null) made.set(link.localId, link.sfId);
  }
}
