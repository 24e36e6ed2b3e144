import { useQuery } from '@tanstack/preact-query';
import type { ComponentChildren } from 'preact';
import { Link, useSearchParams } from 'wouter-preact';
import { api, said } from '../api.ts';
import { type LogFilter, withFilter } from '../log-filter.ts';
import { Chart, type Column, CountBars, type Series } from '../parts/chart.tsx';
import { causeOf, OUTCOME_WORDS, type Outcome } from '../parts/decision.tsx';
import { Field } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { Empty, Loaded } from '../parts/states.tsx';
import { count, Text, visible } from '../parts/text.tsx';
import { clock } from '../session.ts';

/** What the log holds, counted. Every bar leads to the rows that it counts. */

const HOUR_MS = 3_600_000;
const RANGES = {
  '24h': [24, 'hour', '24 hours'],
  '7d': [7 * 24, 'day', '7 days'],
  '30d': [30 * 24, 'day', '30 days'],
} as const;
type Range = keyof typeof RANGES;
/** Fewer than these tell nothing by their shape. */
const ENOUGH = 3;

interface Asked {
  readonly range: Range;
  readonly bot?: string | undefined;
  readonly action?: string | undefined;
}

type Counted = Awaited<ReturnType<typeof readCharts>>;

/** In whole hours or days of the reader's own clock, up to the end of the one that runs. */
function readCharts({ range, bot, action }: Asked) {
  const [hours, bucket] = RANGES[range];
  const end = new Date(clock());
  end.setMinutes(0, 0, 0);
  if (bucket === 'day') end.setHours(0);
  const size = bucket === 'day' ? 24 * HOUR_MS : HOUR_MS;
  const from = new Date(end.getTime() + size - hours * HOUR_MS).toISOString();
  const query = { from, bucket, ...(bot ? { bot } : {}), ...(action ? { action } : {}) };
  return said(api.GET('/api/charts', { params: { query } }));
}

/** Each minute: a hint at every call would count the whole time anew at every call. */
const useCharts = (asked: Asked) =>
  useQuery({
    queryKey: ['counted', asked.range, asked.bot, asked.action],
    queryFn: () => readCharts(asked),
    refetchInterval: 60_000,
    staleTime: 30_000,
  });

export function Charts() {
  const [search, setSearch] = useSearchParams();
  const bots = useQuery({ queryKey: ['bots'], queryFn: () => said(api.GET('/api/bots')) });
  const wanted = search.get('range');
  const range: Range = wanted !== null && wanted in RANGES ? (wanted as Range) : '24h'; // looked up
  const asked = { range, bot: search.get('bot') ?? undefined, action: search.get('action') ?? undefined };
  const query = useCharts(asked);
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(search);
    if (value === '') next.delete(name);
    else next.set(name, value);
    setSearch(next, { replace: true });
  };
  return (
    <Page title="Charts" lead="Counted from the log. A bar opens the entries that it counts.">
      <form class="card filter" aria-label="What is counted" onSubmit={(event) => event.preventDefault()}>
        <div class="fields">
          <Field label="Time">
            <select value={range} onChange={(event) => set('range', event.currentTarget.value)}>
              {Object.entries(RANGES).map(([name, [, , words]]) => (
                <option key={name} value={name}>
                  {words}
                </option>
              ))}
            </select>
          </Field>
          <Field label="Bot">
            <select value={asked.bot ?? ''} onChange={(event) => set('bot', event.currentTarget.value)}>
              <option value="">All</option>
              {bots.data?.bots.map(({ name }) => (
                <option key={name} value={name}>
                  {visible(name)}
                </option>
              ))}
            </select>
          </Field>
          <Field label="Action">
            <input
              type="search"
              value={asked.action ?? ''}
              autocomplete="off"
              spellcheck={false}
              maxLength={100}
              onChange={(event) => set('action', event.currentTarget.value.trim())}
            />
          </Field>
        </div>
      </form>
      <Loaded query={query}>{(data) => <Four data={data} asked={asked} />}</Loaded>
    </Page>
  );
}

/** The last day on the overview. */
export function DayCharts() {
  const query = useCharts({ range: '24h' });
  return (
    <section class="day" aria-labelledby="day">
      <h2 id="day">
        The last 24 hours <Link href="/charts">All charts</Link>
      </h2>
      <Loaded query={query}>{(data) => <Four data={data} asked={{ range: '24h' }} small />}</Loaded>
    </section>
  );
}

const CALLS: readonly Outcome[] = ['done', 'asked', 'refused', 'failed'];
const ANSWERS: readonly Outcome[] = ['approved', 'declined', 'expired'];
/** No two of one chart alike. */
const COLOURS = {
  ...{ done: 'good', asked: 'soft', refused: 'bad', failed: 'warn' },
  ...{ approved: 'good', declined: 'bad', expired: 'warn', cancelled: 'soft' },
} as const satisfies Record<Outcome, Series['kind']>;

function Four({
  data,
  asked,
  small = false,
}: {
  readonly data: Counted;
  readonly asked: Asked;
  readonly small?: boolean;
}) {
  const of = { ...(asked.bot ? { bot: asked.bot } : {}), ...(asked.action ? { action: asked.action } : {}) };
  const { medianMs } = data.waits;
  return (
    <div class="charts">
      <Counts title="Calls by outcome" id="calls" names={CALLS} data={data} of={of} small={small} />
      <Panel title="Refused, by cause" id="causes">
        {data.refusals.length === 0 ? (
          <Empty>Nothing was refused.</Empty>
        ) : (
          <CountBars
            of={data.refusals.slice(0, small ? 4 : 20).map(({ code, count }) => ({
              ...{ key: code, label: causeOf(code), count },
              href: withFilter('/log', { ...of, outcome: 'refused', code, since: data.from }),
            }))}
          />
        )}
      </Panel>
      <Counts title="Confirmations" id="answers" names={ANSWERS} data={data} of={of} small={small}>
        {medianMs !== null && (
          <p class="note">
            A person took {spanOf(medianMs)} (the median of {count(data.waits.count)}).
          </p>
        )}
      </Counts>
      <Panel title="API use" id="use">
        <Uses data={data} small={small} />
      </Panel>
    </div>
  );
}

function Panel({
  title,
  id,
  children,
}: {
  readonly title: string;
  readonly id: string;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="card" aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {children}
    </section>
  );
}

function Counts({
  names,
  data: { buckets, bucket },
  of,
  small,
  children,
  ...panel
}: {
  readonly title: string;
  readonly id: string;
  readonly names: readonly Outcome[];
  readonly data: Counted;
  readonly of: LogFilter;
  readonly small: boolean;
  readonly children?: ComponentChildren;
}) {
  const total = buckets.reduce((sum, one) => sum + names.reduce((all, name) => all + one[name], 0), 0);
  const size = bucket === 'day' ? 24 * HOUR_MS : HOUR_MS;
  const columns = buckets.map((one): Column => {
    const until = new Date(Date.parse(one.at) + size).toISOString();
    return {
      ...labelOf(one.at, bucket),
      key: one.at,
      values: names.map((name) => one[name]),
      hrefs: names.map((outcome) => withFilter('/log', { ...of, outcome, since: one.at, until })),
    };
  });
  const series = names.map((name): Series => ({ kind: COLOURS[name], name: OUTCOME_WORDS[name][1] }));
  return (
    <Panel {...panel}>
      {total < ENOUGH ? (
        <Empty>
          {total === 0 ? 'None yet.' : `Too few yet for a picture: ${total}.`}{' '}
          <Link href={withFilter('/log', of)}>Look at the log</Link>
        </Empty>
      ) : (
        <Chart title={panel.title} series={series} columns={columns} small={small} />
      )}
      {children}
    </Panel>
  );
}

function Uses({ data: { api: uses, bucket }, small }: { readonly data: Counted; readonly small: boolean }) {
  const known = uses.filter(({ samples }) => samples.length > 0);
  if (known.length === 0) return <Empty>Not known yet: it is noted each hour that a bot asks Salesforce.</Empty>;
  return (
    <>
      {known.map(({ bot, samples }) => (
        <div key={bot}>
          {uses.length > 1 && (
            <h4>
              <Text>{bot}</Text>
            </h4>
          )}
          <Chart
            title={`API use of ${visible(bot)}, percent of the day’s calls`}
            series={[{ name: 'used', kind: 'accent' }]}
            unit=" %"
            most={100}
            marks={MARKS}
            small={small}
            columns={samples.map(({ at, used, max }) => ({
              ...labelOf(at, 'hour', bucket === 'day'),
              key: at,
              values: [Math.round((used / max) * 1000) / 10],
            }))}
          />
        </div>
      ))}
      {!small && (
        <p class="note">At 80 % background work pauses, at 95 % everything does, until Salesforce’s day is over.</p>
      )}
    </>
  );
}

const MARKS = [
  { at: 80, label: '80 %' },
  { at: 95, label: '95 %' },
];

const hourOfDay = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const dayOfMonth = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

function labelOf(at: string, bucket: 'hour' | 'day', isLong = bucket === 'day'): Pick<Column, 'short' | 'label'> {
  const ms = Date.parse(at);
  const [day, hour] = [dayOfMonth.format(ms), hourOfDay.format(ms)];
  return { short: isLong ? day : hour, label: bucket === 'day' ? day : `${day}, ${hour}` };
}

/** A wait in the largest unit that says enough. */
function spanOf(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 60_000) return `${Math.max(1, Math.round(ms / 1_000))} s`;
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}
