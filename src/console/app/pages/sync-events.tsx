import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { ActButton, AskButton } from '../parts/act.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Field, Form, Once } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Empty, Loaded, Notice } from '../parts/states.tsx';
import { crumbsOf, readSummary } from '../parts/sync.tsx';
import { count, Text } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';

type Summary = Awaited<ReturnType<typeof readSummary>>;

/** Word from Salesforce, and word to the host app. */
export function SyncEvents({ name: bot }: { readonly name: string }) {
  return (
    <Page
      title={`Events of ${bot}`}
      heading="Events"
      crumbs={crumbsOf(bot)}
      lead="Who tells whom that something changed."
    >
      <Inbound bot={bot} />
      <Webhook bot={bot} />
      <Subscriptions bot={bot} />
    </Page>
  );
}

/** No message has come since the address was made. */
const isAwaited = ({ addressSince, lastEventAt }: Summary) =>
  addressSince !== undefined && (lastEventAt === undefined || lastEventAt < addressSince);

function Inbound({ bot }: { readonly bot: string }) {
  const why = useMay('MANAGE_MAPPINGS');
  const [url, setUrl] = useState<string>();
  const query = useQuery({
    queryKey: ['sync', bot, 'summary'],
    queryFn: () => readSummary(bot),
    // A message that changes nothing writes no row of the log, so no hint comes.
    refetchInterval: ({ state: { data } }) => (data && isAwaited(data) ? 2_000 : 30_000),
  });
  const make = {
    why,
    run: () => said(api.POST('/api/bots/{bot}/sync/inbound-token', { params: { path: { bot } }, body: {} })),
    changes: ['sync'],
    after: (answer: { readonly url: string }) => setUrl(answer.url),
  };
  return (
    <section class="card" aria-labelledby="inbound">
      <h2 id="inbound">Salesforce tells us</h2>
      <p class="note">
        Outbound messages of Salesforce cost no API calls and arrive within seconds. Without them a poll finds every
        change within minutes.
      </p>
      <Loaded query={query}>
        {(summary) => (
          <>
            {summary.addressSince === undefined ? (
              <Empty>No address yet.</Empty>
            ) : isAwaited(summary) ? (
              <Notice kind="warn" title="Waiting for a test message…">
                Change a record in Salesforce that your message is for; this turns green by itself.
              </Notice>
            ) : (
              <Notice kind="good" title="Messages arrive.">
                The last one came <Moment at={summary.lastEventAt ?? ''} />.
              </Notice>
            )}
            {url && (
              <Once
                title="The new address, shown this once:"
                secret={url}
                note="The one before it works on for a day."
              />
            )}
            <div class="actions">
              {summary.addressSince === undefined ? (
                <ActButton {...make} kind="primary">
                  Make an address
                </ActButton>
              ) : (
                <AskButton
                  {...make}
                  kind=""
                  no="Keep this one"
                  title="A new address?"
                  yes="Make a new address"
                  body={
                    <p>
                      The address is a secret. The one of now (made <Moment at={summary.addressSince} />) works on for a
                      day: put the new one into Salesforce by then.
                    </p>
                  }
                >
                  New address…
                </AskButton>
              )}
            </div>
          </>
        )}
      </Loaded>
      <Help />
    </section>
  );
}

function Help() {
  return (
    <details>
      <summary>How to set it up in Salesforce, click by click</summary>
      <ol class="steps">
        <li>
          Setup, type <strong>Outbound Messages</strong> into the quick find box, open it,{' '}
          <strong>New Outbound Message</strong>.
        </li>
        <li>
          Choose the object (<strong>Contact</strong> for people, <strong>Opportunity</strong> for cases),{' '}
          <strong>Next</strong>.
        </li>
        <li>
          Give it a name, and paste the address above as <strong>Endpoint URL</strong>. Leave{' '}
          <strong>Send Session ID</strong> off.
        </li>
        <li>
          Under <strong>Fields to Send</strong> take <strong>Id</strong> alone: the message is a hint, and no value of
          it is used. <strong>Save</strong>.
        </li>
        <li>
          Setup, <strong>Flows</strong>, <strong>New Flow</strong>, <strong>Record-Triggered Flow</strong>: the same
          object, <strong>A record is created or updated</strong>.
        </li>
        <li>
          <strong>+</strong>, <strong>Action</strong>, choose the outbound message; <strong>Save</strong>,{' '}
          <strong>Activate</strong>.
        </li>
        <li>
          Change any record of the object. This page turns green; if it does not, Setup,{' '}
          <strong>Outbound Message Delivery Status</strong> says why.
        </li>
      </ol>
    </details>
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
                <Fact name="Last failure">{hook.problem && <Text>{hook.problem}</Text>}</Fact>
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
              {subscriptions.map(({ object, fields }) => (
                <li key={object}>
                  <span>
                    <strong>{object}</strong>
                    <br />
                    <small>{fields.join(', ')}</small>
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
            const names = String(fields.get('fields') ?? '')
              .split(/[\s,]+/)
              .filter(Boolean);
            return said(
              api.PUT('/api/bots/{bot}/sync/subscriptions/{object}', {
                params: { path: { bot, object } },
                body: { fields: names },
              }),
            );
          }}
          done={({ object }) => `The host app is told of every change of ${object}.`}
          changes={['sync']}
        >
          <Field label="Object" help="Its API name, such as Account.">
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
        </Form>
      ) : (
        <p class="note">{why}</p>
      )}
    </section>
  );
}
