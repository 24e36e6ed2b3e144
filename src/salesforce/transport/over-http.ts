import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/**
 * One request over a socket, on Node's own HTTP: `fetch` takes twice the processor time for the same bytes, more than gate and policy
 * of a read together, and does not say whether a request had left when it failed.
 */

export interface Sending {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
  readonly mostBytes: number;
}

export interface Received {
  readonly status: number;
  header(name: string): string | null;
  readonly text: string;
}

/** Failed before its first byte left: nothing can have come of it. */
export class NeverSent extends Error {}
export class TooLong extends Error {}

export type OverHttp = (sending: Sending) => Promise<Received>;

/** An idle connection is given up before the other side does it: a request on one that closes just then is a lost reply. */
const IDLE_MS = 4_000;
const CONNECT_MS = 10_000;
const unzipped = promisify(gunzip);

export function createOverHttp(): OverHttp {
  // Like Node's own, which know of a proxy where NODE_USE_ENV_PROXY is set.
  const options = { ...https.globalAgent.options, keepAlive: true, timeout: IDLE_MS };
  const [plain, secure] = [new http.Agent(options), new https.Agent(options)];

  return async (sending) => {
    const { message, bytes } = await exchanged(sending, sending.url.protocol === 'http:' ? plain : secure);
    return {
      // An answer has a status.
      status: message.statusCode!,
      header: (name) => message.headers[name.toLowerCase()]?.toString() ?? null,
      text: new TextDecoder().decode(await plainOf(message, bytes, sending.mostBytes)),
    };
  };
}

function exchanged({ url, method, headers, body, signal, mostBytes }: Sending, agent: http.Agent) {
  const { request: open } = agent instanceof https.Agent ? https : http;
  return new Promise<{ readonly message: IncomingMessage; readonly bytes: Buffer }>((resolve, reject) => {
    let hasLeft = false;
    const fail = (cause: unknown) => reject(hasLeft ? cause : new NeverSent('The request never left.', { cause }));
    const sent = { 'accept-encoding': 'gzip', 'user-agent': 'gatehouse', ...headers };
    const request = open(url, { method, headers: sent, agent });
    const end = () => {
      const cause = new Error('The request was ended.');
      request.destroy(cause);
      // Whatever became of the socket: nobody waits beyond the deadline.
      fail(cause);
    };
    let slow: NodeJS.Timeout | undefined;
    signal.addEventListener('abort', end, { once: true });
    request.once('close', () => {
      clearTimeout(slow);
      signal.removeEventListener('abort', end);
      // Every end has a word: a socket may close without an answer and without an error, as after 101.
      fail(new Error('The connection closed without an answer.'));
    });
    request.on('error', fail);
    // Nothing of ours asks for another protocol.
    request.once('upgrade', (_, socket) => socket.destroy());
    request.once('socket', (socket) => {
      const leave = () => {
        clearTimeout(slow);
        hasLeft = true;
      };
      if (!socket.connecting) return leave();
      slow = setTimeout(() => request.destroy(new Error('No connection in time.')), CONNECT_MS);
      return socket.once(open === https.request ? 'secureConnect' : 'connect', leave);
    });
    request.once('response', (message) => {
      const chunks: Buffer[] = [];
      let length = 0;
      message.on('data', (chunk: Buffer) => {
        length += chunk.byteLength;
        chunks.push(chunk);
        if (length > mostBytes) request.destroy(new TooLong());
      });
      message.on('error', fail);
      message.once('end', () => resolve({ message, bytes: Buffer.concat(chunks) }));
    });
    request.end(body);
  });
}

async function plainOf({ headers }: IncomingMessage, bytes: Buffer, mostBytes: number): Promise<Buffer> {
  if (headers['content-encoding'] !== 'gzip' || bytes.byteLength === 0) return bytes;
  return unzipped(bytes, { maxOutputLength: mostBytes }).catch((cause: unknown) => {
    throw cause instanceof RangeError ? new TooLong() : cause;
  });
}
