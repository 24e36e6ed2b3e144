import { expect, it } from 'vitest';
import type { ActionPolicy, Policy } from '../../permissions/policy.ts';
import { createWorld, type World } from '../support/world.ts';

const MOVE = { reference: 'OPP-123', nextStep: 'Send the contract' };
const CLIENT = { by: 'mcp client of demo', via: 'elicitation', assurance: 'client' } as const;

const withRule =
  (change: Partial<ActionPolicy>) =>
  (policy: Policy): Policy => ({
    ...policy,
    actions: { ...policy.actions, UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, ...change } },
  });
const WAITS: ActionPolicy['rules'][number] = { if: { fieldIn: ['NextStep'] }, then: 'confirm', clientDecline: 'waits' };
const stepOf = async (world: World) =>
  (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-123')?.NextStep;

it("a client's no ends call and proposal, unless a rule says that it waits [M3 C5]", async () => {
  const changes: Partial<ActionPolicy>[] = [
    {},
    { rules: [{ ...WAITS, clientDecline: 'ends' }] },
    { rules: [{ ...WAITS, if: { stageIn: ['Closed Won'] } }] },
  ];
  for (const change of changes) {
    await using world = await createWorld({ policy: withRule(change) });
    const { id } = (await world.call('UpdateOpportunity', MOVE)).proposal!;
    const no = await world.app.approvals.decide(id, { answer: 'reject', ...CLIENT });
    expect(no).toMatchObject({ status: 'declined', proposal: { state: 'rejected' } });
    await expect(world.approve(id)).rejects.toMatchObject({ code: 'conflict' });
  }
});

it.each<[string, Partial<ActionPolicy>]>([
  ['a rule', { rules: [WAITS] }],
  ['the action', { clientDecline: 'waits' }],
])(
  'where %s says so, it leaves the proposal to a signed-in person, and the model is told of a no [M3 C5]',
  async (_, change) => {
    await using world = await createWorld({ policy: withRule(change) });
    const before = await stepOf(world);
    const { id } = (await world.call('UpdateOpportunity', MOVE)).proposal!;
    const left = {
      status: 'declined',
      proposal: { id, state: 'pending', assurance: 'session', declinedInClient: true },
    };
    expect(await world.app.approvals.decide(id, { answer: 'reject', ...CLIENT })).toMatchObject(left);
    // However often the client asks and answers, and whatever it answers then.
    expect(await world.call('UpdateOpportunity', MOVE)).toMatchObject(left);
    expect(await world.call('GetProposal', { id })).toMatchObject(left);
    expect(await world.app.approvals.decide(id, { answer: 'reject', ...CLIENT })).toMatchObject(left);
    await expect(world.app.approvals.decide(id, { answer: 'approve', ...CLIENT })).rejects.toMatchObject({
      code: 'permission_denied',
    });
    expect(await stepOf(world)).toBe(before);
    expect((await world.app.approvals.inspect(id)).envelope.status).toBe('waiting');
    expect(await world.app.approvals.list({ pending: true })).toHaveLength(1);
    expect((await world.approve(id)).status).toBe('done');
    expect(await world.call('GetProposal', { id })).toMatchObject({ status: 'done' });
  },
);

it('a no on a page, in the chat or at the command line ends it all the same [M3 C5]', async () => {
  await using world = await createWorld({ policy: withRule({ rules: [WAITS] }) });
  for (const via of ['console', 'cli', 'chat'] as const) {
    const { id } = (await world.call('UpdateOpportunity', MOVE)).proposal!;
    const no = await world.app.approvals.decide(id, { answer: 'reject', by: 'somebody', via, assurance: 'client' });
    expect(no.proposal?.state).toBe('rejected');
  }
});
