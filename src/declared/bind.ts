import type { ActionContext, FieldValue } from '../domain/action.ts';
import { type Body, isSource, type Source } from '../domain/declaration.ts';
import { GatehouseError } from '../domain/errors.ts';

/** Values of one call, in the places that a definition keeps for them. Nothing here makes text of two parts. */

export type Values = Readonly<Record<string, FieldValue>>;

/** Undefined where an input that may be left out was. */
export function givenBy(
  source: Source,
  input: Values,
  { caller, now }: Pick<ActionContext, 'caller' | 'now'>,
): FieldValue | undefined {
  if ('input' in source) return input[source.input];
  if ('value' in source) return source.value;
  if ('now' in source) {
    const moment = new Date(now()).toISOString();
    return source.now === 'date' ? moment.slice(0, 10) : moment;
  }
  if (caller.session !== undefined) return caller.session.indexValue;
  throw new GatehouseError('permission_denied', 'This action answers only for the customer of a signed chat session.', {
    next: 'Tell the user that this needs a sign-in at the site they came from; the host app then sends a Gatehouse-Session.',
  });
}

/** What must be there: `place` says what it is for. */
export function mustBe(value: FieldValue | undefined, place: string): Exclude<FieldValue, null> {
  if (value !== undefined && value !== null && value !== '') return value;
  throw new GatehouseError('invalid_input', `There is no value for ${place}.`, {
    next: 'Ask the user for it and call again.',
    fields: [{ name: place, problem: 'is empty' }],
  });
}

export function valuesOf(
  sources: Readonly<Record<string, Source>>,
  input: Values,
  context: Pick<ActionContext, 'caller' | 'now'>,
): Record<string, FieldValue> {
  return Object.fromEntries(
    Object.entries(sources).flatMap(([name, source]) => {
      const value = givenBy(source, input, context);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

export function bodyOf(body: Body, input: Values, context: Pick<ActionContext, 'caller' | 'now'>): unknown {
  if (isSource(body)) return givenBy(body, input, context);
  if (Array.isArray(body))
    return body.map((one: Body) => bodyOf(one, input, context)).filter((one) => one !== undefined);
  return Object.fromEntries(
    Object.entries(body as Readonly<Record<string, Body>>).flatMap(([name, inner]) => {
      const value = bodyOf(inner, input, context);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

const ROOT = '/services/apexrest';

/** The path of an Apex class with a value for each placeholder: every segment stays one segment. */
export function pathOf(template: string, values: Values): string {
  const segments = template
    .slice(1)
    .split('/')
    .map((part) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      return name === undefined ? part : segmentOf(mustBe(values[name], name), name);
    });
  const path = `${ROOT}/${segments.join('/')}`;
  // Read once more as every server on the way will.
  const { pathname, search, hash } = new URL(`https://org.invalid${path}`);
  if (pathname !== path || search !== '' || hash !== '' || !pathname.startsWith(`${ROOT}/`)) throw noSegment('path');
  return path;
}

function segmentOf(value: Exclude<FieldValue, null>, name: string): string {
  const text = String(value);
  if (/\p{Cs}/u.test(text)) throw noSegment(name);
  const segment = encodeURIComponent(text);
  if (segment === '' || /^(?:\.|%2e)+$/i.test(segment) || /%2f|%5c|%00|%25/i.test(segment)) throw noSegment(name);
  return segment;
}

function noSegment(name: string): GatehouseError {
  return new GatehouseError('invalid_input', `The value of ${name} cannot stand in an address.`, {
    next: 'Ask the user for the value as it is written elsewhere: without slashes, backslashes and percent signs, and not dots alone.',
    fields: [{ name, problem: 'cannot be one segment of a path' }],
  });
}
