import { GatehouseError, isOurs, toErrorBody } from '../../domain/errors.ts';
import { createLeaseWatch } from '../../domain/lease-watch.ts';
import type { Scope } from '../../domain/link.ts';
import { KINDS } from '../../domain/mapping.ts';
import type { SyncOrg } from '../../ports/sync.ts';
import { TURN_MS, type Turn } from '../../ports/sync-store.ts';
import type { ClaimRunner } from '../engine/claim-runner.ts';
import type { Engine } from '../engine/engine.ts';
import { askForHeld } from '../engine/held-list.ts';
import { createHints } from '../inbound/hints.ts';
import { pollWhenDue } from '../inbound/poll.ts';
import { POLL_MS, type StreamDemandsNow, streamDemands } from '../inbound/stream-demands.ts';
import { createStreams, type StreamDeps } from '../inbound/streams.ts';
import { followOn } from '../mapping/follow-rules.ts';
import { quietUntil } from '../remote/quiet-hours.ts';
import { mappingOf } from '../remote/target.ts';
import { isSystemic, troubleOf } from '../remote/trouble.ts';
import { type DeliveryDeps, deliver } from '../webhooks/deliver.ts';
import type { Batches } from './batches.ts';

export interface Worker {
  /** One turn of one bot, to its end: events, poll when due, what is dirty, batches; then webhooks. */
  turn(bot: string): Promise<void>;
  /** Something changed: look soon. Before the start, and after the stop, it does nothing. */
  nudge(bot: string): void;
  start(): void;
  stop(): Promise<void>;
}

export interface WorkerDeps extends DeliveryDeps, Pick<StreamDeps, 'events' | 'noteEvent'> {
  /** Bots whose connection stands, with a text that is another one after each sign-in. */
  readonly bots: () => Promise<ReadonlyMap<string, string>>;
  readonly openOrg: (bot: string, signal: AbortSignal) => Promise<SyncOrg>;
  readonly log: { warn(message: string, fields?: Readonly<Record<string, unknown>>): void };
  /** Steady time; default: `now`. */
  readonly ticks?: () => number;
  readonly tickMs?: number;
  /** How often Salesforce is asked what changed, by all processes together. */
  readonly pollMs?: number;
  /** How long a bot rests after a failure; given what the failure asks for. */
  readonly pauseMs?: (ms: number) => number;
  readonly noteSync?: (bot: string, at: number) => Promise<void>;
}

/** In-process loop over the outbox; any number of processes may run one on the same store. */
export function createWorker(given: WorkerDeps, engine: Engine, runner: ClaimRunner, batches: Batches): Worker {
  const deps = { ...given, watch: given.watch ?? createLeaseWatch(given.now) };
  const { store, now, ticks = now, tickMs = 2_000, pollMs = POLL_MS, pauseMs = (ms: number) => ms } = deps;
  const stopping = new AbortController();
  const hints = createHints(deps);
  /** As the last tick found them, whoever signed in, in whatever process. */
  let signIns: ReadonlyMap<string, string> = new Map();
  const rests = () => createRests(ticks, (bot) => signIns.get(bot));
  const [paused, silent, unasked] = [rests(), rests(), rests()];
  const noted = new Map<string, Turn>();
  /** Their mappings were followed to the end by the last look. */
  const followedOn = new Set<string>();
  /** What the last poll could not look at. */
  const unpolled = new Map<string, GatehouseError | undefined>();
  let timer: NodeJS.Timeout | undefined;

  async function sync(bot: string): Promise<void> {
    if (paused.holds(bot)) return;
    paused.begin(bot);
    const org = await deps.openOrg(bot, stopping.signal);
    const met: unknown[] = [];
    /** An error of one step is thrown at the end of the turn, so that the next steps run; one that concerns the whole org ends the turn. */
    async function step<T>(otherwise: T, work: () => Promise<T>): Promise<T> {
      try {
        return await work();
      } catch (error) {
        if (isSystemic(error)) throw error;
        met.push(error);
        return otherwise;
      }
    }
    try {
      const isQuiet = async () => (await quietUntil(deps, bot)) !== undefined;
      if (await isQuiet()) {
        if (await isAsked(bot, org)) await step(undefined, () => doAsked(bot, org));
        webhooks.run(bot);
        if (met.length > 0) throw met[0];
        await noteTurn({ bot, orgId: org.orgId }, null);
        return;
      }
      await step(undefined, () => hints.use(bot, org));
      if (!followedOn.has(bot)) await step(undefined, () => followOn(deps, { bot, orgId: org.orgId }));
      followedOn.add(bot);
      const demands = await streamDemands(deps, { bot, orgId: org.orgId }, pollMs);
      const polled = await step(undefined, () => pollWhenDue(deps, engine.settings, bot, org, demands.pollMs));
      // At each poll once more, for those that died since.
      if (polled) followedOn.delete(bot);
      if (polled) unpolled.set(bot, polled.refused[0]);
      if (polled) await store.streams.met({ bot, orgId: org.orgId }, demands.polls, 'polled');
      await step(undefined, () => reconcile({ bot, orgId: org.orgId }, demands.reconciles));
      let hasSynced = false;
      // A batch goes on window by window, so that what changes meanwhile does not wait for its end.
      for (let hasMore = true; hasMore && !stopping.signal.aborted && !(await isQuiet()); ) {
        const synced = await step(0, () => runner.runAllDue(bot, org));
        hasMore = await step(false, () => batches.step(bot, org));
        hasSynced ||= hasMore || synced > 0;
        if (hasMore) await step(undefined, () => hints.use(bot, org));
        webhooks.run(bot);
      }
      await ask(bot, org);
      if (hasSynced) await deps.noteSync?.(bot, now());
      if (met.length > 0) throw met[0];
    } catch (error) {
      await noteTurn({ bot, orgId: org.orgId }, troubleOf('The sync met something', error));
      throw error;
    }
    const closed = unpolled.get(bot);
    await noteTurn({ bot, orgId: org.orgId }, closed ? toErrorBody(closed).error : null);
  }

  /** Whether a person waits for something, at a time when the bot does nothing by itself: not even a describe is read else. */
  async function isAsked(bot: string, { orgId }: SyncOrg): Promise<boolean> {
    const scope = { bot, orgId };
    if (await store.links.isAsked(scope, now())) return true;
    return (await store.batches.runnable(scope, now())).some(({ repeat }) => repeat === null);
  }

  async function doAsked(bot: string, org: SyncOrg): Promise<void> {
    for (let hasMore = true; hasMore && !stopping.signal.aborted; ) {
      const synced = await runner.runAllDue(bot, org, { byHand: true });
      hasMore = await batches.step(bot, org);
      if (hasMore || synced > 0) await deps.noteSync?.(bot, now());
    }
  }

  /** Every record of these objects may have changed, and no event says which. */
  async function reconcile(scope: Scope, streams: StreamDemandsNow['reconciles']): Promise<void> {
    for (const stream of streams) {
      for (const kind of KINDS) {
        const { object } = await mappingOf(store, scope.bot, kind);
        if (!stream.objects.some((one) => one.toLowerCase() === object.toLowerCase())) continue;
        await batches.start(scope.bot, scope.orgId, kind);
        // A batch that ran already may have passed some, and none reads what was seen a moment ago.
        await store.links.forget({ ...scope, kind, object });
      }
      await store.streams.met(scope, [stream], 'reconciled');
    }
  }

  /** A list that cannot be made now (too many proposals wait) stops nothing else; tried again after 30 s. */
  async function ask(bot: string, org: SyncOrg): Promise<void> {
    if (unasked.holds(bot)) return;
    unasked.begin(bot);
    try {
      await askForHeld(deps, bot, org);
    } catch (error) {
      unasked.rest(bot, 30_000);
      const code = error instanceof GatehouseError ? error.code : 'internal';
      deps.log.warn('What waits for a person could not be listed.', { bot, code, cause: String(error) });
    }
  }

  /** Stored once a minute and at every change, so that another process can tell a waiting worker from a dead one. */
  async function noteTurn(scope: Scope, problem: Turn['problem']): Promise<void> {
    const key = `${scope.bot}/${scope.orgId}`;
    const last = noted.get(key);
    if (last && last.problem?.message === problem?.message && Math.abs(now() - last.at) < TURN_MS) return;
    const turn = { at: now(), problem };
    noted.set(key, turn);
    await store.turns.put(scope, turn);
  }

  /** Waiting is no failure: the outbox keeps everything. */
  function backOff(bot: string, error: unknown): void {
    const ms = pauseMs(error instanceof GatehouseError ? (error.retryAfterMs ?? 30_000) : 30_000);
    paused.rest(bot, ms);
    const code = error instanceof GatehouseError ? error.code : 'internal';
    deps.log.warn('Sync waits.', { bot, code, waitMs: ms, ...(isOurs({ code }) ? { cause: String(error) } : {}) });
  }

  const syncs = createTurns(sync, backOff, stopping.signal);
  // Beside the sync: a host app that answers slowly, or not at all, holds nothing else back.
  const webhooks = createTurns(
    (bot) => deliver(deps, bot),
    (bot, error) => deps.log.warn('Webhooks wait.', { bot, cause: String(error) }),
    stopping.signal,
  );

  const streams = createStreams({ ...deps, onChange: nudge });
  // Beside the sync, too: one listens for as long as nothing ends it.
  const listening = createTurns(
    async (bot) => {
      if (silent.holds(bot)) return;
      silent.begin(bot);
      silent.rest(bot, await streams.listen(bot, stopping.signal));
    },
    (bot, error) => {
      const ms = error instanceof GatehouseError ? (error.retryAfterMs ?? 60_000) : 60_000;
      silent.rest(bot, ms);
      const code = error instanceof GatehouseError ? error.code : 'internal';
      deps.log.warn('Events wait.', { bot, code, ...(isOurs({ code }) ? { cause: String(error) } : {}) });
    },
    stopping.signal,
  );

  function nudge(bot: string): void {
    syncs.run(bot);
    webhooks.run(bot);
  }

  async function tick(): Promise<void> {
    signIns = await deps.bots();
    for (const bot of signIns.keys()) {
      nudge(bot);
      listening.run(bot);
    }
  }

  return {
    async turn(bot) {
      await sync(bot);
      await deliver(deps, bot);
    },
    nudge(bot) {
      if (timer !== undefined) nudge(bot);
    },
    start() {
      timer ??= setInterval(() => {
        tick().catch((error: unknown) =>
          deps.log.warn('The list of bots could not be read.', { cause: String(error) }),
        );
      }, tickMs);
      timer.unref();
    },
    async stop() {
      stopping.abort();
      clearInterval(timer);
      await Promise.all([syncs.settled(), webhooks.settled(), listening.settled()]);
    },
  };
}

/** How long bots rest, by steady time, and no longer than the connection stands that it was about. */
function createRests(ticks: () => number, signIn: (bot: string) => string | undefined) {
  const begun = new Map<string, string | undefined>();
  const resting = new Map<string, { readonly until: number; readonly of: string | undefined }>();
  return {
    holds(bot: string): boolean {
      const rest = resting.get(bot);
      return rest !== undefined && rest.until > ticks() && rest.of === signIn(bot);
    },
    /** What comes now goes by the connection of now. */
    begin: (bot: string) => void begun.set(bot, signIn(bot)),
    rest: (bot: string, ms: number) => void resting.set(bot, { until: ticks() + ms, of: begun.get(bot) }),
  };
}

/** One turn at a time per bot; a nudge in the middle of one makes another. */
function createTurns(
  work: (bot: string) => Promise<unknown>,
  onError: (bot: string, error: unknown) => void,
  stopping: AbortSignal,
) {
  const turns = new Map<string, Promise<void>>();
  const again = new Set<string>();

  function run(bot: string): void {
    if (stopping.aborted) return;
    if (turns.has(bot)) {
      again.add(bot);
      return;
    }
    const turned = work(bot)
      .then(
        () => {},
        (error: unknown) => {
          if (!stopping.aborted) onError(bot, error);
        },
      )
      .finally(() => {
        turns.delete(bot);
        if (again.delete(bot)) run(bot);
      });
    turns.set(bot, turned);
  }

  return { run, settled: () => Promise.allSettled(turns.values()) };
}
