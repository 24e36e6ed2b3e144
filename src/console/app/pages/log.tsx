import { useInfiniteQuery, useQuery } from '@tanstack/preact-query';
import { useRef } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { keyOf } from '../keys.ts';
import { FILTER_NAMES, type LogFilter, queryOf, useLogFilter, withFilter } from '../log-filter.ts';
import { type LogRow, OutcomeBadge } from '../parts/decision.tsx';
import { LogFilterForm } from '../parts/log-filter-form.tsx';
import { Page } from '../parts/page.tsx';
import { Empty, Loaded, Older } from '../parts/states.tsx';
import { count, personName, Text } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';

const PAGE = 50;
/** More than that is said as "100 or more". */
const MOST_NEW = 100;

/** Every decision, newest first. What comes while somebody reads waits above: rows never move under the eye. */
export function Log() {
  const { filter, clear } = useLogFilter();
  const rows = useRows(filter);
  const isFiltered = FILTER_NAMES.some((name) => filter[name] !== undefined);
  return (
    <Page
      title="Log"
      lead="Every decision: who asked for what, what became of it, and why. Each row proves the one before it."
      actions={
        <>
          <a class="button" href={exportOf(filter, 'csv')} download>
            Export CSV
          </a>
          <a class="button" href={exportOf(filter, 'jsonl')} download>
            Export JSON lines
          </a>
        </>
      }
    >
      <LogFilterForm />
      <Loaded query={rows.query}>
        {({ pages }) => {
          const all = pages.flatMap((page) => page.rows);
          return (
            <>
              <NewRows filter={filter} top={all[0]?.seq} show={rows.toTop} />
              {all.length === 0 ? (
                <div class="stack">
                  <Empty>
                    {isFiltered
                      ? 'No entry fits this filter.'
                      : 'Nothing was decided yet. Rows appear here by themselves.'}
                  </Empty>
                  {isFiltered && (
                    <div class="actions">
                      <button type="button" onClick={clear}>
                        Clear the filter
                      </button>
                    </div>
                  )}
                </div>
              ) : (
                <LogTable rows={all} filter={filter} />
              )}
              <Older query={rows.query} />
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

function exportOf(filter: LogFilter, format: 'csv' | 'jsonl'): string {
  const address = withFilter('/api/audit', filter);
  return `${address}${address.includes('?') ? '&' : '?'}format=${format}`;
}

/** Asked again, a list begins at the row that it began with, until its reader asks for what is new. */
function useRows(filter: LogFilter) {
  const key = JSON.stringify(filter);
  const top = useRef<{ readonly of: string; readonly seq: number }>();
  const query = useInfiniteQuery({
    queryKey: ['log', key],
    initialPageParam: undefined as number | undefined,
    async queryFn({ pageParam }) {
      const before = pageParam ?? (top.current?.of === key ? top.current.seq + 1 : undefined);
      const page = await said(
        api.GET('/api/audit', {
          params: { query: { ...queryOf(filter), limit: PAGE, ...(before === undefined ? {} : { before }) } },
        }),
      );
      const first = page.rows[0];
      if (pageParam === undefined && first !== undefined) top.current = { of: key, seq: first.seq };
      return page;
    },
    getNextPageParam: ({ rows }) => (rows.length < PAGE ? undefined : rows.at(-1)?.seq),
    refetchInterval: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  return {
    query,
    toTop() {
      top.current = undefined;
      scrollTo(0, 0);
      void query.refetch();
    },
  };
}

function NewRows({
  filter,
  top,
  show,
}: {
  readonly filter: LogFilter;
  readonly top: number | undefined;
  readonly show: () => void;
}) {
  const { data = 0 } = useQuery({
    queryKey: ['audit', 'new', JSON.stringify(filter), top],
    queryFn: async () => {
      const after = top === undefined ? {} : { after: top };
      const query = { ...queryOf(filter), ...after, limit: MOST_NEW };
      return (await said(api.GET('/api/audit', { params: { query } }))).rows.length;
    },
  });
  return (
    <div class="fresh" role="status">
      {data > 0 && (
        <button type="button" onClick={show}>
          {data < MOST_NEW ? count(data) : `${MOST_NEW} or more`} new
        </button>
      )}
    </div>
  );
}

export function LogTable({ rows, filter }: { readonly rows: readonly LogRow[]; readonly filter: LogFilter }) {
  const table = useRef<HTMLTableElement>(null);
  /** Only while the focus is in the list: a letter typed elsewhere is that letter. */
  const walk = (event: KeyboardEvent) => {
    const step = STEPS.get(keyOf(event) ?? '');
    if (step === undefined) return;
    const links = [...(table.current?.querySelectorAll<HTMLElement>('tbody th a') ?? [])];
    const at = links.findIndex((link) => link.closest('tr')?.contains(document.activeElement));
    links[Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
  };
  return (
    <>
      <table class="rows log" aria-label="Log" ref={table} onKeyDown={walk}>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Outcome</th>
            <th scope="col">Bot</th>
            <th scope="col">Who</th>
            <th scope="col">Record</th>
            <th scope="col">When</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.seq}>
              <th scope="row">
                <Link href={withFilter(`/log/${row.seq}`, filter)}>
                  <Text>{row.action}</Text>
                </Link>
              </th>
              <td data-label="Outcome">
                <OutcomeBadge row={row} />
              </td>
              <td data-label="Bot">{row.bot === null ? <span class="empty">–</span> : <Text>{row.bot}</Text>}</td>
              <td data-label="Who">
                <span>
                  <Text>{personName(row.principal)}</Text> <small>{row.channel}</small>
                </span>
              </td>
              <td data-label="Record">
                {row.recordId === null ? (
                  <span class="empty">–</span>
                ) : (
                  <Link href={withFilter('/log', { record: row.recordId })}>
                    <Text>{row.object ?? 'Record'}</Text>
                  </Link>
                )}
              </td>
              <td data-label="When">
                <Moment at={row.at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="note keys">
        In the list, <kbd>j</kbd> and <kbd>k</kbd> go to the next and the previous entry.
      </p>
    </>
  );
}

const STEPS: ReadonlyMap<string, number> = new Map([
  ['j', 1],
  ['k', -1],
]);
