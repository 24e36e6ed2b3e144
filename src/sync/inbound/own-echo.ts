import type { Link } from '../../domain/link.ts';
import { KINDS } from '../../domain/mapping.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import { openTarget, type Target } from '../remote/target.ts';
import type { ChangeEvent } from './change-event.ts';

/** Stamps that every write moves. */
const STAMPS = new Set(['LastModifiedDate', 'LastModifiedById', 'SystemModstamp']);

/**
 * Records of which this event tells nothing but what we wrote ourselves. That our name is on it is not enough: a trigger or a flow may
 * have changed more in the same transaction. So every changed value must be one that we sent, or agreed on; all else is looked at.
 */
export function createEchoes(deps: Pick<SyncDeps, 'store' | 'policyOf'>, bot: string, org: SyncOrg) {
  const { store } = deps;
  const scope = { bot, orgId: org.orgId };
  /** The same for all events that came together. */
  let known: Promise<{ readonly subscribed: ReadonlySet<string>; readonly targets: readonly Target[] }> | undefined;
  const look = async () => ({
    subscribed: new Set((await store.subscriptions.list(bot)).map(({ object }) => object)),
    targets: await Promise.all(KINDS.map((kind) => openTarget(deps, bot, org, kind))),
  });

  return {
    /** Ids of the records of which the event tells nothing new. */
    async of(event: ChangeEvent): Promise<ReadonlySet<string>> {
      const { changed } = event;
      if (event.client !== org.clientName || event.kind !== 'change' || changed === undefined) return new Set();
      known ??= look();
      const { subscribed, targets } = await known;
      // Whoever subscribed to the object is told of every change of it, ours too.
      if (subscribed.has(event.object)) return new Set();
      const links = await store.links.bySf(scope, event.recordIds);
      const verdicts = new Map<string, boolean>();
      for (const target of targets.filter(({ object }) => object === event.object)) {
        const mine = links.filter((link) => link.kind === target.kind);
        const ids = mine.map((link) => link.localId);
        const hosts = ids.length === 0 ? [] : await store.hosts.get(bot, target.kind, ids);
        for (const link of mine) {
          const host = hosts.find(({ id }) => id === link.localId);
          const isOwn = host !== undefined && isOurs(target, link, host, event.values, changed);
          // Of two links to one record each must know it.
          if (link.sfId !== null) verdicts.set(link.sfId, isOwn && (verdicts.get(link.sfId) ?? true));
        }
      }
      return new Set([...verdicts].flatMap(([id, isOwn]) => (isOwn ? [id] : [])));
    },
  };
}

function isOurs(
  { compiled, refusal }: Target,
  { base, intents }: Link,
  host: Parameters<Target['compiled']['rules'][number]['fold']>[1],
  values: ChangeEvent['values'],
  changed: readonly string[],
): boolean {
  if (refusal) return false;
  return changed.every((field) => {
    if (STAMPS.has(field)) return true;
    // A parent is read through its Id.
    const isOfParent = compiled.rules.some(({ parent }) => parent && `${parent.relationship}Id` === field);
    if (field.includes('.') || isOfParent) return false;
    return compiled.rules
      .filter(({ remote, also }) => remote.includes(field) || also.includes(field))
      .every((rule) => {
        if (!rule.remote.every((name) => name in values)) return false;
        const raw = rule.fromRemote(values);
        if (raw === undefined) return false;
        const value = raw === null ? null : rule.fold(raw, host);
        return value === base[rule.key] || (intents[rule.key] ?? []).some((intent) => intent.value === value);
      });
  });
}
