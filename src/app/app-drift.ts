import type { Action } from '../domain/action.ts';
import { KINDS, ruleKey } from '../domain/mapping.ts';
import { driftOf } from '../policy/drift.ts';
import type { Connections } from '../ports/salesforce.ts';
import type { Store } from '../ports/store.ts';
import type { SyncUse } from '../ports/sync.ts';
import type { SyncStore } from '../ports/sync-store.ts';
import type { SyncProblem } from '../sync/jobs/problem.ts';
import { compileMapping } from '../sync/mapping/compile.ts';
import { checkMapping } from '../sync/mapping/validate.ts';

/** What the org changed under a bot, from describes as they are remembered (an hour at most), told before a write fails by it. */

export interface DriftDeps {
  readonly store: Pick<Store, 'bots' | 'values'>;
  readonly mappings: SyncStore['mappings'];
  readonly connections: Pick<Connections, 'open' | 'status'>;
  readonly actions: readonly Action[];
  readonly use: (bot: string) => Promise<readonly SyncUse[]>;
  readonly now: () => number;
}

export interface Drift {
  /** What does not fit now, kept for whoever asks later. */
  look(bot: string): Promise<readonly SyncProblem[]>;
  /** What the last look found, where it was not long ago: the org is asked for nothing. */
  kept(bot: string): Promise<readonly SyncProblem[]>;
}

const KIND = 'schema drift';
/** One look an hour is made (housekeeping); one that fails leaves what the one before it found. */
const KEPT_MS = 3 * 3_600_000;

export function createDrift(deps: DriftDeps): Drift {
  const { values } = deps.store;
  /** Of one org: another one has changed under nobody. */
  const keyOf = async (bot: string) => `${bot} ${(await deps.connections.status(bot)).orgId}`;
  return {
    async look(bot) {
      const found = await driftProblems(deps, bot);
      const key = await keyOf(bot);
      if (found !== undefined) await values.set(KIND, key, JSON.stringify(found), deps.now() + KEPT_MS);
      return found ?? [];
    },
    kept: async (bot) => JSON.parse((await values.get(KIND, await keyOf(bot), deps.now())) ?? '[]'), // ours
  };
}

const LOOK_MS = 10_000;
const MOST_TOLD = 20;

/** Undefined where nobody could look: an org that does not answer is a problem of its own. */
async function driftProblems(deps: DriftDeps, name: string): Promise<readonly SyncProblem[] | undefined> {
  const bot = await deps.store.bots.get(name);
  if (bot === undefined || (await deps.connections.status(name)).state !== 'connected') return undefined;
  let told: readonly string[];
  try {
    const org = await deps.connections.open(name, { signal: AbortSignal.timeout(LOOK_MS), background: true });
    told = [
      ...(await driftOf(bot, deps.actions, await deps.use(name), (object) => org.describe(object))),
      ...(await mappingDrift(deps, name, (object) => org.describe(object))),
    ];
  } catch {
    return undefined;
  }
  if (told.length === 0) return [];
  const more = told.length - MOST_TOLD;
  return [
    {
      code: 'schema_drift',
      message: `The org has changed under ${name}. ${told.slice(0, MOST_TOLD).join(' ')}${more > 0 ? ` And ${more} more.` : ''}`,
      next: `Bring it back in the org, or save what names it without it (policy, mapping): a rule that names nothing holds nothing. What the user may do now: gatehouse org check ${name}.`,
      count: told.length,
      examples: [],
    },
  ];
}

/** Rules whose field is gone are told with the records; here those whose field is another one now, and what new records must have. */
async function mappingDrift(
  { mappings }: Pick<DriftDeps, 'mappings'>,
  bot: string,
  describe: (object: string) => ReturnType<Awaited<ReturnType<Connections['open']>>['describe']>,
): Promise<readonly string[]> {
  const told = KINDS.map(async (kind) => {
    const saved = (await mappings.get(bot, kind))?.mapping;
    if (saved === undefined) return [];
    const described = await describe(saved.object).catch(() => undefined);
    if (described === undefined) return [];
    const kept = new Set(compileMapping(saved, described).rules.map(({ key }) => key));
    const mapping = { ...saved, rules: saved.rules.filter((rule) => kept.has(ruleKey(rule))) };
    const { problems, warnings } = await checkMapping(mapping, described);
    return [...problems, ...warnings.filter(({ name }) => name === 'rules')].map(
      ({ problem }) => `Mapping of ${kind}: ${problem}.`,
    );
  });
  return (await Promise.all(told)).flat();
}
