import type { Declared } from '../../domain/declaration.ts';
import type { BotStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';

/** Declared actions: the live ones in the bot's own row, so that a call reads them with it, and every revision ever. */
export function createDeclaredStore(database: Database): Pick<BotStore, 'saveDeclared' | 'declaredHistory'> {
  return {
    saveDeclared: (bot, { name, permission, declaration, by, at }, from) =>
      database.transaction(async (inside) => {
        const last = await inside.kysely
          .selectFrom('declaredActions')
          .select(({ fn }) => fn.max('revision').as('revision'))
          .where('bot', '=', bot)
          .where('name', '=', name)
          .executeTakeFirst();
        // A later action of the same name is another one: its revisions go on counting.
        const revision = Number(last?.revision ?? 0) + 1;
        const others = from.filter((one) => one.declaration.name !== name);
        const next: Declared[] = declaration === null ? others : [...others, { revision, declaration }];
        next.sort((a, b) => (a.declaration.name < b.declaration.name ? -1 : 1));
        const saved = await inside.kysely
          .updateTable('bots')
          .set({ declared: JSON.stringify(next) })
          .where('name', '=', bot)
          .where('declared', '=', JSON.stringify(from))
          .executeTakeFirst();
        if (saved.numUpdatedRows !== 1n) return undefined;
        const text = declaration === null ? null : JSON.stringify(declaration);
        const state = declaration === null ? 'removed' : 'live';
        await inside.kysely
          .insertInto('declaredActions')
          .values({ bot, name, revision, permission, state, text, createdBy: by, createdAt: at })
          .execute();
        return revision;
      }),

    async declaredHistory(bot, name) {
      const rows = await database.kysely
        .selectFrom('declaredActions')
        .selectAll()
        .where('bot', '=', bot)
        .where('name', '=', name)
        .orderBy('revision')
        .execute();
      return rows.map(({ revision, permission, state, text, createdBy: by, createdAt }) => ({
        ...{ name, revision: Number(revision), permission, state, by, at: Number(createdAt) },
        declaration: text === null ? null : JSON.parse(text),
      }));
    },
  };
}
