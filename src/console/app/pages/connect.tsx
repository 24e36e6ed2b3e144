import { useQuery } from '@tanstack/preact-query';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { Field, Form } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { Loaded } from '../parts/states.tsx';
import { Text } from '../parts/text.tsx';
import { useMay } from '../session.ts';

/** Before Salesforce's own login: what the bot will read and write, and what the user there must be allowed. */
export function Connect({ name }: { readonly name: string }) {
  const path = { params: { path: { bot: name } } };
  const reach = useQuery({
    queryKey: ['bots', name, 'reach'],
    queryFn: () => said(api.GET('/api/bots/{bot}/integration/reach', path)),
  });
  const why = useMay('CREATE_OAUTH');
  const asked = new URLSearchParams(location.search);
  return (
    <Page
      title={`Connect ${name}`}
      heading={
        <>
          Connect <Text>{name}</Text>
        </>
      }
      crumbs={[{ href: `/bots/${encodeURIComponent(name)}`, label: name }]}
    >
      <Loaded query={reach}>
        {({ reads, writes, needs, callback, login, hosts, isSimulated }) => (
          <>
            <p class="lead">
              {isSimulated
                ? 'No Salesforce app is configured, so this connects to the org that Gatehouse brings along. An org of your own needs an app there, and its client id in the settings of this installation (SALESFORCE_CLIENT_ID).'
                : 'Next, Salesforce asks you to log in and to allow access. Gatehouse never sees your password.'}
            </p>
            <section class="card" aria-labelledby="reach">
              <h2 id="reach">What this bot will reach</h2>
              <dl class="facts">
                <dt>Reads</dt>
                <dd>
                  <Chips names={reads} />
                </dd>
                <dt>Writes</dt>
                <dd>
                  <Chips names={writes} />
                </dd>
              </dl>
              <p class="note">
                This is what its grants and its policy allow today. Risky writes still wait for a person here.
              </p>
            </section>
            <section class="card" aria-labelledby="needs">
              <h2 id="needs">What the Salesforce user needs</h2>
              <ul>
                {needs.map((need) => (
                  <li key={need}>{need}</li>
                ))}
              </ul>
              <p class="note">
                Best is a user of its own with these rights and no more: Salesforce’s own permissions stay the outer
                wall.
              </p>
            </section>
            <section class="card" aria-label="Log in">
              {why && <p class="note">{why}</p>}
              <Form
                why={why}
                button={isSimulated ? 'Connect the simulated org' : 'Continue to Salesforce'}
                beside={
                  <Link class="button" href={`/bots/${encodeURIComponent(name)}`}>
                    Not now
                  </Link>
                }
                run={(fields) =>
                  said(
                    api.POST('/api/bots/{bot}/integration/connect', {
                      ...path,
                      body: {
                        sandbox: fields.has('sandbox'),
                        loginUrl: text(fields, 'loginUrl'),
                        clientId: text(fields, 'clientId'),
                        clientSecret: text(fields, 'clientSecret'),
                      },
                    }),
                  )
                }
                after={({ url }) => location.assign(url)}
              >
                {!isSimulated && login === 'login.salesforce.com' && (
                  <label class="choice">
                    <input type="checkbox" name="sandbox" defaultChecked={asked.get('sandbox') === '1'} />
                    <span>
                      This is a sandbox
                      <small>Log in at test.salesforce.com instead of login.salesforce.com.</small>
                    </span>
                  </label>
                )}
                {!isSimulated && (
                  <Field
                    label="My Domain, if you have one"
                    help={`Leave empty to log in at ${login}. Only Salesforce’s own hosts ${hosts.length > 0 ? `and ${hosts.join(', ')} ` : ''}are accepted.`}
                  >
                    <input
                      type="text"
                      name="loginUrl"
                      defaultValue={asked.get('loginUrl') ?? ''}
                      inputMode="url"
                      autocomplete="off"
                      autocapitalize="off"
                      spellcheck={false}
                      placeholder="yourcompany.my.salesforce.com"
                    />
                  </Field>
                )}
                {!isSimulated && (
                  <details open={asked.has('clientId')}>
                    <summary>An app of its own</summary>
                    <Field
                      label="Client id"
                      help="Consumer Key, where this bot’s org has another app than the installation. Leave empty to go on with the app it is connected by, or else the installation’s."
                    >
                      <input
                        type="text"
                        name="clientId"
                        defaultValue={asked.get('clientId') ?? ''}
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck={false}
                      />
                    </Field>
                    <Field
                      label="Client secret"
                      help="Consumer Secret, if that app requires it. It is stored encrypted and never shown."
                    >
                      <input type="password" name="clientSecret" autocomplete="new-password" />
                    </Field>
                  </details>
                )}
                {!isSimulated && (
                  <p class="note">
                    Callback URL of the app in your org, exactly: <code>{callback}</code>
                  </p>
                )}
              </Form>
            </section>
          </>
        )}
      </Loaded>
    </Page>
  );
}

const text = (fields: FormData, name: string): string => String(fields.get(name) ?? '');

function Chips({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return <span class="empty">nothing</span>;
  return (
    <ul class="chips">
      {names.map((name) => (
        <li key={name}>{name}</li>
      ))}
    </ul>
  );
}
