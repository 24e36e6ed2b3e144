import { GatehouseError } from '../../domain/errors.ts';
import { isRecord, recordsIn } from '../../domain/is-record.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { receivedId, toId18 } from '../../domain/salesforce-id.ts';
import type { CollectionPart, CompositeAnswer, CompositeRequest, Org, RowOutcome } from '../../ports/salesforce.ts';
import type { RequestPipeline } from '../request.ts';
import { failureOf, saidIn, unreadable } from '../transport/failures.ts';
import { toRefusal } from '../transport/refusals.ts';
import { UpstreamError } from '../transport/upstream-error.ts';
import { objectName } from './find.ts';

/** Many at once in one API call: composite (25 parts), or five collections of 200 records. */
export interface Batches {
  readonly composite: Org['composite'];
  readonly collections: Org['collections'];
  /** GETs in one composite; the bodies in order, or the first failure thrown. */
  reads(
    parts: readonly { readonly path: string; readonly headers?: Readonly<Record<string, string>> }[],
  ): Promise<readonly unknown[]>;
}

/** `isOf` is false of an Id that cannot be one of the object. */
export function createBatches(
  pipeline: RequestPipeline,
  base: string,
  isOf: (object: string, id: string) => boolean,
): Batches {
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

  return {
    composite,
    reads,
    collections: {
      async send(parts, { allowDuplicates = false } = {}) {
        if (parts.length > 5) throw new TypeError('A composite holds at most five collections.');
        const headers: Record<string, string> = allowDuplicates ? ALLOW_DUPLICATES : {};
        const answers = await composite(parts.map((part, at) => ({ ...toRequest(part, `w${at}`), headers })));
        return parts.map((part, at) => toOutcomes(part, answers[at], isOf));
      },
    },
  };
}

const ALLOW_DUPLICATES = { 'Sforce-Duplicate-Rule-Header': 'allowSave=true' };

function toRequest({ method, object, keyField, rows }: CollectionPart, id: string): CompositeRequest {
  if (rows.length === 0 || rows.length > 200) throw new TypeError('A collection holds one to 200 records.');
  const path = '/composite/sobjects';
  if (method === 'delete') {
    const ids = rows.map((row) => verified(row.id)).join(',');
    return { method: 'DELETE', id, path: `${path}?ids=${ids}&allOrNone=false` };
  }
  const records = rows.map((row) => ({
    attributes: { type: objectName(object) },
    ...(method === 'update' ? { id: verified(row.id) } : {}),
    ...(method === 'upsert' && keyField ? { [keyField]: row.id } : {}),
    ...row.fields,
  }));
  const body = { allOrNone: false, records };
  if (method === 'create') return { method: 'POST', id, path, body };
  if (method === 'update') return { method: 'PATCH', id, path, body };
  return { method: 'PATCH', id, path: `${path}/${objectName(object)}/${objectName(keyField ?? '')}`, body };
}

function toOutcomes(
  { method, object, rows }: CollectionPart,
  answer: CompositeAnswer | undefined,
  isOf: (object: string, id: string) => boolean,
): readonly RowOutcome[] | Refusal {
  const { status = 500, body = [] } = answer ?? {};
  if (status >= 300 || !Array.isArray(body)) return toRefusal({ status, body });
  const isNew = method === 'create' || method === 'upsert';
  const ids = new Set<string>();
  return rows.map(({ id: asked }, at): RowOutcome => {
    const row: unknown = body[at];
    if (!isRecord(row) || row.success !== true)
      return {
        id: asked,
        isCreated: false,
        failure: toRefusal({ status: 200, body: isRecord(row) ? row.errors : [] }),
      };
    const said = typeof row.id === 'string' ? row.id : isNew ? '' : asked;
    const id = receivedId(said) ?? '';
    // Of which record it speaks nobody knows: nothing of the answer is believed, and the next look finds what was made.
    if (isNew ? ids.has(id) || id === '' || !isOf(object, id) : id !== receivedId(asked)) throw unreadable(true);
    ids.add(id);
    return { id, isCreated: method === 'create' || row.created === true, failure: undefined };
  });
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
