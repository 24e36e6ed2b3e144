import { GatehouseError } from '../../domain/errors.ts';
import { UpstreamError } from '../transport/upstream-error.ts';

/** What a session refuses with, in words. */

/** The session ended between the look at it and the stream: nothing was taken, and what was sent is gone. */
export function usedUp(): UpstreamError {
  return new UpstreamError('salesforce_unavailable', 'The Salesforce session ended before the upload was taken.', {
    next: 'Start the upload again from its beginning: nothing of it was kept.',
    outcome: 'not_sent',
    retryable: true,
  });
}

export function moved({ isRead }: { readonly isRead: boolean }): UpstreamError {
  return new UpstreamError('salesforce_error', 'The Salesforce org is no longer at its address.', {
    next: 'Ask the operator to reconnect: the address of the org has changed.',
    operator: 'The org moved or its My Domain was renamed: disconnect and connect again.',
    outcome: isRead ? 'refused' : 'not_sent',
  });
}

/** A 401 without a word of Salesforce's: a proxy wants a sign-in of its own, and no session of ours would help. */
export function notFromSalesforce(outcome: 'not_sent' | 'unknown'): UpstreamError {
  return new UpstreamError('salesforce_unavailable', 'Something between here and Salesforce refuses our requests.', {
    next: 'Try again in a minute; if it stays so, tell the operator.',
    operator:
      'A proxy or firewall answers 401 in place of Salesforce: let Gatehouse through to the address of the org.',
    outcome,
    infrastructure: true,
    retryable: true,
  });
}

export function tooLate(): UpstreamError {
  return new UpstreamError(
    'salesforce_unavailable',
    'The time of this change was over before it could be sent; nothing was done.',
    {
      next: 'Try again: the Salesforce session was being renewed, or Salesforce was slow.',
      operator: 'Salesforce or the database was slow; GATEHOUSE_REQUEST_TIMEOUT_MS sets the limit.',
      outcome: 'not_sent',
      retryable: true,
    },
  );
}

export function reconnectNeeded(message: string): GatehouseError {
  return new GatehouseError('reconnect_needed', message, {
    next: 'Ask the operator to press Reconnect on the connection card (or run gatehouse connect again).',
  });
}
