import { describe, expect, it } from 'vitest';
import { createOpenAiModel } from '../../src/chat/models/openai-model.ts';
import { createChatWorld, ME } from '../support/chat.ts';
import { delta, type Script, startModelServer } from '../support/model-server.ts';

const READ = { name: 'GetAccount', args: { name: 'Acme Industries' } };

async function open(script: Script) {
  const server = await startModelServer(script);
  const talk = await createChatWorld({ baseUrl: server.baseUrl });
  return {
    ...talk,
    server,
    async [Symbol.asyncDispose]() {
      await talk[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('over the wire of Chat Completions', () => {
  it('streams words, calls an action and tells the model how it went [T1]', async () => {
    await using talk = await open([{ text: 'One moment. ', calls: [READ] }, { text: 'Acme is in Rotterdam.' }]);

    const said = await talk.say('Who is Acme Industries?');

    expect(said.text).toBe('One moment. Acme is in Rotterdam.');
    expect(said.steps).toEqual(['GetAccount']);
    expect(said.reason).toBe('answered');
    expect(said.tokens).toBe(240);
    const [first, second] = talk.server.requests;
    expect(first).toMatchObject({ stream: true, stream_options: { include_usage: true }, max_tokens: 2000 });
    expect(first.messages.map(({ role }: { role: string }) => role)).toEqual(['system', 'user']);
    expect(first.tools.map((tool: { function: { name: string } }) => tool.function.name)).toContain('GetAccount');
    const [asked, answered] = second.messages.slice(-2);
    expect(asked).toMatchObject({ role: 'assistant', content: 'One moment. ' });
    expect(answered.tool_call_id).toBe(asked.tool_calls[0].id);
    expect(JSON.parse(answered.content)).toMatchObject({
      status: 'done',
      result: { account: { BillingCity: 'Rotterdam' } },
    });
  });

  it('takes index 0 for two calls, arguments as an object, no id, finish "stop" and no [DONE] [T1]', async () => {
    const call = (name: string, args: unknown) =>
      delta({ tool_calls: [{ index: 0, function: { name, arguments: args } }] });
    await using talk = await open([
      {
        chunks: [
          call('GetAccount', { name: 'Acme Industries' }),
          call('GetAccount', { name: 'Globex Shipping' }),
          delta({}, 'stop'),
        ],
        noDone: true,
      },
      { chunks: [{ choices: [{ delta: { content: 'Both found.' } }] }], noDone: true },
    ]);

    const said = await talk.say('Who are Acme and Globex?');

    expect(said.steps).toEqual(['GetAccount', 'GetAccount']);
    expect(said.text).toBe('Both found.');
    expect(said.reason).toBe('answered');
    const tools = talk.server.requests[1].messages.filter(({ role }: { role: string }) => role === 'tool');
    expect(tools.map(({ content }: { content: string }) => JSON.parse(content).result.account.Name)).toEqual([
      'Acme Industries',
      'Globex Shipping',
    ]);
  });

  it('takes a server that ignores streaming, and one that knows no stream_options [T1]', async () => {
    await using talk = await open([
      { status: 422, body: { error: { message: 'Extra inputs are not permitted: stream_options' } } },
      {
        json: {
          choices: [{ message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
          usage: { total_tokens: 7 },
        },
      },
      { text: 'Again.' },
    ]);

    const said = await talk.say('Hello');

    expect(said.text).toBe('Hello.');
    expect(said.tokens).toBe(7);
    await talk.say('And again');
    expect(talk.server.requests.map(({ stream_options: options }) => options !== undefined)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('sends arguments that are no JSON back at most twice, then ends [T1]', async () => {
    const broken = { calls: [{ name: 'GetAccount', args: '{"name": "Acme' }] };
    await using talk = await open([broken, broken, broken, { text: 'never asked for' }]);

    const said = await talk.say('Who is Acme?');

    expect(talk.server.requests).toHaveLength(3);
    expect(said.errors).toMatchObject([{ code: 'internal', message: expect.stringContaining('cannot be read') }]);
    expect(said.reason).toBe('failed');
    const last = talk.server.requests[2].messages;
    expect(last.at(-1)).toMatchObject({ role: 'tool' });
    expect(JSON.parse(last.at(-1).content).error).toMatchObject({ code: 'invalid_input' });
    // What goes back on the wire is JSON again: strict servers refuse a history that is not.
    expect(last.at(-2).tool_calls[0].function.arguments).toBe('{}');
  });

  it('recovers when the second try is readable, and takes null for "not given" [T1]', async () => {
    await using talk = await open([
      { calls: [{ name: 'GetAccount', args: 'Acme' }] },
      { calls: [{ name: 'GetAccount', args: { name: 'Acme Industries', id: null, key: null } }] },
      { text: 'Found.' },
    ]);

    expect(await talk.say('Who is Acme?')).toMatchObject({ text: 'Found.', reason: 'answered' });
  });

  it('gives every call exactly one answer, one for an action that is not there or not granted too [T1 P2]', async () => {
    await using talk = await open([
      { calls: [READ, { name: 'DeleteEverything', args: {} }, { name: 'CreateLead', args: { lastName: 'Doe' } }] },
      { text: 'Some of it failed.' },
    ]);
    await talk.world.app.store.bots.revoke(talk.world.bot, 'CREATE_LEAD');

    await talk.say('Do things');

    const { messages } = talk.server.requests[1];
    const asked = messages.at(-4).tool_calls.map(({ id }: { id: string }) => id);
    const answers = messages.slice(-3);
    expect(answers.map((answer: { tool_call_id: string }) => answer.tool_call_id)).toEqual(asked);
    expect(answers.map(({ content }: { content: string }) => JSON.parse(content).error?.code)).toEqual([
      undefined,
      'not_found',
      'permission_denied',
    ]);
    expect((await talk.world.records('Lead')).filter(({ LastName }) => LastName === 'Doe')).toEqual([]);
  });

  it('ends a model that never stops calling, by rounds and by tokens [T1]', async () => {
    await using rounds = await open(() => ({ calls: [READ] }));
    const long = await rounds.say('Loop');
    expect(long.errors).toMatchObject([{ code: 'limit_reached' }]);
    expect(rounds.server.requests).toHaveLength(10);

    await using tokens = await open(() => ({
      chunks: [
        delta({
          tool_calls: [
            {
              index: 0,
              id: `c${Math.random()}`,
              function: { name: 'GetAccount', arguments: '{"name":"Acme Industries"}' },
            },
          ],
        }),
        { choices: [], usage: { total_tokens: 100_000 } },
      ],
    }));
    const dear = await tokens.say('Loop');
    expect(dear.errors).toMatchObject([{ code: 'limit_reached' }]);
    expect(tokens.server.requests).toHaveLength(2);
  });

  it('listens to no answer without an end, be it words, thoughts or arguments, and keeps little of it [T1]', async () => {
    const long = 'x'.repeat(1_000);
    const args = { tool_calls: [{ index: 0, function: { name: 'GetAccount', arguments: long } }] };
    for (const piece of [{ content: long }, { reasoning_content: long }, args]) {
      await using talk = await open([{ chunks: Array.from({ length: 2_000 }, () => delta(piece)) }, { text: 'Yes?' }]);
      expect(await talk.say('Hello')).toMatchObject({ reason: 'failed', errors: [{ code: 'limit_reached' }] });
      expect(JSON.stringify(await talk.read()).length).toBeLessThan(250_000);
      expect(await talk.say('Hello?')).toMatchObject({ text: 'Yes?', reason: 'answered' });
    }
  });

  it('stops when the person stops it, keeps what was said, and goes on with the next message [T1]', async () => {
    await using talk = await open([{ stall: 'Once upon a ' }, { text: 'Yes?' }]);
    const stop = new AbortController();
    const events: string[] = [];
    for await (const event of talk.chat.say(talk.id, ME, 'Tell me a story', stop.signal)) {
      if (event.type === 'text') stop.abort();
      events.push(event.type === 'done' ? `done:${event.reason}` : event.type);
    }

    expect(events).toEqual(['text', 'done:stopped']);
    expect((await talk.read()).entries.map((entry) => ('text' in entry ? entry.text : entry.kind))).toEqual([
      'Tell me a story',
      'Once upon a ',
    ]);
    expect(await talk.say('Hello?')).toMatchObject({ text: 'Yes?', reason: 'answered' });
  });

  it('says in our words when the endpoint refuses, is busy or breaks, and never what it said itself [T1]', async () => {
    const secret = 'Incorrect API key provided: sk-secret';
    for (const [status, code] of [
      [401, 'config_invalid'],
      [429, 'rate_limited'],
      [500, 'internal'],
    ] as const) {
      await using server = await startModelServer(() => ({ status, body: { error: { message: secret } } }));
      const model = createOpenAiModel({ model: 'x', apiKey: 'k', baseUrl: server.baseUrl, maxRetries: 0 });
      const request = { messages: [], tools: [], maxTokens: 1, signal: new AbortController().signal };
      const failure = await (async () => {
        for await (const _ of model.complete(request)) throw new Error('it answered');
      })().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code, message: expect.not.stringContaining('sk-secret') });
    }
  });

  it('keeps the half of an answer that came before the stream broke, and tries again when asked [T1]', async () => {
    await using talk = await open([
      { chunks: [delta({ content: 'Half' }), { error: { message: 'overloaded' } }] },
      { text: 'Whole.' },
    ]);
    const broken = await talk.say('Hello');
    expect(broken).toMatchObject({ text: 'Half', reason: 'failed', errors: [{ code: 'rate_limited' }] });
    expect(await talk.say('Again')).toMatchObject({ text: 'Whole.', reason: 'answered' });
  });

  it('takes an answer of nothing for an error, not for an answer', async () => {
    await using talk = await open([{ text: '' }]);
    expect(await talk.say('Hello')).toMatchObject({ reason: 'failed', errors: [{ code: 'internal' }] });
  });
});

describe('an endpoint that repeats the request in its refusal', () => {
  it('does not bring the key or the talk into the log [X4]', async () => {
    const apiKey = 'sk-local-777';
    const echo: typeof fetch = async (_, init) =>
      Response.json({ error: { message: `Bad key ${apiKey} for ${String(init?.body)}` } }, { status: 400 });
    const model = createOpenAiModel({ model: 'm', apiKey, fetch: echo });
    const user = { role: 'user', text: 'I am Ada Byron,\nmail "ada@byron.example"' } as const;
    const call = { id: 'a', name: 'GetAccount', args: '{"name":"Byron Ltd"}' };
    const assistant = { role: 'assistant', text: 'Lovelace it is.', calls: [call] } as const;
    const { signal } = new AbortController();
    const request = { messages: [user, assistant], tools: [], maxTokens: 9, signal };
    const refused: unknown = await (async () => {
      for await (const _ of model.complete(request)) void _;
    })().catch((thrown: unknown) => thrown);
    const { message, stack } = (refused as { cause: Error }).cause;
    expect(message).toMatch(/^400 .*Bad key/);
    expect(`${message} ${stack}`).not.toMatch(/sk-local|Ada|byron|Lovelace/i);
  });
});
