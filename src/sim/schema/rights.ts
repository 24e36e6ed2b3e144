import { audit, bool, id, readOnly, reference, text } from './field.ts';
import { defineObject } from './object.ts';

/** Who may do what, as records: permission sets (each profile has one of its own), who has them, and what they give. */

/** System permissions that this org knows, by the names of the API. */
export const systemPermissions = [
  'ApiEnabled',
  'AssignPermissionSets',
  'AuthorApex',
  'CustomizeApplication',
  'ManageUsers',
  'ModifyAllData',
  'ModifyMetadata',
  'ViewAllData',
  'ViewSetup',
] as const;

export const PermissionSet = defineObject(
  'PermissionSet',
  '0PS',
  'Permission Set',
  'Permission Sets',
  [
    id('PermissionSet ID'),
    text('Name', 'Permission Set Name', 80, { isRequired: true, isNameField: true }),
    text('Label', 'Permission Set Label', 80, { isRequired: true }),
    text('Description', 'Description', 255),
    bool('IsOwnedByProfile', 'Is Owned By Profile', readOnly),
    ...systemPermissions.map((name) => bool(`Permissions${name}`, name)),
    ...audit(),
  ],
  { isWritable: false, isDeletable: true },
);

export const PermissionSetAssignment = defineObject(
  'PermissionSetAssignment',
  '0Pa',
  'Permission Set Assignment',
  'Permission Set Assignments',
  [
    id('PermissionSetAssignment ID'),
    reference('PermissionSetId', 'PermissionSet ID', 'PermissionSet', { isRequired: true, childName: 'Assignments' }),
    reference('AssigneeId', 'Assignee ID', 'User', { isRequired: true, childName: 'PermissionSetAssignments' }),
    ...audit(),
  ],
);

const parent = (childName: string) =>
  reference('ParentId', 'Parent ID', 'PermissionSet', { isRequired: true, relationshipName: 'Parent', childName });

export const ObjectPermissions = defineObject(
  'ObjectPermissions',
  '110',
  'Object Permissions',
  'Object Permissions',
  [
    id('ObjectPermissions ID'),
    parent('ObjectPerms'),
    text('SobjectType', 'Sobject Type Name', 40, { isRequired: true }),
    ...['Create', 'Read', 'Edit', 'Delete', 'ViewAllRecords', 'ModifyAllRecords'].map((name) =>
      bool(`Permissions${name}`, name),
    ),
    ...audit(),
  ],
  { isWritable: false },
);

export const FieldPermissions = defineObject(
  'FieldPermissions',
  '01k',
  'Field Permissions',
  'Field Permissions',
  [
    id('FieldPermissions ID'),
    parent('FieldPerms'),
    text('SobjectType', 'Sobject Type Name', 40, { isRequired: true }),
    text('Field', 'Field Name', 255, { isRequired: true }),
    bool('PermissionsRead', 'Read Field'),
    bool('PermissionsEdit', 'Edit Field'),
    ...audit(),
  ],
  { isWritable: false },
);
