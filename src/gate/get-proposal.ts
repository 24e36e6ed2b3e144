import { z } from 'zod';
import { GET_PROPOSAL } from '../domain/proposal.ts';
import type { ListedAction } from '../ports/gate.ts';

/** The one built-in tool: how a proposal went. It reads our own store, so it needs no permission in Salesforce. */
export const getProposalInput = z.strictObject({
  id: z.string().min(1).max(64).describe('The proposal id of the waiting answer'),
  waitSeconds: z.int().min(0).max(25).optional().describe('Wait up to this long for the person to decide'),
});

export const getProposal: ListedAction = {
  name: GET_PROPOSAL,
  title: 'See how a proposal went',
  description:
    'Tells whether a person approved, declined or has not yet decided a waiting proposal, and its result. Use after an answer with status "waiting". It cannot approve anything.',
  risk: 'read',
  idempotent: true,
  mayAsk: false,
  input: getProposalInput,
  output: z.looseObject({}),
};
