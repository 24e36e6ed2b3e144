import type { Database } from './database.ts';
import type { OperatorStore } from './store.ts';

export function createOperatorStore({ kysely }: Database): OperatorStore {
  return {
    async create(operator) {
      const made = await kysely
        .insertInto('operators')
        .values(operator)
        .onConflict((conflict) => conflict.column('name').doNothing())
        .executeTakeFirst();
      return made.numInsertedOrUpdatedRows === 1n;
    },

    get: (name) => kysely.selectFrom('operators').selectAll().where('name', '=', name).executeTakeFirst(),

    list: () => kysely.selectFrom('operators').selectAll().orderBy('createdAt').orderBy('name').execute(),

    async addLink(hash, operator, expiresAt) {
      await kysely.insertInto('signInLinks').values({ hash, operator, expiresAt }).execute();
    },

    async redeemLink(hash, now) {
      // Deleting is the redemption: of two clicks at once only one gets the row back.
      const link = await kysely
        .deleteFrom('signInLinks')
        .where('hash', '=', hash)
        .returning(['operator', 'expiresAt'])
        .executeTakeFirst();
      return link !== undefined && link.expiresAt > now ? link.operator : undefined;
    },

    async addSession(session) {
      await kysely.deleteFrom('sessions').where('expiresAt', '<=', session.createdAt).execute();
      await kysely.insertInto('sessions').values(session).execute();
    },

    session: (hash, now) =>
      kysely
        .selectFrom('sessions')
        .selectAll()
        .where('hash', '=', hash)
        .where('expiresAt', '>', now)
        .executeTakeFirst(),

    async endSession(hash) {
      await kysely.deleteFrom('sessions').where('hash', '=', hash).execute();
    },
  };
}
