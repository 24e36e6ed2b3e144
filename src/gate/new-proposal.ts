import type { Proposal } from '../domain/proposal.ts';
import type { Call } from '../ports/gate.ts';
import type { BotRow } from '../ports/store.ts';

/** A proposal as it begins: what was asked, and nothing that came of it yet. */
export function newProposal(
  bot: BotRow,
  c: Pick<Call, 'principal' | 'conversation' | 'session'>,
  made: Pick<
    Proposal,
    | 'id'
    | 'orgId'
    | 'action'
    | 'args'
    | 'digest'
    | 'dedupeKey'
    | 'preview'
    | 'reasons'
    | 'assurance'
    | 'clientDecline'
    | 'state'
    | 'createdAt'
    | 'expiresAt'
  > &
    Partial<Pick<Proposal, 'visitor' | 'decidedBy' | 'decidedVia' | 'decidedAt' | 'choice'>>,
): Proposal {
  return {
    bot: bot.name,
    principal: c.principal,
    conversation: c.conversation ?? null,
    session: c.session ?? null,
    policyRevision: bot.policyRevision,
    visitor: null,
    decidedBy: null,
    decidedVia: null,
    decidedAt: null,
    choice: null,
    runner: null,
    leaseUntil: null,
    effects: [],
    result: null,
    error: null,
    settledAt: null,
    seal: null,
    effectsSeal: null,
    ...made,
  };
}
