import type { Due, Link, LinkSet } from '../../domain/link.ts';
import type { SyncDeps } from '../../ports/sync.ts';

/**
 * Claims links for this process for `leaseMs`. What another one holds is taken only when its lease has stood unchanged for
 * that long before our own eyes: its clock may be minutes away from ours.
 */
export async function claimLinks(
  deps: SyncDeps,
  among: LinkSet,
  what: Due,
  { leaseMs, limit }: { readonly leaseMs: number; readonly limit: number },
): Promise<readonly Link[]> {
  const { store, now, owner } = deps;
  await endOverdue(deps, among, leaseMs);
  return store.links.claim(among, what, { owner, now: now(), until: now() + leaseMs, limit });
}

/** Ends the leases that have stood unchanged for `leaseMs` before our own eyes; the first look begins to watch. */
export async function endOverdue({ store, watch }: SyncDeps, among: LinkSet, leaseMs: number): Promise<void> {
  for (const lease of await store.links.leases(among)) {
    const name = `links of ${among.bot} in ${among.orgId} held by ${lease.owner} until ${lease.until}`;
    if (watch?.hasStood(name, '', leaseMs)) await store.links.endLease(among, lease);
  }
}
