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

/** What a person may, by their role. */
export interface Rights {
  readonly permissions: readonly OperatorPermission[];
  /** Of these bots alone; missing: of every one. */
  readonly bots?: readonly string[] | undefined;
}

/** A named set of operator permissions. An installation makes its own beside these three, which nobody changes. */
export interface Role extends Rights {
  readonly name: string;
}

export const SHIPPED_ROLES: readonly Role[] = [
  { name: 'admin', permissions: OPERATOR_PERMISSIONS },
  { name: 'approver', permissions: ['READ_INTEGRATIONS', 'DECIDE_PROPOSALS', 'READ_LOGS'] },
  { name: 'viewer', permissions: ['READ_INTEGRATIONS', 'READ_LOGS'] },
];

/** These are about more than one bot, so that no role for some bots holds them. */
export const OF_EVERY_BOT: readonly OperatorPermission[] = ['MANAGE_BOTS', 'MANAGE_OPERATORS', 'ERASE_PEOPLE'];

export const shippedRole = (name: string): Role | undefined => SHIPPED_ROLES.find((role) => role.name === name);

export const holds = ({ permissions }: Rights, permission: OperatorPermission): boolean =>
  permissions.includes(permission);

/** What is about no bot in particular is for nobody whose role is for some. */
export const isWithin = ({ bots }: Pick<Rights, 'bots'>, bot: string | null): boolean =>
  bots === undefined || (bot !== null && bots.includes(bot));

/** Whom to ask for it: `an admin or an approver`. */
export function whoHolds(permission: OperatorPermission): string {
  return SHIPPED_ROLES.filter((role) => holds(role, permission))
    .map(({ name }) => (/^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`))
    .join(' or ');
}

/** In code; which declared ones there are is for each bot to say. */
export function isActionPermission(name: string): name is BuiltInPermission {
  return (SALESFORCE_ACTIONS as readonly string[]).includes(name);
}

export function isOperatorPermission(name: string): name is OperatorPermission {
  return (OPERATOR_PERMISSIONS as readonly string[]).includes(name);
}
