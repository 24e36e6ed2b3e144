import { expect, it, vi } from 'vitest';
import { createWorld, type World } from '../support/world.ts';

/** A caller who leaves in the middle of a call: that is no failure of Salesforce's, and nothing of it is lost. */

const WISH = { reference: 'OPP-123', nextStep: 'Send the contract' };
const auto = () =>
  createWorld({
    policy: (policy) => ({
      ...policy,
      actions: {
        ...policy.actions,
        UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, decision: 'auto', rules: [] },
        CreateLead: { ...policy.actions.CreateLead!, decision: 'auto', rules: [] },
      },
    }),
  });

/** Salesforce takes its time, and the caller leaves meanwhile. */
async function leave(world: World, action: string, args: object, match: object) {
  await world.sim('POST', 'faults', { type: 'hang', when: 'after', match, times: 1 });
  const gone = new AbortController();
  const call = world.call(action, args, { signal: gone.signal }).then(
    (envelope) => ({ status: envelope.status, id: envelope.proposal?.id }),
    (error: unknown) => ({ error }),
  );
  // Once Salesforce has the request, and has done what it asks for.
  await vi.waitFor(async () => expect((await world.sim('GET', 'faults')).faults).toEqual([]), 10_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  gone.abort();
  return call;
}

const health = async (world: World) => {
  const row = await world.app.store.connections.get(world.bot);
  return { failures: row?.breakerFailures, last: (await world.app.connections.status(world.bot)).lastFailure };
};
const UNHARMED = { failures: 0, last: undefined };

it('ends a read as cancelled, in the audit too, and counts against nobody [R3] [C7]', async () => {
  await using world = await auto();
  await world.call('GetAccount', { key: 'ACME-001' });
  const told = await leave(world, 'GetAccount', { key: 'ACME-001' }, { path: '/query' });
  expect(told).toMatchObject({ error: { code: 'cancelled' } });
  const [row] = await world.app.store.audit.find({ limit: 1 });
  expect(row).toMatchObject({ event: 'cancelled', decision: null });
  expect(JSON.parse(row!.detail)).toMatchObject({ code: 'cancelled' });
  expect(await health(world)).toEqual(UNHARMED);
});

it.each([
  ['UpdateOpportunity', WISH, 'Opportunity', ({ NextStep }: Record<string, unknown>) => NextStep === WISH.nextStep],
  [
    'CreateLead',
    { lastName: 'Doe', company: 'Doe Ltd' },
    'Lead',
    ({ LastName }: Record<string, unknown>) => LastName === 'Doe',
  ],
] as const)(
  'leaves a write in flight unknown, and looks up what became of it: %s [C6]',
  async (action, args, object, isOurs) => {
    await using world = await auto();
    const told = await leave(world, action, args, { method: 'PATCH' });
    expect(told).toMatchObject({ status: 'unknown', id: expect.any(String) });
    expect(await health(world)).toEqual(UNHARMED);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await world.recoverAfter(90_000);
    const { id } = told as { id: string };
    expect((await world.app.approvals.inspect(id)).proposal.state).toBe('done');
    expect((await world.records(object)).filter(isOurs)).toHaveLength(1);
  },
);

it('ends a write that had not left as cancelled: nothing was written, and nothing waits [C6] [C7]', async () => {
  await using world = await auto();
  await world.call('UpdateOpportunity', { ...WISH, nextStep: 'warm the describe' });
  world.clock.advance(60_000);
  const told = await leave(world, 'UpdateOpportunity', WISH, { path: '/query' });
  expect(told).toMatchObject({ error: { code: 'cancelled' } });
  const [row] = await world.app.store.audit.find({ limit: 1 });
  expect(row?.event).toBe('cancelled');
  expect((await world.records('Opportunity')).some(({ NextStep }) => NextStep === WISH.nextStep)).toBe(false);
  expect(await health(world)).toEqual(UNHARMED);
});
