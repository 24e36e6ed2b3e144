import type { Link, NewLink } from './link.ts';

/** A link of which nothing has happened yet. */
export function freshLink(link: NewLink): Link {
  return {
    ...link,
    sfId: null,
    state: 'new',
    base: {},
    baseMod: null,
    seenAt: 0,
    seenStamp: null,
    intents: {},
    attemptedAt: null,
    dirty: 1,
    done: 0,
    batch: null,
    leaseOwner: null,
    leaseUntil: 0,
    fence: 0,
    attempts: 0,
    nextAt: 0,
    error: null,
    waitsFor: null,
  };
}
