import { describe, expect, it } from 'vitest';
import { createChatWorld, gather, ME } from '../support/chat.ts';
import { startModelServer } from '../support/model-server.ts';
import { TOOLS } from '../support/tools.ts';

const MOVE = 'Move OPP-456 to Closed Won';

describe('a card', () => {
  it('ends the turn; approved with the button it writes once and the talk goes on [T1 T3 C4]', async () => {
    await using talk = await createChatWorld();

    const asked = await talk.say(MOVE);
    expect(asked.reason).toBe('waiting');
    expect(asked.cards).toMatchObject([
      { state: 'pending', changes: [{ field: 'StageName', before: 'Negotiation/Review', after: 'Closed Won' }] },
    ]);
    expect(await stageOf(talk, 'OPP-456')).toBe('Negotiation/Review');

    const done = await talk.answer(asked.cards[0], { answer: 'approve' });
    expect(done.receipts).toMatchObject([
      { status: 'done', record: { name: 'Umber warehouse' }, changes: [{ field: 'StageName', after: 'Closed Won' }] },
    ]);
    expect(done.text).toContain('"Umber warehouse" is updated');
    expect(await stageOf(talk, 'OPP-456')).toBe('Closed Won');
    await expect(talk.answer(asked.cards[0], { answer: 'approve' })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is not approved by a typed "yes", whatever the model makes of it [C4]', async () => {
    await using talk = await createChatWorld();
    const asked = await talk.say(MOVE);
    const typed = await talk.say('Yes, I approve. Go ahead!');

    expect(typed.text).toContain('cannot approve');
    expect(await stageOf(talk, 'OPP-456')).toBe('Negotiation/Review');
    expect((await talk.read()).proposals).toMatchObject([{ id: asked.cards[0]?.id, state: 'pending' }]);

    const done = await talk.answer(asked.cards[0], { answer: 'approve' });
    expect(done.text).toContain('"Umber warehouse" is updated');
    expect(await stageOf(talk, 'OPP-456')).toBe('Closed Won');
  });

  it('declined writes nothing, and the person may want something else [T1 C4]', async () => {
    await using talk = await createChatWorld();
    const asked = await talk.say(MOVE);
    const declined = await talk.answer(asked.cards[0], { answer: 'reject' });
    expect(declined.receipts).toMatchObject([{ status: 'declined' }]);
    expect(declined.reason).toBe('answered');

    const other = await talk.say('Actually, Proposal/Price Quote instead');
    expect(other.cards[0]?.changes).toMatchObject([{ after: 'Proposal/Price Quote' }]);
    await talk.answer(other.cards[0], { answer: 'approve' });
    expect(await stageOf(talk, 'OPP-456')).toBe('Proposal/Price Quote');
  });

  it('gives way to what the person wants instead, without a word from the model about the old one', async () => {
    await using talk = await createChatWorld();
    const first = await talk.say(MOVE);
    const second = await talk.say('Actually, Closed Lost instead');

    expect(second.receipts).toMatchObject([
      { status: 'expired', proposal: first.cards[0]?.id, words: expect.stringContaining('Replaced') },
    ]);
    expect((await talk.read()).proposals.map(({ id }) => id)).toEqual([second.cards[0]?.id]);
    await expect(talk.answer(first.cards[0], { answer: 'approve' })).rejects.toMatchObject({ code: 'not_found' });
    expect(await stageOf(talk, 'OPP-456')).toBe('Negotiation/Review');
  });

  it('comes for each of two orders in a sentence; the talk goes on when both are decided [T1]', async () => {
    await using talk = await createChatWorld();
    const asked = await talk.say('Move OPP-123 to Closed Lost and set the amount of OPP-124 to 15k');
    expect(asked.cards).toHaveLength(2);

    const one = await talk.answer(asked.cards[1], { answer: 'approve' });
    expect(one).toMatchObject({ reason: 'waiting', text: '' });
    const both = await talk.answer(asked.cards[0], { answer: 'reject' });
    expect(both.reason).toBe('answered');
    expect(both.text).toContain('"Acme care plan" is updated');
    expect(await stageOf(talk, 'OPP-123')).toBe('Negotiation/Review');
  });

  it('decided at another place is told at the next look, with or without a new message [C4]', async () => {
    await using talk = await createChatWorld();
    const asked = await talk.say(MOVE);
    expect((await talk.read()).canResume).toBe(false);
    await talk.world.approve(asked.cards[0]?.id ?? '');

    expect(await talk.read()).toMatchObject({ canResume: true, proposals: [] });
    const told = await talk.resume();
    expect(told.receipts).toMatchObject([{ status: 'done' }]);
    expect(told.text).toContain('is updated');
    expect(await talk.resume()).toMatchObject({ events: [{ type: 'done', reason: 'answered' }] });

    const next = await talk.say('Move OPP-123 to Closed Lost');
    await talk.say('Hello?');
    await talk.world.approve(next.cards[0]?.id ?? '');
    const later = await talk.say('What is the status of OPP-123?');
    expect(later.receipts).toMatchObject([{ status: 'done', action: 'UpdateOpportunity' }]);
    expect(later.text).toContain('Closed Lost');
  });

  it('loses to a quicker decision at another place: the click is answered with what really happened [C4]', async () => {
    await using talk = await createChatWorld();
    const asked = await talk.say(MOVE);
    await talk.world.app.approvals.decide(asked.cards[0]?.id ?? '', {
      answer: 'reject',
      by: 'operator:ada',
      via: 'console',
      assurance: 'session',
    });
    const late = await talk.answer(asked.cards[0], { answer: 'approve' });
    expect(late.receipts).toMatchObject([{ status: 'declined' }]);
    expect(await stageOf(talk, 'OPP-456')).toBe('Negotiation/Review');
  });

  it('expired writes nothing and is told [C4]', async () => {
    await using talk = await createChatWorld();
    const asked = await talk.say(MOVE);
    talk.world.clock.advance(3_600_000);
    const late = await talk.answer(asked.cards[0], { answer: 'approve' });
    expect(late.receipts).toMatchObject([{ status: 'expired' }]);
    expect(await stageOf(talk, 'OPP-456')).toBe('Negotiation/Review');
  });

  it('of a changed record writes nothing and is told as a conflict [C4]', async () => {
    await using talk = await createChatWorld();
    const asked = await talk.say(MOVE);
    talk.world.clock.advance(5_000);
    await talk.world.sim('POST', 'records/Opportunity', {
      Id: asked.cards[0]?.target?.id,
      StageName: 'Qualification',
    });
    expect(await stageOf(talk, 'OPP-456')).toBe('Qualification');
    const late = await talk.answer(asked.cards[0], { answer: 'approve' });
    expect(late.receipts).toMatchObject([{ status: 'conflict' }]);
  });

  it('that needs a signed-in approver stays open under the click of an anonymous one [C4]', async () => {
    await using talk = await createChatWorld({
      policy: (policy) => ({
        ...policy,
        actions: {
          ...policy.actions,
          UpdateOpportunity: { decision: 'confirm', assurance: 'session', rules: [], autoFields: [], expose: [] },
        },
      }),
    });
    const asked = await talk.say(MOVE);
    expect(asked.cards).toMatchObject([{ assurance: 'session' }]);
    await expect(talk.answer(asked.cards[0], { answer: 'approve' })).rejects.toMatchObject({
      code: 'permission_denied',
    });
    expect((await talk.read()).proposals).toHaveLength(1);
    expect(await stageOf(talk, 'OPP-456')).toBe('Negotiation/Review');
  });

  it('with choices takes one of them, and nothing else [C4]', async () => {
    await using talk = await createChatWorld();
    const asked = await talk.say('Create a lead for Rosa Gonzalez at Acme, rosa.gonzalez@acme.example');
    expect(asked.cards[0]?.choices).toHaveLength(2);
    const leads = (await talk.world.records('Lead')).length;
    await expect(talk.answer(asked.cards[0], { answer: 'approve' })).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(talk.answer(asked.cards[0], { answer: 'approve', choice: 'all' })).rejects.toMatchObject({
      code: 'invalid_input',
    });
    const [first] = asked.cards[0]?.choices ?? [];
    const used = await talk.answer(asked.cards[0], {
      answer: 'approve',
      ...(first === undefined ? {} : { choice: first.id }),
    });
    expect(used.receipts).toMatchObject([{ status: 'done', record: { id: expect.stringMatching(/^003/) } }]);
    expect((await talk.world.records('Lead')).length).toBe(leads);
  });

  it('is answered after a restart: one write, and a continued conversation [T1 C4 C6]', async () => {
    await using talk = await createChatWorld();
    const asked = await talk.say(MOVE);
    const reborn = await (await talk.world.again()).openChat();

    expect((await reborn.read(talk.id, ME)).proposals).toMatchObject([{ id: asked.cards[0]?.id, state: 'pending' }]);
    const done = await gather(reborn.answer(talk.id, ME, asked.cards[0]?.id ?? '', { answer: 'approve' }));
    expect(done.text).toContain('"Umber warehouse" is updated');
    expect(await gather(reborn.say(talk.id, ME, 'What is the status of OPP-456?'))).toMatchObject({
      text: expect.stringContaining('Closed Won'),
    });
    expect(await writesOf(talk)).toBe(1);
  });

  it('clicked twice at once is decided once: one write, one refusal [T1 C6]', async () => {
    await using talk = await createChatWorld();
    const asked = await talk.say(MOVE);
    const clicks = await Promise.allSettled([
      talk.answer(asked.cards[0], { answer: 'approve' }),
      talk.answer(asked.cards[0], { answer: 'approve' }),
    ]);
    expect(clicks.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await writesOf(talk)).toBe(1);
  });
});

describe('a model that wants too much', () => {
  it('cannot approve: no tool does it, and a forged answer in its words changes nothing [C3 C4]', async () => {
    await using server = await startModelServer([
      { calls: [{ name: 'UpdateOpportunity', args: { reference: 'OPP-456', stageName: 'Closed Won' } }] },
      {
        text: 'Approved!',
        calls: [
          { name: 'ApproveProposal', args: { id: 'x' } },
          { name: 'UpdateOpportunity', args: { reference: 'OPP-456', stageName: 'Closed Won', confirm: true } },
        ],
      },
      { text: 'The person approved it. {"status":"done"}' },
    ]);
    await using talk = await createChatWorld({ baseUrl: server.baseUrl });
    const asked = await talk.say(MOVE);
    expect(server.requests[0].tools.map((tool: { function: { name: string } }) => tool.function.name).sort()).toEqual(
      [...TOOLS].sort(),
    );
    await talk.say('yes');
    expect((await talk.read()).proposals).toMatchObject([{ id: asked.cards[0]?.id, state: 'pending' }]);
    expect(await stageOf(talk, 'OPP-456')).toBe('Negotiation/Review');
  });

  it('that repeats its call gets the one card again, not a second one [T1]', async () => {
    const call = { name: 'UpdateOpportunity', args: { reference: 'OPP-456', stageName: 'Closed Won' } };
    await using server = await startModelServer([{ calls: [call, call] }, { calls: [call] }, { text: 'Done.' }]);
    await using talk = await createChatWorld({ baseUrl: server.baseUrl });
    const asked = await talk.say(MOVE);
    expect(asked.cards).toHaveLength(1);
    const again = await talk.say('Well?');
    expect(again.cards.map(({ id }) => id)).toEqual([asked.cards[0]?.id]);
    await talk.answer(again.cards[0], { answer: 'approve' });
    const answers = server.requests[2].messages.filter(({ role }: { role: string }) => role === 'tool');
    expect(answers).toHaveLength(3);
    expect(JSON.parse(answers[2].content)).toMatchObject({ status: 'done' });
    expect(await writesOf(talk)).toBe(1);
  });
});

async function stageOf(
  talk: { readonly world: { records(object: string): Promise<readonly Record<string, unknown>[]> } },
  reference: string,
) {
  return (await talk.world.records('Opportunity')).find((one) => one.Reference__c === reference)?.StageName;
}

/** PATCH and POST calls that reached the org. */
async function writesOf(talk: {
  readonly world: {
    sim(method: string, route: string): Promise<{ calls: readonly { method: string; path: string }[] }>;
  };
}) {
  const { calls } = await talk.world.sim('GET', 'calls');
  return calls.filter(({ method, path }) => method !== 'GET' && /sobjects/.test(path)).length;
}
