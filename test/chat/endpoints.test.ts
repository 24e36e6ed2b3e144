import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createAccumulator } from '../../src/chat/models/accumulate.ts';
import { createOpenAiModel, type OpenAiOptions } from '../../src/chat/models/openai-model.ts';
import { GatehouseError } from '../../src/domain/errors.ts';
import type { Delta, ModelMessage } from '../../src/ports/model.ts';
import { delta, type Script, startModelServer } from '../support/model-server.ts';

/** What endpoints of Chat Completions were reported to do, byte for byte where the report had them. */

const HI: readonly ModelMessage[] = [{ role: 'user', text: 'Hi' }];
const OK = { text: 'Hello.' };

async function heard(
  options: Partial<OpenAiOptions> & { readonly baseUrl: string },
  messages: readonly ModelMessage[] = HI,
  signal: AbortSignal = new AbortController().signal,
) {
  const model = createOpenAiModel({ model: 'm', apiKey: 'k', maxRetries: 1, ...options });
  const ask = async (more = messages) => {
    const accumulator = createAccumulator(() => 'abcdefghi');
    const deltas: Delta[] = [];
    let shown = '';
    for await (const piece of model.complete({ messages: more, tools: [], maxTokens: 100, signal })) {
      deltas.push(piece);
      shown += accumulator.add(piece).text;
    }
    return { ...accumulator.completion(), shown, deltas };
  };
  return { ask };
}

async function answered(script: Script, messages?: readonly ModelMessage[]) {
  await using server = await startModelServer(script);
  const { ask } = await heard({ baseUrl: server.baseUrl }, messages);
  return { ...(await ask()), requests: [...server.requests] };
}

/** A server that answers everything with the same bytes. */
async function refusalOf(status: number, body: string, headers: Record<string, string> = {}): Promise<GatehouseError> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const { ask } = await heard({ baseUrl, maxRetries: 0 });
    const error = await ask().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof GatehouseError) return error;
    throw new Error(`expected a refusal, got ${String(error)}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('an endpoint that asks to wait', () => {
  it('is not waited for beyond what a person bears: the time is said instead [N1]', async () => {
    const body = JSON.stringify({ error: { message: 'Rate limit reached' } });
    for (const [wait, ms, words] of [
      ['3600', 3_600_000, 'an hour'],
      ['45', 45_000, '45 seconds'],
      ['86400', 86_400_000, '24 hours'],
    ] as const)
      expect(await refusalOf(429, body, { 'retry-after': wait })).toMatchObject({
        code: 'rate_limited',
        message: expect.stringContaining(words),
        next: expect.stringContaining(words),
        retryAfterMs: ms,
      });
    const odd = { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT', date: 'Wed, 21 Oct 2015 07:08:00 GMT' };
    expect((await refusalOf(429, body, odd)).retryAfterMs).toBe(1_200_000);
    for (const none of ['soon', '-5', '1e9', ''])
      expect((await refusalOf(429, body, { 'retry-after': none })).retryAfterMs).toBe(60_000);
  });

  it('is waited for within bounds, once, and Stop ends the wait at once [N1]', async () => {
    let asked = 0;
    const server = createServer((request, response) => {
      request.resume();
      asked += 1;
      response.writeHead(429, { 'retry-after': asked === 1 ? '0' : '19' }).end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const stop = new AbortController();
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const { ask } = await heard({ baseUrl, maxRetries: 2 }, HI, stop.signal);
    const ended = ask().catch((error: unknown) => error);
    await expect.poll(() => asked).toBe(2);
    stop.abort();
    expect(await ended).toMatchObject({ name: 'AbortError' });
    server.closeAllConnections();
    server.close();
  });
});

describe('what a provider sends beside words and calls', () => {
  const signed = { google: { thought_signature: 'c2ln' } };

  it('goes back as it was, to that provider alone [N2]', async () => {
    await using server = await startModelServer([
      {
        chunks: [
          delta({ role: 'assistant', content: null, extra_content: { a: 1 }, reasoning_details: [{ data: 'x' }] }),
          delta({ reasoning_details: [{ data: 'y' }] }),
          delta({
            tool_calls: [
              {
                index: 0,
                id: 'call_1',
                type: 'function',
                extra_content: signed,
                function: { name: 'GetAccount', arguments: '{}' },
              },
            ],
          }),
          delta({}, 'tool_calls'),
        ],
      },
      OK,
      OK,
    ]);
    const { ask } = await heard({ baseUrl: server.baseUrl });
    const { text, calls, kept } = await ask();
    expect(calls).toEqual([{ id: 'call_1', name: 'GetAccount', args: '{}', extra: { extra_content: signed } }]);
    const history: ModelMessage[] = [
      ...HI,
      { role: 'assistant', text, calls, kept },
      { role: 'tool', call: 'call_1', text: '{}' },
    ];
    await ask(history);
    expect(server.requests[1].messages[1]).toEqual({
      role: 'assistant',
      content: null,
      extra_content: { a: 1 },
      reasoning_details: [{ data: 'x' }, { data: 'y' }],
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'GetAccount', arguments: '{}' }, extra_content: signed },
      ],
    });
    const other = await heard({ baseUrl: server.baseUrl, model: 'another' });
    await other.ask(history);
    expect(server.requests[2].messages[1]).not.toHaveProperty('extra_content');
    expect(server.requests[2].messages[1]).not.toHaveProperty('reasoning_details');
  });

  it('as thoughts in words goes back only to an endpoint that asks for them [N2 N6]', async () => {
    await using server = await startModelServer([
      {
        chunks: [
          delta({ reasoning_content: 'Hm, ' }),
          delta({ reasoning_content: 'well. ' }),
          delta({ content: 'Yes.' }),
        ],
      },
      { status: 400, body: { error: { message: 'Missing `reasoning_content` field in the assistant message' } } },
      OK,
    ]);
    const { ask } = await heard({ baseUrl: server.baseUrl });
    const { text, calls, kept, shown } = await ask();
    expect([text, shown]).toEqual(['Yes.', 'Yes.']);
    await ask([...HI, { role: 'assistant', text, calls, kept }, ...HI]);
    expect(server.requests[1].messages[1]).toEqual({ role: 'assistant', content: 'Yes.' });
    expect(server.requests[2].messages[1]).toEqual({
      role: 'assistant',
      content: 'Yes.',
      reasoning_content: 'Hm, well. ',
    });
  });
});

describe('a parameter that an endpoint refuses', () => {
  const refuse = (message: string, param: string | null = null, code = 'unsupported_parameter') => ({
    status: 400,
    body: { error: { message, param, code } },
  });

  it.each([
    [
      'renamed',
      [refuse("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", 'max_tokens')],
      { max_completion_tokens: 100 },
    ],
    [
      'dropped where both names are refused',
      [refuse('x', 'max_tokens'), refuse('Unrecognized request argument: max_completion_tokens')],
      {},
    ],
    [
      'dropped where the number is the trouble',
      [refuse('max_tokens is too large: 100. It supports at most 50.', null, 'x')],
      {},
    ],
    [
      'found in the words of FastAPI',
      [{ status: 422, body: { detail: [{ loc: ['body', 'max_tokens'], msg: 'Extra inputs are not permitted' }] } }],
      { max_completion_tokens: 100 },
    ],
    [
      'stream_options',
      [refuse('Unknown parameter: stream_options.include_usage', 'stream_options')],
      { max_tokens: 100, stream: true },
    ],
    [
      'stream',
      [refuse('Your organization must be verified to stream this model.', 'stream', 'unsupported_value')],
      { max_tokens: 100, stream: false },
    ],
  ])('is %s, once, and that is remembered [N4]', async (_, refusals, budget) => {
    await using server = await startModelServer([...refusals, OK, OK]);
    const { ask } = await heard({ baseUrl: server.baseUrl });
    expect((await ask()).text).toBe('Hello.');
    expect((await ask()).text).toBe('Hello.');
    expect(server.requests).toHaveLength(refusals.length + 2);
    for (const request of server.requests.slice(-2)) {
      const { max_tokens, max_completion_tokens } = request;
      const given = { max_tokens, max_completion_tokens };
      expect(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))).toEqual(
        Object.fromEntries(Object.entries(budget).filter(([key]) => key.startsWith('max'))),
      );
      if ('stream' in budget) expect(request.stream).toBe(budget.stream);
    }
  });

  it('is not tried for ever [N4]', async () => {
    await using server = await startModelServer(() => refuse('Unsupported parameter: messages', 'messages'));
    const { ask } = await heard({ baseUrl: server.baseUrl });
    await expect(ask()).rejects.toMatchObject({ code: 'config_invalid' });
    expect(server.requests.length).toBeLessThan(7);
  });
});

describe('an answer in another form', () => {
  it.each([
    [
      'parts',
      [
        {
          content: [
            { type: 'text', text: 'Hel' },
            { type: 'text', text: 'lo.' },
          ],
        },
      ],
      'Hello.',
    ],
    ['texts', [{ content: ['Hel', 'lo.'] }], 'Hello.'],
    [
      'a thought and a text',
      [
        { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] },
        { content: [{ type: 'text', text: 'Yes' }] },
      ],
      'Yes',
    ],
    ['nothing that is text', [{ content: { odd: 1 } }, { content: 'Yes' }], 'Yes'],
  ])('of %s is one text [N5]', async (_, pieces, text) => {
    const said = await answered([{ chunks: pieces.map((piece) => delta(piece)) }]);
    expect(said.text).toBe(text);
  });

  it.each([
    ['<think>Hm.</think>\n\nYes.', 'Yes.'],
    ['  <THINK>a <b> c</THINK>Yes.', 'Yes.'],
    ['<think>one</think><think>two</think>Yes.', 'Yes.'],
    ['thoughts without a beginning</think>Yes.', 'Yes.'],
    ['<thinking>Hm</thinking> Yes.', 'Yes.'],
    ['<b>bold</b> and 1 < 2', '<b>bold</b> and 1 < 2'],
    ['The tag <think> opens a thought.', 'The tag <think> opens a thought.'],
    ['<think>never ends', ''],
    ['<thi', '<thi'],
  ])('keeps thoughts apart from the answer, wherever the pieces break: %s [N6]', (whole, said) => {
    for (const size of [1, 2, 3, 7, 1000]) {
      const accumulator = createAccumulator(() => 'x');
      let shown = '';
      for (let at = 0; at < whole.length; at += size)
        shown += accumulator.add({ text: whole.slice(at, at + size) }).text;
      const { text } = accumulator.completion();
      expect([size, text]).toEqual([size, said]);
      if (whole.toLowerCase().startsWith('<think>')) expect(shown).not.toMatch(/hm|one|two|never/i);
    }
  });
});

describe('what an endpoint cannot do', () => {
  const json = (message: string, more: object = {}) => JSON.stringify({ error: { message, ...more } });
  it.each([
    ['a page', 200, '<!DOCTYPE html><html>Sign in</html>', 'config_invalid', /web page/, /OPENAI_BASE_URL/],
    ['a page with 404', 404, '<html><h1>404</h1></html>', 'config_invalid', /web page/, /OPENAI_BASE_URL/],
    ['an error inside 200', 200, json('Something odd'), 'config_invalid', /inside 200/, /log/],
    ['a bare text', 200, 'upstream connect error', 'config_invalid', /did not take/, /OPENAI_BASE_URL/],
    [
      'no tools',
      400,
      json('registry.ollama.ai/library/x does not support tools'),
      'config_invalid',
      /cannot call actions/,
      /OPENAI_MODEL/,
    ],
    [
      'no tools by 404',
      404,
      json('No endpoints found that support tool use'),
      'config_invalid',
      /cannot call actions/,
      /OPENAI_MODEL/,
    ],
    [
      'no auto tools',
      400,
      json('"auto" tool choice requires --enable-auto-tool-choice'),
      'config_invalid',
      /cannot call actions/,
      /OPENAI_MODEL/,
    ],
    [
      'too long',
      400,
      json("This model's maximum context length is 8192 tokens.", { code: 'context_length_exceeded' }),
      'limit_reached',
      /too long/,
      /new chat/,
    ],
    [
      'too long inside 200',
      200,
      json('request (9000 tokens) exceeds the available context size'),
      'limit_reached',
      /too long/,
      /new chat/,
    ],
    ['413', 413, 'Payload Too Large', 'limit_reached', /too long/, /new chat/],
    ['402', 402, json('Insufficient credits'), 'config_invalid', /credit/, /account/],
    [
      'no quota',
      429,
      json('You exceeded your current quota', { code: 'insufficient_quota' }),
      'config_invalid',
      /credit/,
      /account/,
    ],
    [
      'a wrong key',
      401,
      json('Incorrect API key provided: sk-secret'),
      'config_invalid',
      /refused us \(401\)/,
      /OPENAI_API_KEY/,
    ],
    [
      'no such model',
      404,
      json('The model `x` does not exist', { code: 'model_not_found' }),
      'config_invalid',
      /no such model/,
      /OPENAI_MODEL/,
    ],
    ['busy', 503, '<html>busy</html>', 'internal', /did not answer \(503\)/, /minute/],
    ['anything else', 418, '[]', 'config_invalid', /418/, /log/],
  ])('is told with its next step: %s [N8 N9]', async (_, status, body, code, message, next) => {
    const error = await refusalOf(status, body);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message), next: expect.stringMatching(next) });
    expect(error.message + error.next).not.toMatch(/sk-secret|upstream connect/);
    expect(error.cause).toBeDefined();
  });

  it('is told also when it comes in the middle of a stream, or when nobody is there [N8 N9]', async () => {
    await using server = await startModelServer([
      { chunks: [delta({ content: 'Well' }), { error: { message: 'prompt is too long', code: 400 } }] },
    ]);
    const { ask } = await heard({ baseUrl: server.baseUrl });
    await expect(ask()).rejects.toMatchObject({ code: 'limit_reached' });
    const gone = await startModelServer([]);
    await gone[Symbol.asyncDispose]();
    const nobody = await heard({ baseUrl: gone.baseUrl, maxRetries: 0 });
    await expect(nobody.ask()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('cannot be reached (ECONNREFUSED)'),
    });
  });
});

describe('ids of calls', () => {
  it('of another endpoint are told in nine letters and digits where only those are read [N7]', async () => {
    const id = '0123456789abcdef0123456789abcdef';
    await using server = await startModelServer([
      {
        status: 400,
        body: {
          message: `Tool call id was ${id} but must be a-z, A-Z, 0-9, with a length of 9.`,
          type: 'invalid_request_error',
        },
      },
      OK,
    ]);
    const { ask } = await heard({ baseUrl: server.baseUrl });
    await ask([
      ...HI,
      { role: 'assistant', text: '', calls: [{ id, name: 'GetAccount', args: '{}' }] },
      { role: 'tool', call: id, text: '{}' },
    ]);
    const [, asked, told] = server.requests[1].messages;
    expect(asked.tool_calls[0].id).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(told.tool_call_id).toBe(asked.tool_calls[0].id);
  });
});
