import type { ConversationStore } from '../../ports/conversations.ts';
import type { Database } from '../engines/database.ts';

export function createConversationStore(database: Database): ConversationStore {
  const { kysely } = database;
  return {
    async create(row) {
      await kysely.insertInto('conversations').values(row).execute();
    },

    get: (id) => kysely.selectFrom('conversations').selectAll().where('id', '=', id).executeTakeFirst(),

    messages: (id) => kysely.selectFrom('messages').selectAll().where('conversation', '=', id).orderBy('seq').execute(),

    async takeTurn(id, from, turn, turnUntil) {
      const taken = await kysely
        .updateTable('conversations')
        .set({ turn, turnUntil })
        .where('id', '=', id)
        .where('turn', from === null ? 'is' : '=', from)
        .executeTakeFirst();
      return taken.numUpdatedRows === 1n;
    },

    async endTurn(id, turn) {
      await kysely
        .updateTable('conversations')
        .set({ turn: null, turnUntil: 0 })
        .where('id', '=', id)
        .where('turn', '=', turn)
        .execute();
    },

    append: (id, turn, at, messages, cards) =>
      database.transaction(async (inside) => {
        const held = await inside.kysely
          .updateTable('conversations')
          .set({ updatedAt: at, ...(cards === undefined ? {} : { cards }) })
          .where('id', '=', id)
          .where('turn', '=', turn)
          .executeTakeFirst();
        if (held.numUpdatedRows !== 1n) return false;
        const { last } = await inside.kysely
          .selectFrom('messages')
          .select(({ fn }) => fn.max<number | null>('seq').as('last'))
          .where('conversation', '=', id)
          .executeTakeFirstOrThrow();
        const rows = messages.map((message, index) => ({
          conversation: id,
          seq: (last ?? 0) + 1 + index,
          at,
          message,
        }));
        if (rows.length > 0) await inside.kysely.insertInto('messages').values(rows).execute();
        return true;
      }),
  };
}
