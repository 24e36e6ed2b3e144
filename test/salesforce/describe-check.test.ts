import { describe, expect, it } from 'vitest';
import type { Fields } from '../../src/domain/action.ts';
import { GatehouseError } from '../../src/domain/errors.ts';
import { checkFields } from '../../src/salesforce/records/describe-check.ts';
import { toDescribe } from '../../src/salesforce/records/describes.ts';

const writable = { nillable: true, createable: true, updateable: true, length: 0 };
const picklist = (...values: string[]) =>
  values.map((value) => ({
    value,
    label: value,
    active: !value.startsWith('Old'),
    defaultValue: false,
    validFor: null,
  }));

const thing = toDescribe({
  name: 'Thing__c',
  label: 'Thing',
  fields: [
    { ...writable, name: 'Id', type: 'id', createable: false, updateable: false },
    { ...writable, name: 'Name', label: 'Name', type: 'string', length: 10, nillable: false },
    { ...writable, name: 'Text__c', label: 'Text', type: 'textarea', length: 5 },
    { ...writable, name: 'Int__c', label: 'Int', type: 'int' },
    { ...writable, name: 'Money__c', label: 'Money', type: 'currency' },
    { ...writable, name: 'Day__c', label: 'Day', type: 'date' },
    { ...writable, name: 'Moment__c', label: 'Moment', type: 'datetime' },
    { ...writable, name: 'Flag__c', label: 'Flag', type: 'boolean', nillable: false },
    { ...writable, name: 'Parent__c', label: 'Parent', type: 'reference', referenceTo: ['Account'] },
    {
      ...writable,
      name: 'Open__c',
      label: 'Open list',
      type: 'picklist',
      length: 255,
      picklistValues: [{ value: 'HIGH', label: 'Very high', active: true }, ...picklist('Low', 'Medium', 'Old one')],
    },
    {
      ...writable,
      name: 'Closed__c',
      label: 'Closed list',
      type: 'picklist',
      restrictedPicklist: true,
      picklistValues: picklist('Berlin', 'Bern', 'Paris', 'Oldenburg'),
    },
    {
      ...writable,
      name: 'Many__c',
      label: 'Many',
      type: 'multipicklist',
      restrictedPicklist: true,
      picklistValues: picklist('Red', 'Green'),
    },
    {
      ...writable,
      name: 'Fixed__c',
      label: 'Fixed',
      type: 'string',
      length: 10,
      updateable: false,
      nillable: false,
      defaultedOnCreate: true,
    },
    { ...writable, name: 'Address', label: 'Address', type: 'address', createable: false, updateable: false },
    { ...writable, name: 'Street', label: 'Street', type: 'textarea', length: 255, compoundFieldName: 'Address' },
  ],
});

function problems(
  operation: 'create' | 'update',
  fields: Fields,
  names?: Record<string, string>,
): Record<string, string> {
  try {
    checkFields(thing, operation, fields, names);
  } catch (error) {
    if (error instanceof GatehouseError)
      return Object.fromEntries((error.fields ?? []).map(({ name, problem }) => [name, problem]));
    throw error;
  }
  return {};
}

describe('values against a describe', () => {
  it.each<[string, Fields, Fields]>([
    ['names in any case', { name: 'A', INT__C: 3 }, { Name: 'A', Int__c: 3 }],
    ['a label for its API value', { Open__c: 'very HIGH' }, { Open__c: 'HIGH' }],
    ['an API value in another case', { Closed__c: ' paris' }, { Closed__c: 'Paris' }],
    ['several values, each once', { Many__c: 'red; Green;RED' }, { Many__c: 'Red;Green' }],
    ['a 15-character id, made 18', { Parent__c: '001D000000K0fXO' }, { Parent__c: '001D000000K0fXOIAZ' }],
    ['an empty text as none', { Text__c: '' }, { Text__c: null }],
    [
      'days and moments',
      { Day__c: '2024-02-29', Moment__c: '2026-05-01T08:00:00+02:00' },
      { Day__c: '2024-02-29', Moment__c: '2026-05-01T06:00:00.000+0000' },
    ],
    ['five characters of two units each', { Text__c: '😀😀😀😀😀' }, { Text__c: '😀😀😀😀😀' }],
    ['a number in a text field', { Text__c: 42 }, { Text__c: '42' }],
  ])('takes %s [A2]', (_, given, kept) => {
    expect(checkFields(thing, 'update', given)).toEqual({ fields: kept, warnings: [] });
  });

  it.each<[string, Fields, string]>([
    ['a text that is too long', { Text__c: 'abcdef' }, '6 characters where 5 fit'],
    ['a huge text', { Text__c: 'x'.repeat(40_000) }, '40000 characters'],
    ['NUL', { Text__c: 'a\0' }, 'cannot be stored'],
    ['half a character', { Text__c: 'a\ud800' }, 'cannot be stored'],
    ['a text for a number', { Money__c: '12' }, 'must be a number'],
    ['a number that is none', { Money__c: Number.NaN }, 'must be a number'],
    ['a fraction for a whole number', { Int__c: 1.5 }, 'whole number'],
    ['a day that does not exist', { Day__c: '2026-02-29' }, 'YYYY-MM-DD'],
    ['a day in another form', { Day__c: '01/02/2026' }, 'YYYY-MM-DD'],
    ['a moment without zone', { Moment__c: '2026-05-01T08:00:00' }, 'zone'],
    ['a word for yes', { Flag__c: 'yes' }, 'true or false'],
    ['a wrong id', { Parent__c: '001D000000K0fXOIAY' }, 'check characters'],
    ['an unlisted value of a restricted list, with the nearest', { Closed__c: 'Berln' }, 'nearest: Berlin, Bern'],
    ['an inactive value of a restricted list', { Closed__c: 'Oldenburg' }, 'not in the list'],
    ['one unlisted value among several', { Many__c: 'Red;Blue' }, 'not in the list'],
    ['an unknown field, with the nearest', { Txt__c: 'a' }, 'nearest: Text__c'],
    ['a field that may not change', { Fixed__c: 'a' }, 'cannot be changed'],
    ['a compound, with its parts', { Address: 'x' }, 'use Street'],
    ['none for a required field', { Name: null }, 'cannot be empty'],
    ['spaces around nothing in a required field', { Name: '' }, 'cannot be empty'],
  ])('refuses %s [A2]', (_, fields, problem) => {
    expect(Object.values(problems('update', fields))).toEqual([expect.stringContaining(problem)]);
  });

  it('warns of an unlisted value where Salesforce would store it silently [A2]', () => {
    const { fields, warnings } = checkFields(thing, 'update', { Open__c: 'Hgh' });
    expect(fields).toEqual({ Open__c: 'Hgh' });
    expect(warnings).toEqual([expect.stringContaining('HIGH')]);
  });

  it('names every bad field at once, under the names of the inputs [A2] [E]', () => {
    expect(problems('create', { Day__c: 'x', Int__c: 'y' }, { Day__c: 'day', Int__c: 'count', Name: 'title' })).toEqual(
      {
        day: expect.any(String),
        count: expect.any(String),
        title: expect.stringContaining('required'),
      },
    );
  });

  it('asks on create for what has no default, on update for nothing', () => {
    expect(Object.keys(problems('create', {}))).toEqual(['Name']);
    expect(problems('update', {})).toEqual({});
  });
});
