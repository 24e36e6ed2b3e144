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
      reasons: [expect.stringMatching(/^The query is non-trivial: it has no WHERE/)],
    },
  });
  const { preview } = (await world.app.approvals.inspect(waiting.proposal!.id)).proposal;
  expect(preview?.query?.expects).toMatch(/^Salesforce expects about 8 rows of Account/);
  const done = await world.approve(waiting.proposal!.id);
  expect(done.result).toMatchObject({ returned: 8, total: 8 });
  const again = await world.call('RunSOQL', { soql: 'SELECT Name FROM Account' });
  expect(again.status, 'an approved query is not asked about again within the window').toBe('done');
});

it('tells nobody how many rows a query would bring that waits, or that policy denies [Q4 C1]', async () => {
  await using world = await createWorld();
  const soql = "SELECT Id FROM Contact WHERE Email = 'rosa.gonzalez@acme.example' AND Title LIKE 'H%'";
  const waiting = await world.call('RunSOQL', { soql });
  const looked = await world.call('GetProposal', { id: waiting.proposal!.id });
  expect(JSON.stringify([waiting, looked])).not.toContain('expects');
  await world.setPolicy((policy) => ({
    ...policy,
    actions: {
      ...policy.actions,
      RunSOQL: { ...policy.actions.RunSOQL!, rules: [{ if: { queryClass: 'non-trivial' }, then: 'deny' }] },
    },
  }));
  const denials = [soql, soql.replace('rosa.gonzalez', 'nobody')].map((one) => world.refusal('RunSOQL', { soql: one }));
  const [known, unknown] = await Promise.all(denials);
  expect(known).toMatchObject({ code: 'permission_denied' });
  expect(unknown).toEqual(known);
});

it('asks Salesforce nothing but the query itself where policy lets it run [F2] [C1]', async () => {
  await using world = await createWorld({
    policy: (policy) => ({
      ...policy,
      actions: { ...policy.actions, RunSOQL: { ...policy.actions.RunSOQL!, decision: 'auto', rules: [] } },
    }),
  });
  const soql = 'SELECT Name FROM Account';
  await world.call('RunSOQL', { soql });
  const before = await world.calls();
  for (const format of ['concise', 'detailed'])
    expect(await world.call('RunSOQL', { soql, format })).toMatchObject({ status: 'done', result: { total: 8 } });
  expect(await world.calls()).toBe(before + 2);
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
    `${cursor}.x`,
    `${cursor.split('.')[0]}.${'é'.repeat(22)}`,
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

it("keeps the hour's budgets when many ask at once, in two processes [Q3]", async () => {
  await using world = await createWorld({
    policy: (policy) => ({ ...policy, soql: { ...policy.soql, rowsPerHour: 10, countsPerHour: 7 } }),
  });
  const other = await world.again();
  const ask = (soql: string, n: number) =>
    n % 2 === 0
      ? world.call('RunSOQL', { soql })
      : other.gate.call({
          bot: world.bot,
          principal: 'agent:test',
          channel: 'rest',
          action: 'RunSOQL',
          args: { soql },
        });
  const outcomes = async (count: number, soqlOf: (n: number) => string) => {
    const ended = await Promise.allSettled(Array.from({ length: count }, (_, n) => ask(soqlOf(n), n)));
    for (const one of ended) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'rate_limited' });
    return ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  };
  const counts = await outcomes(40, (n) => `SELECT COUNT() FROM Account WHERE Name = 'Nobody ${n}'`);
  expect(counts.map(({ status }) => status)).toEqual(Array(7).fill('done'));
  const rows = await outcomes(
    40,
    (n) => `SELECT Id FROM Opportunity WHERE Reference__c = 'OPP-123' LIMIT ${1 + (n % 2)}`,
  );
  const shown = rows.reduce((sum, { result }) => sum + Number(result?.returned), 0);
  expect(shown).toBeGreaterThan(0);
  expect(shown).toBeLessThanOrEqual(10);
});

it('counts the rows that were read, and gives back the room that was not needed [Q3]', async () => {
  await using world = await createWorld({
    policy: (policy) => ({ ...policy, soql: { ...policy.soql, rowsPerHour: 6 } }),
  });
  const one = (n: number) => ({ soql: `SELECT Id FROM Opportunity WHERE Reference__c = 'OPP-123' LIMIT ${n}` });
  for (const n of [6, 5, 4, 3, 2]) expect((await world.call('RunSOQL', one(n))).result?.returned).toBe(1);
  await world.sim('POST', 'faults', [{ type: 'status', status: 503, match: { path: 'query' }, times: 5 }]);
  expect((await world.refusal('RunSOQL', one(1))).code).toBe('salesforce_unavailable');
  await world.sim('POST', 'faults', { clear: true });
  world.clock.advance(61_000);
  await world.call('RunSOQL', one(1));
  const error = await world.refusal('RunSOQL', { ...one(1), format: 'detailed' });
  expect(error).toMatchObject({ code: 'rate_limited', retryable: true });
});

it('says how many rows are left, so that a smaller query is answered at once [Q3]', async () => {
  await using world = await createWorld({
    policy: (policy) => ({ ...policy, soql: { ...policy.soql, rowsPerHour: 6 } }),
  });
  const soql = "SELECT Id FROM Opportunity WHERE Reference__c = 'OPP-123' LIMIT ";
  await world.call('RunSOQL', { soql: `${soql}2` });
  const error = await world.refusal('RunSOQL', { soql: `${soql}20` });
  expect(`${error.message} ${error.next}`).toMatch(/5 of 6 .*LIMIT 5/);
  expect((await world.call('RunSOQL', { soql: `${soql}5` })).status).toBe('done');
});

it('spends no API call on a query that the budget refuses, nor one a query on an object that the org lacks [Q3]', async () => {
  await using world = await createWorld({
    policy: (policy) => ({
      ...policy,
      objects: { ...policy.objects, Missing__c: { ...policy.objects.Account!, allowFields: undefined } },
      soql: { ...policy.soql, rowsPerHour: 3, countsPerHour: 0 },
    }),
  });
  await world.call('RunSOQL', { soql: 'SELECT Name FROM Account LIMIT 1' });
  const before = await world.calls();
  for (const format of ['concise', 'detailed'] as const)
    for (const soql of [
      'SELECT Name FROM Account',
      'SELECT Name FROM Account LIMIT 4',
      'SELECT COUNT() FROM Account',
      'SELECT COUNT(Id) FROM Account GROUP BY Name',
    ])
      expect((await world.refusal('RunSOQL', { soql, format })).code, soql).toBe('rate_limited');
  expect(await world.calls()).toBe(before);
  for (let n = 0; n < 5; n += 1)
    expect((await world.refusal('RunSOQL', { soql: `SELECT Id FROM Missing__c LIMIT ${n + 1}` })).code).toBe(
      'query_refused',
    );
  expect(await world.calls()).toBe(before + 1);
});
