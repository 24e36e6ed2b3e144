import { isWithin } from '../../permissions/catalog.ts';
import type { Policy } from '../../permissions/policy.ts';
import type { Preview } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import { type Decline, MOST_REASON, type Proposal } from '../domain/proposal.ts';
import { cleanText } from '../domain/safe-text.ts';
import type { HumanDecision } from '../ports/gate.ts';

/** What an approver's answer says beside yes and no: a choice, and which values were edited. Pure. */

export const CANCEL = 'cancel';

/** Whose proposal may be decided by who asks: of this bot, and one of those that the person's role is for. */
export function isOf({ bot, bots }: Pick<HumanDecision, 'bot' | 'bots'>, proposal: Pick<Proposal, 'bot'>): boolean {
  return (bot === undefined || bot === proposal.bot) && isWithin({ bots }, proposal.bot);
}

export function chosen(preview: Preview | null, choice: string | undefined): string | null {
  const choices = preview?.choices ?? [];
  if (choices.length === 0 && choice === undefined) return null;
  if (choice !== undefined && choices.some(({ id }) => id === choice)) return choice;
  // A choice that was offered once, or never, is not what a plain yes would do.
  if (choices.length === 0)
    throw new GatehouseError('invalid_input', 'This proposal offers no choice.', {
      next: 'Look at what it would do now, and approve it without a choice.',
      fields: [{ name: 'choice', problem: 'is not offered' }],
    });
  throw new GatehouseError('invalid_input', 'This proposal asks for a choice, not just a yes.', {
    next: `Choose one of: ${choices.map(({ id, label }) => `${id} (${label})`).join(', ')}, ${CANCEL}.`,
    fields: [{ name: 'choice', problem: 'missing or not offered' }],
  });
}

/** A reason for a no, as it is kept. Whether the model may read it is fixed with it: the person was told so while they wrote. */
export function declined(reason: string | undefined, policy: Pick<Policy, 'proposals'> | undefined): Decline | null {
  const text = cleanText((reason ?? '').trim());
  if (text.length > MOST_REASON)
    throw new GatehouseError('invalid_input', `A reason has ${MOST_REASON} characters at most.`, {
      next: 'Say it in fewer words.',
      fields: [{ name: 'reason', problem: `is longer than ${MOST_REASON} characters` }],
    });
  return text === '' ? null : { reason: text, isTold: policy?.proposals.tellReason === true };
}

export function changedKeys(from: Proposal['args'], to: Proposal['args']): string[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].filter((key) => from[key] !== to[key]);
}
