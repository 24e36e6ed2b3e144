import { GatehouseError, toErrorBody } from '../domain/errors.ts';

/**
 * What an MCP client needs to know about keys, in the forms that clients read: the challenge of RFC 6750, the metadata
 * of RFC 9728 that it points to, and, where a client goes on to look for an OAuth sign-in, that there is none.
 */

const METADATA_PATH = '/.well-known/oauth-protected-resource';
const HEADER = 'Authorization: Bearer AGENT_KEY';
/** `/mcp`, or `/mcp/{bot}` where a client is to have an address for each bot. */
const ADDRESS = /^\/mcp(?:\/([^/]+))?$/;
const HOW = `Send the header "${HEADER}". A key: gatehouse bot key NAME.`;

/** The refusal of a request without a usable key. */
export function unauthenticated(error: GatehouseError, request: Request, origin: string): Response {
  const challenge = [
    'Bearer realm="gatehouse"',
    // Whoever sent nothing is told no error (RFC 6750, 3.1).
    ...((request.headers.get('authorization') ?? '') !== ''
      ? ['error="invalid_token"', `error_description="${quotable(`${error.message} ${error.next}`)}"`]
      : []),
    `resource_metadata="${origin}${METADATA_PATH}${new URL(request.url).pathname}"`,
  ];
  return Response.json(toErrorBody(error), { status: 401, headers: { 'www-authenticate': challenge.join(', ') } });
}

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
      // No authorization_servers: keys are made by operators, not by a sign-in of the client.
      gatehouse_header: HEADER,
      gatehouse_next: HOW,
    });
  // The shape of OAuth's own errors: clients show the description.
  const refused = {
    error: 'access_denied',
    error_description: `Gatehouse has no OAuth sign-in for MCP clients. ${HOW}`,
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
