/** The front desk of `/services/data/vXX.X/`: version, session, allowance; then the router; then the usual headers. */
import { type Incoming, json, type Outgoing } from '../http.ts';
import { closedFields } from '../metadata/access.ts';
import { liveSession } from '../oauth/tokens.ts';
import type { Org } from '../org.ts';
import { noteChange } from '../outbound/queue.ts';
import type { Parse } from '../query/parser.ts';
import { allowsDuplicates } from '../records/rules.ts';
import type { Writer } from '../records/writer-form.ts';
import { notFound, Refusal, refuse } from '../refusal.ts';
import type { Schema } from '../schema/object.ts';
import { type Call, type Reply, refusalReply } from './call.ts';
import { decode } from './composite.ts';
import { limitInfo, usageOf } from './limits.ts';
import { route } from './router.ts';

export interface Means {
  readonly parse: Parse;
  readonly newest: string;
  /** A fault on request: saves of this call meet a lock. */
  readonly meetsLock: boolean;
}

const neverKept = 'no-cache,must-revalidate,max-age=0,no-store,private';
const oldest = 31;
/** Long lists of ids do not fit: they belong into the body of a composite. */
const longestUrl = 16_384;
const seasons = ['Winter', 'Spring', 'Summer'];

/** Oldest first; labels as Salesforce names its releases: 66.0 is Spring '26. */
export function versionsList(newest: string): unknown {
  const last = Number.parseFloat(newest.slice(1));
  return Array.from({ length: last - oldest + 1 }, (_, at) => {
    const number = oldest + at;
    const year = 14 + Math.floor((number - 29) / 3);
    return {
      label: `${seasons[number % 3 === 0 ? 1 : number % 3 === 1 ? 2 : 0]} '${year}`,
      url: `/services/data/v${number}.0`,
      version: `${number}.0`,
    };
  });
}

/** Whether the parser will be wanted; a composite may carry a query inside. */
export function isQueryAhead({ url, text }: Incoming): boolean {
  return /\/(?:query|search)/i.test(url.pathname) || (url.pathname.includes('/composite') && /\/query/i.test(text));
}

export function dataApi(org: Org, incoming: Incoming, means: Means): Outgoing {
  const mark = org.mark();
  let reply: Reply;
  try {
    reply = route(openCall(org, incoming, means));
  } catch (error) {
    org.rollback(mark);
    reply = refusalReply(error instanceof Refusal ? error : unexpected(error));
  }
  const isPretty = incoming.headers.get('x-prettyprint') === '1';
  const headers = { 'Cache-Control': neverKept, ...reply.headers, 'Sforce-Limit-Info': limitInfo(org) };
  if (reply.csv !== undefined)
    return { status: reply.status, headers: { 'Content-Type': 'text/csv', ...headers }, text: reply.csv };
  const outgoing = json(reply.status, reply.body, headers);
  if (incoming.method === 'HEAD') return { ...outgoing, text: '' };
  return isPretty && outgoing.text ? { ...outgoing, text: pretty(reply.body) } : outgoing;
}

function openCall(org: Org, incoming: Incoming, { parse, newest, meetsLock }: Means): Call {
  const { url, headers, text, bytes, origin } = incoming;
  const userId = authenticate(org, headers);
  if (url.href.length > longestUrl) throw refuse(414, 'URI_TOO_LONG', 'URI Too Long');
  const { used } = usageOf(org);
  if (used >= org.settings.apiMax) throw refuse(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.');
  const [, , , version = '', ...path] = url.pathname.split('/');
  checkVersion(version, newest);
  const method = (incoming.method === 'POST' && url.searchParams.get('_HttpMethod')) || incoming.method;
  const type = headers.get('content-type') ?? '';
  const isPackage = /^metadata$/i.test(path[0] ?? '') && /^multipart\/form-data\b/i.test(type);
  const mayBeOther = isPackage || isRows(path, type);
  if (text !== '' && method !== 'GET' && method !== 'DELETE' && !mayBeOther && !/\bjson\b/i.test(type)) {
    throw refuse(415, 'UNSUPPORTED_MEDIA_TYPE', `Content type '${type}' not supported`);
  }
  const schema = sightOf(org, userId);
  const writer: Writer = {
    org,
    schema,
    userId,
    version,
    allowsDuplicates: allowsDuplicates(headers),
    meetsLock,
    afterSave: (object, row) => noteChange(org, object, row),
  };
  const names = path.filter(Boolean).map(decode);
  return {
    org,
    schema,
    userId,
    parse,
    writer,
    method,
    path: names,
    query: url.searchParams,
    headers,
    text,
    bytes,
    version,
    origin,
    isSubrequest: false,
  };
}

/** Rows of a bulk job alone are not JSON. */
function isRows([kind, type, id, part]: readonly string[], contentType: string): boolean {
  if (kind !== 'jobs' || type !== 'ingest') return false;
  return id ? part === 'batches' : /^multipart\/form-data\b/i.test(contentType);
}

export function authenticate(org: Org, headers: Headers): string {
  const header = headers.get('authorization');
  const expired = () => refuse(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
  if (header === null) throw expired();
  const token = /^(?:Bearer|OAuth) +(\S+)$/i.exec(header)?.[1];
  if (!token) throw refuse(401, 'INVALID_AUTH_HEADER', 'INVALID_HEADER_TYPE');
  const session = liveSession(org, token);
  if (!session) throw expired();
  return session.userId;
}

function checkVersion(version: string, newest: string): void {
  const number = /^v(\d\d)\.0$/.exec(version)?.[1];
  if (!number || Number(number) > Number.parseFloat(newest.slice(1))) throw notFound();
  if (Number(number) < oldest)
    throw refuse(410, 'UNSUPPORTED_API_VERSION', 'The requested API version has been retired.');
}

const narrowed = new WeakMap<Schema, Map<string, Schema>>();

/** The limited user sees no cases and no revenue, may not set amounts, and may not delete; what was deployed a permission set gives. */
export function sightOf(org: Org, userId: string): Schema {
  const { schema } = org;
  const isLimited = org.row('User', userId)?.Username === 'limited@sim.example';
  const closed = closedFields(org, userId);
  const hidden = [...closed.hidden, ...(isLimited ? ['Case', 'Account.AnnualRevenue'] : [])];
  const readOnly = [...closed.readOnly, ...(isLimited ? ['Opportunity.Amount'] : [])];
  if (hidden.length + readOnly.length === 0) return schema;
  const sights = narrowed.get(schema) ?? new Map<string, Schema>();
  narrowed.set(schema, sights);
  const key = JSON.stringify([hidden, readOnly, isLimited]);
  const seen =
    sights.get(key) ??
    schema.narrowed({ hidden: new Set(hidden), readOnly: new Set(readOnly), isDeletable: !isLimited });
  sights.set(key, seen);
  return seen;
}

/** A fault of the simulator itself: said as Salesforce would, with the cause, since a developer is reading. */
function unexpected(error: unknown): Refusal {
  const cause = error instanceof Error ? error.message : String(error);
  return refuse(
    500,
    'UNKNOWN_EXCEPTION',
    `An unexpected error occurred. Please include this ErrorId if you contact support: ${cause}`,
  );
}

/** The indented form has blanks on both sides of the colon. */
function pretty(body: unknown): string {
  return JSON.stringify(body, null, 2).replace(/^(\s*"(?:[^"\\]|\\.)*"): /gm, '$1 : ');
}
