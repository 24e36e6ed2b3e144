import type { AuditInput } from '../audit/audit.ts';
import { sha256 } from '../domain/canonical-json.ts';

/**
 * What one call cost and read of the org's rows, for its audit row: the text is sealed, since it may name people; the shape is
 * open.
 */

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
  /** One request to Salesforce goes out for this call. */
  sent(): void;
  /** Requests so far. */
  calls(): number;
  audited(): Pick<AuditInput, 'detail' | 'sealed'>;
}

/** Begins with the call. A conversation's name is the caller's own text and the chain cannot forget: only its hash is kept. */
export function createReadLog(now: () => number, conversation?: string | null): ReadLog {
  const reads: RowsRead[] = [];
  const startedAt = now();
  let calls = 0;
  return {
    note: (read) => {
      reads.push(read);
    },
    sent: () => {
      calls += 1;
    },
    calls: () => calls,
    audited() {
      const cost = {
        ms: Math.max(0, now() - startedAt),
        calls,
        ...(conversation == null ? {} : { conversation: sha256(conversation).slice(0, 16) }),
      };
      if (reads.length === 0) return { detail: cost };
      const kind = reads.find((read) => read.class !== undefined)?.class;
      return {
        detail: {
          ...cost,
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
