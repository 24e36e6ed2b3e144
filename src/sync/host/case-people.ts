import type { Link, Scope } from '../../domain/link.ts';
import type { SyncStore } from '../../ports/sync-store.ts';
import { mappingOf } from '../remote/target.ts';

/** Somebody whom a case could not name before: linked after trouble, or living on in another record. */
export function isNewlyKnown(before: Pick<Link, 'state' | 'sfId'>, { kind, state, sfId }: Link): boolean {
  if (kind !== 'party' || state !== 'active' || sfId === null) return false;
  // The people of a new case are linked before it.
  return before.sfId === null ? before.state !== 'new' : before.state !== 'active' || before.sfId !== sfId;
}

/** Their cases owe them a contact role. */
export async function touchCasesOf(
  inside: SyncStore,
  { bot, orgId }: Scope,
  parties: readonly string[],
  now: number,
): Promise<void> {
  if (parties.length === 0) return;
  const { object } = await mappingOf(inside, bot, 'case');
  const cases = await inside.hosts.casesOf(bot, parties);
  const links = await inside.links.byLocal({ bot, orgId }, object, cases);
  await inside.links.touch(
    links.map((link) => link.id),
    'a person of it was linked',
    false,
    now,
  );
}
