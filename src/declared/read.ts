import type { ActionContext, BoundValue, JudgedQuery, SObject } from '../domain/action.ts';
import { bindsIn, type Declaration, type DeclaredInput, type DeclaredOf, type Source } from '../domain/declaration.ts';
import { GatehouseError } from '../domain/errors.ts';
import { toId18 } from '../domain/salesforce-id.ts';
import { givenBy, mustBe, type Values } from './bind.ts';

/** Look-ups of a definition: through the bot's own bounds, like those of any action. */

type Target = Pick<DeclaredOf<'get'>, 'object' | 'id' | 'key' | 'input'>;

/** The one record that id or key names; never the first of several. */
export async function findOne(
  target: Target,
  input: Values,
  context: ActionContext,
  fields: readonly string[],
): Promise<SObject> {
  const found = await findAny(target, input, context, fields);
  if (found !== undefined) return found;
  throw new GatehouseError('not_found', `No ${target.object} has this ${target.key?.field ?? 'Id'}.`, {
    next: 'Check it with the user; do not guess another one.',
  });
}

/** The same, or undefined where there is none. */
export async function findAny(
  { object, id, key, input: inputs }: Target,
  input: Values,
  context: ActionContext,
  fields: readonly string[],
): Promise<SObject | undefined> {
  // The format takes exactly one of the two.
  const { field, is } = id === undefined ? key! : { field: 'Id', is: id };
  const value = checkedId(mustBe(givenBy(is, input, context), field), 'input' in is ? is.input : field, inputs);
  const where = [{ field, is: value, ...momentOf(is, inputs) }];
  const [first, second] = await context.salesforce.find(object, { fields, where, limit: 2 });
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
      return { field, is: checkedId(value, 'input' in is ? is.input : field, inputs), ...momentOf(is, inputs) };
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

export async function searchRecords(search: DeclaredOf<'search'>, input: Values, context: ActionContext) {
  const { objects, limit, in: scope } = search;
  const places = objects.map(({ object, fields }) => ({ object, fields, limit }));
  const text = String(mustBe(givenBy(search.term, input, context), 'term'));
  const found = await context.salesforce.search({ text, scope, places });
  const rows = found.slice(0, limit).map(({ object, record }) => {
    const fields = places.find((one) => one.object === object)?.fields ?? [];
    return { object, ...rowOf(record, fields, context) };
  });
  return {
    rows,
    returned: rows.length,
    ...(found.length >= limit ? { note: `At most ${limit} records are told; there may be more.` } : {}),
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

/** A day and a moment stand in a condition without quotes; the save lets them be compared with fields of that kind alone. */
function momentOf(source: Source, inputs: Declaration['input']): { readonly as?: 'date' | 'datetime' } {
  const type = 'now' in source ? source.now : 'input' in source ? inputs[source.input]?.type : undefined;
  return type === 'date' || type === 'datetime' ? { as: type } : {};
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
