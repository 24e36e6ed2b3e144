import type { Peer } from './peer.ts';

/** What one request carries through Hono. */
export interface Env {
  Bindings: { readonly peer: Peer };
  Variables: {
    /** Request id, also in the answer's X-Request-Id. */
    id: string;
    /** Host header, once it was found to be ours. */
    host: string;
    /** Pattern that matched, for the log. */
    route: string;
  };
}

/** A path of ours as Hono writes it. */
export function toPattern(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}
