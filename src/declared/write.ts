import {
  type ActionContext,
  type Change,
  type Fields,
  type FieldValue,
  isSame,
  type Preview,
  quoted,
} from '../domain/action.ts';
import type { DeclaredOf, Source } from '../domain/declaration.ts';
import { GatehouseError } from '../domain/errors.ts';
import { type Values, valuesOf } from './bind.ts';
import { findAny, findOne } from './read.ts';

/** Writes of a definition: the same preview, condition and read-back as UpdateOpportunity and CreateLead have. */

type Writes = DeclaredOf<'create'> | DeclaredOf<'update'>;

/** As an update of what its key finds. */
const asUpdate = (upsert: DeclaredOf<'upsert'>): DeclaredOf<'update'> => ({ ...upsert, operation: 'update' });

/**
 * As a create of what its key does not find. The key is set like any field, so that whoever takes it in between is never overwritten: where
 * it is unique, the create is refused.
 */
const asCreate = ({ key, ...upsert }: DeclaredOf<'upsert'>): DeclaredOf<'create'> => ({
  ...upsert,
  operation: 'create',
  set: { [key.field]: key.is, ...upsert.set },
});

const isThere = async (upsert: DeclaredOf<'upsert'>, input: Values, context: ActionContext) =>
  (await findAny(upsert, input, context, ['Id'])) !== undefined;

export async function previewUpsert(
  upsert: DeclaredOf<'upsert'>,
  input: Values,
  context: ActionContext,
): Promise<Preview> {
  return (await isThere(upsert, input, context))
    ? previewUpdate(asUpdate(upsert), input, context)
    : previewCreate(asCreate(upsert), input, context);
}

export async function upsertRecord(upsert: DeclaredOf<'upsert'>, input: Values, context: ActionContext) {
  if (!(await isThere(upsert, input, context)))
    return { ...(await createRecord(asCreate(upsert), input, context)), created: true };
  return { ...(await updateRecord(asUpdate(upsert), input, context)), created: false };
}

export async function previewDelete(
  declaration: DeclaredOf<'delete'>,
  input: Values,
  context: ActionContext,
): Promise<Preview> {
  const record = await doomed(declaration, input, context);
  const name = String(record.Name ?? record.Id);
  return {
    summary: `${declaration.title}: delete the ${declaration.object} ${quoted(name, 255)}`,
    target: { object: declaration.object, id: record.Id, name, url: context.salesforce.recordUrl(record.Id) },
    changes: declaration.fields.map((field): Change => {
      const before = (record[field] ?? null) as FieldValue; // plain fields hold plain values
      return { field, label: field, before, after: null };
    }),
    warnings: [
      'It goes to the recycle bin of the org, with what belongs to it alone; it can be brought back there, not from here.',
    ],
  };
}

export async function deleteRecord(declaration: DeclaredOf<'delete'>, input: Values, context: ActionContext) {
  const record = await doomed(declaration, input, context);
  await context.salesforce.remove(declaration.object, record);
  return { id: record.Id, deleted: true };
}

async function doomed(declaration: DeclaredOf<'delete'>, input: Values, context: ActionContext) {
  // Refused before a person is asked, where policy lets nobody write.
  await context.salesforce.check(declaration.object, 'update', {});
  const named = await nameOf(declaration.object, context);
  return findOne(declaration, input, context, [...new Set([...declaration.fields, ...named, 'LastModifiedDate'])]);
}

/** What people call a record of it, where it has that. */
export async function nameOf(object: string, { salesforce }: ActionContext): Promise<readonly string[]> {
  const { fields } = await salesforce.describe(object);
  return fields.some(({ name }) => name === 'Name') ? ['Name'] : [];
}

export async function previewCreate(
  declaration: DeclaredOf<'create'>,
  input: Values,
  context: ActionContext,
): Promise<Preview> {
  const { fields, warnings } = await checked(declaration, input, context);
  return {
    summary: `${declaration.title}: create one ${declaration.object}`,
    changes: Object.entries(fields).flatMap(([field, after]) =>
      after === null ? [] : [{ field, label: field, before: null, after: shownAfter(declaration.set[field], after) }],
    ),
    warnings,
  };
}

export async function createRecord(declaration: DeclaredOf<'create'>, input: Values, context: ActionContext) {
  const { salesforce, choice } = context;
  if (choice?.startsWith('use:')) {
    const id = choice.slice('use:'.length);
    return { id, url: salesforce.recordUrl(id), warnings: ['A record that was there already was used.'] };
  }
  const { fields, warnings } = await checked(declaration, input, context);
  const { id } = await salesforce.create(declaration.object, fields, { allowDuplicates: choice === 'create' });
  return { id, url: salesforce.recordUrl(id), ...(warnings.length === 0 ? {} : { warnings: [...warnings] }) };
}

export async function previewUpdate(
  declaration: DeclaredOf<'update'>,
  input: Values,
  context: ActionContext,
): Promise<Preview> {
  const { record, changes, warnings } = await wanted(declaration, input, context);
  const name = String(record.Name ?? record.Id);
  return {
    summary: `${declaration.title}: update the ${declaration.object} ${quoted(name, 255)}`,
    target: { object: declaration.object, id: record.Id, name, url: context.salesforce.recordUrl(record.Id) },
    changes: changes.map((change) => ({
      ...change,
      label: change.field,
      after: shownAfter(declaration.set[change.field], change.after),
    })),
    warnings,
  };
}

export async function updateRecord(declaration: DeclaredOf<'update'>, input: Values, context: ActionContext) {
  const { record, fields, changes } = await wanted(declaration, input, context);
  const held = await context.salesforce.update(declaration.object, record, fields);
  return {
    id: record.Id,
    url: context.salesforce.recordUrl(record.Id),
    changes: changes.map((change) => ({ ...change, after: held[change.field] ?? change.after })),
    ...(changes.length === 0 ? { alreadyDone: true } : {}),
  };
}

async function wanted(declaration: DeclaredOf<'update'>, input: Values, context: ActionContext) {
  const { fields, warnings } = await checked(declaration, input, context);
  const describe = await context.salesforce.describe(declaration.object);
  const named = await nameOf(declaration.object, context);
  const read = [...new Set([...Object.keys(fields), ...named, 'LastModifiedDate'])];
  const record = await findOne(declaration, input, context, read);
  const changes = Object.entries(fields).flatMap(([field, after]): Omit<Change, 'label'>[] => {
    const before = (record[field] ?? null) as FieldValue; // plain fields hold plain values
    const described = describe.fields.find(({ name }) => name === field);
    return isSame(described, before, after) ? [] : [{ field, before, after }];
  });
  return { record, fields, changes, warnings };
}

async function checked(declaration: Writes, input: Values, context: ActionContext) {
  const values: Fields = valuesOf(declaration.set, input, context);
  if (Object.keys(values).length === 0)
    throw new GatehouseError('invalid_input', 'Nothing to write was given.', {
      next: `Ask the user for at least one of: ${Object.keys(declaration.input).join(', ')}.`,
    });
  const names = Object.entries(declaration.set).flatMap(([field, source]) =>
    'input' in source ? [[field, source.input] as const] : [],
  );
  const operation = declaration.operation === 'create' ? 'create' : 'update';
  return context.salesforce.check(declaration.object, operation, values, Object.fromEntries(names));
}

/** A yes is to what is shown: the moment of the run is another one than that of the question. */
export function shownAfter(source: Source | undefined, after: FieldValue): FieldValue {
  if (source === undefined || !('now' in source)) return after;
  return source.now === 'date' ? 'the day on which it runs' : 'the moment at which it runs';
}
