import { useState } from 'preact/hooks';
import { Fieldset } from '../parts/button.tsx';
import { FieldPicker, type Pickable } from '../parts/field-picker.tsx';
import { Field } from '../parts/form.tsx';
import type { Rule } from './mapping-draft.ts';
import { Typed, type TypedValue, ValuePairs } from './mapping-values.tsx';

export type Transform = Rule['transforms'][number];
type Use = Transform['use'];
type Of<U extends Use> = Extract<Transform, { use: U }>;

/** What each step does, as it is offered. */
const USES: readonly (readonly [Use, string])[] = [
  ['trim', 'Leave out spaces at both ends'],
  ['lower', 'Write it in small letters'],
  ['values', 'Take one value for another'],
  ['date', 'Read it as a date'],
  ['default', 'Fill in what is missing'],
  ['split_name', 'Part a name in first and last'],
  ['join_name', 'Join first and last to a name'],
  ['template', 'Write a text around it'],
];
const wordsOf = (use: Use) => USES.find(([one]) => one === use)?.[1] ?? use;

/** As a step begins: whole enough to be tried. */
function begin(use: Use): Transform {
  switch (use) {
    case 'date':
      return { use, form: 'date' };
    case 'template':
      return { use, text: '{externalId}' };
    case 'default':
      return { use, value: '' };
    case 'values':
      return { use, pairs: [['', '']], otherwise: 'refuse' };
    default:
      return { use };
  }
}

/** The steps of a rule in their order: towards Salesforce from the first to the last, back from the last to the first. */
export function Transforms(props: StepsProps) {
  const { local, transforms } = props.rule;
  const host = local.join(' + ') || 'always the same';
  // Drawn once it is looked at: a mapping has up to 200 rules.
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="steps-of" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        Transforms of {host} <small>({transforms.length === 0 ? 'none' : transforms.length})</small>
      </summary>
      {isOpen && <Steps {...props} host={host} />}
    </details>
  );
}

interface StepsProps {
  readonly rule: Rule;
  readonly fields: readonly Pickable[];
  readonly names: readonly string[];
  /** Why they cannot be changed; undefined where they can. */
  readonly why: string | undefined;
  readonly onChange: (rule: Rule) => void;
}

function Steps({ rule, fields, names, why, onChange, host }: StepsProps & { readonly host: string }) {
  const { transforms } = rule;
  const set = (next: readonly Transform[]) => onChange(shaped({ ...rule, transforms: [...next] }));
  const open = USES.filter(([use]) => !transforms.some((one) => one.use === use));
  return (
    <Fieldset kind="stack" why={why}>
      <legend class="hidden">Transforms of {host}</legend>
      {takesSeveral(rule) && (
        <Field
          label="Host fields"
          help={`In their order, with commas between them. Known: ${names.join(', ') || 'none yet'}.`}
        >
          <input
            type="text"
            defaultValue={rule.local.join(', ')}
            spellcheck={false}
            onChange={({ currentTarget }) =>
              onChange({ ...rule, local: currentTarget.value.split(/[\s,]+/).filter((name) => name !== '') })
            }
          />
        </Field>
      )}
      {rule.remote.length === 2 && (
        <div class="pair">
          {rule.remote.map((name, at) => (
            <div class="stack" key={String(at)}>
              <strong>{at === 0 ? 'First name goes to' : 'Last name goes to'}</strong>
              <FieldPicker
                label={`${at === 0 ? 'First' : 'Last'} name of ${host}`}
                fields={fields}
                value={name}
                disabled={why !== undefined}
                onPick={(picked) => onChange({ ...rule, remote: rule.remote.with(at, picked) })}
              />
            </div>
          ))}
        </div>
      )}
      {transforms.map((transform, at) => (
        <fieldset class="transform" key={transform.use}>
          <legend>
            {at + 1}. {wordsOf(transform.use)}
          </legend>
          <Options of={transform} onChange={(next) => set(transforms.with(at, next))} />
          <div class="actions">
            {at > 0 && (
              <button
                type="button"
                class="quiet"
                aria-label={`Move up step ${at + 1} of ${host}`}
                onClick={() => set(movedUp(transforms, at))}
              >
                Move up
              </button>
            )}
            <button
              type="button"
              class="quiet"
              aria-label={`Take out step ${at + 1} of ${host}`}
              onClick={() => set(transforms.filter((_, index) => index !== at))}
            >
              Take out
            </button>
          </div>
        </fieldset>
      ))}
      {open.length > 0 && (
        <Field label={transforms.length === 0 ? 'Add a transform' : 'Add another'}>
          <select
            value=""
            onChange={({ currentTarget }) => {
              const use = open.find(([one]) => one === currentTarget.value)?.[0];
              if (use !== undefined) set([...transforms, begin(use)]);
              currentTarget.value = '';
            }}
          >
            <option value="">Choose one…</option>
            {open.map(([use, words]) => (
              <option key={use} value={use}>
                {words}
              </option>
            ))}
          </select>
        </Field>
      )}
    </Fieldset>
  );
}

const takesSeveral = ({ local, transforms }: Rule) =>
  local.length > 1 || transforms.some(({ use }) => use === 'join_name' || use === 'template');

/** What a step asks of the rest of its rule: two fields for a name in parts (the whole goes where the last name went), one way for a text. */
function shaped(rule: Rule): Rule {
  const has = (use: Use) => rule.transforms.some((one) => one.use === use);
  const whole = rule.remote.at(-1) ?? '';
  const remote = has('split_name') ? [rule.remote.length === 2 ? (rule.remote[0] ?? '') : 'FirstName', whole] : [whole];
  return { ...rule, remote, ...(has('template') ? { direction: 'to_crm' as const } : {}) };
}

function movedUp(transforms: readonly Transform[], at: number): Transform[] {
  const next = [...transforms];
  next.splice(at - 1, 0, ...next.splice(at, 1));
  return next;
}

function Options({ of, onChange }: { readonly of: Transform; readonly onChange: (next: Transform) => void }) {
  switch (of.use) {
    case 'date':
      return <DateOptions of={of} onChange={onChange} />;
    case 'template':
      return (
        <Field
          label="Text"
          help="A host field stands in braces: {title} ({externalId}). It is written, and never read back."
        >
          <input
            type="text"
            value={of.text}
            maxLength={500}
            onInput={({ currentTarget }) => onChange({ ...of, text: currentTarget.value })}
          />
        </Field>
      );
    case 'default':
      return <DefaultOptions of={of} onChange={onChange} />;
    case 'values':
      return <ValuePairs of={of} onChange={onChange} />;
    default:
      return null;
  }
}

const FORMS = { date: 'A day', datetime: 'A day and a time' } as const;
const ORDERS = {
  '': 'Year first alone (2026-12-31)',
  dmy: 'Day first (31.12.2026)',
  mdy: 'Month first (12/31/2026)',
  ymd: 'Year first',
} as const;
const UNITS = {
  '': 'Milliseconds, where it can be nothing else',
  s: 'Seconds',
  ms: 'Milliseconds',
  us: 'Microseconds',
  ns: 'Nanoseconds',
} as const;

function DateOptions({ of, onChange }: { readonly of: Of<'date'>; readonly onChange: (next: Transform) => void }) {
  const { order: _, unit: __, ...bare } = of;
  return (
    <div class="pair">
      <Choice label="It is" of={FORMS} value={of.form} onPick={(form) => onChange({ ...of, form })} />
      <Choice
        label="The host app writes"
        of={ORDERS}
        value={of.order ?? ''}
        onPick={(order) => onChange({ ...bare, ...(of.unit ? { unit: of.unit } : {}), ...(order ? { order } : {}) })}
      />
      <Choice
        label="A number counts"
        of={UNITS}
        value={of.unit ?? ''}
        onPick={(unit) => onChange({ ...bare, ...(of.order ? { order: of.order } : {}), ...(unit ? { unit } : {}) })}
      />
    </div>
  );
}

function DefaultOptions({
  of,
  onChange,
}: {
  readonly of: Of<'default'>;
  readonly onChange: (next: Transform) => void;
}) {
  const isDate = of.from !== undefined;
  const kinds = { value: 'Always this value', from: 'Another date of the record' } as const;
  return (
    <>
      <Choice
        label="Where the host app has none"
        of={kinds}
        value={isDate ? 'from' : 'value'}
        onPick={(kind) =>
          onChange(kind === 'from' ? { use: 'default', from: 'createdAt', plusDays: 0 } : { use: 'default', value: '' })
        }
      />
      {isDate ? (
        <div class="pair">
          <Field label="Date" help="A host field, or createdAt: the day the record was made here.">
            <input
              type="text"
              value={of.from}
              spellcheck={false}
              onInput={({ currentTarget }) => onChange({ ...of, from: currentTarget.value.trim() })}
            />
          </Field>
          <Field label="Days later">
            <input
              type="number"
              min={-3650}
              max={3650}
              value={of.plusDays ?? 0}
              onInput={({ currentTarget }) => onChange({ ...of, plusDays: currentTarget.valueAsNumber || 0 })}
            />
          </Field>
        </div>
      ) : (
        <Typed
          label="Value"
          value={(of.value ?? null) as TypedValue}
          onChange={(value) => onChange({ ...of, value })}
        />
      )}
    </>
  );
}

/** One of a few words. */
function Choice<K extends string>({
  label,
  of,
  value,
  onPick,
}: {
  readonly label: string;
  readonly of: Readonly<Record<K, string>>;
  readonly value: K;
  readonly onPick: (value: K) => void;
}) {
  // The keys of the record are all that it has.
  const entries = Object.entries(of) as [K, string][];
  return (
    <Field label={label}>
      <select
        value={value}
        onChange={({ currentTarget }) => {
          const picked = entries.find(([one]) => one === currentTarget.value);
          if (picked) onPick(picked[0]);
        }}
      >
        {entries.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </Field>
  );
}
