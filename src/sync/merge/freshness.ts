import type { Link } from '../../domain/link.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import type { Target } from '../remote/target.ts';

/**
 * Whether a link can be decided on without reading Salesforce first: its state was seen lately, no hint came since, nothing of
 * ours is under way, and every field that could be sent has been agreed on before.
 */
export function isKnown(
  { compiled }: Target,
  link: Link,
  host: HostRecord | undefined,
  how: {
    readonly mode: 'one' | 'many';
    readonly freshMs: number;
    readonly now: number;
    readonly hasMore: (host: HostRecord, link: Link) => boolean;
  },
): boolean {
  // What the host deleted needs no look, the record goes or stays by the mapping; unless it may just have been made.
  if (!host || host.deletedAt !== null) return link.sfId !== null || link.attemptedAt === null;
  if (link.sfId === null || link.state !== 'active' || how.hasMore(host, link)) return false;
  const isFresh = how.now - link.seenAt < how.freshMs && Object.keys(link.intents).length === 0;
  const isComplete = compiled.rules.every(
    (rule) => rule.key in link.base || rule.direction === 'from_crm' || host.fields[rule.local[0] ?? ''] === undefined,
  );
  // Some fields cannot be written without knowing what the record holds: a name, an amount that may be a sum.
  const isBlind = compiled.rules.some(
    (rule) => rule.looksAtRecord && rule.direction !== 'from_crm' && isChanged(rule, link, host),
  );
  // One record alone is written conditionally, for which its stamp must be known.
  return isFresh && isComplete && !isBlind && (how.mode === 'many' || link.baseMod !== null);
}

function isChanged(rule: Target['compiled']['rules'][number], link: Link, host: HostRecord): boolean {
  const value = rule.fromHost(host);
  return value !== undefined && rule.fold(value, host) !== link.base[rule.key];
}
