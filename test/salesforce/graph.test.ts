import { describe, expect, it } from 'vitest';
import { createSimWorld, refusal } from './org-world.ts';

const calls = async ({ control }: Awaited<ReturnType<typeof createSimWorld>>): Promise<string[]> =>
  (await control('GET', 'calls')).calls.map(({ path }: { path: string }) => path);

describe('records that are written all or none', () => {
  const account = { id: 'account', object: 'Account', fields: { Name: 'Graph GmbH' } };
  const contact = { id: 'person', object: 'Contact', fields: { LastName: 'Graph', AccountId: { from: 'account' } } };

  it('are made in one call, each leaning on the one before [B3]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    await org.describe('Account');
    const before = await calls(world);
    const [outcome] = await org.graph([[account, contact]]);
    expect((await calls(world)).slice(before.length)).toEqual(['/services/data/v66.0/composite/graph']);
    const [made, person] = outcome && 'records' in outcome ? outcome.records : [];
    expect([made?.isCreated, person?.isCreated]).toEqual([true, true]);
    expect(await org.get('Contact', person?.id ?? '', ['AccountId'])).toMatchObject({ AccountId: made?.id });
  });

  it('leave nothing where one is refused, which is named with its reason; other graphs of the call stand [B3]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    const outcomes = await org.graph([
      [account, { ...contact, fields: { FirstName: 'No last name', AccountId: { from: 'account' } } }],
      [{ ...account, fields: { Name: 'Second GmbH' } }],
    ]);
    expect(outcomes[0]).toMatchObject({
      node: 'person',
      failure: { code: 'invalid_input', salesforce: { code: 'REQUIRED_FIELD_MISSING' } },
    });
    expect(outcomes[1]).toMatchObject({ records: [{ isCreated: true }] });
    const named = (name: string) => org.find('Account', { fields: [], where: [{ field: 'Name', is: name }], limit: 5 });
    expect([(await named('Graph GmbH')).length, (await named('Second GmbH')).length]).toEqual([0, 1]);
  });

  it('are upserted by a key, updated on condition, and told which it was [B3]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    await world.control('POST', 'settings', { compositeConditional: true });
    const key = { field: 'Account_Key__c', value: 'graph/1 &x' };
    const upsert = async (name: string) => (await org.graph([[{ ...account, key, fields: { Name: name } }]]))[0];
    expect(await upsert('One')).toMatchObject({ records: [{ isCreated: true }] });
    const again = await upsert('Two');
    expect(again).toMatchObject({ records: [{ isCreated: false }] });
    const id = again && 'records' in again ? (again.records[0]?.id ?? '') : '';
    const { LastModifiedDate } = await org.get('Account', id, ['LastModifiedDate']);
    const update = (unmodifiedSince: string) =>
      org.graph([[{ id: 'a', object: 'Account', record: { id, unmodifiedSince }, fields: { Name: 'Three' } }]]);
    expect((await update('2001-01-01T00:00:00Z'))[0]).toMatchObject({ node: 'a', failure: { code: 'conflict' } });
    expect((await update(String(LastModifiedDate)))[0]).toMatchObject({ records: [{ id, isCreated: false }] });
    expect(await org.get('Account', id, ['Name'])).toMatchObject({ Name: 'Three' });
  });

  it.each([
    ['a reference in a text', [{ ...account, fields: { Name: 'x @{account.id}' } }]],
    ['a step up in a key', [{ ...account, key: { field: 'Account_Key__c', value: '..' } }]],
    ['an object with a path in it', [{ ...account, object: 'Account/../User' }]],
    ['a field with a path in it', [{ ...account, fields: { 'Name/x': 'a' } }]],
    ['a reference to a later node', [{ ...contact }, account]],
    ['one name twice', [account, account]],
    ['no node', []],
  ])('are not sent with %s [B3]', async (_, nodes) => {
    await using world = await createSimWorld();
    const org = await world.open();
    const before = await calls(world);
    await expect(org.graph([nodes])).rejects.toThrow();
    expect(await calls(world)).toEqual(before);
  });

  it.each(['drop', 'drop_body', 'html'] as const)(
    'may have been made where the answer is lost (%s) [B3]',
    async (type) => {
      await using world = await createSimWorld();
      const org = await world.open();
      await world.control('POST', 'faults', { type, when: 'after', times: 1, match: { path: 'composite/graph' } });
      expect(await refusal(org.graph([[account]]))).toMatchObject({ outcome: 'unknown' });
    },
  );

  it.each([
    ['no word of the graph', { graphs: [] }],
    ['no Id', { graphs: [{ graphId: 'g0', isSuccessful: true, graphResponse: { compositeResponse: [] } }] }],
    [
      "another object's Id",
      {
        graphs: [
          {
            graphId: 'g0',
            isSuccessful: true,
            graphResponse: {
              compositeResponse: [
                { referenceId: 'account', httpStatusCode: 201, body: { id: '003000000000001AAA', success: true } },
              ],
            },
          },
        ],
      },
    ],
    ['neither yes nor no', { graphs: [{ graphId: 'g0', graphResponse: { compositeResponse: [] } }] }],
  ])('may have been made where the answer holds %s [B3]', async (_, body) => {
    await using world = await createSimWorld();
    const org = await world.open();
    await org.describe('Account');
    await world.control('POST', 'faults', {
      type: 'status',
      status: 200,
      body,
      when: 'after',
      times: 1,
      match: { path: 'composite/graph' },
    });
    expect(await refusal(org.graph([[account]]))).toMatchObject({ outcome: 'unknown' });
  });
});
