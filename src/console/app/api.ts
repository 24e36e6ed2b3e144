import { QueryClient } from '@tanstack/preact-query';
import createClient from 'openapi-fetch';
import { consoleWords } from '../../domain/console-words.ts';
import type { Paths } from '../../http/api.ts';

/** The REST API as the browser asks it: typed by the server's own routes, refusals as errors with their cure. */

let csrf = '';

/** Of the session that the page runs in; every change carries it. */
export function setCsrf(token: string): void {
  csrf = token;
  setOver(false);
}

export const api = createClient<Paths>({ headers: { accept: 'application/json' } });

api.use({
  onRequest({ request }) {
    if (request.method !== 'GET') request.headers.set('x-csrf-token', csrf);
    return request;
  },
  onResponse({ request, response }) {
    if (response.status === 401) sessionIsOver(request.method !== 'GET');
    // Roles change while a page is open: what it lets one press follows.
    if (response.status === 403) void queries.invalidateQueries({ queryKey: ['session'] });
  },
});

/** The page on which somebody typed last. */
let typedAt: string | undefined;
addEventListener('input', () => {
  typedAt = location.pathname;
});

let isOver = false;
/** A page asks several things at once, and each is told that the session is over: the first one leaves. */
let isLeaving = false;
let hear: (isOver: boolean) => void = () => {};

function setOver(now: boolean): void {
  isOver = now;
  hear(now);
}

export function onSessionOver(told: typeof hear): () => void {
  hear = told;
  return () => {
    hear = () => {};
  };
}

/** Whoever is signed out goes to the sign-in and comes back; who has something to lose stays, and is told. */
function sessionIsOver(isChange: boolean): void {
  if (isChange || isOver || typedAt === location.pathname) setOver(true);
  else if (!isLeaving) {
    isLeaving = true;
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
}

/** What a refusal tells (section E). */
export interface Told {
  readonly code: string;
  readonly message: string;
  readonly next: string;
  readonly id?: string;
  readonly fields?: readonly { readonly name: string; readonly problem: string }[];
}

export class Refused extends Error {
  readonly status: number;
  readonly told: Told;

  constructor(status: number, told: Told) {
    super(told.message);
    this.status = status;
    this.told = told;
  }
}

const UNREADABLE: Told = {
  code: 'internal',
  message: 'The server did not answer as it should.',
  next: 'Try again in a moment.',
};
const OFFLINE: Told = {
  code: 'offline',
  message: 'The server cannot be reached.',
  next: 'What you typed stays here. Try again when the connection is back.',
};

/** The answer itself; throws `Refused`. */
export async function said<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked.catch(() => {
    throw new Refused(0, OFFLINE);
  });
  if (response.ok) return data as T; // typed by the operation's own schema
  throw new Refused(response.status, toldIn(error));
}

/** A turn whose events follow one another; refused before the first like any other question. */
export async function stream(path: string, body: object, signal: AbortSignal): Promise<Response> {
  const response = await fetch(path, {
    method: 'POST',
    signal,
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', 'x-csrf-token': csrf },
    body: JSON.stringify(body),
  });
  if (response.status === 401) sessionIsOver(true);
  if (!response.ok) await said(Promise.resolve({ error: await response.json().catch(() => undefined), response }));
  return response;
}

function toldIn(body: unknown): Told {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  return typeof error === 'object' && error !== null && 'message' in error ? inConsoleWords(error as Told) : UNREADABLE;
}

const inConsoleWords = (told: Told): Told => ({
  ...told,
  message: consoleWords(told.message),
  next: consoleWords(told.next),
  ...(told.fields && {
    fields: told.fields.map(({ name, problem }) => ({ name, problem: consoleWords(problem) })),
  }),
});

/** A refusal is an answer; only a server that was not reached is asked again. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // Without a line a question fails at once and says so, and nothing that was pressed is done when nobody expects it any more.
      networkMode: 'always',
      refetchOnReconnect: true,
      retry: (count, error) => error instanceof Refused && error.status === 0 && count < 2,
      staleTime: 2_000,
      // With hints from the server most things are fresh; this is for when those are lost.
      refetchInterval: 30_000,
      refetchIntervalInBackground: false,
    },
    mutations: { networkMode: 'always', retry: false },
  },
});
