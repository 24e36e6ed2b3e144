import type { ErrorBody, ErrorCode } from '../errors.ts';
import { GatehouseError, toErrorBody } from '../errors.ts';
import type { RowResult } from '../salesforce/connections.ts';

/** What to do with one failed row of a batch. */
export interface RowFailure {
  /** `retry` soon, `reread` (the world moved), `match` (a look-alike stands there), `stop` until the record or the mapping changes. */
  readonly then: 'retry' | 'reread' | 'match' | 'stop';
  /** The chunk was too big for the org's triggers: send fewer. */
  readonly isOverload: boolean;
  readonly error: ErrorBody['error'];
}

type Kind = readonly [then: RowFailure['then'], code: ErrorCode, message: string, next: string];

/** One row per Salesforce code, in words for who runs the sync. Anything else stops the row and quotes Salesforce. */
const KINDS: Readonly<Record<string, Kind>> = {
  UNABLE_TO_LOCK_ROW: [
    'retry',
    'salesforce_unavailable',
    'The record was locked by somebody else.',
    'Nothing to do: it is tried again.',
  ],
  CPU_LIMIT: [
    'retry',
    'salesforce_unavailable',
    'The org ran out of CPU time in its own triggers.',
    'Nothing to do: it is tried again in a smaller batch.',
  ],
  SERVER_UNAVAILABLE: [
    'retry',
    'salesforce_unavailable',
    'Salesforce was not available.',
    'Nothing to do: it is tried again.',
  ],
  UNKNOWN_EXCEPTION: [
    'reread',
    'salesforce_unavailable',
    'Salesforce failed in an unknown way.',
    'Nothing to do: the record is read again first.',
  ],
  REQUEST_LIMIT_EXCEEDED: [
    'retry',
    'limit_reached',
    'The API allowance of the org is used up.',
    'Wait for the 24-hour window to move, or raise the allowance.',
  ],
  DUPLICATE_VALUE: [
    'reread',
    'duplicate',
    'Another record holds a value that must be unique.',
    'Look at the record that Salesforce names; link it, or change the value.',
  ],
  DUPLICATES_DETECTED: [
    'match',
    'duplicate',
    'A duplicate rule found a record like this one.',
    'Link the right record to it, or allow duplicates in the mapping.',
  ],
  ENTITY_IS_DELETED: [
    'reread',
    'not_found',
    'The record was deleted in Salesforce.',
    'Undelete it there, or unlink the record here.',
  ],
  INVALID_CROSS_REFERENCE_KEY: [
    'reread',
    'not_found',
    'The record, or one it points to, is not there.',
    'Check that it was not deleted; then retry.',
  ],
  FIELD_CUSTOM_VALIDATION_EXCEPTION: [
    'stop',
    'validation_rule',
    'A validation rule of the org refused the values.',
    'Correct the record as the rule says, then it is tried again by itself.',
  ],
  REQUIRED_FIELD_MISSING: [
    'stop',
    'invalid_input',
    'Salesforce requires a field that no rule of the mapping fills.',
    'Give the field a value at the host, or a default in the mapping.',
  ],
  INVALID_FIELD: [
    'stop',
    'invalid_input',
    'The org does not have a field that the mapping names.',
    'Check the mapping against the org (save it again), or grant the user access to the field.',
  ],
  INVALID_FIELD_FOR_INSERT_UPDATE: [
    'stop',
    'permission_denied',
    'The connected user may not write a field of the mapping.',
    'Grant edit access to the field, or make its rule "from_crm".',
  ],
  INVALID_EMAIL_ADDRESS: [
    'stop',
    'invalid_input',
    'Salesforce does not take this email address.',
    'Correct the email at the host.',
  ],
  STRING_TOO_LONG: ['stop', 'invalid_input', 'A value is longer than the field.', 'Shorten it at the host.'],
  INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: [
    'stop',
    'invalid_input',
    'A value is not in the list of a restricted picklist.',
    'Add it to the value map of the mapping, or to the picklist.',
  ],
  INSUFFICIENT_ACCESS_OR_READONLY: [
    'stop',
    'permission_denied',
    'The connected user may not change this record.',
    'Share the record with the user, then retry.',
  ],
  INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY: [
    'stop',
    'permission_denied',
    'The connected user may not use a record that this one points to.',
    'Share that record with the user, then retry.',
  ],
};

export function toRowFailure(errors: RowResult['errors']): RowFailure {
  const first = errors[0] ?? { code: 'UNKNOWN_EXCEPTION', message: '', fields: [] };
  const code = hiddenCause(first);
  const [then, ours, message, next] = KINDS[code] ?? [
    'stop',
    'salesforce_error',
    'Salesforce refused the record.',
    'Read what Salesforce says, correct the record or the org, then retry.',
  ];
  const fields = [...new Set(errors.flatMap((one) => one.fields))];
  const said = { code: first.code, fields, quote: first.message.slice(0, 300) };
  const named = fields.length > 0 ? message.replace(/\.$/, `: ${fields.join(', ')}.`) : message;
  const body = toErrorBody(
    new GatehouseError(ours, named, { next, retryable: then === 'retry' || then === 'reread', salesforce: said }),
  );
  return { then, isOverload: code === 'UNABLE_TO_LOCK_ROW' || code === 'CPU_LIMIT', error: body.error };
}

/** A trigger's failure wraps its cause in its text. */
function hiddenCause({ code, message }: { code: string; message: string }): string {
  if (code !== 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY' && code !== 'CANNOT_EXECUTE_FLOW_TRIGGER') return code;
  if (message.includes('UNABLE_TO_LOCK_ROW')) return 'UNABLE_TO_LOCK_ROW';
  return /CPU (time )?limit/i.test(message) ? 'CPU_LIMIT' : code;
}

/** `duplicate value found: X duplicates value on record with id: 0035i...` */
export function duplicateIdIn(quote: string): string | undefined {
  return /record with id: ([A-Za-z0-9]{15,18})/.exec(quote)?.[1];
}
