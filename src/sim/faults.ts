/** Faults on request: what a rule does to a call that it matches. */
import type { FaultRule } from './facts.ts';
import { type Incoming, json, type Outgoing } from './http.ts';
import type { Org } from './org.ts';

/** The rules that strike this call; each loses one of its times. */
export function takeFaults(org: Org, method: string, path: string): FaultRule[] {
  const struck = org.facts('fault').filter((rule) => matches(rule, method, path));
  for (const rule of struck) {
    if (rule.times === undefined) continue;
    if (rule.times <= 1) org.forget('fault', rule.id);
    else org.keep('fault', rule.id, { ...rule, times: rule.times - 1 });
  }
  return struck;
}

/** A text of the path, or a regular expression over `METHOD /path?query`. */
function matches({ type, match }: FaultRule, method: string, path: string): boolean {
  if (type === 'token' && !path.startsWith('/services/oauth2/token')) return false;
  if (match?.method && match.method.toUpperCase() !== method) return false;
  return !match?.path || path.includes(match.path) || new RegExp(match.path).test(path);
}

/** What fetch throws when the other side hangs up. */
export function connectionReset(): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }) });
}

const edgePage =
  "<html><head><title>Service Unavailable</title></head><body><h1>We are down for maintenance.</h1><p>Sorry for the inconvenience. We'll be back shortly.</p></body></html>";

/** Faults that answer before anything is done; an expired session is made so, and the usual refusal follows. */
export function faultBefore(org: Org, { headers }: Incoming, struck: readonly FaultRule[]): Outgoing | undefined {
  for (const rule of struck) {
    if (rule.type === 'expired_session')
      org.forget('session', (headers.get('authorization') ?? '').replace(/^\w+ +/, ''));
    if (rule.type === 'limit') {
      return json(403, [{ message: 'TotalRequests Limit exceeded.', errorCode: 'REQUEST_LIMIT_EXCEEDED' }]);
    }
    if (rule.when === 'before' && isAnswer(rule)) return broken(rule);
  }
  return undefined;
}

/** Faults that put another answer in place of the org's own. */
export function isAnswer({ type }: FaultRule): boolean {
  return type === 'status' || type === 'html' || type === 'redirect' || type === 'token';
}

export function broken({ type, status, location, body }: FaultRule): Outgoing {
  // Any answer at all: an object is sent as JSON, a text as the page of a proxy.
  if (typeof body === 'string') return { status: status ?? 400, headers: { 'Content-Type': 'text/html' }, text: body };
  if (body !== undefined) return json(status ?? 400, body);
  if (type === 'redirect')
    return { status: status ?? 302, headers: { Location: location ?? 'https://elsewhere.example/' }, text: '' };
  if (type === 'html') return { status: status ?? 503, headers: { 'Content-Type': 'text/html' }, text: edgePage };
  const code = status ?? 503;
  const errorCode = code >= 500 && code !== 503 ? 'UNKNOWN_EXCEPTION' : 'SERVER_UNAVAILABLE';
  const message =
    code === 503
      ? 'The server is temporarily unavailable.'
      : 'An unexpected error occurred. Please include this ErrorId if you contact support: 0-0 (0)';
  return json(code, [{ message, errorCode }]);
}

/** The head arrives, then half of the body, then nothing more. */
export function cutShort(response: Response, text: string): Response {
  const half = new TextEncoder().encode(text).subarray(0, Math.ceil(text.length / 2));
  let isSent = false;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (isSent) controller.error(new TypeError('terminated', { cause: connectionReset().cause }));
      else controller.enqueue(half);
      isSent = true;
    },
  });
  const headers = new Headers(response.headers);
  headers.set('Content-Length', String(new TextEncoder().encode(text).length));
  return new Response(stream, { status: response.status, headers });
}
