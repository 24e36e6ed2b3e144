/** One component of a package put into the org. */
import type { Org } from '../org.ts';
import { fieldOf } from '../schema/object.ts';
import { systemPermissions } from '../schema/rights.ts';
import type { AddedField } from '../schema/setup.ts';
import type { Row } from '../table.ts';
import { blocks, type Component, textIn } from './package.ts';

/** Said of the component, in Salesforce's words as far as they are known. */
export class DeployProblem extends Error {}

/** True where it was not there before. */
export function apply(org: Org, { type, fullName, fileName, xml }: Component): boolean {
  if (xml === undefined)
    throw new DeployProblem(`Named in package.xml, but was not found in zipped directory (${fileName})`);
  switch (type) {
    case 'CustomField':
      return putField(org, fullName, xml);
    case 'PermissionSet':
      return putPermissionSet(org, fullName, xml);
    case 'PlatformEventChannelMember':
      return selectForEvents(org, xml);
  }
}

function putField(org: Org, fullName: string, xml: string): boolean {
  const [object = '', name = ''] = fullName.split('.');
  const type = org.schema.object(object);
  if (!type) throw new DeployProblem(`Entity Enumeration Or ID: bad value for restricted picklist field: ${object}`);
  if (!/^[A-Za-z]\w*__c$/.test(name)) throw new DeployProblem('Custom field names end with __c');
  if (textIn(xml, 'type') !== 'Text') throw new DeployProblem('The simulated org takes fields of the type Text alone');
  const length = Number(textIn(xml, 'length'));
  if (!(length > 0 && length <= 255))
    throw new DeployProblem('Must specify a length between 1 and 255 for a Text field');
  const is = (tag: string) => textIn(xml, tag) === 'true';
  const known = fieldOf(type, name);
  if (known && known.type !== 'string')
    throw new DeployProblem(`Cannot change type from ${known.type} to Text of the field ${fullName}`);
  const { settings } = org;
  const field: AddedField = {
    object: type.name,
    name,
    label: textIn(xml, 'label') ?? name,
    type: 'string',
    length,
    isUnique: is('unique'),
    isExternalId: is('externalId'),
    isIdLookup: is('externalId'),
    isCaseSensitive: is('caseSensitive'),
  };
  const others = settings.addedFields.filter((one) => one.object !== type.name || one.name !== name);
  org.keep('settings', 'org', {
    ...settings,
    addedFields: [...others, field],
    withoutFields: settings.withoutFields.filter((one) => one.toLowerCase() !== fullName.toLowerCase()),
    // Who could see it before still can.
    guardedFields: known ? settings.guardedFields : [...settings.guardedFields, `${type.name}.${name}`],
    schemaChangedAt: org.now(),
  });
  return !known;
}

function putPermissionSet(org: Org, name: string, xml: string): boolean {
  const before = [...org.table('PermissionSet').all()].find((row) => row.Name === name);
  const known: readonly string[] = systemPermissions;
  const system = blocks(xml, 'userPermissions').map((block) => textIn(block, 'name') ?? '');
  for (const one of system) if (!known.includes(one)) throw new DeployProblem(`Unknown user permission: ${one}`);
  const id = before?.Id ?? org.mint('0PS');
  save(org, 'PermissionSet', id, {
    ...Object.fromEntries(systemPermissions.map((one) => [`Permissions${one}`, system.includes(one)])),
    Name: name,
    Label: textIn(xml, 'label') ?? name,
    Description: textIn(xml, 'description') ?? null,
    IsOwnedByProfile: false,
  });
  for (const table of ['ObjectPermissions', 'FieldPermissions'])
    for (const row of [...org.table(table).all()])
      if (row.ParentId === id && !row.IsDeleted) org.saveRow(table, { ...row, ParentId: null, IsDeleted: true });
  const objects = blocks(xml, 'objectPermissions');
  const read = new Set(
    objects.filter((one) => textIn(one, 'allowRead') === 'true').map((one) => textIn(one, 'object')),
  );
  for (const [object, above] of Object.entries(readWith))
    for (const other of above)
      if (read.has(object) && !read.has(other))
        throw new DeployProblem(`Permission Read ${object} depends on permission(s): Read ${other}`);
  for (const block of objects) putObject(org, id, block);
  for (const block of blocks(xml, 'fieldPermissions')) putFieldAccess(org, id, block);
  org.keep('settings', 'org', { ...org.settings, schemaChangedAt: org.now() });
  return before === undefined;
}

/** Objects whose records follow those of another one, or that every user may read: no permission set names them. */
const ungoverned: ReadonlySet<string> = new Set([
  ...['Event', 'Group', 'OpportunityContactRole', 'Organization', 'RecordType', 'Task', 'User'],
  ...['FieldPermissions', 'ObjectPermissions', 'PermissionSet', 'PermissionSetAssignment'],
]);
const rights = ['Read', 'Create', 'Edit', 'Delete', 'ViewAllRecords', 'ModifyAllRecords'] as const;
const leansOn: Readonly<Record<string, readonly string[]>> = {
  Create: ['Read'],
  Edit: ['Read'],
  Delete: ['Read', 'Edit'],
  ViewAllRecords: ['Read'],
  ModifyAllRecords: ['Read', 'Edit', 'Delete', 'ViewAllRecords'],
};

/** Read of these wants read of the objects above them: assumed, not seen. */
const readWith: Readonly<Record<string, readonly string[]>> = {
  Contact: ['Account'],
  Opportunity: ['Account'],
  Case: ['Account', 'Contact'],
};

function putObject(org: Org, parentId: string, xml: string): void {
  const name = textIn(xml, 'object') ?? '';
  const object = org.schema.object(name);
  if (!object || ungoverned.has(object.name))
    throw new DeployProblem(`In field: field - no CustomObject named ${name} found`);
  const is = (right: string) => {
    const tag = right.endsWith('Records') ? `${right[0]?.toLowerCase()}${right.slice(1)}` : `allow${right}`;
    return textIn(xml, tag) === 'true';
  };
  for (const [right, others] of Object.entries(leansOn))
    for (const other of others)
      if (is(right) && !is(other))
        throw new DeployProblem(`Permission ${right} ${name} depends on permission(s): ${other} ${name}`);
  save(org, 'ObjectPermissions', org.mint('110'), {
    ParentId: parentId,
    SobjectType: object.name,
    ...Object.fromEntries(rights.map((right) => [`Permissions${right}`, is(right)])),
  });
}

function putFieldAccess(org: Org, parentId: string, xml: string): void {
  const fullName = textIn(xml, 'field') ?? '';
  const [object = '', name = ''] = fullName.split('.');
  const type = org.schema.object(object);
  const field = type && fieldOf(type, name);
  if (!type || !field) throw new DeployProblem(`In field: field - no CustomField named ${fullName} found`);
  if (field.isRequired || field.type === 'id')
    throw new DeployProblem(`You cannot deploy to a required field: ${fullName}`);
  const [canRead, canEdit] = ['readable', 'editable'].map((tag) => textIn(xml, tag) === 'true');
  if (canEdit && !canRead) throw new DeployProblem(`Field ${fullName}: editable without readable`);
  save(org, 'FieldPermissions', org.mint('01k'), {
    ParentId: parentId,
    SobjectType: type.name,
    Field: `${type.name}.${field.name}`,
    PermissionsRead: canRead === true,
    PermissionsEdit: canEdit === true,
  });
}

const mostSelected = 5;

function selectForEvents(org: Org, xml: string): boolean {
  const entity = textIn(xml, 'selectedEntity') ?? '';
  const object = org.schema.object(entity.replace(/ChangeEvent$/, ''));
  if (textIn(xml, 'eventChannel') !== 'ChangeEvents')
    throw new DeployProblem('The simulated org selects for the channel ChangeEvents alone');
  if (!object || !entity.endsWith('ChangeEvent'))
    throw new DeployProblem(`The selected entity, ${entity}, isn't supported for Change Data Capture.`);
  const { changeDataCapture } = org.settings;
  if (changeDataCapture.includes(object.name)) return false;
  if (changeDataCapture.length >= mostSelected)
    throw new DeployProblem(`You can select up to ${mostSelected} entities for Change Data Capture.`);
  org.keep('settings', 'org', { ...org.settings, changeDataCapture: [...changeDataCapture, object.name] });
  return true;
}

function save(org: Org, object: string, id: string, values: Readonly<Record<string, Row[string]>>): void {
  const stamp = org.stamp();
  const before = org.row(object, id);
  org.saveRow(object, {
    CreatedDate: stamp,
    ...before,
    ...values,
    Id: id,
    IsDeleted: false,
    LastModifiedDate: stamp,
    SystemModstamp: stamp,
  });
}
