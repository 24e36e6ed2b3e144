import { z } from 'zod';
import { unanswered } from '../../permissions/decide.ts';
import type { Action } from '../domain/action.ts';
import { keptFor } from '../domain/kept-for.ts';
import { botNamed, listed, type Permitted } from '../policy/permit.ts';
import { wordsOf } from '../policy/words.ts';
import type { ListedAction } from '../ports/gate.ts';
import type { BotRow, Store } from '../ports/store.ts';
import { getProposal } from './get-proposal.ts';
import { inputFor } from './parse-args.ts';

/** What a bot may call now. By itself, because many a start is for a listing alone: the road of a call is loaded by the first call (F1). */
export async function listActions(
  store: Pick<Store, 'bots'>,
  actions: readonly Action[],
  name: string,
): Promise<readonly ListedAction[]> {
  const bot = await botNamed(store, name);
  const all = listed(actions, bot).map(
    (permit): ListedAction => ({
      name: permit.action.name,
      title: permit.action.title,
      description: wordsOf(permit.action, bot.policy).description,
      risk: permit.action.risk,
      idempotent: permit.action.idempotent ?? permit.action.risk === 'read',
      mayAsk: mayAsk(permit, bot),
      input: inputFor(permit, bot.policy),
      output: envelopeOf(permit.action),
    }),
  );
  return all.some((action) => action.mayAsk) ? [...all, { ...getProposal, output: anyEnvelope }] : all;
}

export function mayAsk({ action, actionPolicy }: Permitted, bot: BotRow): boolean {
  return (
    action.alwaysAsks === true ||
    actionPolicy.decision === 'confirm' ||
    actionPolicy.rules.some((rule) => rule.then === 'confirm' || unanswered(rule.if, action).length > 0) ||
    bot.policy.mode === 'ask'
  );
}

const STATUSES = ['done', 'waiting', 'declined', 'expired', 'conflict', 'unknown'] as const;
const anyEnvelope = z.looseObject({ status: z.enum(STATUSES) });

const envelopeOf = keptFor(
  (action: Action): z.ZodObject =>
    z.looseObject({ status: z.enum(STATUSES), result: action.output.partial().optional() }),
);
