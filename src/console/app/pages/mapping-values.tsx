import { Button } from '../parts/button.tsx';
import { Field } from '../parts/form.tsx';
import type { Rule } from './mapping-draft.ts';

type Values = Extract<Rule['transforms'][number], { use: 'values' }>;
export type TypedValue = Values['pairs'][number][number];

const KINDS = ['text', 'number', 'yes or no', 'empty'] as const;
type ValueKind = (typeof KINDS)[number];

const kindOf = (value: TypedValue): ValueKind =>
  value === null ? 'empty' : typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'yes or no' : 'text';

function toKind(kind: ValueKind, value: TypedValue): TypedValue {
  switch (kind) {
    case 'number':
      return Number(value) || 0;
    case 'yes or no':
      return value === true || value === 'true' || value === 1;
    case 'empty':
      return null;
    default:
      return value === null ? '' : String(value);
  }
}

/** A value with what it is: "12" and 12 are not the same to Salesforce. */
export function Typed({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: TypedValue;
  readonly onChange: (value: TypedValue) => void;
}) {
  const kind = kindOf(value);
  return (
    <div class="typed">
      {kind === 'yes or no' ? (
        <select
          aria-label={label}
          value={String(value)}
          onChange={({ currentTarget }) => onChange(currentTarget.value === 'true')}
        >
          <option value="true">yes</option>
          <option value="false">no</option>
        </select>
      ) : (
        <input
          type={kind === 'number' ? 'number' : 'text'}
          step="any"
          aria-label={label}
          value={value === null ? '' : String(value)}
          readOnly={kind === 'empty'}
          maxLength={1000}
          onInput={({ currentTarget }) =>
            onChange(kind === 'number' ? currentTarget.valueAsNumber || 0 : currentTarget.value)
          }
        />
      )}
      <select
        aria-label={`What ${label} is`}
        value={kind}
        onChange={({ currentTarget }) => {
          const picked = KINDS.find((one) => one === currentTarget.value);
          if (picked) onChange(toKind(picked, value));
        }}
      >
        {KINDS.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </div>
  );
}

const OTHERWISE = {
  refuse: 'Refuse it and say so, unless Salesforce lists it',
  pass: 'Send it as it is',
  skip: 'Leave the field out of the sync',
} as const;

/** Which value of the host app is which of Salesforce: the first pair that fits counts, both ways. */
export function ValuePairs({ of, onChange }: { readonly of: Values; readonly onChange: (next: Values) => void }) {
  const put = (at: number, pair: Values['pairs'][number]) => onChange({ ...of, pairs: of.pairs.with(at, pair) });
  return (
    <>
      <p class="note">The first pair that fits counts, both ways.</p>
      <ol class="pairs-of">
        {of.pairs.map(([host = null, crm = null], at) => (
          <li key={at}>
            <Typed label={`Host value ${at + 1}`} value={host} onChange={(value) => put(at, [value, crm])} />
            <span aria-hidden="true">→</span>
            <Typed label={`Salesforce value ${at + 1}`} value={crm} onChange={(value) => put(at, [host, value])} />
            <Button
              kind="quiet"
              label={`Take out pair ${at + 1}`}
              why={of.pairs.length === 1 ? 'One pair stays: take out the whole step instead.' : undefined}
              onClick={() => onChange({ ...of, pairs: of.pairs.filter((_, index) => index !== at) })}
            >
              Take out
            </Button>
          </li>
        ))}
      </ol>
      <div class="actions">
        <button type="button" onClick={() => onChange({ ...of, pairs: [...of.pairs, ['', '']] })}>
          Another pair
        </button>
      </div>
      <Field label="Any other value">
        <select
          value={of.otherwise}
          onChange={({ currentTarget: { value } }) =>
            onChange({ ...of, otherwise: value === 'pass' || value === 'skip' ? value : 'refuse' })
          }
        >
          {Object.entries(OTHERWISE).map(([one, words]) => (
            <option key={one} value={one}>
              {words}
            </option>
          ))}
        </select>
      </Field>
    </>
  );
}
