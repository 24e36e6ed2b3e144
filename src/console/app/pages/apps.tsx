import { useQuery } from '@tanstack/preact-query';
import { api, said } from '../api.ts';
import { AskButton } from '../parts/act.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Loaded } from '../parts/states.tsx';
import { Text } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useSession } from '../session.ts';

type App = Awaited<ReturnType<typeof readApps>>['apps'][number];
const readApps = () => said(api.GET('/api/apps'));

/** Programs that people let in by sign-in, and their end. */
export function Apps() {
  const query = useQuery({ queryKey: ['apps'], queryFn: readApps });
  return (
    <Page
      title="Connected apps"
      crumbs={[{ href: '/settings', label: 'Settings' }]}
      lead="Programs such as Claude or ChatGPT that act for a bot in a person’s name. Each was let in by that person, in a browser."
    >
      <Loaded query={query}>
        {({ apps }) =>
          apps.length === 0 ? (
            <section class="card">
              <p>No program is connected.</p>
              <p class="note">
                Add the address <code>{location.origin}/mcp</code> in the program: it opens a page here, where you say
                yes.
              </p>
            </section>
          ) : (
            <ul class="cards" aria-label="Connected apps">
              {apps.map((app) => (
                <Card key={app.id} app={app} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Page>
  );
}

function Card({ app: { id, operator, bot, client, host, scopes, createdAt, usedAt } }: { readonly app: App }) {
  const isOwn = useSession().operator.name === operator;
  const name = client === '' ? host : client;
  return (
    <li class="card">
      <header>
        <h2>
          <Text>{name}</Text>
        </h2>
        <Badge>{scopes.includes('gatehouse:write') ? 'reads, asks to change' : 'reads only'}</Badge>
      </header>
      <p class="note">
        For <Text>{bot}</Text>, in the name of <Text>{operator}</Text>
        {isOwn && ' (you)'} · access sent to <code>{host}</code> · since <Moment at={createdAt} /> · last used{' '}
        <Moment at={usedAt} />
      </p>
      <div class="actions">
        <AskButton
          title={`End ${name}?`}
          yes="End it"
          body={
            <p>
              Its next request is refused. <Text>{operator}</Text> can let it in again.
            </p>
          }
          run={() => said(api.DELETE('/api/apps/{id}', { params: { path: { id } } }))}
          done={`${name} is ended.`}
          changes={['apps']}
        >
          End…
        </AskButton>
      </div>
    </li>
  );
}
