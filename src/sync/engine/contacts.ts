import type { SyncDeps } from '../../ports/sync.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { openTarget, type Target } from '../remote/target.ts';

/** The contacts of these cases' people, by party: those that are linked. */
export async function contactsOf(
  deps: SyncDeps,
  { scope, org }: Target,
  cases: ReadonlyMap<string, HostRecord>,
): Promise<ReadonlyMap<string, string>> {
  const parties = [...new Set([...cases.values()].flatMap((host) => host.parties.map(({ party }) => party)))];
  if (parties.length === 0) return new Map();
  const { object } = await openTarget(deps, scope.bot, org, 'party');
  if (object !== 'Contact') return new Map();
  const links = await deps.store.links.byLocal(scope, object, parties);
  return new Map(
    links.flatMap((link) =>
      link.sfId !== null && link.state === 'active' ? [[link.localId, link.sfId] as const] : [],
    ),
  );
}
