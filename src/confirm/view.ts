import { fromErrorBody } from '../domain/errors.ts';
import {
  declineOf,
  type Envelope,
  isDeclinedInClient,
  MOST_REASON,
  type Proposal,
  type ProposalState,
  type ProposalView,
  summaryOf,
} from '../domain/proposal.ts';
import { quoted } from '../domain/safe-text.ts';

/** How a proposal looks from outside. */

const STATUS: Readonly<Record<Exclude<ProposalState, 'failed'>, Envelope['status']>> = {
  received: 'waiting',
  pending: 'waiting',
  approved: 'waiting',
  executing: 'waiting',
  done: 'done',
  rejected: 'declined',
  expired: 'expired',
  superseded: 'expired',
  conflict: 'conflict',
  unknown: 'unknown',
};

/** Throws the stored error of a failed one: failure is an error on every door, the other ends are outcomes. */
export function toEnvelope(proposal: Proposal, link: string): Envelope {
  if (proposal.state === 'failed') {
    if (proposal.error === null) throw new Error(`proposal ${proposal.id} failed without an error`);
    throw fromErrorBody(proposal.error);
  }
  // The model sees its client's no as declined, until a signed-in person approves.
  const status = isDeclinedInClient(proposal) ? 'declined' : STATUS[proposal.state];
  if (status === 'done') return { status, ...(proposal.result === null ? {} : { result: proposal.result }) };
  return { status, proposal: toView(proposal, link) };
}

export function toView(proposal: Proposal, link: string): ProposalView {
  const { preview } = proposal;
  const decline = declineOf(proposal);
  return {
    id: proposal.id,
    state: proposal.state,
    action: proposal.action,
    assurance: proposal.assurance,
    summary: summaryOf(proposal),
    changes: preview?.changes ?? [],
    reasons: proposal.reasons,
    ...(preview?.warnings === undefined || preview.warnings.length === 0 ? {} : { warnings: preview.warnings }),
    ...(preview?.choices === undefined ? {} : { choices: preview.choices }),
    ...(preview?.query === undefined ? {} : { query: toldOf(preview.query) }),
    ...(preview?.target === undefined ? {} : { target: preview.target }),
    ...(proposal.error === null
      ? {}
      : { problem: { message: proposal.error.error.message, next: proposal.error.error.next } }),
    ...(isDeclinedInClient(proposal) ? { declinedInClient: true } : {}),
    ...(decline?.isTold ? { declineReason: quoted(decline.reason, MOST_REASON) } : {}),
    link,
    expiresAt: new Date(proposal.expiresAt).toISOString(),
  };
}

function toldOf({ expects: _, ...query }: NonNullable<ProposalView['query']>): NonNullable<ProposalView['query']> {
  return query;
}
