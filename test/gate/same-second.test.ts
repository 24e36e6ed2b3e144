import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { createClock, createWorld, type World } from '../support/world.ts';

/** The condition of a write compares whole seconds: two changes within one must not hide the second from it. */

const wish = { reference: 'OPP-123', nextStep: 'Ours' };
const opportunity = async (world: World) =>
  (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-123');
const theirs = async (world: World, NextStep: string) =>
  world.sim('POST', 'records/Opportunity', { Id: (await opportunity(world))?.Id, NextStep });

/** A world whose waiting moves its clock. Something happens once: while an update waits, or just before it leaves. */
interface Hooks {
  during?: (() => Promise<unknown>) | undefined;
  beforeSend?: (() => Promise<unknown>) | undefined;
}

async function open(hooks: Hooks, decision: 'auto' | 'confirm') {
  const clock = createClock();
  const waits: number[] = [];
  const world = await createWorld({
    clock,
    policy: (policy: Policy) => ({
      ...policy,
      actions: { ...policy.actions, UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, decision } },
    }),
    crash: async (point) => {
      if (point !== 'noted-sent') return;
      const { beforeSend } = hooks;
      hooks.beforeSend = undefined;
      await beforeSend?.();
    },
    seams: {
      wait: async (ms) => {
        if (ms >= 1_000) waits.push(ms);
        const { during } = hooks;
        hooks.during = undefined;
        await during?.();
        clock.advance(ms);
      },
    },
  });
  return { world, waits };
}

describe.each(['auto', 'confirm'] as const)('an update of a record that changed this very second, %s', (decision) => {
  const run = async (world: World) => {
    const { status, proposal } = await world.call('UpdateOpportunity', wish);
    return status === 'waiting' ? (await world.approve(proposal?.id ?? '')).status : status;
  };

  it('overwrites no second change of that second that comes before the write leaves [C5]', async () => {
    const hooks: Hooks = {};
    const { world, waits } = await open(hooks, decision);
    await using _ = world;
    await theirs(world, 'First');
    hooks.beforeSend = () => theirs(world, 'Second');
    expect(await run(world)).toBe('conflict');
    expect((await opportunity(world))?.NextStep).toBe('Second');
    expect(waits).toHaveLength(1);
  });

  it('overwrites no second change of that second that comes while it waits [C5]', async () => {
    const hooks: Hooks = {};
    const { world } = await open(hooks, decision);
    await using _ = world;
    await theirs(world, 'First');
    hooks.during = () => theirs(world, 'Second');
    expect(await run(world)).toBe('conflict');
    expect((await opportunity(world))?.NextStep).toBe('Second');
  });

  it('is written once that second is over [C5]', async () => {
    const { world, waits } = await open({}, decision);
    await using _ = world;
    await theirs(world, 'First');
    expect(await run(world)).toBe('done');
    expect((await opportunity(world))?.NextStep).toBe('Ours');
    expect(waits).toHaveLength(1);
    expect(Math.max(...waits)).toBeLessThanOrEqual(4_000);
  });

  it('goes by the clock of the answer where the org set its own back [C5]', async () => {
    const hooks: Hooks = {};
    const { world } = await open(hooks, decision);
    await using _ = world;
    await world.call('GetAccount', { key: 'ACME-001' });
    await world.sim('POST', 'clock', { advanceMs: -6_000 });
    await theirs(world, 'First');
    hooks.beforeSend = () => theirs(world, 'Second');
    expect(await run(world)).toBe('conflict');
    expect((await opportunity(world))?.NextStep).toBe('Second');
  });

  it('is not written while the org says that the record changed in its future [C5]', async () => {
    const hooks: Hooks = {};
    const { world } = await open(hooks, decision);
    await using _ = world;
    await theirs(world, 'First');
    await world.sim('POST', 'clock', { advanceMs: -60_000 });
    hooks.beforeSend = () => theirs(world, 'Second');
    await expect(run(world)).rejects.toMatchObject({ code: 'conflict', retryable: true });
    expect((await opportunity(world))?.NextStep).toBe('First');
  });
});
