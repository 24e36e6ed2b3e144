import { useInfiniteQuery, useQuery } from '@tanstack/preact-query';
import { api, said } from '../api.ts';
import { Choice, Filters, useFilters } from '../parts/filters.tsx';
import { Page } from '../parts/page.tsx';
import { Empty, Loaded, Older } from '../parts/states.tsx';
import { crumbsOf, KindChoice, MaskNote } from '../parts/sync.tsx';
import { LogTable } from './log-table.tsx';

const NAMES = ['kind', 'localId', 'status', 'direction', 'operation', 'conflict', 'since', 'until'] as const;
const STATUSES = ['success', 'failed', 'pending', 'ambiguous'] as const;
const KINDS = ['party', 'case'] as const;
const WAYS = ['to_crm', 'from_crm'] as const;
const PAGE = 50;

/** Of the address, what the server takes. */
function askedOf(filters: Partial<Record<(typeof NAMES)[number], string>>) {
  const status = STATUSES.find((one) => one === filters.status);
  const kind = KINDS.find((one) => one === filters.kind);
  const direction = WAYS.find((one) => one === filters.direction);
  const instant = (text: string | undefined) => {
    const ms = Date.parse(text ?? '');
    return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
  };
  const [since, until] = [instant(filters.since), instant(filters.until)];
  return {
    ...(kind ? { kind } : {}),
    ...(filters.localId ? { localId: filters.localId } : {}),
    ...(status ? { status } : {}),
    ...(direction ? { direction } : {}),
    ...(filters.conflict === 'true' ? { conflict: 'true' as const } : {}),
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
  };
}

/** What was synced: both ways, with who won, and what went wrong. */
export function SyncLog({ name: bot }: { readonly name: string }) {
  const { filters, set, clear, isAny } = useFilters(NAMES);
  const asked = askedOf(filters);
  const read = (more: { readonly before?: string; readonly limit: number }) =>
    said(api.GET('/api/bots/{bot}/sync/logs', { params: { path: { bot }, query: { ...asked, ...more } } }));
  // Not renewed by hints: what is being read does not move. New rows are counted on top.
  const query = useInfiniteQuery({
    queryKey: ['sync log', bot, asked],
    initialPageParam: '',
    queryFn: ({ pageParam: before }) => read({ limit: PAGE, ...(before === '' ? {} : { before }) }),
    getNextPageParam: ({ next }) => next,
    refetchInterval: false,
    refetchOnWindowFocus: false,
    staleTime: 0,
  });
  // It begins with what the list has just asked for.
  const newest = useQuery({
    queryKey: ['sync', bot, 'log head', asked],
    queryFn: () => read({ limit: PAGE }),
    enabled: query.data !== undefined,
    initialData: () => query.data?.pages[0],
    initialDataUpdatedAt: query.dataUpdatedAt,
  });
  const first = query.data?.pages[0]?.logs[0]?.id;
  const isShown = query.data !== undefined && newest.data !== undefined;
  const at = newest.data?.logs.findIndex(({ id }) => id === first) ?? 0;
  const fresh = !isShown ? 0 : first === undefined || at < 0 ? (newest.data?.logs.length ?? 0) : at;
  const keep = new URLSearchParams(Object.entries(filters)).toString();
  const exported = (format: string) =>
    `/api/bots/${encodeURIComponent(bot)}/sync/logs?${new URLSearchParams({ ...asked, format })}`;
  return (
    <Page
      title={`Sync log of ${bot}`}
      heading="Sync log"
      crumbs={crumbsOf(bot)}
      actions={
        <>
          <a class="button" href={exported('csv')} download>
            Export CSV
          </a>
          <a class="button quiet" href={exported('jsonl')} download="sync-log.jsonl">
            JSON lines
          </a>
        </>
      }
    >
      <Filters>
        <KindChoice value={filters.kind} onChange={(value) => set('kind', value)} />
        <Choice
          label="Outcome"
          value={filters.status}
          options={[
            ['success', 'Done'],
            ['failed', 'Failed'],
            ['ambiguous', 'Several could be meant'],
            ['pending', 'Waits'],
          ]}
          onChange={(value) => set('status', value)}
        />
        <Choice
          label="Way"
          value={filters.direction}
          options={[
            ['to_crm', 'To Salesforce'],
            ['from_crm', 'From Salesforce'],
          ]}
          onChange={(value) => set('direction', value)}
        />
        <label>
          <span>Record id</span>
          <input
            type="search"
            value={filters.localId ?? ''}
            autocomplete="off"
            onChange={(event) => set('localId', event.currentTarget.value.trim())}
          />
        </label>
        <label>
          <span>From</span>
          <input
            type="datetime-local"
            value={filters.since ?? ''}
            onChange={(event) => set('since', event.currentTarget.value)}
          />
        </label>
        <label>
          <span>To</span>
          <input
            type="datetime-local"
            value={filters.until ?? ''}
            onChange={(event) => set('until', event.currentTarget.value)}
          />
        </label>
        <label class="tick">
          <input
            type="checkbox"
            checked={filters.conflict === 'true'}
            onChange={(event) => set('conflict', event.currentTarget.checked ? 'true' : '')}
          />
          <span>Conflicts only</span>
        </label>
        {isAny && (
          <button type="button" class="quiet" onClick={clear}>
            Clear
          </button>
        )}
      </Filters>
      <MaskNote />
      {fresh > 0 && (
        <p class="fresh-entries" role="status">
          <button
            type="button"
            onClick={() => {
              void query.refetch();
            }}
          >
            {fresh === PAGE ? `${PAGE} or more` : fresh} new: show
          </button>
        </p>
      )}
      <Loaded query={query}>
        {({ pages }) => {
          const logs = pages.flatMap((page) => page.logs);
          return logs.length === 0 ? (
            <Empty>{isAny ? 'No entry fits this filter.' : 'Nothing was synced yet.'}</Empty>
          ) : (
            <LogTable bot={bot} logs={logs} keep={keep === '' ? '' : `?${keep}`} />
          );
        }}
      </Loaded>
      <Older query={query} />
    </Page>
  );
}
