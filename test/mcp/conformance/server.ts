import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  type InputRequiredSpec,
  inputRequired,
  inputResponse,
  LOG_LEVEL_META_KEY,
  McpServer,
  ResourceTemplate,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Era } from '../../../src/mcp/call.ts';

/**
 * The tools, prompts and resources that the official conformance suite asks for by name. None of them is ours: they are
 * served through our mount, guards and sessions, so what is measured is that stack.
 */

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SILENCE = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=';

const rounds = createRequestStateCodec<{ readonly step: number }>({ key: 'k'.repeat(32), ttlSeconds: 600 });

const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });
const image = { type: 'image' as const, data: PIXEL, mimeType: 'image/png' };
const none = z.object({});

export function createConformanceServer(era: Era): Server {
  const mcp = new McpServer(
    { name: 'gatehouse-conformance', version: '1.0.0' },
    {
      capabilities: {
        tools: {},
        prompts: {},
        completions: {},
        // Subscriptions and logging by level belong to the older era; in the newer one they are asked for per request.
        ...(era === 'legacy' ? { resources: { subscribe: true }, logging: {} } : { resources: {} }),
      },
      requestState: { verify: rounds.verify },
    },
  );
  addContent(mcp);
  addQuestions(mcp);
  addRounds(mcp);
  addResources(mcp);
  addPrompts(mcp);
  mcp.server.setRequestHandler('completion/complete', () => ({ completion: { values: [], total: 0, hasMore: false } }));
  if (era === 'legacy') {
    mcp.server.setRequestHandler('logging/setLevel', () => ({}));
    mcp.server.setRequestHandler('resources/subscribe', () => ({}));
    mcp.server.setRequestHandler('resources/unsubscribe', () => ({}));
  }
  return mcp.server;
}

function addContent(mcp: McpServer): void {
  const embedded = {
    type: 'resource' as const,
    resource: { uri: 'test://embedded', mimeType: 'text/plain', text: 'Embedded.' },
  };
  mcp.registerTool('test_simple_text', { description: 'One text' }, () =>
    text('This is a simple text response for testing.'),
  );
  mcp.registerTool('test_image_content', { description: 'One image' }, () => ({ content: [image] }));
  mcp.registerTool('test_audio_content', { description: 'One sound' }, () => ({
    content: [{ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }],
  }));
  mcp.registerTool('test_embedded_resource', { description: 'One resource' }, () => ({ content: [embedded] }));
  mcp.registerTool('test_multiple_content_types', { description: 'Three kinds' }, () => ({
    content: [{ type: 'text', text: 'Three kinds:' }, image, embedded],
  }));
  mcp.registerTool('test_error_handling', { description: 'Fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  mcp.registerTool('test_tool_with_progress', { description: 'Tells progress', inputSchema: none }, async (_, ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100])
      await ctx.mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken: progressToken ?? 0, progress, total: 100 },
      });
    return text('Done.');
  });
  mcp.registerTool('test_tool_with_logging', { description: 'Logs', inputSchema: none }, (_, ctx) => logged(ctx));
  mcp.registerTool('test_logging_tool', { description: 'Logs if asked to', inputSchema: none }, (_, ctx) =>
    (ctx.mcpReq.envelope as Record<string, unknown> | undefined)?.[LOG_LEVEL_META_KEY] === undefined
      ? text('Nothing was to be logged.')
      : logged(ctx),
  );
}

async function logged(ctx: ServerContext) {
  for (const data of ['started', 'working', 'completed'])
    await ctx.mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
  return text('Logged.');
}

const form = (message: string, properties: Record<string, object>, required: string[] = []) => ({
  mode: 'form' as const,
  message,
  // Forms of the suite's own making.
  requestedSchema: { type: 'object' as const, properties: properties as never, required },
});

/** Server to client in the older era: sampling and forms on the stream of the call. */
function addQuestions(mcp: McpServer): void {
  const elicit = async (ctx: ServerContext, params: ReturnType<typeof form>) => {
    const { action, content } = await ctx.mcpReq.send({ method: 'elicitation/create', params });
    return text(`action=${action}, content=${JSON.stringify(content ?? {})}`);
  };
  mcp.registerTool(
    'test_sampling',
    { description: 'Asks the model', inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, ctx) => {
      const said = await ctx.mcpReq.send({
        method: 'sampling/createMessage',
        params: { messages: [{ role: 'user', content: { type: 'text', text: prompt } }], maxTokens: 100 },
      });
      return text(`LLM response: ${JSON.stringify(said.content)}`);
    },
  );
  mcp.registerTool(
    'test_elicitation',
    { description: 'Asks the person', inputSchema: z.object({ message: z.string() }) },
    ({ message }, ctx) =>
      elicit(
        ctx,
        form(message, { username: { type: 'string' }, email: { type: 'string', format: 'email' } }, [
          'username',
          'email',
        ]),
      ),
  );
  mcp.registerTool('test_elicitation_sep1034_defaults', { description: 'Defaults', inputSchema: none }, (_, ctx) =>
    elicit(
      ctx,
      form('Review the defaults', {
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
      }),
    ),
  );
  const titled = ['value1', 'value2', 'value3'].map((value, n) => ({ const: value, title: `Option ${n + 1}` }));
  mcp.registerTool('test_elicitation_sep1330_enums', { description: 'Choices', inputSchema: none }, (_, ctx) =>
    elicit(
      ctx,
      form('Choose', {
        untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
        titledSingle: { type: 'string', oneOf: titled },
        legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
        untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
        titledMulti: { type: 'array', items: { anyOf: titled } },
      }),
    ),
  );
}

const NAME = form('What is your name?', { name: { type: 'string' } }, ['name']);
const COLOUR = form('Step 2: What is your favorite color?', { color: { type: 'string' } }, ['color']);
const CONFIRM = form('Please confirm', { ok: { type: 'boolean' } }, ['ok']);
const sampling = (question: string) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: question } }],
    maxTokens: 100,
  });

/** The rounds of the newer era. */
function addRounds(mcp: McpServer): void {
  const round = (
    name: string,
    run: (ctx: ServerContext) => Promise<ReturnType<typeof text> | ReturnType<typeof inputRequired>>,
  ) =>
    mcp.registerTool(
      `test_input_required_result_${name}`,
      { description: 'Asks in rounds', inputSchema: none },
      (_, ctx) => run(ctx),
    );
  const answer = (ctx: ServerContext, key: string) => inputResponse(ctx.mcpReq.inputResponses, key);
  const ask = (inputRequests: InputRequiredSpec['inputRequests'], requestState?: string) =>
    inputRequired({ inputRequests: inputRequests ?? {}, ...(requestState === undefined ? {} : { requestState }) });

  round('elicitation', async (ctx) => {
    const given = await acceptedContent(ctx.mcpReq.inputResponses, 'user_name', z.object({ name: z.string() }));
    return given === undefined ? ask({ user_name: inputRequired.elicit(NAME) }) : text(`Hello, ${given.name}!`);
  });
  round('sampling', async (ctx) => {
    const said = answer(ctx, 'capital_question');
    return said.kind === 'missing'
      ? ask({ capital_question: sampling('What is the capital of France?') })
      : text(JSON.stringify(said));
  });
  round('list_roots', async (ctx) => {
    const roots = answer(ctx, 'client_roots');
    return roots.kind === 'missing' ? ask({ client_roots: inputRequired.listRoots() }) : text(JSON.stringify(roots));
  });
  for (const name of ['request_state', 'tampered_state'])
    round(name, async (ctx) =>
      ctx.mcpReq.requestState<{ step: number }>() === undefined || answer(ctx, 'confirm').kind === 'missing'
        ? ask({ confirm: inputRequired.elicit(CONFIRM) }, await rounds.mint({ step: 1 }, ctx))
        : text('state-ok'),
    );
  round('multiple_inputs', async (ctx) => {
    const wanted = {
      user_name: inputRequired.elicit(NAME),
      greeting: sampling('Generate a greeting'),
      client_roots: inputRequired.listRoots(),
    };
    const isAnswered = Object.keys(wanted).every((key) => answer(ctx, key).kind !== 'missing');
    return isAnswered ? text('All three are here.') : ask(wanted, await rounds.mint({ step: 1 }, ctx));
  });
  round('multi_round', async (ctx) => {
    const step = ctx.mcpReq.requestState<{ step: number }>()?.step ?? 0;
    if (step === 0) return ask({ step1: inputRequired.elicit(NAME) }, await rounds.mint({ step: 1 }, ctx));
    if (step === 1) return ask({ step2: inputRequired.elicit(COLOUR) }, await rounds.mint({ step: 2 }, ctx));
    return text('Both steps are done.');
  });
  round('capabilities', async (ctx) => {
    const envelope = ctx.mcpReq.envelope as Record<string, unknown> | undefined;
    const declared = (envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {}) as Record<string, unknown>;
    return ask({
      ...(declared.sampling === undefined ? {} : { question: sampling('Which?') }),
      ...(declared.elicitation === undefined ? {} : { user_name: inputRequired.elicit(NAME) }),
    });
  });
  mcp.registerTool('test_missing_capability', { description: 'Needs sampling', inputSchema: none }, async (_, ctx) =>
    answer(ctx, 'question').kind === 'missing' ? ask({ question: sampling('Which?') }) : text('Asked.'),
  );
  mcp.registerTool('test_streaming_elicitation', { description: 'Asks in a round', inputSchema: none }, async () =>
    ask({ user_name: inputRequired.elicit(NAME) }),
  );
}

function addResources(mcp: McpServer): void {
  const plain = { mimeType: 'text/plain' };
  mcp.registerResource('static-text', 'test://static-text', plain, () => ({
    contents: [{ uri: 'test://static-text', ...plain, text: 'This is the content of the static text resource.' }],
  }));
  mcp.registerResource('static-binary', 'test://static-binary', { mimeType: 'image/png' }, () => ({
    contents: [{ uri: 'test://static-binary', mimeType: 'image/png', blob: PIXEL }],
  }));
  mcp.registerResource('watched', 'test://watched-resource', plain, () => ({
    contents: [{ uri: 'test://watched-resource', ...plain, text: 'Watched.' }],
  }));
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  mcp.registerResource('template', template, { mimeType: 'application/json' }, (uri, { id }) => ({
    contents: [
      { uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ id, data: `Data for ID: ${id}` }) },
    ],
  }));
}

function addPrompts(mcp: McpServer): void {
  const says = (...content: object[]) => ({
    // Content blocks as the suite looks for them.
    messages: content.map((one) => ({ role: 'user' as const, content: one as never })),
  });
  mcp.registerPrompt('test_simple_prompt', { description: 'One text' }, () =>
    says({ type: 'text', text: 'This is a simple prompt for testing.' }),
  );
  mcp.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'Two arguments', argsSchema: z.object({ arg1: z.string(), arg2: z.string() }) },
    ({ arg1, arg2 }) => says({ type: 'text', text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }),
  );
  mcp.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'One resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => says({ type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'Embedded.' } }),
  );
  mcp.registerPrompt('test_prompt_with_image', { description: 'One image' }, () =>
    says(image, { type: 'text', text: 'Please analyze the image.' }),
  );
  mcp.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Asks in a round' },
    async (ctx: ServerContext) => {
      const context = form('What context should the prompt use?', { context: { type: 'string' } }, ['context']);
      return inputResponse(ctx.mcpReq.inputResponses, 'user_context').kind === 'missing'
        ? inputRequired({ inputRequests: { user_context: inputRequired.elicit(context) } })
        : says({ type: 'text', text: 'With context.' });
    },
  );
}
