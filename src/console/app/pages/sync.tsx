import { useQueries, useQuery } from '@tanstack/preact-query';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { ConnectionBadge } from '../parts/connection.tsx';
import { Page } from '../parts/page.tsx';
import { Empty, Loaded } from '../parts/states.tsx';
import { mappingPath, readSummary, syncPath } from '../parts/sync.tsx';
import { Table } from '../parts/table.tsx';
import { count, Text } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { BotSync } from './bot-sync.tsx';
import { Problems } from './sync-problems.tsx';

const readBots = () => said(api.GET('/api/bots'));
type Bots = Awaited<ReturnType<typeof readBots>>['bots'];

/** Every bot's sync; where there is one bot, its own page. */
export function Sync() {
  const query = useQuery({ queryKey: ['bots'], queryFn: readBots });
  const only = query.data?.bots.length === 1 ? query.data.bots[0] : undefined;
  if (only) return <BotSync name={only.name} />;
  return (
    <Page title="Sync" lead="People and cases of the host app, in step with Salesforce both ways.">
      <Loaded query={query}>
        {({ bots }) =>
          bots.length === 0 ? (
            <Empty>No bots yet. Sync begins once a bot is connected and its host app sends people or cases.</Empty>
          ) : (
            <All bots={bots} />
          )
        }
      </Loaded>
    </Page>
  );
}

function All({ bots }: { readonly bots: Bots }) {
  const summaries = useQueries({
    queries: bots.map(({ name }) => ({ queryKey: ['sync', name, 'summary'], queryFn: () => readSummary(name) })),
  });
  const wanting = bots.filter((_, at) => (summaries[at]?.data?.needsYou ?? 0) > 0);
  return (
    <>
      <Table label="Sync by bot" columns={['Bot', 'In step', 'Waits', 'Needs you', 'Last good sync', 'Go to']}>
        {bots.map(({ name, connection }, at) => {
          const stands = summaries[at]?.data;
          return (
            <tr key={name}>
              <th scope="row">
                <Link href={syncPath(name)}>
                  <Text>{name}</Text>
                </Link>{' '}
                <ConnectionBadge status={{ state: connection.state }} />
              </th>
              <td data-label="In step">{stands ? count(stands.inStep) : '…'}</td>
              <td data-label="Waits">{stands ? count(stands.waits) : '…'}</td>
              <td data-label="Needs you">{stands ? count(stands.needsYou) : '…'}</td>
              <td data-label="Last good sync">
                {stands?.lastGood ? <Moment at={stands.lastGood.at} /> : <span class="empty">none yet</span>}
              </td>
              <td data-label="Go to">
                <span class="links">
                  <Link href={syncPath(name, '/log?conflict=true')}>Conflicts</Link>{' '}
                  <Link href={mappingPath(name, 'party')}>Mapping</Link>
                </span>
              </td>
            </tr>
          );
        })}
      </Table>
      {wanting.map(({ name }) => (
        <Problems key={name} bot={name} title={`Needs you: ${name}`} />
      ))}
    </>
  );
}
