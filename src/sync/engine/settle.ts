import { GatehouseError, takenCandidate, toErrorBody } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import { linkedTo } from '../../domain/link-transitions.ts';
import type { HostRecord, SyncStore } from '../../ports/sync-store.ts';
import { matchRows } from '../merge/match.ts';
import { type RemoteRow, seenStamp } from '../remote/soql-read.ts';
import { isMarkOf, localIdOf, lookupValue, type Target } from '../remote/target.ts';
import { applyPlan } from './apply-plan.ts';
import {
  ambiguity,
  ChangeSet,
  doubt,
  type MergeInput,
  openIntents,
  type PendingWrite,
  rivalry,
  type Settled,
  type Tables,
} from './change-set.ts';
import { settleConverted, settleHostGone, settleRemoteGone } from './deletions.ts';
import type { ReadResult } from './read.ts';

/**
 * The heart: one local transaction, after the remote read. It locks the claims that still stand and the host records, merges,
 * applies what comes from Salesforce, and writes down what will be sent before anything is sent.
 */
export function mergeChunk(
  store: SyncStore,
  input: MergeInput,
): Promise<{ readonly writes: readonly PendingWrite[]; readonly settled: readonly Settled[] }> {
  return store.atomically(async (inside) => {
    const { target, claims, readResults } = input;
    const locked = await inside.links.lock(claims);
    const localIds = locked.map((link) => link.localId);
    const hosts = new Map(
      (await inside.hosts.lock(target.scope.bot, target.kind, localIds)).map((host) => [host.id, host]),
    );
    const sfIds = locked.flatMap((link) => rowsOf(readResults.get(link.id))).map((row) => row.id);
    const taken = await inside.links.bySf(target.scope, sfIds);
    const alike = locked.flatMap((link) => (link.sfId === null ? rowsOf(readResults.get(link.id)) : []));
    const marked = await markedFor(inside, target, alike);
    const claimed = await inside.links.byMatchKey(target.scope, target.object, lookupValues(target, hosts.values()));
    const past = await formerHolders(inside, target, claimed, hosts);
    await inside.links.disown([...past]);
    const holders = claimed.filter((link) => !past.has(link.id));
    const links = locked.map((link) => (past.has(link.id) ? { ...link, matchKey: null } : link));
    const tables: Tables = {
      ...input,
      locked,
      dirtyOf: new Map(claims.map((claim) => [claim.id, claim.dirty])),
      takenBy: new Map([...marked, ...taken.map((link) => [link.sfId, link] as const)]),
      holders: new Map(holders.map((link) => [link.matchKey, link])),
    };
    const changeSet = new ChangeSet(tables);
    for (const link of links) {
      const host = hosts.get(link.localId);
      changeSet.decide(link, host, () => settleLink(tables, changeSet, link, host));
    }
    await changeSet.commit(inside);
    return changeSet;
  });
}

/** Records that carry the mark of another party whose create is not acknowledged yet: they are that one's. */
async function markedFor(
  inside: SyncStore,
  { scope, object, kind }: Target,
  rows: readonly RemoteRow[],
): Promise<readonly (readonly [string, Link])[]> {
  const owners = rows.flatMap(({ externalKey }) => localIdOf(scope.bot, kind, externalKey) ?? []);
  const links = new Map((await inside.links.byLocal(scope, object, owners)).map((link) => [link.extKey, link]));
  return rows.flatMap(({ id, externalKey = '' }) => {
    const owner = links.get(externalKey);
    return owner && owner.sfId === null && owner.state !== 'unlinked' ? [[id, owner] as const] : [];
  });
}

/** Those whose record has another email by now: the value is free, unless a create with it may still be under way. */
async function formerHolders(
  inside: SyncStore,
  { scope, kind, compiled }: Target,
  holders: readonly Link[],
  known: ReadonlyMap<string, HostRecord>,
): Promise<ReadonlySet<string>> {
  const others = holders.flatMap(({ localId }) => (known.has(localId) ? [] : [localId]));
  const hosts = new Map([
    ...known,
    ...(await inside.hosts.get(scope.bot, kind, others)).map((host) => [host.id, host] as const),
  ]);
  return new Set(
    holders.flatMap((link) => {
      const host = hosts.get(link.localId);
      const value = host && host.deletedAt === null ? lookupValue(compiled.mapping, host) : undefined;
      const isUnderWay = link.sfId === null && link.attemptedAt !== null;
      return value === link.matchKey || isUnderWay ? [] : [link.id];
    }),
  );
}

function settleLink(tables: Tables, changeSet: ChangeSet, link: Link, host: HostRecord | undefined): void {
  const result = tables.readResults.get(link.id);
  if (!host || host.deletedAt !== null) settleHostGone(tables, changeSet, madeMeanwhile(tables, link), host);
  else if (!result) applyPlan(tables, changeSet, { link, host, row: undefined });
  else if (result.kind === 'unread') changeSet.postpone(link, host, toErrorBody(result.error).error);
  else if (result.kind === 'gone') settleRemoteGone(tables, changeSet, link, host, result.row);
  else if (result.kind === 'matches') settleUnlinked(tables, changeSet, link, host, result.rows);
  else if (result.row.converted) settleConverted(tables, changeSet, link, host, result.row);
  else if (result.mergedFrom) settleMerged(tables, changeSet, link, host, result.row, result.mergedFrom);
  else {
    if (link.state === 'remote_deleted') changeSet.emit(link, 'undeleted');
    applyPlan(tables, changeSet, { link: { ...link, state: 'active' }, host, row: result.row });
  }
}

/** The record that a create whose answer was lost has made: it carries our mark. Without one nobody can tell. */
function madeMeanwhile({ readResults, target }: Tables, link: Link): Link {
  if (link.sfId !== null || link.attemptedAt === null) return link;
  const made = rowsOf(readResults.get(link.id)).find(({ externalKey }) => isMarkOf(target, link, externalKey));
  return made ? { ...linkedTo(link, made.id), attemptedAt: null } : link;
}

/** No link yet: which record is it? Never two creates for one person. */
function settleUnlinked(
  tables: Tables,
  changeSet: ChangeSet,
  link: Link,
  host: HostRecord,
  rows: readonly RemoteRow[],
): void {
  const { target, takenBy, holders } = tables;
  const match = matchRows(target, link, host, rows, takenBy);
  const needsHuman = (why: string, candidates?: Parameters<typeof ambiguity>[2]) =>
    changeSet.needsHuman(link, host, 'ambiguous', ambiguity(target, why, candidates));
  const { lookup, allowDuplicates } = target.compiled.mapping;
  const holder = holders.get(lookupValue(target.compiled.mapping, host) ?? null);
  // Also where the record is there: it may be the one that the other is being given.
  const isSecond = holder !== undefined && holder.id !== link.id && !allowDuplicates;
  const isOurs =
    match.kind === 'one' && rows.some((row) => row.id === match.id && isMarkOf(target, link, row.externalKey));
  if (isSecond && !isOurs && (match.kind === 'none' || match.kind === 'one')) {
    const why = `${holder.localId} has the same ${lookup?.local ?? 'key'} and comes first.`;
    const their = holder.sfId === null ? [] : [takenCandidate(holder.sfId, holder.sfId, holder.localId)];
    changeSet.needsHuman(link, host, 'ambiguous', rivalry(target, why, holder.localId, their));
    return;
  }
  switch (match.kind) {
    case 'one': {
      const linked = claimValue(tables, linkedTo(link, match.id), host);
      takenBy.set(match.id, linked);
      applyPlan(tables, changeSet, { link: linked, host, row: rows.find((row) => row.id === match.id) });
      break;
    }
    case 'taken':
      changeSet.needsHuman(
        link,
        host,
        'ambiguous',
        rivalry(target, `${match.by} is already linked to the record that fits this one.`, match.by, [match.candidate]),
      );
      break;
    case 'many':
      needsHuman(`${match.candidates.length} records could be this one.`, match.candidates);
      break;
    case 'doubtful':
      changeSet.needsHuman(link, host, 'ambiguous', doubt(target, match.candidates));
      break;
    case 'none':
      if (isUnderWay(tables, link)) changeSet.awaitAnswer(link, host, stillUnderWay(target));
      else applyPlan(tables, changeSet, { link: claimValue(tables, link, host), host, row: undefined, isNew: true });
      break;
    default:
      match satisfies never;
  }
}

/** A create whose answer was lost may be saved minutes later. Without our mark, time alone tells that it was not. */
function isUnderWay({ target, now }: Tables, { intents, attemptedAt }: Link): boolean {
  if (target.externalId !== undefined || attemptedAt === null) return false;
  return Object.keys(openIntents(intents, now, () => false)).length > 0;
}

function stillUnderWay({ object }: Target): NonNullable<Link['error']> {
  const message = `Whether Salesforce made the ${object} is not known yet.`;
  const next = 'Nothing to do: it is looked for, and made after ten minutes where it was not.';
  return toErrorBody(new GatehouseError('salesforce_unavailable', message, { next, retryable: true })).error;
}

/** One link per look-up value may create: the first to hold it. */
function claimValue({ target, holders }: Tables, link: Link, host: HostRecord): Link {
  const { mapping } = target.compiled;
  const value = lookupValue(mapping, host) ?? null;
  if (value === null || mapping.allowDuplicates || holders.has(value)) return link;
  const claimed = { ...link, matchKey: value };
  holders.set(value, claimed);
  return claimed;
}

/** The record lives on in another one. If that is linked too, both are flagged and nothing is lost. */
function settleMerged(
  tables: Tables,
  changeSet: ChangeSet,
  link: Link,
  host: HostRecord,
  master: RemoteRow,
  from: RemoteRow,
): void {
  const other = tables.takenBy.get(master.id);
  if (!other || other.id === link.id) {
    const moved = linkedTo(link, master.id);
    changeSet.emit(moved, 'merged');
    const reason = `merged in Salesforce: ${from.id} is now ${master.id}`;
    changeSet.log(moved, { operation: 'none', direction: 'from_crm', status: 'success', reason });
    tables.takenBy.set(master.id, moved);
    applyPlan(tables, changeSet, { link: moved, host, row: master });
    return;
  }
  const problem = (a: Link, b: Link) =>
    ambiguity(tables.target, `The records of ${a.localId} and ${b.localId} were merged in Salesforce.`, [
      { id: master.id, name: master.name },
    ]);
  const error = problem(other, link);
  changeSet.flag(other, error);
  if (link.state !== 'merged')
    changeSet.log(other, {
      operation: 'none',
      direction: 'from_crm',
      status: 'ambiguous',
      reason: 'merged in Salesforce',
      error,
    });
  changeSet.needsHuman({ ...link, seenStamp: seenStamp(from, tables.readSince) }, host, 'merged', problem(link, other));
}

function rowsOf(result: ReadResult | undefined): readonly RemoteRow[] {
  if (!result || result.kind === 'gone' || result.kind === 'unread') return [];
  return result.kind === 'row' ? [result.row] : result.rows;
}

function lookupValues({ compiled }: Target, hosts: Iterable<HostRecord>): string[] {
  return [...hosts].flatMap((host) => lookupValue(compiled.mapping, host) ?? []);
}
