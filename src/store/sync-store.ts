import type { SyncStore } from '../sync/ports.ts';
import type { Database } from './database.ts';
import { createAskedStore } from './sync-asked.ts';
import { createBatchStore } from './sync-batches.ts';
import { createCursorStore, createInboxStore, createTurnStore } from './sync-events.ts';
import { createFeedStore, createSubscriptionStore, createTokenStore, createWebhookStore } from './sync-feed.ts';
import { createHostStore } from './sync-hosts.ts';
import { createLinkStore } from './sync-links.ts';
import { createLogStore, createMappingStore } from './sync-log.ts';
import type { SyncTables } from './sync-tables.ts';

/** Sync's tables on an open database, beside the store's own. */
export function createSyncStore(database: Database): SyncStore {
  const tables = { db: database.kysely.withTables<SyncTables>(), dialect: database.dialect };
  return {
    hosts: createHostStore(tables),
    links: createLinkStore(tables),
    inbox: createInboxStore(tables),
    cursors: createCursorStore(tables),
    turns: createTurnStore(tables),
    batches: createBatchStore(tables),
    log: createLogStore(tables),
    mappings: createMappingStore(tables),
    feed: createFeedStore(tables),
    webhooks: createWebhookStore(tables),
    tokens: createTokenStore(tables),
    subscriptions: createSubscriptionStore(tables),
    asked: createAskedStore(tables),
    atomically: (work) => insisting(() => database.transaction((inside) => work(createSyncStore(inside)))),
  };
}

const MOST_DEADLOCKS = 5;

/** PostgreSQL ends one of two transactions that wait for each other; it did nothing, and runs again once the other is through. */
async function insisting<T>(transaction: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await transaction();
    } catch (error) {
      const isDeadlock = error instanceof Error && 'code' in error && error.code === '40P01';
      if (!isDeadlock || tries === MOST_DEADLOCKS) throw error;
    }
  }
}
