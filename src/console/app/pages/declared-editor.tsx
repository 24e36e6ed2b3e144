import { useQuery } from '@tanstack/preact-query';
import { useEffect, useState } from 'preact/hooks';
import { api, Refused, said } from '../api.ts';
import { useAct } from '../parts/act.tsx';
import { Button, UNCHANGED } from '../parts/button.tsx';
import { Problem } from '../parts/states.tsx';
import { Text } from '../parts/text.tsx';
import { useMay } from '../session.ts';
import { TryCall } from './try-call.tsx';

/** A definition as it is typed: what a save would say while one types, a call to try it with, and the save. */
export function DeclaredEditor({
  bot,
  name,
  text,
  isDirty,
  change,
  drop,
  save,
  button,
}: {
  readonly bot: string;
  /** Of one that is there; undefined where the text says it. */
  readonly name?: string;
  readonly text: string;
  readonly isDirty: boolean;
  readonly change: (text: string) => void;
  /** Undefined where nothing was typed. */
  readonly drop: (() => void) | undefined;
  readonly save: (name: string, definition: object) => Promise<unknown>;
  /** Of the save, where it can be pressed. */
  readonly button: string;
}) {
  const why = useMay('MANAGE_POLICY');
  const read = readText(text);
  const definition = typeof read === 'string' ? undefined : read;
  const action = name ?? nameIn(definition);
  const check = useCheck(bot, action, definition, text);
  const { data: checked } = check;
  const act = useAct({
    run: () => save(action, definition ?? {}),
    changes: ['policy', 'bots'],
  });
  const mayNot = why ?? (isDirty && checked === undefined ? 'It is saved once nothing is wrong with it.' : undefined);
  return (
    <>
      <form
        class="stack"
        aria-busy={act.isBusy}
        onSubmit={(event) => {
          event.preventDefault();
          act.go();
        }}
      >
        {why && <p class="note">{why}</p>}
        <label class="field">
          The definition as JSON
          <textarea
            class="code"
            rows={22}
            spellcheck={false}
            readOnly={why !== undefined}
            value={text}
            onInput={(event) => change(event.currentTarget.value)}
          />
        </label>
        {why === undefined && (
          <div class="verdict" role="status" aria-label="What a save would say">
            {typeof read === 'string' ? <Wrong title={read} /> : <Verdict check={check} />}
          </div>
        )}
        {act.error && <Problem error={act.error} />}
        <div class="actions">
          <Button type="submit" kind="primary" why={mayNot ?? (isDirty ? undefined : UNCHANGED)}>
            {checked?.dropsGrant ? `${button}, without its grant` : button}
          </Button>
          {drop && (
            <button type="button" class="quiet" onClick={drop}>
              Drop the changes
            </button>
          )}
        </div>
      </form>
      {checked && definition && (
        <TryCall
          key={JSON.stringify(checked.input)}
          bot={bot}
          known={{ name: action, input: checked.input }}
          of={{ expose: [] }}
          policy={undefined}
          declaration={definition}
          isGranted
        />
      )}
    </>
  );
}

const PAUSE_MS = 600;

/** Asked when the typing rests. An answer is of one text: another one is asked about anew. */
function useCheck(bot: string, name: string, definition: object | undefined, text: string) {
  const why = useMay('MANAGE_POLICY');
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return useQuery({
    queryKey: ['declared check', bot, name, text],
    enabled: why === undefined && definition !== undefined && rested === text,
    // It asks the org, too: once for each text.
    ...{ staleTime: Number.POSITIVE_INFINITY, refetchInterval: false, retry: false, gcTime: 0 },
    queryFn: () =>
      said(
        api.POST('/api/bots/{bot}/declared-actions/{name}/check', {
          params: { path: { bot, name } },
          body: definition ?? {},
        }),
      ),
  });
}

function Verdict({ check: { data, error, isFetching, refetch } }: { readonly check: ReturnType<typeof useCheck> }) {
  if (isFetching || (data === undefined && error === null)) return <p class="note">Checking…</p>;
  if (data === undefined) {
    const told = error instanceof Refused ? error.told : undefined;
    if (told?.fields !== undefined) return <Wrong title="This would not be saved." fields={told.fields} />;
    return (
      <Wrong title={told?.message ?? 'It could not be checked.'} next={told?.next}>
        <div class="actions">
          <button type="button" onClick={() => void refetch()}>
            Check again
          </button>
        </div>
      </Wrong>
    );
  }
  const { dropsGrant, warnings } = data;
  return (
    <div class={`notice ${dropsGrant || warnings.length > 0 ? 'warn' : 'good'}`}>
      <strong>
        {dropsGrant ? 'Nothing is wrong with it, and a save takes its grant away.' : 'Nothing is wrong with it.'}
      </strong>
      {warnings.length > 0 && (
        <ul>
          {warnings.map((words) => (
            <li key={words}>
              <Text>{words}</Text>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Heard without haste: whoever types is not done yet. */
function Wrong({
  title,
  next,
  fields = [],
  children,
}: {
  readonly title: string;
  readonly next?: string | undefined;
  readonly fields?: readonly { readonly name: string; readonly problem: string }[];
  readonly children?: preact.ComponentChildren;
}) {
  return (
    <div class="notice bad">
      <strong>
        <Text>{title}</Text>
      </strong>
      {next && (
        <p>
          <Text>{next}</Text>
        </p>
      )}
      {fields.length > 0 && (
        <ul>
          {fields.map(({ name, problem }) => (
            <li key={`${name} ${problem}`}>
              <code>{name}</code> <Text>{problem}</Text>
            </li>
          ))}
        </ul>
      )}
      {children}
    </div>
  );
}

/** What was typed, or why it is no definition. */
function readText(text: string): object | string {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null && !Array.isArray(read)
      ? read
      : 'This is no definition: it begins with { and ends with }.';
  } catch (error) {
    return `This is no JSON: ${error instanceof Error ? error.message : 'it cannot be read'}`;
  }
}

/** What has no name yet is checked all the same: that is the first thing it is told. */
function nameIn(definition: object | undefined): string {
  const name = definition !== undefined && 'name' in definition ? definition.name : undefined;
  return typeof name === 'string' && name !== '' ? name : 'new';
}
