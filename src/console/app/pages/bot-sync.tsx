import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Loaded } from '../parts/states.tsx';
import { mappingPath, syncPath, useSummary } from '../parts/sync.tsx';
import { count, Text, Words } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';
import { Batches, StartDialog } from './sync-batches.tsx';
import { Problems, useStatus } from './sync-problems.tsx';
import { QuietHours, QuietNow } from './sync-quiet.tsx';
import { NothingSent, ReadyLine } from './sync-ready.tsx';

type Summary = NonNullable<ReturnType<typeof useSummary>['data']>;

/** One bot's sync: how it stands, what is wrong, what runs. */
export function BotSync({ name }: { readonly name: string }) {
  const query = useSummary(name);
  const [isStarting, setStarting] = useState(false);
  const why = useMay('MANAGE_MAPPINGS');
  return (
    <Page
      title={`Sync ${name}`}
      heading={
        <>
          Sync <Text>{name}</Text>
        </>
      }
      crumbs={[{ href: `/bots/${encodeURIComponent(name)}`, label: name }]}
      actions={
        <Button kind="primary" why={why} onClick={() => setStarting(true)}>
          Sync everything…
        </Button>
      }
    >
      <nav class="chips" aria-label="Pages of this sync">
        <Link class="button" href={syncPath(name, '/links')}>
          People and cases
        </Link>
        <Link class="button" href={syncPath(name, '/log')}>
          Log
        </Link>
        <Link class="button" href={syncPath(name, '/log?conflict=true')}>
          Conflicts only
        </Link>
        <Link class="button" href={mappingPath(name, 'party')}>
          Mapping of people
        </Link>
        <Link class="button" href={mappingPath(name, 'case')}>
          Mapping of cases
        </Link>
        <Link class="button" href={syncPath(name, '/events')}>
          Events
        </Link>
      </nav>
      <Loaded query={query}>
        {(summary) => (
          <>
            <QuietNow of={summary.quietHours} />
            <Stand bot={name} summary={summary} />
            <ReadyLine bot={name} summary={summary} />
            <NothingSent bot={name} summary={summary} />
          </>
        )}
      </Loaded>
      <Problems bot={name} />
      <Batches bot={name} />
      {isStarting && <StartDialog bot={name} onClose={() => setStarting(false)} />}
    </Page>
  );
}

function Stand({ bot, summary }: { readonly bot: string; readonly summary: Summary }) {
  const { data: status } = useStatus(bot);
  const webhook = useQuery({
    queryKey: ['sync', bot, 'webhook'],
    queryFn: () => said(api.GET('/api/bots/{bot}/sync/webhook', { params: { path: { bot } } })),
  });
  const { lastGood, lastFailed, lastEventAt, addressSince, flowSince } = summary;
  const entry = ({ id, at }: NonNullable<Summary['lastGood']>) => (
    <Link href={syncPath(bot, `/log/${id}`)}>
      <Moment at={at} />
    </Link>
  );
  return (
    <section class="card" aria-label="How it stands">
      <ul class="figures">
        <li>
          <strong>{count(summary.inStep)}</strong> in step
        </li>
        <li>
          <strong>{count(summary.waits)}</strong> waits
        </li>
        <li class={summary.needsYou > 0 ? 'bad' : ''}>
          <strong>{count(summary.needsYou)}</strong> needs you
        </li>
      </ul>
      <Facts>
        <Fact name="Last good sync">{lastGood ? entry(lastGood) : <span class="empty">none in 30 days</span>}</Fact>
        <Fact name="Last failed sync">
          {lastFailed ? entry(lastFailed) : <span class="empty">none in 30 days</span>}
        </Fact>
        {status?.polled.map(({ object, at }) => (
          <Fact key={object} name={`${object} polled`}>
            <Moment at={at} />
          </Fact>
        ))}
        {status?.streams.map(({ object, state, lastEventAt: last, message = 'not heard yet', next }) => (
          <Fact key={`${object} events`} name={`${object} events`}>
            {state !== 'live' ? (
              <>
                <Words>{message}</Words>{' '}
                {next && (
                  <Link href={syncPath(bot, '/events')}>
                    What to do<span class="hidden"> about events of {object}</span>
                  </Link>
                )}
              </>
            ) : last ? (
              <Moment at={last} />
            ) : (
              'heard; none yet'
            )}
          </Fact>
        ))}
        <Fact name="Last event">
          {lastEventAt ? (
            <Moment at={lastEventAt} />
          ) : (
            <span class="empty">
              {addressSince || flowSince ? 'none has come yet' : 'no address is set up; polling brings changes'}
            </span>
          )}
        </Fact>
        <Fact name="Quiet hours">
          <QuietHours bot={bot} of={summary.quietHours} />
        </Fact>
        <Fact name="Webhook">{webhook.data && <WebhookWords of={webhook.data} />}</Fact>
      </Facts>
    </section>
  );
}

type Webhook =
  | { readonly state: 'none' }
  | { readonly state: 'on' | 'off'; readonly waiting: number; readonly problem: string | null };

function WebhookWords({ of }: { readonly of: Webhook }) {
  if (of.state === 'none') return <span class="empty">none</span>;
  if (of.state === 'off') return <Badge kind="bad">switched off</Badge>;
  if (of.problem !== null) return <Badge kind="warn">fails, {count(of.waiting)} wait</Badge>;
  return of.waiting > 0 ? <>delivers, {count(of.waiting)} wait</> : <>delivers</>;
}
