import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { AskButton } from '../parts/act.tsx';
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

/** Where the host app has sent nothing: the one request that begins it. */
export function NothingSent({ bot, summary }: { readonly bot: string; readonly summary: Summary }) {
  const { ready, inStep, waits, needsYou } = summary;
  if (ready.length > 0 || inStep + waits + needsYou > 0) return null;
  return (
    <section class="card" aria-labelledby="nothing">
      <h2 id="nothing">Nothing was sent yet</h2>
      <p>
        Your app sends its people and cases, with the host key of this bot (
        <Link href={`/bots/${encodeURIComponent(bot)}`}>made on its page</Link>). The first one by hand:
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <pre class="query" tabIndex={0}>
        {`curl -X PUT ${location.origin}/api/parties/ana \\
  -H "Authorization: Bearer HOST_KEY" -H "Content-Type: application/json" \\
  -d '{"name": "Ana Lim", "email": "ana@example.com"}'`}
      </pre>
      <p class="note">It is counted here within half a minute.</p>
    </section>
  );
}

/** What is ready, on the bot's own page, where it is connected. */
export function ReadyOfBot({ bot }: { readonly bot: string }) {
  const { data } = useSummary(bot);
  return data ? <ReadyLine bot={bot} summary={data} /> : null;
}
