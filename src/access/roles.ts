import {
  isOperatorPermission,
  OF_EVERY_BOT,
  OPERATOR_PERMISSIONS,
  type OperatorPermission,
  type Rights,
  type Role,
  SHIPPED_ROLES,
  shippedRole,
} from '../../permissions/catalog.ts';
import type { Audit, Setter } from '../audit/audit.ts';
import { GatehouseError } from '../domain/errors.ts';
import { nearest } from '../domain/nearest.ts';
import type { Store } from '../ports/store.ts';

/** Named sets of what people may, for every bot or for some. Made, changed and removed the same way from every door. */

export interface RolesDeps {
  readonly store: Pick<Store, 'operators' | 'roles'>;
  readonly audit: Audit;
  readonly now: () => number;
}

/** A role with how many hold it. */
export interface ListedRole extends Role {
  readonly isShipped: boolean;
  readonly operators: number;
}

/** The shipped ones first. */
export async function listRoles({ store }: Pick<RolesDeps, 'store'>): Promise<readonly ListedRole[]> {
  const held = (await store.operators.list()).map(({ role }) => role);
  return [...SHIPPED_ROLES, ...(await store.roles.list())].map((role) => ({
    ...role,
    isShipped: shippedRole(role.name) !== undefined,
    operators: held.filter((name) => name === role.name).length,
  }));
}

/** What an operator is to hold. Throws where there is no such role. */
export async function roleNamed({ store }: { readonly store: Pick<Store, 'roles'> }, name: string): Promise<Role> {
  const role = await store.roles.get(name);
  if (role !== undefined) return role;
  const names = [...SHIPPED_ROLES, ...(await store.roles.list())].map((one) => one.name);
  throw new GatehouseError('invalid_input', `${JSON.stringify(name.slice(0, 40))} is no role.`, {
    next: `Use one of: ${names.join(', ')}.`,
    fields: [{ name: 'role', problem: 'is no role' }],
  });
}

/** Made, or from now on this set for everybody who holds it. */
export async function saveRole(
  deps: RolesDeps,
  role: {
    readonly name: string;
    readonly permissions: readonly string[];
    readonly bots?: readonly string[] | undefined;
  },
  by: Setter,
): Promise<Role> {
  const { name } = role;
  if (shippedRole(name) !== undefined) throw isShipped(name);
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name))
    throw new GatehouseError('invalid_input', `${JSON.stringify(name.slice(0, 80))} is not a usable name of a role.`, {
      next: 'Use 1-40 small letters, digits and dashes, a letter first.',
      fields: [{ name: 'name', problem: 'not a usable name' }],
    });
  const bots = role.bots === undefined ? undefined : [...new Set(role.bots)].toSorted();
  const permissions = permissionsOf(role.permissions, bots);
  const saved: Role = { name, permissions, ...(bots === undefined ? {} : { bots }) };
  const before = await deps.store.roles.get(name);
  // Whoever may not give what it held may not take it away from its holders either.
  for (const rights of before === undefined ? [saved] : [before, saved]) await mustHoldAll(deps, by, rights);
  await deps.audit.record({
    ...by,
    action: 'role set',
    event: 'role_saved',
    detail: { role: name, permissions, ...(bots === undefined ? {} : { bots }) },
  });
  await deps.store.roles.put(saved, deps.now());
  return saved;
}

export async function removeRole(deps: RolesDeps, name: string, by: Setter): Promise<void> {
  if (shippedRole(name) !== undefined) throw isShipped(name);
  await mustHoldAll(deps, by, await roleNamed(deps, name));
  const end = await deps.store.roles.remove(name);
  if (end === 'unknown') await roleNamed(deps, name);
  if (end === 'held')
    throw new GatehouseError('conflict', `There are operators with the role ${name}.`, {
      next: 'Give them another role first.',
    });
  await deps.audit.record({ ...by, action: 'role remove', event: 'role_removed', detail: { role: name } });
}

/** Nobody gives what they do not hold. Whoever owns the data folder does. */
export async function mustHoldAll(
  { store }: { readonly store: Pick<Store, 'operators'> },
  { principal }: Pick<Setter, 'principal'>,
  rights: Rights,
): Promise<void> {
  if (principal === 'local') return;
  const giver = await store.operators.get(principal.replace(/^operator:/, ''));
  const lacking = rights.permissions.filter((permission) => !giver?.permissions.includes(permission));
  if (giver !== undefined && giver.bots === undefined && lacking.length === 0) return;
  throw new GatehouseError(
    'permission_denied',
    `This would give, or take from somebody, what you do not hold yourself: ${lacking.join(', ') || 'it is for every bot'}.`,
    { next: 'Ask an admin to do this.' },
  );
}

function permissionsOf(names: readonly string[], bots: readonly string[] | undefined): readonly OperatorPermission[] {
  const wrong = names.filter((name) => !isOperatorPermission(name));
  if (wrong.length > 0)
    throw new GatehouseError(
      'invalid_input',
      `${wrong.map((name) => JSON.stringify(name.slice(0, 60))).join(', ')}: no such permission of people.`,
      {
        next: `${wrong.flatMap((name) => nearest(name, OPERATOR_PERMISSIONS).map((one) => `Did you mean ${one}? `)).join('')}They are: ${OPERATOR_PERMISSIONS.join(', ')}.`,
        fields: wrong.map((name) => ({ name: 'permissions', problem: `${name.slice(0, 60)} is none` })),
      },
    );
  const permissions = OPERATOR_PERMISSIONS.filter((one) => names.includes(one));
  const everywhere = bots === undefined ? [] : OF_EVERY_BOT.filter((one) => permissions.includes(one));
  if (permissions.length > 0 && everywhere.length === 0) return permissions;
  throw new GatehouseError(
    'invalid_input',
    permissions.length === 0
      ? 'A role holds at least one permission.'
      : `${everywhere.join(', ')}: about every bot, so that no role for some bots holds it.`,
    {
      next:
        permissions.length === 0
          ? `They are: ${OPERATOR_PERMISSIONS.join(', ')}.`
          : 'Leave it out, or make the role for every bot.',
      fields: [{ name: 'permissions', problem: permissions.length === 0 ? 'is empty' : 'is about every bot' }],
    },
  );
}

const isShipped = (name: string) =>
  new GatehouseError('conflict', `The role ${name} is as it was shipped, here and everywhere.`, {
    next: 'Make one of your own, by another name.',
  });
