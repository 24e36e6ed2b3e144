/** Who the chat page speaks for, and how it reaches the server. The person's session is the only secret that it ever holds. */

const { bot = '', origins = '[]', anonymous } = document.body.dataset;
export const ORIGINS: readonly string[] = JSON.parse(origins);
export const isAnonymous = anonymous !== undefined;
const base = `/api/bots/${encodeURIComponent(bot)}/conversations`;

type Kept = 'conversation' | 'session';

/**
 * Storage of a frame may be switched off: then a reload begins anew. Which talk it was outlives the tab, for its own person
 * alone may read it; the session, which proves who that is, does not.
 */
function storageOf(name: Kept): Storage | undefined {
  try {
    return name === 'session' ? sessionStorage : localStorage;
  } catch {
    return undefined;
  }
}

function kept(name: Kept): string | undefined {
  return storageOf(name)?.getItem(`gatehouse ${bot} ${name}`) ?? undefined;
}

function keep(name: Kept, value: string | undefined): void {
  try {
    const storage = storageOf(name);
    if (value === undefined) storage?.removeItem(`gatehouse ${bot} ${name}`);
    else storage?.setItem(`gatehouse ${bot} ${name}`, value);
  } catch {
    // Full, or forbidden: the page goes on without.
  }
}

let conversation = kept('conversation');
let session = kept('session');
let offset = 0;

export const currentTalk = () => conversation;
export const currentSession = () => session;

export function setTalk(id: string | undefined): void {
  conversation = id;
  keep('conversation', id);
}

export function endSession(): void {
  session = undefined;
  keep('session', undefined);
}

export function takeSession(token: unknown): void {
  if (typeof token !== 'string' || !/^ghs_[\w.-]{1,8000}$/.test(token)) return;
  session = token;
  keep('session', token);
}

const inFragment = new URLSearchParams(location.hash.slice(1)).get('session');
if (inFragment !== null) {
  takeSession(inFragment);
  history.replaceState(null, '', location.pathname + location.search);
}

/** The server's clock counts: the reader's own may be wrong. */
export const clock = () => Date.now() + offset;

export function setClock(serverNow: string): void {
  offset = Date.parse(serverNow) - Date.now();
}

/** Without anything secret in it, so that it may go to whoever frames us; who that may be our policy says. */
export function tellHost(type: 'ready' | 'session-needed'): void {
  if (parent !== window) parent.postMessage({ type: `gatehouse:${type}`, bot }, '*');
}

interface Told {
  readonly message: string;
  readonly next: string;
  readonly code?: string;
  readonly retryable?: boolean;
}

export class Refused extends Error {
  readonly status: number;
  readonly next: string;
  readonly code: string | undefined;
  readonly isRetryable: boolean;

  constructor(status: number, told: Told) {
    super(told.message);
    this.status = status;
    this.next = told.next;
    this.code = told.code;
    this.isRetryable = told.retryable === true;
  }
}

const UNREADABLE: Told = { message: 'The server did not answer as it should.', next: 'Try again in a moment.' };

export async function ask(
  method: 'GET' | 'POST',
  path: string,
  body?: object,
  signal: AbortSignal | null = null,
): Promise<Response> {
  const answer = await fetch(base + path, {
    method,
    signal,
    headers: {
      'gatehouse-chat': '1',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(session === undefined ? {} : { 'gatehouse-session': session }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (answer.ok) return answer;
  const told: { error?: Told } = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, told.error ?? UNREADABLE);
}

/** A turn that was just stopped needs a moment to end. */
export async function insist(path: string, body: object, signal: AbortSignal): Promise<Response> {
  for (let tries = 0; ; tries += 1)
    try {
      return await ask('POST', path, body, signal);
    } catch (error) {
      const comesAgain = error instanceof Refused && error.status === 409 && error.isRetryable;
      if (!comesAgain || tries === 4) throw error;
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
}
