/** Change Data Capture: what a request did to the records of selected objects becomes one transaction of events. */
import { randomUUID } from 'node:crypto';
import type { ChangeHeader, ChangeType } from '../facts.ts';
import type { Org, RecordChange } from '../org.ts';
import type { Row, Value } from '../table.ts';
import { publish } from './bus.ts';

const neverTold = new Set(['Id', 'IsDeleted', 'SystemModstamp', 'MasterRecordId']);

export function noteChanges(org: Org, changeOrigin: string): void {
  const changes = org.takeRecordChanges();
  const { changeDataCapture, changeChannel } = org.settings;
  const selected = [...changeDataCapture, ...(changeChannel?.objects ?? [])];
  const transactionKey = randomUUID();
  const events = new Map<
    string,
    {
      head: Pick<ChangeHeader, 'entityName' | 'changeType' | 'changedFields' | 'commitUser'>;
      ids: string[];
      fields: Record<string, Value>;
    }
  >();
  for (const { object, before, after } of netChanges(changes)) {
    const changeType = selected.includes(object) ? typeOf(before, after) : undefined;
    if (!changeType) continue;
    const told = tell(org, object, changeType, before, after);
    const head = {
      entityName: object,
      changeType,
      changedFields: told.changed,
      commitUser: String(after.LastModifiedById ?? ''),
    };
    // Records that changed alike are told together.
    const alike = JSON.stringify([head, told.fields]);
    const known = events.get(alike);
    if (known) known.ids.push(after.Id);
    else events.set(alike, { head, ids: [after.Id], fields: told.fields });
  }
  let sequenceNumber = 0;
  for (const { head, ids, fields } of events.values()) {
    sequenceNumber++;
    const header = { ...head, ...headOf(org, ids), changeOrigin, transactionKey, sequenceNumber };
    publish(org, { name: `${head.entityName}ChangeEvent`, header, uuid: null, fields });
  }
}

export function headOf(org: Org, recordIds: readonly string[]) {
  return {
    recordIds,
    // A whole second in every sample of real traffic.
    commitTimestamp: Math.floor(org.now() / 1000) * 1000,
    commitNumber: String(1_745_500_000_000_000_000n + BigInt(org.count('commit')) * 9_973n),
  };
}

/** One record changed several times in one request is one change. */
function netChanges(changes: readonly RecordChange[]): Iterable<RecordChange> {
  const net = new Map<string, RecordChange>();
  for (const change of changes) {
    const key = `${change.object}/${change.after.Id}`;
    const known = net.get(key);
    net.set(key, known ? { ...known, after: change.after } : change);
  }
  return net.values();
}

function typeOf(before: Row | undefined, after: Row): ChangeType | undefined {
  if (!before) return after.IsDeleted ? undefined : 'CREATE';
  if (before.IsDeleted) return after.IsDeleted ? undefined : 'UNDELETE';
  return after.IsDeleted ? 'DELETE' : 'UPDATE';
}

/** CREATE and UNDELETE tell every value, UPDATE what changed (null where it was cleared), DELETE nothing. */
function tell(org: Org, object: string, type: ChangeType, before: Row | undefined, after: Row) {
  if (type === 'DELETE') return { changed: [], fields: {} };
  const known = org.schema.object(object);
  const isTold = (name: string) => {
    const field = known?.byName.get(name.toLowerCase());
    const isWhole = known?.fields.some(({ compound }) => compound === field?.name);
    return field !== undefined && !isWhole && !neverTold.has(name);
  };
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after)])].filter(isTold);
  const asIs = (list: readonly string[]) => Object.fromEntries(list.map((name) => [name, after[name] ?? null]));
  if (type !== 'UPDATE') return { changed: [], fields: asIs(names.filter((name) => (after[name] ?? null) !== null)) };
  // A save within the same second changes its stamp all the same.
  const isChanged = (name: string) => name === 'LastModifiedDate' || (before?.[name] ?? null) !== (after[name] ?? null);
  const changed = names.filter(isChanged);
  return { changed, fields: asIs(changed) };
}
