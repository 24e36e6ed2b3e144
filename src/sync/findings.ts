import type { FieldValue } from '../action.ts';
import type { CompiledRule } from '../mapping/compile.ts';
import type { Link } from './link.ts';
import { type ParentIndex, parentKey } from './plan.ts';
import type { HostRecord } from './ports.ts';
import { columnsOf, type Lookup, lookUp, quote, type RemoteRow, toMs, toRow } from './remote.ts';
import { lookupValue, type Target } from './target.ts';

/** What a read found for one link. `matches` are look-alikes of a record that has no link yet. */
export type Finding =
  | { readonly kind: 'row'; readonly row: RemoteRow; readonly mergedFrom?: RemoteRow }
  /** Deleted; without its row when it is not even in the bin, or hidden. */
  | { readonly kind: 'gone'; readonly row: RemoteRow | undefined }
  | { readonly kind: 'matches'; readonly rows: readonly RemoteRow[] };

export interface Findings {
  readonly byLink: ReadonlyMap<string, Finding>;
  /** Parent records by folded name, as far as names had to be looked up. */
  readonly parents: ReadonlyMap<string, readonly string[]>;
}

/** One read for a whole chunk: known ids, our own marks, look-up values and parents' names together. */
export async function readRemote(
  target: Target,
  links: readonly Link[],
  hosts: ReadonlyMap<string, HostRecord>,
  parentNames: ReadonlyMap<string, readonly { readonly rule: CompiledRule; readonly name: FieldValue }[]>,
  onCall: () => void,
): Promise<Findings> {
  const { org, object } = target;
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
  const marked = target.externalId ? unlinked.filter((link) => link.attemptedAt !== null || !values.has(link.id)) : [];
  const probes = unlinked.flatMap((link) =>
    target.externalId || values.has(link.id) ? [] : (probeName(target, link) ?? []),
  );
  const lookups: Lookup[] = [
    { object, select, field: 'Id', values: links.flatMap((link) => link.sfId ?? []), all: true },
    { object, select, field: target.compiled.mapping.lookup?.remote ?? 'Id', values: [...values.values()].flat() },
    { object, select, field: target.externalId ?? 'Id', values: marked.map((link) => link.extKey) },
    { object, select: [...select, 'CreatedDate'], field: target.nameField, values: probes },
    ...[...parentNames].map(
      ([parent, asked]): Lookup => ({
        object: parent,
        select: ['Id', asked[0]?.rule.parent?.field ?? 'Name'],
        field: asked[0]?.rule.parent?.field ?? 'Name',
        values: asked.map(({ name }) => String(name)),
      }),
    ),
  ];
  const [known = [], alike = [], ours = [], probed = [], ...parents] = await lookUp(org, lookups, onCall);
  const rows = new Map(known.map((record) => toRow(target, record)).map((row) => [row.id, row]));
  const masters = await readMasters(target, rows, select, onCall);
  const byValue = groupBy(
    alike.map((record) => toRow(target, record)),
    (row) => lookupOf(target, row),
  );
  const byMark = groupBy(
    ours.map((record) => toRow(target, record)),
    (row) => row.externalKey ?? '',
  );
  const byName = groupBy(
    probed.map((record) => toRow(target, record)),
    (row) => row.name.toLowerCase(),
  );

  const byLink = new Map<string, Finding>();
  for (const link of links) byLink.set(link.id, find(link));
  return { byLink, parents: parentIds(parentNames, parents) };

  function find(link: Link): Finding {
    if (link.sfId === null) {
      const known = values.get(link.id) ?? [];
      const probe = (!target.externalId && known.length === 0 && probeName(target, link)) || '';
      const found = [
        ...(byMark.get(link.extKey) ?? []),
        ...known.flatMap((value) => byValue.get(value) ?? []),
        ...(byName.get(probe.toLowerCase()) ?? []).filter((row) => isMadeSince(link, row)),
      ];
      return {
        kind: 'matches',
        rows: [...new Map(found.filter((row) => !row.isDeleted).map((row) => [row.id, row])).values()],
      };
    }
    const row = rows.get(link.sfId);
    if (!row) return { kind: 'gone', row: undefined };
    if (!row.isDeleted) return { kind: 'row', row };
    const master = row.masterId === undefined ? undefined : masters.get(row.masterId);
    return master ? { kind: 'row', row: master, mergedFrom: row } : { kind: 'gone', row };
  }
}

/** A merged record names the one that lives on; that one may have been merged again. */
async function readMasters(
  target: Target,
  rows: ReadonlyMap<string, RemoteRow>,
  select: readonly string[],
  onCall: () => void,
): Promise<ReadonlyMap<string, RemoteRow>> {
  const masters = new Map<string, RemoteRow>();
  const wanted = (from: Iterable<RemoteRow>) =>
    [...from].flatMap((row) => (row.isDeleted && row.masterId && !masters.has(row.masterId) ? [row.masterId] : []));
  for (let ids = wanted(rows.values()), hops = 0; ids.length > 0 && hops < 5; ids = wanted(masters.values()), hops++) {
    const [found = []] = await lookUp(
      target.org,
      [{ object: target.object, select, field: 'Id', values: ids, all: true }],
      onCall,
    );
    if (found.length === 0) break;
    for (const row of found.map((record) => toRow(target, record))) masters.set(row.id, row);
  }
  const lastOf = (id: string): RemoteRow | undefined => {
    let at = masters.get(id);
    for (let hops = 0; at?.isDeleted && at.masterId && hops < 5; hops++) at = masters.get(at.masterId);
    return at && !at.isDeleted ? at : undefined;
  };
  return new Map(
    [...masters.keys()].flatMap((id) => {
      const last = lastOf(id);
      return last ? [[id, last] as const] : [];
    }),
  );
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

/** A namesake that stood there before is somebody else. */
function isMadeSince({ attemptedAt }: Link, { record }: RemoteRow): boolean {
  const made = typeof record.CreatedDate === 'string' ? toMs(record.CreatedDate) : 0;
  return attemptedAt !== null && made >= attemptedAt - CLOCK_SLACK_MS;
}

/** What a create that was not acknowledged was known by, where the host has another value by now. */
function sentValues({ compiled }: Target, { attemptedAt, intents }: Link): readonly string[] {
  const { lookup } = compiled.mapping;
  if (attemptedAt === null || !lookup) return [];
  return (intents[lookup.remote] ?? []).flatMap(({ value }) => (typeof value === 'string' ? value.toLowerCase() : []));
}

function lookupOf(target: Target, row: RemoteRow): string {
  const field = target.compiled.mapping.lookup?.remote;
  const value = field === undefined ? undefined : row.record[field];
  return typeof value === 'string' ? value.toLowerCase() : '';
}

function parentIds(
  asked: ReadonlyMap<string, readonly { readonly rule: CompiledRule; readonly name: FieldValue }[]>,
  answers: readonly (readonly Readonly<Record<string, unknown>>[])[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  [...asked].forEach(([object, names], index) => {
    const field = names[0]?.rule.parent?.field ?? 'Name';
    for (const { name } of names) found.set(parentKey(object, name), []);
    for (const record of answers[index] ?? []) {
      if (typeof record[field] === 'string' && typeof record.Id === 'string')
        found.get(parentKey(object, record[field]))?.push(record.Id);
    }
  });
  return found;
}

/** What the plan needs of the parents: an id, or why there is none. */
export function toParentIndex(
  found: ReadonlyMap<string, readonly string[]>,
  chosen: ReadonlyMap<string, string>,
): ParentIndex {
  const index = new Map<string, { readonly id: string } | { readonly problem: string }>();
  for (const [key, ids] of found) {
    const [object, name] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)];
    const [only] = ids;
    if (only !== undefined && ids.length === 1) index.set(key, { id: only });
    else index.set(key, { problem: ids.length === 0 ? noParent(object, name) : manyParents(object, name, ids) });
  }
  for (const [key, id] of chosen) index.set(key, { id });
  return index;
}

const noParent = (object: string, name: string) =>
  `No ${object} is called ${quote(name)}: create it in Salesforce, link one by hand, or set "parent" to "find_or_create".`;
const manyParents = (object: string, name: string, ids: readonly string[]) =>
  `${ids.length} records of ${object} are called ${quote(name)} (${ids.slice(0, 5).join(', ')}): link the right one by hand.`;

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
