/** `/query`, `/queryAll`, their further pages, `explain`, and the two searches. */
import { firstPage, nextPage } from '../query/page.ts';
import { planQuery } from '../query/run.ts';
import { search } from '../query/search.ts';
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
  if (isParameterized && call.method === 'POST') {
    const { q, sobjects } = jsonBody(call);
    const objects = Array.isArray(sobjects) ? sobjects.map((entry) => String(entry?.name)) : [];
    return ok({ searchRecords: search(askingOf(call), String(q ?? ''), objects) });
  }
  if (call.method !== 'GET') throw methodNotAllowed(call.method, isParameterized ? 'GET,POST' : 'GET');
  const q = call.query.get('q') ?? '';
  if (isParameterized) {
    return ok({ searchRecords: search(askingOf(call), q, call.query.getAll('sobject')) });
  }
  const sosl = /^\s*FIND\s*\{([^}]*)\}(?:\s+IN\s+\w+\s+FIELDS)?(?:\s+RETURNING\s+([\s\S]*))?$/i.exec(q);
  if (!sosl) throw refuse(400, 'MALFORMED_SEARCH', `No search term found. The search term must be enclosed in braces.`);
  const objects = (sosl[2] ?? '')
    .replace(/\([^)]*\)/g, '')
    .split(',')
    .map((name) => name.trim().split(/\s/)[0] ?? '')
    .filter(Boolean);
  return ok({ searchRecords: search(askingOf(call), sosl[1] ?? '', objects) });
}
