import { type ErrorBody, GatehouseError, toErrorBody } from '../../domain/errors.ts';

/** Codes that say nothing about any one record or look-up: everything waits. */
const SYSTEMIC = new Set([
  'limit_reached',
  'circuit_open',
  'not_connected',
  'reconnect_needed',
  'salesforce_unavailable',
  'cancelled',
  'off',
  'rate_limited',
  'internal',
  'store_unavailable',
  'unauthenticated',
]);

export const isSystemic = (error: unknown): boolean => error instanceof GatehouseError && SYSTEMIC.has(error.code);

/** An unforeseen exception of one record, rule or look-up as an error that names its cause. */
export function troubleOf(what: string, thrown: unknown): ErrorBody['error'] {
  if (thrown instanceof GatehouseError) return toErrorBody(thrown).error;
  const error = new GatehouseError('internal', `${what}: ${causeOf(thrown)}.`, {
    next: 'The others go on, and this is tried again by itself, later and later. Mend the value if one is named; if it stays, it is a bug of Gatehouse: report it with this text.',
    retryable: true,
  });
  return toErrorBody(error).error;
}

/** The last words of an exception, short and on one line. */
export const causeOf = (thrown: unknown): string =>
  (thrown instanceof Error ? `${thrown.name}, ${thrown.message}` : String(thrown))
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '')
    .slice(0, 160);
