import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link, useLocation, useSearchParams } from 'wouter-preact';
import { api, queries, said } from '../api.ts';
import { ActButton, AskButton } from '../parts/act.tsx';
import { Button } from '../parts/button.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Page } from '../parts/page.tsx';
import { Changes } from '../parts/policy-draft.tsx';
import { Badge, Loaded, Notice } from '../parts/states.tsx';
import { RevisionTable } from '../parts/table.tsx';
import { tell } from '../parts/tell.tsx';
import { personName, Text } from '../parts/text.tsx';
import { useMay } from '../session.ts';
import { declaredPath, OPERATIONS, useDeclared } from './declared.tsx';
import { DeclaredEditor } from './declared-editor.tsx';
import { SAMPLES } from './declared-samples.ts';

type Read = Awaited<ReturnType<typeof readOne>>;
const at = (bot: string, name: string) => ({ params: { path: { bot, name } } });
const readOne = (bot: string, name: string) => said(api.GET('/api/bots/{bot}/declared-actions/{name}', at(bot, name)));
const keyOf = (bot: string, name: string) => ['policy', bot, 'declared', name];
const written = (definition: object) => JSON.stringify(definition, null, 2);

function put(bot: string, name: string, body: object, headers: Readonly<Record<string, string>>) {
  return said(api.PUT('/api/bots/{bot}/declared-actions/{name}', { ...at(bot, name), body, headers }));
}

function crumbsOf(bot: string) {
  return [
    { href: '/bots', label: 'Bots' },
    { href: `/bots/${encodeURIComponent(bot)}`, label: bot },
    { href: declaredPath(bot), label: 'Actions without code' },
  ];
}

/** A new one: an example, until something else is typed. */
export function NewDeclared({ bot }: { readonly bot: string }) {
  const query = useDeclared(bot);
  const [, go] = useLocation();
  const [sample, setSample] = useState(0);
  const [typed, setTyped] = useState<string>();
  return (
    <Page title={`New action of ${bot}`} heading="New action" crumbs={crumbsOf(bot)}>
      <Loaded query={query}>
        {() => (
          <>
            <label class="field">
              Begin with
              <select
                value={sample}
                disabled={typed !== undefined}
                onChange={(event) => setSample(Number(event.currentTarget.value))}
              >
                {SAMPLES.map(([label], nth) => (
                  <option value={nth} key={label}>
                    {label}
                  </option>
                ))}
              </select>
              {typed !== undefined && <small>What you typed would be lost: drop the changes first.</small>}
            </label>
            <DeclaredEditor
              bot={bot}
              text={typed ?? written(SAMPLES[sample]?.[1] ?? {})}
              isDirty
              change={setTyped}
              drop={typed === undefined ? undefined : () => setTyped(undefined)}
              button="Save it"
              save={async (name, definition) => {
                const saved = await put(bot, name, definition, { 'if-none-match': '*' });
                tell(`${name} is saved. No model sees it until it is granted.`);
                go(declaredPath(bot, name));
                return saved;
              }}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}

const VIEWS = [
  ['', 'Definition'],
  ['revisions', 'Revisions'],
] as const;

/** One of them: its definition, who may call it, and as it was. What was typed stays while one looks at the other view. */
export function DeclaredAction({ bot, name }: { readonly bot: string; readonly name: string }) {
  const [asked] = useSearchParams();
  const view = asked.get('view') ?? '';
  const [, go] = useLocation();
  const query = useQuery({ queryKey: keyOf(bot, name), queryFn: () => readOne(bot, name) });
  /** What was typed, over which revision. */
  const [mine, setMine] = useState<{ readonly base: Read; readonly text: string }>();
  const now = query.data;
  const isNewer = mine !== undefined && now !== undefined && now.revision !== mine.base.revision;
  const address = declaredPath(bot, name);
  return (
    <Page
      title={`${name} of ${bot}`}
      heading={<Text>{name}</Text>}
      crumbs={crumbsOf(bot)}
      lead={now && `Revision ${now.revision}. It ${OPERATIONS[now.operation] ?? now.operation}.`}
    >
      <nav class="tabs" aria-label="Views of the action">
        {VIEWS.map(([key, label]) => (
          <Link
            key={key}
            href={key === '' ? address : `${address}?view=${key}`}
            aria-current={view === key ? 'page' : undefined}
          >
            {label}
          </Link>
        ))}
      </nav>
      {isNewer && (
        <Newer
          since={now.history.filter(({ revision }) => revision > mine.base.revision)}
          catchUp={() => setMine({ ...mine, base: now })}
          drop={() => setMine(undefined)}
        />
      )}
      <Loaded query={query}>
        {(shown) =>
          view === 'revisions' ? (
            <Revisions
              of={shown}
              address={address}
              take={(definition) => {
                setMine({ base: shown, text: written(definition) });
                go(address);
              }}
            />
          ) : (
            <>
              <DeclaredEditor
                bot={bot}
                name={name}
                text={mine?.text ?? written(shown.definition)}
                isDirty={mine !== undefined && mine.text !== written(mine.base.definition)}
                change={(text) => setMine((before) => ({ base: before?.base ?? shown, text }))}
                drop={mine && (() => setMine(undefined))}
                button={`Save as revision ${(mine?.base ?? shown).revision + 1}`}
                save={async (_, definition) => {
                  const from = (mine?.base ?? shown).revision;
                  try {
                    const saved = await put(bot, name, definition, { 'if-match': `"${from}"` });
                    const { revision, granted } = saved;
                    const next = { ...shown, revision, granted, definition: definition as Read['definition'] }; // as it was sent
                    queries.setQueryData(keyOf(bot, name), next);
                    setMine(undefined);
                    const lost = shown.granted && !granted;
                    tell(`Saved as revision ${revision}.${lost ? ' Its grant is taken back: grant it again.' : ''}`);
                    return saved;
                  } catch (error) {
                    // Who was faster, and with what.
                    await query.refetch();
                    throw error;
                  }
                }}
              />
              <Standing bot={bot} of={shown} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

/** A lost race, in words: who saved what, and that nothing typed here is lost. */
function Newer({
  since,
  catchUp,
  drop,
}: {
  readonly since: Read['history'];
  readonly catchUp: () => void;
  readonly drop: () => void;
}) {
  return (
    <Notice
      kind="warn"
      title={
        <>
          Saved by <Text>{personName(since.at(-1)?.by ?? 'somebody')}</Text> since you read it.
        </>
      }
    >
      <p>Your change is kept below. This is what was changed:</p>
      {since.map(({ revision, changes }) => (
        <Changes key={revision} of={changes} />
      ))}
      <div class="actions">
        <button type="button" onClick={catchUp}>
          Put mine in its place
        </button>
        <button type="button" class="quiet" onClick={drop}>
          Drop mine, show theirs
        </button>
      </div>
    </Notice>
  );
}

function Revisions({
  of: { history },
  address,
  take,
}: {
  readonly of: Read;
  readonly address: string;
  readonly take: (definition: object) => void;
}) {
  const why = useMay('MANAGE_POLICY');
  const [asked] = useSearchParams();
  const open = history.find(({ revision }) => String(revision) === asked.get('revision'));
  return (
    <>
      {open && (
        <section class="card" aria-labelledby="revision">
          <h2 id="revision">What revision {open.revision} changed</h2>
          {open.state === 'removed' ? <p class="note">It was removed.</p> : <Changes of={open.changes} />}
          {open.definition && (
            <div class="actions">
              <Button why={why} onClick={() => open.definition && take(open.definition)}>
                Put it into the editor
              </Button>
            </div>
          )}
        </section>
      )}
      <RevisionTable
        of={history
          .toReversed()
          .map(({ state, changes, ...one }) => ({ ...one, changed: state === 'removed' ? state : changes.length }))}
        address={(revision) => `${address}?view=revisions&revision=${revision}`}
      />
    </>
  );
}

/** What is decided elsewhere than in its definition. */
function Standing({ bot, of: { name, permission, granted, risk } }: { readonly bot: string; readonly of: Read }) {
  const mayGrant = useMay('MANAGE_GRANTS');
  const mayRemove = useMay('MANAGE_POLICY');
  const [, go] = useLocation();
  const grant = (body: { grant?: string[]; revoke?: string[] }) => ({
    why: mayGrant,
    run: () => said(api.PUT('/api/bots/{bot}/permissions', { params: { path: { bot } }, body })),
    changes: ['policy', 'bots'],
  });
  return (
    <section class="card" aria-labelledby="standing">
      <header>
        <h2 id="standing">Who may call it</h2>
        <Badge kind={granted ? 'good' : ''}>{granted ? 'granted' : 'not granted'}</Badge>
      </header>
      <Facts>
        <Fact name="Permission">
          <code>{permission}</code>
        </Fact>
        <Fact name="Risk">{risk}</Fact>
      </Facts>
      {!granted && <p class="note">No model sees it until it is granted.</p>}
      <div class="actions">
        {granted ? (
          <ActButton {...grant({ revoke: [permission] })} done={`${name} is not granted any more.`}>
            Take the grant back
          </ActButton>
        ) : (
          <ActButton {...grant({ grant: [permission] })} kind="primary" done={`${bot} may call ${name} now.`}>
            Grant it
          </ActButton>
        )}
        <Link class="button" href={`/permissions?${new URLSearchParams({ show: bot, bot, action: name })}`}>
          When it asks
        </Link>
        <AskButton
          why={mayRemove}
          title={`Remove ${name}?`}
          yes="Remove it"
          body={
            <p>
              Its grant goes, and so does what the policy says of it. What waits for a person under it ends as a
              conflict. One of the same name later begins with nothing.
            </p>
          }
          run={() => said(api.DELETE('/api/bots/{bot}/declared-actions/{name}', at(bot, name)))}
          done={`${name} is removed.`}
          after={() => {
            go(declaredPath(bot));
            void queries.invalidateQueries({ queryKey: ['policy'] });
          }}
        >
          Remove…
        </AskButton>
      </div>
    </section>
  );
}
