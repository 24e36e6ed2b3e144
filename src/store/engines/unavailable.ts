import { GatehouseError } from '../../domain/errors.ts';

/** The state cannot be read or written just now: nobody's mistake, over without a restart, and nothing half done is kept. */
export function storeUnavailable(
  problem: 'does not answer' | 'takes no writes',
  cause: unknown,
  what: 'database' | 'token store' = 'database',
): GatehouseError {
  return new GatehouseError('store_unavailable', `The ${what} of Gatehouse ${problem} at the moment.`, {
    next: 'Try again in a minute. If it stays so, tell the operator: the log names the cause, and everything goes on by itself once it is gone.',
    retryable: true,
    retryAfterMs: 10_000,
    cause,
  });
}
