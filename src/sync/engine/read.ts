import { GatehouseError } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import type { AskedParents, FoundParent } from '../merge/found-parents.ts';
import { foundParents, lookupsOf } from '../merge/found-parents.ts';
import { isAboutFields, type LookedUp, tryLookUp } from '../remote/look-up.ts';
import { columnsOf, type RemoteRow, toMs, toRow } from '../remote/soql-read.ts';
import { lookupOf, lookupValue, marksOf, type Target } from '../remote/target.ts';

/** What a read found for one link. `matches` are look-alikes of a record that has no link yet. */
export type ReadResult =
  | { readonly kind: 'row'; readonly row: RemoteRow; readonly mergedFrom?: RemoteRow }
  /** Deleted; without its row when it is not even in the bin, or hidden. */
  | { readonly kind: 'gone'; readonly row: RemoteRow | undefined }
  | { readonly kind: 'matches'; readonly rows: readonly RemoteRow[] }
  /** The org refused the read: nothing is known, so nothing is decided. */
  | { readonly kind: 'unread'; readonly error: GatehouseError };

export interface ReadResults {
  readonly byLink: ReadonlyMap<string, ReadResult>;
  /** What was found of the parents that had to be looked up, by their key. */
  readonly parents: ReadonlyMap<string, FoundParent>;
}

/** One read for a whole chunk: known ids, our own marks, look-up values and parents' names together. */
export async function readRemote(
  target: Target,
  links: readonly Link[],
  hosts: ReadonlyMap<string, HostRecord>,
  asked: AskedParents,
  onCall: () => void,
): Promise<ReadResults> {
  const { org, object, externalId, lookup } = target;
  const select = columnsOf(target);
  const unlinked = links.filter((link) => link.sfId === null);
  const values = new Map(
    unlinked.flatMap((link) => {
      const host = hosts.get(link.localId);
      const value = host && lookupValue(target.compiled.mapping, host);
      const known = [...(value === undefined ? [] : [value]), ...sentValues(target, link)];
      return known.length === 0 ? [] : [[link.id, known] as const];
    }),
  );
  const canAsk = lookup.problem === undefined;
  const probes = unlinked.flatMap((link) => (externalId || values.has(link.id) ? [] : (probeName(target, link) ?? [])));
  const parentLookups = lookupsOf(asked);
  const [known = NONE, alike = NONE, ours = NONE, probed = NONE, ...parents] = await tryLookUp(
    org,
    [
      { object, select, field: 'Id', values: links.flatMap((link) => link.sfId ?? []), all: true },
      { object, select, field: lookup.field ?? 'Id', values: canAsk ? [...values.values()].flat() : [] },
      // Also of who never sent it: an upsert overwrites whatever bears it.
      {
        object,
        select,
        field: externalId ?? 'Id',
        values: externalId ? unlinked.flatMap((link) => marksOf(target, link)) : [],
      },
      { object, select: [...select, 'CreatedDate'], field: target.nameField, values: probes },
      ...parentLookups,
    ],
    onCall,
  );
  const rows = new Map(known.records.map((record) => toRow(target, record)).map((row) => [row.id, row]));
  const masters = await readMasters(target, rows, select, onCall);
  const byValue = groupBy(
    alike.records.map((record) => toRow(target, record)),
    ({ record }) => lookupOf(target.compiled.mapping, record),
  );
  const byMark = groupBy(
    ours.records.map((record) => toRow(target, record)),
    (row) => row.externalKey ?? '',
  );
  const byName = groupBy(
    probed.records.map((record) => toRow(target, record)),
    (row) => row.name.toLowerCase(),
  );

  const byLink = new Map<string, ReadResult>();
  for (const link of links) byLink.set(link.id, find(link));
  return { byLink, parents: foundParents(asked, parentLookups, parents) };

  function find(link: Link): ReadResult {
    if (link.sfId === null) return findUnlinked(link);
    const refused = known.refused.get(link.sfId);
    if (refused) return { kind: 'unread', error: refused };
    const row = rows.get(link.sfId);
    if (!row) return { kind: 'gone', row: undefined };
    if (!row.isDeleted) return { kind: 'row', row };
    if (row.masterId === undefined) return { kind: 'gone', row };
    const master = masters.get(row.masterId);
    if (master instanceof GatehouseError) return { kind: 'unread', error: master };
    return master ? { kind: 'row', row: master, mergedFrom: row } : { kind: 'gone', row };
  }

  function findUnlinked(link: Link): ReadResult {
    const known = values.get(link.id) ?? [];
    const probe = (!externalId && known.length === 0 && probeName(target, link)) || '';
    const unasked = known.length > 0 ? (lookup.problem ?? refusalFor(alike, known)) : undefined;
    const marks = marksOf(target, link);
    const refused =
      marks.map((mark) => ours.refused.get(mark)).find(Boolean) ??
      probed.refused.get(probe) ??
      // Where the org never allows the look-up, our external id must do; where it failed just now, nothing is decided.
      (unasked && !(externalId && isAboutFields(unasked)) ? unasked : undefined);
    if (refused) return { kind: 'unread', error: refused };
    const found = [
      ...marks.flatMap((mark) => byMark.get(mark) ?? []),
      ...known.flatMap((value) => byValue.get(value) ?? []),
      ...(byName.get(probe.toLowerCase()) ?? []).filter((row) => isMadeSince(link, row)),
    ];
    return {
      kind: 'matches',
      rows: [...new Map(found.filter((row) => !row.isDeleted).map((row) => [row.id, row])).values()],
    };
  }
}

const NONE: LookedUp = { records: [], refused: new Map() };

function refusalFor({ refused }: LookedUp, values: readonly string[] = []): GatehouseError | undefined {
  for (const value of values) {
    const error = refused.get(value);
    if (error) return error;
  }
  return undefined;
}

/** A merged record names the one that lives on; that one may have been merged again. */
async function readMasters(
  target: Target,
  rows: ReadonlyMap<string, RemoteRow>,
  select: readonly string[],
  onCall: () => void,
): Promise<ReadonlyMap<string, RemoteRow | GatehouseError>> {
  const masters = new Map<string, RemoteRow>();
  const refused = new Map<string, GatehouseError>();
  const wanted = (from: Iterable<RemoteRow>) =>
    [...from].flatMap((row) =>
      row.isDeleted && row.masterId && !masters.has(row.masterId) && !refused.has(row.masterId) ? [row.masterId] : [],
    );
  for (let ids = wanted(rows.values()), hops = 0; ids.length > 0 && hops < 5; ids = wanted(masters.values()), hops++) {
    const [found = NONE] = await tryLookUp(
      target.org,
      [{ object: target.object, select, field: 'Id', values: ids, all: true }],
      onCall,
    );
    for (const [id, error] of found.refused) refused.set(id, error);
    if (found.records.length === 0) break;
    for (const row of found.records.map((record) => toRow(target, record))) masters.set(row.id, row);
  }
  const lastOf = (id: string): RemoteRow | GatehouseError | undefined => {
    let at = masters.get(id);
    for (let hops = 0; at?.isDeleted && at.masterId && hops < 5; hops++) {
      const error = refused.get(at.masterId);
      if (error) return error;
      at = masters.get(at.masterId);
    }
    return at && !at.isDeleted ? at : undefined;
  };
  return new Map([
    ...[...masters.keys()].flatMap((id) => {
      const last = lastOf(id);
      return last ? [[id, last] as const] : [];
    }),
    ...refused,
  ]);
}

/** A create without any key whose outcome is unknown is looked for by the name that was sent. */
function probeName({ nameField }: Target, link: Link): string | undefined {
  if (link.attemptedAt === null) return undefined;
  const key = nameField === 'Name' && link.intents['FirstName+LastName'] ? 'FirstName+LastName' : nameField;
  const value = link.intents[key]?.at(-1)?.value;
  return typeof value === 'string' ? value : undefined;
}

/** Stamps are whole seconds, and Salesforce's clock is known to a second or two. */
const CLOCK_SLACK_MS = 4_000;

/** Whether the namesake was created after our create was sent; an older one is somebody else. */
function isMadeSince({ attemptedAt }: Link, { record }: RemoteRow): boolean {
  const made = typeof record.CreatedDate === 'string' ? toMs(record.CreatedDate) : 0;
  return attemptedAt !== null && made >= attemptedAt - CLOCK_SLACK_MS;
}

/** Look-up values of a create whose outcome is unknown: the host may have changed the email since. */
function sentValues({ compiled }: Target, { attemptedAt, intents }: Link): readonly string[] {
  const { lookup } = compiled.mapping;
  if (attemptedAt === null || !lookup) return [];
  return (intents[lookup.remote] ?? []).flatMap(({ value }) => (typeof value === 'string' ? value.toLowerCase() : []));
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === '') continue;
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
