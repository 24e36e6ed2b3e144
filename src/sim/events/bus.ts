/** The org's event bus: what was published, kept for three days and at most ten thousand, and who listens. */
import type { CometClient, EventBus, StoredEvent } from '../facts.ts';
import type { Org } from '../org.ts';

const keptMs = 72 * 60 * 60 * 1000;
const mostKept = 10_000;
const dayMs = 24 * 60 * 60 * 1000;
const beginning: EventBus = {
  lastReplayId: 1000,
  floor: 1000,
  busy: 0,
  delivered: { since: 0, count: 0 },
  leftAt: 0,
  news: 0,
};

export function busOf(org: Org): EventBus {
  return org.fact('bus', 'org') ?? beginning;
}

export function changeBus(org: Org, change: Partial<EventBus>): void {
  const bus = busOf(org);
  org.keep('bus', 'org', { ...bus, ...change, news: bus.news + 1 });
}

/** Replay ids grow, with holes. */
export function publish(org: Org, event: Omit<StoredEvent, 'replayId' | 'at'>): StoredEvent {
  const { lastReplayId } = busOf(org);
  const stored = { ...event, replayId: lastReplayId + 1 + ((lastReplayId * 7) % 5), at: org.now() };
  org.keep('event', keyOf(stored), stored);
  changeBus(org, { lastReplayId: stored.replayId });
  const kept = org.facts('event');
  const tooMany = kept.length - mostKept;
  for (const [at, old] of kept.entries()) {
    if (at >= tooMany && old.at > org.now() - keptMs) break;
    forgetEvent(org, old);
  }
  return stored;
}

/** Who stood at a forgotten event has missed something. */
export function forgetEvent(org: Org, event: StoredEvent): void {
  org.forget('event', keyOf(event));
  changeBus(org, { floor: Math.max(busOf(org).floor, event.replayId) });
}

const keyOf = ({ replayId }: StoredEvent): string => String(replayId).padStart(12, '0');

/** Those that left without a word count until their time is over. */
export function liveClients(org: Org): CometClient[] {
  return org.facts('cometClient').filter((client) => org.now() - client.seenAt <= client.leaveMs);
}

export function deliveredToday(org: Org): number {
  const { since, count } = busOf(org).delivered;
  return org.now() - since < dayMs ? count : 0;
}

export function countDeliveries(org: Org, more: number): void {
  const count = deliveredToday(org);
  const since = count === 0 ? org.now() : busOf(org).delivered.since;
  org.keep('bus', 'org', { ...busOf(org), delivered: { since, count: count + more } });
}
