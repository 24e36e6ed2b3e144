import type { Facts } from '../../permissions/decide.ts';
import { valuesOf } from '../confirm/object-values.ts';
import { createSeenReads, type SeenReads } from '../confirm/seen-reads.ts';
import { hasStood, writeOnce } from '../confirm/write-once.ts';
import type { ActionContext, Answered, Find, Preview, Salesforce, Search, Soql, Sync } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { LeaseWatch } from '../domain/lease-watch.ts';
import { BY_POLICY, isFromFuture, isOver, type Proposal, type RecordedWrite } from '../domain/proposal.ts';
import { readerKey } from '../domain/read-as.ts';
import { sessionParts } from '../domain/session.ts';
import { boundByPolicy } from '../policy/bounded-org.ts';
import { closedLookup, fieldOf, isClosedLookup, LOOKUPS, type LookupKey, missingLookup } from '../policy/lookups.ts';
import type { Call } from '../ports/gate.ts';
import type { Log } from '../ports/log.ts';
import type { Org } from '../ports/salesforce.ts';
import type { BotRow } from '../ports/store.ts';
import type { ReadLog } from './read-log.ts';

/** What one run of an action may use: the bot's org, bounded by policy, writing only where a held proposal runs. */

export interface ContextDeps {
  /** Opens the org behind a bot for one call, which is told of each request; throws `not_connected`, `reconnect_needed`. */
  readonly openOrg: (bot: BotRow, signal: AbortSignal, sent?: () => void) => Promise<Org>;
  readonly openSoql: (bot: BotRow, org: Org, caller: string, answered: Answered | undefined) => Soql;
  /** The text of a find, as it is sent. */
  readonly queryOf: (object: string, find: Find) => string;
  readonly searchOf: (search: Search) => string;
  /** `shown`: what a person said yes to; nothing else may be done. */
  readonly openSync: (bot: BotRow, org: Org, mayWrite: boolean, shown?: Preview) => Sync;
  readonly isUnknownOutcome: (error: unknown) => boolean;
  readonly mayBeDone: (error: unknown) => boolean;
  /** Longest that one Salesforce request may take, ms. */
  readonly requestTimeoutMs: number;
  readonly watch: LeaseWatch;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
}

export interface Run {
  readonly context: ActionContext;
  readonly orgId: string;
  readonly userId: string;
  readonly environment: Facts['environment'];
  /** What became of recorded writes (`confirm/write-once.ts`). */
  readonly lookUp: () => Promise<GatehouseError | undefined>;
}

/** The frozen context of one run. Only the run of a held proposal may write; a preview that tries is a bug and stops. */
export async function contextFor(
  deps: ContextDeps,
  bot: BotRow,
  call: Pick<Call, 'principal' | 'conversation' | 'session'>,
  extra: ActionContext['extra'],
  signal: AbortSignal,
  reads: ReadLog,
  seen: SeenReads = createSeenReads(deps.now),
  writing?: {
    readonly proposal: Proposal;
    readonly record: (effects: readonly RecordedWrite[]) => Promise<void>;
    readonly answered: (environment: Facts['environment']) => Answered | undefined;
  },
): Promise<Run> {
  const { now } = deps;
  const org = await deps.openOrg(bot, signal, reads.sent);
  const once =
    writing === undefined
      ? undefined
      : writeOnce({
          org,
          proposalId: writing.proposal.id,
          recorded: writing.proposal.effects,
          shown: writing.proposal.preview?.changes ?? null,
          target: writing.proposal.preview?.target?.id,
          record: writing.record,
          isUnknownOutcome: deps.isUnknownOutcome,
          mayBeDone: deps.mayBeDone,
          now,
          readSince: () => org.clock() - (now() - seen.since),
          sleep: deps.sleep,
          hasSettled: (ordinal, effect) =>
            hasStood(deps.watch, writing.proposal.id, ordinal, effect, settlesIn(effect, deps.requestTimeoutMs)),
          isTooOld: (ordinal, effect) =>
            hasStood(deps.watch, writing.proposal.id, ordinal, effect, deps.requestTimeoutMs * 3),
          whyLate: () => {
            if (isFromFuture(writing.proposal, now())) return 'clocks';
            return isOver(writing.proposal, now(), deps.requestTimeoutMs) ? 'time' : undefined;
          },
        });
  const salesforce: Salesforce = {
    instanceUrl: org.instanceUrl,
    describe: (object) => org.describe(object),
    get: (...args) => org.get(...args),
    find: (...args) => org.find(...args),
    findAll: (...args) => org.findAll(...args),
    search: (...args) => org.search(...args),
    check: (...args) => org.check(...args),
    recordUrl: (id) => org.recordUrl(id),
    create: once?.create ?? noWriting,
    update: once?.update ?? onlyIfSame(org),
    remove: once?.remove ?? noWriting,
    graph: once?.graph ?? noWriting,
    invoke: once?.invoke ?? noWriting,
  };
  const choice = writing?.proposal.choice ?? undefined;
  const reader = {
    basis: JSON.stringify([bot.policyRevision, org.connectionId, readerKey(org)]),
    isWriting: writing !== undefined,
  };
  return {
    orgId: org.orgId,
    userId: org.userId,
    environment: org.environment,
    lookUp: once?.lookUp ?? (async () => undefined),
    context: Object.freeze({
      bot: { name: bot.name, audience: bot.audience },
      lookups: lookupsOf(bot, org, call.session),
      caller: {
        principal: call.principal,
        conversation: call.conversation,
        session: call.session,
      },
      // Above the policy: what was read once is no read of this run, and its audit row tells what was sent.
      salesforce: seen.through(
        boundByPolicy(
          salesforce,
          bot.policy,
          ({ asked, ...read }) =>
            reads.note({
              ...read,
              query: 'find' in asked ? deps.queryOf(asked.object, asked.find) : deps.searchOf(asked.search),
            }),
          call.session?.indexValue,
        ),
        reader,
      ),
      soql: seen.judged(
        logged(deps.openSoql(bot, org, callerKey(call), writing?.answered(org.environment)), reads),
        reader,
      ),
      sync: deps.openSync(bot, org, writing !== undefined, shownTo(writing?.proposal)),
      extra,
      choice,
      now,
      signal,
      log: deps.log,
    }),
  };
}

/** Who asks, in one word: what a person answered for one of them is no answer for another. */
function callerKey({ principal, session }: Pick<Call, 'principal' | 'session'>): string {
  return JSON.stringify([principal, ...sessionParts(session)]);
}

/** Asks the describe first: a query for a field that the org lacks fails, and drops the remembered describe each time. */
function lookupsOf(bot: BotRow, org: Pick<Org, 'describe'>, session: Call['session']): ActionContext['lookups'] {
  const describeOf = (key: LookupKey) => org.describe(LOOKUPS[key].object);
  const known = async (key: LookupKey) => fieldOf(await describeOf(key), bot.policy.lookups[key]);
  const isClosed = (key: LookupKey) =>
    isClosedLookup(bot.policy, key) && !(key === 'accountKey' && session !== undefined);
  return {
    field: async (key) => (isClosed(key) ? undefined : known(key)),
    must: async (key) => {
      const found = await known(key);
      if (found === undefined) throw missingLookup(bot, key, await describeOf(key));
      if (isClosed(key)) throw closedLookup(bot, key);
      return found;
    },
  };
}

/** What a person had before their eyes when they said yes; where policy decides, the run follows its preview at once. */
function shownTo(proposal: Proposal | undefined): Preview | undefined {
  const isByPerson = proposal !== undefined && proposal.decidedBy !== null && proposal.decidedBy !== BY_POLICY;
  return isByPerson ? (proposal.preview ?? undefined) : undefined;
}

function logged(soql: Soql, reads: ReadLog): Soql {
  return {
    bind: (...args) => soql.bind(...args),
    judge: (...args) => soql.judge(...args),
    resume: (...args) => soql.resume(...args),
    expects: (...args) => soql.expects(...args),
    async run(query, format) {
      const { send, objects, fields, class: kind } = query;
      const note = (rows: number) => reads.note({ query: send, objects, fields, rows, class: kind });
      try {
        const answer = await soql.run(query, format);
        note(answer.returned);
        return answer;
      } catch (error) {
        // It was sent, or may have been.
        note(0);
        throw error;
      }
    },
  };
}

/** Without a held proposal, an update passes only where it would change nothing. */
const onlyIfSame =
  (org: Org): Salesforce['update'] =>
  async (object, record, changes) =>
    (await valuesOf(org, object)).holds(record, changes) ? {} : noWriting();

const noWriting = () =>
  Promise.reject(
    new GatehouseError('internal', 'Something tried to write without a held proposal; nothing was sent.', {
      next: 'Call again; if it stays so, it is a bug of the action: preview() may only read.',
    }),
  );

/** What Salesforce gives one transaction: a create that nobody waits for any more may still be saved until then. */
const LONGEST_TRANSACTION_MS = 10 * 60_000;

/** How long a request may be under way. Only a create without our mark in the org could be done twice after that. */
function settlesIn({ kind, mark }: RecordedWrite, requestTimeoutMs: number): number {
  const isBlind = kind === 'create' && mark === null;
  return isBlind ? Math.max(LONGEST_TRANSACTION_MS, requestTimeoutMs * 2) : requestTimeoutMs * 2;
}
