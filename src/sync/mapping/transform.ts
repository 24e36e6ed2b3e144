import type { Fields, FieldValue } from '../../domain/action.ts';
import { ownField } from '../../domain/host-fields.ts';
import type { HostFields, Transform } from '../../domain/mapping.ts';
import { listedAs } from '../../domain/stored-value/choices.ts';
import { isRead, type Read, type Shape } from '../../domain/stored-value/read.ts';
import { addDays, type DateForm, readDay, readMoment, toHostTime } from '../../domain/stored-value/times.ts';

/**
 * One step of a rule: `out` towards Salesforce, `back` towards the host. Undefined means: nothing to say about this field, by
 * choice of a value map; a problem, that the value does not fit.
 */
export interface Step {
  readonly use: Transform['use'];
  out(value: FieldValue, host: HostFields): Read | undefined;
  back(value: FieldValue): FieldValue | undefined;
}

/** What the other parts of a rule say: how its dates are written, and the field it ends in. */
export interface Surroundings {
  readonly form?: DateForm | undefined;
  readonly field?: Shape | undefined;
}

/** `split_name`, `join_name` and `template` change how many fields there are, so the rule itself does them. */
export function toStep(transform: Transform, { form, field }: Surroundings = {}): Step | undefined {
  const { use } = transform;
  switch (transform.use) {
    case 'trim':
      return both(use, (value) => (typeof value === 'string' ? value.trim() || null : value));
    case 'lower':
      return both(use, (value) => (typeof value === 'string' ? value.toLowerCase() : value));
    case 'date': {
      const read = (value: FieldValue): Read => (value === null ? { value } : readDate(transform, value));
      return {
        use,
        out: read,
        back: (value) => {
          const back = read(value);
          return isRead(back) ? back.value : null;
        },
      };
    }
    case 'default':
      return {
        use,
        out: (value, host) => ({ value: value === null ? defaultOf(transform, host, form) : value }),
        back: (value) => value,
      };
    case 'values': {
      const { pairs, otherwise } = transform;
      const byLocal = firstOf(pairs, ([local]) => local);
      const byRemote = firstOf(pairs, ([, remote]) => remote);
      return {
        use,
        out: (value) => {
          const pair = byLocal.get(sameness(value));
          if (pair) return { value: pair[1] };
          if (value === null || otherwise === 'pass') return { value };
          if (otherwise === 'skip') return undefined;
          // Its own values are no news to the field: what was read from there can be sent back.
          if (field && typeof value === 'string' && listedAs(field, value) !== undefined) return { value };
          const known = [...new Set(pairs.map(([local]) => String(local)))].slice(0, 12).join(', ');
          return {
            problem: `is none of the values that the rule knows (${known}): add a pair, or "otherwise": "pass"`,
          };
        },
        back: (value) => {
          const pair = byRemote.get(sameness(value));
          return pair ? pair[0] : otherwise === 'skip' && value !== null ? undefined : value;
        },
      };
    }
    case 'split_name':
    case 'join_name':
    case 'template':
      return undefined;
    default:
      return transform satisfies never;
  }
}

/** `{title} ({externalId})`; a name that is empty leaves nothing behind. */
export function fillTemplate(text: string, fields: Fields): string | null {
  const filled = text.replace(/\{(\w+)\}/g, (_, name: string) => String(ownField(fields, name) ?? ''));
  return (
    filled
      .replace(/\(\s*\)/g, '')
      .replace(/\s+/g, ' ')
      .trim() || null
  );
}

export function templateNames(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
}

function both(use: Step['use'], convert: (value: FieldValue) => FieldValue): Step {
  return { use, out: (value) => ({ value: convert(value) }), back: convert };
}

function readDate({ form, order, unit }: Extract<Transform, { use: 'date' }>, value: FieldValue): Read {
  if (form === 'date') return readDay(value, { order, unit });
  const moment = readMoment(value, { order, unit });
  return isRead(moment) ? { value: toHostTime(moment.value) } : moment;
}

function defaultOf(
  { value, from, plusDays = 0 }: Extract<Transform, { use: 'default' }>,
  { fields, createdAt }: HostFields,
  form: DateForm = {},
): FieldValue {
  if (from === undefined) return value ?? null;
  const said = from === 'createdAt' ? undefined : readDay(ownField(fields, from) ?? null, form);
  const day = said && isRead(said) ? said : readDay(createdAt, { unit: 'ms' });
  return isRead(day) ? addDays(day.value, plusDays) : (value ?? null);
}

type Pair = Extract<Transform, { use: 'values' }>['pairs'][number];

/** The first pair that fits wins; found by one look, however many there are. */
function firstOf(pairs: readonly Pair[], sideOf: (pair: Pair) => FieldValue): ReadonlyMap<FieldValue, Pair> {
  // Of one key the last entry stays.
  return new Map(pairs.toReversed().map((pair) => [sameness(sideOf(pair)), pair]));
}

/** The same for values that mean the same. */
const sameness = (value: FieldValue): FieldValue => (typeof value === 'string' ? value.trim().toLowerCase() : value);
