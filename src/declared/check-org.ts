import {
  fieldAccess,
  filterAccess,
  listedFields,
  openObjects,
  taggedFields,
  whereClosed,
} from '../../permissions/field-access.ts';
import type { Policy } from '../../permissions/policy.ts';
import type { FieldDescribe, ObjectDescribe } from '../domain/action.ts';
import type { Declaration, DeclaredOf, Source, Step, StepSource } from '../domain/declaration.ts';
import { type FieldProblem, GatehouseError } from '../domain/errors.ts';
import { nearest } from '../domain/nearest.ts';
import { searchedFields } from '../domain/searched.ts';
import type { FlowInput } from '../ports/salesforce.ts';
import { choiceProblems, fitProblems, fromProblems } from './fit.ts';

/** A definition against the org and the policy of now: what it names is there, is open, and takes what it is given. */

export interface OrgToAsk {
  describe(object: string): Promise<ObjectDescribe>;
  flow(name: string): Promise<{ readonly inputs: readonly FlowInput[] }>;
  /** Judges the query with a sample in each place; throws `query_refused`. */
  judge(declaration: Declaration): Promise<unknown>;
}

export async function orgProblems(
  declaration: Declaration,
  org: OrgToAsk,
  objects: Policy['objects'],
): Promise<readonly FieldProblem[]> {
  switch (declaration.operation) {
    case 'get':
      return [...(await readProblems(declaration, org, objects)), ...(await keyProblems(declaration, org))];
    case 'query':
      return declaration.soql === undefined
        ? readProblems({ ...declaration, object: declaration.object ?? '' }, org, objects)
        : asProblems('soql', () => org.judge(declaration));
    case 'search':
      return searchProblems(declaration, org, objects);
    case 'create':
      return writeProblems(declaration, org, objects);
    case 'update':
      return [...(await writeProblems(declaration, org, objects)), ...(await keyProblems(declaration, org))];
    case 'upsert':
      return [
        ...(await writeProblems(declaration, org, objects)),
        ...(await upsertKeyProblems(declaration, org, objects)),
      ];
    case 'delete':
      return [...(await deleteProblems(declaration, org, objects)), ...(await keyProblems(declaration, org))];
    case 'graph': {
      const found: FieldProblem[] = [];
      for (const [at, step] of declaration.steps.entries()) {
        const { input } = declaration;
        const own = [
          ...(await writeProblems({ ...step, input, steps: declaration.steps }, org, objects)),
          ...(await upsertKeyProblems({ ...step, input }, org, objects)),
        ];
        found.push(
          ...own.map(({ name, problem }) => ({
            name: name.startsWith('input.') ? name : `steps[${at}].${name}`,
            problem,
          })),
        );
      }
      return found;
    }
    case 'flow':
      return flowProblems(declaration, org);
    // Which classes answer, and what an event holds, the describes do not say.
    case 'apex-rest':
    case 'publish':
      return [];
  }
}

/** A refusal of the org or of the guard is a mistake of the definition; that it does not answer is not. */
async function asProblems(place: string, ask: () => Promise<unknown>): Promise<FieldProblem[]> {
  try {
    await ask();
    return [];
  } catch (error) {
    if (!(error instanceof GatehouseError) || !MISTAKES.has(error.code)) throw error;
    return [{ name: place, problem: `${error.message} ${error.next}` }];
  }
}

const MISTAKES: ReadonlySet<string> = new Set(['query_refused', 'not_found', 'invalid_input', 'permission_denied']);

async function described(object: string, org: OrgToAsk): Promise<ObjectDescribe | FieldProblem> {
  let found: ObjectDescribe | undefined;
  const [problem] = await asProblems('object', async () => {
    found = await org.describe(object);
  });
  return (
    found ?? {
      name: 'object',
      problem: problem === undefined ? 'cannot be described' : `${object} is no object of this org`,
    }
  );
}

const isProblem = (found: ObjectDescribe | FieldProblem): found is FieldProblem => 'problem' in found;

type Reads = Pick<DeclaredOf<'query'>, 'fields' | 'where' | 'orderBy' | 'input'> & { readonly object: string };

async function readProblems(reads: Reads, org: OrgToAsk, objects: Policy['objects']): Promise<FieldProblem[]> {
  const found = await described(reads.object, org);
  if (isProblem(found)) return [found];
  if (!openObjects(objects, 'read').has(found.name.toLowerCase()))
    return [{ name: 'object', problem: closed(objects, found.name, 'read') }];
  const access = accessOf(objects);
  const problems: FieldProblem[] = [];
  const look = async (place: string, path: string, source?: Source) => {
    const isSigned = source !== undefined && 'session' in source;
    const end = await resolve(found, path, org);
    if ('problem' in end) problems.push({ name: place, problem: end.problem });
    // What the host signed for is nobody's guess: it may be asked by a field that is closed otherwise.
    else if (!isSigned && !end.holders.every(({ name }) => access.canRead(name, end.field.name)))
      problems.push({ name: place, problem: `${path} is closed by the policy of this bot` });
    else if (source !== undefined) problems.push(...fitProblems(place, end.field, source, reads.input));
  };
  for (const [at, path] of (reads.fields ?? []).entries()) await look(`fields[${at}]`, path);
  for (const [at, { field, is }] of (reads.where ?? []).entries()) {
    await look(`where[${at}].field`, field, is);
    const end = await resolve(found, field, org);
    if ('field' in end && !end.field.filterable)
      problems.push({ name: `where[${at}].field`, problem: `${field} cannot be filtered by in Salesforce` });
  }
  if (reads.orderBy !== undefined) await look('orderBy.field', reads.orderBy.field);
  return problems;
}

async function keyProblems({ object, key }: Pick<DeclaredOf<'get'>, 'object' | 'key'>, org: OrgToAsk) {
  if (key === undefined) return [];
  const found = await described(object, org);
  if (isProblem(found)) return [];
  const field = fieldOf(found, key.field);
  if (field === undefined) return [{ name: 'key.field', problem: noField(found, key.field) }];
  return field.unique || field.externalId || field.idLookup
    ? []
    : [
        {
          name: 'key.field',
          problem: `${field.name} may hold one value in several records: take a unique or external-id field`,
        },
      ];
}

/** An upsert finds by its key and sets it on a new record. */
async function upsertKeyProblems(
  {
    object,
    key,
    input,
  }: Pick<Written, 'object' | 'input'> & { readonly key?: DeclaredOf<'upsert'>['key'] | undefined },
  org: OrgToAsk,
  objects: Policy['objects'],
): Promise<FieldProblem[]> {
  if (key === undefined) return [];
  const found = await described(object, org);
  if (isProblem(found)) return [];
  const field = fieldOf(found, key.field);
  const at = 'key.field';
  if (field === undefined) return [{ name: at, problem: noField(found, key.field) }];
  if (!(field.unique || field.externalId) || !field.createable)
    return [
      { name: at, problem: `${field.name} must be a unique or external-id field that can be set on a new record` },
    ];
  if (!accessOf(objects).canRead(found.name, field.name))
    return [{ name: at, problem: `${field.name} is closed by the policy of this bot` }];
  return fitProblems(at, field, key.is, input);
}

async function deleteProblems(
  { object, fields }: DeclaredOf<'delete'>,
  org: OrgToAsk,
  objects: Policy['objects'],
): Promise<FieldProblem[]> {
  const found = await described(object, org);
  if (isProblem(found)) return [found];
  for (const way of ['read', 'write'] as const)
    if (!openObjects(objects, way).has(found.name.toLowerCase()))
      return [{ name: 'object', problem: closed(objects, found.name, way) }];
  return readProblems({ object, fields, where: [], input: {}, orderBy: undefined }, org, objects);
}

async function searchProblems(
  { objects: places, in: scope, input }: DeclaredOf<'search'>,
  org: OrgToAsk,
  objects: Policy['objects'],
): Promise<FieldProblem[]> {
  const { canRead } = filterAccess(objects);
  const problems: FieldProblem[] = [];
  for (const [at, { object, fields }] of places.entries()) {
    const own = await readProblems({ object, fields, where: [], input, orderBy: undefined }, org, objects);
    problems.push(...own.map(({ name, problem }) => ({ name: `objects[${at}].${name}`, problem })));
    const found = await described(object, org);
    if (isProblem(found) || own.length > 0) continue;
    const shut = searchedFields(scope, found.fields).find((field) => !canRead(found.name, field));
    if (shut !== undefined)
      problems.push({
        name: 'in',
        problem: `${scope} would look through ${found.name}.${shut}, which the policy closes: narrow it to name, email or phone`,
      });
  }
  return problems;
}

interface Written {
  readonly operation: 'create' | 'update' | 'upsert';
  readonly object: string;
  readonly set: Readonly<Record<string, StepSource>>;
  readonly input: Declaration['input'];
  readonly key?: { readonly field: string } | undefined;
  /** Of a graph: the records that `from` may name. */
  readonly steps?: readonly Step[];
}

async function writeProblems(declaration: Written, org: OrgToAsk, objects: Policy['objects']): Promise<FieldProblem[]> {
  const found = await described(declaration.object, org);
  if (isProblem(found)) return [found];
  if (!openObjects(objects, 'write').has(found.name.toLowerCase()))
    return [{ name: 'object', problem: closed(objects, found.name, 'write') }];
  const access = accessOf(objects);
  const { operation } = declaration;
  const isCreate = operation !== 'update';
  const set = Object.entries(declaration.set);
  const problems = set.flatMap(([name, source]): FieldProblem[] => {
    const place = `set.${name}`;
    const field = fieldOf(found, name);
    if (field === undefined) return [{ name: place, problem: noField(found, name) }];
    const cannot = isCreate && !field.createable ? 'set on a new record' : 'changed';
    if ((isCreate && !field.createable) || (operation !== 'create' && !field.updateable))
      return [{ name: place, problem: `${field.name} cannot be ${cannot} by the connected user` }];
    if (!access.canRead(found.name, field.name))
      return [{ name: place, problem: `${field.name} is closed by the policy of this bot` }];
    if ('from' in source) return fromProblems(place, field, source.from, declaration.steps ?? []);
    return [
      ...choiceProblems(place, field, source, declaration.input),
      ...fitProblems(place, field, source, declaration.input),
    ];
  });
  if (!isCreate) return problems;
  const given = new Set([...set.map(([name]) => name), declaration.key?.field ?? ''].map((name) => name.toLowerCase()));
  const missing = found.fields.filter(
    (field) => !field.nillable && !field.defaultedOnCreate && field.createable && !given.has(field.name.toLowerCase()),
  );
  return [
    ...problems,
    ...missing.map(({ name }) => ({ name: 'set', problem: `leaves out ${name}, which a new ${found.name} must have` })),
    ...optionalOf(declaration, found),
  ];
}

/** An input that may be left out cannot fill a field that must be there. */
function optionalOf({ set, input }: Written, found: ObjectDescribe): FieldProblem[] {
  return Object.entries(set).flatMap(([name, source]) => {
    const field = fieldOf(found, name);
    const isNeeded = field !== undefined && !field.nillable && !field.defaultedOnCreate;
    if (!isNeeded || !('input' in source) || input[source.input]?.required === true) return [];
    return [
      { name: `input.${source.input}`, problem: `must be required: a new ${found.name} must have ${field.name}` },
    ];
  });
}

async function flowProblems({ flow, inputs }: DeclaredOf<'flow'>, org: OrgToAsk): Promise<FieldProblem[]> {
  let known: readonly FlowInput[] = [];
  const missing = await asProblems('flow', async () => {
    known = (await org.flow(flow)).inputs;
  });
  if (missing.length > 0)
    return [{ name: 'flow', problem: `${flow} is no active autolaunched flow that the connected user may run` }];
  const strange = Object.keys(inputs).filter((name) => !known.some((one) => one.name === name));
  const left = known.filter(({ name, required }) => required && !Object.hasOwn(inputs, name));
  return [
    ...strange.map((name) => ({
      name: `inputs.${name}`,
      problem: `is no input of ${flow}; it has ${known.map((one) => one.name).join(', ') || 'none'}`,
    })),
    ...left.map(({ name }) => ({ name: 'inputs', problem: `leaves out ${name}, which ${flow} needs` })),
  ];
}

type End =
  | { readonly field: FieldDescribe; readonly holders: readonly ObjectDescribe[] }
  | { readonly problem: string };

async function resolve(from: ObjectDescribe, path: string, org: OrgToAsk): Promise<End> {
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  let holder = from;
  for (const step of steps) {
    const lookup = holder.fields.find(({ relationshipName }) => relationshipName?.toLowerCase() === step.toLowerCase());
    const [target] = lookup?.referenceTo ?? [];
    if (target === undefined) return { problem: `${step} is no parent of ${holder.name}` };
    const parent = await described(target, org);
    if (isProblem(parent)) return { problem: parent.problem };
    holder = parent;
  }
  const field = fieldOf(holder, last);
  return field === undefined ? { problem: noField(holder, last) } : { field, holders: [holder] };
}

const fieldOf = ({ fields }: ObjectDescribe, name: string) =>
  fields.find((field) => field.name.toLowerCase() === name.toLowerCase());

function noField({ name: object, fields }: ObjectDescribe, name: string): string {
  const near = nearest(
    name,
    fields.map((field) => field.name),
  );
  return `${name} is no field of ${object}${near.length > 0 ? `; nearest: ${near.join(', ')}` : ''}`;
}

const accessOf = (objects: Policy['objects']) =>
  fieldAccess([...taggedFields(objects, 'denyFields'), ...taggedFields(objects, 'maskFields')], listedFields(objects));

const closed = (objects: Policy['objects'], object: string, way: 'read' | 'write') =>
  `${object} is not open to this bot to ${way}: set ${whereClosed(objects, object, way)} in its policy first`;
