import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChangeEvent } from '../../../src/sync/inbound/change-event.ts';

const ID = '0035i000000000DAAQ';
const event = (header: object, fields: object = {}) => ({
  schema: 'x',
  payload: {
    Title: 'Dr',
    ChangeEventHeader: { entityName: 'Contact', recordIds: [ID], changeType: 'UPDATE', ...header },
    ...fields,
  },
  event: { replayId: 1 },
});

describe('a change event', () => {
  it('says which records, which fields by their plain names, and whose client it was', () => {
    const header = {
      changedFields: ['Name.LastName', 'MailingAddress.City', 'Title', 'LastModifiedDate'],
      changeOrigin: 'com/salesforce/api/rest/66.0;client=gatehouse-1a2b3c4d',
      recordIds: [ID.slice(0, 15), ID],
    };
    const fields = { Name: { LastName: 'Moyo' }, MailingAddress: { City: null }, Unknown__c: [1] };
    expect(readChangeEvent(event(header, fields))).toEqual({
      kind: 'change',
      object: 'Contact',
      recordIds: [ID],
      changed: ['LastName', 'MailingCity', 'Title', 'LastModifiedDate'],
      values: { Title: 'Dr', LastName: 'Moyo', MailingCity: null, Unknown__c: [1] },
      client: 'gatehouse-1a2b3c4d',
    });
  });

  it.each([
    ['a gap', { changeType: 'GAP_UPDATE' }, { kind: 'gap', recordIds: [ID] }],
    ['a type that nobody knows yet', { changeType: 'SNAPSHOT' }, { kind: 'gap', recordIds: [ID] }],
    [
      'an overflow',
      { changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] },
      { kind: 'overflow', recordIds: [] },
    ],
    ['a field conversion', { recordIds: ['003*'] }, { kind: 'all', object: 'Contact' }],
    ['an id that is none', { recordIds: ['../../limits'] }, { kind: 'overflow', recordIds: [] }],
    ['no header at all', { recordIds: undefined }, { kind: 'overflow', object: '' }],
    ['a change by hand', { changeOrigin: '' }, { kind: 'change', client: undefined, changed: undefined }],
    ['a deletion', { changeType: 'DELETE' }, { kind: 'change', values: {} }],
  ])('of %s is told as what it is', (_, header, expected) => {
    expect(readChangeEvent(event(header))).toMatchObject(expected);
  });

  it('is never an exception, whatever comes', () => {
    const anything = fc.oneof(fc.anything(), fc.record({ payload: fc.record({ ChangeEventHeader: fc.anything() }) }));
    fc.assert(fc.property(anything, (data) => void readChangeEvent(data)));
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('recordIds', 'changeType', 'changedFields', 'changeOrigin', 'entityName'),
          fc.jsonValue(),
        ),
        (header) => {
          const { recordIds } = readChangeEvent(event(header as object));
          expect(recordIds.every((id) => /^[A-Za-z0-9]{18}$/.test(id))).toBe(true);
        },
      ),
    );
  });
});
