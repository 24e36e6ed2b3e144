import { useState } from 'preact/hooks';
import { Button } from '../parts/button.tsx';
import { FieldPicker, type Pickable } from '../parts/field-picker.tsx';
import { Text, Value, Words } from '../parts/text.tsx';
import { type Rule, transformWords } from './mapping-draft.ts';
import { Transforms } from './mapping-transforms.tsx';

type Way = Rule['direction'];
const WAYS: readonly (readonly [Way, string])[] = [
  ['both', 'both ways'],
  ['to_crm', 'to Salesforce'],
  ['from_crm', 'from Salesforce'],
];
const toWay = (word: string): Way => WAYS.find(([way]) => way === word)?.[0] ?? 'both';

interface Line {
  readonly sends: Readonly<Record<string, unknown>>;
  readonly note?: string | undefined;
}

/** One rule: what goes where, which way, and what that makes of the sample. */
export function RuleRow({
  rule,
  fields,
  names,
  line,
  problems,
  why,
  onChange,
}: {
  readonly rule: Rule;
  readonly fields: readonly Pickable[];
  /** Of the host app. */
  readonly names: readonly string[];
  readonly line: Line | undefined;
  /** Why this rule cannot be saved as it is. */
  readonly problems: readonly string[];
  /** Why it cannot be changed; undefined where it can. */
  readonly why: string | undefined;
  /** Undefined takes the rule away. */
  readonly onChange: (rule: Rule | undefined) => void;
}) {
  const isLocked = why !== undefined;
  const host = rule.local.join(' + ') || 'always the same';
  const crm = rule.remote.join(' + ');
  const words = transformWords(rule);
  const label = fields.find(({ name }) => name === rule.remote[0])?.label;
  return (
    <div class="rule">
      <p>
        <strong>{host}</strong>
        {words && (
          <>
            <br />
            <small>
              <Text>{words}</Text>
            </small>
          </>
        )}
      </p>
      <select
        aria-label={`Way of ${host}`}
        value={rule.direction}
        disabled={isLocked}
        onChange={(event) => onChange({ ...rule, direction: toWay(event.currentTarget.value) })}
      >
        {WAYS.map(([way, name]) => (
          <option key={way} value={way}>
            {name}
          </option>
        ))}
      </select>
      {rule.remote.length === 1 && !isLocked ? (
        <div>
          <FieldPicker
            label={`Salesforce field of ${host}`}
            fields={fields}
            value={crm}
            onPick={(name) => onChange({ ...rule, remote: [name] })}
          />
        </div>
      ) : (
        <p>
          <code>{crm}</code>
        </p>
      )}
      <Button
        kind="quiet"
        why={why}
        label={`Remove the rule of ${host} and ${crm}`}
        onClick={() => onChange(undefined)}
      >
        Remove
      </Button>
      {problems.length > 0 && (
        <p class="refused" role="status">
          {problems.map((problem) => (
            <Words key={problem}>{problem}</Words>
          ))}
        </p>
      )}
      <p class="note">
        {label && rule.remote.length === 1 && <>{label}. </>}
        {line && (rule.direction === 'from_crm' ? 'Comes from Salesforce.' : <Preview line={line} />)}
      </p>
      <Transforms rule={rule} fields={fields} names={names} why={why} onChange={onChange} />
    </div>
  );
}

function Preview({ line: { sends, note } }: { readonly line: Line }) {
  const entries = Object.entries(sends);
  return (
    <>
      {entries.length > 0 ? (
        <>
          Would send:{' '}
          {entries.map(([name, value], at) => (
            <span key={name}>
              {at > 0 && ', '}
              <code>{name}</code> <Value of={value} />
            </span>
          ))}
        </>
      ) : (
        'Would send nothing.'
      )}
      {note && (
        <>
          {' '}
          <Words>{note}</Words>
        </>
      )}
    </>
  );
}

/** A rule more: a host field, by its own name or the host app's, and a field of Salesforce. */
export function NewRule({
  names,
  fields,
  onAdd,
}: {
  /** Of the host app, as its records have them. */
  readonly names: readonly string[];
  readonly fields: readonly Pickable[];
  readonly onAdd: (rule: Rule) => void;
}) {
  const [local, setLocal] = useState('');
  const [way, setWay] = useState<Way>('both');
  const [remote, setRemote] = useState('');
  const isWhole = /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(local) && remote !== '';
  return (
    <section class="card" aria-labelledby="new-rule">
      <h2 id="new-rule">A new rule</h2>
      <div class="rule new">
        <label class="field">
          Host field
          <input
            type="text"
            list="host-fields"
            value={local}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setLocal(event.currentTarget.value.trim())}
          />
          <datalist id="host-fields">
            {names.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </label>
        <label class="field">
          Way
          <select value={way} onChange={(event) => setWay(toWay(event.currentTarget.value))}>
            {WAYS.map(([one, words]) => (
              <option key={one} value={one}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <div class="stack">
          <strong>Salesforce field</strong>
          <FieldPicker
            label="Salesforce field, by label or API name"
            fields={fields}
            value={remote}
            onPick={setRemote}
          />
        </div>
        <Button
          why={isWhole ? undefined : 'Choose both fields first.'}
          onClick={() => {
            const isParent = remote.includes('.');
            onAdd({
              local: [local],
              remote: [remote],
              direction: isParent ? 'from_crm' : way,
              transforms: [],
            });
            setLocal('');
            setRemote('');
          }}
        >
          Add
        </Button>
        <p class="note">A field of the account (Account: …) is read from it and never written.</p>
      </div>
    </section>
  );
}
