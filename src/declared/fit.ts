import type { FieldDescribe } from '../domain/action.ts';
import type { Declaration, DeclaredInput, Source, Step } from '../domain/declaration.ts';
import type { FieldProblem } from '../domain/errors.ts';
import { nearest } from '../domain/nearest.ts';

/** Whether what a definition puts into a field, or compares with it, is what the field takes, by its describe. Pure. */

const TYPES: Readonly<Record<string, readonly DeclaredInput['type'][]>> = {
  boolean: ['boolean'],
  int: ['integer'],
  long: ['integer'],
  double: ['integer', 'number'],
  currency: ['integer', 'number'],
  percent: ['integer', 'number'],
  date: ['date'],
  datetime: ['datetime'],
  reference: ['id'],
  id: ['id'],
};

/** A list takes its own values, whatever else the org would store: a model would make some up. */
export function choiceProblems(
  place: string,
  field: FieldDescribe,
  source: Source,
  inputs: Declaration['input'],
): FieldProblem[] {
  if (!/^(?:multi)?picklist$/.test(field.type)) return [];
  const input = 'input' in source ? inputs[source.input] : undefined;
  const at = 'input' in source ? `input.${source.input}` : place;
  if (input !== undefined && input.type !== 'choice')
    return [{ name: at, problem: `must be a choice: ${field.name} takes values of a list` }];
  // What an operator wrote down is stored by an open list, whatever it is.
  const constant =
    'value' in source && typeof source.value === 'string' && field.restrictedPicklist ? [source.value] : [];
  const active = field.picklistValues.filter((one) => one.active).map((one) => one.value);
  return (input?.values ?? constant).flatMap((value) => {
    if (active.includes(value)) return [];
    const near = nearest(value, active);
    const hint = near.length > 0 ? `; nearest: ${near.join(', ')}` : '';
    return [{ name: at, problem: `${JSON.stringify(value)} is no value of ${field.name}${hint}` }];
  });
}

/** What stands for a text without quotes; a day may be stored in one, and compared with none. */
const NO_TEXT: readonly DeclaredInput['type'][] = ['integer', 'number', 'boolean', 'date', 'datetime'];

/** Whether what an input lets through is what the field takes. */
export function fitProblems(
  place: string,
  field: FieldDescribe,
  source: Source,
  inputs: Declaration['input'],
): FieldProblem[] {
  const fits = Object.hasOwn(TYPES, field.type) ? TYPES[field.type] : undefined;
  if (!('input' in source)) return fixedProblems(place, field, fits, source);
  const input = inputs[source.input];
  if (input === undefined) return [];
  const at = `input.${source.input}`;
  if (fits !== undefined && !fits.includes(input.type))
    return [
      {
        name: at,
        problem: `must be ${fits.join(' or ')} for ${field.name}, which is of type ${field.type} (${place})`,
      },
    ];
  const isCompared = /^(?:where|key)/.test(place);
  if (fits === undefined && (isCompared ? NO_TEXT : NO_TEXT.slice(0, 3)).includes(input.type))
    return [{ name: at, problem: `must be text for ${field.name}, which is of type ${field.type} (${place})` }];
  if (input.type === 'text' && field.length > 0 && input.maxLength > field.length)
    return [
      {
        name: at,
        problem: `may have ${input.maxLength} characters, and ${field.name} holds ${field.length}: lower maxLength`,
      },
    ];
  return [];
}

/** The same of a constant, a time of now and what the host signed for. */
function fixedProblems(
  place: string,
  field: FieldDescribe,
  fits: readonly DeclaredInput['type'][] | undefined,
  source: Exclude<Source, { readonly input: string }>,
): FieldProblem[] {
  const types = typesOf(source);
  if (types === undefined) return [];
  const isFit = fits === undefined ? types.includes('text') : types.some((type) => fits.includes(type));
  if (isFit) return [];
  const words = fits === undefined ? 'text' : fits.join(' or ');
  return [{ name: place, problem: `must be ${words} for ${field.name}, which is of type ${field.type}` }];
}

/** Every type that it may stand for; undefined where it stands for none, and fits everywhere. */
function typesOf(source: Exclude<Source, { readonly input: string }>): readonly DeclaredInput['type'][] | undefined {
  if ('session' in source) return ['text', 'id'];
  // A day or time may be stored in a text.
  if ('now' in source) return [source.now, 'text'];
  const { value } = source;
  if (value === null) return undefined;
  if (typeof value === 'boolean') return ['boolean'];
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer'] : ['number'];
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value));
  const isTime = /^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:?\d{2})$/.test(value) && !Number.isNaN(Date.parse(value));
  return ['text', 'id', ...(isDay ? (['date'] as const) : []), ...(isTime ? (['datetime'] as const) : [])];
}

/** An Id of another object in a look-up is refused by Salesforce each time. */
export function fromProblems(
  place: string,
  field: FieldDescribe,
  from: string,
  steps: readonly Step[],
): FieldProblem[] {
  const object = steps.find(({ id }) => `${id}.id` === from)?.object ?? '';
  const takes = field.referenceTo.map((one) => one.toLowerCase());
  if (field.type === 'reference' && takes.includes(object.toLowerCase())) return [];
  return [{ name: place, problem: `${field.name} cannot hold the Id of ${object || from}` }];
}
