/** Everything the org remembers beside records. Each kind is a map from id to a plain JSON value. */
import type { Locator } from './query/locator.ts';
import { plain, type Setup } from './schema/setup.ts';
import type { Value } from './table.ts';

export interface Session {
  readonly token: string;
  readonly userId: string;
  readonly clientId: string;
  readonly expiresAt: number;
  /** The grant that made it: revoking the grant ends the session too. */
  readonly grantId: string | null;
}

export interface Grant {
  readonly id: string;
  /** The refresh token that is good now; rotation replaces it. */
  readonly token: string;
  readonly userId: string;
  readonly clientId: string;
  readonly scope: string;
  readonly createdAt: number;
}

export interface AuthCode {
  readonly code: string;
  readonly userId: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scope: string;
  readonly challenge: string;
  readonly expiresAt: number;
}

export interface FaultRule {
  readonly id: string;
  readonly type:
    | 'latency'
    | 'status'
    | 'token'
    | 'drop'
    | 'drop_body'
    | 'expired_session'
    | 'limit'
    | 'lock'
    | 'html'
    | 'redirect'
    | 'hang';
  readonly match?: { readonly method?: string | undefined; readonly path?: string | undefined } | undefined;
  /** How many more requests it strikes; absent means every one until cleared. */
  readonly times?: number | undefined;
  readonly ms?: number | undefined;
  readonly status?: number | undefined;
  readonly location?: string | undefined;
  /** What it answers instead of the org: JSON, or the text of a page. */
  readonly body?: unknown;
  readonly when: 'before' | 'after';
}

export interface CallRow {
  readonly n: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly at: string;
  readonly client: string | null;
  readonly kind: 'api' | 'oauth';
  /** Rows that queries of this call looked at: the work done, free of any clock. */
  readonly examined: number;
}

export interface Settings extends Setup {
  readonly sandbox: boolean;
  readonly sessionMs: number;
  readonly apiMax: number;
  readonly duplicates: 'alert' | 'block' | 'off';
  readonly validation: boolean;
  readonly rotation: boolean;
  readonly isLoginHost: boolean;
  /** The connected app: what makes one sign-in another's. */
  readonly app: { readonly clientId: string; readonly clientSecret: string };
  readonly callbacks: readonly string[] | null;
  readonly compositeConditional: boolean;
  readonly clockOffsetMs: number;
  /** Describes answer 304 to who has seen them since. */
  readonly schemaChangedAt: number;
  /** Objects selected for Change Data Capture; five at most. */
  readonly changeDataCapture: readonly string[];
  /** A custom channel of change events: several objects on one, some fields told though they did not change. */
  readonly changeChannel: {
    readonly name: string;
    readonly objects: readonly string[];
    readonly enriched: readonly string[];
  } | null;
  /** How long a connect of CometD is held while nothing happens. */
  readonly cometdHoldMs: number;
  readonly cometdClients: number;
  /** Events delivered in a day, to all subscribers together. */
  readonly deliveries: number;
  /** Fields that were deployed: only who has a permission set for them sees them. */
  readonly guardedFields: readonly string[];
  /** How long a deployment takes. */
  readonly deployMs: number;
  /** How long a bulk job waits before its first row. */
  readonly bulkQueueMs: number;
  readonly bulkRowsPerSecond: number;
  /** Batches of bulk jobs in a day. */
  readonly bulkBatches: number;
}

export type ChangeType = 'CREATE' | 'UPDATE' | 'DELETE' | 'UNDELETE';

/** What the head of a change event says beside its replay id. */
export interface ChangeHeader {
  readonly entityName: string;
  readonly recordIds: readonly string[];
  readonly changeType: ChangeType | `GAP_${ChangeType}` | 'GAP_OVERFLOW';
  /** Plain names; compound parts are dotted only when they are shown. */
  readonly changedFields: readonly string[];
  readonly changeOrigin: string;
  readonly transactionKey: string;
  readonly sequenceNumber: number;
  readonly commitTimestamp: number;
  /** Digits: more than a number holds. */
  readonly commitNumber: string;
  readonly commitUser: string;
}

export interface StoredEvent {
  readonly replayId: number;
  /** `ContactChangeEvent`, or the name of a platform event. */
  readonly name: string;
  readonly at: number;
  readonly header: ChangeHeader | null;
  readonly uuid: string | null;
  readonly fields: Readonly<Record<string, Value>>;
}

/** The event bus of the org. */
export interface EventBus {
  readonly lastReplayId: number;
  /** Ids at or below it mean nothing any more. */
  readonly floor: number;
  /** So many further messages meet a busy server. */
  readonly busy: number;
  readonly delivered: { readonly since: number; readonly count: number };
  /** Every client is told to leave that came before it. */
  readonly leftAt: number;
  /** Grows with whatever held clients have to look at. */
  readonly news: number;
}

export interface CometClient {
  readonly id: string;
  readonly userId: string;
  /** Looked at while the client is connected. */
  readonly token: string;
  /** As they were set, byte for byte. */
  readonly cookies: readonly string[];
  readonly since: number;
  readonly seenAt: number;
  /** How long it may stay away. */
  readonly leaveMs: number;
  /** The last replay id that it was given, by channel. */
  readonly channels: Readonly<Record<string, number>>;
}

/** How a deployment ended, as it is told when it is over. */
export interface Deployment {
  readonly id: string;
  readonly createdAt: string;
  readonly doneAt: number;
  readonly userId: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly successes: readonly Readonly<Record<string, unknown>>[];
  readonly failures: readonly Readonly<Record<string, unknown>>[];
}

export interface Usage {
  /** Start of the rolling day in which `used` counts. */
  readonly since: number;
  readonly used: number;
  readonly apiCalls: number;
  readonly oauthCalls: number;
}

export interface OutboundAction {
  readonly id: string;
  readonly object: string;
  readonly url: string;
  readonly fields: readonly string[];
  readonly includeSessionId: boolean;
  readonly userId: string;
}

export interface Notice {
  readonly id: string;
  readonly actionId: string;
  readonly recordId: string;
  readonly createdAt: number;
  readonly attempts: number;
  readonly nextAt: number;
  readonly lastError: string | null;
}

/** A record-triggered Flow with an HTTP callout in its asynchronous path. */
export interface CalloutFlow {
  readonly id: string;
  readonly object: string;
  readonly url: string;
  readonly token: string;
  readonly fields: readonly string[];
  readonly fault: 'lost' | 'twice' | 'cut' | 'unauthorized' | null;
  readonly faultTimes: number;
}

/** One run of it; with an error it is over. */
export interface Interview {
  readonly id: string;
  readonly flowId: string;
  readonly recordId: string;
  readonly at: string;
  readonly error: string | null;
}

/** What the sample class keeps, and who asked for it. */
export interface ApexOrder {
  readonly number: string;
  readonly status: string;
  readonly sku: string;
  readonly key: string | null;
}

/** How a job of Bulk API 2.0 stands. */
export type JobState = 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';

export interface BulkJob {
  readonly id: string;
  readonly type: 'V2Ingest' | 'V2Query';
  readonly operation: string;
  readonly object: string;
  readonly key: string | null;
  readonly query: string | null;
  readonly state: JobState;
  readonly createdById: string;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly version: string;
  readonly lineEnding: string;
  readonly columnDelimiter: string;
  /** As changes name it: API and client. */
  readonly client: string | null;
  /** When it was handed over; rows are worked off by the clock from then on. */
  readonly startedAt: number;
  readonly processed: number;
  readonly failed: number;
  /** Where in the upload the next row begins. */
  readonly at: number;
  readonly error: string | null;
}

/** Rows worked off, as lines of the result files. */
export interface BulkDone {
  readonly job: string;
  readonly successful: readonly string[];
  readonly failed: readonly string[];
}

/** What waits to happen to jobs on request, and what the day has seen. */
export interface BulkTroubles {
  /** The next job fails when it has worked off so many rows. */
  readonly failAfter: number | null;
  readonly failWith: string;
  /** So many further rows meet a lock. */
  readonly locks: number;
  /** Jobs under way end at the next look. */
  readonly isHurried: boolean;
  readonly since: number;
  readonly batches: number;
  readonly queryJobs: number;
}

export interface Facts {
  readonly session: Session;
  readonly grant: Grant;
  readonly code: AuthCode;
  readonly fault: FaultRule;
  readonly call: CallRow;
  readonly settings: Settings;
  readonly usage: Usage;
  readonly counter: number;
  readonly locator: Locator;
  readonly jwtKey: { readonly pem: string };
  readonly action: OutboundAction;
  readonly notice: Notice;
  readonly calloutFlow: CalloutFlow;
  readonly interview: Interview;
  readonly event: StoredEvent;
  readonly bus: EventBus;
  readonly cometClient: CometClient;
  readonly deployment: Deployment;
  readonly apexOrder: ApexOrder;
  readonly flowRun: { readonly orderNumber: string; readonly at: number };
  readonly bulkJob: BulkJob;
  /** CSV as it came. */
  readonly bulkUpload: string;
  readonly bulkDone: BulkDone;
  /** What a query job found. */
  readonly bulkIds: { readonly ids: readonly string[] };
  readonly bulkTroubles: BulkTroubles;
}

export const defaultSettings: Settings = {
  ...plain,
  sandbox: false,
  sessionMs: 2 * 60 * 60 * 1000,
  apiMax: 100_000,
  duplicates: 'alert',
  validation: true,
  rotation: false,
  isLoginHost: false,
  app: { clientId: 'sim', clientSecret: 'sim' },
  callbacks: null,
  compositeConditional: false,
  clockOffsetMs: 0,
  schemaChangedAt: Date.UTC(2026, 0, 1),
  changeDataCapture: [],
  changeChannel: null,
  cometdHoldMs: 110_000,
  cometdClients: 20,
  deliveries: 10_000,
  guardedFields: [],
  deployMs: 0,
  bulkQueueMs: 1_000,
  // Measured in an org: 76,380 inserts in 83 s.
  bulkRowsPerSecond: 920,
  bulkBatches: 15_000,
};
