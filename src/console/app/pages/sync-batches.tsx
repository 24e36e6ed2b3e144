import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { ActButton, AskButton } from '../parts/act.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Badge, Empty, Loaded, Older } from '../parts/states.tsx';
import { counted, type Kind } from '../parts/sync.tsx';
import { count, Words } from '../parts/text.tsx';
import { Moment, ownZone, WallTime } from '../parts/time.tsx';
import { ZoneField } from '../parts/zone.tsx';
import { useMay } from '../session.ts';

const readBatches = (bot: string) => said(api.GET('/api/bots/{bot}/sync/batches', { params: { path: { bot } } }));
type Batch = Awaited<ReturnType<typeof readBatches>>['batches'][number];
type Repeat = NonNullable<Batch['repeat']>;
const isOpen = ({ state }: Batch) => state === 'running' || state === 'paused' || state === 'scheduled';

/** What runs, what will, and what ran. */
export function Batches({ bot }: { readonly bot: string }) {
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
              <Older
                query={{
                  hasNextPage: shown.length < batches.length,
                  isFetchingNextPage: false,
                  fetchNextPage: async () => setAll(true),
                }}
              />
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

const LATE_MS = 10 * 60_000;
const capital = (word: string) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
const repeatWords = (repeat: Repeat) =>
  `Every ${repeat.every === 'day' ? 'day' : capital(repeat.on)} at ${repeat.at}, ${repeat.zone}`;

const BATCH_STATES = {
  scheduled: ['', 'Scheduled'],
  running: ['accent', 'Running'],
  paused: ['warn', 'Paused'],
  cancelled: ['', 'Cancelled'],
  done: ['good', 'Done'],
} as const;

function OneBatch({ bot, batch }: { readonly bot: string; readonly batch: Batch }) {
  const why = useMay('MANAGE_MAPPINGS');
  const { id, kind, state, done, total, failed, calls, note, startAt, begunAt, finishedAt, createdAt, repeat } = batch;
  const [tone, words] = BATCH_STATES[state];
  const path = { params: { path: { bot, id } } };
  /** Of one that runs, the next time is a batch of its own. */
  const isComing = repeat !== undefined && begunAt === undefined;
  const label = `All ${kind === 'party' ? 'people' : 'cases'}`;
  return (
    <>
      <p>
        <strong>{label}</strong> <Badge kind={tone}>{words}</Badge>{' '}
        <small>
          {begunAt === undefined && isOpen(batch) && startAt ? (
            <>
              begins <Moment at={startAt} />
            </>
          ) : (
            <Moment at={finishedAt ?? createdAt} />
          )}
        </small>
      </p>
      {repeat && (
        <p class="note">
          {repeatWords(repeat)}
          {state === 'scheduled' && startAt && (
            <>
              . Next: <WallTime at={startAt} zone={repeat.zone} />
            </>
          )}
        </p>
      )}
      {startAt && begunAt && Date.parse(begunAt) - Date.parse(startAt) > LATE_MS && (
        <p class="note">
          It was due <Moment at={startAt} /> and began late: nobody was there, or the hours were quiet.
          {batch.missed > 0 &&
            ` ${batch.missed} later ${batch.missed === 1 ? 'time was' : 'times were'} missed; it ran once for all.`}
        </p>
      )}
      {state !== 'scheduled' && !(state === 'paused' && begunAt === undefined && total === 0) && (
        <p class="progress">
          <progress max={Math.max(total, 1)} value={total === 0 ? 1 : done} aria-label={`${label}: progress`} />{' '}
          <span>
            {count(done)} of {count(total)} · {count(failed)} failed · {count(calls)} calls
          </span>
        </p>
      )}
      {note && (
        <p class="note">
          <Words>{note}</Words>
        </p>
      )}
      {isOpen(batch) && (
        <div class="actions">
          {state === 'paused' ? (
            <ActButton
              why={why}
              run={() => said(api.POST('/api/bots/{bot}/sync/batches/{id}/resume', path))}
              done={({ state: now }) => (now === 'scheduled' ? 'It comes again.' : 'It goes on where it stopped.')}
              changes={['sync']}
            >
              Resume
            </ActButton>
          ) : (
            <ActButton
              why={why}
              run={() => said(api.POST('/api/bots/{bot}/sync/batches/{id}/pause', path))}
              done={
                state === 'scheduled' ? 'Paused: it does not begin until resumed.' : 'Paused after the chunk under way.'
              }
              changes={['sync']}
            >
              Pause
            </ActButton>
          )}
          <AskButton
            why={why}
            title={isComing ? 'End this repeating?' : 'Cancel this batch?'}
            yes={isComing ? 'End it' : 'Cancel the batch'}
            body={
              <p>
                {isComing
                  ? 'It comes no more. The batches that it made stay in the list.'
                  : 'What was done stays done. The rest waits as before; a new batch finds it.'}
              </p>
            }
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

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
const WAYS = [
  ['now', 'Now', 'It sends only what differs.'],
  ['later', 'At a time', 'Once.'],
  ['again', 'Again and again', 'Every day or week, until you end it.'],
] as const;

/** The body's part that says when. */
function whenOf(way: (typeof WAYS)[number][0], fields: FormData) {
  const text = (name: string) => String(fields.get(name) ?? '');
  if (way === 'later') return { startAt: new Date(text('startAt')).toISOString() };
  if (way === 'now') return {};
  const clock = { at: text('at'), zone: text('zone') };
  const on = WEEKDAYS.find((day) => day === text('on'));
  return { repeat: on === undefined ? { every: 'day' as const, ...clock } : { every: 'week' as const, on, ...clock } };
}

/** A batch of everything: now, at a time, or again and again. */
export function StartDialog({ bot, onClose }: { readonly bot: string; readonly onClose: () => void }) {
  const [kind, setKind] = useState<Kind>('party');
  const [way, setWay] = useState<(typeof WAYS)[number][0]>('now');
  return (
    <Dialog title="Sync everything" onClose={onClose}>
      <Form
        button={{ now: 'Start', later: 'Schedule it', again: 'Repeat it' }[way]}
        beside={
          <button type="button" onClick={onClose}>
            Not now
          </button>
        }
        run={(fields) => {
          const only = fields.get('only') === 'failed' ? ('failed' as const) : ('all' as const);
          return said(
            api.POST('/api/bots/{bot}/sync/batches', {
              params: { path: { bot } },
              body: { kind, only, ...whenOf(way, fields) },
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
        <fieldset>
          <legend>When</legend>
          {WAYS.map(([one, words, more]) => (
            <label class="choice" key={one}>
              <input type="radio" name="way" checked={way === one} onChange={() => setWay(one)} />
              <span>
                {words}
                <small>{more}</small>
              </span>
            </label>
          ))}
        </fieldset>
        {way === 'later' && (
          <Field label="Day and time" help={`By your own clock (${ownZone()}).`}>
            <input type="datetime-local" name="startAt" required />
          </Field>
        )}
        {way === 'again' && (
          <>
            <Field label="Every">
              <select name="on">
                <option value="">Day</option>
                {WEEKDAYS.map((day) => (
                  <option key={day} value={day}>
                    {capital(day)}
                  </option>
                ))}
              </select>
            </Field>
            <Field
              label="At"
              help="In the night that has no such time it comes as the clock jumps; in the one that has it twice, the first time."
            >
              <input type="time" name="at" required defaultValue="02:30" />
            </Field>
            <ZoneField />
          </>
        )}
      </Form>
    </Dialog>
  );
}
