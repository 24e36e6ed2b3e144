import { createHash, randomBytes } from 'node:crypto';
import { isSafeOrigin } from '../../domain/loopback.ts';
import { oneLine } from '../../domain/safe-text.ts';
import { type Answer, type Ask, createAsk, type Finding, reachOfHost, Stop, wordsIn } from './asking.ts';
import { readServer, type Server } from './server-metadata.ts';

/**
 * The way of an MCP client that has nothing but the address, as far as it goes without a person: 401, metadata, registration,
 * the page that asks, and that the token endpoint answers in OAuth's words. It signs nobody in, and keeps nothing.
 */

const REDIRECT = 'https://claude.ai/api/mcp/auth_callback';
const CLIENT_DOCUMENT = 'https://claude.ai/oauth/mcp-oauth-client-metadata';
const MOST_HOPS = 6;

export async function checkOauth(address: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const tell = (...found: readonly Finding[]) => findings.push(...found);
  try {
    const { url, reach } = await readAddress(address, tell);
    const ask = createAsk(reach);
    const pointer = await meetChallenge(ask, url, tell);
    const issuer = await readResource(ask, url, pointer, tell);
    const server = await readServer(ask, issuer, tell);
    for (const clientId of await register(ask, server, tell)) await openPage(ask, server, clientId, url, tell);
    await tryToken(ask, server, tell);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    tell(error.finding);
  }
  return findings;
}

type Tell = (...found: readonly Finding[]) => void;

async function readAddress(address: string, tell: Tell) {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hash !== '' || url.username + url.password !== '')
    throw new Stop('address', 'This is no address of an MCP server.', 'Give it whole: https://gate.example/mcp.');
  if (!isSafeOrigin(url.origin))
    throw new Stop(
      'address',
      'Over plain HTTP from another machine nobody signs in.',
      'Serve it over https; for Gatehouse, set GATEHOUSE_URL to that address.',
    );
  const reach = await reachOfHost(url);
  if (reach === undefined)
    throw new Stop('address', `No machine is called ${url.hostname}.`, 'Check the name, and its DNS entry.');
  if (reach === 'public') tell({ step: 'address', level: 'ok', message: `${url.host} is a public address.` });
  else
    tell({
      step: 'address',
      level: 'note',
      message: `${url.host} is reached from ${reach === 'loopback' ? 'this computer' : 'this network'} only.`,
      next: 'That serves programs there. claude.ai and ChatGPT come from their cloud: they need a public https address.',
    });
  return { url, reach };
}

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'check-oauth', version: '1' } },
});

const knock = (ask: Ask, url: URL, headers: Readonly<Record<string, string>>) =>
  ask('challenge', url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: INITIALIZE,
  });

/** Answers where the 401 says that the metadata is. */
async function meetChallenge(ask: Ask, url: URL, tell: Tell): Promise<URL | undefined> {
  const answer = await knock(ask, url, { 'user-agent': 'Claude-User' });
  if (answer.status !== 401) throw await noChallenge(ask, url, answer);
  const challenge = answer.headers['www-authenticate'] ?? '';
  const named = /resource_metadata="([^"]*)"/i.exec(challenge)?.[1];
  const pointer = named !== undefined && URL.canParse(named) ? new URL(named) : undefined;
  if (!/^Bearer\b/i.test(challenge))
    throw new Stop(
      'challenge',
      'The 401 comes without "WWW-Authenticate: Bearer".',
      'Have the proxy pass the header WWW-Authenticate on, or leave the answer of 401 to the server behind it.',
    );
  if (pointer === undefined)
    tell({
      step: 'challenge',
      level: 'note',
      message: 'The 401 does not say where the metadata is: clients guess it.',
      next: 'Name it in WWW-Authenticate: resource_metadata="…".',
    });
  else tell({ step: 'challenge', level: 'ok', message: 'A request without a token gets 401, and the way to sign in.' });
  tell(await tokenArrives(ask, url));
  return pointer;
}

async function noChallenge(ask: Ask, url: URL, answer: Answer): Promise<Stop> {
  const { status, headers } = answer;
  if (status >= 300 && status < 400)
    return new Stop(
      'challenge',
      `It sends clients on to ${oneLine(headers.location ?? '', 200)}: on the way to another host they lose their token.`,
      'Give people the address that it leads to.',
    );
  if (status < 300)
    return new Stop(
      'challenge',
      'It answers without any token, so no client begins to sign in.',
      'If that is meant, there is nothing to check. Otherwise have it ask for a token (401).',
    );
  const plain = await knock(ask, url, {});
  if (plain.status === 401)
    return new Stop(
      'challenge',
      `Whoever calls itself Claude-User is turned away (${status}); others are asked to sign in.`,
      'Let that program through the firewall’s rules for bots.',
    );
  return new Stop(
    'challenge',
    `Not a 401 but something else: ${wordsIn(answer)}.`,
    status === 404 || status === 405
      ? 'Check the path of the address: Gatehouse serves MCP at /mcp and /mcp/BOT.'
      : status === 403
        ? 'See which rule refuses it: a firewall before the server, or the server’s list of hosts (GATEHOUSE_URL).'
        : 'See the log of the server.',
  );
}

/** "Token issued, then silence" is mostly a proxy that keeps the header for itself. */
async function tokenArrives(ask: Ask, url: URL): Promise<Finding> {
  const answer = await knock(ask, url, { authorization: 'Bearer ghp_check-oauth', 'user-agent': 'Claude-User' });
  const challenge = answer.headers['www-authenticate'] ?? '';
  if (answer.status === 401 && /error="?invalid_token/i.test(challenge))
    return {
      step: 'challenge',
      level: 'ok',
      message: 'The header Authorization arrives: a wrong token is told as wrong.',
    };
  if (answer.status < 400)
    throw new Stop('challenge', 'It takes a token that nobody issued.', 'Have the server check tokens.');
  return {
    step: 'challenge',
    level: /realm="gatehouse"/.test(challenge) ? 'wrong' : 'note',
    message: 'A wrong token is answered like none at all: the header Authorization may not arrive.',
    next: 'Have the proxy pass the header Authorization on.',
  };
}

/** Answers the issuer that clients go to. */
async function readResource(ask: Ask, url: URL, pointer: URL | undefined, tell: Tell): Promise<URL> {
  const well = '/.well-known/oauth-protected-resource';
  const path = url.pathname.replace(/\/$/, '');
  const tries = pointer === undefined ? [`${well}${path}`, well].map((at) => new URL(at, url.origin)) : [pointer];
  let found: Answer | undefined;
  for (const at of tries) {
    found = await ask('resource', at);
    if (found.status === 200) break;
  }
  const { status, json } = found ?? { status: 0, json: undefined };
  if (status !== 200 || json === undefined)
    throw new Stop(
      'resource',
      `The metadata of the resource cannot be read at ${tries.map(String).join(' or ')}.`,
      `Have the proxy pass ${well} on to the server.`,
    );
  const { resource, authorization_servers: servers } = json;
  if (typeof resource !== 'string' || !URL.canParse(resource) || !isWithin(url, new URL(resource)))
    throw new Stop(
      'resource',
      `The metadata is about ${oneLine(String(resource), 200)}, which is not the address that was given.`,
      'Clients compare the two letter by letter: use that address; or, behind a proxy, set GATEHOUSE_URL and pass on the Host that was asked for.',
    );
  if (resource !== url.href && resource !== url.href.replace(/\/$/, ''))
    tell({
      step: 'resource',
      level: 'note',
      message: `A token is for all of ${resource}.`,
      next: 'Some clients want the very address.',
    });
  const [first] = Array.isArray(servers) ? servers : [];
  if (typeof first !== 'string' || !URL.canParse(first))
    throw new Stop(
      'resource',
      'The metadata names no authorization server.',
      'For Gatehouse: it signs people in over https, or on this computer. Set GATEHOUSE_URL.',
    );
  tell({ step: 'resource', level: 'ok', message: `Its metadata names ${first} as who signs people in.` });
  if (Array.isArray(servers) && servers.length > 1)
    tell({ step: 'resource', level: 'note', message: 'It names several.', next: 'claude.ai uses the first one only.' });
  return new URL(first);
}

const isWithin = (url: URL, resource: URL) =>
  resource.origin === url.origin && `${url.pathname}/`.startsWith(`${resource.pathname.replace(/\/$/, '')}/`);

/** The ids to go on with: what clients may bring is tried each way. */
async function register(ask: Ask, server: Server, tell: Tell): Promise<readonly string[]> {
  const ids = server.takesDocuments ? [CLIENT_DOCUMENT] : [];
  if (server.takesDocuments)
    tell({ step: 'registration', level: 'ok', message: 'Programs may bring a document of their own (CIMD).' });
  if (server.registration === undefined) return ids;
  const answer = await ask('registration', server.registration, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({
      client_name: 'gatehouse check-oauth',
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }),
  });
  const id = answer.json?.client_id;
  if (answer.status >= 300 || typeof id !== 'string') {
    const wrong = {
      message: `A program that registers as claude.ai does is refused: ${wordsIn(answer)}.`,
      next: `Let ${server.registration.host} take registrations with the redirect ${REDIRECT}, grant types it does not know left out.`,
    };
    if (ids.length === 0) throw new Stop('registration', wrong.message, wrong.next);
    tell({ step: 'registration', level: 'note', ...wrong });
    return ids;
  }
  tell({ step: 'registration', level: 'ok', message: 'A program may register itself.' });
  return [...ids, id];
}

/** As the person's browser would be sent there. */
async function openPage(ask: Ask, server: Server, clientId: string, resource: URL, tell: Tell): Promise<void> {
  const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url');
  let at = new URL(server.authorization);
  for (const [name, value] of Object.entries({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: REDIRECT,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state: 'check-oauth',
    resource: resource.href.replace(/\/$/, ''),
  }))
    at.searchParams.set(name, value);
  const how = clientId === CLIENT_DOCUMENT ? 'a document' : 'registration';
  const cookies = new Map<string, string>();
  for (let hops = 0; hops < MOST_HOPS; hops += 1) {
    const cookie = cookies.get(at.origin);
    const headers = { accept: 'text/html', 'user-agent': 'Mozilla/5.0', ...(cookie === undefined ? {} : { cookie }) };
    const answer = await ask('sign-in', at, { headers });
    const set = (answer.headers['set-cookie'] ?? '').split(/, (?=[^;,]+=)/).map((one) => one.split(';')[0] ?? '');
    if (set[0] !== '') cookies.set(at.origin, [cookie, ...set].filter(Boolean).join('; '));
    const { location } = answer.headers;
    if (answer.status < 300 || location === undefined) return tell(pageFinding(at, answer, how));
    const next = new URL(location, at);
    if (next.href.startsWith(REDIRECT)) return tell(backFinding(next, how));
    if (!isSafeOrigin(next.origin))
      throw new Stop('sign-in', `The sign-in leads to ${next.origin}, over plain HTTP.`, 'Serve all of it over https.');
    at = next;
  }
  throw new Stop(
    'sign-in',
    `The sign-in sends browsers round and round (${at.origin}).`,
    'See the log of that server.',
  );
}

function pageFinding(at: URL, answer: Answer, how: string): Finding {
  const isPage = answer.status === 200 && /text\/html/i.test(answer.headers['content-type'] ?? '');
  if (isPage)
    return { step: 'sign-in', level: 'ok', message: `A person is asked at ${at.origin}${at.pathname} (by ${how}).` };
  const title = /<h1[^>]*>([^<]*)/i.exec(answer.text)?.[1];
  return {
    step: 'sign-in',
    level: 'wrong',
    message: `No page asks the person (by ${how}): ${title === undefined ? wordsIn(answer) : `it answered ${answer.status}, “${oneLine(title, 200)}”`}.`,
    next: 'Open the address in a browser, and see the log of that server.',
  };
}

function backFinding(back: URL, how: string): Finding {
  const error = back.searchParams.get('error');
  if (error === null)
    return {
      step: 'sign-in',
      level: 'wrong',
      message: `It answers with a code although no person was asked (by ${how}).`,
      next: 'Have it ask the person: whoever sends them a link would get their access.',
    };
  return {
    step: 'sign-in',
    level: 'wrong',
    message: `The sign-in is refused before anybody is asked (by ${how}): ${oneLine(`${error} ${back.searchParams.get('error_description') ?? ''}`, 240)}.`,
    next: 'Allow what is named there at the authorization server.',
  };
}

async function tryToken(ask: Ask, server: Server, tell: Tell): Promise<void> {
  const answer = await ask('token', server.token, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: CLIENT_DOCUMENT,
      redirect_uri: REDIRECT,
      code: 'check-oauth',
      code_verifier: randomBytes(32).toString('base64url'),
    }).toString(),
  });
  if (answer.status >= 400 && answer.status < 500 && typeof answer.json?.error === 'string')
    return tell({
      step: 'token',
      level: 'ok',
      message: 'The token endpoint answers, and takes no code that nobody issued.',
    });
  tell({
    step: 'token',
    level: 'wrong',
    message: `The token endpoint does not answer as OAuth says: ${wordsIn(answer)}.`,
    next: `Let programs reach ${server.token} by POST, past the firewall’s rules for bots.`,
  });
}
