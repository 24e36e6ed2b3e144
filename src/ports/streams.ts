import type { ErrorBody } from '../domain/errors.ts';
import type { Scope } from '../domain/link.ts';

/** Records of an object on their way to Salesforce at one time: of more nobody listens, until hardly any is left. */
export const LARGE_RUN = 2_000;

/** One channel of an org's event stream: how far we heard it, and how it stands. */
export interface StreamRow extends Scope {
  readonly channel: string;
  /** By the org's spelling; several on a custom channel. */
  readonly objects: readonly string[];
  /** The last event that is durable here; null: whatever comes from now on, and a poll for what came before. */
  readonly replayId: string | null;
  /** `silent`: while many writes of ours would come back on it; `paused`: a limit of the org; `refused`: this channel alone, until somebody acts. */
  readonly state: 'live' | 'waiting' | 'silent' | 'paused' | 'refused';
  readonly since: number;
  readonly error: ErrorBody['error'] | null;
  readonly retryAt: number;
  readonly lastEventAt: number | null;
  /** When events were last known to be missing; a poll brings what they told. */
  readonly lastGapAt: number | null;
  /** Events that came on this day (UTC): Salesforce allows so many to all subscribers together. */
  readonly day: string;
  readonly delivered: number;
}

/** What the events themselves cannot bring. Each demand is a number, so that one that comes while another is met is not lost. */
export interface StreamDemands {
  readonly wanted: number;
  readonly polled: number;
  readonly reconcile: number;
  readonly reconciled: number;
}

export type Stream = StreamRow & StreamDemands;

/** Deliveries are paid for each subscriber: of all processes one listens for a connection. */
export interface StreamLease {
  readonly owner: string | null;
  readonly until: number;
  readonly fence: number;
}

export interface StreamStore {
  list(scope: Scope): Promise<readonly Stream[]>;
  /** Whether a channel of any bot is not heard that should be: what nobody selected for events is polled, and well. */
  isAnyBroken(): Promise<boolean>;
  /** Leaves the demands alone: others meet them meanwhile. */
  put(rows: readonly StreamRow[]): Promise<void>;
  remove(scope: Scope, channels: readonly string[]): Promise<void>;
  demand(scope: Scope, channel: string, what: 'wanted' | 'reconcile'): Promise<void>;
  /** Met as far as they stood when they were read. */
  met(scope: Scope, streams: readonly Stream[], what: 'polled' | 'reconciled'): Promise<void>;
  lease(scope: Scope): Promise<StreamLease>;
  /** The fence of whoever got it in place of the lease that was seen. */
  take(scope: Scope, owner: string, until: number, seen: StreamLease): Promise<number | undefined>;
  /** False once somebody else has it; holds them off to the end of a transaction. */
  keep(scope: Scope, fence: number, until: number): Promise<boolean>;
  free(scope: Scope, fence: number): Promise<void>;
}

/** What the stream told of a linked record's fields since it was last heard without a gap. */
export interface FieldTimes extends Scope {
  readonly object: string;
  readonly sfId: string;
  /** The record's own stamp at the last event: a record that bears another one has changed unheard. */
  readonly modifiedAt: number;
  /** By API name: the value it was given, and when. */
  readonly fields: Readonly<Record<string, { readonly value: unknown; readonly at: number }>>;
  readonly heardAt: number;
}

export interface FieldTimeStore {
  get(scope: Scope, sfIds: readonly string[]): Promise<readonly FieldTimes[]>;
  put(rows: readonly FieldTimes[]): Promise<void>;
  forget(scope: Scope, sfIds: readonly string[]): Promise<void>;
  forgetObject(scope: Scope, object: string): Promise<void>;
}
