import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvalidGrantError, InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import type { OAuthServerProvider } from '@modelcontextprotocol/sdk/server/auth/provider.js';
import { mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import type { OAuthClientInformationFull } from '@modelcontextprotocol/sdk/shared/auth.js';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/cli/check-oauth/asking.ts';
import { checkOauth } from '../../src/cli/check-oauth/walk.ts';
import { openIdentityDoor } from '../identity/person.ts';

/** The check of a sign-in from outside: it passes what clients pass, and names what they stop at. */

const worst = (findings: readonly Finding[]) => findings.filter(({ level }) => level === 'wrong');
const steps = (findings: readonly Finding[]) => [...new Set(findings.map(({ step }) => step))];
const WHOLE_WAY = ['address', 'challenge', 'resource', 'server', 'registration', 'sign-in', 'token'];

async function serving(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

it('goes the whole way at ours, at /mcp and at each bot’s address, and leaves nothing [X8]', async () => {
  await using door = await openIdentityDoor();
  for (const path of ['/mcp', `/mcp/${door.world.bot}`]) {
    const findings = await checkOauth(`${door.url}${path}`);
    expect(worst(findings)).toEqual([]);
    expect(steps(findings)).toEqual(WHOLE_WAY);
    // The one thing to say of a server on this computer.
    expect(findings.filter(({ level }) => level === 'note').map(({ step }) => step)).toEqual(['address']);
    const asked = findings.filter(({ step }) => step === 'sign-in').map(({ message }) => message);
    expect(asked).toEqual([
      expect.stringContaining('/sign-in (by a document)'),
      expect.stringContaining('/sign-in (by registration)'),
    ]);
  }
  expect(await door.world.app.identity.apps()).toEqual([]);
});

it('goes the whole way at a foreign server, and tells its notes [X8]', async () => {
  const clients = new Map<string, OAuthClientInformationFull>();
  const provider: OAuthServerProvider = {
    clientsStore: {
      getClient: (id) => clients.get(id),
      registerClient: (client) => {
        const full = client as OAuthClientInformationFull;
        clients.set(full.client_id, full);
        return full;
      },
    },
    authorize: async (_client, _params, response) => void response.type('html').send('<h1>Sign in</h1>'),
    challengeForAuthorizationCode: async () => Promise.reject(new InvalidGrantError('no such code')),
    exchangeAuthorizationCode: async () => Promise.reject(new InvalidGrantError('no such code')),
    exchangeRefreshToken: async () => Promise.reject(new InvalidGrantError('no such token')),
    verifyAccessToken: async () => Promise.reject(new InvalidTokenError('no such token')),
  };
  const app = createMcpExpressApp();
  await using foreign = await serving(app);
  const url = new URL(foreign.url);
  app.use(mcpAuthRouter({ provider, issuerUrl: url, resourceServerUrl: new URL('/mcp', url) }));
  const resourceMetadataUrl = `${foreign.url}/.well-known/oauth-protected-resource/mcp`;
  app.use('/mcp', requireBearerAuth({ verifier: provider, resourceMetadataUrl }));
  const findings = await checkOauth(`${foreign.url}/mcp`);
  expect(worst(findings)).toEqual([]);
  expect(steps(findings)).toEqual(WHOLE_WAY);
  expect(findings.filter(({ level }) => level === 'note').map(({ message }) => message)).toContainEqual(
    expect.stringContaining('(iss)'),
  );
});

/** A server as it should be, but for what `wrong` answers instead. */
type Wrong = Readonly<
  Record<string, (origin: string) => { status?: number; headers?: Record<string, string>; body?: unknown }>
>;

async function check(wrong: Wrong): Promise<readonly Finding[]> {
  await using server = await serving((request, response) => {
    const origin = `http://${request.headers.host}`;
    const path = new URL(request.url ?? '/', origin).pathname;
    const agent = request.headers['user-agent'] === 'Claude-User' ? ' as Claude-User' : '';
    const given = request.headers.authorization === undefined ? '' : ' with a token';
    const right: Wrong = {
      '/mcp': () => ({
        status: 401,
        headers: {
          'www-authenticate': `Bearer ${given && 'error="invalid_token", '}resource_metadata="${origin}/resource"`,
        },
      }),
      '/resource': () => ({ body: { resource: `${origin}/mcp`, authorization_servers: [origin] } }),
      '/.well-known/oauth-authorization-server': () => ({ body: metadata(origin) }),
      '/register': () => ({ status: 201, body: { client_id: 'x' } }),
      '/authorize': () => ({ headers: { 'content-type': 'text/html' }, body: '<h1>Sign in</h1>' }),
      '/token': () => ({ status: 400, body: { error: 'invalid_grant' } }),
    };
    const answer = wrong[`${path}${given}`] ?? wrong[`${path}${agent}`] ?? wrong[path] ?? right[path];
    const { status = 200, headers = {}, body } = answer?.(origin) ?? { status: 404 };
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
  });
  return await checkOauth(`${server.url}/mcp`);
}

const metadata = (origin: string, more: object = {}) => ({
  issuer: origin,
  authorization_endpoint: `${origin}/authorize`,
  token_endpoint: `${origin}/token`,
  registration_endpoint: `${origin}/register`,
  response_types_supported: ['code'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none'],
  authorization_response_iss_parameter_supported: true,
  ...more,
});
const about = (more: object) => ({
  '/.well-known/oauth-authorization-server': (origin: string) => ({ body: metadata(origin, more) }),
});

describe('what is wrong', () => {
  it('is nothing where all is right [X8]', async () => {
    const findings = await check({});
    expect([worst(findings), steps(findings)]).toEqual([[], WHOLE_WAY]);
  });

  it.each<[string, Wrong, Finding['step'], RegExp, RegExp]>([
    ['a server without sign-in', { '/mcp': () => ({}) }, 'challenge', /without any token/, /ask for a token/],
    ['a wrong path', { '/mcp': () => ({ status: 404 }) }, 'challenge', /answered 404/, /path/],
    [
      'a firewall with words',
      { '/mcp': () => ({ status: 403, body: { error: { message: 'Blocked.', next: 'Ask IT.' } } }) },
      'challenge',
      /“Blocked. Ask IT.”/,
      /firewall/,
    ],
    [
      'a rule for bots',
      { '/mcp as Claude-User': () => ({ status: 403 }) },
      'challenge',
      /Claude-User is turned away/,
      /bots/,
    ],
    [
      'another host',
      { '/mcp': () => ({ status: 308, headers: { location: 'https://www.example.com/mcp' } }) },
      'challenge',
      /sends clients on to https:\/\/www\.example\.com/,
      /that it leads to/,
    ],
    [
      'a proxy that drops the challenge',
      { '/mcp': () => ({ status: 401 }) },
      'challenge',
      /without "WWW-Auth/,
      /pass the header/,
    ],
    [
      'a proxy that drops the token',
      {
        '/mcp': (origin) => ({
          status: 401,
          headers: { 'www-authenticate': `Bearer realm="gatehouse", resource_metadata="${origin}/resource"` },
        }),
      },
      'challenge',
      /Authorization may not arrive/,
      /pass the header Authorization on/,
    ],
    ['any token', { '/mcp with a token': () => ({}) }, 'challenge', /nobody issued/, /check tokens/],
    ['metadata that is a page', { '/resource': () => ({ body: '<html>' }) }, 'resource', /cannot be read/, /pass/],
    [
      'metadata of another name',
      {
        '/resource': () => ({
          body: { resource: 'https://inside:3000/mcp', authorization_servers: ['https://inside:3000'] },
        }),
      },
      'resource',
      /about https:\/\/inside:3000\/mcp/,
      /GATEHOUSE_URL/,
    ],
    [
      'no server',
      { '/resource': (origin) => ({ body: { resource: `${origin}/mcp` } }) },
      'resource',
      /names no auth/,
      /GATEHOUSE_URL/,
    ],
    [
      'a server of the inside',
      {
        '/resource': (origin) => ({ body: { resource: `${origin}/mcp`, authorization_servers: ['https://10.0.0.7'] } }),
      },
      'server',
      /leads into a private network/,
      /public/,
    ],
    [
      'no metadata of the server',
      { '/.well-known/oauth-authorization-server': () => ({ status: 502 }) },
      'server',
      /does not say how/,
      /well-known/,
    ],
    ['another issuer', about({ issuer: 'https://inside:3000' }), 'server', /another name/, /GATEHOUSE_URL/],
    ['no PKCE', about({ code_challenge_methods_supported: ['plain'] }), 'server', /S256/, /Switch it on/],
    [
      'no way in for programs',
      about({ registration_endpoint: undefined }),
      'server',
      /neither register/,
      /client id by hand/,
    ],
    ['an endpoint in the clear', about({ token_endpoint: 'http://example.com/token' }), 'server', /no https/, /https/],
    ['no endpoint', about({ token_endpoint: undefined }), 'server', /names no token_endpoint/, /Complete/],
    [
      'a refused registration',
      {
        '/register': () => ({
          status: 400,
          body: { error: 'invalid_redirect_uri', error_description: 'not\u001b[31m ours' },
        }),
      },
      'registration',
      /invalid_redirect_uri: not.* ours/,
      /grant types it does not know left out/,
    ],
    [
      'no page',
      { '/authorize': () => ({ status: 500, body: 'oops' }) },
      'sign-in',
      /No page asks/,
      /log of that server/,
    ],
    [
      'a refusal in place of a page',
      {
        '/authorize': () => ({
          status: 302,
          headers: { location: 'https://claude.ai/api/mcp/auth_callback?error=invalid_scope&error_description=no' },
        }),
      },
      'sign-in',
      /refused before anybody is asked.*invalid_scope no/,
      /Allow what is named/,
    ],
    [
      'a code for nobody',
      {
        '/authorize': () => ({ status: 302, headers: { location: 'https://claude.ai/api/mcp/auth_callback?code=x' } }),
      },
      'sign-in',
      /no person was asked/,
      /ask the person/,
    ],
    [
      'a ring',
      { '/authorize': () => ({ status: 302, headers: { location: '/authorize' } }) },
      'sign-in',
      /round and round/,
      /log/,
    ],
    [
      'a page in the clear',
      { '/authorize': () => ({ status: 302, headers: { location: 'http://example.com/login' } }) },
      'sign-in',
      /plain HTTP/,
      /https/,
    ],
    [
      'a token endpoint behind a firewall',
      { '/token': () => ({ status: 403, body: '<html>' }) },
      'token',
      /as OAuth says/,
      /by POST/,
    ],
  ])('is named, with its cure: %s [X8]', async (_, wrong, step, message, next) => {
    const [first, ...others] = worst(await check(wrong));
    expect(first).toEqual({
      step,
      level: 'wrong',
      message: expect.stringMatching(message),
      next: expect.stringMatching(next),
    });
    expect(others).toEqual([]);
    expect(first?.message).not.toContain('\u001b');
  });

  it.each([
    ['no address', 'gate.example', /no address/],
    ['plain HTTP from another machine', 'http://gate.example/mcp', /plain HTTP/],
    ['no such name', 'https://gate.invalid/mcp', /No machine/],
    ['nothing there', 'http://127.0.0.1:1/mcp', /nothing listens/],
    ['a password in it', 'https://user:secret@gate.example/mcp', /no address/],
  ])('is named before a server was asked: %s [X8]', async (_, address, message) => {
    const [first] = worst(await checkOauth(address));
    expect(first?.message).toMatch(message);
    expect(JSON.stringify(first)).not.toContain('secret');
  });
});
