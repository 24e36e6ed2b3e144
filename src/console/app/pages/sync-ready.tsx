import { useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import { api, said } from '../api.ts';
import { AskButton } from '../parts/act.tsx';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Notice } from '../parts/states.tsx';
import { counted, recordPath, useSummary } from '../parts/sync.tsx';
import { useMay } from '../session.ts';

type Summary = NonNullable<ReturnType<typeof useSummary>['data']>;

/** Records of the host app that have never been in Salesforce: one is looked at first, then all begin. */
export function ReadyLine({ bot, summary: { ready } }: { readonly bot: string; readonly summary: Summary }) {
  const why = useMay('MANAGE_MAPPINGS');
  const [first] = ready;
  if (first === undefined) return null;
  const words = ready.map(({ kind, count }) => counted(kind, count)).join(' and ');
  const isOne = ready.length === 1 && first.count === 1;
  return (
    <Notice kind="good" title={`${words} ${isOne ? 'is' : 'are'} ready: preview one, then start.`}>
      <div class="actions">
        <Link class="button" href={recordPath(bot, first.kind, first.first)}>
          Preview one
        </Link>
        <AskButton
          why={why}
          kind=""
          no="Not now"
          title={`Start with ${words}?`}
          yes="Start"
          body={
            <p>
              Each is looked for in Salesforce first, and made only where there is none. What policy holds waits for a
              person.
            </p>
          }
          run={async () => {
            for (const { kind } of ready)
              await said(api.POST('/api/bots/{bot}/sync/batches', { params: { path: { bot } }, body: { kind } }));
          }}
          done="Started."
          changes={['sync']}
        >
          Start…
        </AskButton>
      </div>
    </Notice>
  );
}

/** Where the host app has sent nothing: what it does to begin, and a way to try without it. */
export function NothingSent({ bot, summary }: { readonly bot: string; readonly summary: Summary }) {
  const { ready, inStep, waits, needsYou } = summary;
  if (ready.length > 0 || inStep + waits + needsYou > 0) return null;
  return (
    <section class="card" aria-labelledby="nothing">
      <h2 id="nothing">Nothing was sent yet</h2>
      <p>
        Your app sends its people and cases, with the host key of this bot (
        <Link href={`/bots/${encodeURIComponent(bot)}`}>made on its page</Link>). Until it does, send one person by hand
        and see what becomes of them.
      </p>
      <TryPerson bot={bot} />
    </section>
  );
}

const send = (bot: string, body: { externalId: string; name: string; email: string }) =>
  said(api.POST('/api/bots/{bot}/records/party', { params: { path: { bot } }, body }));

function TryPerson({ bot }: { readonly bot: string }) {
  const why = useMay('MANAGE_MAPPINGS');
  const [, go] = useLocation();
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <div class="actions">
        <Button why={why} onClick={() => setOpen(true)}>
          Try with a person…
        </Button>
      </div>
      {isOpen && (
        <Dialog title="Try with a person" onClose={close}>
          <Form
            button="Send"
            run={(fields) => {
              const text = (name: string) => String(fields.get(name) ?? '').trim();
              return send(bot, { externalId: text('externalId'), name: text('name'), email: text('email') });
            }}
            done="Sent. Look at both sides here."
            changes={['sync']}
            after={({ id }) => go(recordPath(bot, 'party', id))}
            beside={
              <button type="button" onClick={close}>
                Not now
              </button>
            }
          >
            <p class="note">
              The person is kept as if your app had sent them. The sync looks for them in the connected org by email,
              and makes a record only where there is none: choose somebody who may be there.
            </p>
            <Field label="Name" help="First and last.">
              <input name="name" required maxLength={200} autoComplete="off" />
            </Field>
            <Field label="Email">
              <input type="email" name="email" required maxLength={80} autoComplete="off" />
            </Field>
            <Field label="Id in your app" help="Letters and digits; your app may take the person over by it.">
              <input name="externalId" required maxLength={128} defaultValue="try-1" autoComplete="off" />
            </Field>
          </Form>
        </Dialog>
      )}
    </>
  );
}

/** What is ready, on the bot's own page, where it is connected. */
export function ReadyOfBot({ bot }: { readonly bot: string }) {
  const { data } = useSummary(bot);
  return data ? <ReadyLine bot={bot} summary={data} /> : null;
}
