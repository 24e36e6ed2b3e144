import { setTimeout as delay } from 'node:timers/promises';
import { McpError } from '@modelcontextprotocol/sdk/types.js';
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
  return door.world.app.approvals.list({ bot: door.world.bot, pending: true });
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
    const [row] = await door.world.app.approvals.list({ bot: door.world.bot });
    expect(row).toMatchObject({ decidedVia: 'elicitation', decidedBy: 'mcp client of demo', state: 'done' });
  });

  it.each([
    ['the form is declined', { action: 'decline' } as const],
    ['decline is picked in the form', { action: 'accept', content: { decision: 'decline' } } as const],
  ])('writes nothing and ends the proposal when %s, and claims no person for it [C5] [M3]', async (_, reply) => {
    await using door = await openDoor();
    const client = await door.connect(kind, { person: () => reply });

    const { structuredContent, isError } = await client.call('UpdateOpportunity', MOVE);

    expect(structuredContent.status).toBe('declined');
    // A client said so; whether a person did is not known.
    expect(structuredContent.next).not.toMatch(/person/i);
    expect(isError).toBeFalsy();
    expect((await opportunity(door)).NextStep).not.toBe('Send the contract');
    expect(await pending(door)).toEqual([]);
  });

  it('leaves a decline to a signed-in person where policy says that its clients decline by themselves [M3]', async () => {
    await using door = await openDoor({
      policy: (policy) => ({
        ...policy,
        actions: {
          ...policy.actions,
          UpdateOpportunity: { ...(policy.actions.UpdateOpportunity ?? expect.fail()), clientDecline: 'waits' },
        },
      }),
    });
    const client = await door.connect(kind, { person: () => ({ action: 'decline' }) });

    const { structuredContent, content } = await client.call('UpdateOpportunity', MOVE);

    expect(structuredContent).toMatchObject({ status: 'declined', proposal: { declinedInClient: true } });
    expect(structuredContent.next).toMatch(/^The client declined it\. Nothing was written\./);
    expect(JSON.parse(content[0].text)).toEqual(structuredContent);
    // The same call again neither asks the client once more nor overrides anything.
    expect((await client.call('UpdateOpportunity', MOVE)).structuredContent.status).toBe('declined');
    expect(client.questions).toHaveLength(1);
    await door.world.approve(structuredContent.proposal.id);
    expect((await opportunity(door)).NextStep).toBe('Send the contract');
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
    // Clients hand the model the first block, or the data: each says all of it [M4].
    expect(content).toEqual([{ type: 'text', text: JSON.stringify(structuredContent) }]);
    expect(structuredContent.next).toContain('Nothing was written');
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

describe('a client that cannot be asked although it says so', () => {
  it.each([
    ['knows no such request', new McpError(-32601, 'Method not found')],
    ['fails over the form', new Error('no window')],
  ])('gets the link and the id at once, as one without forms, when it %s [M20]', async (_, thrown) => {
    await using door = await openDoor();
    const client = await door.connect('classic', {
      person: () => {
        throw thrown;
      },
    });

    const { structuredContent, content } = await client.call('UpdateOpportunity', MOVE);

    expect(structuredContent).toMatchObject({ status: 'waiting', proposal: { state: 'pending' } });
    expect(structuredContent.proposal.link).toContain(structuredContent.proposal.id);
    expect(content[0].text).not.toMatch(/form|person closed/);
    expect(structuredContent.next).toContain('link');
  });

  it('is asked on the stream of its call: a gateway that refuses every other one is in nobody’s way [M1]', async () => {
    await using door = await openDoor();
    const refusing: typeof fetch = async (input, init) =>
      init?.method === 'GET' ? new Response(null, { status: 405 }) : fetch(input, init);
    const client = await door.connect('classic', { person: yes, fetch: refusing });

    expect((await client.call('UpdateOpportunity', MOVE)).structuredContent.status).toBe('done');
    expect(client.questions).toHaveLength(1);
  });

  /** The first round of a genuine 2026-era client, to be sent again as one sends it that drops what it does not know. */
  async function firstRound(door: Door) {
    let round: { headers: Headers; body: Body } | undefined;
    const tap: typeof fetch = (input, init) => {
      const body = JSON.parse(String(init?.body ?? '{}')) as Body;
      if (body.method === 'tools/call') {
        round ??= { headers: new Headers(init?.headers), body };
        return Promise.reject(new Error('taken off the wire'));
      }
      return fetch(input, init);
    };
    const client = await door.connect('modern', { person: yes, fetch: tap });
    await expect(client.call('UpdateOpportunity', MOVE)).rejects.toThrow();
    const { headers, body } = round ?? expect.fail('nothing was sent');
    return async (more: Record<string, unknown> = {}) => {
      const params = { ...body.params, ...more };
      const answer = await fetch(door.url, { method: 'POST', headers, body: JSON.stringify({ ...body, params }) });
      // biome-ignore lint/suspicious/noExplicitAny: what a tool answers is for the test to say
      const { result } = (await answer.json()) as any;
      return result;
    };
  }

  interface Body {
    readonly method: string;
    readonly params: Record<string, unknown>;
  }

  it('gets link and id from its second identical call on, and beside the form of the first [M2]', async () => {
    await using door = await openDoor();
    const send = await firstRound(door);

    const first = await send();
    const again = [await send(), await send()];

    expect(first.resultType).toBe('input_required');
    const [row] = await pending(door);
    for (const answer of [first, ...again]) {
      expect(answer.structuredContent).toMatchObject({ status: 'waiting', proposal: { id: row?.id } });
      expect(JSON.parse(answer.content[0].text)).toEqual(answer.structuredContent);
      expect(answer.structuredContent.proposal.link).toContain(row?.id);
    }
    for (const answer of again) expect(answer.inputRequests).toBeUndefined();
    expect(await pending(door)).toHaveLength(1);
  });

  it('is not asked again once it came back without an answer; one that answered is [M2]', async () => {
    await using door = await openDoor();
    const send = await firstRound(door);
    const { requestState } = await send();
    const none = await send({ requestState, inputResponses: {} });
    expect(none.structuredContent.status).toBe('waiting');
    expect((await send()).resultType).not.toBe('input_required');

    // A person closed the form: the next identical call may ask again.
    await send({ requestState, inputResponses: { approve: { action: 'cancel' } } });
    const asked = await send();
    expect(asked.resultType).toBe('input_required');
    const done = await send({
      requestState: asked.requestState,
      inputResponses: { approve: { action: 'accept', content: { decision: 'approve' } } },
    });
    expect(done.structuredContent.status).toBe('done');
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
    const [row] = await elsewhere.approvals.list({ pending: true });

    await elsewhere.approvals.decide(row?.id ?? '', {
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
    expect(content[0].text).toContain('Nobody has decided yet.');
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
    expect(waiting.content[0].text).toContain('GetProposal');
    expect((await opportunity(door)).NextStep).not.toBe('Send the contract');
    const look = client.call('GetProposal', { id: proposal.id, waitSeconds: 20 });
    await door.world.approve(proposal.id);
    expect((await look).structuredContent.status).toBe('done');
    expect((await opportunity(door)).NextStep).toBe('Send the contract');
  });
});

describe('a caller whose key ends while it waits', () => {
  const QUERY = { soql: 'SELECT Id, Name FROM Account ORDER BY Name LIMIT 5' };

  it('is told nothing of what is approved after that, by an open call as little as by the next one [K8] [X8]', async () => {
    await using door = await openDoor();
    const { app, bot } = door.world;
    const client = await door.connect('classic', {
      // Approved elsewhere while the form is open, and by then the key is gone.
      person: async (_, signal) => {
        await app.access.revokeKeys('agent', bot);
        const [waiting] = await pending(door);
        await door.world.approve(waiting?.id ?? expect.fail('nothing waits'));
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return yes();
      },
    });

    const answer = await client.call('RunSOQL', QUERY);

    expect(answer.isError).toBe(true);
    expect(JSON.parse(answer.content[0].text)).toMatchObject({ error: { code: 'unauthenticated' } });
    expect(JSON.stringify(answer)).not.toContain('Acme Industries');
    expect((await app.approvals.list({ bot }))[0]).toMatchObject({ action: 'RunSOQL', state: 'done' });
  });

  it('is told nothing by a door that waits for a decision [K8]', async () => {
    await using door = await openDoor();
    const { app, bot } = door.world;
    const { host, origin } = new URL(door.url);
    const headers = { host, authorization: `Bearer ${door.key}`, 'content-type': 'application/json' };
    const asked = await door.world.call('RunSOQL', QUERY, { principal: (await app.access.agent(door.key)).principal });
    const id = asked.proposal?.id ?? expect.fail('it waits for a person');
    const waits = [
      fetch(`${origin}/api/proposals/${id}?waitSeconds=25`, { headers }),
      fetch(`${origin}/api/bots/${bot}/actions/GetProposal`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ id, waitSeconds: 25 }),
      }),
    ];
    // Both are waiting: they were let in, and nothing is decided.
    await delay(500);

    await app.access.revokeKeys('agent', bot);
    await door.world.approve(id);

    for (const response of await Promise.all(waits)) {
      expect(response.status).toBe(401);
      expect(await response.text()).not.toContain('Acme Industries');
    }
  });
});
