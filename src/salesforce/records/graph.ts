import { requireNoReference } from '../../domain/graph-reference.ts';
import { isRecord, recordsIn } from '../../domain/is-record.ts';
import { receivedId } from '../../domain/salesforce-id.ts';
import type { GraphNode, GraphOutcome } from '../../ports/salesforce.ts';
import type { OrgRequest } from '../request.ts';
import { CONSEQUENCES, failureOf, saidIn, unreadable } from '../transport/failures.ts';
import type { Answer } from '../transport/http.ts';
import { objectName } from './find.ts';

/** Composite Graph: records that lean on one another, each graph written whole or not at all. One API call for all of them. */

/** https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_graph_limits.htm */
const MOST_GRAPHS = 75;
const MOST_NODES = 500;

export interface GraphDeps {
  readonly base: string;
  readonly ask: (request: OrgRequest) => Promise<Answer>;
  readonly recordPath: (object: string, id: string) => string;
  readonly keyPath: (object: string, key: { readonly field: string; readonly value: string }) => string;
  /** False of an Id that cannot be one of the object. */
  readonly isOf: (object: string, id: string) => boolean;
  readonly httpDate: (text: string) => string;
}

export function createGraph(deps: GraphDeps) {
  return async function graph(graphs: readonly (readonly GraphNode[])[]): Promise<readonly GraphOutcome[]> {
    if (graphs.length === 0) return [];
    const nodes = graphs.reduce((sum, one) => sum + one.length, 0);
    if (graphs.length > MOST_GRAPHS || nodes > MOST_NODES || graphs.some((one) => one.length === 0))
      throw new TypeError(`A call holds at most ${MOST_GRAPHS} graphs with ${MOST_NODES} nodes, none of them empty.`);
    const { json } = await deps.ask({
      method: 'POST',
      path: `${deps.base}/composite/graph`,
      body: {
        graphs: graphs.map((one, at) => ({
          graphId: `g${at}`,
          compositeRequest: one.map((node, index) => toRequest(deps, node, one.slice(0, index))),
        })),
      },
    });
    const answers = new Map(
      recordsIn(isRecord(json) ? json.graphs : undefined).map((answer) => [answer.graphId, answer]),
    );
    return graphs.map((one, at) => toOutcome(deps, one, answers.get(`g${at}`)));
  };
}

function toRequest(deps: GraphDeps, node: GraphNode, before: readonly GraphNode[]): Record<string, unknown> {
  const { id, object, key, record, fields, allowDuplicates = false } = node;
  if (!/^[A-Za-z]\w{0,39}$/.test(id) || before.some((other) => other.id === id))
    throw new TypeError('A node needs a name of its own: letters, digits and underscores.');
  const headers = {
    ...(record === undefined ? {} : { 'If-Unmodified-Since': deps.httpDate(record.unmodifiedSince) }),
    ...(allowDuplicates ? { 'Sforce-Duplicate-Rule-Header': 'allowSave=true' } : {}),
  };
  const url = record
    ? deps.recordPath(object, record.id)
    : key
      ? deps.keyPath(object, key)
      : `${deps.base}/sobjects/${objectName(object)}`;
  const body = Object.fromEntries(
    Object.entries(fields).map(([field, value]) => {
      if (typeof value !== 'object' || value === null) {
        requireNoReference(field, value);
        return [objectName(field), value];
      }
      if (!before.some((other) => other.id === value.from)) throw new TypeError('A node refers to an earlier one.');
      return [objectName(field), `@{${value.from}.id}`];
    }),
  );
  return {
    method: record || key ? 'PATCH' : 'POST',
    url,
    referenceId: id,
    body,
    ...(Object.keys(headers).length === 0 ? {} : { httpHeaders: headers }),
  };
}

function toOutcome(
  { isOf }: GraphDeps,
  nodes: readonly GraphNode[],
  answer: Readonly<Record<string, unknown>> | undefined,
): GraphOutcome {
  const parts = recordsIn(isRecord(answer?.graphResponse) ? answer.graphResponse.compositeResponse : undefined);
  const partOf = ({ id }: GraphNode) => parts.find(({ referenceId }) => referenceId === id);
  if (answer?.isSuccessful === true)
    return {
      records: nodes.map((node) => {
        const { httpStatusCode: status, body } = partOf(node) ?? {};
        if (node.record && status === 204) return { id: node.record.id, isCreated: false };
        const id = isRecord(body) && body.success === true && typeof body.id === 'string' ? body.id : undefined;
        // Of which record it speaks nobody knows: nothing of the answer is believed, and the next look finds what was made.
        if (id === undefined || !isOf(node.object, id)) throw unreadable(true);
        return { id: receivedId(id) ?? id, isCreated: isRecord(body) && (body.created ?? status === 201) === true };
      }),
    };
  // Not said to have failed, it may have been done.
  if (answer?.isSuccessful !== false) throw unreadable(true);
  const refused = nodes.map((node) => {
    const { httpStatusCode, body } = partOf(node) ?? {};
    return { node: node.id, status: Number(httpStatusCode ?? 400), said: saidIn({ json: body, text: '' }) };
  });
  const isOwn = ({ said }: (typeof refused)[number]) => said.some(({ code }) => code !== '' && !CONSEQUENCES.has(code));
  // A graph has at least one node.
  const first = refused.find(isOwn) ?? refused[0]!;
  return { node: first.node, failure: failureOf(first.said, first.status, false) };
}
