import { GatehouseError } from '../../domain/errors.ts';
import { isRecord, recordsIn } from '../../domain/is-record.ts';
import { parseJson } from '../../domain/json-shape.ts';

/** Why an endpoint of Chat Completions gave no answer, in our words with a next step. Its own words stay in the log. */

/** An answer that is no success, or one that says 200 and is none. */
export class EndpointRefusal extends Error {
  override readonly name = 'EndpointRefusal';
  readonly status: number;
  readonly body: string;
  /** How long it asks to wait, ms. */
  readonly waitMs: number | undefined;
  /** What the body says, where it is JSON. */
  readonly said: { readonly text: string; readonly code: string; readonly param: string };

  constructor(status: number, headers: Headers, body: string) {
    super(`${status} ${body.slice(0, MOST_LOGGED)}`);
    this.status = status;
    this.body = body;
    this.waitMs = waitOf(headers);
    this.said = read(body);
  }

  /** Its words go to the log: what they repeat of the request, the key or the talk, does not. */
  withhold(sent: readonly string[]): void {
    // Endpoints escape and quote it in ways of their own: what lies between is the same in all.
    const pieces = sent
      .flatMap((text) => text.split(/[\n\r\t"'`\\]+/))
      .filter(({ length }) => length >= SHORTEST_PIECE);
    const { message } = this;
    const told = pieces
      .sort((a, b) => b.length - a.length)
      .reduce((text, piece) => text.replaceAll(piece, '[what we sent]'), this.body.slice(0, 4 * MOST_LOGGED));
    this.message = `${this.status} ${told.slice(0, MOST_LOGGED)}`;
    if (this.stack !== undefined) this.stack = this.stack.replace(message, () => this.message);
  }
}

const MOST_LOGGED = 2_000;
const SHORTEST_PIECE = 6;

/** Anything that was thrown on the way to an answer; `sent` are the texts of the request. */
export function toOurs(thrown: unknown, endpoint: string, sent: readonly string[]): unknown {
  if (!(thrown instanceof Error) || thrown instanceof GatehouseError || thrown.name === 'AbortError') return thrown;
  const refusal = refusalIn(thrown);
  if (refusal !== undefined) {
    refusal.withhold(sent);
    return refused(refusal);
  }
  const code = codeIn(thrown);
  if (code !== undefined && UNREACHABLE.has(code))
    return new GatehouseError('config_invalid', `The language model at ${endpoint} cannot be reached (${code}).`, {
      next: 'Tell the operator to check OPENAI_BASE_URL and that the server there runs.',
      cause: thrown,
    });
  return new GatehouseError('internal', 'The language model did not answer.', {
    next: 'Try again in a minute; if it stays so, tell the operator.',
    retryable: true,
    cause: thrown,
  });
}

/** The refusal inside what the client threw. */
export function refusalIn(thrown: unknown): EndpointRefusal | undefined {
  for (let at = thrown, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    if (at instanceof EndpointRefusal) return at;
  }
  return undefined;
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_INVALID_URL',
]);

interface Row {
  readonly when: (refusal: EndpointRefusal) => boolean;
  readonly error: (refusal: EndpointRefusal) => GatehouseError;
}

const says =
  (pattern: RegExp) =>
  ({ said, body }: EndpointRefusal) =>
    pattern.test(said.text === '' ? body.slice(0, 4_000) : `${said.code} ${said.text}`);

/** The first row that fits. Words before numbers: endpoints agree on the words more than on the status. */
const TABLE: readonly Row[] = [
  {
    when: ({ status, body }) =>
      status < 500 && status !== 429 && /^\s*(<!doctype|<html|<head|<body|<\?xml)/i.test(body),
    error: (cause) =>
      operator(
        `The address of the language model answered with a web page (${cause.status}).`,
        'check OPENAI_BASE_URL: it usually ends in /v1, and no sign-in page or proxy may stand before it',
        cause,
      ),
  },
  {
    when: says(
      /context_length_exceeded|context (length|window|size)|maximum context|(prompt|input|request|messages?)( is| are|'s)? too (long|large)|too many (input )?tokens|reduce the length|exceeds? the (available |model'?s? )?context|n_ctx|string_above_max_length/i,
    ),
    error: (cause) => tooLong(cause),
  },
  { when: ({ status }) => status === 413, error: (cause) => tooLong(cause) },
  {
    when: says(
      /(does ?n[o']t|not|no endpoints? found that) support(s|ed)?[^.]{0,40}(tool|function)|(tools?|tool[_ -]?(use|choice|calling|calls)|functions?|function[_ -]calling)( is| are|s)? (not|un)[ -]?(supported|available|enabled)|--enable-auto-tool-choice/i,
    ),
    error: (cause) =>
      operator(
        'This language model cannot call actions.',
        'choose a model that supports tool calls (OPENAI_MODEL)',
        cause,
      ),
  },
  {
    when: (refusal) =>
      refusal.status === 402 ||
      says(
        /insufficient_quota|insufficient[_ ](balance|credits?|funds)|exceeded your current quota|billing|(no|out of) credits?|payment required/i,
      )(refusal),
    error: (cause) =>
      operator(
        'The account of the language model has no credit left.',
        'look at the account behind OPENAI_API_KEY',
        cause,
      ),
  },
  {
    when: (refusal) =>
      refusal.status === 401 ||
      refusal.status === 403 ||
      (refusal.status < 429 && says(/invalid[_ ]api[_ ]key|incorrect api key|unauthorized/i)(refusal)),
    error: (cause) =>
      operator(
        `The language model refused us (${cause.status}).`,
        'check OPENAI_API_KEY, and that it may use OPENAI_MODEL',
        cause,
      ),
  },
  {
    when: (refusal) =>
      refusal.status === 404 ||
      refusal.status === 405 ||
      says(/model_not_found|model .{0,80}(not found|does not exist)|unknown model/i)(refusal),
    error: (cause) =>
      operator(
        `The language model refused us (${cause.status}): it knows no such model or address.`,
        'check OPENAI_MODEL and OPENAI_BASE_URL',
        cause,
      ),
  },
  {
    when: (refusal) => refusal.status === 429 || says(/rate[_ ]limit|too many requests|overloaded/i)(refusal),
    error: (cause) => {
      const waitMs = cause.waitMs ?? 60_000;
      return new GatehouseError(
        'rate_limited',
        `The language model takes no more requests right now; it asks to wait ${spoken(waitMs)}.`,
        { next: `Try again in ${spoken(waitMs)}.`, retryable: true, retryAfterMs: waitMs, cause },
      );
    },
  },
  {
    when: ({ status }) => status >= 500 || status === 408,
    error: (cause) =>
      new GatehouseError('internal', `The language model did not answer (${cause.status}).`, {
        next: 'Try again in a minute; if it stays so, tell the operator.',
        retryable: true,
        cause,
      }),
  },
];

function refused(refusal: EndpointRefusal): GatehouseError {
  const row = TABLE.find(({ when }) => when(refusal));
  if (row !== undefined) return row.error(refusal);
  return operator(
    `The language model did not take the request (${refusal.status === 200 ? 'an error inside 200' : refusal.status}).`,
    'look at the log, where its words stand, and check OPENAI_MODEL and OPENAI_BASE_URL',
    refusal,
  );
}

function operator(message: string, what: string, cause: unknown): GatehouseError {
  return new GatehouseError('config_invalid', message, { next: `Tell the operator to ${what}.`, cause });
}

function tooLong(cause: unknown): GatehouseError {
  return new GatehouseError('limit_reached', 'This talk has grown too long for the language model.', {
    next: 'Start a new chat. What was done until here is done.',
    cause,
  });
}

/** "45 seconds", "20 minutes", "2 hours". */
function spoken(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds === 60) return 'a minute';
  if (seconds < 120) return seconds === 1 ? 'a second' : `${seconds} seconds`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes === 60) return 'an hour';
  return minutes < 120 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}

const MOST_WAIT_MS = 7 * 24 * 3_600_000;

/** `retry-after` in seconds or as a date, `retry-after-ms` where it is sent. */
function waitOf(headers: Headers): number | undefined {
  const ms = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(ms) && ms >= 0) return Math.min(ms, MOST_WAIT_MS);
  const given = headers.get('retry-after')?.trim();
  if (given === undefined || given === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(given)) return Math.min(Number(given) * 1000, MOST_WAIT_MS);
  const at = /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(given) ? Date.parse(given) : Number.NaN;
  const now = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(at) || Number.isNaN(now) ? undefined : Math.min(Math.max(0, at - now), MOST_WAIT_MS);
}

/** The forms in use: `{"error":{message,code,param}}`, `{"error":"text"}`, `{"message"}`, `{"detail":[{loc,msg}]}`, a list around one of them. */
function read(body: string): EndpointRefusal['said'] {
  let value: unknown;
  try {
    value = parseJson(body);
  } catch {
    return { text: '', code: '', param: '' };
  }
  const first = Array.isArray(value) ? value[0] : value;
  const outer = isRecord(first) ? first : {};
  const inner = isRecord(outer.error) ? outer.error : outer;
  const details = recordsIn(inner.detail);
  const text = [
    inner.message,
    outer.error,
    inner.detail,
    ...details.map(({ msg, loc }) => `${String(loc)}: ${String(msg)}`),
  ]
    .filter((part) => typeof part === 'string')
    .join(' ');
  const [loc] = details.map((detail) => (Array.isArray(detail.loc) ? String(detail.loc.at(-1)) : ''));
  const word = (given: unknown) => (typeof given === 'string' || typeof given === 'number' ? String(given) : '');
  return { text, code: `${word(inner.code)} ${word(inner.type)}`.trim(), param: word(inner.param) || (loc ?? '') };
}

/** An error inside a stream names its status in the body at best. */
/** An error that a stream ends in: it has no status of its own but what it says. */
export function refusalAs(error: unknown, headers: Headers): EndpointRefusal {
  const { code, status } = isRecord(error) ? error : {};
  const given = Number(code ?? status);
  const isStatus = Number.isInteger(given) && given >= 400 && given < 600;
  return new EndpointRefusal(isStatus ? given : 200, headers, JSON.stringify({ error }));
}

function codeIn(thrown: unknown): string | undefined {
  for (let at = thrown, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1)
    if ('code' in at && typeof at.code === 'string') return at.code;
  return undefined;
}
