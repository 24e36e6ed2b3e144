import type { ActionContext, BoundValue, JudgedQuery, SObject } from '../domain/action.ts';
import { bindsIn, type Declaration, type DeclaredInput, type DeclaredOf } from '../domain/declaration.ts';
import { GatehouseError } from '../domain/errors.ts';
import { toId18 } from '../domain/salesforce-id.ts';
import { givenBy, mustBe, type Values } from './bind.ts';

/** Look-ups of a definition: through the bot's own bounds, like those of any action. */

/** The one record that id or key names; never the first of several. */
export async function findOne(
  { object, id, key, input: inputs }: Pick<DeclaredOf<'get'>, 'object' | 'id' | 'key' | 'input'>,
  input: Values,
  context: ActionContext,
  fields: readonly string[],
): Promise<SObject> {
  // The format takes exactly one of the two.
  const { field, is } = id === undefined ? key! : { field: 'Id', is: id };
  const value = checkedId(mustBe(givenBy(is, input, context), field), 'input' in is ? is.input : field, inputs);
  const [first, second] = await context.salesforce.find(object, { fields, where: [{ field, is: value }], limit: 2 });
  if (first === undefined)
    throw new GatehouseError('not_found', `No ${object} has this ${field}.`, {
      next: 'Check it with the user; do not guess another one.',
    });
  if (second === undefined) return first;
  throw new GatehouseError('ambiguous', `Several records of ${object} have this ${field}; none was taken.`, {
    next: 'Ask the user for something that names one of them.',
  });
}

export async function readRows(query: DeclaredOf<'query'>, input: Values, context: ActionContext) {
  // Of a query without soql the format takes none without these.
  const { object = '', fields = [], where = [], orderBy, limit = 1, returns, input: inputs } = query;
  const rows = await context.salesforce.find(object, {
    fields,
    where: where.map(({ field, is }) => {
      const value = mustBe(givenBy(is, input, context), field);
      return { field, is: checkedId(value, 'input' in is ? is.input : field, inputs) };
    }),
    ...(orderBy === undefined ? {} : { orderBy }),
    limit,
  });
  const shown = returns?.rows ?? fields;
  return {
    rows: rows.map((row) => rowOf(row, shown, context)),
    returned: rows.length,
    ...(rows.length === limit ? { note: `At most ${limit} rows are read; there may be more.` } : {}),
  };
}

export async function soqlOf(query: DeclaredOf<'query'>, input: Values, context: ActionContext): Promise<JudgedQuery> {
  const text = await context.soql.bind(query.soql ?? '', boundValues(query, input));
  return context.soql.judge(text, 'concise');
}

export async function runSoql(query: DeclaredOf<'query'>, input: Values, context: ActionContext) {
  const { rows, returned, note } = await context.soql.run(await soqlOf(query, input, context), 'concise');
  const shown = query.returns?.rows;
  return {
    rows: rows.map((row) => (shown === undefined ? { ...row } : flat(row, shown))),
    returned,
    ...(note === undefined ? {} : { note }),
  };
}

/** The type that an input has in a query decides its literal, never what is in it. */
export function boundValues(declaration: Declaration & { soql?: string | undefined }, input: Values): BoundValue[] {
  return bindsIn(declaration.soql ?? '').map((name) => ({
    name,
    type: LITERAL[declaration.input[name]?.type ?? 'text'],
    value: mustBe(input[name], name),
  }));
}

export const LITERAL = {
  text: 'text',
  email: 'text',
  choice: 'text',
  id: 'text',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  date: 'date',
  datetime: 'datetime',
} as const satisfies Record<DeclaredInput['type'], BoundValue['type']>;

/** What was asked for by its path, with a link; nulls left out. */
export function rowOf(record: SObject, paths: readonly string[], { salesforce }: ActionContext) {
  return { id: record.Id, url: salesforce.recordUrl(record.Id), ...flat(record, paths) };
}

function flat(record: Readonly<Record<string, unknown>>, paths: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    paths.flatMap((path) => {
      const value = path
        .split('.')
        .reduce<unknown>((inner, step) => (inner as Record<string, unknown> | null | undefined)?.[step], record);
      return value === null || value === undefined ? [] : [[path, value]];
    }),
  );
}

function checkedId(
  value: string | number | boolean,
  name: string,
  inputs: Declaration['input'],
): string | number | boolean {
  if (inputs[name]?.type !== 'id') return value;
  const verdict = toId18(String(value));
  if ('id' in verdict) return verdict.id;
  throw new GatehouseError('invalid_input', `${name} is no Salesforce Id.`, {
    next: 'Take the Id from an earlier answer, or ask the user.',
    fields: [{ name, problem: verdict.problem }],
  });
}
