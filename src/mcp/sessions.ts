import { randomUUID } from 'node:crypto';
import { type Server, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import type { McpCaller } from './deps.ts';

/**
 * Sessions of 2025-era clients: only there can such a client be asked. An id is no credential: it counts together with
 * the caller that opened it, and only while it is used.
 */
export interface Sessions {
  open(caller: McpCaller, server: Server): Promise<WebStandardStreamableHTTPServerTransport>;
  /** Undefined when there is none (any more), `'foreign'` when it is another caller's. */
  find(id: string, caller: McpCaller): WebStandardStreamableHTTPServerTransport | 'foreign' | undefined;
  close(): Promise<void>;
}

interface Session {
  readonly caller: McpCaller;
  readonly server: Server;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  usedAt: number;
}

const IDLE_MS = 4 * 3_600_000;
/** One bot cannot push out the sessions of another. */
const MOST_PER_BOT = 100;

export function createSessions(now: () => number, maxRequestBodySize: number): Sessions {
  // In order of last use.
  const sessions = new Map<string, Session>();

  const end = (id: string) => {
    const session = sessions.get(id);
    sessions.delete(id);
    return session?.server.close();
  };

  const sweep = async (bot: string) => {
    const idle = [...sessions].filter(([, session]) => now() - session.usedAt > IDLE_MS);
    const own = [...sessions].filter(([, { caller }]) => caller.bot === bot);
    const tooMany = own.slice(0, Math.max(0, own.length + 1 - MOST_PER_BOT));
    await Promise.all([...idle, ...tooMany].map(([id]) => end(id)));
  };

  return {
    async open(caller, server) {
      await sweep(caller.bot);
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        maxRequestBodySize,
        onsessioninitialized: (id) => {
          sessions.set(id, { caller, server, transport, usedAt: now() });
        },
        onsessionclosed: (id) => {
          sessions.delete(id);
        },
      });
      await server.connect(transport);
      return transport;
    },
    find(id, caller) {
      const session = sessions.get(id);
      if (session === undefined) return undefined;
      if (!isSame(session.caller, caller)) return 'foreign';
      if (now() - session.usedAt > IDLE_MS) {
        void end(id);
        return undefined;
      }
      session.usedAt = now();
      sessions.delete(id);
      sessions.set(id, session);
      return session.transport;
    },
    async close() {
      await Promise.all([...sessions.keys()].map(end));
    },
  };
}

function isSame(a: McpCaller, b: McpCaller): boolean {
  return a.bot === b.bot && a.principal === b.principal && a.session?.indexValue === b.session?.indexValue;
}
