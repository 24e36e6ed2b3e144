import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import type { Envelope } from '../../src/domain/proposal.ts';
import { createChatWorld } from '../support/chat.ts';
import { describeOnce } from '../support/databases.ts';
import { startModelServer } from '../support/model-server.ts';
import { describeWorlds, type World } from '../support/world.ts';

const MOVE = { reference: 'OPP-123', nextStep: 'Send the contract' };
const DOE = { lastName: 'Doe', company: 'Doe Ltd' };
const OTHER_ORG = '00D0000000000ZZEAQ';

/** The connection leads to another org from here on. It holds the same records, so that a write that slips through shows. */
const moveTo = (world: World, orgId: string, environment: 'production' | 'sandbox' | 'simulated' = 'production') =>
  world.app.store.connections.patch(world.bot, { orgId, environment });

async function reconnect(world: World): Promise<void> {
  await world.app.connections.disconnect(world.bot);
  await world.app.connections.connect(world.bot, { flow: 'simulated' });
  await moveTo(world, OTHER_ORG);
}

const own = (policy: Policy, action: string, change: object): Policy => ({
  ...policy,
  actions: { ...policy.actions, [action]: { ...policy.actions[action]!, ...change } },
});

const stepOf = async (world: World) =>
  (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-123')?.NextStep;

const asked = (policy: Policy) => own(policy, 'CreateLead', { decision: 'confirm' });

describeWorlds((createWorld) =>
  describe('another org', () => {
    it('gets nothing that was approved, asked or begun for the one before [K2 C5]', async () => {
      await using world = await createWorld({ policy: asked });
      const before = await stepOf(world);
      const leads = (await world.records('Lead')).length;
      const waiting = [await world.call('UpdateOpportunity', MOVE), await world.call('CreateLead', DOE)];
      await moveTo(world, OTHER_ORG);
      for (const { proposal } of waiting)
        expect(await world.approve(proposal!.id)).toMatchObject({
          status: 'conflict',
          proposal: { problem: { message: expect.stringContaining('another org since') } },
        });
      expect([await stepOf(world), (await world.records('Lead')).length]).toEqual([before, leads]);
      for (const { proposal } of waiting)
        expect((await world.app.store.proposals.get(proposal!.id))?.orgId).not.toBe(OTHER_ORG);
    });

    it('is not reached by an edit, a preview of one, or an approval that a crash orphaned [K2]', async () => {
      await using world = await createWorld();
      const before = await stepOf(world);
      const { proposal } = await world.call('UpdateOpportunity', MOVE);
      const orphan = await world.call('UpdateOpportunity', { ...MOVE, reference: 'OPP-124' });
      const stopped = await world.again((at) => {
        if (at === 'decided') throw new Error('died');
      });
      const yes = { answer: 'approve', by: 'operator:ada', via: 'console', assurance: 'session' } as const;
      await stopped.approvals.decide(orphan.proposal!.id, yes).catch(() => undefined);
      await moveTo(world, OTHER_ORG);
      const values = { nextStep: 'Sign' };
      await expect(world.app.approvals.previewEdit(proposal!.id, values)).rejects.toMatchObject({ code: 'conflict' });
      await expect(world.approve(proposal!.id, { values })).rejects.toMatchObject({ code: 'conflict' });
      world.clock.advance(2_000);
      await world.app.retention.recover();
      expect((await world.app.approvals.inspect(orphan.proposal!.id)).proposal.state).toBe('conflict');
      expect(await stepOf(world)).toBe(before);
    });

    it('gives no repeat answer, and its own repeats count for it alone [K2 A4]', async () => {
      await using world = await createWorld();
      const first = await world.call('CreateLead', DOE);
      expect((await world.call('CreateLead', DOE)).result).toMatchObject({ alreadyDone: true });
      await world.call('CreateLead', DOE, { key: 'k1' });
      await moveTo(world, OTHER_ORG);
      for (const more of [{}, { key: 'k1' }]) {
        const there = await world.call('CreateLead', DOE, more);
        expect(there.result?.id).not.toBe(first.result?.id);
        expect(there.result).not.toHaveProperty('alreadyDone');
      }
    });

    it('takes no cursor of the one before [K2 Q3]', async () => {
      await using world = await createWorld();
      for (let n = 0; n < 30; n += 1)
        await world.sim('POST', 'records/Lead', { LastName: `Lead ${n}`, Company: 'Acme' });
      const soql = 'SELECT Id, Name FROM Lead LIMIT 40';
      const run = async (args: object): Promise<Envelope> => {
        const answer = await world.call('RunSOQL', { soql, ...args });
        return answer.proposal === undefined ? answer : world.approve(answer.proposal.id);
      };
      const { nextCursor } = (await run({})).result ?? {};
      expect(nextCursor).toBeTypeOf('string');
      await moveTo(world, OTHER_ORG);
      expect(await world.refusal('RunSOQL', { soql, cursor: nextCursor })).toMatchObject({ code: 'invalid_input' });
    });

    it('takes nothing back that was written to the one before, neither asked nor approved [K2 A6]', async () => {
      await using world = await createWorld();
      await world.approve((await world.call('UpdateOpportunity', MOVE)).proposal!.id);
      const [row] = await world.app.store.audit.find({ event: 'done', action: 'UpdateOpportunity', limit: 1 });
      const { orgId } = (await world.app.store.connections.get(world.bot))!;
      const prepared = await world.app.approvals.undo(row!.seq, 'operator:bo');
      await moveTo(world, OTHER_ORG);
      await expect(world.app.approvals.undo(row!.seq, 'operator:bo')).rejects.toMatchObject({ code: 'conflict' });
      expect((await world.approve(prepared.proposal!.id)).status).toBe('conflict');
      expect(await stepOf(world)).toBe(MOVE.nextStep);
      await moveTo(world, orgId, 'simulated');
      const again = await world.app.approvals.undo(row!.seq, 'operator:bo');
      expect((await world.approve(again.proposal!.id)).status).toBe('done');
    });

    it('is judged as it is when an approved call runs, though the policy stands as it was [K2]', async () => {
      await using world = await createWorld({
        policy: (policy) => {
          const rules = [{ if: { environment: 'production' as const }, then: 'deny' as const }];
          return own(own(policy, 'CreateLead', { decision: 'confirm', rules }), 'UpdateOpportunity', { rules });
        },
      });
      const before = await stepOf(world);
      const waiting = [await world.call('UpdateOpportunity', MOVE), await world.call('CreateLead', DOE)];
      const { orgId } = (await world.app.store.connections.get(world.bot))!;
      await moveTo(world, orgId, 'production');
      for (const { proposal } of waiting)
        await expect(world.approve(proposal!.id)).rejects.toMatchObject({ code: 'permission_denied' });
      expect(await stepOf(world)).toBe(before);
    });

    it('begins with an empty queue: Disconnect ends what waits, also when the process died before it did [K2 O6]', async () => {
      await using world = await createWorld({ policy: asked });
      const before = await stepOf(world);
      const first = (await world.call('UpdateOpportunity', MOVE)).proposal!;
      await reconnect(world);
      expect(await world.app.approvals.list({ pending: true })).toEqual([]);
      expect(await world.approve(first.id)).toMatchObject({ status: 'conflict' });
      const second = (await world.call('CreateLead', DOE)).proposal!;
      await world.app.store.connections.patch(world.bot, { state: 'disconnected' });
      await world.app.retention.recover();
      expect((await world.call('GetProposal', { id: second.id })).status).toBe('conflict');
      expect(await stepOf(world)).toBe(before);
      expect(await world.app.store.audit.find({ event: 'conflict', limit: 9 })).toHaveLength(2);
    });
  }),
);

describeOnce('in one house', () => {
  it('a talk that began in one org says nothing of its customer to the next [K2 O9]', async () => {
    await using server = await startModelServer([{ text: 'Hello.' }, { text: 'Hello again.' }]);
    await using talk = await createChatWorld({ baseUrl: server.baseUrl, session: 'ACME-001' });
    await talk.say('hello');
    await moveTo(talk.world, OTHER_ORG);
    await talk.say('hello again');
    const told = server.requests.map(({ messages }) => String(messages[0].content).includes('Rotterdam'));
    expect(told).toEqual([true, false]);
  });
});
