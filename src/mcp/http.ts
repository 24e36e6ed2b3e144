import {
  createMcpHandler,
  isInitializeRequest,
  isLegacyRequest,
  legacyStatelessFallback,
  type McpHttpHandler,
  type McpRequestContext,
  type Server,
} from '@modelcontextprotocol/server';
import { GatehouseError } from '../domain/errors.ts';
import { errorResponse, HttpRefusal } from '../domain/http-refusal.ts';
import { isRecord } from '../domain/is-record.ts';
import { type Access, bearerOf } from '../ports/access.ts';
import type { Config } from '../ports/config.ts';
import type { Identity } from '../ports/identity.ts';
import type { Store } from '../ports/store.ts';
import { callerIn, toAuthInfo } from './asked-by.ts';
import type { Era } from './call.ts';
import { aboutSignIn, checkAddress, insufficientScope, unauthenticated } from './challenge.ts';
import { withCors } from './cors.ts';
import { createCutStreams } from './cut-streams.ts';
import type { During, McpCaller, McpDeps } from './deps.ts';
import { checkForm, messageIn } from './request.ts';
import { toOurs } from './result.ts';
import { lackingScopes } from './scopes.ts';
import { createMcpServer } from './server.ts';
import { createSessions } from './sessions.ts';
import { createToolsBus } from './tools-watch.ts';

/** MCP over Streamable HTTP, both eras behind one set of checks: agent key, chat session, form. Who mounts it judges Host and Origin. */

export interface McpHttpDeps extends McpDeps {
  readonly access: Access;
  readonly identity: Pick<Identity, 'verify' | 'standing'>;
  readonly store: Pick<Store, 'bots' | 'mcpSessions' | 'values'>;
  readonly config: Pick<Config, 'allowedOrigins'>;
  /** What serves one caller; default: our tools and prompts. */
  readonly createServer?: (caller: McpCaller, era: Era, during?: During) => Server;
}

export interface McpHttp {
  /** The body must be unread, Host and Origin judged; `origin` is how the client reached us. */
  handle(request: Request, origin: string): Promise<Response>;
  close(): Promise<void>;
}

const MOST_BYTES = 1024 * 1024;
/** Streams of one bot at a time, as many as it may have sessions. */
const MOST_LISTENING = 100;

export function createMcpHttp(deps: McpHttpDeps): McpHttp {
  const create = deps.createServer ?? ((caller, era, during) => createMcpServer(deps, caller, era, during));
  const sessions = createSessions({
    ...deps,
    maxRequestBodySize: MOST_BYTES,
    toAuthInfo,
    build: (caller, during) => create(caller, 'legacy', during),
  });
  const options = {
    maxRequestBodySize: MOST_BYTES,
    onerror: (error: Error) => deps.log.debug('mcp http', { error: error.name }),
  };
  const build = ({ era, authInfo }: McpRequestContext) => create(present(callerIn(authInfo)), era);
  const modern = createMcpHandler(build, { ...options, legacy: 'reject' });
  /** One for each bot that somebody listens for: a change of its tools is told to its own clients alone. */
  const listening = new Map<string, McpHttpHandler>();
  const listenersOf = (bot: string): McpHttpHandler => {
    const before = listening.get(bot);
    if (before !== undefined) return before;
    const bus = createToolsBus(deps, bot, () => listening.delete(bot));
    const made = createMcpHandler(build, { ...options, legacy: 'reject', bus, maxSubscriptions: MOST_LISTENING });
    listening.set(bot, made);
    return made;
  };
  const streams = createCutStreams(deps);
  const stateless = legacyStatelessFallback(build, options.onerror, options);

  async function guarded(request: Request, origin: string): Promise<Response> {
    try {
      const about = aboutSignIn(request, origin);
      if (about !== undefined) return about;
      const prove = () => identify(deps, request, origin);
      const known = { ...(await prove()), prove };
      checkAddress(request, known.bot);
      checkForm(request);
      const parsedBody = await messageIn(request, MOST_BYTES);
      const lacking = await lackingScopes(deps.gate, known, parsedBody);
      if (lacking.length > 0) return insufficientScope(lacking, request, origin);
      const caller = isIntroduction(parsedBody) ? await withWords(deps.store, known) : known;
      return streams.watched(await answer(request, parsedBody, caller), caller);
    } catch (thrown) {
      const error = toOurs(thrown, deps.log);
      return error.code === 'unauthenticated' ? unauthenticated(error, request, origin) : errorResponse(error);
    }
  }

  async function answer(request: Request, parsedBody: unknown, caller: McpCaller): Promise<Response> {
    const how = { authInfo: toAuthInfo(caller), parsedBody };
    if (!(await isLegacyRequest(request, parsedBody, options)))
      return await (isListening(parsedBody) ? listenersOf(caller.bot) : modern).fetch(request, how);
    if (isInitializeRequest(parsedBody)) return await sessions.open(request, parsedBody, caller);
    const id = request.headers.get('mcp-session-id');
    if (id === null && request.method !== 'POST') return errorResponse(noStream());
    if (id === null) return await stateless(request, how);
    return (await sessions.handle(id, request, parsedBody, caller)) ?? errorResponse(noSession());
  }

  return {
    async handle(request, origin) {
      const isGuest = deps.config.allowedOrigins.includes(request.headers.get('origin') ?? '');
      return isGuest ? withCors(request, (one) => guarded(one, origin)) : guarded(request, origin);
    },
    async close() {
      const listeners = [...listening.values()].map((one) => one.close());
      await Promise.all([modern.close(), sessions.close(), ...listeners]);
    },
  };
}

async function identify(
  { access, identity }: Pick<McpHttpDeps, 'access' | 'identity'>,
  request: Request,
  origin: string,
): Promise<McpCaller> {
  const { headers } = request;
  const key = bearerOf(headers);
  const token = headers.get('gatehouse-session');
  if (key?.startsWith('ghp_')) {
    const { bot, principal, grant, scopes } = await identity.verify(key, `${origin}${new URL(request.url).pathname}`);
    // A host vouches for its customers through its own keys: beside a person's sign-in a session means nothing.
    if (token !== null) throw notBoth();
    return { bot, principal, grant, scopes };
  }
  const { bot, principal } = await access.agent(key);
  return { bot, principal, ...(token === null ? {} : { session: await access.verifySession(bot, token) }) };
}

function notBoth(): GatehouseError {
  return new GatehouseError('permission_denied', 'A person who signed in is nobody’s customer session.', {
    next: 'Leave out the header Gatehouse-Session, or send it with the agent key of the bot.',
  });
}

const isListening = (message: unknown): boolean => isRecord(message) && message.method === 'subscriptions/listen';

/** Only these are answered with instructions. */
const isIntroduction = (message: unknown): boolean =>
  isRecord(message) && (message.method === 'initialize' || message.method === 'server/discover');

async function withWords({ bots }: Pick<Store, 'bots'>, caller: McpCaller): Promise<McpCaller> {
  return { ...caller, instructions: (await bots.get(caller.bot))?.policy.words.instructions };
}

function present(caller: McpCaller | undefined): McpCaller {
  if (caller === undefined) throw new Error('an MCP request reached the server without a caller');
  return caller;
}

/** 404 is what the protocol says for it: a client then opens a new session by itself. */
function noSession(): HttpRefusal {
  return new HttpRefusal(
    404,
    'not_found',
    'There is no such MCP session: it was ended, lay unused for hours, or never was.',
    { next: 'Open a new one: send initialize without the header Mcp-Session-Id.' },
  );
}

function noStream(): HttpRefusal {
  return new HttpRefusal(
    405,
    'invalid_input',
    'Only a session has a stream to open or an end.',
    { next: 'Send messages with POST; for a session send initialize first, then its id in the header Mcp-Session-Id.' },
    { allow: 'POST' },
  );
}
