import { type ErrorBody, toErrorBody } from '../../domain/errors.ts';
import { type Link, type LinkSet, problemKind, type Scope, type WaitedFor } from '../../domain/link.ts';
import { KINDS, type Kind } from '../../domain/mapping.ts';
import { foldedName } from '../../domain/stored-value/text.ts';
import type { ConnectionStatus } from '../../ports/salesforce.ts';
import type { SyncDeps, SyncOrg, SyncPolicy } from '../../ports/sync.ts';
import { type InboundKind, type SyncStore, TURN_MS } from '../../ports/sync-store.ts';
import { heldWithList } from '../engine/held-list.ts';
import { logIdAt } from '../host/log-ids.ts';
import { FOUND_BY_POLL } from '../inbound/poll.ts';
import { POLL_MS, streamDemands } from '../inbound/stream-demands.ts';
import { isSwitchedOff } from '../remote/policy-bounds.ts';
import { type ShownHours, shownHours } from '../remote/quiet-hours.ts';
import { mappingOf, openTarget, type Target } from '../remote/target.ts';
import { batchesElsewhere } from './elsewhere.ts';
import type { SyncProblem } from './problem.ts';
import { type StreamStatus, streamProblems, toStreamStatus } from './stream-status.ts';

/** How the sync of a bot stands. */
export interface SyncStatus {
  readonly links: readonly { readonly kind: string; readonly state: Link['state']; readonly count: number }[];
  readonly waiting: number;
  /** Since when the one that waits longest has been waiting. */
  readonly waitingSince?: string;
  readonly polled: readonly { readonly object: string; readonly watermark: string; readonly at: string }[];
  /** What Salesforce tells of its own accord. */
  readonly streams: readonly StreamStatus[];
  readonly lastSyncAt?: string | undefined;
  readonly lastEventAt?: string | undefined;
  readonly quietHours?: ShownHours;
  readonly problems: readonly SyncProblem[];
  /** Between two polls, as the streams stand; 0 where one is due at once. */
  readonly pollMs: number;
  readonly remoteTime: string;
}

export interface StatusDeps extends Pick<SyncDeps, 'heldSync'> {
  readonly store: SyncStore;
  readonly now: () => number;
  readonly policyOf: (bot: string) => Promise<SyncPolicy | undefined>;
  readonly openOrg: (bot: string, signal: AbortSignal) => Promise<SyncOrg>;
  readonly connectionStatus: (bot: string) => Promise<ConnectionStatus>;
}

/** A worker looks every two seconds and a back-off says so itself: whoever waits longer waits for somebody. */
const LONG_MS = 10 * 60_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Enough to see what is wrong; the list of links has the rest. */
const MOST_LOOKED_AT = 1_000;
const MOST_COMPANIES = 50;

export async function syncStatus(deps: StatusDeps, { bot, orgId }: Scope): Promise<SyncStatus> {
  const { store, now, connectionStatus } = deps;
  const scope = { bot, orgId };
  const connection = await connectionStatus(bot);
  const sets: readonly Required<LinkSet>[] = await Promise.all(
    KINDS.map(async (kind) => ({ ...scope, kind, object: (await mappingOf(store, bot, kind)).object })),
  );
  const [backlogs, polls] = await Promise.all([
    Promise.all(sets.map((set) => store.links.backlog(set))),
    Promise.all(sets.map(({ object }) => store.polls.get(scope, object))),
  ]);
  const targets = await Promise.all(sets.map(({ kind }) => look(deps, bot, connection, kind)));
  const closed = await Promise.all(
    targets.map(async (target, at) => {
      if (!target || !backlogs[at]?.count) return undefined;
      return target.refusal ?? (target.held && heldWithList(deps, bot, target.kind, target.held, 'look'));
    }),
  );
  const all = together(backlogs);
  const open = together(backlogs.filter((_, at) => !closed[at]));
  const { lastSyncAt, lastEventAt } = connection;
  const links = await store.links.countByState(scope);
  const quietHours = await shownHours(deps, bot);
  return {
    links,
    waiting: all.count,
    ...(all.since <= now() ? { waitingSince: iso(all.since) } : {}),
    polled: polls.flatMap((poll) =>
      poll ? [{ object: poll.object, watermark: poll.watermark, at: iso(poll.polledAt) }] : [],
    ),
    streams: (await store.streams.list(scope)).map((stream) => toStreamStatus(stream, now())),
    lastSyncAt,
    lastEventAt,
    ...(quietHours ? { quietHours } : {}),
    problems: [
      ...closed.flatMap((refusal, at) =>
        refusal ? [{ ...toProblem(toErrorBody(refusal).error), count: backlogs[at]?.count ?? 0, examples: [] }] : [],
      ),
      ...targets.flatMap((target) => (target && target.lost.length > 0 ? [lostFields(target, links)] : [])),
      ...targets.flatMap((target) => closedLookup(target)),
      // What waits for the end of quiet hours waits for nobody.
      ...(quietHours?.endsAt === undefined ? await pending(deps, scope, connection, open) : []),
      ...(await missingEvents(deps, bot, connection)),
      ...(await keptProblems(deps, scope)),
    ],
    pollMs: (await streamDemands(deps, scope, POLL_MS)).pollMs,
    remoteTime: 'per field where change events or field history tell it, else the record',
  };
}

/** What is wrong as it is kept here: Salesforce is asked for nothing. */
export async function keptProblems(
  deps: Pick<StatusDeps, 'store' | 'now'>,
  scope: Scope,
): Promise<readonly SyncProblem[]> {
  const { store } = deps;
  const { bot } = scope;
  const broken = await Promise.all(
    KINDS.map(async (kind) => {
      const set = { ...scope, kind, object: (await mappingOf(store, bot, kind)).object };
      return store.links.list(set, { hasProblem: true, limit: MOST_LOOKED_AT });
    }),
  );
  return [
    ...(await lastTurn(deps, scope)),
    ...(await batchesElsewhere(store, scope)),
    ...streamProblems(await store.streams.list(scope)),
    ...(await unlooked(store, scope)),
    ...(await failingWebhook(store, bot)),
    ...grouped(bot, broken.flat()),
    ...companies(bot, await store.links.list(scope, { isWaiting: true, limit: MOST_LOOKED_AT })),
  ];
}

/** Infinity where nothing waits. */
function together(backlogs: readonly { readonly count: number; readonly since: number | null }[]) {
  return {
    count: backlogs.reduce((sum, { count }) => sum + count, 0),
    since: Math.min(...backlogs.flatMap((backlog) => backlog.since ?? [])),
  };
}

/** The target of one kind as the org stands; undefined where there is no connection, or one that does not answer. */
async function look(
  deps: StatusDeps,
  bot: string,
  { state }: ConnectionStatus,
  kind: Kind,
): Promise<Target | undefined> {
  if (state !== 'connected') return undefined;
  try {
    return await openTarget(deps, bot, await deps.openOrg(bot, AbortSignal.timeout(10_000)), kind);
  } catch {
    // `pending` says why.
    return undefined;
  }
}

function lostFields({ kind, object, lost }: Target, links: SyncStatus['links']): SyncProblem {
  const names = lost.join(', ');
  return {
    code: 'salesforce_error',
    message: `The mapping of ${kind} names ${names}, which ${object} does not have, or the connected user may not see: it is left out.`,
    next: 'Bring it back, or grant access to it, and start a batch so that what waited follows; or save the mapping without it.',
    count: links.reduce((sum, link) => (link.kind === kind ? sum + link.count : sum), 0),
    salesforce: 'INVALID_FIELD',
    examples: [],
  };
}

/** Told once for all people where our external id keeps them going; without one each link has this error itself. */
function closedLookup(target: Target | undefined): readonly SyncProblem[] {
  const problem = target?.externalId === undefined ? undefined : target.lookup.problem;
  if (!target || !problem) return [];
  const field = target.compiled.mapping.lookup?.remote;
  const next = `Nobody is found by ${field} any more: people are known by ${target.externalId} alone, and who is in Salesforce already is linked by hand. Or let the mapping know people by another field ("lookup").`;
  return [{ ...toProblem(toErrorBody(problem).error), next, count: 0, examples: [] }];
}

/** Why nothing takes the outbox up: the first cause that there is. A worker that just has not come yet is none. */
async function pending(
  { policyOf, now, store }: StatusDeps,
  { bot, orgId }: Scope,
  { state, breaker, lastFailure, lastSuccessAt = '' }: ConnectionStatus,
  { count, since }: ReturnType<typeof together>,
): Promise<readonly SyncProblem[]> {
  if (count === 0 || since > now()) return [];
  const policy = await policyOf(bot);
  const waits = now() - since;
  const turn = await store.turns.get({ bot, orgId });
  const isWorkedOn = turn !== undefined && now() - turn.at < 3 * TURN_MS;
  // One answer may fail while all is well.
  const isFailing = lastFailure !== undefined && lastFailure.at > lastSuccessAt && waits > MINUTE_MS;
  const [why, next] =
    state !== 'connected'
      ? ['the connection needs a new login', `Connect it again: gatehouse connect ${bot}. Nothing is lost meanwhile.`]
      : isSwitchedOff(policy)
        ? [`the bot is in the mode ${policy?.mode}`, `Switch it on again: gatehouse policy mode ${bot} automatic.`]
        : isFailing || breaker?.state === 'open'
          ? [lastFailure?.message ?? 'Salesforce does not answer', lastFailure?.next ?? 'Wait a minute.']
          : turn?.problem && isWorkedOn && waits > MINUTE_MS
            ? [turn.problem.message, turn.problem.next]
            : waits > LONG_MS && isWorkedOn
              ? ['a process works on them, and has not come so far', 'Wait; if the number does not fall, see its log.']
              : waits > LONG_MS
                ? [
                    'no process works on them',
                    'Run "gatehouse serve" or "gatehouse worker" on this store; see its log.',
                  ]
                : [];
  if (why === undefined || next === undefined) return [];
  const message = `${count === 1 ? 'One record waits' : `${count} records wait, the first`} since ${iso(since)}: ${why.replace(/\.$/, '')}.`;
  return [{ code: 'pending', message, next, count, examples: [] }];
}

/** A worker's error that concerns no single record: one of its steps failed. */
async function lastTurn(
  { store, now }: Pick<StatusDeps, 'store' | 'now'>,
  scope: Scope,
): Promise<readonly SyncProblem[]> {
  const turn = await store.turns.get(scope);
  if (!turn?.problem || now() - turn.at >= 3 * TURN_MS) return [];
  return [{ ...toProblem(turn.problem), count: 0, examples: [] }];
}

const SENDERS = {
  address: {
    what: 'outbound message',
    look: 'Setup, Outbound Message Delivery Status, and at the flow that sends the message: its address, its object, whether it is active',
  },
  flow: {
    what: 'Flow callout',
    look: 'Setup, Paused and Failed Flow Interviews, and at the flow that calls: whether it is active, the named credential, the permission set of whoever runs it',
  },
} as const satisfies Record<InboundKind, unknown>;

/** A poll found changes of which Salesforce sent no word, where it is set up to. */
async function missingEvents(
  { store, now }: StatusDeps,
  bot: string,
  { lastEventAt }: ConnectionStatus,
): Promise<readonly SyncProblem[]> {
  const senders = (await store.tokens.list(bot)).filter(({ expiresAt }) => expiresAt === null);
  if (senders.length === 0) return [];
  const [found] = await store.log.find(bot, {
    reason: FOUND_BY_POLL,
    direction: 'from_crm',
    from: logIdAt(now() - DAY_MS),
    limit: 1,
  });
  if (!found || (lastEventAt !== undefined && Date.parse(lastEventAt) >= found.at)) return [];
  const { kind, localId, at } = found;
  return [
    {
      code: 'events_missing',
      message: `A change was found by polling at ${iso(at)}, and no ${senders.map(({ kind }) => SENDERS[kind].what).join(' or ')} has come since ${lastEventAt ?? 'its address was made'}.`,
      next: `In Salesforce look at ${senders.map(({ kind }) => SENDERS[kind].look).join('; and at ')}. Changes arrive by polling meanwhile.`,
      count: 1,
      examples: [{ kind, localId }],
    },
  ];
}

/** Subscriptions to a transition that were saved for another org: who made it already in this one is not known, so nothing is told. */
async function unlooked(store: SyncStore, scope: Scope): Promise<readonly SyncProblem[]> {
  const problems: SyncProblem[] = [];
  for (const { object, when } of await store.subscriptions.list(scope.bot)) {
    if (!when || (await store.transitions.looks(scope, object, when)) !== undefined) continue;
    problems.push({
      code: 'conflict',
      message: `Nothing is told of ${object}: nobody looked which of its records hold ${when.becomes.join(' or ')} in this org already.`,
      next: `Set the subscription again: gatehouse subscription set ${scope.bot} ${object}, or PUT /api/bots/${scope.bot}/sync/subscriptions/${object}.`,
      count: 0,
      examples: [],
    });
  }
  return problems;
}

/** What is wrong with a bot's webhook. The address stays out of it, but for its host: a path or query may hold a secret. */
async function failingWebhook(
  { webhooks, feed }: Pick<SyncStore, 'webhooks' | 'feed'>,
  bot: string,
): Promise<readonly SyncProblem[]> {
  const target = await webhooks.get(bot);
  if (!target || target.lastError === null) return [];
  const { url, state, attempts, lastError, delivered } = target;
  const count = (await feed.head(bot)) - delivered;
  const [since, next] =
    state === 'off'
      ? ['', `Set it again, or remove it (PUT /api/bots/${bot}/sync/webhook, or DELETE); the changes wait.`]
      : [
          `, ${attempts} time(s) in a row`,
          `See the receiver's log; nothing is lost, and it is tried again. If it has moved, set the new address (PUT /api/bots/${bot}/sync/webhook).`,
        ];
  const message = `The webhook to ${new URL(url).host} fails${since}; ${count} change(s) wait. ${lastError}`;
  return [{ code: 'webhook_failing', message, next, count, examples: [] }];
}

/** The most frequent first. */
function grouped(bot: string, links: readonly Link[]): readonly SyncProblem[] {
  const groups = new Map<string, Link[]>();
  for (const link of links) {
    const { error } = link;
    if (error === null || link.state === 'unlinked') continue;
    const key = problemKind(error);
    groups.set(key, [...(groups.get(key) ?? []), link]);
  }
  return [...groups]
    .sort(([, a], [, b]) => b.length - a.length)
    .flatMap(([kind, alike]) => {
      const error = alike[0]?.error;
      if (!error) return [];
      const examples = alike.slice(0, 5).map(({ kind, localId, error: own }) => ({
        kind,
        localId,
        ...(own?.candidates ? { candidates: own.candidates } : {}),
      }));
      const [first] = examples;
      const command = error.code === 'ambiguous' && first ? ` ${linkCommand(bot, first)}` : '';
      return [{ ...toProblem(error), next: error.next + command, kind, count: alike.length, examples }];
    });
}

function linkCommand(bot: string, { kind, localId, candidates = [] }: SyncProblem['examples'][number]): string {
  const [first] = candidates;
  const instead = first?.linkedTo === undefined ? '' : ` --instead-of ${first.linkedTo}`;
  return `For ${localId}: gatehouse link ${bot} ${kind} ${localId} ${first?.id ?? 'RECORD_ID'}${instead}`;
}

/** One question a company, however many people work for it; the first ones that most people wait for. */
function companies(bot: string, links: readonly Link[]): readonly SyncProblem[] {
  const groups = new Map<string, { one: WaitedFor; waiting: Link[] }>();
  for (const link of links)
    for (const one of link.state === 'unlinked' ? [] : (link.waitsFor ?? [])) {
      const key = `${one.object}:${foldedName(one.name)}`;
      const group = groups.get(key) ?? { one, waiting: [] };
      groups.set(key, group);
      group.waiting.push(link);
    }
  return [...groups.values()]
    .sort((a, b) => b.waiting.length - a.waiting.length)
    .slice(0, MOST_COMPANIES)
    .map(({ one, waiting }) => {
      const [object = ''] = one.object.split(' or ');
      const about = `"object": ${JSON.stringify(object)}, "name": ${JSON.stringify(one.name)}`;
      return {
        code: one.ids.length === 0 ? 'not_found' : 'ambiguous',
        message: `${one.message} ${waiting.length === 1 ? 'One record is' : `${waiting.length} records are`} in step without it.`,
        next: `POST /api/bots/${bot}/sync/parents {${about}, ...} with "recordId" (choose), "create": true, or "leaveOut": true.`,
        company: { object, name: one.name },
        count: waiting.length,
        examples: waiting.slice(0, 5).map(({ kind, localId }) => ({
          kind,
          localId,
          ...(one.ids.length > 0 ? { candidates: one.ids.map((id) => ({ id, name: one.name })) } : {}),
        })),
      };
    });
}

function toProblem({ code, message, next, salesforce }: ErrorBody['error']) {
  return { code, message, next, ...(salesforce ? { salesforce: salesforce.code, quote: salesforce.quote } : {}) };
}

const iso = (at: number): string => new Date(at).toISOString();
