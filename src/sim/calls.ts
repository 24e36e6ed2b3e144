/** The list of calls since the last reset: what a test counts. */
import type { CallRow } from './facts.ts';
import type { Incoming } from './http.ts';
import type { Org } from './org.ts';
import { countCall } from './rest/limits.ts';

const keptCalls = 2000;

export function clientOf(headers: Headers): string | null {
  return /client=([^,\s]+)/.exec(headers.get('sforce-call-options') ?? '')?.[1] ?? null;
}

export function logCall(org: Org, { method, url, headers }: Incoming, status: number): void {
  const { pathname } = url;
  const isApi = /^\/services\/(?:data\/v|apexrest\/)/.test(pathname);
  if (!isApi && !pathname.startsWith('/services/oauth2/') && !pathname.startsWith('/id/')) return;
  const kind = isApi ? 'api' : 'oauth';
  const isCharged = isApi && status !== 401 && status !== 503 && status !== 0;
  const usage = countCall(org, kind, isCharged);
  const n = usage.apiCalls + usage.oauthCalls;
  const path = isApi ? (pathname + url.search).slice(0, 300) : pathname;
  const client = clientOf(headers);
  const row: CallRow = {
    n,
    method,
    path,
    status,
    at: new Date(org.now()).toISOString(),
    client,
    kind,
    examined: org.examined,
  };
  org.keep('call', String(n), row);
  if (n > keptCalls) org.forget('call', String(n - keptCalls));
}
