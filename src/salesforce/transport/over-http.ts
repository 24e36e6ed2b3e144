import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, gunzip } from 'node:zlib';

/**
 * One request over a socket, on Node's own HTTP: `fetch` takes twice the processor time for the same bytes, more than gate and policy
 * of a read together, and does not say whether a request had left when it failed.
 */

export interface Sending {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  readonly signal: AbortSignal;
  readonly mostBytes: number;
  /** A body that succeeds is handed on as it comes, however long. */
  readonly isStreamed?: boolean | undefined;
  /** Told of every part that left or came. */
  readonly onBytes?: (() => void) | undefined;
}

/** A stream can be sent once. */
export type Body = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

export interface Received {
  readonly status: number;
  header(name: string): string | null;
  readonly cookies: readonly string[];
  /** Empty where it is streamed. */
  readonly text: string;
  readonly bytes?: AsyncIterable<Uint8Array> | undefined;
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
      cookies: message.headers['set-cookie'] ?? [],
      text: bytes === undefined ? '' : new TextDecoder().decode(await plainOf(message, bytes, sending.mostBytes)),
      bytes: bytes === undefined ? plainStream(message) : undefined,
    };
  };
}

function exchanged(sending: Sending, agent: http.Agent) {
  const { url, method, headers, body, signal, mostBytes, isStreamed, onBytes } = sending;
  const { request: open } = agent instanceof https.Agent ? https : http;
  return new Promise<{ readonly message: IncomingMessage; readonly bytes: Buffer | undefined }>((resolve, reject) => {
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
      if (onBytes) message.on('data', onBytes);
      if (isStreamed && isSuccess(message)) {
        message.pause();
        return resolve({ message, bytes: undefined });
      }
      const chunks: Buffer[] = [];
      let length = 0;
      message.on('data', (chunk: Buffer) => {
        length += chunk.byteLength;
        chunks.push(chunk);
        if (length > mostBytes) request.destroy(new TooLong());
      });
      message.on('error', fail);
      return message.once('end', () => resolve({ message, bytes: Buffer.concat(chunks) }));
    });
    if (!(body instanceof ReadableStream)) request.end(body);
    // The stream is destroyed with the request, and the request with the stream.
    else pipeline(Readable.fromWeb(body as never).on('data', onBytes ?? (() => {})), request, () => {});
  });
}

const isSuccess = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300;

/** What nobody reads to its end closes its connection. */
function plainStream(message: IncomingMessage): AsyncIterable<Uint8Array> {
  if (message.headers['content-encoding'] !== 'gzip') return message;
  return pipeline(message, createGunzip(), () => {});
}

async function plainOf({ headers }: IncomingMessage, bytes: Buffer, mostBytes: number): Promise<Buffer> {
  if (headers['content-encoding'] !== 'gzip' || bytes.byteLength === 0) return bytes;
  return unzipped(bytes, { maxOutputLength: mostBytes }).catch((cause: unknown) => {
    throw cause instanceof RangeError ? new TooLong() : cause;
  });
}
