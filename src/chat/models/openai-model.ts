import { setTimeout as delay } from 'node:timers/promises';
import type { OpenAI } from 'openai';
import type { Delta, Extra, FunctionTool, Model, ModelMessage, ModelRequest } from '../../ports/model.ts';
import { shortId } from '../ids.ts';
import { EndpointRefusal, refusalAs, refusalIn, toOurs } from './model-failures.ts';
import { FIRST_QUIRKS, learn, type Quirks } from './quirks.ts';
import { beginningOf, eventsOf, jsonOf, wholeOf } from './read-answer.ts';

/** Any endpoint that speaks Chat Completions, through the `openai` package; loaded at the first answer. */

export interface OpenAiOptions {
  readonly model: string;
  readonly apiKey: string;
  /** Without it: OpenAI itself. */
  readonly baseUrl?: string;
  /** What answers instead of the network: the demo model. */
  readonly fetch?: typeof fetch;
  readonly isDemo?: boolean;
  /** Until the first byte, ms. The turn's own deadline covers the rest. */
  readonly timeoutMs?: number;
  /** Further tries after a fault that may pass. */
  readonly maxRetries?: number;
}

type Body = OpenAI.Chat.Completions.ChatCompletionCreateParams;
type WireMessage = OpenAI.Chat.Completions.ChatCompletionMessageParam;

/** A person waits behind it: what asks for more is told instead. */
const LONGEST_WAIT_MS = 20_000;
const MOST_LESSONS = 5;
/** Characters of what an endpoint says instead of an answer. */
const MOST_ERROR = 64_000;

export function createOpenAiModel(options: OpenAiOptions): Model {
  const endpoint = new URL(options.baseUrl ?? OPENAI).host;
  const from = `${endpoint} ${options.model}`;
  let client: Promise<OpenAI> | undefined;
  /** What this endpoint takes, as its refusals taught us. */
  let quirks: Quirks = {
    ...FIRST_QUIRKS,
    budget: options.baseUrl === undefined ? 'max_completion_tokens' : 'max_tokens',
  };

  const connect = async () => {
    const { OpenAI } = await import('openai');
    return new OpenAI({
      apiKey: options.apiKey,
      // Null, not undefined: the package would read OPENAI_BASE_URL by itself.
      baseURL: options.baseUrl ?? OPENAI,
      timeout: options.timeoutMs ?? 60_000,
      // Its own waits know no bound and hear no Stop.
      maxRetries: 0,
      logLevel: 'off',
      fetch: refusing(options.fetch ?? fetch),
    });
  };

  async function send(request: ModelRequest): Promise<Response> {
    client ??= connect();
    const { chat } = await client;
    // The body's own keys differ by endpoint; the package's type knows those of one.
    return chat.completions.create(toBody(request, quirks) as Body, { signal: request.signal }).asResponse();
  }

  /** What may pass is tried again, what can be learnt is learnt; a wait ends with Stop. */
  async function ask(request: ModelRequest): Promise<Response> {
    let tries = options.maxRetries ?? 1;
    for (let lessons = 0; ; ) {
      try {
        return await send(request);
      } catch (error) {
        const refusal = refusalIn(error);
        const better = refusal === undefined ? undefined : learn(quirks, refusal);
        if (better !== undefined && lessons < MOST_LESSONS) {
          lessons += 1;
          quirks = better;
          continue;
        }
        const waitMs = refusal?.waitMs ?? 500;
        if (tries === 0 || request.signal.aborted || waitMs > LONGEST_WAIT_MS || !mayPass(refusal)) throw error;
        tries -= 1;
        await delay(waitMs, undefined, { signal: request.signal });
      }
    }
  }

  function toBody({ messages, tools, maxTokens }: ModelRequest, known: Quirks) {
    return {
      model: options.model,
      stream: known.streams,
      ...(known.streams && known.countsTokens ? { stream_options: { include_usage: true } } : {}),
      messages: messages.map((message) => toWire(message, from, known)),
      ...(tools.length === 0 ? {} : { tools: tools.map(toFunction) }),
      ...(known.budget === undefined ? {} : { [known.budget]: maxTokens }),
    };
  }

  return {
    name: options.model,
    isDemo: options.isDemo ?? false,

    async *complete(request: ModelRequest) {
      try {
        for await (const chunk of chunksOf(await ask(request))) yield toDelta(chunk, from);
      } catch (error) {
        throw toOurs(error, endpoint, [options.apiKey, ...request.messages.flatMap(textsOf)]);
      }
    },
  };
}

const OPENAI = 'https://api.openai.com/v1';

function textsOf(message: ModelMessage): readonly string[] {
  return [message.text, ...('calls' in message ? message.calls.map(({ args }) => args) : [])];
}

/** Throws what is no success with its whole body: the package keeps only the form of OpenAI's own errors. */
function refusing(send: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await send(input, init);
    if (response.ok) return response;
    const body = await beginningOf(response, MOST_ERROR).catch(() => '');
    throw new EndpointRefusal(response.status, response.headers, body);
  };
}

/** Nothing came at all, or the server says that it is only busy. */
function mayPass(refusal: EndpointRefusal | undefined): boolean {
  if (refusal === undefined) return true;
  const { status, said } = refusal;
  return (status === 429 && !/quota|billing/i.test(said.code)) || status === 408 || status === 409 || status >= 500;
}

/** A server may ignore `stream` and answer whole, name the wrong type, or say 200 and mean an error. */
async function* chunksOf(response: Response): AsyncGenerator<Whole> {
  const type = response.headers.get('content-type') ?? '';
  if (type.includes('text/event-stream')) return yield* streamed(response);
  const text = await wholeOf(response);
  if (/^\s*(data|event|id|:)[:\s]/.test(text)) return yield* streamed(new Response(text, response));
  let whole: Whole | undefined;
  try {
    whole = (await jsonOf(text)) as Whole; // as loosely as servers send it
  } catch {
    // A page, or nothing: the refusal tells which.
  }
  if (!Array.isArray(whole?.choices))
    throw new EndpointRefusal(response.status, response.headers, text.slice(0, MOST_ERROR));
  yield whole;
}

async function* streamed(response: Response): AsyncGenerator<Whole> {
  for await (const data of eventsOf(response)) {
    if (data.startsWith('[DONE]')) return;
    const chunk = (await jsonOf(data)) as Whole | null; // as above
    if (chunk?.error) throw refusalAs(chunk.error, response.headers);
    if (chunk !== null) yield chunk;
  }
}

/** A chunk, or the whole answer: its `message` has the form of a `delta`. */
interface Whole {
  readonly choices?: readonly {
    readonly message?: Piece;
    readonly delta?: Piece;
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly total_tokens?: number } | null;
  readonly error?: unknown;
}

interface Piece {
  readonly content?: unknown;
  readonly refusal?: string | null;
  readonly tool_calls?:
    | readonly {
        readonly index?: number | null;
        readonly id?: string | null;
        readonly function?: { readonly name?: string | null; readonly arguments?: unknown } | null;
      }[]
    | null;
}

/** What we read ourselves; every other key is the endpoint's own and goes back to it. */
const READ_OF_MESSAGE = new Set(['role', 'content', 'refusal', 'tool_calls', 'function_call', 'audio', 'index']);
const READ_OF_CALL = new Set(['index', 'id', 'type', 'function']);
/** Where servers put what a model thinks. */
export const THOUGHTS = ['reasoning_content', 'reasoning', 'thinking'] as const;

function toDelta({ choices, usage }: Whole, from: string): Delta {
  const [choice] = choices ?? [];
  const piece = choice?.delta ?? choice?.message ?? {};
  const { said, thought } = textOf(piece.content);
  const extra = others(piece, READ_OF_MESSAGE);
  const thoughts = `${thought}${THOUGHTS.map((key) => (typeof extra?.[key] === 'string' ? extra[key] : '')).join('')}`;
  return {
    text: `${said}${piece.refusal ?? ''}`,
    ...(thoughts === '' ? {} : { thought: thoughts }),
    calls: piece.tool_calls?.map((call) => ({
      index: call.index,
      id: call.id,
      name: call.function?.name,
      args: call.function?.arguments,
      extra: others(call, READ_OF_CALL),
    })),
    finish: choice?.finish_reason,
    tokens: usage?.total_tokens,
    ...(extra === undefined ? {} : { kept: { from, extra } }),
  };
}

/** Content is a text, or a list of parts: what is said, and what is only thought. */
function textOf(content: unknown): { readonly said: string; readonly thought: string } {
  if (typeof content === 'string') return { said: content, thought: '' };
  let said = '';
  let thought = '';
  for (const part of Array.isArray(content) ? content : [content]) {
    if (typeof part === 'string') said += part;
    else if (typeof part === 'object' && part !== null) {
      const { type, text, thinking, refusal } = part as Record<string, unknown>;
      if (thinking !== undefined || /think|reason/.test(String(type))) {
        const inner = textOf(thinking ?? text);
        thought += inner.said + inner.thought;
      } else said += textOf(text ?? refusal ?? '').said;
    }
  }
  return { said, thought };
}

function others(source: object, read: ReadonlySet<string>): Extra | undefined {
  const kept = Object.entries(source).filter(([key, value]) => !read.has(key) && value !== null && value !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function toWire(message: ModelMessage, from: string, quirks: Quirks): WireMessage {
  switch (message.role) {
    case 'system':
    case 'user':
      return { role: message.role, content: message.text };
    case 'tool':
      return {
        role: 'tool',
        tool_call_id: quirks.shortIds ? shortId(message.call) : message.call,
        content: message.text,
      };
    case 'assistant': {
      const { text, calls } = message;
      // Another endpoint's keys mean nothing here, or something else.
      const isOurs = message.kept?.from === from && quirks.takesExtra;
      const extra = isOurs ? own(message.kept.extra, quirks) : {};
      if (calls.length === 0) return { role: 'assistant', content: text, ...extra };
      return {
        role: 'assistant',
        content: text === '' ? null : text,
        ...extra,
        tool_calls: calls.map(({ id, name, args, extra: more }) => ({
          id: quirks.shortIds ? shortId(id) : id,
          type: 'function',
          function: { name, arguments: args },
          ...(more !== undefined && quirks.takesExtra ? more : {}),
        })),
      };
    }
  }
}

/** Thoughts in words go back only to an endpoint that asked for them. */
function own(extra: Extra, { wantsThoughts }: Quirks): Extra {
  const isThought = (key: string) => (THOUGHTS as readonly string[]).includes(key);
  return wantsThoughts ? extra : Object.fromEntries(Object.entries(extra).filter(([key]) => !isThought(key)));
}

function toFunction({ name, description, parameters }: FunctionTool): OpenAI.Chat.Completions.ChatCompletionTool {
  return { type: 'function', function: { name, description, parameters } };
}
