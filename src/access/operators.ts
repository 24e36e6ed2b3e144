import type { Audit, Setter } from '../audit/audit.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { Access } from '../ports/access.ts';
import type { OperatorChange, Store } from '../ports/store.ts';
import { mustHoldAll, roleNamed } from './roles.ts';

/** People who administer, approve or look: made, changed and removed the same way from every door, each with its audit row. */

export interface OperatorsDeps {
  readonly store: Pick<Store, 'operators' | 'roles' | 'keys' | 'values'>;
  readonly access: Access;
  readonly audit: Audit;
  readonly now: () => number;
}

export interface ListedOperator {
  readonly name: string;
  readonly role: string;
  readonly createdAt: number;
  /** Live keys. Without one a person signs in by link alone. */
  readonly keys: number;
}

export async function listOperators({ store }: Pick<OperatorsDeps, 'store'>): Promise<readonly ListedOperator[]> {
  const rows = await store.operators.list();
  return Promise.all(
    rows.map(async ({ name, role, createdAt }) => ({
      ...{ name, role, createdAt },
      keys: (await store.keys.list(name)).filter(({ kind, revokedAt }) => kind === 'operator' && revokedAt === null)
        .length,
    })),
  );
}

/** The key of the new operator, in the clear this once. */
export async function createOperator(deps: OperatorsDeps, name: string, role: string, by: Setter): Promise<string> {
  await mustHoldAll(deps, by, await roleNamed(deps, role));
  const key = await deps.access.createOperator(name, role);
  await note(deps, by, 'operator create', 'operator_created', { operator: name, role });
  return key;
}

export async function changeRole(deps: OperatorsDeps, name: string, role: string, by: Setter): Promise<void> {
  await mustHoldAll(deps, by, await roleNamed(deps, role));
  await mustOutrank(deps, by, name);
  mustBeDone(name, await deps.store.operators.setRole(name, role));
  await note(deps, by, 'operator role', 'role_changed', { operator: name, role });
}

/** Ends every session, link and key of that person, too. */
export async function removeOperator(deps: OperatorsDeps, name: string, by: Setter): Promise<void> {
  await mustOutrank(deps, by, name);
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
  await mustOutrank(deps, by, name);
  const revoked = replace ? await deps.access.revokeKeys('operator', name) : 0;
  const key = await deps.access.issueKey('operator', name);
  await note(deps, by, 'operator key', 'key_issued', { operator: name, kind: 'operator', revoked });
  return { key, revoked };
}

export async function revokeOperatorKeys(deps: OperatorsDeps, name: string, by: Setter): Promise<number> {
  await mustOutrank(deps, by, name);
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
  await mustOutrank(deps, by, name);
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

/** Nobody gives away, makes or takes over more than they hold: a key or link of another operator is all that this one may. */
async function mustOutrank(deps: OperatorsDeps, by: Setter, name: string): Promise<void> {
  const operator = await deps.store.operators.get(name);
  if (operator === undefined) return mustBeDone(name, 'unknown');
  // One's own keys and links give nothing that one does not have.
  if (by.principal !== `operator:${name}`) await mustHoldAll(deps, by, operator);
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
