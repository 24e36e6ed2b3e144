import type { FieldValue } from '../../domain/action.ts';
import { type ErrorBody, fromErrorBody, GatehouseError, toErrorBody } from '../../domain/errors.ts';
import { readsAsReference } from '../../domain/graph-reference.ts';
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
import { type RowOutcome, sendParts, toParts } from '../remote/collection-write.ts';
import { externalKey, keyFieldOf, type Target } from '../remote/target.ts';
import { toFailure } from './acknowledge.ts';
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

/**
 * Makes the parents that nobody has, where the mapping allows it: one claim per name, so that two never make the same. `isFirst`: for one
 * record that is made too; a single parent then waits, to be made in one go with it.
 */
export async function completeParents(
  pass: Pass,
  found: ReadonlyMap<string, FoundParent>,
  chosen: ChosenParents,
  isFirst: boolean,
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
    const { ids, passing } = await create(
      pass,
      object,
      missing,
      isFirst && byObject.size === 1 && missing.length === 1,
    );
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
  isHeld: boolean,
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
    const open = claims.filter((claim) => claim.sfId === null);
    if (isHeld) await hold(open);
    else await send(open);
  } finally {
    await store.links.release(claims.filter(({ id }) => id !== pass.unmade?.link.id));
  }
  return { ids: made, passing };

  /** The pass frees it when it ends, made or not. */
  async function hold([link]: readonly Link[]): Promise<void> {
    if (link === undefined) return;
    const keyField = await keyOf();
    const key = keyField === undefined ? {} : { key: { field: keyField, value: link.extKey } };
    // No value of a host record is like it.
    const place = `a new ${object} ${newId()}`;
    pass.unmade = { link, place, node: { id: 'parent', object, fields: fieldsOf(link), ...key } };
    made.set(link.localId, place);
  }

  async function keyOf(): Promise<string | undefined> {
    return keyFieldOf(await org.describe(object), target.opened);
  }

  function fieldsOf({ localId }: Link): Record<string, string> {
    const one = byLocal.get(localId);
    return { [one?.parent.field ?? 'Name']: plainName(String(one?.name ?? localId)) };
  }

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
    const keyField = await keyOf();
    const isAlone = (link: Link) => Object.values(fieldsOf(link)).some(readsAsReference);
    const parts = toParts(
      open
        .filter((link) => !isAlone(link))
        .map((link) => ({
          ...{ item: link, object, id: link.extKey, keyField, fields: fieldsOf(link) },
          method: keyField ? ('upsert' as const) : ('create' as const),
        })),
      200,
    );
    const finished: Link[] = [];
    let trouble: unknown;
    const settle = (claim: Link, { id, failure }: Answer): void => {
      if (failure?.then === 'wait') trouble ??= fromErrorBody({ error: failure.error });
      if (failure?.then === 'retry') passing = failure.error;
      const link = freed(claim);
      finished.push(failure ? { ...link, error: failure.error } : { ...linkedTo(link, id), done: claim.dirty });
    };
    try {
      for (const link of open.filter(isAlone)) if (trouble === undefined) settle(link, await sendAlone(link, keyField));
    } catch (error) {
      trouble = error;
    }
    for (let first = 0; first < parts.length && trouble === undefined; first += 5) {
      const sent = await sendParts(org, parts.slice(first, first + 5), pass);
      trouble = sent.trouble;
      for (const { item, ...answer } of sent.outcomes) settle(item, answer);
    }
    // What was made is written down before anything that ends the pass.
    await store.links.save(finished.filter(({ sfId }) => trouble === undefined || sfId !== null));
    if (trouble !== undefined) throw trouble;
    for (const link of finished) if (link.sfId !== null) made.set(link.localId, link.sfId);
  }

  async function sendAlone(link: Link, keyField: string | undefined): Promise<Answer> {
    const mark = keyField === undefined ? {} : { mark: { field: keyField, value: link.extKey } };
    pass.onCall();
    try {
      return { id: (await org.create(object, fieldsOf(link), mark)).id, failure: undefined };
    } catch (error) {
      const failure = toFailure(org, error);
      if (failure === 'changed') throw error;
      return { id: '', failure };
    }
  }
}

type Answer = Pick<RowOutcome<Link>, 'id' | 'failure'>;
