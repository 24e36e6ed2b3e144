import type { FieldValue } from '../../domain/action.ts';
import type { Scope } from '../../domain/link.ts';
import { type FoundFilter, KINDS, type Kind } from '../../domain/mapping.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { FeedRow, InboxRow, SyncStore } from '../../ports/sync-store.ts';
import { findField } from '../mapping/compile.ts';
import { previewMapping } from '../mapping/preview.ts';
import { lookUp } from '../remote/look-up.ts';
import { columnsOf, type RemoteRow, toMs, toRow } from '../remote/soql-read.ts';
import { lookupOf, mappingOf, openTarget, type Target } from '../remote/target.ts';

/** A record that somebody made in Salesforce and that the host app does not know. */
export interface Found {
  readonly kind: Kind;
  readonly object: string;
  readonly sfId: string;
  readonly values: Readonly<Record<string, FieldValue>>;
}

/** Objects whose new records the host app wants to hear of. */
export async function tellingObjects(store: SyncStore, bot: string): Promise<ReadonlySet<string>> {
  const mappings = await Promise.all(KINDS.map((kind) => mappingOf(store, bot, kind)));
  return new Set(mappings.flatMap(({ onRemoteCreate, object }) => (onRemoteCreate === 'tell' ? [object] : [])));
}

/** Reads, in a call for each kind, those of the records that no link has and nobody was told of; answers what is to be told. */
export async function readFound(
  deps: SyncDeps,
  scope: Scope,
  org: SyncOrg,
  hints: readonly Pick<InboxRow, 'object' | 'sfId'>[],
): Promise<readonly Found[]> {
  const { store } = deps;
  const told: Found[] = [];
  for (const kind of KINDS) {
    const { onRemoteCreate, object } = await mappingOf(store, scope.bot, kind);
    if (onRemoteCreate !== 'tell') continue;
    const named = [...new Set(hints.flatMap((hint) => (hint.object === object ? [hint.sfId] : [])))];
    const open = await unknown(store, scope, object, named);
    if (open.length > 0) told.push(...(await look(deps, await openTarget(deps, scope.bot, org, kind), open)));
  }
  return told;
}

/** Rows of the feed for what still nobody knows, each told once; in the transaction that adds them. */
export async function tellFound(
  inside: SyncStore,
  scope: Scope,
  found: readonly Found[],
  at: number,
): Promise<readonly Omit<FeedRow, 'bot' | 'seq'>[]> {
  const rows: Omit<FeedRow, 'bot' | 'seq'>[] = [];
  for (const kind of KINDS) {
    const mine = new Map(found.flatMap((one) => (one.kind === kind ? [[one.sfId, one] as const] : [])));
    const [first] = mine.values();
    if (!first) continue;
    const { object } = first;
    const open = await unknown(inside, scope, object, [...mine.keys()]);
    for (const sfId of await inside.found.add(scope, object, open, at)) {
      const values = Object.entries(mine.get(sfId)?.values ?? {});
      const changes = Object.fromEntries(values.map(([name, after]) => [name, { before: null, after }]));
      rows.push({ type: 'found', kind, localId: '', object, sfId, changes, at });
    }
  }
  return rows;
}

async function unknown(
  store: SyncStore,
  scope: Scope,
  object: string,
  sfIds: readonly string[],
): Promise<readonly string[]> {
  if (sfIds.length === 0) return [];
  const told = await store.found.known(scope, object, sfIds);
  const linked = new Set((await store.links.bySf(scope, sfIds)).map(({ sfId }) => sfId));
  return sfIds.filter((id) => !told.has(id) && !linked.has(id));
}

async function look(deps: SyncDeps, target: Target, sfIds: readonly string[]): Promise<readonly Found[]> {
  const { store, now } = deps;
  const { scope, org, kind, object, describe, compiled, opened } = target;
  const { mapping } = compiled;
  const { foundIf, allowDuplicates } = mapping;
  const extra = ['CreatedDate', ...filterFields(foundIf)];
  const isClosed = filterFields(foundIf).some((name) => !findField(describe, name) || !opened.isOpen(object, name));
  // Without our mark a record of ours that was just made looks like anybody's.
  if (target.refusal || isClosed || target.externalId === undefined || !findField(describe, 'CreatedDate')) return [];
  const since = (await tellsSince(store, scope.bot, kind)) + (org.clock() - now());
  const select = [...new Set([...columnsOf(target), ...extra])];
  const [records = []] = await lookUp(org, [{ object, select, field: 'Id', values: sfIds, all: true }], () => {});
  const rows = records
    .map((record) => toRow(target, record))
    .filter((row) => isNew(row, since) && fits(foundIf, row))
    .map((row) => ({ row, match: lookupOf(mapping, row.record) }));
  const matches = allowDuplicates ? [] : rows.flatMap(({ match }) => (match === '' ? [] : [match]));
  const claimed = new Set((await store.links.byMatchKey(scope, object, matches)).map(({ matchKey }) => matchKey));
  // Who is known by this value is found by it, or asked about: it is nobody new.
  return rows.flatMap(({ row, match }) => (match !== '' && claimed.has(match) ? [] : [toFound(target, row)]));
}

function isNew({ isDeleted, masterId, converted, externalKey, record }: RemoteRow, since: number): boolean {
  // What bears a mark is somebody's already: of this bot and just being made, or of another one.
  if (isDeleted || masterId !== undefined || converted || externalKey) return false;
  // Whole seconds.
  return toMs(String(record.CreatedDate)) >= Math.floor(since / 1_000) * 1_000;
}

const FILTERS = { recordTypeIds: 'RecordTypeId', ownerIds: 'OwnerId' } as const;

function filterFields(filter: FoundFilter | undefined): readonly string[] {
  return Object.entries(FILTERS).flatMap(([name, field]) => (filter?.[name as keyof FoundFilter] ? [field] : []));
}

function fits(filter: FoundFilter | undefined, { record }: RemoteRow): boolean {
  return Object.entries(FILTERS).every(([name, field]) => {
    const ids = filter?.[name as keyof FoundFilter];
    // In 15 or 18 characters.
    return ids === undefined || ids.some((id) => id.slice(0, 15) === String(record[field]).slice(0, 15));
  });
}

function toFound({ kind, object, compiled }: Target, { id: sfId, record }: RemoteRow): Found {
  const received = previewMapping(compiled, undefined, record).flatMap(({ receives }) => Object.entries(receives));
  const values = Object.fromEntries(received.filter(([, value]) => value !== null));
  return { kind, object, sfId, values };
}

/** When an operator set it, whatever else they saved since. By our clock. */
async function tellsSince(store: SyncStore, bot: string, kind: Kind): Promise<number> {
  let since = Number.POSITIVE_INFINITY;
  const newest = [...(await store.mappings.history(bot, kind))].sort((a, b) => b.version - a.version);
  for (const { mapping, at } of newest) {
    if (mapping.onRemoteCreate !== 'tell') break;
    since = at;
  }
  return since;
}
