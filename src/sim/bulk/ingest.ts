/** `/jobs/ingest`: rows are uploaded once, worked off by the clock (`run.ts`), and told in three files. */
import type { BulkJob } from '../facts.ts';
import { methodNotAllowed, notFound, refuse } from '../refusal.ts';
import { type Call, type JsonObject, jsonBody, noContent, ok, type Reply } from '../rest/call.ts';
import { keyField } from '../rest/rows.ts';
import { delimiters, lineEndings, quoted, readRow, shuffled } from './csv.ts';
import { forgetJob, isOver, jobOf, jobText, listed, openJob, saveJob, shownJob, stateAsked } from './jobs.ts';

/** 150 MB when base64 has made a third more of it. */
export const mostUpload = 100 * 1024 * 1024;
/** Characters of the rows that come with the job itself. */
const mostInline = 100_000;

export function ingestRoute(call: Call): Reply {
  const { org, method, path, userId } = call;
  const [, , id, part] = path;
  if (id === undefined) {
    if (method === 'GET') return ok(listed(org, userId, 'V2Ingest'));
    if (method === 'POST') return create(call);
    throw methodNotAllowed(method, 'GET,POST');
  }
  const job = jobOf(call, 'V2Ingest');
  switch (part?.toLowerCase()) {
    case undefined:
      return one(call, job);
    case 'batches':
      return upload(call, job);
    case 'successfulresults':
    case 'failedresults':
    case 'unprocessedrecords':
      if (method !== 'GET') throw methodNotAllowed(method, 'GET');
      return results(call, job, part?.toLowerCase());
    default:
      throw notFound();
  }
}

const operations = ['insert', 'update', 'upsert', 'delete'];

function create(call: Call): Reply {
  const parts = multipartOf(call);
  if (!parts) return ok(shownJob(open(call, jsonBody(call)), 'created'));
  const job = open(call, jsonBody({ ...call, text: parts.job }));
  if (parts.content.length > mostInline)
    throw refuse(400, 'INVALIDJOB', `The content part is longer than ${mostInline} characters`);
  call.org.keep('bulkUpload', job.id, parts.content);
  return ok(shownJob(saveJob(call.org, job, { state: 'UploadComplete', startedAt: call.org.now() }), 'created'));
}

function open(call: Call, given: JsonObject): BulkJob {
  const operation = jobText(given.operation, 'operation');
  if (!operations.includes(operation)) throw refuse(400, 'INVALIDJOB', `Unsupported operation: ${operation}`);
  const object = call.schema.object(jobText(given.object, 'object'));
  if (!object?.isWritable) throw refuse(400, 'INVALIDJOB', `Unable to find object: ${String(given.object)}`);
  const key =
    operation === 'upsert' ? keyField(object, jobText(given.externalIdFieldName, 'externalIdFieldName')).name : null;
  return openJob(call, 'V2Ingest', { operation, object: object.name, key, query: null, state: 'Open' }, given);
}

/** The parts `job` and `content` of one request. */
function multipartOf({ headers, text }: Call): { job: string; content: string } | undefined {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)/i.exec(headers.get('content-type') ?? '')?.[1];
  if (boundary === undefined) return undefined;
  const parts = text.split(`--${boundary}`).slice(1, -1);
  const part = (name: string): string => {
    const found = parts.find((each) => new RegExp(`name="?${name}"?`, 'i').test(each.split(/\r?\n\r?\n/)[0] ?? ''));
    return (found ?? '').replace(/^[\s\S]*?\r?\n\r?\n/, '').replace(/\r?\n$/, '');
  };
  return { job: part('job'), content: part('content') };
}

function one(call: Call, job: BulkJob): Reply {
  const { org, method } = call;
  switch (method) {
    case 'GET':
      return ok(shownJob(job, 'read'));
    case 'PATCH': {
      const state = stateAsked(call);
      if (state === 'UploadComplete' && job.state !== 'Open') throw badState(job, state);
      if (state === 'Aborted' && isOver(job)) throw badState(job, state);
      return ok(
        shownJob(
          saveJob(org, job, { state, ...(state === 'UploadComplete' ? { startedAt: org.now() } : {}) }),
          'changed',
        ),
      );
    }
    case 'DELETE':
      if (job.state === 'Open' || job.state === 'InProgress') throw badState(job, 'Deleted');
      forgetJob(org, job);
      return noContent;
    default:
      throw methodNotAllowed(method, 'GET,PATCH,DELETE');
  }
}

function upload({ org, method, headers, text }: Call, job: BulkJob): Reply {
  if (method !== 'PUT') throw methodNotAllowed(method, 'PUT');
  if (!/^text\/csv\b/i.test(headers.get('content-type') ?? ''))
    throw refuse(415, 'UNSUPPORTED_MEDIA_TYPE', `Content type '${headers.get('content-type')}' not supported`);
  if (job.state !== 'Open') throw badState(job, 'upload');
  // One upload a job.
  if (org.fact('bulkUpload', job.id) !== undefined)
    throw refuse(400, 'INVALIDJOBSTATE', 'Found multiple contents for job, only one upload is allowed');
  if (Buffer.byteLength(text) > mostUpload)
    throw refuse(413, 'REQUEST_ENTITY_TOO_LARGE', 'The upload is larger than the maximum of a job');
  org.keep('bulkUpload', job.id, text);
  return { status: 201 };
}

function results({ org }: Call, job: BulkJob, which: string | undefined): Reply {
  if (!isOver(job)) throw badState(job, 'results');
  const end = lineEndings[job.lineEnding] ?? '\n';
  const delimiter = delimiters[job.columnDelimiter] ?? ',';
  const text = org.fact('bulkUpload', job.id) ?? '';
  const header = readRow(text, 0, delimiter);
  const columns = header === undefined || header === 'broken' ? [] : header.cells;
  const csv = (names: readonly string[], lines: readonly string[]): Reply => ({
    status: 200,
    csv: [names.join(delimiter), ...lines].map((line) => line + end).join(''),
  });
  if (which === 'unprocessedrecords') return csv(columns, leftOver(text, job, delimiter));
  const done = org
    .factEntries('bulkDone')
    .flatMap(([, each]) =>
      each.job === job.id ? (which === 'successfulresults' ? each.successful : each.failed) : [],
    );
  const own = which === 'successfulresults' ? '"sf__Created"' : '"sf__Error"';
  return csv(['"sf__Id"', own, ...columns], shuffled(done, job.id + which));
}

/** Rows never tried, of a job that failed or was aborted. */
function leftOver(text: string, { state, at, error }: BulkJob, delimiter: string): string[] {
  if (state === 'JobComplete') return [];
  const lines: string[] = [];
  const first = readRow(text, 0, delimiter);
  if (first === undefined || first === 'broken' || error?.startsWith('ClientInputError')) return lines;
  for (let from = Math.max(at, first.end); ; ) {
    const row = readRow(text, from, delimiter);
    if (row === undefined || row === 'broken') return lines;
    lines.push(row.cells.map(quoted).join(delimiter));
    from = row.end;
  }
}

/** The code is documented; its words are ours. */
const badState = ({ state }: BulkJob, wanted: string) =>
  refuse(400, 'INVALIDJOBSTATE', `Job is in state ${state}; not possible: ${wanted}`);
