import { expect, it } from 'vitest';
import type { ObjectDescribe } from '../../src/domain/action.ts';
import { externalIdOf } from '../../src/domain/external-id.ts';

type Field = ObjectDescribe['fields'][number];
const usable = { name: 'Gatehouse_Id__c', externalId: true, unique: true, createable: true } as Field;

it.each([
  ['all three', {}, 'Gatehouse_Id__c'],
  ['its name in other letters', { name: 'gatehouse_id__c' }, 'gatehouse_id__c'],
  ['no external id', { externalId: false }, undefined],
  ['not unique: an upsert finds several', { unique: false }, undefined],
  ['not createable: every create is refused', { createable: false }, undefined],
  ['another field', { name: 'Key__c' }, undefined],
])('creates go by our external-id field, or do not: %s', (_name, what, field) => {
  expect(externalIdOf({ fields: [{ ...usable, ...what }] })).toBe(field);
});
