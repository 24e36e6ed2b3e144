import { expect, it, vi } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import type { App } from '../../src/app/app.ts';
import { deleteBot } from '../../src/policy/save.ts';
import { createWorld, type World } from '../support/world.ts';

/** What a dead process, a lost answer or a jumping clock leaves behind. */

const MOVE = { reference: 'OPP-123', nextStep: 'Send the contract' };
const LEAD = { lastName: 'Doe', company: 'Doe Ltd' };
const DAY_MS = 24 * 3_600_000;

const nextStep = async (world: World) =>
  (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-123')?.NextStep;
const leads = async (world: World) => (await world.records('Lead')).filter(({ LastName }) => LastName === 'Doe');
const stateOf = async (world: World, id: string) => (await world.app.approvals.inspect(id)).proposal.state;

async function waiting(world: World, action: string, args: unknown): Promise<string> {
  const { proposal } = await world.call(action, args);
  if (proposal === undefined) throw new Error('it did not wait');
  return proposal.id;
}

const asking = () =>
  createWorld({
    policy: (p) => ({
      ...p,
      actions: { ...p.actions, CreateLead: { ...p.actions.CreateLead!, decision: 'confirm', rules: [] } },
    }),
  });

const yes = { answer: 'approve', by: 'operator:ada', via: 'cli', assurance: 'session' } as const;

/** Approves in a process that stops at `point` and never goes on: nothing after it runs, not even a catch. */
async function approveAndStop(world: World, id: string, point: string): Promise<void> {
  await new Promise<void>((resolve) => {
    void world
      .again((at) => (at === point ? new Promise<void>(() => resolve()) : undefined))
      .then((dying) => dying.approvals.decide(id, yes));
  });
}

it.each(['decided', 'executing', 'noted-sent'])(
  'does not write an update days after its approval, when the process stopped at "%s" [C5 C6]',
  async (point) => {
    await using world = await createWorld();
    const before = await nextStep(world);
    const id = await waiting(world, 'UpdateOpportunity', MOVE);
    await approveAndStop(world, id, point);
    await world.recoverAfter(2 * DAY_MS);
    expect(['expired', 'conflict']).toContain(await stateOf(world, id));
    expect(await nextStep(world)).toBe(before);
  },
);

/** What a colleague does with the record of an update that was sent, or never left. */
const theirs = (world: World, values: Record<string, unknown>) =>
  world
    .records('Opportunity')
    .then((all) => all.find(({ Reference__c }) => Reference__c === 'OPP-123')?.Id)
    .then((Id) => world.sim('POST', 'records/Opportunity', { Id, ...values }));
const dropTheAnswer = async (world: World) => {
  await world.sim('POST', 'faults', { type: 'drop', when: 'after', match: { method: 'PATCH' }, times: 1 });
  await world.sim('POST', 'faults', {
    type: 'drop',
    when: 'after',
    match: { method: 'GET', path: '/sobjects/' },
    times: 9,
  });
};

it('ends an update that somebody overtook after its answer was lost as told, and overwrites nothing [C6]', async () => {
  await using world = await createWorld();
  const id = await waiting(world, 'UpdateOpportunity', MOVE);
  await dropTheAnswer(world);
  expect((await world.approve(id)).status).toBe('unknown');
  await world.sim('POST', 'faults', { clear: true });
  world.clock.advance(5_000);
  await theirs(world, { NextStep: 'Theirs' });
  const { envelope } = await world.app.approvals.inspect(id);
  expect(envelope).toMatchObject({
    status: 'conflict',
    proposal: { problem: { message: expect.stringContaining('somebody else changed NextStep') } },
  });
  expect(await nextStep(world)).toBe('Theirs');
  await world.recoverAfter(90_000);
  expect([await stateOf(world, id), await nextStep(world)]).toEqual(['conflict', 'Theirs']);
});

it.each([
  ['the deal was renamed', { Name: 'Another name' }, 'done'],
  ['the deal was deleted', { IsDeleted: true }, 'conflict'],
] as const)('says what became of an update whose answer was lost although %s since [C6]', async (_, values, end) => {
  await using world = await createWorld();
  const name = (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-123')?.Name;
  const id = await waiting(world, 'UpdateOpportunity', { name, nextStep: MOVE.nextStep });
  await dropTheAnswer(world);
  expect((await world.approve(id)).status).toBe('unknown');
  await world.sim('POST', 'faults', { clear: true });
  world.clock.advance(5_000);
  await theirs(world, values);
  await world.recoverAfter(90_000);
  expect(await stateOf(world, id)).toBe(end);
});

it.each([
  ['with', []],
  ['without', ['Lead.Gatehouse_Id__c']],
])('ends a lead that never left as not written, in an org %s our field [C6]', async (_, withoutFields) => {
  await using world = await asking();
  await world.sim('POST', 'reset', { withoutFields });
  const id = await waiting(world, 'CreateLead', LEAD);
  await approveAndStop(world, id, 'noted-sent');
  await world.recoverAfter(2 * 3_600_000);
  expect(await stateOf(world, id)).toBe('conflict');
  expect(await leads(world)).toHaveLength(0);
});

it('finds a lead by its mark after the time to write is over, instead of calling it unknown [C6]', async () => {
  await using world = await asking();
  const id = await waiting(world, 'CreateLead', LEAD);
  await world.sim('POST', 'faults', {
    type: 'drop',
    when: 'after',
    match: { path: '/sobjects/Lead/', method: 'PATCH' },
    times: 2,
  });
  expect((await world.approve(id)).status).toBe('unknown');
  await world.recoverAfter(2 * 3_600_000);
  expect(await stateOf(world, id)).toBe('done');
  expect(await leads(world)).toHaveLength(1);
});

it('writes no second lead while the first may still be saved, in an org without our field [C6] [A4]', async () => {
  await using world = await asking();
  await world.sim('POST', 'reset', { withoutFields: ['Lead.Gatehouse_Id__c'] });
  const id = await waiting(world, 'CreateLead', LEAD);
  await approveAndStop(world, id, 'noted-sent');
  await world.recoverAfter(90_000);
  await world.recoverAfter(7 * 60_000);
  expect([await stateOf(world, id), await leads(world)]).toEqual(['unknown', []]);
  // A slow flow of the org comes to its end.
  await world.sim('POST', 'records/Lead', { LastName: 'Doe', Company: 'Doe Ltd' });
  await world.recoverAfter(90_000);
  expect(await stateOf(world, id)).toBe('done');
  expect(await leads(world)).toHaveLength(1);
});

it('never takes two look-alikes of a lost answer for none, and writes no third [C6]', async () => {
  await using world = await asking();
  await world.sim('POST', 'reset', { withoutFields: ['Lead.Gatehouse_Id__c'] });
  const id = await waiting(world, 'CreateLead', LEAD);
  await approveAndStop(world, id, 'noted-sent');
  for (const _ of ['one', 'two']) await world.sim('POST', 'records/Lead', { LastName: 'Doe', Company: 'Doe Ltd' });
  await world.recoverAfter(90_000);
  expect(await stateOf(world, id)).toBe('unknown');
  expect(await leads(world)).toHaveLength(2);
});

it('lets a process keep what it took, although another one saw it unknown before [C6]', async () => {
  await using world = await asking();
  const id = await waiting(world, 'CreateLead', LEAD);
  await world.sim('POST', 'faults', {
    type: 'drop',
    when: 'after',
    match: { path: '/sobjects/Lead/', method: 'PATCH' },
    times: 2,
  });
  expect((await world.approve(id)).status).toBe('unknown');

  // One stands still in the middle of its run; the other moves on what it read before that.
  let isRunning = () => {};
  const running = new Promise<void>((resolve) => {
    isRunning = resolve;
  });
  const first = await world.again((at) => (at === 'executing' ? new Promise<void>(() => isRunning()) : undefined));
  const second = await world.again();
  const move = second.store.proposals.move;
  vi.spyOn(second.store.proposals, 'move').mockImplementation(async (...args) => {
    void first.retention.recover();
    await running;
    return move(...args);
  });
  await second.retention.recover();
  const { proposal } = await second.approvals.inspect(id);
  expect(proposal).toMatchObject({ state: 'executing', runner: expect.stringContaining('/') });
});

it('finds an approval that a crash orphaned behind ten thousand that wait [C6]', async () => {
  await using world = await asking();
  const id = await waiting(world, 'CreateLead', LEAD);
  await approveAndStop(world, id, 'decided');
  await fill(world.app, id, 10_000);
  world.clock.advance(2_000);
  const rows = count(world.app);
  expect(await world.app.retention.recover()).toBe(1);
  expect(rows()).toBeLessThan(10);
  expect(await stateOf(world, id)).toBe('done');
});

it('holds, lists and decides among ten thousand that wait without reading them [C5]', async () => {
  await using world = await createWorld({
    policy: (p) => ({ ...p, proposals: { ...p.proposals, maxPending: 10_000 } }),
  });
  const first = await waiting(world, 'UpdateOpportunity', MOVE);
  await fill(world.app, first, 9_990);
  const rows = count(world.app);
  const newer = await waiting(world, 'UpdateOpportunity', { ...MOVE, nextStep: 'Call instead' });
  expect(await stateOf(world, first)).toBe('superseded');
  expect((await world.approve(newer)).status).toBe('done');
  expect(rows()).toBeLessThan(20);
  expect(await world.app.approvals.list({ pending: true, limit: 50 })).toHaveLength(50);
  expect(rows()).toBeLessThan(80);
});

it('writes every replaced wish into the audit [C7]', async () => {
  await using world = await createWorld();
  const first = await waiting(world, 'UpdateOpportunity', MOVE);
  await waiting(world, 'UpdateOpportunity', { ...MOVE, nextStep: 'Call instead' });
  expect(await world.app.store.audit.find({ proposal: first, event: 'superseded', limit: 2 })).toHaveLength(1);
});

it.each(['executing', 'noted-sent', 'ran'])(
  'says what became of a write whose bot was deleted while it ran, and keeps its row: %s [C7]',
  async (point) => {
    await using world = await createWorld();
    const id = await waiting(world, 'UpdateOpportunity', MOVE);
    const before = await nextStep(world);
    const by = { principal: 'operator:ada', channel: 'rest' } as const;
    const app = await world.again(async (at) => {
      if (at === point) await deleteBot(world.app, world.bot, by);
    });
    const told = await app.approvals.decide(id, yes).then(
      ({ status }) => status,
      () => 'failed',
    );
    const isWritten = (await nextStep(world)) !== before;
    expect(told).toBe(isWritten ? 'done' : 'failed');
    const rows = (await world.app.store.audit.find({ bot: world.bot, limit: 3 })).map(({ event }) => event);
    expect(rows).toEqual([isWritten ? 'done' : expect.stringMatching(/failed|conflict/), 'bot_deleted', 'approved']);
    if (point === 'ran') expect(isWritten).toBe(true);
  },
);

it('does not revive what was over once, when the clock goes back [C5]', async () => {
  await using world = await createWorld();
  const id = await waiting(world, 'UpdateOpportunity', MOVE);
  world.clock.advance(61 * 60_000);
  expect(await world.app.approvals.list({ pending: true })).toEqual([]);
  world.clock.advance(-61 * 60_000);
  expect(await world.app.approvals.list({ pending: true })).toEqual([]);
  expect((await world.approve(id)).status).toBe('expired');
});

it('ends what was made in a future that was none, instead of letting it live longer [C5]', async () => {
  await using world = await createWorld();
  const seen = await waiting(world, 'UpdateOpportunity', MOVE);
  const swept = await waiting(world, 'UpdateOpportunity', { ...MOVE, reference: 'OPP-124' });
  world.clock.advance(-DAY_MS);
  expect((await world.approve(seen)).status).toBe('conflict');
  await world.app.retention.recover();
  expect((await world.app.store.proposals.get(swept))?.state).toBe('conflict');
});

/** Copies of one proposal that wait, each about a record of its own. */
async function fill({ store }: App, like: string, many: number): Promise<void> {
  const proposal = await store.proposals.get(like);
  if (proposal === undefined) throw new Error('no such proposal');
  const preview = proposal.preview ?? { summary: '', changes: [] };
  const target = { object: 'Opportunity', name: 'x', url: '' };
  await store.atomically(async (inside) => {
    for (let n = 0; n < many; n += 1)
      await inside.proposals.insert({
        ...proposal,
        id: `${like}-${n}`,
        dedupeKey: null,
        state: 'pending',
        createdAt: proposal.createdAt + n / 1000,
        preview: { ...preview, target: { ...target, id: `006${n}` } },
      });
  });
}

/** How many proposals were read since. */
function count({ store }: App): () => number {
  const reads = (['get', 'byDedupeKey', 'list', 'due', 'waitingFor'] as const).map((name) =>
    vi.spyOn(store.proposals, name),
  );
  return () => reads.flatMap((spy) => spy.mock.settledResults).reduce((sum, { value }) => sum + sizeOf(value), 0);
}

const sizeOf = (read: unknown): number => (Array.isArray(read) ? read.length : read === undefined ? 0 : 1);

const POLICIES = [
  ['denies the action', (p) => acting(p, { decision: 'deny' })],
  ['is read-only', (p) => ({ ...p, mode: 'read-only' })],
  ['is off', (p) => ({ ...p, mode: 'off' })],
] as const satisfies readonly (readonly [string, (policy: Policy) => Policy])[];

it.each(POLICIES)('looks up what was sent although policy %s since: it ends as told [C6] [P5]', async (_, change) => {
  for (const [isTheirs, end] of [
    [false, 'done'],
    [true, 'conflict'],
  ] as const) {
    await using world = await createWorld();
    const id = await waiting(world, 'UpdateOpportunity', MOVE);
    await dropTheAnswer(world);
    expect((await world.approve(id)).status).toBe('unknown');
    await world.sim('POST', 'faults', { clear: true });
    await world.setPolicy(change);
    if (isTheirs) {
      world.clock.advance(5_000);
      await theirs(world, { NextStep: 'Theirs' });
    }
    await world.recoverAfter(90_000);
    expect([await stateOf(world, id), await nextStep(world)]).toEqual([end, isTheirs ? 'Theirs' : MOVE.nextStep]);
  }
});

it('looks up a lead that was sent although policy denies it since, and ends it with its id [C6] [P5]', async () => {
  await using world = await asking();
  const id = await waiting(world, 'CreateLead', LEAD);
  await approveAndStop(world, id, 'ran');
  const [row] = await world.app.store.proposals.list({ states: ['executing'], limit: 1 });
  expect(row?.effects).toMatchObject([{ state: 'done' }]);
  await world.setPolicy((p) => ({ ...p, mode: 'off' }));
  await world.recoverAfter(90_000);
  expect([await stateOf(world, id), (await leads(world)).length]).toEqual(['done', 1]);
});

it('asks a person before a write goes out that was recorded, did not happen, and that policy asks about since [C6] [P5]', async () => {
  await using world = await createWorld({ policy: (p) => acting(p, { decision: 'auto', rules: [] }) });
  const before = await nextStep(world);
  await new Promise<void>((resolve) => {
    void world
      .again((at) => (at === 'noted-sent' ? new Promise<void>(() => resolve()) : undefined))
      .then((dying) =>
        dying.gate.call({
          bot: 'demo',
          principal: 'agent:test',
          channel: 'rest',
          action: 'UpdateOpportunity',
          args: MOVE,
        }),
      );
  });
  const [{ id } = { id: '' }] = await world.app.approvals.list({});
  await world.setPolicy((p) => acting(p, { decision: 'confirm', rules: [] }));
  await world.recoverAfter(70_000);
  await world.recoverAfter(70_000);
  expect([await stateOf(world, id), await nextStep(world)]).toEqual(['pending', before]);
  expect((await world.approve(id)).status).toBe('done');
  expect(await nextStep(world)).toBe(MOVE.nextStep);
});

it('does not call an action done of which one write stands and the other never began [C6]', async () => {
  await using world = await createWorld({
    actions: new URL('two-writes/fixtures/', import.meta.url),
    policy: (p) => ({ ...p, actions: { ...p.actions, MoveAndNote: { ...p.actions.UpdateOpportunity!, rules: [] } } }),
  });
  const name = (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-123')?.Name;
  const tasks = async () => (await world.records('Task')).filter(({ Subject }) => Subject === 'Moved').length;
  const id = await waiting(world, 'MoveAndNote', { name, nextStep: MOVE.nextStep });
  await dropTheAnswer(world);
  expect((await world.approve(id)).status).toBe('unknown');
  await world.sim('POST', 'faults', { clear: true });
  world.clock.advance(5_000);
  await theirs(world, { Name: 'Another name' });
  await world.recoverAfter(90_000);
  expect([await nextStep(world), await tasks()]).toEqual([MOVE.nextStep, 0]);
  const { envelope } = await world.app.approvals.inspect(id);
  expect(envelope).toMatchObject({
    status: 'conflict',
    proposal: {
      problem: {
        message: expect.stringMatching(/^Part of this was written \(Opportunity 006\w+ NextStep\); the rest was not/),
      },
    },
  });
});

const acting = (p: Policy, change: object): Policy => ({
  ...p,
  actions: { ...p.actions, UpdateOpportunity: { ...p.actions.UpdateOpportunity!, ...change } },
});
