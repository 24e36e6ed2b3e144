import { GatehouseError, takenCandidate } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import { finished, linkedTo, postponed, unlinked } from '../../domain/link-transitions.ts';
import type { Refusal } from '../../domain/refusal.ts';
import type { SyncOrg } from '../../ports/sync.ts';
import type { LogRow, SyncStore } from '../../ports/sync-store.ts';
import { ROLES_KEY, type Role, rolesChange, rolesText } from '../merge/roles.ts';
import type { Target } from '../remote/target.ts';
import { isSystemic, troubleOf } from '../remote/trouble.ts';
import {
  countFailed,
  type HasMore,
  openIntents,
  type PendingWrite,
  partialProblem,
  rivalry,
  saveLinks,
  statusOf,
} from './change-set.ts';
import type { ToLogRow } from './log-row.ts';

export type Outcome =
  | {
      readonly kind: 'written';
      readonly id: string;
      readonly isCreated: boolean;
      /** Contact roles that were written in the same go. */
      readonly roles?: readonly Role[];
    }
  | { readonly kind: 'failed'; readonly failure: Refusal };

/** A write with what Salesforce said of it. */
export interface Answered {
  readonly write: PendingWrite;
  readonly outcome: Outcome;
}

export interface Acknowledged extends Answered {
  /** The link as it stands now; undefined when the claim was lost and another one takes over. */
  readonly link: Link | undefined;
  readonly error: Link['error'];
  /** The record changed while it was written: read it again at once. */
  readonly isAgain: boolean;
  readonly isOverload: boolean;
}

export interface AckInput {
  readonly target: Target;
  readonly outcomes: readonly Answered[];
  readonly now: number;
  readonly hasMore: HasMore;
  readonly logRow: ToLogRow;
}

/** What the acknowledging transaction looked up, and what it decides. */
interface Ack extends AckInput {
  /** Links by Salesforce Id: of records that this answer made, and of those that its refusals name as duplicates. */
  readonly taken: Map<string | null, Link>;
  readonly saved: Link[];
  readonly log: LogRow[];
}

/** One transaction after the answer: the base moves, the intents of this claim go, the log row is added. */
export function acknowledge(store: SyncStore, input: AckInput): Promise<readonly Acknowledged[]> {
  return store.atomically(async (inside) =>
    acknowledgeLocked(inside, input, await inside.links.lock(input.outcomes.map(({ write }) => write.link))),
  );
}

/** The same inside a transaction that has locked the links; of those that are not among them the claim was lost. */
export async function acknowledgeLocked(
  inside: SyncStore,
  input: AckInput,
  locked: readonly Link[],
): Promise<readonly Acknowledged[]> {
  const { outcomes, target, now } = input;
  const links = new Map(locked.map((link) => [link.id, link]));
  const ack: Ack = { ...input, taken: await linkedBy(inside, input), saved: [], log: [] };
  const results = outcomes.map((answered) => settleAnswer(ack, answered, links.get(answered.write.link.id)));
  await saveLinks(inside, target.scope, locked, ack.saved, now);
  await countFailed(inside, locked, ack.saved);
  await inside.log.add(ack.log);
  return results;
}

async function linkedBy(inside: SyncStore, { outcomes, target }: AckInput): Promise<Map<string | null, Link>> {
  const matched = outcomes.flatMap(({ outcome }) =>
    outcome.kind === 'failed' ? (matchedId(outcome.failure) ?? []) : [],
  );
  const made = outcomes.flatMap(({ write, outcome }) =>
    outcome.kind === 'written' && write.kind === 'create' ? [[outcome.id, write.link] as const] : [],
  );
  const linked = await inside.links.bySf(target.scope, [...matched, ...made.map(([id]) => id)]);
  return new Map<string | null, Link>([...made, ...linked.map((link) => [link.sfId, link] as const)]);
}

function settleAnswer(ack: Ack, { write, outcome }: Answered, link: Link | undefined): Acknowledged {
  const { target, taken, saved, log, logRow } = ack;
  const answer: Acknowledged = { write, outcome, link, error: null, isAgain: false, isOverload: false };
  // The claim was lost. Its intents stay, so that the next holder takes the value in the record for ours and for nobody's edit.
  if (!link) return answer;
  const failure =
    outcome.kind === 'written' ? takenAway(target, write, taken.get(outcome.id), outcome.id) : outcome.failure;
  if (failure && !isAlreadyGone(write, failure)) return { ...answer, ...refuse(ack, link, write, failure) };
  const isRemoved = outcome.kind === 'failed' || write.kind === 'delete';
  const next = isRemoved ? finished(unlinked(link), write.dirty, null) : written(link, write, outcome, ack);
  saved.push(next);
  const { error } = next;
  const about = { direction: 'to_crm', sfId: outcome.kind === 'written' ? outcome.id : link.sfId } as const;
  const operation = operationOf(write, outcome);
  log.push(logRow(link, { ...about, operation, status: 'success', changes: write.plan.pushed }));
  if (outcome.kind === 'written' && outcome.roles?.length)
    log.push(
      logRow(link, { ...about, operation: 'update', status: 'success', changes: [rolesChange(link, outcome.roles)] }),
    );
  if (error && error.message !== link.error?.message)
    log.push(logRow(link, { ...about, operation: 'none', status: statusOf(error), error }));
  return { ...answer, link: next, error };
}

function written(
  link: Link,
  write: PendingWrite,
  { id, isCreated, roles }: Extract<Outcome, { kind: 'written' }>,
  { target, now, hasMore }: AckInput,
): Link {
  const agreed = Object.fromEntries(Object.entries(write.plan.sent).map(([key, { value }]) => [key, value]));
  const next: Link = {
    ...linkedTo(link, id),
    base: {
      ...(isCreated ? emptyBase(target) : {}),
      ...link.base,
      ...agreed,
      ...(roles?.length ? { [ROLES_KEY]: rolesText(roles) } : {}),
    },
    intents: withoutOwn(link, write.link.fence, now),
    attemptedAt: null,
    // A hint that came during the write is not answered by it: 0 makes the next pass read.
    seenAt: link.seenAt === 0 && link.dirty !== write.dirty ? 0 : now,
    // The write moved LastModifiedDate, to a time that only the next read tells.
    baseMod: null,
  };
  const error = partialProblem(write.plan.problems);
  return hasMore(write.host, next) ? { ...next, error } : finished(next, write.dirty, error);
}

/** A created record starts with every field empty: a default of the org then shows as a change at the next read. */
function emptyBase({ compiled }: Target): Link['base'] {
  return Object.fromEntries(
    compiled.rules.filter((rule) => rule.direction !== 'from_crm').map((rule) => [rule.key, null]),
  );
}

/** Another link took the created record before this answer came (a person linked it by hand): a person decides. */
function takenAway(
  target: Target,
  { kind, link }: PendingWrite,
  other: Link | undefined,
  id: string,
): Refusal | undefined {
  if (kind !== 'create' || !other || other.id === link.id) return undefined;
  const why = `${other.localId} is linked to the record that was made for this one.`;
  const error = rivalry(target, why, other.localId, [takenCandidate(id, id, other.localId)]);
  return { then: 'match', isOverload: false, error };
}

/** Deleting what is not there any more has succeeded. */
const isAlreadyGone = ({ kind }: PendingWrite, { error }: Refusal): boolean =>
  kind === 'delete' && error.code === 'not_found';

/** Less the intents of this claim. Those of a lost claim stay: its request may still arrive. */
function withoutOwn({ intents }: Link, claim: number, now: number): Link['intents'] {
  return openIntents(intents, now, (intent) => intent.fence === claim);
}

/** The link of a create that Salesforce surely did not do: nothing of this claim is under way. */
export function asUnsent(link: Link, now: number, claim = link.fence): Link {
  const intents = withoutOwn(link, claim, now);
  return { ...link, intents, attemptedAt: Object.keys(intents).length > 0 ? link.attemptedAt : null };
}

/** What becomes of the link, and the rest of the answer about it. */
function refuse(
  { target, now, logRow, taken, saved, log }: Ack,
  link: Link,
  write: PendingWrite,
  failure: Refusal,
): Pick<Acknowledged, 'error' | 'isAgain' | 'isOverload'> {
  const refusedRow = (status: LogRow['status'], error: Link['error']) =>
    logRow(link, { operation: 'none', direction: 'to_crm', status, changes: write.plan.pushed, error });
  const base = { error: failure.error, isAgain: false, isOverload: failure.isOverload };
  // Salesforce has answered, so no request of this claim is under way any more. What may be done in spite of the answer is
  // ours still: the next look may fail, and then it would pass for somebody's edit.
  const clean: Link = {
    ...link,
    intents: failure.mayBeDone ? link.intents : withoutOwn(link, write.link.fence, now),
    attemptedAt: failure.mayBeDone || isPassing(failure) || failure.then === 'reread' ? link.attemptedAt : null,
  };
  const attempts = link.attempts + 1;
  const matchId = matchedId(failure);
  const isAdopted = matchId !== undefined && write.kind === 'create' && !taken.has(matchId) && failure.then !== 'stop';

  if (isAdopted && failure.then === 'match') {
    saved.push({ ...linkedTo(clean, matchId), attempts });
    taken.set(matchId, link);
    return { ...base, isAgain: true };
  }
  if (failure.then === 'reread' && attempts <= 2) {
    saved.push({
      ...clean,
      attempts,
      attemptedAt: write.kind === 'create' ? link.attemptedAt : null,
      seenAt: 0,
      baseMod: null,
    });
    return { ...base, isAgain: true };
  }
  if (isPassing(failure)) {
    const isBlind = write.kind === 'create' && target.externalId === undefined;
    const again = postponed(
      isBlind && !failure.mayBeDone ? asUnsent(link, now, write.link.fence) : link,
      failure.error,
      now,
    );
    if (attempts === 1 || again.batch !== link.batch) log.push(refusedRow('pending', failure.error));
    saved.push(again);
    return base;
  }
  const isAmbiguous = failure.then === 'match' || (failure.then === 'reread' && write.kind === 'create');
  const refused =
    isAmbiguous && matchId !== undefined ? withCandidate(failure.error, matchId, taken.get(matchId)) : failure.error;
  // A field that could not be sent may be the required one that is missing: name it first.
  const unsent = write.plan.problems.map(({ message }) => message);
  const error = { ...refused, message: [...unsent, refused.message].join(' ') };
  const state = link.sfId !== null ? 'active' : isAmbiguous ? 'ambiguous' : 'failed';
  log.push(refusedRow(isAmbiguous ? 'ambiguous' : 'failed', error));
  // Nothing is tried again before the record or the mapping changes: no retry storm for what cannot succeed.
  saved.push({
    ...finished({ ...clean, state, attemptedAt: failure.mayBeDone ? clean.attemptedAt : null }, write.dirty, error),
    intents: clean.intents,
  });
  return { ...base, error };
}

/** What happened in Salesforce; a delete that found nothing counts as one. */
export function operationOf({ kind }: PendingWrite, outcome: Outcome): LogRow['operation'] {
  if (kind === 'delete') return 'delete';
  return outcome.kind === 'written' && outcome.isCreated ? 'create' : 'update';
}

/** The one record that a duplicate answer names. */
function matchedId({ error, then }: Refusal): string | undefined {
  if (then !== 'match' && then !== 'reread') return undefined;
  const [only, ...more] = error.candidates ?? [];
  return more.length === 0 ? only?.id : undefined;
}

/** The refusal is not about the record's values: the same write may pass later. */
const isPassing = ({ then }: Refusal): boolean => then === 'retry' || then === 'wait';

function withCandidate(
  error: NonNullable<Link['error']>,
  id: string,
  other: Link | undefined,
): NonNullable<Link['error']> {
  const [said] = error.candidates ?? [];
  const candidate = other ? takenCandidate(id, said?.name ?? id, other.localId) : (said ?? { id, name: id });
  return { ...error, candidates: [candidate] };
}

/** The refusal of a single write, in the form of a refused row. Throws what concerns every record (a limit, a lost connection). */
export function toFailure(org: Pick<SyncOrg, 'refusal'>, thrown: unknown): Refusal | 'changed' {
  if (!(thrown instanceof GatehouseError))
    return { then: 'retry', isOverload: false, error: troubleOf('The record could not be sent', thrown) };
  const refusal = org.refusal(thrown);
  if (refusal.isChange) return 'changed';
  const isAboutRecord = thrown.salesforce !== undefined && refusal.then !== 'wait';
  if (isSystemic(thrown) && !(isAboutRecord && refusal.then === 'retry')) throw thrown;
  return refusal;
}
