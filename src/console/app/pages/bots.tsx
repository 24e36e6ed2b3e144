import { useQuery } from '@tanstack/preact-query';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { Page } from '../parts/page.tsx';
import { Empty, Loaded } from '../parts/states.tsx';
import { BotTable } from './overview.tsx';

export function Bots() {
  const bots = useQuery({ queryKey: ['bots'], queryFn: () => said(api.GET('/api/bots')) });
  return (
    <Page
      title="Bots"
      lead="Each bot is one chatbot with its own Salesforce connection, grants and policy."
      actions={
        <Link class="button primary" href="/bots/new">
          New bot
        </Link>
      }
    >
      <Loaded query={bots}>
        {(data) =>
          data.bots.length === 0 ? <Empty>No bots yet. Make the first one.</Empty> : <BotTable bots={data.bots} />
        }
      </Loaded>
    </Page>
  );
}
