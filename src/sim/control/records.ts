/** Records changed as a Salesforce user would change them, at a chosen time, past the API and its counts. */

import { parseId } from '../ids.ts';
import type { Org } from '../org.ts';
import { noteChange } from '../outbound/queue.ts';
import { derive } from '../records/derived.ts';
import { toStored } from '../records/values.ts';
import { fieldOf, type ObjectType } from '../schema/object.ts';
import type { Row, Value } from '../table.ts';
import { BadControl, onlyKeys, optionalText } from './input.ts';

type Body = Readonly<Record<string, unknown>>;
type Draft = Record<string, Value | undefined>;

export function addRecord(org: Org, object: string, body: Body, stamp: string): string {
  const type = typeNamed(org, object);
  const preset: Draft = { ...type.presets };
  const id = org.mint(type.keyPrefix);
  const author = administrator(org);
  if (type.fields.some((field) => field.isAutoNumber))
    preset.CaseNumber = String(org.count('CaseNumber')).padStart(8, '0');
  if (fieldOf(type, 'OwnerId')) preset.OwnerId = author;
  const fields = read(type, body);
  store(org, type, { ...preset, CreatedDate: stamp, CreatedById: author, ...fields, Id: id }, undefined, fields, stamp);
  return id;
}

export function changeRecord(org: Org, object: string, id: string, body: Body, stamp: string): void {
  const type = typeNamed(org, object);
  const before = org.row(object, id);
  const fields = read(type, body);
  store(org, type, { ...before, ...fields, Id: id }, before, fields, stamp);
}

/** The duplicate goes, and remembers in whom it lives on; its children move over. */
export function mergeRecords(org: Org, body: Body): unknown {
  onlyKeys(body, ['object', 'master', 'duplicate']);
  const type = typeNamed(org, String(body.object));
  const master = rowOf(org, type, body.master);
  const duplicate = rowOf(org, type, body.duplicate);
  if (master.Id === duplicate.Id) throw new BadControl('A record cannot be merged into itself.');
  const stamp = org.stamp();
  for (const { object, field } of org.schema.children(type)) {
    for (const row of org.table(object.name).where(field, duplicate.Id)) {
      if (field.name !== 'MasterRecordId')
        org.saveRow(object.name, { ...row, [field.name]: master.Id, SystemModstamp: stamp });
    }
  }
  org.saveRow(type.name, {
    ...duplicate,
    IsDeleted: true,
    MasterRecordId: master.Id,
    LastModifiedDate: stamp,
    SystemModstamp: stamp,
  });
  org.saveRow(type.name, { ...master, LastModifiedDate: stamp, SystemModstamp: stamp });
  return { master: master.Id, duplicate: duplicate.Id };
}

/** As a colleague converts a lead: its account is found by name or made, the contact made, an opportunity if it is named. */
export function convertLead(org: Org, body: Body): unknown {
  onlyKeys(body, ['lead', 'opportunity']);
  const lead = rowOf(org, typeNamed(org, 'Lead'), body.lead);
  if (lead.IsConverted) throw new BadControl('The lead is converted already.');
  const stamp = org.stamp();
  const isNamesake = (row: Row) => !row.IsDeleted && row.Name === lead.Company;
  const AccountId =
    [...org.table('Account').all()].find(isNamesake)?.Id ?? addRecord(org, 'Account', { Name: lead.Company }, stamp);
  const kept = ['FirstName', 'LastName', 'Salutation', 'Title', 'Email', 'Phone', 'MobilePhone', 'Fax', 'LeadSource'];
  const person = Object.fromEntries(kept.flatMap((name) => (lead[name] === undefined ? [] : [[name, lead[name]]])));
  const ContactId = addRecord(org, 'Contact', { ...person, AccountId }, stamp);
  const named = optionalText(body.opportunity, 'opportunity');
  const opening = { Name: named, StageName: 'Prospecting', CloseDate: stamp.slice(0, 10), AccountId, ContactId };
  const OpportunityId = named === undefined ? null : addRecord(org, 'Opportunity', opening, stamp);
  const converted = {
    IsConverted: true,
    Status: 'Closed - Converted',
    ConvertedDate: stamp.slice(0, 10),
    ConvertedAccountId: AccountId,
    ConvertedContactId: ContactId,
    ConvertedOpportunityId: OpportunityId,
  };
  changeRecord(org, 'Lead', lead.Id, converted, stamp);
  return { account: AccountId, contact: ContactId, opportunity: OpportunityId };
}

export function undeleteRecord(org: Org, body: Body): unknown {
  onlyKeys(body, ['object', 'id']);
  const type = typeNamed(org, String(body.object));
  const row = rowOf(org, type, body.id);
  const stamp = org.stamp();
  const { MasterRecordId: _, ...alive } = row;
  org.saveRow(type.name, { ...alive, Id: row.Id, IsDeleted: false, LastModifiedDate: stamp, SystemModstamp: stamp });
  return { id: row.Id };
}

function store(org: Org, type: ObjectType, draft: Draft, before: Row | undefined, changed: Draft, stamp: string): void {
  derive(type.name, draft, new Set(Object.keys(changed)), before, stamp);
  const kept: Record<string, Value> = {};
  for (const [name, value] of Object.entries(draft)) if (value !== null && value !== undefined) kept[name] = value;
  const row: Row = {
    ...kept,
    Id: String(draft.Id),
    IsDeleted: draft.IsDeleted === true,
    LastModifiedDate: stamp,
    LastModifiedById: administrator(org),
    SystemModstamp: stamp,
  };
  org.saveRow(type.name, row);
  noteChange(org, type.name, row);
}

function read(type: ObjectType, body: Body): Draft {
  const draft: Draft = {};
  for (const [name, value] of Object.entries(body)) {
    const field = fieldOf(type, name);
    if (!field) throw new BadControl(`${type.name} has no field ${name}.`);
    if (field.type !== 'id') draft[field.name] = toStored(field, value);
  }
  return draft;
}

function typeNamed(org: Org, name: string): ObjectType {
  const type = org.schema.object(name);
  if (!type) throw new BadControl(`There is no object ${name}.`);
  return type;
}

function rowOf(org: Org, type: ObjectType, id: unknown): Row {
  const row = org.row(type.name, parseId(String(id)) ?? '');
  if (!row) throw new BadControl(`There is no ${type.name} ${String(id)}.`);
  return row;
}

function administrator(org: Org): string {
  const [first] = org.table('User').all();
  return first?.Id ?? '';
}
