import { GatehouseError } from '../../domain/errors.ts';
import type { Kind } from '../../domain/mapping.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { BatchRun } from '../../ports/sync-store.ts';
import type { ClaimRunner } from '../engine/claim-runner.ts';
import { heldWithList } from '../engine/held-list.ts';
import { requireWriting, stopOf } from '../remote/policy-bounds.ts';
import { mappingOf, openTarget } from '../remote/target.ts';

export interface BatchStatus extends BatchRun {
  /** In units of `size`, as people see it. */
  readonly batches: number;
  readonly batchesDone: number;
}

export interface Batches {
  start(
    bot: string,
    orgId: string,
    kind: Kind,
    options?: { size?: number; startAt?: number; only?: 'all' | 'failed' },
  ): Promise<BatchStatus>;
  status(bot: string, id: string): Promise<BatchStatus>;
  list(bot: string): Promise<readonly BatchStatus[]>;
  pause(bot: string, id: string): Promise<BatchStatus>;
  resume(bot: string, id: string): Promise<BatchStatus>;
  cancel(bot: string, id: string): Promise<BatchStatus>;
  /** One window of every run that is due; true when there may be more at once. */
  step(bot: string, org: SyncOrg): Promise<boolean>;
  /** Everything that is due, until done, paused or stopped by a limit. */
  work(bot: string, org: SyncOrg): Promise<void>;
}

/**
 * A run puts its links into a batch, and each leaves it when it is through: what is left is what is to do, so a killed run
 * goes on where it was, and its progress can only grow.
 */
export function createBatches(deps: SyncDeps, runner: ClaimRunner): Batches {
  const { store, now, newId } = deps;

  async function load(bot: string, id: string): Promise<BatchRun> {
    const run = await store.batches.get(bot, id);
    if (run) return run;
    throw new GatehouseError('not_found', 'There is no such batch.', { next: 'List the batches to see their ids.' });
  }

  async function toStatus(run: BatchRun): Promise<BatchStatus> {
    const left =
      run.state === 'done' || run.state === 'cancelled' || run.state === 'scheduled'
        ? undefined
        : await store.links.countBatch(run.id);
    const done = left === undefined ? run.done : Math.max(run.done, run.total - left);
    const batches = Math.ceil(run.total / run.size);
    // The last one may be smaller than the others.
    return { ...run, done, batches, batchesDone: done === run.total ? batches : Math.floor(done / run.size) };
  }

  async function move(
    bot: string,
    id: string,
    from: readonly BatchRun['state'][],
    to: BatchRun['state'],
    patch: Partial<BatchRun> = {},
  ): Promise<BatchStatus> {
    const run = await load(bot, id);
    if (!(await store.batches.move(id, from, { ...patch, state: to }))) {
      const { state } = await load(bot, id);
      if (state !== to)
        throw new GatehouseError('conflict', `The batch is ${state} already.`, {
          next:
            state === 'done' || state === 'cancelled'
              ? 'Start a new one: it finds what is still to do.'
              : 'Look at its status, then say again what it shall do.',
        });
    }
    return toStatus((await store.batches.get(bot, id)) ?? run);
  }

  /** Scheduled runs begin when their time has come: the links are enlisted then. */
  async function begin(run: BatchRun): Promise<BatchRun> {
    if (run.state === 'running') return run;
    await runner.ensureLinks(run.bot, run, run.kind);
    return store.atomically(async (inside) => {
      const isMine = await inside.batches.move(run.id, ['scheduled'], { state: 'running' });
      const only = run.note === ONLY_FAILED ? 'failed' : 'all';
      const { bot, orgId, kind } = run;
      const { object } = await mappingOf(inside, bot, kind);
      if (isMine)
        await inside.batches.move(run.id, ['running'], {
          total: await inside.links.enlist({ bot, orgId, kind, object }, run.id, only),
          note: null,
        });
      return (await inside.batches.get(run.bot, run.id)) ?? run;
    });
  }

  async function workOn(run: BatchRun, org: SyncOrg): Promise<boolean> {
    const { bot, id, kind } = run;
    const { refusal: closed, held } = await openTarget(deps, bot, org, kind);
    const refusal = closed ?? (held && (await heldWithList(deps, bot, kind, held, 'press')));
    if (refusal) {
      // It cannot go on by itself, and the runs behind it shall.
      await store.batches.move(id, ['running'], { state: 'paused', note: `${refusal.message} ${refusal.next}` });
      return false;
    }
    const isStopped = async () => (await store.batches.get(bot, id))?.state !== 'running';
    if (await isStopped()) return false;
    let passed: Awaited<ReturnType<ClaimRunner['runClaims']>>;
    try {
      passed = await runner.runClaims(bot, org, kind, { due: 'batch', batch: id }, { mode: 'many', isStopped });
    } catch (error) {
      // The cursor is the batch itself: nothing to save but the reason.
      const note =
        error instanceof GatehouseError ? `${error.message} ${error.next}` : 'An unexpected error; the log has it.';
      await store.batches.move(id, ['running'], { note });
      throw error;
    }
    const left = await store.links.countBatch(id);
    await store.batches.progress(id, { calls: passed.calls });
    const current = await load(bot, id);
    await store.batches.move(id, ['running', 'paused'], {
      done: Math.max(current.done, current.total - left),
      note: null,
    });
    if (left === 0) await store.batches.move(id, ['running'], { state: 'done', finishedAt: now() });
    // Where nothing could be claimed, what is left is leased by another worker or waits for its next try.
    return left > 0 && passed.claimed > 0;
  }

  async function step(bot: string, org: SyncOrg): Promise<boolean> {
    let hasMore = false;
    for (const run of await store.batches.runnable({ bot, orgId: org.orgId }, now()))
      hasMore = (await workOn(await begin(run), org)) || hasMore;
    return hasMore;
  }

  /** A second click, or a second run of the command, finds the run that is there. */
  async function openRun(bot: string, orgId: string, kind: Kind): Promise<BatchRun | undefined> {
    const open = (await store.batches.list(bot, 50)).find(
      (run) => run.orgId === orgId && run.kind === kind && (run.state === 'running' || run.state === 'paused'),
    );
    if (open?.state === 'paused')
      throw new GatehouseError('conflict', `The batch ${open.id} of this kind is paused.`, {
        next: 'Resume it, or cancel it first.',
      });
    return open;
  }

  return {
    async start(bot, orgId, kind, { size = 100, startAt = 0, only = 'all' } = {}) {
      const isNow = startAt <= now();
      const policy = await deps.policyOf(bot);
      if (isNow) requireWriting(bot, policy);
      const stop = isNow ? stopOf(bot, policy, kind) : undefined;
      if (stop?.is === 'held') {
        await runner.ensureLinks(bot, { orgId }, kind);
        throw await heldWithList(deps, bot, kind, stop.error, 'press');
      }
      if (stop) throw stop.error;
      const open = isNow && only === 'all' ? await openRun(bot, orgId, kind) : undefined;
      if (open) return toStatus(open);
      const run: BatchRun = {
        id: newId(),
        bot,
        orgId,
        kind,
        state: 'scheduled',
        size,
        total: 0,
        done: 0,
        failed: 0,
        calls: 0,
        startAt,
        createdAt: now(),
        finishedAt: null,
        note: only === 'failed' ? ONLY_FAILED : null,
      };
      await store.batches.add(run);
      return toStatus(isNow ? await begin(run) : run);
    },
    status: async (bot, id) => toStatus(await load(bot, id)),
    list: async (bot) => Promise.all((await store.batches.list(bot, 50)).map(toStatus)),
    pause: (bot, id) => move(bot, id, ['running', 'scheduled'], 'paused'),
    async resume(bot, id) {
      const run = await load(bot, id);
      const isBegun = run.total > 0 || run.done > 0 || run.finishedAt !== null;
      // Until it begins, the note says which records it is for.
      return isBegun ? move(bot, id, ['paused'], 'running', { note: null }) : move(bot, id, ['paused'], 'scheduled');
    },
    async cancel(bot, id) {
      const status = await move(bot, id, ['running', 'paused', 'scheduled'], 'cancelled', { finishedAt: now() });
      const left = await store.links.countBatch(id);
      await store.batches.move(id, ['cancelled'], { done: Math.max(status.done, status.total - left) });
      await store.links.delist(id);
      return toStatus(await load(bot, id));
    },
    step,
    async work(bot, org) {
      while (await step(bot, org));
    },
  };
}

const ONLY_FAILED = 'only records with a problem';
