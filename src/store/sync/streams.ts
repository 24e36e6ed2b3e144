import type { Scope } from '../../domain/link.ts';
import type { Stream, StreamLease, StreamStore } from '../../ports/streams.ts';
import { fromRow, type SyncDatabase, toRow } from './tables.ts';

const NOBODY: StreamLease = { owner: null, until: 0, fence: 0 };

export function createStreamStore({ db }: SyncDatabase): StreamStore {
  const leaseOf = ({ bot, orgId }: Scope) =>
    db.updateTable('streamLeases').where('bot', '=', bot).where('orgId', '=', orgId);

  return {
    async list({ bot, orgId }) {
      const query = db.selectFrom('streams').selectAll().where('bot', '=', bot).where('orgId', '=', orgId);
      return (await query.orderBy('channel').execute()).map(({ object, ...row }) => ({
        ...fromRow<Omit<Stream, 'objects'>, 'error'>(row, ['error']),
        objects: object.split(','),
      }));
    },

    async isAnyBroken() {
      const row = await db
        .selectFrom('streams')
        .select('channel')
        .where('state', 'in', ['waiting', 'paused', 'refused'])
        .where('error', 'is not', null)
        // Quotes within a text are escaped: nothing that Salesforce says can look like this key.
        .where('error', 'not like', '%"code":"not_found"%')
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },

    async put(rows) {
      for (const row of rows) {
        // Named one by one: a row may have been read with its demands, which stay as they are.
        const { bot, orgId, channel, replayId, state, since, error, retryAt } = toRow(row, ['error']);
        // No API name holds a comma.
        const object = row.objects.join(',');
        const { lastEventAt, lastGapAt, day, delivered } = row;
        const values = { object, replayId, state, since, error, retryAt, lastEventAt, lastGapAt, day, delivered };
        await db
          .insertInto('streams')
          .values({ bot, orgId, channel, ...values, wanted: 0, polled: 0, reconcile: 0, reconciled: 0 })
          .onConflict((conflict) => conflict.columns(['bot', 'orgId', 'channel']).doUpdateSet(values))
          .execute();
      }
    },

    async remove({ bot, orgId }, channels) {
      if (channels.length === 0) return;
      const gone = db.deleteFrom('streams').where('bot', '=', bot).where('orgId', '=', orgId);
      await gone.where('channel', 'in', channels).execute();
    },

    async demand({ bot, orgId }, channel, what) {
      await db
        .updateTable('streams')
        .set(({ eb }) => ({ [what]: eb(what, '+', 1) }))
        .where('bot', '=', bot)
        .where('orgId', '=', orgId)
        .where('channel', '=', channel)
        .execute();
    },

    async met({ bot, orgId }, streams, what) {
      for (const stream of streams) {
        await db
          .updateTable('streams')
          .set({ [what]: what === 'polled' ? stream.wanted : stream.reconcile })
          .where('bot', '=', bot)
          .where('orgId', '=', orgId)
          .where('channel', '=', stream.channel)
          .execute();
      }
    },

    async lease({ bot, orgId }) {
      const query = db.selectFrom('streamLeases').select(['owner', 'until', 'fence']);
      return (await query.where('bot', '=', bot).where('orgId', '=', orgId).executeTakeFirst()) ?? NOBODY;
    },

    async take({ bot, orgId }, owner, until, seen) {
      const fence = seen.fence + 1;
      await db
        .insertInto('streamLeases')
        .values({ bot, orgId, ...NOBODY })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      const taken = await leaseOf({ bot, orgId })
        .set({ owner, until, fence })
        .where('fence', '=', seen.fence)
        .where('until', '=', seen.until)
        .executeTakeFirst();
      return taken.numUpdatedRows > 0n ? fence : undefined;
    },

    async keep(scope, fence, until) {
      const kept = await leaseOf(scope).set({ until }).where('fence', '=', fence).executeTakeFirst();
      return kept.numUpdatedRows > 0n;
    },

    async free(scope, fence) {
      await leaseOf(scope).set({ owner: null, until: 0 }).where('fence', '=', fence).execute();
    },
  };
}
