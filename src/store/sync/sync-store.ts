import type { SyncStore } from '../../ports/sync-store.ts';
import type { Database } from '../engines/database.ts';
import { createAskedStore } from './asked.ts';
import { createBatchStore, createQuietStore } from './batches.ts';
import { createBulkStore } from './bulk.ts';
import { createInboxStore, createPollStore, createTurnStore } from './events.ts';
import { createFeedStore, createSubscriptionStore, createTokenStore, createWebhookStore } from './feed.ts';
import { createFieldTimeStore } from './field-times.ts';
import { createFoundStore } from './found.ts';
import { createHostStore } from './hosts.ts';
import { createLinkStore } from './links.ts';
import { createLogStore, createMappingStore } from './log.ts';
import { createStreamStore } from './streams.ts';
import type { SyncTables } from './tables.ts';
import { createToldStore } from './told.ts';
import { createTransitionStore } from './transitions.ts';

/** Sync's tables on an open database, beside the store's own. */
export function createSyncStore(database: Database): SyncStore {
  const tables = { db: database.kysely.withTables<SyncTables>(), dialect: database.dialect };
  return {
    hosts: createHostStore(tables),
    links: createLinkStore(tables),
    inbox: createInboxStore(tables),
    told: createToldStore(tables),
    polls: createPollStore(tables),
    turns: createTurnStore(tables),
    batches: createBatchStore(tables),
    quiet: createQuietStore(tables),
    log: createLogStore(tables),
    mappings: createMappingStore(tables),
    feed: createFeedStore(tables),
    webhooks: createWebhookStore(tables),
    tokens: createTokenStore(tables),
    subscriptions: createSubscriptionStore(tables),
    asked: createAskedStore(tables),
    streams: createStreamStore(tables),
    fieldTimes: createFieldTimeStore(tables),
    transitions: createTransitionStore(tables),
    found: createFoundStore(tables),
    bulk: createBulkStore(tables),
    async mark() {
      // Ids of the log begin with their time, and batches are few.
      const [last, batches] = await Promise.all([
        tables.db
          .selectFrom('syncLog')
          .select(({ fn }) => fn.max('id').as('id'))
          .executeTakeFirst(),
        tables.db
          .selectFrom('batchRuns')
          .select(({ fn }) => [
            'state',
            fn.countAll().as('count'),
            fn.sum('done').as('done'),
            fn.sum('calls').as('calls'),
          ])
          .groupBy('state')
          .orderBy('state')
          .execute(),
      ]);
      return JSON.stringify([last, batches], (_key, value) => (typeof value === 'bigint' ? String(value) : value));
    },
    atomically: (work) => retryOnDeadlock(() => database.transaction((inside) => work(createSyncStore(inside)))),
  };
}

const MOST_DEADLOCKS = 5;

/** PostgreSQL ends one of two transactions that wait for each other; it did nothing, and runs again once the other is through. */
async function retryOnDeadlock<T>(transaction: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await transaction();
    } catch (error) {
      const isDeadlock = error instanceof Error && 'code' in error && error.code === '40P01';
      if (!isDeadlock || tries === MOST_DEADLOCKS) throw error;
    }
  }
}
