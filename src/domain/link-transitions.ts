import { spreadBackoffMs } from './backoff.ts';
import type { Link, NewLink } from './link.ts';

/** What a link does not know before its first look at Salesforce, and after it forgot its record. */
const NOTHING_KNOWN = {
  base: {},
  baseMod: null,
  seenAt: 0,
  seenStamp: null,
  intents: {},
  attemptedAt: null,
  attempts: 0,
  nextAt: 0,
  error: null,
  waitsFor: null,
} as const satisfies Partial<Link>;

const FREE = { leaseOwner: null, leaseUntil: 0 } as const satisfies Partial<Link>;

/** A link of which nothing has happened yet. */
export const freshLink = (link: NewLink): Link => ({
  ...link,
  ...NOTHING_KNOWN,
  ...FREE,
  sfId: null,
  state: 'new',
  dirty: 1,
  done: 0,
  batch: null,
  fence: 0,
});

/** The engine found its record. What was agreed stays: a record may be merged into another one. */
export const linkedTo = (link: Link, sfId: string): Link => ({ ...link, sfId, state: 'active' });

/** A person chose its record. Nothing is agreed: what differs is decided by time, like a first meeting. */
export const linkedByHand = (link: Link, sfId: string): Link => linkedTo({ ...link, ...NOTHING_KNOWN }, sfId);

/** It has no record, and holds no look-up value that another link could claim. */
export const unlinked = (link: Link): Link => ({
  ...link,
  ...NOTHING_KNOWN,
  sfId: null,
  state: 'unlinked',
  matchKey: null,
  batch: null,
});

/** Its host record came back: what was unlinked, or deleted in Salesforce, starts afresh. Any other link stays as it is. */
export const reopened = (link: Link): Link =>
  link.state === 'unlinked' || link.state === 'remote_deleted' ? { ...unlinked(link), state: 'new' } : link;

/** No process holds it any more. */
export const freed = (link: Link): Link => ({ ...link, ...FREE });

/** Through up to the outbox position `dirty`, with or without a problem. */
export const finished = (link: Link, dirty: number, error: Link['error']): Link => ({
  ...freed(link),
  done: dirty,
  error,
  attempts: 0,
  nextAt: 0,
  batch: null,
});

const MOST_ATTEMPTS_IN_BATCH = 3;

/** Free, and due again when its back-off is over. A batch is left at the third failure. */
export function postponed(link: Link, error: Link['error'], now: number): Link {
  const attempts = link.attempts + 1;
  const isLast = link.batch !== null && attempts >= MOST_ATTEMPTS_IN_BATCH;
  const nextAt = now + spreadBackoffMs(attempts, link.id);
  return { ...freed(link), attempts, nextAt, error, batch: isLast ? null : link.batch };
}
