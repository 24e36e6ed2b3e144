/** `/query`, `/queryAll`, their further pages, `explain`, and the two searches. */
import { firstPage, nextPage } from '../query/page.ts';
import type { Asking } from '../query/run.ts';
import { planQuery } from '../query/run.ts';
import { type Found, search } from '../query/search.ts';
import { parseSosl, plainWords, type Returning } from '../query/sosl.ts';
import { methodNotAllowed, refuse } from '../refusal.ts';
import { askingOf, type Call, jsonBody, ok, type Reply } from './call.ts';

export function queryRoute(call: Call): Reply {
  if (call.method !== 'GET' && call.method !== 'HEAD') throw methodNotAllowed(call.method, 'HEAD,GET');
  const [resource, cursor] = call.path;
  const asking = askingOf(call);
  if (cursor !== undefined) return ok(nextPage(asking, cursor));
  const explained = call.query.get('explain');
  if (explained !== null) return ok(explain(call, explained));
  const soql = call.query.get('q');
  if (soql === null) throw refuse(400, 'MALFORMED_QUERY', 'A query string has to be specified');
  const size = /batchSize=(\d+)/.exec(call.headers.get('sforce-query-options') ?? '')?.[1];
  return ok(
    firstPage(asking, soql, resource?.toLowerCase() === 'queryall', size === undefined ? undefined : Number(size)),
  );
}

function explain(call: Call, soql: string): unknown {
  const { object, candidates, tableSize } = planQuery(askingOf(call), soql);
  const isIndexed = candidates !== undefined;
  const plan = {
    cardinality: candidates ?? tableSize,
    fields: [],
    leadingOperationType: isIndexed ? 'Index' : 'TableScan',
    notes: [],
    relativeCost: tableSize === 0 ? 0 : (candidates ?? tableSize) / tableSize,
    sobjectCardinality: tableSize,
    sobjectType: object,
  };
  return { plans: [plan], sourceQuery: soql };
}

export function searchRoute(call: Call): Reply {
  const isParameterized = call.path[0]?.toLowerCase() === 'parameterizedsearch';
  const asking = askingOf(call);
  if (isParameterized && call.method === 'POST') {
    const { q, sobjects } = jsonBody(call);
    const objects = Array.isArray(sobjects) ? sobjects.map((entry) => String(entry?.name)) : [];
    return ok({ searchRecords: search(asking, plainWords(String(q ?? '')), objects) });
  }
  if (call.method !== 'GET') throw methodNotAllowed(call.method, isParameterized ? 'GET,POST' : 'GET');
  const q = call.query.get('q') ?? '';
  if (isParameterized) {
    return ok({ searchRecords: search(asking, plainWords(q), call.query.getAll('sobject')) });
  }
  const { text, scope, returning, limit } = parseSosl(q);
  const found = search(
    asking,
    text,
    returning.map(({ object }) => object),
    scope,
  );
  const records = returning.length === 0 ? found : returning.flatMap((one) => shown(asking, found, one));
  return ok({ searchRecords: records.slice(0, limit) });
}

/** What RETURNING asks of one object, as a query would show it. */
function shown(asking: Asking, found: readonly Found[], { object, fields, limit }: Returning): readonly unknown[] {
  const ids = found.filter(({ attributes }) => attributes.type.toLowerCase() === object.toLowerCase());
  if (ids.length === 0 || fields.length === 0) return ids.slice(0, limit);
  const list = ids.map(({ Id }) => `'${Id}'`).join(', ');
  const soql = `SELECT ${fields.join(', ')} FROM ${object} WHERE Id IN (${list}) LIMIT ${limit}`;
  return firstPage(asking, soql, false, undefined).records;
}
