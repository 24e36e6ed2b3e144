import type { ComponentChildren } from 'preact';
import { Table } from './table.tsx';
import { Value } from './text.tsx';

/** What changed, a field a row; on a phone one under the other. */
export function Changes({
  columns = ['Field', 'Before', 'After'],
  label,
  children,
}: {
  readonly columns?: readonly string[];
  readonly label: string;
  readonly children: ComponentChildren;
}) {
  return (
    <Table kind="diff" label={label} columns={columns}>
      {children}
    </Table>
  );
}

/** The two cells of a change; `show` where they are no values of a record. */
export function BeforeAfter({
  before,
  after,
  show: Show = Value,
}: {
  readonly before: unknown;
  readonly after: unknown;
  readonly show?: (of: { readonly of: unknown }) => preact.JSX.Element;
}) {
  return (
    <>
      <td class="before" data-label="Before">
        <span>
          <Show of={before} />
        </span>
      </td>
      <td class="after" data-label="After">
        <span>
          <Show of={after} />
        </span>
      </td>
    </>
  );
}
