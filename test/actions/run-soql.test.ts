import { expect, it } from 'vitest';
import { createWorld } from '../support/world.ts';

it('answers a trivial query at once, in one request, flat and without attributes [Q1 Q4]', async () => {
  await using world = await createWorld();
  const soql = "SELECT Id, Name, Account.Name FROM Opportunity WHERE Reference__c = 'OPP-123' LIMIT 5";
  await world.call('RunSOQL', { soql });
  const before = await world.calls();
  const { status, result } = await world.call('RunSOQL', { soql, format: 'detailed' });
  expect(status).toBe('done');
  expect(result).toMatchObject({
    returned: 1,
    total: 1,
    rows: [{ Name: 'Acme sensor rollout', 'Account.Name': 'Acme Industries' }],
  });
  expect(JSON.stringify(result)).not.toContain('attributes');
  expect(await world.calls()).toBe(before + 1);
});

it('asks before a broad query, with the exact text, its objects, fields, cap and cost [Q3 Q4 C1]', async () => {
  await using world = await createWorld();
  const waiting = await world.call('RunSOQL', { soql: 'SELECT Name FROM Account' });
  expect(waiting).toMatchObject({
    status: 'waiting',
    proposal: {
      query: {
        send: 'SELECT Name FROM Account LIMIT 200',
        objects: ['Account'],
        fields: ['Account.Name'],
        rowCap: 200,
      },
      reasons: [expect.stringMatching(/^The query is non-trivial: .*Salesforce expects about/)],
    },
  });
  const done = await world.approve(waiting.proposal!.id);
  expect(done.result).toMatchObject({ returned: 8, total: 8 });
  const again = await world.call('RunSOQL', { soql: 'SELECT Name FROM Account' });
  expect(again.status, 'an approved query is not asked about again within the window').toBe('done');
});

it('refuses before Salesforce, with code, position and what to write instead [Q1 Q2]', async () => {
  await using world = await createWorld();
  const before = await world.calls();
  for (const [soql, said] of [
    ['SELECT * FROM Account', /fields/i],
    ['SELECT Id FROM Account WHERE Name = "Acme"', /single quotes/i],
    ['DELETE FROM Account', /SELECT/],
    ['SELECT Id FROM User', /User/],
    ["SELECT Id FROM Account WHERE CreatedBy.Profile.Name = 'x'", /not open/],
  ] as const) {
    const error = await world.refusal('RunSOQL', { soql });
    expect(error.code, soql).toBe('query_refused');
    expect(`${error.message} ${error.next}`).toMatch(said);
    expect(error.fields?.[0]?.problem).toMatch(/position \d+/);
  }
  expect(await world.calls()).toBeLessThanOrEqual(before + 1);
});

it('denies a hidden or masked field in every clause [Q2 P5]', async () => {
  await using world = await createWorld({
    policy: (policy) => ({
      ...policy,
      objects: {
        ...policy.objects,
        Account: { ...policy.objects.Account!, denyFields: ['AnnualRevenue'], maskFields: ['Phone'] },
      },
    }),
  });
  for (const soql of [
    'SELECT AnnualRevenue FROM Account LIMIT 1',
    'SELECT Id FROM Account WHERE AnnualRevenue > 5',
    'SELECT Id FROM Account ORDER BY AnnualRevenue LIMIT 5',
    'SELECT COUNT(Id) FROM Account GROUP BY AnnualRevenue',
    "SELECT Id FROM Contact WHERE Account.Phone LIKE '+31%'",
    'SELECT Id FROM Opportunity WHERE AccountId IN (SELECT Id FROM Account WHERE AnnualRevenue > 5)',
  ])
    expect((await world.refusal('RunSOQL', { soql })).code, soql).toBe('query_refused');
});

it('pages by its own cursor, which no other bot can use and nobody can make [Q3]', async () => {
  await using world = await createWorld();
  for (let n = 0; n < 30; n += 1)
    await world.sim('POST', 'records/Task', { Subject: `Task ${String(n).padStart(2, '0')}`, Status: 'Not Started' });
  const soql = "SELECT Subject FROM Task WHERE Subject LIKE 'Task %' ORDER BY Subject";
  const waiting = await world.call('RunSOQL', { soql });
  const first = await world.approve(waiting.proposal!.id);
  expect(first.result).toMatchObject({ returned: 25, total: 30, nextCursor: expect.any(String) });
  const cursor = String(first.result?.nextCursor);
  const second = await world.call('RunSOQL', { soql, cursor });
  expect(second).toMatchObject({ status: 'done', result: { returned: 5, total: 30 } });
  expect(second.result?.rows).toMatchObject([{ Subject: 'Task 25' }, {}, {}, {}, {}]);
  for (const forged of [
    'x',
    `${cursor}x`,
    `${Buffer.from('{"send":"SELECT Id FROM User","skip":0,"until":9e15}').toString('base64url')}.${cursor.split('.')[1]}`,
  ])
    expect(await world.refusal('RunSOQL', { soql, cursor: forged })).toMatchObject({ code: 'invalid_input' });
  await world.app.store.bots.create({ ...(await world.app.store.bots.get(world.bot))!, name: 'other' });
  await world.app.connections.connect('other', { flow: 'simulated' });
  expect(await world.refusal('RunSOQL', { soql, cursor }, { bot: 'other' })).toMatchObject({ code: 'invalid_input' });
  world.clock.advance(61 * 60_000);
  expect(await world.refusal('RunSOQL', { soql, cursor })).toMatchObject({ code: 'invalid_input' });
});

it("stops a walk through the rows and an oracle of counts at the hour's budget [Q3]", async () => {
  await using world = await createWorld({
    policy: (policy) => ({ ...policy, soql: { ...policy.soql, rowsPerHour: 3, countsPerHour: 2 } }),
  });
  const count = (n: number) => ({ soql: `SELECT COUNT() FROM Account WHERE NumberOfEmployees > ${n}` });
  const say = async (args: { soql: string }) => {
    const envelope = await world.call('RunSOQL', args);
    return envelope.status === 'waiting' ? world.approve(envelope.proposal!.id) : envelope;
  };
  expect((await say(count(1))).result).toMatchObject({ rows: [{ count: 8 }] });
  await say(count(2));
  await expect(say(count(3))).rejects.toMatchObject({ code: 'rate_limited' });
  await say({ soql: 'SELECT Name FROM Account LIMIT 3' });
  await expect(say({ soql: 'SELECT Name FROM Account LIMIT 2' })).rejects.toMatchObject({ code: 'rate_limited' });
  world.clock.advance(61 * 60_000);
  expect((await say({ soql: 'SELECT Name FROM Account LIMIT 1' })).status).toBe('done');
});
