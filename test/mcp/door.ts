import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as ClassicClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as ClassicStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as ClassicHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect } from 'vitest';
import { createMcpHttp, type McpHttp, type McpHttpDeps } from '../../src/mcp/http.ts';
import { openDoor as openHttp } from '../support/door.ts';
import type { World, WorldOptions } from '../support/world.ts';

/** The MCP door of one world on a real port, and the two genuine clients that knock at it. */
export interface Door extends AsyncDisposable {
  readonly world: World;
  readonly url: string;
  readonly key: string;
  readonly mcp: McpHttp;
  connect(kind: Kind, how?: How): Promise<Knocker>;
  /** Forgets every session, as a restart does. */
  restart(): Promise<void>;
}

/** `classic`: the 1.32 SDK, protocol 2025-11-25. `modern`: the 2.4 SDK, protocol 2026-07-28. */
export type Kind = 'classic' | 'modern';
export const KINDS: readonly Kind[] = ['classic', 'modern'];

export interface Question {
  readonly message: string;
  readonly requestedSchema: {
    readonly properties: Readonly<Record<string, { readonly enum?: readonly string[] }>>;
    readonly required: readonly string[];
  };
}

export type Reply = { action: 'accept' | 'decline' | 'cancel'; content?: Record<string, string> };

export interface How {
  /** Absent: a client without elicitation. `signal` aborts when the server takes the form away. */
  readonly person?: (question: Question, signal: AbortSignal) => Reply | Promise<Reply>;
  readonly applyDefaults?: boolean;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fetch?: typeof fetch;
}

export interface CallOptions {
  readonly meta?: Record<string, unknown>;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly onprogress?: (progress: { message?: string | undefined }) => void;
}

export interface Knocker {
  readonly kind: Kind;
  /** Every form the person was shown. */
  readonly questions: Question[];
  // What a tool answers is for the test to say.
  // biome-ignore lint/suspicious/noExplicitAny: wire data of many tools
  call(name: string, args: Record<string, unknown>, options?: CallOptions): Promise<any>;
  tools(): Promise<readonly Record<string, unknown>[]>;
  prompts(): Promise<
    readonly { name: string; arguments?: readonly { name: string; required?: boolean | undefined }[] | undefined }[]
  >;
  prompt(name: string, args: Record<string, string>): Promise<string>;
  instructions(): string | undefined;
  protocol(): string | undefined;
  sessionId(): string | undefined;
  close(): Promise<void>;
}

export async function openDoor(
  options: WorldOptions = {},
  more: Pick<McpHttpDeps, 'formMs' | 'watchMs'> = {},
): Promise<Door> {
  const knockers: Knocker[] = [];
  const open = ({ app }: World) => createMcpHttp({ ...app, ...more });
  let mcp: McpHttp | undefined;
  const inUse = () => mcp ?? expect.fail('the door is not open');
  const door = await openHttp(options, (world) => {
    mcp = open(world);
    return { mcp: { handle: (request, origin) => inUse().handle(request, origin) } };
  });
  const { world } = door;
  const key = door.keys.agent;
  const url = `${door.url}/mcp`;

  return {
    world,
    key,
    url,
    get mcp() {
      return inUse();
    },
    async connect(kind, how = {}) {
      const knocker = await connectHttp(kind, url, { key, ...how });
      knockers.push(knocker);
      return knocker;
    },
    async restart() {
      await inUse().close();
      mcp = open(world);
    },
    async [Symbol.asyncDispose]() {
      for (const knocker of knockers) await knocker.close().catch(() => undefined);
      await inUse().close();
      await door[Symbol.asyncDispose]();
    },
  };
}

export async function connectHttp(kind: Kind, url: string, how: How & { key: string }): Promise<Knocker> {
  const at = new URL(url);
  const init = {
    requestInit: { headers: { ...how.headers, authorization: `Bearer ${how.key}` } },
    ...(how.fetch === undefined ? {} : { fetch: how.fetch }),
  };
  return kind === 'classic' ? classic(new ClassicHttp(at, init), how) : modern(new ModernHttp(at, init), how);
}

export interface Command {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

export async function connectStdio(kind: Kind, command: Command, how: How = {}): Promise<Knocker> {
  const at = { ...command, stderr: 'pipe' as const };
  return kind === 'classic' ? classic(new ClassicStdio(at), how) : modern(new ModernStdio(at), how);
}

const ME = { name: 'test', version: '1.0.0' };

function capabilities({ person, applyDefaults }: How) {
  if (person === undefined) return {};
  return { elicitation: applyDefaults ? { form: { applyDefaults } } : {} };
}

async function classic(transport: ClassicHttp | ClassicStdio, how: How): Promise<Knocker> {
  const client = new ClassicClient(ME, { capabilities: capabilities(how) });
  const questions: Question[] = [];
  const { person } = how;
  if (person !== undefined)
    client.setRequestHandler(ElicitRequestSchema, async ({ params }, { signal }) => {
      questions.push(params as unknown as Question); // a form, as the server sends it
      return person(params as unknown as Question, signal);
    });
  // Its own types do not fit exactOptionalPropertyTypes: sessionId is `string | undefined` there.
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return {
    kind: 'classic',
    questions,
    call: (name, args, { meta, signal, timeoutMs, onprogress } = {}) =>
      client.callTool({ name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) }, undefined, {
        ...(signal === undefined ? {} : { signal }),
        ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
        ...(onprogress === undefined ? {} : { onprogress }),
      }),
    tools: async () => (await client.listTools()).tools,
    prompts: async () => (await client.listPrompts()).prompts,
    prompt: async (name, args) => textOf(await client.getPrompt({ name, arguments: args })),
    instructions: () => client.getInstructions(),
    protocol: () => ('protocolVersion' in transport ? transport.protocolVersion : undefined),
    sessionId: () => ('sessionId' in transport ? transport.sessionId : undefined),
    close: () => client.close(),
  };
}

async function modern(transport: ModernHttp | ModernStdio, how: How): Promise<Knocker> {
  const client = new ModernClient(ME, { capabilities: capabilities(how), versionNegotiation: { mode: 'auto' } });
  const questions: Question[] = [];
  const { person } = how;
  if (person !== undefined)
    client.setRequestHandler('elicitation/create', async ({ params }, ctx) => {
      questions.push(params as unknown as Question); // a form, as the server sends it
      return person(params as unknown as Question, ctx.mcpReq.signal);
    });
  await client.connect(transport);
  return {
    kind: 'modern',
    questions,
    call: (name, args, { meta, signal, timeoutMs, onprogress } = {}) =>
      client.callTool(
        { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) },
        {
          ...(signal === undefined ? {} : { signal }),
          ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
          ...(onprogress === undefined ? {} : { onprogress }),
        },
      ),
    tools: async () => (await client.listTools()).tools,
    prompts: async () => (await client.listPrompts()).prompts,
    prompt: async (name, args) => textOf(await client.getPrompt({ name, arguments: args })),
    instructions: () => client.getInstructions(),
    protocol: () => client.getNegotiatedProtocolVersion(),
    sessionId: () => ('sessionId' in transport ? transport.sessionId : undefined),
    close: () => client.close(),
  };
}

function textOf({ messages }: { messages: readonly { content: { type: string } }[] }): string {
  return messages.map(({ content }) => (content as { text?: string }).text ?? '').join('\n');
}
