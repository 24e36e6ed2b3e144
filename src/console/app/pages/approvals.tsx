import { useInfiniteQuery, useQuery } from '@tanstack/preact-query';
import { useSearchParams } from 'wouter-preact';
import { api, said } from '../api.ts';
import { Page } from '../parts/page.tsx';
import { Badge, Empty, Loaded, Older } from '../parts/states.tsx';
import { personName, Text } from '../parts/text.tsx';
import { Moment, TimeLeft } from '../parts/time.tsx';

type Listed = Awaited<ReturnType<typeof readWaiting>>['proposals'][number];

/** The most there is room for on one page; the server says no more at once. */
const MOST = 200;
const LATELY = 20;
const SUMMARY = 240;

const readWaiting = (bot: string | undefined) =>
  said(api.GET('/api/proposals', { params: { query: { bot, order: 'expiry', limit: MOST } } }));
const readDecided = (bot: string | undefined, before: string | undefined) =>
  said(api.GET('/api/proposals', { params: { query: { bot, state: 'decided', before, limit: LATELY } } }));

/** The queue: whose time is over first, then what was decided lately. Nobody says yes here: the yes is where the change is shown. */
export function Approvals() {
  const [search, setSearch] = useSearchParams();
  const bot = search.get('bot') ?? undefined;
  const bots = useQuery({ queryKey: ['bots'], queryFn: () => said(api.GET('/api/bots')) });
  const waiting = useQuery({ queryKey: ['proposals', 'waiting', bot], queryFn: () => readWaiting(bot) });
  const names = bots.data?.bots.map(({ name }) => name) ?? [];
  return (
    <Page
      title="Approvals"
      lead="What a bot prepared and may not do by itself. Nothing is written until a person says yes."
      actions={
        (names.length > 1 || bot !== undefined) && (
          <label class="pick">
            Bot{' '}
            <select
              value={bot ?? ''}
              onChange={({ currentTarget: { value } }) => setSearch(value === '' ? {} : { bot: value })}
            >
              <option value="">All</option>
              {[...new Set([...names, ...(bot === undefined ? [] : [bot])])].map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )
      }
    >
      <Loaded query={waiting}>
        {({ proposals }) =>
          proposals.length === 0 ? (
            <section class="card flat">
              <h2>Nothing waits.</h2>
              <p class="note">What needs a person appears here by itself.</p>
            </section>
          ) : (
            <ul class="cards" aria-label="Waiting">
              {proposals.map((proposal) => (
                <Card key={proposal.id} of={proposal} isWaiting />
              ))}
            </ul>
          )
        }
      </Loaded>
      <Decided key={bot} bot={bot} />
    </Page>
  );
}

function Decided({ bot }: { readonly bot: string | undefined }) {
  const query = useInfiniteQuery({
    queryKey: ['proposals', 'decided', bot],
    queryFn: ({ pageParam }) => readDecided(bot, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
  });
  return (
    <section class="stack" aria-labelledby="lately">
      <h2 id="lately">Lately decided</h2>
      <Loaded query={query}>
        {({ pages }) => {
          const all = pages.flatMap(({ proposals }) => proposals);
          if (all.length === 0) return <Empty>Nothing was decided yet.</Empty>;
          return (
            <>
              <ul class="cards" aria-label="Decided lately">
                {all.map((proposal) => (
                  <Card key={proposal.id} of={proposal} />
                ))}
              </ul>
              <Older query={query} />
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

const STATES = {
  received: ['accent', 'Not looked up yet'],
  pending: ['accent', 'Waiting'],
  approved: ['accent', 'Approved'],
  executing: ['accent', 'Running'],
  done: ['good', 'Done'],
  failed: ['bad', 'Failed'],
  conflict: ['warn', 'Conflict'],
  unknown: ['warn', 'Not known yet'],
  rejected: ['', 'Declined'],
  expired: ['', 'Expired'],
  superseded: ['', 'Replaced'],
} as const;

/** The page of one proposal is the server's own, so that it works without a script: a link, not a route. */
function Card({ of, isWaiting = false }: { readonly of: Listed; readonly isWaiting?: boolean }) {
  const [kind, word] = STATES[of.state];
  return (
    <li class="card link">
      <p class="eyebrow">
        <Badge kind={kind}>{word}</Badge>
        {of.declinedInClient && <Badge kind="warn">declined in the client</Badge>}
        <Text>{of.bot}</Text>
        <span>{of.action}</span>
        {of.state === 'pending' && <TimeLeft until={of.expiresAt} />}
      </p>
      <h3>
        <a href={`/approvals/${of.id}`}>
          <Text>{of.summary.length > SUMMARY ? `${of.summary.slice(0, SUMMARY - 1)}…` : of.summary}</Text>
        </a>
      </h3>
      <p class="note">{isWaiting ? <Wait of={of} /> : <End of={of} />}</p>
    </li>
  );
}

function Wait({ of }: { readonly of: Listed }) {
  if (of.state === 'received') return <>A visitor was thanked for it; it is looked up as soon as the org answers.</>;
  if (of.state === 'expired') return <>Nobody decided in time; it can still be written or declined.</>;
  return (
    <>
      Asked <Moment at={of.createdAt} />
    </>
  );
}

function End({ of }: { readonly of: Listed }) {
  const at = of.settledAt ?? of.decidedAt ?? of.createdAt;
  return (
    <>
      {of.decidedBy === null ? 'Nobody decided' : <Text>{personName(of.decidedBy)}</Text>}, <Moment at={at} />
      {of.reason !== null && (
        <>
          :{' '}
          <q>
            <Text>{of.reason}</Text>
          </q>
        </>
      )}
    </>
  );
}
