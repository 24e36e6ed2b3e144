import { GatehouseError } from '../../domain/errors.ts';
import { isRecord } from '../../domain/is-record.ts';
import { oneLine } from '../../domain/safe-text.ts';
import { receivedId } from '../../domain/salesforce-id.ts';
import type { Bulk, BulkRow, BulkStatus } from '../../ports/bulk.ts';
import { objectName } from '../records/find.ts';
import type { OrgRequest, RequestPipeline } from '../request.ts';
import { unreadable } from '../transport/failures.ts';
import { toRefusal } from '../transport/refusals.ts';
import { UpstreamError } from '../transport/upstream-error.ts';
import { readCsv } from './csv.ts';

/**
 * Bulk API 2.0: jobs of rows that Salesforce works off by itself. A job is uploaded to once, and one that was closed is never aborted or
 * deleted because we waited long: its rows may be half done.
 */
export function createBulk(deps: {
  readonly pipeline: RequestPipeline;
  readonly apiVersion: string;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly random?: () => number;
}): Bulk {
  const { pipeline, signal, now, wait, random = Math.random } = deps;
  const base = `/services/data/${deps.apiVersion}/jobs`;
  const ingest = (id: string) => `${base}/ingest/${jobId(id)}`;

  async function ask(request: OrgRequest): Promise<BulkStatus> {
    return toStatus((await pipeline.send(request)).json);
  }

  async function status(id: string): Promise<BulkStatus> {
    return ask({ path: ingest(id) });
  }

  /** Until Salesforce is done with it, or a day is over: then its last state is told, and the job is left alone. */
  async function untilOver(look: () => Promise<BulkStatus>): Promise<BulkStatus> {
    const until = now() + WATCH_MS;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5)) {
      const seen = await look();
      if (isOver(seen) || now() >= until) return seen;
      await wait(pauseMs * (0.8 + 0.4 * random()), signal);
    }
  }

  async function* rowsOf(path: string): AsyncGenerator<Readonly<Record<string, string>>> {
    yield* (await fileOf(path)).rows;
  }

  async function fileOf(path: string) {
    const headers = { accept: 'text/csv' };
    const answer = await pipeline.send({ path, headers, limit: FILE_LIMIT, isStreamed: true });
    // A page of something in between would be read as rows.
    if (!answer.bytes || !/^text\/csv\b/i.test(answer.header('content-type') ?? '')) throw unreadable(false);
    return { rows: readCsv(answer.bytes), locator: answer.header('sforce-locator') };
  }

  return {
    async create({ object, operation, key }) {
      const body = {
        object: objectName(object),
        operation,
        ...(operation === 'upsert' ? { externalIdFieldName: objectName(key ?? '') } : {}),
        contentType: 'CSV',
        lineEnding: 'LF',
        columnDelimiter: 'COMMA',
      };
      return (await ask({ method: 'POST', path: `${base}/ingest`, body })).id;
    },
    async upload(id, csv) {
      const headers = { 'content-type': 'text/csv' };
      await pipeline.send({ method: 'PUT', path: `${ingest(id)}/batches`, headers, raw: csv, limit: FILE_LIMIT });
    },
    async close(id) {
      const path = ingest(id);
      for (let tries = 1; ; tries++) {
        try {
          return await ask({ method: 'PATCH', path, body: { state: 'UploadComplete' } });
        } catch (error) {
          const isLost = error instanceof UpstreamError && error.outcome === 'unknown';
          if (!isLost) throw error;
          // Whether it was closed can be asked.
          const seen = await status(id);
          if (seen.state !== 'Open' || tries >= MOST_CLOSES) return seen;
        }
      }
    },
    status,
    ended: (id) => untilOver(() => status(id)),
    async abort(id) {
      await ask({ method: 'PATCH', path: ingest(id), body: { state: 'Aborted' } });
    },
    async remove(id) {
      await removed(ingest(id));
    },
    async *results(id, which) {
      for await (const row of rowsOf(`${ingest(id)}/${FILES[which]}`)) yield toRow(row, which);
    },
    async *query(soql, { pageSize = PAGE_ROWS, onCall = () => {}, onJob } = {}) {
      // A job made twice by a repeat is a read that nobody fetches.
      const body = { operation: 'query', query: soql };
      onCall();
      const { id } = await ask({ method: 'POST', path: `${base}/query`, isRead: true, body });
      await onJob?.(id);
      const path = `${base}/query/${id}`;
      const over = await untilOver(() => {
        onCall();
        return ask({ path });
      });
      try {
        if (over.state !== 'JobComplete') throw notDone(over);
        let count = 0;
        for (let locator: string | null = null; ; ) {
          const more: string = locator === null ? '' : `&locator=${encodeURIComponent(locator)}`;
          onCall();
          const page = await fileOf(`${path}/results?maxRecords=${pageSize}${more}`);
          for await (const row of page.rows) {
            count++;
            yield row;
          }
          if (page.locator === null || page.locator === 'null') break;
          locator = page.locator;
        }
        // A page that went missing must not be taken for the end.
        if (count !== over.processed) throw unreadable(false);
      } finally {
        onCall();
        if (isOver(over)) await removed(path).catch(() => undefined);
      }
    },
    async removeQuery(id) {
      const path = `${base}/query/${jobId(id)}`;
      // One that is over cannot be aborted, and one that is not cannot be removed.
      await ask({ method: 'PATCH', path, body: { state: 'Aborted' } }).catch(() => undefined);
      await removed(path);
    },
  };

  /** One that is gone already is what was wanted. */
  async function removed(path: string): Promise<void> {
    await pipeline.send({ method: 'DELETE', path }).catch((error: unknown) => {
      if (!(error instanceof GatehouseError) || error.salesforce?.code !== 'NOT_FOUND') throw error;
    });
  }
}

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;
const WATCH_MS = 86_400_000;
const MOST_CLOSES = 3;
const PAGE_ROWS = 50_000;
/** Of an upload or a result file: an hour in all, a minute without a byte. */
const FILE_LIMIT = { totalMs: 3_600_000, idleMs: 60_000 };

const FILES = { successful: 'successfulResults', failed: 'failedResults', unprocessed: 'unprocessedrecords' } as const;

const STATES: readonly BulkStatus['state'][] = [
  'Open',
  'UploadComplete',
  'InProgress',
  'JobComplete',
  'Failed',
  'Aborted',
];

const isOver = ({ state }: BulkStatus): boolean => state === 'JobComplete' || state === 'Failed' || state === 'Aborted';

function toStatus(json: unknown): BulkStatus {
  const state = isRecord(json) ? STATES.find((known) => known === json.state) : undefined;
  if (!isRecord(json) || state === undefined || typeof json.id !== 'string' || !JOB_ID.test(json.id))
    throw unreadable(true);
  const count = (value: unknown) => (typeof value === 'number' && Number.isSafeInteger(value) ? value : 0);
  return {
    id: json.id,
    state,
    processed: count(json.numberRecordsProcessed),
    failed: count(json.numberRecordsFailed),
    error: typeof json.errorMessage === 'string' ? oneLine(json.errorMessage) : undefined,
  };
}

/** The answer's own columns begin with `sf__`; what is left are the values that were sent. */
function toRow(row: Readonly<Record<string, string>>, which: keyof typeof FILES): BulkRow {
  const { sf__Id: id = '', sf__Created: created, sf__Error: error, ...values } = row;
  if (which === 'successful' && created === undefined) throw unreadable(false);
  if (which === 'failed' && error === undefined) throw unreadable(false);
  return {
    values,
    id: receivedId(id),
    isCreated: created === 'true',
    failure: error === undefined ? undefined : toRefusal({ status: 200, body: [toSaid(error)] }),
  };
}

/** `CODE:message:FIELDS --`; the message holds colons of its own. */
function toSaid(error: string) {
  const first = error.indexOf(':');
  const last = error.lastIndexOf(':');
  if (first === -1) return { statusCode: 'UNKNOWN_EXCEPTION', message: error, fields: [] };
  const fields = error.slice(last + 1).replace(/\s*--\s*$/, '');
  return {
    statusCode: error.slice(0, first),
    message: error.slice(first + 1, Math.max(last, first + 1)),
    fields: fields.split(',').flatMap((name) => name.trim() || []),
  };
}

const JOB_ID = /^750[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?$/;

/** It stands in a path. */
function jobId(id: string): string {
  if (JOB_ID.test(id)) return id;
  throw new TypeError('This is not the id of a bulk job.');
}

function notDone({ state, error }: BulkStatus): UpstreamError {
  return new UpstreamError('salesforce_error', `Salesforce did not finish the query job: ${state}.`, {
    next: 'Try again; if it stays so, tell the operator.',
    outcome: 'refused',
    retryable: true,
    ...(error === undefined ? {} : { salesforce: { code: error.split(/\s*:/)[0] ?? '', fields: [], quote: error } }),
  });
}
