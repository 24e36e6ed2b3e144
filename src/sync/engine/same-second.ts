import type { Link } from '../../domain/link.ts';
import { HIDES_MS, hidesFor } from '../../domain/stored-value/times.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { contestedRules, type ParentIndex, planRecord } from '../merge/plan.ts';
import type { FieldHistory } from '../remote/field-history.ts';
import type { RemoteRow } from '../remote/soql-read.ts';
import type { Target } from '../remote/target.ts';
import { type ReadResult, readRemote } from './read.ts';

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

/** When contested fields changed in Salesforce, where the org keeps their history. */
export async function timesOf(
  history: FieldHistory,
  { target, hosts, parents, onCall }: Seen,
  claims: readonly Link[],
  found: Found,
): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
  if (history.isKnownAbsent(target)) return new Map();
  const asked = claims.flatMap((link) => {
    const result = found.get(link.id);
    const host = hosts.get(link.localId);
    if (result?.kind !== 'row' || !host) return [];
    const { row } = result;
    const rules = contestedRules({ link, host, mapping: target.compiled, parents, remote: asRemote(row) });
    return rules.length > 0 ? [{ linkId: link.id, sfId: row.id, rules }] : [];
  });
  return history.times(target, asked, onCall);
}

function rowIn(result: ReadResult | undefined): RemoteRow | undefined {
  if (result?.kind === 'row') return result.row;
  return result?.kind === 'matches' && result.rows.length === 1 ? result.rows[0] : undefined;
}

function asRemote({ record, modifiedAt }: RemoteRow) {
  return { kind: 'record', record, modifiedAt } as const;
}
