import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Link, Scope } from '../../domain/link.ts';
import { type Mapping, type Rule, ruleKey } from '../../domain/mapping.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import type { Follow, SyncStore } from '../../ports/sync-store.ts';
import { endBatch } from './end-batch.ts';

/** What a saved mapping changes for links and batches that are there: stored with it, so that whoever dies amid it is followed by the next. */

type FollowDeps = Pick<SyncDeps, 'store' | 'now' | 'crash'>;

/** Undefined where everything stays. */
export async function toFollow(
  { batches }: Pick<SyncStore, 'batches'>,
  { bot, orgId }: Scope,
  { before, after, version }: { readonly before: Mapping; readonly after: Mapping; readonly version: number },
): Promise<Follow | undefined> {
  const { kind, object } = after;
  const follow = { bot, orgId, kind, version, object, after: null };
  if (before.object !== object) {
    const open = (await batches.list(bot, 50)).filter((run) => run.kind === kind && run.total > 0);
    return { ...follow, keys: [], batches: open.map(({ id }) => id) };
  }
  const old = new Map(before.rules.map((rule) => [ruleKey(rule), rule]));
  const keys = after.rules.filter((rule) => !isSame(old.get(ruleKey(rule)), rule)).map(ruleKey);
  return keys.length === 0 ? undefined : { ...follow, keys, batches: [] };
}

/** To its end, a page of links at a time; answers how many are looked at again. Done twice it is done once. */
export async function followRules(deps: FollowDeps, follow: Follow): Promise<number> {
  const { store, now, crash } = deps;
  const { bot, orgId, kind, object, keys } = follow;
  await endBatches(store, follow, now());
  let count = 0;
  let last = follow.after;
  for (let isMore = keys.length > 0; isMore; ) {
    await crash?.('links-followed');
    const page = await store.links.list(
      { bot, orgId, kind, object },
      { ...(last ? { after: last } : {}), limit: PAGE },
    );
    const end = page.at(-1);
    isMore = end !== undefined && page.length === PAGE;
    last = end === undefined ? last : { localId: end.localId, id: end.id };
    const ids = page.map(({ localId }) => localId);
    count += await store.atomically(async (inside) => {
      // As they are now: a pass may have agreed on something since they were listed.
      const links = await inside.links.lockLocal({ bot, orgId }, object, ids);
      const mine = links.filter((link) => link.kind === kind && link.state !== 'unlinked');
      await inside.links.touch(
        mine.map((link) => link.id),
        'mapping changed',
        true,
        now(),
      );
      for (const link of mine) await inside.links.rebase(link.id, without(link.base, keys));
      if (isMore) await inside.mappings.followed(follow, last);
      return mine.length;
    });
  }
  await store.mappings.followed(follow, undefined);
  return count;
}

/** What processes that died left of it. */
export async function followOn(deps: FollowDeps, scope: Scope): Promise<void> {
  for (const follow of await deps.store.mappings.follows(scope)) await followRules(deps, follow);
}

/** Links that one transaction holds. */
const PAGE = 250;

/** They hold records of the object before, which nobody takes up any more. */
async function endBatches(store: SyncStore, { bot, batches }: Follow, at: number): Promise<void> {
  const note = 'The mapping names another object now: start a new batch.';
  for (const id of batches) {
    const run = await store.batches.get(bot, id);
    if (run !== undefined) await endBatch(store, run, ['running', 'paused'], { note, at });
  }
}

const isSame = (a: Rule | undefined, b: Rule): boolean => canonicalJson(a) === canonicalJson(b);

function without(base: Link['base'], keys: readonly string[]): Link['base'] {
  return Object.fromEntries(Object.entries(base).filter(([key]) => !keys.includes(key)));
}
