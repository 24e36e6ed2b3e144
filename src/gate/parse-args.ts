import { z } from 'zod';
import type { ActionPolicy, Policy } from '../../permissions/policy.ts';
import type { Action, FieldValue } from '../domain/action.ts';
import { type FieldProblem, GatehouseError, listProblems } from '../domain/errors.ts';
import { hiddenCharacter } from '../domain/safe-text.ts';
import { inWords } from '../domain/validation.ts';
import type { Permitted } from '../policy/permit.ts';

/** What a caller sent, as the action wants it: strict, every bad field named at once, nothing repaired in silence. */

/** Characters of one text; no field of a CRM record that an action takes is longer. */
const MOST_TEXT = 32_000;
/** Arguments of one call, and entries of a list in them: many times what any action takes. */
const MOST_ENTRIES = 100;

export interface ParsedArgs {
  /** Everything, as it is stored, shown and run. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly input: Readonly<Record<string, unknown>>;
  readonly extra: Readonly<Record<string, FieldValue>>;
}

/** The action's input with the bot's exposed fields (A2) and without what policy stands in for: what is listed is what is parsed. */
export function inputFor({ action, actionPolicy }: Permitted, policy: Policy): z.ZodObject {
  const exposed = action.exposes === undefined ? [] : actionPolicy.expose;
  const optional = Object.keys(defaultsOf(action, policy));
  if (exposed.length === 0 && optional.length === 0) return action.input;
  const { shape } = action.input;
  const extra = exposed.map(({ field, type, describe }) => [field, EXPOSED[type]().describe(describe).optional()]);
  const left = optional.map((name) => [
    name,
    shape[name].optional().describe(`${shape[name].description}; may be left out`),
  ]);
  return z.strictObject({ ...shape, ...Object.fromEntries([...left, ...extra]) });
}

/** What policy says in place of inputs that were left out. It becomes part of the arguments: it is shown, approved and run as they are. */
function defaultsOf({ defaults = {} }: Action, policy: Policy): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(defaults).flatMap(([name, key]) => {
      const value = key === undefined ? undefined : policy[key];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

export function parseArgs(permit: Permitted, policy: Policy, raw: unknown): ParsedArgs {
  const given = readArgs(permit.action.name, inputFor(permit, policy), raw, policy.ignoreKeys);
  return apart(permit, { ...defaultsOf(permit.action, policy), ...given });
}

/** What was parsed when it was held: it must fit what the action and the policy of now take, and runs as it was approved, nothing added. */
export function parseStored(permit: Permitted, policy: Policy, args: ParsedArgs['args']): ParsedArgs {
  readArgs(permit.action.name, inputFor(permit, policy), args, policy.ignoreKeys);
  return apart(permit, args);
}

function apart({ action, actionPolicy }: Permitted, args: ParsedArgs['args']): ParsedArgs {
  const exposed = new Set(
    actionPolicy.expose.map(({ field }) => field).filter((field) => !Object.hasOwn(action.input.shape, field)),
  );
  const pick = (isExposed: boolean) =>
    Object.fromEntries(Object.entries(args).filter(([key]) => exposed.has(key) === isExposed));
  // The schema of an exposed field takes plain values alone.
  return { args, input: pick(false), extra: pick(true) as Record<string, FieldValue> };
}

/** `ignoreKeys`: what the bot's clients add to every call by themselves; inputs of the action are never among them. */
export function readArgs<S extends z.ZodObject>(
  name: string,
  schema: S,
  raw: unknown,
  ignoreKeys: readonly string[] = [],
): z.output<S> {
  refuseFlood(name, raw);
  const given = asGiven(schema, raw ?? {}, ignoreKeys);
  const problems: FieldProblem[] = [...hiddenTexts(given)];
  const parsed = schema.safeParse(given, { error: inWords });
  if (parsed.success && problems.length === 0) return parsed.data;
  const issues = parsed.error?.issues ?? [];
  const extra = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  problems.push(...issues.flatMap((issue) => toProblems(schema, issue)));
  throw invalid(name, onePerField(problems), extra);
}

/**
 * What the caller gave, before it is judged: null is "not given" (strict callers fill every key), and a single text where
 * a list is wanted is a list of one.
 */
function asGiven(schema: z.ZodObject, raw: unknown, ignoreKeys: readonly string[]): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw;
  const entries = Object.entries(raw).flatMap(([name, value]): [string, unknown][] => {
    if (!Object.hasOwn(schema.shape, name)) return ignoreKeys.includes(name) ? [] : [[name, value]];
    const field: z.core.$ZodType | undefined = schema.shape[name];
    if (field === undefined) return [[name, value]];
    if (value === null && !z.safeParse(field, null).success) return [];
    return [[name, typeof value === 'string' && listOf(field) !== undefined ? [value] : value]];
  });
  return Object.fromEntries(entries);
}

/** What the entries of a list are; undefined where the field is none. */
function listOf(field: z.core.$ZodType): z.core.$ZodType | undefined {
  if (field instanceof z.core.$ZodArray) return field._zod.def.element;
  if (field instanceof z.core.$ZodOptional || field instanceof z.core.$ZodDefault)
    return listOf(field._zod.def.innerType);
  return undefined;
}

const EXPOSED = {
  string: () => z.string(),
  number: () => z.number(),
  boolean: () => z.boolean(),
  date: () => z.iso.date(),
} as const satisfies Record<ActionPolicy['expose'][number]['type'], () => z.ZodType>;

/** Judging each of a hundred thousand arguments would hold up everybody else's calls. */
function refuseFlood(action: string, raw: unknown): void {
  if (typeof raw !== 'object' || raw === null) return;
  const values = Object.values(raw);
  if (values.length > MOST_ENTRIES)
    throw invalid(action, [
      { name: '(arguments)', problem: `there are ${values.length}; ${MOST_ENTRIES} is the most` },
    ]);
  const lists = Object.entries(raw).filter(([, value]) => Array.isArray(value) && value.length > MOST_ENTRIES);
  if (lists.length > 0)
    throw invalid(
      action,
      lists.map(([name]) => ({ name, problem: `is a list of more than ${MOST_ENTRIES} entries` })),
    );
}

function* hiddenTexts(raw: unknown): Generator<FieldProblem> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return;
  const texts = Object.entries(raw).flatMap(([name, value]: [string, unknown]) =>
    (Array.isArray(value) ? value : [value]).map((one: unknown) => ({ name, value: one })),
  );
  for (const { name, value } of texts) {
    if (typeof value !== 'string') continue;
    const hidden = hiddenCharacter(value);
    if (hidden !== undefined) yield { name, problem: `contains the invisible character ${hidden}` };
    if (value.length > MOST_TEXT) yield { name, problem: `has ${value.length} characters; ${MOST_TEXT} is the most` };
  }
}

function toProblems(schema: z.ZodObject, issue: z.core.$ZodIssue): FieldProblem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ name: key, problem: 'is not an input of this action' }));
  const [key] = issue.path;
  const field: z.core.$ZodType | undefined = typeof key === 'string' ? schema.shape[key] : undefined;
  const entry = field === undefined || issue.path.length > 1 ? undefined : listOf(field);
  const isNoList = entry !== undefined && issue.code === 'invalid_type';
  const problem = isNoList ? `must be a list, e.g. ${exampleOf(entry)}` : issue.message;
  return [{ name: issue.path.join('.') || '(arguments)', problem }];
}

function exampleOf(entry: z.core.$ZodType): string {
  const [first = 'text'] = entry instanceof z.core.$ZodEnum ? Object.values(entry._zod.def.entries) : [];
  return JSON.stringify([first]);
}

/** The first thing that is wrong with a field is what its caller must mend; the rest follows from it. */
function onePerField(problems: readonly FieldProblem[]): FieldProblem[] {
  const byField = new Map<string, FieldProblem>();
  for (const problem of problems) {
    const field = problem.name.split('.')[0] ?? problem.name;
    if (!byField.has(field)) byField.set(field, problem);
  }
  return [...byField.values()];
}

function invalid(action: string, problems: readonly FieldProblem[], extra: readonly string[] = []): GatehouseError {
  const fields = listProblems(problems);
  const added = listProblems(extra.map((name) => ({ name, problem: '' }))).map(({ name }) => name);
  const next = [
    `Correct and call again: ${fields.map(({ name, problem }) => `${name}: ${problem}`).join('; ')}.`,
    'Ask the user for what you do not know.',
    ...(added.length === 0
      ? []
      : [
          `If you did not send ${added.join(', ')}, the client adds ${added.length === 1 ? 'it' : 'them'} by itself and calling again will not help: tell the user that an operator can name ${added.length === 1 ? 'it' : 'them'} under "ignoreKeys" in the policy of this bot.`,
        ]),
  ];
  return new GatehouseError(
    'invalid_input',
    `${action} cannot run with these arguments: ${fields.map(({ name }) => name).join(', ')}.`,
    { next: next.join(' '), fields },
  );
}
