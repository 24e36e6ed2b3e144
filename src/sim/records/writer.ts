/** Creates, updates and deletes one record as Salesforce would: every check, every stamp, every refusal. */

import type { Org } from '../org.ts';
import { type Fault, methodNotAllowed, Refusal, refuse, refuseWrite } from '../refusal.ts';
import { type Field, isCustom } from '../schema/field.ts';
import { fieldOf, type ObjectType } from '../schema/object.ts';
import type { Row, Value } from '../table.ts';
import { settleAddresses } from './addresses.ts';
import { derive } from './derived.ts';
import { checkDuplicateRule, checkValidationRule } from './rules.ts';
import { checkStored, toStored } from './values.ts';
import type { Writer } from './writer-form.ts';

export type Body = Readonly<Record<string, unknown>>;
type Draft = Record<string, Value | undefined>;

export function createRecord(writer: Writer, object: ObjectType, body: Body): string {
  if (!object.isWritable) throw notWritable(object, 'create');
  const values = readBody(writer, object, body, 'isCreateable');
  const draft: Draft = { ...defaults(writer, object), ...values };
  if (object.fields.some((field) => field.isAutoNumber))
    draft.CaseNumber = String(writer.org.count('CaseNumber')).padStart(8, '0');
  return save(writer, object, draft, undefined, values);
}

export function updateRecord(writer: Writer, object: ObjectType, id: string, body: Body): void {
  const before = liveRow(writer, object, id);
  if (!object.isWritable) throw notWritable(object, 'update');
  const values = readBody(writer, object, body, 'isUpdateable');
  // With products on it the amount is their sum: Salesforce takes the update and leaves the field as it is.
  if (before.HasOpportunityLineItem === true) delete values.Amount;
  if (before.IsConverted === true) throw refuseWrite('CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead');
  save(writer, object, { ...before, ...values }, before, values);
}

export function deleteRecord(writer: Writer, object: ObjectType, id: string): void {
  const before = liveRow(writer, object, id);
  if (!object.isDeletable) {
    throw new Refusal(403, {
      message: 'insufficient access rights on object id',
      errorCode: 'INSUFFICIENT_ACCESS_OR_READONLY',
      fields: [],
    });
  }
  if (writer.meetsLock) throw lockedRow(id);
  const { org, userId } = writer;
  const stamp = org.stamp();
  org.saveRow(object.name, {
    ...before,
    IsDeleted: true,
    LastModifiedDate: stamp,
    LastModifiedById: userId,
    SystemModstamp: stamp,
  });
  // What cannot stand without its parent goes with it.
  for (const child of org.schema.children(object)) {
    if (!child.field.isRequired) continue;
    for (const row of org.table(child.object.name).where(child.field, id)) {
      if (!row.IsDeleted) org.saveRow(child.object.name, { ...row, IsDeleted: true, SystemModstamp: stamp });
    }
  }
}

/** The record of this id for a write, or the recorded refusals for one that is gone or never was. */
export function liveRow(writer: Writer, object: ObjectType, id: string): Row {
  const row = writer.org.row(object.name, id);
  if (!row) throw refuseWrite('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id');
  if (row.IsDeleted)
    throw new Refusal(404, { message: 'entity is deleted', errorCode: 'ENTITY_IS_DELETED', fields: [] });
  return row;
}

function readBody(writer: Writer, object: ObjectType, body: Body, right: 'isCreateable' | 'isUpdateable'): Draft {
  const values: Draft = {};
  const unwritable: string[] = [];
  for (const [key, raw] of Object.entries(body)) {
    if (key.toLowerCase() === 'attributes') continue;
    const field = fieldOf(object, key);
    if (!field) {
      const parent = object.byRelationship.get(key.toLowerCase());
      if (!parent) throw refuse(400, 'INVALID_FIELD', `No such column '${key}' on sobject of type ${object.name}`);
      values[parent.name] = parentByKey(writer, parent, raw);
    } else if (!field[right]) unwritable.push(field.name);
    else values[field.name] = toStored(field, raw);
  }
  if (unwritable.length > 0) {
    throw refuseWrite(
      'INVALID_FIELD_FOR_INSERT_UPDATE',
      `Unable to create/update fields: ${unwritable.join(', ')}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`,
      unwritable,
    );
  }
  return values;
}

/** `"Account": {"Account_Key__c": "A-1"}` names a parent by its external id. */
function parentByKey(writer: Writer, reference: Field, raw: unknown): string | null {
  if (raw === null) return null;
  const keys = typeof raw === 'object' ? Object.entries(raw).filter(([key]) => key !== 'attributes') : [];
  const [key, value] = keys[0] ?? ['', undefined];
  for (const name of reference.referenceTo) {
    const parent = writer.schema.object(name);
    const field = parent && fieldOf(parent, key);
    if (!field || !(field.isExternalId || field.isIdLookup)) continue;
    const [match] = writer.org
      .table(name)
      .where(field, toStored(field, value))
      .filter((row) => !row.IsDeleted);
    if (match) return match.Id;
    throw refuseWrite(
      'INVALID_FIELD',
      `Foreign key external ID: ${String(value).toLowerCase()} not found for field ${field.name} in entity ${name}`,
    );
  }
  throw refuse(400, 'INVALID_FIELD', `No such column '${key}' on sobject of type ${reference.referenceTo[0]}`);
}

function defaults({ org, userId }: Writer, object: ObjectType): Draft {
  const owner = fieldOf(object, 'OwnerId') ? { OwnerId: userId } : {};
  // What a person has not opened yet; leads that come over the API begin so.
  const unread = fieldOf(object, 'IsUnreadByOwner') ? { IsUnreadByOwner: true } : {};
  return { ...object.presets, ...owner, ...unread, CreatedDate: org.stamp(), CreatedById: userId };
}

function save(writer: Writer, object: ObjectType, draft: Draft, before: Row | undefined, values: Draft): string {
  const { org, schema, userId } = writer;
  const changed = Object.keys(values);
  const missing = object.fields.filter(
    (field) => field.isRequired && field.type !== 'boolean' && (draft[field.name] ?? null) === null,
  );
  if (missing.length > 0) {
    const names = missing.map((field) => field.name);
    throw refuseWrite('REQUIRED_FIELD_MISSING', `Required fields are missing: [${names.join(', ')}]`, names);
  }
  const faults = changed.flatMap((name): Fault[] => {
    const field = fieldOf(object, name);
    return field ? checkStored(field, values[name] ?? null) : [];
  });
  if (faults.length > 0) throw new Refusal(400, ...faults);
  if (org.settings.countryPicklists) settleAddresses(object, draft, new Set(changed));
  for (const name of changed) checkReference(writer, object, name, values[name]);
  if (writer.meetsLock) throw lockedRow(before?.Id);

  const stamp = org.stamp();
  derive(
    object.name,
    draft,
    new Set(before ? changed : Object.keys(draft).filter((name) => name in values || name === 'StageName')),
    before,
    stamp,
  );
  checkValidationRule(writer, object, draft);
  if (!before || changed.includes('Email')) checkDuplicateRule(writer, object, draft, writer.version);
  checkUnique(writer, object, draft);

  const row: Row = {
    ...dropNulls(draft),
    Id: before?.Id ?? org.mint(object.keyPrefix),
    IsDeleted: false,
    LastModifiedDate: stamp,
    LastModifiedById: userId,
    SystemModstamp: stamp,
  };
  org.saveRow(object.name, row);
  if (object.name === 'OpportunityContactRole' && row.IsPrimary) {
    demoteOthers(org, row);
    const opportunity = org.row('Opportunity', String(row.OpportunityId));
    if (opportunity) org.saveRow('Opportunity', { ...opportunity, ContactId: row.ContactId });
  }
  // The contact that an opportunity is created with becomes its primary role.
  const roles = schema.object('OpportunityContactRole');
  if (object.name === 'Opportunity' && !before && row.ContactId && roles)
    createRecord(writer, roles, { OpportunityId: row.Id, ContactId: row.ContactId, IsPrimary: true });
  writer.afterSave(object.name, row, before ? 'update' : 'create');
  return row.Id;
}

function checkReference({ org, schema }: Writer, object: ObjectType, name: string, value: Value | undefined): void {
  const field = fieldOf(object, name);
  if (field?.type !== 'reference' || typeof value !== 'string') return;
  const target = field.referenceTo.find((to) => org.schema.object(to)?.keyPrefix === value.slice(0, 3));
  if (target === undefined) {
    throw refuseWrite('MALFORMED_ID', `${field.label}: id value of incorrect type: ${value}`, [field.name]);
  }
  const row = org.row(target, value);
  if (!row || !schema.object(target))
    throw refuseWrite(
      'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
      `insufficient access rights on cross-reference id: ${value.slice(0, 15)}`,
    );
  if (target === 'RecordType' && row.SobjectType !== object.name) {
    const message = `${field.label}: this ID value isn't valid for the user: ${value}`;
    throw refuseWrite('INVALID_CROSS_REFERENCE_KEY', message, [field.name]);
  }
  if (row.IsDeleted) throw refuseWrite('ENTITY_IS_DELETED', 'entity is deleted', [field.name]);
}

function checkUnique({ org }: Writer, object: ObjectType, draft: Draft): void {
  for (const field of object.fields) {
    const value = draft[field.name];
    if (!field.isUnique || value === undefined || value === null) continue;
    const [twin] = org
      .table(object.name)
      .where(field, value)
      .filter((row) => !row.IsDeleted && row.Id !== draft.Id);
    if (!twin) continue;
    const message = `duplicate value found: ${field.name} duplicates value on record with id: ${twin.Id.slice(0, 15)}`;
    throw refuseWrite('DUPLICATE_VALUE', message, isCustom(field) ? [field.name] : []);
  }
}

function demoteOthers(org: Org, primary: Row): void {
  const type = org.schema.object('OpportunityContactRole');
  const field = type && fieldOf(type, 'OpportunityId');
  if (!field) return;
  for (const row of org.table('OpportunityContactRole').where(field, primary.OpportunityId ?? null)) {
    if (row.Id !== primary.Id && row.IsPrimary) org.saveRow('OpportunityContactRole', { ...row, IsPrimary: false });
  }
}

function lockedRow(id = ''): Refusal {
  const which = id ? `this record or 1 records: ${id.slice(0, 15)}` : 'this record or 0 records';
  return refuseWrite('UNABLE_TO_LOCK_ROW', `unable to obtain exclusive access to ${which}`);
}

function notWritable(object: ObjectType, verb: string): Refusal {
  return verb === 'create'
    ? methodNotAllowed('POST', 'HEAD,GET')
    : refuseWrite('INSUFFICIENT_ACCESS_OR_READONLY', `insufficient access rights on object id: ${object.name}`);
}

function dropNulls(draft: Draft): Record<string, Value> {
  const kept: Record<string, Value> = {};
  for (const [name, value] of Object.entries(draft)) if (value !== null && value !== undefined) kept[name] = value;
  return kept;
}
