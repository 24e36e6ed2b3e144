import { type Candidate, takenCandidate } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import type { RemoteRow } from '../remote/soql-read.ts';
import { isMarkOf, lookupOf, lookupValue, type Target } from '../remote/target.ts';

/** A record that a look-up found for a host record that has no link yet. */
export interface FoundRecord {
  readonly id: string;
  readonly name: string;
  /** It carries our own external id for this very host record. */
  readonly isOurs: boolean;
  /** Nothing but that mark says so: we never sent it, and the look-up value is another one. */
  readonly isDoubtful?: boolean;
  /** The host record that it is linked to already. */
  readonly linkedTo: string | undefined;
  readonly hint?: string;
  /** A lead that has become a contact: it can no longer change, so nobody is linked to it. */
  readonly isConverted?: boolean;
}

export type Match =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly id: string }
  /** One record, and it belongs to another host record: never two creates for one person. */
  | { readonly kind: 'taken'; readonly candidate: Candidate; readonly by: string }
  | { readonly kind: 'many'; readonly candidates: readonly Candidate[] }
  /** Our mark alone: left by another installation, or by a bot of the same name that was deleted, it is of somebody else. */
  | { readonly kind: 'doubtful'; readonly candidates: readonly Candidate[] };

/**
 * Which record a host record is. Our own mark beats everything; several look-alikes wait for a human. Where duplicates are
 * allowed, a record that belongs to another host record is none that this one could be.
 */
export function matchRecord(all: readonly FoundRecord[], allowDuplicates = false): Match {
  const able = all.filter(
    (record) => !record.isConverted && (!allowDuplicates || record.isOurs || record.linkedTo === undefined),
  );
  const found = able.filter(({ isDoubtful }) => isDoubtful !== true);
  if (found.length === 0 && able.length > 0) return { kind: 'doubtful', candidates: able.map(toCandidate) };
  const ours = found.find((record) => record.isOurs);
  if (ours)
    return ours.linkedTo === undefined
      ? { kind: 'one', id: ours.id }
      : { kind: 'taken', candidate: toCandidate(ours), by: ours.linkedTo };
  const free = found.filter((record) => record.linkedTo === undefined);
  const [only] = found;
  if (!only) return { kind: 'none' };
  if (found.length === 1) {
    return only.linkedTo === undefined
      ? { kind: 'one', id: only.id }
      : { kind: 'taken', candidate: toCandidate(only), by: only.linkedTo };
  }
  return { kind: 'many', candidates: (free.length > 0 ? free : found).slice(0, 5).map(toCandidate) };
}

/** The same of what a read found; `linked` says whose a record is already. */
export function matchRows(
  target: Pick<Target, 'compiled' | 'foldsCase' | 'kind'>,
  link: Link,
  host: HostRecord,
  rows: readonly RemoteRow[],
  linked: ReadonlyMap<string | null, Link>,
): Match {
  const wanted = lookupValue(target.compiled.mapping, host);
  const found = rows.map(({ id, name, externalKey, converted, record }): FoundRecord => {
    const other = linked.get(id);
    const linkedTo = other && other.id !== link.id ? other.localId : undefined;
    const isOurs = isMarkOf(target, link, externalKey);
    const holds = lookupOf(target.compiled.mapping, record);
    const isOther = wanted !== undefined && holds !== '' && holds !== wanted;
    const isDoubtful = isOurs && link.attemptedAt === null && isOther;
    return { id, name, isOurs, isDoubtful, linkedTo, isConverted: converted !== undefined };
  });
  return matchRecord(found, target.compiled.mapping.allowDuplicates);
}

function toCandidate({ id, name, hint, linkedTo }: FoundRecord): Candidate {
  return linkedTo === undefined ? { id, name, hint } : takenCandidate(id, name, linkedTo);
}
