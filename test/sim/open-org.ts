/** A served simulated org, with a signed-in caller of its REST API. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { serveSim } from '../../src/sim/server.ts';
import type { SimOptions } from '../../src/sim/sim.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Answers of the wire are compared with expected values, key by key.
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of an HTTP answer has no type until it is asserted.
  readonly body: any;
}

export interface OpenOrg extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  query(soql: string): Promise<Answer>;
  sim(method: string, path: string, body?: unknown): Promise<Answer>;
  as(username: string): Promise<OpenOrg>;
}

export async function openOrg(options: SimOptions = {}): Promise<OpenOrg> {
  const server = await serveSim({ port: 0, ...options });
  return signIn(server.url, 'admin@sim.example', () => server.close());
}

/** One org for all tests of a describe; where `isReset`, as it began before each. */
export function sharedOrg({ isReset = true, ...options }: SimOptions & { readonly isReset?: boolean } = {}) {
  let opened: OpenOrg | undefined;
  beforeAll(async () => {
    opened = await openOrg(options);
  });
  afterAll(() => opened?.[Symbol.asyncDispose]());
  if (isReset) beforeEach(() => there().sim('POST', '/reset'));
  const there = (): OpenOrg => {
    if (opened === undefined) throw new Error('the org opens before the first test, not while tests are listed');
    return opened;
  };
  const org: Omit<OpenOrg, keyof AsyncDisposable> = {
    get url() {
      return there().url;
    },
    get token() {
      return there().token;
    },
    api: (...asked) => there().api(...asked),
    query: (soql) => there().query(soql),
    sim: (...asked) => there().sim(...asked),
    as: (username) => there().as(username),
  };
  return org;
}

async function signIn(url: string, username: string, close: () => Promise<void>): Promise<OpenOrg> {
  const granted = await post(`${url}/services/oauth2/token`, {
    grant_type: 'password',
    client_id: 'sim',
    client_secret: 'sim',
    username,
    password: 'sim',
  });
  const token: string = granted.body.access_token;
  const api: OpenOrg['api'] = (method, path, body, headers = {}) =>
    send(method, path.startsWith('/services') ? url + path : `${url}/services/data/v66.0${path}`, body, {
      Authorization: `Bearer ${token}`,
      ...headers,
    });
  return {
    url,
    token,
    api,
    query: (soql) => api('GET', `/query?q=${encodeURIComponent(soql)}`),
    sim: (method, path, body) => send(method, `${url}/_sim${path}`, body),
    as: (other) => signIn(url, other, async () => {}),
    [Symbol.asyncDispose]: close,
  };
}

export async function post(url: string, form: Record<string, string>): Promise<Answer> {
  return read(await fetch(url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' }));
}

async function send(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
  return read(await fetch(url, { method, headers: { ...type, ...headers }, redirect: 'manual', ...content }));
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : text };
}
