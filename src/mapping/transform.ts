import type { Fields, FieldValue } from '../action.ts';
import { toDay, toInstant } from './canonical.ts';
import type { HostFields, Transform } from './mapping.ts';

/**
 * One step of a rule: `out` towards Salesforce, `back` towards the host. Undefined means: nothing to say about this field, by
 * choice of a value map; or, from any other step, that the value does not fit.
 */
export interface Step {
  readonly use: Transform['use'];
  out(value: FieldValue, host: HostFields): FieldValue | undefined;
  back(value: FieldValue): FieldValue | undefined;
}

/** `split_name`, `join_name` and `template` change how many fields there are, so the rule itself does them. */
export function toStep(transform: Transform): Step | undefined {
  const { use } = transform;
  switch (transform.use) {
    case 'trim':
      return both(use, (value) => (typeof value === 'string' ? value.trim() || null : value));
    case 'lower':
      return both(use, (value) => (typeof value === 'string' ? value.toLowerCase() : value));
    case 'date': {
      const convert = transform.form === 'date' ? toDay : toInstant;
      return {
        use,
        out: (value) => (value === null ? null : (convert(value) ?? undefined)),
        back: (value) => (value === null ? null : convert(value)),
      };
    }
    case 'default':
      return {
        use,
        out: (value, host) => (value === null ? defaultOf(transform, host) : value),
        back: (value) => value,
      };
    case 'values': {
      const { pairs, otherwise } = transform;
      const unlisted = (value: FieldValue) => (otherwise === 'pass' || value === null ? value : undefined);
      return {
        use,
        out: (value) => {
          const pair = pairs.find(([local]) => isSame(local, value));
          return pair ? pair[1] : unlisted(value);
        },
        back: (value) => {
          const pair = pairs.find(([, remote]) => isSame(remote, value));
          return pair ? pair[0] : unlisted(value);
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
  const filled = text.replace(/\{(\w+)\}/g, (_, name: string) => String(fields[name] ?? ''));
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
  return { use, out: convert, back: convert };
}

function defaultOf(
  { value, from, plusDays = 0 }: Extract<Transform, { use: 'default' }>,
  { fields, createdAt }: HostFields,
): FieldValue {
  if (from === undefined) return value ?? null;
  const day = toDay((from === 'createdAt' ? createdAt : fields[from]) ?? null) ?? toDay(createdAt);
  if (day === null) return value ?? null;
  return new Date(Date.parse(`${day}T00:00:00Z`) + plusDays * 86_400_000).toISOString().slice(0, 10);
}

function isSame(a: FieldValue, b: FieldValue): boolean {
  return typeof a === 'string' && typeof b === 'string' ? a.trim().toLowerCase() === b.trim().toLowerCase() : a === b;
}
