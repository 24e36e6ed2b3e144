import type { Access } from '../ports/access.ts';
import type { Identity } from '../ports/identity.ts';
import type { Log } from '../ports/log.ts';
import type { McpCaller } from './deps.ts';

/**
 * Ends the streams of callers whose key or sign-in ended: each request is judged, and a stream is one request that lasts for
 * hours. It ends in whatever process somebody ended it, so that the store is looked at, as long as a stream is open.
 */
export interface CutStreams {
  /** The answer as it is, or one whose stream ends with what let the caller in. */
  watched(answer: Response, caller: McpCaller): Response;
}

export interface CutDeps {
  readonly access: Pick<Access, 'standing'>;
  readonly identity: Pick<Identity, 'standing'>;
  readonly log: Log;
  /** How often the store is looked at, ms; default 2 s. */
  readonly watchMs?: number;
}

const WATCH_MS = 2_000;

export function createCutStreams({ access, identity, log, watchMs = WATCH_MS }: CutDeps): CutStreams {
  /** What ends each open stream, by its caller's grant, or by their key. */
  const ofGrant = new Map<string, Set<() => void>>();
  const ofKey = new Map<string, Set<() => void>>();
  let timer: NodeJS.Timeout | undefined;

  const cutAllBut = async (
    open: ReadonlyMap<string, Set<() => void>>,
    standing: (ids: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<void> => {
    const ids = [...open.keys()];
    if (ids.length === 0) return;
    const stand = await standing(ids);
    // Only those that were asked about: one that came meanwhile was judged by its own request.
    for (const id of ids) if (!stand.has(id)) for (const cut of [...(open.get(id) ?? [])]) cut();
  };

  const look = async (): Promise<void> => {
    try {
      await cutAllBut(ofGrant, identity.standing);
      await cutAllBut(ofKey, access.standing);
    } catch (error) {
      // A store that is away for a moment: the next look ends them.
      log.debug('open streams were not looked at', { error: String(error) });
    }
  };

  /** Answers what takes the stream off the list again. */
  const add = ({ grant, principal }: McpCaller, cut: () => void): (() => void) => {
    const [open, id] = grant === undefined ? ([ofKey, principal] as const) : ([ofGrant, grant] as const);
    const cuts = open.get(id) ?? new Set();
    open.set(id, cuts.add(cut));
    if (timer === undefined) {
      timer = setInterval(() => void look(), watchMs);
      timer.unref();
    }
    return () => {
      cuts.delete(cut);
      if (cuts.size === 0 && open.get(id) === cuts) open.delete(id);
      if (ofGrant.size + ofKey.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  };

  return {
    watched(answer, caller) {
      const { body, status, statusText, headers } = answer;
      if (body === null || !headers.get('content-type')?.startsWith('text/event-stream')) return answer;
      return new Response(
        cuttable(body, (cut) => add(caller, cut)),
        { status, statusText, headers },
      );
    },
  };
}

/** `onOpen` gets what ends the stream in its middle, and answers what is called at its end, whoever ended it. */
function cuttable(source: ReadableStream<Uint8Array>, onOpen: (cut: () => void) => () => void): ReadableStream {
  const reader = source.getReader();
  let isCut = false;
  let over = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      over = onOpen(() => {
        isCut = true;
        over();
        controller.close();
        void reader.cancel().catch(() => {});
      });
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (isCut) return;
        if (!done) return controller.enqueue(value);
        over();
        controller.close();
      } catch (error) {
        over();
        if (!isCut) throw error;
      }
    },
    cancel(reason) {
      over();
      return reader.cancel(reason);
    },
  });
}
