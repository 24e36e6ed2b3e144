import { decideCall, type Facts, policyFor } from '../../permissions/decide.ts';
import { closedTo, whereClosed } from '../../permissions/field-access.ts';
import type { ActionPolicy } from '../../permissions/policy.ts';
import type { Action } from '../domain/action.ts';
import type { BotRow } from '../ports/store.ts';
import { whyNot } from './permit.ts';

/** Where an action stands for a bot, in one word; what its thresholds add is in `policy`. */
export interface Standing {
  readonly word: 'runs' | 'asks' | 'denied' | 'not_granted' | 'off';
  readonly why: readonly string[];
  readonly policy: ActionPolicy;
  /** The policy names it; of others every call waits. */
  readonly isNamed: boolean;
  readonly isOff: boolean;
}

const WORDS = { auto: 'runs', confirm: 'asks', deny: 'denied' } as const;

/** Asked of the road's own functions, with a call that has nothing a rule could look at. */
export function standingOf(action: Action, bot: BotRow, environment: Facts['environment']): Standing {
  const policy = policyFor(bot.policy, action.name);
  const found = { action, actionPolicy: policy };
  const rest = {
    policy,
    isNamed: Object.hasOwn(bot.policy.actions, action.name),
    isOff: bot.policy.off.includes(action.name),
  };
  if (!bot.grants.includes(action.permission)) return { word: 'not_granted', why: [], ...rest };
  const refusal = whyNot(found, bot);
  if (refusal !== undefined)
    return { word: refusal.code === 'off' ? 'off' : 'denied', why: [refusal.message], ...rest };
  const shut = closedTo(action.touches, bot.policy.objects);
  if (shut !== undefined)
    return {
      word: 'denied',
      why: [`It writes ${shut}, which the policy closes (${whereClosed(bot.policy.objects, shut, 'write')}).`],
      ...rest,
    };
  const verdict = decideCall(found, bot, { ...NOTHING, environment });
  return { word: WORDS[verdict.decision], why: verdict.reasons, ...rest };
}

const NOTHING: Omit<Facts, 'environment'> = { changes: [], sensitive: [], duplicates: 0, warnings: 0, runsThisHour: 0 };
