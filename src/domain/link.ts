import type { FieldValue } from './action.ts';
import { digestOf } from './canonical-json.ts';
import type { ErrorBody } from './errors.ts';
import type { Kind } from './mapping.ts';

export type LinkState = 'new' | 'active' | 'ambiguous' | 'remote_deleted' | 'merged' | 'unlinked' | 'failed';

/** A value sent and not yet acknowledged. */
export interface Intent {
  readonly value: FieldValue;
  readonly before: FieldValue;
  /** The claim that sent it: only that claim may acknowledge it. */
  readonly fence: number;
  readonly at: number;
}

/** The pair of a host record and a Salesforce record, and everything the merge must remember about it. */
export interface Link {
  readonly id: string;
  readonly bot: string;
  readonly orgId: string;
  /** `parent`: an account found or created by name, kept so that it is looked up once. */
  readonly kind: Kind | 'parent';
  readonly object: string;
  readonly localId: string;
  readonly sfId: string | null;
  /** Value of our external-id field. */
  readonly extKey: string;
  /** The claim on a person: one link per look-up value (the email) may create. */
  readonly matchKey: string | null;
  readonly state: LinkState;
  readonly base: Readonly<Record<string, FieldValue>>;
  /** LastModifiedDate at the last look, for conditional writes; null when not known. */
  readonly baseMod: string | null;
  /** When we last knew the record's state; 0 after a hint that it changed. */
  readonly seenAt: number;
  /** SystemModstamp at the last look. */
  readonly seenStamp: string | null;
  readonly intents: Readonly<Record<string, readonly Intent[]>>;
  /** When a create was sent whose outcome is not known, on Salesforce's clock. */
  readonly attemptedAt: number | null;
  /** The outbox: there is work while `dirty` is above `done`. */
  readonly dirty: number;
  readonly done: number;
  readonly reason: string;
  readonly batch: string | null;
  readonly leaseOwner: string | null;
  readonly leaseUntil: number;
  readonly fence: number;
  readonly attempts: number;
  readonly nextAt: number;
  readonly error: ErrorBody['error'] | null;
  /** Parents that its host record names and nobody could tell; the record itself is in step. */
  readonly waitsFor: readonly WaitedFor[] | null;
  readonly createdAt: number;
}

/** Names a kind of problem: records that share it have the same cure. */
export const problemKind = ({ code, next, salesforce }: ErrorBody['error']): string =>
  digestOf([code, salesforce?.code ?? null, salesforce?.fields ?? null, next]).slice(0, 16);

/** A company that is not there, or is there several times: one question for everybody who works for it. */
export interface WaitedFor {
  readonly object: string;
  readonly name: string;
  /** Found by this name; none where there is no such record. */
  readonly ids: readonly string[];
  readonly message: string;
}

export type NewLink = Pick<
  Link,
  'id' | 'bot' | 'orgId' | 'kind' | 'object' | 'localId' | 'extKey' | 'matchKey' | 'createdAt' | 'reason'
>;

export interface Scope {
  readonly bot: string;
  readonly orgId: string;
}

/** All links of a bot's org, or those that one mapping speaks of: links to an object it named before lie still. */
export interface LinkSet extends Scope {
  readonly kind?: Kind;
  readonly object?: string;
}

/** How the reason of a link begins that a person set off: it goes in quiet hours too. */
export const BY_HAND = {
  retry: 'retry',
  parent: 'a parent was chosen',
  linked: 'linked by hand',
  unlinked: 'unlinked by hand',
  restored: 'restored by',
} as const;

export type Due =
  /** `byHand`: what a person asked for alone. */
  | { readonly due: 'dirty'; readonly byHand?: boolean }
  | { readonly due: 'batch'; readonly batch: string }
  | { readonly due: 'ids'; readonly ids: readonly string[] };

export interface Claim {
  readonly owner: string;
  readonly now: number;
  readonly until: number;
  readonly limit: number;
}

/** Links that one process took, or renewed, at one moment. */
export interface Lease {
  readonly owner: string;
  readonly until: number;
}

export interface Standing {
  readonly inStep: number;
  readonly waits: number;
  readonly needsYou: number;
}

/** How the holder of a link is named while a part of a bulk job has it. No watch ends such a hold: the part does. */
export const heldByPart = (part: string): string => `${PART_HOLDER}${part}`;
export const PART_HOLDER = 'bulk ';

export interface LinkStore {
  /** Adds those that are not there; a look-up value that another link holds is left out. */
  ensure(links: readonly NewLink[]): Promise<void>;
  /** Of what is due, what nobody holds. */
  claim(among: LinkSet, what: Due, claim: Claim): Promise<readonly Link[]>;
  /** Whether a person set something off that is still to do. */
  isAsked(among: LinkSet, now: number): Promise<boolean>;
  /** What processes hold, by whom. */
  leases(among: LinkSet): Promise<readonly Lease[]>;
  /** Takes from its holder what it still holds by exactly this lease. */
  endLease(among: LinkSet, lease: Lease): Promise<void>;
  /** Fresh rows of claims that still stand, locked for the transaction. */
  lock(claims: readonly Pick<Link, 'id' | 'fence'>[]): Promise<readonly Link[]>;
  /** Writes everything but `dirty`, which others may have moved. */
  save(links: readonly Link[]): Promise<void>;
  /**
   * Hands claims that still stand over to a holder that no watch ends; answers their ids. Their fence moves on: who claimed them can
   * neither free nor acknowledge them any more.
   */
  hand(claims: readonly Pick<Link, 'id' | 'fence'>[], holder: string): Promise<readonly string[]>;
  renew(claims: readonly Pick<Link, 'id' | 'fence'>[], until: number): Promise<void>;
  release(claims: readonly Pick<Link, 'id' | 'fence'>[]): Promise<void>;
  byLocal(scope: Scope, object: string, localIds: readonly string[]): Promise<readonly Link[]>;
  /** The same, locked for the transaction. Links come before host records, everywhere: two that wait for each other never meet. */
  lockLocal(scope: Scope, object: string, localIds: readonly string[]): Promise<readonly Link[]>;
  bySf(scope: Scope, sfIds: readonly string[]): Promise<readonly Link[]>;
  byMatchKey(scope: Scope, object: string, keys: readonly string[]): Promise<readonly Link[]>;
  /**
   * There is work: bumps `dirty`; `isStale` also forgets that the remote state was known. It leaves its batch: what changes now
   * is not held back by a batch that is long or paused.
   */
  touch(ids: readonly string[], reason: string, isStale: boolean, now: number): Promise<void>;
  /** The remote state of all of these is no longer known: each is read again, also where a pass or a batch has just been there. */
  forget(among: LinkSet): Promise<void>;
  /** They no longer stand for the look-up value they claimed. */
  disown(ids: readonly string[]): Promise<void>;
  /** Forgets what was agreed on some fields, so that their new rules start afresh. */
  rebase(id: string, base: Link['base']): Promise<void>;
  /** Of people and cases: in step, waiting for a turn (also for the next try), and standing until somebody acts. */
  standing(scope: Scope): Promise<Standing>;
  /** Notes a problem on a link that somebody else may hold. */
  flag(id: string, error: Link['error']): Promise<void>;
  /** In order of local id; `after` is the last one of the page before. */
  list(
    among: LinkSet,
    filter: {
      state?: LinkState;
      localId?: string;
      hasProblem?: true;
      /** Those that wait for a parent. */
      isWaiting?: true;
      after?: Pick<Link, 'localId' | 'id'>;
      limit: number;
    },
  ): Promise<readonly Link[]>;
  countByState(scope: Scope): Promise<readonly { kind: string; state: LinkState; count: number }[]>;
  countProblems(among: LinkSet): Promise<number>;
  /** How many wait, and since when the first of them does: the time of its last change, or of its next try. */
  backlog(among: LinkSet): Promise<{ readonly count: number; readonly since: number | null }>;
  /** How many are on their way to Salesforce: held by a process or a part of a bulk job, and not only to be read. No further than `most`. */
  countHeld(among: LinkSet, most: number): Promise<number>;
  /**
   * Puts the next of them, by local id after `after`, into a batch that is still scheduled. Answers where to go on; undefined at
   * the end, or where the batch is not scheduled any more. In a transaction of its own each time.
   */
  enlist(among: LinkSet, batch: string, only: 'all' | 'failed', after: string): Promise<string | undefined>;
  delist(batch: string): Promise<void>;
  countBatch(batch: string): Promise<number>;
  /** Of them, those that have no record, and were not tried before. */
  countNew(batch: string): Promise<number>;
}
