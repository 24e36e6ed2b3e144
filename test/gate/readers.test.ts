import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { createChatWorld } from '../support/chat.ts';
import { startModelServer } from '../support/model-server.ts';
import { createWorld, readAsAnother, type World } from '../support/world.ts';

/** What one read is told to nobody else: neither to another Salesforce user of the bot, nor to another person of the same account. */

const soql = 'SELECT Name, Phone FROM Account LIMIT 3';
const asking = (policy: Policy): Policy => ({
  ...policy,
  actions: { ...policy.actions, RunSOQL: { ...policy.actions.RunSOQL!, decision: 'confirm', rules: [] } },
});
const DOE = { lastName: 'Doe', company: 'Doe Ltd' };
const MOVE = { reference: 'OPP-123', nextStep: 'Send the contract' };
const as = (user?: string) => ({ session: { indexValue: 'ACME-001', ...(user === undefined ? {} : { user }) } });

async function cursorOf(world: World, more: object = {}) {
  for (let n = 0; n < 30; n += 1) await world.sim('POST', 'records/Lead', { LastName: `Lead ${n}`, Company: 'Acme' });
  const args = { soql: 'SELECT Id, Name FROM Lead LIMIT 40' };
  const { proposal } = await world.call('RunSOQL', args, more);
  const { nextCursor: cursor } = (await world.approve(proposal!.id)).result ?? {};
  expect(cursor).toBeTypeOf('string');
  return { ...args, cursor };
}

describe('another Salesforce user of the same org', () => {
  it('gets no rows that were read as the one before: the same query is asked anew [K8 A4]', async () => {
    await using world = await createWorld({ policy: asking });
    const first = (await world.call('RunSOQL', { soql })).proposal!.id;
    await world.approve(first);
    expect(await world.call('RunSOQL', { soql })).toMatchObject({ status: 'done', result: { returned: 3 } });
    await readAsAnother(world);
    const anew = await world.call('RunSOQL', { soql });
    expect(anew).toMatchObject({ status: 'waiting', proposal: { query: { send: expect.any(String) } } });
    expect(anew.proposal!.id).not.toBe(first);
    expect(await world.refusal('GetProposal', { id: first })).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('another user'),
      next: 'Call RunSOQL again: it is read as the user of now.',
    });
  });

  it('gets the rows of a query that waited from before, for they are its own [K8]', async () => {
    await using world = await createWorld({ policy: asking });
    const { id } = (await world.call('RunSOQL', { soql })).proposal!;
    await readAsAnother(world);
    expect(await world.call('GetProposal', { id })).toMatchObject({
      status: 'waiting',
      proposal: { query: { send: expect.any(String) } },
    });
    await world.approve(id);
    expect(await world.call('GetProposal', { id })).toMatchObject({ status: 'done', result: { returned: 3 } });
  });

  it('makes no second lead of a wish that was done as the one before [A4]', async () => {
    await using world = await createWorld();
    const { id } = (await world.call('CreateLead', DOE)).result!;
    const leads = (await world.records('Lead')).length;
    await readAsAnother(world);
    expect((await world.call('CreateLead', DOE)).status).toBe('done');
    expect((await world.call('CreateLead', DOE, { key: 'k' })).result?.id).not.toBe(id);
    expect((await world.records('Lead')).length).toBe(leads + 1);
  });
});

it('takes no cursor of the Salesforce user before [K8 Q3]', async () => {
  await using world = await createWorld({ policy: asking });
  const args = await cursorOf(world);
  await readAsAnother(world);
  expect(await world.refusal('RunSOQL', args)).toMatchObject({ code: 'invalid_input' });
});

it('a talk tells the model and the person nothing that was read as the Salesforce user before [K8 O9]', async () => {
  const read = { calls: [{ name: 'GetAccount', args: { name: 'Acme Industries' } }] };
  await using server = await startModelServer((_, at) => (at === 0 ? read : { text: 'Hello.' }));
  await using talk = await createChatWorld({ baseUrl: server.baseUrl, session: 'ACME-001' });
  await talk.say('Who is Acme?');
  const told = () => JSON.stringify(server.requests.at(-1).messages);
  expect(told().match(/Rotterdam/g)?.length).toBeGreaterThan(1);
  await readAsAnother(talk.world);
  await talk.say('Hello');
  expect(told()).not.toContain('Rotterdam');
  expect(told()).toContain('connection to Salesforce was changed');
  expect(JSON.stringify((await talk.read()).entries)).not.toContain('Rotterdam');
});

describe('another person of the same account', () => {
  it('gets nothing that was read, asked or answered for the first [K8 C5]', async () => {
    await using world = await createWorld({ policy: asking });
    const { id } = (await world.call('RunSOQL', { soql }, as('anna'))).proposal!;
    await world.approve(id);
    for (const other of [as('amy'), as(), {}]) {
      expect(await world.refusal('GetProposal', { id }, other)).toMatchObject({ code: 'not_found' });
      const viewer = { bot: world.bot, principal: 'agent:test', channel: 'rest', ...other } as const;
      await expect(world.app.gate.proposal(id, viewer)).rejects.toMatchObject({ code: 'not_found' });
      expect((await world.call('RunSOQL', { soql }, other)).status).toBe('waiting');
    }
    expect(await world.call('GetProposal', { id }, as('anna'))).toMatchObject({ result: { returned: 3 } });
    expect((await world.call('RunSOQL', { soql }, as('anna'))).status).toBe('done');
  });

  it('replaces no wish that waits for the first, and shares no key [A4]', async () => {
    await using world = await createWorld();
    const first = (await world.call('UpdateOpportunity', MOVE, as('anna'))).proposal!;
    await world.call('UpdateOpportunity', { ...MOVE, nextStep: 'Call them' }, as('amy'));
    expect(await world.call('GetProposal', { id: first.id }, as('anna'))).toMatchObject({ status: 'waiting' });
    const made = await world.call('CreateLead', DOE, { ...as('anna'), key: 'k' });
    const other = await world.call('CreateLead', { ...DOE, lastName: 'Roe' }, { ...as('amy'), key: 'k' });
    expect(other).toMatchObject({ status: 'done' });
    expect(other.result?.id).not.toBe(made.result?.id);
  });
});

it('takes no cursor that another person of the account was given [K8 Q3]', async () => {
  await using world = await createWorld({ policy: asking });
  const args = await cursorOf(world, as('anna'));
  expect(await world.refusal('RunSOQL', args, as('amy'))).toMatchObject({ code: 'invalid_input' });
  expect((await world.call('RunSOQL', args, as('anna'))).status).toBe('done');
});
