import type { ObjectDescribe } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { Kind, Mapping } from '../../domain/mapping.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import { compileMapping } from './compile.ts';
import { defaultMapping } from './defaults.ts';
import { followRules, toFollow } from './follow-rules.ts';
import { checkSamples } from './samples.ts';
import { checkMapping, type MappingCheck } from './validate.ts';

export interface SavedMapping {
  readonly version: number;
  readonly warnings: MappingCheck['warnings'];
  /** Links that are looked at again because a rule of theirs changed. */
  readonly links: number;
}

/**
 * Saves a mapping when the org agrees with it. Links follow by themselves: only rules that changed forget what was agreed, so
 * fields that no rule touched are not written again.
 */
export async function saveMapping(
  deps: Pick<SyncDeps, 'store' | 'now' | 'crash'>,
  {
    bot,
    org,
    kind,
    mapping,
    version,
    by,
  }: { bot: string; org: SyncOrg; kind: Kind; mapping: Mapping; version: number; by: string },
): Promise<SavedMapping> {
  const { store, now } = deps;
  const newest = await store.mappings.get(bot, kind);
  if ((newest?.version ?? 0) !== version) throw outOfDate();
  const before = newest?.mapping ?? defaultMapping(kind);
  const { describe, problems, warnings } = await checkInOrg(org, kind, mapping);
  if (problems.length > 0) {
    throw new GatehouseError('invalid_input', `The mapping does not fit the org: ${problems.length} problem(s).`, {
      next: 'Correct the named rules; nothing was saved.',
      fields: problems,
    });
  }
  const row = { bot, kind, version: version + 1, mapping, by, at: now() };
  const change = { before, after: mapping, version: row.version };
  const follow = await toFollow(store, { bot, orgId: org.orgId }, change);
  if (!(await store.atomically((inside) => inside.mappings.add(row, follow)))) throw outOfDate();
  return {
    version: row.version,
    warnings: [...warnings, ...(await sampleWarnings(store, bot, mapping, describe))],
    links: follow === undefined ? 0 : await followRules(deps, follow),
  };
}

/** Whether the org agrees. What we remember of it may be an hour old, so a no is asked again before it is said. */
export async function checkInOrg(
  org: SyncOrg,
  kind: Kind,
  mapping: Mapping,
): Promise<MappingCheck & { readonly describe: ObjectDescribe }> {
  if (mapping.kind !== kind)
    throw new GatehouseError('invalid_input', `This is a mapping for a ${mapping.kind}.`, {
      next: `Send it to the mapping of ${mapping.kind}.`,
    });
  async function look(options?: { isFresh: true }) {
    const describe = await org.describe(mapping.object, options);
    return { describe, ...(await checkMapping(mapping, describe)) };
  }
  const remembered = await look().catch((error: unknown) => {
    if (error instanceof GatehouseError && error.code === 'not_found') return undefined;
    throw error;
  });
  const isWhole =
    remembered?.problems.length === 0 &&
    compileMapping(mapping, remembered.describe).rules.length === mapping.rules.length;
  return remembered && isWhole ? remembered : look({ isFresh: true });
}

function outOfDate(): GatehouseError {
  return new GatehouseError('conflict', 'This is not the version of the mapping that is in force.', {
    next: 'Load it again, apply your change to it and save.',
  });
}

const SAMPLES = 200;

/** What records that are there would lose by the mapping. */
export async function sampleWarnings(
  store: SyncDeps['store'],
  bot: string,
  mapping: Mapping,
  describe: ObjectDescribe,
): Promise<MappingCheck['warnings']> {
  const samples = await store.hosts.newest(bot, mapping.kind, SAMPLES);
  return checkSamples(compileMapping(mapping, describe), samples);
}
