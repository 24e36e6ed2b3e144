import { type ErrorCode, type ErrorDetails, GatehouseError } from '../../domain/errors.ts';
import type { InSync } from './failure-table.ts';

/**
 * What became of the request: `not_sent` never reached Salesforce, `refused` was answered and not done, `unknown` may
 * have been done (the reply was lost). Only the gate reads it; no door renders it.
 */
export type Outcome = 'not_sent' | 'refused' | 'unknown';

export interface UpstreamDetails extends ErrorDetails {
  readonly outcome: Outcome;
  /** Counts for the circuit breaker: the network, a timeout, a 5xx, a page from the edge. */
  readonly infrastructure?: boolean;
  /** Worth repeating at once, with jitter, where repeating is safe. */
  readonly repeat?: boolean;
  /** What an operator does about it; kept for the status, while `next` speaks to the model. */
  readonly operator?: string;
  /** All of the answer came, and is more than is read. */
  readonly isUnread?: boolean;
  /** The address of the org answered that it is no longer here. */
  readonly isMoved?: boolean;
  /** A duplicate rule that only warns: `allowDuplicates` would save all the same. */
  readonly allowSave?: boolean;
  /** The table's column for the sync. */
  readonly inSync?: InSync | undefined;
}

/** A request to Salesforce that failed. */
export class UpstreamError extends GatehouseError {
  readonly outcome: Outcome;
  readonly infrastructure: boolean;
  readonly repeat: boolean;
  readonly operator: string | undefined;
  readonly allowSave: boolean | undefined;
  readonly isMoved: boolean;
  readonly isUnread: boolean;
  readonly inSync: InSync | undefined;

  constructor(code: ErrorCode, message: string, details: UpstreamDetails) {
    super(code, message, details);
    this.outcome = details.outcome;
    this.infrastructure = details.infrastructure ?? false;
    this.repeat = details.repeat ?? false;
    this.operator = details.operator;
    this.allowSave = details.allowSave;
    this.isMoved = details.isMoved ?? false;
    this.isUnread = details.isUnread ?? false;
    this.inSync = details.inSync;
  }
}

/** The caller hung up: no failure of Salesforce's, and it counts as none. */
export function cancelled(outcome: Outcome): UpstreamError {
  return new UpstreamError('cancelled', 'The caller left before Salesforce had answered.', {
    next: outcome === 'unknown' ? IN_DOUBT : 'Call again if it is still wanted.',
    outcome,
  });
}

export const IN_DOUBT = 'The change may or may not have been made: look at the record before you repeat it.';

/** True when a write may or may not have happened: read back, never repeat blindly. */
export function isUnknownOutcome(error: unknown): boolean {
  return error instanceof UpstreamError && error.outcome === 'unknown';
}

/**
 * True for a refusal that may be the echo of the same write, which reached Salesforce twice on its way: its condition failed, or somebody
 * else's words came in place of Salesforce's.
 */
export function mayBeDone(error: unknown): boolean {
  if (!(error instanceof UpstreamError) || error.outcome !== 'refused' || error.code === 'reconnect_needed')
    return false;
  return error.salesforce === undefined || error.code === 'conflict';
}
