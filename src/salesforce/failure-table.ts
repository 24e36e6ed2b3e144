import type { ErrorCode } from '../errors.ts';

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
}

const NO_ACCESS_NEXT = 'Tell the user that the bot may not do this in Salesforce; do not try again.';
const FIX_FIELD = 'Correct the fields named and call again.';

const TABLE: Readonly<Record<string, Row>> = {
  INVALID_SESSION_ID: {
    code: 'reconnect_needed',
    message: 'The Salesforce session has ended.',
    next: 'Ask the operator to reconnect Salesforce.',
    operator: 'Press Reconnect on the connection card.',
  },
  INVALID_AUTH_HEADER: {
    code: 'reconnect_needed',
    message: 'Salesforce does not accept the session.',
    next: 'Ask the operator to reconnect Salesforce.',
    operator: 'Press Reconnect on the connection card.',
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
  },
  STRING_TOO_LONG: {
    code: 'invalid_input',
    message: 'A text is longer than its field.',
    next: 'Shorten the fields named and call again.',
    operator: 'Lengthen the field in Salesforce if longer texts are usual.',
  },
  INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: {
    code: 'invalid_input',
    message: 'A value is not in the list that the field allows.',
    next: 'Use one of the listed values and call again.',
    operator: 'Add the value to the picklist, and to the record type, if it is wanted.',
  },
  INVALID_EMAIL_ADDRESS: {
    code: 'invalid_input',
    message: 'Salesforce does not take this for an email address.',
    next: 'Ask the user for the right address and call again.',
    operator: 'The address has a form that Salesforce refuses.',
  },
  FIELD_CUSTOM_VALIDATION_EXCEPTION: {
    code: 'validation_rule',
    message: 'A validation rule of the org refuses this change.',
    next: 'Tell the user what the rule says in the quote; change the values if that satisfies it, else stop.',
    operator: 'The rule is under Setup, Object Manager, Validation Rules.',
  },
  INVALID_FIELD_FOR_INSERT_UPDATE: {
    code: 'permission_denied',
    message: 'The connected user may not write some of these fields.',
    next: 'Leave the fields named out, or tell the user that the bot may not set them.',
    operator: 'Give the connected user edit access to the fields named (field-level security), or do not send them.',
  },
  DUPLICATE_VALUE: {
    code: 'duplicate',
    message: 'Another record already has this unique value.',
    next: 'Use the record that exists instead of making a second one.',
    operator: 'A unique field stopped the write.',
  },
  DUPLICATES_DETECTED: {
    code: 'duplicate',
    message: 'A duplicate rule of the org found records like this one.',
    next: 'Ask the user whether one of the candidates is meant.',
    operator: 'The rule is under Setup, Duplicate Rules.',
  },
  MALFORMED_ID: {
    code: 'invalid_input',
    message: 'An Id is malformed or belongs to another kind of record.',
    next: 'Check the Ids and call again.',
    operator: 'An Id of the wrong kind was sent.',
  },
  INVALID_CROSS_REFERENCE_KEY: {
    code: 'not_found',
    message: 'An Id points to a record that is not there.',
    next: 'Check the Ids and call again.',
    operator: 'The record was deleted, or a record type or owner does not exist in this org.',
  },
  INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY: {
    code: 'permission_denied',
    message: 'The connected user may not use a record that this one points to.',
    next: NO_ACCESS_NEXT,
    operator: 'Share the related record (account, owner, campaign) with the connected user.',
  },
  INSUFFICIENT_ACCESS_OR_READONLY: {
    code: 'permission_denied',
    message: 'The connected user may not change this record.',
    next: NO_ACCESS_NEXT,
    operator: 'Check object permissions, sharing and record locks (approval processes) of the connected user.',
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
  },
  CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: {
    code: 'validation_rule',
    message: 'Automation in the org (a flow or trigger) refuses this change.',
    next: 'Tell the user what the quote says; do not repeat the same values.',
    operator: 'Look at the flow or Apex trigger named in the quote.',
  },
  UNABLE_TO_LOCK_ROW: {
    code: 'conflict',
    message: 'Somebody else is changing this record at the same moment.',
    next: 'Call again in a few seconds.',
    operator: 'Frequent lock errors: many changes under one account at once, or slow automation.',
    retryable: true,
    repeat: true,
  },
  JSON_PARSER_ERROR: {
    code: 'invalid_input',
    message: 'Salesforce cannot read a value that was sent.',
    next: FIX_FIELD,
    operator: 'A value has the wrong type for its field.',
  },
  REQUEST_LIMIT_EXCEEDED: {
    code: 'limit_reached',
    message: 'The org has used up its Salesforce API allowance.',
    next: 'Tell the user to try later; do not repeat now.',
    operator: 'See Setup, Company Information, API Requests: something uses them up, or the allowance is too small.',
    retryable: true,
  },
  API_DISABLED_FOR_ORG: {
    code: 'reconnect_needed',
    message: 'This Salesforce org or user has no API access.',
    next: 'Tell the operator that API access is missing.',
    operator: 'The edition has no API, or the connected user lacks the permission "API Enabled".',
  },
  API_CURRENTLY_DISABLED: {
    code: 'reconnect_needed',
    message: 'API access is switched off for this org or user.',
    next: 'Tell the operator that API access is switched off.',
    operator: 'Give the connected user the permission "API Enabled", or ask Salesforce why the API is off.',
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
  },
  UNKNOWN_EXCEPTION: {
    code: 'salesforce_error',
    message: 'Salesforce failed with an internal error of its own.',
    next: 'Try again once later; if it stays so, tell the operator.',
    operator: 'Give the ErrorId in the quote to Salesforce support.',
    isDoubtful: true,
  },
  ALL_OR_NONE_OPERATION_ROLLED_BACK: {
    code: 'conflict',
    message: 'Nothing was written because another record of the same request failed.',
    next: 'Correct the record that failed and call again.',
    operator: 'See the other errors of the same request.',
  },
  PROCESSING_HALTED: {
    code: 'conflict',
    message: 'This step was not tried because an earlier one failed.',
    next: 'Correct the step that failed and call again.',
    operator: 'See the other errors of the same request.',
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
  },
  INVALID_TYPE_ON_FIELD_IN_RECORD: {
    code: 'invalid_input',
    message: 'A value has the wrong type for its field.',
    next: FIX_FIELD,
    operator: 'A value has the wrong type for its field.',
  },
  NUMBER_OUTSIDE_VALID_RANGE: {
    code: 'invalid_input',
    message: 'A number is too large for its field.',
    next: FIX_FIELD,
    operator: 'The field holds fewer digits than the number has.',
  },
  FIELD_INTEGRITY_EXCEPTION: {
    code: 'invalid_input',
    message: 'Salesforce refuses a combination of values.',
    next: FIX_FIELD,
    operator: 'Often a state without its country, or a record of the wrong type.',
  },
  STORAGE_LIMIT_EXCEEDED: {
    code: 'limit_reached',
    message: 'The org has no storage left.',
    next: 'Tell the user that the operator must free storage first.',
    operator: 'See Setup, Storage Usage.',
  },
  PRECONDITION_FAILED: {
    code: 'conflict',
    message: 'The record has changed since it was read.',
    next: 'Read it again and decide anew.',
    operator: 'Somebody edited the record in between.',
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
      };
    case 420:
      return {
        ...UNKNOWN,
        code: 'reconnect_needed',
        message: 'This Salesforce org has expired.',
        next: 'Tell the operator that the org is gone.',
        operator: 'Scratch orgs and trials end: connect another org.',
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
  reconnect_needed: 'Press Reconnect on the connection card (or run gatehouse connect again).',
  limit_reached: 'See Setup, Company Information, API Requests.',
  invalid_grant: 'Press Reconnect on the connection card: the sign-in was revoked or has expired.',
};
