import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../src/domain/refusal.ts';
import { failureOf } from '../../src/salesforce/transport/failures.ts';
import { toRefusal } from '../../src/salesforce/transport/refusals.ts';
import { createServedWorld, refusal } from './org-world.ts';

/** Code, HTTP status, fields, what the sync does, and our code. */
const CASES: readonly [string, number, readonly string[], Refusal['then'], string][] = [
  ['UNABLE_TO_LOCK_ROW', 400, [], 'retry', 'salesforce_unavailable'],
  ['SERVER_UNAVAILABLE', 503, [], 'retry', 'salesforce_unavailable'],
  ['STORAGE_LIMIT_EXCEEDED', 400, [], 'retry', 'limit_reached'],
  ['REQUEST_LIMIT_EXCEEDED', 403, [], 'wait', 'limit_reached'],
  ['INVALID_SESSION_ID', 401, [], 'wait', 'reconnect_needed'],
  ['UNKNOWN_EXCEPTION', 500, [], 'reread', 'salesforce_unavailable'],
  ['DUPLICATE_VALUE', 400, [], 'reread', 'duplicate'],
  ['DUPLICATES_DETECTED', 400, [], 'match', 'duplicate'],
  ['ENTITY_IS_DELETED', 404, [], 'reread', 'not_found'],
  ['INVALID_CROSS_REFERENCE_KEY', 400, [], 'reread', 'not_found'],
  ['CANNOT_UPDATE_CONVERTED_LEAD', 400, [], 'reread', 'conflict'],
  ['ENTITY_IS_LOCKED', 400, [], 'stop', 'permission_denied'],
  ['FIELD_CUSTOM_VALIDATION_EXCEPTION', 400, ['Phone'], 'field', 'validation_rule'],
  ['INVALID_EMAIL_ADDRESS', 400, ['Email'], 'field', 'invalid_input'],
  ['MALFORMED_ID', 400, ['AccountId'], 'field', 'invalid_input'],
  ['INVALID_FIELD_FOR_INSERT_UPDATE', 400, ['Phone'], 'field', 'permission_denied'],
  ['FIELD_INTEGRITY_EXCEPTION', 400, ['MailingCountry'], 'field', 'invalid_input'],
  ['JSON_PARSER_ERROR', 400, [], 'field', 'invalid_input'],
  ['INVALID_TYPE', 400, [], 'stop', 'invalid_input'],
  ['MISSING_ARGUMENT', 400, [], 'stop', 'invalid_input'],
  ['SOMETHING_NEW', 400, [], 'stop', 'salesforce_error'],
];

describe('one table of refusals for every room [R4] [H7]', () => {
  it.each(CASES)('reads %s of a single record and of a row alike', (code, status, fields, then, ours) => {
    const said = { message: 'its text', fields };
    const single = toRefusal(failureOf([{ code, ...said }], status, false));
    const row = toRefusal({ status: 200, body: [{ statusCode: code, ...said }] });
    expect([single.then, single.error.code]).toEqual([then, ours]);
    expect(row).toEqual(single);
    expect(row.error.salesforce).toEqual({ code, fields, quote: 'its text' });
    for (const field of fields) expect(row.error.message).toContain(field);
    expect(row.error.next).not.toBe('');
  });

  it('looks at the status where no code came, and at the cause that a trigger wraps', () => {
    const then = (status: number, body: unknown) => toRefusal({ status, body }).then;
    expect([503, 429, 401, 400, 200].map((status) => then(status, []))).toEqual([
      'retry',
      'wait',
      'wait',
      'retry',
      'reread',
    ]);
    for (const [text, expected] of [
      ['T: UNABLE_TO_LOCK_ROW', 'retry'],
      ['Apex CPU time limit exceeded', 'retry'],
      ['T: no', 'stop'],
    ])
      expect(then(200, [{ statusCode: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', message: text, fields: [] }])).toBe(
        expected,
      );
  });

  it('names the record of a DUPLICATE_VALUE once, from its text', () => {
    const message = 'duplicate value found: X duplicates value on record with id: 0035g00000AbCdE';
    const { error } = toRefusal({ status: 200, body: [{ statusCode: 'DUPLICATE_VALUE', message, fields: [] }] });
    expect(error.candidates?.map(({ id }) => id)).toEqual(['0035g00000AbCdEAAV']);
  });
});

it('trusts the id of a record that was made, and looks at success in a good answer [H7]', async () => {
  let body: object = { id: '0035g00000AbCdEXXX', success: true, errors: [] };
  await using world = await createServedWorld((_request, response) => {
    response.statusCode = 201;
    response.end(JSON.stringify(body));
  });
  const org = await world.open();
  expect(await org.create('Contact', { LastName: 'A' })).toEqual({ id: '0035g00000AbCdEXXX', created: true });
  body = { success: false, errors: [{ statusCode: 'REQUIRED_FIELD_MISSING', message: 'no', fields: ['LastName'] }] };
  const error = await refusal(org.create('Contact', {}));
  expect([error.code, error.salesforce?.code]).toEqual(['invalid_input', 'REQUIRED_FIELD_MISSING']);
});
