import type { ObjectDescribe } from '../../domain/action.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import { type Kind, type Mapping, type Rule, ruleKey } from '../../domain/mapping.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import { compileMapping } from './compile.ts';
import { defaultMapping } from './defaults.ts';
import { endBatch } from './end-batch.ts';
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
  { store, now }: Pick<SyncDeps, 'store' | 'now'>,
  {
    bot,
    org,
    kind,
    mapping,
    version,
    by,
  }: { bot: string; org: SyncOrg; kind: Kind; mapping: Mapping; version: number; by: string },
): Promise<SavedMapping> {
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
  if (!(await store.mappings.add(row))) throw outOfDate();
  if (before.object !== mapping.object) await endBatches(store, bot, kind, now());
  return {
    version: version + 1,
    warnings: [...warnings, ...(await sampleWarnings(store, bot, mapping, describe))],
    links: await followRules(store, { bot, orgId: org.orgId }, before, mapping, now()),
  };
}

/** They hold records of the object before, which nobody takes up any more. */
async function endBatches(store: SyncDeps['store'], bot: string, kind: Kind, at: number): Promise<void> {
  const note = 'The mapping names another object now: start a new batch.';
  for (const run of await store.batches.list(bot, 50))
    if (run.kind === kind && run.total > 0) await endBatch(store, run, ['running', 'paused'], { note, at });
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

async function followRules(
  store: SyncDeps['store'],
  scope: { bot: string; orgId: string },
  before: Mapping,
  after: Mapping,
  at: number,
): Promise<number> {
  if (before.object !== after.object) return 0;
  const old = new Map(before.rules.map((rule) => [ruleKey(rule), rule]));
  const changed = after.rules.filter((rule) => !isSame(old.get(ruleKey(rule)), rule)).map(ruleKey);
  if (changed.length === 0) return 0;
  let count = 0;
  const { kind, object } = after;
  for (let last: Link | undefined; ; ) {
    const links = await store.links.list({ ...scope, kind, object }, { ...(last ? { after: last } : {}), limit: 500 });
    const mine = links.filter((link) => link.state !== 'unlinked');
    await store.links.touch(
      mine.map((link) => link.id),
      'mapping changed',
      true,
      at,
    );
    for (const link of mine) await store.links.rebase(link.id, without(link.base, changed));
    count += mine.length;
    last = links.at(-1);
    if (!last || links.length < 500) return count;
  }
}

const isSame = (a: Rule | undefined, b: Rule): boolean => canonicalJson(a) === canonicalJson(b);

function without(base: Link['base'], keys: readonly string[]): Link['base'] {
  return Object.fromEntries(Object.entries(base).filter(([key]) => !keys.includes(key)));
}
