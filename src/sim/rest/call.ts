/** One call of the REST API, and its answer, free of HTTP: composite subrequests are calls too. */
import type { Org } from '../org.ts';
import type { Parse } from '../query/parser.ts';
import type { Asking } from '../query/run.ts';
import type { Writer } from '../records/writer-form.ts';
import { notFound, type Refusal, refuse } from '../refusal.ts';
import type { ObjectType, Schema } from '../schema/object.ts';

export interface Call {
  readonly org: Org;
  readonly schema: Schema;
  readonly userId: string;
  readonly parse: Parse;
  readonly writer: Writer;
  readonly method: string;
  /** Below the version: `sobjects`, `Contact`, an id ...; each decoded. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly version: string;
  readonly origin: string;
  readonly isSubrequest: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON; absent means an empty answer. */
  readonly body?: unknown;
  /** Sent instead, as it is. */
  readonly csv?: string | undefined;
}

export const ok = (body: unknown, headers?: Readonly<Record<string, string>>): Reply => ({
  status: 200,
  body,
  headers,
});
export const noContent: Reply = { status: 204 };

export function refusalReply(refusal: Refusal): Reply {
  return { status: refusal.status, body: refusal.faults };
}

export function objectNamed({ schema }: Call, name: string): ObjectType {
  const object = schema.object(name);
  if (!object) throw notFound();
  return object;
}

export function askingOf({ org, schema, userId, parse, version }: Call): Asking {
  return { org, schema, userId, parse, version };
}

export type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function jsonBody({ text }: Call): JsonObject {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw unparsable(text);
  }
  if (!isJsonObject(body)) {
    throw refuse(400, 'JSON_PARSER_ERROR', 'The HTTP entity body is required, but this request has no entity body.');
  }
  return body;
}

function unparsable(text: string): Refusal {
  if (text.trim() === '') {
    return refuse(400, 'JSON_PARSER_ERROR', 'The HTTP entity body is required, but this request has no entity body.');
  }
  const [first = ''] = text.trim();
  const message = /[{[]/.test(first)
    ? `Unexpected end-of-input: expected close marker for OBJECT (start marker at [line:1, column:1]) at [line:1, column:${text.length}]`
    : `Unexpected character ('${first}' (code ${first.charCodeAt(0)})): expected a valid value at [line:1, column:2]`;
  return refuse(400, 'JSON_PARSER_ERROR', message);
}
