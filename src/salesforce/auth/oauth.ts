import { createHash, createSign } from 'node:crypto';
import { GatehouseError } from '../../domain/errors.ts';
import { isRecord } from '../../domain/is-record.ts';
import type { Config } from '../../ports/config.ts';
import { toFailure } from '../transport/failures.ts';
import { SIMULATED } from '../transport/hosts.ts';
import type { Answer, Transport } from '../transport/http.ts';
import { UpstreamError } from '../transport/upstream-error.ts';
import { signInFailure } from './sign-in-failures.ts';

/** The sign-in flows: https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flows.htm */

/** A slow answer's Date is older than this seldom, and costs one question more. */
const OFF_MS = 5_000;

const SCOPES = 'api refresh_token';

/** What of a sign-in is no secret; whatever else is sent is kept out of what is told of a refusal. */
const PLAIN: ReadonlySet<string> = new Set(['grant_type', 'client_id', 'redirect_uri', 'username']);

/** The login of the embedded simulated org; it guards toys only. */
const SIMULATED_LOGIN = { client_id: 'sim', client_secret: 'sim', username: 'admin@sim.example', password: 'sim' };

export interface Grant {
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** As Salesforce gave it; the caller judges the host. Empty where a refresh left it out. */
  readonly instanceUrl: string;
  /** From the identity address; empty where it is missing. */
  readonly orgId: string;
  readonly userId: string;
  readonly scopes: string;
}

export interface OAuth {
  /** Where the browser goes; the verifier stays here. */
  authorizeUrl(
    base: string,
    ask: {
      readonly redirectUri: string;
      readonly state: string;
      readonly verifier: string;
      /** Default: API, and to go on without a person. */
      readonly scope?: 'api';
      /** Whoever is signed in there already is asked who they are. */
      readonly isAsked?: true;
    },
  ): string;
  redeem(
    base: string,
    got: { readonly code: string; readonly redirectUri: string; readonly verifier: string },
  ): Promise<Grant>;
  refresh(base: string, refreshToken: string): Promise<Grant>;
  jwt(base: string, login: { readonly username: string; readonly privateKey: string }): Promise<Grant>;
  clientCredentials(base: string): Promise<Grant>;
  password(base: string, login: { readonly username: string; readonly password: string }): Promise<Grant>;
  simulated(): Promise<Grant>;
  /** Of a session whose grant did not say it in words that can be read; throws where the org does not say it either. */
  orgOf(instanceUrl: string, accessToken: string): Promise<string>;
  /** False when Salesforce did not confirm it. */
  revoke(base: string, token: string): Promise<boolean>;
}

export function createOAuth(deps: {
  readonly transport: Transport;
  readonly config: Pick<Config['salesforce'], 'clientId' | 'clientSecret'>;
  readonly now: () => number;
}): OAuth {
  const { transport, config, now } = deps;

  function client(): Record<string, string> {
    if (!config.clientId) {
      throw new GatehouseError('config_invalid', 'No SALESFORCE_CLIENT_ID is set, so no real org can be connected.', {
        next: 'Create an External Client App as docs/connect.md tells, and set SALESFORCE_CLIENT_ID (and SALESFORCE_CLIENT_SECRET where the app requires it).',
      });
    }
    return { client_id: config.clientId, ...(config.clientSecret ? { client_secret: config.clientSecret } : {}) };
  }

  function post(base: string, path: string, form: Record<string, string>): Promise<Answer> {
    return transport.exchange({
      method: 'POST',
      base,
      path,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
      secrets: Object.keys(form).flatMap((name) => (PLAIN.has(name) ? [] : [form[name] ?? ''])),
      isRead: true,
    });
  }

  const ask = (base: string, form: Record<string, string>) => post(base, '/services/oauth2/token', form);

  const token = async (base: string, form: Record<string, string>) => toGrantOrFailure(await ask(base, form));

  function toGrantOrFailure(answer: Answer): Grant {
    const { status, json } = answer;
    if (status < 300) return toGrant(json);
    // Busy or broken, whatever the body says of it.
    const failure = status >= 500 || status === 429 ? toFailure(answer, true) : undefined;
    if (failure) throw failure;
    // In OAuth's own shape only: a page of a proxy, or an error of the data API, says nothing of the grant.
    if (!isRecord(json) || typeof json.error !== 'string') throw notSalesforce();
    const { error, error_description: description } = json;
    throw signInFailure(error, typeof description === 'string' ? description : '');
  }

  return {
    authorizeUrl(base, { redirectUri, state, verifier, scope = SCOPES, isAsked }) {
      const url = new URL('/services/oauth2/authorize', transport.origin(base));
      url.search = new URLSearchParams({
        response_type: 'code',
        client_id: client().client_id ?? '',
        redirect_uri: redirectUri,
        scope,
        ...(isAsked ? { prompt: 'login' } : {}),
        state,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      }).toString();
      return url.href;
    },
    redeem: (base, { code, redirectUri, verifier }) =>
      token(base, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
        ...client(),
      }),
    refresh: (base, refreshToken) =>
      token(base, { grant_type: 'refresh_token', refresh_token: refreshToken, ...client() }),
    async jwt(base, { username, privateKey }) {
      const by = (ms: number) => {
        const exp = Math.floor(ms / 1000) + 180;
        const claims = { iss: client().client_id, sub: username, aud: transport.origin(base), exp };
        const assertion = signJwt(claims, privateKey);
        return ask(base, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
      };
      const answer = await by(now());
      // It may be our clock alone that is refused: signed once more by the one that refused it.
      const theirs = Date.parse(answer.header('date') ?? '');
      const isOff = answer.status === 400 && Math.abs(theirs - now()) > OFF_MS;
      return toGrantOrFailure(isOff ? await by(theirs) : answer);
    },
    async clientCredentials(base) {
      if (/^https:\/\/(login|test)\.salesforce\.com$/.test(transport.origin(base))) {
        throw signInFailure('invalid_grant', 'request not supported on this domain');
      }
      if (!config.clientSecret) {
        throw new GatehouseError('config_invalid', 'The client credentials flow needs SALESFORCE_CLIENT_SECRET.', {
          next: 'Set it to the Consumer Secret of the app and try again.',
        });
      }
      return token(base, { grant_type: 'client_credentials', ...client() });
    },
    password: (base, login) => token(base, { grant_type: 'password', ...login, ...client() }),
    simulated: () => token(SIMULATED, { grant_type: 'password', ...SIMULATED_LOGIN }),
    async orgOf(base, accessToken) {
      const headers = { authorization: `Bearer ${accessToken}` };
      const path = '/services/oauth2/userinfo';
      const { status, json } = await transport.exchange({ method: 'GET', base, path, headers, isRead: true });
      const id = status === 200 && isRecord(json) ? json.organization_id : undefined;
      if (typeof id === 'string' && ORG_ID.test(id)) return id;
      throw new UpstreamError(
        'salesforce_unavailable',
        'The renewed Salesforce session does not say of which org it is.',
        {
          next: 'Try again in a minute; if it stays so, tell the operator.',
          operator:
            'Something between here and Salesforce changes its answers: look at the proxy, then connect the bot again.',
          outcome: 'not_sent',
          infrastructure: true,
          retryable: true,
        },
      );
    },
    async revoke(base, value) {
      try {
        return (await post(base, '/services/oauth2/revoke', { token: value })).status === 200;
      } catch (error) {
        if (error instanceof UpstreamError) return false;
        throw error;
      }
    },
  };
}

/** What a header can carry: a token that cannot be sent would stand as a session that nothing renews. */
const TOKEN = /^[\x21-\x7e]{1,10000}$/;

const ORG_ID = /^00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?$/;

function toGrant(json: unknown): Grant {
  const body = isRecord(json) ? json : {};
  const text = (name: string) => (typeof body[name] === 'string' ? body[name] : '');
  const [, orgId = '', userId = ''] =
    /\/id\/(00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?)\/([A-Za-z0-9]{15,18})\/?$/.exec(text('id')) ?? [];
  // The body may hold a token: not a word of it is repeated.
  if (!TOKEN.test(text('access_token')) || (text('refresh_token') !== '' && !TOKEN.test(text('refresh_token'))))
    throw notSalesforce();
  return {
    accessToken: text('access_token'),
    ...(text('refresh_token') ? { refreshToken: text('refresh_token') } : {}),
    instanceUrl: text('instance_url'),
    orgId,
    userId,
    scopes: text('scope'),
  };
}

export function notSalesforce(): UpstreamError {
  return new UpstreamError('salesforce_error', 'The answer to the sign-in is not one that Salesforce gives.', {
    next: 'Check that the login address points to Salesforce and not to a proxy page.',
    outcome: 'refused',
  });
}

function signJwt(claims: Record<string, unknown>, privateKey: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'RS256' })}.${part(claims)}`;
  try {
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
  } catch {
    // The cause could quote the key.
    throw new GatehouseError('invalid_input', 'The private key cannot be used for signing.', {
      next: 'Give the PEM text of an unencrypted RSA key whose certificate is uploaded to the app.',
    });
  }
}
