import { useQuery } from '@tanstack/preact-query';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Link, useSearchParams } from 'wouter-preact';
import type { Receipt } from '../../../chat/events.ts';
import { consoleWords } from '../../../domain/console-words.ts';
import { api, said } from '../api.ts';
import { useAct } from '../parts/act.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { readSchemaFields, SchemaFields } from '../parts/schema-form.tsx';
import { Badge, Empty, Loaded, Notice, Problem } from '../parts/states.tsx';
import { count, Text, Value } from '../parts/text.tsx';
import { Trace, type TraceStep } from '../parts/trace.tsx';
import { useMay } from '../session.ts';
import { STARTERS, turnOf } from './playground-turn.ts';

type Begun = Awaited<ReturnType<typeof begin>>;
const begin = (bot: string, live: boolean) =>
  said(api.POST('/api/bots/{bot}/playground', { params: { path: { bot } }, body: { live } }));

/** A bot as an operator tries it: the talk, and beside it what it called and why. */
export function Playground() {
  const why = useMay('USE_PLAYGROUND');
  const query = useQuery({ queryKey: ['bots'], queryFn: () => said(api.GET('/api/bots')) });
  return (
    <Page
      title="Playground"
      lead="Talk to a bot as its users do, and see what it would do. A dry run writes nothing, whatever is asked."
    >
      {why === undefined ? (
        <Loaded query={query}>
          {({ bots }) =>
            bots.length === 0 ? (
              <Empty>
                There is no bot yet. <Link href="/bots/new">Make one</Link>
              </Empty>
            ) : (
              <Tries names={bots.map(({ name }) => name)} />
            )
          }
        </Loaded>
      ) : (
        <p class="note">{why}</p>
      )}
    </Page>
  );
}

function Tries({ names }: { readonly names: readonly string[] }) {
  const [params, setParams] = useSearchParams();
  const asked = params.get('bot') ?? '';
  const bot = names.includes(asked) ? asked : (names[0] ?? '');
  const isLive = params.get('mode') === 'live';
  const [round, setRound] = useState(0);
  const choose = (change: Readonly<Record<string, string>>) =>
    setParams({ bot, mode: isLive ? 'live' : 'dry', ...change }, { replace: true });
  return (
    <>
      <div class="tries">
        <Field label="Bot">
          <select value={bot} onChange={(event) => choose({ bot: event.currentTarget.value })}>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </Field>
        <Field label="Mode">
          <select value={isLive ? 'live' : 'dry'} onChange={(event) => choose({ mode: event.currentTarget.value })}>
            <option value="dry">Dry run: nothing is written</option>
            <option value="live">Live: it really runs</option>
          </select>
        </Field>
        <button type="button" onClick={() => setRound(round + 1)}>
          New conversation
        </button>
      </div>
      <Room key={`${bot} ${isLive} ${round}`} bot={bot} isLive={isLive} />
    </>
  );
}

function Room({ bot, isLive }: { readonly bot: string; readonly isLive: boolean }) {
  const query = useQuery({
    // A conversation of its own each time: nothing of another one is shown.
    queryKey: ['playground', bot, isLive, useRef(crypto.randomUUID()).current],
    queryFn: () => begin(bot, isLive),
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: false,
    refetchOnWindowFocus: false,
  });
  return <Loaded query={query}>{(begun) => <Talk begun={begun} />}</Loaded>;
}

interface Line {
  readonly who: 'you' | 'bot' | 'gate';
  readonly text: string;
  readonly link?: string | undefined;
  readonly changes?: Receipt['changes'] | undefined;
}

function Talk({ begun }: { readonly begun: Begun }) {
  const { bot, id, isLive, isDemo, isSimulated, model, actions } = begun;
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [steps, setSteps] = useState<readonly TraceStep[]>([]);
  const [tokens, setTokens] = useState(0);
  const [text, setText] = useState('');
  const wish = useRef('');
  const stop = useRef<AbortController>();
  const words = useRef<HTMLTextAreaElement>(null);
  useEffect(() => () => stop.current?.abort(), []);

  const add = (line: Line) =>
    setLines((before) => {
      const last = before.at(-1);
      // Pieces of one answer are one line.
      return line.who === 'bot' && last?.who === 'bot'
        ? [...before.slice(0, -1), { ...last, text: last.text + line.text }]
        : [...before, line];
    });
  const turn = useAct({
    async run() {
      const said = wish.current;
      stop.current = new AbortController();
      add({ who: 'you', text: said });
      setText('');
      try {
        for await (const event of turnOf(begun, said, stop.current.signal))
          if (event.type === 'text') add({ who: 'bot', text: event.delta });
          else if (event.type === 'trace') setSteps((before) => [...before, event.step]);
          else if (event.type === 'proposal')
            add({ who: 'gate', text: `Waits for a person: ${event.proposal.summary}`, link: event.proposal.id });
          else if (event.type === 'receipt')
            add({
              who: 'gate',
              text: `${event.receipt.title}: ${event.receipt.words}`,
              changes: event.receipt.changes,
            });
          else if (event.type === 'error')
            add({ who: 'gate', text: consoleWords(`${event.error.message} ${event.error.next}`) });
          else if (event.type === 'done') setTokens((before) => before + event.usage.tokens);
      } catch (error) {
        if (!(error instanceof DOMException && error.name === 'AbortError')) {
          // Nothing that was typed is lost, and what was not said is not shown as said.
          setLines((before) => (before.at(-1)?.who === 'you' ? before.slice(0, -1) : before));
          setText(said);
          throw error;
        }
      } finally {
        words.current?.focus();
      }
    },
  });

  const send = (words: string) => {
    if (words.trim() === '' || turn.isBusy) return;
    wish.current = words.trim();
    turn.go();
  };

  return (
    <>
      {isLive ? (
        <Notice kind="warn" title="Live: what policy lets run is written.">
          {isSimulated ? 'The org is simulated.' : 'This reaches Salesforce.'} What asks waits for an operator, as
          always.
        </Notice>
      ) : (
        <Notice kind="good" title="Dry run: nothing is written.">
          Reads are real and use the API budget of the org; every write ends at its preview.
        </Notice>
      )}
      <div class="play">
        <section class="card" aria-labelledby="talk">
          <header>
            <h2 id="talk">
              Talk to <Text>{bot}</Text>
            </h2>
            {isDemo ? <Badge kind="warn">demo model: fixed rules, no AI</Badge> : <Badge>{model}</Badge>}
          </header>
          {lines.length === 0 && isSimulated && (
            <ul class="chips starters" aria-label="Examples">
              {STARTERS.filter(({ needs }) => actions.some(({ name }) => name === needs)).map((one) => (
                <li key={one.words}>
                  <button type="button" class="quiet" onClick={() => send(one.words)}>
                    {one.words}
                  </button>
                </li>
              ))}
            </ul>
          )}
          <ol class="said" aria-label="Messages" aria-live="polite">
            {lines.map((line, at) => (
              // Only ever added to.
              <li key={at} class={line.who}>
                <small>{line.who === 'you' ? 'You' : line.who === 'bot' ? 'Bot' : 'Gatehouse'}</small>
                <div class="words">
                  <Text>{line.text.trimEnd()}</Text>
                  {line.changes?.map(({ field, before, after }) => (
                    <p key={field}>
                      <code>{field}</code> <Value of={before} /> →{' '}
                      <strong>
                        <Value of={after} />
                      </strong>
                    </p>
                  ))}
                </div>
                {line.link && <a href={`/approvals/${line.link}`}>Decide it</a>}
              </li>
            ))}
          </ol>
          {turn.error && <Problem error={turn.error} />}
          <form
            class="stack"
            aria-busy={turn.isBusy}
            onSubmit={(event) => {
              event.preventDefault();
              send(text);
            }}
          >
            <Field label="Your message">
              <textarea
                ref={words}
                rows={2}
                maxLength={4000}
                required
                value={text}
                onInput={(event) => setText(event.currentTarget.value)}
                onKeyDown={(event) => {
                  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
                  event.preventDefault();
                  event.currentTarget.form?.requestSubmit();
                }}
              />
            </Field>
            <div class="actions">
              <button type="submit" class="primary">
                Send
              </button>
              {turn.isBusy && (
                <button type="button" onClick={() => stop.current?.abort()}>
                  Stop
                </button>
              )}
              {tokens > 0 && <small>{count(tokens)} tokens so far</small>}
            </div>
          </form>
        </section>
        <section class="card" aria-labelledby="trace">
          <h2 id="trace">Trace</h2>
          <Trace steps={steps} />
          <ByHand begun={begun} traced={(step) => setSteps((before) => [...before, step])} />
        </section>
      </div>
      <p class="note">
        In the log on the channel <code>playground</code>, conversation <code>{id.slice(0, 8)}</code>; left out of the
        rates of the bot.
      </p>
    </>
  );
}

/** One action without the model. */
function ByHand({
  begun: { bot, id, actions },
  traced,
}: {
  readonly begun: Begun;
  readonly traced: (step: TraceStep) => void;
}) {
  const [name, setName] = useState(actions[0]?.name ?? '');
  const action = actions.find((one) => one.name === name);
  if (action === undefined) return <Empty>Nothing is granted to this bot.</Empty>;
  return (
    <details>
      <summary>Run one action by hand</summary>
      <div class="stack">
        <Field label="Action" help={action.description}>
          <select value={name} onChange={(event) => setName(event.currentTarget.value)}>
            {actions.map((one) => (
              <option key={one.name} value={one.name}>
                {one.title}
              </option>
            ))}
          </select>
        </Field>
        <Form
          key={name}
          button="Run it"
          run={async (fields) => {
            const path = { bot, id, action: action.name };
            const body = readSchemaFields(action.input, fields);
            return said(api.POST('/api/bots/{bot}/playground/{id}/actions/{action}', { params: { path }, body }));
          }}
          after={({ trace }) => traced(trace)}
        >
          <SchemaFields schema={action.input} />
        </Form>
      </div>
    </details>
  );
}
