import { GatehouseError } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import { BY_HAND } from '../../domain/link.ts';
import { freed, linkedByHand } from '../../domain/link-transitions.ts';
import type { Kind } from '../../domain/mapping.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import type { Engine } from '../engine/engine.ts';
import { logRowOf } from '../engine/log-row.ts';
import { idOf } from '../host/record-id.ts';
import { lookUp } from '../remote/look-up.ts';
import { columnsOf, toRow } from '../remote/soql-read.ts';
import { newLink, openTarget } from '../remote/target.ts';

/**
 * The host app's answer to a record that it was told of as found: the id that it has there now. Its record, as yet empty, and the
 * link are made in one transaction, so that nothing is created for it in between; the values follow as from any linked record.
 */
export async function adopt(
  deps: SyncDeps,
  engine: Pick<Engine, 'logId'>,
  { bot, org, kind, localId, recordId, by }: Answer,
): Promise<Link> {
  const { store, now } = deps;
  const target = await openTarget(deps, bot, org, kind);
  if (target.refusal) throw target.refusal;
  const { scope, object } = target;
  const id = idOf(object, recordId, target.describe.keyPrefix);
  if (!(await store.found.known(scope, object, [id])).has(id))
    throw new GatehouseError('not_found', `There is no ${kind} ${JSON.stringify(localId.slice(0, 80))}.`, {
      next: 'Send the record first; only a record that the feed told as found is answered with an id alone.',
    });
  const select = columnsOf(target);
  const [records = []] = await lookUp(org, [{ object, select, field: 'Id', values: [id], all: true }], () => {});
  const row = records.map((record) => toRow(target, record))[0];
  if (row?.masterId !== undefined)
    throw new GatehouseError('conflict', `This ${object} was merged into ${row.masterId} since it was told.`, {
      next: `Look up who has that one. If nobody, send the ${kind} and link it to ${row.masterId}.`,
    });
  if (!row || row.isDeleted || row.converted)
    throw new GatehouseError('not_found', `This ${object} was deleted or converted since it was told.`, {
      next: `Drop it, or send the ${kind} like any other: then a ${object} is made for it.`,
    });
  const requireFree = async (inside: SyncDeps['store']) => {
    const [other] = await inside.links.bySf(scope, [id]);
    if (other === undefined || (other.kind === kind && other.localId === localId)) return;
    throw new GatehouseError('conflict', `This ${object} is linked to ${other.localId} already.`, {
      next: 'Take that record for it: somebody answered first.',
    });
  };
  const made = store.atomically(async (inside) => {
    await inside.hosts.lockKeys(bot, kind, [localId]);
    const mapping = target.compiled.mapping;
    const [known] = await inside.links.lockLocal(scope, object, [localId]);
    const [host] = await inside.hosts.lock(bot, kind, [localId]);
    await requireFree(inside);
    if (known?.sfId === id && host?.deletedAt === null) return known;
    if (host?.deletedAt === null)
      throw new GatehouseError('conflict', `The ${kind} ${JSON.stringify(localId)} came in meanwhile.`, {
        next: 'Ask again: it is then linked as it is.',
        retryable: true,
      });
    if (known?.sfId && known.sfId !== id)
      throw new GatehouseError('conflict', `${localId} was linked to another ${object}.`, {
        next: 'Answer with another id, or have an operator unlink that one first.',
      });
    const record = emptyRecord({ bot, kind, id: localId }, host, org.clock());
    await inside.links.ensure([newLink(scope, mapping, record, deps.newId(), BY_HAND.linked, now())]);
    const [link] = await inside.links.lockLocal(scope, object, [localId]);
    if (!link) throw new Error('a link that was just made is not there');
    const linked = { ...freed(linkedByHand(link, id)), reason: BY_HAND.linked };
    await inside.links.save([linked]);
    await inside.links.touch([link.id], BY_HAND.linked, true, now());
    await inside.hosts.put([record]);
    const note = { operation: 'none', direction: 'from_crm', status: 'success', sfId: id } as const;
    const reason = `${BY_HAND.linked} by ${by.principal} for ${JSON.stringify(by.user)}`;
    await inside.log.add([logRowOf(linked, { ...note, reason }, { id: engine.logId(), at: now(), calls: 0 })]);
    return linked;
  });
  return made.catch(async (error: unknown) => {
    // Two answers at once: the store keeps one link to a record.
    await requireFree(store);
    throw error;
  });
}

export interface Answer {
  readonly bot: string;
  readonly org: SyncOrg;
  readonly kind: Kind;
  readonly localId: string;
  readonly recordId: string;
  readonly by: { readonly principal: string; readonly user: string };
}

/** What was deleted at the host before comes back empty: its old values are nobody's edit of now. */
function emptyRecord(
  { bot, kind, id }: Pick<HostRecord, 'bot' | 'kind' | 'id'>,
  before: HostRecord | undefined,
  at: number,
): HostRecord {
  return {
    ...{ bot, kind, id, fields: {}, clocks: {}, parties: [] },
    ...{ version: (before?.version ?? 0) + 1, createdAt: before?.createdAt ?? at, changedAt: at, deletedAt: null },
  };
}
