/** `/jobs/query`: a query whose answer is made once and fetched in pages of CSV. */
import type { Query } from '@jetstreamapp/soql-parser-js';
import type { BulkJob } from '../facts.ts';
import { runQuery, showerOf } from '../query/run.ts';
import { textOf } from '../query/select.ts';
import { methodNotAllowed, notFound, refuse } from '../refusal.ts';
import { askingOf, type Call, isJsonObject, jsonBody, noContent, ok, type Reply } from '../rest/call.ts';
import { delimiters, lineEndings, quoted } from './csv.ts';
import {
  changeTroubles,
  forgetJob,
  isOver,
  jobOf,
  jobText,
  listed,
  openJob,
  saveJob,
  shownJob,
  stateAsked,
  troublesOf,
} from './jobs.ts';

/** A page where the caller names no size. */
const plainPage = 50_000;
const mostQueryJobs = 10_000;
/** Addresses told at once by `resultPages`. */
const mostPages = 5;

export function queryJobRoute(call: Call): Reply {
  const { org, method, path, userId } = call;
  const [, , id, part] = path;
  if (id === undefined) {
    if (method === 'GET') return ok(listed(org, userId, 'V2Query'));
    if (method === 'POST') return create(call);
    throw methodNotAllowed(method, 'GET,POST');
  }
  const job = jobOf(call, 'V2Query');
  if (part === undefined) return one(call, job);
  if (method !== 'GET') throw methodNotAllowed(method, 'GET');
  // The same version as the job.
  if (call.version !== job.version)
    throw refuse(409, 'API_ERROR', `The job was made with ${job.version}, the request with ${call.version}`);
  if (job.state !== 'JobComplete')
    throw refuse(400, 'INVALIDJOBSTATE', `Job is in state ${job.state}; it has no results`);
  if (part.toLowerCase() === 'results') return results(call, job);
  if (part.toLowerCase() === 'resultpages') return resultPages(call, job);
  throw notFound();
}

function create(call: Call): Reply {
  const given = jsonBody(call);
  const operation = jobText(given.operation, 'operation');
  if (operation !== 'query' && operation !== 'queryAll')
    throw refuse(400, 'INVALIDJOB', `Unsupported operation: ${operation}`);
  const soql = jobText(given.query, 'query');
  const { queryJobs } = troublesOf(call.org);
  if (queryJobs >= mostQueryJobs)
    throw refuse(400, 'EXCEEDEDQUOTA', `Max bulk v2 query jobs (${mostQueryJobs}) per 24 hrs has been reached`);
  const query = call.parse(soql);
  const unsupported = unsupportedIn(query);
  if (unsupported) throw refuse(400, 'API_ERROR', `Bulk V2 Query does not support ${unsupported}`);
  const answer = runQuery(askingOf(call), soql, operation === 'queryAll');
  if (answer.kind !== 'rows') throw refuse(400, 'API_ERROR', 'Bulk V2 Query does not support aggregates');
  const job = openJob(
    call,
    'V2Query',
    { operation, object: answer.object, key: null, query: soql, state: 'UploadComplete' },
    given,
  );
  call.org.keep('bulkIds', job.id, { ids: answer.rows.map((row) => row.Id) });
  changeTroubles(call.org, { queryJobs: queryJobs + 1 });
  return ok(shownJob(job, 'created'));
}

function unsupportedIn({ fields = [], groupBy, offset }: Query): string | undefined {
  if (groupBy) return 'GROUP BY';
  if (offset !== undefined) return 'OFFSET';
  for (const field of fields) {
    if (field.type === 'FieldSubquery') return 'child queries';
    if (field.type === 'FieldTypeof') return 'TYPEOF';
    if (field.type === 'FieldFunctionExpression') return field.functionName.toUpperCase();
  }
  return undefined;
}

function one(call: Call, job: BulkJob): Reply {
  switch (call.method) {
    case 'GET':
      return ok(shownJob(job, 'read'));
    case 'PATCH':
      if (isOver(job) || stateAsked(call) !== 'Aborted') throw refuse(400, 'INVALIDJOBSTATE', 'Job cannot be changed');
      return ok(shownJob(saveJob(call.org, job, { state: 'Aborted' }), 'changed'));
    case 'DELETE':
      if (!isOver(job)) throw refuse(400, 'INVALIDJOBSTATE', 'Job is not over');
      forgetJob(call.org, job);
      return noContent;
    default:
      throw methodNotAllowed(call.method, 'GET,PATCH,DELETE');
  }
}

function results(call: Call, job: BulkJob): Reply {
  const { ids, size, from } = pageAsked(call, job);
  const asking = askingOf(call);
  const { object, show } = showerOf(asking, job.query ?? '');
  const names = (call.parse(job.query ?? '').fields ?? []).map(textOf);
  const table = call.org.table(object);
  const delimiter = delimiters[job.columnDelimiter] ?? ',';
  const end = lineEndings[job.lineEnding] ?? '\n';
  const rows = ids.slice(from, from + size).flatMap((id) => {
    const row = table.get(id);
    return row ? [show(row)] : [];
  });
  const lines = rows.map((row) => names.map((name) => quoted(cellOf(row, name.split('.')))).join(delimiter));
  const next = from + size < ids.length ? locatorOf(from + size) : 'null';
  return {
    status: 200,
    headers: { 'Sforce-Locator': next, 'Sforce-NumberOfRecords': String(rows.length) },
    csv: [names.map(quoted).join(delimiter), ...lines].map((line) => line + end).join(''),
  };
}

function resultPages(call: Call, job: BulkJob): Reply {
  const { ids, size, from } = pageAsked(call, job);
  const path = `/services/data/${job.version}/jobs/query/${job.id}`;
  const starts = Array.from({ length: Math.ceil((ids.length - from) / size) || 1 }, (_, at) => from + at * size);
  const hasMore = starts.length > mostPages;
  const address = (part: string, start: number) => `${path}/${part}?locator=${locatorOf(start)}&maxRecords=${size}`;
  return ok({
    resultPages: starts.slice(0, mostPages).map((start) => ({ resultUrl: address('results', start) })),
    nextRecordsUrl: hasMore ? address('resultPages', starts[mostPages] ?? 0) : null,
    done: !hasMore,
  });
}

function pageAsked({ org, query }: Call, job: BulkJob) {
  const ids = org.fact('bulkIds', job.id)?.ids ?? [];
  const size = Number(query.get('maxRecords') ?? plainPage);
  const locator = query.get('locator');
  const from = locator === null ? 0 : Number(Buffer.from(locator, 'base64').toString());
  if (!Number.isInteger(size) || size < 1 || !Number.isInteger(from) || from < 0 || from > ids.length)
    throw refuse(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator');
  return { ids, size, from };
}

const locatorOf = (from: number): string => Buffer.from(String(from)).toString('base64');

function cellOf(row: unknown, [name = '', ...rest]: readonly string[]): string {
  if (!isJsonObject(row)) return '';
  const spelled = Object.keys(row).find((key) => key.toLowerCase() === name.toLowerCase()) ?? name;
  const value = row[spelled];
  if (rest.length > 0) return cellOf(value, rest);
  return value === null || value === undefined ? '' : String(value);
}
