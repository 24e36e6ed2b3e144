import type { Scope } from '../../domain/link.ts';
import type { Stream } from '../../ports/streams.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import { LEASE_MS } from './streams.ts';
import { watchedObjects } from './watched.ts';

/** How often Salesforce is asked what changed, by all processes together. */
export const POLL_MS = 300_000;
/** With every watched object heard, the poll is only the net: 48 calls a day in place of 288. It never stops. */
const CALM_POLL_MS = 30 * 60_000;

export interface StreamDemandsNow {
  /** Channels for which a poll must look at what no event told. */
  readonly polls: readonly Stream[];
  /** Channels of which every record may have changed. */
  readonly reconciles: readonly Stream[];
  readonly pollMs: number;
}

export async function streamDemands(
  { store, now }: Pick<SyncDeps, 'store' | 'now'>,
  scope: Scope,
  pollMs: number,
): Promise<StreamDemandsNow> {
  const streams = await store.streams.list(scope);
  const polls = streams.filter(({ wanted, polled }) => wanted > polled);
  const reconciles = streams.filter(({ reconcile, reconciled }) => reconcile > reconciled);
  const live = new Set(
    streams.flatMap(({ state, objects }) => (state === 'live' ? objects.map((object) => object.toLowerCase()) : [])),
  );
  if (polls.length > 0 || live.size === 0) return { polls, reconciles, pollMs: polls.length > 0 ? 0 : pollMs };
  const isHeard = [...(await watchedObjects(store, scope.bot))].every((object) => live.has(object.toLowerCase()));
  const { owner, until } = await store.streams.lease(scope);
  // Of a listener that died its rows still say that it lives.
  const isListening = owner !== null && until > now() - LEASE_MS;
  return { polls, reconciles, pollMs: isHeard && isListening ? Math.max(pollMs, CALM_POLL_MS) : pollMs };
}
