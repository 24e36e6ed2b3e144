import { policyFor } from '../../permissions/decide.ts';
import { closedTo } from '../../permissions/field-access.ts';
import type { ActionPolicy } from '../../permissions/policy.ts';
import { actionsOf } from '../declared/actions-of.ts';
import type { Action } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import { type ReadAs, readAs } from '../domain/read-as.ts';
import { quoted } from '../domain/safe-text.ts';
import type { BotRow, Store } from '../ports/store.ts';
import { closed } from './bounded-org.ts';

/** Find and permit: the first two steps of the road. */

export interface Permitted {
  readonly action: Action;
  readonly actionPolicy: ActionPolicy;
}

export async function botNamed(store: Pick<Store, 'bots'>, name: string): Promise<BotRow> {
  const bot = await store.bots.get(name);
  if (bot !== undefined) return bot;
  throw new GatehouseError('not_found', `There is no bot named ${quoted(name)}.`, {
    next: 'See the names with: gatehouse bot list; make one with: gatehouse bot create NAME.',
    fields: [{ name: 'bot', problem: 'unknown' }],
  });
}

/** The org that the bot's connection leads to, and the user of it. */
export async function readerOf(store: Pick<Store, 'connections'>, bot: string): Promise<ReadAs> {
  return readAs(await store.connections.get(bot));
}

/** Why this bot may not call the action now: not granted, never by its policy, or switched off. Undefined where it may. */
export function whyNot({ action, actionPolicy }: Permitted, bot: BotRow): GatehouseError | undefined {
  const { name, permission, risk } = action;
  const { mode, off } = bot.policy;
  if (!bot.grants.includes(permission))
    return new GatehouseError('permission_denied', `This bot does not hold ${permission}, which ${name} needs.`, {
      next: `Tell the user that this bot cannot do this; only an operator can grant it (gatehouse grant ${bot.name} ${permission}). Do not retry.`,
    });
  if (actionPolicy.decision === 'never')
    return new GatehouseError('permission_denied', `The policy of this bot never lets it run ${name}.`, {
      next: `Tell the user that this bot cannot do this; only an operator can change actions.${name} in its policy (gatehouse policy get ${bot.name}, then policy set). Do not retry.`,
    });
  if (mode === 'off' || off.includes(name)) return switchedOff(mode === 'off' ? 'This bot' : name);
  if (mode === 'read-only' && risk !== 'read')
    return new GatehouseError('off', 'This bot is in read-only mode; nothing is written.', {
      next: 'Tell the user that only look-ups work for now. Do not retry.',
    });
  return undefined;
}

/** Throws for what this bot may not call now, and for an action that there is not. */
export function permitted(actions: readonly Action[], bot: BotRow, name: string): Permitted {
  const action = actionsOf(actions, bot).find((one) => one.name === name);
  if (action === undefined)
    throw new GatehouseError('not_found', `There is no action named ${JSON.stringify(name.slice(0, 80))}.`, {
      next: 'Use one of the listed actions.',
      fields: [{ name: 'action', problem: 'unknown' }],
    });
  const found = { action, actionPolicy: policyFor(bot.policy, name) };
  const refusal = whyNot(found, bot);
  if (refusal !== undefined) throw refusal;
  return found;
}

/** Like `permitted`; throws also where policy closes an object that the action must write. Receipts do without: it may be opened later. */
export function reachable(actions: readonly Action[], bot: BotRow, name: string): Permitted {
  const found = permitted(actions, bot, name);
  const shut = closedTo(found.action.touches, bot.policy.objects);
  if (shut !== undefined) throw closed(bot.policy.objects, shut, 'write');
  return found;
}

/** What this bot may call now. What its policy denies is permitted, to be refused with the reason, and not listed. */
export function listed(actions: readonly Action[], bot: BotRow): readonly Permitted[] {
  return actionsOf(actions, bot)
    .map((action) => ({ action, actionPolicy: policyFor(bot.policy, action.name) }))
    .filter((found) => found.actionPolicy.decision !== 'deny' && whyNot(found, bot) === undefined);
}

export function switchedOff(what: string): GatehouseError {
  return new GatehouseError('off', `${what} is switched off by an operator.`, {
    next: 'Tell the user that this is switched off for now. Do not retry.',
  });
}
