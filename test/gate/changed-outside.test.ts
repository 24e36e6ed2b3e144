import { expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import type { Proposal } from '../../src/domain/proposal.ts';
import { tamper } from '../support/databases.ts';
import { createWorld, type World } from '../support/world.ts';

/** Somebody who can write into the database, and has no key of ours. */

const MOVE = { reference: 'OPP-123', nextStep: 'Send the contract' };
const client = { by: 'client', via: 'elicitation', assurance: 'client' } as const;

const dealOf = async (world: World, reference: string) =>
  (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === reference)!;
const bySession = (policy: Policy): Policy => ({
  ...policy,
  actions: { ...policy.actions, UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, assurance: 'session' } },
});

const FORGED: readonly [
  string,
  (proposal: Proposal, world: World) => Partial<Proposal> | Promise<Partial<Proposal>>,
][] = [
  ['its arguments', ({ args }) => ({ args: { ...args, nextStep: 'Forged' } })],
  [
    'its arguments and what is shown of them',
    ({ args, preview }) => ({
      args: { ...args, nextStep: 'Forged' },
      digest: 'made up',
      preview: { ...preview!, changes: preview!.changes.map((change) => ({ ...change, after: 'Forged' })) },
    }),
  ],
  [
    'the record it is about',
    async ({ args, preview }, world) => {
      const other = await dealOf(world, 'OPP-124');
      return {
        args: { ...args, reference: 'OPP-124' },
        preview: { ...preview!, target: { ...preview!.target!, id: String(other.Id) } },
      };
    },
  ],
  ['the values it was shown against', ({ preview }) => ({ preview: { ...preview!, changes: [] } })],
  [
    'what was noted of its writes',
    () => ({
      effects: [
        {
          kind: 'update',
          object: 'Opportunity',
          id: '006000000000001AAA',
          mark: null,
          before: {},
          after: {},
          at: 1,
          state: 'done',
        },
      ],
    }),
  ],
  ['the assurance it needs', () => ({ assurance: 'client' })],
  ['its org', () => ({ orgId: '00D0000000000ZZEAQ' })],
  ['its bot', () => ({ bot: 'other' })],
  ['its action', () => ({ action: 'CreateLead' })],
  ['its choice', () => ({ choice: 'create' })],
  ['its end', ({ expiresAt }) => ({ expiresAt: expiresAt + 86_400_000 })],
  ['the customer it is for', () => ({ session: { indexValue: 'GLOB-002' } })],
  ['its seals, taken away', () => ({ seal: null, effectsSeal: null })],
];

it.each(FORGED)('a proposal of which somebody else changed %s does not run [K10]', async (_, forge) => {
  await using world = await createWorld({ policy: bySession });
  const { id } = (await world.call('UpdateOpportunity', MOVE)).proposal!;
  const proposal = (await world.app.store.proposals.get(id))!;
  const before = await world.records('Opportunity');
  expect(await world.app.store.proposals.patch(id, 'pending', await forge(proposal, world))).toBe(true);
  expect(await world.app.approvals.changedOutside()).toMatchObject([{ id, state: 'pending' }]);
  expect((await world.approve(id)).status).toBe('conflict');
  expect(await world.app.approvals.changedOutside()).toMatchObject([{ id, state: 'conflict' }]);
  expect(await world.records('Opportunity')).toEqual(before);
  const [row] = await world.app.store.audit.find({ proposal: id, event: 'conflict', limit: 1 });
  expect(JSON.parse(row!.detail)).toEqual({ code: 'changed_outside' });
  expect(await world.app.audit.verify()).toMatchObject({ ok: true });
});

it('what kind of org a connection leads to is believed with our seal alone, and is else production [K10]', async () => {
  await using world = await createWorld({ env: { GATEHOUSE_SIM: '1' } });
  const { connections, bots } = world.app.store;
  const real = { instanceUrl: 'https://acme.my.salesforce.com', flow: 'web' } as const;
  await connections.patch(world.bot, { ...real, environment: 'production' });
  await bots.create({ ...(await bots.get(world.bot))!, name: 'other' });
  const row = (await connections.get(world.bot))!;
  await connections.put({ ...row, bot: 'other', id: 'other', environment: 'sandbox' });
  const kinds = async (bot: string) => {
    const app = await world.again();
    const listed = (await app.store.connections.list()).find((one) => one.bot === bot);
    const { get, byId } = app.store.connections;
    return new Set([(await get(bot))?.environment, listed?.environment, (await byId(listed?.id ?? ''))?.environment]);
  };
  expect([await kinds(world.bot), await kinds('other')]).toEqual([new Set(['production']), new Set(['sandbox'])]);
  const other = `(select environment from connections where bot = 'other')`;
  for (const forged of [
    "'sandbox'",
    "'simulated'",
    "'sandbox v1.AAAA'",
    other,
    `replace(environment, 'production', 'sandbox')`,
  ]) {
    await tamper(world, `update connections set environment = ${forged} where bot = 'demo'`);
    expect(await kinds(world.bot), forged).toEqual(new Set(['production']));
  }
  // The sandbox that one bot has, and the tokens of another's production.
  await tamper(world, "update connections set id = 'taken' where bot = 'other'");
  expect(await kinds('other')).toEqual(new Set(['production']));
});

it('a yes that nobody gave does not run, whatever state says so [K10]', async () => {
  await using world = await createWorld();
  const before = await world.records('Opportunity');
  const { proposals } = world.app.store;
  const forged = { decidedBy: 'operator:ada', decidedVia: 'console', decidedAt: world.clock.now };
  const ids = ['OPP-123', 'OPP-124', 'OPP-125'].map(
    async (reference) => (await world.call('UpdateOpportunity', { ...MOVE, reference })).proposal!.id,
  );
  const [waiting = '', declined = '', edited = ''] = await Promise.all(ids);
  await proposals.move(waiting, ['pending'], 'approved', forged);
  await world.app.approvals.decide(declined, {
    answer: 'reject',
    by: 'operator:ada',
    via: 'console',
    assurance: 'session',
  });
  // What no move of ours does, a statement of theirs can.
  const row = (await proposals.get(declined))!;
  await proposals.insert({ ...row, id: `${row.id}x`, state: 'approved' });
  await world.app.approvals.previewEdit(edited, { nextStep: 'Mine' });
  await proposals.patch(edited, 'pending', { args: { ...MOVE, reference: 'OPP-126' } });
  await expect(world.approve(edited, { values: { nextStep: 'Mine' } })).rejects.toMatchObject({ code: 'conflict' });
  world.clock.advance(2_000);
  await world.app.retention.recover();
  expect(await world.records('Opportunity')).toEqual(before);
  expect((await proposals.get(waiting))?.state).toBe('conflict');
});

it.each(['pending', 'approved', 'executing'] as const)(
  'a finished proposal whose older row (%s) is put back, seals and all, does not write again [K10 C6]',
  async (state) => {
    await using world = await createWorld({ policy: bySession });
    const { proposals, audit } = world.app.store;
    const before = await dealOf(world, 'OPP-123');
    const { id } = (await world.call('UpdateOpportunity', MOVE)).proposal!;
    const copy = `insert into snap select * from proposals where id = '${id}'`;
    await tamper(world, `create table snap as select * from proposals where id = '${id}'`);
    const point = { pending: '', approved: 'decided', executing: 'noted-sent' }[state];
    const spied = await world.again(async (at) => {
      if (at === point) await tamper(world, `delete from snap; ${copy}`);
    });
    const yes = { answer: 'approve', by: 'operator:ada', via: 'console', assurance: 'session' } as const;
    expect((await spied.approvals.decide(id, yes)).status).toBe('done');
    await world.sim('POST', 'records/Opportunity', { Id: before.Id, NextStep: before.NextStep ?? null });
    await tamper(world, `delete from proposals where id = '${id}'; insert into proposals select * from snap`);
    expect((await proposals.get(id))?.state).toBe(state);
    expect(await world.app.approvals.changedOutside()).toMatchObject([{ id, state }]);
    if (state === 'pending') await world.app.approvals.decide(id, yes);
    else await world.recoverAfter(200_000);
    expect((await proposals.get(id))?.state).toBe('conflict');
    expect((await dealOf(world, 'OPP-123')).NextStep).toBe(before.NextStep);
    expect(await audit.find({ proposal: id, event: 'done', limit: 9 })).toHaveLength(1);
    expect(await world.app.approvals.changedOutside()).toMatchObject([{ id, state: 'conflict' }]);
  },
);

it('edits, a second asking and a crash in the middle are our own changes, and run [K10 C6]', async () => {
  await using world = await createWorld();
  const { id } = (await world.call('UpdateOpportunity', MOVE)).proposal!;
  await world.setPolicy(bySession);
  const again = await world.app.approvals.decide(id, { answer: 'approve', ...client });
  expect(again).toMatchObject({ status: 'waiting', proposal: { assurance: 'session' } });
  const stopped = await world.again((at) => {
    if (at === 'noted-sent') throw new Error('died');
  });
  const yes = { answer: 'approve', by: 'operator:ada', via: 'console', assurance: 'session' } as const;
  const values = { nextStep: 'Sign' };
  const { seen } = await stopped.approvals.previewEdit(id, values);
  await stopped.approvals.decide(id, { ...yes, values, seen });
  await world.recoverAfter(200_000);
  expect((await world.app.approvals.inspect(id)).proposal.state).toBe('done');
  expect((await dealOf(world, 'OPP-123')).NextStep).toBe('Sign');
});

it('an undo takes back what the audit says was written, not what the database says of it [K10 A6]', async () => {
  await using world = await createWorld();
  const before = await dealOf(world, 'OPP-123');
  const { id } = (await world.call('UpdateOpportunity', MOVE)).proposal!;
  await world.approve(id);
  const { proposals, audit } = world.app.store;
  const { effects } = (await proposals.get(id))!;
  const forged = effects.map((effect) => ({ ...effect, before: { NextStep: 'Forged', Amount: 1 } }));
  await proposals.patch(id, 'done', { effects: forged });
  const [row] = await audit.find({ proposal: id, event: 'done', limit: 1 });
  const asked = await world.app.approvals.undo(row!.seq, 'operator:ada');
  await world.approve(asked.proposal!.id);
  expect(await dealOf(world, 'OPP-123')).toMatchObject({ NextStep: before.NextStep ?? null, Amount: before.Amount });
});
