import type { Link } from '../../domain/link.ts';
import { LARGE_RUN } from '../../ports/streams.ts';
import type { SyncDeps, SyncSettings } from '../../ports/sync.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { externalKey, lookupValue, type Target } from '../remote/target.ts';
import { readSightings, type Sightings } from './sightings.ts';
import { TextCounts } from './text-counts.ts';

/** What a batch of everything would do, as far as one look at the whole object tells. Nothing of it has happened. */
export interface LoadPreview {
  readonly way: 'bulk' | 'calls';
  /** Records that would be made. */
  readonly create: number;
  /** Those that one record of the org fits: they are linked to it, and compared. */
  readonly link: number;
  /** Linked ones that changed here since they were last in step. */
  readonly update: number;
  /** Several records fit, or another one of ours has the same look-up value: a person is asked, and nothing is written. */
  readonly ask: number;
  /** In step as far as is known here, deleted here, unlinked or deleted in Salesforce. */
  readonly skip: number;
  /** API calls, but for looks at whether a job is through. */
  readonly calls: number;
  /** Change events of our own writes, which the org's daily allowance pays for: none where nobody listens. */
  readonly deliveries: number;
  /** About; an org with triggers and flows on each row takes longer. */
  readonly minutes: number;
}

const PAGE = 1_000;
/** 76,380 inserts were seen to take 83 s. */
const BULK_ROWS_PER_MINUTE = 54_000;
const CALL_ROWS_PER_MINUTE = 6_000;
const ROWS_PER_CALL = 1_000;
const READS_PER_CALL = 10_000;
/** Create, upload, hand over, two files of results, remove. */
const CALLS_PER_PART = 6;
/** Create, one page, remove. */
const CALLS_PER_LOOK = 3;

export async function previewLoad(deps: SyncDeps, settings: SyncSettings, target: Target): Promise<LoadPreview> {
  const { store, now } = deps;
  const sightings = await readSightings(target, now, () => {});
  const found = { create: 0, link: 0, update: 0, ask: 0, skip: 0 };
  const makes = new TextCounts();
  let nameless = 0;
  let bytes = 0;
  for (let after = ''; ; ) {
    const hosts = await store.hosts.page(target.scope.bot, target.kind, after, PAGE);
    const last = hosts.at(-1);
    if (!last) break;
    after = last.id;
    const ids = hosts.map(({ id }) => id);
    const links = new Map(
      (await store.links.byLocal(target.scope, target.object, ids)).map((one) => [one.localId, one]),
    );
    for (const host of hosts) {
      const becomes = becomesOf(target, sightings, host, links.get(host.id));
      found[becomes]++;
      if (becomes !== 'create') continue;
      bytes += JSON.stringify(host.fields).length;
      const value = target.compiled.mapping.allowDuplicates ? undefined : lookupValue(target.compiled.mapping, host);
      if (value === undefined) nameless++;
      else makes.add(value);
    }
  }
  // Of those who share a look-up value one is made.
  const create = nameless + makes.distinct();
  const ask = found.ask + found.create - create;
  const isBulk =
    target.compiled.mapping.bulk !== 'never' && target.externalId !== undefined && found.create >= settings.bulkFrom;
  const byCalls = found.link + found.update + (isBulk ? 0 : create);
  const looks = found.link + ask + found.update + (isBulk ? 0 : create);
  const parts = isBulk ? Math.ceil(Math.max(create / settings.bulkRows, bytes / settings.bulkBytes)) : 0;
  const calls = (isBulk ? CALLS_PER_LOOK + Math.floor(sightings.count / 250_000) : 0) + parts * CALLS_PER_PART;
  const minutes = (isBulk ? create / BULK_ROWS_PER_MINUTE : 0) + byCalls / CALL_ROWS_PER_MINUTE;
  const streams = await store.streams.list(target.scope);
  const isHeard = streams.some(({ objects, state }) => objects.includes(target.object) && state === 'live');
  return {
    ...found,
    way: isBulk ? 'bulk' : 'calls',
    create,
    ask,
    calls: calls + Math.ceil(byCalls / ROWS_PER_CALL) + Math.ceil(looks / READS_PER_CALL),
    // What is more is not listened to.
    deliveries: isHeard ? Math.min(create + found.link + found.update, LARGE_RUN) : 0,
    minutes: Math.ceil(minutes),
  };
}

function becomesOf(target: Target, sightings: Sightings, host: HostRecord, link: Link | undefined) {
  if (host.deletedAt !== null || link?.state === 'unlinked' || link?.state === 'remote_deleted') return 'skip';
  if (link?.state === 'ambiguous' || link?.state === 'merged') return 'ask';
  if (link && link.sfId !== null) return link.dirty > link.done ? 'update' : 'skip';
  const { bot } = target.scope;
  const marked = link ?? { localId: host.id, extKey: externalKey(bot, target.kind, host.id) };
  return (['create', 'link', 'ask'] as const)[sightings.alike(target, marked, host)];
}
