import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { ActButton, AskButton } from '../parts/act.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Empty, Loaded } from '../parts/states.tsx';
import { counted, type Kind, mappingPath, syncPath, useSummary } from '../parts/sync.tsx';
import { count, Text } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';
import { Problems, useStatus } from './sync-problems.tsx';
import { ReadyLine } from './sync-ready.tsx';

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
        <button
          type="button"
          class="primary"
          disabled={why !== undefined}
          title={why}
          onClick={() => setStarting(true)}
        >
          Sync everything…
        </button>
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
            <Stand bot={name} summary={summary} />
            <ReadyLine bot={name} summary={summary} />
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
  const { lastGood, lastFailed, lastEventAt, addressSince } = summary;
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
        <Fact name="Last event">
          {lastEventAt ? (
            <Moment at={lastEventAt} />
          ) : (
            <span class="empty">
              {addressSince ? 'none has come yet' : 'no address is set up; polling brings changes'}
            </span>
          )}
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

const readBatches = (bot: string) => said(api.GET('/api/bots/{bot}/sync/batches', { params: { path: { bot } } }));
type Batch = Awaited<ReturnType<typeof readBatches>>['batches'][number];
const isOpen = ({ state }: Batch) => state === 'running' || state === 'paused' || state === 'scheduled';

function Batches({ bot }: { readonly bot: string }) {
  const query = useQuery({
    queryKey: ['sync', bot, 'batches'],
    queryFn: () => readBatches(bot),
    // Counters move while no row of the log does.
    refetchInterval: ({ state: { data } }) => (data?.batches.some(({ state }) => state === 'running') ? 2_000 : 30_000),
  });
  const [all, setAll] = useState(false);
  return (
    <section class="card" aria-label="Batches">
      <h2>Batches</h2>
      <Loaded query={query}>
        {({ batches }) => {
          const shown = all
            ? batches
            : [...batches.filter(isOpen), ...batches.filter((one) => !isOpen(one)).slice(0, 3)];
          return batches.length === 0 ? (
            <Empty>None yet. “Sync everything” starts one.</Empty>
          ) : (
            <>
              <ul class="problems">
                {shown.map((batch) => (
                  <li key={batch.id}>
                    <OneBatch bot={bot} batch={batch} />
                  </li>
                ))}
              </ul>
              {shown.length < batches.length && (
                <div class="actions">
                  <button type="button" class="quiet" onClick={() => setAll(true)}>
                    Older
                  </button>
                </div>
              )}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

const BATCH_STATES = {
  scheduled: ['', 'Scheduled'],
  running: ['accent', 'Running'],
  paused: ['warn', 'Paused'],
  cancelled: ['', 'Cancelled'],
  done: ['good', 'Done'],
} as const;

function OneBatch({ bot, batch }: { readonly bot: string; readonly batch: Batch }) {
  const why = useMay('MANAGE_MAPPINGS');
  const { id, kind, state, done, total, failed, calls, note, startAt, finishedAt, createdAt } = batch;
  const [tone, words] = BATCH_STATES[state];
  const path = { params: { path: { bot, id } } };
  const label = `All ${kind === 'party' ? 'people' : 'cases'}`;
  return (
    <>
      <p>
        <strong>{label}</strong> <Badge kind={tone}>{words}</Badge>{' '}
        <small>
          {state === 'scheduled' && startAt ? (
            <>
              begins <Moment at={startAt} />
            </>
          ) : (
            <Moment at={finishedAt ?? createdAt} />
          )}
        </small>
      </p>
      {state !== 'scheduled' && (
        <p class="progress">
          <progress max={Math.max(total, 1)} value={total === 0 ? 1 : done} aria-label={`${label}: progress`} />{' '}
          <span>
            {count(done)} of {count(total)} · {count(failed)} failed · {count(calls)} calls
          </span>
        </p>
      )}
      {note && (
        <p class="note">
          <Text>{note}</Text>
        </p>
      )}
      {isOpen(batch) && (
        <div class="actions">
          {state === 'paused' ? (
            <ActButton
              why={why}
              run={() => said(api.POST('/api/bots/{bot}/sync/batches/{id}/resume', path))}
              done="It goes on where it stopped."
              changes={['sync']}
            >
              Resume
            </ActButton>
          ) : (
            <ActButton
              why={why}
              run={() => said(api.POST('/api/bots/{bot}/sync/batches/{id}/pause', path))}
              done="Paused after the chunk under way."
              changes={['sync']}
            >
              Pause
            </ActButton>
          )}
          <AskButton
            why={why}
            title="Cancel this batch?"
            yes="Cancel the batch"
            body={<p>What was done stays done. The rest waits as before; a new batch finds it.</p>}
            run={() => said(api.POST('/api/bots/{bot}/sync/batches/{id}/cancel', path))}
            done="Cancelled. What was done stays."
            changes={['sync']}
          >
            Cancel…
          </AskButton>
        </div>
      )}
    </>
  );
}

function StartDialog({ bot, onClose }: { readonly bot: string; readonly onClose: () => void }) {
  const [kind, setKind] = useState<Kind>('party');
  const [isLater, setLater] = useState(false);
  return (
    <Dialog title="Sync everything" onClose={onClose}>
      <Form
        button={isLater ? 'Schedule it' : 'Start'}
        beside={
          <button type="button" onClick={onClose}>
            Not now
          </button>
        }
        run={(fields) => {
          const at = String(fields.get('startAt') ?? '');
          const only = fields.get('only') === 'failed' ? ('failed' as const) : ('all' as const);
          return said(
            api.POST('/api/bots/{bot}/sync/batches', {
              params: { path: { bot } },
              body: { kind, only, ...(isLater && at !== '' ? { startAt: new Date(at).toISOString() } : {}) },
            }),
          );
        }}
        done={({ state, total }) => (state === 'scheduled' ? 'Scheduled.' : `Started: ${counted(kind, total)}.`)}
        changes={['sync']}
        after={onClose}
      >
        <Field label="What">
          <select
            name="kind"
            value={kind}
            onChange={(event) => setKind(event.currentTarget.value === 'case' ? 'case' : 'party')}
          >
            <option value="party">All people</option>
            <option value="case">All cases</option>
          </select>
        </Field>
        <Field label="Which of them">
          <select name="only">
            <option value="all">All</option>
            <option value="failed">Only those with a problem</option>
          </select>
        </Field>
        <label class="choice">
          <input type="checkbox" checked={isLater} onChange={(event) => setLater(event.currentTarget.checked)} />
          <span>
            At a time
            <small>Else it starts now. It sends only what differs.</small>
          </span>
        </label>
        {isLater && (
          <Field label="When" help="In your own time zone.">
            <input type="datetime-local" name="startAt" required />
          </Field>
        )}
      </Form>
    </Dialog>
  );
}
