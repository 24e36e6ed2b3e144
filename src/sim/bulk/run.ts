/** Works jobs off by the org's clock: each look does what would have been done by now. */

import type { BulkJob } from '../facts.ts';
import { parseId } from '../ids.ts';
import type { Org } from '../org.ts';
import { noteChange } from '../outbound/queue.ts';
import { toStored } from '../records/values.ts';
import type { Body } from '../records/writer.ts';
import { createRecord, deleteRecord, updateRecord } from '../records/writer.ts';
import type { Writer } from '../records/writer-form.ts';
import { Refusal, refuse, refuseWrite } from '../refusal.ts';
import { sightOf } from '../rest/data-api.ts';
import { matchesOf, upsert } from '../rest/rows.ts';
import { fieldOf, type ObjectType } from '../schema/object.ts';
import { indexKey } from '../table.ts';
import { delimiters, quoted, readRow } from './csv.ts';
import { changeTroubles, forgetOldJobs, saveJob, troublesOf } from './jobs.ts';

/** Rows of one batch inside; the day's allowance counts batches. */
const batchRows = 10_000;

/** `told` hears under which origin the changes of a job were made, before the next job makes its own. */
export function runJobs(org: Org, told: (origin: string) => void): void {
  const open = org.facts('bulkJob').filter(({ state }) => state === 'UploadComplete' || state === 'InProgress');
  if (open.length > 0) {
    for (const job of open) {
      runJob(org, job);
      told(`com/salesforce/api/bulkapi/${job.version.slice(1)}${job.client === null ? '' : `;client=${job.client}`}`);
    }
    if (troublesOf(org).isHurried) changeTroubles(org, { isHurried: false });
  }
  if (org.facts('bulkJob').length > 0) forgetOldJobs(org);
}

function runJob(org: Org, job: BulkJob): void {
  const { bulkQueueMs, bulkRowsPerSecond, bulkBatches } = org.settings;
  const { isHurried, batches } = troublesOf(org);
  const runsFor = org.now() - job.startedAt - bulkQueueMs;
  if (!isHurried && runsFor < 0) return;
  const due = isHurried ? Number.POSITIVE_INFINITY : Math.floor((Math.max(runsFor, 1) * bulkRowsPerSecond) / 1000);
  if (job.type === 'V2Query') {
    const rows = org.fact('bulkIds', job.id)?.ids.length ?? 0;
    if (rows <= due) saveJob(org, job, { state: 'JobComplete', processed: rows });
    else saveJob(org, job, { state: 'InProgress', processed: due });
    return;
  }
  if (job.state === 'UploadComplete' && batches >= bulkBatches) {
    const error = `ExceededQuota : Batches for the last 24 hours: ${batches}, limit ${bulkBatches}`;
    saveJob(org, job, { state: 'Failed', error });
    return;
  }
  const run = new IngestRun(org, job);
  saveJob(org, job, run.work(due));
  const made = Math.ceil((run.processed - job.processed) / batchRows);
  changeTroubles(org, { batches: troublesOf(org).batches + made });
}

class IngestRun {
  readonly #org: Org;
  readonly #job: BulkJob;
  readonly #text: string;
  readonly #delimiter: string;
  readonly #writer: Writer;
  readonly #successful: string[] = [];
  readonly #failed: string[] = [];
  processed: number;

  constructor(org: Org, job: BulkJob) {
    this.#org = org;
    this.#job = job;
    this.#text = org.fact('bulkUpload', job.id) ?? '';
    this.#delimiter = delimiters[job.columnDelimiter] ?? ',';
    this.processed = job.processed;
    this.#writer = {
      org,
      schema: sightOf(org, job.createdById),
      userId: job.createdById,
      version: job.version,
      allowsDuplicates: false,
      meetsLock: false,
      afterSave: (object, row) => noteChange(org, object, row),
    };
  }

  work(due: number): Partial<BulkJob> {
    const { key, operation } = this.#job;
    const object = this.#writer.schema.object(this.#job.object);
    const header = readRow(this.#text, 0, this.#delimiter);
    if (header === undefined) return { state: 'JobComplete' };
    if (header === 'broken' || !object) return { state: 'Failed', error: 'ClientInputError : Failed to parse CSV' };
    const wrongEnd = this.#lineEndingFault(header.end);
    if (wrongEnd) return { state: 'Failed', error: wrongEnd };
    const columns = header.cells.map((name) => columnOf(object, name));
    const unknown = header.cells.find((_, at) => columns[at] === undefined);
    const needed = key ?? (operation === 'insert' ? undefined : 'Id');
    const isThere = needed === undefined || header.cells.some((name) => name.toLowerCase() === needed.toLowerCase());
    if (unknown !== undefined || !isThere)
      return { state: 'Failed', error: `InvalidBatch : Field name not found : ${unknown ?? needed}` };
    const outcome = this.#rows(object, header.cells, Math.max(this.#job.at, header.end), due);
    const count = (this.#org.facts('bulkDone').filter(({ job }) => job === this.#job.id).length + 1).toString();
    if (this.#successful.length + this.#failed.length > 0)
      this.#org.keep('bulkDone', `${this.#job.id}/${count.padStart(8, '0')}`, {
        job: this.#job.id,
        successful: this.#successful,
        failed: this.#failed,
      });
    return { ...outcome, processed: this.processed, failed: this.#job.failed + this.#failed.length };
  }

  #rows(object: ObjectType, header: readonly string[], from: number, due: number): Partial<BulkJob> {
    const { failAfter, failWith } = troublesOf(this.#org);
    const seen = new Set<string>();
    for (let at = from; ; ) {
      const row = readRow(this.#text, at, this.#delimiter);
      if (row === undefined) return { state: 'JobComplete', at };
      // What Salesforce says of it was not recorded; the rows before stay done.
      if (row === 'broken' || row.cells.length !== header.length)
        return { state: 'Failed', error: 'ClientInputError : Failed to parse CSV', at };
      if (failAfter !== null && this.processed >= failAfter) {
        changeTroubles(this.#org, { failAfter: null });
        return { state: 'Failed', error: failWith, at };
      }
      if (this.processed >= due) return { state: 'InProgress', at };
      this.#row(object, header, row.cells, seen);
      this.processed++;
      at = row.end;
    }
  }

  #row(object: ObjectType, header: readonly string[], cells: readonly string[], seen: Set<string>): void {
    const mark = this.#org.mark();
    const said = cells.map(quoted).join(this.#delimiter);
    const { locks } = troublesOf(this.#org);
    try {
      if (locks > 0) {
        changeTroubles(this.#org, { locks: locks - 1 });
        throw refuseWrite('UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record or 1 records');
      }
      const { id, isCreated } = this.#write(object, header, cells, seen);
      this.#successful.push([quoted(id), quoted(String(isCreated)), said].join(this.#delimiter));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // A lock has changed nothing but the count of locks.
      if (locks === 0) this.#org.rollback(mark);
      const id = this.#job.operation === 'update' ? (cells[header.findIndex((name) => /^id$/i.test(name))] ?? '') : '';
      this.#failed.push([quoted(id), quoted(asError(error)), said].join(this.#delimiter));
    }
  }

  #write(object: ObjectType, header: readonly string[], cells: readonly string[], seen: Set<string>) {
    const { operation, key } = this.#job;
    const body: Record<string, unknown> = {};
    let given = '';
    const keyName = (key ?? 'Id').toLowerCase();
    for (const [at, name] of header.entries()) {
      const cell = cells[at] ?? '';
      if (name.toLowerCase() === keyName) given = cell;
      // Empty means untouched.
      else if (cell !== '') addCell(body, object, name, cell === '#N/A' ? null : cell, at);
    }
    if (operation === 'insert') return { id: createRecord(this.#writer, object, body), isCreated: true };
    if (given === '') throw refuseWrite('MISSING_ARGUMENT', `${key ?? 'Id'} not specified`);
    if (key === null) return { id: this.#byId(object, given, body), isCreated: false };
    const field = fieldOf(object, key);
    if (!field) throw refuse(400, 'INVALID_FIELD', `No such column '${key}'`);
    const folded = indexKey(field, toStored(field, given));
    if (seen.has(folded)) throw refuseWrite('DUPLICATE_VALUE', `Duplicate external id specified: ${given}`, [key]);
    seen.add(folded);
    const call = { org: this.#org, writer: this.#writer };
    if (matchesOf(call, object, field, given).length > 1)
      throw refuseWrite('DUPLICATE_EXTERNAL_ID', `${key}: more than one record found for external id field`);
    return upsert(call, object, field, given, body, false);
  }

  #byId(object: ObjectType, given: string, body: Body): string {
    const id = parseId(given);
    if (!id) throw refuseWrite('MALFORMED_ID', `${object.name} ID: id value of incorrect type: ${given}`, ['Id']);
    if (this.#job.operation === 'delete') deleteRecord(this.#writer, object, id);
    else updateRecord(this.#writer, object, id, body);
    return id;
  }

  /** Over the bytes: the whole job is refused, and nothing is written. */
  #lineEndingFault(headerEnd: number): string | undefined {
    const isCrlf = this.#text.slice(0, headerEnd).endsWith('\r\n');
    if (headerEnd > this.#text.length || isCrlf === (this.#job.lineEnding === 'CRLF')) return undefined;
    return `ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is ${this.#job.lineEnding}`;
  }
}

/** A field, or `Account.Ext__c`, `Lead:Who.Email`: a parent by one of its keys. */
function columnOf(object: ObjectType, name: string): string | undefined {
  const field = fieldOf(object, name);
  if (field) return field.name;
  const [, relationship = ''] = /^(?:\w+:)?(\w+)\.\w+$/.exec(name) ?? [];
  return object.byRelationship.has(relationship.toLowerCase()) ? name : undefined;
}

function addCell(
  body: Record<string, unknown>,
  object: ObjectType,
  name: string,
  value: string | null,
  at: number,
): void {
  const [, relationship, key = ''] = /^(?:\w+:)?(\w+)\.(\w+)$/.exec(name) ?? [];
  if (relationship !== undefined) {
    body[relationship] = value === null ? null : { [key]: value };
    return;
  }
  const field = fieldOf(object, name);
  try {
    if (field) toStored(field, value);
  } catch (error) {
    if (!(error instanceof Refusal) || error.faults[0]?.errorCode !== 'JSON_PARSER_ERROR') throw error;
    const type = /instance of (\w+)/.exec(error.message)?.[1];
    const message = `Failed to deserialize field at col ${at}. Due to, '${value}' is not a valid value for the type xsd:${type}`;
    throw refuseWrite('INVALID_FIELD', message, [name]);
  }
  body[name] = value;
}

/** `CODE:message:FIELDS --`, without fields `CODE:message:--`. */
function asError({ faults }: Refusal): string {
  const [first] = faults;
  const fields = first?.fields ?? [];
  return `${first?.errorCode}:${first?.message}:${fields.length > 0 ? `${fields.join(', ')} ` : ''}--`;
}
