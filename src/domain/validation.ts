import { z } from 'zod';
import { inTurns } from './breath.ts';
import { type FieldProblem, GatehouseError, listProblems } from './errors.ts';
import { isRecord } from './is-record.ts';

/**
 * What is wrong with a value, said after its name: "lastName: is missing". For `safeParse(value, { error: inWords })`; a
 * schema's own words come first, and undefined leaves the rest to zod.
 */
export const inWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return tooSmall(issue.origin, issue.minimum, issue.inclusive !== false);
    case 'too_big':
      return tooBig(issue.origin, issue.maximum, issue.inclusive !== false);
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return FORMATS[issue.format] ?? 'is not in the form that is wanted';
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_union':
      return 'has none of the forms that it may have';
    default:
      return undefined;
  }
};

/**
 * The value as its schema has it, or `invalid_input` with every wrong place (twenty of them, and how many more). `what`
 * begins the message: "The request"; `whole` names what has no place of its own: "(body)".
 */
export function parseOrThrow<S extends z.ZodType>(schema: S, value: unknown, named: Named): z.output<S> {
  const parsed = schema.safeParse(value, { error: inWords });
  if (parsed.success) return parsed.data;
  throw notUsable(problemsIn(parsed.error, named.whole), named.what);
}

/** The same of a body that may be long: the entries of its lists are looked at a few at a time, and others have their turns (K4). */
export async function parseInTurns<S extends z.ZodType>(schema: S, value: unknown, named: Named): Promise<z.output<S>> {
  if (!(schema instanceof z.ZodObject) || !isRecord(value)) return parseOrThrow(schema, value, named);
  const lists = Object.entries<z.ZodType>(schema.shape).flatMap(([key, list]) => {
    const entries = Object.hasOwn(value, key) ? value[key] : undefined;
    return list instanceof z.ZodArray && Array.isArray(entries) ? [{ key, list, entries }] : [];
  });
  if (lists.length === 0) return parseOrThrow(schema, value, named);
  const unread = lists.map(({ key, list }) => [key, z.core.clone(list, { ...list.def, element: z.unknown() })]);
  const parsed = schema.safeExtend(Object.fromEntries(unread)).safeParse(value, { error: inWords });
  const problems = parsed.success ? [] : [...problemsIn(parsed.error, named.whole)];
  const read: Record<string, unknown> = { ...parsed.data };
  for (const { key, list, entries } of lists) {
    const element = list.element as z.ZodType; // its own type says less
    read[key] = await inTurns([...entries.entries()], ENTRIES_A_TURN, ([at, entry]) => {
      const one = element.safeParse(entry, { error: inWords });
      if (!one.success)
        problems.push(...problemsIn(one.error, '').map(({ name, problem }) => within(`${key}.${at}`, name, problem)));
      return one.data;
    });
  }
  if (problems.length > 0) throw notUsable(problems, named.what);
  return read as z.output<S>; // each part by its own schema
}

/** Records of a hundred fields: a few milliseconds, also where all of them are wrong. */
const ENTRIES_A_TURN = 10;

interface Named {
  readonly what: string;
  readonly whole: string;
}

const within = (place: string, name: string, problem: string): FieldProblem => ({
  name: name === '' ? place : `${place}.${name}`,
  problem,
});

function notUsable(problems: readonly FieldProblem[], what: string): GatehouseError {
  const fields = listProblems(problems);
  return new GatehouseError('invalid_input', `${what} is not usable: ${fields.map(({ name }) => name).join(', ')}.`, {
    next: `Correct and send it again: ${fields.map(({ name, problem }) => `${name}: ${problem}`).join('; ')}.`,
    fields,
  });
}

/** Where an input is wrong, named as the caller wrote it; `whole` names what has no place of its own. */
export function problemsIn({ issues }: z.core.$ZodError, whole: string): readonly FieldProblem[] {
  return issues.flatMap((issue) => {
    const at = issue.path.map(String);
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ name: [...at, key].join('.'), problem: 'is not known here' }))
      : [{ name: at.join('.') || whole, problem: issue.message }];
  });
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

const FORMATS: Readonly<Record<string, string>> = {
  date: 'must be a date like 2026-01-31',
  datetime: 'must be a time like 2026-01-31T09:30:00Z',
  email: 'must be an email address',
  url: 'must be a web address',
};

function tooSmall(origin: string, least: number | bigint, isAllowed: boolean): string | undefined {
  if (origin === 'string') return least === 1 ? 'must not be empty' : `needs at least ${least} characters`;
  if (origin === 'array' || origin === 'set') return `needs at least ${least} ${least === 1 ? 'entry' : 'entries'}`;
  if (origin === 'number' || origin === 'int')
    return isAllowed ? `must be ${least} or more` : `must be more than ${least}`;
  return undefined;
}

function tooBig(origin: string, most: number | bigint, isAllowed: boolean): string | undefined {
  if (origin === 'string') return `takes at most ${most} characters`;
  if (origin === 'array' || origin === 'set') return `takes at most ${most} ${most === 1 ? 'entry' : 'entries'}`;
  if (origin === 'number' || origin === 'int')
    return isAllowed ? `must be ${most} or less` : `must be less than ${most}`;
  return undefined;
}
