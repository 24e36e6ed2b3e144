import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { GatehouseError } from '../../src/domain/errors.ts';
import type { Connections, Org } from '../../src/ports/salesforce.ts';
import type { Store } from '../../src/ports/store.ts';
import type { TokenVault } from '../../src/ports/tokens.ts';
import { readConfig } from '../../src/runtime/config.ts';
import { type ConnectionDeps, createConnections } from '../../src/salesforce/create-connections.ts';
import { serveSim } from '../../src/sim/server.ts';
import { createSim } from '../../src/sim/sim.ts';
import { openStore } from '../../src/store/open.ts';
import { openTokens } from '../../src/store/secrets/tokens.ts';
import { controlOf } from '../support/control.ts';
import { migratedFile } from '../support/databases.ts';
import { type Clock, createClock } from '../support/world.ts';

/** The room of Salesforce alone: a store, a vault and connections, with a clock that the test moves and waits that take no time. */
export interface OrgWorld extends AsyncDisposable {
  readonly folder: string;
  readonly store: Store;
  readonly vault: TokenVault;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly waits: number[];
  /** What was logged, as one text: secrets must never be in it. */
  readonly logged: string[];
  readonly config: ConnectionDeps['config'];
  /** Another house on the same state, as a second process has it. */
  again(more?: Partial<ConnectionDeps>): Connections;
  open(bot?: string, more?: { background?: boolean; signal?: AbortSignal }): Promise<Org>;
}

export async function createOrgWorld(
  more: Partial<ConnectionDeps> & { readonly env?: Record<string, string> } = {},
): Promise<OrgWorld> {
  const { target, remove } = await migratedFile();
  const folder = path.dirname(target.file);
  const store = await openStore(target);
  const vault = await openTokens({ file: path.join(folder, 'tokens.db') }, 'a secret of this test');
  const clock = createClock();
  const waits: number[] = [];
  const logged: string[] = [];
  const note = (message: string, fields?: object) => void logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const { env, ...deps } = more;
  const { salesforce: config } = readConfig({ SALESFORCE_CLIENT_ID: 'sim', SALESFORCE_CLIENT_SECRET: 'sim', ...env });
  const again = (other: Partial<ConnectionDeps> = {}) =>
    createConnections({
      config,
      requestTimeoutMs: 2_000,
      rows: store.connections,
      values: store.values,
      tokens: vault,
      now: () => clock.now,
      newId: randomUUID,
      random: (bytes) => randomBytes(bytes),
      log: { debug: note, info: note, warn: note, error: note },
      instance: randomUUID(),
      wait: async (ms) => {
        waits.push(ms);
        await new Promise((resolve) => setImmediate(resolve));
      },
      ...deps,
      ...other,
    });
  const connections = again();
  return {
    folder,
    store,
    vault,
    connections,
    clock,
    waits,
    logged,
    config,
    again,
    open: (bot = 'demo', { background = false, signal = new AbortController().signal } = {}) =>
      connections.open(bot, { signal, background }),
    async [Symbol.asyncDispose]() {
      await vault.close();
      await store.close();
      await remove();
    },
  };
}

/** The embedded simulated org in memory, and its control routes. */
export async function createEmbedded(now?: () => number) {
  const sim = await createSim({ origin: 'http://sim.localhost', ...(now ? { now } : {}) });
  return { sim, simulated: async () => sim, control: controlOf(sim) };
}

/** A bot on the embedded simulated org. */
export async function createSimWorld(more: Parameters<typeof createOrgWorld>[0] = {}) {
  const embedded = await createEmbedded();
  const world = await createOrgWorld({ simulated: embedded.simulated, ...more });
  await world.connections.connect('demo', { flow: 'simulated' });
  return {
    ...world,
    ...embedded,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await embedded.sim.close();
    },
  };
}

export type Handler = (request: IncomingMessage & { readonly body: string }, response: ServerResponse) => void;

/** A tiny HTTP server that answers what the test says, byte by byte. */
export async function serve(handler: Handler) {
  const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      handler(Object.assign(request, { body }), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const ORG = '00D5g000004rAbCEAU';
export const USER = '0055g00000AbCdEAAV';

/** A bot connected by password to a server that answers sign-ins like Salesforce and everything else as `handler` says. */
export async function createServedWorld(handler: Handler, more: Partial<ConnectionDeps> = {}) {
  let tokens = 0;
  let tokenAnswer: (() => string) | undefined;
  const server = await serve((request, response) => {
    if (request.url === '/services/oauth2/token') {
      tokens++;
      response.setHeader('content-type', 'application/json;charset=UTF-8');
      response.end(
        tokenAnswer?.() ??
          JSON.stringify({
            access_token: `${ORG.slice(0, 15)}!token${tokens}`,
            instance_url: server.url,
            id: `${server.url}/id/${ORG}/${USER}`,
            token_type: 'Bearer',
            issued_at: '1777620337000',
            signature: 'c2ln',
          }),
      );
    } else if (request.url?.startsWith('/id/') || request.url?.includes('FROM%20Organization')) {
      response.end('{}');
    } else if (request.url === '/services/oauth2/revoke') {
      response.end();
    } else if (request.url === '/services/oauth2/userinfo') {
      response.end(JSON.stringify({ organization_id: ORG }));
    } else handler(request, response);
  });
  const world = await createOrgWorld({
    allowPassword: true,
    ...more,
    env: { SALESFORCE_LOGIN_URL: server.url, SALESFORCE_EXTRA_HOSTS: server.host },
  } as Parameters<typeof createOrgWorld>[0]);
  await world.connections.connect('demo', { flow: 'password', username: 'a@b.example', password: 'pw-secret' });
  server.seen.length = 0;
  return {
    ...world,
    server,
    tokenRequests: () => tokens - 1,
    answerToken(answer: () => string) {
      tokenAnswer = answer;
    },
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A bot signed in through the web flow to a simulated org on a real port. */
export async function createWebWorld(settings: Record<string, unknown> = {}, more: Partial<ConnectionDeps> = {}) {
  const server = await serveSim({ port: 0 });
  const world = await createOrgWorld({
    ...more,
    env: { SALESFORCE_LOGIN_URL: server.url, SALESFORCE_EXTRA_HOSTS: new URL(server.url).host },
  });
  const control = controlOf(server);
  await control('POST', 'settings', settings);
  await signIn(world);
  return {
    ...world,
    url: server.url,
    control,
    tokenRequests: async () =>
      (await control('GET', 'calls')).oauth.filter((call: { path: string }) => call.path.includes('/token')).length,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

/** Plays the person in the browser: opens the authorize page, signs in, comes back with a code. */
export async function signIn(world: Pick<Awaited<ReturnType<typeof createOrgWorld>>, 'connections'>, bot = 'demo') {
  const redirectUri = 'http://localhost:3000/oauth/callback';
  const { url } = await world.connections.begin(bot, { sessionId: 's1', redirectUri });
  const back = await approve(url);
  return world.connections.finish({
    sessionId: 's1',
    state: back.get('state') ?? undefined,
    code: back.get('code') ?? undefined,
    error: back.get('error') ?? undefined,
    errorDescription: back.get('error_description') ?? undefined,
  });
}

/** Somebody signs in at the simulated org and allows it. */
export async function approve(url: string, username = 'admin@sim.example'): Promise<URLSearchParams> {
  const target = new URL(url);
  const form = new URLSearchParams(target.search);
  form.set('username', username);
  form.set('password', 'sim');
  form.set('decision', 'allow');
  const answer = await fetch(target.origin + target.pathname, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  });
  return new URL(answer.headers.get('location') ?? 'http://nowhere/').searchParams;
}

/** The GatehouseError that this must end in. */
export async function refusal(work: Promise<unknown>): Promise<GatehouseError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof GatehouseError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}
