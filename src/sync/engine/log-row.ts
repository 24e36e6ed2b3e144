import type { Link } from '../../domain/link.ts';
import type { LogRow } from '../../ports/sync-store.ts';

/** What happened to a link; what is left out is as the link has it. */
export type LogNote = Pick<LogRow, 'operation' | 'direction' | 'status'> &
  Partial<Pick<LogRow, 'changes' | 'error' | 'reason' | 'sfId'>>;

/** A pass numbers its rows and counts its calls in them. */
export type ToLogRow = (link: Link, note: LogNote) => LogRow;

export function logRowOf(
  { bot, orgId, kind, localId, object, sfId, batch, reason }: Link,
  note: LogNote,
  made: Pick<LogRow, 'id' | 'at' | 'calls'>,
): LogRow {
  return { bot, orgId, kind, localId, object, sfId, batch, reason, changes: [], error: null, ...note, ...made };
}
