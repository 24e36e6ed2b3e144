import { canonicalJson } from '../domain/canonical-json.ts';
import type { Proposal, ProposalState } from '../domain/proposal.ts';
import type { AuditStore } from '../ports/store.ts';

/**
 * Whoever can write into the database must not decide what is written to Salesforce: everything of a proposal that decides it
 * is signed with a key of this installation when it is asked, shown or answered, and looked at again before anything runs.
 */

/** Keyed with a secret that the database does not hold. */
export type Sign = (text: string) => string;

/** A new part of a proposal must say here whether it decides what is written. */
const DECIDES: Readonly<Record<keyof Proposal, boolean>> = {
  id: true,
  bot: true,
  orgId: true,
  principal: true,
  conversation: true,
  action: true,
  args: true,
  digest: true,
  preview: true,
  reasons: true,
  assurance: true,
  clientDecline: true,
  policyRevision: true,
  visitor: true,
  session: true,
  state: true,
  createdAt: true,
  expiresAt: true,
  decidedBy: true,
  decidedVia: true,
  choice: true,
  // Signed apart: recorded writes grow while the rest stands still.
  effects: false,
  effectsSeal: false,
  seal: false,
  // Who runs it and when, whom it was read as, and what came of it.
  dedupeKey: false,
  decidedAt: false,
  runner: false,
  leaseUntil: false,
  userId: false,
  result: false,
  error: false,
  settledAt: false,
};

/** Signed as one state, because a takeover after a crash moves between them. */
const RUNNING: readonly ProposalState[] = ['approved', 'executing', 'unknown'];

/** States that can still lead to a write. */
export const LIVE: readonly ProposalState[] = ['received', 'pending', 'approved', 'executing', 'unknown'];

/** Code of the audit row of a proposal that ended because somebody else wrote into it. */
export const CHANGED_OUTSIDE = 'changed_outside';

export function sealOf(sign: Sign, proposal: Proposal): string {
  const parts = Object.entries(proposal).filter(
    ([name, part]) => DECIDES[name as keyof Proposal] && part !== null && part !== undefined, // its keys are the parts
  );
  const state = RUNNING.includes(proposal.state) ? 'running' : proposal.state;
  return sign(canonicalJson({ ...Object.fromEntries(parts), state }));
}

export function effectsSealOf(sign: Sign, { id, effects }: Pick<Proposal, 'id' | 'effects'>): string {
  return sign(canonicalJson([id, effects]));
}

export function sealed(sign: Sign, proposal: Proposal): Proposal {
  return { ...proposal, seal: sealOf(sign, proposal), effectsSeal: effectsSealOf(sign, proposal) };
}

/** Whether it is what we stored. One without a seal is not. */
export function isIntact(sign: Sign, proposal: Proposal): boolean {
  return proposal.seal === sealOf(sign, proposal) && proposal.effectsSeal === effectsSealOf(sign, proposal);
}

/** Events after which no proposal lives on; time is none for a visitor's request. */
const ENDS = ['done', 'failed', 'conflict', 'rejected', 'superseded'];

/**
 * Whether the audit tells its end, though the row says that it lives: an older row of ours was put back, with its seals. An end and
 * its audit row are one transaction, so a row that was left alone never lags behind.
 */
export async function hasEnded(
  audit: Pick<AuditStore, 'find'>,
  { id, visitor }: Pick<Proposal, 'id' | 'visitor'>,
): Promise<boolean> {
  const events = visitor === null ? [...ENDS, 'expired'] : ENDS;
  return (await audit.find({ proposal: id, events, limit: 1 })).length > 0;
}
