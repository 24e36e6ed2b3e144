import { describe, expect, it } from 'vitest';
import { backoffMs, spreadBackoffMs } from '../../src/domain/backoff.ts';
import type { Link } from '../../src/domain/link.ts';
import {
  finished,
  freed,
  freshLink,
  linkedByHand,
  linkedTo,
  postponed,
  reopened,
  unlinked,
} from '../../src/domain/link-transitions.ts';

const fresh = freshLink({
  id: 'link-1',
  bot: 'demo',
  orgId: '00D000000000001AAA',
  kind: 'party',
  object: 'Contact',
  localId: 'p1',
  extKey: 'demo:party:p1',
  matchKey: 'ada@example.com',
  createdAt: 1,
  reason: 'local change',
});

const error: NonNullable<Link['error']> = {
  code: 'ambiguous',
  message: 'Two could be this one.',
  next: 'Choose.',
  retryable: false,
};

/** Every field differs from a fresh link's, so that whatever a transition forgets shows. */
const lived: Link = {
  ...fresh,
  sfId: '003000000000001AAA',
  state: 'active',
  base: { Email: 'ada@example.com' },
  baseMod: '2026-05-04T10:00:00.000Z',
  seenAt: 10,
  seenStamp: '2026-05-04T10:00:00.000Z',
  intents: { Phone: [{ value: '1', before: null, fence: 3, at: 9 }] },
  attemptedAt: 8,
  dirty: 7,
  done: 6,
  batch: 'batch-1',
  leaseOwner: 'worker-1',
  leaseUntil: 100,
  fence: 3,
  attempts: 2,
  nextAt: 50,
  error,
  waitsFor: [{ object: 'Account', name: 'Acme', ids: [], message: 'No Account is called Acme.' }],
};

const forgotten = {
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
};
const noRecord = { ...forgotten, sfId: null, matchKey: null, batch: null };
const free = { leaseOwner: null, leaseUntil: 0 };
const merged: Link = { ...lived, state: 'merged' };
const deleted: Link = { ...lived, state: 'remote_deleted' };

describe('a transition of a link changes exactly these fields', () => {
  it.each<[string, Link, Link, Partial<Link>]>([
    ['linkedTo', merged, linkedTo(merged, 'B'), { sfId: 'B', state: 'active' }],
    ['linkedByHand', merged, linkedByHand(merged, 'B'), { ...forgotten, sfId: 'B', state: 'active' }],
    ['unlinked', lived, unlinked(lived), { ...noRecord, state: 'unlinked' }],
    ['reopened, deleted in Salesforce', deleted, reopened(deleted), { ...noRecord, state: 'new' }],
    ['reopened, unlinked', unlinked(lived), reopened(unlinked(lived)), { state: 'new' }],
    ['reopened, in step', lived, reopened(lived), {}],
    ['freed', lived, freed(lived), free],
    [
      'finished',
      lived,
      finished(lived, 7, null),
      { ...free, done: 7, error: null, attempts: 0, nextAt: 0, batch: null },
    ],
    [
      'finished with a problem',
      lived,
      finished(lived, 5, error),
      { ...free, done: 5, attempts: 0, nextAt: 0, batch: null },
    ],
    [
      'postponed',
      { ...lived, attempts: 1 },
      postponed({ ...lived, attempts: 1 }, error, 1_000),
      { ...free, attempts: 2, nextAt: 1_000 + spreadBackoffMs(2, 'link-1') },
    ],
    [
      'postponed for the third time',
      lived,
      postponed(lived, error, 1_000),
      { ...free, attempts: 3, nextAt: 1_000 + spreadBackoffMs(3, 'link-1'), batch: null },
    ],
  ])('%s', (_name, before, after, changed) => {
    expect(after).toEqual({ ...before, ...changed });
  });

  it('and a fresh link has one value other than those of one that has lived in each field that an engine writes', () => {
    const same = Object.keys(fresh).filter((key) => fresh[key as keyof Link] === lived[key as keyof Link]);
    expect(same.sort()).toEqual(
      ['bot', 'createdAt', 'extKey', 'id', 'kind', 'localId', 'matchKey', 'object', 'orgId', 'reason'].sort(),
    );
  });
});

describe('the wait before the next try', () => {
  it('doubles from five seconds to an hour', () => {
    expect([1, 2, 3, 10, 11, 99].map(backoffMs)).toEqual([5_000, 10_000, 20_000, 2_560_000, 3_600_000, 3_600_000]);
  });

  it('is spread by the id, a quarter at most', () => {
    const waits = Array.from({ length: 200 }, (_, at) => spreadBackoffMs(1, `link-${at}`));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(3_750);
    expect(Math.max(...waits)).toBeLessThanOrEqual(6_250);
    expect(new Set(waits).size).toBeGreaterThan(100);
  });
});
