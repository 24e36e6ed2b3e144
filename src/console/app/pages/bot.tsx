import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import { api, queries, said } from '../api.ts';
import { ActButton, AskButton } from '../parts/act.tsx';
import { Button } from '../parts/button.tsx';
import { AppName, BudgetMeter, ConnectionBadge, ENVIRONMENTS } from '../parts/connection.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Once } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Empty, Loaded, Notice } from '../parts/states.tsx';
import { count, OutLink, Text, Words } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';
import { ModeForm, StopButton } from './bot-mode.tsx';
import { Drift } from './drift.tsx';
import { ReadyOfBot } from './sync-ready.tsx';

type Bot = Awaited<ReturnType<typeof readBot>>;
const readBot = (bot: string) => said(api.GET('/api/bots/{bot}', { params: { path: { bot } } }));

/** One bot: its connection, what it may do, its keys. */
export function Bot({ name }: { readonly name: string }) {
  const query = useQuery({ queryKey: ['bots', name], queryFn: () => readBot(name) });
  const mayLook = useMay('READ_LOGS') === undefined;
  const back = new URLSearchParams(location.search).get('salesforce');
  return (
    <Page
      title={name}
      heading={<Text>{name}</Text>}
      crumbs={[{ href: '/bots', label: 'Bots' }]}
      actions={
        <>
          <StopButton name={name} mode={query.data?.mode} />
          <Link class="button" href={`/playground?bot=${encodeURIComponent(name)}`}>
            Playground
          </Link>
        </>
      }
    >
      {back === 'success' && (
        <Notice kind="good" title="Connected.">
          This bot can now reach Salesforce within its grants and policy.
        </Notice>
      )}
      <Loaded query={query}>
        {(bot) => (
          <>
            {bot.mode === 'off' && (
              <Notice kind="warn" title="This bot is stopped.">
                Every call is refused until a mode is chosen below.
              </Notice>
            )}
            {bot.lookups.map(({ problem, next }) => (
              <Notice kind="warn" key={problem} title={<Words>{problem}</Words>}>
                <Words>{next}</Words>
              </Notice>
            ))}
            {bot.uncheckedNames.length > 0 && (
              <Notice kind="warn" title="Part of its policy was saved unchecked: the org could not be asked.">
                <ul>
                  {bot.uncheckedNames.map((words) => (
                    <li key={words}>
                      <Words>{words}</Words>
                    </li>
                  ))}
                </ul>
                <p>Save the policy once more when the org answers.</p>
              </Notice>
            )}
            {mayLook && bot.connection.state === 'connected' && <Drift bot={bot.name} />}
            <ConnectionCard bot={bot} />
            {mayLook && bot.connection.state === 'connected' && <ReadyOfBot bot={bot.name} />}
            <MayDo bot={bot} />
            <Keys bot={bot} />
            <Chat bot={bot} />
            <Delete name={bot.name} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

const FLOWS: ReadonlyMap<string, string> = new Map([
  ['web', 'a person, through Salesforce login'],
  ['jwt', 'JWT bearer'],
  ['client-credentials', 'client credentials'],
  ['password', 'username and password'],
  ['simulated', 'the embedded simulated org'],
]);

function ConnectionCard({ bot: { name, connection } }: { readonly bot: Bot }) {
  return (
    <section class="card" aria-labelledby="connection">
      <header>
        <h2 id="connection">Salesforce connection</h2>
        <span>
          <ConnectionBadge status={{ state: connection.state }} />
        </span>
      </header>
      {connection.orgId === undefined ? (
        <p class="lead">This bot cannot reach any Salesforce org yet.</p>
      ) : (
        <ConnectionFacts connection={connection} />
      )}
      <ConnectionButtons name={name} state={connection.state} />
    </section>
  );
}

function ConnectionFacts({ connection: of }: { readonly connection: Bot['connection'] }) {
  return (
    <Facts>
      <Fact name="Environment">{of.environment && ENVIRONMENTS[of.environment]}</Fact>
      <Fact name="Org id">{of.orgId && <code>{of.orgId}</code>}</Fact>
      <Fact name="User">{of.username && <Text>{of.username}</Text>}</Fact>
      <Fact name="Instance">
        {of.flow !== 'simulated' && of.instanceUrl && <OutLink url={of.instanceUrl}>{of.instanceUrl}</OutLink>}
      </Fact>
      <Fact name="Scopes">{of.scopes && <code>{of.scopes}</code>}</Fact>
      <Fact name="Signed in by">{of.flow && (FLOWS.get(of.flow) ?? of.flow)}</Fact>
      <Fact name="App">{of.app && <AppName of={of.app} />}</Fact>
      <Fact name="Connected">{of.connectedAt && <Moment at={of.connectedAt} />}</Fact>
      <Fact name="Last success">
        {of.lastSuccessAt ? <Moment at={of.lastSuccessAt} /> : <span class="empty">none yet</span>}
      </Fact>
      <Fact name="Last failure">
        {of.lastFailure ? (
          <>
            <Moment at={of.lastFailure.at} />
            <br />
            <Words>{of.lastFailure.message}</Words> <code>{of.lastFailure.code}</code>
            <br />
            <small>
              Cure: <Words>{of.lastFailure.next}</Words>
            </small>
          </>
        ) : (
          <span class="empty">none</span>
        )}
      </Fact>
      <Fact name="Circuit breaker">{of.breaker && <Breaker of={of.breaker} />}</Fact>
      <Fact name="API calls today">{of.api && <BudgetMeter api={of.api} />}</Fact>
      <Fact name="Last sync">{of.lastSyncAt && <Moment at={of.lastSyncAt} />}</Fact>
      <Fact name="Last event">{of.lastEventAt && <Moment at={of.lastEventAt} />}</Fact>
    </Facts>
  );
}

function Breaker({ of: { state, nextTryAt } }: { readonly of: NonNullable<Bot['connection']['breaker']> }) {
  if (state === 'closed') return <>closed: calls go through</>;
  if (state === 'half-open') return <>half-open: the next calls are a trial</>;
  return (
    <>
      <Badge kind="warn">open</Badge> calls are paused
      {nextTryAt && (
        <>
          {' '}
          until <Moment at={nextTryAt} />
        </>
      )}
    </>
  );
}

function ConnectionButtons({ name, state }: { readonly name: string; readonly state: Bot['connection']['state'] }) {
  const mayConnect = useMay('CREATE_OAUTH');
  const mayDisconnect = useMay('DELETE_INTEGRATIONS');
  const isThere = state === 'connected' || state === 'needs_reauth';
  const path = { params: { path: { bot: name } } };
  return (
    <div class="actions">
      {mayConnect === undefined ? (
        <Link class={state === 'connected' ? 'button' : 'button primary'} href={`/connect/${encodeURIComponent(name)}`}>
          {isThere ? 'Reconnect' : 'Connect'}
        </Link>
      ) : (
        <Button why={mayConnect}>{isThere ? 'Reconnect' : 'Connect'}</Button>
      )}
      {isThere && (
        <ActButton
          run={() => said(api.POST('/api/bots/{bot}/integration/test', path))}
          done="The connection works: Salesforce answered just now."
          changes={['bots']}
        >
          Test
        </ActButton>
      )}
      {state === 'connected' && (
        <Link class="button" href={`/bots/${encodeURIComponent(name)}/org`}>
          Its org
        </Link>
      )}
      {isThere && (
        <AskButton
          why={mayDisconnect}
          title={`Disconnect ${name}?`}
          yes="Disconnect"
          body={
            <p>
              Gatehouse revokes its access at Salesforce and deletes the stored tokens. Its actions answer{' '}
              <code>not_connected</code> until you connect again. Records in Salesforce stay as they are.
            </p>
          }
          run={() => said(api.DELETE('/api/bots/{bot}/integration', path))}
          done={({ revoked }) =>
            revoked
              ? 'Disconnected. The access was revoked at Salesforce and the tokens are deleted.'
              : 'Disconnected here, but Salesforce did not confirm: revoke the app’s access there too (Setup, Connected Apps OAuth Usage).'
          }
          changes={['bots']}
        >
          Disconnect…
        </AskButton>
      )}
    </div>
  );
}

function MayDo({ bot: { name, mode, off, grants, policyRevision, tools } }: { readonly bot: Bot }) {
  const bytes = tools.reduce((sum, tool) => sum + tool.bytes, 0);
  return (
    <section class="card" aria-labelledby="may">
      <header>
        <h2 id="may">What it may do</h2>
        <Badge kind={mode === 'automatic' ? '' : 'warn'}>mode {mode}</Badge>
      </header>
      {grants.length === 0 ? (
        <Empty>Nothing is granted.</Empty>
      ) : (
        <ul class="chips">
          {grants.map((grant) => (
            <li key={grant}>
              <code>{grant}</code>
            </li>
          ))}
        </ul>
      )}
      {off.length > 0 && <p class="note">Switched off now: {off.join(', ')}.</p>}
      <ModeForm key={mode} name={name} mode={mode} />
      <p class="note">
        The model sees {tools.length === 1 ? '1 tool' : `${tools.length} tools`}, {count(bytes)} bytes. Policy revision{' '}
        {policyRevision}.
      </p>
      <div class="actions">
        <Link class="button" href={`/permissions?show=${encodeURIComponent(name)}`}>
          Change
        </Link>
        <Link class="button" href={`/bots/${encodeURIComponent(name)}/policy`}>
          Policy
        </Link>
        <Link class="button" href={`/bots/${encodeURIComponent(name)}/actions`}>
          Actions without code
        </Link>
        <Link class="button" href={`/bots/${encodeURIComponent(name)}/policy?view=unused`}>
          Never used
        </Link>
        <Link class="button" href={`/bots/${encodeURIComponent(name)}/sync`}>
          Sync
        </Link>
      </div>
    </section>
  );
}

function Keys({ bot: { name, keys } }: { readonly bot: Bot }) {
  const [made, setMade] = useState<{ kind: string; key: string }>();
  const why = useMay('MANAGE_BOTS');
  const make = (kind: 'agent' | 'host') => ({
    why,
    run: () => said(api.POST('/api/bots/{bot}/keys', { params: { path: { bot: name } }, body: { kind } })),
    changes: ['bots'],
    after: setMade,
  });
  return (
    <section class="card" aria-labelledby="keys">
      <h2 id="keys">Keys</h2>
      <p class="note">
        {keys.agent} agent, {keys.host} host. An agent key calls this bot’s actions; a host key is for the app that
        embeds it. Each is shown once; earlier ones stay valid.
      </p>
      {made && (
        <Once
          title={`A new ${made.kind} key of ${name}, shown this once:`}
          secret={made.key}
          note="Earlier keys stay valid."
        />
      )}
      <div class="actions">
        <ActButton {...make('agent')}>New agent key</ActButton>
        <ActButton {...make('host')}>New host key</ActButton>
      </div>
    </section>
  );
}

function Chat({ bot: { name, isChatOpen, isChatAnonymous } }: { readonly bot: Bot }) {
  const why = useMay('MANAGE_POLICY');
  const href = `/chat/${encodeURIComponent(name)}`;
  const put = (body: { page: boolean; anonymous: boolean }) => ({
    why,
    run: () => said(api.PUT('/api/bots/{bot}/chat', { params: { path: { bot: name } }, body })),
    changes: ['bots', 'policy'],
  });
  return (
    <section class="card" aria-labelledby="chat">
      <header>
        <h2 id="chat">Chat page</h2>
        <Badge kind={isChatOpen ? 'good' : ''}>{isChatOpen ? 'open' : 'closed'}</Badge>
      </header>
      <p class="note">
        {isChatOpen ? (
          <>
            At <a href={href}>{href}</a>,{' '}
            {isChatAnonymous ? 'for anybody, strangers too.' : 'for people whom your host app signed in.'}
          </>
        ) : (
          'Nobody can talk to this bot in a browser. Other doors are not touched by it.'
        )}
      </p>
      <div class="actions">
        {isChatOpen ? (
          <ActButton {...put({ page: false, anonymous: isChatAnonymous })} done="The chat page is closed.">
            Close it
          </ActButton>
        ) : (
          <ActButton {...put({ page: true, anonymous: isChatAnonymous })} done="The chat page is open.">
            Open it
          </ActButton>
        )}
        {isChatAnonymous ? (
          <ActButton {...put({ page: isChatOpen, anonymous: false })} done="Only people with a session may come.">
            Only with a session
          </ActButton>
        ) : (
          <AskButton
            {...put({ page: isChatOpen, anonymous: true })}
            kind=""
            title={`Let strangers talk to ${name}?`}
            yes="Let them in"
            no="Keep them out"
            body={
              <p>
                Whoever has the address can talk to it then, within the grants and policy of this bot. Each message
                costs words of the language model.
              </p>
            }
            done="Strangers may come."
          >
            Let strangers in…
          </AskButton>
        )}
      </div>
    </section>
  );
}

function Delete({ name }: { readonly name: string }) {
  const why = useMay('MANAGE_BOTS');
  const [, go] = useLocation();
  const [typed, setTyped] = useState('');
  return (
    <section class="card flat" aria-labelledby="delete">
      <h2 id="delete">Delete this bot</h2>
      <p class="note">
        Its keys, grants, policy, people, cases and links here go. Its log stays, and so do all records in Salesforce.
      </p>
      <div class="actions">
        <AskButton
          why={why}
          title={`Delete ${name}?`}
          yes="Delete it"
          body={
            <label class="field">
              Type its name to go on
              <input
                type="text"
                value={typed}
                autocomplete="off"
                spellcheck={false}
                onInput={(event) => setTyped(event.currentTarget.value)}
              />
            </label>
          }
          run={() =>
            said(api.DELETE('/api/bots/{bot}', { params: { path: { bot: name }, query: { confirm: typed } } }))
          }
          done={`${name} is deleted.`}
          after={() => {
            go('/bots');
            // Not asked anew at once: this page still stands, and its bot is no more.
            void queries.invalidateQueries({ queryKey: ['bots'], refetchType: 'none' });
          }}
        >
          Delete…
        </AskButton>
      </div>
    </section>
  );
}
