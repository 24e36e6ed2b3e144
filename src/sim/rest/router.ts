/** Which part of the REST API a path below `/services/data/vXX.X/` belongs to. */

import { flowRoute } from '../apex/flow.ts';
import { ingestRoute } from '../bulk/ingest.ts';
import { queryJobRoute } from '../bulk/query.ts';
import { eventType, isPlatformEvent, publishEvent } from '../events/platform.ts';
import { parseId } from '../ids.ts';
import { isPermitted } from '../metadata/access.ts';
import { deployRequest } from '../metadata/deploy.ts';
import { toolingQuery } from '../metadata/tooling.ts';
import { methodNotAllowed, notFound, refuse } from '../refusal.ts';
import { type Call, objectNamed, ok, type Reply } from './call.ts';
import { collections } from './collections.ts';
import { batch, composite, graph } from './composite.ts';
import { describeGlobal, describeObject, picklistsOf } from './describe.ts';
import { limits, recordCounts } from './limits.ts';
import { queryRoute, searchRoute } from './queries.ts';
import { objectRoot, recordById, recordByKey } from './rows.ts';

export function route(call: Call): Reply {
  const [resource = '', second] = call.path;
  switch (resource.toLowerCase()) {
    case '':
      return ok(resources(call));
    case 'sobjects':
      return sobjects(call);
    case 'query':
    case 'queryall':
      return queryRoute(call);
    case 'search':
    case 'parameterizedsearch':
      return searchRoute(call);
    case 'limits':
      readOnly(call);
      if (second?.toLowerCase() === 'recordcount') {
        return ok(recordCounts(call.org, call.schema, (call.query.get('sObjects') ?? '').split(',')));
      }
      return ok(limits(call.org));
    case 'actions':
      return flowRoute(call);
    case 'composite':
      return compositeRoute(call, second);
    case 'metadata':
      if (call.isSubrequest) throw notFound();
      return deployRequest(call);
    case 'tooling':
      return toolingQuery(call);
    case 'ui-api':
      return picklists(call);
    case 'jobs':
      return jobs(call, second);
    default:
      throw notFound();
  }
}

function sobjects(call: Call): Reply {
  const [, name, second, third] = call.path;
  if (name === undefined) {
    readOnly(call);
    return unchangedSince(call) ?? ok(describeGlobal(call.version, call.schema), lastModified(call));
  }
  if (isPlatformEvent(name)) {
    if (second?.toLowerCase() !== 'describe') return publishEvent(call, name);
    readOnly(call);
    return ok(describeObject(call, eventType(name)), lastModified(call));
  }
  const object = objectNamed(call, name);
  if (object.name === 'PermissionSetAssignment' || object.name === 'PermissionSet') mayAssign(call);
  if (second === undefined) return objectRoot(call, object);
  if (third !== undefined) return recordByKey(call, object, second, call.path.slice(3).join('/'));
  if (second.toLowerCase() === 'describe') {
    readOnly(call);
    return unchangedSince(call) ?? ok(describeObject(call, object), lastModified(call));
  }
  return recordById(call, object, second);
}

function mayAssign({ method, org, userId }: Call): void {
  if (method === 'GET' || method === 'HEAD' || isPermitted(org, userId, ['AssignPermissionSets'])) return;
  throw refuse(403, 'INSUFFICIENT_ACCESS', 'insufficient access rights on cross-reference id');
}

function compositeRoute(call: Call, part: string | undefined): Reply {
  switch (part?.toLowerCase()) {
    case undefined:
      return composite(call, route);
    case 'sobjects':
      return collections(call);
    case 'batch':
      return batch(call, route);
    case 'graph':
      return graph(call, route);
    default:
      throw notFound();
  }
}

/** Not inside a composite. */
function jobs(call: Call, kind: string | undefined): Reply {
  if (!call.isSubrequest && kind === 'ingest') return ingestRoute(call);
  if (!call.isSubrequest && kind === 'query') return queryJobRoute(call);
  throw notFound();
}

function picklists(call: Call): Reply {
  readOnly(call);
  const [, info, name, values, recordTypeId, field] = call.path;
  if (info !== 'object-info' || values !== 'picklist-values' || !name || !recordTypeId) throw notFound();
  const found = picklistsOf(call.version, objectNamed(call, name), parseId(recordTypeId) ?? '', field);
  if (found === undefined) throw notFound();
  return ok(found);
}

function unchangedSince({ headers, org }: Call): Reply | undefined {
  const since = Date.parse(headers.get('if-modified-since') ?? '');
  return since >= Math.floor(org.settings.schemaChangedAt / 1000) * 1000 ? { status: 304 } : undefined;
}

function lastModified({ org }: Call): Record<string, string> {
  const at = Math.floor(org.settings.schemaChangedAt / 1000);
  return { 'Last-Modified': new Date(at * 1000).toUTCString(), ETag: `"${at.toString(16)}--gzip"` };
}

function readOnly({ method }: Call): void {
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(method, 'HEAD,GET');
}

function resources({ version, origin, userId, org }: Call): unknown {
  const names = [
    'composite',
    'jobs',
    'limits',
    'metadata',
    'parameterizedSearch',
    'query',
    'queryAll',
    'search',
    'sobjects',
    'ui-api',
  ];
  const [organization] = org.table('Organization').all();
  return {
    ...Object.fromEntries(names.map((name) => [name, `/services/data/${version}/${name}`])),
    identity: `${origin}/id/${organization?.Id}/${userId}`,
  };
}
