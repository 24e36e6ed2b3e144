import { errorAnswer } from '../../src/domain/answers.ts';
import type { HttpDeps } from '../../src/http/deps.ts';
import { listen } from '../../src/http/server.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

/** A world with its HTTP door open on a real port, and everybody who may knock. */
export interface Door extends AsyncDisposable {
  readonly world: World;
  readonly url: string;
  readonly keys: { readonly agent: string; readonly host: string };
  /** A key of a new operator with this role. */
  operatorKey(role: string): Promise<string>;
  /** A signed-in browser of a new operator with this role. */
  signIn(role?: string): Promise<SignedIn>;
  signInToken(role?: string): Promise<string>;
  ask(method: string, path: string, given?: Given): Promise<Answer>;
}

export interface SignedIn {
  readonly cookie: string;
  readonly csrf: string;
  readonly name: string;
}

export interface Given {
  readonly key?: string;
  /** Cookie and CSRF header of a session. */
  readonly as?: SignedIn;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // What a route answers is for the test to know.
  // biome-ignore lint/suspicious/noExplicitAny: free-form JSON answers
  readonly json: any;
}

export async function openDoor(
  options: WorldOptions = {},
  more: (world: World) => Partial<HttpDeps> | Promise<Partial<HttpDeps>> = () => ({}),
): Promise<Door> {
  const world = await createWorld(options);
  const { app } = world;
  const server = await listen({ ...app, ...(await more(world)) }, { host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${server.port}`;
  let count = 0;
  const operator = async (role: string) => {
    count += 1;
    const name = `${role}-${count}`;
    return { name, key: await app.access.createOperator(name, role) };
  };
  const ask: Door['ask'] = async (method, path, { key, as, json, form, text, headers } = {}) => {
    const body = json !== undefined ? JSON.stringify(json) : form ? new URLSearchParams(form).toString() : text;
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(as === undefined ? {} : { cookie: as.cookie, 'x-csrf-token': as.csrf }),
        ...(json !== undefined ? { 'content-type': 'application/json' } : {}),
        ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const answer = await response.text();
    const isJson = /^application\/json(;|$)/.test(response.headers.get('content-type') ?? '');
    const read = isJson ? JSON.parse(answer) : undefined;
    if (!response.ok && isJson && path.startsWith('/api/')) errorAnswer.parse(read);
    return { status: response.status, headers: response.headers, text: answer, json: read };
  };

  return {
    world,
    url,
    keys: { agent: await app.access.issueKey('agent', world.bot), host: await app.access.issueKey('host', world.bot) },
    operatorKey: async (role) => (await operator(role)).key,
    async signInToken(role = 'admin') {
      return (await app.access.signInToken((await operator(role)).name)).token;
    },
    async signIn(role = 'admin') {
      const { name } = await operator(role);
      // Straight through the door's own parts: the tries of the sign-in route are counted.
      const { cookie, session } = await app.access.redeem((await app.access.signInToken(name)).token);
      return { cookie: `gatehouse=${cookie}`, csrf: session.csrf, name };
    },
    ask,
    async [Symbol.asyncDispose]() {
      await server.close();
      await world[Symbol.asyncDispose]();
    },
  };
}

/** An opportunity that waits for a yes; answers the proposal's id and the record's. */
export async function proposeMove(
  world: World,
  args: Readonly<Record<string, unknown>> = { stageName: 'Negotiation/Review' },
): Promise<{ readonly id: string; readonly recordId: string }> {
  const open = (await world.records('Opportunity')).find(
    ({ IsClosed, StageName }) => IsClosed !== true && StageName !== 'Negotiation/Review',
  );
  if (typeof open?.Id !== 'string') throw new Error('the seed has no open opportunity');
  const envelope = await world.call('UpdateOpportunity', { id: open.Id, ...args });
  if (envelope.proposal === undefined) throw new Error(`expected to wait, got ${JSON.stringify(envelope)}`);
  return { id: envelope.proposal.id, recordId: open.Id };
}
