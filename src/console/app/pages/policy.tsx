import { useQuery } from '@tanstack/preact-query';
import { useRef, useState } from 'preact/hooks';
import { Link, useLocation, useSearchParams } from 'wouter-preact';
import { api, said } from '../api.ts';
import { AskButton, useAct } from '../parts/act.tsx';
import { Button, UNCHANGED } from '../parts/button.tsx';
import { focusFirst } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { at, Changes, type Draft, Newer, type Policy, put, usePolicyDraft } from '../parts/policy-draft.tsx';
import { Empty, Loaded, Notice, Problem } from '../parts/states.tsx';
import { RevisionTable } from '../parts/table.tsx';
import { tell } from '../parts/tell.tsx';
import { personName, Text, Words } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';
import { PolicyFields } from './policy-form.tsx';
import { type Replayed, ReplayShown, replayIt } from './policy-replay.tsx';
import { type Narrower, Prepared, Unused } from './policy-unused.tsx';

const VIEWS = [
  ['', 'Form'],
  ['json', 'JSON'],
  ['revisions', 'Revisions'],
  ['unused', 'Never used'],
] as const;

/** The whole policy of one bot: as a form, as JSON, and as it was. What was changed stays while one looks at the others. */
export function PolicyPage({ name }: { readonly name: string }) {
  const [asked] = useSearchParams();
  const view = asked.get('view') ?? '';
  const draft = usePolicyDraft(name);
  const [text, setText] = useState<string>();
  const [narrower, setNarrower] = useState<Narrower>();
  const [, go] = useLocation();
  const here = `/bots/${encodeURIComponent(name)}`;
  return (
    <Page
      title={`Policy of ${name}`}
      heading={
        <>
          Policy of <Text>{name}</Text>
        </>
      }
      crumbs={[
        { href: '/bots', label: 'Bots' },
        { href: here, label: name },
      ]}
      lead={draft.shown && `Revision ${draft.shown.revision}. Each save is a new one, with its author.`}
    >
      <nav class="tabs" aria-label="Views of the policy">
        {VIEWS.map(([key, label]) => (
          <Link
            key={key}
            href={`${here}/policy${key === '' ? '' : `?view=${key}`}`}
            aria-current={view === key ? 'page' : undefined}
          >
            {label}
          </Link>
        ))}
      </nav>
      <Newer bot={name} draft={draft} />
      {draft.warnings.map((words) => (
        <Notice kind="warn" key={words} title={<Words>{words}</Words>} />
      ))}
      <Loaded query={draft.query}>
        {() =>
          view === 'revisions' ? (
            <Revisions bot={name} />
          ) : view === 'unused' ? (
            <Unused
              bot={name}
              prepare={(prepared) => {
                draft.change((policy) =>
                  prepared.changes.reduce((to, { name: place, after }) => put(to, place, after), policy),
                );
                setText(undefined);
                setNarrower(prepared);
                go(`${here}/policy`);
                // What was pressed is gone.
                scrollTo({ top: 0, behavior: 'instant' });
                document.querySelector('h1')?.focus({ preventScroll: true });
              }}
            />
          ) : (
            <Editor bot={name} draft={draft} isJson={view === 'json'} {...{ text, setText, narrower, setNarrower }} />
          )
        }
      </Loaded>
    </Page>
  );
}

type Checked = Awaited<ReturnType<typeof checkIt>>;
const checkIt = (bot: string, policy: object) =>
  said(api.POST('/api/bots/{bot}/policy/check', { ...at(bot), body: policy }));

const written = (policy: Policy) => JSON.stringify(policy, null, 2);

function Editor({
  bot,
  draft,
  isJson,
  text,
  setText,
  narrower,
  setNarrower,
}: {
  readonly bot: string;
  readonly draft: Draft;
  readonly isJson: boolean;
  /** Typed and not checked yet. */
  readonly text: string | undefined;
  readonly setText: (text: string | undefined) => void;
  readonly narrower: Narrower | undefined;
  readonly setNarrower: (narrower: Narrower | undefined) => void;
}) {
  const why = useMay('MANAGE_POLICY');
  const form = useRef<HTMLFormElement>(null);
  const focusing = async <T,>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      if (form.current !== null) focusFirst(form.current, error);
      throw error;
    }
  };
  const read = isJson && text !== undefined ? readText(text) : undefined;
  const problem = typeof read === 'string' ? read : undefined;
  const typed = typeof read === 'string' ? undefined : read;
  const shownOrTyped = typed ?? draft.shown?.policy ?? {};
  const [checked, setChecked] = useState<Checked>();
  const check = useAct({ run: () => focusing(() => checkIt(bot, shownOrTyped)), after: setChecked });
  const mayLook = useMay('READ_VALUES');
  const [replayed, setReplayed] = useState<Replayed>();
  const past = useAct({ run: () => replayIt(bot, shownOrTyped), after: setReplayed });
  const grants = narrower?.grants ?? [];
  const isOther = draft.isDirty || (isJson && text !== undefined);
  const drop = () => {
    setText(undefined);
    setChecked(undefined);
    setReplayed(undefined);
    setNarrower(undefined);
  };
  const save = useAct({
    async run() {
      const saved = isOther ? await focusing(() => draft.save(typed)) : undefined;
      // What fails after the policy was saved is pressed once more, alone.
      if (grants.length > 0)
        await said(api.PUT('/api/bots/{bot}/permissions', { ...at(bot), body: { revoke: [...grants] } }));
      return saved;
    },
    changes: ['policy', 'bots'],
    after(saved) {
      drop();
      const words = saved === undefined ? 'Saved.' : `Saved as revision ${saved.revision}.`;
      const taken = grants.length === 0 ? '' : ` Taken back: ${grants.join(', ')}.`;
      tell(`${words}${taken} It holds from the next call on.`);
    },
  });
  if (draft.shown === undefined) return null;
  const { revision, policy } = draft.shown;
  const hasChanged = isOther || grants.length > 0;
  const mayNot = why ?? (problem === undefined ? undefined : 'It is no JSON yet: see above.');
  return (
    <form
      class="stack"
      ref={form}
      aria-busy={save.isBusy || check.isBusy || past.isBusy}
      onSubmit={(event) => {
        event.preventDefault();
        if (problem === undefined) save.go();
      }}
    >
      {why && <p class="note">{why}</p>}
      {narrower && <Prepared {...narrower} />}
      {isJson ? (
        <label class="field">
          The policy as JSON
          <textarea
            class="code"
            rows={30}
            spellcheck={false}
            readOnly={why !== undefined}
            value={text ?? written(policy)}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          {problem && <small role="alert">{problem}</small>}
        </label>
      ) : (
        <>
          {text !== undefined && (
            <Notice kind="warn" title="The JSON was changed and is not saved.">
              <p>The form shows the policy without that change. Save or drop it in the JSON view first.</p>
            </Notice>
          )}
          <PolicyFields bot={bot} policy={policy} change={draft.change} why={why} />
        </>
      )}
      {(save.error ?? check.error ?? past.error) && <Problem error={save.error ?? check.error ?? past.error} />}
      {replayed && <ReplayShown of={replayed} />}
      {checked && (
        <Notice kind="good" title="Nothing is wrong with it.">
          {checked.warnings.map((words) => (
            <p key={words}>
              <Words>{words}</Words>
            </p>
          ))}
          <Changes of={checked.changes} />
        </Notice>
      )}
      <div class="decide rests">
        <div class="actions">
          <Button type="submit" kind="primary" why={mayNot ?? (hasChanged ? undefined : UNCHANGED)}>
            {isOther || grants.length === 0 ? `Save as revision ${revision + 1}` : 'Save'}
          </Button>
          <Button
            why={mayNot}
            onClick={() => {
              setChecked(undefined);
              check.go();
            }}
          >
            Check
          </Button>
          <Button
            why={mayNot ?? mayLook}
            onClick={() => {
              setReplayed(undefined);
              past.go();
            }}
          >
            Replay 30 days
          </Button>
          {hasChanged && (
            <button
              type="button"
              class="quiet"
              onClick={() => {
                draft.drop();
                drop();
              }}
            >
              Drop the changes
            </button>
          )}
        </div>
      </div>
    </form>
  );
}

/** What was typed, or why it is no policy. */
function readText(text: string): object | string {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null ? read : 'This is no policy: it begins with { and ends with }.';
  } catch (error) {
    return `This is no JSON: ${error instanceof Error ? error.message : 'it cannot be read'}`;
  }
}

function Revisions({ bot }: { readonly bot: string }) {
  const [asked] = useSearchParams();
  const before = Number(asked.get('before')) || undefined;
  const query = useQuery({
    queryKey: ['policy', bot, 'revisions', before],
    queryFn: () =>
      said(
        api.GET('/api/bots/{bot}/policy/revisions', {
          params: { path: { bot }, query: before === undefined ? {} : { before } },
        }),
      ),
  });
  const open = asked.get('revision');
  const address = (more: Record<string, string>) =>
    `/bots/${encodeURIComponent(bot)}/policy?${new URLSearchParams({ view: 'revisions', ...more })}`;
  return (
    <Loaded query={query}>
      {({ revisions, more }) => (
        <>
          {open !== null && <Revision bot={bot} revision={open} />}
          {revisions.length === 0 && <Empty>There is no older revision.</Empty>}
          <RevisionTable of={revisions} address={(revision) => address({ revision: String(revision) })} />
          {more && (
            <div class="actions">
              <Link class="button" href={address({ before: String(revisions.at(-1)?.revision ?? 1) })}>
                Older
              </Link>
            </div>
          )}
        </>
      )}
    </Loaded>
  );
}

function Revision({ bot, revision }: { readonly bot: string; readonly revision: string }) {
  const why = useMay('MANAGE_POLICY');
  const now = useQuery({
    queryKey: ['policy', bot],
    queryFn: () => said(api.GET('/api/bots/{bot}/policy', at(bot))),
  });
  const query = useQuery({
    queryKey: ['policy', bot, 'revision', revision],
    queryFn: () =>
      said(api.GET('/api/bots/{bot}/policy/revisions/{revision}', { params: { path: { bot, revision } } })),
  });
  return (
    <section class="card" aria-labelledby="revision">
      <h2 id="revision">What revision {revision} changed</h2>
      <Loaded query={query}>
        {(shown) => (
          <>
            <p class="note">
              Saved by <Text>{personName(shown.by)}</Text>, <Moment at={shown.at} />
              {shown.against !== shown.revision && <>, over revision {shown.against}</>}.
            </p>
            <Changes of={shown.changes} />
            {now.data !== undefined && now.data.revision !== shown.revision && (
              <div class="actions">
                <AskButton
                  kind=""
                  why={why}
                  title={`Go back to revision ${shown.revision}?`}
                  yes={`Save it as revision ${now.data.revision + 1}`}
                  no="Keep what is there"
                  body={<p>The policy of revision {shown.revision} is saved once more, as a new revision.</p>}
                  run={() =>
                    said(
                      api.PUT('/api/bots/{bot}/policy', {
                        ...at(bot),
                        body: { policy: shown.policy, revision: now.data?.revision },
                      }),
                    )
                  }
                  done={(saved) => `Saved as revision ${saved.revision}.`}
                  changes={['policy', 'bots']}
                >
                  Go back to this…
                </AskButton>
              </div>
            )}
          </>
        )}
      </Loaded>
    </section>
  );
}
