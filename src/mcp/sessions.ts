import { randomUUID } from 'node:crypto';
import {
  type AuthInfo,
  type InitializeRequest,
  type JSONRPCMessage,
  type RequestId,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { GatehouseError } from '../domain/errors.ts';
import { HttpRefusal } from '../domain/http-refusal.ts';
import { isRecord } from '../domain/is-record.ts';
import type { Log } from '../ports/log.ts';
import type { McpSessionRow, Store } from '../ports/store.ts';
import type { During, McpCaller } from './deps.ts';
import { type DeadDrop, Wire } from './wire.ts';

/**
 * Sessions of 2025-era clients: only there can such a client be asked. A session is a row, so it outlives processes and is
 * the same in all of them; the server object that speaks for it is made wherever a request arrives. An id is no
 * credential: it counts together with the caller that opened it, and only while it is used.
 */
export interface Sessions {
  /** Answers an `initialize`; `rate_limited` when every session that the bot may have has a call under way. */
  open(request: Request, message: InitializeRequest, caller: McpCaller): Promise<Response>;
  /** Answers within a session; undefined when there is none (any more) of this id. */
  handle(id: string, request: Request, message: unknown, caller: McpCaller): Promise<Response | undefined>;
  /** Ends what this process has of them; the sessions go on elsewhere, and after a restart. */
  close(): Promise<void>;
}

export interface SessionDeps {
  readonly store: Pick<Store, 'mcpSessions' | 'values'>;
  readonly now: () => number;
  readonly log: Log;
  readonly maxRequestBodySize: number;
  readonly toAuthInfo: (caller: McpCaller) => AuthInfo;
  /** `during` must hold around every call: a session with one under way is never ended to make room. */
  readonly build: (caller: McpCaller, during: During) => Server;
}

type Client = Pick<InitializeRequest['params'], 'protocolVersion' | 'capabilities' | 'clientInfo'>;

interface Live {
  readonly server: Server;
  readonly wire: Wire;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  calls: number;
}

const IDLE_MS = 4 * 3_600_000;
/** One bot cannot push out the sessions of another. */
const MOST_PER_BOT = 100;
/** A form, the write after it, and time to spare: a call that no process ended counts no longer. */
const LONGEST_CALL_MS = 5 * 60_000;
const MOST_CLIENT = 8_000;
const LEFT = 'mcp.left';
const LEFT_MS = 2 * 60_000;
const MOST_LEFT = 32_000;
/** How long calls may still be answered when this process stops. */
const LAST_ANSWERS_MS = 1_500;

export function createSessions(deps: SessionDeps): Sessions {
  const { store, now, log } = deps;
  const lives = new Map<string, Promise<Live>>();
  /** Ended as rows; what speaks for them here is taken down once its calls are over. */
  const ended = new Set<string>();

  const during =
    (id: string): During =>
    async (work) => {
      const live = await lives.get(id);
      if (live !== undefined) live.calls += 1;
      await store.mcpSessions.beginCall(id, now(), now() + LONGEST_CALL_MS);
      try {
        return await work();
      } finally {
        if (live !== undefined) live.calls -= 1;
        await store.mcpSessions.endCall(id).catch((error: unknown) => {
          log.warn('the end of a call was not noted in its session', { error: String(error) });
        });
      }
    };

  const create = async (id: string, caller: McpCaller): Promise<Live> => {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      maxRequestBodySize: deps.maxRequestBodySize,
      onsessionclosed: async () => {
        lives.delete(id);
        await store.mcpSessions.end(id);
      },
    });
    const server = deps.build(caller, during(id));
    const wire = new Wire(transport, deadDrop(deps, id));
    await server.connect(wire);
    return { server, wire, transport, calls: 0 };
  };

  /** As its client opened it, by the same road: the SDK learns what the client can do. */
  const revive = async (id: string, client: string, caller: McpCaller): Promise<Live> => {
    const live = await create(id, caller);
    const opened = await live.transport.handleRequest(initializeRequest(client), { authInfo: deps.toAuthInfo(caller) });
    await opened.text();
    return live;
  };

  const takeDown = async (id: string): Promise<void> => {
    const live = await lives.get(id)?.catch(() => undefined);
    if (live !== undefined && live.calls > 0) return;
    ended.delete(id);
    lives.delete(id);
    await live?.server.close();
  };

  return {
    async open(request, message, caller) {
      const client = described(message.params);
      const id = randomUUID();
      for (const old of ended) await takeDown(old);
      const madeRoom = await store.mcpSessions.open(
        {
          id,
          bot: caller.bot,
          principal: openedBy(caller),
          indexValue: caller.session?.indexValue ?? null,
          user: caller.session?.user ?? null,
          client,
          usedAt: now(),
        },
        { most: MOST_PER_BOT, idleSince: now() - IDLE_MS, now: now() },
      );
      if (madeRoom === undefined) throw tooManySessions();
      for (const old of madeRoom) if (lives.has(old)) ended.add(old);
      const live = create(id, caller);
      lives.set(id, live);
      const how = { authInfo: deps.toAuthInfo(caller), parsedBody: message };
      const answer = await (await live).transport.handleRequest(request, how);
      if (!answer.ok) {
        await store.mcpSessions.end(id);
        await takeDown(id);
      }
      return answer;
    },

    async handle(id, request, message, caller) {
      const row = await store.mcpSessions.get(id);
      if (row !== undefined && !isSame(row, caller)) throw foreignSession();
      if (row === undefined || (row.busyUntil <= now() && now() - row.usedAt > IDLE_MS)) {
        if (row !== undefined) await store.mcpSessions.end(id);
        if (lives.has(id)) ended.add(id);
        await takeDown(id);
        return undefined;
      }
      await store.mcpSessions.use(id, now());
      let live = lives.get(id);
      if (live === undefined) {
        live = revive(id, row.client, caller);
        lives.set(id, live);
        // What failed once may succeed at the next request.
        live.catch(() => lives.delete(id));
      }
      const { wire, transport } = await live;
      const ids = requestIds(message);
      if (!wire.claim(ids)) throw idInUse();
      const how = { authInfo: deps.toAuthInfo(caller), parsedBody: message };
      const answer = await transport.handleRequest(request, how);
      if (!answer.ok) wire.release(ids);
      return answer;
    },

    async close() {
      const all = await Promise.allSettled(lives.values());
      lives.clear();
      ended.clear();
      await Promise.all(
        all.map(async (one) => {
          if (one.status === 'rejected') return;
          const { wire, server } = one.value;
          // A form that would be answered to nobody ends now, and its call with the link.
          wire.clientIsGone();
          await wire.whenAnswered(LAST_ANSWERS_MS);
          await server.close();
        }),
      );
    },
  };
}

/** A client behind a balancer posts its answers to any process; the one that they are for fetches them from here. */
function deadDrop({ store, now, log }: SessionDeps, session: string): DeadDrop {
  const key = (about: string) => `${session}/${about}`;
  return {
    leave(about, message) {
      const text = JSON.stringify(message);
      if (text.length > MOST_LEFT || about.length > 60) return;
      store.values.set(LEFT, key(about), text, now() + LEFT_MS).catch((error: unknown) => {
        log.warn('a message for another process was lost', { error: String(error) });
      });
    },
    async collect(about) {
      if ((await store.values.get(LEFT, key(about), now())) === undefined) return undefined;
      const message = await store.values.consume(LEFT, key(about), now());
      return message === undefined ? undefined : (JSON.parse(message) as JSONRPCMessage); // put there by `leave` alone
    },
  };
}

function described({ protocolVersion, capabilities, clientInfo }: Client): string {
  const client: Client = {
    protocolVersion,
    capabilities,
    clientInfo: { name: clientInfo.name, version: clientInfo.version },
  };
  const text = JSON.stringify(client);
  if (text.length <= MOST_CLIENT) return text;
  throw new GatehouseError(
    'invalid_input',
    `What the client says of itself is longer than ${MOST_CLIENT} characters.`,
    {
      next: 'Send initialize with shorter capabilities and clientInfo.',
    },
  );
}

/** Of the requests in a message or a batch of them. */
function requestIds(message: unknown): RequestId[] {
  return (Array.isArray(message) ? message : [message]).flatMap((one: unknown) =>
    isRecord(one) && 'method' in one && (typeof one.id === 'string' || typeof one.id === 'number') ? [one.id] : [],
  );
}

function initializeRequest(client: string): Request {
  return new Request('http://localhost/mcp', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: JSON.parse(client) }),
  });
}

/** Two programs of one person are two callers. */
const openedBy = ({ principal, grant }: McpCaller) => (grant === undefined ? principal : `${principal} ${grant}`);

function isSame(row: McpSessionRow, caller: McpCaller): boolean {
  return (
    row.bot === caller.bot &&
    row.principal === openedBy(caller) &&
    row.indexValue === (caller.session?.indexValue ?? null) &&
    row.user === (caller.session?.user ?? null)
  );
}

function foreignSession(): GatehouseError {
  return new GatehouseError('permission_denied', 'This MCP session was opened by another caller.', {
    next: 'Open a session of your own with initialize.',
  });
}

function idInUse(): HttpRefusal {
  return new HttpRefusal(409, 'conflict', 'A request with this id is still to be answered in this session.', {
    next: 'Give each request of a session an id of its own, and send it again with another one.',
  });
}

function tooManySessions(): GatehouseError {
  return new GatehouseError('rate_limited', `${MOST_PER_BOT} MCP sessions of this bot have a call under way.`, {
    next: 'Wait until one of them is answered, or end sessions that are not needed with DELETE.',
    retryable: true,
    retryAfterMs: 30_000,
  });
}
