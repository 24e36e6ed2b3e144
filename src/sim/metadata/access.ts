import type { Org } from '../org.ts';
import type { Row } from '../table.ts';

/** What the permission sets of a user give; that of the profile is one of them. */

export function setsOf(org: Org, userId: string): readonly string[] {
  return [...org.table('PermissionSetAssignment').all()]
    .filter(({ AssigneeId, IsDeleted }) => AssigneeId === userId && !IsDeleted)
    .map(({ PermissionSetId }) => String(PermissionSetId));
}

/** Whether one of these system permissions is held. */
export function isPermitted(org: Org, userId: string, names: readonly string[]): boolean {
  const sets = setsOf(org, userId).map((id) => org.row('PermissionSet', id));
  return sets.some((set) => names.some((name) => set?.[`Permissions${name}`] === true));
}

/** Deployed fields are nobody's until a permission set gives them: what this user may not even see, and what only read. */
export function closedFields(org: Org, userId: string): { hidden: readonly string[]; readOnly: readonly string[] } {
  const { guardedFields } = org.settings;
  if (guardedFields.length === 0) return { hidden: [], readOnly: [] };
  const sets = new Set(setsOf(org, userId));
  const given = [...org.table('FieldPermissions').all()].filter((row) => sets.has(String(row.ParentId)));
  const has = (name: string, right: keyof Row & string) =>
    given.some((row) => row.Field === name && row[right] === true);
  return {
    hidden: guardedFields.filter((name) => !has(name, 'PermissionsRead')),
    readOnly: guardedFields.filter((name) => !has(name, 'PermissionsEdit')),
  };
}
