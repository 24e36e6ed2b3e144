import type { FieldValue } from '../action.ts';
import { type Candidate, GatehouseError, toErrorBody } from '../errors.ts';
import type { Finding } from './findings.ts';
import { matchRecord } from './match.ts';
import { type ParentIndex, type Plan, planRecord } from './plan.ts';
import type { FeedRow, HostRecord, Intent, Link, LinkState, LogRow, SyncStore } from './ports.ts';
import type { RemoteRow } from './remote.ts';
import { lookupValue, type Target } from './target.ts';

/** A write that the merge decided on. The intents behind it are already durable. */
export interface PendingWrite {
  readonly link: Link;
  readonly host: HostRecord;
  readonly plan: Plan;
  readonly kind: 'create' | 'update' | 'delete';
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** LastModifiedDate that the decision rests on. */
  readonly modified: string | null;
  /** Outbox position that this write covers. */
  readonly dirty: number;
}

/** What one link came to without a write of its own. */
export interface Settled {
  readonly link: Link;
  readonly host: HostRecord | undefined;
  readonly plan: Plan | undefined;
  readonly error: Link['error'];
}

export interface Merged {
  readonly writes: readonly PendingWrite[];
  readonly settled: readonly Settled[];
  readonly logged: number;
}

export interface MergeInput {
  readonly target: Target;
  readonly claims: readonly Link[];
  /** No finding for a link: it was not read, its state is known. */
  readonly findings: ReadonlyMap<string, Finding>;
  readonly parents: ParentIndex;
  readonly fieldTimes: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly now: number;
  readonly sfNow: number;
  /** Work that follows the write (contact roles): the link is not done before it. */
  readonly hasMore: (host: HostRecord, link: Link, row: RemoteRow | undefined) => boolean;
  readonly logRow: (row: Omit<LogRow, 'id' | 'at' | 'calls'>) => LogRow;
}

/**
 * The heart: one local transaction, after the remote read. It locks the claims that still stand and the host records, merges,
 * applies what comes from Salesforce, and writes down what will be sent before anything is sent.
 */
export function mergeChunk(store: SyncStore, input: MergeInput): Promise<Merged> {
  return store.atomically(async (inside) => {
    const { target, claims } = input;
    const { bot } = target.scope;
    const links = await inside.links.lock(claims);
    const hosts = new Map(
      (
        await inside.hosts.lock(
          bot,
          target.kind,
          links.map((link) => link.localId),
        )
      ).map((host) => [host.id, host]),
    );
    const rows = links.flatMap((link) => rowsOf(input.findings.get(link.id)));
    const takenBy = new Map(
      (
        await inside.links.bySf(
          target.scope,
          rows.map((row) => row.id),
        )
      ).map((link) => [link.sfId, link]),
    );
    const holders = new Map(
      (await inside.links.byMatchKey(target.scope, target.object, lookups(target, links, hosts))).map((link) => [
        link.matchKey,
        link,
      ]),
    );
    const book: Book = { saved: [], hosts: [], log: [], feed: [], flags: [], writes: [], settled: [] };
    const dirtyOf = new Map(claims.map((claim) => [claim.id, claim.dirty]));
    for (const link of links) {
      settleLink({ ...input, takenBy, holders, dirtyOf }, link, hosts.get(link.localId), book);
    }
    await inside.links.save(book.saved);
    await inside.hosts.put(book.hosts);
    await inside.log.add(book.log);
    await inside.feed.add(bot, book.feed);
    for (const { id, error } of book.flags) await inside.links.flag(id, error);
    return { writes: book.writes, settled: book.settled, logged: book.log.length };
  });
}

interface Book {
  readonly saved: Link[];
  readonly hosts: HostRecord[];
  readonly log: LogRow[];
  readonly feed: Omit<FeedRow, 'bot' | 'seq'>[];
  readonly flags: { readonly id: string; readonly error: Link['error'] }[];
  readonly writes: PendingWrite[];
  readonly settled: Settled[];
}

interface Tables extends MergeInput {
  /**
   * The outbox position at the claim, which was before the read. What moved it since may be a hint about Salesforce that this
   * read did not see, so it is not done.
   */
  readonly dirtyOf: ReadonlyMap<string, number>;
  readonly takenBy: Map<string | null, Link>;
  readonly holders: Map<string | null, Link>;
}

function settleLink(tables: Tables, link: Link, host: HostRecord | undefined, book: Book): undefined {
  const finding = tables.findings.get(link.id);
  if (!host || host.deletedAt !== null) return settleHostGone(tables, link, host, book);
  if (!finding) return apply(tables, { ...link }, host, undefined, book);
  if (finding.kind === 'gone') return settleRemoteGone(tables, link, host, finding.row, book);
  if (finding.kind === 'row') {
    if (finding.mergedFrom !== undefined)
      return settleMerged(tables, link, host, finding.row, finding.mergedFrom, book);
    if (link.state === 'remote_deleted') feed(book, tables, link, 'undeleted');
    return apply(tables, { ...link, state: 'active' }, host, finding.row, book);
  }
  return settleUnlinked(tables, link, host, finding.rows, book);
}

/** No link yet: which record is it? Never two creates for one person. */
function settleUnlinked(
  tables: Tables,
  link: Link,
  host: HostRecord,
  rows: readonly RemoteRow[],
  book: Book,
): undefined {
  const { target, takenBy, holders } = tables;
  const match = matchRecord(
    rows.map((row) => {
      const other = takenBy.get(row.id);
      return {
        id: row.id,
        name: row.name,
        isOurs: row.externalKey === link.extKey,
        linkedTo: other && other.id !== link.id ? other.localId : undefined,
      };
    }),
  );
  switch (match.kind) {
    case 'one': {
      const row = rows.find((one) => one.id === match.id);
      const linked: Link = { ...link, sfId: match.id, state: 'active' };
      takenBy.set(match.id, linked);
      claimValue(tables, linked, host);
      return apply(tables, linked, host, row, book);
    }
    case 'taken':
      return hold(
        tables,
        link,
        host,
        book,
        'ambiguous',
        ambiguity(target, `${match.by} is already linked to the record that fits this one.`, []),
      );
    case 'many':
      return hold(
        tables,
        link,
        host,
        book,
        'ambiguous',
        ambiguity(target, `${match.candidates.length} records could be this one.`, match.candidates),
      );
    case 'none': {
      const value = lookupValue(target.compiled.mapping, host);
      const holder = value === undefined ? undefined : holders.get(value);
      if (holder && holder.id !== link.id && !target.compiled.mapping.allowDuplicates) {
        return hold(
          tables,
          link,
          host,
          book,
          'ambiguous',
          ambiguity(
            target,
            `${holder.localId} has the same ${target.compiled.mapping.lookup?.local ?? 'key'} and comes first.`,
            [],
          ),
        );
      }
      return apply(tables, claimValue(tables, link, host), host, undefined, book, true);
    }
    default:
      return match satisfies never;
  }
}

function claimValue({ target, holders }: Tables, link: Link, host: HostRecord): Link {
  const value = lookupValue(target.compiled.mapping, host) ?? null;
  if (value === null || link.matchKey === value || target.compiled.mapping.allowDuplicates) return link;
  if (holders.has(value)) return link;
  const claimed = { ...link, matchKey: value };
  holders.set(value, claimed);
  return claimed;
}

/** Merge and book what follows. */
function apply(
  tables: Tables,
  link: Link,
  host: HostRecord,
  row: RemoteRow | undefined,
  book: Book,
  isNew = false,
): undefined {
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
  const hasLinked = link.sfId !== null && tables.findings.get(link.id)?.kind === 'matches';

  if (Object.keys(plan.take).length > 0) {
    book.hosts.push({
      ...host,
      fields: { ...host.fields, ...plan.take },
      clocks: { ...host.clocks, ...plan.clocks },
      version: host.version + 1,
      changedAt: sfNow,
    });
    const changes = Object.fromEntries(
      Object.entries(plan.take).map(([name, after]) => [name, { before: host.fields[name] ?? null, after }]),
    );
    feed(book, tables, link, 'updated', changes);
    book.log.push(
      tables.logRow({
        ...about(tables, link),
        operation: 'update',
        direction: 'from_crm',
        status: 'success',
        changes: plan.pulled,
        reason: link.reason,
        error: null,
      }),
    );
  }
  // What an earlier claim sent and never got acknowledged has happened: it owes one row.
  const isOwnCreate = hasLinked && link.attemptedAt !== null && plan.landed.length > 0;
  if (plan.landed.length > 0) {
    book.log.push(
      tables.logRow({
        ...about(tables, link),
        operation: isOwnCreate ? 'create' : 'update',
        direction: 'to_crm',
        status: 'success',
        changes: plan.landed,
        reason: 'found after an interruption',
        error: null,
      }),
    );
  }
  if (hasLinked && !isOwnCreate) {
    feed(book, tables, link, 'linked');
    book.log.push(
      tables.logRow({
        ...about(tables, link),
        operation: 'none',
        direction: 'to_crm',
        status: 'success',
        changes: [],
        reason: 'linked to the record that was there',
        error: null,
      }),
    );
  }

  const dirty = dirtyAt(tables, link);
  const isHinted = link.dirty !== dirty && link.seenAt === 0;
  const seen = !row
    ? {}
    : { seenStamp: row.stamp, ...(isHinted ? {} : { seenAt: now, baseMod: settledStamp(row, sfNow) }) };
  const intents = row ? stillOpen(link.intents, plan, now) : link.intents;
  const kept: Link = {
    ...link,
    ...seen,
    base: plan.base,
    seen: row ? {} : link.seen,
    intents,
    attemptedAt: link.sfId === null ? link.attemptedAt : null,
  };
  if (Object.keys(plan.send).length === 0) {
    const error = plan.problems.length > 0 ? parentProblem(plan.problems) : null;
    const isDone = !tables.hasMore(host, kept, row);
    book.saved.push(isDone ? done(kept, dirty, error) : kept);
    book.settled.push({ link: kept, host, plan, error });
    if (error && JSON.stringify(error) !== JSON.stringify(link.error)) {
      book.log.push(
        tables.logRow({
          ...about(tables, link),
          operation: 'none',
          direction: 'to_crm',
          status: 'ambiguous',
          changes: [],
          reason: link.reason,
          error,
        }),
      );
    }
    return;
  }
  const sent: Record<string, readonly Intent[]> = { ...intents };
  for (const [key, intent] of Object.entries(plan.sent))
    sent[key] = [...(intents[key] ?? []), { ...intent, fence: link.fence, at: now }];
  const saved: Link = { ...kept, intents: sent, attemptedAt: link.sfId === null ? now : null };
  book.saved.push(saved);
  const isUnmarked = row && target.externalId && row.externalKey === undefined;
  const mark = isUnmarked && target.externalId ? { [target.externalId]: link.extKey } : {};
  book.writes.push({
    link: saved,
    host,
    plan,
    kind: link.sfId === null ? 'create' : 'update',
    fields: { ...plan.send, ...mark },
    modified: row ? row.modified : link.baseMod,
    dirty,
  });
}

/** The stamp is good for a conditional write only when its second is over: an edit in that second would not show. */
function settledStamp(row: RemoteRow, sfNow: number): string | null {
  return sfNow - row.modifiedAt >= 2_000 ? row.modified : null;
}

function settleHostGone(tables: Tables, link: Link, host: HostRecord | undefined, book: Book): undefined {
  const isRemoved =
    tables.target.compiled.mapping.onHostDelete === 'delete' && link.sfId !== null && link.state === 'active' && host;
  if (isRemoved) {
    book.saved.push(link);
    const plan = planRecord({
      link,
      host,
      mapping: tables.target.compiled,
      remote: { kind: 'assumed' },
      parents: tables.parents,
    });
    book.writes.push({ link, host, plan, kind: 'delete', fields: {}, modified: null, dirty: dirtyAt(tables, link) });
    return;
  }
  if (link.state !== 'unlinked') {
    book.log.push(
      tables.logRow({
        ...about(tables, link),
        operation: 'none',
        direction: 'to_crm',
        status: 'success',
        changes: [],
        reason: 'deleted at the host; the Salesforce record stays',
        error: null,
      }),
    );
  }
  const saved = done(
    { ...link, state: 'unlinked', sfId: null, matchKey: null, base: {}, intents: {} },
    dirtyAt(tables, link),
    null,
  );
  book.saved.push(saved);
  book.settled.push({ link: saved, host, plan: undefined, error: null });
}

function settleRemoteGone(
  tables: Tables,
  link: Link,
  host: HostRecord,
  row: RemoteRow | undefined,
  book: Book,
): undefined {
  const { target, sfNow } = tables;
  const error = toErrorBody(
    new GatehouseError(
      'not_found',
      row
        ? 'The record was deleted in Salesforce.'
        : 'The record is not there any more, or the connected user may not see it.',
      {
        next: 'Undelete it there and it is linked again by itself; or unlink it here, and the next sync creates a new one.',
      },
    ),
  ).error;
  if (link.state !== 'remote_deleted') {
    book.log.push(
      tables.logRow({
        ...about(tables, link),
        operation: 'delete',
        direction: 'from_crm',
        status: 'success',
        changes: [],
        reason: 'deleted in Salesforce',
        error: null,
      }),
    );
    feed(book, tables, link, 'deleted');
    if (target.compiled.mapping.onRemoteDelete === 'delete')
      book.hosts.push({ ...host, deletedAt: sfNow, version: host.version + 1, changedAt: sfNow });
  }
  const saved = done(
    { ...link, state: 'remote_deleted', seenStamp: row?.stamp ?? link.seenStamp },
    dirtyAt(tables, link),
    error,
  );
  book.saved.push(saved);
  book.settled.push({ link: saved, host, plan: undefined, error });
}

function settleMerged(
  tables: Tables,
  link: Link,
  host: HostRecord,
  master: RemoteRow,
  from: RemoteRow,
  book: Book,
): undefined {
  const other = tables.takenBy.get(master.id);
  if (!other || other.id === link.id) {
    feed(book, tables, { ...link, sfId: master.id }, 'merged');
    book.log.push(
      tables.logRow({
        ...about(tables, link),
        sfId: master.id,
        operation: 'none',
        direction: 'from_crm',
        status: 'success',
        changes: [],
        reason: `merged in Salesforce: ${from.id} is now ${master.id}`,
        error: null,
      }),
    );
    const moved: Link = { ...link, sfId: master.id, state: 'active' };
    tables.takenBy.set(master.id, moved);
    return apply(tables, moved, host, master, book);
  }
  const told = (a: string, b: string) =>
    ambiguity(tables.target, `The records of ${a} and ${b} were merged in Salesforce.`, [
      { id: master.id, name: master.name },
    ]);
  const twin = told(other.localId, link.localId);
  book.flags.push({ id: other.id, error: twin });
  book.log.push(
    tables.logRow({
      ...about(tables, other),
      operation: 'none',
      direction: 'from_crm',
      status: 'ambiguous',
      changes: [],
      reason: 'merged in Salesforce',
      error: twin,
    }),
  );
  return hold(tables, { ...link, seenStamp: from.stamp }, host, book, 'merged', told(link.localId, other.localId));
}

/** Nothing is written; a human decides. Said once, however often it is looked at. */
function hold(
  tables: Tables,
  link: Link,
  host: HostRecord,
  book: Book,
  state: LinkState,
  error: NonNullable<Link['error']>,
): undefined {
  if (link.state !== state || link.error?.message !== error.message) {
    book.log.push(
      tables.logRow({
        ...about(tables, link),
        operation: 'none',
        direction: 'to_crm',
        status: 'ambiguous',
        changes: [],
        reason: link.reason,
        error,
      }),
    );
  }
  const saved = done({ ...link, state }, dirtyAt(tables, link), error);
  book.saved.push(saved);
  book.settled.push({ link: saved, host, plan: undefined, error });
}

const dirtyAt = ({ dirtyOf }: Tables, link: Link): number => dirtyOf.get(link.id) ?? link.dirty;

export function done(link: Link, dirty: number, error: Link['error']): Link {
  return { ...link, done: dirty, error, attempts: 0, nextAt: 0, batch: null, leaseOwner: null, leaseUntil: 0 };
}

/**
 * After a read, a value that was found is agreed, and one too old to be still under way never arrives. The rest stays: keeping
 * fewer lets an orphaned push beat a newer edit, keeping more would take a later remote edit for our own.
 */
function stillOpen(intents: Link['intents'], plan: Plan, now: number): Link['intents'] {
  const open = Object.entries(intents).map(([key, list]): [string, readonly Intent[]] => [
    key,
    list.filter(
      (intent) =>
        now - intent.at < LONGEST_FLIGHT_MS && !(plan.landedKeys.includes(key) && intent.value === plan.base[key]),
    ),
  ]);
  return Object.fromEntries(open.filter(([, list]) => list.length > 0));
}

/** No request of ours is under way longer than this. */
export const LONGEST_FLIGHT_MS = 600_000;

function ambiguity({ object }: Target, why: string, candidates: readonly Candidate[]): NonNullable<Link['error']> {
  return toErrorBody(
    new GatehouseError('ambiguous', `Nothing was written: ${why}`, {
      next: `Choose the right ${object} by hand (link), or make the two records differ; then retry.`,
      ...(candidates.length > 0 ? { candidates } : {}),
    }),
  ).error;
}

export function parentProblem(problems: readonly string[]): NonNullable<Link['error']> {
  return toErrorBody(
    new GatehouseError('ambiguous', problems.join(' '), {
      next: 'The other fields are in step; this one follows when the cause is gone.',
    }),
  ).error;
}

function about({ target }: Tables, { kind, localId, sfId, batch }: Link) {
  return { ...target.scope, kind, localId, object: target.object, sfId, batch };
}

function feed(
  book: Book,
  { target, sfNow }: Tables,
  link: Link,
  type: FeedRow['type'],
  changes: FeedRow['changes'] = {},
): undefined {
  book.feed.push({
    type,
    kind: target.kind,
    localId: link.localId,
    object: target.object,
    sfId: link.sfId,
    changes,
    at: sfNow,
  });
}

function rowsOf(finding: Finding | undefined): readonly RemoteRow[] {
  if (!finding || finding.kind === 'gone') return [];
  return finding.kind === 'row' ? [finding.row] : finding.rows;
}

function lookups(target: Target, links: readonly Link[], hosts: ReadonlyMap<string, HostRecord>): string[] {
  return links.flatMap((link) => {
    const host = hosts.get(link.localId);
    return (host && lookupValue(target.compiled.mapping, host)) ?? [];
  });
}
