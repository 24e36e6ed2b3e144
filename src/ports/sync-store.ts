import type { Fields, FieldValue } from '../domain/action.ts';
import type { ErrorBody } from '../domain/errors.ts';
import type { Link, LinkSet, LinkStore, Scope } from '../domain/link.ts';
import type { LogChange } from '../domain/log-change.ts';
import type { Kind, Mapping } from '../domain/mapping.ts';
import type { Transition } from '../domain/subscription.ts';
import type { Hours, Repeat } from '../domain/wall-clock.ts';
import type { BulkStore } from './bulk-store.ts';
import type { FieldTimeStore, StreamStore } from './streams.ts';
import type { FoundStore, TransitionStore } from './transitions.ts';

/** A record of the host app. `clocks` says when each field was last written, on Salesforce's clock. */
export interface HostRecord {
  readonly bot: string;
  readonly kind: Kind;
  readonly id: string;
  readonly fields: Fields;
  readonly clocks: Readonly<Record<string, FieldClock>>;
  /** A case's people; empty for a party. */
  readonly parties: readonly PartyRole[];
  readonly version: number;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly deletedAt: number | null;
}

export interface FieldClock {
  readonly at: number;
  readonly origin: 'host' | 'salesforce';
}

export interface PartyRole {
  readonly party: string;
  readonly role: string;
}

export interface HostStore {
  get(bot: string, kind: Kind, ids: readonly string[]): Promise<readonly HostRecord[]>;
  /** The same, locked for the transaction. */
  lock(bot: string, kind: Kind, ids: readonly string[]): Promise<readonly HostRecord[]>;
  /** First in a writer's transaction: whoever else writes one of these waits, also where there is no row to lock yet. */
  lockKeys(bot: string, kind: Kind, ids: readonly string[]): Promise<void>;
  put(records: readonly HostRecord[]): Promise<void>;
  page(bot: string, kind: Kind, after: string, limit: number): Promise<readonly HostRecord[]>;
  /** Live records, the last changed first: samples for who writes a mapping. */
  newest(bot: string, kind: Kind, limit: number): Promise<readonly HostRecord[]>;
  /** Live records that hold these words in their id or in a value, the last changed first. */
  search(bot: string, kind: Kind, words: string, limit: number): Promise<readonly HostRecord[]>;
  /** Ids of live cases that name one of these people. */
  casesOf(bot: string, parties: readonly string[]): Promise<readonly string[]>;
  /** How many live records have never been in Salesforce, and one of them. */
  unsynced(
    scope: Scope,
    kind: Kind,
    object: string,
  ): Promise<{ readonly count: number; readonly first: string | null }>;
  /** Live records without a link to the object, in order of id. */
  unlinked(scope: Scope, kind: Kind, object: string, after: string, limit: number): Promise<readonly HostRecord[]>;
}

/** A hint that a record may have changed: no value of an event is kept, so none can be believed. */
export interface InboxRow extends Scope {
  readonly eventId: string;
  readonly object: string;
  readonly sfId: string;
  readonly kind: 'message' | 'callout' | 'event' | 'poll';
  readonly receivedAt: number;
  /** Fields that a change event of the org's own stream named; absent or null: it was none, or named none. */
  readonly changed?: readonly string[] | null | undefined;
}

export interface InboxStore {
  /** Durable once this returns; an event that is there already is left as it is. Answers how many were new. */
  add(rows: readonly InboxRow[]): Promise<number>;
  pending(scope: Scope, limit: number): Promise<readonly InboxRow[]>;
  /** Marks them done; answers those that were not done before: each event has its effect once. */
  finish(bot: string, eventIds: readonly string[], now: number): Promise<readonly string[]>;
}

/** A subscribed record as it was read. */
export interface RecordState {
  readonly sfId: string;
  /** ISO instant of its last change, whole seconds. */
  readonly stamp: string;
  /** The same for the same values at the same stamp. */
  readonly key: string;
}

/** The state of each record that the host app was told last. */
export interface ToldStore {
  /** Notes them as told; answers the Ids of those that are neither that state nor older. Each Id once. */
  news(scope: Scope, states: readonly RecordState[], now: number): Promise<readonly string[]>;
}

export interface PollState {
  readonly object: string;
  /** ISO instant: everything stamped before it was seen. */
  readonly watermark: string;
  /** Where an unfinished scan stands. */
  readonly position: { readonly stamp: string; readonly id: string; readonly highest: string } | null;
  readonly polledAt: number;
}

/** How often a worker says that it is there. */
export const TURN_MS = 60_000;

/** The last turn of a worker, whichever process it was in. */
export interface Turn {
  readonly at: number;
  /** What stopped it; null where it came to its end. */
  readonly problem: ErrorBody['error'] | null;
}

export interface TurnStore {
  get(scope: Scope): Promise<Turn | undefined>;
  put(scope: Scope, turn: Turn): Promise<void>;
}

export interface PollStore {
  get(scope: Scope, object: string): Promise<PollState | undefined>;
  put(scope: Scope, state: PollState): Promise<void>;
  /** Moves `polledAt` on from what was read; false when another process did. */
  claimPoll(scope: Scope, object: string, from: number, to: number): Promise<boolean>;
}

export interface BatchRun extends Scope {
  readonly id: string;
  readonly kind: Kind;
  readonly state: 'scheduled' | 'running' | 'paused' | 'cancelled' | 'done';
  /** Records per batch, the unit of progress. */
  readonly size: number;
  readonly total: number;
  readonly done: number;
  /** Those that left it with a problem. */
  readonly failed: number;
  readonly calls: number;
  readonly startAt: number;
  readonly createdAt: number;
  readonly finishedAt: number | null;
  /** Why it waits, in words. */
  readonly note: string | null;
  /** As it begins, the run of its next occasion is scheduled. */
  readonly repeat: Repeat | null;
  /** When its links were enlisted. */
  readonly begunAt: number | null;
}

export interface BatchStore {
  add(run: BatchRun): Promise<void>;
  get(bot: string, id: string): Promise<BatchRun | undefined>;
  /** Open ones first, then the newest. */
  list(bot: string, limit: number): Promise<readonly BatchRun[]>;
  runnable(scope: Scope, now: number): Promise<readonly BatchRun[]>;
  /** Compare-and-set of the state. */
  move(id: string, from: readonly BatchRun['state'][], patch: Partial<Omit<BatchRun, 'repeat'>>): Promise<boolean>;
  /** Adds to the counters, and raises `done` to what it is at least: they only ever grow. */
  progress(
    id: string,
    add: { readonly failed?: number; readonly calls?: number; readonly done?: number },
  ): Promise<void>;
}

/** Hours in which a bot's sync does nothing by itself. */
export interface QuietHours extends Hours {
  readonly bot: string;
  readonly by: string;
  readonly at: number;
}

export interface QuietStore {
  get(bot: string): Promise<QuietHours | undefined>;
  put(hours: QuietHours): Promise<void>;
  remove(bot: string): Promise<void>;
}

/** One effect or failure. Rows are only ever added. */
export interface LogRow extends Scope {
  /** Sortable by time. */
  readonly id: string;
  readonly kind: Link['kind'];
  readonly localId: string;
  readonly object: string;
  readonly sfId: string | null;
  readonly operation: 'create' | 'update' | 'delete' | 'none';
  readonly direction: 'to_crm' | 'from_crm';
  readonly status: 'success' | 'failed' | 'pending' | 'ambiguous';
  readonly changes: readonly LogChange[];
  /** What set it off, or what was found. */
  readonly reason: string;
  readonly calls: number;
  readonly error: ErrorBody['error'] | null;
  readonly batch: string | null;
  readonly at: number;
}

export interface LogFilter {
  readonly localId?: string | undefined;
  readonly kind?: Kind | undefined;
  readonly status?: LogRow['status'] | undefined;
  readonly operation?: LogRow['operation'] | undefined;
  readonly direction?: LogRow['direction'] | undefined;
  /** Only rows of which a value lost to another. */
  readonly hasConflict?: boolean | undefined;
  readonly batch?: string | undefined;
  readonly object?: string | undefined;
  readonly reason?: string | undefined;
  /** Below this id: that of the last row of the page before, or a time. */
  readonly before?: string | undefined;
  /** Lowest id: ids begin with their time. */
  readonly from?: string | undefined;
  readonly limit: number;
}

export interface LogStore {
  add(rows: readonly LogRow[]): Promise<void>;
  /** Newest first. */
  find(bot: string, filter: LogFilter): Promise<readonly LogRow[]>;
  get(bot: string, id: string): Promise<LogRow | undefined>;
  /** Records, not rows, of a batch that began no earlier than the id `from`: how many met each. */
  tally(
    bot: string,
    batch: string,
    from: string,
  ): Promise<readonly (Pick<LogRow, 'operation' | 'direction' | 'status'> & { readonly count: number })[]>;
}

export interface MappingRow {
  readonly bot: string;
  readonly kind: Kind;
  readonly version: number;
  readonly mapping: Mapping;
  readonly by: string;
  readonly at: number;
}

/** What a saved mapping still has to tell the links: gone once they all know. */
export interface Follow extends Scope {
  readonly kind: Kind;
  readonly version: number;
  readonly object: string;
  /** Rules of which every link forgets what was agreed. */
  readonly keys: readonly string[];
  /** Batches of an object that the mapping no longer names. */
  readonly batches: readonly string[];
  /** The last link that knows. */
  readonly after: Pick<Link, 'localId' | 'id'> | null;
}

export interface MappingStore {
  /** The newest; undefined while the bot uses the defaults. */
  get(bot: string, kind: Kind): Promise<MappingRow | undefined>;
  /** Moves with every save of the bot's policy and of this mapping: what was planned under another one is planned anew. */
  revision(bot: string, kind: Kind): Promise<string>;
  /** False when somebody saved this version first. */
  add(row: MappingRow, follow?: Follow): Promise<boolean>;
  /** What earlier saves did not come to the end of, oldest first. */
  follows(scope: Scope): Promise<readonly Follow[]>;
  /** How far it came; undefined: to its end. */
  followed(follow: Follow, after: Follow['after'] | undefined): Promise<void>;
  history(bot: string, kind: Kind): Promise<readonly MappingRow[]>;
}

/** What Salesforce changed, for the host app; `seq` grows without holes in the order of commits. */
export interface FeedRow {
  readonly bot: string;
  readonly seq: number;
  readonly type:
    | 'updated'
    | 'deleted'
    | 'undeleted'
    | 'merged'
    | 'linked'
    | 'found'
    | 'unlinked'
    | 'record'
    | 'received'
    | 'waiting'
    | 'undecided'
    | 'recovered';
  /** `event`: a platform event, its id in `localId`. `proposal`, `operator`: told to people, not a change of Salesforce. */
  readonly kind: Kind | 'record' | 'event' | 'proposal' | 'operator';
  readonly localId: string;
  readonly object: string;
  readonly sfId: string | null;
  readonly changes: Readonly<Record<string, { readonly before: FieldValue; readonly after: FieldValue }>>;
  /** Of a subscribed record: which of its fields change events named; absent or null where none did. */
  readonly changed?: readonly string[] | null | undefined;
  readonly at: number;
}

export interface FeedStore {
  /** Numbers them under a lock that the transaction holds, so a reader can never skip a late commit. */
  add(bot: string, rows: readonly Omit<FeedRow, 'bot' | 'seq'>[]): Promise<void>;
  after(bot: string, seq: number, limit: number): Promise<readonly FeedRow[]>;
  head(bot: string): Promise<number>;
}

/** Where the host app wants to be told. */
export interface WebhookTarget {
  readonly bot: string;
  readonly url: string;
  /** Sealed. */
  readonly secret: string;
  readonly delivered: number;
  readonly attempts: number;
  readonly nextAt: number;
  readonly leaseUntil: number;
  readonly state: 'on' | 'off';
  readonly lastError: string | null;
}

export interface WebhookStore {
  get(bot: string): Promise<WebhookTarget | undefined>;
  /** One that is there keeps its place. */
  put(target: WebhookTarget): Promise<void>;
  remove(bot: string): Promise<void>;
  /** One sender at a time: true for whoever got it in place of the lease `from`; 0 is none. */
  lease(bot: string, from: number, until: number): Promise<boolean>;
  patch(bot: string, url: string, patch: Partial<WebhookTarget>): Promise<void>;
}

/** What it opens: the secret address of outbound messages, or the door of Flow callouts. */
export type InboundKind = 'address' | 'flow';

export interface InboundToken {
  readonly hash: string;
  readonly bot: string;
  readonly kind: InboundKind;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** To the minute. */
  readonly usedAt: number | null;
}

export interface TokenStore {
  add(token: InboundToken): Promise<void>;
  byHash(kind: InboundKind, hash: string, now: number): Promise<InboundToken | undefined>;
  list(bot: string): Promise<readonly InboundToken[]>;
  /** All of its kind but one. */
  expire(kind: InboundKind, bot: string, except: string, at: number): Promise<void>;
  used(hash: string, at: number): Promise<void>;
}

export interface Subscription {
  readonly bot: string;
  readonly object: string;
  readonly fields: readonly string[];
  /** It is told only as this happens to a record; absent or null: every change is. */
  readonly when?: Transition | null;
  /** A custom channel on which it is heard; absent or null: its own. */
  readonly channel?: string | null;
  /** Of a platform event: which of its fields holds the id of the record that it is about. */
  readonly recordIdField?: string | null;
}

export interface SubscriptionStore {
  list(bot: string): Promise<readonly Subscription[]>;
  put(subscription: Subscription): Promise<void>;
  remove(bot: string, object: string): Promise<boolean>;
}

/** What a person was asked about one record: the write as it was listed. */
export interface Asked {
  readonly link: string;
  readonly dirty: number;
  readonly digest: string;
  /** Null where nobody was asked: policy denies this very write. */
  readonly proposal: string | null;
  readonly policyRevision: number;
}

export interface AskedStore {
  /** Ids of links that wait, but for those that were refused as they are under the policy of now. */
  due(among: LinkSet, now: number, limit: number): Promise<readonly string[]>;
  /** Whether one of them stands on no list that somebody may still decide, or is working on. */
  hasNew(among: LinkSet, now: number): Promise<boolean>;
  /** Of these links: what was refused under the policy of now, by a person or by a rule. */
  refused(bot: string, links: readonly string[]): Promise<readonly Asked[]>;
  put(bot: string, asked: readonly Omit<Asked, 'policyRevision'>[]): Promise<void>;
}

export interface SyncStore {
  /** Another text whenever sync did something, of any bot: cheap enough to be asked every second. */
  mark(): Promise<string>;
  readonly hosts: HostStore;
  readonly links: LinkStore;
  readonly inbox: InboxStore;
  readonly told: ToldStore;
  readonly polls: PollStore;
  readonly turns: TurnStore;
  readonly batches: BatchStore;
  readonly quiet: QuietStore;
  readonly log: LogStore;
  readonly mappings: MappingStore;
  readonly feed: FeedStore;
  readonly webhooks: WebhookStore;
  readonly tokens: TokenStore;
  readonly subscriptions: SubscriptionStore;
  readonly asked: AskedStore;
  readonly streams: StreamStore;
  readonly fieldTimes: FieldTimeStore;
  readonly transitions: TransitionStore;
  readonly found: FoundStore;
  readonly bulk: BulkStore;
  /** One transaction; only the store that `work` is given may be used inside. No network inside. It may run again from its start. */
  atomically<T>(work: (store: SyncStore) => Promise<T>): Promise<T>;
}
