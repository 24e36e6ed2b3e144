import { isIP } from 'node:net';
import { z } from 'zod';
import { sha256 } from '../domain/canonical-json.ts';
import { parseJson } from '../domain/json-shape.ts';
import { OAuthRefusal } from '../domain/oauth-refusal.ts';
import { oneLine } from '../domain/safe-text.ts';
import type { OAuthClient, ReadDocument } from '../ports/identity.ts';
import type { Log } from '../ports/log.ts';
import { PINNED } from './pinned.ts';
import { isUsableRedirect, MOST_NAME, MOST_REDIRECT } from './redirects.ts';

/**
 * Programs whose id is the address of a document about them (draft-ietf-oauth-client-id-metadata-document). Anybody may name
 * an address, so that little is read, seldom, and nothing of what only our network knows is told to who named it.
 */
export interface ClientDocuments {
  /** Throws `OAuthRefusal`: what is wrong with the document, in words for whoever publishes it. */
  find(clientId: string): Promise<OAuthClient>;
}

export interface ClientDocumentsDeps {
  readonly readDocument: ReadDocument;
  readonly now: () => number;
  readonly log: Log;
}

const SHORTEST_MS = 5 * 60_000;
const LONGEST_MS = 24 * 3_600_000;
const FAILURE_MS = 60_000;
const MOST_KEPT = 200;
const MOST_A_MINUTE = 30;
const MOST_ADDRESS = 500;
const MOST_REDIRECTS = 50;

type Known = { readonly client: OAuthClient } | { readonly refused: OAuthRefusal };

interface Kept {
  readonly known: Promise<Known>;
  /** Infinite while it is being read: one request per address, however many ask. */
  until: number;
}

export function createClientDocuments({ readDocument, now, log }: ClientDocumentsDeps): ClientDocuments {
  const kept = new Map<string, Kept>();
  let minute = 0;
  let reads = 0;

  const mayRead = (): boolean => {
    const current = Math.floor(now() / 60_000);
    if (current !== minute) reads = 0;
    minute = current;
    reads += 1;
    return reads <= MOST_A_MINUTE;
  };

  const read = async (clientId: string, url: URL): Promise<Known & { readonly forMs: number }> => {
    try {
      const answer = await readDocument(url, { headers: { accept: 'application/json' } }).catch((error: unknown) => {
        // Whoever named the address is not told what stands in our network, nor what our names lead to.
        log.info('the document of a program was not read', { host: url.host, error: String(error) });
        throw unusable('it could not be read from here');
      });
      return { client: clientOf(clientId, answer), forMs: keptFor(answer.headers['cache-control'] ?? '') };
    } catch (error) {
      if (!(error instanceof OAuthRefusal)) throw error;
      return { refused: error, forMs: FAILURE_MS };
    }
  };

  const lookUp = (clientId: string, url: URL): Promise<Known> => {
    const before = kept.get(clientId);
    if (before !== undefined && before.until > now()) return before.known;
    if (!mayRead()) throw unusable('too many documents were asked for in this minute: wait a little');
    const entry: Kept = {
      known: read(clientId, url).then((known) => {
        entry.until = now() + known.forMs;
        return known;
      }),
      until: Number.POSITIVE_INFINITY,
    };
    // What failed in us is asked anew.
    entry.known.catch(() => kept.delete(clientId));
    kept.delete(clientId);
    kept.set(clientId, entry);
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    return entry.known;
  };

  return {
    async find(clientId) {
      const pinned = PINNED.get(clientId);
      if (pinned !== undefined)
        return { ...pinned, key: sha256(clientId), document: { host: new URL(clientId).host, isPinned: true } };
      const known = await lookUp(clientId, documentAddress(clientId));
      if ('refused' in known) throw known.refused;
      return known.client;
    },
  };
}

export const isDocumentId = (clientId: string): boolean => clientId.startsWith('https://');

/** Written the one way that there is to write it: another spelling of an address is how a host is hidden. */
function documentAddress(clientId: string): URL {
  const url = clientId.length <= MOST_ADDRESS && URL.canParse(clientId) ? new URL(clientId) : undefined;
  const isPlain =
    url !== undefined &&
    url.href === clientId &&
    url.protocol === 'https:' &&
    [url.port, url.username, url.password, url.search, url.hash].every((part) => part === '') &&
    url.pathname !== '/' &&
    !/[?#]/.test(clientId);
  if (url === undefined || !isPlain)
    throw new OAuthRefusal(
      'invalid_client',
      'The client_id is no usable address of a document: https, a name, a path, and nothing else.',
    );
  const { hostname } = url;
  if (isIP(hostname) !== 0 || hostname.startsWith('[') || !/^[^.].*\.[^.\d][^.]*$/.test(hostname))
    throw new OAuthRefusal('invalid_client', 'The client_id names no host of the internet.');
  return url;
}

const document = z.looseObject({
  client_id: z.string(),
  client_name: z.string().optional(),
  redirect_uris: z.array(z.string()).min(1),
  token_endpoint_auth_method: z.string().optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
});

function clientOf(clientId: string, { status, headers, text }: Awaited<ReturnType<ReadDocument>>): OAuthClient {
  // A redirect would say that another host speaks for this one.
  if (status !== 200) throw unusable(`its address answered ${status}`);
  if (!/^application\/(?:[\w.-]+\+)?json *(?:;|$)/i.test(headers['content-type'] ?? ''))
    throw unusable('it is no JSON');
  const read = document.safeParse(parsed(text));
  if (!read.success) throw unusable('it is no JSON object with client_id and redirect_uris');
  const { client_id, client_name = '', redirect_uris, ...more } = read.data;
  if (client_id !== clientId) throw unusable('its client_id is another than its address');
  if ('client_secret' in more || 'client_secret_expires_at' in more)
    throw unusable('it holds a secret for all to read');
  const methods = [more.token_endpoint_auth_method ?? 'none', ...(more.token_endpoint_auth_methods_supported ?? [])];
  if (!methods.includes('none')) throw unusable('the program cannot do without a secret or key of its own');
  const redirects = [...new Set(redirect_uris)].filter((one) => one.length <= MOST_REDIRECT && isUsableRedirect(one));
  if (redirects.length === 0 || redirects.length > MOST_REDIRECTS)
    throw unusable('none of its redirects can be used: https, or http on localhost, without user and fragment');
  const { host } = new URL(clientId);
  return {
    key: sha256(clientId),
    name: oneLine(client_name, MOST_NAME),
    redirects,
    document: { host, isPinned: false },
  };
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function keptFor(cacheControl: string): number {
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(cacheControl)?.[1];
  if (seconds === undefined || /no-(?:store|cache)/i.test(cacheControl)) return SHORTEST_MS;
  return Math.min(Math.max(Number(seconds) * 1_000, SHORTEST_MS), LONGEST_MS);
}

const unusable = (why: string) =>
  new OAuthRefusal('invalid_client', `The document that this program names cannot be used: ${why}.`);
