import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Door, KINDS, openDoor, type Question, type Reply } from './door.ts';

const MOVE = { reference: 'OPP-123', nextStep: 'Send the contract' };
const CLOSE = { reference: 'OPP-123', stageName: 'Closed Won' };
const AMOUNT = { reference: 'OPP-123', amount: 90_000 };

const yes = (): Reply => ({ action: 'accept', content: { decision: 'approve' } });

async function opportunity(door: Door) {
  const found = (await door.world.records('Opportunity')).find((one) => one.Reference__c === 'OPP-123');
  return found ?? expect.fail('the seed has OPP-123');
}

async function pending(door: Door) {
  return door.world.app.gate.proposals({ bot: door.world.bot, pending: true });
}

describe.each(KINDS)('a %s client with elicitation', (kind) => {
  it('shows the exact change and runs it once the person picks approve [C2] [C4]', async () => {
    await using door = await openDoor();
    const client = await door.connect(kind, { person: yes });

    const { structuredContent, content } = await client.call('UpdateOpportunity', MOVE);

    expect(structuredContent).toMatchObject({ status: 'done', result: { name: 'Acme sensor rollout' } });
    expect(JSON.parse(content[0].text)).toEqual(structuredContent);
    expect((await opportunity(door)).NextStep).toBe('Send the contract');
    const [question] = client.questions;
    expect(question?.message).toContain('Acme sensor rollout');
    expect(question?.message).toMatch(/\(NextStep\): .+ -> "Send the contract"/);
    expect(question?.message).toContain('Time left: 60 minutes.');
    expect(question?.requestedSchema.required).toEqual(['decision']);
    expect(question?.requestedSchema.properties.decision?.enum).toEqual(['approve', 'decline']);
    const [row] = await door.world.app.gate.proposals({ bot: door.world.bot });
    expect(row).toMatchObject({ decidedVia: 'elicitation', decidedBy: 'mcp client of demo', state: 'done' });
  });

  it.each([
    ['the form is declined', { action: 'decline' } as const],
    ['decline is picked in the form', { action: 'accept', content: { decision: 'decline' } } as const],
  ])('writes nothing and ends the proposal when %s [C5]', async (_, reply) => {
    await using door = await openDoor();
    const client = await door.connect(kind, { person: () => reply });

    const { structuredContent, isError } = await client.call('UpdateOpportunity', MOVE);

    expect(structuredContent.status).toBe('declined');
    expect(isError).toBeFalsy();
    expect((await opportunity(door)).NextStep).not.toBe('Send the contract');
    expect(await pending(door)).toEqual([]);
  });

  it.each([
    ['is cancelled', { action: 'cancel' } as const],
    ['is accepted without content', { action: 'accept' } as const],
    ['is accepted with an empty form', { action: 'accept', content: {} } as const],
    ['comes back with a decision that was not offered', { action: 'accept', content: { decision: 'yes' } } as const],
    ['comes back with more than was asked', { action: 'accept', content: { decision: 'approve', also: 'x' } } as const],
  ])('writes nothing and leaves the proposal to other approvers when the form %s [C3] [C5]', async (_, reply) => {
    await using door = await openDoor();
    const client = await door.connect(kind, { person: () => reply });

    const { structuredContent, content } = await client.call('UpdateOpportunity', MOVE);

    expect(structuredContent).toMatchObject({ status: 'waiting', proposal: { state: 'pending' } });
    expect(content[1].text).toContain('Nothing was written');
    expect((await opportunity(door)).NextStep).not.toBe('Send the contract');
    expect(await pending(door)).toHaveLength(1);
    await door.world.approve(structuredContent.proposal.id);
    expect((await opportunity(door)).NextStep).toBe('Send the contract');
  });

  it('takes no default for a decision from a client that fills in defaults [C3]', async () => {
    await using door = await openDoor();
    const client = await door.connect(kind, { person: () => ({ action: 'accept', content: {} }), applyDefaults: true });

    const { structuredContent } = await client.call('UpdateOpportunity', MOVE);

    expect(structuredContent.status).toBe('waiting');
    expect(JSON.stringify(client.questions)).not.toContain('default');
  });

  it.each([
    ['a closed stage', CLOSE, 'acme sensor  rollout', 'Acme', { StageName: 'Closed Won' }],
    ['another amount', AMOUNT, '90,000', '9000', { Amount: 90_000 }],
  ])('wants the person to type what %s is about, not only a click [C4]', async (_, args, right, wrong, end) => {
    await using door = await openDoor();
    const replies: Reply[] = [
      { action: 'accept', content: { decision: 'approve' } },
      { action: 'accept', content: { decision: 'approve', confirm: wrong } },
      { action: 'accept', content: { decision: 'approve', confirm: right } },
    ];
    const client = await door.connect(kind, { person: () => replies.shift() ?? expect.fail('asked too often') });

    expect((await client.call('UpdateOpportunity', args)).structuredContent.status).toBe('waiting');
    expect((await client.call('UpdateOpportunity', args)).structuredContent.status).toBe('waiting');
    expect(await opportunity(door)).not.toMatchObject(end);
    expect((await client.call('UpdateOpportunity', args)).structuredContent.status).toBe('done');
    expect(await opportunity(door)).toMatchObject(end);
    expect(client.questions[0]?.requestedSchema.required).toEqual(['decision', 'confirm']);
  });

  it('never asks at the client what needs a signed-in approver, and hands out the link [C4]', async () => {
    await using door = await openDoor({ audience: 'public' });
    const client = await door.connect(kind, { person: yes });

    const { structuredContent } = await client.call('UpdateOpportunity', MOVE);

    expect(structuredContent).toMatchObject({ status: 'waiting', proposal: { assurance: 'session' } });
    expect(structuredContent.proposal.link).toContain(structuredContent.proposal.id);
    expect(client.questions).toEqual([]);
  });

  it('offers the choices of a look-alike in place of a plain yes', async () => {
    await using door = await openDoor();
    const lead = { lastName: 'Okafor', company: 'Globex', email: 'lena@look-alike.example' };
    await door.world.call('CreateLead', lead);
    let asked: readonly string[] = [];
    const person = ({ requestedSchema }: Question): Reply => {
      asked = requestedSchema.properties.decision?.enum ?? [];
      return { action: 'accept', content: { decision: asked[0] ?? '' } };
    };
    const client = await door.connect(kind, { person });
    const before = (await door.world.records('Lead')).length;

    const { structuredContent } = await client.call('CreateLead', { ...lead, company: 'Globex Ltd' });

    expect(asked.at(-1)).toBe('decline');
    expect(asked).not.toContain('approve');
    expect(structuredContent.status).toBe('done');
    expect(await door.world.records('Lead')).toHaveLength(before);
  });

  it('never decides after the client gave the call up [C5]', async () => {
    await using door = await openDoor();
    const given = new AbortController();
    const client = await door.connect(kind, {
      person: async () => {
        given.abort();
        await delay(300);
        return yes();
      },
    });

    await expect(client.call('UpdateOpportunity', MOVE, { signal: given.signal })).rejects.toThrow();
    await delay(500);

    expect((await opportunity(door)).NextStep).not.toBe('Send the contract');
    expect(await pending(door)).toHaveLength(1);
  });

  it('does not ask again for a look at a proposal', async () => {
    await using door = await openDoor();
    const client = await door.connect(kind, { person: () => ({ action: 'cancel' }) });
    const { proposal } = (await client.call('UpdateOpportunity', MOVE)).structuredContent;

    const { structuredContent } = await client.call('GetProposal', { id: proposal.id });

    expect(structuredContent.status).toBe('waiting');
    expect(client.questions).toHaveLength(1);
  });

  it('answers what became of a proposal that was approved while its form was open', async () => {
    await using door = await openDoor();
    const client = await door.connect(kind, {
      person: async () => {
        const [row] = await pending(door);
        await door.world.approve(row?.id ?? '');
        return { action: 'decline' };
      },
    });

    expect((await client.call('UpdateOpportunity', MOVE)).structuredContent.status).toBe('done');
    expect((await opportunity(door)).NextStep).toBe('Send the contract');
  });
});

describe('a classic client with an open form', () => {
  it('gets its answer within a second of an approval elsewhere, and the form is taken away [C4]', async () => {
    await using door = await openDoor();
    let isTakenAway = false;
    let shown: (() => void) | undefined;
    const open = new Promise<void>((resolve) => {
      shown = resolve;
    });
    const client = await door.connect('classic', {
      person: (_, signal) =>
        new Promise((resolve) => {
          shown?.();
          signal.addEventListener('abort', () => {
            isTakenAway = true;
            resolve({ action: 'cancel' });
          });
        }),
    });
    const called = client.call('UpdateOpportunity', MOVE);
    await open;
    const elsewhere = await door.world.again();
    const [row] = await elsewhere.gate.proposals({ pending: true });

    await elsewhere.gate.decide(row?.id ?? '', {
      answer: 'approve',
      by: 'operator:ada',
      via: 'cli',
      assurance: 'session',
    });
    const approvedAt = performance.now();
    const { structuredContent } = await called;

    expect(structuredContent.status).toBe('done');
    expect(performance.now() - approvedAt).toBeLessThan(1_000);
    await expect.poll(() => isTakenAway).toBe(true);
  });

  it('gets the link before it gives up, and the form is taken away [C5]', async () => {
    await using door = await openDoor({}, { formMs: 200 });
    let isTakenAway = false;
    const client = await door.connect('classic', {
      person: (_, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            isTakenAway = true;
            resolve(yes());
          });
        }),
    });

    const { structuredContent, content } = await client.call('UpdateOpportunity', MOVE);

    expect(structuredContent).toMatchObject({ status: 'waiting', proposal: { state: 'pending' } });
    expect(content[1].text).toContain('Nobody has decided yet.');
    await expect.poll(() => isTakenAway).toBe(true);
    expect((await opportunity(door)).NextStep).not.toBe('Send the contract');
  });

  it('is told that a person is asked only when it wants progress', async () => {
    await using door = await openDoor();
    const client = await door.connect('classic', { person: yes });
    const told: (string | undefined)[] = [];

    await client.call('UpdateOpportunity', MOVE, { onprogress: ({ message }) => told.push(message) });

    expect(told).toEqual(['UpdateOpportunity waits for a person.']);
  });
});

describe.each(KINDS)('a %s client without elicitation', (kind) => {
  it('gets the link at once and sees the approval through GetProposal [C4]', async () => {
    await using door = await openDoor();
    const client = await door.connect(kind);

    const waiting = await client.call('UpdateOpportunity', MOVE);

    const { proposal } = waiting.structuredContent;
    expect(waiting.structuredContent.status).toBe('waiting');
    expect(proposal.link).toMatch(/^http/);
    expect(waiting.content[1].text).toContain('GetProposal');
    expect((await opportunity(door)).NextStep).not.toBe('Send the contract');
    const look = client.call('GetProposal', { id: proposal.id, waitSeconds: 20 });
    await door.world.approve(proposal.id);
    expect((await look).structuredContent.status).toBe('done');
    expect((await opportunity(door)).NextStep).toBe('Send the contract');
  });
});
