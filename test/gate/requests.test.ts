import { describe, expect, it } from 'vitest';
import type { ActionPolicy, Policy } from '../../permissions/policy.ts';
import { createWorld, type World } from '../support/world.ts';

/** What each action asks of Salesforce once its describes are known: counted at the org, describes included. */

const LEAD = { lastName: 'Ohara', company: 'Ohara Ltd', email: 'ohara@ohara.example' };
const BROAD = 'SELECT Name FROM Account';

const ROWS: readonly {
  action: string;
  /** A wish of its own for each call, so that none is taken for a repeat. */
  args: (n: number) => Record<string, unknown>;
  /** Requests of a call that policy lets run; that a person is asked about; of its run once approved. */
  allowed: number;
  asked: number;
  approved: number;
}[] = [
  { action: 'GetAccount', args: () => ({ key: 'ACME-001' }), allowed: 1, asked: 0, approved: 1 },
  {
    action: 'GetAccount',
    args: () => ({ name: 'Acme Industries', include: ['opportunities', 'contacts', 'cases'] }),
    allowed: 1,
    asked: 0,
    approved: 1,
  },
  // A person who is asked sees the plan.
  { action: 'RunSOQL', args: () => ({ soql: BROAD }), allowed: 1, asked: 1, approved: 1 },
  // One look-up of duplicates, and the create.
  { action: 'CreateLead', args: (n) => ({ ...LEAD, email: `n${n}@ohara.example` }), allowed: 2, asked: 1, approved: 2 },
  {
    action: 'CreateLead',
    args: (n) => ({ lastName: `Ohara ${n}`, company: 'Ohara' }),
    allowed: 1,
    asked: 0,
    approved: 1,
  },
  // One read and one conditional write; what a person approved later is read and judged again.
  {
    action: 'UpdateOpportunity',
    args: (n) => ({ reference: 'OPP-123', nextStep: `Step ${n}` }),
    allowed: 2,
    asked: 1,
    approved: 2,
  },
];

const decide = (world: World, action: string, change: Partial<ActionPolicy>) =>
  world.setPolicy((policy) => ({
    ...policy,
    actions: { ...policy.actions, [action]: { ...policy.actions[action]!, rules: [], ...change } },
  }));

async function opportunity(world: World) {
  const found = (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-123');
  if (found === undefined) throw new Error('no OPP-123 in the seed');
  return found;
}

/** Long enough that no record counts as changed just now. */
const LATER_MS = 60_000;
const counted = async (world: World, work: () => Promise<unknown>) => {
  const before = await world.calls();
  await work();
  return (await world.calls()) - before;
};

describe('requests of one call, once the describes are known', () => {
  it.each(ROWS)('$action sends none that nobody needs [F2]', async (row) => {
    const { action, args, allowed, asked, approved } = row;
    await using world = await createWorld();
    let n = 0;
    const call = () => {
      n += 1;
      world.clock.advance(LATER_MS);
      return world.call(action, args(n));
    };
    await decide(world, action, { decision: 'auto' });
    expect((await call()).status).toBe('done');
    expect(await counted(world, call), 'allowed').toBe(allowed);
    expect(await counted(world, call), 'allowed again').toBe(allowed);

    await decide(world, action, { decision: 'deny' });
    const refused = () => world.refusal(action, args(100));
    expect(await counted(world, refused), 'denied').toBe(0);

    await decide(world, action, { decision: 'confirm' });
    let id = '';
    const ask = async () => {
      id = (await call()).proposal?.id ?? '';
    };
    expect(await counted(world, ask), 'asked').toBe(asked);
    world.clock.advance(LATER_MS);
    expect(await counted(world, () => world.approve(id)), 'approved').toBe(approved);
  });

  it('are counted on the audit row of the call, with its time, its reasons and no name of the conversation [F2] [W6]', async () => {
    await using world = await createWorld();
    const last = async () => {
      const [row] = await world.app.store.audit.find({ limit: 1 });
      return JSON.parse(row?.detail ?? '{}');
    };
    await world.call('GetAccount', { key: 'ACME-001' });
    const conversation = 'ann@acme.example';
    const { gate } = world.app;
    const call = { bot: world.bot, principal: 'local', channel: 'cli', conversation } as const;
    expect(await counted(world, () => gate.call({ ...call, action: 'GetAccount', args: { key: 'ACME-001' } }))).toBe(1);
    expect(await last()).toMatchObject({
      calls: 1,
      ms: expect.any(Number),
      conversation: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(JSON.stringify(await world.app.store.audit.find({ limit: 9 }))).not.toContain(conversation);

    await decide(world, 'UpdateOpportunity', { decision: 'auto' });
    const wish = { reference: 'OPP-123', nextStep: 'x' };
    const all = await counted(world, () => world.call('UpdateOpportunity', wish));
    const rows = await world.app.store.audit.find({ action: 'UpdateOpportunity', limit: 2 });
    // The preview's own on the first row, the run's on the second.
    const [ran, permitted] = rows.map(({ detail }) => JSON.parse(detail).calls);
    expect(permitted).toBeGreaterThan(0);
    expect(permitted + ran).toBe(all);

    await decide(world, 'UpdateOpportunity', { decision: 'deny' });
    await world.refusal('UpdateOpportunity', { reference: 'OPP-123', nextStep: 'y' });
    expect(await last()).toMatchObject({ code: 'permission_denied', calls: 0, reasons: [expect.any(String)] });
  });

  it('an update that changes nothing looks once [F2]', async () => {
    await using world = await createWorld();
    const args = { reference: 'OPP-123', stageName: (await opportunity(world)).StageName };
    await decide(world, 'UpdateOpportunity', { decision: 'auto' });
    await world.call('UpdateOpportunity', args);
    const call = async () => expect((await world.call('UpdateOpportunity', args)).result?.alreadyDone).toBe(true);
    expect(await counted(world, call)).toBe(1);
  });

  it.each([
    ['SyncParty', { partyId: 'p1' }, 1],
    ['SyncCase', { caseId: 'c1' }, 1],
  ] as const)('%s of what is in step reads once [F2]', async (action, args, reads) => {
    await using world = await createWorld();
    const sync = await world.app.sync();
    await sync.hosts.put(world.bot, 'party', [{ id: 'p1', fields: { name: 'Jane Doe', email: 'jane@doe.example' } }]);
    await sync.hosts.put(world.bot, 'case', [{ id: 'c1', fields: { title: 'Refund', status: 'open' }, parties: [] }]);
    await world.call(action, args);
    world.clock.advance(LATER_MS);
    expect(await counted(world, () => world.call(action, args))).toBe(reads);
  });
});

describe('an update that policy lets run', () => {
  const wish = { reference: 'OPP-123', nextStep: 'Send the contract' };
  const auto = (policy: Policy): Policy => ({
    ...policy,
    actions: { ...policy.actions, UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, decision: 'auto' } },
  });
  /** A world in which something happens once between the preview and the run. */
  const interrupted = async (): Promise<World & { during?: () => Promise<unknown> }> => {
    const world: World & { during?: () => Promise<unknown> } = await createWorld({
      policy: auto,
      crash: async (point) => {
        if (point === 'executing') await world.during?.();
      },
    });
    return world;
  };
  const theirs = (world: World, values: Record<string, unknown>) =>
    opportunity(world).then(({ Id }) => world.sim('POST', 'records/Opportunity', { Id, ...values }));

  it('overwrites nothing that somebody else wrote after its one look [C5] [F2]', async () => {
    await using world = await interrupted();
    world.during = () => theirs(world, { NextStep: 'Theirs' });
    expect((await world.call('UpdateOpportunity', wish)).status).toBe('conflict');
    expect((await opportunity(world)).NextStep).toBe('Theirs');
  });

  it('looks again where the record changed just now: its condition compares whole seconds [C5]', async () => {
    await using world = await interrupted();
    await world.call('UpdateOpportunity', { ...wish, nextStep: 'warm the describe' });
    expect(await counted(world, () => world.call('UpdateOpportunity', wish))).toBe(3);
    // The same second as that change: no condition would tell it from this one.
    world.during = () => theirs(world, { NextStep: 'Theirs' });
    expect((await world.call('UpdateOpportunity', { ...wish, nextStep: 'Ours' })).status).toBe('conflict');
    expect((await opportunity(world)).NextStep).toBe('Theirs');
  });

  it('reads for itself where the policy is another one than its preview had [C5] [P5]', async () => {
    await using world = await interrupted();
    await world.call('UpdateOpportunity', { ...wish, nextStep: 'warm the describe' });
    world.clock.advance(LATER_MS);
    world.during = () => world.setPolicy((policy) => ({ ...policy, ignoreKeys: ['trace'] }));
    expect(await counted(world, () => world.call('UpdateOpportunity', wish))).toBe(3);
  });
});
