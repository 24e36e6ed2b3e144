import { useQuery } from '@tanstack/preact-query';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { Fact, Facts } from '../parts/facts.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Loaded } from '../parts/states.tsx';
import { Text } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';

const STORES = { sqlite: 'SQLite files in the data folder', postgresql: 'PostgreSQL', redis: 'Redis' } as const;

/** What this installation is, and the way to whoever may enter it. */
export function Settings() {
  const why = useMay('READ_INTEGRATIONS');
  const query = useQuery({
    queryKey: ['install'],
    queryFn: () => said(api.GET('/api/install')),
    enabled: why === undefined,
  });
  return (
    <Page title="Settings">
      <WayTo
        id="people"
        heading="Operators"
        note="Who administers, approves or looks, their keys for the terminal, and roles of your own."
        href="/settings/operators"
        words="Operators and their keys"
      />
      <WayTo
        id="programs"
        heading="Connected apps"
        note="Programs that act for a bot in a person’s name, let in by sign-in."
        href="/settings/apps"
        words="Connected apps"
      />
      <WayTo
        id="told"
        heading="Notices"
        note="What waits, fails or must be reconnected, told to Slack, Teams or an address of yours."
        href="/settings/notices"
        words="Notices and their webhook"
      />
      <section class="card" aria-labelledby="install">
        <h2 id="install">This installation</h2>
        {why !== undefined ? (
          <p class="note">{why}</p>
        ) : (
          <Loaded query={query}>
            {({ version, isSimulated, url, store, tokens, secret, model }) => (
              <Facts>
                <Fact name="Version">{version}</Fact>
                <Fact name="Org">
                  {isSimulated ? <Badge kind="warn">simulated</Badge> : <Badge kind="good">Salesforce</Badge>}
                </Fact>
                <Fact name="Address">
                  <Text>{url}</Text>
                </Fact>
                <Fact name="Store">{STORES[store]}</Fact>
                <Fact name="Salesforce tokens">{STORES[tokens]}, encrypted</Fact>
                <Fact name="Secret">
                  {secret.from === 'environment' ? (
                    <>
                      from <code>GATEHOUSE_SECRET</code>; its age is not known here
                    </>
                  ) : (
                    <>in the data folder{secret.since && <>, written {<Moment at={secret.since} />}</>}</>
                  )}
                </Fact>
                <Fact name="Language model">
                  {model.isDemo ? 'the demo model: it understands a few fixed requests' : <Text>{model.name}</Text>}
                </Fact>
              </Facts>
            )}
          </Loaded>
        )}
        <p class="note">
          These come from the environment and the data folder of the server; this page cannot change them.
        </p>
      </section>
      <section class="card flat" aria-labelledby="more">
        <h2 id="more">Elsewhere</h2>
        <ul class="stack">
          <li>
            <a href="/api/openapi.json">The REST API as OpenAPI</a>
          </li>
          <li>
            <a href="/readyz">Whether it is ready to work</a>
          </li>
          {query.data?.isSimulated && (
            <li>
              <a href="/simulated-org">The simulated org</a>
            </li>
          )}
        </ul>
      </section>
    </Page>
  );
}

function WayTo({
  id,
  heading,
  note,
  href,
  words,
}: Readonly<Record<'id' | 'heading' | 'note' | 'href' | 'words', string>>) {
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>{heading}</h2>
      <p class="note">{note}</p>
      <div class="actions">
        <Link class="button" href={href}>
          {words}
        </Link>
      </div>
    </section>
  );
}
