import { useRef, useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { useAct } from '../parts/act.tsx';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/form.tsx';
import { type ActionPolicy, at, type Policy } from '../parts/policy-draft.tsx';
import type { Known } from '../parts/standing.ts';
import { Notice, Problem } from '../parts/states.tsx';
import { Reasons, Text, Value, Words } from '../parts/text.tsx';
import { useMay } from '../session.ts';

type Met = Awaited<ReturnType<typeof tryIt>>;
const tryIt = (bot: string, body: object) =>
  said(api.POST('/api/bots/{bot}/policy/try', { ...at(bot), body: body as { action: string; args: unknown } }));

const WORDS = {
  auto: ['good', 'It would run by itself.'],
  confirm: ['warn', 'It would ask a person.'],
  deny: ['bad', 'It would be denied.'],
  refused: ['bad', 'It would be refused.'],
} as const;

/** A call with arguments, judged and not run: by what is saved, or by what is on the page. */
export function TryCall({
  bot,
  known,
  of,
  policy,
  declaration,
  isGranted,
}: {
  readonly bot: string;
  readonly known: Pick<Known, 'name' | 'input'>;
  readonly of: Pick<ActionPolicy, 'expose'>;
  /** Set where it is not saved yet. */
  readonly policy: Policy | undefined;
  /** The same, of an action without code. */
  readonly declaration?: object;
  readonly isGranted: boolean;
}) {
  const why = useMay('MANAGE_POLICY');
  const box = useRef<HTMLDivElement>(null);
  const [met, setMet] = useState<Met>();
  const inputs = inputsOf(known, of);
  const { go, isBusy, error } = useAct({
    run: () =>
      tryIt(bot, {
        action: known.name,
        args: argsIn(box.current, inputs),
        ...(policy === undefined ? {} : { policy }),
        ...(declaration === undefined ? {} : { declaration }),
        ...(isGranted ? { granted: true } : {}),
      }),
    after: setMet,
  });
  return (
    <details class="try">
      <summary>Try a call</summary>
      <div class="stack" ref={box} aria-busy={isBusy}>
        <p class="note">
          Judged by {policy === undefined ? 'the saved policy' : 'what is on this page'}; reads what a preview reads,
          and does nothing.
        </p>
        {inputs.map(({ name, type, choices, help }) => (
          <Field key={name} label={name} help={help}>
            {choices !== undefined ? (
              <select data-arg={name}>
                <option value="">not given</option>
                {choices.map((one) => (
                  <option value={one} key={one}>
                    {one}
                  </option>
                ))}
              </select>
            ) : (
              <input
                type={type === 'number' ? 'number' : 'text'}
                step="any"
                data-arg={name}
                autocomplete="off"
                spellcheck={false}
                onKeyDown={(event) => {
                  // Enter tries; it must not save the form around it.
                  if (event.key !== 'Enter') return;
                  event.preventDefault();
                  go();
                }}
              />
            )}
          </Field>
        ))}
        <div class="actions">
          <Button why={why} onClick={go}>
            Try
          </Button>
        </div>
        {error && <Problem error={error} />}
        {met && <Outcome met={met} />}
      </div>
    </details>
  );
}

function Outcome({ met: { decision, assurance, reasons, next, preview } }: { readonly met: Met }) {
  const [kind, words] = WORDS[decision];
  return (
    <Notice kind={kind} title={words}>
      {decision === 'confirm' && assurance === 'session' && <p>Only a signed-in approver may answer.</p>}
      <Reasons of={reasons} />
      {next && (
        <p class="note">
          The bot is told: <Words>{next}</Words>
        </p>
      )}
      {preview && (
        <>
          <p>
            <Text>{preview.summary}</Text>
          </p>
          {preview.changes.map(({ field, label, before, after }) => (
            <p key={field}>
              <Text>{label}</Text>: <Value of={before} /> → <Value of={after} />
            </p>
          ))}
        </>
      )}
    </Notice>
  );
}

interface Input {
  readonly name: string;
  readonly type: string;
  readonly choices?: readonly string[] | undefined;
  readonly help?: string | undefined;
}

/** The action's inputs are flat; what has another form is typed as JSON. */
function inputsOf({ input }: Pick<Known, 'input'>, { expose }: Pick<ActionPolicy, 'expose'>): readonly Input[] {
  const properties = (input.properties ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>; // JSON Schema
  return [
    ...Object.entries(properties).map(([name, { type, enum: values, description }]) => ({
      name,
      type: type === 'integer' ? 'number' : String(type ?? 'json'),
      ...(type === 'boolean' ? { choices: ['true', 'false'] } : {}),
      ...(Array.isArray(values) ? { choices: values.map(String) } : {}),
      help: typeof description === 'string' ? description : undefined,
    })),
    ...expose
      .filter(({ field }) => !Object.hasOwn(properties, field))
      .map(({ field, type, describe }) => ({
        name: field,
        type: type === 'date' ? 'string' : type,
        ...(type === 'boolean' ? { choices: ['true', 'false'] } : {}),
        help: describe,
      })),
  ];
}

/** What was filled in; an empty field is an argument that was left out. */
function argsIn(box: HTMLElement | null, inputs: readonly Input[]): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const field of box?.querySelectorAll<HTMLInputElement | HTMLSelectElement>('[data-arg]') ?? []) {
    const input = inputs.find(({ name }) => name === field.dataset.arg);
    if (input === undefined || field.value === '') continue;
    args[input.name] = toArg(input.type, field.value);
  }
  return args;
}

function toArg(type: string, text: string): unknown {
  if (type === 'number') return Number(text);
  if (type === 'boolean') return text === 'true';
  if (type === 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
