import { type GatehouseError, toErrorBody, toGatehouseError } from '../domain/errors.ts';

/** Answers out of an async iterable. Server-sent events are kept alive while nothing is said, and end when nobody listens. */

export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // Proxies that buffer would hold the words back until the turn is over.
  'x-accel-buffering': 'no',
} as const;

/** Under the idle limit of common proxies, which is 30 to 60 s. */
const HEARTBEAT_MS = 15_000;
/** How long a refusal may take and still get a status of its own; later it becomes an event. */
const REFUSAL_MS = 1_000;
/** Heartbeats that nobody has read: two minutes of them, then there is no reader. */
const MOST_UNREAD = 8;

export interface StreamOptions {
  /** Aborts when the request is gone. */
  readonly signal: AbortSignal;
  readonly newId: () => string;
  readonly note: (error: GatehouseError) => void;
  readonly heartbeatMs?: number;
  /** 0 where the first word may be long in coming, and no refusal can take its place: the headers go out at once. */
  readonly refusalMs?: number;
}

export async function toEventStream(
  make: (signal: AbortSignal) => AsyncIterable<object>,
  { signal, newId, note, heartbeatMs = HEARTBEAT_MS, refusalMs = REFUSAL_MS }: StreamOptions,
): Promise<ReadableStream<Uint8Array>> {
  const unheard = new AbortController();
  const events = make(AbortSignal.any([signal, unheard.signal]))[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<object>> | undefined = events.next();
  await within(first, refusalMs);

  const encoder = new TextEncoder();
  let heart: NodeJS.Timeout | undefined;
  return new ReadableStream<Uint8Array>({
    start(out) {
      // Sent at once, so that the headers are too.
      out.enqueue(encoder.encode(': open\n\n'));
      heart = setInterval(() => {
        try {
          out.enqueue(encoder.encode(': still here\n\n'));
          if ((out.desiredSize ?? 0) > -MOST_UNREAD) return;
          clearInterval(heart);
          unheard.abort();
          out.error(new Error('Nobody reads this stream.'));
          void drained(events);
        } catch {
          // A stream that ended without a word takes nothing more; thrown from a timer this would end the process.
          clearInterval(heart);
        }
      }, heartbeatMs);
      heart.unref();
    },
    async pull(out) {
      try {
        const { done, value } = await (first ?? events.next());
        first = undefined;
        if (!done) return out.enqueue(encoder.encode(frame(value)));
      } catch (thrown) {
        if (unheard.signal.aborted) return;
        const error = toGatehouseError(thrown, newId);
        note(error);
        out.enqueue(encoder.encode(frame({ type: 'error', ...toErrorBody(error) })));
      }
      clearInterval(heart);
      if (!unheard.signal.aborted) out.close();
    },
    async cancel() {
      clearInterval(heart);
      unheard.abort();
      await drained(events);
    },
  });
}

/** Plain text in parts, each asked for when the one before is sent. */
export function toTextStream(
  parts: AsyncIterable<string>,
  { newId, note }: Pick<StreamOptions, 'newId' | 'note'>,
): ReadableStream<Uint8Array> {
  return ReadableStream.from(noted()).pipeThrough(new TextEncoderStream());

  async function* noted(): AsyncGenerator<string> {
    try {
      yield* parts;
    } catch (thrown) {
      note(toGatehouseError(thrown, newId));
      throw thrown;
    }
  }
}

/** To its own end rather than cut off, so that it can store what it has; if that fails there is nobody left to tell. */
async function drained(events: AsyncIterator<object>): Promise<void> {
  try {
    while (!(await events.next()).done);
  } catch {
    // Told in the log by whoever failed.
  }
}

function frame(event: object): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    work,
    new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
    }),
  ]).finally(() => clearTimeout(timer));
}
