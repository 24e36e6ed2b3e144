import { GatehouseError } from '../domain/errors.ts';
import type { Proposal } from '../domain/proposal.ts';
import type { Store } from '../ports/store.ts';

/** Four eyes: an operator who asked for something (an undo) does not approve it too, unless the policy of the bot lets them. */

export function isOwn({ principal }: Pick<Proposal, 'principal'>, by: string): boolean {
  return by.startsWith('operator:') && principal === by;
}

/** Where the policy does not say: only while nothing real is at stake. */
export async function mayApproveOwn(store: Pick<Store, 'bots' | 'connections'>, bot: string): Promise<boolean> {
  const { selfApproval } = (await store.bots.get(bot))?.policy.proposals ?? {};
  return selfApproval ?? (await store.connections.get(bot))?.environment === 'simulated';
}

/** Throws where whoever says yes is who asked. Declining one's own is always possible. */
export async function requireAnother(
  store: Pick<Store, 'bots' | 'connections' | 'proposals'>,
  id: string,
  by: string,
): Promise<void> {
  const proposal = await store.proposals.get(id);
  if (proposal === undefined || !isOwn(proposal, by) || (await mayApproveOwn(store, proposal.bot))) return;
  throw new GatehouseError('permission_denied', 'You asked for this yourself, so somebody else has to approve it.', {
    next: 'Ask another operator; or have an admin set "selfApproval": true under "proposals" in the policy of the bot.',
  });
}
