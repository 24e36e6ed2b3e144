/** Several calls in one: composite with references, plain batch, and graphs that succeed or fail whole. */
import { allowsDuplicates } from '../records/rules.ts';
import { methodNotAllowed, Refusal, refuse } from '../refusal.ts';
import { type Call, isJsonObject, type JsonObject, jsonBody, ok, type Reply, refusalReply } from './call.ts';

export type Route = (call: Call) => Reply;

interface Subresult {
  readonly body: unknown;
  readonly httpHeaders: Readonly<Record<string, string>>;
  readonly httpStatusCode: number;
  readonly referenceId: string;
}

const maxSubrequests = 25;
const maxHeavy = 5;

export function composite(call: Call, route: Route): Reply {
  if (call.method !== 'POST') throw methodNotAllowed(call.method, 'POST');
  const { compositeRequest, allOrNone } = jsonBody(call);
  const requests = subrequests(compositeRequest, 'compositeRequest', maxSubrequests);
  const heavy = requests.filter(({ url }) => /\/(query|queryAll|composite\/sobjects)\b/.test(String(url)));
  if (heavy.length > maxHeavy) {
    throw refuse(
      400,
      'INVALID_INPUT',
      `The composite request can contain at most ${maxHeavy} query or sObject Collections subrequests.`,
    );
  }
  return ok({ compositeResponse: runAll(call, requests, allOrNone === true, route) });
}

export function batch(call: Call, route: Route): Reply {
  if (call.method !== 'POST') throw methodNotAllowed(call.method, 'POST');
  const { batchRequests, haltOnError } = jsonBody(call);
  let isHalted = false;
  const results = subrequests(batchRequests, 'batchRequests', maxSubrequests).map(({ method, url, richInput }) => {
    if (isHalted) {
      const result = [{ errorCode: 'BATCH_PROCESSING_HALTED', message: 'Batch processing halted per request' }];
      return { statusCode: 412, result };
    }
    const text = richInput === undefined ? '' : JSON.stringify(richInput);
    const { status, body } = runOne(
      call,
      String(method),
      `/services/data/${String(url).replace(/^\/(services\/data\/)?/, '')}`,
      text,
      {},
      route,
    );
    if (status >= 400 && haltOnError === true) isHalted = true;
    return { statusCode: status, result: body ?? null };
  });
  return ok({ hasErrors: results.some(({ statusCode }) => statusCode >= 400), results });
}

export function graph(call: Call, route: Route): Reply {
  if (call.method !== 'POST') throw methodNotAllowed(call.method, 'POST');
  const { graphs } = jsonBody(call);
  const wanted = subrequests(graphs, 'graphs', maxGraphs).map(({ graphId, compositeRequest }) => ({
    graphId,
    nodes: subrequests(compositeRequest, 'compositeRequest', maxNodes),
  }));
  const ids = wanted.map(({ graphId }) => graphId);
  if (ids.some((id) => typeof id !== 'string' || id === '') || new Set(ids).size < ids.length)
    throw refuse(400, 'INVALID_INPUT', 'Each graph must have a graphId of its own.');
  const nodes = wanted.reduce((sum, one) => sum + one.nodes.length, 0);
  if (nodes > maxNodes)
    throw refuse(400, 'LIMIT_EXCEEDED', `The payload can't contain more than ${maxNodes} nodes; it has ${nodes}.`);
  for (const one of wanted)
    if (depthOf(one.nodes) > maxDepth) throw refuse(400, 'LIMIT_EXCEEDED', `A graph can't be deeper than ${maxDepth}.`);
  let failed = 0;
  return ok({
    graphs: wanted.map(({ graphId, nodes: asked }) => {
      // After so many failures the rest is not tried: that is documented, what it looks like is not.
      const results = failed >= maxFailed ? asked.map(untried) : runAll(call, asked, true, onlyRecords(route));
      const isSuccessful = results.every(({ httpStatusCode }) => httpStatusCode < 400);
      if (!isSuccessful) failed += 1;
      return { graphId, graphResponse: { compositeResponse: results }, isSuccessful };
    }),
  });
}

const maxGraphs = 75;
const maxNodes = 500;
const maxDepth = 15;
const maxFailed = 14;

/** How many nodes lean on one another, at the most. */
function depthOf(nodes: readonly JsonObject[]): number {
  const depths = new Map<string, number>();
  for (const { referenceId, url, body } of nodes) {
    const named = [...`${JSON.stringify(body) ?? ''} ${url}`.matchAll(/@\{(\w+)/g)].map(([, name = '']) => name);
    depths.set(String(referenceId), 1 + Math.max(0, ...named.map((name) => depths.get(name) ?? 0)));
  }
  return Math.max(0, ...depths.values());
}

/** Nodes are single records: no query, no collection, no composite within. */
const onlyRecords =
  (route: Route): Route =>
  (call) => {
    const [resource = '', object, id] = call.path;
    const isRecord = resource.toLowerCase() === 'sobjects' && object !== undefined;
    if (isRecord && (call.method === 'POST' ? id === undefined : id !== undefined)) return route(call);
    throw refuse(400, 'INVALID_INPUT', `The resource ${call.path.join('/')} is not supported in a composite graph.`);
  };

const halted = [
  {
    errorCode: 'PROCESSING_HALTED',
    message: 'The transaction was rolled back since another operation in the same transaction failed.',
  },
];

const untried = ({ referenceId }: JsonObject): Subresult => ({
  body: halted,
  httpHeaders: {},
  httpStatusCode: 400,
  referenceId: String(referenceId ?? ''),
});

function runAll(call: Call, requests: readonly JsonObject[], isAllOrNone: boolean, route: Route): Subresult[] {
  const start = call.org.mark();
  const done = new Map<string, Subresult>();
  const results: Subresult[] = [];
  for (const { method, url, referenceId, body, httpHeaders } of requests) {
    const reference = String(referenceId ?? '');
    let reply: Reply;
    try {
      if (!/^[A-Za-z0-9]\w*$/.test(reference) || done.has(reference)) {
        throw refuse(
          400,
          'INVALID_INPUT',
          `Provided referenceId ('${reference}') must be unique, start with a letter or a number and contain only letters, numbers and underscores.`,
        );
      }
      const text = body === undefined ? '' : resolve(JSON.stringify(body), done, true);
      reply = runOne(
        call,
        String(method),
        resolve(String(url), done, false),
        text,
        isJsonObject(httpHeaders) ? httpHeaders : {},
        route,
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      reply = refusalReply(error);
    }
    const result = {
      body: reply.body ?? null,
      httpHeaders: reply.headers ?? {},
      httpStatusCode: reply.status,
      referenceId: reference,
    };
    done.set(reference, result);
    results.push(result);
  }
  if (!isAllOrNone || results.every(({ httpStatusCode }) => httpStatusCode < 400)) return results;
  call.org.rollback(start);
  // What had succeeded, and what failed only for leaning on a failure, is reported as halted.
  return results.map((result) =>
    result.httpStatusCode < 400 ? { ...result, body: halted, httpHeaders: {}, httpStatusCode: 400 } : result,
  );
}

function runOne(call: Call, method: string, url: string, text: string, headers: JsonObject, route: Route): Reply {
  const found = /^\/services\/data\/(v\d+\.\d)\/([^?]*)(?:\?(.*))?$/s.exec(url);
  const mark = call.org.mark();
  try {
    if (!found) throw refuse(404, 'NOT_FOUND', 'The requested resource does not exist');
    const [, version = call.version, path = '', query = ''] = found;
    const own = new Headers(Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]));
    return route({
      ...call,
      writer: { ...call.writer, allowsDuplicates: allowsDuplicates(own) },
      method: method.toUpperCase(),
      path: path.split('/').filter(Boolean).map(decode),
      query: new URLSearchParams(query),
      headers: own,
      text,
      version,
      isSubrequest: true,
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    call.org.rollback(mark);
    return refusalReply(error);
  }
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `@{ref.id}` and deeper paths, taken from the bodies of earlier subrequests. */
function resolve(text: string, done: ReadonlyMap<string, Subresult>, isJson: boolean): string {
  return text.replace(/@\{([^}]+)\}/g, (_, expression: string) => {
    const [reference = '', ...path] = expression.split(/[.[\]]+/).filter(Boolean);
    const result = done.get(reference);
    let value: unknown = result && result.httpStatusCode < 400 ? result.body : undefined;
    for (const key of path) {
      // Indexing what JSON gave: a key that is not there yields undefined, refused below.
      value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
    }
    if (value === undefined || value === null || typeof value === 'object') {
      throw refuse(
        400,
        'PROCESSING_HALTED',
        `Invalid reference specified. No value for ${expression} found in ${reference}`,
      );
    }
    return isJson ? JSON.stringify(String(value)).slice(1, -1) : String(value);
  });
}

function subrequests(given: unknown, name: string, max: number): readonly JsonObject[] {
  if (!Array.isArray(given) || given.length === 0)
    throw refuse(400, 'REQUIRED_FIELD_MISSING', `${name} must hold at least 1 entry`);
  if (given.length > max) throw refuse(400, 'INVALID_INPUT', `The ${name} can't contain more than ${max} operations.`);
  return given.map((entry) => (isJsonObject(entry) ? entry : {}));
}
