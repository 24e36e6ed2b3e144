import { expect, it } from 'vitest';
import { minutesToDecide } from '../../permissions/decide.ts';
import { type ActionPolicy, type Policy, policySchema, shippedPolicy } from '../../permissions/policy.ts';
import { createWorld } from '../support/world.ts';

const HOUR_MS = 3_600_000;
const own = (policy: Policy, action: string, change: Partial<ActionPolicy>): Policy => ({
  ...policy,
  actions: { ...policy.actions, [action]: { ...policy.actions[action]!, ...change } },
});

it('a proposal waits as long as its action says, else by who must decide it [U4]', () => {
  const shipped = shippedPolicy('internal');
  const all = { ...shipped, proposals: { ...shipped.proposals, expiresMinutes: 30 } };
  const one = own(all, 'UpdateOpportunity', { expiresMinutes: 43_200 });
  const [client, session] = [{ assurance: 'client' }, { assurance: 'session' }] as const;
  const receipt = { ...session, isReceipt: true };
  const minutes = (policy: Policy) =>
    [client, session, receipt].map((to) => minutesToDecide(policy, 'UpdateOpportunity', to));
  expect([shipped, all, one].map(minutes)).toEqual([
    [60, 24 * 60, 7 * 24 * 60],
    [30, 30, 7 * 24 * 60],
    [43_200, 43_200, 43_200],
  ]);
});

it('is decided until then, and not after [U4 C5]', async () => {
  await using world = await createWorld();
  const wish = { reference: 'OPP-123', nextStep: 'Sign' };
  for (const [change, hours] of [
    [{}, 1],
    [{ assurance: 'session' }, 24],
    [{ expiresMinutes: 30 * 24 * 60 }, 30 * 24],
  ] as const) {
    await world.setPolicy((policy) => own(policy, 'UpdateOpportunity', change));
    const { id, expiresAt } = (await world.call('UpdateOpportunity', wish)).proposal!;
    expect(Date.parse(expiresAt)).toBe(world.clock.now + hours * HOUR_MS);
    world.clock.advance(hours * HOUR_MS - 1);
    expect((await world.call('GetProposal', { id })).status).toBe('waiting');
    world.clock.advance(1);
    expect((await world.approve(id)).status).toBe('expired');
  }
});

it('a company that was left out is what the policy says, listed, shown, edited and written [V17 A1]', async () => {
  await using world = await createWorld({
    policy: (policy) => ({
      ...own(policy, 'CreateLead', { decision: 'confirm' }),
      leadCompanyDefault: '[not provided]',
    }),
  });
  const company = async () => {
    const lead = (await world.app.gate.actions(world.bot)).find(({ name }) => name === 'CreateLead');
    return lead!.input.shape.company.safeParse(undefined).success;
  };
  expect(await company()).toBe(true);
  const waiting = (await world.call('CreateLead', { lastName: 'Doe' })).proposal!;
  expect(waiting.summary).toBe('Create a lead for Doe at [not provided]');
  expect(waiting.changes).toContainEqual(expect.objectContaining({ field: 'Company', after: '[not provided]' }));
  // What was shown is what is written, whatever the policy says by then.
  await world.setPolicy((policy) => ({ ...policy, leadCompanyDefault: 'Private person' }));
  await world.approve(waiting.id);
  const edited = (await world.call('CreateLead', { lastName: 'Roe' })).proposal!;
  await world.approve(edited.id, { values: { company: 'Roe Ltd' } });
  await world.approve((await world.call('CreateLead', { lastName: 'Poe', company: 'Poe Ltd' })).proposal!.id);
  const made = (await world.records('Lead')).filter(({ LastName }) => /^[DRP]oe$/.test(String(LastName)));
  expect(made.map(({ LastName, Company }) => `${LastName} ${Company}`).sort()).toEqual([
    'Doe [not provided]',
    'Poe Poe Ltd',
    'Roe Roe Ltd',
  ]);
  await world.setPolicy(({ leadCompanyDefault: _, ...policy }) => policySchema.parse(policy));
  expect(await company()).toBe(false);
  expect(await world.refusal('CreateLead', { lastName: 'Doe' })).toMatchObject({ fields: [{ name: 'company' }] });
});

it('ships it for visitors alone [V17]', () => {
  expect(shippedPolicy('public').leadCompanyDefault).toBe('[not provided]');
  expect(shippedPolicy('internal').leadCompanyDefault).toBeUndefined();
});
