/** `/sobjects/T` and one record by id or by external id. */
import { createHash } from 'node:crypto';
import { parseDatetime } from '../datetimes.ts';
import { parseId } from '../ids.ts';
import { recordUrl, showRecord } from '../records/reader.ts';
import { toStored } from '../records/values.ts';
import { type Body, createRecord, deleteRecord, updateRecord } from '../records/writer.ts';
import { methodNotAllowed, notFound, refuse, refuseWrite } from '../refusal.ts';
import type { Field } from '../schema/field.ts';
import { fieldOf, type ObjectType } from '../schema/object.ts';
import type { Row } from '../table.ts';
import { type Call, jsonBody, noContent, ok, type Reply } from './call.ts';
import { describeBrief } from './describe.ts';

export function objectRoot(call: Call, object: ObjectType): Reply {
  switch (call.method) {
    case 'GET':
    case 'HEAD':
      return ok({ objectDescribe: describeBrief(call.version, object), recentItems: recent(call, object) });
    case 'POST': {
      const id = createRecord(call.writer, object, jsonBody(call));
      return created(call, object, id, { id, success: true, errors: [] });
    }
    default:
      throw methodNotAllowed(call.method, 'HEAD,GET,POST');
  }
}

export function recordById(call: Call, object: ObjectType, text: string): Reply {
  const id = parseId(text);
  switch (call.method) {
    case 'GET':
    case 'HEAD': {
      const row = id === undefined ? undefined : call.org.row(object.name, id);
      if (!row || row.IsDeleted) throw notFound();
      return (
        checkStamp(call, row) ?? tagged(call, row, showRecord(call.version, object, row, fieldsAsked(call, object)))
      );
    }
    case 'PATCH':
    case 'DELETE': {
      const stored = idForWrite(object, id, text);
      const row = call.org.row(object.name, stored);
      const early = row && !row.IsDeleted ? checkStamp(call, row) : undefined;
      if (early) return early;
      if (call.method === 'DELETE') deleteRecord(call.writer, object, stored);
      else updateRecord(call.writer, object, stored, jsonBody(call));
      return noContent;
    }
    default:
      throw methodNotAllowed(call.method, 'HEAD,GET,PATCH,DELETE');
  }
}

export function recordByKey(call: Call, object: ObjectType, fieldName: string, text: string): Reply {
  const field = keyField(object, fieldName);
  const matches = matchesOf(call, object, field, text);
  const [only] = matches;
  if (matches.length > 1)
    return { status: 300, body: matches.map((row) => recordUrl(call.version, object.name, row.Id)) };
  switch (call.method) {
    case 'GET':
    case 'HEAD':
      if (!only) throw notFound();
      return ok(showRecord(call.version, object, only, fieldsAsked(call, object)));
    case 'DELETE':
      if (!only) throw notFound();
      deleteRecord(call.writer, object, only.Id);
      return noContent;
    case 'PATCH':
    case 'POST': {
      const isModern = Number(call.version.slice(1)) >= 46;
      const { id, isCreated } = upsert(
        call,
        object,
        field,
        text,
        jsonBody(call),
        call.query.get('updateOnly') === 'true',
      );
      if (isCreated)
        return created(call, object, id, { id, success: true, errors: [], ...(isModern ? { created: true } : {}) });
      if (!isModern) return noContent;
      return ok(
        { id, success: true, errors: [], created: false },
        { Location: recordUrl(call.version, object.name, id) },
      );
    }
    default:
      throw methodNotAllowed(call.method, 'HEAD,GET,PATCH,DELETE');
  }
}

export function keyField(object: ObjectType, name: string): Field {
  const field = fieldOf(object, name);
  if (!field || !(field.isExternalId || field.isIdLookup)) {
    throw notFound(`Provided external ID field does not exist or is not accessible: ${name}`);
  }
  return field;
}

export function matchesOf({ org }: Pick<Call, 'org'>, object: ObjectType, field: Field, value: unknown): Row[] {
  const stored = toStored(field, value);
  return stored === null
    ? []
    : org
        .table(object.name)
        .where(field, stored)
        .filter((row) => !row.IsDeleted);
}

/** Writes the one match, or a new record that bears the key. The caller has ruled out several matches. */
export function upsert(
  call: Pick<Call, 'org' | 'writer'>,
  object: ObjectType,
  field: Field,
  value: unknown,
  body: Body,
  isUpdateOnly: boolean,
) {
  const [match] = matchesOf(call, object, field, value);
  if (match) {
    updateRecord(call.writer, object, match.Id, body);
    return { id: match.Id, isCreated: false };
  }
  if (isUpdateOnly || field.type === 'id') throw notFound();
  if (Object.keys(body).some((name) => name.toLowerCase() === field.name.toLowerCase())) {
    const message = `The ${field.name} field should not be specified in the sobject data.`;
    throw refuse(400, 'INVALID_FIELD', message);
  }
  return { id: createRecord(call.writer, object, { ...body, [field.name]: value }), isCreated: true };
}

/** One record bears its own stamp and a tag of what it says. */
function tagged({ headers }: Call, row: Row, body: unknown): Reply {
  const tag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64')}--gzip"`;
  if (headers.get('if-none-match') === tag) return { status: 304, headers: { ETag: tag } };
  const modified = parseDatetime(String(row.LastModifiedDate)) ?? 0;
  return ok(body, { 'Last-Modified': new Date(modified).toUTCString(), ETag: tag });
}

/** Conditional headers, to the second: 412 when it changed since, 304 when it did not. */
function checkStamp({ org, headers, isSubrequest, method }: Call, row: Row): Reply | undefined {
  if (isSubrequest && !org.settings.compositeConditional) return undefined;
  const modified = parseDatetime(String(row.LastModifiedDate)) ?? 0;
  const unmodifiedSince = headerTime(headers, 'if-unmodified-since');
  if (unmodifiedSince !== undefined && modified > unmodifiedSince) return { status: 412 };
  const modifiedSince = headerTime(headers, 'if-modified-since');
  if (modifiedSince === undefined || modified > modifiedSince) return undefined;
  return { status: method === 'GET' || method === 'HEAD' ? 304 : 412 };
}

function headerTime(headers: Headers, name: string): number | undefined {
  const text = headers.get(name);
  if (text === null) return undefined;
  const ms = parseDatetime(text) ?? Date.parse(text);
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000) * 1000;
}

function idForWrite(object: ObjectType, id: string | undefined, text: string): string {
  if (id === undefined)
    throw refuseWrite('MALFORMED_ID', `${object.fields[0]?.label ?? 'Id'}: id value of incorrect type: ${text}`, [
      'Id',
    ]);
  return id;
}

function fieldsAsked({ query }: Call, object: ObjectType): readonly Field[] {
  const asked = query.get('fields');
  if (!asked) return object.fields;
  return asked.split(',').map((name) => {
    const field = fieldOf(object, name.trim());
    if (!field) throw refuse(400, 'INVALID_FIELD', `No such column '${name.trim()}' on sobject of type ${object.name}`);
    return field;
  });
}

function recent({ org, version }: Call, object: ObjectType): unknown[] {
  const name = object.fields.find((field) => field.isNameField);
  const rows = org
    .table(object.name)
    .stampedBetween('', '9999')
    .filter((row) => !row.IsDeleted);
  return rows
    .slice(-5)
    .reverse()
    .map((row) => ({
      attributes: { type: object.name, url: recordUrl(version, object.name, row.Id) },
      Id: row.Id,
      ...(name ? { [name.name]: row[name.name] ?? null } : {}),
    }));
}

function created({ version }: Call, object: ObjectType, id: string, body: unknown): Reply {
  return { status: 201, headers: { Location: recordUrl(version, object.name, id) }, body };
}
