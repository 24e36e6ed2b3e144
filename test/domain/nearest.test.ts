import { expect, it } from 'vitest';
import { nearest } from '../../src/domain/nearest.ts';
import { createWorld } from '../support/world.ts';

const FIELDS = [
  'Id',
  'Name',
  'StageName',
  'Amount',
  'AnnualRevenue',
  'CloseDate',
  'NextStep',
  'Account_Key__c',
  'Phone',
];

it.each([
  ['Stagename2', 'StageName'],
  ['stage_name', 'StageName'],
  ['Stage', 'StageName'],
  ['Amuont', 'Amount'],
  ['Revenue', 'AnnualRevenue'],
  ['AccountKey', 'Account_Key__c'],
  ['Nextstep__c', 'NextStep'],
  ['Phonenumber', 'Phone'],
  ['closingdate', 'CloseDate'],
])('%s most likely means %s [V11]', (given, meant) => {
  expect(nearest(given, FIELDS)[0]).toBe(meant);
});

it('says nothing where nothing is near, whatever is given [V11]', () => {
  expect(nearest('Zebra', FIELDS)).toEqual([]);
  expect(nearest('', FIELDS)).toEqual([]);
  expect(nearest('x'.repeat(100_000), FIELDS)).toEqual([]);
});

it('names open fields only, in a query and in a write [V11 Q2]', async () => {
  await using world = await createWorld({
    policy: (policy) => ({
      ...policy,
      actions: {
        ...policy.actions,
        UpdateOpportunity: {
          ...policy.actions.UpdateOpportunity!,
          expose: [{ field: 'NextStepp', type: 'string', describe: 'x' }],
        },
      },
      objects: { ...policy.objects, Opportunity: { ...policy.objects.Opportunity!, denyFields: ['NextStep'] } },
    }),
  });
  const query = await world.refusal('RunSOQL', { soql: 'SELECT Stagename2 FROM Opportunity' });
  expect(query.next).toBe('Did you mean StageName?');
  const hidden = await world.refusal('RunSOQL', { soql: 'SELECT NextStepp FROM Opportunity' });
  expect(`${hidden.message}${hidden.next}`).not.toContain('NextStep ');
  expect(hidden.next).not.toMatch(/NextStep\?/);
  const write = await world.refusal('UpdateOpportunity', { reference: 'OPP-123', NextStepp: 'x' });
  expect(JSON.stringify(write.fields)).not.toMatch(/NextStep\b/);
});
