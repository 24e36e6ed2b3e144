import { csvOf } from '../../domain/bulk-csv.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { Scope } from '../../domain/link.ts';
import type { BulkRow, BulkStatus } from '../../ports/bulk.ts';
import type { BulkPart } from '../../ports/bulk-store.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { Engine } from '../engine/engine.ts';
import type { Pass } from '../engine/pass.ts';
import { quietUntil } from '../remote/quiet-hours.ts';
import { openTarget, type Target } from '../remote/target.ts';
import { isSystemic } from '../remote/trouble.ts';
import { TOLD_ROWS, tellRest, tellRows } from './tell.ts';

/** Brings sealed parts through Salesforce, one step after the other; whoever dies, the next one goes on by what is written down. */
export interface Parts {
  /** Each part that is due and that nobody works on goes one step on; true where there may be more at once. */
  drive(bot: string, org: SyncOrg): Promise<boolean>;
  /** When the next look at Salesforce is due; undefined where no job is under way. */
  nextLook(scope: Scope): Promise<number | undefined>;
  /** Takes a part that nobody works on. */
  take(seen: BulkPart): Promise<BulkPart | undefined>;
  release(part: BulkPart): Promise<void>;
  /** Of a part that is filled: the query by which somebody looked, and did not come to its end. */
  removeQuery(target: Target, part: BulkPart, onCall: () => void): Promise<void>;
}

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;
/** A day of looks: then the records themselves are asked, and the job is left alone. */
const MOST_LOOKS = 2_900;
const MOST_TRIES = 3;
const PAGE = 500;

export function createParts(deps: SyncDeps, engine: Engine): Parts {
  const { store, now, owner, watch, crash } = deps;
  const { leaseMs } = engine.settings;

  async function take(seen: BulkPart): Promise<BulkPart | undefined> {
    const isFree = seen.leaseUntil === 0;
    const isOver = () =>
      watch?.hasStood(`bulk part ${seen.id}`, `${seen.leaseOwner} ${seen.leaseUntil} ${seen.fence}`, leaseMs) === true;
    return isFree || isOver() ? store.bulk.take(seen, owner, now() + leaseMs) : undefined;
  }

  const release = async (part: BulkPart): Promise<void> => {
    await store.bulk.patch(part, { leaseOwner: null, leaseUntil: 0 });
  };

  /** Ours still, or nothing more is done with it. */
  async function save(part: BulkPart, patch: Partial<Omit<BulkPart, 'id' | 'fence' | 'columns'>>): Promise<BulkPart> {
    if (!(await store.bulk.patch(part, { ...patch, leaseUntil: now() + leaseMs }))) throw new Overtaken();
    return { ...part, ...patch };
  }

  /** Before anything is handed over: `no` where its batch ended or was paused, or its rows were planned under other rules. */
  async function mayBeSent({ bot, kind, batch, revision }: BulkPart): Promise<'yes' | 'later' | 'no'> {
    const run = await store.batches.get(bot, batch);
    if (run?.state !== 'running' || (await store.mappings.revision(bot, kind)) !== revision) return 'no';
    return run.repeat !== null && (await quietUntil(deps, bot)) !== undefined ? 'later' : 'yes';
  }

  async function step(part: BulkPart, org: SyncOrg): Promise<boolean> {
    const target = await openTarget(deps, part.bot, org, part.kind);
    const pass = engine.open(target);
    try {
      switch (part.state) {
        case 'filling':
          await giveBack(pass, part);
          return true;
        case 'ready':
          return await send(pass, part);
        case 'created':
          // Whether anything was uploaded cannot be known. It was never handed over, so it starts nothing.
          await discard(pass, part);
          await save(part, { state: 'ready', jobId: null });
          return true;
        case 'uploaded':
          return await handOver(pass, part, await statusOf(pass, part));
        case 'closed':
          return await look(pass, part);
        case 'told':
          await clean(pass, part);
          return true;
        case 'done':
          return false;
        default:
          throw part.state satisfies never;
      }
    } finally {
      if (pass.calls > 0) await store.batches.progress(part.batch, { calls: pass.calls });
    }
  }

  async function send(pass: Pass, part: BulkPart): Promise<boolean> {
    const may = await mayBeSent(part);
    if (may === 'later') return false;
    if (may === 'no') {
      await giveBack(pass, part);
      return true;
    }
    const { bulk } = pass.target.org;
    if (part.looks >= MOST_TRIES) return goByCalls(pass, part, 'The rows could not be uploaded; they go by calls.');
    pass.onCall();
    let jobId: string;
    try {
      jobId = await bulk.create({ object: part.object, operation: part.operation, key: part.keyField });
    } catch (error) {
      unlessSystemic(error);
      return goByCalls(pass, part, 'Salesforce takes no such job; the rows go by calls.');
    }
    await crash?.('job-created');
    const created = await save(part, { state: 'created', jobId, looks: part.looks + 1 });
    await crash?.('job-noted');
    pass.onCall();
    await bulk.upload(jobId, csvOf(created.columns, cellsOf(created)));
    await crash?.('job-uploaded');
    const uploaded = await save(created, { state: 'uploaded' });
    await crash?.('upload-noted');
    return handOver(pass, uploaded, { id: jobId, state: 'Open', processed: 0, failed: 0, error: undefined });
  }

  /** Rows as they were written down, with the lease renewed while they leave. */
  async function* cellsOf(part: BulkPart) {
    const [, ...columns] = part.columns;
    let renewedAt = now();
    for (let last: { parent: string; key: string } | undefined; ; ) {
      const rows = await store.bulk.page(part.id, last, PAGE);
      last = rows.at(-1);
      if (last === undefined) return;
      for (const { key, fields } of rows) yield [key, ...columns.map((name) => fields[name])];
      if (now() - renewedAt > leaseMs / 3) {
        await save(part, {});
        renewedAt = now();
      }
    }
  }

  async function handOver(pass: Pass, part: BulkPart, status: BulkStatus | undefined): Promise<boolean> {
    if (status === undefined) return lose(pass, part, 'Salesforce does not know the job any more.');
    if (status.state === 'Open') {
      if ((await mayBeSent(part)) === 'no') {
        await abort(pass, part);
        const after = await statusOf(pass, part);
        if (after !== undefined && after.state !== 'Aborted') return true;
        await giveBack(pass, part);
        return true;
      }
      pass.onCall();
      await pass.target.org.bulk.close(status.id);
      await crash?.('job-closed');
    }
    await save(part, { state: 'closed', looks: 0, nextAt: now() + FIRST_PAUSE_MS });
    const note = `${part.rows.toLocaleString('en')} records are with Salesforce, as one job.`;
    await store.batches.move(part.batch, ['running'], { note });
    await crash?.('close-noted');
    return true;
  }

  async function look(pass: Pass, part: BulkPart): Promise<boolean> {
    const status = await statusOf(pass, part);
    if (status === undefined) return lose(pass, part, 'Salesforce does not know the job any more.');
    if (status.state === 'Open') return handOver(pass, await save(part, { state: 'uploaded' }), status);
    if (status.state === 'UploadComplete' || status.state === 'InProgress') {
      if (part.looks >= MOST_LOOKS) return lose(pass, part, 'Salesforce did not finish the job within a day.');
      // Only a person's word ends a job that was handed over; rows that are done stay done.
      if ((await store.batches.get(part.bot, part.batch))?.state === 'cancelled') await abort(pass, part);
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 1.5 ** Math.min(part.looks, 20));
      await save(part, { looks: part.looks + 1, nextAt: now() + pause });
      return false;
    }
    await tellResults(pass, part, status);
    const told = await save(part, { state: 'told', note: status.error ?? null });
    await crash?.('rows-told');
    await clean(pass, told);
    return true;
  }

  async function tellResults(pass: Pass, part: BulkPart, { id, state, processed, failed }: BulkStatus): Promise<void> {
    const isWhole = state === 'JobComplete';
    if (!isWhole || processed > failed) await tellFile(pass, part, id, 'successful');
    if (!isWhole || failed > 0) await tellFile(pass, part, id, 'failed');
    if (!isWhole) await tellFile(pass, part, id, 'unprocessed');
    // Results that were not kept, or lost: the records tell.
    await tellRest(pass, part, { is: 'unknown' });
  }

  async function tellFile(
    pass: Pass,
    part: BulkPart,
    jobId: string,
    which: 'successful' | 'failed' | 'unprocessed',
  ): Promise<void> {
    let some: BulkRow[] = [];
    const flush = async () => {
      const byKey = new Map(some.map((row) => [keyOf(part, row), row]));
      some = [];
      // A row that was told before is not there any more.
      const stored = await store.bulk.byKey(part.id, [...byKey.keys()]);
      await tellRows(pass, part, stored, ({ key }) => {
        const row = byKey.get(key);
        if (row === undefined) return { is: 'unknown' };
        return which === 'unprocessed' ? { is: 'unprocessed' } : { is: 'answered', row };
      });
      await save(part, {});
    };
    pass.onCall();
    for await (const row of pass.target.org.bulk.results(jobId, which)) {
      some.push(row);
      if (some.length === TOLD_ROWS) await flush();
    }
    if (some.length > 0) await flush();
  }

  /** Nobody can tell what became of its rows: each record is asked. The job itself is left alone. */
  async function lose(pass: Pass, part: BulkPart, note: string): Promise<boolean> {
    await tellRest(pass, part, { is: 'unknown' });
    await save(part, { state: 'done', note, leaseOwner: null });
    return true;
  }

  /** Nothing of it was handed over: its records wait again, as if it had not been. */
  async function giveBack(pass: Pass, part: BulkPart): Promise<void> {
    await tellRest(pass, part, { is: 'unsent' });
    await remove(pass, part);
    await save(part, { state: 'done', leaseOwner: null });
  }

  async function goByCalls(pass: Pass, part: BulkPart, note: string): Promise<boolean> {
    await tellRest(pass, part, { is: 'unprocessed' });
    await save(part, { state: 'done', note, leaseOwner: null });
    return true;
  }

  /** What it says about people is removed. A job that cannot be removed now is gone after a week. */
  async function clean(pass: Pass, part: BulkPart): Promise<void> {
    await remove(pass, part);
    await crash?.('job-removed');
    await save(part, { state: 'done', leaseOwner: null });
  }

  async function removeQuery({ org }: Target, part: BulkPart, onCall: () => void): Promise<void> {
    if (part.jobId === null) return;
    onCall();
    await org.bulk.removeQuery(part.jobId).catch(unlessSystemic);
    await store.bulk.patch(part, { jobId: null });
  }

  async function remove(pass: Pass, part: BulkPart): Promise<void> {
    const { jobId, state } = part;
    if (jobId === null) return;
    if (state === 'filling') return removeQuery(pass.target, part, pass.onCall);
    pass.onCall();
    await pass.target.org.bulk.remove(jobId).catch(unlessSystemic);
  }

  /** A job that was never handed over starts nothing, and would die of itself within a day. */
  async function discard(pass: Pass, part: BulkPart): Promise<void> {
    await abort(pass, part);
    await remove(pass, part);
  }

  async function abort(pass: Pass, { jobId }: BulkPart): Promise<void> {
    if (jobId === null) return;
    pass.onCall();
    await pass.target.org.bulk.abort(jobId).catch(unlessSystemic);
  }

  /** Undefined where there is no such job. */
  async function statusOf(pass: Pass, { jobId }: BulkPart): Promise<BulkStatus | undefined> {
    if (jobId === null) return undefined;
    pass.onCall();
    return pass.target.org.bulk.status(jobId).catch((error: unknown) => {
      if (error instanceof GatehouseError && error.code === 'not_found') return undefined;
      throw error;
    });
  }

  return {
    take,
    release,
    removeQuery,
    async drive(bot, org) {
      let hasMore = false;
      for (const seen of await store.bulk.open({ bot, orgId: org.orgId })) {
        // Whoever runs its batch fills it.
        if (seen.state === 'filling' && (await mayBeSent(seen)) !== 'no') continue;
        if (!isDue(seen, now())) continue;
        const part = await take(seen);
        if (part === undefined) continue;
        try {
          hasMore = (await step(part, org)) || hasMore;
        } catch (error) {
          if (error instanceof Overtaken) continue;
          if (isSystemic(error) || !(error instanceof GatehouseError)) throw error;
          // It concerns this job alone: it is tried again, and the batch says why it waits.
          await store.bulk.patch(part, { nextAt: now() + LONGEST_PAUSE_MS });
          await store.batches.move(part.batch, ['running'], { note: `${error.message} ${error.next}` });
        } finally {
          await release(part);
        }
      }
      return hasMore;
    },
    async nextLook(scope) {
      const open = (await store.bulk.open(scope)).filter(({ state }) => state !== 'filling');
      return open.length === 0 ? undefined : Math.min(...open.map(({ nextAt }) => nextAt));
    },
  };
}

/** Somebody else works on the part: they go on by what is written down. */
class Overtaken extends Error {}

/** A clock that was ahead may have written when. */
const isDue = ({ nextAt }: BulkPart, now: number): boolean => nextAt <= now || nextAt > now + 2 * LONGEST_PAUSE_MS;

/** A name may come back in another case. */
function keyOf({ keyField }: BulkPart, { values, id }: BulkRow): string {
  const name = Object.keys(values).find((one) => one.toLowerCase() === keyField.toLowerCase());
  return (name === undefined ? id : values[name]) ?? '';
}

function unlessSystemic(error: unknown): void {
  if (isSystemic(error) || !(error instanceof GatehouseError)) throw error;
}
