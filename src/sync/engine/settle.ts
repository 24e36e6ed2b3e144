import { GatehouseError, toErrorBody } from '../../domain/errors.ts';
import type { Intent, Link } from '../../domain/link.ts';
import { linkedTo } from '../../domain/link-transitions.ts';
import type { HostRecord, SyncStore } from '../../ports/sync-store.ts';
import { matchRecord } from '../merge/match.ts';
import { type Plan, planRecord } from '../merge/plan.ts';
import type { RemoteRow } from '../remote/soql-read.ts';
import { localIdOf, lookupValue, type Target } from '../remote/target.ts';
import {
  ambiguity,
  Book,
  dirtyAt,
  type MergeInput,
  openIntents,
  type PendingWrite,
  partialProblem,
  type Settled,
  statusOf,
  type Tables,
} from './change-set.ts';
import { settleConverted, settleHostGone, settleRemoteGone } from './deletions.ts';
import type { Finding } from './read.ts';

/**
 * The heart: one local transaction, after the remote read. It locks the claims that still stand and the host records, merges,
 * applies what comes from Salesforce, and writes down what will be sent before anything is sent.
 */
export function mergeChunk(
  store: SyncStore,
  input: MergeInput,
): Promise<{ readonly writes: readonly PendingWrite[]; readonly settled: readonly Settled[] }> {
  return store.atomically(async (inside) => {
    const { target, claims, findings } = input;
    const locked = await inside.links.lock(claims);
    const localIds = locked.map((link) => link.localId);
    const hosts = new Map(
      (await inside.hosts.lock(target.scope.bot, target.kind, localIds)).map((host) => [host.id, host]),
    );
    const sfIds = locked.flatMap((link) => rowsOf(findings.get(link.id))).map((row) => row.id);
    const taken = await inside.links.bySf(target.scope, sfIds);
    const alike = locked.flatMap((link) => (link.sfId === null ? rowsOf(findings.get(link.id)) : []));
    const marked = await markedFor(inside, target, alike);
    const claimed = await inside.links.byMatchKey(target.scope, target.object, lookupValues(target, hosts.values()));
    const past = await formerHolders(inside, target, claimed, hosts);
    await inside.links.disown([...past]);
    const holders = claimed.filter((link) => !past.has(link.id));
    const links = locked.map((link) => (past.has(link.id) ? { ...link, matchKey: null } : link));
    const tables: Tables = {
      ...input,
      dirtyOf: new Map(claims.map((claim) => [claim.id, claim.dirty])),
      takenBy: new Map([...marked, ...taken.map((link) => [link.sfId, link] as const)]),
      holders: new Map(holders.map((link) => [link.matchKey, link])),
    };
    const book = new Book(tables);
    for (const link of links) {
      const host = hosts.get(link.localId);
      book.decide(link, host, () => settleLink(tables, book, link, host));
    }
    await book.write(inside);
    return book;
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

function settleLink(tables: Tables, book: Book, link: Link, host: HostRecord | undefined): void {
  const finding = tables.findings.get(link.id);
  if (!host || host.deletedAt !== null) settleHostGone(tables, book, madeMeanwhile(tables, link), host);
  else if (!finding) apply(tables, book, link, host, undefined);
  else if (finding.kind === 'unread') book.postpone(link, host, toErrorBody(finding.error).error);
  else if (finding.kind === 'gone') settleRemoteGone(tables, book, link, host, finding.row);
  else if (finding.kind === 'matches') settleUnlinked(tables, book, link, host, finding.rows);
  else if (finding.row.converted) settleConverted(tables, book, link, host, finding.row);
  else if (finding.mergedFrom) settleMerged(tables, book, link, host, finding.row, finding.mergedFrom);
  else {
    if (link.state === 'remote_deleted') book.tell(link, 'undeleted');
    apply(tables, book, { ...link, state: 'active' }, host, finding.row);
  }
}

/** The record that a create whose answer was lost has made: it carries our mark. Without one nobody can tell. */
function madeMeanwhile({ findings }: Tables, link: Link): Link {
  if (link.sfId !== null || link.attemptedAt === null) return link;
  const made = rowsOf(findings.get(link.id)).find(({ externalKey }) => externalKey === link.extKey);
  return made ? { ...linkedTo(link, made.id), attemptedAt: null } : link;
}

/** No link yet: which record is it? Never two creates for one person. */
function settleUnlinked(tables: Tables, book: Book, link: Link, host: HostRecord, rows: readonly RemoteRow[]): void {
  const { target, takenBy, holders } = tables;
  const match = matchRecord(
    rows.map((row) => {
      const other = takenBy.get(row.id);
      const linkedTo = other && other.id !== link.id ? other.localId : undefined;
      return {
        id: row.id,
        name: row.name,
        isOurs: row.externalKey === link.extKey,
        linkedTo,
        isConverted: row.converted !== undefined,
      };
    }),
    target.compiled.mapping.allowDuplicates,
  );
  const hold = (why: string, candidates?: Parameters<typeof ambiguity>[2]) =>
    book.hold(link, host, 'ambiguous', ambiguity(target, why, candidates));
  const { lookup, allowDuplicates } = target.compiled.mapping;
  const holder = holders.get(lookupValue(target.compiled.mapping, host) ?? null);
  // Also where the record is there: it may be the one that the other is being given.
  const isSecond = holder !== undefined && holder.id !== link.id && !allowDuplicates;
  const isOurs = match.kind === 'one' && rows.some((row) => row.id === match.id && row.externalKey === link.extKey);
  if (isSecond && !isOurs && (match.kind === 'none' || match.kind === 'one')) {
    hold(`${holder.localId} has the same ${lookup?.local ?? 'key'} and comes first.`);
    return;
  }
  switch (match.kind) {
    case 'one': {
      const linked = claimValue(tables, linkedTo(link, match.id), host);
      takenBy.set(match.id, linked);
      apply(
        tables,
        book,
        linked,
        host,
        rows.find((row) => row.id === match.id),
      );
      break;
    }
    case 'taken':
      hold(`${match.by} is already linked to the record that fits this one.`);
      break;
    case 'many':
      hold(`${match.candidates.length} record(s) could be this one.`, match.candidates);
      break;
    case 'none':
      apply(tables, book, claimValue(tables, link, host), host, undefined, true);
      break;
    default:
      match satisfies never;
  }
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
  book: Book,
  link: Link,
  host: HostRecord,
  master: RemoteRow,
  from: RemoteRow,
): void {
  const other = tables.takenBy.get(master.id);
  if (!other || other.id === link.id) {
    const moved = linkedTo(link, master.id);
    book.tell(moved, 'merged');
    const reason = `merged in Salesforce: ${from.id} is now ${master.id}`;
    book.log(moved, { operation: 'none', direction: 'from_crm', status: 'success', reason });
    tables.takenBy.set(master.id, moved);
    apply(tables, book, moved, host, master);
    return;
  }
  const problem = (a: Link, b: Link) =>
    ambiguity(tables.target, `The records of ${a.localId} and ${b.localId} were merged in Salesforce.`, [
      { id: master.id, name: master.name },
    ]);
  const error = problem(other, link);
  book.flag(other, error);
  if (link.state !== 'merged')
    book.log(other, {
      operation: 'none',
      direction: 'from_crm',
      status: 'ambiguous',
      reason: 'merged in Salesforce',
      error,
    });
  book.hold({ ...link, seenStamp: from.stamp }, host, 'merged', problem(link, other));
}

/** Merges one record and books what follows. */
function apply(
  tables: Tables,
  book: Book,
  link: Link,
  host: HostRecord,
  row: RemoteRow | undefined,
  isNew = false,
): void {
  const { target, parents, now, sfNow } = tables;
  const remote = row
    ? ({ kind: 'record', record: row.record, modifiedAt: row.modifiedAt } as const)
    : ({ kind: isNew ? 'absent' : 'assumed' } as const);
  const plan = planRecord({
    link,
    host,
    mapping: target.compiled,
    remote,
    parents,
    fieldTimes: tables.fieldTimes.get(link.id),
  });

  if (plan.later) {
    // Linked or not as it was: the next look finds the same record again, and tells it.
    const isFound = tables.findings.get(link.id)?.kind === 'matches';
    book.postpone(isFound ? { ...link, sfId: null, state: 'new' } : link, host, plan.later);
    return;
  }
  const isWrite = Object.keys(plan.send).length > 0 || (!isNew && tables.hasMore(host, link));
  const kind = link.sfId === null ? 'create' : 'update';
  if (isWrite && tables.mayWrite?.({ link, host, plan, kind, row }) === false) {
    book.leave(link);
    return;
  }
  if (Object.keys(plan.take).length > 0) {
    book.host({ ...host, fields: { ...host.fields, ...plan.take }, clocks: { ...host.clocks, ...plan.clocks } });
    const changes = Object.entries(plan.take).map(
      ([name, after]) => [name, { before: host.fields[name] ?? null, after }] as const,
    );
    book.tell(link, 'updated', Object.fromEntries(changes));
    book.log(link, { operation: 'update', direction: 'from_crm', status: 'success', changes: plan.pulled });
  }
  // What an earlier claim sent and never got acknowledged has happened: it owes one row.
  const isJustLinked = link.sfId !== null && tables.findings.get(link.id)?.kind === 'matches';
  const isOwnCreate = isJustLinked && link.attemptedAt !== null && plan.landed.length > 0;
  if (plan.landed.length > 0) {
    const operation = isOwnCreate ? 'create' : 'update';
    book.log(link, {
      operation,
      direction: 'to_crm',
      status: 'success',
      changes: plan.landed,
      reason: 'found after an interruption',
    });
  }
  if (isJustLinked && !isOwnCreate) {
    book.tell(link, 'linked');
    book.log(link, {
      operation: 'none',
      direction: 'to_crm',
      status: 'success',
      reason: 'linked to the record that was there',
    });
  }

  const dirty = dirtyAt(tables, link);
  const kept: Link = {
    ...link,
    ...(row ? whatWeSaw(link, row, dirty, now, sfNow) : {}),
    base: plan.base,
    // After a read, a value that was found is agreed. The rest stays: keeping fewer lets an orphaned push beat a newer edit,
    // keeping more would take a later remote edit for our own.
    intents: row
      ? openIntents(
          link.intents,
          now,
          (intent, key) => plan.landedKeys.includes(key) && intent.value === plan.base[key],
        )
      : link.intents,
    attemptedAt: link.sfId === null ? link.attemptedAt : null,
    waitsFor: plan.waitsFor.length > 0 ? plan.waitsFor : null,
  };
  // A note in its log, once; the question itself is asked once a company, by the status.
  const known = new Set(link.waitsFor?.map(({ message }) => message));
  for (const { message } of plan.waitsFor)
    if (!known.has(message))
      book.log(kept, { operation: 'none', direction: 'to_crm', status: 'success', reason: message });
  if (Object.keys(plan.send).length === 0) {
    const error = isNew ? nothingToMake(target, plan) : partialProblem(plan.problems);
    if (error && error.message !== link.error?.message)
      book.log(link, { operation: 'none', direction: 'to_crm', status: statusOf(error), error });
    if (!isNew && tables.hasMore(host, kept)) {
      const open = { ...kept, error };
      book.save(open);
      book.settled.push({ link: open, host, plan, error });
    } else book.close(isNew ? { ...kept, state: 'failed' } : kept, host, error, plan);
    return;
  }
  const sent: Record<string, readonly Intent[]> = { ...kept.intents };
  for (const [key, intent] of Object.entries(plan.sent))
    sent[key] = [...(sent[key] ?? []), { ...intent, fence: link.fence, at: now }];
  const saved: Link = { ...kept, intents: sent, attemptedAt: link.sfId === null ? (link.attemptedAt ?? sfNow) : null };
  book.save(saved);
  const mark = row && target.externalId && row.externalKey === undefined ? { [target.externalId]: link.extKey } : {};
  book.writes.push({
    link: saved,
    host,
    plan,
    dirty,
    kind,
    fields: { ...plan.send, ...mark },
    modified: row ? row.modified : link.baseMod,
  });
}

/** A record without any value that the mapping sends is none. */
function nothingToMake({ kind, object, compiled }: Target, { problems }: Plan): NonNullable<Link['error']> {
  const fields = compiled.rules.filter((rule) => rule.direction !== 'from_crm').flatMap((rule) => rule.local);
  const unsent = problems.map(({ message }) => message);
  const message = [...unsent, `The ${kind} has no value that a ${object} could be made of.`].join(' ');
  const next = `Send one of its fields (${[...new Set(fields)].slice(0, 8).join(', ')}); it is tried again by itself.`;
  return toErrorBody(new GatehouseError('invalid_input', message, { next })).error;
}

function whatWeSaw(link: Link, row: RemoteRow, dirty: number, now: number, sfNow: number): Partial<Link> {
  const seen = { seenStamp: row.stamp };
  // A hint that came after the claim is about something newer than what we read.
  if (link.dirty !== dirty && link.seenAt === 0) return seen;
  // A stamp is good for a conditional write only when its second is over: an edit in that second would not show.
  return { ...seen, seenAt: now, baseMod: sfNow - row.modifiedAt >= 2_000 ? row.modified : null };
}

function rowsOf(finding: Finding | undefined): readonly RemoteRow[] {
  if (!finding || finding.kind === 'gone' || finding.kind === 'unread') return [];
  return finding.kind === 'row' ? [finding.row] : finding.rows;
}

function lookupValues({ compiled }: Target, hosts: Iterable<HostRecord>): string[] {
  return [...hosts].flatMap((host) => lookupValue(compiled.mapping, host) ?? []);
}
