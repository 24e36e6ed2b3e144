import { GatehouseError } from '../../domain/errors.ts';
import { isRecord, recordsIn } from '../../domain/is-record.ts';
import type { HeldRights } from '../../domain/rights.ts';

/** What the connected user may do: with objects by the list of them, the rest by the permission sets that are his, that of the profile among them. */

type Rows = readonly Readonly<Record<string, unknown>>[];

/** Those that no bot needs and that open more than one object, besides the one that each needs. */
const SYSTEM = [
  'ApiEnabled',
  'AssignPermissionSets',
  'AuthorApex',
  'CustomizeApplication',
  'ManageUsers',
  'ModifyAllData',
  'ModifyMetadata',
  'ViewAllData',
  'ViewSetup',
];

export async function readRights(
  listed: unknown,
  userId: string,
  query: (soql: string) => Promise<Rows>,
): Promise<HeldRights> {
  const objects = recordsIn(isRecord(listed) ? listed.sobjects : [])
    // What people and APIs keep data in: logs, histories and shares of them come with those.
    .filter(
      ({ queryable, layoutable, custom, name }) =>
        queryable === true && (layoutable === true || custom === true || name === 'OpportunityContactRole'),
    )
    .map(({ name, createable, updateable, deletable }) => ({
      object: String(name),
      create: createable === true,
      edit: updateable === true,
      delete: deletable === true,
      fields: undefined,
    }));
  const sets = await unlessClosed(
    query(
      `SELECT PermissionSetId, ${SYSTEM.map((name) => `PermissionSet.Permissions${name}`).join(', ')} FROM PermissionSetAssignment WHERE AssigneeId = '${userId}'`,
    ),
  );
  // Each user has the set of his profile: none at all means that they are not shown.
  if (sets === undefined || sets.length === 0)
    return { objects: objects.map((one) => ({ ...one, viewAll: false, modifyAll: false })), system: undefined };
  const ids = sets.flatMap(({ PermissionSetId }) => (ID.test(String(PermissionSetId)) ? [`'${PermissionSetId}'`] : []));
  const wide =
    (await unlessClosed(
      query(
        `SELECT SobjectType, PermissionsViewAllRecords, PermissionsModifyAllRecords FROM ObjectPermissions WHERE ParentId IN (${ids.join(', ')}) AND (PermissionsViewAllRecords = true OR PermissionsModifyAllRecords = true)`,
      ),
    )) ?? [];
  const has = (object: string, right: string) => wide.some((row) => row.SobjectType === object && row[right] === true);
  return {
    objects: objects.map((one) => ({
      ...one,
      viewAll: has(one.object, 'PermissionsViewAllRecords'),
      modifyAll: has(one.object, 'PermissionsModifyAllRecords'),
    })),
    system: SYSTEM.filter((name) =>
      sets.some(({ PermissionSet }) => isRecord(PermissionSet) && PermissionSet[`Permissions${name}`] === true),
    ),
  };
}

const ID = /^[A-Za-z0-9]{15,18}$/;

/** A good integration user may not look at permission sets. */
async function unlessClosed(rows: Promise<Rows>): Promise<Rows | undefined> {
  try {
    return await rows;
  } catch (error) {
    if (error instanceof GatehouseError && error.salesforce !== undefined) return undefined;
    throw error;
  }
}
