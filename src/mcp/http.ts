import {
  type AuthInfo,
  createMcpHandler,
  hostHeaderValidationResponse,
  isInitializeRequest,
  isLegacyRequest,
  legacyStatelessFallback,
  localhostAllowedHostnames,
  type McpRequestContext,
  originValidationResponse,
  readRequestBody,
} from '@modelcontextprotocol/server';
import type { Access } from '../access/access.ts';
import { GatehouseError, toErrorBody } from '../errors.ts';
import type { McpCaller, McpDeps } from './deps.ts';
import { toOurs } from './result.ts';
import { createMcpServer } from './server.ts';
import { createSessions } from './sessions.ts';

/** MCP over Streamable HTTP, both eras behind one set of checks: host, origin, agent key, chat session. */

export interface McpHttpDeps extends McpDeps {
  readonly access: Access;
  /** Where this server is reached; its host names are the ones that a request may carry. */
  readonly config: { readonly host: string; readonly url: string | undefined };
}

export interface McpHttp {
  /** The body must be unread. */
  handle(request: Request): Promise<Response>;
  close(): Promise<void>;
}

const MOST_BYTES = 1024 * 1024;
const WILDCARDS = ['0.0.0.0', '::', '[::]'];

export function createMcpHttp(deps: McpHttpDeps): McpHttp {
  const hosts = ownHosts(deps.config);
  const sessions = createSessions(deps.now, MOST_BYTES);
  const options = {
    maxRequestBodySize: MOST_BYTES,
    onerror: (error: Error) => deps.log.debug('mcp http', { error: error.name }),
  };
  const build = ({ era, authInfo }: McpRequestContext) => createMcpServer(deps, callerIn(authInfo), era);
  const modern = createMcpHandler(build, { ...options, legacy: 'reject' });
  const stateless = legacyStatelessFallback(build, options.onerror, options);

  async function handle(request: Request): Promise<Response> {
    const misplaced = hostHeaderValidationResponse(request, hosts) ?? originValidationResponse(request, hosts);
    if (misplaced !== undefined) return misplaced;
    try {
      const caller = await identify(deps.access, request.headers);
      const authInfo = toAuthInfo(caller);
      if (!(await isLegacyRequest(request, undefined, options))) return await modern.fetch(request, { authInfo });
      return await handleLegacy(request, caller, authInfo);
    } catch (thrown) {
      return refusal(toOurs(thrown, deps.log));
    }
  }

  async function handleLegacy(request: Request, caller: McpCaller, authInfo: AuthInfo): Promise<Response> {
    if (await opensSession(request)) {
      const transport = await sessions.open(caller, createMcpServer(deps, caller, 'legacy'));
      return transport.handleRequest(request, { authInfo });
    }
    const id = request.headers.get('mcp-session-id');
    const session = id === null ? undefined : sessions.find(id, caller);
    if (session === 'foreign') throw foreignSession();
    // Opened in another process or before a restart: answered all the same, only without forms. A 404 breaks 1.x clients for good.
    return session === undefined ? stateless(request, { authInfo }) : session.handleRequest(request, { authInfo });
  }

  return {
    handle,
    async close() {
      await Promise.all([modern.close(), sessions.close()]);
    },
  };
}

async function identify(access: Access, headers: Headers): Promise<McpCaller> {
  const { bot, principal } = await access.agent(/^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1]);
  const token = headers.get('gatehouse-session');
  return { bot, principal, ...(token === null ? {} : { session: access.verifySession(bot, token) }) };
}

/** The key itself goes no further than this file. */
function toAuthInfo(caller: McpCaller): AuthInfo {
  return { token: '', clientId: caller.bot, scopes: [], extra: { caller } };
}

function callerIn(authInfo: AuthInfo | undefined): McpCaller {
  const caller = authInfo?.extra?.caller;
  if (caller === undefined) throw new Error('an MCP request reached the server without a caller');
  return caller as McpCaller; // put there by toAuthInfo alone
}

async function opensSession(request: Request): Promise<boolean> {
  if (request.method !== 'POST') return false;
  try {
    const body = await readRequestBody(request.clone(), MOST_BYTES);
    return !body.tooLarge && isInitializeRequest(JSON.parse(body.text));
  } catch {
    // Not JSON: whoever handles it next says so.
    return false;
  }
}

function refusal(error: GatehouseError): Response {
  return Response.json(toErrorBody(error), {
    status: error.status,
    headers: error.status === 401 ? { 'www-authenticate': 'Bearer realm="gatehouse", error="invalid_token"' } : {},
  });
}

function foreignSession(): GatehouseError {
  return new GatehouseError('permission_denied', 'This MCP session was opened by another caller.', {
    next: 'Open a session of your own with initialize.',
  });
}

function ownHosts({ host, url }: McpHttpDeps['config']): string[] {
  const bound = WILDCARDS.includes(host) ? [] : [host.includes(':') && !host.startsWith('[') ? `[${host}]` : host];
  return [...localhostAllowedHostnames(), ...bound, ...(url === undefined ? [] : [new URL(url).hostname])];
}
