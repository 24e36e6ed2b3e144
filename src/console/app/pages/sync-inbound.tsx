import { useQuery } from '@tanstack/preact-query';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { ActButton, AskButton } from '../parts/act.tsx';
import { Once } from '../parts/form.tsx';
import { Empty, Loaded, Notice } from '../parts/states.tsx';
import { readSummary } from '../parts/sync.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';

type Summary = Awaited<ReturnType<typeof readSummary>>;

/** One way in which Salesforce tells us, by a secret of its own. */
interface Way<Made> {
  readonly id: string;
  readonly heading: string;
  readonly lead: string;
  /** Since when its secret is there, and when something last came by it. */
  readonly used: (summary: Summary) => { readonly since: string | undefined; readonly at: string | undefined };
  readonly words: Readonly<Record<'none' | 'make' | 'renew' | 'ask' | 'yes' | 'test' | 'arrive' | 'last', string>>;
  readonly make: (bot: string) => Promise<Made>;
  readonly show: (made: Made) => ComponentChildren;
  readonly help: ComponentChildren;
}

const KEPT = 'The one before it works on for a day.';

export function Messages({ bot }: { readonly bot: string }) {
  const path = { params: { path: { bot } }, body: {} };
  return (
    <Inbound
      bot={bot}
      way={{
        id: 'inbound',
        heading: 'Salesforce tells us',
        lead: 'Outbound messages of Salesforce cost no API calls and arrive within seconds. Without them a poll finds every change within minutes.',
        used: ({ addressSince, addressUsedAt }) => ({ since: addressSince, at: addressUsedAt }),
        words: {
          none: 'No address yet.',
          make: 'Make an address',
          renew: 'New address…',
          ask: 'A new address?',
          yes: 'Make a new address',
          test: 'Change a record in Salesforce that your message is for; this turns green by itself.',
          arrive: 'Messages arrive.',
          last: 'Waiting for a test message…',
        },
        make: () => said(api.POST('/api/bots/{bot}/sync/inbound-token', path)),
        show: ({ url }) => <Once title="The new address, shown this once:" secret={url} note={KEPT} />,
        help: <MessageHelp />,
      }}
    />
  );
}

export function Callouts({ bot }: { readonly bot: string }) {
  const path = { params: { path: { bot } }, body: {} };
  return (
    <Inbound
      bot={bot}
      way={{
        id: 'flow',
        heading: 'A Flow calls us',
        lead: 'Instead of outbound messages, or for what they cannot: a Flow of yours says which record to look at. A callout that fails is not repeated by Salesforce; the poll finds the change.',
        used: ({ flowSince, flowUsedAt }) => ({ since: flowSince, at: flowUsedAt }),
        words: {
          none: 'No token yet.',
          make: 'Make a token',
          renew: 'New token…',
          ask: 'A new token?',
          yes: 'Make a new token',
          test: 'Change a record in Salesforce that your flow is for; this turns green by itself.',
          arrive: 'Callouts arrive.',
          last: 'Waiting for a test callout…',
        },
        make: () => said(api.POST('/api/bots/{bot}/sync/flow-token', path)),
        show: ({ url, token }) => (
          <>
            <Once title="The new token, shown this once:" secret={token} note={KEPT} />
            <p>
              The flow posts to <code class="wrap">{url}</code>
            </p>
          </>
        ),
        help: <FlowHelp />,
      }}
    />
  );
}

function Inbound<Made>({ bot, way }: { readonly bot: string; readonly way: Way<Made> }) {
  const why = useMay('MANAGE_MAPPINGS');
  const [made, setMade] = useState<Made>();
  const { words } = way;
  const isAwaited = (summary: Summary) => {
    const { since, at } = way.used(summary);
    return since !== undefined && (at === undefined || at < since);
  };
  const query = useQuery({
    queryKey: ['sync', bot, 'summary'],
    queryFn: () => readSummary(bot),
    // Word that changes nothing writes no row of the log, so no hint comes.
    refetchInterval: ({ state: { data } }) => (data && isAwaited(data) ? 2_000 : 30_000),
  });
  const act = { why, run: () => way.make(bot), changes: ['sync'], after: (answer: Made) => setMade(() => answer) };
  return (
    <section class="card" aria-labelledby={way.id}>
      <h2 id={way.id}>{way.heading}</h2>
      <p class="note">{way.lead}</p>
      <Loaded query={query}>
        {(summary) => {
          const { since, at } = way.used(summary);
          return (
            <>
              {since === undefined ? (
                <Empty>{words.none}</Empty>
              ) : isAwaited(summary) ? (
                <Notice kind="warn" title={words.last}>
                  {words.test}
                </Notice>
              ) : (
                <Notice kind="good" title={words.arrive}>
                  The last one came <Moment at={at ?? ''} />.
                </Notice>
              )}
              {made !== undefined && way.show(made)}
              <div class="actions">
                {since === undefined ? (
                  <ActButton {...act} kind="primary">
                    {words.make}
                  </ActButton>
                ) : (
                  <AskButton
                    {...act}
                    kind=""
                    no="Keep this one"
                    title={words.ask}
                    yes={words.yes}
                    body={
                      <p>
                        It is a secret. The one of now (made <Moment at={since} />) works on for a day: put the new one
                        into Salesforce by then.
                      </p>
                    }
                  >
                    {words.renew}
                  </AskButton>
                )}
              </div>
            </>
          );
        }}
      </Loaded>
      <details>
        <summary>How to set it up in Salesforce, click by click</summary>
        <ol class="steps">{way.help}</ol>
      </details>
    </section>
  );
}

function MessageHelp() {
  return (
    <>
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
        Under <strong>Fields to Send</strong> take <strong>Id</strong> alone: the message is a hint, and no value of it
        is used. <strong>Save</strong>.
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
    </>
  );
}

const SAMPLE =
  '{"eventId":"{!$Flow.InterviewGuid}","orgId":"{!$Organization.Id}","object":"Contact","recordId":"{!$Record.Id}"}';

function FlowHelp() {
  return (
    <>
      <li>
        Setup, <strong>Named Credentials</strong>, <strong>External Credentials</strong>, <strong>New</strong>: name{' '}
        <code>Gatehouse</code>, authentication protocol <strong>Custom</strong>. Under <strong>Principals</strong>,{' '}
        <strong>New</strong>: name <code>Token</code>, authentication parameter <code>Token</code> with the token above
        as its value.
      </li>
      <li>
        On the same page, <strong>Custom Headers</strong>, <strong>New</strong>: <code>Authorization</code> ={' '}
        <code>{"{!'Bearer ' & $Credential.Gatehouse.Token}"}</code>.
      </li>
      <li>
        <strong>Named Credentials</strong>, <strong>New</strong>: the origin of the address above as URL, this external
        credential, <strong>Generate Authorization Header</strong> off, <strong>Allow Formulas in HTTP Header</strong>{' '}
        on.
      </li>
      <li>
        A permission set with <strong>External Credential Principal Access</strong> to <code>Gatehouse - Token</code>,
        assigned to whoever runs the flow. Without it the callout leaves with no token.
      </li>
      <li>
        Setup, <strong>Flows</strong>, <strong>New Flow</strong>, <strong>Record-Triggered Flow</strong>: the object,{' '}
        <strong>A record is created or updated</strong>, <strong>Actions and Related Records</strong>,{' '}
        <strong>Include a Run Asynchronously path</strong>.
      </li>
      <li>
        On that path <strong>+</strong>, <strong>Action</strong>, <strong>Create HTTP Callout</strong>: the named
        credential, method <strong>POST</strong>, path <code>/api/webhooks/salesforce</code>, sample body{' '}
        <code class="wrap">{SAMPLE}</code>; set these values as the names say. <strong>Save</strong>,{' '}
        <strong>Activate</strong>.
      </li>
      <li>
        Change any record of the object. This page turns green; if it does not, Setup,{' '}
        <strong>Paused and Failed Flow Interviews</strong> says why.
      </li>
    </>
  );
}
