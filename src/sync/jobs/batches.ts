import { canonicalJson } from '../../domain/canonical-json.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { Kind } from '../../domain/mapping.ts';
import { nextOccasion, type Repeat } from '../../domain/wall-clock.ts';
import type { SyncDeps, SyncOrg, SyncSettings } from '../../ports/sync.ts';
import type { BatchRun } from '../../ports/sync-store.ts';
import type { Loads } from '../bulk/loads.ts';
import type { Parts } from '../bulk/parts.ts';
import { type LoadPreview, previewLoad } from '../bulk/preview.ts';
import type { ClaimRunner } from '../engine/claim-runner.ts';
import { heldWithList } from '../engine/held-list.ts';
import { logIdAt } from '../host/log-ids.ts';
import { endBatch } from '../mapping/end-batch.ts';
import { requireWriting, stopOf } from '../remote/policy-bounds.ts';
import { quietUntil } from '../remote/quiet-hours.ts';
import { mappingOf, openTarget, type Target } from '../remote/target.ts';

export interface BatchStatus extends BatchRun {
  /** In units of `size`, as people see it. */
  readonly batches: number;
  readonly batchesDone: number;
  /** Later occasions that passed before this one could begin. */
  readonly missed: number;
}

/** Records, each counted once a column: what was refused first and made then is in both. */
export interface BatchReport
  extends Pick<BatchStatus, 'id' | 'kind' | 'state' | 'total' | 'done' | 'failed' | 'calls'> {
  readonly created: number;
  readonly updated: number;
  readonly pulled: number;
  readonly asked: number;
}

export interface Batches {
  start(
    bot: string,
    orgId: string,
    kind: Kind,
    options?: { size?: number; startAt?: number; repeat?: Repeat; only?: 'all' | 'failed' },
  ): Promise<BatchStatus>;
  status(bot: string, id: string): Promise<BatchStatus>;
  list(bot: string): Promise<readonly BatchStatus[]>;
  pause(bot: string, id: string): Promise<BatchStatus>;
  resume(bot: string, id: string): Promise<BatchStatus>;
  cancel(bot: string, id: string): Promise<BatchStatus>;
  /** What a run of everything would do. Reads Salesforce, writes nothing. */
  preview(bot: string, org: SyncOrg, kind: Kind): Promise<LoadPreview>;
  /** What it came to. */
  report(bot: string, id: string): Promise<BatchReport>;
  /** One window of every run that is due; true when there may be more at once. In quiet hours what comes again waits. */
  step(bot: string, org: SyncOrg): Promise<boolean>;
  /** Everything that is due, until done, paused or stopped by a limit. */
  work(bot: string, org: SyncOrg): Promise<void>;
}

/**
 * A run puts its links into a batch, and each leaves it when it is through: what is left is what is to do, so a killed run
 * goes on where it was, and its progress can only grow.
 */
export function createBatches(
  deps: SyncDeps,
  runner: ClaimRunner,
  { parts, loads, settings }: { readonly parts: Parts; readonly loads: Loads; readonly settings: SyncSettings },
): Batches {
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
    const batchesDone = done === run.total ? batches : Math.floor(done / run.size);
    return { ...run, done, batches, batchesDone, missed: missedBy(run) };
  }

  async function move(
    bot: string,
    id: string,
    from: readonly BatchRun['state'][],
    to: BatchRun['state'],
    patch: Partial<Omit<BatchRun, 'repeat'>> = {},
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

  /**
   * Scheduled runs begin when their time has come: the links are enlisted then, and what comes again is scheduled anew. While it
   * is enlisted a run stays scheduled, so whoever dies meanwhile leaves the rest to the next one.
   */
  async function begin(run: BatchRun): Promise<BatchRun> {
    if (run.state === 'running') return run;
    const { bot, id, kind, repeat } = run;
    await runner.ensureLinks(bot, run, kind);
    if (!(repeat && (await openBefore(store, run)))) await enlist(run);
    const begun = await store.atomically(async (inside) => {
      // Of all processes that see the time come, one gets through: an occasion has one run, and one next run.
      const isMine = await inside.batches.move(id, ['scheduled'], { state: 'running', begunAt: now() });
      if (isMine && repeat) await inside.batches.add(nextOf(run, repeat));
      const before = isMine && repeat ? await openBefore(inside, run) : undefined;
      if (before)
        await inside.batches.move(id, ['running'], {
          state: 'cancelled',
          finishedAt: now(),
          note: `Left out: the batch before it (${before.id}) is ${before.state}.`,
        });
      else if (isMine)
        await inside.batches.move(id, ['running'], { total: await inside.links.countBatch(id), note: null });
      return (await inside.batches.get(bot, id)) ?? run;
    });
    if (begun.state === 'cancelled') await store.links.delist(id);
    return begun;
  }

  /** A piece at a time: hundreds of thousands in one statement hold everybody up, and PostgreSQL ends it. */
  async function enlist({ id, bot, orgId, kind, note }: BatchRun): Promise<void> {
    const { object } = await mappingOf(store, bot, kind);
    const only = note === ONLY_FAILED ? 'failed' : 'all';
    for (let after: string | undefined = ''; after !== undefined; ) {
      const from: string = after;
      after = await store.atomically(({ links }) => links.enlist({ bot, orgId, kind, object }, id, only, from));
    }
  }

  function nextOf(run: BatchRun, repeat: Repeat): BatchRun {
    const startAt = nextOccasion(repeat, now());
    return { ...run, ...UNBEGUN, id: newId(), startAt, createdAt: now() };
  }

  /** A batch of the same kind that was begun and is not over. */
  async function openBefore(
    inside: SyncDeps['store'],
    { id, bot, orgId, kind }: BatchRun,
  ): Promise<BatchRun | undefined> {
    return (await inside.batches.list(bot, 50)).find(
      (one) =>
        one.id !== id &&
        one.orgId === orgId &&
        one.kind === kind &&
        (one.state === 'running' || (one.state === 'paused' && isBegun(one))),
    );
  }

  async function workOn(run: BatchRun, org: SyncOrg): Promise<boolean> {
    const { bot, id, kind } = run;
    const target = await openTarget(deps, bot, org, kind);
    const { refusal: closed, held } = target;
    const refusal = closed ?? (held && (await heldWithList(deps, bot, kind, held, 'press')));
    if (refusal) {
      // It cannot go on by itself, and the runs behind it shall; what comes again tries at its next occasion.
      const note = `${refusal.message} ${refusal.next}`;
      if (run.repeat === null) await store.batches.move(id, ['running'], { state: 'paused', note });
      else await endBatch(store, run, ['running'], { note, at: now() });
      return false;
    }
    const isStopped = async () =>
      (run.repeat !== null && (await quietUntil(deps, bot)) !== undefined) ||
      (await store.batches.get(bot, id))?.state !== 'running';
    if (await isStopped()) return false;
    let passed: Awaited<ReturnType<typeof runWindow>>;
    try {
      passed = await runWindow(run, org, target, isStopped);
      if (passed === undefined) return false;
    } catch (error) {
      // The cursor is the batch itself: nothing to save but the reason.
      const note =
        error instanceof GatehouseError ? `${error.message} ${error.next}` : 'An unexpected error; the log has it.';
      await store.batches.move(id, ['running'], { note });
      throw error;
    }
    if (passed.isFilling) {
      // What is in a part is not through yet, and to count what is left takes as long as it is much.
      if (passed.calls > 0) await store.batches.progress(id, { calls: passed.calls });
      return true;
    }
    const left = await store.links.countBatch(id);
    const { total } = await load(bot, id);
    await store.batches.progress(id, { calls: passed.calls, done: total - left });
    await store.batches.move(id, ['running', 'paused'], { note: null });
    if (left === 0) await store.batches.move(id, ['running'], { state: 'done', finishedAt: now() });
    return left > 0 && passed.hasMore;
  }

  /** Undefined where its rows are under way as a job, or another process gathers them. */
  async function runWindow(run: BatchRun, org: SyncOrg, target: Target, isStopped: () => Promise<boolean>) {
    const { bot, id, kind } = run;
    const way = await loads.window(run, target);
    if (way === 'busy') return undefined;
    const due = { due: 'batch', batch: id } as const;
    if (way === 'calls') {
      const passed = await runner.runClaims(bot, org, kind, due, { mode: 'many', isStopped });
      // Where nothing could be claimed, what is left is leased by another worker or waits for its next try.
      return { calls: passed.calls, hasMore: passed.claimed > 0, isFilling: false };
    }
    try {
      const isOver = async () => way.isLost() || (await isStopped());
      const { limit, road } = way;
      const passed = await runner.runClaims(bot, org, kind, due, {
        mode: 'many',
        isStopped: isOver,
        limit,
        bulk: road,
      });
      const state = await way.close(passed.claimed, passed.calls);
      return { calls: passed.calls + way.calls, hasMore: state !== 'over', isFilling: state === 'filling' };
    } catch (error) {
      // It is filled on, by whoever is next.
      await way.release();
      throw error;
    }
  }

  async function step(bot: string, org: SyncOrg): Promise<boolean> {
    let hasMore = await parts.drive(bot, org);
    const isQuiet = (await quietUntil(deps, bot)) !== undefined;
    for (const run of await store.batches.runnable({ bot, orgId: org.orgId }, now())) {
      // A batch without a repeat was asked for by a person, its time included.
      if (isQuiet && run.repeat !== null) continue;
      hasMore = (await workOn(await begin(run), org)) || hasMore;
    }
    return hasMore;
  }

  /** A second click, or a second run of the command, finds the run that is there. */
  async function openRun(bot: string, orgId: string, kind: Kind): Promise<BatchRun | undefined> {
    const open = (await store.batches.list(bot, 50)).find(
      (run) =>
        run.orgId === orgId &&
        run.kind === kind &&
        (run.state === 'running' || run.state === 'paused' || (isBeginning(run, now()) && run.note !== ONLY_FAILED)),
    );
    if (open?.state === 'paused')
      throw new GatehouseError('conflict', `The batch ${open.id} of this kind is paused.`, {
        next: 'Resume it, or cancel it first.',
      });
    return open;
  }

  /** Set up once, however often it is sent. */
  async function sameRepeat(run: BatchRun): Promise<BatchRun | undefined> {
    const isSame = (one: BatchRun) =>
      one.orgId === run.orgId &&
      one.kind === run.kind &&
      one.note === run.note &&
      isUnbegun(one) &&
      canonicalJson(one.repeat) === canonicalJson(run.repeat);
    return (await store.batches.list(run.bot, 50)).find(isSame);
  }

  return {
    async start(bot, orgId, kind, { size = 100, startAt: given = 0, repeat = null, only = 'all' } = {}) {
      const startAt = repeat === null ? given : nextOccasion(repeat, now());
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
        ...UNBEGUN,
        id: newId(),
        bot,
        orgId,
        kind,
        size,
        startAt,
        createdAt: now(),
        note: only === 'failed' ? ONLY_FAILED : null,
        repeat,
      };
      const same = repeat === null ? undefined : await sameRepeat(run);
      if (same) return toStatus(same);
      await store.batches.add(run);
      return toStatus(isNow ? await begin(run) : run);
    },
    status: async (bot, id) => toStatus(await load(bot, id)),
    list: async (bot) => Promise.all((await store.batches.list(bot, 50)).map(toStatus)),
    async preview(bot, org, kind) {
      const target = await openTarget(deps, bot, org, kind);
      if (target.refusal) throw target.refusal;
      return previewLoad(deps, settings, target);
    },
    async report(bot, id) {
      const run = await load(bot, id);
      const { kind, state, total, done, failed, calls } = await toStatus(run);
      const tally = await store.log.tally(bot, id, logIdAt(run.createdAt));
      const of = (what: Partial<(typeof tally)[number]>) =>
        tally
          .filter((row) => Object.entries(what).every(([name, value]) => row[name as keyof typeof row] === value))
          .reduce((sum, row) => sum + row.count, 0);
      const sent = { direction: 'to_crm', status: 'success' } as const;
      return {
        ...{ id, kind, state, total, done, failed, calls },
        created: of({ ...sent, operation: 'create' }),
        updated: of({ ...sent, operation: 'update' }) + of({ ...sent, operation: 'delete' }),
        pulled: of({ direction: 'from_crm', status: 'success', operation: 'update' }),
        asked: of({ status: 'ambiguous' }),
      };
    },
    pause: (bot, id) => move(bot, id, ['running', 'scheduled'], 'paused'),
    async resume(bot, id) {
      const run = await load(bot, id);
      // Until it begins, the note says which records it is for.
      if (isBegun(run)) return move(bot, id, ['paused'], 'running', { note: null });
      // An occasion that passed while it was paused was not wanted.
      const startAt = run.repeat === null ? run.startAt : nextOccasion(run.repeat, now());
      return move(bot, id, ['paused'], 'scheduled', { startAt });
    },
    async cancel(bot, id) {
      const open = ['running', 'paused', 'scheduled'] as const;
      if (await endBatch(store, await load(bot, id), open, { at: now() })) return toStatus(await load(bot, id));
      // Says which state it has instead.
      return move(bot, id, open, 'cancelled');
    },
    step,
    async work(bot, org) {
      for (;;) {
        while (await step(bot, org));
        const at = await parts.nextLook({ bot, orgId: org.orgId });
        if (at === undefined) return;
        const pauseMs = Math.min(Math.max(at - now(), LEAST_PAUSE_MS), MOST_PAUSE_MS);
        await deps.wait(pauseMs);
      }
    },
  };
}

/** Between two looks at jobs that are under way. */
const LEAST_PAUSE_MS = 1_000;
const MOST_PAUSE_MS = 30_000;

/** As every run stands before its time. */
const UNBEGUN = {
  state: 'scheduled',
  total: 0,
  done: 0,
  failed: 0,
  calls: 0,
  begunAt: null,
  finishedAt: null,
} as const;

/** Also those begun by a version that did not write down when. */
const isBegun = ({ begunAt, total, done, finishedAt }: BatchRun): boolean =>
  begunAt !== null || total > 0 || done > 0 || finishedAt !== null;

/** Its links are being enlisted. */
const isBeginning = (run: BatchRun, now: number): boolean =>
  run.state === 'scheduled' && run.repeat === null && run.startAt <= now;

const isUnbegun = (run: BatchRun): boolean => (run.state === 'scheduled' || run.state === 'paused') && !isBegun(run);

const MOST_MISSED = 1_000;

function missedBy({ repeat, startAt, begunAt }: BatchRun): number {
  if (repeat === null || begunAt === null) return 0;
  let missed = 0;
  for (let at = nextOccasion(repeat, startAt); at <= begunAt && missed < MOST_MISSED; at = nextOccasion(repeat, at))
    missed++;
  return missed;
}

const ONLY_FAILED = 'only records with a problem';
