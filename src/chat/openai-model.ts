import type { APIError, OpenAI } from 'openai';
import type { Stream } from 'openai/core/streaming';
import { GatehouseError } from '../errors.ts';
import type { Delta, FunctionTool, Model, ModelMessage, ModelRequest } from './model.ts';

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
  readonly maxRetries?: number;
}

type Chunk = OpenAI.Chat.Completions.ChatCompletionChunk;
type Body = OpenAI.Chat.Completions.ChatCompletionCreateParamsStreaming;

export function createOpenAiModel(options: OpenAiOptions): Model {
  let client: Promise<OpenAI> | undefined;
  /** Some servers refuse a request over this one key. */
  let countsTokens = true;

  const connect = async () => {
    const { OpenAI } = await import('openai');
    return new OpenAI({
      apiKey: options.apiKey,
      // Null, not undefined: the package would read OPENAI_BASE_URL by itself.
      baseURL: options.baseUrl ?? OPENAI,
      timeout: options.timeoutMs ?? 60_000,
      maxRetries: options.maxRetries ?? 1,
      logLevel: 'off',
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    });
  };

  async function request(body: Body, signal: AbortSignal): Promise<Response> {
    client ??= connect();
    const { chat } = await client;
    const send = () =>
      chat.completions
        .create({ ...body, ...(countsTokens ? { stream_options: { include_usage: true } } : {}) }, { signal })
        .asResponse();
    return send().catch((error: APIError) => {
      if (!countsTokens || (error.status !== 400 && error.status !== 422)) throw error;
      countsTokens = false;
      return send();
    });
  }

  return {
    name: options.model,
    isDemo: options.isDemo ?? false,

    async *complete({ messages, tools, maxTokens, signal }: ModelRequest) {
      try {
        const response = await request(
          {
            model: options.model,
            stream: true,
            messages: messages.map(toWire),
            ...(tools.length === 0 ? {} : { tools: tools.map(toFunction) }),
            // OpenAI's newer models know only the one name, most other servers only the other.
            ...(options.baseUrl === undefined ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens }),
          },
          signal,
        );
        for await (const chunk of await chunksOf(response)) yield toDelta(chunk);
      } catch (error) {
        throw toOurs(error);
      }
    },
  };
}

const OPENAI = 'https://api.openai.com/v1';

/** A server may ignore `stream` and answer whole. */
async function chunksOf(response: Response): Promise<Stream<Chunk> | readonly Whole[]> {
  if (response.headers.get('content-type')?.includes('application/json')) return [(await response.json()) as Whole];
  const { Stream } = await import('openai/core/streaming');
  return Stream.fromSSEResponse<Chunk>(response, new AbortController());
}

/** A chunk, or the whole answer: its `message` has the form of a `delta`. */
interface Whole {
  readonly choices?: readonly {
    readonly message?: Piece;
    readonly delta?: Piece;
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly total_tokens?: number } | null;
}

interface Piece {
  readonly content?: string | null;
  readonly refusal?: string | null;
  readonly tool_calls?:
    | readonly {
        readonly index?: number | null;
        readonly id?: string | null;
        readonly function?: { readonly name?: string | null; readonly arguments?: unknown } | null;
      }[]
    | null;
}

function toDelta(chunk: Chunk | Whole): Delta {
  const { choices, usage } = chunk as Whole; // what servers really send is looser than the package's type
  const [choice] = choices ?? [];
  const piece = choice?.delta ?? choice?.message;
  return {
    text: `${piece?.content ?? ''}${piece?.refusal ?? ''}`,
    calls: piece?.tool_calls?.map(({ index, id, function: made }) => ({
      index,
      id,
      name: made?.name,
      args: made?.arguments,
    })),
    finish: choice?.finish_reason,
    tokens: usage?.total_tokens,
  };
}

function toWire(message: ModelMessage): OpenAI.Chat.Completions.ChatCompletionMessageParam {
  switch (message.role) {
    case 'system':
    case 'user':
      return { role: message.role, content: message.text };
    case 'tool':
      return { role: 'tool', tool_call_id: message.call, content: message.text };
    case 'assistant':
      if (message.calls.length === 0) return { role: 'assistant', content: message.text };
      return {
        role: 'assistant',
        content: message.text === '' ? null : message.text,
        tool_calls: message.calls.map(({ id, name, args }) => ({
          id,
          type: 'function',
          function: { name, arguments: args },
        })),
      };
  }
}

function toFunction({ name, description, parameters }: FunctionTool): OpenAI.Chat.Completions.ChatCompletionTool {
  return { type: 'function', function: { name, description, parameters } };
}

/** What the endpoint itself says stays in the log: it may quote the key or the conversation. */
function toOurs(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || thrown instanceof GatehouseError || thrown.name === 'AbortError') return thrown;
  const { status } = thrown as Partial<APIError>;
  const because = { cause: thrown };
  if (status === 401 || status === 403 || status === 404)
    return new GatehouseError('config_invalid', `The language model refused us (${status}).`, {
      next: 'Tell the operator to check OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL.',
      ...because,
    });
  if (status === 429)
    return new GatehouseError('rate_limited', 'The language model takes no more requests right now.', {
      next: 'Try again in a minute.',
      retryable: true,
      retryAfterMs: 60_000,
      ...because,
    });
  return new GatehouseError('internal', 'The language model did not answer.', {
    next: 'Try again in a minute; if it stays so, tell the operator.',
    retryable: true,
    ...because,
  });
}
