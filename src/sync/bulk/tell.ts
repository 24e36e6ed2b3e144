import type { Link } from '../../domain/link.ts';
import { freed } from '../../domain/link-transitions.ts';
import type { BulkRow } from '../../ports/bulk.ts';
import type { BulkPart, BulkRowStored } from '../../ports/bulk-store.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { type Answered, acknowledgeLocked, asUnsent } from '../engine/acknowledge.ts';
import type { PendingWrite } from '../engine/change-set.ts';
import { contactsOf } from '../engine/contacts.ts';
import type { Pass } from '../engine/pass.ts';
import { emptyDraft } from '../merge/plan.ts';
import { ROLES_KEY, rolesText, wantedRoles } from '../merge/roles.ts';
import type { Target } from '../remote/target.ts';
import { isSystemic } from '../remote/trouble.ts';

/** What is known of a row once its job is over. */
export type Told =
  | { readonly is: 'answered'; readonly row: BulkRow }
  /** Salesforce never tried it. */
  | { readonly is: 'unprocessed' }
  /** It was never handed over. */
  | { readonly is: 'unsent' }
  /** In no file: the record itself is asked. */
  | { readonly is: 'unknown' };

/** What one transaction takes. */
export const TOLD_ROWS = 200;

/**
 * Tells rows of a part, and lets their links go, in one transaction that also removes the rows: once, whoever dies. A row that fails
 * for a reason that nobody foresaw stops no other: its record is read again.
 */
export async function tellRows(
  pass: Pass,
  part: BulkPart,
  stored: readonly BulkRowStored[],
  toldOf: (row: BulkRowStored) => Told,
): Promise<void> {
  try {
    await tell(pass, part, stored, toldOf);
  } catch (error) {
    if (isSystemic(error) || stored.length === 0) throw error;
    if (stored.length > 1) for (const row of stored) await tellRows(pass, part, [row], toldOf);
    else if (stored.some((row) => toldOf(row).is !== 'unknown'))
      await tell(pass, part, stored, () => ({ is: 'unknown' }));
    else throw error;
  }
  await pass.deps.crash?.('rows-acknowledged');
}

async function tell(
  { deps, target, logRow }: Pass,
  part: BulkPart,
  stored: readonly BulkRowStored[],
  toldOf: (row: BulkRowStored) => Told,
): Promise<void> {
  const { store, now } = deps;
  const holds = stored.map(({ link: id, fence }) => ({ id, fence }));
  const before = await store.atomically(({ links }) => links.lock(holds));
  const hosts = new Map(
    (
      await store.hosts.get(
        target.scope.bot,
        target.kind,
        before.map(({ localId }) => localId),
      )
    ).map((host) => [host.id, host]),
  );
  const contacts = target.hasRoles ? await contactsOf(deps, target, hosts) : new Map<string, string>();
  const hasMore = (host: HostRecord, link: Link) =>
    target.hasRoles && rolesText(wantedRoles(target, host.parties, contacts)) !== (link.base[ROLES_KEY] ?? '');
  await store.atomically(async (inside) => {
    const locked = new Map((await inside.links.lock(holds)).map((link) => [link.id, link]));
    const outcomes: Answered[] = [];
    const rest: Link[] = [];
    for (const row of stored) {
      const link = locked.get(row.link);
      // Whoever took the hold away looks at the record.
      if (!link) continue;
      const host = hosts.get(link.localId);
      const told = toldOf(row);
      const answered = host && told.is === 'answered' ? toAnswered(target, row, link, host, told.row) : undefined;
      if (answered) outcomes.push(answered);
      else rest.push(letGo(link, row, told, now()));
    }
    await acknowledgeLocked(inside, { target, outcomes, now: now(), hasMore, logRow }, [...locked.values()]);
    await inside.links.save(rest);
    // Those of which more is to be written go on under a claim of their own.
    await inside.links.release(holds);
    await inside.bulk.drop(
      part.id,
      stored.map(({ key }) => key),
    );
  });
}

/** Undefined where another way says more: calls leave refused fields behind, name look-alikes, try again. */
function toAnswered(
  { describe: { keyPrefix } }: Target,
  row: BulkRowStored,
  link: Link,
  host: HostRecord,
  answer: BulkRow,
): Answered | undefined {
  const write: PendingWrite = {
    link: { ...link, fence: claimOf(row) },
    host,
    plan: { ...emptyDraft(), send: row.fields, sent: row.sent, pushed: row.pushed, problems: row.problems },
    kind: link.sfId === null ? 'create' : 'update',
    fields: row.fields,
    modified: null,
    dirty: row.dirty,
  };
  const { failure, id, isCreated } = answer;
  if (failure) return failure.then === 'stop' ? { write, outcome: { kind: 'failed', failure } } : undefined;
  // Of which record it speaks nobody knows: the next look finds what was made.
  if (id === undefined || !id.startsWith(keyPrefix ?? '') || (link.sfId ?? id) !== id) return undefined;
  return { write, outcome: { kind: 'written', id, isCreated } };
}

function letGo(link: Link, row: BulkRowStored, told: Told, now: number): Link {
  const isUndone = told.is === 'unsent' || told.is === 'unprocessed' || (told.is === 'answered' && told.row.failure);
  const open = freed(isUndone ? asUnsent(link, now, claimOf(row)) : { ...link, seenAt: 0, baseMod: null });
  // The next try goes by calls.
  return told.is === 'unsent' ? open : { ...open, attempts: link.attempts + 1, nextAt: 0 };
}

const claimOf = ({ fence }: BulkRowStored): number => fence - 1;

/** All that is left of a part, told alike. */
export async function tellRest(pass: Pass, part: BulkPart, told: Told): Promise<void> {
  for (;;) {
    const rows = await pass.deps.store.bulk.page(part.id, undefined, TOLD_ROWS);
    if (rows.length === 0) return;
    await tellRows(pass, part, rows, () => told);
  }
}
