import type { BuiltInPermission } from '../../permissions/catalog.ts';
import { shippedPolicy } from '../../permissions/policy.ts';
import { type Audience, PROFILES, type ProfileName } from '../../permissions/profiles.ts';
import type { Audit, Setter } from '../audit/audit.ts';
import type { Action } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { Access } from '../ports/access.ts';
import type { Connections } from '../ports/salesforce.ts';
import type { Store } from '../ports/store.ts';

/** Bots as every door makes them. */

export interface BotsDeps {
  readonly store: Pick<Store, 'bots'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly access: Pick<Access, 'issueKey'>;
  readonly connections: Pick<Connections, 'connect'>;
  readonly actions: readonly Action[];
  readonly isSimulated: boolean;
  readonly now: () => number;
}

export interface NewBot {
  readonly bot: string;
  readonly key: string;
  readonly hostKey: string;
  readonly grants: readonly BuiltInPermission[];
}

/** On the simulated org a new bot starts connected (X1). The keys are in the clear this once. */
export async function createBot(
  deps: BotsDeps,
  name: string,
  profile: ProfileName | undefined,
  by: Setter,
): Promise<NewBot> {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name))
    throw new GatehouseError('invalid_input', `${JSON.stringify(name.slice(0, 80))} is not a usable bot name.`, {
      next: 'Use 1-63 lower-case letters, digits, dashes or underscores, a letter or digit first.',
      fields: [{ name: 'name', problem: 'not a usable name' }],
    });
  if (!(await insertBot(deps, name, profile, by)))
    throw new GatehouseError('conflict', `There is a bot named ${name} already.`, {
      next: `Choose another name, or make it a new key: gatehouse bot key ${name}.`,
    });
  return {
    bot: name,
    key: await deps.access.issueKey('agent', name),
    hostKey: await deps.access.issueKey('host', name),
    grants: toReadySet(profile).grants,
  };
}

/** Without a profile a bot holds nothing until it is granted something (P2). */
export function toReadySet(profile: ProfileName | undefined): {
  readonly audience: Audience;
  readonly grants: readonly BuiltInPermission[];
} {
  return profile === undefined ? { audience: 'internal', grants: [] } : PROFILES[profile];
}

/** False where the name is taken. */
export async function insertBot(
  deps: Omit<BotsDeps, 'access'>,
  name: string,
  profile: ProfileName | undefined,
  { principal, channel }: Setter,
): Promise<boolean> {
  const { audience, grants } = toReadySet(profile);
  const isNew =
    (await deps.store.bots.get(name)) === undefined &&
    (await deps.store.bots.create({
      name,
      audience,
      profile: profile ?? 'none',
      grants,
      createdAt: deps.now(),
      policy: shippedPolicy(audience, deps.actions),
    }));
  if (!isNew) return false;
  await deps.audit.record({
    bot: name,
    principal,
    channel,
    action: 'bot create',
    event: 'bot_created',
    detail: { profile: profile ?? 'none', grants },
  });
  if (deps.isSimulated) await deps.connections.connect(name, { flow: 'simulated' });
  return true;
}
