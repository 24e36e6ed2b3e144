import type { Policy } from '../../permissions/policy.ts';
import type { LeaseWatch } from '../domain/lease-watch.ts';
import type { Kind } from '../domain/mapping.ts';
import type { Org } from './salesforce.ts';
import type { SyncStore } from './sync-store.ts';

/** What sync asks of a bot's policy. */
export type SyncPolicy = Pick<Policy, 'objects' | 'mode' | 'off' | 'actions'> & Partial<Pick<Policy, 'host'>>;

/** What sync needs from outside: an org through one connection, and durable rows. */
export type SyncOrg = Pick<
  Org,
  | 'orgId'
  | 'instanceUrl'
  | 'describe'
  | 'composite'
  | 'collections'
  | 'graph'
  | 'patch'
  | 'create'
  | 'remove'
  | 'refusal'
  | 'clock'
  | 'hearClock'
  | 'recordUrl'
  | 'clientName'
  | 'bulk'
  | 'limits'
>;

export interface SyncDeps {
  readonly store: SyncStore;
  /** Our clock; Salesforce's comes from `org.clock()`. */
  readonly now: () => number;
  readonly newId: () => string;
  /** Names this process in leases. */
  readonly owner: string;
  /** Judges the leases of others; the room and the worker make one by `now` where there is none. */
  readonly watch?: LeaseWatch;
  readonly wait: (ms: number) => Promise<void>;
  /** Asked anew for every pass; one under way ends before its next write where `mappings.revision` has moved. Undefined: no such bot. */
  readonly policyOf: (bot: string) => Promise<SyncPolicy | undefined>;
  /** The list of a held kind that waits for a person: `ask` makes one where there is something new, `press` also soon after another. */
  readonly heldSync?: HeldSyncOf | undefined;
  readonly settings?: Partial<SyncSettings>;
  /** Tests stop the engine at a named point. */
  readonly crash?: ((point: CrashPoint) => void | Promise<void>) | undefined;
}

export type HeldSyncOf = (bot: string, kind: Kind, how: 'look' | 'ask' | 'press') => Promise<WaitingList | undefined>;

/** What the sync of a bot reaches in the org by one mapping or subscription. */
export interface SyncUse {
  /** The action whose kind it is. */
  readonly action: string | null;
  /** Somebody saved it, or records go that way. */
  readonly isUsed: boolean;
  readonly objects: readonly {
    readonly object: string;
    readonly isWritten: boolean;
    /** Written only where none is found: never changed. */
    readonly isMade?: boolean;
    readonly isDeleted?: boolean;
  }[];
  /** `Account.Name`; `*.Name` where the object is not known. */
  readonly fields: readonly string[];
  /** Those of them that are written. */
  readonly writes: readonly string[];
  /** Those of them that few orgs have, and nobody chose. */
  readonly optional: readonly string[];
  /** Relationships whose name does not say where they lead. */
  readonly unknown: readonly string[];
}

export interface RecordSearch {
  /** The host's id; words of a value too, for who sees values. */
  readonly words: string;
  /** 18 characters. */
  readonly sfId?: string | undefined;
  readonly seesValues: boolean;
}

export interface FoundRecord {
  readonly bot: string;
  readonly kind: Kind;
  readonly localId: string;
  readonly object: string;
  readonly recordId: string | null;
  /** What people call it: a value. */
  readonly label?: string;
}

/** A list of records that waits for a person. */
export interface WaitingList {
  readonly proposal: string;
  readonly count: number;
  readonly link: string;
}

export interface SyncSettings {
  /** How long a claim stands without being renewed; longer than one request may take. */
  readonly leaseMs: number;
  /** A record whose state we knew this recently is written without reading it first (where no hint came since). */
  readonly freshMs: number;
  /** How far a poll looks back below its watermark: records become visible up to ten minutes late. */
  readonly overlapMs: number;
  /** Most links in one read. */
  readonly window: number;
  /** From how many new records on a batch goes as jobs of Bulk API 2.0. */
  readonly bulkFrom: number;
  /** What one job takes. Salesforce takes 150 MB once base64 has made a third more of it. */
  readonly bulkRows: number;
  readonly bulkBytes: number;
}

export const DEFAULT_SETTINGS: SyncSettings = {
  leaseMs: 120_000,
  freshMs: 300_000,
  overlapMs: 600_000,
  window: 10_000,
  bulkFrom: 10_000,
  bulkRows: 400_000,
  bulkBytes: 90_000_000,
};

/** Where a process may die, by name; sync-P8 goes through all of them. */
export const CRASH_POINTS = [
  'claimed',
  'read',
  'merged',
  'sent',
  'acknowledged',
  'created-sent',
  'graph-sent',
  'roles-sent',
  'chunk-sent',
  'chunk-acknowledged',
  'polled-page',
  'inbox-finished',
  'inbox-stored',
  'events-stored',
  'webhook-sent',
  'query-noted',
  'rows-staged',
  'part-sealed',
  'job-created',
  'job-noted',
  'job-uploaded',
  'upload-noted',
  'job-closed',
  'close-noted',
  'rows-acknowledged',
  'rows-told',
  'job-removed',
  'links-followed',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];
