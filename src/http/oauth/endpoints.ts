import type { Context, Hono } from 'hono';
import { sha256 } from '../../domain/canonical-json.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { isSafeOrigin } from '../../domain/loopback.ts';
import { OAuthRefusal } from '../../domain/oauth-refusal.ts';
import { SCOPES } from '../../domain/scopes.ts';
import type { Identity } from '../../ports/identity.ts';
import { readForm, readJson } from '../body.ts';
import type { HttpDeps } from '../deps.ts';
import { originOf } from '../guard.ts';
import type { Env } from '../hono-env.ts';
import { networkOf } from '../network.ts';
import { createRateLimit } from '../rate-limit.ts';

/** What programs ask without a browser: metadata (RFC 8414), registration (7591), token (6749), revocation (7009). */

const MOST_BYTES = 16 * 1024;
const METADATA = '/.well-known/oauth-authorization-server';

/** Pages of any site may ask these: they read no cookie, and what they answer is for whoever holds the code or token. */
export const isForAnyOrigin = (path: string): boolean =>
  path.startsWith('/.well-known/') || ['/oauth/register', '/oauth/token', '/oauth/revoke'].includes(path);

export function mountOauthEndpoints(
  app: Hono<Env>,
  { identity, config, now }: Pick<HttpDeps, 'config' | 'now'> & { readonly identity: Identity },
): readonly { method: string; path: string }[] {
  const registrations = createRateLimit({ most: 20, windowMs: 60_000, now });
  // All people of a hosted client come from a few addresses: what they present counts, and what fails.
  const presented = createRateLimit({ most: 30, windowMs: 60_000, now });
  const misses = createRateLimit({ most: 30, windowMs: 60_000, now });

  const endpoint = (path: string, work: (c: Context<Env>, origin: string) => Promise<Response>) =>
    app.post(path, async (c) => {
      c.set('route', path);
      const origin = originOf(c.get('host'), config);
      if (!isSafeOrigin(origin)) return refuse(new OAuthRefusal('invalid_request', NOT_HERE), 404);
      try {
        return await work(c, origin);
      } catch (error) {
        if (error instanceof OAuthRefusal) return refuse(error);
        if (error instanceof GatehouseError && error.code === 'invalid_input')
          return refuse(new OAuthRefusal('invalid_request', `${error.message} ${error.next}`));
        throw error;
      }
    });

  app.get(METADATA, (c) => {
    c.set('route', METADATA);
    const issuer = originOf(c.get('host'), config);
    if (!isSafeOrigin(issuer)) return refuse(new OAuthRefusal('invalid_request', NOT_HERE), 404);
    return c.json({
      issuer,
      authorization_endpoint: `${issuer}/oauth/authorize`,
      token_endpoint: `${issuer}/oauth/token`,
      client_id_metadata_document_supported: true,
      registration_endpoint: `${issuer}/oauth/register`,
      revocation_endpoint: `${issuer}/oauth/revoke`,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: ['none'],
      revocation_endpoint_auth_methods_supported: ['none'],
      code_challenge_methods_supported: ['S256'],
      scopes_supported: [...SCOPES, 'offline_access'],
      authorization_response_iss_parameter_supported: true,
    });
  });

  endpoint('/oauth/register', async (c) => {
    registrations.consume(networkOf(c.env.peer.address));
    return Response.json(await identity.register(await readJson(c.req.raw, { maxBytes: MOST_BYTES })), { status: 201 });
  });

  endpoint('/oauth/token', async (c) => {
    const form = await readForm(c.req.raw, MOST_BYTES);
    presented.consume(sha256(form.get('refresh_token') ?? form.get('code') ?? ''));
    try {
      return Response.json(await identity.token(form));
    } catch (error) {
      if (error instanceof OAuthRefusal) misses.consume(networkOf(c.env.peer.address));
      throw error;
    }
  });

  endpoint('/oauth/revoke', async (c) => {
    await identity.revoke(await readForm(c.req.raw, MOST_BYTES));
    return new Response(null, { status: 200 });
  });

  return [
    { method: 'GET', path: METADATA },
    ...['/oauth/register', '/oauth/token', '/oauth/revoke'].map((path) => ({ method: 'POST', path })),
  ];
}

const NOT_HERE =
  'Nobody signs in over plain HTTP from another machine: set GATEHOUSE_URL to the https address of this server.';

function refuse(error: OAuthRefusal, status = error.code === 'invalid_client' ? 401 : 400): Response {
  return Response.json({ error: error.code, error_description: error.message }, { status });
}

/** What any origin may read, credentials never among it. */
export function forAnyOrigin(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.set('access-control-allow-origin', '*');
  headers.set('cross-origin-resource-policy', 'cross-origin');
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/** The question that a browser asks before such a request. */
export function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'content-type, authorization, mcp-protocol-version',
      'access-control-max-age': '600',
    },
  });
}
