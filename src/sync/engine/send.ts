import type { SyncDeps } from '../../ports/sync-store.ts';
import { type RowOutcome, type RowWrite, sendParts, toParts } from '../remote/collection-write.ts';
import type { Target } from '../remote/target.ts';
import { type Outcome, toFailure } from './acknowledge.ts';
import type { PendingWrite } from './change-set.ts';
import { MOST_WITHOUT, withoutRefused } from './left-behind.ts';

const MOST_ROWS = 200;

/** The writes of one pass on their way out: packed or one by one; what Salesforce refuses by name is left behind, and the rest sent again. */
export function createSender({ crash }: Pick<SyncDeps, 'crash'>, target: Target, onCall: () => void) {
  const { org } = target;

  /** Up to five parts, and again what goes on without the fields that were refused: a call for all of them together. */
  async function sendLess(
    group: readonly (readonly RowWrite<PendingWrite>[])[],
  ): Promise<readonly RowOutcome<PendingWrite>[]> {
    const done: RowOutcome<PendingWrite>[] = [];
    let open = group;
    for (let tries = 0; open.length > 0; tries++) {
      const less: PendingWrite[] = [];
      for (const outcome of await sendParts(org, open, onCall, target.compiled.mapping)) {
        const rest =
          outcome.failure && tries < MOST_WITHOUT ? withoutRefused(target, outcome.item, outcome.failure) : undefined;
        if (rest) less.push(rest);
        else done.push(outcome);
      }
      open = toParts(less.map(toRowWrite), MOST_ROWS);
    }
    return done;
  }

  /** One record by itself; what Salesforce names in a refusal is left behind, and the rest is sent. */
  async function writeAlone(first: PendingWrite): Promise<{ write: PendingWrite; outcome: Outcome | 'changed' }> {
    let write = first;
    for (let tries = 0; ; tries++) {
      const outcome = await writeOne(write);
      const isRefused = outcome !== 'changed' && outcome.kind === 'failed' && tries < MOST_WITHOUT;
      const rest = isRefused ? withoutRefused(target, write, outcome.failure) : undefined;
      if (!rest) return { write, outcome };
      write = rest;
    }
  }

  async function writeOne({ link, kind, fields, modified }: PendingWrite): Promise<Outcome | 'changed'> {
    const id = link.sfId ?? '';
    const { allowDuplicates } = target.compiled.mapping;
    const mark = target.externalId ? { mark: { field: target.externalId, value: link.extKey } } : {};
    let made: Awaited<ReturnType<typeof org.create>> | undefined;
    onCall();
    try {
      if (kind === 'delete') await org.remove(target.object, id);
      else if (kind === 'update')
        await org.patch(target.object, id, fields, modified ?? undefined, { allowDuplicates });
      else made = await org.create(target.object, fields, { ...mark, allowDuplicates });
    } catch (error) {
      const failure = toFailure(org, error);
      return failure === 'changed' ? 'changed' : { kind: 'failed', failure };
    }
    await crash?.(made ? 'created-sent' : 'sent');
    return { kind: 'written', id: made?.id ?? id, isCreated: made?.created ?? false };
  }

  function toRowWrite(write: PendingWrite): RowWrite<PendingWrite> {
    const { kind, link, fields } = write;
    const method = kind === 'create' && target.externalId ? 'upsert' : kind;
    return {
      item: write,
      method,
      object: target.object,
      fields,
      keyField: target.externalId,
      id: kind === 'create' ? link.extKey : (link.sfId ?? ''),
    };
  }

  return { writeAlone, sendLess, toRowWrite };
}
