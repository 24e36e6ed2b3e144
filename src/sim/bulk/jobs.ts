/** Bulk API 2.0 jobs as the org remembers them, and how they are shown. */
import type { BulkJob, BulkTroubles, JobState } from '../facts.ts';
import type { Org } from '../org.ts';
import { notFound, refuse } from '../refusal.ts';
import { type Call, isJsonObject, jsonBody } from '../rest/call.ts';
import { delimiters, lineEndings } from './csv.ts';

const weekMs = 7 * 24 * 60 * 60 * 1000;
const dayMs = 24 * 60 * 60 * 1000;

export function troublesOf(org: Org): BulkTroubles {
  const kept = org.fact('bulkTroubles', 'org');
  const fresh = { since: org.now(), batches: 0, queryJobs: 0 };
  if (!kept) return { failAfter: null, failWith: 'InternalServerError', locks: 0, isHurried: false, ...fresh };
  return org.now() - kept.since >= dayMs ? { ...kept, ...fresh } : kept;
}

export function changeTroubles(org: Org, change: Partial<BulkTroubles>): void {
  org.keep('bulkTroubles', 'org', { ...troublesOf(org), ...change });
}

export function saveJob(org: Org, job: BulkJob, change: Partial<BulkJob>): BulkJob {
  const next = { ...job, ...change, changedAt: org.now() };
  org.keep('bulkJob', job.id, next);
  return next;
}

export const isOver = ({ state }: BulkJob): boolean =>
  state === 'JobComplete' || state === 'Failed' || state === 'Aborted';

export function forgetJob(org: Org, { id }: BulkJob): void {
  org.forget('bulkJob', id);
  org.forget('bulkUpload', id);
  org.forget('bulkIds', id);
  for (const [name, { job }] of org.factEntries('bulkDone')) if (job === id) org.forget('bulkDone', name);
}

/** Open jobs die within a day, finished ones are gone after a week. */
export function forgetOldJobs(org: Org): void {
  for (const job of org.facts('bulkJob')) {
    const age = org.now() - job.changedAt;
    if (age >= (isOver(job) ? weekMs : job.state === 'Open' ? dayMs : Number.POSITIVE_INFINITY)) forgetJob(org, job);
  }
}

export function jobOf({ org, path, userId }: Call, type: BulkJob['type']): BulkJob {
  const job = org.fact('bulkJob', path[2] ?? '');
  if (job?.type !== type) throw notFound();
  if (job.createdById !== userId) throw refuse(403, 'INSUFFICIENT_ACCESS', 'insufficient access rights on job');
  return job;
}

/** What both kinds of job are made of; `fields` are the ones that only one kind has. */
export function openJob(
  call: Call,
  keyPrefixType: BulkJob['type'],
  fields: Pick<BulkJob, 'operation' | 'object' | 'key' | 'query' | 'state'>,
  given: Readonly<Record<string, unknown>>,
): BulkJob {
  const { org, userId, version, headers } = call;
  const lineEnding = named(given.lineEnding ?? 'LF', lineEndings, 'lineEnding');
  const columnDelimiter = named(given.columnDelimiter ?? 'COMMA', delimiters, 'columnDelimiter');
  if ((given.contentType ?? 'CSV') !== 'CSV')
    throw refuse(400, 'INVALIDJOB', `Unsupported content type: ${String(given.contentType)}`);
  const job: BulkJob = {
    id: org.mint('750'),
    type: keyPrefixType,
    ...fields,
    createdById: userId,
    createdAt: org.now(),
    changedAt: org.now(),
    version,
    lineEnding,
    columnDelimiter,
    client: /client=([^,\s]+)/.exec(headers.get('sforce-call-options') ?? '')?.[1] ?? null,
    startedAt: org.now(),
    processed: 0,
    failed: 0,
    at: 0,
    error: null,
  };
  org.keep('bulkJob', job.id, job);
  return job;
}

/** Recorded: ended jobs and changed ones say less of the upload than fresh ones. */
export function shownJob(job: BulkJob, as: 'created' | 'changed' | 'read'): Record<string, unknown> {
  const { id, type, operation, object, key, state, createdById, createdAt, changedAt, version } = job;
  const time = (ms: number) => new Date(ms).toISOString().replace('Z', '+0000');
  const isIngest = type === 'V2Ingest';
  const saysUpload = as !== 'changed';
  return {
    id,
    operation,
    object,
    createdById,
    createdDate: time(createdAt),
    systemModstamp: time(changedAt),
    state,
    ...(key === null ? {} : { externalIdFieldName: key }),
    concurrencyMode: 'Parallel',
    contentType: 'CSV',
    apiVersion: Number(version.slice(1)),
    ...(as === 'read' ? { jobType: type } : {}),
    ...(isIngest && saysUpload ? { contentUrl: `services/data/${version}/jobs/ingest/${id}/batches` } : {}),
    ...(saysUpload ? { lineEnding: job.lineEnding, columnDelimiter: job.columnDelimiter } : {}),
    ...(as === 'read' ? figures(job) : {}),
  };
}

function figures({ type, processed, failed, state, startedAt, changedAt, error }: BulkJob): Record<string, unknown> {
  const spent = state === 'Open' || state === 'UploadComplete' ? 0 : Math.max(0, changedAt - startedAt);
  return {
    numberRecordsProcessed: processed,
    ...(type === 'V2Ingest' ? { numberRecordsFailed: failed } : {}),
    retries: 0,
    totalProcessingTime: spent,
    ...(type === 'V2Ingest' ? { apiActiveProcessingTime: spent, apexProcessingTime: 0 } : {}),
    ...(type === 'V2Query' ? { isPkChunkingSupported: true } : {}),
    ...(error === null ? {} : { errorMessage: error }),
  };
}

export function stateAsked(call: Call): JobState {
  const { state } = jsonBody(call);
  if (state === 'UploadComplete' || state === 'Aborted') return state;
  throw refuse(400, 'INVALIDJOBSTATE', `Invalid job state: ${String(state)}`);
}

export const listed = (org: Org, userId: string, type: BulkJob['type']): unknown => ({
  done: true,
  records: org
    .facts('bulkJob')
    .filter((job) => job.type === type && job.createdById === userId)
    .map((job) => ({ ...shownJob(job, 'created'), jobType: job.type })),
  nextRecordsUrl: null,
});

export function jobText(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw refuse(400, 'INVALIDJOB', `${name} is required`);
}

function named(value: unknown, known: Readonly<Record<string, string>>, name: string): string {
  if (typeof value === 'string' && Object.hasOwn(known, value)) return value;
  throw refuse(400, 'INVALIDJOB', `Unsupported ${name}: ${isJsonObject(value) ? 'object' : String(value)}`);
}
