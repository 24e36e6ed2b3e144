import { GatehouseError } from '../errors.ts';
import type { Batches } from './batch.ts';
import { type DeliveryDeps, deliver } from './deliver.ts';
import type { Drain } from './drain.ts';
import type { Engine } from './engine.ts';
import { useInbox } from './inbox.ts';
import { pollWhenDue } from './poll.ts';
import type { SyncOrg } from './ports.ts';

export interface Worker {
  /** One turn of one bot: events, poll when due, what is dirty, batches, webhooks. */
  turn(bot: string): Promise<void>;
  /** Something changed: look soon. */
  nudge(bot: string): void;
  start(): void;
  stop(): Promise<void>;
}

export interface WorkerDeps extends DeliveryDeps {
  /** Bots whose connection stands. */
  readonly bots: () => Promise<readonly string[]>;
  readonly openOrg: (bot: string, signal: AbortSignal) => Promise<SyncOrg>;
  readonly log: { warn(message: string, fields?: Readonly<Record<string, unknown>>): void };
  readonly tickMs?: number;
  /** How often Salesforce is asked what changed, by all processes together. */
  readonly pollMs?: number;
  /** How long a bot rests after a failure; given what the failure asks for. */
  readonly pauseMs?: (ms: number) => number;
  readonly noteSync?: (bot: string, at: number) => Promise<void>;
}

/** In-process loop over the outbox; any number of processes may run one on the same store. */
export function createWorker(deps: WorkerDeps, engine: Engine, drain: Drain, batches: Batches): Worker {
  const { store, now, tickMs = 2_000, pollMs = 300_000, pauseMs = (ms: number) => ms } = deps;
  const stopping = new AbortController();
  const turns = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const pausedUntil = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  async function turn(bot: string): Promise<void> {
    await deliver(deps, bot);
    if ((pausedUntil.get(bot) ?? 0) > now()) return;
    const org = await deps.openOrg(bot, stopping.signal);
    await useInbox(deps, bot, org);
    if (await pollWhenDue(deps, engine.settings, bot, org, pollMs)) await store.inbox.prune(now() - 7 * 86_400_000);
    let hasSynced = false;
    // A batch goes on window by window, so that what changes meanwhile does not wait for its end.
    for (let hasMore = true; hasMore && !stopping.signal.aborted; ) {
      const synced = await drain.all(bot, org);
      hasMore = await batches.step(bot, org);
      hasSynced ||= hasMore || synced > 0;
      if (hasMore) await useInbox(deps, bot, org);
    }
    if (hasSynced) await deps.noteSync?.(bot, now());
    await deliver(deps, bot);
  }

  /** One turn at a time per bot; a nudge in the middle of one makes another. */
  function run(bot: string): void {
    if (stopping.signal.aborted) return;
    if (turns.has(bot)) {
      again.add(bot);
      return;
    }
    const turned = turn(bot)
      .catch((error: unknown) => rest(bot, error))
      .finally(() => {
        turns.delete(bot);
        if (again.delete(bot)) run(bot);
      });
    turns.set(bot, turned);
  }

  /** Waiting is no failure: the outbox keeps everything. */
  function rest(bot: string, error: unknown): void {
    if (stopping.signal.aborted) return;
    const ms = pauseMs(error instanceof GatehouseError ? (error.retryAfterMs ?? 30_000) : 30_000);
    pausedUntil.set(bot, now() + ms);
    const code = error instanceof GatehouseError ? error.code : 'internal';
    deps.log.warn('Sync waits.', { bot, code, waitMs: ms, ...(code === 'internal' ? { cause: String(error) } : {}) });
  }

  async function tick(): Promise<void> {
    for (const bot of await deps.bots()) run(bot);
  }

  return {
    turn,
    nudge: run,
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
      await Promise.allSettled(turns.values());
    },
  };
}
