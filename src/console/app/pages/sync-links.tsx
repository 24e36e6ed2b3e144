import { useInfiniteQuery } from '@tanstack/preact-query';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { Choice, Filters, useFilters } from '../parts/filters.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Empty, Loaded, Older } from '../parts/states.tsx';
import { crumbsOf, KindChoice, LinkState, MaskNote, RecordLink, syncPath } from '../parts/sync.tsx';
import { Table } from '../parts/table.tsx';
import { Words } from '../parts/text.tsx';
import { FindHost } from './find-host.tsx';

const NAMES = ['kind', 'state', 'hasProblem', 'problem'] as const;
const STATES = ['new', 'active', 'ambiguous', 'remote_deleted', 'merged', 'unlinked', 'failed'] as const;

/** Every pair of a host record and a Salesforce record. */
export function SyncLinks({ name: bot }: { readonly name: string }) {
  const { filters, set, clear, isAny } = useFilters(NAMES);
  const kind = filters.kind === 'party' || filters.kind === 'case' ? filters.kind : undefined;
  const state = STATES.find((one) => one === filters.state);
  const query = useInfiniteQuery({
    queryKey: ['sync', bot, 'links', filters],
    initialPageParam: '',
    queryFn: ({ pageParam: after }) =>
      said(
        api.GET('/api/bots/{bot}/sync/links', {
          params: {
            path: { bot },
            query: {
              limit: 100,
              ...(kind ? { kind } : {}),
              ...(state ? { state } : {}),
              ...(filters.hasProblem === 'true' ? { hasProblem: 'true' as const } : {}),
              ...(filters.problem ? { problem: filters.problem } : {}),
              ...(after === '' ? {} : { after }),
            },
          },
        }),
      ),
    getNextPageParam: ({ next }) => next,
  });
  return (
    <Page title={`People and cases of ${bot}`} heading="People and cases" crumbs={crumbsOf(bot)}>
      <FindHost bot={bot} />
      <Filters>
        <KindChoice value={kind} onChange={(value) => set('kind', value)} />
        <Choice
          label="Link"
          value={state}
          options={[
            ['new', 'Not in Salesforce yet'],
            ['active', 'Linked'],
            ['ambiguous', 'Several could be meant'],
            ['failed', 'Failed'],
            ['remote_deleted', 'Deleted in Salesforce'],
            ['merged', 'Merged in Salesforce'],
            ['unlinked', 'Unlinked'],
          ]}
          onChange={(value) => set('state', value)}
        />
        <label class="tick">
          <input
            type="checkbox"
            checked={filters.hasProblem === 'true'}
            onChange={(event) => set('hasProblem', event.currentTarget.checked ? 'true' : '')}
          />
          <span>With a problem</span>
        </label>
        {isAny && (
          <button type="button" class="quiet" onClick={clear}>
            Clear
          </button>
        )}
      </Filters>
      {filters.problem && <p class="note">Only records with one kind of problem. Clear shows all.</p>}
      <MaskNote />
      <Loaded query={query}>
        {({ pages }) => {
          const links = pages.flatMap((page) => page.links);
          return links.length === 0 && !query.hasNextPage ? (
            <Empty>
              {isAny
                ? 'No record fits this filter.'
                : 'Nothing yet. Records appear once the host app sends people or cases.'}
            </Empty>
          ) : (
            <Table label="People and cases" columns={['Record', 'In Salesforce', 'Link', 'Problem']}>
              {links.map(({ localId, object, recordId, problem, isWaiting, ...link }) => (
                <tr key={`${object} ${localId}`}>
                  <th scope="row">
                    <RecordLink bot={bot} kind={link.kind} localId={localId} />
                  </th>
                  <td data-label="Salesforce">
                    {recordId ? (
                      <span>
                        {object} <code>{recordId}</code>
                      </span>
                    ) : (
                      <span class="empty">none yet</span>
                    )}
                  </td>
                  <td data-label="Link">
                    <LinkState state={link.state} /> {isWaiting && <Badge>waits</Badge>}
                  </td>
                  <td data-label="Problem">
                    {problem ? <Words>{problem.message}</Words> : <span class="empty">none</span>}
                  </td>
                </tr>
              ))}
            </Table>
          );
        }}
      </Loaded>
      <Older query={query}>More</Older>
      <div class="actions">
        <Link class="button quiet" href={syncPath(bot, '/log')}>
          Log
        </Link>
      </div>
    </Page>
  );
}
