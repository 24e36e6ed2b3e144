import { GatehouseError } from '../../domain/errors.ts';
import type { BulkPart } from '../../ports/bulk-store.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import type { BatchRun } from '../../ports/sync-store.ts';
import type { Engine } from '../engine/engine.ts';
import type { BulkRoad } from '../engine/pass.ts';
import type { Target } from '../remote/target.ts';
import { isSystemic } from '../remote/trouble.ts';
import type { Parts } from './parts.ts';
import { readSightings, type Sightings } from './sightings.ts';
import { type Filling, fillPart } from './staging.ts';

/** Batches whose new records go as bulk jobs. */
export interface Loads {
  /**
   * How the next window of a batch goes: `calls`, as ever; `busy`, while a job of this object is under way or another process fills
   * one; or into a part.
   */
  window(run: BatchRun, target: Target): Promise<'calls' | 'busy' | Window>;
}

export interface Window {
  readonly road: BulkRoad;
  /** Most links of it. */
  readonly limit: number;
  /** Calls that the look at the whole object took. */
  readonly calls: number;
  /** Somebody else took the part. */
  isLost(): boolean;
  /**
   * Seals the part once it is full, or once the window found nothing more. `filling` and `sealed` say that there is more to do at once.
   * `calls`: that were made for the window.
   */
  close(claimed: number, calls: number): Promise<'filling' | 'sealed' | 'over'>;
  /** Leaves the part to be filled on. */
  release(): Promise<void>;
}

/** What was seen of an object is too old to create by. */
const SIGHTINGS_MS = 3_600_000;

/** Of the number from which on everything goes as a job: below it a job costs more than calls. */
const FEW = 0.2;
const ROWS_PER_SCARCE_CALL = 100;
/** Of the org's day: background work leaves it to people. */
const OTHERS_SHARE = 0.2;

/** Of a window of which nothing is read or sent: larger ones save no call, and hold more memory. */
const LINKS_WITHOUT_CALLS = 1_000;

/** Less than ten calls for a thousand rows is left to us today. */
export const areScarce = ({ max, remaining }: { readonly max: number; readonly remaining: number }, rows: number) =>
  remaining - max * OTHERS_SHARE < rows / ROWS_PER_SCARCE_CALL;

/** Another process took the part while this one looked. */
class Taken extends Error {}

export function createLoads(deps: SyncDeps, engine: Engine, parts: Parts): Loads {
  const { store, now, newId, owner, crash } = deps;
  const { settings } = engine;
  /** By batch, until nothing of it is left to be claimed: so the last few records of a load go as the first did. */
  const decided = new Map<string, boolean>();
  const seen = new Map<string, Sightings>();
  /** Batches whose last window had records that go by calls. */
  const withCalls = new Set<string>();

  async function isLoad({ id }: BatchRun, target: Target): Promise<boolean> {
    // A repeat must find itself: without our external id it could not.
    if (target.compiled.mapping.bulk === 'never' || target.externalId === undefined) return false;
    const is = decided.get(id) ?? (await isMany(await store.links.countNew(id), target));
    decided.set(id, is);
    return is;
  }

  /** Fewer go as a job, too, where the calls that they need may be more than the org has left today. */
  async function isMany(count: number, { org }: Target): Promise<boolean> {
    if (count >= settings.bulkFrom || count < settings.bulkFrom * FEW) return count >= settings.bulkFrom;
    const { DailyApiRequests: calls } = await org.limits().catch((error: unknown) => {
      // Whoever may not see the limits goes by calls.
      if (isSystemic(error) || !(error instanceof GatehouseError)) throw error;
      return {} as Awaited<ReturnType<typeof org.limits>>;
    });
    return calls !== undefined && areScarce(calls, count);
  }

  async function openPart(run: BatchRun, target: Target): Promise<BulkPart | undefined> {
    const part: BulkPart = {
      ...{ id: newId(), bot: run.bot, orgId: run.orgId, kind: run.kind, object: target.object, batch: run.id },
      ...{ revision: target.revision, operation: 'upsert', keyField: target.externalId ?? '', state: 'filling' },
      ...{ jobId: null, columns: [], rows: 0, bytes: 0, note: null, looks: 0, nextAt: 0, createdAt: now() },
      ...{ leaseOwner: owner, leaseUntil: now() + settings.leaseMs, fence: 1 },
    };
    return (await store.bulk.add(part)) ? part : undefined;
  }

  /** The query job is noted on the part while it is read: whoever takes the part of a dead process removes it. */
  async function sightingsOf(part: BulkPart, target: Target, onCall: () => void): Promise<Sightings> {
    if (part.jobId !== null) await parts.removeQuery(target, part, onCall);
    const known = seen.get(part.batch);
    if (known && Math.abs(now() - known.at) < SIGHTINGS_MS) return known;
    seen.delete(part.batch);
    const read = await readSightings(target, now, onCall, async (jobId) => {
      if (!(await store.bulk.patch(part, { jobId }))) {
        // Nobody else knows of it.
        await target.org.bulk.removeQuery(jobId).catch(() => undefined);
        throw new Taken();
      }
      await crash?.('query-noted');
    });
    await store.bulk.patch(part, { jobId: null });
    seen.set(part.batch, read);
    return read;
  }

  async function close(
    run: BatchRun,
    part: BulkPart,
    filling: Filling,
    ...[claimed, calls]: Parameters<Window['close']>
  ): ReturnType<Window['close']> {
    withCalls.delete(run.id);
    if (filling.isLost()) return 'over';
    if (claimed > 0 && calls > 0) withCalls.add(run.id);
    if (claimed > 0 && !filling.isFull()) {
      await parts.release(part);
      return 'filling';
    }
    if (claimed === 0) {
      decided.delete(run.id);
      seen.delete(run.id);
    }
    const state = filling.count() > 0 ? 'ready' : 'done';
    await store.bulk.patch(part, { state, leaseOwner: null, leaseUntil: 0 });
    await crash?.('part-sealed');
    return state === 'ready' ? 'sealed' : 'over';
  }

  return {
    async window(run, target) {
      const there = (await store.bulk.open(run)).find((part) => part.object === target.object);
      // One that others rules were planned under, or that another batch left, is given back before.
      const isMine = there?.state === 'filling' && there.batch === run.id && there.revision === target.revision;
      if (there && !isMine) return 'busy';
      if (!there && !(await isLoad(run, target))) return 'calls';
      const part = there ? await parts.take(there) : await openPart(run, target);
      if (part === undefined) return 'busy';
      let calls = 0;
      try {
        const sightings = await sightingsOf(part, target, () => {
          calls++;
        });
        const filling = fillPart(deps, settings, part, sightings);
        return {
          calls,
          road: filling.road,
          isLost: filling.isLost,
          release: () => parts.release(part),
          limit: withCalls.has(run.id) ? settings.window : Math.min(settings.window, LINKS_WITHOUT_CALLS),
          close: (...window) => close(run, part, filling, ...window),
        };
      } catch (error) {
        if (error instanceof Taken) return 'busy';
        const isRefused = error instanceof GatehouseError && !isSystemic(error) && part.rows === 0;
        if (!isRefused) {
          await parts.release(part);
          throw error;
        }
        // The org has no such jobs for us: it goes by calls.
        decided.set(run.id, false);
        const noted = await store.bulk.get(part.id);
        if (noted) await parts.removeQuery(target, noted, () => {});
        await store.bulk.patch(part, { state: 'done', leaseOwner: null, leaseUntil: 0 });
        return 'calls';
      }
    },
  };
}
