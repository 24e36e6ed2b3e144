import { ROLES, type Role } from '../../permissions/catalog.ts';
import type { Audit, Setter } from '../audit/audit.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { Access } from '../ports/access.ts';
import type { OperatorChange, Store } from '../ports/store.ts';

/** People who administer, approve or look: made, changed and removed the same way from every door, each with its audit row. */

export interface OperatorsDeps {
  readonly store: Pick<Store, 'operators' | 'keys' | 'values'>;
  readonly access: Access;
  readonly audit: Audit;
  readonly now: () => number;
}

export interface ListedOperator {
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  /** Live keys. Without one a person signs in by link alone. */
  readonly keys: number;
}

export async function listOperators({ store }: Pick<OperatorsDeps, 'store'>): Promise<readonly ListedOperator[]> {
  const rows = await store.operators.list();
  return Promise.all(
    rows.map(async (row) => ({
      ...row,
      keys: (await store.keys.list(row.name)).filter(({ kind, revokedAt }) => kind === 'operator' && revokedAt === null)
        .length,
    })),
  );
}

/** The key of the new operator, in the clear this once. */
export async function createOperator(deps: OperatorsDeps, name: string, role: Role, by: Setter): Promise<string> {
  const key = await deps.access.createOperator(name, role);
  await note(deps, by, 'operator create', 'operator_created', { operator: name, role });
  return key;
}

export async function changeRole(deps: OperatorsDeps, name: string, role: Role, by: Setter): Promise<void> {
  mustBeDone(name, await deps.store.operators.setRole(name, role));
  await note(deps, by, 'operator role', 'role_changed', { operator: name, role });
}

/** Ends every session, link and key of that person, too. */
export async function removeOperator(deps: OperatorsDeps, name: string, by: Setter): Promise<void> {
  mustBeDone(name, await deps.store.operators.remove(name, deps.now()));
  await note(deps, by, 'operator remove', 'operator_removed', { operator: name });
}

/** A further key, in the clear this once; with `replace` every earlier one ends. */
export async function newOperatorKey(
  deps: OperatorsDeps,
  name: string,
  { replace }: { readonly replace: boolean },
  by: Setter,
): Promise<{ readonly key: string; readonly revoked: number }> {
  await mustExist(deps, name);
  const revoked = replace ? await deps.access.revokeKeys('operator', name) : 0;
  const key = await deps.access.issueKey('operator', name);
  await note(deps, by, 'operator key', 'key_issued', { operator: name, kind: 'operator', revoked });
  return { key, revoked };
}

export async function revokeOperatorKeys(deps: OperatorsDeps, name: string, by: Setter): Promise<number> {
  await mustExist(deps, name);
  const revoked = await deps.access.revokeKeys('operator', name);
  await note(deps, by, 'operator key', 'keys_revoked', { operator: name, revoked });
  return revoked;
}

/** For whoever has no key and no terminal; noted before the link exists. */
export async function newSignInLink(
  deps: OperatorsDeps,
  name: string,
  by: Setter,
): Promise<{ readonly token: string; readonly expiresAt: number }> {
  await mustExist(deps, name);
  await note(deps, by, 'operator sign-in', 'link_made', { operator: name });
  return deps.access.signInToken(name);
}

/** How long every page of the console says that somebody got in without a key. */
const RECOVERY_SHOWN_MS = 7 * 24 * 3_600_000;

export interface Recovery {
  readonly operator: string;
  readonly at: number;
}

/**
 * The way back in for whoever owns the data folder, its secret and a terminal: written down before the link exists, and shown
 * to everybody who administers. Throws unless `name` is an admin.
 */
export async function recoverAccess(
  deps: OperatorsDeps,
  name: string,
): Promise<{ readonly token: string; readonly expiresAt: number }> {
  const operators = await deps.store.operators.list();
  const admins = operators.filter(({ role }) => role === 'admin').map((one) => one.name);
  if (!admins.includes(name))
    throw new GatehouseError('invalid_input', `${JSON.stringify(name.slice(0, 80))} is no admin here.`, {
      next:
        admins.length > 0
          ? `Recover one of the admins: ${admins.join(', ')}.`
          : 'There is no admin yet: make the first one with gatehouse operator create NAME --role admin.',
      fields: [{ name: 'name', problem: 'is no admin' }],
    });
  const at = deps.now();
  await note(deps, { principal: 'local', channel: 'cli' }, 'operator recover', 'access_recovered', { operator: name });
  await deps.store.values.set('recovery', 'latest', JSON.stringify({ operator: name, at }), at + RECOVERY_SHOWN_MS);
  return deps.access.signInToken(name);
}

/** The latest recovery of the past week. */
export async function latestRecovery({
  store,
  now,
}: Pick<OperatorsDeps, 'now'> & { readonly store: Pick<Store, 'values'> }): Promise<Recovery | undefined> {
  const text = await store.values.get('recovery', 'latest', now());
  // Our own writing, so its shape is known.
  return text === undefined ? undefined : (JSON.parse(text) as Recovery);
}

export function toRole(given: string): Role {
  const role = ROLES.find((one) => one === given);
  if (role !== undefined) return role;
  throw new GatehouseError('invalid_input', `${JSON.stringify(given.slice(0, 40))} is no role.`, {
    next: `Use one of: ${ROLES.join(', ')}.`,
    fields: [{ name: 'role', problem: 'is no role' }],
  });
}

async function mustExist({ store }: OperatorsDeps, name: string): Promise<void> {
  if ((await store.operators.get(name)) === undefined) mustBeDone(name, 'unknown');
}

function mustBeDone(name: string, end: OperatorChange): void {
  if (end === 'unknown')
    throw new GatehouseError('not_found', `There is no operator named ${JSON.stringify(name.slice(0, 80))}.`, {
      next: 'See the names with: gatehouse operator list.',
      fields: [{ name: 'name', problem: 'unknown' }],
    });
  if (end === 'last_admin')
    throw new GatehouseError('conflict', `${name} is the only admin: nobody could administer this installation.`, {
      next: 'Make somebody else an admin first: gatehouse operator create NAME --role admin.',
    });
}

async function note(
  { audit }: OperatorsDeps,
  { principal, channel }: Setter,
  action: string,
  event: string,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  await audit.record({ principal, channel, action, event, detail });
}
