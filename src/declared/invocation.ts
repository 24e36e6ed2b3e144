import type { ActionContext, Change, FieldValue, Invocation, Invoked, Preview } from '../domain/action.ts';
import { type Body, type DeclaredOf, isSource } from '../domain/declaration.ts';
import { isRecord } from '../domain/is-record.ts';
import { cleanText } from '../domain/safe-text.ts';
import { bodyOf, pathOf, type Values, valuesOf } from './bind.ts';
import { shownAfter } from './write.ts';

/** Code of the org that a definition calls: what is sent, what a person is shown of it, and what is told of its answer. */

type Calls = DeclaredOf<'apex-rest'> | DeclaredOf<'flow'> | DeclaredOf<'publish'>;
type Moment = Pick<ActionContext, 'caller' | 'now'>;

export function invocation(declaration: Calls, input: Values, context: Moment): Invocation {
  switch (declaration.operation) {
    case 'apex-rest': {
      const { method, path, query = {}, body } = declaration;
      const asked = Object.entries(valuesOf(query, input, context));
      return {
        kind: 'apex-rest',
        method,
        path: pathOf(path, input),
        query: Object.fromEntries(asked.map(([name, value]) => [name, String(value ?? '')])),
        // Checked at the save: objects of value sources.
        ...(body === undefined ? {} : { body: bodyOf(body as Body, input, context) }),
      };
    }
    case 'flow':
      return { kind: 'flow', flow: declaration.flow, inputs: valuesOf(declaration.inputs, input, context) };
    case 'publish':
      return { kind: 'publish', object: declaration.object, fields: valuesOf(declaration.set, input, context) };
  }
}

/** Everything that is sent, each value in its place. */
export function shownInvocation(declaration: Calls, input: Values, context: Moment): Preview {
  const rows: [string, FieldValue][] = [];
  const sent = invocation(declaration, input, context);
  if (sent.kind === 'apex-rest') {
    rows.push(['Method', sent.method], ['Path', sent.path]);
    for (const [name, value] of Object.entries(sent.query))
      rows.push([`query ${name}`, shown(declaration, ['query', name], value)]);
    rows.push(
      ...inBody(sent.body, []).map(([at, value]): [string, FieldValue] => [
        `body ${at.join('.')}`,
        shown(declaration, ['body', ...at], value),
      ]),
    );
  } else if (sent.kind === 'flow') {
    rows.push(['Flow', sent.flow]);
    for (const [name, value] of Object.entries(sent.inputs))
      rows.push([name, shown(declaration, ['inputs', name], value)]);
  } else {
    rows.push(['Event', sent.object]);
    for (const [name, value] of Object.entries(sent.fields))
      rows.push([name, shown(declaration, ['set', name], value)]);
  }
  return {
    summary: `${declaration.title}: ${WHAT[declaration.operation]}`,
    changes: rows.map(([field, after]): Change => ({ field, label: field, before: null, after })),
    warnings: ['Code of the org runs: it may do more than is shown here, and it cannot be undone from here.'],
  };
}

const WHAT = {
  'apex-rest': 'call a class of the org',
  flow: 'start a flow of the org',
  publish: 'publish an event of the org',
} as const;

function shown(declaration: Calls, place: readonly string[], value: FieldValue): FieldValue {
  const source = place.reduce<unknown>((inner, step) => (isRecord(inner) ? inner[step] : undefined), declaration);
  return isSource(source) ? shownAfter(source, value) : value;
}

function inBody(body: unknown, at: readonly string[]): [readonly string[], FieldValue][] {
  if (typeof body !== 'object' || body === null)
    return body === undefined || at.length === 0 ? [] : [[at, body as FieldValue]]; // leaves are plain values
  return Object.entries(body).flatMap(([name, inner]: [string, unknown]) => inBody(inner, [...at, name]));
}

const MOST_ITEMS = 50;
const MOST_BYTES = 8_000;
const MOST_TEXT = 1_000;

/** Only what the definition names of an answer: the rest is nobody's to tell. */
export function invoked(declaration: Calls, { ok, status, body }: Invoked): Record<string, unknown> {
  const paths = declaration.operation === 'publish' ? undefined : declaration.returns;
  const answer = paths === undefined ? undefined : picked(body, paths);
  return {
    ok,
    ...(declaration.operation === 'apex-rest' ? { status } : {}),
    ...(answer === undefined ? {} : { answer }),
  };
}

export function picked(body: unknown, paths: readonly string[]): Record<string, unknown> {
  let room = MOST_BYTES;
  return Object.fromEntries(
    paths.flatMap((path) => {
      const value = capped(at(body, path.split('.')));
      if (value === undefined) return [];
      room -= Buffer.byteLength(JSON.stringify([path, value]));
      return room < 0 ? [[path, 'left out: the answer is too long']] : [[path, value]];
    }),
  );
}

function at(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return value;
  const name = step.replace('[]', '');
  const inner = isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  if (!step.endsWith('[]')) return at(inner, rest);
  if (!Array.isArray(inner)) return undefined;
  return inner.slice(0, MOST_ITEMS).map((one) => at(one, rest) ?? null);
}

/** Nothing deeper than was named: an object in the answer is told as being one. */
function capped(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value, MOST_TEXT);
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map((one) => capped(one) ?? null);
  if (typeof value === 'object' && value !== null) return 'an object: name its parts in returns';
  return value;
}
