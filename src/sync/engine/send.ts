import { GatehouseError } from '../../domain/errors.ts';
import { type PartsSent, type RowOutcome, type RowWrite, sendParts, toParts } from '../remote/collection-write.ts';
import { marksOf, type Target } from '../remote/target.ts';
import { asUnsent, type Outcome, toFailure } from './acknowledge.ts';
import type { PendingWrite } from './change-set.ts';
import { MOST_ROWS } from './chunk-size.ts';
import { MOST_WITHOUT, withoutRefused } from './left-behind.ts';
import type { Pass } from './pass.ts';

/**
 * Up to five parts, and again what goes on without the fields that were refused: a call for all of them together. What has no
 * outcome was not sent: the pass was stopped before it, or met trouble.
 */
export async function sendPacked(
  pass: Pass,
  group: readonly (readonly RowWrite<PendingWrite>[])[],
): Promise<PartsSent<PendingWrite>> {
  const { target } = pass;
  const done: RowOutcome<PendingWrite>[] = [];
  let open = group;
  for (let tries = 0; open.length > 0; tries++) {
    const less: PendingWrite[] = [];
    const { outcomes, trouble } = await sendParts(target.org, open, pass, target.compiled.mapping);
    for (const outcome of outcomes) {
      const rest =
        outcome.failure && tries < MOST_WITHOUT ? withoutRefused(target, outcome.item, outcome.failure) : undefined;
      if (rest) less.push(rest);
      else done.push(outcome);
    }
    if (trouble !== undefined) {
      const answered = new Set(outcomes.map(({ item }) => item.link.id));
      const unanswered = open.flat().filter(({ item }) => !answered.has(item.link.id));
      await forgetUnsent(pass, [...unanswered.map(({ item }) => item), ...less], trouble);
      return { outcomes: done, trouble };
    }
    const rows = less.map((write) => toRowWrite(target, write));
    open = toParts(rows, MOST_ROWS);
  }
  return { outcomes: done, trouble: undefined };
}

/** One record by itself; what Salesforce names in a refusal is left behind, and the rest is sent. */
export async function sendAlone(
  pass: Pass,
  first: PendingWrite,
): Promise<{ write: PendingWrite; outcome: Outcome | 'changed' | 'stopped' }> {
  let write = first;
  for (let tries = 0; ; tries++) {
    if (!(await pass.mayGoOn())) return { write, outcome: 'stopped' };
    const outcome = await sendOne(pass, write);
    const isRefused = outcome !== 'changed' && outcome.kind === 'failed' && tries < MOST_WITHOUT;
    const rest = isRefused ? withoutRefused(pass.target, write, outcome.failure) : undefined;
    if (!rest) return { write, outcome };
    write = rest;
  }
}

async function sendOne(pass: Pass, write: PendingWrite): Promise<Outcome | 'changed'> {
  const { deps, target, onCall } = pass;
  const { link, kind, fields, modified } = write;
  const { org, object, externalId } = target;
  const id = link.sfId ?? '';
  const { allowDuplicates } = target.compiled.mapping;
  const mark = externalId ? { mark: { field: externalId, value: marksOf(target, link)[0] } } : {};
  let made: Awaited<ReturnType<typeof org.create>> | undefined;
  onCall();
  try {
    if (kind === 'delete') await org.remove(object, id);
    else if (kind === 'update') await org.patch(object, id, fields, modified ?? undefined, { allowDuplicates });
    else made = await org.create(object, fields, { ...mark, allowDuplicates });
  } catch (error) {
    const failure = await answerTo(pass, [write], error);
    return failure === 'changed' ? 'changed' : { kind: 'failed', failure };
  }
  await deps.crash?.(made ? 'created-sent' : 'sent');
  return { kind: 'written', id: made?.id ?? id, isCreated: made?.created ?? false };
}

/** The refusal of a request with these writes; what concerns every record is thrown on. */
export async function answerTo(
  pass: Pass,
  writes: readonly PendingWrite[],
  error: unknown,
): Promise<ReturnType<typeof toFailure>> {
  try {
    return toFailure(pass.target.org, error);
  } catch (systemic) {
    await forgetUnsent(pass, writes, systemic);
    throw systemic;
  }
}

/**
 * A create without our mark whose answer was lost waits ten minutes before it is sent again. One that Salesforce surely did
 * not do waits for nothing: it is no longer noted as sent.
 */
async function forgetUnsent(pass: Pass, writes: readonly PendingWrite[], thrown: unknown): Promise<void> {
  if (thrown instanceof GatehouseError && pass.target.org.refusal(thrown).mayBeDone !== true)
    await forgetWrites(pass, writes);
}

export async function forgetWrites({ deps, target }: Pass, writes: readonly PendingWrite[]): Promise<void> {
  const blind = target.externalId === undefined ? writes.filter(({ kind }) => kind === 'create') : [];
  if (blind.length === 0) return;
  await deps.store.atomically(async (inside) => {
    const locked = await inside.links.lock(blind.map(({ link }) => link));
    await inside.links.save(locked.map((link) => asUnsent(link, deps.now())));
  });
}

export function toRowWrite(target: Target, write: PendingWrite): RowWrite<PendingWrite> {
  const { object, externalId } = target;
  const { kind, link, fields } = write;
  return {
    item: write,
    method: kind === 'create' && externalId ? 'upsert' : kind,
    object,
    fields,
    keyField: externalId,
    id: kind === 'create' ? marksOf(target, link)[0] : (link.sfId ?? ''),
  };
}
