import type { FieldValue } from '../../domain/action.ts';
import { type Candidate, GatehouseError, toErrorBody } from '../../domain/errors.ts';
import type { Intent, Link, LinkState, Scope } from '../../domain/link.ts';
import { finished, freed, postponed } from '../../domain/link-transitions.ts';
import type { FeedRow, HostRecord, LogRow, SyncStore } from '../../ports/sync-store.ts';
import { isNewlyKnown, touchCasesOf } from '../host/case-people.ts';
import type { ParentIndex, Plan } from '../merge/plan.ts';
import type { RemoteRow } from '../remote/soql-read.ts';
import type { Target } from '../remote/target.ts';
import { troubleOf } from '../remote/trouble.ts';
import type { LogNote, ToLogRow } from './log-row.ts';
import type { ReadResult } from './read.ts';

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

/** A write that the merge would decide on. */
export interface WouldWrite extends Pick<PendingWrite, 'link' | 'host' | 'plan' | 'kind'> {
  readonly row: RemoteRow | undefined;
}

export type MayWrite = (write: WouldWrite) => boolean;

/** Contact roles that follow under the same claim: the link is not done before them. */
export type HasMore = (host: HostRecord, link: Link) => boolean;

export interface MergeInput {
  readonly target: Target;
  readonly claims: readonly Link[];
  /** No result for a link: it was not read, its state is known. */
  readonly readResults: ReadonlyMap<string, ReadResult>;
  readonly parents: ParentIndex;
  readonly fieldTimes: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly now: number;
  readonly sfNow: number;
  /** By the same clock: no record was read before. */
  readonly readSince: number;
  readonly hasMore: HasMore;
  /** Where it says no, the record is left as it is, and waits. */
  readonly mayWrite?: MayWrite | undefined;
  readonly logRow: ToLogRow;
}

/** What the transaction looked up before it decides. */
export interface Tables extends MergeInput {
  /** Those whose claims still stand, as they were before. */
  readonly locked: readonly Link[];
  /**
   * `dirty` of each link at its claim, before the read. A hint that came after that bumped `dirty` further, and this read may not
   * have seen what it is about: only the position at the claim is done.
   */
  readonly dirtyOf: ReadonlyMap<string, number>;
  readonly takenBy: Map<string | null, Link>;
  readonly holders: Map<string | null, Link>;
}

/** Everything one merge decided, written in one go at the end of its transaction. */
export class ChangeSet {
  readonly writes: PendingWrite[] = [];
  readonly settled: Settled[] = [];
  readonly #tables: Tables;
  readonly #links: Link[] = [];
  readonly #hosts: HostRecord[] = [];
  readonly #log: LogRow[] = [];
  readonly #feed: Omit<FeedRow, 'bot' | 'seq'>[] = [];
  readonly #flags: { readonly id: string; readonly error: Link['error'] }[] = [];
  readonly #left = new Map<string, Link>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  save(link: Link): void {
    this.#links.push(link);
  }

  putHost(record: HostRecord): void {
    this.#hosts.push({ ...record, version: record.version + 1, changedAt: this.#tables.sfNow });
  }

  /** Notes a problem on a link that this pass has not claimed. */
  flag(link: Link, error: Link['error']): void {
    this.#flags.push({ id: link.id, error });
  }

  log(link: Link, note: LogNote): void {
    this.#log.push(this.#tables.logRow(link, note));
  }

  emit(link: Link, type: FeedRow['type'], changes: FeedRow['changes'] = {}): void {
    const { target, sfNow } = this.#tables;
    this.#feed.push({
      type,
      kind: target.kind,
      localId: link.localId,
      object: target.object,
      sfId: link.sfId,
      changes,
      at: sfNow,
    });
  }

  /** This pass is done with the link, with or without a problem. */
  finish(link: Link, host: HostRecord | undefined, error: Link['error'], plan?: Plan): void {
    const after = finished(link, dirtyAt(this.#tables, link), error);
    this.save(after);
    this.settled.push({ link, host, plan, error });
  }

  /** Nothing is written until a person decides. Logged once, however many passes meet it. */
  needsHuman(link: Link, host: HostRecord, state: LinkState, error: NonNullable<Link['error']>): void {
    if (link.state !== state || link.error?.message !== error.message) {
      this.log(link, { operation: 'none', direction: 'to_crm', status: 'ambiguous', error });
    }
    this.finish({ ...link, state }, host, error);
  }

  /** Tried again after its back-off; the reason is logged once. */
  postpone(link: Link, host: HostRecord | undefined, error: NonNullable<Link['error']>): void {
    if (link.error?.message !== error.message)
      this.log(link, { operation: 'none', direction: 'to_crm', status: 'failed', error });
    const after = postponed(link, error, this.#tables.now);
    this.save(after);
    this.settled.push({ link: after, host, plan: undefined, error });
  }

  /** Looked at again when the requests of earlier claims cannot come any more. It is no failed try. */
  awaitAnswer(link: Link, host: HostRecord | undefined, error: NonNullable<Link['error']>): void {
    // A clock that is ahead may have stamped them.
    const sentAt = Math.max(...Object.values(link.intents).flatMap((list) => list.map(({ at }) => at)));
    const nextAt = Math.min(sentAt, this.#tables.now) + LONGEST_FLIGHT_MS;
    if (link.error?.message !== error.message)
      this.log(link, { operation: 'none', direction: 'to_crm', status: 'pending', error });
    const after = { ...freed(link), nextAt, error };
    this.save(after);
    this.settled.push({ link: after, host, plan: undefined, error });
  }

  /** The link stays as it was, and its log and feed rows are dropped. */
  leave(link: Link): void {
    this.#left.set(link.localId, link);
  }

  /** Decides one record. An exception drops what it had added so far and postpones this record alone. */
  decide(link: Link, host: HostRecord | undefined, work: () => void): void {
    const lists: unknown[][] = [
      ...[this.writes, this.settled, this.#links, this.#hosts, this.#log, this.#feed, this.#flags],
    ];
    const lengths = lists.map((list) => list.length);
    try {
      work();
    } catch (thrown) {
      lists.forEach((list, at) => {
        list.length = lengths[at] ?? 0;
      });
      this.postpone(link, host, troubleOf('The record could not be worked on', thrown));
    }
  }

  async commit(inside: SyncStore): Promise<void> {
    const { target, locked, now } = this.#tables;
    await saveLinks(inside, target.scope, locked, this.#links, now);
    await inside.links.release([...this.#left.values()]);
    for (const { id, error } of this.#flags) await inside.links.flag(id, error);
    await countFailed(inside, locked, this.#links);
    await inside.hosts.put(this.#hosts);
    await inside.log.add(this.#log.filter(({ localId }) => !this.#left.has(localId)));
    // `feed.add` locks the bot's feed until commit, so it comes last.
    await inside.feed.add(
      target.scope.bot,
      this.#feed.filter(({ localId }) => !this.#left.has(localId)),
    );
  }
}

export const dirtyAt = ({ dirtyOf }: Tables, link: Link): number => dirtyOf.get(link.id) ?? link.dirty;

/** Saves locked links. Cases of a person who has a contact only now are due again, for the contact role. */
export async function saveLinks(
  inside: SyncStore,
  scope: Scope,
  before: readonly Link[],
  after: readonly Link[],
  now: number,
): Promise<void> {
  await inside.links.save(after);
  const was = new Map(before.map((link) => [link.id, link]));
  const known = after.filter((link) => isNewlyKnown(was.get(link.id) ?? link, link));
  const parties = [...new Set(known.map(({ localId }) => localId))];
  await touchCasesOf(inside, scope, parties, now);
}

/** Counts those that leave their batch with a problem, in the transaction in which they leave it: once, whoever dies. */
export async function countFailed(
  { batches }: SyncStore,
  before: readonly Link[],
  after: readonly Link[],
): Promise<void> {
  const was = new Map(before.map(({ id, batch }) => [id, batch]));
  const failedIn = after.flatMap(({ id, batch, error }) => (batch === null && error ? (was.get(id) ?? []) : []));
  // In one order everywhere, so that two writers wait and do not deadlock.
  for (const batch of [...new Set(failedIn)].sort())
    await batches.progress(batch, { failed: failedIn.filter((one) => one === batch).length });
}

/** No request of ours is under way longer than this. */
export const LONGEST_FLIGHT_MS = 600_000;

/** The intents that may still show up in the record: young ones, less those that `isSettled`. */
export function openIntents(
  intents: Link['intents'],
  now: number,
  isSettled: (intent: Intent, key: string) => boolean,
): Link['intents'] {
  const open = Object.entries(intents).map(([key, list]): [string, readonly Intent[]] => [
    key,
    list.filter((intent) => now - intent.at < LONGEST_FLIGHT_MS && !isSettled(intent, key)),
  ]);
  return Object.fromEntries(open.filter(([, list]) => list.length > 0));
}

export function ambiguity(
  { object }: Target,
  why: string,
  candidates: readonly Candidate[] = [],
): NonNullable<Link['error']> {
  const next = `Choose the right ${object} by hand (link), or make the two records differ; then retry.`;
  const more = candidates.length > 0 ? { candidates } : {};
  return toErrorBody(new GatehouseError('ambiguous', `Nothing was written: ${why}`, { next, ...more })).error;
}

/** Two of the host's records mean one of Salesforce: a person says which of them has it. */
export function rivalry(target: Target, why: string, other: string, candidates: readonly Candidate[]) {
  const next = `Say who has it: link this one in its place (insteadOf ${other}), or unlink this one, so that it is left alone; or make the two differ at the host, then retry.`;
  return { ...ambiguity(target, why, candidates), next };
}

/** Its mark was found and nothing else of it. */
export function doubt(target: Target, candidates: readonly Candidate[]): NonNullable<Link['error']> {
  const { object, kind, externalId, compiled } = target;
  const why = `a ${object} bears the mark of this ${kind} and another ${compiled.mapping.lookup?.remote ?? 'key'}: it may be of somebody else who had the same id.`;
  const next = `Link the ${object} that is meant by hand. Where a new one shall be made, empty ${externalId ?? 'the mark'} of the one named, in Salesforce; then retry.`;
  return { ...ambiguity(target, why, candidates), next };
}

/** Fields that do not follow while the record does; null where all do. */
export function partialProblem(problems: Plan['problems']): Link['error'] {
  const [first] = problems;
  if (!first) return null;
  const next = [
    ...new Set(problems.flatMap((problem) => problem.next ?? [])),
    'The other fields are in step. When the cause is gone, this one follows with the next change of the record, a batch, or a retry.',
  ].join(' ');
  const code = problems.some((problem) => problem.code === 'invalid_input') ? 'invalid_input' : first.code;
  const salesforce = problems.find((problem) => problem.salesforce)?.salesforce;
  return toErrorBody(
    new GatehouseError(code, problems.map((problem) => problem.message).join(' '), {
      next,
      salesforce,
    }),
  ).error;
}

/** How the log calls a problem that stopped nothing else. */
export const statusOf = (error: NonNullable<Link['error']>): LogRow['status'] =>
  error.code === 'ambiguous' ? 'ambiguous' : 'failed';
