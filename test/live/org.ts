import { createSign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** A real org, asked over plain HTTP: nothing of Gatehouse stands between a fact and its answer. */

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what an org answers is what is being asked
  readonly json: any;
}

export interface Ask {
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LiveOrg {
  readonly origin: string;
  readonly orgId: string;
  readonly userId: string;
  readonly username: string;
  readonly token: string;
  /** Stands in every name that this run gives. */
  readonly run: string;
  readonly settings: LiveSettings;
  /** From the root of the org on, as nobody in particular unless the headers say it. */
  open(method: string, path: string, ask?: Ask): Promise<Answer>;
  /** Below `/services/data/vXX.0`, with the session. */
  api(method: string, path: string, ask?: Ask): Promise<Answer>;
  query(soql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** A record with a name of this run; answers its id. */
  create(object: string, fields: Readonly<Record<string, unknown>>): Promise<string>;
  /** Asks until it says something else than undefined; undefined where it never does. */
  until<T>(look: () => Promise<T | undefined>, tries?: number): Promise<T | undefined>;
}

export interface LiveSettings {
  readonly loginUrl: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly jwtKeyFile: string | undefined;
  /** One that the app in the org names. */
  readonly callback: string | undefined;
  readonly version: string;
  readonly pauseMs: number;
}

export const PREFIX = 'GHLive';

/** Settings of its own, so that those of an installation never lead here. Throws what is missing, in words. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): LiveSettings {
  if (env.CI !== undefined && env.CI !== '' && env.CI !== 'false')
    throw new Error('This asks a real org and never runs in CI.');
  const { LIVE_LOGIN_URL: loginUrl, LIVE_CLIENT_ID: clientId } = env;
  if (!loginUrl || !clientId)
    throw new Error('Set LIVE_LOGIN_URL and LIVE_CLIENT_ID, and one way to sign in: docs/live.md says how.');
  const settings = {
    loginUrl: loginUrl.replace(/\/+$/, ''),
    clientId,
    clientSecret: env.LIVE_CLIENT_SECRET,
    username: env.LIVE_USERNAME,
    password: env.LIVE_PASSWORD,
    jwtKeyFile: env.LIVE_JWT_KEY_FILE,
    callback: env.LIVE_CALLBACK,
    version: env.LIVE_API_VERSION ?? 'v66.0',
    pauseMs: Number(env.LIVE_PAUSE_MS ?? 2_000),
  };
  const { protocol, hostname } = new URL(settings.loginUrl);
  if (protocol !== 'https:' && hostname !== '127.0.0.1') throw new Error('LIVE_LOGIN_URL begins with https.');
  if (settings.username === undefined && settings.clientSecret === undefined)
    throw new Error(
      'Set LIVE_CLIENT_SECRET (client credentials), or LIVE_USERNAME with LIVE_JWT_KEY_FILE or LIVE_PASSWORD.',
    );
  return settings;
}

async function formOf(settings: LiveSettings): Promise<Record<string, string>> {
  const { clientId, clientSecret, username, password, jwtKeyFile, loginUrl } = settings;
  const app = { client_id: clientId, ...(clientSecret === undefined ? {} : { client_secret: clientSecret }) };
  if (username !== undefined && jwtKeyFile !== undefined) {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: clientId, sub: username, aud: loginUrl, exp: Math.floor(Date.now() / 1000) + 180 };
    const signed = `${part({ alg: 'RS256' })}.${part(claims)}`;
    const signature = createSign('RSA-SHA256')
      .update(signed)
      .sign(await readFile(jwtKeyFile, 'utf8'), 'base64url');
    return { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: `${signed}.${signature}` };
  }
  if (username !== undefined) return { grant_type: 'password', username, password: password ?? '', ...app };
  return { grant_type: 'client_credentials', ...app };
}

/** Signs in, and refuses every org but a Developer Edition. */
export async function openLiveOrg(settings: LiveSettings, run: string): Promise<LiveOrg> {
  const { loginUrl, version } = settings;
  const granted = await send('POST', `${loginUrl}/services/oauth2/token`, form(await formOf(settings)));
  if (granted.status !== 200)
    throw new Error(
      `The sign-in was refused: ${granted.json?.error ?? granted.status} (${granted.json?.error_description ?? ''}).`,
    );
  const { access_token: token, instance_url, id } = granted.json;
  const origin = String(instance_url).replace(/\/+$/, '');
  const [orgId = '', userId = ''] = String(id).split('/').slice(-2);
  const open: LiveOrg['open'] = (method, path, ask) => send(method, origin + path, ask);
  const api: LiveOrg['api'] = (method, path, { headers, ...ask } = {}) =>
    open(method, `/services/data/${version}${path}`, {
      ...ask,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
  const query: LiveOrg['query'] = async (soql) => {
    const { status, json } = await api('GET', `/query?q=${encodeURIComponent(soql)}`);
    if (status !== 200) throw new Error(`${soql}: ${status} ${json?.[0]?.errorCode ?? ''}`);
    return json.records;
  };
  const [organization] = await query('SELECT OrganizationType, IsSandbox FROM Organization');
  if (organization?.OrganizationType !== 'Developer Edition')
    throw new Error(
      `This org is a ${organization?.OrganizationType ?? 'kind that it does not say'}: only a Developer Edition is written to. Nothing was done.`,
    );
  const [user] = await query(`SELECT Username FROM User WHERE Id = '${userId}'`);
  return {
    ...{ origin, orgId, userId, username: String(user?.Username), token, run, settings, open, api, query },
    async create(object, fields) {
      const { status, json } = await api('POST', `/sobjects/${object}`, { json: fields });
      if (status !== 201) throw new Error(`${object} was not created: ${json?.[0]?.errorCode ?? status}`);
      return json.id;
    },
    async until(look, tries = 30) {
      for (let left = tries; left > 0; left--) {
        const found = await look();
        if (found !== undefined) return found;
        await delay(settings.pauseMs);
      }
      return undefined;
    },
  };
}

export const form = (fields: Readonly<Record<string, string>>): Ask => ({
  body: new URLSearchParams(fields).toString(),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

async function send(method: string, url: string, { json, body, headers }: Ask = {}): Promise<Answer> {
  const sent = json === undefined ? body : JSON.stringify(json);
  const response = await fetch(url, {
    ...{ method, redirect: 'manual', signal: AbortSignal.timeout(180_000) },
    headers: {
      accept: 'application/json',
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
  });
  const text = await response.text();
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    read = undefined;
  }
  return { status: response.status, headers: response.headers, text, json: read };
}
