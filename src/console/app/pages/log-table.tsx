import { Link } from 'wouter-preact';
import { Badge } from '../parts/states.tsx';
import { deedWords, Outcome, RecordLink, syncPath } from '../parts/sync.tsx';
import { Table } from '../parts/table.tsx';
import { Words } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import type { readEntry } from './sync-entry.tsx';

export type Entry = Awaited<ReturnType<typeof readEntry>>;

/** Rows of the sync log; `keep` is the filter that next and previous stay within. */
export function LogTable({
  bot,
  logs,
  keep = '',
}: {
  readonly bot: string;
  readonly logs: readonly Entry[];
  readonly keep?: string;
}) {
  return (
    <Table label="Sync log" columns={['When', 'Record', 'What', 'Fields', 'Outcome', '']}>
      {logs.map(({ id, at, kind, localId, object, operation, direction, changes, status, error }) => (
        <tr key={id}>
          <th scope="row">
            <Moment at={at} />
          </th>
          <td data-label="Record">
            <span>
              <RecordLink bot={bot} kind={kind} localId={localId} /> <small>{object}</small>
            </span>
          </td>
          <td data-label="What">{deedWords(operation, direction)}</td>
          <td data-label="Fields">
            <span>
              {changes.map(({ field }) => field).join(', ') || <span class="empty">none</span>}{' '}
              {changes.some(({ winner }) => winner !== undefined) && <Badge kind="warn">conflict</Badge>}
            </span>
          </td>
          <td data-label="Outcome">
            <span>
              <Outcome status={status} />
              {error && (
                <>
                  {' '}
                  <small>
                    <Words>{error.message}</Words>
                  </small>
                </>
              )}
            </span>
          </td>
          <td>
            <Link class="button" href={syncPath(bot, `/log/${id}${keep}`)} aria-label={`Open the entry of ${localId}`}>
              Open
            </Link>
          </td>
        </tr>
      ))}
    </Table>
  );
}
