import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { ActButton, AskButton } from '../parts/act.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Field, Form, Once } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Empty, Loaded } from '../parts/states.tsx';
import { crumbsOf } from '../parts/sync.tsx';
import { count, Text, Words } from '../parts/text.tsx';
import { useMay } from '../session.ts';
import { Callouts, Messages } from './sync-inbound.tsx';
import { Streams } from './sync-streams.tsx';

/** Word from Salesforce, and word to the host app. */
export function SyncEvents({ name: bot }: { readonly name: string }) {
  return (
    <Page
      title={`Events of ${bot}`}
      heading="Events"
      crumbs={crumbsOf(bot)}
      lead="Who tells whom that something changed."
    >
      <Streams bot={bot} />
      <Messages bot={bot} />
      <Callouts bot={bot} />
      <Webhook bot={bot} />
      <Subscriptions bot={bot} />
    </Page>
  );
}

function Webhook({ bot }: { readonly bot: string }) {
  const why = useMay('MANAGE_MAPPINGS');
  const path = { params: { path: { bot } } };
  const [secret, setSecret] = useState<string>();
  const query = useQuery({
    queryKey: ['sync', bot, 'webhook'],
    queryFn: () => said(api.GET('/api/bots/{bot}/sync/webhook', path)),
  });
  return (
    <section class="card" aria-labelledby="webhook">
      <h2 id="webhook">We tell the host app</h2>
      <Loaded query={query}>
        {(hook) => (
          <>
            {hook.state === 'none' ? (
              <Empty>No webhook. The host app can still read the change feed.</Empty>
            ) : (
              <Facts>
                <Fact name="Address">
                  <Text>{hook.url}</Text>
                </Fact>
                <Fact name="State">
                  {hook.state === 'off' ? (
                    <Badge kind="bad">switched off after too many failures</Badge>
                  ) : hook.problem === null ? (
                    <Badge kind="good">delivers</Badge>
                  ) : (
                    <Badge kind="warn">fails</Badge>
                  )}
                </Fact>
                <Fact name="Delivered">{count(hook.delivered)}</Fact>
                <Fact name="Waiting">{count(hook.waiting)}</Fact>
                <Fact name="Last failure">{hook.problem && <Words>{hook.problem}</Words>}</Fact>
              </Facts>
            )}
            {secret && (
              <Once
                title="The signing secret, shown this once:"
                secret={secret}
                note="The host app checks each delivery with it."
              />
            )}
            {why === undefined ? (
              <Form
                button={hook.state === 'none' ? 'Set the webhook' : 'Change it'}
                run={(fields) =>
                  said(
                    api.PUT('/api/bots/{bot}/sync/webhook', {
                      ...path,
                      body: { url: String(fields.get('url') ?? '') },
                    }),
                  )
                }
                done="Set. Changes go there from now on."
                changes={['sync']}
                after={(answer) => setSecret(answer.secret)}
                beside={
                  hook.state !== 'none' && (
                    <AskButton
                      title="Remove the webhook?"
                      yes="Remove it"
                      body={<p>Nothing is delivered any more. The change feed stays, and can be read.</p>}
                      run={() => said(api.DELETE('/api/bots/{bot}/sync/webhook', path))}
                      done="Removed. The feed stays."
                      changes={['sync']}
                    >
                      Remove…
                    </AskButton>
                  )
                }
              >
                <Field
                  label="Address of the host app"
                  help="https. Each delivery is signed; a new secret is made with each change."
                >
                  <input
                    type="url"
                    name="url"
                    required
                    maxLength={2000}
                    autocomplete="off"
                    placeholder="https://app.example/hooks"
                  />
                </Field>
              </Form>
            ) : (
              <p class="note">{why}</p>
            )}
          </>
        )}
      </Loaded>
    </section>
  );
}

function Subscriptions({ bot }: { readonly bot: string }) {
  const why = useMay('MANAGE_MAPPINGS');
  const query = useQuery({
    queryKey: ['sync', bot, 'subscriptions'],
    queryFn: () => said(api.GET('/api/bots/{bot}/sync/subscriptions', { params: { path: { bot } } })),
  });
  return (
    <section class="card" aria-labelledby="subscriptions">
      <h2 id="subscriptions">Further objects that the host app is told of</h2>
      <Loaded query={query}>
        {({ subscriptions }) =>
          subscriptions.length === 0 ? (
            <Empty>None. People and cases are told of anyway.</Empty>
          ) : (
            <ul class="found">
              {subscriptions.map(({ object, fields, when }) => (
                <li key={object}>
                  <span>
                    <strong>{object}</strong>
                    <br />
                    <small>
                      {fields.join(', ')}
                      {when && `, when ${when.field} becomes ${when.becomes.join(' or ')}`}
                    </small>
                  </span>
                  <ActButton
                    why={why}
                    kind="quiet"
                    run={() =>
                      said(
                        api.DELETE('/api/bots/{bot}/sync/subscriptions/{object}', {
                          params: { path: { bot, object } },
                        }),
                      )
                    }
                    done={`${object} is not told of any more.`}
                    changes={['sync']}
                  >
                    End
                  </ActButton>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {why === undefined ? (
        <Form
          button="Subscribe"
          run={(fields) => {
            const object = String(fields.get('object') ?? '').trim();
            const names = wordsOf(fields.get('fields'), /[\s,]+/);
            const field = String(fields.get('when') ?? '').trim();
            const becomes = wordsOf(fields.get('becomes'), ';').map(plain);
            return said(
              api.PUT('/api/bots/{bot}/sync/subscriptions/{object}', {
                params: { path: { bot, object } },
                body: { fields: names, ...(field === '' && becomes.length === 0 ? {} : { when: { field, becomes } }) },
              }),
            );
          }}
          done={({ object, when }) =>
            when
              ? `The host app is told when ${when.field} of ${object} becomes ${when.becomes.join(' or ')}.`
              : `The host app is told of every change of ${object}.`
          }
          changes={['sync']}
        >
          <Field label="Object" help="Its API name, such as Account, or a platform event (…__e).">
            <input
              type="text"
              name="object"
              required
              pattern="[A-Za-z]\w{0,79}"
              autocomplete="off"
              spellcheck={false}
            />
          </Field>
          <Field label="Fields" help="API names with commas between; only those that the bot’s policy opens.">
            <input type="text" name="fields" required autocomplete="off" spellcheck={false} placeholder="Name, Phone" />
          </Field>
          <Field label="Only when" help="A picklist or checkbox, such as StageName. Empty: every change is told.">
            <input type="text" name="when" pattern="[A-Za-z]\w{0,79}" autocomplete="off" spellcheck={false} />
          </Field>
          <Field label="becomes" help="Its value; several with ; between. Told once each time.">
            <input type="text" name="becomes" autocomplete="off" spellcheck={false} placeholder="Closed Won" />
          </Field>
        </Form>
      ) : (
        <p class="note">{why}</p>
      )}
    </section>
  );
}

const wordsOf = (text: FormDataEntryValue | null, between: string | RegExp): string[] =>
  String(text ?? '')
    .split(between)
    .map((word) => word.trim())
    .filter(Boolean);

/** A checkbox becomes true, not the word. */
const plain = (word: string): string | boolean => (word === 'true' ? true : word === 'false' ? false : word);
