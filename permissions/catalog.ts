/** Every permission there is. A name that is not here does not exist: granting or requiring it is refused. */

/** What a bot may be granted, one per action. Whether it then runs by itself, `shippedPolicy` and operators say. */
export const SALESFORCE_ACTIONS = [
  'CREATE_LEAD',
  'READ_ACCOUNT',
  'UPDATE_OPPORTUNITY',
  'RUN_SOQL',
  'SYNC_PARTY',
  'SYNC_CASE',
] as const;

/** What only humans hold, through their role. Granting one of these to a bot is refused. */
export const OPERATOR_PERMISSIONS = [
  'CREATE_OAUTH',
  'READ_INTEGRATIONS',
  'DELETE_INTEGRATIONS',
  'MANAGE_BOTS',
  'MANAGE_GRANTS',
  'MANAGE_POLICY',
  'MANAGE_MAPPINGS',
  'MANAGE_OPERATORS',
  'DECIDE_PROPOSALS',
  'READ_LOGS',
  'READ_VALUES',
  'USE_PLAYGROUND',
  'ERASE_PEOPLE',
] as const;

export type BuiltInPermission = (typeof SALESFORCE_ACTIONS)[number];
/** Of an action that an operator declared for one bot; no action in code may ask for one. */
export type CustomPermission = `CUSTOM_${string}`;
export type ActionPermission = BuiltInPermission | CustomPermission;
export type OperatorPermission = (typeof OPERATOR_PERMISSIONS)[number];

export const ROLES = ['admin', 'approver', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

const ROLE_PERMISSIONS: Record<Role, readonly OperatorPermission[]> = {
  admin: OPERATOR_PERMISSIONS,
  approver: ['READ_INTEGRATIONS', 'DECIDE_PROPOSALS', 'READ_LOGS'],
  viewer: ['READ_INTEGRATIONS', 'READ_LOGS'],
};

export function roleHolds(role: Role, permission: OperatorPermission): boolean {
  return ROLE_PERMISSIONS[role].includes(permission);
}

/** Whom to ask for it: `an admin or an approver`. */
export function whoHolds(permission: OperatorPermission): string {
  return ROLES.filter((role) => roleHolds(role, permission))
    .map((role) => (/^[aeiou]/.test(role) ? `an ${role}` : `a ${role}`))
    .join(' or ');
}

/** In code; which declared ones there are is for each bot to say. */
export function isActionPermission(name: string): name is BuiltInPermission {
  return (SALESFORCE_ACTIONS as readonly string[]).includes(name);
}

export function isOperatorPermission(name: string): name is OperatorPermission {
  return (OPERATOR_PERMISSIONS as readonly string[]).includes(name);
}
