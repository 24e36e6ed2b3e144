import { useQuery } from '@tanstack/preact-query';
import { useSearchParams } from 'wouter-preact';
import { api, queries, said } from '../api.ts';
import { ActButton, AskButton } from '../parts/act.tsx';
import { ENVIRONMENTS } from '../parts/connection.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Badge, Loaded, Notice } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { personName, Text } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay, useSession } from '../session.ts';

/** The package sent from here: an admin signs in to Salesforce, sees what it would do there, and says yes. */

const read = (bot: string) => said(api.GET('/api/bots/{bot}/org/deployments', { params: { path: { bot } } }));
type Deployment = Awaited<ReturnType<typeof read>>['deployments'][number];
type State = Deployment['state'];

const STATES: Readonly<Record<State, readonly [words: string, kind: 'good' | 'warn' | 'bad' | '']>> = {
  waiting: ['Waits for a sign-in', 'warn'],
  signed_in: ['Signed in, not tried yet', 'warn'],
  checking: ['Salesforce tries it', ''],
  checked: ['Tried: waits for a yes', 'warn'],
  deploying: ['Salesforce deploys it', ''],
  deployed: ['Deployed', 'good'],
  failed: ['Failed', 'bad'],
  unknown: ['Sent; what became of it is not known', 'bad'],
  cancelled: ['Ended before it was deployed', ''],
  expired: ['Over: nobody said yes in time', ''],
};
const isAtWork = (state: State) => state === 'checking' || state === 'deploying';
const isOpen = (state: State) => isAtWork(state) || ['waiting', 'signed_in', 'checked'].includes(state);

interface Props {
  readonly bot: string;
  readonly environment: keyof typeof ENVIRONMENTS;
  readonly withEvents: boolean;
  readonly digest: string;
}

export function Deploy({ bot, environment, withEvents, digest }: Props) {
  const why = useMay('CREATE_OAUTH');
  const [asked] = useSearchParams();
  const list = useQuery({ queryKey: ['deployments', bot], queryFn: () => read(bot) });
  return (
    <section class="card" aria-labelledby="deploy">
      <h2 id="deploy">From here</h2>
      <p class="note">
        You sign in to Salesforce as an administrator. The package is tried there first, and deployed only after your
        yes. That sign-in is for this package alone: it is kept sealed for half an hour at most, and revoked at the end.
      </p>
      <Loaded query={list}>
        {({ deployments }) => {
          const shown = deployments.find(({ id }) => id === asked.get('deployment')) ?? deployments[0];
          return (
            <>
              {shown !== undefined && <Shown key={shown.id} first={shown} environment={environment} now={digest} />}
              {(shown === undefined || !isOpen(shown.state)) && (
                <div class="actions">
                  <ActButton
                    kind="primary"
                    why={why}
                    run={() =>
                      said(
                        api.POST('/api/bots/{bot}/org/deployments', {
                          params: { path: { bot } },
                          body: { events: withEvents },
                        }),
                      )
                    }
                    changes={['deployments']}
                  >
                    {shown === undefined ? 'Deploy it from here' : 'Begin again'}
                  </ActButton>
                </div>
              )}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

function Shown({
  first,
  environment,
  now,
}: {
  readonly first: Deployment;
  readonly environment: Props['environment'];
  readonly now: string;
}) {
  const { bot, id } = first;
  const path = { params: { path: { bot, id } } };
  const may = useMay('CREATE_OAUTH');
  const { operator } = useSession();
  const query = useQuery({
    queryKey: ['deployments', bot, id],
    queryFn: () => said(api.GET('/api/bots/{bot}/org/deployments/{id}', path)),
    initialData: first,
    // Salesforce is asked at each look.
    refetchInterval: ({ state: { data } }) => (data !== undefined && isAtWork(data.state) ? 2_000 : false),
  });
  const at = query.data;
  const [words, kind] = STATES[at.state];
  const why = may ?? (personName(at.by) === operator.name ? undefined : `${personName(at.by)} began this one.`);
  const changes = ['deployments', 'org'];
  const renewed = () => void queries.invalidateQueries({ queryKey: ['deployments', bot] });
  return (
    <>
      <Facts>
        <Fact name="State">
          <Badge kind={kind}>{words}</Badge>
        </Fact>
        <Fact name="Began">
          <Text>{personName(at.by)}</Text>, <Moment at={at.createdAt} />
        </Fact>
        <Fact name="Signed in">{at.username && <Text>{at.username}</Text>}</Fact>
        <Fact name="SHA-256">
          <code>{at.digest}</code>
        </Fact>
        <Fact name="In Setup">{at.deployId && <code>{at.deployId}</code>}</Fact>
        <Fact name="Given to the user">{at.assigned && <Text>{at.assigned}</Text>}</Fact>
      </Facts>
      {at.problem && (
        <Notice kind="bad" title={<Text>{at.problem.message}</Text>}>
          <p>
            <Text>{at.problem.next}</Text>
          </p>
          {at.problem.quote && (
            <p>
              Salesforce said: <Text>{at.problem.quote}</Text>
            </p>
          )}
        </Notice>
      )}
      {isOpen(at.state) && at.digest !== now && (
        <p class="note">The bot needs something else by now, or change events were ticked otherwise: begin again.</p>
      )}
      <Report at={at} />
      <div class="actions">
        {at.state === 'waiting' && (
          <ActButton
            kind="primary"
            why={why}
            run={() => said(api.POST('/api/bots/{bot}/org/deployments/{id}/sign-in', path))}
            after={({ url }) => location.assign(url)}
          >
            Sign in to Salesforce
          </ActButton>
        )}
        {at.state === 'signed_in' && (
          <ActButton
            kind="primary"
            why={why}
            run={() => said(api.POST('/api/bots/{bot}/org/deployments/{id}/check', path))}
            changes={changes}
          >
            Try it
          </ActButton>
        )}
        {at.state === 'checked' && (
          <>
            <Yes at={at} environment={environment} why={why} isAssigned after={renewed} />
            <Yes at={at} environment={environment} why={why} isAssigned={false} after={renewed} />
          </>
        )}
        {isOpen(at.state) && at.state !== 'deploying' && (
          <ActButton
            why={why}
            run={() => said(api.DELETE('/api/bots/{bot}/org/deployments/{id}', path))}
            changes={changes}
          >
            End it
          </ActButton>
        )}
      </div>
    </>
  );
}

function Yes({
  at,
  environment,
  why,
  isAssigned,
  after,
}: {
  readonly at: Deployment;
  readonly environment: Props['environment'];
  readonly why: string | undefined;
  readonly isAssigned: boolean;
  readonly after: () => void;
}) {
  const { bot, id, digest, orgId, permissionSet } = at;
  return (
    <AskButton
      kind={isAssigned ? 'primary' : ''}
      why={why}
      title={`Deploy to this org: ${ENVIRONMENTS[environment]}?`}
      body={
        <p>
          The package goes to the org <code>{orgId}</code> ({ENVIRONMENTS[environment]}), as it was tried.
          {isAssigned && (
            <>
              {' '}
              The user of <Text>{bot}</Text> gets the permission set <Text>{permissionSet}</Text>.
            </>
          )}
        </p>
      }
      yes="Deploy"
      no="Not now"
      run={() =>
        said(
          api.POST('/api/bots/{bot}/org/deployments/{id}/deploy', {
            params: { path: { bot, id } },
            body: { digest, assign: isAssigned },
          }),
        )
      }
      changes={['deployments', 'org']}
      after={after}
    >
      {isAssigned ? 'Deploy and assign…' : 'Deploy only…'}
    </AskButton>
  );
}

function Report({ at: { check, result, permissionSet } }: { readonly at: Deployment }) {
  const report = result ?? check;
  if (report === undefined) return null;
  return (
    <>
      {report.failures.length > 0 && (
        <Table label="What Salesforce refuses" columns={['Part', 'Problem']}>
          {report.failures.map(({ type, name, problem }) => (
            <tr key={`${type} ${name} ${problem}`}>
              <th scope="row">
                <Text>{`${type} ${name}`}</Text>
              </th>
              <td data-label="Problem">
                <Text>{problem}</Text>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {report.parts.length > 0 && (
        <Table
          label={result === undefined ? 'What it would change' : 'What it changed'}
          columns={['Part', result === undefined ? 'Would be' : 'Is']}
        >
          {report.parts.map(({ type, name, change }) => (
            <tr key={`${type} ${name}`}>
              <th scope="row">
                <Text>{`${type} ${name}`}</Text>
              </th>
              <td data-label="Change">{change}</td>
            </tr>
          ))}
        </Table>
      )}
      {check !== undefined && check.gains.length + check.loses.length > 0 && (
        <details class="object" open={check.gains.length + check.loses.length < 20}>
          <summary>
            What <Text>{permissionSet}</Text> gives{' '}
            <small>{check.isNew ? 'a new set' : 'against what it gives now'}</small>
          </summary>
          <ul>
            {check.gains.map((line) => (
              <li key={line}>
                <Text>{`+ ${line}`}</Text>
              </li>
            ))}
            {check.loses.map((line) => (
              <li key={line}>
                <Text>{`− ${line}`}</Text>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
