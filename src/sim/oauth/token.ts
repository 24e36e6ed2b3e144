/** The token endpoint and its siblings revoke and introspect. Errors are one object, unlike the REST API's arrays. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { type Incoming, json, type Outgoing } from '../http.ts';
import type { Org } from '../org.ts';
import { appOf, identityUrl, isSameText, password, userNamed } from './app.ts';
import { closeGrant, grantOf, issueSession, liveSession, openGrant, rotateGrant } from './tokens.ts';

const uncached = {
  'Cache-Control': 'no-cache,must-revalidate,max-age=0,no-store,private',
  Expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
};

class OauthRefusal extends Error {
  readonly error: string;

  constructor(error: string, description: string) {
    super(description);
    this.error = error;
  }
}

type Form = (name: string) => string;

export function token(org: Org, incoming: Incoming): Outgoing {
  return answered(() => {
    if (incoming.method !== 'POST') throw new OauthRefusal('invalid_request', 'HTTP method not supported; use POST');
    const form = formOf(incoming);
    switch (form('grant_type')) {
      case 'authorization_code':
        checkClient(org, incoming, form, false);
        return byCode(org, incoming.origin, form);
      case 'refresh_token':
        checkClient(org, incoming, form, false);
        return byRefresh(org, incoming.origin, form);
      case 'password':
        checkClient(org, incoming, form, true);
        return byPassword(org, incoming.origin, form);
      case 'client_credentials':
        return byClient(org, incoming, form);
      case 'urn:ietf:params:oauth:grant-type:jwt-bearer':
        return byAssertion(org, incoming.origin, form('assertion'));
      default:
        throw new OauthRefusal('unsupported_grant_type', 'grant type not supported');
    }
  });
}

export function revoke(org: Org, incoming: Incoming): Outgoing {
  const value = formOf(incoming)('token') || (incoming.url.searchParams.get('token') ?? '');
  const grant = grantOf(org, value);
  const session = org.fact('session', value);
  if (grant) closeGrant(org, grant);
  else if (session) org.forget('session', session.token);
  else return json(400, { error: 'invalid_token', error_description: 'invalid token' }, uncached);
  return { status: 200, headers: uncached, text: '' };
}

export function introspect(org: Org, incoming: Incoming): Outgoing {
  return answered(() => {
    const form = formOf(incoming);
    checkClient(org, incoming, form, true);
    const session = liveSession(org, form('token'));
    const grant = grantOf(org, form('token')) ?? (session?.grantId ? org.fact('grant', session.grantId) : undefined);
    const userId = session?.userId ?? grant?.userId;
    if (!userId) return { active: false };
    const user = org.row('User', userId);
    return {
      active: true,
      scope: grant?.scope ?? 'api',
      client_id: appOf(org).clientId,
      username: user?.Username,
      sub: identityUrl(org, incoming.origin, userId),
      token_type: session ? 'access_token' : 'refresh_token',
      ...(session ? { exp: Math.floor(session.expiresAt / 1000) } : {}),
    };
  });
}

function byCode(org: Org, origin: string, form: Form): unknown {
  const code = org.fact('code', form('code'));
  if (code) org.forget('code', code.code);
  if (!code || code.expiresAt <= org.now()) throw new OauthRefusal('invalid_grant', 'expired authorization code');
  if (form('redirect_uri') !== code.redirectUri) {
    throw new OauthRefusal('redirect_uri_mismatch', 'redirect_uri must match configuration');
  }
  const verifier = form('code_verifier');
  if (verifier === '') throw new OauthRefusal('invalid_grant', 'missing required code verifier');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  if (!isSameText(challenge, code.challenge.replace(/=+$/, '')))
    throw new OauthRefusal('invalid_request', 'invalid code verifier');
  const { userId, scope } = code;
  const grant = /\b(refresh_token|offline_access)\b/.test(scope) ? openGrant(org, userId, scope) : undefined;
  return issueSession(org, { userId, origin, scope, grant, showsRefreshToken: true, isSigned: true });
}

function byRefresh(org: Org, origin: string, form: Form): unknown {
  const known = grantOf(org, form('refresh_token'));
  // A refresh token of another app is none here.
  if (known?.clientId !== appOf(org).clientId) throw new OauthRefusal('invalid_grant', 'expired access/refresh token');
  const { rotation } = org.settings;
  const grant = rotation ? rotateGrant(org, known) : known;
  return issueSession(org, {
    userId: grant.userId,
    origin,
    scope: grant.scope,
    grant,
    showsRefreshToken: rotation,
    isSigned: true,
  });
}

function byPassword(org: Org, origin: string, form: Form): unknown {
  const user = userNamed(org, form('username'));
  if (!user || !isSameText(form('password'), password)) {
    throw new OauthRefusal('invalid_grant', 'authentication failure');
  }
  if (user.IsActive === false) throw new OauthRefusal('inactive_user', 'user is inactive');
  return issueSession(org, { userId: user.Id, origin, isSigned: true });
}

function byClient(org: Org, incoming: Incoming, form: Form): unknown {
  const { hostname } = incoming.url;
  if (org.settings.isLoginHost || /^(login|test)\.salesforce\.com$/.test(hostname)) {
    throw new OauthRefusal('invalid_grant', 'request not supported on this domain');
  }
  checkClient(org, incoming, form, true);
  // The app runs as the administrator.
  const runAs = userNamed(org, 'admin@sim.example');
  if (!runAs) throw new OauthRefusal('invalid_grant', 'no client credentials user enabled');
  return issueSession(org, { userId: runAs.Id, origin: incoming.origin, scope: 'api', isSigned: true });
}

const LONGEST_ASSERTION_MS = 5 * 60_000;

function byAssertion(org: Org, origin: string, assertion: string): unknown {
  const [head = '', body = '', signature = ''] = assertion.split('.');
  const header = claims(head);
  const claim = claims(body);
  const invalid = () => new OauthRefusal('invalid_grant', 'invalid assertion');
  if (header?.alg !== 'RS256' || !claim) throw invalid();
  if (claim.iss !== appOf(org).clientId) throw new OauthRefusal('invalid_client_id', 'client identifier invalid');
  const keys = org.facts('jwtKey');
  if (keys.length === 0) throw new OauthRefusal('invalid_grant', "user hasn't approved this consumer");
  const isSigned = keys.some(({ pem }) =>
    verify('RSA-SHA256', Buffer.from(`${head}.${body}`), createPublicKey(pem), Buffer.from(signature, 'base64url')),
  );
  if (!isSigned) throw invalid();
  const audiences = ['https://login.salesforce.com', 'https://test.salesforce.com', origin];
  if (!audiences.includes(String(claim.aud).replace(/\/$/, '')))
    throw new OauthRefusal('invalid_grant', 'Audience validation failed');
  if (!(Number(claim.exp) * 1000 > org.now())) throw new OauthRefusal('invalid_grant', 'expired authorization code');
  // No longer than three minutes, for which some slack is left to clocks.
  if (Number(claim.exp) * 1000 > org.now() + LONGEST_ASSERTION_MS) throw invalid();
  const user = userNamed(org, String(claim.sub));
  if (!user) throw new OauthRefusal('invalid_grant', "user hasn't approved this consumer");
  return issueSession(org, { userId: user.Id, origin, scope: 'api' });
}

function claims(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    // JSON objects are records; anything else has no claims.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function checkClient(org: Org, { headers }: Incoming, form: Form, needsSecret: boolean): void {
  const { clientId, clientSecret } = appOf(org);
  const basic = /^Basic (.+)$/i.exec(headers.get('authorization') ?? '')?.[1];
  const [id = '', secret = ''] = basic
    ? Buffer.from(basic, 'base64').toString().split(':')
    : [form('client_id'), form('client_secret')];
  if (id !== clientId) throw new OauthRefusal('invalid_client_id', 'client identifier invalid');
  // An app used with PKCE may go without a secret; a wrong one is refused all the same.
  if (secret === '' && !needsSecret) return;
  if (!isSameText(secret, clientSecret)) throw new OauthRefusal('invalid_client', 'invalid client credentials');
}

function formOf({ text }: Incoming): Form {
  const form = new URLSearchParams(text);
  return (name) => form.get(name) ?? '';
}

function answered(work: () => unknown): Outgoing {
  try {
    return json(200, work(), uncached);
  } catch (error) {
    if (!(error instanceof OauthRefusal)) throw error;
    return json(400, { error: error.error, error_description: error.message }, uncached);
  }
}
