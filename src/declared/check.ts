import { isNeverWritable } from '../../permissions/never-writable.ts';
import type { Audience } from '../../permissions/profiles.ts';
import {
  type Declaration,
  type DeclaredInput,
  declarationSchema,
  impliedRisk,
  isSource,
  OPERATIONS,
  permissionOf,
  placeholdersIn,
  RUNS_ORG_CODE,
  riskOf,
  sourcesOf,
} from '../domain/declaration.ts';
import type { FieldProblem } from '../domain/errors.ts';
import { isRecord } from '../domain/is-record.ts';
import { RESERVED_NAMES } from '../domain/reserved-names.ts';
import { hiddenCharacter } from '../domain/safe-text.ts';
import { patternProblem } from './pattern.ts';

/** What of a definition can be judged by itself. Every mistake is named at once, with its place. Pure. */

export interface Around {
  readonly audience: Audience;
  /** Names and permissions that are taken: of actions in code, of ours, and of this bot's other definitions. */
  readonly taken: readonly string[];
}

/** A definition from outside, or all that is wrong with it. */
export function readDeclaration(
  value: unknown,
  around: Around,
): { readonly declaration: Declaration } | { readonly problems: readonly FieldProblem[] } {
  const text = JSON.stringify(value) ?? '';
  if (text.length > MOST_TEXT)
    return { problems: [{ name: '(top)', problem: `has ${text.length} characters, at most ${MOST_TEXT}` }] };
  const strange = [...strangeKeys(value, ''), ...hiddenTexts(value, '')];
  if (strange.length > 0) return { problems: strange };
  if (!isRecord(value) || !(OPERATIONS as readonly unknown[]).includes(value.operation))
    return { problems: [{ name: 'operation', problem: `must be one of ${OPERATIONS.join(', ')}` }] };
  const parsed = declarationSchema.safeParse(value);
  if (!parsed.success) return { problems: parsed.error.issues.flatMap(toProblems) };
  const declaration = parsed.data;
  const problems = [
    ...nameProblems(declaration, around.taken),
    ...riskProblems(declaration),
    ...inputProblems(declaration),
    ...targetProblems(declaration),
    ...(declaration.operation === 'apex-rest' ? pathProblems(declaration.path) : []),
    ...(declaration.operation === 'apex-rest' ? bodyProblems(declaration) : []),
    ...(around.audience === 'public' ? publicProblems(declaration) : []),
  ];
  return problems.length === 0 ? { declaration } : { problems };
}

const MOST_TEXT = 20_000;

/** Case and underscores aside: two names that people and models read alike would be one to them. */
export const readAlike = (name: string) => name.replace(/[_-]/g, '').toLowerCase();

function nameProblems({ name }: Declaration, taken: readonly string[]): FieldProblem[] {
  if (RESERVED_NAMES.includes(readAlike(name)))
    return [{ name: 'name', problem: `is a word of Gatehouse itself; say what is done to what, as in ${name}Order` }];
  const own = new Set([readAlike(name), readAlike(permissionOf(name))]);
  const other = taken.find((one) => own.has(readAlike(one)));
  if (other === undefined) return [];
  return [{ name: 'name', problem: `reads like ${other}, which is there already; choose another name` }];
}

const RANK = { read: 0, write: 1, destructive: 2 } as const;

function riskProblems(declaration: Declaration): FieldProblem[] {
  const implied = impliedRisk(declaration);
  if (RANK[riskOf(declaration)] >= RANK[implied]) return [];
  return [
    { name: 'risk', problem: `is at least ${implied} for ${declaration.operation}; it may be raised, never lowered` },
  ];
}

function inputProblems(declaration: Declaration): FieldProblem[] {
  const { input } = declaration;
  const sources = sourcesOf(declaration);
  const used = new Map(sources.flatMap((one) => ('input' in one.source ? [[one.source.input, one] as const] : [])));
  const problems: FieldProblem[] = [];
  if (Object.keys(input).length > MOST_INPUTS)
    problems.push({ name: 'input', problem: `has ${Object.keys(input).length} inputs, at most ${MOST_INPUTS}` });
  for (const { place, source, mustBeGiven } of sources) {
    if (!('input' in source)) continue;
    if (!Object.hasOwn(input, source.input))
      problems.push({ name: place, problem: `takes ${source.input}, which is no input of this action` });
    else if (mustBeGiven && input[source.input]?.required !== true)
      problems.push({
        name: `input.${source.input}`,
        problem: `must be required: ${place} needs its value every time`,
      });
  }
  for (const [name, one] of Object.entries(input)) {
    if (!used.has(name)) problems.push({ name: `input.${name}`, problem: 'is used nowhere; take it out' });
    problems.push(...inputProblem(name, one));
  }
  return problems;
}

const MOST_INPUTS = 20;

function inputProblem(name: string, input: DeclaredInput): FieldProblem[] {
  if (input.type === 'text') {
    const problem = input.pattern === undefined ? undefined : patternProblem(input.pattern);
    return problem === undefined ? [] : [{ name: `input.${name}.pattern`, problem }];
  }
  if (input.type === 'choice' && new Set(input.values).size < input.values.length)
    return [{ name: `input.${name}.values`, problem: 'names one value twice' }];
  if ((input.type === 'integer' || input.type === 'number') && (input.min ?? -Infinity) > (input.max ?? Infinity))
    return [{ name: `input.${name}.min`, problem: 'is above max' }];
  return [];
}

function targetProblems(declaration: Declaration): FieldProblem[] {
  switch (declaration.operation) {
    case 'get':
      return oneOf(declaration);
    case 'update':
      return [...oneOf(declaration), ...closedTo(declaration.object), ...idSet(declaration.set)];
    case 'delete':
      return [...oneOf(declaration), ...closedTo(declaration.object)];
    case 'upsert':
      return [...closedTo(declaration.object), ...idSet(declaration.set), ...keySet(declaration)];
    case 'search':
      return searchProblems(declaration);
    case 'graph':
      return graphProblems(declaration);
    case 'create':
      return [...closedTo(declaration.object), ...idSet(declaration.set)];
    case 'publish':
      return /__e$/i.test(declaration.object)
        ? []
        : [{ name: 'object', problem: 'must be a platform event, whose name ends in __e; use create for a record' }];
    case 'query':
      return queryProblems(declaration);
    default:
      return [];
  }
}

function oneOf({ id, key }: { readonly id?: unknown; readonly key?: unknown }): FieldProblem[] {
  if ((id === undefined) !== (key === undefined)) return [];
  return [{ name: 'id', problem: 'give exactly one of id and key: it says which record is meant' }];
}

function closedTo(object: string): FieldProblem[] {
  if (/__e$/i.test(object))
    return [{ name: 'object', problem: 'is a platform event: those are published, with the operation publish' }];
  if (!isNeverWritable(object)) return [];
  return [{ name: 'object', problem: `${object} is never written by a declared action, whatever the policy says` }];
}

function idSet(set: Readonly<Record<string, unknown>>): FieldProblem[] {
  const found = Object.keys(set).find((field) => field.toLowerCase() === 'id');
  return found === undefined ? [] : [{ name: `set.${found}`, problem: 'is set by Salesforce alone' }];
}

/** The key is what the record is found by: set besides, it would find another one the next time. */
function keySet({
  key,
  set,
}: {
  readonly key?: { field: string } | undefined;
  readonly set: Readonly<Record<string, unknown>>;
}) {
  const found = Object.keys(set).find((field) => field.toLowerCase() === key?.field.toLowerCase());
  return found === undefined ? [] : [{ name: `set.${found}`, problem: 'is the key already; take it out' }];
}

const MOST_TERM = 200;

function searchProblems({ term, objects, input }: Extract<Declaration, { operation: 'search' }>): FieldProblem[] {
  const given = 'input' in term ? input[term.input] : undefined;
  const isText = given === undefined || ['text', 'email', 'choice'].includes(given.type);
  const names = objects.map(({ object }) => object.toLowerCase());
  return [
    ...(isText ? [] : [{ name: 'term', problem: 'must be text, email or choice' }]),
    ...('now' in term ? [{ name: 'term', problem: 'must be words, not a time' }] : []),
    ...(given?.type === 'text' && given.maxLength > MOST_TERM
      ? [
          {
            name: `input.${'input' in term ? term.input : ''}.maxLength`,
            problem: `is at most ${MOST_TERM} for a search`,
          },
        ]
      : []),
    ...(new Set(names).size < names.length ? [{ name: 'objects', problem: 'names one object twice' }] : []),
    ...objects.flatMap(({ fields }, at) =>
      fields.some((field) => field.includes('.'))
        ? [{ name: `objects[${at}].fields`, problem: 'must be fields of the object itself; a search reads no parents' }]
        : [],
    ),
  ];
}

function graphProblems({ steps }: Extract<Declaration, { operation: 'graph' }>): FieldProblem[] {
  return steps.flatMap(({ id, operation, object, key, set }, at) => {
    const before = steps.slice(0, at).map((step) => step.id);
    const later = Object.entries(set).flatMap(([field, source]) =>
      'from' in source && !before.includes(source.from.slice(0, -'.id'.length))
        ? [{ name: `set.${field}`, problem: `takes ${source.from}, which is no earlier step` }]
        : [],
    );
    const read = Object.entries(set).flatMap(([field, source]) =>
      'value' in source && String(source.value).includes('@{')
        ? [{ name: `set.${field}`, problem: 'holds "@{", which Salesforce would read as a reference' }]
        : [],
    );
    const problems = [
      ...read,
      ...(before.includes(id) ? [{ name: 'id', problem: `is the name of an earlier step, too` }] : []),
      ...(operation === 'upsert' && key === undefined
        ? [{ name: 'key', problem: 'is missing: an upsert finds by it' }]
        : []),
      ...(operation === 'create' && key !== undefined
        ? [{ name: 'key', problem: 'is for an upsert; a create has none' }]
        : []),
      ...closedTo(object),
      ...idSet(set),
      ...keySet({ key, set }),
      ...later,
    ];
    return problems.map(({ name, problem }) => ({ name: `steps[${at}].${name}`, problem }));
  });
}

function queryProblems(query: Extract<Declaration, { operation: 'query' }>): FieldProblem[] {
  const { soql, object, fields, where, orderBy, limit, returns } = query;
  if (soql !== undefined) {
    const beside = Object.entries({ object, fields, where, orderBy, limit }).filter(([, value]) => value !== undefined);
    return beside.map(([name]) => ({ name, problem: 'stands in soql already; give either soql or this' }));
  }
  const missing = Object.entries({ object, fields, limit }).filter(([, value]) => value === undefined);
  const unread = (returns?.rows ?? []).filter((path) => !fields?.includes(path));
  return [
    ...missing.map(([name]) => ({ name, problem: 'is missing; a query needs object, fields and limit, or soql' })),
    ...unread.map((path) => ({ name: 'returns.rows', problem: `names ${path}, which is not among fields` })),
  ];
}

const FIXED = /^\/[A-Za-z0-9_\-./]+$/;

/** A placeholder is a whole segment, and no fixed part can be read as a step up, an escape or the beginning of a query. */
export function pathProblems(path: string): FieldProblem[] {
  const bad = (problem: string) => [{ name: 'path', problem }];
  if (!path.startsWith('/')) return bad('must begin with /, as the class is mapped below /services/apexrest');
  const segments = path.slice(1).split('/');
  for (const segment of segments) {
    if (segment === '') return bad('has an empty segment (//, or a / at its end)');
    if (/[{}]/.test(segment)) {
      if (!/^\{[a-z][A-Za-z0-9]{0,39}\}$/.test(segment))
        return bad(`has ${JSON.stringify(segment)}: a placeholder is a whole segment such as {orderNumber}`);
    } else if (!FIXED.test(`/${segment}`) || /^\.{1,}$/.test(segment) || segment.includes('..'))
      return bad(`has ${JSON.stringify(segment)}: only letters, digits, _ - and single dots, no %, ? or #`);
  }
  if (new Set(placeholdersIn(path)).size < placeholdersIn(path).length) return bad('names one placeholder twice');
  return [];
}

const MOST_DEPTH = 3;

function bodyProblems({ method, body }: Extract<Declaration, { operation: 'apex-rest' }>): FieldProblem[] {
  if (body === undefined) return [];
  if (method === 'GET' || method === 'DELETE') return [{ name: 'body', problem: `cannot be sent with ${method}` }];
  const look = (value: unknown, place: string, depth: number): FieldProblem[] => {
    if (isSource(value)) return [];
    if (typeof value !== 'object' || value === null)
      return [{ name: place, problem: 'must be a value source such as {"input": "name"} or {"value": 1}' }];
    if (depth === MOST_DEPTH) return [{ name: place, problem: `lies deeper than ${MOST_DEPTH} levels` }];
    return Object.entries(value).flatMap(([name, inner]) => look(inner, `${place}.${name}`, depth + 1));
  };
  return look(body, 'body', 0);
}

/** A stranger is answered about what the host signed for, and nothing else (P6). */
export function publicProblems(declaration: Declaration): FieldProblem[] {
  const isSession = ({ source }: { source: object }) => 'session' in source;
  const sources = sourcesOf(declaration);
  if (declaration.operation === 'search')
    return [{ name: 'operation', problem: 'is not for a public bot: a search finds records of everybody' }];
  const free =
    declaration.operation === 'graph'
      ? declaration.steps.findIndex(({ key }) => key !== undefined && !('session' in key.is))
      : -1;
  if (free !== -1)
    return [
      {
        name: `steps[${free}].key.is`,
        problem: 'a public bot changes only what is bound to {"session": "indexValue"}',
      },
    ];
  const isWrite = RUNS_ORG_CODE.has(declaration.operation) || ['create', 'graph'].includes(declaration.operation);
  const binding = isWrite ? sources : sources.filter(({ mustBeGiven }) => mustBeGiven);
  if (binding.some(isSession)) return [];
  return [
    {
      name: 'operation',
      problem: `a public bot answers only for the account of its session: bind ${isWrite ? 'a value' : 'where, id or key'} to {"session": "indexValue"}`,
    },
  ];
}

function* texts(value: unknown, place: string): Generator<{ readonly place: string; readonly text: string }> {
  if (typeof value === 'string') yield { place: place || '(top)', text: value };
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    const at = place === '' ? name : `${place}.${name}`;
    yield { place: at, text: name };
    yield* texts(inner, at);
  }
}

function hiddenTexts(value: unknown, place: string): FieldProblem[] {
  return [...texts(value, place)].flatMap(({ place: at, text }) => {
    const hidden = hiddenCharacter(text);
    return hidden === undefined ? [] : [{ name: plainly(at), problem: `contains the invisible character ${hidden}` }];
  });
}

function strangeKeys(value: unknown, place: string): FieldProblem[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => {
    const at = place === '' ? name : `${place}.${name}`;
    return name === '__proto__' ? [{ name: at, problem: 'unknown key' }] : strangeKeys(inner, at);
  });
}

/** The place itself may be what is hidden. */
const plainly = (place: string) => place.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);

function toProblems(issue: {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}): FieldProblem[] {
  const at = issue.path.reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : path === '' ? String(key) : `${path}.${String(key)}`),
    '',
  );
  if (issue.code === 'unrecognized_keys')
    return (issue.keys ?? []).map((key) => ({
      name: plainly(at === '' ? key : `${at}.${key}`),
      problem: 'unknown key',
    }));
  return [{ name: plainly(at) || '(top)', problem: issue.message }];
}
