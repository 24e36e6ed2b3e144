import { GatehouseError, toErrorBody } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import { unlinked } from '../../domain/link-transitions.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { planRecord } from '../merge/plan.ts';
import { type RemoteRow, seenStamp } from '../remote/soql-read.ts';
import type { Target } from '../remote/target.ts';
import { ambiguity, type ChangeSet, dirtyAt, type Tables } from './change-set.ts';

/** The host's record is gone: the mapping says whether the Salesforce record goes too. By default it stays. */
export function settleHostGone(tables: Tables, changeSet: ChangeSet, link: Link, host: HostRecord | undefined): void {
  const { target, parents } = tables;
  if (host && target.compiled.mapping.onHostDelete === 'delete' && link.sfId !== null && link.state === 'active') {
    const plan = planRecord({ link, host, mapping: target.compiled, remote: { kind: 'assumed' }, parents });
    if (tables.mayWrite?.({ link, host, plan, kind: 'delete', row: undefined }) === false) {
      changeSet.leave(link);
      return;
    }
    changeSet.save(link);
    changeSet.writes.push({
      link,
      host,
      plan,
      kind: 'delete',
      fields: {},
      modified: null,
      dirty: dirtyAt(tables, link),
    });
    return;
  }
  if (link.state !== 'unlinked') {
    const reason = 'deleted at the host; the Salesforce record stays';
    changeSet.log(link, { operation: 'none', direction: 'to_crm', status: 'success', reason });
  }
  changeSet.finish(unlinked(link), host, null);
}

/** Deleted in Salesforce: the link says so, the host app is told, and nothing creates it again by itself. `row`: the deleted record, if visible. */
export function settleRemoteGone(
  tables: Tables,
  changeSet: ChangeSet,
  link: Link,
  host: HostRecord,
  row: RemoteRow | undefined,
): void {
  if (link.state !== 'remote_deleted') {
    changeSet.log(link, {
      operation: 'delete',
      direction: 'from_crm',
      status: 'success',
      reason: 'deleted in Salesforce',
    });
    changeSet.emit(link, 'deleted');
    if (tables.target.compiled.mapping.onRemoteDelete === 'delete')
      changeSet.putHost({ ...host, deletedAt: tables.sfNow });
  }
  const what = row
    ? 'The record was deleted in Salesforce.'
    : 'The record is not there any more, or the connected user may not see it.';
  const next =
    'Undelete it there and it is linked again by itself; or unlink it here, and the next sync creates a new one.';
  const { error } = toErrorBody(new GatehouseError('not_found', what, { next }));
  changeSet.finish(
    { ...link, state: 'remote_deleted', seenStamp: row ? seenStamp(row, tables.readSince) : link.seenStamp },
    host,
    error,
  );
}

/** A converted lead can no longer change: logged once and never written again, until a person unlinks it. */
export function settleConverted(
  tables: Tables,
  changeSet: ChangeSet,
  link: Link,
  host: HostRecord,
  row: RemoteRow,
): void {
  // Linked a moment ago because a duplicate rule named it, and never read: it was somebody else's all along.
  if (link.seenStamp === null && Object.values(link.base).every((value) => value === null)) {
    const why = `the ${tables.target.object} that fits this one has been converted and can no longer change.`;
    const problem = ambiguity(tables.target, why, [{ id: row.id, name: row.name, hint: 'converted' }]);
    changeSet.needsHuman({ ...link, sfId: null }, host, 'ambiguous', problem);
    return;
  }
  const { error } = toErrorBody(convertedError(tables.target, row));
  if (link.error?.message !== error.message)
    changeSet.log(link, {
      operation: 'none',
      direction: 'to_crm',
      status: 'failed',
      reason: 'converted in Salesforce',
      error,
    });
  // `merged`, because it lives on as a contact; a link in this state is always read before anything is decided.
  changeSet.finish({ ...link, state: 'merged', seenStamp: seenStamp(row, tables.readSince), intents: {} }, host, error);
}

export function convertedError({ object }: Pick<Target, 'object'>, { converted, id }: RemoteRow): GatehouseError {
  const contactId = converted?.contactId;
  const into = contactId === undefined ? '' : ` into the contact ${contactId}`;
  return new GatehouseError('conflict', `The ${object} ${id} was converted${into} and can no longer change.`, {
    next: 'Let the mapping name Contact, so that this person is found there by email or linked by hand; or unlink it here.',
    ...(contactId === undefined ? {} : { candidates: [{ id: contactId, name: contactId, hint: 'Contact' }] }),
  });
}
