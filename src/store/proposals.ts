import type { Updateable } from 'kysely';
import { BLANK, CLOCK_SKEW_MS, MOVES, type Proposal, type ProposalState } from '../confirm/proposal.ts';
import type { Database } from './database.ts';
import type { ProposalStore } from './store.ts';
import { PROPOSAL_JSON, type ProposalTable } from './tables.ts';

export function createProposalStore({ kysely }: Database): ProposalStore {
  const one = async (column: 'id' | 'dedupeKey', value: string) => {
    const row = await kysely.selectFrom('proposals').selectAll().where(column, '=', value).executeTakeFirst();
    return row === undefined ? undefined : toProposal(row);
  };

  const change = async (
    id: string,
    from: readonly ProposalState[],
    to: ProposalState,
    patch: Partial<Proposal>,
    runner: string | undefined,
  ) => {
    if (from.length === 0) return false;
    const changed = await kysely
      .updateTable('proposals')
      .set({ ...toColumns(patch), state: to })
      .where('id', '=', id)
      .where('state', 'in', from)
      .$if(runner !== undefined, (query) => query.where('runner', '=', runner ?? null))
      .executeTakeFirst();
    return changed.numUpdatedRows === 1n;
  };

  return {
    async insert(proposal) {
      for (;;) {
        const made = await kysely
          .insertInto('proposals')
          // A whole proposal, so every column is there.
          .values(toColumns(proposal) as ProposalTable)
          .onConflict((conflict) => conflict.column('dedupeKey').doNothing())
          .executeTakeFirst();
        if (made.numInsertedOrUpdatedRows === 1n) return { inserted: true, proposal };
        const holder = await one('dedupeKey', proposal.dedupeKey ?? '');
        // Released between the two statements: the key is free again.
        if (holder !== undefined) return { inserted: false, proposal: holder };
      }
    },

    get: (id) => one('id', id),

    byDedupeKey: (key) => one('dedupeKey', key),

    move: (id, from, to, patch, runner) =>
      change(
        id,
        from.filter((state) => MOVES[state].includes(to)),
        to,
        patch,
        runner,
      ),

    patch: (id, state, patch, runner) => change(id, [state], state, patch, runner),

    async release(id) {
      await kysely.updateTable('proposals').set({ dedupeKey: null }).where('id', '=', id).execute();
    },

    async list({ bot, states, limit }) {
      if (states?.length === 0) return [];
      let query = kysely.selectFrom('proposals').selectAll().orderBy('createdAt', 'desc').orderBy('id').limit(limit);
      if (bot !== undefined) query = query.where('bot', '=', bot);
      if (states !== undefined) query = query.where('state', 'in', states);
      return (await query.execute()).map(toProposal);
    },

    async countPending(bot) {
      const { pending } = await kysely
        .selectFrom('proposals')
        .select(({ fn }) => fn.countAll<number>().as('pending'))
        .where('bot', '=', bot)
        .where('state', '=', 'pending')
        .executeTakeFirstOrThrow();
      return pending;
    },

    async waitingFor({ bot, action, principal, conversation, target }) {
      const rows = await kysely
        .selectFrom('proposals')
        .selectAll()
        .where('bot', '=', bot)
        .where('state', '=', 'pending')
        .where('target', '=', target)
        .where('action', '=', action)
        .where('principal', '=', principal)
        .where('conversation', conversation === null ? 'is' : '=', conversation)
        .orderBy('createdAt')
        .orderBy('id')
        .execute();
      return rows.map(toProposal);
    },

    async due(now, limit) {
      const started = kysely
        .selectFrom('proposals')
        .selectAll()
        .where('state', 'in', ['approved', 'executing', 'unknown']);
      const pending = kysely.selectFrom('proposals').selectAll().where('state', '=', 'pending');
      // Each part by an index of its own; both sides of time, for a clock that went back.
      const rows = await started
        .unionAll(pending.where('expiresAt', '<=', now))
        .unionAll(pending.where('createdAt', '>', now + CLOCK_SKEW_MS).where('expiresAt', '>', now))
        .orderBy('createdAt')
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(toProposal);
    },

    async blankSettledBefore(at) {
      const blanked = await kysely
        .updateTable('proposals')
        .set(toColumns(BLANK))
        .where('settledAt', '<', at)
        .where('args', '<>', '{}')
        .executeTakeFirst();
      return Number(blanked.numUpdatedRows);
    },
  };
}

function toColumns(patch: Partial<Proposal>): Updateable<ProposalTable> {
  const columns: Record<string, unknown> = { ...patch };
  for (const name of PROPOSAL_JSON) {
    const value = patch[name];
    if (value !== undefined && value !== null) columns[name] = JSON.stringify(value);
  }
  // Every other part is the column's own value.
  if (patch.preview !== undefined) columns.target = patch.preview?.target?.id ?? null;
  return columns as Updateable<ProposalTable>;
}

function toProposal({ target: _, ...row }: ProposalTable): Proposal {
  const parts: Record<string, unknown> = { ...row, clientDecline: row.clientDecline ?? 'ends' };
  for (const name of PROPOSAL_JSON) {
    const text = row[name];
    if (text !== null) parts[name] = JSON.parse(text);
  }
  // Written by `toColumns` alone, from a Proposal.
  return parts as unknown as Proposal;
}
