import { expect, it } from 'vitest';
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
