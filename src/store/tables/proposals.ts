import { type ExpressionBuilder, sql, type Updateable } from 'kysely';
import { BLANK, BY_POLICY, CLOCK_SKEW_MS, MOVES, type Proposal, type ProposalState } from '../../domain/proposal.ts';
import type { Cipher } from '../../ports/cipher.ts';
import type { ProposalStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';
import { PROPOSAL_JSON, type ProposalTable, type Tables } from './tables.ts';

const KNOWN = 100;

/** What a visitor sent is encrypted at rest: it may lie here for weeks, and nobody of the owner has seen it yet. */
export function createProposalStore({ kysely, unsynced, all }: Database, secrets?: Cipher): ProposalStore {
  const toColumns = (patch: Partial<Proposal>, isVisitors: boolean) =>
    columnsOf(patch, isVisitors ? (secrets ?? noSecrets) : undefined);
  /** Whose request a proposal is never changes: the last ones that were read need not be asked again. */
  const known = new Map<string, boolean>();
  const toProposal = (row: ProposalTable) => {
    known.set(row.id, row.visitor !== null);
    for (const id of known.keys()) if (known.size > KNOWN) known.delete(id);
    return proposalOf(row, secrets);
  };
  const isVisitors = async (id: string) =>
    known.get(id) ??
    (await kysely.selectFrom('proposals').select('visitor').where('id', '=', id).executeTakeFirst())?.visitor != null;

  const one = async (column: 'id' | 'dedupeKey', value: string) => {
    // In plain SQL: every call asks it, and building it anew costs more than its run.
    const [row] = await all<ProposalTable>(`select * from proposals where "${column}" = $1`, [value]);
    return row === undefined ? undefined : toProposal(row);
  };

  const change = async (
    id: string,
    from: readonly ProposalState[],
    to: ProposalState,
    patch: Partial<Proposal>,
    runner: string | undefined,
    isSynced = true,
  ) => {
    if (from.length === 0) return false;
    const isSealed = SEALED.some((name) => patch[name] !== undefined) && (await isVisitors(id));
    const changed = await (isSynced ? kysely : unsynced)
      .updateTable('proposals')
      .set({ ...toColumns(patch, isSealed), state: to })
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
          .values(toColumns(proposal, proposal.visitor !== null) as ProposalTable)
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

    async claim(id, { runner, leaseUntil }) {
      // Whoever begins has done nothing yet: the first write that is to leave is recorded on the disk, and this with it.
      const claimed = sql<ProposalTable>`update proposals set state = 'executing', runner = ${runner}, "leaseUntil" = ${leaseUntil}
        where id = ${id} and state = 'approved' returning *`;
      const [row] = (await claimed.execute(unsynced)).rows;
      return row === undefined ? undefined : toProposal(row);
    },

    move: (id, from, to, patch, runner) =>
      change(
        id,
        from.filter((state) => MOVES[state].includes(to)),
        to,
        patch,
        runner,
      ),

    patch: (id, state, patch, runner, isSynced) => change(id, [state], state, patch, runner, isSynced),

    async release(id) {
      await kysely.updateTable('proposals').set({ dedupeKey: null }).where('id', '=', id).execute();
    },

    async list({ bot, bots, states, isOpen, action, isForPeople, before, isByExpiry, limit }) {
      if (states?.length === 0) return [];
      let query = kysely.selectFrom('proposals').selectAll().limit(limit);
      query = (isByExpiry ? query.orderBy('expiresAt') : query.orderBy('createdAt', 'desc')).orderBy('id');
      if (before !== undefined) {
        const last = await one('id', before);
        if (last === undefined) return [];
        query = query.where(({ eb, or, and }) =>
          or([
            eb('createdAt', '<', last.createdAt),
            and([eb('createdAt', '=', last.createdAt), eb('id', '>', last.id)]),
          ]),
        );
      }
      if (action !== undefined) query = query.where('action', '=', action);
      if (isForPeople)
        query = query.where(({ eb, or }) => or([eb('decidedBy', 'is', null), eb('decidedBy', '<>', BY_POLICY)]));
      if (bots?.length === 0) return [];
      if (bot !== undefined) query = query.where('bot', '=', bot);
      if (bots !== undefined) query = query.where('bot', 'in', bots);
      if (states !== undefined) query = query.where('state', 'in', states);
      if (isOpen) query = query.where(stillOpen);
      return (await query.execute()).map(toProposal);
    },

    async countPending(bot, principal) {
      const ofBot = kysely
        .selectFrom('proposals')
        .select(({ fn }) => fn.countAll<number>().as('pending'))
        .where('bot', '=', bot)
        .where('state', '=', 'pending')
        .where('visitor', 'is', null);
      const asked = principal === undefined ? ofBot : ofBot.where('principal', '=', principal);
      return (await asked.executeTakeFirstOrThrow()).pending;
    },

    async countHeld(bot) {
      const rows = await kysely
        .selectFrom('proposals')
        .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
        .where('bot', '=', bot)
        .where('visitor', 'is not', null)
        .where('state', 'in', HELD)
        .groupBy('state')
        .execute();
      const of = (state: ProposalState) => rows.find((row) => row.state === state)?.count ?? 0;
      return { received: of('received'), pending: of('pending'), expired: of('expired') };
    },

    async countPlaces(bot, ranSince) {
      const ofVisitors = kysely
        .selectFrom('proposals')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('bot', '=', bot)
        .where('visitor', 'is not', null);
      const undecided = ofVisitors.where('state', 'in', [...HELD, 'approved', 'executing', 'unknown']);
      const ran = ofVisitors
        .where('state', '=', 'done')
        .where('createdAt', '>', ranSince)
        .where('decidedBy', '=', 'policy');
      const [one, other] = [await undecided.executeTakeFirstOrThrow(), await ran.executeTakeFirstOrThrow()];
      return one.count + other.count;
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
      const pending = kysely.selectFrom('proposals').selectAll().where('state', 'in', ['received', 'pending']);
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
        .set(toColumns(BLANK, false))
        .where('settledAt', '<', at)
        // A visitor's request that was declined is blank but for the reason.
        .where(({ or, eb }) => or([eb('args', '<>', '{}'), eb('result', 'is not', null)]))
        .executeTakeFirst();
      return Number(blanked.numUpdatedRows);
    },
  };
}

/** Where a request of a visitor stands that nobody has decided. */
const HELD: readonly ProposalState[] = ['received', 'pending', 'expired'];
/** What holds values of people. */
const SEALED = ['args', 'preview', 'reasons', 'session', 'effects', 'result', 'error'] as const;

/** What somebody may still decide. */
function stillOpen({ or, and, eb }: ExpressionBuilder<Tables, 'proposals'>) {
  return or([
    eb('state', 'in', ['received', 'pending']),
    and([eb('state', '=', 'expired'), eb('visitor', 'is not', null)]),
  ]);
}

const noSecrets: Pick<Cipher, 'encrypt'> = {
  encrypt: () => {
    throw new TypeError('What a visitor sent can only be stored with a secret.');
  },
};

function columnsOf(patch: Partial<Proposal>, secrets: Pick<Cipher, 'encrypt'> | undefined): Updateable<ProposalTable> {
  const columns: Record<string, unknown> = { ...patch };
  for (const name of PROPOSAL_JSON) {
    const value = patch[name];
    if (value === undefined || value === null) continue;
    const text = JSON.stringify(value);
    const isEmpty = text.length === 2; // {} or []
    columns[name] = secrets === undefined || isEmpty || name === 'visitor' ? text : secrets.encrypt(text);
  }
  // Every other part is the column's own value.
  if (patch.preview !== undefined) columns.target = patch.preview?.target?.id ?? null;
  return columns as Updateable<ProposalTable>;
}

function proposalOf({ target: _, ...row }: ProposalTable, secrets: Cipher | undefined): Proposal {
  const parts: Record<string, unknown> = { ...row, clientDecline: row.clientDecline ?? 'ends' };
  for (const name of PROPOSAL_JSON) {
    const text = row[name];
    if (text !== null) parts[name] = /^[[{]/.test(text) ? JSON.parse(text) : opened(text, secrets, name);
  }
  // Written by `toColumns` alone, from a Proposal.
  return parts as unknown as Proposal;
}

/** What does not open was not written by us: nothing is left of it, and its seal will not hold. */
function opened(text: string, secrets: Cipher | undefined, name: (typeof PROPOSAL_JSON)[number]): unknown {
  try {
    return secrets === undefined ? EMPTY[name] : JSON.parse(secrets.decrypt(text));
  } catch {
    return EMPTY[name];
  }
}

const EMPTY: Readonly<Partial<Record<(typeof PROPOSAL_JSON)[number], unknown>>> = {
  ...BLANK,
  reasons: [],
  visitor: null,
};
