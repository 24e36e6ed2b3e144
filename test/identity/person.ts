import { createHash, randomBytes } from 'node:crypto';
import { request as send } from 'node:http';
import { createMcpHttp, type McpHttpDeps } from '../../src/mcp/http.ts';
import { type Answer, type Door, openDoor, type SignedIn } from '../support/door.ts';
import type { World, WorldOptions } from '../support/world.ts';

/** A person with a browser, and a program that wants to act for them: each step of OAuth as it goes over the wire. */

/** A world with its doors open, MCP among them. */
export function openIdentityDoor(options: WorldOptions = {}, more: Pick<McpHttpDeps, 'watchMs'> = {}): Promise<Door> {
  return openDoor(options, ({ app }: World) => ({ mcp: createMcpHttp({ ...app, ...more }) }));
}

export const REDIRECT = 'http://localhost:7777/callback';

export interface Program {
  readonly clientId: string;
  readonly redirect: string;
  readonly verifier: string;
  readonly challenge: string;
}

export async function register(
  door: Door,
  redirects: readonly string[] = [REDIRECT],
  name = 'A program',
): Promise<Program> {
  const json = { client_name: name, redirect_uris: redirects };
  const { json: client } = await door.ask('POST', '/oauth/register', { json });
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  return { clientId: client?.client_id ?? '', redirect: redirects[0] ?? REDIRECT, verifier, challenge };
}

/** The address that a program opens in the browser; `undefined` leaves a parameter out. */
export function authorizeAt(
  door: Door,
  program: Program,
  more: Readonly<Record<string, string | undefined>> = {},
): string {
  const parameters = {
    response_type: 'code',
    client_id: program.clientId,
    redirect_uri: program.redirect,
    code_challenge: program.challenge,
    code_challenge_method: 'S256',
    state: 'kept by the program',
    resource: `${door.url}/mcp`,
    ...more,
  };
  const given = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return `/oauth/authorize?${new URLSearchParams(given as [string, string][])}`;
}

/** What the program hears on its way back. */
export function heard(answer: Answer): URLSearchParams {
  return new URL(answer.headers.get('location') ?? 'about:blank').searchParams;
}

/** Opens the question, looks at it and answers it. */
export async function consent(
  door: Door,
  program: Program,
  as: SignedIn,
  answer: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, string | undefined>> = {},
): Promise<Answer> {
  const question = await door.ask('GET', authorizeAt(door, program, more), { as });
  const page = question.headers.get('location') ?? '';
  if (!page.startsWith('/oauth/authorize?')) return question;
  await door.ask('GET', page, { as });
  const request = new URLSearchParams(page.split('?')[1]).get('request') ?? '';
  const form = { csrf: as.csrf, request, answer: 'allow', bot: door.world.bot, write: 'yes', ...answer };
  return door.ask('POST', '/oauth/consent', { as, form });
}

export async function exchange(
  door: Door,
  program: Program,
  code: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const form = {
    grant_type: 'authorization_code',
    client_id: program.clientId,
    redirect_uri: program.redirect,
    code,
    code_verifier: program.verifier,
    ...more,
  };
  return door.ask('POST', '/oauth/token', { form });
}

export async function refresh(
  door: Door,
  program: Program,
  refreshToken: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const form = { grant_type: 'refresh_token', client_id: program.clientId, refresh_token: refreshToken, ...more };
  return door.ask('POST', '/oauth/token', { form });
}

export interface Tokens {
  readonly access: string;
  readonly refresh: string;
}

/** The whole way, for a person of this browser. */
export async function signInto(
  door: Door,
  program: Program,
  as: SignedIn,
  answer: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, string | undefined>> = {},
): Promise<Tokens> {
  const code = heard(await consent(door, program, as, answer, more)).get('code') ?? '';
  const { json } = await exchange(door, program, code);
  return { access: json.access_token, refresh: json.refresh_token };
}

/** One tool call at the MCP address, without a session. */
export async function callTool(
  door: Door,
  token: string,
  name: string,
  args: object,
  { path = '/mcp', headers = {} }: { readonly path?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const answer = await door.ask('POST', path, {
    key: token,
    json: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } },
    headers: { accept: 'application/json, text/event-stream', ...headers },
  });
  const event = /^data: (.*)$/m.exec(answer.text)?.[1];
  return event === undefined ? answer : { ...answer, json: JSON.parse(event) };
}

/** With a Host that `fetch` would not let us choose. */
export function askAs(
  url: string,
  path: string,
  host: string,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = send(url + path, { headers: { host }, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end();
  });
}
