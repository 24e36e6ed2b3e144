import type { Audit } from '../audit/audit.ts';
import type { Action, FieldValue } from '../domain/action.ts';
import type { LeaseWatch } from '../domain/lease-watch.ts';
import type { Notice } from '../gate/notices.ts';
import { createHooks } from '../outbound/hooks.ts';
import { botNamed } from '../policy/permit.ts';
import type { Log } from '../ports/log.ts';
import type { Connections } from '../ports/salesforce.ts';
import type { Store } from '../ports/store.ts';
import type { FoundRecord, HeldSyncOf, RecordSearch, SyncDeps, SyncSettings, SyncUse } from '../ports/sync.ts';
import type { FeedRow } from '../ports/sync-store.ts';
import { type ClockDifference, clockDifference } from '../runtime/clocks.ts';
import type { Database } from '../store/engines/database.ts';
import { createCipher } from '../store/secrets/cipher.ts';
import { createSyncStore } from '../store/sync/sync-store.ts';
import { createSync, type SyncRoom } from '../sync/create-sync.ts';
import type { SyncProblem } from '../sync/jobs/problem.ts';
import { keptProblems, type SyncStatus, syncStatus } from '../sync/jobs/status.ts';
import { syncUse } from '../sync/jobs/use.ts';
import { createWorker, type Worker, type WorkerDeps } from '../sync/jobs/worker.ts';
import { findRecords } from '../sync/on-demand/find-records.ts';
import { requireWriting } from '../sync/remote/policy-bounds.ts';
import type { RouteDeps } from '../sync/routes/deps.ts';
import { type SyncRoute, syncRoutes } from '../sync/routes/sync-routes.ts';
import { type DeliveryDeps, deliver } from '../sync/webhooks/deliver.ts';
import { createDrift } from './app-drift.ts';

/** The sync half of the composition root: loaded by the first call that needs it. */
export interface AppSync extends SyncRoom {
  /** Routes of the host app, operators and Salesforce's outbound messages, as data for the HTTP door. */
  readonly routes: readonly SyncRoute[];
  /** Drains the outbox of every connected bot; any number of processes may run one. */
  readonly worker: Worker;
  /** Tells the webhook of a bot that something waits for a person; nothing where there is none. */
  notify(notice: Notice): Promise<void>;
  /** Tells the webhook of every bot that somebody got in at the terminal, without a key. */
  tellRecovered(operator: string): Promise<void>;
  /** Another text whenever sync did something. */
  mark(): Promise<string>;
  /** What works less well than it should, of all bots. */
  degraded(): Promise<readonly 'events'[]>;
  /** Looks at what every connected org changed under its bot, and keeps it for `problems`. */
  lookForDrift(): Promise<void>;
  /** What is wrong as it is kept here, without a look at Salesforce. */
  problems(bot: string): Promise<readonly SyncProblem[]>;
  /** What it reaches in the org of a bot, and whether it did since then. */
  use(bot: string, since: number): Promise<readonly SyncUse[]>;
  /** Records of the host app and their links, by an id or by words. */
  find(bots: readonly string[], search: RecordSearch): Promise<readonly FoundRecord[]>;
  /** What its parts are made of, for whoever works with one part alone. */
  readonly parts: SyncParts;
  /** Undefined where the bot never had a connection. */
  status(bot: string): Promise<SyncStatus | undefined>;
}

export type SyncParts = DeliveryDeps & Pick<RouteDeps, 'connectionOf' | 'connectionStatus' | 'openOrg' | 'onChange'>;

/** How soon the sync does things; default: what an installation needs. */
export interface SyncPace extends Pick<WorkerDeps, 'tickMs' | 'pollMs' | 'pauseMs'> {
  readonly settings?: Partial<SyncSettings>;
}

export interface AppSyncDeps {
  readonly actions: readonly Action[];
  readonly database: Database;
  readonly store: Store;
  readonly connections: Connections;
  readonly secret: string;
  readonly allowPrivateHooks: boolean;
  readonly runner: string;
  readonly watch: LeaseWatch;
  readonly publicUrl: string;
  readonly now: () => number;
  readonly ticks: () => number;
  readonly newId: () => string;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
  readonly audit: () => Audit;
  readonly heldSync: HeldSyncOf;
  readonly pace: SyncPace | undefined;
  readonly crash: SyncDeps['crash'];
}

export function createAppSync(deps: AppSyncDeps): AppSync {
  const { store, connections, now } = deps;
  // Also one that needs a new login: what changes meanwhile waits for it, and nothing is lost.
  const standing = async (bot: string) => {
    const row = await store.connections.get(bot);
    return row?.state === 'disconnected' ? undefined : row;
  };
  const mayReach = async (bot: string) => {
    if (deps.allowPrivateHooks) return 'private';
    // The host app of a trial runs beside us.
    return (await store.connections.get(bot))?.environment === 'simulated' ? 'loopback' : 'public';
  };
  const policyOf = async (bot: string) => (await store.bots.get(bot))?.policy;
  const shared = {
    ...deps.pace,
    crash: deps.crash,
    store: createSyncStore(deps.database),
    now,
    newId: deps.newId,
    owner: deps.runner,
    watch: deps.watch,
    wait: deps.sleep,
    policyOf,
    heldSync: deps.heldSync,
    connectionOf: standing,
    cipher: createCipher(deps.secret, 'webhooks'),
    hooks: createHooks({ mayReach, ownUrl: deps.publicUrl }),
    async openOrg(bot: string, signal: AbortSignal) {
      requireWriting(bot, await policyOf(bot));
      return connections.open(bot, { signal, background: true });
    },
    connectionStatus: (bot: string) => connections.status(bot),
    onChange: (bot: string) => worker.nudge(bot),
  };
  // The outbox of a bot that was disconnected goes on when it is connected to the same org again.
  const sync = createSync({
    ...shared,
    async connectionOf(bot) {
      const row = await store.connections.get(bot);
      return row && { ...row, clockOffsetMs: await connections.clockOffset(row) };
    },
  });
  const noteEvent = (bot: string, at: number) => store.connections.patch(bot, { lastEventAt: at });
  const worker = createWorker(
    {
      ...shared,
      ticks: deps.ticks,
      bots: async () => {
        const rows = (await store.connections.list()).filter(({ state }) => state === 'connected');
        return new Map(rows.map(({ bot, id, connectedAt }) => [bot, `${id} ${connectedAt}`]));
      },
      noteSync: (bot, at) => store.connections.patch(bot, { lastSyncAt: at }),
      noteEvent,
      events: (bot) => connections.events(bot),
      log: deps.log,
    },
    sync.engine,
    sync.runner,
    sync.batches,
  );
  const use = (bot: string) => syncUse(shared, bot, now());
  const drift = createDrift({ ...deps, mappings: shared.store.mappings, use });
  const problemsAround = async (bot: string): Promise<readonly SyncProblem[]> => {
    const difference = await clockDifference(store.values, now());
    const row = await store.connections.get(bot);
    const offsetMs = row === undefined ? 0 : await connections.clockOffset(row);
    return [
      ...(Math.abs(offsetMs) < OFF_MS ? [] : [toldOffset(offsetMs)]),
      ...(difference === undefined ? [] : [toldClocks(difference)]),
      ...(await drift.look(bot)),
    ];
  };
  let routes: readonly SyncRoute[] | undefined;
  const makeRoutes = () =>
    syncRoutes({
      ...shared,
      sync,
      // A person who says "sync now" is not background work.
      openOrg: (bot, signal) => connections.open(bot, { signal }),
      connectorOf: async (bot) => (await standing(bot))?.id,
      problemsAround,
      noteEvent,
      async audit(entry) {
        await deps.audit().record({ channel: 'rest', ...entry });
      },
      requireBot: async (name) => (await botNamed(store, name)).name,
      publicUrl: deps.publicUrl,
    });
  /** Puts it into the feed of a bot that has a webhook; false where it has none. */
  const tell = async (
    bot: string,
    row: Pick<FeedRow, 'type' | 'kind' | 'localId' | 'object'>,
    told: Readonly<Record<string, FieldValue>>,
  ): Promise<boolean> => {
    if ((await shared.store.webhooks.get(bot)) === undefined) return false;
    const changes = Object.fromEntries(Object.entries(told).map(([name, after]) => [name, { before: null, after }]));
    await shared.store.feed.add(bot, [{ ...row, sfId: null, changes, at: now() }]);
    return true;
  };
  return {
    ...sync,
    async notify({ bot, what, proposal, action, link, expiresAt, count }) {
      const told = { action, link, expiresAt: new Date(expiresAt).toISOString(), count };
      if (!(await tell(bot, { type: what, kind: 'proposal', localId: proposal, object: 'Proposal' }, told))) return;
      // At once, whether the bot is connected or not; a worker goes on where this fails.
      deliver(shared, bot).catch((error: unknown) => deps.log.warn('a notice waits', { bot, error: String(error) }));
    },
    async tellRecovered(operator) {
      const row = { type: 'recovered', kind: 'operator', localId: operator, object: 'Operator' } as const;
      const bots = await store.bots.list();
      // What a webhook does not take now, a worker goes on with.
      const told = bots.map(async ({ name: bot }) => (await tell(bot, row, {})) && deliver(shared, bot));
      await Promise.allSettled(told);
    },
    // Only a door over HTTP needs their forms, which take longer to make than everything else here.
    get routes() {
      routes ??= makeRoutes();
      return routes;
    },
    worker,
    mark: () => shared.store.mark(),
    degraded: async () => ((await shared.store.streams.isAnyBroken()) ? ['events'] : []),
    async problems(bot) {
      const { orgId } = await connections.status(bot);
      if (orgId === undefined) return [];
      return [...(await drift.kept(bot)), ...(await keptProblems(shared, { bot, orgId }))];
    },
    async lookForDrift() {
      for (const { bot, state } of await store.connections.list()) if (state === 'connected') await drift.look(bot);
    },
    use: (bot, since) => syncUse(shared, bot, since),
    find: (...asked) => findRecords(shared, ...asked),
    parts: shared,
    async status(bot) {
      const { orgId } = await connections.status(bot);
      if (orgId === undefined) return undefined;
      const status = await syncStatus(shared, { bot, orgId });
      return { ...status, problems: [...(await problemsAround(bot)), ...status.problems] };
    },
  };
}

/** As far as a proposal may come from the future (CLOCK_SKEW_MS). */
const OFF_MS = 5 * 60_000;

/** By the `Date` of Salesforce's answers. */
function toldOffset(offsetMs: number): SyncProblem {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  return {
    code: 'config_invalid',
    message: `The clock of this machine is ${minutes} minutes ${offsetMs > 0 ? 'behind' : 'ahead of'} that of Salesforce.`,
    next: 'Let it take its time from a time server (NTP). Edits are ordered by the clock of Salesforce all the same; what expires (proposals, sign-ins, keys of a chat) and what begins at a time of day goes by this one.',
    count: 1,
    examples: [],
  };
}

function toldClocks({ ms }: ClockDifference): SyncProblem {
  return {
    code: 'config_invalid',
    message: `The clocks of the machines that share this store differ by ${Math.round(Math.abs(ms) / 1_000)} seconds.`,
    next: 'Let every machine take its time from the same source (NTP): proposals expire, and edits are ordered, by it. Leases do not depend on it.',
    count: 1,
    examples: [],
  };
}
