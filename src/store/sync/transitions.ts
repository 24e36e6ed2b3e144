import type { Scope } from '../../domain/link.ts';
import type { Transition } from '../../domain/subscription.ts';
import type { TransitionStore } from '../../ports/transitions.ts';
import { inChunks, type SyncDatabase } from './tables.ts';

export function createTransitionStore({ db }: SyncDatabase): TransitionStore {
  const textOf = ({ field, becomes }: Transition) => JSON.stringify({ field, becomes });
  const holdersOf = ({ bot, orgId }: Scope, object: string) =>
    db.deleteFrom('transitionHolders').where('bot', '=', bot).where('orgId', '=', orgId).where('object', '=', object);

  async function put({ bot, orgId }: Scope, object: string, values: ReadonlyMap<string, string>): Promise<void> {
    // In one order everywhere, so that two writers wait and do not deadlock.
    const rows = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const some of inChunks(rows, 5))
      await db
        .insertInto('transitionHolders')
        .values(some.map(([sfId, value]) => ({ bot, orgId, object, sfId, value })))
        .onConflict((conflict) =>
          conflict
            .columns(['bot', 'orgId', 'object', 'sfId'])
            .doUpdateSet(({ ref }) => ({ value: ref('excluded.value') })),
        )
        .execute();
  }

  return {
    async looks({ bot, orgId }, object, when) {
      const row = await db
        .selectFrom('transitions')
        .select('looks')
        .where('bot', '=', bot)
        .where('orgId', '=', orgId)
        .where('object', '=', object)
        .where('when', '=', textOf(when))
        .executeTakeFirst();
      return row?.looks;
    },

    async begin(scope, object, when, holders) {
      await db
        .insertInto('transitions')
        .values({ bot: scope.bot, orgId: scope.orgId, object, when: textOf(when), looks: 0 })
        .onConflict((conflict) =>
          conflict
            .columns(['bot', 'orgId', 'object'])
            // Never a number that somebody may have read before.
            .doUpdateSet(({ eb, ref }) => ({ when: ref('excluded.when'), looks: eb('transitions.looks', '+', 1) })),
        )
        .execute();
      await holdersOf(scope, object).execute();
      await put(scope, object, holders);
    },

    async next({ bot, orgId }, object, when, seen) {
      const taken = await db
        .updateTable('transitions')
        .set({ looks: seen + 1 })
        .where('bot', '=', bot)
        .where('orgId', '=', orgId)
        .where('object', '=', object)
        .where('when', '=', textOf(when))
        .where('looks', '=', seen)
        .executeTakeFirst();
      return taken.numUpdatedRows > 0n;
    },

    async holders({ bot, orgId }, object, sfIds) {
      const found = new Map<string, string>();
      for (const some of inChunks(sfIds)) {
        const rows = await db
          .selectFrom('transitionHolders')
          .select(['sfId', 'value'])
          .where('bot', '=', bot)
          .where('orgId', '=', orgId)
          .where('object', '=', object)
          .where('sfId', 'in', some)
          .execute();
        for (const { sfId, value } of rows) found.set(sfId, value);
      }
      return found;
    },

    async put(scope, object, values) {
      const gone = [...values].flatMap(([sfId, value]) => (value === null ? [sfId] : []));
      for (const some of inChunks(gone)) await holdersOf(scope, object).where('sfId', 'in', some).execute();
      await put(
        scope,
        object,
        new Map([...values].flatMap(([sfId, value]) => (value === null ? [] : [[sfId, value] as const]))),
      );
    },

    async forget(bot, object) {
      for (const table of ['transitions', 'transitionHolders'] as const)
        await db.deleteFrom(table).where('bot', '=', bot).where('object', '=', object).execute();
    },
  };
}
