import { randomInt } from 'node:crypto';
import type {
  JSONRPCMessage,
  JSONRPCResponse,
  MessageExtraInfo,
  RequestId,
  Transport,
  TransportSendOptions,
} from '@modelcontextprotocol/server';
import { withoutNullArguments } from './request.ts';

/**
 * A transport that knows what is under way on it. Its own requests carry ids that no other process uses for the same
 * session: the answer to one form can never be taken for the answer to another, wherever it arrives.
 */

/** Where messages are left that reached another process than the one they are for. */
export interface DeadDrop {
  leave(about: string, message: JSONRPCMessage): void;
  collect(about: string): Promise<JSONRPCMessage | undefined>;
}

const COLLECT_EVERY_MS = 250;
/** Small enough for clients whose numbers have 32 bits; never 0, which 1.x clients take for "no id". */
const MOST_BASE = 2 ** 31 - 2 ** 24;
/** What a request gets for its answer once nobody is there any more to give one. */
const GONE = -32_000;

export class Wire implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;

  readonly #inner: Transport;
  readonly #drop: DeadDrop | undefined;
  readonly #base = randomInt(1, MOST_BASE);
  /** What we asked the client, by the id on the wire, with the SDK's own. */
  readonly #asked = new Map<RequestId, RequestId>();
  /** What the client asked. */
  readonly #open = new Set<RequestId>();
  readonly #waiting: (() => void)[] = [];
  #collecting: NodeJS.Timeout | undefined;
  #isGone = false;

  constructor(inner: Transport, drop?: DeadDrop) {
    this.#inner = inner;
    this.#drop = drop;
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId;
  }

  async start(): Promise<void> {
    this.#inner.onmessage = (message, extra) => this.#receive(message, extra);
    this.#inner.onerror = (error) => this.onerror?.(error);
    this.#inner.onclose = () => {
      clearTimeout(this.#collecting);
      this.#settleAll();
      this.onclose?.();
    };
    await this.#inner.start();
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (isRequest(message)) return this.#ask(message, options);
    if (isCancellation(message)) {
      const own = [...this.#asked].find(([, sdkId]) => sdkId === message.params.requestId)?.[0];
      if (own === undefined) return;
      this.#asked.delete(own);
      return this.#inner.send({ ...message, params: { ...message.params, requestId: own } }, options);
    }
    try {
      await this.#inner.send(message, options);
    } finally {
      if (isAnswer(message)) this.#settle(message.id);
    }
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /**
   * Counts requests as asked before the transport has them; false, and none of them, where an id has an answer to come already: the
   * transport knows one stream for an id, and whoever asked first would wait for ever.
   */
  claim(ids: readonly RequestId[]): boolean {
    if (new Set(ids).size < ids.length || ids.some((id) => this.#open.has(id))) return false;
    for (const id of ids) this.#open.add(id);
    return true;
  }

  /** They never came further than the transport. */
  release(ids: readonly RequestId[]): void {
    for (const id of ids) this.#settle(id);
  }

  /** Resolves once everything that the client asked is answered; false when that takes longer. */
  async whenAnswered(waitMs: number): Promise<boolean> {
    if (this.#open.size === 0) return true;
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), waitMs);
      this.#waiting.push(() => {
        clearTimeout(late);
        resolve(true);
      });
    });
  }

  /** Nobody is left to answer: what we ask, or asked, is answered with an error at once. */
  clientIsGone(): void {
    this.#isGone = true;
    for (const sdkId of this.#asked.values()) this.#refuse(sdkId);
    this.#asked.clear();
  }

  async #ask(message: Request, options?: TransportSendOptions) {
    if (this.#isGone) return this.#refuse(message.id);
    // The SDK counts from 0.
    const own = this.#base + Number(message.id);
    this.#asked.set(own, message.id);
    this.#collectLater();
    await this.#inner.send({ ...message, id: own }, options);
  }

  #receive(given: JSONRPCMessage, extra?: MessageExtraInfo): void {
    const message = withoutNullArguments(given) as JSONRPCMessage; // the same, or one member less
    if (isAnswer(message)) {
      this.#answered(message, extra);
      return;
    }
    if (isRequest(message)) this.#open.add(message.id);
    if (isCancellation(message) && !this.#open.has(message.params.requestId))
      this.#drop?.leave(`cancelled ${message.params.requestId}`, message);
    this.onmessage?.(message, extra);
    // A cancelled call is answered with nothing.
    if (isCancellation(message)) this.#settle(message.params.requestId);
  }

  #answered(answer: JSONRPCResponse, extra?: MessageExtraInfo): void {
    const { id } = answer;
    const sdkId = id === undefined ? undefined : this.#asked.get(id);
    if (id === undefined || sdkId === undefined) {
      if (id !== undefined) this.#drop?.leave(`answer ${id}`, answer);
      return;
    }
    this.#asked.delete(id);
    this.onmessage?.({ ...answer, id: sdkId }, extra);
  }

  #refuse(id: RequestId): void {
    setImmediate(() => this.onmessage?.({ jsonrpc: '2.0', id, error: { code: GONE, message: 'the client has left' } }));
  }

  #collectLater(): void {
    const drop = this.#drop;
    if (drop === undefined || this.#collecting !== undefined) return;
    this.#collecting = setTimeout(async () => {
      try {
        for (const id of this.#open) {
          const cancelled = await drop.collect(`cancelled ${id}`);
          if (cancelled !== undefined && this.#open.has(id)) this.#receive(cancelled);
        }
        for (const id of this.#asked.keys()) {
          const answer = await drop.collect(`answer ${id}`);
          if (answer !== undefined && this.#asked.has(id)) this.#receive(answer);
        }
      } catch (error) {
        this.onerror?.(error instanceof Error ? error : new Error(String(error)));
      }
      this.#collecting = undefined;
      if (this.#asked.size > 0) this.#collectLater();
    }, COLLECT_EVERY_MS);
    this.#collecting.unref();
  }

  #settle(id: RequestId | undefined): void {
    if (id !== undefined) this.#open.delete(id);
    if (this.#open.size === 0) this.#settleAll();
  }

  #settleAll(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

interface Cancellation {
  readonly jsonrpc: '2.0';
  readonly method: 'notifications/cancelled';
  readonly params: { readonly requestId: RequestId };
}

// The transport below and the SDK above have checked every message: which kind it is shows without parsing it once more.
type Request = Extract<JSONRPCMessage, { method: string; id: RequestId }>;

function isRequest(message: JSONRPCMessage): message is Request {
  return 'method' in message && 'id' in message;
}

function isAnswer(message: JSONRPCMessage): message is JSONRPCResponse {
  return !('method' in message);
}

function isCancellation(message: JSONRPCMessage): message is JSONRPCMessage & Cancellation {
  if (!('method' in message) || 'id' in message || message.method !== 'notifications/cancelled') return false;
  return ['string', 'number'].includes(typeof message.params?.requestId);
}
