import type { InboxRow, InboxStore, PollState, PollStore, Turn, TurnStore } from '../../ports/sync-store.ts';
import { fromRow, inChunks, type SyncDatabase, toRow } from './tables.ts';

/** What Salesforce told us and we have not used yet. */
export function createInboxStore({ db, dialect }: SyncDatabase): InboxStore {
  return {
    async add(rows) {
      let added = 0;
      for (const some of inChunks(rows, 9)) {
        const kept = await db
          .insertInto('inbox')
          .values(
            some.map((row) => ({ ...toRow({ ...row, changed: row.changed ?? null }, ['changed']), doneAt: null })),
          )
          .onConflict((conflict) => conflict.columns(['bot', 'eventId']).doNothing())
          .returning('eventId')
          .execute();
        added += kept.length;
      }
      return added;
    },

    async pending({ bot, orgId }, limit) {
      const rows = await db
        .selectFrom('inbox')
        .select(['bot', 'orgId', 'eventId', 'object', 'sfId', 'kind', 'receivedAt', 'changed'])
        .where('bot', '=', bot)
        .where('orgId', '=', orgId)
        .where('doneAt', 'is', null)
        .orderBy('receivedAt')
        .orderBy('eventId')
        .limit(limit)
        .execute();
      return rows.map((row) => fromRow<Required<InboxRow>, 'changed'>(row, ['changed']));
    },

    async finish(bot, eventIds, now) {
      const finished: string[] = [];
      // In one order everywhere, so that two processes finishing the same events wait and do not deadlock.
      for (const some of inChunks([...eventIds].sort())) {
        if (dialect === 'postgres') {
          await db
            .selectFrom('inbox')
            .select('eventId')
            .where('bot', '=', bot)
            .where('eventId', 'in', some)
            .orderBy('eventId')
            .forUpdate()
            .execute();
        }
        const rows = await db
          .updateTable('inbox')
          .set({ doneAt: now })
          .where('bot', '=', bot)
          .where('eventId', 'in', some)
          .where('doneAt', 'is', null)
          .returning('eventId')
          .execute();
        finished.push(...rows.map((row) => row.eventId));
      }
      return finished;
    },
  };
}

export function createPollStore({ db }: SyncDatabase): PollStore {
  return {
    async get({ bot, orgId }, object) {
      const row = await db
        .selectFrom('cursors')
        .select(['object', 'watermark', 'position', 'polledAt'])
        .where('bot', '=', bot)
        .where('orgId', '=', orgId)
        .where('object', '=', object)
        .executeTakeFirst();
      return row && fromRow<PollState, 'position'>(row, ['position']);
    },

    async claimPoll({ bot, orgId }, object, from, to) {
      const taken = await db
        .updateTable('cursors')
        .set({ polledAt: to })
        .where('bot', '=', bot)
        .where('orgId', '=', orgId)
        .where('object', '=', object)
        .where('polledAt', '=', from)
        .executeTakeFirst();
      return taken.numUpdatedRows > 0n;
    },

    async put(scope, state) {
      const { watermark, position, polledAt } = toRow<PollState, 'position'>(state, ['position']);
      await db
        .insertInto('cursors')
        .values({ bot: scope.bot, orgId: scope.orgId, object: state.object, watermark, position, polledAt })
        .onConflict((conflict) =>
          conflict.columns(['bot', 'orgId', 'object']).doUpdateSet({ watermark, position, polledAt }),
        )
        .execute();
    },
  };
}

export function createTurnStore({ db }: SyncDatabase): TurnStore {
  return {
    async get({ bot, orgId }) {
      const row = await db
        .selectFrom('syncTurns')
        .select(['at', 'problem'])
        .where('bot', '=', bot)
        .where('orgId', '=', orgId)
        .executeTakeFirst();
      return row && fromRow<Turn, 'problem'>(row, ['problem']);
    },

    async put({ bot, orgId }, turn) {
      const row = { bot, orgId, ...toRow(turn, ['problem']) };
      await db
        .insertInto('syncTurns')
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(['bot', 'orgId'])
            .doUpdateSet(({ ref }) => ({ at: ref('excluded.at'), problem: ref('excluded.problem') })),
        )
        .execute();
    },
  };
}
