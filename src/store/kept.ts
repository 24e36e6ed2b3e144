import { type RawBuilder, sql } from 'kysely';
import type { Store } from '../ports/store.ts';
import type { Database } from './engines/database.ts';
import { deleteInSlices } from './slices.ts';
import type { SyncTables } from './sync/tables.ts';
import type { Tables } from './tables/tables.ts';

/** How long rows live, of every table and in this one place: a time after which they go, or a reason why they stay. */

type KeptTimes = Parameters<Store['clearPast']>[0];

type Kept =
  | { readonly stays: string }
  | { readonly how: string; readonly goes: (times: KeptTimes) => RawBuilder<unknown> }
  | { readonly how: string; readonly clear: (database: Database, times: KeptTimes) => Promise<void> };

type Table = Exclude<keyof Tables | keyof SyncTables, symbol>;

const DAY_MS = 86_400_000;
/** No limit and no chart looks further back. */
const COUNTED_MS = 35 * DAY_MS;
/** A message that Salesforce repeats comes within a day. */
const HINTED_MS = 7 * DAY_MS;
const TOLD_MS = 30 * DAY_MS;

const expired = { how: 'until it expires', goes: ({ now }: KeptTimes) => sql`"expiresAt" <= ${now}` };
const byHand = { stays: 'somebody made each by hand' };
const perBot = { stays: 'one a bot' };
const perOrg = { stays: 'a few for each bot and org' };
const perRecord = { stays: 'one for each record that is kept in step' };

const isOver = ({ historyBefore }: KeptTimes) => sql`"updatedAt" < ${historyBefore} and "turnUntil" < ${historyBefore}`;

/** In the order in which they go: what belongs to something before that. */
export const KEPT: Readonly<Record<Table, Kept>> = {
  bots: byHand,
  grants: byHand,
  policies: { stays: 'each was saved by hand; somebody may want it back, and the audit names it' },
  declaredActions: { stays: 'each was saved by hand; somebody may want it back, and the audit names it' },
  mappings: { stays: 'each was saved by hand; somebody may want it back, and the log names it' },
  operators: byHand,
  roles: byHand,
  keys: { stays: 'each was made by hand; a revoked one tells whose a call was' },
  connections: perBot,
  signInLinks: expired,
  sessions: expired,
  authCodes: expired,
  accessTokens: expired,
  accessGrants: expired,
  mcpSessions: { stays: 'at most 100 a bot; what lay unused for hours goes with the next that is opened' },
  keptValues: { how: 'until it expires', goes: ({ now }) => sql`"expiresAt" is not null and "expiresAt" <= ${now}` },
  counters: { how: '35 days', goes: ({ now }) => sql`"window" < ${now - COUNTED_MS}` },
  audit: { stays: 'it proves what was decided; values go after GATEHOUSE_RETENTION_DAYS' },
  auditHead: { stays: 'one row' },
  proposals: {
    how: 'history, since its end; what nobody can tell the end of, and a visitor’s request that nobody decided, stay',
    // What a person refused of a list is not asked again as long as the record stays as it was.
    goes: ({ historyBefore }) => sql`"settledAt" < ${historyBefore}
      and ("state" in ('done', 'failed', 'rejected', 'conflict', 'superseded') or ("state" = 'expired' and "visitor" is null))
      and "id" not in (select "proposal" from asked where "proposal" is not null)`,
  },
  messages: {
    how: 'with its conversation',
    goes: (times) => sql`"conversation" in (select "id" from conversations where ${isOver(times)})`,
  },
  conversations: {
    how: 'history, since its last message',
    goes: (times) =>
      sql`${isOver(times)} and not exists (select 1 from messages m where m."conversation" = conversations."id")`,
  },
  hostRecords: {
    stays: 'one for each person and case of the host app; of a deleted one a mark, for when it is sent again',
  },
  caseParties: { stays: 'one for each person that a case names' },
  links: perRecord,
  asked: perRecord,
  found: perRecord,
  transitionHolders: { stays: 'one for each record of a subscribed object that holds the value now' },
  cursors: perOrg,
  syncTurns: perOrg,
  streams: perOrg,
  streamLeases: perOrg,
  transitions: perOrg,
  follows: { stays: 'gone as soon as every link knows of the mapping' },
  inbox: { how: '7 days, since it was used', goes: ({ now }) => sql`"doneAt" < ${now - HINTED_MS}` },
  told: { how: '30 days', goes: ({ now }) => sql`"at" < ${now - TOLD_MS}` },
  fieldTimes: { how: '30 days', goes: ({ now }) => sql`"heardAt" < ${now - TOLD_MS}` },
  syncLog: {
    how: 'history',
    // The ids begin with their time, and no index knows the other column.
    goes: ({ historyBefore }) => sql`"id" < ${historyBefore.toString(36).padStart(9, '0')}`,
  },
  batchRuns: {
    how: 'history, since its end',
    goes: ({ historyBefore }) => sql`"finishedAt" < ${historyBefore} and "state" in ('done', 'cancelled')`,
  },
  bulkParts: {
    how: 'history, since its beginning, once it is done',
    goes: ({ historyBefore }) => sql`"state" = 'done' and "createdAt" < ${historyBefore}`,
  },
  orgDeployments: {
    how: 'history, since it was over and its sign-in revoked',
    goes: ({ historyBefore }) => sql`"expiresAt" < ${historyBefore} and "sealed" is null
      and "state" in ('deployed', 'failed', 'unknown', 'cancelled', 'expired')`,
  },
  bulkRows: { stays: 'gone as soon as the answer about it is written down' },
  feed: { how: 'history, and until the webhook has it', clear: clearFeed },
  feedHeads: perBot,
  webhookTargets: perBot,
  quietHours: perBot,
  subscriptions: byHand,
  inboundTokens: byHand,
};

/** Lets go what is past its time, table by table; who is stopped amid it goes on the next time. */
export async function clearPast(database: Database, times: KeptTimes): Promise<void> {
  const tables = { db: database.kysely, dialect: database.dialect };
  for (const [table, kept] of Object.entries(KEPT)) {
    if ('goes' in kept) await deleteInSlices(tables, table, kept.goes(times));
    if ('clear' in kept) await kept.clear(database, times);
  }
}

/** Changes that one statement deletes. */
const FEED_PAGE = 2_000;

/** From its beginning, so that no hole is left within: who asks for what is gone is told. A webhook that is off waits for nothing. */
async function clearFeed({ kysely }: Database, { historyBefore }: KeptTimes): Promise<void> {
  const db = kysely.withTables<SyncTables>();
  const targets = await db.selectFrom('webhookTargets').select(['bot', 'delivered', 'state']).execute();
  for (const { bot } of await db.selectFrom('feedHeads').select('bot').execute()) {
    const target = targets.find((one) => one.bot === bot && one.state === 'on');
    for (let isMore = true; isMore; ) {
      const page = db.selectFrom('feed').select(['seq', 'at']).where('bot', '=', bot).orderBy('seq').limit(FEED_PAGE);
      const rows = await page.execute();
      const young = rows.findIndex(({ seq, at }) => at >= historyBefore || seq > (target?.delivered ?? seq));
      const last = (young < 0 ? rows : rows.slice(0, young)).at(-1);
      isMore = young < 0 && rows.length === FEED_PAGE;
      if (last === undefined) break;
      await db.deleteFrom('feed').where('bot', '=', bot).where('seq', '<=', last.seq).execute();
    }
  }
}
