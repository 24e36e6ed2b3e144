import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isRead } from '../../../src/domain/stored-value/read.ts';
import { isSame, toStored } from '../../../src/domain/stored-value/stored-value.ts';
import { toDescribe } from '../../../src/salesforce/records/describes.ts';
import { openOrg } from '../../sim/open-org.ts';

const values = ['Cranes', 'Hoists', 'Lifts'];
const FIELDS = [
  { name: 'Words__c', type: 'string', length: 40 },
  { name: 'Lines__c', type: 'textarea', length: 200 },
  { name: 'Story__c', type: 'html' },
  { name: 'Secret__c', type: 'encryptedstring', length: 40 },
  { name: 'Mail__c', type: 'email' },
  { name: 'Call__c', type: 'phone' },
  { name: 'One__c', type: 'picklist', values, isRestricted: true },
  { name: 'Many__c', type: 'multipicklist', values },
  { name: 'Day__c', type: 'date' },
  { name: 'Moment__c', type: 'datetime' },
  { name: 'Clock__c', type: 'time' },
  { name: 'Count__c', type: 'int', precision: 8 },
  { name: 'Share__c', type: 'percent', precision: 5, scale: 0 },
  { name: 'Sum__c', type: 'currency', precision: 18, scale: 2 },
  { name: 'Yes__c', type: 'boolean' },
];

const text = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.lorem({ maxCount: 6 }),
  fc.stringMatching(/^(<b>|<\/b>|&lt;|&amp;|&|<|>|a|"|'|\r\n|\n|<br>|<x>| ){1,12}$/),
  fc.constantFrom(
    'Ada@Example.com',
    'r&d@t.example',
    'lifts',
    'Lifts, cranes',
    'Hoists;X',
    '+49 (30) 1',
    '10:30',
    'yes',
  ),
  fc
    .date({ min: new Date('1701-01-01'), max: new Date('3999-01-01'), noInvalidDate: true })
    .map((one) => one.toISOString()),
);
const given = fc.oneof(
  { weight: 3, arbitrary: text },
  fc.double({ min: -1e7, max: 1e7, noNaN: true }),
  fc.constantFrom(1000.005, -1.005, 2.5, 1e17, 0, -0, null, true, false, '', ' ', '1,234.56'),
  fc.integer(),
);

it('is what the org answers after it was written, to the letter, and is the same when compared [H1] [G27]', async () => {
  await using org = await openOrg();
  await org.sim(
    'POST',
    '/fields',
    FIELDS.map((field) => ({ ...field, object: 'Contact' })),
  );
  const { fields } = toDescribe((await org.api('GET', '/sobjects/Contact/describe')).body);
  const described = FIELDS.map(({ name }) => {
    const found = fields.find((field) => field.name === name);
    if (!found) throw new Error(`no field ${name}`);
    return found;
  });
  const wishes = fc.sample(fc.record(Object.fromEntries(FIELDS.map(({ name }) => [name, given]))), 60);
  for (const wish of wishes) {
    const sent = described.flatMap((field) => {
      const stored = toStored(field, wish[field.name]);
      return isRead(stored) ? [[field.name, stored.value] as const] : [];
    });
    const { status, body } = await org.api('POST', '/sobjects/Contact', {
      LastName: 'Vos',
      ...Object.fromEntries(sent),
    });
    // Nothing that we take is refused.
    expect([status, body, wish]).toEqual([201, expect.anything(), wish]);
    const held = (await org.api('GET', `/sobjects/Contact/${body.id}`)).body;
    for (const field of described) {
      const [, stored] = sent.find(([name]) => name === field.name) ?? [];
      if (stored === undefined) continue;
      const what = [field.name, wish[field.name], stored, held[field.name]];
      expect([isSame(field, held[field.name], stored), ...what]).toEqual([true, ...what]);
      expect([isSame(field, held[field.name], wish[field.name]), ...what]).toEqual([true, ...what]);
      // Rich text may come back with more of its quotes escaped, encrypted text as a mask.
      if (!field.isRichText && !field.isMasked) expect([field.name, held[field.name]]).toEqual([field.name, stored]);
    }
  }
});
