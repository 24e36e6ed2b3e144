import { GatehouseError, toErrorBody } from '../../domain/errors.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { PAGE } from './failure-causes.ts';
import { failureOf, saidIn } from './failures.ts';
import { UpstreamError } from './upstream-error.ts';

/** A refusal as the sync needs it: what to do with the record, and words for whoever runs the sync. */
export function toRefusal(from: { readonly status: number; readonly body: unknown } | GatehouseError): Refusal {
  if (from instanceof GatehouseError) return refusalOf(from);
  const said = saidIn({ json: from.body, text: '' });
  // A row that failed without a word inside a good answer: nobody knows whether it was done.
  const known = said.length > 0 || from.status >= 300 ? said : [{ code: 'UNKNOWN_EXCEPTION', message: '', fields: [] }];
  return refusalOf(failureOf(known, from.status, false));
}

function refusalOf(failure: GatehouseError): Refusal {
  const { error } = toErrorBody(failure);
  if (failure.code === 'ambiguous') return { then: 'match', isOverload: false, error };
  if (!(failure instanceof UpstreamError))
    return { then: failure.retryable ? 'retry' : 'stop', isOverload: false, error };
  // Only Salesforce can say that a record is to stop; whatever answered in its place is gone the next time.
  const isForeign = failure.salesforce === undefined && (failure.inSync?.then ?? 'stop') === 'stop';
  const {
    then = isForeign ? 'retry' : 'stop',
    code = failure.code,
    message = failure.message,
    isOverload = false,
    isChange,
    isFreeText,
    next,
  } = (isForeign ? failure.inSync && { ...PAGE.inSync, ...IN_ITS_PLACE } : failure.inSync) ?? {};
  const fields = failure.salesforce?.fields ?? [];
  const named = fields.length > 0 ? message.replace(/\.$/, `: ${fields.join(', ')}.`) : message;
  const { retryAfterMs, candidates, salesforce } = error;
  return {
    then,
    isOverload,
    isChange,
    isFreeText,
    mayBeDone: failure.outcome === 'unknown',
    error: {
      code,
      message: named,
      next: next ?? failure.operator ?? failure.next,
      retryable: then === 'retry' || then === 'reread' || then === 'wait',
      retryAfterMs,
      candidates,
      salesforce,
    },
  };
}

/** A bare status in foreign hands says nothing about the record. */
const IN_ITS_PLACE = {
  code: PAGE.code,
  message: 'Something answered in the place of Salesforce.',
  next: PAGE.operator,
} as const;
