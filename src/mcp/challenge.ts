import { GatehouseError, toErrorBody } from '../domain/errors.ts';
import { isSafeOrigin } from '../domain/loopback.ts';
import { SCOPES, type Scope } from '../domain/scopes.ts';

/**
 * What an MCP client needs to know about keys and sign-in, in the forms that clients read: the challenge of RFC 6750, and the
 * metadata of RFC 9728 that it points to.
 */

const METADATA_PATH = '/.well-known/oauth-protected-resource';
const HEADER = 'Authorization: Bearer AGENT_KEY';
/** `/mcp`, or `/mcp/{bot}` where a client is to have an address for each bot. */
const ADDRESS = /^\/mcp(?:\/([^/]+))?$/;
const HOW = `Send the header "${HEADER}". A key: gatehouse bot key NAME.`;

/** The refusal of a request without a usable key. A machine's dead key must fail there, and open no browser. */
export function unauthenticated(error: GatehouseError, request: Request, origin: string): Response {
  const given = request.headers.get('authorization') ?? '';
  const isOfPerson = given === '' || /^Bearer +ghp_/i.test(given);
  const challenge = [
    'Bearer realm="gatehouse"',
    // Whoever sent nothing is told no error (RFC 6750, 3.1).
    ...(given === ''
      ? []
      : ['error="invalid_token"', `error_description="${quotable(`${error.message} ${error.next}`)}"`]),
    ...(isOfPerson ? [`resource_metadata="${metadataOf(request, origin)}"`] : []),
    ...(isOfPerson && isSafeOrigin(origin) ? [`scope="${SCOPES.join(' ')}"`] : []),
  ];
  return Response.json(toErrorBody(error), { status: 401, headers: { 'www-authenticate': challenge.join(', ') } });
}

/** The person's sign-in does not reach so far: hosts ask their person anew on this, and on nothing else. */
export function insufficientScope(needed: readonly Scope[], request: Request, origin: string): Response {
  const error = new GatehouseError('permission_denied', 'Your sign-in lets this program read only.', {
    next: 'Sign in again in your MCP client, and let it ask to change records.',
  });
  const challenge = [
    'Bearer realm="gatehouse"',
    'error="insufficient_scope"',
    `scope="${needed.join(' ')}"`,
    `resource_metadata="${metadataOf(request, origin)}"`,
  ];
  return Response.json(toErrorBody(error), { status: 403, headers: { 'www-authenticate': challenge.join(', ') } });
}

const metadataOf = (request: Request, origin: string) => `${origin}${METADATA_PATH}${new URL(request.url).pathname}`;

/** The addresses that a client tries after a 401; undefined at the MCP address itself. */
export function aboutSignIn(request: Request, origin: string): Response | undefined {
  const { pathname } = new URL(request.url);
  if (ADDRESS.test(pathname)) return undefined;
  const resource = pathname === METADATA_PATH ? '/mcp' : pathname.slice(METADATA_PATH.length);
  if (pathname.startsWith(METADATA_PATH) && ADDRESS.test(resource))
    return Response.json({
      resource: `${origin}${resource}`,
      resource_name: 'Gatehouse',
      bearer_methods_supported: ['header'],
      // Over plain HTTP from another machine nobody signs in: there it is keys, made by operators.
      ...(isSafeOrigin(origin) ? { authorization_servers: [origin], scopes_supported: SCOPES } : {}),
      gatehouse_header: HEADER,
      gatehouse_next: HOW,
    });
  // The shape of OAuth's own errors: clients show the description.
  const refused = {
    error: 'access_denied',
    error_description: `There is no OAuth at this address: see ${origin}/.well-known/oauth-authorization-server. ${HOW}`,
  };
  return Response.json(refused, { status: pathname === '/register' ? 403 : 404 });
}

/** An address that names a bot is that bot's: a key of another one opens nothing there. */
export function checkAddress(request: Request, bot: string): void {
  const [, name] = ADDRESS.exec(new URL(request.url).pathname) ?? [];
  if (name === undefined || name === encodeURIComponent(bot)) return;
  throw new GatehouseError('permission_denied', 'This address is of another bot than the key.', {
    next: `Use /mcp, or /mcp/${bot}, which is this key's.`,
  });
}

function quotable(text: string): string {
  return text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?');
}
