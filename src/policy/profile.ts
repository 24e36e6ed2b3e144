import type { BuiltInPermission } from '../../permissions/catalog.ts';
import { type Policy, shippedPolicy } from '../../permissions/policy.ts';
import { PROFILES, type ProfileName } from '../../permissions/profiles.ts';
import type { Setter } from '../audit/audit.ts';
import type { Action } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { AuditRow, BotRow } from '../ports/store.ts';
import { botNamed } from './permit.ts';
import { grantNotes, type SaveDeps } from './save.ts';

/** A shipped profile put onto a bot that is there: its grants, and for every action what a new policy says. */

export interface ProfileChange {
  readonly policy: Policy;
  readonly grant: readonly BuiltInPermission[];
  readonly revoke: readonly string[];
}

/** Which objects and fields are open, limits, the chat, switches and the audience stay: these are the operator's own. */
export function profileChange(bot: BotRow, profile: ProfileName, actions: readonly Action[]): ProfileChange {
  const wanted: readonly BuiltInPermission[] = PROFILES[profile].grants;
  return {
    policy: { ...bot.policy, actions: { ...bot.policy.actions, ...shippedPolicy(bot.audience, actions).actions } },
    grant: wanted.filter((permission) => !bot.grants.includes(permission)),
    revoke: bot.grants.filter((permission) => !(wanted as readonly string[]).includes(permission)),
  };
}

export const profileWarnings = (bot: BotRow, { policy, grant }: ProfileChange, actions: readonly Action[]) =>
  grant.flatMap((permission) => grantNotes(actions, { ...bot, policy }, permission));

/** All of it or nothing, as one revision; `conflict` where somebody saved since `from`. */
export async function applyProfile(
  { store, audit, actions, now }: SaveDeps & { readonly actions: readonly Action[] },
  name: string,
  { profile, from, by }: { readonly profile: ProfileName; readonly from: number; readonly by: Setter },
): Promise<number> {
  const { principal, channel } = by;
  const done = await store.atomically(async (inside) => {
    const bot = await botNamed(inside, name);
    const change = profileChange(bot, profile, actions);
    const revision = await inside.bots.savePolicy(name, change.policy, principal, now(), from);
    if (revision === undefined) return undefined;
    const rows: AuditRow[] = [];
    const note = async (action: string, event: string, more: object = {}) =>
      rows.push(await audit.append({ bot: name, principal, channel, action, event, ...more }, inside));
    const { mode, off } = change.policy;
    await note('policy', 'policy_saved', { policyRevision: revision, detail: { mode, off, profile } });
    for (const permission of change.grant) {
      await inside.bots.grant(name, permission);
      await note(permission, 'granted');
    }
    for (const permission of change.revoke) {
      await inside.bots.revoke(name, permission);
      await note(permission, 'revoked');
    }
    return { revision, last: rows.at(-1) };
  });
  if (done === undefined)
    throw new GatehouseError('conflict', 'Somebody saved this policy since you read it.', {
      next: 'Look at the difference again, then apply the profile.',
    });
  if (done.last !== undefined) await audit.keep(done.last);
  return done.revision;
}
