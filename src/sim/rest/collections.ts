/** Up to 200 records in one call; the answer is 200 with one result per record, in order. */
import { parseId } from '../ids.ts';
import { showRecord } from '../records/reader.ts';
import { toStored } from '../records/values.ts';
import { createRecord, deleteRecord, updateRecord } from '../records/writer.ts';
import { type Fault, methodNotAllowed, Refusal, refuse, refuseWrite } from '../refusal.ts';
import { fieldOf, type ObjectType } from '../schema/object.ts';
import { indexKey } from '../table.ts';
import { type Call, isJsonObject, type JsonObject, jsonBody, objectNamed, ok, type Reply } from './call.ts';
import { keyField, matchesOf, upsert } from './rows.ts';

interface Result {
  readonly id?: string | undefined;
  readonly success: boolean;
  readonly errors: readonly unknown[];
  readonly created?: boolean | undefined;
}

const maxRecords = 200;

export function collections(call: Call): Reply {
  const [, , objectName, keyName] = call.path;
  if (objectName !== undefined) {
    const object = objectNamed(call, objectName);
    if (call.method === 'PATCH' && keyName !== undefined) return upsertAll(call, object, keyName);
    if (call.method === 'GET' || call.method === 'POST') return readAll(call, object);
    throw methodNotAllowed(call.method, 'HEAD,GET,POST,PATCH');
  }
  switch (call.method) {
    case 'POST':
      return writeEach(call, records(call), (record) => ({
        id: createRecord(call.writer, typeOf(call, record), record),
      }));
    case 'PATCH':
      return writeEach(call, records(call), (record) => updateOne(call, record));
    case 'DELETE':
      return deleteAll(call);
    default:
      throw methodNotAllowed(call.method, 'DELETE,POST,PATCH');
  }
}

function updateOne(call: Call, record: JsonObject): { id: string } {
  const object = typeOf(call, record);
  const { id: _, Id: __, ...fields } = record;
  const given = record.id ?? record.Id;
  if (given === undefined || given === null || given === '') {
    throw refuseWrite('MISSING_ARGUMENT', 'Id not specified in an update call');
  }
  const id = typeof given === 'string' ? parseId(given) : undefined;
  if (!id)
    throw refuseWrite('MALFORMED_ID', `${object.fields[0]?.label}: id value of incorrect type: ${given}`, ['Id']);
  updateRecord(call.writer, object, id, fields);
  return { id };
}

function deleteAll(call: Call): Reply {
  const ids = (call.query.get('ids') ?? '').split(',').filter(Boolean);
  checkCount(ids.length);
  return writeEach(call, ids, (text) => {
    const id = parseId(text);
    const object = id ? call.schema.ofId(id) : undefined;
    if (!id || !object) throw refuseWrite('MALFORMED_ID', `bad id ${text}`);
    deleteRecord(call.writer, object, id);
    return { id };
  });
}

function upsertAll(call: Call, object: ObjectType, keyName: string): Reply {
  const field = keyField(object, keyName);
  const seen = new Set<string>();
  return writeEach(
    call,
    records(call),
    (record) => {
      typeOf(call, record);
      const { key, body } = withoutKey(record, field.name);
      if (field.type === 'id' && (key ?? '') === '')
        return { id: createRecord(call.writer, object, body), created: true };
      if (key === undefined || key === null || key === '') {
        throw refuseWrite('MISSING_ARGUMENT', `${field.name} not specified`, [field.name]);
      }
      const folded = indexKey(field, toStored(field, key));
      if (seen.has(folded)) {
        throw refuseWrite('DUPLICATE_VALUE', `Duplicate external id specified: ${key}`, [field.name]);
      }
      seen.add(folded);
      const matches = matchesOf(call, object, field, key);
      if (matches.length > 1) {
        throw refuseWrite(
          'DUPLICATE_EXTERNAL_ID',
          `${field.name}: more than one record found for external id field: [${matches.map((row) => row.Id).join(', ')}]`,
        );
      }
      const { id, isCreated } = upsert(call, object, field, key, body, false);
      return { id, created: isCreated };
    },
    true,
  );
}

function withoutKey(record: JsonObject, name: string): { key: unknown; body: JsonObject } {
  let key: unknown;
  const body: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(record)) {
    if (field.toLowerCase() === name.toLowerCase()) key = value;
    else body[field] = value;
  }
  return { key, body };
}

function readAll(call: Call, object: ObjectType): Reply {
  const given = call.method === 'GET' ? undefined : jsonBody(call);
  const list = (value: unknown, name: string) =>
    Array.isArray(value) ? value.map(String) : (call.query.get(name) ?? '').split(',').filter(Boolean);
  const ids = list(given?.ids, 'ids');
  const fields = list(given?.fields, 'fields').map((name) => {
    const field = fieldOf(object, name);
    if (!field) throw refuse(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${object.name}`);
    return field;
  });
  return ok(
    ids.map((text) => {
      const id = parseId(text);
      const row = id ? call.org.row(object.name, id) : undefined;
      return row && !row.IsDeleted ? showRecord(call.version, object, row, fields) : null;
    }),
  );
}

/** Runs the write on each item; with allOrNone one failure takes the others back. */
function writeEach<T>(
  call: Call,
  items: readonly T[],
  write: (item: T) => { id: string; created?: boolean },
  saysCreated = false,
): Reply {
  const start = call.org.mark();
  const results = items.map((item): Result => {
    const mark = call.org.mark();
    try {
      const { id, created } = write(item);
      return { id, success: true, errors: [], ...(saysCreated ? { created } : {}) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      call.org.rollback(mark);
      return failure(error.faults.map(asItem), saysCreated);
    }
  });
  if (!isAllOrNone(call) || results.every((result) => result.success)) return ok(results);
  call.org.rollback(start);
  const rolledBack = {
    statusCode: 'ALL_OR_NONE_OPERATION_ROLLED_BACK',
    message: 'Record rolled back because not all records were valid and the request was using AllOrNone header',
    fields: [],
  };
  return ok(results.map((result) => (result.success ? failure([rolledBack], saysCreated) : result)));
}

function failure(errors: readonly unknown[], saysCreated: boolean): Result {
  return { success: false, errors, ...(saysCreated ? { created: false } : {}) };
}

function asItem({ errorCode, message, fields }: Fault): unknown {
  return { statusCode: errorCode, message, fields: fields ?? [] };
}

function isAllOrNone(call: Call): boolean {
  if (call.method === 'DELETE') return call.query.get('allOrNone') === 'true';
  return jsonBody(call).allOrNone === true;
}

function records(call: Call): readonly JsonObject[] {
  const { records: given } = jsonBody(call);
  if (!Array.isArray(given)) throw refuse(400, 'REQUIRED_FIELD_MISSING', 'At least 1 record is required');
  checkCount(given.length);
  return given.map((record) => (isJsonObject(record) ? record : {}));
}

function checkCount(count: number): void {
  if (count === 0) throw refuse(400, 'REQUIRED_FIELD_MISSING', 'At least 1 record is required');
  if (count > maxRecords)
    throw refuse(
      400,
      'EXCEEDED_ID_LIMIT',
      `record limit reached. cannot submit more than ${maxRecords} records into this call`,
    );
}

function typeOf(call: Call, record: JsonObject): ObjectType {
  const type = isJsonObject(record.attributes) ? record.attributes.type : undefined;
  if (typeof type !== 'string') {
    throw refuse(400, 'JSON_PARSER_ERROR', 'The value is required: attributes.type at [line:1, column:1]');
  }
  const object = call.schema.object(type);
  if (!object)
    throw new Refusal(400, { message: `sObject type '${type}' is not supported.`, errorCode: 'INVALID_TYPE' });
  return object;
}
