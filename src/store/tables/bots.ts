import { type RawBuilder, sql } from 'kysely';
import type { BotStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';
import { createFirstReads, createPolicyReader } from '../first-reads.ts';
import { deleteInSlices } from '../slices.ts';
import { createDeclaredStore } from './declared.ts';
import type { Tables } from './tables.ts';

/**
 * Every table with rows of one bot, but `audit` and `feedHeads`, which outlive it: host apps and receivers of webhooks keep the
 * numbers of its feed, so those of a bot of the same name go on. A test holds this list against the schema.
 */
export const PER_BOT: readonly string[] = [
  'mcpSessions',
  'grants',
  'policies',
  'declaredActions',
  'connections',
  'proposals',
  'conversations',
  'hostRecords',
  'caseParties',
  'links',
  'inbox',
  'told',
  'cursors',
  'batchRuns',
  'syncLog',
  'mappings',
  'follows',
  'feed',
  'webhookTargets',
  'inboundTokens',
  'subscriptions',
  'syncTurns',
  'asked',
  'quietHours',
  'streams',
  'streamLeases',
  'fieldTimes',
  'accessGrants',
  'authCodes',
  'transitions',
  'transitionHolders',
  'found',
  'bulkParts',
  'bulkRows',
  'orgDeployments',
];

/** Those of them that grow with people, cases and events. */
const MUCH_PER_BOT: readonly string[] = [
  'syncLog',
  'feed',
  'inbox',
  'told',
  'fieldTimes',
  'asked',
  'bulkRows',
  'links',
  'hostRecords',
  'caseParties',
  'conversations',
];

export function createBotStore(database: Database): BotStore {
  const { kysely } = database;
  const readPolicy = createPolicyReader();
  return {
    create: ({ grants, policy, ...bot }) =>
      database.transaction(async (inside) => {
        const row = { ...bot, policyRevision: 1, policy: JSON.stringify(policy), declared: '[]' };
        const made = await inside.kysely
          .insertInto('bots')
          .values(row)
          .onConflict((conflict) => conflict.column('name').doNothing())
          .executeTakeFirst();
        if (made.numInsertedOrUpdatedRows !== 1n) return false;
        for (const permission of grants) await addGrant(inside, bot.name, permission);
        await addRevision(inside, {
          bot: bot.name,
          revision: 1,
          at: bot.createdAt,
          by: 'gatehouse',
          policy: row.policy,
        });
        return true;
      }),

    ...createFirstReads(database.all).bots,

    grant: (bot, permission) => addGrant(database, bot, permission),

    async revoke(bot, permission) {
      await kysely.deleteFrom('grants').where('bot', '=', bot).where('permission', '=', permission).execute();
    },

    savePolicy: (bot, policy, by, at, from) =>
      database.transaction(async (inside) => {
        const revision = from + 1;
        const text = JSON.stringify(policy);
        const saved = await inside.kysely
          .updateTable('bots')
          .set({ policy: text, policyRevision: revision })
          .where('name', '=', bot)
          .where('policyRevision', '=', from)
          .executeTakeFirst();
        if (saved.numUpdatedRows !== 1n) return undefined;
        await addRevision(inside, { bot, revision, at, by, policy: text });
        return revision;
      }),

    ...createDeclaredStore(database),

    async remove(bot) {
      // What is much first, and the bot last: one that was stopped on the way is there still, and is deleted again.
      const tables = { db: kysely, dialect: database.dialect };
      await deleteInSlices(tables, 'messages', sql`conversation in (select id from conversations where bot = ${bot})`);
      for (const table of MUCH_PER_BOT) await deleteInSlices(tables, table, sql`bot = ${bot}`);
      return database.transaction(async (inside) => {
        const run = (statement: RawBuilder<unknown>) => statement.execute(inside.kysely);
        await run(sql`delete from messages where conversation in (select id from conversations where bot = ${bot})`);
        for (const table of PER_BOT) await run(sql`delete from ${sql.table(table)} where bot = ${bot}`);
        await run(sql`delete from keys where owner = ${bot} and kind in ('agent', 'host')`);
        const gone = await inside.kysely.deleteFrom('bots').where('name', '=', bot).executeTakeFirst();
        return gone.numDeletedRows === 1n;
      });
    },

    async policyHistory(bot) {
      const rows = await kysely
        .selectFrom('policies')
        .select(['revision', 'at', 'by', 'policy'])
        .where('bot', '=', bot)
        .orderBy('revision')
        .execute();
      return rows.map((row) => ({ ...row, policy: readPolicy(bot, row.policy) }));
    },
  };
}

async function addGrant({ kysely }: Database, bot: string, permission: string): Promise<void> {
  await kysely
    .insertInto('grants')
    .values({ bot, permission })
    .onConflict((conflict) => conflict.columns(['bot', 'permission']).doNothing())
    .execute();
}

async function addRevision({ kysely }: Database, row: Tables['policies']): Promise<void> {
  await kysely.insertInto('policies').values(row).execute();
}
