import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link, useSearchParams } from 'wouter-preact';
import { rightsInWords } from '../../../domain/rights.ts';
import { api, said } from '../api.ts';
import { ENVIRONMENTS } from '../parts/connection.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Page } from '../parts/page.tsx';
import { Empty, Loaded, Notice } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { count, Text, Words } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { byServer } from '../session.ts';
import { Deploy } from './org-deploy.tsx';

/** The org of a bot as it is and as it must be set up: what its user may do there, and what an admin deploys or clicks. */

const VIEWS = [
  ['', 'What its user may do'],
  ['package', 'What an admin sets up'],
] as const;

export function OrgSetup({ name }: { readonly name: string }) {
  const [asked] = useSearchParams();
  const view = asked.get('view') ?? '';
  const here = `/bots/${encodeURIComponent(name)}`;
  const connection = useQuery({
    queryKey: ['bots', name, 'connection'],
    queryFn: () => said(api.GET('/api/bots/{bot}/integration', { params: { path: { bot: name } } })),
  });
  return (
    <Page
      title={`Org of ${name}`}
      heading={
        <>
          The org of <Text>{name}</Text>
        </>
      }
      crumbs={[
        { href: '/bots', label: 'Bots' },
        { href: here, label: name },
      ]}
    >
      <nav class="tabs" aria-label="Views of the org">
        {VIEWS.map(([key, label]) => (
          <Link
            key={key}
            href={`${here}/org${key === '' ? '' : `?view=${key}`}`}
            aria-current={view === key ? 'page' : undefined}
          >
            {label}
          </Link>
        ))}
      </nav>
      <Loaded query={connection}>
        {({ state }) =>
          state !== 'connected' ? (
            <Empty>
              It is not connected: there is no org to look at.{' '}
              <Link href={`/connect/${encodeURIComponent(name)}`}>Connect it</Link>
            </Empty>
          ) : view === 'package' ? (
            <Package bot={name} />
          ) : (
            <Check bot={name} />
          )
        }
      </Loaded>
    </Page>
  );
}

/** What asks the org afresh is asked when somebody wants it, not by the clock: it costs API calls. */
const ONCE = {
  staleTime: Number.POSITIVE_INFINITY,
  refetchInterval: false,
  refetchOnWindowFocus: false,
  refetchOnReconnect: false,
} as const;

function Check({ bot }: { readonly bot: string }) {
  const query = useQuery({
    ...ONCE,
    queryKey: ['org', bot, 'check'],
    queryFn: () => said(api.GET('/api/bots/{bot}/org/check', { params: { path: { bot } } })),
  });
  return (
    <Loaded query={query}>
      {({ username, tooLittle, tooMuch, system, isSystemUnknown }) => (
        <>
          <div class="actions">
            <button type="button" aria-busy={query.isFetching} onClick={() => void query.refetch()}>
              Look again
            </button>
            <span class="note">
              Asked <Moment at={new Date(byServer(query.dataUpdatedAt)).toISOString()} />. Nothing is changed by it.
            </span>
          </div>
          {tooLittle.length === 0 ? (
            <Notice
              kind="good"
              title={
                <>
                  <Text>{username}</Text> may do all that <Text>{bot}</Text> needs.
                </>
              }
            />
          ) : (
            <section class="card" aria-labelledby="little">
              <h2 id="little">What will fail</h2>
              <Table label="Too little" columns={['Object', 'Missing', 'Needed for']}>
                {tooLittle.map((one) => (
                  <tr key={one.object}>
                    <th scope="row">
                      <Text>{one.object}</Text>
                    </th>
                    <td data-label="Missing">
                      <Text>{rightsInWords(one).join('; ')}</Text>
                    </td>
                    <td data-label="Needed for">
                      <Text>{one.because.join(', ')}</Text>
                    </td>
                  </tr>
                ))}
              </Table>
              <Cure bot={bot} words="Give these in Setup, Permission Sets. The least set that holds them:" />
            </section>
          )}
          {tooMuch.length + system.length === 0 ? (
            <Notice kind="good" title="And no more than that." />
          ) : (
            <section class="card" aria-labelledby="much">
              <h2 id="much">What to take away</h2>
              {system.length > 0 && (
                <>
                  <p>System permissions:</p>
                  <ul class="chips">
                    {system.map((name) => (
                      <li key={name}>
                        <code>{name}</code>
                      </li>
                    ))}
                  </ul>
                </>
              )}
              {tooMuch.length > 0 && (
                <details class="object">
                  <summary>
                    {tooMuch.length === 1 ? 'One object' : `${count(tooMuch.length)} objects`}{' '}
                    <small>rights and fields beyond its needs</small>
                  </summary>
                  <Table label="Too much" columns={['Object', 'Take away']}>
                    {tooMuch.map((one) => (
                      <tr key={one.object}>
                        <th scope="row">
                          <Text>{one.object}</Text>
                        </th>
                        <td data-label="Take away">
                          <Text>{rightsInWords(one).join('; ')}</Text>
                        </td>
                      </tr>
                    ))}
                  </Table>
                </details>
              )}
              <Cure
                bot={bot}
                words="Best is a user of its own, with a profile that allows little, and this set alone:"
              />
            </section>
          )}
          {isSystemUnknown && (
            <p class="note">
              <Text>{username}</Text> may not look at permission sets: nothing is said of system permissions.
            </p>
          )}
        </>
      )}
    </Loaded>
  );
}

function Cure({ bot, words }: { readonly bot: string; readonly words: string }) {
  return (
    <p class="note">
      {words} <Link href={`/bots/${encodeURIComponent(bot)}/org?view=package`}>what an admin sets up</Link>.
    </p>
  );
}

function Package({ bot }: { readonly bot: string }) {
  const [events, setEvents] = useState(false);
  const query = useQuery({
    ...ONCE,
    queryKey: ['org', bot, 'package', events],
    queryFn: () =>
      said(
        api.GET('/api/bots/{bot}/org/package', {
          params: { path: { bot }, query: { events: events ? 'true' : 'false' } },
        }),
      ),
  });
  return (
    <>
      <p class="lead">
        The least that <Text>{bot}</Text> needs in its org, from its grants, policy, mappings and actions without code.
        An admin deploys it with a Salesforce sign-in of their own, from here or by hand: that of the bot never does.
      </p>
      <label class="choice">
        <input type="checkbox" checked={events} onChange={(event) => setEvents(event.currentTarget.checked)} />
        <span>
          With change events
          <small>Selects the synced objects for Change Data Capture, too.</small>
        </span>
      </label>
      <Loaded query={query}>
        {({ permissionSet, parts, clicks, environment, username, digest, zip }) => (
          <>
            <section class="card" aria-labelledby="parts">
              <h2 id="parts">As a package</h2>
              <Facts>
                <Fact name="For">
                  <Text>{username}</Text>
                </Fact>
                <Fact name="Org">{ENVIRONMENTS[environment]}</Fact>
                <Fact name="SHA-256">
                  <code>{digest}</code>
                </Fact>
              </Facts>
              <details class="object">
                <summary>
                  What is in it <small>{count(parts.length)} parts</small>
                </summary>
                <ul>
                  {parts.map((part) => (
                    <li key={part}>
                      <Text>{part}</Text>
                    </li>
                  ))}
                </ul>
              </details>
              <div class="actions">
                <button type="button" class="primary" onClick={() => download(zip, `${permissionSet}.zip`)}>
                  Download the zip
                </button>
              </div>
              <p class="note">
                An admin who is signed in to the Salesforce CLI tries it like this, and deploys it without{' '}
                <code>--dry-run</code>:
              </p>
              <code class="wrap">
                sf project deploy start --metadata-dir {permissionSet}.zip --single-package --dry-run --target-org ADMIN
              </code>
            </section>
            <Deploy bot={bot} environment={environment} withEvents={events} digest={digest} />
            <section class="card" aria-labelledby="clicks">
              <h2 id="clicks">Or click by click</h2>
              <ol class="steps">
                {clicks.map((click) => (
                  <li key={click}>
                    <Words>{click}</Words>
                  </li>
                ))}
              </ol>
            </section>
          </>
        )}
      </Loaded>
    </>
  );
}

function download(base64: string, name: string): void {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/zip' }));
  link.download = name;
  link.click();
  // Not at once: some browsers read it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
