import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { createWorld, type World } from '../support/world.ts';

/** An approver's own values: judged like the bot's, shown before they run, and both kept. */

const WISH = { reference: 'OPP-123', amount: 7_000, nextStep: 'Send the contract' };

async function waiting(world: World, action = 'UpdateOpportunity', args: unknown = WISH): Promise<string> {
  return (await world.call(action, args)).proposal?.id ?? expect.fail('it did not wait');
}
const deal = async (world: World) =>
  (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-123') ?? {};

const withRule =
  (rule: Policy['actions'][string]['rules'][number]) =>
  (policy: Policy): Policy => ({
    ...policy,
    actions: { ...policy.actions, UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, rules: [rule] } },
  });

describe('an edit', () => {
  it('whose result nobody was shown decides nothing, and says what to send [C5]', async () => {
    await using world = await createWorld();
    const id = await waiting(world);
    const before = await deal(world);
    const yes = { answer: 'approve', by: 'operator:ada', via: 'console', assurance: 'session' } as const;
    await expect(world.app.approvals.decide(id, { ...yes, values: { amount: 8_000 } })).rejects.toMatchObject({
      code: 'invalid_input',
      next: expect.stringContaining(`/api/proposals/${id}/edit`),
      fields: [{ name: 'seen', problem: expect.any(String) }],
    });
    expect((await world.app.approvals.inspect(id)).proposal.state).toBe('pending');
    expect(await deal(world)).toEqual(before);
  });

  it('that policy denies is refused, also for an approver, and the proposal still waits [C1 C5]', async () => {
    await using world = await createWorld({ policy: withRule({ if: { amountAbove: 10_000 }, then: 'deny' }) });
    const id = await waiting(world);
    for (const asked of [
      () => world.approve(id, { values: { amount: 10_001 } }),
      () => world.app.approvals.previewEdit(id, { amount: 10_001 }),
    ])
      await expect(asked()).rejects.toMatchObject({ code: 'permission_denied' });
    expect((await world.app.approvals.inspect(id)).proposal.state).toBe('pending');
    expect((await world.approve(id, { values: { amount: 9_999 } })).status).toBe('done');
  });

  it('of a field that policy closed since writes nothing [P5 C5]', async () => {
    await using world = await createWorld();
    const id = await waiting(world);
    const before = await deal(world);
    await world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Opportunity: { ...policy.objects.Opportunity!, denyFields: ['Amount'] } },
    }));
    await expect(world.approve(id, { values: { amount: 1 } })).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await deal(world)).toMatchObject({ Amount: before.Amount, NextStep: before.NextStep ?? null });
  });

  it('that needs a signed-in approver is not taken from the chat client, although the wish was [C4 C5]', async () => {
    await using world = await createWorld({
      policy: withRule({ if: { amountAbove: 10_000 }, then: 'confirm', assurance: 'session' }),
    });
    const id = await waiting(world);
    const client = { answer: 'approve', by: 'client', via: 'chat', assurance: 'client' } as const;
    const approve = async (values: Record<string, unknown>) => {
      const { seen } = await world.app.approvals.previewEdit(id, values);
      return world.app.approvals.decide(id, { ...client, values, seen });
    };
    await expect(approve({ amount: 90_000 })).rejects.toMatchObject({ code: 'permission_denied' });
    expect((await approve({ amount: 8_000 })).status).toBe('done');
  });

  it('with hidden characters, another type, another record or nothing of the wish is refused [C5 A7]', async () => {
    await using world = await createWorld();
    const id = await waiting(world);
    for (const values of [
      { nextStep: 'Send\u202eit' },
      { amount: '7000' },
      { amount: -1 },
      { reference: 'OPP-124' },
      { stageName: 'Closed Won' },
      { action: 'CreateLead' },
      { nextStep: 'x'.repeat(40_000) },
    ])
      await expect(world.approve(id, { values }), JSON.stringify(values).slice(0, 60)).rejects.toMatchObject({
        code: 'invalid_input',
      });
    expect((await world.app.approvals.inspect(id)).proposal.state).toBe('pending');
  });

  it('is previewed without a trace: nothing written, decided or stored [C2]', async () => {
    await using world = await createWorld();
    const id = await waiting(world);
    const before = (await world.app.approvals.inspect(id)).proposal;
    const shown = await world.app.approvals.previewEdit(id, { amount: 8_000 });
    expect(shown.preview?.changes.map(({ field, after }) => [field, after])).toEqual([
      ['Amount', 8_000],
      ['NextStep', 'Send the contract'],
    ]);
    expect((await world.app.approvals.inspect(id)).proposal).toEqual(before);
  });

  it('that runs into look-alikes asks which one is meant [A1 C5]', async () => {
    await using world = await createWorld({ policy: (policy) => ({ ...policy, mode: 'ask' }) });
    const known = (await world.records('Contact')).find(({ Email }) => typeof Email === 'string');
    const lead = { lastName: 'Doe', company: 'Doe Ltd', email: 'nobody@doe.example' };
    const id = await waiting(world, 'CreateLead', lead);
    const values = { email: String(known?.Email) };
    await expect(world.approve(id, { values })).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await world.approve(id, { values, choice: `use:${known?.Id}` })).toMatchObject({
      status: 'done',
      result: { id: known?.Id, existing: true },
    });
  });

  it('keeps both digests and both values in the audit, sealed [C5 C7]', async () => {
    await using world = await createWorld();
    const id = await waiting(world);
    const { digest } = (await world.app.approvals.inspect(id)).proposal;
    await world.approve(id, { values: { amount: 8_000 } });
    const [row] = await world.app.store.audit.find({ proposal: id, event: 'approved', limit: 1 });
    const { digest: edited } = (await world.app.approvals.inspect(id)).proposal;
    expect(JSON.parse(row?.detail ?? '{}')).toEqual({ editedFrom: digest, editedTo: edited, edited: ['amount'] });
    expect(row && world.app.audit.unsealed(row)).toEqual({ from: WISH, to: { ...WISH, amount: 8_000 } });
  });
});
