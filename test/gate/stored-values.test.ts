import { expect, it } from 'vitest';
import type { Envelope } from '../../src/domain/proposal.ts';
import { checkFields } from '../../src/salesforce/records/describe-check.ts';
import { createWorld, type World } from '../support/world.ts';

/** What a person approves is what will be stored, and what the org made of it is what is compared afterwards. */

const DEAL = { reference: 'OPP-123' };
const deal = async (world: World) =>
  (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === 'OPP-123');
const shown = ({ proposal }: Envelope) => proposal?.changes.map(({ label, after }) => [label, after]);
const approved = async (world: World, args: object) => {
  const { proposal } = await world.call('UpdateOpportunity', { ...DEAL, ...args });
  return world.approve(proposal?.id ?? 'it did not wait');
};
const lastAudit = async (world: World) =>
  (await world.app.store.audit.find({ event: 'done', action: 'UpdateOpportunity', limit: 1 }))[0]?.seq ?? 0;

async function exposing(fields: readonly object[], ...names: string[]): Promise<World> {
  const exposed = names.map((field) => ({ field, type: 'string' as const, describe: field }));
  const world = await createWorld({
    policy: (policy) => ({
      ...policy,
      actions: { ...policy.actions, UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, expose: exposed } },
    }),
  });
  await world.sim('POST', 'fields', fields);
  return world;
}

it('shows, keeps, repeats and undoes an amount as the org stores it [G27] [H1]', async () => {
  await using world = await createWorld();
  const before = (await deal(world))?.Amount;
  const asked = await world.call('UpdateOpportunity', { ...DEAL, amount: 1000.005 });
  expect(shown(asked)).toEqual([['Amount', 1000.01]]);
  expect(await world.approve(asked.proposal?.id ?? '')).toMatchObject({
    status: 'done',
    result: { changes: [{ field: 'Amount', after: 1000.01 }] },
  });
  expect((await deal(world))?.Amount).toBe(1000.01);
  expect(await world.call('UpdateOpportunity', { ...DEAL, amount: 1000.005 })).toMatchObject({
    status: 'done',
    result: { alreadyDone: true },
  });
  const undo = await world.app.approvals.undo(await lastAudit(world), 'operator:ada');
  expect(await world.approve(undo.proposal?.id ?? '')).toMatchObject({ status: 'done' });
  expect((await deal(world))?.Amount).toBe(before);
});

it('takes a stage that only looks like a listed one for that one, so that its rule holds [A2] [C1]', async () => {
  await using world = await createWorld();
  await world.setPolicy((policy) => ({
    ...policy,
    actions: {
      ...policy.actions,
      UpdateOpportunity: {
        ...policy.actions.UpdateOpportunity!,
        decision: 'auto',
        rules: [{ if: { stageIn: ['Closed Won'] }, then: 'deny' }],
      },
    },
  }));
  for (const stageName of ['closed won', 'Closed  Won', 'Closed\u00a0Won', 'Closed\tWon', '\uff23losed Won'])
    expect(await world.refusal('UpdateOpportunity', { ...DEAL, stageName }), JSON.stringify(stageName)).toMatchObject({
      code: 'permission_denied',
    });
});

it('finds a stored amount after a lost answer, and refuses one that no field holds before it asks [G27]', async () => {
  await using world = await createWorld();
  const asked = await world.call('UpdateOpportunity', { ...DEAL, amount: 1234.567 });
  await world.sim('POST', 'faults', { type: 'drop', when: 'after', times: 1, match: { method: 'PATCH' } });
  expect(await world.approve(asked.proposal?.id ?? '')).toMatchObject({ status: 'done' });
  expect((await deal(world))?.Amount).toBe(1234.57);
  expect(await world.refusal('UpdateOpportunity', { ...DEAL, amount: 1e18 })).toMatchObject({
    code: 'invalid_input',
    fields: [{ name: 'amount', problem: expect.stringContaining('too large') }],
  });
});

it('keeps an address as the org does, and knows the same wish again [H1] [G22]', async () => {
  await using world = await createWorld();
  const person = { lastName: 'Capital', company: 'Twice', email: 'R&D.Capital@Example.com' };
  expect(await world.call('CreateLead', person)).toMatchObject({ status: 'done' });
  const [lead] = (await world.records('Lead')).filter(({ LastName }) => LastName === 'Capital');
  expect(lead?.Email).toBe('r&d.capital@example.com');
  expect(await world.call('CreateLead', person)).toMatchObject({ status: 'done', result: { alreadyDone: true } });
  const [row] = await world.app.store.audit.find({ event: 'done', action: 'CreateLead', limit: 1 });
  expect(await world.app.approvals.undo(row?.seq ?? 0, 'operator:ada')).toMatchObject({ status: 'waiting' });
  for (const email of ['nobody', 'a b@example.com'])
    expect(await world.refusal('CreateLead', { ...person, email })).toMatchObject({ code: 'invalid_input' });
});

it('says before it asks that an amount is the sum of products; found out later, it is not done [G03]', async () => {
  await using world = await createWorld();
  const { Id, Amount } = (await deal(world)) ?? {};
  const asked = await world.call('UpdateOpportunity', { ...DEAL, amount: 5000 });
  const both = await world.call(
    'UpdateOpportunity',
    { ...DEAL, amount: 6000, nextStep: 'Call' },
    { conversation: 'b' },
  );
  await world.sim('POST', 'records/Opportunity', { Id, HasOpportunityLineItem: true });
  expect(await world.refusal('UpdateOpportunity', { ...DEAL, amount: 7000 })).toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('sum of the products'),
    fields: [{ name: 'amount' }],
  });
  for (const { proposal } of [asked, both])
    await expect(world.approve(proposal?.id ?? '')).rejects.toThrow('sum of the products');
  expect(await deal(world)).toMatchObject({ Amount });
  expect(await approved(world, { nextStep: 'Call again' })).toMatchObject({ status: 'done' });
});

it('reads back what the org made of a write, and calls none done that it did not keep [G03] [H1]', async () => {
  // The policy hides what would tell beforehand that the amount is a sum.
  await using world = await createWorld({
    policy: (policy) => ({
      ...policy,
      objects: {
        ...policy.objects,
        Opportunity: { ...policy.objects.Opportunity!, denyFields: ['HasOpportunityLineItem'] },
      },
    }),
  });
  const { Id, Amount } = (await deal(world)) ?? {};
  await world.sim('POST', 'records/Opportunity', { Id, HasOpportunityLineItem: true });
  const nothing = await approved(world, { amount: 5000 });
  expect(nothing).toMatchObject({ status: 'conflict' });
  expect(nothing.proposal?.problem?.message).toContain(`Amount is still "${Amount}"`);
  const part = await approved(world, { amount: 6000, nextStep: 'Call' });
  expect(part).toMatchObject({ status: 'conflict' });
  expect(part.proposal?.problem?.next).toContain('other fields were changed');
  expect(await deal(world)).toMatchObject({ Amount, NextStep: 'Call' });
});

it('compares rich text, times and choices as the org answers them, and undoes no mask [G02] [G24] [H1]', async () => {
  const fields = [
    { object: 'Opportunity', name: 'Story__c', type: 'html' },
    { object: 'Opportunity', name: 'Seen__c', type: 'datetime' },
    { object: 'Opportunity', name: 'Parts__c', type: 'multipicklist', values: ['A', 'B', 'C'] },
    { object: 'Opportunity', name: 'Tax__c', type: 'encryptedstring', length: 30 },
  ];
  await using world = await exposing(fields, 'Story__c', 'Seen__c', 'Parts__c', 'Tax__c');
  const wish = { Story__c: 'a < b & "c"\nd', Seen__c: '2026-05-01T09:00:00.250+02:00', Parts__c: 'c, A' };
  const asked = await world.call('UpdateOpportunity', { ...DEAL, ...wish });
  expect(shown(asked)?.map(([, after]) => after)).toEqual([
    'a &lt; b &amp; "c"<br>d',
    '2026-05-01T07:00:00.000+0000',
    'A;C',
  ]);
  expect(await world.approve(asked.proposal?.id ?? '')).toMatchObject({ status: 'done' });
  expect(await world.call('UpdateOpportunity', { ...DEAL, ...wish })).toMatchObject({ result: { alreadyDone: true } });
  expect(await world.app.approvals.undo(await lastAudit(world), 'operator:ada')).toMatchObject({ status: 'waiting' });
  expect(await approved(world, { Tax__c: 'AB-1234-5678' })).toMatchObject({ status: 'done' });
  expect((await deal(world))?.Tax__c).toBe('AB-1234-5678');
  expect(await world.call('UpdateOpportunity', { ...DEAL, Tax__c: 'AB-1234-5678' })).toMatchObject({
    result: { alreadyDone: true },
  });
  await expect(world.app.approvals.undo(await lastAudit(world), 'operator:ada')).rejects.toThrow(/mask/);
});

it('names the currency beside every amount, where the org has several [G26]', async () => {
  const rules = [{ if: { amountAbove: 50_000 }, then: 'confirm' as const }];
  await using world = await createWorld({
    policy: (policy) => ({
      ...policy,
      actions: { ...policy.actions, UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, rules } },
    }),
  });
  const { Id } = (await deal(world)) ?? {};
  await world.sim('POST', 'settings', { multiCurrency: true });
  await world.sim('POST', 'records/Opportunity', { Id, CurrencyIsoCode: 'JPY' });
  const asked = await world.call('UpdateOpportunity', { ...DEAL, amount: 90_000_000 });
  expect(shown(asked)).toEqual([['Amount (JPY)', 90_000_000]]);
  expect(asked.proposal?.reasons.join(' ')).toMatch(/above 50000 JPY/);
  const { result } = await world.call('GetAccount', { opportunity: 'OPP-123', include: ['opportunities'] });
  expect(result).toMatchObject({ opportunity: { CurrencyIsoCode: 'JPY' } });
  expect(await world.approve(asked.proposal?.id ?? '')).toMatchObject({ status: 'done' });
  const undo = await world.app.approvals.undo(await lastAudit(world), 'operator:ada');
  expect(undo.proposal?.changes).toMatchObject([{ label: 'Amount (JPY)', before: 90_000_000 }]);
});

it('checks a value that an approver typed like one that must be listed [U14]', async () => {
  await using world = await createWorld();
  const { proposal } = await world.call('UpdateOpportunity', { ...DEAL, stageName: 'Negotiation/Review', amount: 5 });
  const id = proposal?.id ?? '';
  await expect(world.approve(id, { values: { stageName: 'Closed Wonn' } })).rejects.toMatchObject({
    code: 'invalid_input',
    fields: [{ name: 'stageName', problem: expect.stringContaining('nearest: Closed Won') }],
  });
  await expect(world.app.approvals.previewEdit(id, { stageName: 'Closed Wonn' })).rejects.toMatchObject({
    code: 'invalid_input',
  });
  expect(await world.approve(id, { values: { stageName: 'closed won' } })).toMatchObject({ status: 'done' });
  expect((await deal(world))?.StageName).toBe('Closed Won');
});

it('takes a lead without a company where the org does, and asks where it does not [G25]', async () => {
  await using world = await createWorld();
  const org = await world.app.connections.open(world.bot, { signal: new AbortController().signal });
  const lead = await org.describe('Lead');
  expect(await world.refusal('CreateLead', { lastName: 'Doe', company: '' })).toMatchObject({
    code: 'invalid_input',
    fields: [{ name: 'company', problem: expect.stringContaining('cannot be empty') }],
  });
  const optional = lead.fields.map((one) => (one.name === 'Company' ? { ...one, nillable: true } : one));
  expect(checkFields({ ...lead, fields: optional }, 'create', { LastName: 'Doe', Company: '' })).toEqual({
    fields: { LastName: 'Doe', Company: null },
    warnings: [],
  });
});
