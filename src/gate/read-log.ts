import type { AuditInput } from '../audit/audit.ts';

/** What one call read of the org's rows, for its audit row: the text is sealed, since it may name people; the shape is open. */

export interface RowsRead {
  /** The query, as it was sent. */
  readonly query: string;
  readonly objects: readonly string[];
  /** `Account.Name`. */
  readonly fields: readonly string[];
  readonly rows: number;
  /** Of a query that was judged. */
  readonly class?: 'trivial' | 'non-trivial';
}

export interface ReadLog {
  note(read: RowsRead): void;
  audited(): Pick<AuditInput, 'detail' | 'sealed'>;
}

export function createReadLog(): ReadLog {
  const reads: RowsRead[] = [];
  return {
    note: (read) => {
      reads.push(read);
    },
    audited() {
      if (reads.length === 0) return {};
      const kind = reads.find((read) => read.class !== undefined)?.class;
      return {
        detail: {
          ...(kind === undefined ? {} : { class: kind }),
          objects: [...new Set(reads.flatMap(({ objects }) => objects))],
          fields: [...new Set(reads.flatMap(({ fields }) => fields))],
          rows: reads.reduce((sum, { rows }) => sum + rows, 0),
        },
        sealed: { query: [...new Set(reads.map(({ query }) => query))].join('\n') },
      };
    },
  };
}

/** Several notes of one audit row. */
export function both(
  first: Pick<AuditInput, 'detail' | 'sealed'>,
  second: Pick<AuditInput, 'detail' | 'sealed'>,
): Pick<AuditInput, 'detail' | 'sealed'> {
  const sealed = { ...first.sealed, ...second.sealed };
  return {
    detail: { ...first.detail, ...second.detail },
    ...(Object.keys(sealed).length === 0 ? {} : { sealed }),
  };
}
