import type { Candidate } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import type { RemoteRow } from '../remote/soql-read.ts';
import { isMarkOf, type Target } from '../remote/target.ts';

/** A record that a look-up found for a host record that has no link yet. */
export interface FoundRecord {
  readonly id: string;
  readonly name: string;
  /** It carries our own external id for this very host record. */
  readonly isOurs: boolean;
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
  | { readonly kind: 'taken'; readonly id: string; readonly by: string }
  | { readonly kind: 'many'; readonly candidates: readonly Candidate[] };

/**
 * Which record a host record is. Our own mark beats everything; several look-alikes wait for a human. Where duplicates are
 * allowed, a record that belongs to another host record is none that this one could be.
 */
export function matchRecord(all: readonly FoundRecord[], allowDuplicates = false): Match {
  const found = all.filter(
    (record) => !record.isConverted && (!allowDuplicates || record.isOurs || record.linkedTo === undefined),
  );
  const ours = found.find((record) => record.isOurs);
  if (ours)
    return ours.linkedTo === undefined
      ? { kind: 'one', id: ours.id }
      : { kind: 'taken', id: ours.id, by: ours.linkedTo };
  const free = found.filter((record) => record.linkedTo === undefined);
  const [only] = found;
  if (!only) return { kind: 'none' };
  if (found.length === 1) {
    return only.linkedTo === undefined
      ? { kind: 'one', id: only.id }
      : { kind: 'taken', id: only.id, by: only.linkedTo };
  }
  return { kind: 'many', candidates: (free.length > 0 ? free : found).slice(0, 5).map(toCandidate) };
}

/** The same of what a read found; `linked` says whose a record is already. */
export function matchRows(
  target: Pick<Target, 'compiled' | 'foldsCase' | 'kind'>,
  link: Link,
  rows: readonly RemoteRow[],
  linked: ReadonlyMap<string | null, Link>,
): Match {
  const found = rows.map(({ id, name, externalKey, converted }): FoundRecord => {
    const other = linked.get(id);
    const linkedTo = other && other.id !== link.id ? other.localId : undefined;
    return { id, name, isOurs: isMarkOf(target, link, externalKey), linkedTo, isConverted: converted !== undefined };
  });
  return matchRecord(found, target.compiled.mapping.allowDuplicates);
}

function toCandidate({ id, name, hint, linkedTo }: FoundRecord): Candidate {
  const said = linkedTo === undefined ? hint : `linked to ${linkedTo}`;
  return { id, name, hint: said };
}
