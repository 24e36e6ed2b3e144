import { GatehouseError, toErrorBody } from '../../domain/errors.ts';
import type { Intent, Link } from '../../domain/link.ts';
import { hidesFor } from '../../domain/stored-value/times.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { type Plan, planRecord } from '../merge/plan.ts';
import { type RemoteRow, seenStamp } from '../remote/soql-read.ts';
import { marksOf, type Target } from '../remote/target.ts';
import { type ChangeSet, dirtyAt, openIntents, partialProblem, statusOf, type Tables } from './change-set.ts';

/** Both sides of one record. */
export interface Pair {
  readonly link: Link;
  readonly host: HostRecord;
  /** Undefined where nothing stands there, or where its state is known without a read. */
  readonly row: RemoteRow | undefined;
  /** Looked for and not found: it would be created. */
  readonly isNew?: boolean;
}

interface Planned extends Pair {
  readonly plan: Plan;
}

/** Merges one record and books what follows. */
export function applyPlan(tables: Tables, changeSet: ChangeSet, pair: Pair): void {
  const { link, host, row, isNew = false } = pair;
  const plan = planOf(tables, pair);
  const planned = { ...pair, plan };
  if (plan.later) {
    // A record found just now is let go again, so that the next pass finds it again and logs the linking.
    changeSet.postpone(isJustFound(tables, link) ? { ...link, sfId: null, state: 'new' } : link, host, plan.later);
    return;
  }
  const isWrite = isSent(plan) || (!isNew && tables.hasMore(host, link));
  if (isWrite && tables.mayWrite?.({ link, host, plan, kind: kindOf(link), row }) === false) {
    changeSet.leave(link);
    return;
  }
  takeOver(changeSet, planned);
  tellFound(tables, changeSet, planned);
  const kept = keep(tables, planned);
  tellWaiting(changeSet, link, kept);
  if (isSent(plan)) addWrite(tables, changeSet, planned, kept);
  else settleUnwritten(tables, changeSet, planned, kept);
}

function planOf({ target, parents, fieldTimes }: Tables, { link, host, row, isNew = false }: Pair): Plan {
  const remote = row
    ? ({ kind: 'record', record: row.record, modifiedAt: row.modifiedAt } as const)
    : ({ kind: isNew ? 'absent' : 'assumed' } as const);
  return planRecord({ link, host, mapping: target.compiled, remote, parents, fieldTimes: fieldTimes.get(link.id) });
}

const isSent = ({ send }: Plan): boolean => Object.keys(send).length > 0;
const kindOf = ({ sfId }: Link): 'create' | 'update' => (sfId === null ? 'create' : 'update');

/** Found by a look-up of this pass, so not linked before it. */
const isJustFound = ({ readResults }: Tables, link: Link): boolean => readResults.get(link.id)?.kind === 'matches';

/** What Salesforce changed goes to the host record, and to the host app. */
function takeOver(changeSet: ChangeSet, { link, host, plan }: Planned): void {
  if (Object.keys(plan.toHost).length === 0) return;
  changeSet.putHost({
    ...host,
    fields: { ...host.fields, ...plan.toHost },
    clocks: { ...host.clocks, ...plan.clocks },
  });
  const changes = Object.entries(plan.toHost).map(
    ([name, after]) => [name, { before: host.fields[name] ?? null, after }] as const,
  );
  changeSet.emit(link, 'updated', Object.fromEntries(changes));
  changeSet.log(link, { operation: 'update', direction: 'from_crm', status: 'success', changes: plan.pulled });
}

function tellFound(tables: Tables, changeSet: ChangeSet, { link, plan }: Planned): void {
  const isJustLinked = link.sfId !== null && isJustFound(tables, link);
  const isOwnCreate = isJustLinked && link.attemptedAt !== null && plan.landed.length > 0;
  const success = { direction: 'to_crm', status: 'success' } as const;
  // An earlier pass wrote this and crashed before logging it.
  if (plan.landed.length > 0) {
    const operation = isOwnCreate ? 'create' : 'update';
    changeSet.log(link, { ...success, operation, changes: plan.landed, reason: 'found after an interruption' });
  }
  if (isJustLinked && !isOwnCreate) {
    changeSet.emit(link, 'linked');
    changeSet.log(link, { ...success, operation: 'none', reason: 'linked to the record that was there' });
  }
}

/** The link after the merge, before anything is sent. */
function keep(tables: Tables, { link, row, plan }: Planned): Link {
  const { now, readSince } = tables;
  return {
    ...link,
    ...(row ? whatWeSaw(link, row, dirtyAt(tables, link), now, readSince) : {}),
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
}

/** Logs once per record that a parent is missing; the status asks once per company. */
function tellWaiting(changeSet: ChangeSet, before: Link, kept: Link): void {
  const known = new Set(before.waitsFor?.map(({ message }) => message));
  for (const { message } of kept.waitsFor ?? [])
    if (!known.has(message))
      changeSet.log(kept, { operation: 'none', direction: 'to_crm', status: 'success', reason: message });
}

function settleUnwritten(tables: Tables, changeSet: ChangeSet, { link, host, plan, isNew }: Planned, kept: Link): void {
  const error = isNew ? nothingToMake(tables.target, plan) : partialProblem(plan.problems);
  if (error && error.message !== link.error?.message)
    changeSet.log(link, { operation: 'none', direction: 'to_crm', status: statusOf(error), error });
  if (!isNew && tables.hasMore(host, kept)) {
    const open = { ...kept, error };
    changeSet.save(open);
    changeSet.settled.push({ link: open, host, plan, error });
  } else changeSet.finish(isNew ? { ...kept, state: 'failed' } : kept, host, error, plan);
}

/** Intents are committed before anything is sent, so that after a crash the value in the record is known as ours. */
function addWrite(tables: Tables, changeSet: ChangeSet, { link, host, row, plan }: Planned, kept: Link): void {
  const { target, now, sfNow } = tables;
  const intents: Record<string, readonly Intent[]> = { ...kept.intents };
  for (const [key, intent] of Object.entries(plan.sent))
    intents[key] = [...(intents[key] ?? []), { ...intent, fence: link.fence, at: now }];
  const saved: Link = { ...kept, intents, attemptedAt: link.sfId === null ? (link.attemptedAt ?? sfNow) : null };
  changeSet.save(saved);
  const mark =
    row && target.externalId && row.externalKey === undefined ? { [target.externalId]: marksOf(target, link)[0] } : {};
  changeSet.writes.push({
    link: saved,
    host,
    plan,
    dirty: dirtyAt(tables, link),
    kind: kindOf(link),
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

function whatWeSaw(link: Link, row: RemoteRow, dirty: number, now: number, readSince: number): Partial<Link> {
  const seen = { seenStamp: seenStamp(row, readSince) };
  // A hint that came after the claim is about something newer than what we read.
  if (link.dirty !== dirty && link.seenAt === 0) return seen;
  // A stamp is good for a conditional write only when its second is over: an edit in that second would not show.
  return { ...seen, seenAt: now, baseMod: hidesFor(row.modifiedAt, readSince) === 0 ? row.modified : null };
}
