import type { FieldValue, Preview } from '../domain/action.ts';
import type { ErrorBody } from '../domain/errors.ts';
import { BLANK, type Proposal, type ProposalState } from '../domain/proposal.ts';
import { cleanShown } from '../domain/safe-text.ts';
import type { End } from './run-proposal.ts';

/** A visitor's request is never lost: it ends by being written or declined, and by nothing else. */

/** Where nobody has decided a visitor's request. */
export const UNDECIDED_BY_ANYBODY: readonly ProposalState[] = ['received', 'pending', 'expired'];

/** Causes that go away by themselves, or by what an operator does elsewhere: the request is judged again then. */
const PASSING: readonly ErrorBody['error']['code'][] = [
  'not_connected',
  'reconnect_needed',
  'salesforce_unavailable',
  'cancelled',
  'circuit_open',
  'limit_reached',
  'rate_limited',
  'off',
  'permission_denied',
];

export function isPassing({ code, retryable }: Pick<ErrorBody['error'], 'code' | 'retryable'>): boolean {
  return retryable || PASSING.includes(code);
}

/** What was sent, as a preview: the org was not asked yet. */
export function plainPreview({ action, args }: Pick<Proposal, 'action' | 'args'>): Preview {
  return cleanShown({
    summary: `${action}: a visitor's request`,
    changes: Object.entries(args).map(([field, value]) => ({
      field,
      label: field,
      before: null,
      after: typeof value === 'object' && value !== null ? JSON.stringify(value) : (value as FieldValue), // JSON has no more
    })),
  });
}

/** Back to `received`: nothing looked up, nothing decided. */
export function unjudged(proposal: Proposal): Partial<Proposal> {
  return { ...undecided, orgId: null, userId: null, preview: plainPreview(proposal), assurance: 'session' };
}

const undecided = {
  decidedBy: null,
  decidedVia: null,
  decidedAt: null,
  choice: null,
  leaseUntil: null,
  effects: [],
} as const satisfies Partial<Proposal>;

/** The end of a run, for a visitor's request: a failed write waits again; a done one is blanked. */
export function endForVisitor(proposal: Proposal, end: End): End {
  if (proposal.visitor === null) return end;
  if (end.state === 'done') return { ...end, patch: { ...end.patch, ...BLANK } };
  const error = end.patch.error?.error;
  if ((end.state !== 'failed' && end.state !== 'conflict') || error === undefined) return end;
  // A conflict says that the org or the record changed since: it is judged anew.
  const isJudgedAnew = end.state === 'conflict' || isPassing(error);
  const reasons = [...new Set([...proposal.reasons, `It could not be written: ${error.message}`])];
  return {
    state: isJudgedAnew ? 'received' : 'pending',
    event: 'held_again',
    patch: { ...undecided, reasons, error: end.patch.error ?? null, ...(isJudgedAnew ? unjudged(proposal) : {}) },
    audit: { detail: { code: error.code } },
  };
}
