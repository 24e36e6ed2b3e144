import { toLine } from '../../domain/bulk-csv.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { heldByPart } from '../../domain/link.ts';
import type { BulkPart, BulkRowStored } from '../../ports/bulk-store.ts';
import type { SyncDeps, SyncSettings } from '../../ports/sync.ts';
import type { PendingWrite } from '../engine/change-set.ts';
import type { BulkRoad } from '../engine/pass.ts';
import { marksOf, type Target } from '../remote/target.ts';
import type { Sightings } from './sightings.ts';

/** A part that this process fills. */
export interface Filling {
  readonly road: BulkRoad;
  /** Rows in the part. */
  count(): number;
  isFull(): boolean;
  /** Somebody else took it: nothing more goes that way. */
  isLost(): boolean;
}

/** Room for the separators of columns that later rows bring. */
const SLACK_BYTES = 128;

/** Creates of one window on their way into a part: each with its link's hold, in the transaction that writes it down. */
export function fillPart(
  { store, crash }: SyncDeps,
  { bulkRows, bulkBytes }: SyncSettings,
  part: BulkPart,
  sightings: Sightings,
): Filling {
  let { rows, bytes } = part;
  let isLost = false;

  return {
    count: () => rows,
    isLost: () => isLost,
    // A window is far smaller than what is kept free for it.
    isFull: () => rows >= bulkRows || bytes >= bulkBytes * 0.9,
    road: {
      isAlone: sightings.isAlone,
      async take(pass, writes) {
        const fits = new Map(writes.flatMap((write) => toFit(pass.target, part, write)));
        const rest = writes.filter((write) => !fits.has(write));
        const wanted: Fit[] = [];
        const unsent: PendingWrite[] = [];
        let size = 0;
        for (const [write, fit] of fits) {
          const isOver = rows + wanted.length >= bulkRows || bytes + size + fit.bytes > bulkBytes;
          if (isLost || isOver) unsent.push(write);
          else {
            wanted.push(fit);
            size += fit.bytes;
          }
        }
        if (wanted.length === 0) return { rest, unsent };
        const staged = await store
          .atomically(async (inside) => {
            const claims = wanted.map(({ row: { link: id, fence } }) => ({ id, fence: fence - 1 }));
            await inside.links.lock(claims);
            const held = new Set(await inside.links.hand(claims, heldByPart(part.id)));
            const kept = wanted.filter(({ row }) => held.has(row.link)).map(({ row }) => row);
            const columns = kept.flatMap(({ fields }) => Object.keys(fields));
            if (!(await inside.bulk.fill(part, [part.keyField, ...columns], kept, size))) throw new PartLost();
            return new Set(kept.map(({ link }) => link));
          })
          .catch((error: unknown) => {
            if (error instanceof PartLost) return undefined;
            throw error;
          });
        if (staged === undefined) {
          isLost = true;
          return { rest, unsent: [...fits.keys()] };
        }
        rows += staged.size;
        bytes += size;
        await crash?.('rows-staged');
        // What is noted here is not looked at again by this pass.
        for (const { link } of fits.keys()) if (staged.has(link.id)) pass.note({ link, error: null });
        return { rest, unsent };
      },
    },
  };
}

class PartLost extends Error {}

interface Fit {
  readonly row: BulkRowStored;
  readonly bytes: number;
}

/** What failed once goes by calls, whose answers say more; so does a value that CSV cannot carry as it is. */
function toFit(target: Target, part: BulkPart, write: PendingWrite): [PendingWrite, Fit][] {
  const { link, fields, plan, kind, dirty } = write;
  if (kind !== 'create' || plan.isContested || link.attempts > 0 || part.keyField in fields) return [];
  const [key] = marksOf(target, link);
  const cells = [key, ...Object.values(fields)];
  if (cells.some((cell) => typeof cell === 'string' && CHANGED_ON_THE_WAY.test(cell))) return [];
  const row: BulkRowStored = {
    part: part.id,
    key,
    bot: link.bot,
    link: link.id,
    fence: link.fence + 1,
    dirty,
    parent: String(fields.AccountId ?? ''),
    fields,
    sent: plan.sent,
    pushed: plan.pushed,
    problems: plan.problems,
  };
  try {
    return [[write, { row, bytes: Buffer.byteLength(toLine(cells)) + SLACK_BYTES }]];
  } catch (error) {
    if (error instanceof GatehouseError) return [];
    throw error;
  }
}

/** A carriage return becomes a line feed, half a character U+FFFD: what was agreed would not be what was sent. */
const CHANGED_ON_THE_WAY = /\r|\p{Surrogate}/u;
