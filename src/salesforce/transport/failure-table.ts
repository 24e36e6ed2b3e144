import type { ErrorCode } from '../../domain/errors.ts';
import type { Refusal } from '../../domain/refusal.ts';

/** THE table of Salesforce error codes (R4). A new code is a new row; an unknown one is `salesforce_error` with its text quoted. */

export interface Row {
  readonly code: ErrorCode;
  readonly message: string;
  /** For the model or person that called. */
  readonly next: string;
  /** For whoever runs the org or Gatehouse. */
  readonly operator: string;
  readonly retryable?: boolean;
  /** Worth repeating at once with jitter; Salesforce did nothing. */
  readonly repeat?: boolean;
  /** Salesforce may have done the write all the same. */
  readonly isDoubtful?: boolean;
  /** What the sync does about one record that was refused so; absent: it stops there, in the words above. */
  readonly inSync?: InSync;
}

/** The sync speaks to whoever runs it, about a record that waits: words of its own only where the row's would mislead. */
export interface InSync {
  readonly then: Refusal['then'];
  readonly code?: ErrorCode;
  readonly message?: string;
  readonly next?: string;
  /** The request was too big for the org's triggers: send fewer at once. */
  readonly isOverload?: boolean;
  /** The record has changed since it was read. */
  readonly isChange?: boolean;
  /** Its text is somebody's own words: no field's name is read out of it. */
  readonly isFreeText?: boolean;
}

const NO_ACCESS_NEXT = 'Tell the user that the bot may not do this in Salesforce; do not try again.';
const FIX_FIELD = 'Correct the fields named and call again.';
const MEND = 'Mend the value at the host, or the rule of the mapping; then it is tried again by itself.';

const TABLE: Readonly<Record<string, Row>> = {
  INVALID_SESSION_ID: {
    code: 'reconnect_needed',
    message: 'The Salesforce session has ended.',
    next: 'Ask the operator to reconnect Salesforce.',
    operator: 'Press Reconnect on the connection card.',
    inSync: { then: 'wait' },
  },
  INVALID_AUTH_HEADER: {
    code: 'reconnect_needed',
    message: 'Salesforce does not accept the session.',
    next: 'Ask the operator to reconnect Salesforce.',
    operator: 'Press Reconnect on the connection card.',
    inSync: { then: 'wait' },
  },
  MALFORMED_QUERY: {
    code: 'query_refused',
    message: 'Salesforce cannot read the query.',
    next: 'Correct the SOQL where the quote points and call again.',
    operator: 'A query written by hand or by an action is not valid SOQL.',
  },
  INVALID_FIELD: {
    code: 'invalid_input',
    message: 'A field does not exist in this org, or the connected user may not see it.',
    next: 'Use other fields, or leave this one out.',
    operator: 'Check the API name (custom fields end in __c) and the field-level security of the connected user.',
    inSync: {
      then: 'field',
      message: 'The org does not have a field that the mapping names.',
      next: 'Check the mapping against the org (save it again), or grant the user access to the field.',
    },
  },
  INVALID_TYPE: {
    code: 'invalid_input',
    message: 'An object does not exist in this org, or the connected user may not see it.',
    next: 'Use another object.',
    operator: 'Check the API name and the object permissions of the connected user.',
  },
  INVALID_QUERY_FILTER_OPERATOR: {
    code: 'query_refused',
    message: 'A condition compares a field with a value of the wrong kind.',
    next: 'Compare Ids with Ids, dates with unquoted dates, and call again.',
    operator: 'A query compares a field with a value that it cannot hold.',
  },
  INVALID_QUERY_LOCATOR: {
    code: 'conflict',
    message: 'The place in the result list is no longer known to Salesforce.',
    next: 'Start the query again from its first page.',
    operator: 'Query cursors live for two days, and few are kept per user.',
  },
  NOT_FOUND: {
    code: 'not_found',
    message: 'There is no such record, or the connected user may not see it.',
    next: 'Check the Id, or look the record up by name.',
    operator: 'Check the sharing and object permissions of the connected user.',
  },
  ENTITY_IS_DELETED: {
    code: 'not_found',
    message: 'The record has been deleted.',
    next: 'Tell the user that it was deleted; look for another record if one is meant.',
    operator: 'It may still be restored from the recycle bin.',
    inSync: {
      then: 'reread',
      message: 'The record was deleted in Salesforce.',
      next: 'Undelete it there, or unlink the record here.',
    },
  },
  METHOD_NOT_ALLOWED: {
    code: 'salesforce_error',
    message: 'Salesforce does not allow this operation on this kind of record.',
    next: NO_ACCESS_NEXT,
    operator: 'The object does not support the operation over the REST API.',
  },
  REQUIRED_FIELD_MISSING: {
    code: 'invalid_input',
    message: 'Fields that this org requires are missing.',
    next: 'Ask the user for the fields named and call again with them.',
    operator: 'Expose the required fields to the action, or give them a default in Salesforce.',
    inSync: {
      then: 'field',
      message: 'Salesforce requires a field that no rule of the mapping fills.',
      next: 'Give the field a value at the host, or a default in the mapping.',
    },
  },
  STRING_TOO_LONG: {
    code: 'invalid_input',
    message: 'A text is longer than its field.',
    next: 'Shorten the fields named and call again.',
    operator: 'Lengthen the field in Salesforce if longer texts are usual.',
    inSync: { then: 'field', message: 'A value is longer than the field.', next: 'Shorten it at the host.' },
  },
  INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: {
    code: 'invalid_input',
    message: 'A value is not in the list that the field allows.',
    next: 'Use one of the listed values and call again.',
    operator: 'Add the value to the picklist, and to the record type, if it is wanted.',
    inSync: {
      then: 'field',
      message: 'A value is not in the list of a restricted picklist.',
      next: 'Add it to the value map of the mapping, or to the picklist.',
    },
  },
  INVALID_EMAIL_ADDRESS: {
    code: 'invalid_input',
    message: 'Salesforce does not take this for an email address.',
    next: 'Ask the user for the right address and call again.',
    operator: 'The address has a form that Salesforce refuses.',
    inSync: {
      then: 'field',
      message: 'Salesforce does not take this email address.',
      next: 'Correct the email at the host.',
    },
  },
  FIELD_CUSTOM_VALIDATION_EXCEPTION: {
    code: 'validation_rule',
    message: 'A validation rule of the org refuses this change.',
    next: 'Tell the user what the rule says in the quote; change the values if that satisfies it, else stop.',
    operator: 'The rule is under Setup, Object Manager, Validation Rules.',
    inSync: {
      then: 'field',
      message: 'A validation rule of the org refused the values.',
      next: 'Correct the record as the rule says, then it is tried again by itself.',
      isFreeText: true,
    },
  },
  INVALID_FIELD_FOR_INSERT_UPDATE: {
    code: 'permission_denied',
    message: 'The connected user may not write some of these fields.',
    next: 'Leave the fields named out, or tell the user that the bot may not set them.',
    operator: 'Give the connected user edit access to the fields named (field-level security), or do not send them.',
    inSync: {
      then: 'field',
      message: 'The connected user may not write a field of the mapping.',
      next: 'Grant edit access to the field, or make its rule "from_crm".',
    },
  },
  DUPLICATE_VALUE: {
    code: 'duplicate',
    message: 'Another record already has this unique value.',
    next: 'Use the record that exists instead of making a second one.',
    operator: 'A unique field stopped the write.',
    inSync: {
      then: 'reread',
      message: 'Another record holds a value that must be unique.',
      next: 'Look at the record that Salesforce names; link it, or change the value.',
    },
  },
  DUPLICATES_DETECTED: {
    code: 'duplicate',
    message: 'A duplicate rule of the org found records like this one.',
    next: 'Ask the user whether one of the candidates is meant.',
    operator: 'The rule is under Setup, Duplicate Rules.',
    inSync: {
      then: 'match',
      message: 'A duplicate rule found a record like this one.',
      next: 'Link the right record to it, or allow duplicates in the mapping.',
    },
  },
  MALFORMED_ID: {
    code: 'invalid_input',
    message: 'An Id is malformed or belongs to another kind of record.',
    next: 'Check the Ids and call again.',
    operator: 'An Id of the wrong kind was sent.',
    inSync: { then: 'field', next: MEND },
  },
  INVALID_CROSS_REFERENCE_KEY: {
    code: 'not_found',
    message: 'An Id points to a record that is not there.',
    next: 'Check the Ids and call again.',
    operator: 'The record was deleted, or a record type or owner does not exist in this org.',
    inSync: {
      then: 'reread',
      message: 'The record, or one it points to, is not there.',
      next: 'Check that it was not deleted; then retry.',
    },
  },
  INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY: {
    code: 'permission_denied',
    message: 'The connected user may not use a record that this one points to.',
    next: NO_ACCESS_NEXT,
    operator: 'Share the related record (account, owner, campaign) with the connected user.',
    inSync: { then: 'field', next: 'Share that record with the user, then retry.' },
  },
  INSUFFICIENT_ACCESS_OR_READONLY: {
    code: 'permission_denied',
    message: 'The connected user may not change this record.',
    next: NO_ACCESS_NEXT,
    operator: 'Check object permissions, sharing and record locks (approval processes) of the connected user.',
    inSync: { then: 'stop', next: 'Share the record with the user, then retry.' },
  },
  INSUFFICIENT_ACCESS: {
    code: 'permission_denied',
    message: 'The connected user may not do this.',
    next: NO_ACCESS_NEXT,
    operator: 'Check the profile and permission sets of the connected user.',
  },
  CANNOT_UPDATE_CONVERTED_LEAD: {
    code: 'conflict',
    message: 'This lead has been converted and can no longer change.',
    next: 'Work on its account, contact or opportunity instead.',
    operator: 'Converted leads are read-only.',
    inSync: {
      then: 'reread',
      next: 'Unlink the record here, or let the mapping name Contact: converted leads are read-only.',
    },
  },
  CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: {
    code: 'validation_rule',
    message: 'Automation in the org (a flow or trigger) refuses this change.',
    next: 'Tell the user what the quote says; do not repeat the same values.',
    operator: 'Look at the flow or Apex trigger named in the quote.',
  },
  ENTITY_IS_LOCKED: {
    code: 'permission_denied',
    message: 'The record is locked, most often by an approval process.',
    next: 'Tell the user that the record is locked until its approval is decided.',
    operator: 'Decide or recall the approval, or unlock the record; see Setup, Approval Processes.',
    inSync: {
      then: 'stop',
      next: 'Decide or recall the approval, or unlock the record; when it changes in Salesforce this is tried again by itself.',
    },
  },
  /** What a trigger's failure says of the org's own limits; a code of ours, read out of its text. */
  CPU_LIMIT: {
    code: 'salesforce_unavailable',
    message: 'The org ran out of CPU time in its own triggers.',
    next: 'Call again in a minute, with fewer records at once.',
    operator: 'Automation of the org is slow: look at the trigger named in the quote.',
    retryable: true,
    inSync: { then: 'retry', next: 'Nothing to do: it is tried again in a smaller batch.', isOverload: true },
  },
  UNABLE_TO_LOCK_ROW: {
    code: 'conflict',
    message: 'Somebody else is changing this record at the same moment.',
    next: 'Call again in a few seconds.',
    operator: 'Frequent lock errors: many changes under one account at once, or slow automation.',
    retryable: true,
    repeat: true,
    inSync: {
      then: 'retry',
      code: 'salesforce_unavailable',
      message: 'The record was locked by somebody else.',
      next: 'Nothing to do: it is tried again.',
      isOverload: true,
    },
  },
  JSON_PARSER_ERROR: {
    code: 'invalid_input',
    message: 'Salesforce cannot read a value that was sent.',
    next: FIX_FIELD,
    operator: 'A value has the wrong type for its field.',
    inSync: { then: 'field', next: MEND },
  },
  REQUEST_LIMIT_EXCEEDED: {
    code: 'limit_reached',
    message: 'The org has used up its Salesforce API allowance.',
    next: 'Tell the user to try later; do not repeat now.',
    operator: 'See Setup, Company Information, API Requests: something uses them up, or the allowance is too small.',
    retryable: true,
    inSync: {
      then: 'wait',
      message: 'The API allowance of the org is used up.',
      next: 'Wait for the 24-hour window to move, or raise the allowance.',
    },
  },
  API_DISABLED_FOR_ORG: {
    code: 'reconnect_needed',
    message: 'This Salesforce org or user has no API access.',
    next: 'Tell the operator that API access is missing.',
    operator: 'The edition has no API, or the connected user lacks the permission "API Enabled".',
    inSync: { then: 'wait' },
  },
  API_CURRENTLY_DISABLED: {
    code: 'reconnect_needed',
    message: 'API access is switched off for this org or user.',
    next: 'Tell the operator that API access is switched off.',
    operator: 'Give the connected user the permission "API Enabled", or ask Salesforce why the API is off.',
    inSync: { then: 'wait' },
  },
  QUERY_TIMEOUT: {
    code: 'query_refused',
    message: 'The query ran too long in Salesforce.',
    next: 'Narrow it: fewer rows, a filter on Id, a date range or an indexed field.',
    operator: 'A filter on an indexed field would help; see the query plan.',
  },
  SERVER_UNAVAILABLE: {
    code: 'salesforce_unavailable',
    message: 'Salesforce is busy or in maintenance.',
    next: 'Try again in a minute.',
    operator: 'See status.salesforce.com for the instance of this org.',
    retryable: true,
    repeat: true,
    isDoubtful: true,
    inSync: {
      then: 'retry',
      message: 'Salesforce was not available.',
      next: 'Nothing to do: it is tried again.',
    },
  },
  UNKNOWN_EXCEPTION: {
    code: 'salesforce_error',
    message: 'Salesforce failed with an internal error of its own.',
    next: 'Try again once later; if it stays so, tell the operator.',
    operator: 'Give the ErrorId in the quote to Salesforce support.',
    isDoubtful: true,
    inSync: {
      then: 'reread',
      code: 'salesforce_unavailable',
      message: 'Salesforce failed in an unknown way.',
      next: 'Nothing to do: the record is read again first.',
      isFreeText: true,
    },
  },
  ALL_OR_NONE_OPERATION_ROLLED_BACK: {
    code: 'conflict',
    message: 'Nothing was written because another record of the same request failed.',
    next: 'Correct the record that failed and call again.',
    operator: 'See the other errors of the same request.',
    inSync: { then: 'retry' },
  },
  PROCESSING_HALTED: {
    code: 'conflict',
    message: 'This step was not tried because an earlier one failed.',
    next: 'Correct the step that failed and call again.',
    operator: 'See the other errors of the same request.',
    inSync: { then: 'retry' },
  },
  MISSING_ARGUMENT: {
    code: 'invalid_input',
    message: 'Salesforce misses an argument of the request.',
    next: FIX_FIELD,
    operator: 'A request was incomplete.',
  },
  INVALID_ARGUMENT_TYPE: {
    code: 'invalid_input',
    message: 'A value has the wrong type.',
    next: FIX_FIELD,
    operator: 'A value has the wrong type for its field.',
    inSync: { then: 'field', next: MEND },
  },
  INVALID_TYPE_ON_FIELD_IN_RECORD: {
    code: 'invalid_input',
    message: 'A value has the wrong type for its field.',
    next: FIX_FIELD,
    operator: 'A value has the wrong type for its field.',
    inSync: { then: 'field', next: MEND },
  },
  NUMBER_OUTSIDE_VALID_RANGE: {
    code: 'invalid_input',
    message: 'A number is too large for its field.',
    next: FIX_FIELD,
    operator: 'The field holds fewer digits than the number has.',
    inSync: { then: 'field', next: MEND },
  },
  FIELD_INTEGRITY_EXCEPTION: {
    code: 'invalid_input',
    message: 'Salesforce refuses a combination of values.',
    next: FIX_FIELD,
    operator: 'Often a state without its country, or a record of the wrong type.',
    inSync: { then: 'field', next: MEND },
  },
  STORAGE_LIMIT_EXCEEDED: {
    code: 'limit_reached',
    message: 'The org has no storage left.',
    next: 'Tell the user that the operator must free storage first.',
    operator: 'See Setup, Storage Usage.',
    inSync: { then: 'retry' },
  },
  PRECONDITION_FAILED: {
    code: 'conflict',
    message: 'The record has changed since it was read.',
    next: 'Read it again and decide anew.',
    operator: 'Somebody edited the record in between.',
    inSync: { then: 'reread', isChange: true },
  },
  TXN_SECURITY_METERING_ERROR: {
    code: 'permission_denied',
    message: 'A transaction security policy of the org blocks this.',
    next: NO_ACCESS_NEXT,
    operator: 'See Setup, Transaction Security Policies.',
  },
};

export const UNKNOWN: Row = {
  code: 'salesforce_error',
  message: 'Salesforce refused with an error that Gatehouse does not know.',
  next: 'Tell the user what the quote says, as a quote; do not repeat unchanged.',
  operator: 'Look the code up in the Salesforce REST API guide.',
  inSync: {
    then: 'stop',
    message: 'Salesforce refused the record.',
    next: 'Read what Salesforce says, correct the record or the org, then retry.',
  },
};

/** What a bare HTTP status means where no known error code came with it. */
export function byStatus(status: number): Row {
  switch (status) {
    case 401:
      return rowOf('INVALID_SESSION_ID');
    case 403:
      return { ...rowOf('INSUFFICIENT_ACCESS') };
    case 404:
      return rowOf('NOT_FOUND');
    case 410:
      return {
        ...UNKNOWN,
        message: 'Salesforce has retired this API version.',
        next: 'Tell the operator to raise the API version.',
        operator: 'Set SALESFORCE_API_VERSION to a version that the org still has.',
        inSync: { then: 'wait' },
      };
    case 412:
      return rowOf('PRECONDITION_FAILED');
    case 414:
    case 431:
      return {
        ...UNKNOWN,
        code: 'invalid_input',
        message: 'The request is too long for Salesforce.',
        next: 'Ask for fewer fields or fewer values at once.',
        operator: 'A query or list of Ids is too long for one request.',
        inSync: { then: 'stop' },
      };
    case 420:
      return {
        ...UNKNOWN,
        code: 'reconnect_needed',
        message: 'This Salesforce org has expired.',
        next: 'Tell the operator that the org is gone.',
        operator: 'Scratch orgs and trials end: connect another org.',
        inSync: { then: 'wait' },
      };
    case 429:
      return { ...rowOf('REQUEST_LIMIT_EXCEEDED'), message: 'Salesforce asks us to slow down.', repeat: true };
    default:
      return status >= 500
        ? { ...rowOf('SERVER_UNAVAILABLE'), message: 'Salesforce is not available at the moment.' }
        : UNKNOWN;
  }
}

export function rowOf(code: string): Row {
  return knownRow(code) ?? UNKNOWN;
}

export function knownRow(code: string): Row | undefined {
  return Object.hasOwn(TABLE, code) ? TABLE[code] : undefined;
}

/** What an operator does about a code kept in `lastFailure`. */
export function operatorHint(code: string): string {
  return (Object.hasOwn(OURS, code) ? OURS[code] : undefined) ?? rowOf(code).operator;
}

/** Failures that came without a code of Salesforce's. */
const OURS: Readonly<Record<string, string>> = {
  salesforce_unavailable:
    'Salesforce did not answer: check the network from here to the org, then status.salesforce.com.',
  environment_unknown:
    'Let the connected user read Organization and press Reconnect; until then rules for this kind of org hold.',
  reconnect_needed: 'Press Reconnect on the connection card (or run gatehouse connect again).',
  limit_reached: 'See Setup, Company Information, API Requests.',
  invalid_grant: 'Press Reconnect on the connection card: the sign-in was revoked or has expired.',
};
