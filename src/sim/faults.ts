/** Faults on request: what a rule does to a call that it matches. */
import type { FaultRule } from './facts.ts';
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
function matches({ match }: FaultRule, method: string, path: string): boolean {
  if (match?.method && match.method.toUpperCase() !== method) return false;
  return !match?.path || path.includes(match.path) || new RegExp(match.path).test(path);
}

/** What fetch throws when the other side hangs up. */
export function connectionReset(): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }) });
}

export const edgePage =
  "<html><head><title>Service Unavailable</title></head><body><h1>We are down for maintenance.</h1><p>Sorry for the inconvenience. We'll be back shortly.</p></body></html>";
