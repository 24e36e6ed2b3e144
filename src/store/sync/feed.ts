import type {
  FeedRow,
  FeedStore,
  Subscription,
  SubscriptionStore,
  TokenStore,
  WebhookStore,
} from '../../ports/sync-store.ts';
import { fromRow, inChunks, type SyncDatabase, toRow } from './tables.ts';

export function createFeedStore({ db }: SyncDatabase): FeedStore {
  return {
    async add(bot, rows) {
      if (rows.length === 0) return;
      // The head's row lock is held until commit: numbers become visible in their order, so no reader steps over a late one.
      const { seq } = await db
        .insertInto('feedHeads')
        .values({ bot, seq: rows.length })
        .onConflict((conflict) =>
          conflict.column('bot').doUpdateSet(({ eb }) => ({ seq: eb('feedHeads.seq', '+', rows.length) })),
        )
        .returning('seq')
        .executeTakeFirstOrThrow();
      const first = seq - rows.length + 1;
      const numbered = rows.map(
        (row, index): Required<FeedRow> => ({ ...row, changed: row.changed ?? null, bot, seq: first + index }),
      );
      for (const some of inChunks(numbered, 10))
        await db
          .insertInto('feed')
          .values(some.map((row) => toRow(row, ['changes', 'changed'])))
          .execute();
    },

    async after(bot, seq, limit) {
      const rows = await db
        .selectFrom('feed')
        .selectAll()
        .where('bot', '=', bot)
        .where('seq', '>', seq)
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map((row) => fromRow<Required<FeedRow>, 'changes' | 'changed'>(row, ['changes', 'changed']));
    },

    async head(bot) {
      return (await db.selectFrom('feedHeads').select('seq').where('bot', '=', bot).executeTakeFirst())?.seq ?? 0;
    },
  };
}

export function createWebhookStore({ db }: SyncDatabase): WebhookStore {
  return {
    get: (bot) => db.selectFrom('webhookTargets').selectAll().where('bot', '=', bot).executeTakeFirst(),

    async put(target) {
      const { bot: _, delivered: __, ...rest } = target;
      await db
        .insertInto('webhookTargets')
        .values(target)
        .onConflict((conflict) => conflict.column('bot').doUpdateSet(rest))
        .execute();
    },

    async remove(bot) {
      await db.deleteFrom('webhookTargets').where('bot', '=', bot).execute();
    },

    async lease(bot, from, until) {
      const leased = await db
        .updateTable('webhookTargets')
        .set({ leaseUntil: until })
        .where('bot', '=', bot)
        .where('state', '=', 'on')
        .where('leaseUntil', '=', from)
        .executeTakeFirst();
      return leased.numUpdatedRows > 0n;
    },

    async patch(bot, url, patch) {
      // A target that was replaced meanwhile keeps its own state.
      await db.updateTable('webhookTargets').set(patch).where('bot', '=', bot).where('url', '=', url).execute();
    },
  };
}

export function createTokenStore({ db }: SyncDatabase): TokenStore {
  const all = () => db.selectFrom('inboundTokens').selectAll();
  return {
    async add(token) {
      await db.insertInto('inboundTokens').values(token).execute();
    },
    byHash: (kind, hash, now) =>
      all()
        .where('hash', '=', hash)
        .where('kind', '=', kind)
        .where(({ or, eb }) => or([eb('expiresAt', 'is', null), eb('expiresAt', '>', now)]))
        .executeTakeFirst(),
    list: (bot) => all().where('bot', '=', bot).orderBy('createdAt').execute(),
    async expire(kind, bot, except, at) {
      await db
        .updateTable('inboundTokens')
        .set({ expiresAt: at })
        .where('bot', '=', bot)
        .where('kind', '=', kind)
        .where('hash', '!=', except)
        .where(({ or, eb }) => or([eb('expiresAt', 'is', null), eb('expiresAt', '>', at)]))
        .execute();
    },
    async used(hash, at) {
      await db.updateTable('inboundTokens').set({ usedAt: at }).where('hash', '=', hash).execute();
    },
  };
}

export function createSubscriptionStore({ db }: SyncDatabase): SubscriptionStore {
  return {
    async list(bot) {
      const rows = await db.selectFrom('subscriptions').selectAll().where('bot', '=', bot).orderBy('object').execute();
      return rows.map((row) => fromRow<Required<Subscription>, 'fields' | 'when'>(row, ['fields', 'when']));
    },
    async put(subscription) {
      const { when = null, channel = null, recordIdField = null } = subscription;
      const row = toRow({ ...subscription, when, channel, recordIdField }, ['fields', 'when']);
      const { fields } = row;
      await db
        .insertInto('subscriptions')
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(['bot', 'object']).doUpdateSet({ fields, when: row.when, channel, recordIdField }),
        )
        .execute();
    },
    async remove(bot, object) {
      const removed = await db
        .deleteFrom('subscriptions')
        .where('bot', '=', bot)
        .where('object', '=', object)
        .executeTakeFirst();
      return removed.numDeletedRows > 0n;
    },
  };
}
