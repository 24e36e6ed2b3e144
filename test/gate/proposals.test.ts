import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { createWorld, type World } from '../support/world.ts';

const MOVE = { reference: 'OPP-123', nextStep: 'Send the contract' };

async function opportunity(world: World, reference = 'OPP-123') {
  const found = (await world.records('Opportunity')).find(({ Reference__c }) => Reference__c === reference);
  if (found === undefined) throw new Error(`no ${reference} in the seed`);
  return found;
}

async function proposed(world: World, args: unknown = MOVE) {
  const envelope = await world.call('UpdateOpportunity', args);
  expect(envelope.status).toBe('waiting');
  if (envelope.proposal === undefined) throw new Error('no proposal');
  return envelope.proposal;
}

it('a look-up that waits says what it would look up, and that no policy names it [C2 C5]', async () => {
  const unnamed = ({ actions: { GetAccount: _, ...actions }, ...policy }: Policy) => ({ ...policy, actions });
  await using world = await createWorld({ policy: unnamed });
  const args = { name: 'Acme Industries', include: ['contacts'] };
  expect(await world.call('GetAccount', args)).toMatchObject({
    status: 'waiting',
    proposal: {
      summary: 'GetAccount with name "Acme Industries", include ["contacts"]',
      reasons: ['The policy of this bot does not name GetAccount, so a person is asked.'],
    },
  });
});

describe('a held update', () => {
  it('shows before and after, writes nothing, and runs exactly what was shown once approved [C2 C5]', async () => {
    await using world = await createWorld();
    const before = await opportunity(world);
    const proposal = await proposed(world);
    expect(proposal.changes).toEqual([
      { field: 'NextStep', label: expect.any(String), before: before.NextStep ?? null, after: 'Send the contract' },
    ]);
    expect(proposal.link).toContain(`/approvals/${proposal.id}`);
    expect((await opportunity(world)).NextStep).toBe(before.NextStep);
    const done = await world.approve(proposal.id);
    expect(done).toMatchObject({ status: 'done', result: { id: before.Id } });
    expect((await opportunity(world)).NextStep).toBe('Send the contract');
  });

  it('costs one read to show, and one read and one conditional write to run [F2]', async () => {
    await using world = await createWorld();
    await world.call('UpdateOpportunity', { reference: 'OPP-124', nextStep: 'warm the describe' });
    const start = await world.calls();
    const proposal = await proposed(world);
    expect(await world.calls()).toBe(start + 1);
    await world.approve(proposal.id);
    expect(await world.calls()).toBe(start + 3);
  });

  it('is decided once: a replayed approval, a late decline and a second approver are told so [C5]', async () => {
    await using world = await createWorld();
    const { id } = await proposed(world);
    await world.approve(id);
    await expect(world.approve(id)).rejects.toMatchObject({ code: 'conflict', status: 409 });
    await expect(
      world.app.approvals.decide(id, { answer: 'reject', by: 'operator:bob', via: 'cli', assurance: 'session' }),
    ).rejects.toMatchObject({ code: 'conflict' });
    expect((await world.app.store.audit.find({ proposal: id, event: 'done', limit: 10 })).length).toBe(1);
  });

  it('writes once when eight approvals race [C6]', async () => {
    await using world = await createWorld();
    const { id } = await proposed(world);
    const start = await world.calls();
    const ends = await Promise.allSettled(Array.from({ length: 8 }, () => world.approve(id)));
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await world.calls()).toBe(start + 2);
  });

  it('ends when declined, and expires by itself, as outcomes and not errors [C5]', async () => {
    await using world = await createWorld();
    const first = await proposed(world);
    const declined = await world.app.approvals.decide(first.id, {
      answer: 'reject',
      by: 'operator:ada',
      via: 'console',
      assurance: 'session',
    });
    expect(declined.status).toBe('declined');
    const second = await proposed(world);
    world.clock.advance(60 * 60_000);
    expect((await world.call('GetProposal', { id: second.id })).status).toBe('expired');
    expect((await world.approve(second.id)).status).toBe('expired');
    expect((await opportunity(world)).NextStep).not.toBe('Send the contract');
  });

  it('is a conflict when the record changed after it was shown [C5]', async () => {
    await using world = await createWorld();
    const { id } = await proposed(world);
    const record = await opportunity(world);
    await world.sim('POST', 'records/Opportunity', { Id: record.Id, NextStep: 'Somebody else wrote this' });
    expect((await world.approve(id)).status).toBe('conflict');
    expect((await opportunity(world)).NextStep).toBe('Somebody else wrote this');
  });

  it('fails when the permission, the connection or the policy is gone by then [C5]', async () => {
    await using world = await createWorld();
    const first = await proposed(world);
    await world.app.store.bots.revoke(world.bot, 'UPDATE_OPPORTUNITY');
    await expect(world.approve(first.id)).rejects.toMatchObject({ code: 'permission_denied' });
    await world.app.store.bots.grant(world.bot, 'UPDATE_OPPORTUNITY');
    const second = await proposed(world);
    await world.setPolicy((policy) => ({
      ...policy,
      actions: { ...policy.actions, UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, decision: 'deny' } },
    }));
    await expect(world.approve(second.id)).rejects.toMatchObject({ code: 'permission_denied' });
    expect((await opportunity(world)).NextStep).not.toBe('Send the contract');
  });

  it('asks again when the policy became stricter after a yes at the chat client [C5]', async () => {
    await using world = await createWorld();
    const { id } = await proposed(world);
    await world.setPolicy((policy) => ({
      ...policy,
      actions: { ...policy.actions, UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, assurance: 'session' } },
    }));
    const again = await world.app.approvals.decide(id, {
      answer: 'approve',
      by: 'client',
      via: 'elicitation',
      assurance: 'client',
    });
    expect(again).toMatchObject({ status: 'waiting', proposal: { assurance: 'session' } });
    expect((await world.approve(id)).status).toBe('done');
  });

  it('takes no client answer where a signed-in approver is asked for [C4]', async () => {
    await using world = await createWorld({
      policy: (policy) => ({
        ...policy,
        actions: {
          ...policy.actions,
          UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, assurance: 'session' },
        },
      }),
    });
    const { id } = await proposed(world);
    await expect(
      world.app.approvals.decide(id, { answer: 'approve', by: 'client', via: 'elicitation', assurance: 'client' }),
    ).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it("keeps another bot's proposals out of sight [C5]", async () => {
    await using world = await createWorld();
    const { id } = await proposed(world);
    await world.app.store.bots.create({
      ...(await world.app.store.bots.get(world.bot))!,
      name: 'other',
    });
    await expect(world.app.gate.proposal(id, { bot: 'other', principal: 'agent:one' })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await world.refusal('GetProposal', { id }, { bot: 'other' })).toMatchObject({ code: 'not_found' });
    await expect(
      world.app.approvals.decide(id, {
        answer: 'approve',
        by: 'x',
        via: 'elicitation',
        assurance: 'client',
        bot: 'other',
      }),
    ).rejects.toMatchObject({ code: 'not_found' });
  });

  it('gives the model no argument that approves [C3]', async () => {
    await using world = await createWorld();
    for (const forged of [{ confirm: true }, { approve: true }, { approved: 'yes' }, { confirmation: 'x' }])
      expect(await world.refusal('UpdateOpportunity', { ...MOVE, ...forged })).toMatchObject({ code: 'invalid_input' });
    for (const { name, input } of await world.app.gate.actions(world.bot))
      expect(
        Object.keys(input.shape).filter((key) => /confirm|approv|decision|token/i.test(key)),
        name,
      ).toEqual([]);
  });

  it('holds one proposal per identical wish, and a newer wish for the record replaces the older [C6]', async () => {
    await using world = await createWorld();
    const first = await proposed(world);
    expect((await proposed(world)).id).toBe(first.id);
    const newer = await proposed(world, { ...MOVE, nextStep: 'Call instead' });
    expect(newer.id).not.toBe(first.id);
    expect((await world.call('GetProposal', { id: first.id })).proposal?.state).toBe('superseded');
    await expect(world.approve(first.id)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('stops at the cap of waiting proposals [C5]', async () => {
    await using world = await createWorld({
      policy: (policy) => ({ ...policy, proposals: { ...policy.proposals, maxPending: 2 } }),
    });
    await proposed(world, { reference: 'OPP-123', nextStep: 'a' });
    await proposed(world, { reference: 'OPP-124', nextStep: 'b' });
    expect(await world.refusal('UpdateOpportunity', { reference: 'OPP-456', nextStep: 'c' })).toMatchObject({
      code: 'rate_limited',
      status: 429,
    });
  });

  it('lets the approver correct a value, and keeps both in the audit [C5]', async () => {
    await using world = await createWorld();
    const { id } = await proposed(world);
    await expect(world.approve(id, { values: { reference: 'OPP-456' } })).rejects.toMatchObject({
      code: 'invalid_input',
    });
    await expect(world.approve(id, { values: { amount: 5 } })).rejects.toMatchObject({ code: 'invalid_input' });
    expect((await world.approve(id, { values: { nextStep: 'Sign the contract' } })).status).toBe('done');
    expect((await opportunity(world)).NextStep).toBe('Sign the contract');
    const [row] = await world.app.store.audit.find({ proposal: id, event: 'approved', limit: 1 });
    expect(JSON.parse(row?.detail ?? '{}')).toMatchObject({ edited: ['nextStep'] });
  });
});

describe('a lead', () => {
  const DOE = { lastName: 'Doe', firstName: 'Jane', company: 'Doe Ltd', email: 'jane@doe.example', leadSource: 'web' };

  it('is created at once, its picklist label as the API value, and once only [A2 A4]', async () => {
    await using world = await createWorld();
    const first = await world.call('CreateLead', DOE);
    expect(first).toMatchObject({ status: 'done', result: { id: expect.stringMatching(/^00Q/) } });
    const again = await world.call('CreateLead', DOE);
    expect(again.result).toMatchObject({ id: first.result?.id, alreadyDone: true });
    const made = (await world.records('Lead')).filter(({ LastName }) => LastName === 'Doe');
    expect(made).toHaveLength(1);
    expect(made[0]?.LeadSource).toBe('Web');
  });

  it('is repeated after the window, under a new key, and in another conversation [A4]', async () => {
    await using world = await createWorld({
      policy: (p) => ({ ...p, actions: { ...p.actions, CreateLead: { ...p.actions.CreateLead!, rules: [] } } }),
    });
    const { email: _, ...nobody } = DOE;
    const ids = [
      await world.call('CreateLead', nobody),
      await world.call('CreateLead', nobody, { conversation: 'b' }),
      await world.call('CreateLead', nobody, { key: 'k1' }),
      await world.call('CreateLead', nobody, { key: 'k1' }),
    ].map(({ result }) => result?.id);
    expect(new Set(ids).size).toBe(3);
    expect(await world.refusal('CreateLead', { ...nobody, title: 'x' }, { key: 'k1' })).toMatchObject({
      code: 'conflict',
    });
    world.clock.advance(11 * 60_000);
    expect((await world.call('CreateLead', nobody)).result?.id).not.toBe(ids[0]);
  });

  it('is not written again under its key, whatever a colleague made of the record since [A4]', async () => {
    await using world = await createWorld({
      policy: (p) => ({
        ...p,
        actions: {
          ...p.actions,
          CreateLead: { ...p.actions.CreateLead!, rules: [] },
          UpdateOpportunity: { ...p.actions.UpdateOpportunity!, decision: 'auto', rules: [] },
        },
      }),
    });
    const create = () => world.call('CreateLead', DOE, { key: 'lead' });
    const move = () => world.call('UpdateOpportunity', { reference: 'OPP-123', amount: 7001 }, { key: 'move' });
    const [made, moved] = [await create(), await move()];
    const id = String((await world.records('Opportunity')).find(({ Amount }) => Amount === 7001)?.Id);
    await world.sim('POST', 'records/Lead', { Id: made.result?.id, Email: 'corrected@doe.example' });
    await world.sim('POST', 'records/Opportunity', { Id: id, Amount: 9000 });
    world.clock.advance(60 * 60_000);
    expect(await create()).toMatchObject({ status: 'done', result: { id: made.result?.id, alreadyDone: true } });
    expect(await move()).toMatchObject({ status: moved.status, result: { alreadyDone: true } });
    expect((await world.records('Lead')).filter(({ LastName }) => LastName === 'Doe')).toHaveLength(1);
    expect((await world.records('Opportunity')).find(({ Id }) => Id === id)?.Amount).toBe(9000);
  });

  it('is created once by eight identical calls at the same moment [A4 C6]', async () => {
    await using world = await createWorld();
    const ends = await Promise.all(Array.from({ length: 8 }, () => world.call('CreateLead', DOE)));
    expect(new Set(ends.map(({ result }) => result?.id)).size).toBe(1);
    expect((await world.records('Lead')).filter(({ LastName }) => LastName === 'Doe')).toHaveLength(1);
  });

  it('is created once by calls at the same moment that spell one person in ways that people read alike [A4 A1]', async () => {
    await using world = await createWorld();
    await world.sim('POST', 'settings', { duplicates: 'off' });
    const zoe = { lastName: 'Nu\u00f1ez', firstName: 'Zo\u00eb', company: '\u00dcn\u00ef Corp' };
    const leads = async (email: string | null) =>
      (await world.records('Lead')).filter(
        (lead) => /^nu/i.test(String(lead.LastName)) && (lead.Email?.toString().toLowerCase() ?? null) === email,
      ).length;
    await Promise.all(
      ['UP@X.example', 'up@x.example', 'Up@x.Example'].map((email) => world.call('CreateLead', { ...zoe, email })),
    );
    expect(await leads('up@x.example')).toBe(1);
    const spelled = [
      zoe,
      { ...zoe, company: '\u00dcn\u00ef  Corp' },
      { ...zoe, company: '\u00dcn\u00ef\tCorp' },
      { lastName: 'Nun\u0303ez', firstName: 'Zoe\u0308', company: 'U\u0308ni\u0308 Corp' },
    ];
    const ends = await Promise.all(spelled.map((args) => world.call('CreateLead', args)));
    expect(new Set(ends.map(({ result }) => result?.id)).size).toBe(1);
    expect(await world.call('CreateLead', { ...zoe, lastName: 'nu\u00f1ez' }, {})).toMatchObject({
      result: { alreadyDone: true },
    });
    expect(await leads(null)).toBe(1);
    // Under one key, another spelling is no other argument.
    const keyed = { ...zoe, title: 'CEO', email: 'key@x.example' };
    const first = await world.call('CreateLead', keyed, { key: 'zoe' });
    expect(await world.call('CreateLead', { ...keyed, email: 'KEY@x.example' }, { key: 'zoe' })).toMatchObject({
      result: { id: first.result?.id, alreadyDone: true },
    });
    expect(
      (await world.call('CreateLead', { ...keyed, title: 'CFO' }, { key: 'zoe' }).catch((error) => error)).code,
    ).toBe('conflict');
  });

  it('is not done any more once somebody changed the record [A4]', async () => {
    await using world = await createWorld({
      policy: (p) => ({ ...p, actions: { ...p.actions, CreateLead: { ...p.actions.CreateLead!, rules: [] } } }),
    });
    const { email: _, ...nobody } = DOE;
    const first = await world.call('CreateLead', nobody);
    await world.sim('POST', 'records/Lead', { Id: first.result?.id, Company: 'Renamed' });
    expect((await world.call('CreateLead', nobody)).result?.id).not.toBe(first.result?.id);
  });

  it('with a known email is offered the look-alike instead, and uses it without writing [A1]', async () => {
    await using world = await createWorld();
    const known = (await world.records('Contact')).find(({ Email }) => typeof Email === 'string')!;
    const count = (await world.records('Lead')).length;
    const waiting = await world.call('CreateLead', { ...DOE, email: known.Email });
    expect(waiting).toMatchObject({
      status: 'waiting',
      proposal: { choices: [{ id: `use:${known.Id}` }, { id: 'create' }] },
    });
    const id = waiting.proposal!.id;
    await expect(world.approve(id)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await world.approve(id, { choice: `use:${known.Id}` })).toMatchObject({
      status: 'done',
      result: { id: known.Id, name: known.Name, existing: true },
    });
    expect((await world.records('Lead')).length).toBe(count);
  });

  it('is created anyway when a person says so [A1]', async () => {
    await using world = await createWorld();
    const known = (await world.records('Contact')).find(({ Email }) => typeof Email === 'string')!;
    const waiting = await world.call('CreateLead', { ...DOE, email: known.Email });
    const done = await world.approve(waiting.proposal!.id, { choice: 'create' });
    expect(done.result?.id).toMatch(/^00Q/);
  });

  it.each([
    ['waits anew with the look-alike as a choice', undefined],
    ['is not created where policy denies look-alikes', { if: { duplicates: true }, then: 'deny' } as const],
  ])('of somebody who came after the question %s [A1] [C5] [P2]', async (_, rule) => {
    await using world = await createWorld({
      policy: (p) => ({
        ...p,
        actions: {
          ...p.actions,
          CreateLead: { ...p.actions.CreateLead!, decision: 'confirm', rules: rule === undefined ? [] : [rule] },
        },
      }),
    });
    const email = 'came.later@x.example';
    const leads = async () => (await world.records('Lead')).filter(({ Email }) => Email === email).length;
    const id = (await world.call('CreateLead', { ...DOE, email })).proposal?.id ?? '';
    await world.sim('POST', 'records/Contact', { LastName: 'Later', Email: email });
    const end = await world.approve(id).catch((error: unknown) => error);
    expect(await leads()).toBe(0);
    if (rule !== undefined) return expect(end).toMatchObject({ code: 'permission_denied' });
    expect(end).toMatchObject({
      status: 'waiting',
      proposal: { choices: [{ id: expect.stringMatching(/^use:003/) }, { id: 'create' }] },
    });
    expect(await world.approve(id, { choice: 'create' })).toMatchObject({ status: 'done' });
    expect(await leads()).toBe(1);
  });

  it("gives a public bot's visitor one receipt, known or not [P6]", async () => {
    await using world = await createWorld({ audience: 'public', grants: ['CREATE_LEAD'] });
    const known = (await world.records('Contact')).find(({ Email }) => typeof Email === 'string')!;
    const stranger = await world.call('CreateLead', DOE);
    const acquaintance = await world.call('CreateLead', { ...DOE, email: known.Email });
    expect(acquaintance).toEqual(stranger);
    expect(stranger).toEqual({ status: 'done', result: { received: true } });
    // One was looked up and written meanwhile, the other one waits.
    await expect.poll(() => world.app.approvals.list({ pending: true }), { timeout: 10_000 }).toHaveLength(1);
  });

  it('names bad values before anything is sent, with the nearest picklist values [A2]', async () => {
    await using world = await createWorld();
    const start = await world.records('Lead');
    const error = await world.refusal('CreateLead', { ...DOE, lastName: 'D'.repeat(200) });
    expect(error).toMatchObject({ code: 'invalid_input', fields: [{ name: 'lastName' }] });
    expect(await world.records('Lead')).toHaveLength(start.length);
  });
});

describe('a lost reply', () => {
  it('leaves one lead, also when the call is repeated [F5 C6]', async () => {
    await using world = await createWorld();
    await world.call('GetAccount', { name: 'Acme Industries' });
    await world.sim('POST', 'faults', {
      type: 'drop',
      when: 'after',
      match: { path: '/sobjects/Lead/', method: 'PATCH' },
      times: 1,
    });
    const args = { lastName: 'Lost', company: 'Reply' };
    await world.call('CreateLead', args);
    await world.call('CreateLead', args);
    expect((await world.records('Lead')).filter(({ LastName }) => LastName === 'Lost')).toHaveLength(1);
  });

  it('leaves one lead in an org without our field, found again by its values [F5 C6]', async () => {
    await using world = await createWorld();
    await world.sim('POST', 'reset', { withoutFields: ['Lead.Gatehouse_Id__c'] });
    await world.sim('POST', 'faults', {
      type: 'drop',
      when: 'after',
      match: { path: '/sobjects/Lead', method: 'POST' },
      times: 1,
    });
    const done = await world.call('CreateLead', { lastName: 'Lost', company: 'Reply' });
    expect(done.status).toBe('done');
    expect((await world.records('Lead')).filter(({ LastName }) => LastName === 'Lost')).toHaveLength(1);
  });

  it.each([412, 413, 429])(
    'is no refusal where the write was done and a copy of it met a %i: it is read back [C6] [C7]',
    async (status) => {
      await using world = await createWorld();
      const { id } = await proposed(world);
      await world.sim('POST', 'faults', { type: 'html', status, when: 'after', match: { method: 'PATCH' }, times: 1 });
      expect((await world.approve(id)).status).toBe('done');
      const [row] = await world.app.store.audit.find({ proposal: id, event: 'done', limit: 1 });
      expect(JSON.parse(row?.detail ?? '{}').writes).toMatchObject([{ state: 'done', fields: ['NextStep'] }]);
    },
  );

  it('of an update is read back and counts as done [C6]', async () => {
    await using world = await createWorld();
    const { id } = await proposed(world);
    await world.sim('POST', 'faults', {
      type: 'drop',
      when: 'after',
      match: { path: '/sobjects/Opportunity/', method: 'PATCH' },
      times: 1,
    });
    expect((await world.approve(id)).status).toBe('done');
    expect((await opportunity(world)).NextStep).toBe('Send the contract');
  });
});

describe('a crash', () => {
  const POINTS = ['decided', 'executing', 'noted-sent', 'noted-done', 'ran', 'before-settled', 'settled'];

  it.each(POINTS)('at "%s" leaves one lead after the next start [A4 C6]', async (point) => {
    await using world = await createWorld({
      policy: (p) => ({
        ...p,
        actions: { ...p.actions, CreateLead: { ...p.actions.CreateLead!, decision: 'confirm' } },
      }),
    });
    const waiting = await world.call('CreateLead', { lastName: 'Crash', company: point });
    // A process that stops at this point and never goes on: nothing after it runs, not even a catch.
    const died = new Promise<void>((resolve) => {
      void world
        .again((at) => (at === point ? new Promise<void>(() => resolve()) : undefined))
        .then((dying) =>
          dying.approvals.decide(waiting.proposal!.id, {
            answer: 'approve',
            by: 'operator:ada',
            via: 'cli',
            assurance: 'session',
          }),
        );
    });
    await died;
    // The lease of the dead runner ends; its process number is alive here, for the test shares it.
    await world.recoverAfter(70_000);
    const end = await world.call('GetProposal', { id: waiting.proposal!.id });
    expect(end.status).toBe('done');
    expect((await world.records('Lead')).filter(({ LastName }) => LastName === 'Crash')).toHaveLength(1);
    expect(await world.app.audit.verify()).toMatchObject({ ok: true });
  });
});

it('offers no other record for a change that is a duplicate: who chose it saw the change written all the same [C2] [R4]', async () => {
  await using world = await createWorld();
  const [, other] = await world.records('Opportunity');
  const { proposal } = await world.call('UpdateOpportunity', { reference: 'OPP-123', nextStep: 'Send the contract' });
  const message = `duplicate value found: Ref__c duplicates value on record with id: ${other?.Id}`;
  await world.sim('POST', 'faults', {
    ...{ type: 'status', status: 400, when: 'before', times: 1, match: { method: 'PATCH' } },
    body: [{ errorCode: 'DUPLICATE_VALUE', message, fields: [] }],
  });
  await expect(world.approve(proposal?.id ?? '')).rejects.toMatchObject({
    code: 'duplicate',
    candidates: [{ id: other?.Id }],
  });
  expect((await world.app.approvals.inspect(proposal?.id ?? '')).proposal).toMatchObject({ state: 'failed' });
});

describe('a yes', () => {
  const deciding = (action: string, change: object) => (p: Policy) => ({
    ...p,
    actions: { ...p.actions, [action]: { ...p.actions[action]!, rules: [], ...change } },
  });

  it('to one plan of a sync is none to another: it waits anew, with what would be written now [C2] [C5] [K7]', async () => {
    await using world = await createWorld({ policy: deciding('SyncParty', { decision: 'confirm' }) });
    const { hosts } = await world.app.sync();
    const put = (fields: Record<string, string>) => hosts.put(world.bot, 'party', [{ id: 'p1', fields }]);
    await put({ name: 'Ada Yes', email: 'ada@yes.example', phone: '222' });
    const phones = async () =>
      (await world.records('Contact')).filter(({ Email }) => Email === 'ada@yes.example').map(({ Phone }) => Phone);
    const id = (await world.call('SyncParty', { partyId: 'p1' })).proposal?.id ?? '';
    await put({ phone: '66666' });
    expect(await world.approve(id)).toMatchObject({ status: 'waiting' });
    expect(await phones()).toEqual([]);
    const { proposal } = await world.app.approvals.inspect(id);
    expect(JSON.stringify(proposal.preview?.changes)).toContain('66666');
    expect(await world.approve(id)).toMatchObject({ status: 'done' });
    expect(await phones()).toEqual(['66666']);
  });

  it('to one query is none to another: the rows that were shown bound the run [C2] [C5] [Q3]', async () => {
    await using world = await createWorld({
      policy: (p) => deciding('RunSOQL', { decision: 'confirm' })({ ...p, soql: { ...p.soql, maxRows: 4 } }),
    });
    const id = (await world.call('RunSOQL', { soql: 'SELECT Name FROM Contact' })).proposal?.id ?? '';
    await world.setPolicy((p) => ({ ...p, soql: { ...p.soql, maxRows: 200 } }));
    expect(await world.approve(id)).toMatchObject({
      status: 'waiting',
      proposal: { query: { send: expect.stringContaining('LIMIT 200') } },
    });
  });

  it('does not let a query run, or its rows be told, that policy takes for another kind since and denies [P5] [C5]', async () => {
    const rules = [{ if: { queryClass: 'non-trivial' as const }, then: 'deny' as const }];
    await using world = await createWorld({ policy: deciding('RunSOQL', { decision: 'confirm', rules }) });
    const [contact] = await world.records('Contact');
    const ask = async (limit: number) =>
      (await world.call('RunSOQL', { soql: `SELECT Email FROM Contact WHERE Id = '${contact?.Id}' LIMIT ${limit}` }))
        .proposal?.id ?? '';
    const [done, waits] = [await ask(2), await ask(3)];
    expect(await world.approve(done)).toMatchObject({ status: 'done' });
    await world.setPolicy((p) => ({
      ...p,
      objects: { ...p.objects, Contact: { ...p.objects.Contact!, sensitiveFields: ['Email'] } },
    }));
    await expect(world.approve(waits)).rejects.toMatchObject({ code: 'permission_denied' });
    const refused = await world.refusal('GetProposal', { id: done });
    expect(refused.code).toBe('permission_denied');
  });
});

it('a run that found the record as wanted is not repeated as done once somebody changed it [A4] [C6]', async () => {
  await using world = await createWorld();
  const { Id } = await opportunity(world);
  const { id } = await proposed(world);
  await world.sim('POST', 'records/Opportunity', { Id, NextStep: MOVE.nextStep });
  const end = await world.approve(id).catch((error: unknown) => error);
  await world.sim('POST', 'records/Opportunity', { Id, NextStep: 'Theirs' });
  expect([end, (await world.call('UpdateOpportunity', MOVE)).status]).toEqual([
    expect.objectContaining({ status: 'done' }),
    'waiting',
  ]);
});
