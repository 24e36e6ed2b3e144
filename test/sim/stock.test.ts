import { expect, it } from 'vitest';
import { openOrg } from './open-org.ts';

it('is an org with the same people and none of our fields, before and after a reset [H2] [X5]', async () => {
  await using org = await openOrg({ seed: 'stock' });
  const customFields = async () => {
    const names: string[] = [];
    for (const object of ['Account', 'Contact', 'Lead', 'Opportunity', 'Case']) {
      const { body } = await org.api('GET', `/sobjects/${object}/describe`);
      names.push(...body.fields.map(({ name }: { name: string }) => name).filter((name: string) => /__c$/.test(name)));
    }
    return names;
  };
  const own = ['ProductInterest__c', 'TrackingNumber__c'];
  expect(await customFields()).toEqual(own);
  for (const body of [{}, { seed: { records: {} } }, { withoutFields: ['Lead.ProductInterest__c'] }]) {
    await org.sim('POST', '/reset', body);
    expect(await customFields()).toEqual('withoutFields' in body ? ['TrackingNumber__c'] : own);
  }
  const deals = (await org.query('SELECT Name FROM Opportunity')).body.records;
  expect(deals).toHaveLength(15);
  expect(deals).toContainEqual(expect.objectContaining({ Name: 'Acme sensor rollout' }));
  expect((await org.query("SELECT Id FROM Opportunity WHERE Reference__c = 'OPP-123'")).body[0].errorCode).toBe(
    'INVALID_FIELD',
  );
  await org.sim('POST', '/reset', { seed: 'company' });
  expect(await customFields()).not.toContain('Reference__c');
});
