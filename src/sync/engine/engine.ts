import type { Link } from '../../domain/link.ts';
import { DEFAULT_SETTINGS, type SyncDeps, type SyncSettings } from '../../ports/sync.ts';
import { createLogIds } from '../host/log-ids.ts';
import { createFieldHistory } from '../remote/field-history.ts';
import type { Target } from '../remote/target.ts';
import { isSystemic } from '../remote/trouble.ts';
import { createChunkSize } from './chunk-size.ts';
import { type How, Pass, type Result, type Shared } from './pass.ts';
import { round } from './round.ts';
import { giveUp, postpone, unforeseen } from './single-records.ts';

export interface Passed {
  readonly results: ReadonlyMap<string, Result>;
  readonly calls: number;
}

export interface Engine {
  /** One pass over claimed links. Each of them is in step, waits with its reason, or is free again when it ends. */
  run(target: Target, claims: readonly Link[], how: How): Promise<Passed>;
  /** A pass for what earlier ones left under way. */
  open(target: Target): Pass;
  readonly settings: SyncSettings;
  readonly logId: () => string;
}

const MOST_ROUNDS = 4;
/** Enough to find one record among ten thousand, and no storm. */
const MOST_SPLITS = 24;

export function createEngine(deps: SyncDeps): Engine {
  const { now, newId } = deps;
  const settings = { ...DEFAULT_SETTINGS, ...deps.settings };
  const logId = createLogIds(now, newId);
  const shared: Shared = {
    ...{ deps, settings, logId, history: createFieldHistory(now), chunkSize: createChunkSize() },
    graphsRestUntil: new Map(),
  };
  return {
    settings,
    logId,
    open: (target) => new Pass(shared, target, { mode: 'many', mustRead: false }),
    run: (target, claims, how) => run(shared, target, claims, how, { left: MOST_SPLITS }),
  };
}

async function run(
  shared: Shared,
  target: Target,
  claims: readonly Link[],
  how: How,
  splits: { left: number },
): Promise<Passed> {
  const pass = new Pass(shared, target, how);
  try {
    let open = claims;
    for (let count = 0; open.length > 0 && count < MOST_ROUNDS; count++)
      open = await round(pass, open, how.mustRead || count > 0);
    await giveUp(pass, open);
    return pass;
  } catch (error) {
    if (isSystemic(error)) {
      // Nothing is lost: the claims are free again, and what was sent is written down.
      await shared.deps.store.links.release(claims);
      throw error;
    }
    // Nobody foresaw it: smaller passes find the record that is why, and the others go on.
    const open = claims.filter(({ id }) => !pass.results.has(id));
    if (open.length < 2 || splits.left === 0) {
      await postpone(pass, open, unforeseen(error));
      return pass;
    }
    splits.left--;
    const half = Math.ceil(open.length / 2);
    const first = await run(shared, target, open.slice(0, half), how, splits);
    const second = await run(shared, target, open.slice(half), how, splits);
    return joined(pass, first, second);
  }
}

const joined = (...passes: readonly Passed[]): Passed => ({
  results: new Map(passes.flatMap(({ results }) => [...results])),
  calls: passes.reduce((sum, { calls }) => sum + calls, 0),
});
