/** For pages of other sites that an operator let in by name (GATEHOUSE_ALLOWED_ORIGINS). Keys travel in a header, so no cookie is ever allowed. */

const SENDS = [
  'authorization',
  'content-type',
  'accept',
  'last-event-id',
  'mcp-session-id',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'gatehouse-session',
];
const READS = ['mcp-session-id', 'mcp-protocol-version', 'www-authenticate', 'retry-after', 'x-request-id'];

/** The origin of the request must have been found on the list. */
export async function withCors(request: Request, answer: (request: Request) => Promise<Response>): Promise<Response> {
  const response = request.method === 'OPTIONS' ? new Response(null, { status: 204 }) : await answer(request);
  const headers = new Headers(response.headers);
  headers.set('access-control-allow-origin', request.headers.get('origin') ?? '');
  headers.append('vary', 'Origin');
  headers.set('access-control-expose-headers', READS.join(', '));
  if (request.method === 'OPTIONS') {
    headers.set('access-control-allow-methods', 'GET, POST, DELETE');
    // Beside the usual ones those that a tool's own inputs travel in: with the origin on the list, a name is no risk.
    const asked = request.headers.get('access-control-request-headers') ?? '';
    headers.set('access-control-allow-headers', [...new Set([...SENDS, ...namesIn(asked)])].join(', '));
    if (request.headers.get('access-control-request-private-network') === 'true')
      headers.set('access-control-allow-private-network', 'true');
    headers.set('access-control-max-age', '600');
  }
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

function namesIn(list: string): string[] {
  return list
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /^[a-z0-9-]{1,60}$/.test(name))
    .slice(0, 30);
}
