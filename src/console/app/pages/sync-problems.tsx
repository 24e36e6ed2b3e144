import { useQuery } from '@tanstack/preact-query';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { ActButton } from '../parts/act.tsx';
import { Company } from '../parts/company.tsx';
import { Badge, Empty, Loaded } from '../parts/states.tsx';
import { RecordLink, recordPath, syncPath } from '../parts/sync.tsx';
import { count, Text, Words } from '../parts/text.tsx';
import { useMay } from '../session.ts';

const readStatus = (bot: string) => said(api.GET('/api/bots/{bot}/sync/status', { params: { path: { bot } } }));
export type Status = Awaited<ReturnType<typeof readStatus>>;
type Problem = Status['problems'][number];

export function useStatus(bot: string) {
  return useQuery({ queryKey: ['sync', bot, 'status'], queryFn: () => readStatus(bot) });
}

/** What is wrong, by kind, the most frequent first: each with its cure. */
export function Problems({ bot, title = 'Problems' }: { readonly bot: string; readonly title?: string }) {
  const query = useStatus(bot);
  const why = useMay('MANAGE_MAPPINGS');
  const sum = (problems: readonly Problem[]) =>
    problems.reduce((all, { kind, count: own }) => (kind === undefined ? all : all + own), 0);
  return (
    <section class="card" aria-label={title}>
      <Loaded query={query}>
        {({ problems }) => (
          <>
            <header>
              <h2>{title}</h2>
              {sum(problems) > 0 && problems.length > 1 && (
                <ActButton
                  why={why}
                  run={() =>
                    said(api.POST('/api/bots/{bot}/sync/retry', { params: { path: { bot } }, body: { failed: true } }))
                  }
                  done={({ retried }) => `${count(retried)} are tried again now.`}
                  changes={['sync']}
                >
                  Retry all
                </ActButton>
              )}
            </header>
            {problems.length === 0 ? (
              <Empty>Everything is in step.</Empty>
            ) : (
              <ul class="problems">
                {problems.map((problem) => (
                  <li key={`${problem.kind} ${problem.message}`}>
                    <One bot={bot} problem={problem} />
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </Loaded>
    </section>
  );
}

function One({ bot, problem }: { readonly bot: string; readonly problem: Problem }) {
  const { kind, company, message, next, salesforce, quote, examples } = problem;
  const why = useMay('MANAGE_MAPPINGS');
  const chosen = examples.find(({ candidates }) => candidates !== undefined);
  return (
    <>
      <p>
        {problem.count > 0 && <Badge kind="warn">{count(problem.count)}</Badge>}{' '}
        <strong>
          <Words>{message}</Words>
        </strong>{' '}
        {salesforce && <code>{salesforce}</code>}
      </p>
      {quote && (
        <p class="note">
          Salesforce said: <Text>{quote}</Text>
        </p>
      )}
      <p class="note">
        {company ? (
          'Choose the account that is meant, let it be made, or leave it out: the people stay in step without it.'
        ) : (
          <Words>{next}</Words>
        )}
      </p>
      {examples.length > 0 && (
        <p class="note">
          Such as{' '}
          {examples.slice(0, 3).map((example, at) => (
            <span key={example.localId}>
              {at > 0 && ', '}
              <RecordLink bot={bot} {...example} />
            </span>
          ))}
        </p>
      )}
      {kind && (
        <div class="actions">
          {chosen && (
            <Link class="button" href={recordPath(bot, chosen.kind, chosen.localId)}>
              Choose
            </Link>
          )}
          <Link class="button" href={syncPath(bot, `/links?problem=${kind}`)}>
            Show
          </Link>
          <ActButton
            why={why}
            run={() =>
              said(
                api.POST('/api/bots/{bot}/sync/retry', {
                  params: { path: { bot } },
                  body: { failed: true, problem: kind },
                }),
              )
            }
            done={({ retried }) => `${count(retried)} are tried again now.`}
            changes={['sync']}
          >
            Retry {count(problem.count)}
          </ActButton>
        </div>
      )}
      {company && <Company bot={bot} company={company} candidates={examples[0]?.candidates} />}
    </>
  );
}
