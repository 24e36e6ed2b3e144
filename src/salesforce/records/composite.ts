import { GatehouseError } from '../../domain/errors.ts';
import { isRecord, recordsIn } from '../../domain/is-record.ts';
import { toId18 } from '../../domain/salesforce-id.ts';
import type { CollectionRecord, CompositeAnswer, CompositeRequest, Org, RowResult } from '../../ports/salesforce.ts';
import type { RequestPipeline } from '../request.ts';
import { failureOf, saidIn } from '../transport/failures.ts';
import { UpstreamError } from '../transport/upstream-error.ts';
import { objectName } from './find.ts';

/** Many at once in one API call: composite (25 parts) and collections (200 records). */
export interface Batches {
  readonly composite: Org['composite'];
  readonly collections: Org['collections'];
  /** GETs in one composite; the bodies in order, or the first failure thrown. */
  reads(
    parts: readonly { readonly path: string; readonly headers?: Readonly<Record<string, string>> }[],
  ): Promise<readonly unknown[]>;
}

export function createBatches(pipeline: RequestPipeline, base: string): Batches {
  async function composite(requests: readonly CompositeRequest[]): Promise<readonly CompositeAnswer[]> {
    if (requests.length === 0) return [];
    if (requests.length > 25) throw new TypeError('A composite holds at most 25 requests.');
    const isRead = requests.every(({ method }) => method === 'GET');
    const { json } = await pipeline.send({
      method: 'POST',
      path: `${base}/composite`,
      isRead,
      body: {
        allOrNone: false,
        compositeRequest: requests.map(({ method, path, id, body, headers }) => ({
          method,
          url: base + partPath(path),
          referenceId: id,
          ...(body === undefined ? {} : { body }),
          ...(headers === undefined || Object.keys(headers).length === 0 ? {} : { httpHeaders: headers }),
        })),
      },
    });
    const parts = recordsIn(isRecord(json) ? json.compositeResponse : undefined);
    const answers = new Map(
      parts.map((part) => [String(part.referenceId), { status: Number(part.httpStatusCode), body: part.body }]),
    );
    return requests.map(({ id }) => {
      const answer = answers.get(id);
      if (!answer) throw missingPart(isRead);
      return { id, ...answer };
    });
  }

  async function reads(parts: Parameters<Batches['reads']>[0]): Promise<readonly unknown[]> {
    const answers = await composite(parts.map((part, index) => ({ method: 'GET', id: `r${index}`, ...part })));
    return answers.map(({ status, body }) => {
      if (status < 300) return body;
      throw failureOf(saidIn({ json: body, text: '' }), status, true);
    });
  }

  async function rows(
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    count: number,
    body?: unknown,
  ): Promise<readonly RowResult[]> {
    if (count === 0) return [];
    if (count > 200) throw new TypeError('A collection holds at most 200 records.');
    const { json } = await pipeline.send({
      method,
      path: `${base}/composite/sobjects${path}`,
      ...(body === undefined ? {} : { body }),
    });
    if (!Array.isArray(json) || json.length !== count) throw missingPart(false);
    return json.map(toRow);
  }

  return {
    composite,
    reads,
    collections: {
      create: (records) => rows('POST', '', records.length, { allOrNone: false, records: records.map(toRecord) }),
      update: (records) =>
        rows('PATCH', '', records.length, {
          allOrNone: false,
          records: records.map((record) => ({ ...toRecord(record), id: verified(record.id) })),
        }),
      upsert: (object, keyField, records) =>
        rows('PATCH', `/${objectName(object)}/${objectName(keyField)}`, records.length, {
          allOrNone: false,
          records: records.map(toRecord),
        }),
      remove: (ids) => rows('DELETE', `?ids=${ids.map(verified).join(',')}&allOrNone=false`, ids.length),
    },
  };
}

function toRecord({ object, fields }: CollectionRecord): Record<string, unknown> {
  return { attributes: { type: objectName(object) }, ...fields };
}

/** A failed item has no id and says `statusCode`, unlike everything else. */
function toRow(item: unknown): RowResult {
  const row = isRecord(item) ? item : {};
  return {
    id: typeof row.id === 'string' ? row.id : null,
    success: row.success === true,
    created: typeof row.created === 'boolean' ? row.created : null,
    errors: saidIn({ json: row.errors ?? [], text: '' }).map(({ code, message, fields }) => ({
      code,
      message,
      fields,
    })),
  };
}

function partPath(path: string): string {
  if (/^\/[\x21-\x7e]+$/.test(path) && !/(^|\/)\.{1,2}(\/|\?|$)|[\\#]/.test(path.split('?')[0] ?? '')) return path;
  throw new TypeError('A composite path must start with / and be encoded.');
}

function verified(id: string): string {
  const verdict = toId18(id);
  if ('id' in verdict) return verdict.id;
  throw new GatehouseError('invalid_input', `An Id ${verdict.problem}.`, {
    next: 'Use the Ids exactly as Salesforce shows them.',
  });
}

function missingPart(isRead: boolean): UpstreamError {
  return new UpstreamError('salesforce_error', 'Salesforce left out a part of its answer.', {
    next: 'Look at the records before you repeat the change.',
    outcome: isRead ? 'refused' : 'unknown',
  });
}
