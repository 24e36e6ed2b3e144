import { serveRoutes } from '../../src/http/server.ts';
import type { HostDeed } from '../../src/sync/routes/deps.ts';
import type { SyncWorld } from './world.ts';

interface Answered {
  readonly status: number;
  readonly type: string;
  /** Its JSON, or the text itself. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies of answers
  readonly body: any;
}

/** Rejects with the error that was answered. */
export type Ask = (method: string, path: string, body?: unknown) => Promise<Answered>;

/** The real HTTP door with the routes of the sync, asked with keys of the bot's host app and of an operator. */
export function door({ app }: SyncWorld, role: string = 'admin'): Ask {
  const { access } = app;
  const http = app.sync().then(({ routes }) => serveRoutes(app, routes));
  const keys = Promise.all([
    access.issueKey('host', 'demo'),
    access.createOperator(`${role}-${crypto.randomUUID()}`, role),
  ]);
  return async (method, path, body) => {
    const [hostKey, operatorKey] = await keys;
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: {
        host: 'localhost',
        authorization: `Bearer ${path.startsWith('/api/bots/') ? operatorKey : hostKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await (await http).fetch(request, { remoteAddress: '127.0.0.1' });
    const type = answer.headers.get('content-type') ?? '';
    const text = await answer.text();
    const read = type === 'application/json' ? JSON.parse(text) : text;
    if (!answer.ok) throw Object.assign(new Error(read.error.message), read.error);
    return { status: answer.status, type, body: read };
  };
}

/** What the audit holds about links, oldest first. */
export async function deedsOf({ app }: SyncWorld): Promise<HostDeed[]> {
  const rows = await app.store.audit.find({ action: 'salesforce-link', limit: 10 });
  return rows.reverse().map((row) => ({ ...row, detail: JSON.parse(row.detail) }) as HostDeed);
}

// biome-ignore lint/suspicious/noExplicitAny: bodies of answers
export const bodyOf = async (answer: Promise<Answered>): Promise<any> => (await answer).body;
