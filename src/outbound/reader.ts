import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import type { Reach } from './addresses.ts';
import { AddressRefused, forbidden, hostOf, type LookUp, within } from './judged-lookup.ts';

/** Reads an address that a stranger named: bounded in where it leads, in time and in size. Follows no redirect, keeps no cookie. */
export type Reader = (
  url: URL,
  asked?: {
    readonly method?: 'GET' | 'POST';
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  },
) => Promise<ReadAnswer>;

/** Header names are lower case. */
export interface ReadAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface ReaderDeps {
  /** How far it may go. */
  readonly reach: Reach;
  /** For one request with its answer, ms. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Default: the names of this machine. */
  readonly lookup?: LookUp;
}

/** Rejects with `AddressRefused` before anything connects, with an `Error` where there was no whole answer. */
export function createReader({ reach, timeoutMs, maxBytes, lookup }: ReaderDeps): Reader {
  return (url, { method = 'GET', headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const host = hostOf(url);
      // Numbers are connected to without being looked up.
      const problem = isIP(host) ? forbidden(host, reach) : undefined;
      if (problem !== undefined) return reject(new AddressRefused(problem));
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      const signal = AbortSignal.timeout(timeoutMs);
      const sent = send(url, { method, headers, signal, agent: false, lookup: within(reach, lookup) }, (answer) => {
        const parts: Buffer[] = [];
        let size = 0;
        const end = (error: Error) => {
          reject(error);
          sent.destroy();
        };
        if ((answer.headers['content-encoding'] ?? 'identity') !== 'identity')
          return end(new Error('The answer is compressed, which was not asked for.'));
        answer.on('data', (part: Buffer) => {
          size += part.length;
          if (size > maxBytes) end(new Error(`The answer is longer than ${maxBytes} bytes.`));
          else parts.push(part);
        });
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: Object.fromEntries(
              Object.entries(answer.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
            ),
            text: Buffer.concat(parts).toString('utf8'),
          }),
        );
      });
      sent.on('error', reject);
      // Nothing of ours asks for another protocol.
      sent.once('upgrade', (_, socket) => socket.destroy());
      sent.once('close', () => reject(new Error('The connection closed without a whole answer.')));
      sent.end(body);
    });
}
