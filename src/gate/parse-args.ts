import { z } from 'zod';
import type { ActionPolicy } from '../../permissions/policy.ts';
import type { Action, FieldValue } from '../action.ts';
import { type FieldProblem, GatehouseError, listProblems } from '../errors.ts';
import { hiddenCharacter } from '../hidden-text.ts';
import { inWords } from '../input-words.ts';

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

/** The action's input with the bot's exposed fields (A2): what is listed is what is parsed. */
export function inputFor(action: Action, own: ActionPolicy): z.ZodObject {
  if (action.exposes === undefined || own.expose.length === 0) return action.input;
  const shape = Object.fromEntries(
    own.expose.map(({ field, type, describe }) => [field, EXPOSED[type]().describe(describe).optional()]),
  );
  return z.strictObject({ ...action.input.shape, ...shape });
}

export function parseArgs(action: Action, own: ActionPolicy, raw: unknown): ParsedArgs {
  refuseFlood(action.name, raw);
  const problems: FieldProblem[] = [...hiddenTexts(raw)];
  const parsed = inputFor(action, own).safeParse(raw ?? {}, { error: inWords });
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap(toProblems));
  if (!parsed.success || problems.length > 0) throw invalid(action.name, problems);
  // A strict object: its keys are the action's and the exposed ones.
  const args = parsed.data as Record<string, FieldValue>;
  const exposed = new Set(
    own.expose.map(({ field }) => field).filter((field) => !Object.hasOwn(action.input.shape, field)),
  );
  const pick = (isExposed: boolean) =>
    Object.fromEntries(Object.entries(args).filter(([key]) => exposed.has(key) === isExposed));
  return { args, input: pick(false), extra: pick(true) as Record<string, FieldValue> };
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
  for (const [name, value] of Object.entries(raw)) {
    if (typeof value !== 'string') continue;
    const hidden = hiddenCharacter(value);
    if (hidden !== undefined) yield { name, problem: `contains the invisible character ${hidden}` };
    if (value.length > MOST_TEXT) yield { name, problem: `has ${value.length} characters; ${MOST_TEXT} is the most` };
  }
}

function toProblems(issue: z.core.$ZodIssue): FieldProblem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ name: key, problem: 'is not an input of this action' }));
  const name = issue.path.join('.') || '(arguments)';
  return [{ name, problem: issue.message }];
}

function invalid(action: string, problems: readonly FieldProblem[]): GatehouseError {
  const fields = listProblems(problems);
  return new GatehouseError(
    'invalid_input',
    `${action} cannot run with these arguments: ${fields.map(({ name }) => name).join(', ')}.`,
    {
      next: `Correct and call again: ${fields.map(({ name, problem }) => `${name}: ${problem}`).join('; ')}. Ask the user for what you do not know.`,
      fields,
    },
  );
}
