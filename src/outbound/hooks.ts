import { lookup } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import type { Reach } from './addresses.ts';
import { AddressRefused, forbidden, hostOf, within } from './judged-lookup.ts';

/**
 * Where messages leave towards an address that an operator named. What only this machine or network reaches is refused unless
 * it was opened, by the address that is connected to: a name may lead elsewhere at each look.
 */
export interface Hooks {
  /** Why nothing goes there, in words; undefined where it may. */
  refuse(bot: string, url: URL): Promise<string | undefined>;
  /** The status of the answer, of which nothing else is read. Follows no redirect. Throws `AddressRefused` before it connects. */
  post(
    bot: string,
    url: URL,
    message: {
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly signal: AbortSignal;
    },
  ): Promise<number>;
}

export interface HooksDeps {
  /** How far a bot's messages may go. */
  readonly mayReach: (bot: string) => Promise<Reach>;
  /** Our own address: nothing is sent to ourselves. */
  readonly ownUrl: string;
}

const LOOK_UP_MS = 3_000;

export function createHooks({ mayReach, ownUrl }: HooksDeps): Hooks {
  const own = new URL(ownUrl);

  return {
    async refuse(bot, url) {
      if (isSame(own, url)) return 'It is our own address.';
      const may = await mayReach(bot);
      const host = hostOf(url);
      const addresses = isIP(host) ? [host] : await addressesOf(host);
      return addresses.map((address) => forbidden(address, may)).find((problem) => problem !== undefined);
    },

    async post(bot, url, { headers, body, signal }) {
      const may = await mayReach(bot);
      const host = hostOf(url);
      // Numbers are connected to without being looked up.
      const problem = isSame(own, url) ? 'It is our own address.' : isIP(host) ? forbidden(host, may) : undefined;
      if (problem !== undefined) throw new AddressRefused(problem);
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      return new Promise((resolve, reject) => {
        const sent = send(url, { method: 'POST', headers, signal, agent: false, lookup: within(may) }, (response) => {
          resolve(response.statusCode ?? 0);
          response.on('error', () => {});
          response.destroy();
        });
        sent.on('error', reject);
        // An answer like any other: nothing of ours asks for another protocol.
        sent.once('upgrade', (response, socket) => {
          socket.destroy();
          resolve(response.statusCode ?? 0);
        });
        // Every end has a word, and nobody waits beyond the deadline: a socket may close without an answer and without an error.
        const end = () => reject(new Error('The request was ended.', { cause: signal.reason }));
        signal.addEventListener('abort', end, { once: true });
        sent.once('close', () => {
          signal.removeEventListener('abort', end);
          reject(new Error('The connection closed without an answer.'));
        });
        sent.end(body);
      });
    },
  };
}

/** Empty where the name leads nowhere now: it is looked up again for each message. */
function addressesOf(host: string): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve([]), LOOK_UP_MS);
    late.unref();
    lookup(host, { all: true }, (error, found) => {
      clearTimeout(late);
      resolve(error ? [] : found.map(({ address }) => address));
    });
  });
}

const LOCAL = new Set(['localhost', '127.0.0.1', '::1', '0.0.0.0', '::']);

function isSame(own: URL, url: URL): boolean {
  const portOf = ({ port, protocol }: URL) => port || (protocol === 'https:' ? '443' : '80');
  const [ours, theirs] = [hostOf(own), hostOf(url)];
  return portOf(own) === portOf(url) && (ours === theirs || (LOCAL.has(ours) && LOCAL.has(theirs)));
}
