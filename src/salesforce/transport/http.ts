import { breathe } from '../../domain/breath.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { parseAnswer } from '../../domain/json-shape.ts';
import { judgeHost, SIMULATED, SIMULATED_ORIGIN } from './hosts.ts';
import { type Body, createOverHttp, NeverSent, type Received, TooLong } from './over-http.ts';
import { cancelled, IN_DOUBT, type Outcome, UpstreamError } from './upstream-error.ts';
import { untilAborted } from './waiting.ts';

export interface SimulatedOrg {
  fetch(request: Request): Promise<Response>;
}

/**
 * The one road of every HTTP request to Salesforce. A deadline covers headers and body, redirects are never followed,
 * and nothing leaves for a host that is not Salesforce's or listed.
 */
export interface Transport {
  exchange(wire: Wire): Promise<Answer>;
  /** The origin behind a stored address, judged; throws where it may not be used. */
  origin(base: string): string;
}

export interface Wire {
  readonly method: string;
  /** `sim:` or an origin. */
  readonly base: string;
  /** From the root on, already encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** What the body holds that no refusal may tell on. A grant is not cleaned of it: it may give the same token again. */
  readonly secrets?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: the time that every request has. */
  readonly limit?: Limit | undefined;
  /** A success is handed on as bytes while they come; a refusal is read as ever. */
  readonly isStreamed?: boolean | undefined;
  /** Changes nothing at Salesforce, so a lost reply leaves no doubt. */
  readonly isRead: boolean;
}

/** How long a request may take in all, and how long nothing may leave or come. */
export interface Limit {
  readonly totalMs: number;
  readonly idleMs?: number;
}

export interface Answer {
  readonly status: number;
  header(name: string): string | null;
  /** `Set-Cookie` lines of an event stream's answers; nothing else is given any, so nothing else can keep them. */
  readonly cookies?: readonly string[] | undefined;
  /** As it came. Event bodies need it: JSON.parse rounds their big numbers. */
  readonly text: string;
  /** Undefined when the body is empty or no JSON. */
  readonly json: unknown;
  /** Of an answer that is streamed; `text` is empty then. */
  readonly bytes?: AsyncIterable<Uint8Array> | undefined;
}

/** Where Salesforce's event streams (CometD) are. */
export const isEventPath = (path: string): boolean => path.startsWith('/cometd/');

export function createTransport(deps: {
  readonly timeoutMs: number;
  readonly extraHosts: readonly string[];
  readonly simulated?: (() => Promise<SimulatedOrg>) | undefined;
}): Transport {
  const { timeoutMs, extraHosts, simulated } = deps;
  const overHttp = createOverHttp();

  function origin(base: string): string {
    if (base === SIMULATED) {
      if (simulated) return SIMULATED_ORIGIN;
      throw new UpstreamError(
        'salesforce_unavailable',
        'This connection belongs to the simulated org, which is not running here.',
        {
          next: 'Connect the bot to a real org: its links to the simulated one end. Or start with GATEHOUSE_SIM=1 to have that org again.',
          outcome: 'not_sent',
        },
      );
    }
    const verdict = judgeHost(base, extraHosts);
    if ('origin' in verdict) return verdict.origin;
    throw new UpstreamError('salesforce_error', `The address of the org is refused: ${verdict.problem}.`, {
      next: verdict.next,
      outcome: 'not_sent',
    });
  }

  async function exchange(wire: Wire): Promise<Answer> {
    const own = origin(wire.base);
    const url = new URL(wire.path, own);
    // `//host` and the like would leave the judged origin.
    if (url.origin !== own) throw new TypeError('A Salesforce path left its host.');
    if (wire.signal?.aborted) throw lost(wire, wire.signal, 'not_sent');
    const deadline = deadlineOf(wire.limit ?? { totalMs: timeoutMs }, wire.signal);
    const { signal, onBytes } = deadline;
    const { method, body, isStreamed } = wire;
    let isOpen = false;
    const headers = { accept: 'application/json', ...wire.headers };
    let response: Received;
    try {
      response = await (wire.base === SIMULATED && simulated
        ? untilAborted(
            simulated().then((org) =>
              askSimulated(org, new Request(url, { method, headers, signal, ...asBody(body) }), isStreamed),
            ),
            signal,
          )
        : overHttp({ url, method, headers, body, signal, mostBytes: MOST_BYTES, isStreamed, onBytes }));
      isOpen = response.bytes !== undefined;
    } catch (cause) {
      if (cause instanceof TooLong) throw tooLong(wire);
      const isSent = !(cause instanceof NeverSent);
      throw lost(wire, wire.signal, isSent ? 'unknown' : 'not_sent', deadline.isOver(), isSent ? cause : cause.cause);
    } finally {
      if (!isOpen) deadline.end();
    }
    // 300 lists the matches of an upsert and 304 says unchanged; every other 3xx points somewhere else.
    if (response.status > 300 && response.status < 400 && response.status !== 304) {
      throw new UpstreamError('salesforce_error', 'Salesforce answered with a redirect, which is never followed.', {
        next: 'Ask the operator to reconnect: the address of the org has probably changed.',
        operator: 'The org moved or its My Domain was renamed: disconnect and connect again.',
        outcome: wire.isRead ? 'refused' : 'unknown',
        // "See other" is the one that may follow something done.
        isMoved: wire.isRead || response.status !== 303,
      });
    }
    const cookies = isEventPath(wire.path) ? response.cookies : undefined;
    if (response.bytes)
      return { ...response, cookies, json: undefined, bytes: toTheEnd(response.bytes, wire, deadline) };
    const secrets = response.status < 300 ? [] : (wire.secrets ?? []);
    const text = withoutSecrets(await withoutSession(response.text, wire.headers?.authorization), secrets);
    return { ...response, cookies, text, json: await jsonIn(text, wire) };
  }

  /** The deadline goes on until the last byte, and a stream that breaks off says so in the words of every lost answer. */
  async function* toTheEnd(bytes: AsyncIterable<Uint8Array>, wire: Wire, deadline: ReturnType<typeof deadlineOf>) {
    try {
      yield* bytes;
    } catch (cause) {
      throw lost(wire, wire.signal, 'unknown', deadline.isOver(), cause);
    } finally {
      deadline.end();
    }
  }

  return { exchange, origin };
}

/** Session ids of Salesforce by their form, as they are and as an address or JSON writes them. */
const SESSION_ID = /\b00D\w{12,15}(?:!|%21|\\u0021)[\w.%]+/g;
/** What goes on beyond is looked at in another piece, and no session id is cut: none is this long. */
const PIECE = 1_000_000;
const LONGEST_SESSION = 10_000;
/** The word that a piece ends in, with whatever a session id is written of. */
const AT_ITS_END = /[\w.%!\\]*$/;
/** A shorter word could be anything. */
const SHORTEST_TOKEN = 16;
const BLANK = '[session]';

/** What stands between may echo the request: no answer to one that carries a session tells it on. What grants one carries none. */
async function withoutSession(text: string, authorization: string | undefined): Promise<string> {
  if (authorization === undefined) return text;
  const token = authorization.replace(/^(?:Bearer|OAuth) /, '');
  const forms = token.length < SHORTEST_TOKEN ? [] : [token, encodeURIComponent(token)];
  let left = forms.reduce((some, form) => some.replaceAll(form, BLANK), text);
  let clean = '';
  // In turns: an answer of nothing but session ids takes half a second.
  while (left.length > PIECE) {
    await breathe();
    const end = PIECE - (AT_ITS_END.exec(left.slice(PIECE - LONGEST_SESSION, PIECE))?.[0].length ?? 0);
    clean += left.slice(0, end).replace(SESSION_ID, BLANK);
    left = left.slice(end);
  }
  return clean + left.replace(SESSION_ID, BLANK);
}

/** A shorter one could be part of any word. Salesforce takes no password of less. */
const SHORTEST_SECRET = 8;

/** As it is, and as JSON, an address or a form writes it. */
const formsOf = (secret: string): readonly string[] => [
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  new URLSearchParams({ '': secret }).toString().slice(1),
  secret,
];

function withoutSecrets(text: string, secrets: readonly string[]): string {
  const forms = secrets.filter(({ length }) => length >= SHORTEST_SECRET).flatMap(formsOf);
  return forms.reduce((some, form) => some.replaceAll(form, '[secret]'), text);
}

/** Ten times the longest answer seen in an org; what goes on beyond it would fill the memory and hold up everybody. */
const MOST_BYTES = 32 * 1024 * 1024;

/** An embedded org has no socket that an abort would close. */
async function askSimulated(org: SimulatedOrg, request: Request, isStreamed = false): Promise<Received> {
  const response = await org.fetch(request);
  const { status, headers } = response;
  const head = { status, header: (name: string) => headers.get(name), cookies: headers.getSetCookie() };
  if (isStreamed && response.ok && response.body) return { ...head, text: '', bytes: response.body };
  return { ...head, text: await response.text() };
}

/** `fetch` wants to be told that it may send a stream before it has an answer. */
function asBody(body: Body | undefined): RequestInit {
  return {
    body: (body ?? null) as NonNullable<RequestInit['body']> | null,
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  };
}

/** The deadline and the caller's leaving in one signal. Its timer ends with the request: 1,000 of them would hold as many answers. */
function deadlineOf({ totalMs, idleMs }: Limit, caller: AbortSignal | undefined) {
  const over = new AbortController();
  let isOver = false;
  const end = () => {
    isOver = true;
    over.abort(new Error('The time of the request is over.'));
  };
  const timer = setTimeout(end, totalMs);
  const idle = idleMs === undefined ? undefined : setTimeout(end, idleMs);
  const leave = () => over.abort(caller?.reason);
  caller?.addEventListener('abort', leave, { once: true });
  return {
    signal: over.signal,
    isOver: () => isOver,
    onBytes: idle && (() => void idle.refresh()),
    end() {
      clearTimeout(timer);
      clearTimeout(idle);
      caller?.removeEventListener('abort', leave);
    },
  };
}

const tooLong = (wire: Wire) => tooMuch(wire, `It has more than ${MOST_BYTES / 1024 / 1024} MB.`);

function tooMuch({ isRead }: Wire, what: string): UpstreamError {
  return new UpstreamError('salesforce_error', `The answer of Salesforce is more than can be read. ${what}`, {
    next: isRead ? 'Ask for fewer records or fewer fields.' : IN_DOUBT,
    operator:
      'Long text fields make long answers: ask for fewer of them, or something in between answers without an end.',
    outcome: isRead ? 'refused' : 'unknown',
    isUnread: true,
  });
}

function lost(
  wire: Wire,
  caller: AbortSignal | undefined,
  sent: Outcome,
  isTimeout = false,
  cause?: unknown,
): UpstreamError {
  const outcome = sent === 'unknown' && wire.isRead ? 'refused' : sent;
  if (caller?.aborted) return cancelled(outcome);
  return new UpstreamError(
    'salesforce_unavailable',
    isTimeout ? 'Salesforce did not answer in time.' : 'Salesforce could not be reached.',
    {
      next: outcome === 'unknown' ? IN_DOUBT : 'Try again in a minute; if it stays so, tell the operator.',
      operator: isTimeout
        ? 'The org was slow or hung: see status.salesforce.com; GATEHOUSE_REQUEST_TIMEOUT_MS sets the limit.'
        : 'The network between here and Salesforce failed: check DNS, proxy and firewall, then status.salesforce.com.',
      retryable: outcome !== 'unknown',
      outcome,
      infrastructure: true,
      repeat: !isTimeout,
      isMoved: hasNoAddress(cause),
      cause,
    },
  );
}

/** The name of the host is gone, as that of an instance is after a migration; or we are offline. */
function hasNoAddress(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOTFOUND';
}

/** Undefined when it is empty or no JSON, such as a page. */
async function jsonIn(text: string, wire: Wire): Promise<unknown> {
  try {
    return await parseAnswer(text);
  } catch (error) {
    if (error instanceof GatehouseError) throw tooMuch(wire, error.message);
    return undefined;
  }
}
