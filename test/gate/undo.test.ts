import { expect, it } from 'vitest';
import { mayApproveOwn } from '../../src/policy/self-approval.ts';
import { createWorld, type World } from '../support/world.ts';

async function updated(world: World): Promise<{ audit: number; record: string }> {
  const waiting = await world.call('UpdateOpportunity', {
    reference: 'OPP-123',
    nextStep: 'Send the contract',
    amount: 7,
  });
  const done = await world.approve(waiting.proposal?.id ?? '');
  const [row] = await world.app.store.audit.find({ event: 'done', action: 'UpdateOpportunity', limit: 1 });
  return { audit: row?.seq ?? 0, record: String(done.result?.id) };
}

const recordOf = async (world: World, id: string) => (await world.records('Opportunity')).find((one) => one.Id === id);

it('restores an update as a guarded proposal of its own [A6]', async () => {
  await using world = await createWorld();
  const before = (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-123');
  const { audit, record } = await updated(world);
  const asked = await world.app.approvals.undo(audit, 'operator:ada');
  expect(asked).toMatchObject({
    status: 'waiting',
    proposal: { assurance: 'session', target: { name: before?.Name, id: record } },
  });
  expect(await recordOf(world, record)).toMatchObject({ NextStep: 'Send the contract', Amount: 7 });
  expect(await world.approve(asked.proposal?.id ?? '')).toMatchObject({
    status: 'done',
    result: { undone: [{ id: record, how: 'restored' }] },
  });
  expect(await recordOf(world, record)).toMatchObject({ NextStep: before?.NextStep ?? null, Amount: before?.Amount });
});

it('lets nobody approve the undo that they asked for, where policy wants another, nor on a real org without its word [C3 A6]', async () => {
  await using world = await createWorld();
  const { audit } = await updated(world);
  const asked = await world.app.approvals.undo(audit, 'operator:ada');
  const id = asked.proposal?.id ?? '';
  const say = (selfApproval: boolean) =>
    world.setPolicy((policy) => ({ ...policy, proposals: { ...policy.proposals, selfApproval } }));
  expect(await mayApproveOwn(world.app.store, world.bot)).toBe(true);
  await world.app.store.connections.patch(world.bot, { environment: 'production' });
  expect(await mayApproveOwn(world.app.store, world.bot)).toBe(false);
  await world.app.store.connections.patch(world.bot, { environment: 'simulated' });
  await say(false);
  await expect(world.approve(id)).rejects.toMatchObject({ code: 'permission_denied' });
  expect((await world.app.approvals.inspect(id)).proposal.state).toBe('pending');
  const bo = { answer: 'approve', by: 'operator:bo', via: 'console', assurance: 'session' } as const;
  expect(await world.app.approvals.decide(id, bo)).toMatchObject({ status: 'done' });
});

it('deletes what was created [A6]', async () => {
  await using world = await createWorld();
  const lead = await world.call('CreateLead', { lastName: 'Mistake', company: 'Oops' });
  const [row] = await world.app.store.audit.find({ event: 'done', action: 'CreateLead', limit: 1 });
  const asked = await world.app.approvals.undo(row?.seq ?? 0, 'operator:ada');
  await world.approve(asked.proposal?.id ?? '');
  const gone = (await world.records('Lead')).find(({ Id }) => Id === lead.result?.id);
  expect(gone?.IsDeleted).toBe(true);
});

it('refuses with the difference when the record holds something else by now [A6]', async () => {
  await using world = await createWorld();
  const { audit, record } = await updated(world);
  const asked = await world.app.approvals.undo(audit, 'operator:ada');
  await world.sim('POST', 'records/Opportunity', { Id: record, NextStep: 'A person went on' });
  expect((await world.approve(asked.proposal?.id ?? '')).status).toBe('conflict');
  await expect(world.app.approvals.undo(audit, 'operator:ada')).rejects.toThrow('A person went on');
  await expect(world.app.approvals.undo(1, 'operator:ada')).rejects.toMatchObject({ code: 'not_found' });
  await expect(world.app.approvals.undo(9_999, 'operator:ada')).rejects.toMatchObject({ code: 'not_found' });
  expect(await recordOf(world, record)).toMatchObject({ NextStep: 'A person went on', Amount: 7 });
});

it.each([
  ['denied', { denyFields: ['Amount'] }, 'Policy closed Opportunity.Amount'],
  ['masked', { maskFields: ['Amount'] }, 'Policy closed Opportunity.Amount'],
  ['no longer to be written', { write: false }, 'not open to this bot to write'],
])(
  'says at once that policy closed what was written, and not that the record holds something else: %s [A6 P5]',
  async (_, rules, words) => {
    await using world = await createWorld();
    const { audit } = await updated(world);
    await world.setPolicy(({ objects, ...policy }) => ({
      ...policy,
      objects: { ...objects, Opportunity: { ...objects.Opportunity!, ...rules } }, // the shipped policy lists it
    }));
    await expect(world.app.approvals.undo(audit, 'operator:ada')).rejects.toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining(words),
    });
  },
);

it.each(['off', 'read-only'] as const)('is still possible of a bot in mode %s, and says so [A6]', async (mode) => {
  await using world = await createWorld();
  const { audit, record } = await updated(world);
  await world.setPolicy((policy) => ({ ...policy, mode }));
  const { proposal } = await world.app.approvals.undo(audit, 'operator:ada');
  expect(proposal?.warnings).toContainEqual(expect.stringContaining(`in mode ${mode}`));
  await world.approve(proposal?.id ?? '');
  expect(await recordOf(world, record)).not.toMatchObject({ Amount: 7 });
});

it('is no action of any bot [A6 C3]', async () => {
  await using world = await createWorld();
  const { audit } = await updated(world);
  expect(await world.refusal('Undo', { audit })).toMatchObject({ code: 'not_found' });
});

it('calls a record whose name policy closes by its Id [A6 P6]', async () => {
  await using world = await createWorld();
  const { audit, record } = await updated(world);
  await world.setPolicy(({ objects, ...policy }) => ({
    ...policy,
    objects: { ...objects, Opportunity: { ...objects.Opportunity!, denyFields: ['Name'] } }, // the shipped policy lists it
  }));
  const { proposal } = await world.app.approvals.undo(audit, 'operator:ada');
  expect(proposal?.target).toMatchObject({ id: record, name: record });
});

/** A finished write, and the undo of it that waits. */
async function toUndo(world: World, action: 'CreateLead' | 'UpdateOpportunity') {
  const args = action === 'CreateLead' ? { lastName: 'Mistake', company: 'Oops' } : { reference: 'OPP-123', amount: 7 };
  const object = action === 'CreateLead' ? 'Lead' : 'Opportunity';
  const answer = await world.call(action, args);
  const done = answer.status === 'waiting' ? await world.approve(answer.proposal?.id ?? '') : answer;
  const [row] = await world.app.store.audit.find({ event: 'done', action, limit: 1 });
  const { proposal } = await world.app.approvals.undo(row?.seq ?? 0, 'operator:ada');
  const id = proposal?.id ?? '';
  return {
    id,
    target: String(done.result?.id),
    end: async () => (await world.app.approvals.inspect(id)).proposal,
    record: async () => (await world.records(object)).find(({ Id }) => Id === done.result?.id),
  };
}

const lostReply = (method: string) => ({ type: 'drop', when: 'after', times: 1, match: { method } });

it('ends as done when the answer to the deletion was lost, instead of unknown for good [A6 C6]', async () => {
  await using world = await createWorld();
  const undo = await toUndo(world, 'CreateLead');
  await world.sim('POST', 'faults', lostReply('DELETE'));
  expect(await world.approve(undo.id)).toMatchObject({ status: 'done', result: { undone: [{ how: 'deleted' }] } });
  expect(await undo.record()).toMatchObject({ IsDeleted: true });
});

it.each(['CreateLead', 'UpdateOpportunity'] as const)(
  'ends as done when the process died after the request that takes %s back [A6 C6]',
  async (action) => {
    await using world = await createWorld();
    const before = (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-123')?.Amount;
    const undo = await toUndo(world, action);
    await new Promise<void>((resolve) => {
      void world
        .again((at) => (at === 'noted-sent' ? new Promise<void>(() => resolve()) : undefined))
        .then((dying) =>
          dying.approvals.decide(undo.id, { answer: 'approve', by: 'operator:ada', via: 'cli', assurance: 'session' }),
        );
    });
    // What it had sent arrives.
    const arrived = action === 'CreateLead' ? { IsDeleted: true } : { Amount: before };
    await world.sim('POST', `records/${action === 'CreateLead' ? 'Lead' : 'Opportunity'}`, {
      Id: undo.target,
      ...arrived,
    });
    await world.recoverAfter(90_000);
    expect(await undo.end()).toMatchObject({ state: 'done' });
  },
);

it('ends as done when the deletion reached Salesforce twice and the second one found nothing [A6 C6]', async () => {
  await using world = await createWorld();
  const undo = await toUndo(world, 'CreateLead');
  await world.sim('POST', 'faults', {
    ...{ type: 'status', status: 404, when: 'after', times: 1, match: { method: 'DELETE' } },
    body: [{ errorCode: 'ENTITY_IS_DELETED', message: 'entity is deleted', fields: [] }],
  });
  expect(await world.approve(undo.id)).toMatchObject({ status: 'done', result: { undone: [{ how: 'deleted' }] } });
  expect(await undo.record()).toMatchObject({ IsDeleted: true });
});

it('ends as failed when Salesforce refuses the deletion, instead of unknown and sent again at night [A6 C6]', async () => {
  await using world = await createWorld();
  const undo = await toUndo(world, 'CreateLead');
  await world.sim('POST', 'faults', {
    ...{ type: 'status', status: 400, when: 'before', times: 1, match: { method: 'DELETE' } },
    body: [{ errorCode: 'DELETE_FAILED', message: 'associated with the following cases', fields: [] }],
  });
  await world.approve(undo.id).catch(() => undefined);
  expect(await undo.end()).toMatchObject({ state: 'failed' });
  await world.recoverAfter(90_000);
  expect(await undo.record()).toMatchObject({ IsDeleted: false });
});
