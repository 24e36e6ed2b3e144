import type { FieldValue, Invocation } from '../../domain/action.ts';
import { isRecord, recordsIn } from '../../domain/is-record.ts';
import type { Org } from '../../ports/salesforce.ts';
import type { OrgRequest, RequestPipeline } from '../request.ts';
import { failureOf, saidIn, unreadable } from '../transport/failures.ts';
import type { Answer } from '../transport/http.ts';
import { objectName } from './find.ts';

/** Code of the org: Apex REST, flows, and events for whoever listens. */
export function createInvoke(pipeline: RequestPipeline, base: string): Pick<Org, 'invoke' | 'flow'> {
  return {
    async invoke(call, key) {
      const answer = await pipeline.send({ ...requestOf(call, base), headers: { 'idempotency-key': key } });
      if (call.kind === 'publish') return published(answer);
      if (call.kind === 'flow') return ran(answer);
      return { ok: answer.status < 300, status: answer.status, body: answer.json ?? answer.text.slice(0, MOST_TEXT) };
    },
    async flow(name) {
      const { json } = await pipeline.send({ path: `${base}/actions/custom/flow/${objectName(name)}`, isRead: true });
      return {
        inputs: recordsIn(isRecord(json) ? json.inputs : []).flatMap(({ name: input, type, required }) =>
          typeof input === 'string' ? [{ name: input, type: String(type ?? ''), required: required === true }] : [],
        ),
      };
    },
  };
}

const MOST_TEXT = 8_000;

function requestOf(call: Invocation, base: string): OrgRequest {
  switch (call.kind) {
    case 'apex-rest': {
      const { method, path, query, body } = call;
      const asked = new URLSearchParams(query).toString();
      const isSent = body !== undefined && method !== 'GET' && method !== 'DELETE';
      return { method, path: asked === '' ? path : `${path}?${asked}`, ...(isSent ? { body } : {}) };
    }
    case 'flow':
      return {
        method: 'POST',
        path: `${base}/actions/custom/flow/${objectName(call.flow)}`,
        body: { inputs: [withoutNulls(call.inputs)] },
      };
    case 'publish':
      return { method: 'POST', path: `${base}/sobjects/${objectName(call.object)}`, body: call.fields };
  }
}

function withoutNulls(inputs: Readonly<Record<string, FieldValue>>) {
  return Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== null));
}

/** That it is queued is Salesforce's to say. */
function published({ status, json }: Answer) {
  if (!isRecord(json) || typeof json.success !== 'boolean') throw unreadable(true);
  if (!json.success) throw failureOf(saidIn({ json: json.errors ?? [], text: '' }), status, false);
  return { ok: true, status, body: undefined };
}

function ran({ status, json }: Answer) {
  const [first] = recordsIn(json);
  if (first?.isSuccess !== true) throw unreadable(true);
  return { ok: true, status, body: first.outputValues };
}
