import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import { personName, Text } from './text.tsx';
import { Moment } from './time.tsx';

/** Rows or cards of a list, with what each cell is called on a phone; `diff` puts the cells of a row one under the other there. */
export function Table({
  label,
  columns,
  kind = 'rows',
  children,
}: {
  readonly label: string;
  readonly columns: readonly string[];
  readonly kind?: 'rows' | 'diff';
  readonly children: ComponentChildren;
}) {
  return (
    <table class={kind} aria-label={label}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th scope="col" key={column}>
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

/** What was saved before, and how much each revision changed. */
export function RevisionTable({
  of,
  address,
}: {
  readonly of: readonly {
    readonly revision: number;
    readonly at: string;
    readonly by: string;
    readonly changed: number | 'removed';
  }[];
  readonly address: (revision: number) => string;
}) {
  return (
    <Table label="Revisions" columns={['Revision', 'Saved', 'By', 'Changed']}>
      {of.map(({ revision, at, by, changed }) => (
        <tr key={revision}>
          <th scope="row">
            <Link href={address(revision)}>Revision {revision}</Link>
          </th>
          <td data-label="Saved">
            <Moment at={at} />
          </td>
          <td data-label="By">
            <Text>{personName(by)}</Text>
          </td>
          <td data-label="Changed">{amountOf(changed)}</td>
        </tr>
      ))}
    </Table>
  );
}

function amountOf(changed: number | 'removed'): string {
  if (changed === 'removed') return changed;
  if (changed === 0) return 'nothing';
  return changed === 1 ? '1 place' : `${changed} places`;
}
