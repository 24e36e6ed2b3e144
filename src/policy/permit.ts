import { policyFor } from '../../permissions/decide.ts';
import { closedTo } from '../../permissions/field-access.ts';
import type { ActionPolicy } from '../../permissions/policy.ts';
import type { Action } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import { quoted } from '../domain/safe-text.ts';
import type { BotRow, Store } from '../ports/store.ts';
import { closed } from './bounded-org.ts';

/** Find and permit: the first two steps of the road. */

export interface Permitted {
  readonly action: Action;
  readonly own: ActionPolicy;
}

export async function botNamed(store: Pick<Store, 'bots'>, name: string): Promise<BotRow> {
  const bot = await store.bots.get(name);
  if (bot !== undefined) return bot;
  throw new GatehouseError('not_found', `There is no bot named ${quoted(name)}.`, {
    next: 'See the names with: gatehouse bot list; make one with: gatehouse bot create NAME.',
    fields: [{ name: 'bot', problem: 'unknown' }],
  });
}

/** Throws for what this bot may not call now: unknown, not granted, not listed, or switched off. */
export function permitted(actions: readonly Action[], bot: BotRow, name: string): Permitted {
  const action = actions.find((one) => one.name === name);
  if (action === undefined)
    throw new GatehouseError('not_found', `There is no action named ${JSON.stringify(name.slice(0, 80))}.`, {
      next: 'Use one of the listed actions.',
      fields: [{ name: 'action', problem: 'unknown' }],
    });
  const own = policyFor(bot.policy, name);
  if (!bot.grants.includes(action.permission))
    throw new GatehouseError('permission_denied', `This bot does not hold ${action.permission}, which ${name} needs.`, {
      next: `Tell the user that this bot cannot do this; only an operator can grant it (gatehouse grant ${bot.name} ${action.permission}). Do not retry.`,
    });
  if (own.decision === 'never')
    throw new GatehouseError('permission_denied', `The policy of this bot never lets it run ${name}.`, {
      next: `Tell the user that this bot cannot do this; only an operator can change actions.${name} in its policy (gatehouse policy get ${bot.name}, then policy set). Do not retry.`,
    });
  if (bot.policy.mode === 'off' || bot.policy.off.includes(name))
    throw new GatehouseError(
      'off',
      `${bot.policy.mode === 'off' ? 'This bot' : name} is switched off by an operator.`,
      {
        next: 'Tell the user that this is switched off for now. Do not retry.',
      },
    );
  if (bot.policy.mode === 'read-only' && action.risk !== 'read')
    throw new GatehouseError('off', 'This bot is in read-only mode; nothing is written.', {
      next: 'Tell the user that only look-ups work for now. Do not retry.',
    });
  return { action, own };
}

/** The same, and everything that the action cannot do without is open. A visitor is thanked all the same: what is closed may be opened. */
export function reachable(actions: readonly Action[], bot: BotRow, name: string): Permitted {
  const found = permitted(actions, bot, name);
  const shut = closedTo(found.action.touches, bot.policy.objects);
  if (shut !== undefined) throw closed(bot.policy.objects, shut, 'write');
  return found;
}

/** What this bot may call now; the same rules as `permitted`, without words. */
export function listed(actions: readonly Action[], bot: BotRow): readonly Permitted[] {
  const { policy, grants } = bot;
  if (policy.mode === 'off') return [];
  return actions.flatMap((action) => {
    const own = policyFor(policy, action.name);
    if (own.decision === 'deny' || own.decision === 'never') return [];
    if (!grants.includes(action.permission) || policy.off.includes(action.name)) return [];
    return policy.mode === 'read-only' && action.risk !== 'read' ? [] : [{ action, own }];
  });
}
