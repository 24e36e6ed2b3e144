import { describe, expect, it } from 'vitest';
import { failureOf, saidIn, toFailure } from '../../src/salesforce/transport/failures.ts';
import type { Answer } from '../../src/salesforce/transport/http.ts';

function answer(status: number, text: string, type = 'application/json;charset=UTF-8'): Answer {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {}
  return { status, text, json, header: (name) => (name === 'content-type' ? type : null) };
}

/** Status, body as recorded, our code, and what else must hold. */
const RECORDED: readonly [string, number, string, string, object?][] = [
  [
    'INVALID_SESSION_ID',
    401,
    '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]',
    'reconnect_needed',
  ],
  [
    'INVALID_AUTH_HEADER',
    401,
    '[{"message":"INVALID_HEADER_TYPE","errorCode":"INVALID_AUTH_HEADER"}]',
    'reconnect_needed',
  ],
  [
    'MALFORMED_QUERY',
    400,
    '[{"message":"\\nSELEC Id\\n^\\nERROR at Row:1:Column:1\\nunexpected token: SELEC","errorCode":"MALFORMED_QUERY"}]',
    'query_refused',
  ],
  [
    'INVALID_FIELD',
    400,
    '[{"message":"No such column \'X\' on sobject of type Lead","errorCode":"INVALID_FIELD"}]',
    'invalid_input',
  ],
  [
    'INVALID_TYPE',
    400,
    '[{"errorCode":"INVALID_TYPE","message":"sObject type \'X\' is not supported."}]',
    'invalid_input',
  ],
  [
    'INVALID_QUERY_FILTER_OPERATOR',
    400,
    '[{"message":"invalid ID field: X","errorCode":"INVALID_QUERY_FILTER_OPERATOR"}]',
    'query_refused',
  ],
  [
    'INVALID_QUERY_LOCATOR',
    400,
    '[{"message":"invalid query locator","errorCode":"INVALID_QUERY_LOCATOR"}]',
    'conflict',
  ],
  [
    'NOT_FOUND with its keys the other way round',
    404,
    '[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]',
    'not_found',
  ],
  [
    'ENTITY_IS_DELETED',
    404,
    '[{"message":"entity is deleted","errorCode":"ENTITY_IS_DELETED","fields":[]}]',
    'not_found',
  ],
  [
    'METHOD_NOT_ALLOWED',
    405,
    '[{"errorCode":"METHOD_NOT_ALLOWED","message":"HTTP Method \'PATCH\' not allowed. Allowed are HEAD,GET,POST"}]',
    'salesforce_error',
  ],
  [
    'REQUIRED_FIELD_MISSING',
    400,
    '[{"message":"Required fields are missing: [LastName, Company]","errorCode":"REQUIRED_FIELD_MISSING","fields":["LastName","Company"]}]',
    'invalid_input',
    { fields: [{ name: 'LastName' }, { name: 'Company' }] },
  ],
  [
    'STRING_TOO_LONG',
    400,
    '[{"message":"Last Name: data value too large: xxx (max length=80)","errorCode":"STRING_TOO_LONG","fields":["LastName"]}]',
    'invalid_input',
  ],
  [
    'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
    400,
    '[{"message":"State: bad value for restricted picklist field: ZZ","errorCode":"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST","fields":["StateCode"]}]',
    'invalid_input',
  ],
  [
    'INVALID_EMAIL_ADDRESS',
    400,
    '[{"message":"Email: invalid email address: x","errorCode":"INVALID_EMAIL_ADDRESS","fields":["Email"]}]',
    'invalid_input',
  ],
  [
    'FIELD_CUSTOM_VALIDATION_EXCEPTION',
    400,
    '[{"message":"Close date must be in the future","errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","fields":[]}]',
    'validation_rule',
  ],
  [
    'INVALID_FIELD_FOR_INSERT_UPDATE',
    400,
    '[{"message":"Unable to create/update fields: Foo__c.","errorCode":"INVALID_FIELD_FOR_INSERT_UPDATE","fields":["Foo__c"]}]',
    'permission_denied',
  ],
  [
    'DUPLICATE_VALUE',
    400,
    '[{"message":"duplicate value found: Ext__c duplicates value on record with id: 001D000000K0fXO","errorCode":"DUPLICATE_VALUE","fields":[]}]',
    'duplicate',
    { candidates: [{ id: '001D000000K0fXOIAZ' }] },
  ],
  [
    'MALFORMED_ID',
    400,
    '[{"message":"Account ID: id value of incorrect type: 003","errorCode":"MALFORMED_ID","fields":["AccountId"]}]',
    'invalid_input',
  ],
  [
    'INVALID_CROSS_REFERENCE_KEY',
    400,
    '[{"message":"invalid cross reference id","errorCode":"INVALID_CROSS_REFERENCE_KEY","fields":[]}]',
    'not_found',
  ],
  [
    'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
    400,
    '[{"message":"insufficient access rights on cross-reference id: 001D000000K0fXO","errorCode":"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY","fields":[]}]',
    'permission_denied',
  ],
  [
    'INSUFFICIENT_ACCESS_OR_READONLY',
    403,
    '[{"message":"insufficient access rights on object id","errorCode":"INSUFFICIENT_ACCESS_OR_READONLY","fields":[]}]',
    'permission_denied',
  ],
  [
    'CANNOT_UPDATE_CONVERTED_LEAD',
    400,
    '[{"message":"cannot reference converted lead","errorCode":"CANNOT_UPDATE_CONVERTED_LEAD","fields":[]}]',
    'conflict',
  ],
  [
    'a lock error inside the text of a flow',
    400,
    '[{"message":"MyFlow: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access","errorCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY","fields":[]}]',
    'conflict',
    { repeat: true, retryable: true },
  ],
  [
    'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
    400,
    '[{"message":"MyTrigger: execution of BeforeInsert\\n\\ncaused by: x","errorCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY","fields":[]}]',
    'validation_rule',
  ],
  [
    'UNABLE_TO_LOCK_ROW',
    400,
    '[{"message":"unable to obtain exclusive access to this record","errorCode":"UNABLE_TO_LOCK_ROW","fields":[]}]',
    'conflict',
    { repeat: true, outcome: 'refused' },
  ],
  [
    'JSON_PARSER_ERROR',
    400,
    '[{"message":"Unexpected character at [line:1, column:2]","errorCode":"JSON_PARSER_ERROR"}]',
    'invalid_input',
  ],
  [
    'REQUEST_LIMIT_EXCEEDED',
    403,
    '[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]',
    'limit_reached',
    { repeat: false },
  ],
  [
    'API_DISABLED_FOR_ORG',
    403,
    '[{"message":"The REST API is not enabled for this Organization.","errorCode":"API_DISABLED_FOR_ORG"}]',
    'reconnect_needed',
  ],
  [
    'API_CURRENTLY_DISABLED',
    403,
    '[{"message":"API is currently disabled for this user","errorCode":"API_CURRENTLY_DISABLED"}]',
    'reconnect_needed',
  ],
  [
    'QUERY_TIMEOUT',
    400,
    '[{"message":"Your query request was running for too long.","errorCode":"QUERY_TIMEOUT"}]',
    'query_refused',
  ],
  [
    'SERVER_UNAVAILABLE',
    503,
    '[{"message":"server too busy","errorCode":"SERVER_UNAVAILABLE"}]',
    'salesforce_unavailable',
    { infrastructure: true },
  ],
  [
    'UNKNOWN_EXCEPTION',
    500,
    '[{"message":"An unexpected error occurred. Please include this ErrorId","errorCode":"UNKNOWN_EXCEPTION"}]',
    'salesforce_error',
    { infrastructure: true, outcome: 'unknown' },
  ],
  [
    'a code nobody knows',
    400,
    '[{"message":"Something new","errorCode":"BRAND_NEW_CODE","extra":{"a":1}}]',
    'salesforce_error',
    { salesforce: { code: 'BRAND_NEW_CODE', fields: [], quote: 'Something new' } },
  ],
  ['a code named like a built-in property', 400, '[{"message":"x","errorCode":"constructor"}]', 'salesforce_error'],
  [
    'an unknown code with a 5xx',
    502,
    '[{"message":"x","errorCode":"BRAND_NEW_CODE"}]',
    'salesforce_unavailable',
    { infrastructure: true, outcome: 'unknown' },
  ],
  [
    'an OAuth-like object',
    400,
    '{"error":"invalid_grant","error_description":"expired access/refresh token"}',
    'salesforce_error',
  ],
  ['412 without a body', 412, '', 'conflict'],
  ['410', 410, '[{"message":"Gone","errorCode":"UNSUPPORTED_API_VERSION"}]', 'salesforce_error'],
  ['414', 414, '', 'invalid_input'],
  ['420', 420, '', 'reconnect_needed'],
  ['429', 429, '', 'limit_reached', { retryable: true }],
];

describe('the table of Salesforce errors', () => {
  it.each(RECORDED)('maps %s [R4]', (_, status, text, code, more = {}) => {
    const failure = toFailure(answer(status, text), false);
    expect(failure).toMatchObject({ code, ...more });
    expect(failure?.next).toMatch(/\w/);
    expect(failure?.operator).toMatch(/\w/);
    // Their words never get into ours.
    for (const { message } of saidIn(answer(status, text))) expect(failure?.message).not.toContain(message);
  });

  it('reads both spellings of the duplicates and offers the records found [R4]', () => {
    for (const key of ['duplicateResut', 'duplicateResult']) {
      const text = `[{"${key}":{"allowSave":true,"duplicateRule":"Standard_Contact","duplicateRuleEntityType":"Contact","errorMessage":"Use one of these records?","matchResults":[{"entityType":"Contact","errors":[],"matchEngine":"ExactMatchEngine","matchRecords":[{"additionalInformation":[],"fieldDiffs":[],"matchConfidence":100,"record":{"attributes":{"type":"Contact","url":"/x"},"Id":"0035g00000AAAAAAA4"}},{"record":{"Id":"broken"}},{}],"rule":"R","size":1,"success":true}]},"errorCode":"DUPLICATES_DETECTED","message":"Use one of these records?"}]`;
      const failure = toFailure(answer(400, text), false);
      expect(failure).toMatchObject({ code: 'duplicate', allowSave: true, outcome: 'refused' });
      expect(failure?.candidates).toEqual([{ id: '0035g00000AAAAAAA4', name: '0035g00000AAAAAAA4', hint: 'Contact' }]);
    }
  });

  it('survives duplicates without matches, as collections send them [R4]', () => {
    const text = '[{"statusCode":"DUPLICATES_DETECTED","message":"Use one of these records?","fields":[]}]';
    expect(toFailure(answer(400, text), false)).toMatchObject({ code: 'duplicate', candidates: undefined });
  });

  it('lists the candidates of an upsert that several records match [R4]', () => {
    const text =
      '["/services/data/v66.0/sobjects/Contact/0035g00000AAAAAAA4","/services/data/v66.0/sobjects/Contact/nonsense"]';
    expect(toFailure(answer(300, text), false)).toMatchObject({
      code: 'ambiguous',
      candidates: [{ id: '0035g00000AAAAAAA4', hint: 'Contact' }],
    });
  });

  it('takes an HTML page from the edge for an outage, and a write that met it for unknown [R1] [R3]', () => {
    const page = answer(503, '<html><body>Down for maintenance</body></html>', 'text/html');
    expect(toFailure(page, true)).toMatchObject({
      code: 'salesforce_unavailable',
      infrastructure: true,
      outcome: 'refused',
      retryable: true,
    });
    expect(toFailure(page, false)).toMatchObject({ outcome: 'unknown', retryable: false });
  });

  it('reads errors in XML too [R4]', () => {
    const text =
      '<?xml version="1.0"?><Errors><Error><errorCode>INVALID_SESSION_ID</errorCode><message>Session expired or invalid</message></Error></Errors>';
    expect(toFailure(answer(401, text, 'application/xml'), true)?.salesforce?.code).toBe('INVALID_SESSION_ID');
  });

  it('keeps every field of several errors, and their texts as one capped, cleaned quote [A7] [R4]', () => {
    const failure = failureOf(
      [
        { code: 'STRING_TOO_LONG', message: `a\u202e${'x'.repeat(400)}`, fields: ['A'] },
        { code: 'INVALID_EMAIL_ADDRESS', message: 'b', fields: ['B', 'A'] },
      ],
      400,
      false,
    );
    expect(failure.fields?.map(({ name }) => name)).toEqual(['A', 'B']);
    expect(failure.salesforce?.quote).toHaveLength(300);
    expect(failure.salesforce?.quote).not.toContain('\u202e');
  });

  it('finds no failure in success, for a read 304 included', () => {
    for (const status of [200, 201, 204]) expect(toFailure(answer(status, ''), false)).toBeUndefined();
    expect(toFailure(answer(304, ''), true)).toBeUndefined();
    expect(toFailure(answer(304, ''), false)).toMatchObject({ outcome: 'unknown' });
  });
});
