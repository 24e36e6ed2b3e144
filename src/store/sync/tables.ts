import type { Kysely } from 'kysely';
import type { Link, Scope } from '../../domain/link.ts';
import type { BulkPart, BulkRowStored } from '../../ports/bulk-store.ts';
import type { FieldTimes, Stream, StreamLease } from '../../ports/streams.ts';
import type {
  Asked,
  BatchRun,
  FeedRow,
  Follow,
  HostRecord,
  InboundToken,
  InboxRow,
  LogRow,
  MappingRow,
  PollState,
  QuietHours,
  RecordState,
  Subscription,
  Turn,
  WebhookTarget,
} from '../../ports/sync-store.ts';
import type { Database } from '../engines/database.ts';

/** Objects and lists are JSON text in their column. */
type Stored<T, J extends keyof T> = {
  readonly [K in keyof T]: K extends J ? (null extends T[K] ? string | null : string) : T[K];
};

export type SyncTables = {
  hostRecords: Stored<HostRecord, 'fields' | 'clocks' | 'parties'>;
  caseParties: { readonly bot: string; readonly party: string; readonly caseId: string };
  links: Stored<Link, 'base' | 'intents' | 'error' | 'waitsFor'>;
  inbox: Stored<Required<InboxRow>, 'changed'> & { readonly doneAt: number | null };
  told: Scope & RecordState & { readonly at: number };
  cursors: Scope & Stored<PollState, 'position'>;
  syncTurns: Scope & Stored<Turn, 'problem'>;
  batchRuns: Stored<BatchRun, 'repeat'>;
  quietHours: QuietHours;
  syncLog: Stored<LogRow, 'changes' | 'error'>;
  mappings: Stored<MappingRow, 'mapping'>;
  follows: Stored<Follow, 'keys' | 'batches' | 'after'>;
  feed: Stored<Required<FeedRow>, 'changes' | 'changed'>;
  feedHeads: { readonly bot: string; readonly seq: number };
  webhookTargets: WebhookTarget;
  inboundTokens: InboundToken;
  subscriptions: Stored<Required<Subscription>, 'fields' | 'when'>;
  transitions: Scope & { readonly object: string; readonly when: string; readonly looks: number };
  found: Scope & { readonly object: string; readonly sfId: string; readonly at: number };
  transitionHolders: Scope & { readonly object: string; readonly sfId: string; readonly value: string };
  asked: Asked & { readonly bot: string };
  streams: Stored<Omit<Stream, 'objects'>, 'error'> & { readonly object: string };
  fieldTimes: Stored<FieldTimes, 'fields'>;
  streamLeases: Scope & StreamLease;
  bulkParts: Stored<BulkPart, 'columns'>;
  bulkRows: Stored<BulkRowStored, 'fields' | 'sent' | 'pushed' | 'problems'>;
  /** Of the store's own tables, what sync asks of them. */
  proposals: { readonly id: string; readonly state: string };
  bots: { readonly name: string; readonly createdAt: number; readonly policyRevision: number };
};

/** One open database, seen with sync's tables. */
export interface SyncDatabase {
  readonly db: Kysely<SyncTables>;
  readonly dialect: Database['dialect'];
}

export function toRow<T extends object, J extends keyof T>(value: T, json: readonly J[]): Stored<T, J> {
  const row: Record<string, unknown> = { ...(value as object) };
  for (const key of json) row[String(key)] = value[key] === null ? null : JSON.stringify(value[key]);
  // Same keys; those of `json` are text now.
  return row as Stored<T, J>;
}

export function fromRow<T extends object, J extends keyof T>(row: Stored<T, J>, json: readonly J[]): T {
  const value: Record<string, unknown> = { ...(row as object) };
  for (const key of json) {
    const text = value[String(key)];
    if (typeof text === 'string') value[String(key)] = JSON.parse(text);
  }
  // What toRow wrote.
  return value as T;
}

/** As many values as one statement carries: putting 30,000 of them together held the loop a fifth of a second (K4). */
export function* inChunks<T>(items: readonly T[], columns = 1): Generator<readonly T[]> {
  const size = Math.max(1, Math.floor(MOST_BOUND / columns));
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

export const MOST_BOUND = 3_000;
