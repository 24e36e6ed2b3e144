import { useQuery } from '@tanstack/preact-query';
import { useEffect, useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import { api, said } from '../api.ts';
import { type LogFilter, queryOf, useLogFilter, withFilter } from '../log-filter.ts';
import { ActButton, AskButton } from '../parts/act.tsx';
import { BeforeAfter, Changes } from '../parts/changes.tsx';
import { causeOf, cureOf, detailOf, type LogRow, OutcomeBadge } from '../parts/decision.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Empty, Loaded, Notice } from '../parts/states.tsx';
import { count, OutLink, personName, Reasons, Text, Value } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';

type Entry = Awaited<ReturnType<typeof readEntry>>;
const at = (seq: number) => ({ params: { path: { seq: String(seq) } } });
const readEntry = (seq: number) => said(api.GET('/api/audit/{seq}', at(seq)));

/** One decision: what happened, why, what it changed, what followed, and that nobody rewrote it. */
export function LogEntry({ seq }: { readonly seq: number }) {
  const { filter } = useLogFilter();
  const query = useQuery({ queryKey: ['log', seq], queryFn: () => readEntry(seq) });
  return (
    <Page
      title={`Entry ${count(seq)}`}
      crumbs={[{ href: withFilter('/log', filter), label: 'Log' }]}
      actions={<Neighbours seq={seq} filter={filter} />}
    >
      <Loaded query={query}>
        {(entry) => (
          <>
            <What entry={entry} />
            <Why row={entry.row} />
            <Values entry={entry} />
            <Steps row={entry.row} filter={filter} />
            <Chain entry={entry} />
            <Undo entry={entry} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** Within the filter that the entry was found by. */
function Neighbours({ seq, filter }: { readonly seq: number; readonly filter: LogFilter }) {
  const [, go] = useLocation();
  const beside = (side: 'before' | 'after') =>
    useQuery({
      queryKey: ['audit', side, seq, JSON.stringify(filter)],
      queryFn: async () => {
        const query = { ...queryOf(filter), [side]: seq, limit: 1 };
        const { rows } = await said(api.GET('/api/audit', { params: { query } }));
        return rows[0]?.seq ?? null;
      },
    }).data;
  const [newer, older] = [beside('after'), beside('before')];
  const link = (to: number | null | undefined, words: string) =>
    to == null ? (
      // Keeps its place: nothing moves once there is one.
      <span class="button" style={{ visibility: 'hidden' }}>
        {words}
      </span>
    ) : (
      <Link class="button" href={withFilter(`/log/${to}`, filter)}>
        {words}
      </Link>
    );
  /** Only while the focus is here: a letter typed elsewhere is that letter. */
  const walk = ({ key }: KeyboardEvent) => {
    const to = key === 'j' ? older : key === 'k' ? newer : undefined;
    if (to != null) go(withFilter(`/log/${to}`, filter));
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a second way beside its links
    <div class="actions" onKeyDown={walk}>
      {link(newer, 'Newer')}
      {link(older, 'Older')}
    </div>
  );
}

function What({ entry: { row, url } }: { readonly entry: Entry }) {
  const { ms, calls, rows, conversation } = detailOf(row);
  return (
    <section class="card" aria-labelledby="what">
      <header>
        <h2 id="what">
          <Text>{row.action}</Text>
        </h2>
        <OutcomeBadge row={row} />
      </header>
      <Facts>
        <Fact name="When">
          <Moment at={row.at} /> <small>{new Date(row.at).toLocaleString('en-GB')}</small>
        </Fact>
        <Fact name="Bot">
          {row.bot !== null && (
            <Link href={`/bots/${encodeURIComponent(row.bot)}`}>
              <Text>{row.bot}</Text>
            </Link>
          )}
        </Fact>
        <Fact name="Who">
          <Text>{personName(row.principal)}</Text> <small>by {row.channel}</small>
        </Fact>
        <Fact name="Record">
          {row.recordId === null ? undefined : (
            <>
              {row.object} <OutLink url={url}>{row.recordId}</OutLink>
            </>
          )}
        </Fact>
        <Fact name="Rows read">{rows === undefined ? undefined : count(rows)}</Fact>
        <Fact name="Cost">
          {calls === undefined || ms === undefined
            ? undefined
            : `${calls === 1 ? 'one request' : `${count(calls)} requests`} to Salesforce, ${count(ms)} ms`}
        </Fact>
        <Fact name="Conversation">{conversation && <code>{conversation}</code>}</Fact>
        <Fact name="Proposal">{row.proposal && <a href={`/approvals/${row.proposal}`}>Look at it</a>}</Fact>
      </Facts>
    </section>
  );
}

function Why({ row }: { readonly row: LogRow }) {
  const { code, reasons: own } = detailOf(row);
  const steps = useSteps(row);
  const { bot } = row;
  // Of a proposal the rule spoke when it was asked for.
  const reasons =
    own.length > 0
      ? own
      : (steps.data?.rows.map((step) => detailOf(step).reasons).findLast((all) => all.length > 0) ?? []);
  const isOfPolicy = row.outcome !== null && bot !== null;
  if (!isOfPolicy) return null;
  const cure = code === undefined ? undefined : cureOf(code);
  const cell = `/permissions?${new URLSearchParams({ bot, action: row.action })}`;
  return (
    <section class="card" aria-labelledby="why">
      <h2 id="why">Why</h2>
      {code !== undefined && (
        <p>
          <strong>{causeOf(code)}.</strong> {cure}
        </p>
      )}
      {reasons.length > 0 ? (
        <Reasons of={reasons} />
      ) : (
        code === undefined && <p class="note">{PLAIN[row.outcome ?? 'done']}</p>
      )}
      <div class="actions">
        {row.policyRevision !== null && (
          <Link class="button" href={`/bots/${encodeURIComponent(bot)}/policy?revision=${row.policyRevision}`}>
            Policy, revision {row.policyRevision}
          </Link>
        )}
        <Link class="button" href={cell}>
          Permission of this action
        </Link>
      </div>
    </section>
  );
}

/** Where no rule spoke. */
const PLAIN = {
  done: 'The policy lets this run by itself, or a person said yes before.',
  asked: 'The policy has a person decide this.',
  refused: 'It was refused before a rule was looked at.',
  failed: 'It was let run, and did not end as meant.',
  cancelled: 'The caller left before it had ended.',
  approved: 'A person said yes.',
  declined: 'A person said no.',
  expired: 'Nobody decided in time.',
} as const;

/** Fields are open to every reader of the log; what they held is shown on a press that is written down itself. */
function Values({ entry: { row, hasValues } }: { readonly entry: Entry }) {
  const why = useMay('READ_VALUES');
  const [seen, setSeen] = useState<Awaited<ReturnType<typeof readValues>>>();
  const { writes, fields } = detailOf(row);
  const isEmpty = writes.length === 0 && fields.length === 0 && !hasValues;
  if (isEmpty) return null;
  return (
    <section class="card" aria-labelledby="values">
      <h2 id="values">{writes.length > 0 ? 'Before and after' : 'What it read'}</h2>
      {seen === undefined ? (
        <>
          {writes.map((write) => (
            <p key={`${write.object} ${write.fields.join()}`}>
              {KINDS.get(write.kind) ?? write.kind} {write.object}: <code class="wrap">{write.fields.join(', ')}</code>
            </p>
          ))}
          {fields.length > 0 && (
            <p>
              Read: <code class="wrap">{fields.join(', ')}</code>
            </p>
          )}
          {hasValues ? (
            <>
              <div class="actions">
                <ActButton run={() => readValues(row.seq)} after={setSeen} why={why}>
                  {writes.length > 0 ? 'Show values' : 'Show the query'}
                </ActButton>
              </div>
              <p class="note">{why ?? 'They may be of people: that you looked is written into this log.'}</p>
            </>
          ) : (
            <p class="note">The values are gone: their time is over, or they were erased.</p>
          )}
        </>
      ) : (
        <Shown seen={seen} />
      )}
    </section>
  );
}

const readValues = (seq: number) => said(api.POST('/api/audit/{seq}/values', at(seq)));
const KINDS: ReadonlyMap<string, string> = new Map([
  ['create', 'Created'],
  ['update', 'Changed'],
  ['remove', 'Deleted'],
]);

function Shown({ seen: { changes, query, more } }: { readonly seen: Awaited<ReturnType<typeof readValues>> }) {
  return (
    <>
      {changes.length > 0 && (
        <Changes label="Before and after">
          {changes.map(({ object, id, field, before, after }) => (
            <tr key={`${id} ${field}`}>
              <th scope="row">
                {field} <code>{object}</code>
              </th>
              <BeforeAfter before={before} after={after} />
            </tr>
          ))}
        </Changes>
      )}
      {query !== undefined && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <pre class="query" tabIndex={0}>
          <Text>{query}</Text>
        </pre>
      )}
      {Object.entries(more).map(([name, value]) => (
        <div key={name}>
          <h3>{name}</h3>
          <Value of={value} />
        </div>
      ))}
      {changes.length === 0 && query === undefined && Object.keys(more).length === 0 && <Empty>It held none.</Empty>}
    </>
  );
}

const useSteps = ({ proposal }: LogRow) =>
  useQuery({
    queryKey: ['audit', 'steps', proposal],
    queryFn: () => said(api.GET('/api/audit', { params: { query: { proposal: proposal ?? '', limit: 100 } } })),
    enabled: proposal !== null,
  });

/** The rows of the same proposal, from the question to the end. */
function Steps({ row, filter }: { readonly row: LogRow; readonly filter: LogFilter }) {
  const { proposal, seq } = row;
  const query = useSteps(row);
  if (proposal === null) return null;
  return (
    <section class="card" aria-labelledby="steps">
      <h2 id="steps">From the question to the end</h2>
      <Loaded query={query}>
        {({ rows }) => (
          <ol class="timeline">
            {[...rows].reverse().map((step) => (
              <li key={step.seq} aria-current={step.seq === seq ? 'step' : undefined}>
                <OutcomeBadge row={step} /> <Moment at={step.at} /> <Text>{personName(step.principal)}</Text>{' '}
                {step.seq !== seq && <Link href={withFilter(`/log/${step.seq}`, filter)}>Entry {count(step.seq)}</Link>}
              </li>
            ))}
          </ol>
        )}
      </Loaded>
    </section>
  );
}

function Chain({ entry: { row, isIntact } }: { readonly entry: Entry }) {
  const [verdict, setVerdict] = useState<Awaited<ReturnType<typeof verify>>>();
  const isHeldToHere = verdict !== undefined && (verdict.ok || (verdict.problem?.seq ?? 0) > row.seq);
  return (
    <section class="card" aria-labelledby="chain">
      <header>
        <h2 id="chain">Proof</h2>
        {isIntact ? <Badge kind="good">As it was written</Badge> : <Badge kind="bad">Changed since</Badge>}
      </header>
      {!isIntact && (
        <Notice kind="bad" title="Somebody changed this row in the database.">
          Nothing that it says is believed, and nothing can be undone by it. Keep the database as it is, and compare it
          with a backup.
        </Notice>
      )}
      {verdict === undefined ? (
        <p class="note">This row carries our signature over the row before it. The whole chain is read on a press.</p>
      ) : (
        <Notice
          kind={verdict.ok ? 'good' : 'bad'}
          title={
            isHeldToHere
              ? `Verified to here: every row up to ${count(row.seq)} is as it was written.`
              : 'The chain does not hold.'
          }
        >
          {verdict.problem === undefined
            ? `All ${count(verdict.rows)} rows are.`
            : `Row ${count(verdict.problem.seq)}: ${verdict.problem.words}.`}
        </Notice>
      )}
      <div class="actions">
        <ActButton run={verify} after={setVerdict}>
          Verify the chain
        </ActButton>
      </div>
    </section>
  );
}

const verify = () => said(api.GET('/api/audit/verify'));

function Undo({ entry: { row, mayUndo } }: { readonly entry: Entry }) {
  const why = useMay('DECIDE_PROPOSALS');
  const [asked, setAsked] = useState<string>();
  useEffect(() => setAsked(undefined), [row.seq]);
  if (asked !== undefined)
    return (
      <Notice kind="good" title="Asked. It waits for an approver like any other write.">
        <a href={`/approvals/${asked}`}>Look at the proposal</a>
      </Notice>
    );
  if (!mayUndo) return null;
  return (
    <div class="actions">
      <AskButton
        why={why}
        title="Undo this write?"
        yes="Ask"
        no="Leave it"
        body={
          <p>
            This makes a proposal that puts the record back as it was, if it still holds what was written. Mails, flows
            and other automation that the write set off stay.
          </p>
        }
        run={() => said(api.POST('/api/audit/{seq}/undo', at(row.seq)))}
        changes={['proposals', 'audit']}
        after={({ proposal }) => setAsked(proposal?.id)}
      >
        Undo…
      </AskButton>
    </div>
  );
}
