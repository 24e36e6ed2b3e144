import type { Find, SObject } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { isRecord, recordsIn } from '../../domain/is-record.ts';
import { prefixesOf, receivedId, toId18 } from '../../domain/salesforce-id.ts';
import { fromSalesforceTime } from '../../domain/stored-value/times.ts';
import type { Org, QueryPage } from '../../ports/salesforce.ts';
import { clientName, type OrgRequest, type RequestPipeline } from '../request.ts';
import { failureOf, saidIn, unreadable } from '../transport/failures.ts';
import type { Health } from '../transport/health.ts';
import { SIMULATED, SIMULATED_ORIGIN } from '../transport/hosts.ts';
import type { Answer } from '../transport/http.ts';
import { toRefusal } from '../transport/refusals.ts';
import { createBatches } from './composite.ts';
import { checkFields } from './describe-check.ts';
import type { Describes } from './describes.ts';
import { fieldPath, objectName, toSoql } from './find.ts';
import { createGraph } from './graph.ts';
import { createInvoke } from './invoke.ts';
import { readRights } from './rights.ts';
import { toSosl } from './search.ts';

/** One org through one connection: the records of Salesforce as a port. Ids are verified, names checked and values encoded before they meet a path. */
export function createOrg(deps: {
  readonly pipeline: RequestPipeline;
  readonly apiVersion: string;
  readonly describes: Describes;
  readonly health: Health;
  readonly bulk: Org['bulk'];
  readonly simulatedPages?: (() => string) | undefined;
}): Org {
  const { pipeline, apiVersion, describes, health, simulatedPages } = deps;
  const { row } = pipeline;
  const base = `/services/data/${apiVersion}`;
  const isOf = (object: string, id: string) => id.startsWith(describes.prefix(row, object) ?? '');
  const batches = createBatches(pipeline, base, isOf);

  /** A field that Salesforce does not know means that our describe of its object is old. */
  async function ask(request: OrgRequest): Promise<Answer> {
    try {
      return await pipeline.send(request);
    } catch (error) {
      const said = error instanceof GatehouseError ? error.salesforce : undefined;
      if (said !== undefined && namesLostField(said.code, said.quote))
        await describes.expire(row, entityIn(said.quote) ?? objectIn(request.path));
      throw error;
    }
  }

  /** Long SOQL goes in a body: URLs are cut at 16 kB with their headers, and Salesforce advises 2 kB. */
  async function select(soql: string, options: { all?: boolean; pageSize?: number } = {}): Promise<unknown> {
    const path = `${base}/${options.all ? 'queryAll' : 'query'}?q=${encodeURIComponent(soql)}`;
    const headers: Record<string, string> =
      options.pageSize === undefined
        ? {}
        : { 'sforce-query-options': `batchSize=${Math.min(2000, Math.max(200, Math.floor(options.pageSize)))}` };
    if (path.length <= 2000) return (await ask({ path, headers })).json;
    const [body] = await batches.reads([{ path: path.slice(base.length), headers }]);
    return body;
  }

  async function find(object: string, what: Parameters<Org['find']>[1]): Promise<readonly SObject[]> {
    return rowsFrom(toPage(await select(toSoql(object, what))), what);
  }

  /** Salesforce decides how many rows a page has: the further ones are asked for until there are as many as were wanted. */
  async function rowsFrom(first: QueryPage, { fields, limit }: Find): Promise<readonly SObject[]> {
    const rows = [...first.records];
    for (let page = first; !page.done && page.next !== undefined && rows.length < limit; ) {
      page = await next(page.next);
      rows.push(...page.records);
    }
    return rows.slice(0, Math.max(1, Math.floor(limit))).map((row) => toSObject(row, fields));
  }

  async function next(path: string): Promise<QueryPage> {
    // It came from Salesforce, but may have travelled through a cursor.
    if (!/^\/services\/data\/v\d+\.\d+\/query(All)?\/[A-Za-z0-9]{15,18}-\d+$/.test(path)) {
      throw new GatehouseError('invalid_input', 'This is not a place in a result list.', {
        next: 'Start the query again from its first page.',
      });
    }
    return toPage((await ask({ path })).json);
  }

  /** `keyed` is where the record can be read by its external id. */
  async function created(answer: Answer, object: string, keyed?: string): Promise<{ id: string; created: boolean }> {
    const { json } = answer;
    if (isRecord(json) && json.success === false)
      throw failureOf(saidIn({ json: json.errors ?? [], text: '' }), answer.status, false);
    const isMade = isRecord(json) && (json.created === undefined ? answer.status === 201 : json.created === true);
    // It came from the org that made the record: to doubt its check part would make a second one.
    if (isRecord(json) && typeof json.id === 'string' && isOf(object, json.id))
      return { id: receivedId(json.id) ?? json.id, created: isMade };
    // Before version 46 an upsert that updates answers nothing at all. The Id of another object's record is no answer: it is
    // read what was made, and never sent again for it.
    const isAsked = keyed !== undefined && (answer.status === 204 || (isRecord(json) && typeof json.id === 'string'));
    const found = isAsked ? (await ask({ path: `${keyed}?fields=Id` }).catch(() => undefined))?.json : undefined;
    if (isRecord(found) && typeof found.Id === 'string' && isOf(object, found.Id))
      return { id: receivedId(found.Id) ?? found.Id, created: isMade };
    throw unreadable(true);
  }

  function recordPath(object: string, id: string): string {
    return `${base}/sobjects/${objectName(object)}/${verified(id, object)}`;
  }

  function keyPath(object: string, key: { readonly field: string; readonly value: string }): string {
    return `${base}/sobjects/${objectName(object)}/${objectName(key.field)}/${segment(key.value)}`;
  }

  const org: Org = {
    instanceUrl: row.instanceUrl === SIMULATED ? SIMULATED_ORIGIN : row.instanceUrl,
    orgId: row.orgId,
    userId: row.userId,
    connectionId: row.id,
    clientName: clientName(row),
    environment: row.environment,
    describe: (object, options) => describes.get(pipeline, base, object, options),
    async check(object, operation, fields, inputNames, mustBeListed, mayName) {
      return checkFields(
        await describes.get(pipeline, base, object),
        operation,
        fields,
        inputNames,
        mustBeListed,
        mayName,
      );
    },
    async get(object, id, fields) {
      const names = [...new Set(['Id', ...fields.map(fieldPath)])];
      if (names.some((name) => name.includes('.'))) {
        // Parents come by query only.
        const [record] = await find(object, {
          fields: names,
          where: [{ field: 'Id', is: verified(id, object) }],
          limit: 1,
        });
        if (record) return record;
        throw new GatehouseError('not_found', 'There is no such record, or the connected user may not see it.', {
          next: 'Check the Id, or look the record up by name.',
        });
      }
      return toSObject((await ask({ path: `${recordPath(object, id)}?fields=${names.join(',')}` })).json, names);
    },
    find,
    async search(what) {
      const { json } = await ask({ path: `${base}/search?q=${encodeURIComponent(toSosl(what))}` });
      if (!isRecord(json) || !Array.isArray(json.searchRecords)) throw unreadable(false);
      const rows = recordsIn(json.searchRecords).map((row) => {
        const type = isRecord(row.attributes) ? String(row.attributes.type).toLowerCase() : '';
        const place = what.places.find(({ object }) => object.toLowerCase() === type);
        // What was not asked for is nobody's to tell on.
        return place === undefined ? [] : [{ object: place.object, record: toSObject(row, place.fields) }];
      });
      return rows.flat();
    },
    async findAll(finds) {
      const [only] = finds;
      if (finds.length <= 1) return only ? [await find(only.object, only.find)] : [];
      if (finds.length > 5) throw new TypeError('At most five finds fit one request.');
      const pages = await batches.reads(
        finds.map((one) => ({ path: `/query?q=${encodeURIComponent(toSoql(one.object, one.find))}` })),
      );
      // One page for each, in their order.
      return Promise.all(finds.map(({ find: what }, at) => rowsFrom(toPage(pages[at]), what)));
    },
    async create(object, fields, { allowDuplicates, mark } = {}) {
      const headers = allowDuplicates ? ALLOW_DUPLICATES : {};
      const path = mark ? keyPath(object, mark) : `${base}/sobjects/${objectName(object)}`;
      const answer = await ask({ method: mark ? 'PATCH' : 'POST', path, headers, body: fields });
      return created(answer, object, mark && path);
    },
    async patch(object, id, fields, unmodifiedSince, { allowDuplicates } = {}) {
      const headers = {
        ...(unmodifiedSince === undefined ? {} : { 'if-unmodified-since': httpDate(unmodifiedSince) }),
        ...(allowDuplicates ? ALLOW_DUPLICATES : {}),
      };
      mustBeDone(await ask({ method: 'PATCH', path: recordPath(object, id), headers, body: fields }), id);
    },
    async upsert(object, key, fields) {
      const path = keyPath(object, key);
      return created(await ask({ method: 'PATCH', path, body: fields }), object, path);
    },
    async remove(object, id) {
      mustBeDone(await ask({ method: 'DELETE', path: recordPath(object, id) }), id);
    },
    ...createInvoke(pipeline, base),
    query: async (soql, options) => toPage(await select(soql, options)),
    queryNext: next,
    async composite(requests) {
      const answers = await batches.composite(requests);
      for (const [at, answer] of answers.entries()) {
        const [said] = recordsIn(answer.body);
        const message = String(said?.message ?? '');
        if (namesLostField(String(said?.errorCode), message))
          await describes.expire(row, entityIn(message) ?? objectIn(requests[at]?.path ?? ''));
      }
      return answers;
    },
    graph: createGraph({ base, ask, recordPath, keyPath, isOf, httpDate }),
    collections: batches.collections,
    bulk: deps.bulk,
    async picklists(object, recordTypeId) {
      const path = `${base}/ui-api/object-info/${objectName(object)}/picklist-values/${verified(recordTypeId)}`;
      const { json } = await ask({ path });
      const fields = isRecord(json) && isRecord(json.picklistFieldValues) ? json.picklistFieldValues : {};
      return Object.fromEntries(
        Object.entries(fields).map(([name, field]) => [
          name,
          recordsIn(isRecord(field) ? field.values : []).flatMap(({ value }) =>
            typeof value === 'string' ? [value] : [],
          ),
        ]),
      );
    },
    async limits() {
      const { json } = await ask({ path: `${base}/limits` });
      return Object.fromEntries(
        Object.entries(isRecord(json) ? json : {}).flatMap(([name, limit]) =>
          isRecord(limit) && typeof limit.Max === 'number' && typeof limit.Remaining === 'number'
            ? [[name, { max: limit.Max, remaining: limit.Remaining }]]
            : [],
        ),
      );
    },
    async explain(soql) {
      const { json } = await ask({ path: `${base}/query?explain=${encodeURIComponent(soql)}` });
      return recordsIn(isRecord(json) ? json.plans : []).map((plan) => ({
        cardinality: Number(plan.cardinality ?? 0),
        leadingOperationType: String(plan.leadingOperationType ?? ''),
        sobjectType: String(plan.sobjectType ?? ''),
      }));
    },
    async rights() {
      const { json } = await ask({ path: `${base}/sobjects` });
      return readRights(json, row.userId, async (soql) => toPage(await select(soql)).records);
    },
    async identity() {
      const { json } = await ask({ path: `/id/${row.orgId}/${row.userId}` });
      return isRecord(json) ? json : {};
    },
    refusal: toRefusal,
    clock: () => health.clock(row),
    async hearClock() {
      if (!health.hasClock(row)) await org.identity();
    },
    recordUrl: (id) => `${(row.instanceUrl === SIMULATED ? simulatedPages?.() : undefined) ?? org.instanceUrl}/${id}`,
    async jsforce() {
      const { rideOn } = await import('../jsforce.ts');
      return rideOn(pipeline, apiVersion, org.instanceUrl);
    },
  };
  return org;
}

/** Past a duplicate rule that only warns; one that blocks still blocks. */
const ALLOW_DUPLICATES = { 'sforce-duplicate-rule-header': 'allowSave=true' };

/** 204, or JSON that says so of this record: a 2xx alone is no proof, and what was made anew is another's answer. */
function mustBeDone({ status, json }: Answer, id: string): void {
  if (isRecord(json) && json.success === false)
    throw failureOf(saidIn({ json: json.errors ?? [], text: '' }), status, false);
  const isOurs =
    isRecord(json) && json.success === true && json.created !== true && receivedId(String(json.id)) === receivedId(id);
  if (status !== 204 && !isOurs) throw unreadable(true);
}

function toPage(json: unknown): QueryPage {
  // A row that is none, or a list that goes on nowhere, would be read as "there is nothing": and something would be made twice.
  if (!isRecord(json) || !Array.isArray(json.records) || json.records.length > MOST_ROWS) throw unreadable(false);
  if (!json.records.every((row) => isRecord(row) && Object.keys(row).length <= MOST_NAMES)) throw unreadable(false);
  if (json.done === false && typeof json.nextRecordsUrl !== 'string') throw unreadable(false);
  return {
    total: typeof json.totalSize === 'number' ? json.totalSize : json.records.length,
    done: json.done !== false,
    next: typeof json.nextRecordsUrl === 'string' ? json.nextRecordsUrl : undefined,
    records: json.records,
  };
}

/** Only what was asked for: whatever else an answer holds is nobody's to tell on. */
function toSObject(json: unknown, asked: readonly string[]): SObject {
  const record = isRecord(json) ? withoutAttributes(onlyAsked(json, ['Id', ...asked])) : {};
  if (!isRecord(record) || typeof record.Id !== 'string') throw unreadable(false);
  return { ...record, Id: receivedId(record.Id) ?? record.Id };
}

function onlyAsked(record: Readonly<Record<string, unknown>>, asked: readonly string[]): Record<string, unknown> {
  const names = Object.keys(record);
  if (names.length > MOST_NAMES) throw unreadable(false);
  const spelled = new Map(names.map((name) => [name.toLowerCase(), name]));
  const parts = new Map<string, string[]>();
  for (const path of asked) {
    const [first = '', ...rest] = path.split('.');
    const name = spelled.get(first.toLowerCase());
    if (name !== undefined) parts.set(name, [...(parts.get(name) ?? []), ...(rest.length > 0 ? [rest.join('.')] : [])]);
  }
  return Object.fromEntries(
    [...parts].map(([name, inner]) => {
      const value = record[name];
      return [name, inner.length > 0 && isRecord(value) ? onlyAsked(value, inner) : value];
    }),
  );
}

/** Salesforce's own page size; and more fields than any object has. */
const MOST_ROWS = 2_000;
const MOST_NAMES = 2_000;

/** `attributes` is Salesforce's own label on every record, parents and children included. */
function withoutAttributes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAttributes);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      key === 'attributes' && isRecord(inner) ? [] : [[key, withoutAttributes(inner)]],
    ),
  );
}

function verified(id: string, object?: string): string {
  const verdict = toId18(id, object === undefined ? undefined : prefixesOf(object));
  if ('id' in verdict) return verdict.id;
  throw new GatehouseError('invalid_input', `The Id ${verdict.problem}.`, {
    next: 'Use the Id exactly as Salesforce shows it, or look the record up by name.',
    fields: [{ name: 'id', problem: verdict.problem }],
  });
}

/** One value as one path segment. `.` and `..` would be read as steps, even encoded. */
function segment(value: string): string {
  if (value !== '' && value !== '.' && value !== '..' && !/\p{Cs}/u.test(value)) return encodeURIComponent(value);
  throw new GatehouseError('invalid_input', 'This value cannot be used as a key.', {
    next: 'Use the value of the key field as the record holds it.',
  });
}

function httpDate(text: string): string {
  const ms = fromSalesforceTime(text);
  if (!Number.isNaN(ms)) return new Date(ms).toUTCString();
  throw new GatehouseError('invalid_input', 'The time of the last change cannot be read.', {
    next: 'Read the record again with LastModifiedDate.',
  });
}

/** "No such column 'X__c' on entity 'Opportunity'": that describe is old, the others are not. */
function entityIn(message: string | undefined): string | undefined {
  return /\bon (?:entity|sobject of type) '?(\w{1,80})/i.exec(message ?? '')?.[1];
}

/** The object that a request is about, by its address. */
function objectIn(path: string): string | undefined {
  return /\/sobjects\/(\w{1,80})/.exec(path)?.[1] ?? /[?&]q=.*?(?:%20|\+)FROM(?:%20|\+)(\w{1,80})/i.exec(path)?.[1];
}

/** What we remember of the org's fields is old: a field, its object or the right to it is gone since. */
function namesLostField(code: string, message: string): boolean {
  if (code === 'NOT_FOUND') return /external ID field does not exist/i.test(message);
  return ['INVALID_FIELD', 'INVALID_TYPE', 'INVALID_FIELD_FOR_INSERT_UPDATE'].includes(code);
}
