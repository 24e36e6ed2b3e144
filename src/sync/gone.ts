import { GatehouseError, toErrorBody } from '../errors.ts';
import { type Book, dirtyAt, type Tables } from './book.ts';
import type { Link } from './link.ts';
import { planRecord } from './plan.ts';
import type { HostRecord } from './ports.ts';
import type { RemoteRow } from './remote.ts';

/** The host's record is gone: the mapping says whether the Salesforce record goes too. By default it stays. */
export function settleHostGone(tables: Tables, book: Book, link: Link, host: HostRecord | undefined): void {
  const { target, parents } = tables;
  if (host && target.compiled.mapping.onHostDelete === 'delete' && link.sfId !== null && link.state === 'active') {
    book.save(link);
    const plan = planRecord({ link, host, mapping: target.compiled, remote: { kind: 'assumed' }, parents });
    book.writes.push({ link, host, plan, kind: 'delete', fields: {}, modified: null, dirty: dirtyAt(tables, link) });
    return;
  }
  if (link.state !== 'unlinked') {
    const reason = 'deleted at the host; the Salesforce record stays';
    book.log(link, { operation: 'none', direction: 'to_crm', status: 'success', reason });
  }
  book.close({ ...link, state: 'unlinked', sfId: null, matchKey: null, base: {}, intents: {} }, host, null);
}

/** Deleted in Salesforce: marked, told, and never made again by itself. `row` is the deleted record, where it can be seen. */
export function settleRemoteGone(
  tables: Tables,
  book: Book,
  link: Link,
  host: HostRecord,
  row: RemoteRow | undefined,
): void {
  if (link.state !== 'remote_deleted') {
    book.log(link, { operation: 'delete', direction: 'from_crm', status: 'success', reason: 'deleted in Salesforce' });
    book.tell(link, 'deleted');
    if (tables.target.compiled.mapping.onRemoteDelete === 'delete') book.host({ ...host, deletedAt: tables.sfNow });
  }
  const what = row
    ? 'The record was deleted in Salesforce.'
    : 'The record is not there any more, or the connected user may not see it.';
  const next =
    'Undelete it there and it is linked again by itself; or unlink it here, and the next sync creates a new one.';
  const { error } = toErrorBody(new GatehouseError('not_found', what, { next }));
  book.close({ ...link, state: 'remote_deleted', seenStamp: row?.stamp ?? link.seenStamp }, host, error);
}
