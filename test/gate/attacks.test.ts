import { expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { createWorld, type World } from '../support/world.ts';

/** What a reviewer who played the model got through once; none of it may come back. */

const own = (policy: Policy, action: string, change: object): Policy => ({
  ...policy,
  actions: { ...policy.actions, [action]: { ...policy.actions[action]!, ...change } },
});

const opportunity = async (world: World, reference: string) =>
  (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === reference)!;

it('an approval for one record does not run on another that has its name by then [C5]', async () => {
  await using world = await createWorld();
  const [meant, other] = [await opportunity(world, 'OPP-123'), await opportunity(world, 'OPP-124')];
  await world.sim('POST', 'records/Opportunity', { Id: meant.Id, Name: 'Pilot' });
  const waiting = await world.call('UpdateOpportunity', { name: 'Pilot', nextStep: 'Close it' });
  await world.sim('POST', 'records/Opportunity', { Id: meant.Id, Name: 'Renamed' });
  await world.sim('POST', 'records/Opportunity', { Id: other.Id, Name: 'Pilot', NextStep: meant.NextStep });
  expect((await world.approve(waiting.proposal!.id)).status).toBe('conflict');
  expect((await opportunity(world, 'OPP-124')).NextStep).toBe(meant.NextStep);
});

it('a field that was not shown is not written, also when it differs only by then [C2 C5]', async () => {
  await using world = await createWorld();
  const before = await opportunity(world, 'OPP-123');
  const wish = { reference: 'OPP-123', nextStep: 'Sign', amount: before.Amount, stageName: before.StageName };
  const waiting = await world.call('UpdateOpportunity', wish);
  expect(waiting.proposal?.changes.map(({ field }) => field)).toEqual(['NextStep']);
  await world.sim('POST', 'records/Opportunity', { Id: before.Id, Amount: 255_000 });
  const end = await world.approve(waiting.proposal!.id);
  expect(end).toMatchObject({
    status: 'conflict',
    proposal: { problem: { message: expect.stringContaining('255000') } },
  });
  expect(await opportunity(world, 'OPP-123')).toMatchObject({ Amount: 255_000, NextStep: before.NextStep });
});

it("one customer's approved answer is not another's [P6 C5]", async () => {
  await using world = await createWorld({
    audience: 'public',
    policy: (policy) => own(policy, 'GetAccount', { decision: 'confirm', rules: [] }),
  });
  const [acme, globex] = [{ indexValue: 'ACME-001' }, { indexValue: 'GLOB-002' }];
  const waiting = await world.call('GetAccount', {}, { session: acme });
  await world.approve(waiting.proposal?.id ?? '');
  expect((await world.call('GetAccount', {}, { session: acme })).status).toBe('done');
  expect((await world.call('GetAccount', {}, { session: globex })).status).toBe('waiting');
  expect((await world.call('GetAccount', {})).status).toBe('waiting');
});

it('a full queue and a refusing org answer a visitor alike, known or not [P6]', async () => {
  await using world = await createWorld({
    audience: 'public',
    policy: (policy) => ({ ...policy, proposals: { ...policy.proposals, maxHeld: 2 } }),
  });
  const known = (await world.records('Contact')).find(({ Email }) => typeof Email === 'string')!;
  const lead = (lastName: string, email: unknown) => world.call('CreateLead', { lastName, company: 'Acme', email });
  await world.sim('POST', 'faults', { type: 'lock', match: { path: '/sobjects/Lead', method: 'PATCH' }, times: 9 });
  expect(await lead('Stranger', 'nobody@nowhere.example')).toEqual(await lead('Known', known.Email));
  const refusals = await Promise.all(
    [known.Email, 'somebody@else.example'].map((email) =>
      world.refusal('CreateLead', { lastName: 'Late', company: 'Acme', email }),
    ),
  );
  expect(new Set(refusals.map(({ code, message }) => `${code} ${message}`)).size).toBe(1);
});

it('a crowd of calls does not pass the rate together [C1]', async () => {
  await using world = await createWorld();
  const ends = await Promise.all(
    Array.from({ length: 60 }, (_, n) => world.call('CreateLead', { lastName: `Crowd ${n}`, company: 'Acme' })),
  );
  expect(ends.filter(({ status }) => status === 'done').length).toBeLessThanOrEqual(20);
});

it('a crowd of proposals does not pass the cap together [C5]', async () => {
  await using world = await createWorld({
    policy: (policy) => ({ ...policy, proposals: { ...policy.proposals, maxPending: 2 } }),
  });
  const references = ['OPP-123', 'OPP-124', 'OPP-125', 'OPP-126', 'OPP-200', 'OPP-201'];
  await Promise.allSettled(
    references.map((reference) => world.call('UpdateOpportunity', { reference, nextStep: 'x' })),
  );
  expect((await world.app.approvals.list({ pending: true })).length).toBeLessThanOrEqual(2);
});

it('one person at the chat does not fill the queue for the others [C5]', async () => {
  await using world = await createWorld({
    policy: (policy) => ({ ...policy, proposals: { ...policy.proposals, maxPending: 10 } }),
  });
  const references = ['OPP-123', 'OPP-124', 'OPP-125', 'OPP-126', 'OPP-200', 'OPP-201'];
  const ask = (reference: string, principal: string) =>
    world
      .call('UpdateOpportunity', { reference, nextStep: 'x' }, { principal, channel: 'chat' })
      .catch(({ code }: { code: string }) => code);
  const stranger = [];
  for (const reference of references) stranger.push(await ask(reference, 'chat:visitor:demo/one'));
  expect(stranger.filter((answer) => answer === 'rate_limited')).toHaveLength(4);
  expect(await ask('OPP-456', 'chat:visitor:demo/two')).toMatchObject({ status: 'waiting' });
  expect((await world.call('UpdateOpportunity', { reference: 'OPP-456', nextStep: 'y' })).status).toBe('waiting');
});

it('rules of a read hold: its rate is counted, and a sensitive field is never read past its rule [C1]', async () => {
  await using world = await createWorld({
    policy: (policy) => own(policy, 'GetAccount', { rules: [{ if: { runsThisHourAtLeast: 2 }, then: 'deny' }] }),
  });
  const read = () => world.call('GetAccount', { key: 'ACME-001' });
  await read();
  await read();
  await expect(read()).rejects.toMatchObject({ code: 'permission_denied' });
  await world.setPolicy((policy) => ({
    ...own(policy, 'GetAccount', { rules: [{ if: { sensitive: true }, then: 'deny' }] }),
    objects: { ...policy.objects, Account: { ...policy.objects.Account!, sensitiveFields: ['Phone'] } },
  }));
  await expect(read()).rejects.toMatchObject({ code: 'permission_denied' });
});

it('a write meets the rule about a sensitive field that it changes along with its own [K11]', async () => {
  await using world = await createWorld({
    policy: (policy) => ({
      ...own(policy, 'UpdateOpportunity', { rules: [{ if: { sensitive: true }, then: 'deny' }] }),
      objects: {
        ...policy.objects,
        Opportunity: { ...policy.objects.Opportunity!, sensitiveFields: ['expectedrevenue'] },
      },
    }),
  });
  expect(await world.refusal('UpdateOpportunity', { reference: 'OPP-123', amount: 5 })).toMatchObject({
    code: 'permission_denied',
  });
  const other = await world.call('UpdateOpportunity', { reference: 'OPP-123', nextStep: 'x' });
  expect(other.status).toBe('waiting');
});

it('a record whose name policy closes is called by its Id, by no other word [U5]', async () => {
  await using world = await createWorld({
    policy: (policy) => ({
      ...policy,
      objects: { ...policy.objects, Opportunity: { ...policy.objects.Opportunity!, denyFields: ['Name'] } },
    }),
  });
  const { proposal } = await world.call('UpdateOpportunity', { reference: 'OPP-123', nextStep: 'x' });
  expect(proposal?.target?.name).toBe(proposal?.target?.id);
  expect(JSON.stringify(proposal)).not.toContain('undefined');
});

it("one customer's proposal is not told to another, though one key speaks for both [C5 P6]", async () => {
  await using world = await createWorld();
  const session = { indexValue: 'ACME-001' };
  const waiting = await world.call('UpdateOpportunity', { reference: 'OPP-123', nextStep: 'x' }, { session });
  const { id } = waiting.proposal!;
  expect((await world.call('GetProposal', { id }, { session })).status).toBe('waiting');
  for (const other of [{}, { session: { indexValue: 'GLOB-002' } }])
    expect(await world.refusal('GetProposal', { id }, other)).toMatchObject({ code: 'not_found' });
});

it('an unlisted picklist value is seen by a person before it is stored [A2]', async () => {
  await using world = await createWorld();
  const waiting = await world.call('CreateLead', { lastName: 'Doe', company: 'Acme', leadSource: 'Wab' });
  expect(waiting).toMatchObject({ status: 'waiting', proposal: { warnings: [expect.stringContaining('Web')] } });
});

it('a stranger who wishes a change does not read the record by it [P6]', async () => {
  await using world = await createWorld({
    audience: 'public',
    grants: ['UPDATE_OPPORTUNITY'],
    policy: (policy) => own(policy, 'UpdateOpportunity', { decision: 'confirm', rules: [] }),
  });
  const { Id } = await opportunity(world, 'OPP-123');
  const held = { StageName: 'Negotiation/Review', Amount: 777_123, NextStep: 'Ask the rival' };
  await world.sim('POST', 'records/Opportunity', { Id, ...held });
  const wish = { reference: 'OPP-123', stageName: 'Closed Lost', amount: 1, nextStep: 'x' };
  const told: unknown[] = [await world.call('UpdateOpportunity', wish)];
  const id = (told[0] as { proposal: { id: string } }).proposal.id;
  told.push(await world.call('GetProposal', { id }));
  await world.sim('POST', 'records/Opportunity', { Id, Amount: 777_124 });
  expect((await world.approve(id)).proposal?.problem?.message).toContain('777124'); // the approver is told
  told.push(await world.call('GetProposal', { id }));
  const second = await world.call('UpdateOpportunity', { ...wish, amount: 2 });
  await world.approve(second.proposal!.id);
  const done = await world.call('GetProposal', { id: second.proposal!.id });
  expect(done).toMatchObject({
    status: 'done',
    result: { changes: [{ before: null }, { before: null }, { before: null }] },
  });
  expect(JSON.stringify([...told, second, done])).not.toMatch(/77712|Negotiation|rival/);
});
