import type { Condition, Rule } from './policy-draft.tsx';
import { count, Text } from './text.tsx';

/** Conditions of a policy's rules, in words and as fields. One row per condition key: the type says none is missing. */

interface Kind<T> {
  readonly label: string;
  readonly words: (value: T) => string;
  /** Short, for a cell of the grid: `>50,000`. */
  readonly short?: (value: T) => string;
  readonly start: T;
  readonly field: 'number' | 'list' | 'yes' | readonly string[];
}

const list = (names: readonly string[]) => names.join(', ');
const CONDITIONS: { readonly [K in keyof Condition]-?: Kind<NonNullable<Condition[K]>> } = {
  amountChangeAbove: {
    label: 'Amount changes by more than',
    words: (value) => `the amount changes by more than ${count(value)}`,
    short: (value) => `>${count(value)}`,
    start: 50_000,
    field: 'number',
  },
  amountAbove: {
    label: 'Amount above',
    words: (value) => `the amount is above ${count(value)}`,
    short: (value) => `above ${count(value)}`,
    start: 100_000,
    field: 'number',
  },
  stageIn: {
    label: 'Stage becomes one of',
    words: (value) => `the stage becomes ${list(value)}`,
    start: ['Closed Won'],
    field: 'list',
  },
  closeDateShiftDaysAbove: {
    label: 'Close date moves by more days than',
    words: (value) => `the close date moves by more than ${count(value)} days`,
    start: 90,
    field: 'number',
  },
  fieldIn: {
    label: 'One of these fields changes',
    words: (value) => `${list(value)} changes`,
    start: ['Name'],
    field: 'list',
  },
  sensitive: {
    label: 'A sensitive field is touched',
    words: () => 'a sensitive field is touched',
    start: true,
    field: 'yes',
  },
  queryClass: {
    label: 'The query is',
    words: (value) => `the query is ${value}`,
    start: 'non-trivial',
    field: ['trivial', 'non-trivial'],
  },
  duplicates: { label: 'Look-alikes exist', words: () => 'look-alikes exist', start: true, field: 'yes' },
  warnings: { label: 'A value looks wrong', words: () => 'a value looks wrong', start: true, field: 'yes' },
  runsThisHourAtLeast: {
    label: 'Runs in the past hour, at least',
    words: (value) => `it ran ${count(value)} times in the past hour`,
    short: (value) => `from ${count(value)} an hour`,
    start: 20,
    field: 'number',
  },
  visitorRunsThisHourAtLeast: {
    label: 'Requests of one visitor in the past hour, at least',
    words: (value) => `one visitor sent ${count(value)} requests in the past hour`,
    start: 10,
    field: 'number',
  },
  environment: {
    label: 'The org is',
    words: (value) => `the org is ${value}`,
    start: 'production',
    field: ['production', 'sandbox', 'simulated'],
  },
};

type Key = keyof Condition;
const ORDER = Object.keys(CONDITIONS) as Key[]; // its own keys
const keysOf = (condition: Condition) => ORDER.filter((key) => condition[key] !== undefined);
// Each key is looked up with its own value.
const kindOf = (key: Key) => CONDITIONS[key] as Kind<never> & Kind<unknown>;

const VERBS = { auto: 'runs', confirm: 'asks', deny: 'denies' } as const;

/** `asks >50,000`, or `asks when look-alikes exist`. */
export function ruleWords({ if: condition, then }: Rule): string {
  const keys = keysOf(condition);
  const [first] = keys;
  const kind = first === undefined ? undefined : kindOf(first);
  if (keys.length === 1 && first !== undefined && kind?.short !== undefined)
    return `${VERBS[then]} ${kind.short(condition[first] as never)}`;
  return `${VERBS[then]} when ${keys.map((key) => kindOf(key).words(condition[key] as never)).join(' and ')}`;
}

/** A rule to begin with: the first condition that this action has something for. */
export function newRule(known: readonly string[]): Rule {
  const key = ORDER.find((one) => known.includes(one)) ?? 'runsThisHourAtLeast';
  return { if: { [key]: CONDITIONS[key].start }, then: 'confirm' };
}

const splitList = (text: string) =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** Names with commas between them; read when the field is left, so that a comma can be typed. */
export function ListInput({
  value,
  onChange,
  ...rest
}: {
  readonly value: readonly string[];
  readonly onChange: (value: string[]) => void;
  readonly name?: string;
  readonly label?: string;
}) {
  return (
    <input
      type="text"
      name={rest.name}
      aria-label={rest.label}
      defaultValue={value.join(', ')}
      key={value.join(', ')}
      autocomplete="off"
      spellcheck={false}
      onChange={(event) => onChange(splitList(event.currentTarget.value))}
    />
  );
}

/** One rule, to be changed. `known` are the conditions that its action has something for. */
export function RuleFields({
  rule,
  known,
  place,
  onChange,
  onRemove,
}: {
  readonly rule: Rule;
  readonly known: readonly string[];
  /** Of the rule in the policy: the names of its fields. */
  readonly place: string;
  readonly onChange: (rule: Rule) => void;
  readonly onRemove: () => void;
}) {
  const keys = keysOf(rule.if);
  const free = ORDER.filter((key) => known.includes(key) && !keys.includes(key));
  const replace = (key: Key, other: Key) => {
    const { [key]: _, ...rest } = rule.if;
    onChange({ ...rule, if: { ...rest, [other]: CONDITIONS[other].start } });
  };
  return (
    <fieldset class="when">
      <legend class="hidden">
        <Text>{ruleWords(rule)}</Text>
      </legend>
      {keys.map((key) => (
        <div class="condition" key={key}>
          <select
            aria-label="When"
            name={`${place}.if.${key}`}
            value={key}
            onChange={(event) => replace(key, event.currentTarget.value as Key)} // its options are keys
          >
            {[key, ...free].map((one) => (
              <option value={one} key={one}>
                {CONDITIONS[one].label}
              </option>
            ))}
          </select>
          <ConditionField
            of={key}
            value={rule.if[key]}
            onChange={(value) => onChange({ ...rule, if: { ...rule.if, [key]: value } })}
          />
        </div>
      ))}
      <div class="actions">
        <select
          aria-label="Then"
          name={`${place}.then`}
          value={rule.then}
          onChange={(event) => onChange({ ...rule, then: event.currentTarget.value as Rule['then'] })} // its options
        >
          <option value="confirm">it asks a person</option>
          <option value="deny">it is denied</option>
          {rule.then === 'auto' && <option value="auto">it runs, unless something stricter holds</option>}
        </select>
        <label class="tick">
          <input
            type="checkbox"
            checked={rule.assurance === 'session'}
            onChange={(event) => {
              const { assurance: _, ...rest } = rule;
              onChange(event.currentTarget.checked ? { ...rest, assurance: 'session' } : rest);
            }}
          />
          signed-in only
        </label>
        {free.length > 0 && (
          <button
            type="button"
            class="quiet"
            onClick={() => onChange({ ...rule, if: { ...rule.if, [free[0]!]: CONDITIONS[free[0]!].start } })} // not empty
          >
            And…
          </button>
        )}
        <button type="button" class="quiet" onClick={onRemove}>
          Remove
          <span class="hidden">
            {' '}
            the rule: <Text>{ruleWords(rule)}</Text>
          </span>
        </button>
      </div>
    </fieldset>
  );
}

function ConditionField({
  of,
  value,
  onChange,
}: {
  readonly of: Key;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}) {
  const { field, label } = CONDITIONS[of];
  if (field === 'yes') return null;
  if (field === 'number')
    return (
      <input
        type="number"
        aria-label={label}
        required
        min={0}
        value={Number(value)}
        onInput={(event) => {
          const number = event.currentTarget.valueAsNumber;
          if (!Number.isNaN(number)) onChange(number);
        }}
      />
    );
  if (field === 'list')
    return <ListInput label={label} value={Array.isArray(value) ? value.map(String) : []} onChange={onChange} />;
  return (
    <select aria-label={label} value={String(value)} onChange={(event) => onChange(event.currentTarget.value)}>
      {field.map((one) => (
        <option value={one} key={one}>
          {one}
        </option>
      ))}
    </select>
  );
}
