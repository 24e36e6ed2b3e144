import { useQuery } from '@tanstack/preact-query';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { BudgetMeter, ConnectionBadge } from '../parts/connection.tsx';
import { DemoOffer } from '../parts/demo-offer.tsx';
import { FirstRun } from '../parts/first-run.tsx';
import { StandingNotices } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { Loaded } from '../parts/states.tsx';
import { Text } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';
import { DayCharts } from './charts.tsx';

/** What needs somebody first, then every bot on a line. */
export function Overview() {
  const bots = useQuery({ queryKey: ['bots'], queryFn: () => said(api.GET('/api/bots')) });
  return (
    <Page
      title="Overview"
      actions={
        <Link class="button" href="/bots/new">
          New bot
        </Link>
      }
    >
      <StandingNotices />
      <Loaded query={bots}>
        {({ bots: all, offersDemo }) => (
          <>
            <FirstRun bots={all} />
            {offersDemo && <DemoOffer />}
            {all.length > 0 && <BotsAndDay bots={all} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

type Bots = Awaited<ReturnType<typeof readBots>>['bots'];
const readBots = () => said(api.GET('/api/bots'));

export function BotTable({ bots }: { readonly bots: Bots }) {
  return (
    <table class="rows" aria-label="Bots">
      <thead>
        <tr>
          <th scope="col">Bot</th>
          <th scope="col">Org</th>
          <th scope="col">Mode</th>
          <th scope="col">Last sync</th>
          <th scope="col">API today</th>
        </tr>
      </thead>
      <tbody>
        {bots.map(({ name, audience, mode, connection }) => (
          <tr key={name}>
            <th scope="row">
              <Link href={`/bots/${encodeURIComponent(name)}`}>
                <Text>{name}</Text>
              </Link>{' '}
              {audience === 'public' && <small>talks to strangers</small>}
            </th>
            <td data-label="Org">
              <ConnectionBadge status={connection} />
            </td>
            <td data-label="Mode">{mode}</td>
            <td data-label="Last sync">
              {connection.lastSyncAt ? <Moment at={connection.lastSyncAt} /> : <span class="empty">none yet</span>}
            </td>
            <td data-label="API today">
              <BudgetMeter api={connection.api} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function BotsAndDay({ bots }: { readonly bots: Bots }) {
  const mayLook = useMay('READ_LOGS') === undefined;
  return (
    <>
      <BotTable bots={bots} />
      {mayLook && <DayCharts />}
    </>
  );
}
