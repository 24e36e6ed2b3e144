import { z } from 'zod';
import type { CustomPermission } from '../../permissions/catalog.ts';
import { digestOf } from './canonical-json.ts';

/**
 * An action that an operator declares without code: fixed text, typed values, nothing in between. There is no expression and no
 * template into which text is pasted, so that a value is a value wherever it arrives.
 */

const inputName = z.string().regex(/^[a-z][A-Za-z0-9]{0,39}$/, 'must be camelCase, at most 40 letters and digits');
const apiName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,79}$/, 'must be an API name');
const fieldPath = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_]{0,79}(\.[A-Za-z][A-Za-z0-9_]{0,79}){0,5}$/,
    'must be a field, or a path like Account.Name',
  );
const answerPath = z
  .string()
  .regex(/^[A-Za-z_]\w{0,79}(\[\])?(\.[A-Za-z_]\w{0,79}(\[\])?){0,5}$/, 'must be a path like status or lines[].sku');
const words = (most: number) => z.string().trim().min(1).max(most);

const described = { required: z.boolean().default(false), description: words(300) };
const bounds = { min: z.number().optional(), max: z.number().optional() };

const inputSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('text'),
    maxLength: z.int().min(1).max(4_000),
    pattern: z.string().min(1).max(200).optional(),
    ...described,
  }),
  z.strictObject({ type: z.literal('integer'), ...bounds, ...described }),
  z.strictObject({ type: z.literal('number'), ...bounds, ...described }),
  z.strictObject({ type: z.literal('boolean'), ...described }),
  z.strictObject({ type: z.literal('date'), ...described }),
  z.strictObject({ type: z.literal('datetime'), ...described }),
  z.strictObject({ type: z.literal('id'), object: apiName, ...described }),
  z.strictObject({ type: z.literal('email'), ...described }),
  z.strictObject({ type: z.literal('choice'), values: z.array(words(255)).min(1).max(50), ...described }),
]);

/** Where a value comes from. What the session says, no model can set. */
const sourceSchema = z.union(
  [
    z.strictObject({ input: inputName }),
    z.strictObject({ value: z.union([z.string().max(4_000), z.number(), z.boolean(), z.null()]) }),
    z.strictObject({ session: z.literal('indexValue') }),
    z.strictObject({ now: z.enum(['date', 'datetime']) }),
  ],
  'must be one of {"input": name}, {"value": constant}, {"session": "indexValue"}, {"now": "date" or "datetime"}',
);

export type Source = z.output<typeof sourceSchema>;

/** In a graph also the Id of an earlier record of it. */
const stepSourceSchema = z.union(
  [
    ...sourceSchema.options,
    z.strictObject({
      from: z.string().regex(/^[a-z][A-Za-z0-9]{0,39}\.id$/, 'must be the id of an earlier step: step.id'),
    }),
  ],
  'must be one of {"input": name}, {"value": constant}, {"session": "indexValue"}, {"now": "date" or "datetime"}, {"from": "step.id"}',
);

export type StepSource = z.output<typeof stepSourceSchema>;
/** JSON of value sources, as a body of Apex REST. */
export type Body = Source | { readonly [key: string]: Body } | readonly Body[];

const values = z.record(apiName, sourceSchema);
const set = values.refine((one) => Object.keys(one).length > 0, 'must set at least one field');
const key = z.strictObject({ field: apiName, is: sourceSchema });
const fields = z.array(fieldPath).min(1).max(50);
const returns = z.array(answerPath).min(1).max(50).optional();

const stepSchema = z.strictObject({
  id: inputName,
  operation: z.enum(['create', 'upsert']),
  object: apiName,
  key: key.optional(),
  set: z.record(apiName, stepSourceSchema).refine((one) => Object.keys(one).length > 0, 'must set at least one field'),
});

const common = {
  name: z.string().regex(/^[A-Z][A-Za-z0-9]{1,39}$/, 'must be PascalCase like OrderStatus, 2 to 40 letters and digits'),
  title: words(80),
  description: words(500),
  /** May be raised above what the operation implies, never lowered. */
  risk: z.enum(['read', 'write', 'destructive']).optional(),
  input: z.record(inputName, inputSchema).default({}),
};

export const declarationSchema = z.discriminatedUnion('operation', [
  z.strictObject({
    ...common,
    operation: z.literal('get'),
    object: apiName,
    id: sourceSchema.optional(),
    key: key.optional(),
    fields,
  }),
  z.strictObject({
    ...common,
    operation: z.literal('query'),
    object: apiName.optional(),
    fields: fields.optional(),
    where: z
      .array(z.strictObject({ field: fieldPath, is: sourceSchema }))
      .max(20)
      .optional(),
    orderBy: z.strictObject({ field: fieldPath, descending: z.boolean().default(false) }).optional(),
    limit: z.int().min(1).max(200).optional(),
    returns: z.strictObject({ rows: fields }).optional(),
    /** In place of object, fields, where, orderBy and limit: one SELECT, `:name` for the value of an input. */
    soql: z.string().min(1).max(4_000).optional(),
  }),
  z.strictObject({ ...common, operation: z.literal('create'), object: apiName, set }),
  z.strictObject({
    ...common,
    operation: z.literal('update'),
    object: apiName,
    id: sourceSchema.optional(),
    key: key.optional(),
    set,
  }),
  z.strictObject({
    ...common,
    operation: z.literal('search'),
    term: sourceSchema,
    in: z.enum(['all', 'name', 'email', 'phone']).default('all'),
    objects: z
      .array(z.strictObject({ object: apiName, fields }))
      .min(1)
      .max(5),
    limit: z.int().min(1).max(200),
  }),
  z.strictObject({ ...common, operation: z.literal('upsert'), object: apiName, key, set }),
  z.strictObject({
    ...common,
    operation: z.literal('delete'),
    object: apiName,
    id: sourceSchema.optional(),
    key: key.optional(),
    /** What a person is shown of it. */
    fields: z.array(apiName).max(20).default([]),
  }),
  z.strictObject({
    ...common,
    operation: z.literal('graph'),
    steps: z.array(stepSchema).min(1).max(5),
  }),
  z.strictObject({ ...common, operation: z.literal('publish'), object: apiName, set }),
  z.strictObject({
    ...common,
    operation: z.literal('apex-rest'),
    method: z.enum(['GET', 'POST', 'PATCH', 'PUT', 'DELETE']),
    path: z.string().min(2).max(200),
    query: z.record(z.string().regex(/^[A-Za-z_][\w-]{0,39}$/, 'must be a plain name'), sourceSchema).optional(),
    body: z.record(z.string().max(80), z.unknown()).optional(),
    returns,
  }),
  z.strictObject({ ...common, operation: z.literal('flow'), flow: apiName, inputs: values.default({}), returns }),
]);

/** `body` is checked by `bodyProblems`: a recursive form would be told in a library's words. */
export type Declaration = z.output<typeof declarationSchema>;
export type Operation = Declaration['operation'];
export type DeclaredInput = z.output<typeof inputSchema>;
export type Step = z.output<typeof stepSchema>;
export type DeclaredOf<O extends Operation> = Extract<Declaration, { operation: O }>;

/** A definition as it is stored: +1 per save, counted on after a removal. */
export interface Declared {
  readonly revision: number;
  readonly declaration: Declaration;
}

export const OPERATIONS = declarationSchema.options.map(({ shape }) => shape.operation.value);

/** Code of the org runs here: outside the object policy, asked every time, sent at most once. */
export const RUNS_ORG_CODE: ReadonlySet<Operation> = new Set<Operation>(['apex-rest', 'flow', 'publish']);

/** Never without a person, whatever the policy says. */
export const ALWAYS_ASKS: ReadonlySet<Operation> = new Set<Operation>([...RUNS_ORG_CODE, 'delete']);

const IMPLIED = {
  get: 'read',
  query: 'read',
  search: 'read',
  create: 'write',
  update: 'destructive',
  upsert: 'destructive',
  delete: 'destructive',
  // Of one that only creates it is less.
  graph: 'destructive',
  publish: 'destructive',
  'apex-rest': 'destructive',
  flow: 'destructive',
} as const satisfies Record<Operation, Declaration['risk']>;

export function impliedRisk(declaration: Declaration) {
  const onlyCreates =
    declaration.operation === 'graph' && declaration.steps.every(({ operation }) => operation === 'create');
  return onlyCreates ? IMPLIED.create : IMPLIED[declaration.operation];
}

export const riskOf = (declaration: Declaration) => declaration.risk ?? impliedRisk(declaration);

/** `OrderStatus` needs `CUSTOM_ORDER_STATUS`: derived, never typed. */
export function permissionOf(name: string): CustomPermission {
  const parts = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/([A-Z])([A-Z][a-z])/g, '$1_$2');
  return `CUSTOM_${parts.toUpperCase()}`;
}

export function isSource(value: unknown): value is Source {
  return sourceSchema.safeParse(value).success;
}

export interface PlacedSource {
  readonly place: string;
  readonly source: Source;
  /** Without it there is nothing to ask for, or less is narrowed than was meant. */
  readonly mustBeGiven: boolean;
}

/** Every value of a definition, with where it stands. */
export function sourcesOf(declaration: Declaration): readonly PlacedSource[] {
  const given = (place: string, source: Source, mustBeGiven: boolean): PlacedSource => ({ place, source, mustBeGiven });
  const target = ({ id, key: found }: Pick<DeclaredOf<'get'>, 'id' | 'key'>) => [
    ...(id === undefined ? [] : [given('id', id, true)]),
    ...(found === undefined ? [] : [given('key.is', found.is, true)]),
  ];
  const each = (place: string, all: Readonly<Record<string, StepSource>> = {}) =>
    Object.entries(all).flatMap(([name, source]) =>
      'from' in source ? [] : [given(`${place}.${name}`, source, false)],
    );
  switch (declaration.operation) {
    case 'get':
    case 'delete':
      return target(declaration);
    case 'search':
      return [given('term', declaration.term, true)];
    case 'graph':
      return declaration.steps.flatMap(({ key: found, set: all }, at) => [
        ...(found === undefined ? [] : [given(`steps[${at}].key.is`, found.is, true)]),
        ...each(`steps[${at}].set`, all),
      ]);
    case 'query':
      return [
        ...(declaration.where ?? []).map(({ is }, at) => given(`where[${at}].is`, is, true)),
        ...bindsIn(declaration.soql ?? '').map((input) => given('soql', { input }, true)),
      ];
    case 'create':
    case 'publish':
      return each('set', declaration.set);
    case 'update':
      return [...target(declaration), ...each('set', declaration.set)];
    case 'upsert':
      return [...target({ id: undefined, key: declaration.key }), ...each('set', declaration.set)];
    case 'apex-rest':
      return [
        ...placeholdersIn(declaration.path).map((input) => given('path', { input }, true)),
        ...each('query', declaration.query),
        ...inBody(declaration.body ?? {}, 'body'),
      ];
    case 'flow':
      return each('inputs', declaration.inputs);
  }
}

function inBody(value: unknown, place: string): PlacedSource[] {
  if (isSource(value)) return [{ place, source: value, mustBeGiven: false }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => inBody(inner, `${place}.${name}`));
}

/** Names after a colon. Which of them stand inside quotes the guard knows; there they are text. */
export function bindsIn(soql: string): readonly string[] {
  const outside = soql.replace(/'(?:[^'\\]|\\.)*'/g, "''");
  return [...new Set([...outside.matchAll(/:([A-Za-z]\w*)/g)].map(([, name = '']) => name))];
}

export function placeholdersIn(path: string): readonly string[] {
  return [...path.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
}

/**
 * The same for definitions that do the same to the same things: a grant was given for that. Words, limits, and how narrow an
 * input is may change under it.
 */
export function meaningOf(declaration: Declaration): string {
  const { title, description, input, ...rest } = declaration;
  const { limit, orderBy, ...does } = rest as typeof rest & { limit?: unknown; orderBy?: unknown };
  return digestOf({ ...does, risk: riskOf(declaration) });
}
