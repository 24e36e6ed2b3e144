import { isSafeOrigin } from '../../domain/loopback.ts';
import { oneLine } from '../../domain/safe-text.ts';
import { type Answer, type Ask, type Finding, Stop } from './asking.ts';

/** What an authorization server says of itself (RFC 8414), and what a client stops at. */
export interface Server {
  readonly authorization: URL;
  readonly token: URL;
  readonly registration: URL | undefined;
  readonly takesDocuments: boolean;
}

/** In the order in which clients try them. */
function placesOf(issuer: URL): readonly URL[] {
  const path = issuer.pathname.replace(/\/$/, '');
  const at = (where: string) => new URL(where, issuer.origin);
  const oauth = at(`/.well-known/oauth-authorization-server${path}`);
  const openid = at(`/.well-known/openid-configuration${path}`);
  return path === '' ? [oauth, openid] : [oauth, openid, at(`${path}/.well-known/openid-configuration`)];
}

export async function readServer(ask: Ask, issuer: URL, tell: (...found: readonly Finding[]) => void): Promise<Server> {
  let found: Answer['json'];
  for (const place of placesOf(issuer)) {
    const answer = await ask('server', place);
    if (answer.status === 200 && answer.json !== undefined) found = answer.json;
    if (found !== undefined) break;
  }
  if (found === undefined)
    throw new Stop(
      'server',
      `${issuer.origin} does not say how it signs people in.`,
      `Let ${placesOf(issuer)[0]} through to the server, as JSON.`,
    );
  const metadata = found;
  if (typeof metadata.issuer !== 'string' || withoutSlash(metadata.issuer) !== withoutSlash(issuer.href))
    throw new Stop(
      'server',
      `It calls itself ${oneLine(String(metadata.issuer), 200)}, which is another name than ${withoutSlash(issuer.href)}.`,
      'Clients compare the two: behind a proxy, set GATEHOUSE_URL and pass on the Host that was asked for.',
    );
  const server: Server = {
    authorization: endpoint(metadata, 'authorization_endpoint') ?? missing('authorization_endpoint'),
    token: endpoint(metadata, 'token_endpoint') ?? missing('token_endpoint'),
    registration: endpoint(metadata, 'registration_endpoint'),
    takesDocuments: metadata.client_id_metadata_document_supported === true,
  };
  if (!list(metadata, 'code_challenge_methods_supported')?.includes('S256'))
    throw new Stop(
      'server',
      'It does not offer PKCE with S256, without which no MCP client signs in.',
      'Switch it on there.',
    );
  if (list(metadata, 'response_types_supported')?.includes('code') === false)
    throw new Stop('server', 'It does not offer response_type=code.', 'Switch the authorization code flow on there.');
  if (server.registration === undefined && !server.takesDocuments)
    throw new Stop(
      'server',
      'A program can neither register itself there nor bring a document of its own.',
      'Switch one of the two on; or make a client id by hand for each program, where the program lets people type one.',
    );
  tell(
    { step: 'server', level: 'ok', message: `${issuer.host} signs people in by authorization code, with PKCE.` },
    ...notes(metadata),
  );
  return server;
}

function notes(metadata: Readonly<Record<string, unknown>>): readonly Finding[] {
  const lacks: readonly (readonly [boolean, string, string])[] = [
    [
      list(metadata, 'token_endpoint_auth_methods_supported')?.includes('none') === true,
      'It does not say that programs without a secret may come ("none").',
      'claude.ai brings its document only where it does.',
    ],
    [
      list(metadata, 'grant_types_supported')?.includes('refresh_token') === true,
      'It does not say that a sign-in can be renewed (refresh_token).',
      'People sign in again whenever a token is over.',
    ],
    [
      metadata.authorization_response_iss_parameter_supported === true,
      'It does not name itself in its answers (iss).',
      'ChatGPT uses one stable redirect only where it does, and another for each connector elsewhere.',
    ],
  ];
  return lacks.flatMap(([has, message, next]) =>
    has ? [] : [{ step: 'server', level: 'note', message, next } as const],
  );
}

function endpoint(metadata: Readonly<Record<string, unknown>>, name: string): URL | undefined {
  const value = metadata[name];
  if (value === undefined) return undefined;
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !isSafeOrigin(url.origin))
    throw new Stop('server', `Its ${name} is no https address.`, 'Serve all of it over https.');
  return url;
}

function missing(name: string): never {
  throw new Stop('server', `Its metadata names no ${name}.`, 'Complete the metadata there.');
}

function list(metadata: Readonly<Record<string, unknown>>, name: string): readonly unknown[] | undefined {
  const value = metadata[name];
  return Array.isArray(value) ? value : undefined;
}

const withoutSlash = (text: string) => text.replace(/\/$/, '');
