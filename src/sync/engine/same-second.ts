import type { Link } from '../../domain/link.ts';
import { HIDES_MS, hidesFor } from '../../domain/stored-value/times.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import type { HostRecord, SyncStore } from '../../ports/sync-store.ts';
import { contestedRules, type ParentIndex, planRecord } from '../merge/plan.ts';
import type { FieldHistory } from '../remote/field-history.ts';
import type { RemoteRow } from '../remote/soql-read.ts';
import type { Target } from '../remote/target.ts';
import { type ReadResult, readRemote } from './read.ts';
import { toldTime } from './told-times.ts';

/** What a pass knows once it has read. */
export interface Seen {
  readonly target: Target;
  readonly hosts: ReadonlyMap<string, HostRecord>;
  readonly parents: ParentIndex;
  readonly onCall: () => void;
  /** By Salesforce's clock: no record was read before. */
  readonly readSince: number;
}

type Found = ReadonlyMap<string, ReadResult>;

/**
 * A record of this very second hides a later edit of the same second from a conditional write, which compares whole seconds:
 * where something would be sent, one record alone is read again when that second is over.
 */
export async function rereadAfterSameSecond(
  { wait }: SyncDeps,
  { target, hosts, parents, onCall, readSince }: Seen,
  reads: readonly Link[],
  found: Found,
): Promise<{ readonly byLink: Found; readonly readSince: number }> {
  const asFound = { byLink: found, readSince };
  const [link] = reads;
  const host = link && hosts.get(link.localId);
  const row = link && rowIn(found.get(link.id));
  const hides = row === undefined ? 0 : hidesFor(row.modifiedAt, readSince);
  if (!row || !host || hides === 0) return asFound;
  const plan = planRecord({ link, host, mapping: target.compiled, remote: asRemote(row), parents });
  if (Object.keys(plan.send).length === 0) return asFound;
  const pause = Math.min(hides, 2 * HIDES_MS);
  await wait(pause);
  const { byLink } = await readRemote(target, reads, hosts, new Map(), onCall);
  return { byLink, readSince: readSince + pause };
}

/** When contested fields changed in Salesforce: as its events told, or else where the org keeps their history. */
export async function timesOf(
  store: Pick<SyncStore, 'fieldTimes'>,
  history: FieldHistory,
  { target, hosts, parents, onCall }: Seen,
  claims: readonly Link[],
  found: Found,
): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
  const contested = claims.flatMap((link) => {
    const result = found.get(link.id);
    const host = hosts.get(link.localId);
    if (result?.kind !== 'row' || !host) return [];
    const { row } = result;
    const rules = contestedRules({ link, host, mapping: target.compiled, parents, remote: asRemote(row) });
    return rules.length > 0 ? [{ linkId: link.id, sfId: row.id, row, rules }] : [];
  });
  const told = new Map(
    (
      await store.fieldTimes.get(
        target.scope,
        contested.map(({ sfId }) => sfId),
      )
    ).map((times) => [times.sfId, times]),
  );
  const times = new Map<string, Map<string, number>>();
  const asked = contested.flatMap(({ rules, row, ...one }) => {
    const known = told.get(one.sfId);
    const mine = new Map<string, number>();
    for (const rule of rules) {
      const at = known && toldTime(rule, row, known);
      if (at !== undefined) mine.set(rule.key, at);
    }
    times.set(one.linkId, mine);
    const rest = rules.filter(({ key }) => !mine.has(key));
    return rest.length > 0 ? [{ ...one, rules: rest }] : [];
  });
  if (history.isKnownAbsent(target)) return times;
  for (const [linkId, more] of await history.times(target, asked, onCall))
    times.set(linkId, new Map([...more, ...(times.get(linkId) ?? [])]));
  return times;
}

function rowIn(result: ReadResult | undefined): RemoteRow | undefined {
  if (result?.kind === 'row') return result.row;
  return result?.kind === 'matches' && result.rows.length === 1 ? result.rows[0] : undefined;
}

function asRemote({ record, modifiedAt }: RemoteRow) {
  return { kind: 'record', record, modifiedAt } as const;
}
